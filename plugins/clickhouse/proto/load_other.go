//go:build !(wasm || amd64 || arm64 || 386 || riscv64 || loong64)

package proto

import "encoding/binary"

// load64 is the number in the first 8 bytes of p, little endian.
func load64(p []byte) uint64 { return binary.LittleEndian.Uint64(p) }
