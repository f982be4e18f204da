//go:build wasip1

package sdk

import (
	"errors"
	"runtime"
	"unsafe"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The guest's two buffers, fixed for life.
var (
	inBuffer  [abi.MinBuffer]byte
	outBuffer [abi.MinBuffer]byte
	layout    [4]uint32
)

// gcPercent makes a guest collect at 4 MiB × gcPercent/100, or when its heap has grown by that part, whichever is more.
const gcPercent = 25

// setGCPercent is what runtime/debug.SetGCPercent calls. Importing that package brings fmt, os and reflect into every guest, an eighth of
// its code; the runtime offers the function under this name.
//
//go:linkname setGCPercent runtime/debug.setGCPercent
func setGCPercent(int32) int32

var (
	registered Plugin
	run        runner
)

// Register makes p the plugin of this module. Call it once, from an init function.
func Register(p Plugin) { registered = p }

//go:wasmexport sallyport_abi
func exportABI() int32 { return abi.Version }

//go:wasmexport sallyport_buffers
func exportBuffers() uint32 {
	layout = [4]uint32{address(&inBuffer[0]), uint32(len(inBuffer)), address(&outBuffer[0]), uint32(len(outBuffer))}
	return uint32(uintptr(unsafe.Pointer(&layout)))
}

//go:wasmexport sallyport_describe
func exportDescribe() int32 {
	m := registered.Manifest()
	b := abi.AppendManifest(nil, &m)
	if len(b) > len(outBuffer) {
		panic("the manifest is larger than the buffer")
	}
	return int32(copy(outBuffer[:], b))
}

//go:wasmexport sallyport_configure
func exportConfigure(n int32) int32 {
	if err := registered.Configure(inBuffer[:n]); err != nil {
		return -1 - int32(copy(outBuffer[:], err.Error()))
	}
	// What a connection needs at once is allocated before the snapshot, so that clones share it until they write.
	run.conn.out = make([]byte, 0, 4<<10)
	run.conn.spare = make([]byte, 0, 4<<10)
	// Go lets a heap grow to 4 MiB before it collects, and what a guest has touched once stays resident for as long as its
	// connection. Collecting early costs a few microseconds for each action. What describing and configuring left over goes now.
	setGCPercent(gcPercent)
	runtime.GC()
	return 0
}

//go:wasmexport sallyport_open
func exportOpen(n int32) uint32 {
	run.open(registered, inBuffer[:n], callCompanion)
	return run.fetch(outBuffer[:])
}

//go:wasmexport sallyport_data
func exportData(side uint32, n int32, flags uint32) uint32 {
	run.data(abi.Side(side), inBuffer[:n], flags&abi.DataEnd != 0)
	return run.fetch(outBuffer[:])
}

//go:wasmexport sallyport_event
func exportEvent(n int32) uint32 {
	run.event(inBuffer[:n])
	return run.fetch(outBuffer[:])
}

//go:wasmimport sallyport call
func importCall(k uint32, in uint32, inLen uint32, out uint32, outCap uint32) int32

//go:wasmimport sallyport log
func importLog(p uint32, n uint32)

// Log writes a line to the gateway's log, bounded by the host. It is for an author's eyes; agents cause it, so operators must
// not rely on it.
func Log(text string) {
	if text != "" {
		importLog(uint32(uintptr(unsafe.Pointer(unsafe.StringData(text)))), uint32(len(text)))
	}
}

func callCompanion(k int, in, out []byte) (int, error) {
	n := importCall(uint32(k), slice(in), uint32(len(in)), slice(out), uint32(len(out)))
	if n >= 0 {
		return int(n), nil
	}
	text := -1 - int(n)
	if text == 0 {
		return 0, errors.New("the companion failed")
	}
	return 0, errors.New(string(out[:text]))
}

func address(p *byte) uint32 { return uint32(uintptr(unsafe.Pointer(p))) }

func slice(b []byte) uint32 {
	if len(b) == 0 {
		return 0
	}
	return address(unsafe.SliceData(b))
}
