package receipt

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// rotating is a log that begins a new file every few records.
func rotating(t *testing.T, o Options) (*Log, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	o.KeyFile, o.RotateSize = filepath.Join(filepath.Dir(path), "receipts.key"), 4<<10
	return open(t, path, o), path
}

func files(t *testing.T, path string) []string {
	t.Helper()
	all, err := Files(path)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// all reads every file of a log, without errors.
func all(t *testing.T, path string, o ReadOptions) []*Entry {
	t.Helper()
	o.Older = true
	var es []*Entry
	for e, err := range Read(path, o) {
		if err != nil {
			t.Fatal(err)
		}
		es = append(es, e)
	}
	return es
}

// rotated writes a closed log of at least three files.
func rotated(t *testing.T) string {
	t.Helper()
	l, path := rotating(t, Options{})
	eventually(t, "there are three files", func() bool {
		appendTo(t, l, decision("x"))
		return len(files(t, path)) >= 3
	})
	for range 3 {
		appendTo(t, l, decision("last"))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRotation appends from many sides while files are begun: every id is there once, in one chain.
func TestRotation(t *testing.T) {
	for _, d := range []Durability{Written, Synced} {
		l, path := rotating(t, Options{Durability: d})
		const writers = 4
		ids := make([][]string, writers)
		var group sync.WaitGroup
		for i := range writers {
			group.Go(func() {
				for n := 0; n < 200 || len(files(t, path)) < 4; n++ {
					id, err := l.Append(decision("x"))
					if err != nil {
						t.Error(err)
						return
					}
					ids[i] = append(ids[i], id)
					if err := l.Later(note("c1")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := Verify(path)
		if err != nil || r.Files < 4 || r.Checkpoints < r.Files || r.Unsigned != 0 || r.Unchecked {
			t.Fatalf("%+v %v", r, err)
		}
		found := map[string]int{}
		notes := 0
		for _, e := range all(t, path, ReadOptions{}) {
			if found[e.ID]++; e.Kind == Note {
				notes++
			}
		}
		given := slices.Concat(ids...)
		for _, id := range given {
			if found[id] != 1 {
				t.Fatalf("%s is there %d times", id, found[id])
			}
		}
		if notes != len(given) {
			t.Errorf("%d notes, want %d", notes, len(given))
		}
		if names := files(t, path); !slices.IsSorted(names[:len(names)-1]) {
			t.Errorf("the names do not sort: %v", names)
		}
		for i, name := range files(t, path) {
			r, err := VerifyWith(name, VerifyOptions{Single: true})
			if err != nil || (r.First == 0) != (i == 0) {
				t.Errorf("%s alone: %+v %v", name, r, err)
			}
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v %v", info, err)
			}
		}
		if _, err := os.Stat(path + nextSuffix); err == nil {
			t.Error("the next file was left")
		}
	}
}

func TestRotationByAge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{RotateAge: time.Nanosecond, CheckpointEvery: time.Millisecond})
	eventually(t, "there is an older file", func() bool {
		appendTo(t, l, decision("x"))
		return len(files(t, path)) > 1
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(path); err != nil {
		t.Error(err)
	}
}

// TestAnIdleLogIsNotRotated: a file in which nothing happened is gone on with, however old it is.
func TestAnIdleLogIsNotRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{RotateAge: time.Nanosecond, CheckpointEvery: never, KeyFile: path + ".key"})
	l.checkpoint()
	if l.expired() {
		t.Error("it has a genesis and a checkpoint only, and is to be rotated")
	}
	appendTo(t, l, decision("x"))
	if !l.expired() {
		t.Error("it has a decision, and is not to be rotated")
	}
}

// TestReadOverFiles: the last n, and what is appended while files are begun.
func TestReadOverFiles(t *testing.T) {
	path := rotated(t)
	whole := all(t, path, ReadOptions{})
	for i, e := range whole {
		if e.Seq != uint64(i) {
			t.Fatalf("record %d is number %d", i, e.Seq)
		}
	}
	for _, n := range []int{1, 2, 5, len(whole) - 1, len(whole), len(whole) + 10} {
		got := all(t, path, ReadOptions{Last: n})
		if want := min(n, len(whole)); len(got) != want || got[0].Seq != uint64(len(whole)-want) {
			t.Errorf("the last %d: %d from %d on", n, len(got), got[0].Seq)
		}
	}
	if got := entries(t, path); got[0].Kind != Genesis || got[0].Previous != filepath.Base(files(t, path)[len(files(t, path))-2]) {
		t.Errorf("the newest file alone begins with %s", got[0].Raw)
	}
}

func TestFollowOverFiles(t *testing.T) {
	for _, older := range []bool{false, true} {
		l, path := rotating(t, Options{})
		appendTo(t, l, decision("x"))
		stop := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			for len(files(t, path)) < 4 {
				if _, err := l.Append(decision("x")); err != nil {
					t.Error(err)
					break
				}
			}
			close(stop)
		})
		seq := uint64(0)
		finished := false
		for e, err := range Follow(t.Context(), path, ReadOptions{Older: older}) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Seq != seq {
				t.Fatalf("record %d, want %d", e.Seq, seq)
			}
			seq++
			select {
			case <-stop:
				finished = true
			default:
			}
			if finished && seq > 10 {
				break
			}
		}
		group.Wait()
	}
}

// TestCrashWhileAFileIsBegun: between the two renames there is no file of the log's own name.
func TestCrashWhileAFileIsBegun(t *testing.T) {
	path := rotated(t)
	before := all(t, path, ReadOptions{})
	archive := archiveName(path, entries(t, path)[0].Seq, time.Now())
	if err := os.Rename(path, archive); err != nil {
		t.Fatal(err)
	}
	write(t, path+nextSuffix, []byte(`{"_hash":"left over`))
	l, err := Open(path, Options{KeyFile: filepath.Join(filepath.Dir(path), "receipts.key")})
	if err != nil {
		t.Fatal(err)
	}
	id := appendTo(t, l, decision("after"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Verify(path)
	if err != nil || r.Records <= uint64(len(before)) {
		t.Fatalf("%+v %v", r, err)
	}
	es := all(t, path, ReadOptions{})
	if g := es[len(before)]; g.Kind != Genesis || g.Previous != filepath.Base(archive) || g.tag() != before[0].tag() {
		t.Errorf("%s", g.Raw)
	}
	if !slices.ContainsFunc(es, func(e *Entry) bool { return e.ID == id }) {
		t.Error("what came after the crash is not there")
	}
}

// TestFullDiskWhileAFileIsBegun: the old file is gone on with; when there is room, a new one is begun.
func TestFullDiskWhileAFileIsBegun(t *testing.T) {
	l, _, path := onDisk(t, Options{RotateSize: 2 << 10, CheckpointEvery: time.Millisecond})
	var mu sync.Mutex
	begun := 0
	l.options.wrap = func(f *os.File) file {
		mu.Lock()
		defer mu.Unlock()
		begun++
		next := &disk{File: f}
		next.full.Store(begun < 3)
		return next
	}
	tries := func() int {
		mu.Lock()
		defer mu.Unlock()
		return begun
	}
	eventually(t, "a new file was tried twice, and then begun", func() bool {
		if _, err := l.Append(decision("x")); err != nil {
			t.Fatalf("traffic stopped: %v", err)
		}
		return tries() >= 3 && len(files(t, path)) > 1
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := Verify(path); err != nil || r.Files < 2 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestFullDiskStopsAndRecovers with rotation on: an append fails with the disk's error while it is full, and not after.
func TestFullDiskStopsAndRecovers(t *testing.T) {
	l, d, path := onDisk(t, Options{RotateSize: 1 << 20})
	appendTo(t, l, decision("x"))
	d.full.Store(true)
	if _, err := l.Append(decision("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	d.full.Store(false)
	appendTo(t, l, decision("x"))
	if _, err := Verify(path); err != nil {
		t.Error(err)
	}
}

// TestRetention removes the oldest files, says so, and what is left verifies; without the word of the log it does not.
func TestRetention(t *testing.T) {
	l, path := rotating(t, Options{KeepSize: 20 << 10})
	eventually(t, "a file is removed", func() bool {
		appendTo(t, l, decision("x"))
		older, err := archives(path)
		if err != nil {
			t.Fatal(err)
		}
		return older != nil && older[0].first > 0
	})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Verify(path)
	if err != nil || r.First == 0 || r.Removed == 0 {
		t.Fatalf("%+v %v", r, err)
	}
	es := all(t, path, ReadOptions{Filter: &Filter{Kind: []string{"removed"}}})
	e := es[len(es)-1]
	if !strings.HasPrefix(e.Target, "receipts-") || len(e.Note) != 4 || e.Reason == "" {
		t.Errorf("%s", e.Raw)
	}
	// Somebody removes one more.
	names := files(t, path)
	if len(names) < 3 {
		t.Fatalf("%v", names)
	}
	if err := os.Rename(names[0], names[0]+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(path); err == nil || !strings.Contains(err.Error(), "no record says that retention removed it") {
		t.Errorf("a file that somebody took away: %v", err)
	}
	if _, err := VerifyWith(names[1], VerifyOptions{Single: true}); err != nil {
		t.Errorf("the file alone: %v", err)
	}
}

func TestRetentionByAge(t *testing.T) {
	path := rotated(t)
	total := len(files(t, path))
	o := Options{KeyFile: filepath.Join(filepath.Dir(path), "receipts.key"), KeepAge: never}
	l := open(t, path, o)
	l.retain()
	if n := len(files(t, path)); n != total {
		t.Errorf("%d of %d young files are left", n, total)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// The names say when a file's successor began.
	for i, a := range files(t, path)[:total-1] {
		old := archiveName(path, firstOf(t, a), time.Now().Add(-never-time.Duration(total-i)*time.Hour))
		if err := os.Rename(a, old); err != nil {
			t.Fatal(err)
		}
	}
	o.KeepAge = 12 * time.Hour
	l = open(t, path, o)
	eventually(t, "old files are removed", func() bool { return len(files(t, path)) == 2 })
	appendTo(t, l, decision("x"))
}

func firstOf(t *testing.T, path string) uint64 {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return firstRecord(f)
}
