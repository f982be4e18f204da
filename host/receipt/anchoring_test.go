package receipt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// shelf is an anchor that tests control.
type shelf struct {
	mu    sync.Mutex
	lines []string
	err   error
	asked int
}

func (s *shelf) Name() string { return "shelf" }

func (s *shelf) Keep(_ context.Context, l Signed) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.err == nil {
		s.lines = append(s.lines, l.Line)
	}
	return s.err
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *shelf) kept() ([]string, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.lines), s.asked
}

// anchoredLog writes a closed log with n checkpoints and what its anchor has.
func anchoredLog(t testing.TB, n int) (path string, lines [][]byte, anchor string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "receipts.jsonl")
	s := &shelf{}
	l, err := Open(path, Options{KeyFile: path + ".key", CheckpointEvery: never, Anchors: []Anchor{s}})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		appendTo(t, l, decision("x"))
		l.checkpoint()
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	kept, _ := s.kept()
	if len(kept) != n {
		t.Fatalf("%d checkpoints are anchored, want %d", len(kept), n)
	}
	return path, bytes.SplitAfter(content(t, path), []byte("\n")), strings.Join(kept, "\n") + "\n"
}

// TestAnchor finds what a chain cannot show.
func TestAnchor(t *testing.T) {
	path, lines, anchor := anchoredLog(t, 4)
	keys := keysOf(t, path)
	_, _, other := anchoredLog(t, 2)
	otherPath, _, _ := anchoredLog(t, 4)
	first, _, _ := strings.Cut(anchor, "\n")
	join := func(l [][]byte) []byte { return bytes.Join(l, nil) }
	for _, c := range []struct {
		name    string
		content []byte
		keys    []PublicKey
		anchor  string
		want    string // empty: it verifies
	}{
		{"untouched", join(lines), keys, anchor, ""},
		{"untouched, the anchor has the first only", join(lines), keys, first, ""},
		{"cut behind what is anchored", join(lines[:3]), keys, first, ""},
		{"the last line cut off", join(lines[:8]), keys, anchor, "at least 1 records were cut off"},
		{"many lines cut off", join(lines[:3]), keys, anchor, "at least 6 records were cut off"},
		{"cut to before what is anchored first", join(lines[:1]), keys, first, "at least 2 records were cut off"},
		{"in any order", join(lines), keys, reversed(anchor), ""},
		{"another log in its place", content(t, otherPath), keysOf(t, otherPath), anchor, "none of those that are known"},
		{"another log in its place, without keys", content(t, otherPath), nil, anchor, "another log was put in its place"},
		{"others are anchored as well", join(lines), nil, other + anchor, ""},
		{"computed anew without a key", append(bytes.Join(rechain(t, trimmed(changedLine(lines))), []byte("\n")), '\n'), nil, anchor, "was written anew"},
		{"an anchor that is none", join(lines), nil, "rubbish\n", "line 1"},
		{"an anchor with another record", join(lines), nil, string(lines[1]), "not a checkpoint"},
		{"an anchor that was changed", join(lines), nil, strings.Replace(anchor, `"seq":2`, `"seq":4`, 1), "was changed"},
		{"an empty anchor", join(lines), nil, "\n", "no checkpoint"},
	} {
		file := filepath.Join(t.TempDir(), "receipts.jsonl")
		write(t, file, c.content)
		r, err := VerifyWith(file, VerifyOptions{Keys: c.keys, Anchor: strings.NewReader(c.anchor)})
		switch {
		case c.want == "" && (err != nil || r.Anchored == 0):
			t.Errorf("%s: %+v %v", c.name, r, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %+v %v, want %s", c.name, r, err, c.want)
		}
	}
}

func reversed(lines string) string {
	l := strings.Split(strings.TrimSpace(lines), "\n")
	slices.Reverse(l)
	return strings.Join(l, "\n")
}

func changedLine(lines [][]byte) [][]byte {
	out := slices.Clone(lines)
	out[1] = bytes.Replace(lines[1], []byte("claude"), []byte("clause"), 1)
	return out
}

func trimmed(lines [][]byte) [][]byte {
	var out [][]byte
	for _, l := range lines {
		if len(l) > 0 {
			out = append(out, bytes.TrimSuffix(l, []byte("\n")))
		}
	}
	return out
}

// TestAnchorFails: traffic goes on, a record says so, and the newest checkpoint arrives when the anchor is back.
func TestAnchorFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	s := &shelf{err: errors.New("no route")}
	l := open(t, path, Options{KeyFile: path + ".key", CheckpointEvery: 5 * time.Millisecond, Anchors: []Anchor{s}})
	appendTo(t, l, decision("x"))
	about := func(how string) func() bool {
		return func() bool {
			return slices.ContainsFunc(entries(t, path), func(e *Entry) bool {
				return e.Kind == Anchored && e.Target == "shelf" && strings.Contains(e.Reason, how)
			})
		}
	}
	eventually(t, "the failure is on record", about("no route"))
	id := appendTo(t, l, decision("x"))
	if kept, asked := s.kept(); len(kept) != 0 || asked == 0 {
		t.Errorf("%d kept, asked %d times", len(kept), asked)
	}
	s.fail(nil)
	eventually(t, "that it works is on record", about("works again"))
	eventually(t, "a checkpoint behind the last decision is kept", func() bool {
		kept, _ := s.kept()
		e, err := parseEntry([]byte(kept[len(kept)-1]))
		_, n, _ := strings.Cut(id, "-")
		return err == nil && fmt.Sprint(e.Seq) > n
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	kept, _ := s.kept()
	if r, err := VerifyWith(path, VerifyOptions{Anchor: strings.NewReader(strings.Join(kept, "\n"))}); err != nil || r.Unsigned != 0 || r.AnchoredTo != r.Records {
		t.Errorf("%+v %v", r, err)
	}
}

// TestAnchorAfterACrash: what is signed when the log is opened is anchored too.
func TestAnchorAfterACrash(t *testing.T) {
	path, lines := signed(t, 3)
	write(t, path, append(bytes.Join(lines[:6], []byte("\n")), '\n'))
	s := &shelf{}
	l := open(t, path, Options{KeyFile: path + ".key", CheckpointEvery: never, SyncEvery: time.Millisecond, Anchors: []Anchor{s}})
	eventually(t, "it is kept", func() bool {
		kept, _ := s.kept()
		return len(kept) == 1
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	kept, _ := s.kept()
	if r, err := VerifyWith(path, VerifyOptions{Anchor: strings.NewReader(kept[0])}); err != nil || r.Anchored != 1 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestAnchorThatHangs does not keep the log from closing.
func TestAnchorThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{KeyFile: path + ".key", Anchors: []Anchor{hanging{}}, lastChance: time.Millisecond})
	appendTo(t, l, decision("x"))
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

type hanging struct{}

func (hanging) Name() string { return "hanging" }
func (hanging) Keep(ctx context.Context, _ Signed) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestWaitingIsBounded: the newest checkpoints are those that are kept.
func TestWaitingIsBounded(t *testing.T) {
	a := &anchoring{more: make(chan struct{}, 1)}
	for i := range 3 * maxWaiting {
		a.add(Signed{Seq: uint64(i)})
	}
	if len(a.waiting) != maxWaiting || a.waiting[maxWaiting-1].Seq != 3*maxWaiting-1 {
		t.Errorf("%d wait, the last is %d", len(a.waiting), a.waiting[len(a.waiting)-1].Seq)
	}
}
