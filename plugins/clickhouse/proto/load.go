//go:build wasm || amd64 || arm64 || 386 || riscv64 || loong64

package proto

import "unsafe"

// load64 is the number in the first 8 bytes of p, little endian. Go's compiler for WebAssembly makes eight loads of what encoding/binary
// has for it, which is what most of the time went into.
func load64(p []byte) uint64 {
	return *(*uint64)(unsafe.Pointer((*[8]byte)(p)))
}

// move8 moves 8 bytes. (Of an array Go's compiler makes a call of memmove.)
func move8(to, from unsafe.Pointer) { *(*uint64)(to) = *(*uint64)(from) }
