//go:build linux

package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted answers with what it was made with.
type scripted struct {
	change *Change
	err    error
	asked  int
	holds  Holds
}

func (s *scripted) Holds() Holds { return s.holds }

func (s *scripted) Reload(context.Context, bool) (*Change, error) {
	s.asked++
	return s.change, s.err
}

// start serves g on a socket in a directory whose path is too long for a socket's address.
func start(t *testing.T, g Gateway) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, g, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if _, err := os.Lstat(filepath.Join(dir, SocketName)); err == nil {
			t.Error("the socket is still there")
		}
	})
	return dir
}

func client(t *testing.T, dir string) *Client {
	c := NewClient(dir)
	t.Cleanup(c.Close)
	return c
}

func TestReload(t *testing.T) {
	want := &Change{Policy: "abc", Peers: Difference{Added: []string{"claude"}}, Warnings: []Problem{{File: "f", Line: 3, Message: "m"}}}
	g := &scripted{change: want}
	got, err := client(t, start(t, g)).Reload(t.Context(), false)
	if err != nil || !reflect.DeepEqual(got, want) || g.asked != 1 {
		t.Errorf("Reload = %+v, %v, asked %d times; want %+v once", got, err, g.asked, want)
	}
}

func TestFailures(t *testing.T) {
	failure := &Failure{Message: "2 problems", Problems: []Problem{{"f", 1, 2, "unknown key"}, {"f", 0, 0, "other"}}}
	_, err := client(t, start(t, &scripted{err: failure})).Reload(t.Context(), false)
	var got *Failure
	if !errors.As(err, &got) || !reflect.DeepEqual(got, failure) {
		t.Errorf("Reload's error is %v, want the failure with its problems", err)
	}
	_, err = client(t, start(t, &scripted{err: errors.New("disk full")})).Reload(t.Context(), false)
	if err == nil || err.Error() != "disk full" {
		t.Errorf("Reload's error is %v, want the gateway's", err)
	}
}

func TestNotRunning(t *testing.T) {
	dir := t.TempDir()
	if _, err := client(t, dir).Reload(t.Context(), false); !errors.Is(err, ErrNotRunning) {
		t.Errorf("without a socket: %v", err)
	}
	// One that was left behind.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := client(t, dir).Reload(t.Context(), false); !errors.Is(err, ErrNotRunning) {
		t.Errorf("with a socket that nobody has: %v", err)
	}
	again, err := Listen(dir)
	if err != nil {
		t.Fatalf("Listen on a socket that was left behind: %v", err)
	}
	defer again.Close()
	info, err := os.Stat(filepath.Join(dir, SocketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket has mode %v, %v", info.Mode(), err)
	}
}

// A caller that is somebody else is not even read.
func TestCallers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to call as somebody else")
	}
	g := &scripted{change: &Change{}}
	dir := start(t, g)
	open(t, dir)
	out, err := callAs(t, dir, 65534)
	if err == nil {
		t.Errorf("a call as nobody was answered: %s", out)
	}
	if out, err := callAs(t, dir, 0); err != nil {
		t.Errorf("a call as root: %v: %s", err, out)
	}
	if g.asked != 1 {
		t.Errorf("the gateway was asked %d times, want once", g.asked)
	}
}

// open lets everybody reach the socket, so that what turns a caller away is not the file system.
func open(t *testing.T, dir string) {
	t.Helper()
	if err := os.Chmod(filepath.Join(dir, SocketName), 0o777); err != nil {
		t.Fatal(err)
	}
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSlowAndHugeRequests(t *testing.T) {
	dir := start(t, &scripted{change: &Change{}})
	c, err := dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		_, _ = io.WriteString(c, "POST /v1/reload HTTP/1.1\r\nHost: x\r\nA: "+strings.Repeat("a", 1<<20)+"\r\n\r\n")
	}()
	b := make([]byte, 64)
	n, _ := io.ReadAtLeast(c, b, 12)
	if got := string(b[:n]); !strings.HasPrefix(got, "HTTP/1.1 431") {
		t.Errorf("a huge head is answered with %q", got)
	}
	// The console goes on.
	if _, err := client(t, dir).Reload(t.Context(), false); err != nil {
		t.Error(err)
	}
}
