//go:build wasm || amd64 || arm64 || 386 || riscv64 || loong64

package proto

import "unsafe"

// load64 is the number in the first 8 bytes of p, little endian. Go's compiler for WebAssembly makes eight loads of what encoding/binary
// has for it, which is what most of the time went into.
func load64(p []byte) uint64 {
	return *(*uint64)(unsafe.Pointer((*[8]byte)(p)))
}
