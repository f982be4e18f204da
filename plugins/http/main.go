// Command http is the HTTP plugin of Sallyport, to be built as a WebAssembly guest:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o http.wasm ./plugins/http
//
// What it does is in the package session.
package main

import (
	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/sdk"
)

// A guest's main never runs: the host calls its exports after the package's initialization.
func init() { sdk.Register(&session.Plugin{}) }

func main() {}
