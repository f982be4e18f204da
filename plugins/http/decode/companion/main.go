//go:build wasip1

// Command companion is the module "decode" of the HTTP plugin, to be built for WebAssembly:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o decode.wasm ./plugins/http/decode/companion
//
// sdk/ABI.md says what a companion exports. Package decode has the encoding of a call.
package main

import (
	"runtime"
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/decode/undo"
)

var (
	in     [decode.InputCapacity]byte
	out    [decode.MaxOutput]byte
	layout [5]uint32
)

//go:wasmexport sallyport_buffers
func buffers() uint32 {
	layout = [5]uint32{address(&in[0]), uint32(len(in)), address(&out[0]), uint32(len(out)), 0}
	return uint32(uintptr(unsafe.Pointer(&layout)))
}

//go:wasmexport sallyport_warm
func warm() {
	for _, w := range warmUps {
		n := copy(in[:], decode.AppendCall(nil, w.coding, 16, []byte(w.body)))
		call(int32(n))
	}
	clear(out[:64])
	clear(in[:64])
	runtime.GC()
}

// warmUps are small bodies: what decoders set up once is in the snapshot so.
var warmUps = []struct {
	coding decode.Coding
	body   string
}{
	{decode.Gzip, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x4a\x04\x04\x00\x00\xff\xff\x43\xbe\xb7\xe8\x01\x00\x00\x00"},
	{decode.Brotli, "\x0b\x00\x80\x61\x03"},
	{decode.Zstd, "\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00\x61"},
}

//go:wasmexport sallyport_call
func call(n int32) int32 {
	coding, limit, body, err := decode.ReadCall(in[:n])
	if err == nil {
		if n, err := undo.Decode(coding, body, out[:], limit); err == nil {
			return int32(n)
		} else if err == decode.ErrTooLarge {
			return fail(decode.TooLarge)
		}
		return fail(decode.ErrBroken.Error())
	}
	return fail(err.Error())
}

func fail(text string) int32 { return -1 - int32(copy(out[:], text)) }

func address(p *byte) uint32 { return uint32(uintptr(unsafe.Pointer(p))) }

func main() {}
