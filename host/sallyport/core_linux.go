package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// noCore keeps the process's memory out of core files, also of those that go to a program (core_pattern with |), which the limit does
// not stop. The process stays readable for itself, which PR_SET_DUMPABLE would end: guests are put to rest by /proc/self/pagemap.
func noCore() error {
	limit := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	filter := os.WriteFile("/proc/self/coredump_filter", []byte("0"), 0)
	if err := errors.Join(limit, filter); err != nil {
		return fmt.Errorf("core files cannot be turned off: %w", err)
	}
	return nil
}
