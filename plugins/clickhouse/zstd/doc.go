// Package zstd undoes data that is compressed with ZSTD, in a companion module: the decompressor of zstd itself, taken from the C sources inside the Go
// module github.com/DataDog/zstd, whose Go code is not used. The script build in this folder compiles it with c/zstd.c to one WebAssembly module, which is not committed.
//
//	build OUTPUT.wasm
//
// It needs Debian's clang-16, lld-16, wasi-libc and libclang-rt-16-dev-wasm32, and says which of them is missing.
//
// # What is undone
//
// One frame, which is all of the input, that becomes exactly as many bytes as the caller says. Servers hand what they get to ZSTD_decompress, which would also take several frames one
// after the other and frames that are to be skipped; no client sends these, and they are refused. So are frames that want a dictionary, and those of zstd before 0.8.
//
// # Interface
//
// The module imports nothing and exports what sdk/ABI.md says of companions. The input is u32 how many bytes there must be, little endian, and the frame; the result is the bytes. What
// is wrong with a frame is an error's text. Nothing is allocated: the decoder's memory, the input and the result have their places.
//
// In the module's C code size_t has 64 bits, as it has on the machines that zstd is made for: with its own 32 bits the decoder would read bits in smaller pieces, which takes half as long again.
package zstd

import (
	"encoding/binary"
	"errors"
)

// Companion is the name of the module in the plugin's manifest.
const Companion = "zstd"

// MaxSize bounds a frame and what it becomes, in bytes.
const MaxSize = 16 << 20

// HeadSize is what stands before the frame in the companion's input, in bytes.
const HeadSize = 4

// Caller runs a companion, as sdk.Conn.Call does.
type Caller interface {
	Call(k int, in, out []byte) ([]byte, error)
}

// ErrSize says that a frame has become something else than it should.
var ErrSize = errors.New("compressed data of another size than it says")

// Undo undoes a frame that stands behind HeadSize bytes of in, which are written to. It becomes all of out. k is the companion's place in the manifest.
func Undo(c Caller, k int, out, in []byte) error {
	binary.LittleEndian.PutUint32(in, uint32(len(out)))
	got, err := c.Call(k, in, out)
	if err == nil && len(got) != len(out) {
		err = ErrSize
	}
	return err
}
