// Command lanesplugin is the plugin lanes as a module: a test builds it for GOOS=wasip1.
package main

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lanes"
)

func init() { sdk.Register(&lanes.Plugin{}) }

func main() {}
