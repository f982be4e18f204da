package guest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// sharedCache keeps the native code of the large fixtures, between runs where the user's cache can be used.
var sharedCache string

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == compileArgument {
		os.Exit(CompileChild(os.Stdin, os.Stdout))
	}
	dir, err := os.MkdirTemp("", "sallyport-guest-cache")
	if err != nil {
		panic(err)
	}
	sharedCache = dir
	if user, err := os.UserCacheDir(); err == nil {
		if kept := filepath.Join(user, "sallyport-test", "native"); checkCacheDir(kept) == nil {
			sharedCache = kept
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// modes runs a test on clones and on plain instances: what a plugin sees must be the same.
func modes(t *testing.T, f func(t *testing.T, opt Options)) {
	t.Run("clones", func(t *testing.T) { f(t, Options{}) })
	t.Run("plain", func(t *testing.T) { f(t, Options{Plain: true}) })
}

func newEngine(t testing.TB, opt Options) *Engine {
	t.Helper()
	e, err := NewEngine(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func load(t testing.TB, e *Engine, name string, wasm []byte) *Plugin {
	t.Helper()
	p, err := e.Load(t.Context(), name, wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func template(t testing.TB, p *Plugin, options string) *Template {
	t.Helper()
	tm, err := p.Configure(t.Context(), []byte(options))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tm.Close)
	return tm
}

func start(t testing.TB, tm *Template) *Guest {
	t.Helper()
	g, err := tm.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// guestOf loads, configures and starts a module.
func guestOf(t testing.TB, opt Options, wasm []byte) *Guest {
	t.Helper()
	return start(t, template(t, load(t, newEngine(t, opt), "test", wasm), "{}"))
}

func mustData(t testing.TB, g *Guest, in, want string) {
	t.Helper()
	out, _, err := g.Data(0, []byte(in), 0)
	if err != nil || string(out) != want {
		t.Fatalf("data %q: got %q, %v, want %q", in, out, err, want)
	}
}

// wantKind checks an error's kind and that it names the plugin.
func wantKind(t testing.TB, err, kind error, text ...string) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, kind) {
		t.Fatalf("got %v, want an error of the kind %q", err, kind)
	}
	if !strings.HasPrefix(e.Plugin, "test") {
		t.Errorf("%v does not name the plugin", err)
	}
	for _, s := range text {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%v does not say %q", err, s)
		}
	}
}

func TestCalls(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		wasm := wt.Plugin{
			Manifest: `{"name":"x","version":"1"}`,
			// data answers with side and flags in front
			Data: wt.Code(
				wt.I32Const(wt.Out), wt.Get(0), wt.Store8(0), wt.I32Const(wt.Out), wt.Get(2), wt.Store8(1),
				wt.I32Const(wt.Out+2), wt.I32Const(wt.In), wt.Get(1), wt.MemoryCopy(), wt.Get(1), wt.I32Const(2), wt.Op(wt.I32Add)),
			// event says "more" until it is asked to go on
			Event: wt.Code(wt.Echo(0), wt.Get(0), wt.Op(wt.I32Eqz), wt.If(wt.I32Const(0), wt.Op(wt.Return)), wt.I32Const(-1<<31), wt.Op(0x72)),
		}.Build()
		e := newEngine(t, opt)
		p := load(t, e, "test", wasm)
		if string(p.Manifest()) != `{"name":"x","version":"1"}` || p.Name() != "test" || p.Digest() == [32]byte{} {
			t.Errorf("manifest %s", p.Manifest())
		}
		g := start(t, template(t, p, "{}"))
		if g.InputCapacity() != wt.Cap {
			t.Errorf("capacity %d", g.InputCapacity())
		}
		if out, more, err := g.Open([]byte("facts")); err != nil || more || string(out) != "facts" {
			t.Fatalf("open: %q %v %v", out, more, err)
		}
		if out, _, err := g.Data(1, []byte("hello"), 1); err != nil || string(out) != "\x01\x01hello" {
			t.Fatalf("data: %q %v", out, err)
		}
		if out, more, err := g.Event([]byte("ev")); err != nil || !more || string(out) != "ev" {
			t.Fatalf("event: %q %v %v", out, more, err)
		}
		if out, more, err := g.Event(nil); err != nil || more || len(out) != 0 {
			t.Fatalf("go on: %q %v %v", out, more, err)
		}
		big := bytes.Repeat([]byte("x"), wt.Cap-2)
		if out, _, err := g.Data(0, big, 0); err != nil || len(out) != wt.Cap {
			t.Fatalf("full buffer: %d bytes, %v", len(out), err)
		}
		if s := e.Stats(); s.Guests != 1 {
			t.Errorf("stats %+v", s)
		}
		g.Close()
		g.Close()
		if _, _, err := g.Data(0, nil, 0); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if s := e.Stats(); s.Guests != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestErrorsAreForGood(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		g := guestOf(t, opt, wt.Plugin{Data: wt.Op(wt.Unreachable)}.Build())
		_, _, first := g.Data(0, []byte("x"), 0)
		wantKind(t, first, ErrTrap, "unreachable", "sallyport_data")
		if _, _, err := g.Open(nil); err != first {
			t.Errorf("open after a trap: %v", err)
		}
		if _, _, err := g.Event(nil); err != first {
			t.Errorf("event after a trap: %v", err)
		}
		g.Close()
		if _, _, err := g.Data(0, nil, 0); err != first {
			t.Errorf("data after a trap and Close: %v", err)
		}
	})
}

func TestConfigure(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		// Keeps the first byte of its options; refuses options that start with 'x'; data answers with what it kept.
		wasm := wt.Plugin{
			Configure: wt.Code(
				wt.I32Const(wt.In), wt.Load8(0), wt.I32Const('x'), wt.Op(wt.I32Eq),
				wt.If(wt.Answer("no\nx"), wt.Op(wt.Drop), wt.I32Const(-4), wt.Op(wt.Return)),
				wt.I32Const(wt.Scratch), wt.I32Const(wt.In), wt.Load8(0), wt.Store8(0), wt.I32Const(0)),
			Data: wt.Code(wt.I32Const(wt.Out), wt.I32Const(wt.Scratch), wt.Load8(0), wt.Store8(0), wt.I32Const(1)),
		}.Build()
		p := load(t, newEngine(t, opt), "test", wasm)
		a, b := template(t, p, "a"), template(t, p, "b")
		ga, gb := start(t, a), start(t, b)
		mustData(t, ga, "", "a")
		mustData(t, gb, "", "b")
		_, err := p.Configure(t.Context(), []byte("x"))
		wantKind(t, err, ErrConfigure, "no x")
		_, err = p.Configure(t.Context(), make([]byte, wt.Cap+1))
		wantKind(t, err, ErrBadInput)
	})
}

func TestLifetimes(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		e := newEngine(t, opt)
		p, err := e.Load(t.Context(), "test", wt.Plugin{}.Build())
		if err != nil {
			t.Fatal(err)
		}
		tm, err := p.Configure(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		g := start(t, tm)
		p.Close()
		p.Close()
		tm.Close()
		tm.Close()
		mustData(t, g, "still runs", "still runs")
		if _, err := p.Configure(t.Context(), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("configure after Close: %v", err)
		}
		if _, err := tm.New(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("new after Close: %v", err)
		}
		g.Close()
		if s := e.Stats(); s.Instances != 0 || s.Idle != 0 || s.Guests != 0 {
			t.Errorf("left over: %+v", s)
		}
	})
}

func TestPrepare(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.Idle = 3
		e := newEngine(t, opt)
		tm := template(t, load(t, e, "test", wt.Plugin{}.Build()), "")
		if err := tm.Prepare(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		if n := e.Stats().Idle; n != 3 && n != 0 || n == 0 && e.Stats().Clones > 0 {
			t.Errorf("%d idle", n)
		}
		for range 4 {
			mustData(t, start(t, tm), "x", "x")
		}
		tm.Close()
		if err := tm.Prepare(t.Context(), 5); err != nil || e.Stats().Idle != 0 {
			t.Errorf("after Close: %v, %+v", err, e.Stats())
		}
	})
}

func TestCancelledContexts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := newEngine(t, Options{})
	if _, err := e.Load(ctx, "test", wt.Plugin{}.Build()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	p := load(t, e, "test", wt.Plugin{}.Build())
	if _, err := p.Configure(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := template(t, p, "").New(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestEngineCloseEndsGuests(t *testing.T) {
	e, err := NewEngine(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, template(t, load(t, e, "test", wt.Plugin{}.Build()), ""))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Data(0, nil, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("after Engine.Close: %v", err)
	}
}

// TestEngineCloseWhileBusy closes the engine while guests are made, called and closed.
func TestEngineCloseWhileBusy(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		e, err := NewEngine(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		wasm := companionPlugin(wt.Companion{})
		var wg sync.WaitGroup
		busy := make(chan struct{}, 4)
		for range 4 {
			wg.Go(func() {
				for {
					err := func() error {
						p, err := e.Load(t.Context(), "test", wasm)
						if err != nil {
							return err
						}
						defer p.Close()
						tm, err := p.Configure(t.Context(), nil)
						if err != nil {
							return err
						}
						defer tm.Close()
						g, err := tm.New(t.Context())
						if err != nil {
							return err
						}
						defer g.Close()
						_, _, err = g.Data(0, []byte("x"), 0)
						return err
					}()
					if err != nil {
						if !errors.Is(err, ErrClosed) && !errors.Is(err, ErrInterrupted) {
							t.Error(err)
						}
						return
					}
					select {
					case busy <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 4 {
			<-busy
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}

func TestCacheDirectory(t *testing.T) {
	dir := t.TempDir() + "/cache"
	for range 2 {
		g := guestOf(t, Options{CacheDir: dir}, wt.Plugin{}.Build())
		mustData(t, g, "x", "x")
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := NewEngine(t.Context(), Options{CacheDir: dir}); err == nil || !strings.Contains(err.Error(), "0700") {
		t.Errorf("an open cache directory: %v", err)
	}
}
