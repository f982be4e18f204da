// Command linesplugin is the plugin lines as a module: a test builds it for GOOS=wasip1.
package main

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lines"
)

func init() { sdk.Register(&lines.Plugin{}) }

func main() {}
