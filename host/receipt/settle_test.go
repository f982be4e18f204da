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

// counted is a file that counts writes.
type counted struct {
	*os.File
	writes atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.File.Write(b)
}

// added adds a decision behind those up to m.
func added(t *testing.T, l *Log, title string, m Mark) Mark {
	t.Helper()
	_, at, err := l.Add(decision(title))
	if err != nil {
		t.Fatal(err)
	}
	return m.And(at)
}

// TestSettle: what was added is in the file when Settle returns, all with one write, and an Append takes along what was added before.
func TestSettle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	c := &counted{}
	l := open(t, path, Options{LaterEvery: never, wrap: func(f *os.File) file { c.File = f; return c }})
	before := c.writes.Load()
	var m Mark
	for range 10 {
		m = added(t, l, "x", m)
	}
	if n := len(entries(t, path)); n != 1 {
		t.Errorf("%d records are in the file before they are settled", n)
	}
	if err := l.Settle(m); err != nil {
		t.Fatal(err)
	}
	if n, w := len(entries(t, path)), c.writes.Load()-before; n != 11 || w != 1 {
		t.Errorf("%d records with %d writes", n, w)
	}
	if err := l.Settle(m); err != nil || c.writes.Load()-before != 1 {
		t.Errorf("settled again: %v", err)
	}
	m = added(t, l, "with the next Append", Mark{})
	appendTo(t, l, decision("y"))
	if n := len(entries(t, path)); n != 13 {
		t.Errorf("%d records after an Append", n)
	}
	if err := errors.Join(l.Settle(m), l.Settle(Mark{})); err != nil {
		t.Error(err)
	}
	if _, _, err := l.Add(&Record{Kind: Genesis}); err == nil {
		t.Error("a record of the log's own kind was added")
	}
	m = added(t, l, "with Close", Mark{})
	if err := errors.Join(l.Close(), l.Settle(m)); err != nil {
		t.Error(err)
	}
	if r, err := Verify(path); err != nil || r.Records != uint64(len(entries(t, path))) {
		t.Error(r, err)
	}
}

// TestSettleByItself: what nobody settles reaches the file all the same.
func TestSettleByItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	l := open(t, path, Options{LaterEvery: 1})
	added(t, l, "x", Mark{})
	eventually(t, "the record is in the file", func() bool { return len(entries(t, path)) == 2 })
}

// TestSettleFullDisk: what was lost stays lost, whatever is added after it, and while the disk is full Add says so at once.
func TestSettleFullDisk(t *testing.T) {
	l, d, path := onDisk(t, Options{LaterEvery: never})
	lost, kept := added(t, l, "lost", Mark{}), Mark{}
	d.full.Store(true)
	if err := l.Settle(lost); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a full disk: %v", err)
	}
	for range 2 {
		if id, at, err := l.Add(decision("denied")); !errors.Is(err, syscall.ENOSPC) || id != "" || at != (Mark{}) {
			t.Errorf("added to a full disk: %q %v %v", id, at, err)
		}
	}
	d.full.Store(false)
	kept = added(t, l, "kept", kept)
	if err := l.Settle(kept); err != nil {
		t.Error(err)
	}
	for _, m := range []Mark{lost, lost.And(kept)} {
		if err := l.Settle(m); !errors.Is(err, ErrLost) {
			t.Errorf("what was lost is settled: %v", err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), `"lost"`) || !strings.Contains(string(text), `"kept"`) {
		t.Errorf("%s %v", text, err)
	}
	if r, err := Verify(path); err != nil || r.Records != 2 {
		t.Error(r, err)
	}
}

// TestSettleForMany: whoever settled a record finds it in the file, while the disk is full by turns and others append.
func TestSettleForMany(t *testing.T) {
	l, d, path := onDisk(t, Options{LaterEvery: 1})
	var mu sync.Mutex
	good := map[string]bool{}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 200 {
				if i == 0 {
					d.full.Store(n%2 == 0)
				}
				var ids []string
				var m Mark
				for range n%3 + 1 {
					id, at, err := l.Add(decision("x"))
					if err == nil {
						ids, m = append(ids, id), m.And(at)
					}
				}
				if i == 1 {
					_, _ = l.Append(decision("y"))
				}
				if l.Settle(m) != nil {
					continue
				}
				mu.Lock()
				for _, id := range ids {
					if good[id] {
						t.Errorf("%s was given twice", id)
					}
					good[id] = true
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	d.full.Store(false)
	appendTo(t, l, decision("last"))
	if _, err := Verify(path); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries(t, path) {
		delete(good, e.ID)
	}
	if len(good) > 0 {
		t.Errorf("%d records were settled and are not in the file: %v", len(good), good)
	}
}
