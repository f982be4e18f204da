//go:build !(wasm || amd64 || arm64 || 386 || riscv64 || loong64)

package proto

import (
	"encoding/binary"
	"unsafe"
)

// load64 is the number in the first 8 bytes of p, little endian.
func load64(p []byte) uint64 { return binary.LittleEndian.Uint64(p) }

// move8 moves 8 bytes.
func move8(to, from unsafe.Pointer) { *(*[8]byte)(to) = *(*[8]byte)(from) }
