package guest

import (
	"encoding/binary"
	"strconv"
)

// wasiModule is the module name of WASI, preview 1. Toolchains' start-up code and libraries import it; what is behind it here is
// a world with no arguments, no environment, no files, a clock that stands still and random numbers that are always the same.
const wasiModule = "wasi_snapshot_preview1"

// Error numbers of WASI.
const (
	errnoSuccess = 0
	errnoBadf    = 8
	errnoFault   = 21
	errnoNosys   = 52
)

// fixedTime is what every clock shows, in nanoseconds: 2000-01-01. It must be the same in every clone: Go's runtime aborts when its
// clock goes backwards.
const fixedTime = 946684800_000_000_000

const maxIOVecs = 1024

// wasiFunctions is all of preview 1, by the names and signatures of its specification.
func wasiFunctions() []hostFunc {
	fs := []hostFunc{
		{"args_get", signature("ii:i"), succeed},
		{"args_sizes_get", signature("ii:i"), twoZeros},
		{"environ_get", signature("ii:i"), succeed},
		{"environ_sizes_get", signature("ii:i"), twoZeros},
		{"clock_res_get", signature("ii:i"), func(i *instance, s []uint64) { i.put64(s, 1, 1) }},
		{"clock_time_get", signature("iIi:i"), func(i *instance, s []uint64) { i.put64(s, 2, fixedTime) }},
		{"fd_fdstat_get", signature("ii:i"), fdstat},
		{"fd_write", signature("iiii:i"), fdWrite},
		{"poll_oneoff", signature("iiii:i"), pollOneoff},
		{"proc_exit", signature("i:"), procExit},
		{"proc_raise", signature("i:i"), procExit},
		{"random_get", signature("ii:i"), randomGet},
		{"sched_yield", signature(":i"), func(i *instance, s []uint64) { i.charge(0); s[0] = errnoSuccess }},
	}
	for _, f := range []struct{ name, sig string }{
		{"fd_advise", "iIIi:i"}, {"fd_allocate", "iII:i"}, {"fd_close", "i:i"}, {"fd_datasync", "i:i"},
		{"fd_fdstat_set_flags", "ii:i"}, {"fd_fdstat_set_rights", "iII:i"}, {"fd_filestat_get", "ii:i"},
		{"fd_filestat_set_size", "iI:i"}, {"fd_filestat_set_times", "iIIi:i"}, {"fd_pread", "iiiIi:i"},
		{"fd_prestat_get", "ii:i"}, {"fd_prestat_dir_name", "iii:i"}, {"fd_pwrite", "iiiIi:i"}, {"fd_read", "iiii:i"},
		{"fd_readdir", "iiiIi:i"}, {"fd_renumber", "ii:i"}, {"fd_seek", "iIii:i"}, {"fd_sync", "i:i"}, {"fd_tell", "ii:i"},
		{"path_create_directory", "iii:i"}, {"path_filestat_get", "iiiii:i"}, {"path_filestat_set_times", "iiiiIIi:i"},
		{"path_link", "iiiiiii:i"}, {"path_open", "iiiiiIIii:i"}, {"path_readlink", "iiiiii:i"},
		{"path_remove_directory", "iii:i"}, {"path_rename", "iiiiii:i"}, {"path_symlink", "iiiii:i"},
		{"path_unlink_file", "iii:i"}, {"sock_accept", "iii:i"}, {"sock_recv", "iiiiii:i"}, {"sock_send", "iiiii:i"},
		{"sock_shutdown", "ii:i"},
	} {
		fs = append(fs, hostFunc{f.name, signature(f.sig), badf})
	}
	return fs
}

func succeed(_ *instance, s []uint64) { s[0] = errnoSuccess }

// badf answers that there is no such descriptor, which is true for all of them.
func badf(i *instance, s []uint64) {
	i.charge(0)
	s[0] = errnoBadf
}

// put64 stores v where the parameter at position k points to, and answers success.
func (i *instance) put64(s []uint64, k int, v uint64) {
	i.charge(8)
	binary.LittleEndian.PutUint64(i.mem(s[k], 8), v)
	s[0] = errnoSuccess
}

func twoZeros(i *instance, s []uint64) {
	binary.LittleEndian.PutUint32(i.mem(s[0], 4), 0)
	binary.LittleEndian.PutUint32(i.mem(s[1], 4), 0)
	s[0] = errnoSuccess
}

// fdstat knows the standard streams as terminals without rights.
func fdstat(i *instance, s []uint64) {
	if uint32(s[0]) > 2 {
		badf(i, s)
		return
	}
	b := i.mem(s[1], 24)
	clear(b)
	b[0] = 2 // a character device
	s[0] = errnoSuccess
}

// fdWrite sends what is written to the standard streams to the log.
func fdWrite(i *instance, s []uint64) {
	fd, iovs, n, written := uint32(s[0]), s[1], s[2], s[3]
	if fd != 1 && fd != 2 {
		badf(i, s)
		return
	}
	if uint32(n) > maxIOVecs {
		s[0] = errnoFault
		return
	}
	total := uint32(0)
	for k := range uint64(uint32(n)) {
		iov := i.mem(uint64(uint32(iovs))+8*k, 8)
		b := i.mem(uint64(binary.LittleEndian.Uint32(iov)), uint64(binary.LittleEndian.Uint32(iov[4:])))
		i.charge(uint32(len(b)))
		i.log(b)
		total += uint32(len(b))
	}
	binary.LittleEndian.PutUint32(i.mem(written, 4), total)
	s[0] = errnoSuccess
}

// pollOneoff says at once that everything that is waited for has happened.
func pollOneoff(i *instance, s []uint64) {
	const subscription, event = 48, 32
	in, out, n, count := uint64(uint32(s[0])), uint64(uint32(s[1])), uint64(uint32(s[2])), s[3]
	if n > maxIOVecs {
		s[0] = errnoFault
		return
	}
	i.charge(uint32(n * event))
	for k := range n {
		sub, ev := i.mem(in+k*subscription, subscription), i.mem(out+k*event, event)
		user, kind := binary.LittleEndian.Uint64(sub), sub[8]
		clear(ev)
		binary.LittleEndian.PutUint64(ev, user)
		ev[10] = kind
	}
	binary.LittleEndian.PutUint32(i.mem(count, 4), uint32(n))
	s[0] = errnoSuccess
}

func procExit(i *instance, s []uint64) { i.stop(ErrExit, exitReason(uint32(s[0]))) }

// randomGet fills with a sequence that is the same for every guest (SplitMix64): nothing in a guest may depend on chance.
func randomGet(i *instance, s []uint64) {
	b := i.mem(s[0], s[1])
	i.charge(uint32(s[1]))
	var w [8]byte
	for len(b) > 0 {
		i.rand += 0x9e3779b97f4a7c15
		z := i.rand
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(w[:], z^z>>31)
		b = b[copy(b, w[:]):]
	}
	s[0] = errnoSuccess
}

func exitReason(code uint32) string { return "with code " + strconv.FormatUint(uint64(code), 10) }
