//go:build wasip1

// Command companion is the module "shell" of the SSH plugin, to be built for WebAssembly:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o shell.wasm ./plugins/ssh/shell/companion
//
// sdk/ABI.md says what a companion exports. Package line has the encoding of a call.
package main

import (
	"runtime"
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/ssh/line"
	"github.com/sallyport-dev/sallyport/plugins/ssh/shell"
)

var (
	in     [line.InputCapacity]byte
	out    [line.OutputCapacity]byte
	layout [5]uint32
)

//go:wasmexport sallyport_buffers
func buffers() uint32 {
	layout = [5]uint32{address(&in[0]), uint32(len(in)), address(&out[0]), uint32(len(out)), 0}
	return uint32(uintptr(unsafe.Pointer(&layout)))
}

// What is set up once is in the snapshot so.
//
//go:wasmexport sallyport_warm
func warm() {
	for _, text := range []string{"ls -la", "if a; then cat 'x' \"$y\" | sudo sh -c 'rm $(z)' > w; fi"} {
		call(int32(copy(in[:], line.AppendCall(nil, text, false))))
	}
	clear(out[:1024])
	clear(in[:256])
	runtime.GC()
}

//go:wasmexport sallyport_call
func call(n int32) int32 {
	text, terminal, err := line.ReadCall(in[:n])
	if err != nil {
		return fail(err.Error())
	}
	facts := shell.Read(text, terminal)
	b := line.AppendFacts(nil, &facts)
	if len(b) > len(out) {
		return fail("there is too much to say")
	}
	return int32(copy(out[:], b))
}

func fail(text string) int32 { return -1 - int32(copy(out[:], text)) }

func address(p *byte) uint32 { return uint32(uintptr(unsafe.Pointer(p))) }

func main() {}
