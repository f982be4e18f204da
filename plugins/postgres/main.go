// Command postgres is the PostgreSQL plugin of Sallyport, to be built as a WebAssembly guest:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o postgres.wasm ./plugins/postgres
//
// What it does is in the package session; the companion "pgquery", which it brings, is in the folder of that name.
package main

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/session"
	"github.com/sallyport-dev/sallyport/sdk"
)

// A guest's main never runs: the host calls its exports after the package's initialization.
func init() { sdk.Register(&session.Plugin{}) }

func main() {}
