// Command clickhouse is the ClickHouse plugin of Sallyport, to be built as a WebAssembly guest:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o clickhouse.wasm ./plugins/clickhouse
//
// What it does is in the package plugin.
package main

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/plugin"
	"github.com/sallyport-dev/sallyport/sdk"
)

// A guest's main never runs: the host calls its exports after the package's initialization.
func init() { sdk.Register(&plugin.Plugin{}) }

func main() {}
