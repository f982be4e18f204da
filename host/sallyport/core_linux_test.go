package main

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNoCore(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &before); err != nil {
		t.Fatal(err)
	}
	filter, err := os.ReadFile("/proc/self/coredump_filter")
	if err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile("/proc/self/coredump_filter", []byte("0x"+strings.TrimSpace(string(filter))), 0)
	if err := noCore(); err != nil {
		t.Fatal(err)
	}
	var after unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &after); err != nil || after.Cur != 0 || after.Max != 0 {
		t.Errorf("%+v, %v", after, err)
	}
	if text, err := os.ReadFile("/proc/self/coredump_filter"); err != nil || strings.Trim(string(text), "0\n") != "" {
		t.Errorf("%s, %v", text, err)
	}
}
