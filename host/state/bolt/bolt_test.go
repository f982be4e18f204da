package bolt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
	"github.com/sallyport-dev/sallyport/host/state/statetest"
	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	dirs := map[*testing.T]string{}
	statetest.Run(t, func(t *testing.T) state.Store {
		if dirs[t] == "" {
			dirs[t] = t.TempDir()
		}
		s, err := Open(filepath.Join(dirs[t], "sub", "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestOneUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second user: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "state.db")
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(p); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", p, info.Mode(), err)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read: %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOpenRefuses what is no store.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(text, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, link, dir, filepath.Join(text, "below")} {
		if s, err := Open(path); err == nil {
			t.Errorf("%s: opened", path)
			_ = s.Close()
		}
	}
}

// TestDamagedValue is an error for its key, and only for that.
func TestDamagedValue(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put([]byte("bad"), []byte("short")) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "good", []byte("1"), state.Any, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "bad"); err == nil || errors.Is(err, state.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if _, err := s.List(t.Context(), ""); err == nil {
		t.Error("a list leaves out what it cannot read")
	}
	if e, err := s.Get(t.Context(), "good"); err != nil || string(e.Value) != "1" {
		t.Errorf("%+v %v", e, err)
	}
}

// TestWatchersAreForgotten: a watch goes away when its loop ends, and when its context does, though nobody ever looked.
func TestWatchersAreForgotten(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	count := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.watchers)
	}
	seq, err := s.Watch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := s.Watch(ctx, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "a", nil, state.Any, 0); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 2 {
		t.Errorf("%d watchers", n)
	}
	for range seq {
		break
	}
	cancel()
	for end := time.Now().Add(90 * time.Second); count() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d watchers", count())
		}
	}
}
