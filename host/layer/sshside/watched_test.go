package sshside

import (
	"errors"
	"io"
	"net"
	"testing"
)

// TestWatched: behind the end of what comes nothing is written, and the end is told.
func TestWatched(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	told := 0
	w := newWatched(near, func() { told++ })
	go func() {
		_, _ = io.ReadFull(far, make([]byte, 5))
		_ = far.Close()
	}()
	if _, err := w.Write([]byte("while")); err != nil || told != 0 {
		t.Errorf("before: %v, told %d times", err, told)
	}
	if _, err := w.Read(make([]byte, 1)); err == nil || told != 1 {
		t.Errorf("the end: %v, told %d times", err, told)
	}
	if _, err := w.Write([]byte("behind")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("behind it: %v", err)
	}
}
