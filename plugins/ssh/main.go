// Command ssh is the SSH plugin of Sallyport, to be built as a WebAssembly guest:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o ssh.wasm ./plugins/ssh
//
// What it does is in the package session; what command lines do is in the package shell, and SFTP in the package sftp.
package main

import (
	"github.com/sallyport-dev/sallyport/plugins/ssh/session"
	"github.com/sallyport-dev/sallyport/sdk"
)

// A guest's main never runs: the host calls its exports after the package's initialization.
func init() { sdk.Register(&session.Plugin{}) }

func main() {}
