// Command loses is the plugin of package answers as one that does not let through what it was allowed to.
package main

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/testdata/answers"
)

func init() { sdk.Register(answers.Plugin{Loses: true}) }

func main() {}
