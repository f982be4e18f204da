//go:build wasip1

// Command companion is the module "yaml" of the Kubernetes plugin, to be built for WebAssembly:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o yaml.wasm ./plugins/kubernetes/yaml/companion
//
// sdk/ABI.md says what a companion exports. Package yaml has the limits of a call.
package main

import (
	"runtime"
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/kubernetes/yaml"
	"github.com/sallyport-dev/sallyport/plugins/kubernetes/yaml/convert"
)

var (
	in     [yaml.MaxInput]byte
	out    [yaml.MaxOutput]byte
	layout [5]uint32
)

//go:wasmexport sallyport_buffers
func buffers() uint32 {
	layout = [5]uint32{address(&in[0]), uint32(len(in)), address(&out[0]), uint32(len(out)), 0}
	return uint32(uintptr(unsafe.Pointer(&layout)))
}

// warm reads a small text: what the reader sets up once is in the snapshot so.
//
//go:wasmexport sallyport_warm
func warm() {
	n := copy(in[:], "kind: Pod\nspec: {list: [1, a, 'b', true, 1.5, null]}\n")
	call(int32(n))
	clear(out[:256])
	clear(in[:64])
	runtime.GC()
}

//go:wasmexport sallyport_call
func call(n int32) int32 {
	size, err := convert.JSON(in[:n], out[:])
	if err != nil {
		return -1 - int32(copy(out[:], err.Error()))
	}
	return int32(size)
}

func address(p *byte) uint32 { return uint32(uintptr(unsafe.Pointer(p))) }

func main() {}
