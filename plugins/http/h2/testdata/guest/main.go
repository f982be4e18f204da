// Command guest is plugin plain as a module.
package main

import (
	"github.com/sallyport-dev/sallyport/plugins/http/h2/testdata/plain"
	"github.com/sallyport-dev/sallyport/sdk"
)

func init() { sdk.Register(&plain.Plugin{}) }

func main() {}
