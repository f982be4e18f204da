package secret

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// held is a value outside of the heap: the collector neither copies nor moves it, it is locked into memory where the process may do that
// (RLIMIT_MEMLOCK), left out of core files, and wiped when the last Secret that has it is gone.
type held struct{ value []byte }

func hold(value []byte) *held {
	page := os.Getpagesize()
	size := (len(value) + page - 1) / page * page
	area, err := unix.Mmap(-1, 0, max(size, page), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return &held{append([]byte(nil), value...)}
	}
	_ = unix.Mlock(area) // without it the value may be written to swap space
	_ = unix.Madvise(area, unix.MADV_DONTDUMP)
	h := &held{area[:copy(area, value)]}
	runtime.AddCleanup(h, func(area []byte) {
		clear(area)
		_ = unix.Munmap(area)
	}, area)
	return h
}
