// The plugin of package answers as a guest.
package main

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/testdata/answers"
)

func init() { sdk.Register(answers.Plugin{}) }

func main() {}
