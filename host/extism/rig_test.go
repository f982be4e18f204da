package extism

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/guest"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == compileArgument {
		os.Exit(guest.CompileChild(os.Stdin, os.Stdout))
	}
	if dir, err := os.UserCacheDir(); err == nil { // compiling under the race detector is slow
		if dir = filepath.Join(dir, "sallyport-test"); os.MkdirAll(dir, 0o700) == nil {
			limits.CacheDir = filepath.Join(dir, "extism")
		}
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for something that must happen.
const patience = 90 * time.Second

var (
	buildMu sync.Mutex
	built   = map[string][]byte{}
)

// build compiles a file of testdata for WebAssembly.
func build(t testing.TB, file string, flags ...string) []byte {
	t.Helper()
	buildMu.Lock()
	defer buildMu.Unlock()
	key := file + " " + strings.Join(flags, " ")
	if built[key] != nil {
		return built[key]
	}
	out := filepath.Join(t.TempDir(), "out.wasm")
	args := append([]string{"--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
		"-Wl,--stack-first", "-Wl,--strip-all", "-I", "../../sdk/c", "-o", out, filepath.Join("testdata", file)}, flags...)
	if msg, err := exec.Command("clang-16", args...).CombinedOutput(); err != nil {
		t.Fatalf("clang-16 (scripts/deps test installs it): %v\n%s", err, msg)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	built[key] = wasm
	return wasm
}

// lane makes guests of one lane.
type lane struct {
	name  string
	guest func(t testing.TB) gate.Guest
}

// limits are small enough for hostile guests to meet them soon.
var limits = Options{MemoryLimit: 4 << 20, Fuel: guest.Fuel{Base: 20_000_000, Cap: 50_000_000, Setup: 100_000_000}, Watchdog: patience}

// lanes are both of them, with the plugin lines and an option.
func lanes(t testing.TB, log *slog.Logger) []lane {
	t.Helper()
	n, e := nativeTemplate(t, log), extismTemplate(t, log)
	return []lane{
		{"native", func(t testing.TB) gate.Guest { return nativeGuest(t, n) }},
		{"extism", func(t testing.TB) gate.Guest { return extismGuest(t, e) }},
	}
}

const greeting = `{"greeting":"hello"}`

func extismTemplate(t testing.TB, log *slog.Logger) *Template {
	t.Helper()
	o := limits
	o.Logger = log
	p, err := New(o).Load(t.Context(), "lines", build(t, "lines.c", "-DLANE_EXTISM"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	tmpl, err := p.Configure(t.Context(), []byte(greeting))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tmpl.Close)
	return tmpl
}

func extismGuest(t testing.TB, tmpl *Template) *Guest {
	t.Helper()
	g, err := tmpl.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// native is a guest of the native lane as the gate sees it.
type native struct{ *guest.Guest }

func (n native) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	return n.Guest.Data(uint32(side), p, flags)
}

func nativeTemplate(t testing.TB, log *slog.Logger) *guest.Template {
	t.Helper()
	e, err := guest.NewEngine(t.Context(), guest.Options{CacheDir: limits.CacheDir, MemoryLimit: limits.MemoryLimit, Fuel: limits.Fuel, Watchdog: limits.Watchdog, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	p, err := e.Load(t.Context(), "lines", build(t, "lines.c"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	tmpl, err := p.Configure(t.Context(), []byte(greeting))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tmpl.Close)
	return tmpl
}

func nativeGuest(t testing.TB, tmpl *guest.Template) gate.Guest {
	t.Helper()
	g, err := tmpl.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return native{g}
}

// conn is one end that the gate has.
type conn struct{ *net.TCPConn }

func (c conn) Abort() {
	_ = c.SetLinger(0)
	_ = c.Close()
}

func pair(t testing.TB) (conn, *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String()) // the kernel completes it
	if err != nil {
		t.Fatal(err)
	}
	k, err := l.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	_ = peer.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = peer.Close(); _ = k.Close() })
	return conn{k}, peer.(*net.TCPConn)
}

// session decides: what touches the key "secret" or deletes is denied.
type session struct {
	gate.Session
	up conn

	mu    sync.Mutex
	asked []string
	notes []string
}

// Settle has nothing to wait for.
func (*session) Settle() error { return nil }

func (s *session) Decide(_ context.Context, q *gate.Question) gate.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, q.Action.Class.String()+" "+q.Action.Title)
	if strings.Contains(q.Action.Title, "secret") || q.Action.Class == abi.ClassDelete {
		return gate.Verdict{Outcome: abi.Deny, Reason: "not that"}
	}
	return gate.Verdict{Outcome: abi.Allow}
}

func (s *session) Dial(context.Context) (gate.Conn, error) { return s.up, nil }

func (s *session) Note(id uint32, pairs []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, fmt.Sprint(id, pairs))
}

// world is one connection through a real gate.
type world struct {
	t        testing.TB
	agent    *net.TCPConn
	upstream *net.TCPConn
	session  *session
	got      bytes.Buffer // of the upstream
	end      chan gate.End
}

var manifest = sync.OnceValues(func() (*abi.Manifest, error) {
	p, err := New(limits).Load(context.Background(), "lines", built["lines.c -DLANE_EXTISM"])
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return abi.ParseManifest(p.Manifest())
})

func serve(t testing.TB, g gate.Guest) *world {
	t.Helper()
	w := &world{t: t, session: &session{}, end: make(chan gate.End, 1)}
	var agent conn
	agent, w.agent = pair(t)
	w.session.up, w.upstream = pair(t)
	m, err := manifest()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.end <- gate.Serve(ctx, gate.Config{Agent: agent, Guest: g, Manifest: m, Session: w.session, Limits: gate.DefaultLimits,
			Facts: abi.Facts{Endpoint: "endpoint", Peer: "peer", Profile: "profile"}})
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

func (w *world) write(to *net.TCPConn, text string) {
	w.t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) reads(from *net.TCPConn, text string) {
	w.t.Helper()
	b := make([]byte, len(text))
	if n, err := io.ReadFull(from, b); err != nil || string(b) != text {
		w.t.Fatalf("got %q (%v), want %q", b[:n], err, text)
	}
	if from == w.upstream {
		w.got.Write(b)
	}
}

// over waits for the end of the connection.
func (w *world) over() gate.End {
	w.t.Helper()
	select {
	case e := <-w.end:
		return e
	case <-time.After(patience):
		w.t.Fatal("the connection does not end")
		panic(errors.New("unreachable"))
	}
}
