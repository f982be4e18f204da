package receipt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// disk is a file with a disk that can be full or broken.
type disk struct {
	*os.File
	full, noSync, noTruncate atomic.Bool
}

func (d *disk) Write(b []byte) (int, error) {
	if !d.full.Load() {
		return d.File.Write(b)
	}
	n, err := d.File.Write(b[:len(b)/2])
	return n, errors.Join(err, syscall.ENOSPC)
}

func (d *disk) Sync() error {
	if d.noSync.Load() {
		return syscall.EIO
	}
	return nil
}

func (d *disk) Truncate(n int64) error {
	if d.noTruncate.Load() {
		return syscall.EIO
	}
	return d.File.Truncate(n)
}

// onDisk is a log on a disk that the test controls.
func onDisk(t *testing.T, o Options) (*Log, *disk, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r")
	d := &disk{}
	o.wrap = func(f *os.File) file {
		d.File = f
		return d
	}
	return open(t, path, o), d, path
}

func TestFullDisk(t *testing.T) {
	l, d, path := onDisk(t, Options{Durability: Synced})
	appendTo(t, l, decision("before"))
	d.full.Store(true)
	for range 3 {
		if id, err := l.Append(decision("lost")); !errors.Is(err, syscall.ENOSPC) || id != "" || !strings.Contains(err.Error(), path) {
			t.Fatalf("a full disk: %q %v", id, err)
		}
	}
	if r, err := Verify(path); err != nil || r.Records != 2 {
		t.Errorf("half a line was left: %+v %v", r, err)
	}
	// There is room again: it goes on, with the chain whole.
	d.full.Store(false)
	id := appendTo(t, l, decision("after"))
	r, err := Verify(path)
	if err != nil || r.Records != 3 || !strings.HasSuffix(id, "-2") {
		t.Errorf("%s %+v %v", id, r, err)
	}
}

// TestFullDiskForMany: whoever got an id finds it in the file, whoever got an error does not.
func TestFullDiskForMany(t *testing.T) {
	l, d, path := onDisk(t, Options{})
	var mu sync.Mutex
	good := map[string]bool{}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 100 {
				if i == 0 {
					d.full.Store(n%2 == 0)
				}
				if id, err := l.Append(decision("x")); err == nil {
					mu.Lock()
					if good[id] {
						t.Errorf("%s was given twice", id)
					}
					good[id] = true
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	d.full.Store(false)
	good[appendTo(t, l, decision("last"))] = true
	r, err := Verify(path)
	if err != nil || r.Records != uint64(len(good))+1 {
		t.Errorf("%d were good, %+v %v", len(good), r, err)
	}
	for _, e := range entries(t, path)[1:] {
		if !good[e.ID] {
			t.Errorf("%s is in the file, its append failed", e.ID)
		}
	}
}

// TestBrokenDisk: after a failed sync, or a half line that cannot be removed, nothing is known, and nothing goes on.
func TestBrokenDisk(t *testing.T) {
	for name, harm := range map[string]func(*disk){
		"sync":     func(d *disk) { d.noSync.Store(true) },
		"truncate": func(d *disk) { d.full.Store(true); d.noTruncate.Store(true) },
	} {
		l, d, _ := onDisk(t, Options{Durability: Synced})
		appendTo(t, l, decision("before"))
		harm(d)
		if _, err := l.Append(decision("x")); err == nil {
			t.Errorf("%s: no error", name)
		}
		d.noSync.Store(false)
		d.full.Store(false)
		d.noTruncate.Store(false)
		if _, err := l.Append(decision("x")); err == nil {
			t.Errorf("%s: it went on", name)
		}
	}
}

// TestBrokenSyncInTheBackground is the same for Written: the appends that come later fail.
func TestBrokenSyncInTheBackground(t *testing.T) {
	l, d, _ := onDisk(t, Options{SyncEvery: 1})
	d.noSync.Store(true)
	eventually(t, "an append fails after the failed sync", func() bool {
		_, err := l.Append(decision("x"))
		return errors.Is(err, syscall.EIO)
	})
	d.noSync.Store(false)
}
