//go:build !wasip1

package main

import "os"

// Built for anything else than WebAssembly the companion is of no use.
func main() {
	os.Stderr.WriteString("this is a companion module: build it with GOOS=wasip1 GOARCH=wasm -buildmode=c-shared\n")
	os.Exit(2)
}
