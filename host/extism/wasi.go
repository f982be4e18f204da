package extism

import (
	"context"
	"encoding/binary"
	"fmt"

	sdk "github.com/extism/go-sdk"

	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// Error numbers of WASI.
const (
	errnoBadf  = 8
	errnoFault = 21
	errnoNosys = 52
)

// fixedTime is what every clock shows, in nanoseconds: 2000-01-01, as in the native lane.
const fixedTime = 946684800_000_000_000

// wasiFunc is one function of WASI preview 1. Its errno is the result, where it has one.
type wasiFunc struct {
	name string
	sig  rewrite.FuncType
	f    func(i *instance, s []uint64) uint64
}

// wasiFunctions is all of preview 1: a world with no arguments, environment or files, in which the clock stands still and
// randomness is always the same.
var wasiFunctions = []wasiFunc{
	{"args_get", signature("ii:i"), succeed}, {"args_sizes_get", signature("ii:i"), twoZeros},
	{"environ_get", signature("ii:i"), succeed}, {"environ_sizes_get", signature("ii:i"), twoZeros},
	{"clock_res_get", signature("ii:i"), func(i *instance, s []uint64) uint64 { return i.put64(s[1], 1) }},
	{"clock_time_get", signature("iIi:i"), func(i *instance, s []uint64) uint64 { return i.put64(s[2], fixedTime) }},
	{"fd_fdstat_get", signature("ii:i"), fdstat}, {"fd_write", signature("iiii:i"), fdWrite},
	{"proc_exit", signature("i:"), exit}, {"proc_raise", signature("i:i"), exit},
	{"random_get", signature("ii:i"), randomGet}, {"sched_yield", signature(":i"), succeed},
	{"poll_oneoff", signature("iiii:i"), nosys},
	{"fd_advise", signature("iIIi:i"), badf}, {"fd_allocate", signature("iII:i"), badf}, {"fd_close", signature("i:i"), badf},
	{"fd_datasync", signature("i:i"), badf}, {"fd_fdstat_set_flags", signature("ii:i"), badf}, {"fd_fdstat_set_rights", signature("iII:i"), badf},
	{"fd_filestat_get", signature("ii:i"), badf}, {"fd_filestat_set_size", signature("iI:i"), badf},
	{"fd_filestat_set_times", signature("iIIi:i"), badf}, {"fd_pread", signature("iiiIi:i"), badf},
	{"fd_prestat_get", signature("ii:i"), badf}, {"fd_prestat_dir_name", signature("iii:i"), badf}, {"fd_pwrite", signature("iiiIi:i"), badf},
	{"fd_read", signature("iiii:i"), badf}, {"fd_readdir", signature("iiiIi:i"), badf}, {"fd_renumber", signature("ii:i"), badf},
	{"fd_seek", signature("iIii:i"), badf}, {"fd_sync", signature("i:i"), badf}, {"fd_tell", signature("ii:i"), badf},
	{"path_create_directory", signature("iii:i"), badf}, {"path_filestat_get", signature("iiiii:i"), badf},
	{"path_filestat_set_times", signature("iiiiIIi:i"), badf}, {"path_link", signature("iiiiiii:i"), badf},
	{"path_open", signature("iiiiiIIii:i"), badf}, {"path_readlink", signature("iiiiii:i"), badf},
	{"path_remove_directory", signature("iii:i"), badf}, {"path_rename", signature("iiiiii:i"), badf},
	{"path_symlink", signature("iiiii:i"), badf}, {"path_unlink_file", signature("iii:i"), badf},
	{"sock_accept", signature("iii:i"), badf}, {"sock_recv", signature("iiiiii:i"), badf}, {"sock_send", signature("iiiii:i"), badf},
	{"sock_shutdown", signature("ii:i"), badf},
}

// signature parses "iiI:i": parameters, then results; i is i32, I is i64.
func signature(s string) (t rewrite.FuncType) {
	to := &t.Params
	for _, c := range s {
		switch c {
		case 'i':
			*to = append(*to, rewrite.I32)
		case 'I':
			*to = append(*to, rewrite.I64)
		case ':':
			to = &t.Results
		}
	}
	return t
}

func findWASI(name string) (wasiFunc, bool) {
	for _, f := range wasiFunctions {
		if f.name == name {
			return f, true
		}
	}
	return wasiFunc{}, false
}

// hostFunctions is what Extism is given besides its own: WASI, and the meter.
func hostFunctions() []sdk.HostFunction {
	add := func(module, name string, t rewrite.FuncType, f func(i *instance, s []uint64)) sdk.HostFunction {
		h := sdk.NewHostFunctionWithStack(name, func(ctx context.Context, _ *sdk.CurrentPlugin, s []uint64) {
			f(instanceOf(ctx), s)
		}, t.Params, t.Results)
		h.SetNamespace(module)
		return h
	}
	fs := []sdk.HostFunction{add(rewrite.RefillModule, rewrite.RefillName, signature("i:"), (*instance).refill)}
	for _, w := range wasiFunctions {
		fs = append(fs, add(wasiModule, w.name, w.sig, func(i *instance, s []uint64) {
			i.charge(20)
			if errno := w.f(i, s); len(s) > 0 {
				s[0] = errno
			}
		}))
	}
	return fs
}

func succeed(*instance, []uint64) uint64 { return 0 }
func badf(*instance, []uint64) uint64    { return errnoBadf }
func nosys(*instance, []uint64) uint64   { return errnoNosys }

// mem is n bytes of the guest's memory, or ends the call.
func (i *instance) mem(addr, n uint64) []byte {
	b, ok := i.main.view(addr, n)
	if !ok {
		i.stop(guest.ErrBadOutput, fmt.Sprintf("a host function got address %#x and length %d, outside of the memory", uint32(addr), uint32(n)))
	}
	return b
}

func (i *instance) put64(addr, v uint64) uint64 {
	binary.LittleEndian.PutUint64(i.mem(addr, 8), v)
	return 0
}

func twoZeros(i *instance, s []uint64) uint64 {
	clear(i.mem(s[0], 4))
	clear(i.mem(s[1], 4))
	return 0
}

// fdstat knows the standard streams as terminals without rights.
func fdstat(i *instance, s []uint64) uint64 {
	if uint32(s[0]) > 2 {
		return errnoBadf
	}
	b := i.mem(s[1], 24)
	clear(b)
	b[0] = 2 // a character device
	return 0
}

// fdWrite sends what is written to the standard streams to the log.
func fdWrite(i *instance, s []uint64) uint64 {
	const maxIOVecs = 1024
	fd, iovs, n := uint32(s[0]), uint64(uint32(s[1])), uint64(uint32(s[2]))
	if fd != 1 && fd != 2 {
		return errnoBadf
	}
	if n > maxIOVecs {
		return errnoFault
	}
	total := uint32(0)
	for k := range n {
		iov := i.mem(iovs+8*k, 8)
		b := i.mem(uint64(binary.LittleEndian.Uint32(iov)), uint64(binary.LittleEndian.Uint32(iov[4:])))
		i.charge(20 + int64(len(b))/16)
		i.log(b)
		total += uint32(len(b))
	}
	binary.LittleEndian.PutUint32(i.mem(s[3], 4), total)
	return 0
}

func exit(i *instance, s []uint64) uint64 {
	i.stop(guest.ErrExit, fmt.Sprintf("with code %d", uint32(s[0])))
	return 0
}

// randomGet fills with a sequence that is the same for every guest (SplitMix64).
func randomGet(i *instance, s []uint64) uint64 {
	b := i.mem(s[0], s[1])
	i.charge(int64(len(b)) / 8)
	var w [8]byte
	for len(b) > 0 {
		i.rand += 0x9e3779b97f4a7c15
		z := i.rand
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(w[:], z^z>>31)
		b = b[copy(b, w[:]):]
	}
	return 0
}
