// Command kubernetes is the Kubernetes plugin of Sallyport, to be built as a WebAssembly guest:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o kubernetes.wasm ./plugins/kubernetes
//
// What it does is in the package dialect.
package main

import (
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/dialect"
	"github.com/sallyport-dev/sallyport/sdk"
)

// A guest's main never runs: the host calls its exports after the package's initialization.
func init() { sdk.Register(dialect.New()) }

func main() {}
