package receipt

import (
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

func note(conn string) *Record { return &Record{Kind: Note, Conn: conn, Pairs: []string{"rows", "3"}} }

// never is longer than any test.
const never = 24 * time.Hour

// TestLater: what Later appends comes before what is appended after it, is in the file with that, and is not lost by Close.
func TestLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{LaterEvery: never})
	if err := l.Later(note("a")); err != nil {
		t.Fatal(err)
	}
	if n := len(entries(t, path)); n != 1 {
		t.Errorf("%d records are in the file before an Append, want the first alone", n)
	}
	appendTo(t, l, decision("select 1"))
	if got := kinds(entries(t, path)); !slices.Equal(got, []Kind{Genesis, Note, Decision}) {
		t.Errorf("after an Append: %v", got)
	}
	if err := l.Later(note("b")); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := kinds(entries(t, path)); !slices.Equal(got, []Kind{Genesis, Note, Decision, Note}) {
		t.Errorf("after Close: %v", got)
	}
	if _, err := Verify(path); err != nil {
		t.Error(err)
	}
	if err := l.Later(note("c")); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	for _, k := range []Kind{Genesis, Torn, ""} {
		if err := l.Later(&Record{Kind: k}); err == nil || errors.Is(err, ErrClosed) {
			t.Errorf("kind %q: %v", k, err)
		}
	}
}

// TestLaterByItself: what Later appends reaches the file without anybody's help.
func TestLaterByItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{LaterEvery: time.Millisecond})
	for n := 2; n < 5; n++ {
		if err := l.Later(note("a")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the note is in the file", func() bool { return len(entries(t, path)) == n })
	}
}

// TestLaterIsBounded: what waits does not grow without end.
func TestLaterIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{LaterEvery: never})
	line := 0
	for range 4 * MaxLine / 128 {
		if err := l.Later(note("a")); err != nil {
			t.Fatal(err)
		}
		l.mu.Lock()
		if line = len(l.pending); line > 2*MaxLine {
			t.Fatalf("%d bytes wait", line)
		}
		l.mu.Unlock()
	}
	if len(entries(t, path)) == 1 {
		t.Error("nothing was written")
	}
}

// TestLaterOnAFullDisk: what cannot be written is given up, and neither the chain nor what comes when there is room again suffers.
func TestLaterOnAFullDisk(t *testing.T) {
	l, d, path := onDisk(t, Options{LaterEvery: time.Millisecond})
	d.full.Store(true)
	if err := l.Later(note("lost")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is given up", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.pending) == 0 && !l.writing
	})
	if _, err := l.Append(decision("select 1")); err == nil {
		t.Error("an Append on a full disk succeeds")
	}
	d.full.Store(false)
	appendTo(t, l, decision("select 2"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := kinds(entries(t, path)); !slices.Equal(got, []Kind{Genesis, Decision}) {
		t.Errorf("%v", got)
	}
	if _, err := Verify(path); err != nil {
		t.Error(err)
	}
}

// TestLaterBesideAppends: together they make one chain.
func TestLaterBesideAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{LaterEvery: time.Microsecond})
	var group sync.WaitGroup
	const each = 200
	for range 4 {
		group.Go(func() {
			for range each {
				if _, err := l.Append(decision("select 1")); err != nil {
					t.Error(err)
				}
				if err := l.Later(note("a")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(entries(t, path)); n != 1+8*each {
		t.Errorf("%d records, want %d", n, 1+8*each)
	}
	if _, err := Verify(path); err != nil {
		t.Error(err)
	}
}
