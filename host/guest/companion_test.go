package guest

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// companionPlugin is a plugin that passes its input on to its companion "c" and answers with '+' and the result or '-' and the
// error text.
func companionPlugin(c wt.Companion) []byte {
	i32 := byte(wt.I32)
	p := wt.Plugin{
		Manifest: `{"name":"test","companions":[{"name":"c"}]}`,
		Locals:   []byte{i32},
		Prepare: func(m *wt.Module) {
			m.Import("sallyport", "call", []byte{i32, i32, i32, i32, i32}, []byte{i32})
		},
		Data: wt.Code(
			wt.I32Const(0), wt.I32Const(wt.In), wt.Get(1), wt.I32Const(wt.Out+1), wt.I32Const(wt.Cap-1), wt.Call(0), wt.Set(3),
			wt.Get(3), wt.I32Const(0), wt.Op(0x48), // lt_s
			wt.If(wt.I32Const(wt.Out), wt.I32Const('-'), wt.Store8(0), wt.I32Const(0), wt.Get(3), wt.Op(wt.I32Sub), wt.Op(wt.Return)),
			wt.I32Const(wt.Out), wt.I32Const('+'), wt.Store8(0), wt.Get(3), wt.I32Const(1), wt.Op(wt.I32Add)),
	}.Build()
	return wt.WithCompanion(p, "c", c.Build())
}

func TestCompanion(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		mustData(t, guestOf(t, opt, companionPlugin(wt.Companion{})), "hello", "+hello")
	})
}

// storeText writes an error text to out and its length into the fifth word of the table of buffers.
func storeText(text string) []byte {
	return wt.Code(wt.Answer(text), wt.Op(wt.Drop), wt.I32Const(wt.Table+16), wt.I32Const(int32(len(text))), wt.Store32(0))
}

func TestCompanionAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		companion wt.Companion
		want      string
	}{
		"echo":           {wt.Companion{}, "+in"},
		"nothing":        {wt.Companion{Call: zero}, "+"},
		"error":          {wt.Companion{Call: wt.Code(wt.Answer("bad"), wt.Op(wt.Drop), wt.I32Const(-4))}, "-bad"},
		"error, no text": {wt.Companion{Call: wt.I32Const(-1)}, "-"},
		"trap with text": {wt.Companion{Call: wt.Code(storeText("syntax error"), trap)}, "-syntax error"},
		"trap":           {wt.Companion{Call: trap}, "-the companion failed: trapped unreachable"},
		"exit": {wt.Companion{
			Prepare: func(m *wt.Module) { m.Import("wasi_snapshot_preview1", "proc_exit", i32, nil) },
			Call:    wt.Code(wt.I32Const(3), wt.Call(0), zero)}, "-the companion failed: exited with code 3"},
		"exit with text": {wt.Companion{
			Prepare: func(m *wt.Module) { m.Import("wasi_snapshot_preview1", "proc_exit", i32, nil) },
			Call:    wt.Code(storeText("fatal"), wt.I32Const(3), wt.Call(0), zero)}, "-fatal"},
		"text too long": {wt.Companion{Call: wt.Code(wt.I32Const(wt.Table+16), wt.I32Const(-1), wt.Store32(0), trap)},
			"-" + strings.Repeat("\x00", wt.Cap-1)},
		"lies":        {wt.Companion{Call: wt.I32Const(wt.Cap + 1)}, "-the companion answered with a result out of bounds"},
		"lies more":   {wt.Companion{Call: wt.I32Const(0x7fffffff)}, "-the companion answered with a result out of bounds"},
		"error lies":  {wt.Companion{Call: wt.I32Const(-wt.Cap - 2)}, "-the companion answered with an error text out of bounds"},
		"no room":     {wt.Companion{Call: wt.I32Const(wt.Cap)}, "-the result has 65536 bytes, there is room for 65535"},
		"recursion":   {wt.Companion{Prepare: func(m *wt.Module) { m.Func("", nil, nil, nil, wt.Call(0)) }, Call: wt.Code(wt.Call(0), zero)}, "-the companion failed: call stack is exhausted "},
		"memory bomb": {wt.Companion{Call: wt.Code(wt.I32Const(60), wt.MemoryGrow(), wt.Op(wt.Drop), wt.I32Const(60), wt.MemoryGrow(), wt.Op(wt.Drop), trap)}, "-the companion failed: memory limit reached trapped unreachable"},
		"grows":       {wt.Companion{Call: wt.Code(wt.I32Const(1), wt.MemoryGrow(), wt.Op(wt.Drop), wt.Echo(0))}, "+in"},
		"warm": {wt.Companion{Warm: wt.Code(wt.I32Const(wt.Scratch), wt.I32Const('w'), wt.Store8(0)),
			Call: wt.Code(wt.I32Const(wt.Out), wt.I32Const(wt.Scratch), wt.Load8(0), wt.Store8(0), wt.I32Const(1))}, "+w"},
	} {
		t.Run(name, func(t *testing.T) {
			modes(t, func(t *testing.T, opt Options) {
				g := guestOf(t, small(opt), companionPlugin(c.companion))
				for range 3 { // the guest lives on, and the next call finds a fresh companion
					mustData(t, g, "in", c.want)
				}
			})
		})
	}
}

// TestCompanionKeepsNothing has a companion that answers with the input of the call before.
func TestCompanionKeepsNothing(t *testing.T) {
	c := wt.Companion{
		Prepare: func(m *wt.Module) { m.Global(wt.I32, true, wt.I32Const('-')) },
		Call: wt.Code(
			wt.I32Const(wt.Out), wt.I32Const(wt.Scratch), wt.Load8(0), wt.Store8(0),
			wt.I32Const(wt.Out), wt.GlobalGet(0), wt.Store8(1),
			wt.I32Const(wt.Out), wt.I32Const(wt.In), wt.Load8(1), wt.Store8(2), // beyond the input: what was there before
			wt.I32Const(wt.Scratch), wt.I32Const(wt.In), wt.Load8(0), wt.Store8(0),
			wt.I32Const(wt.In), wt.Load8(0), wt.GlobalSet(0), wt.I32Const(3)),
	}
	modes(t, func(t *testing.T, opt Options) {
		opt.Companions = 1
		g := guestOf(t, opt, companionPlugin(c))
		mustData(t, g, "secret", "+\x00-e")
		for range 3 {
			mustData(t, g, "a", "+\x00-\x00")
		}
	})
}

// TestCompanionFuel has a companion that never ends: its call fails when it has spent what its caller can spare, and the caller lives on, as
// does everybody else. One that calls it for ever comes to an end.
func TestCompanionFuel(t *testing.T) {
	c := wt.Companion{Call: wt.Code(wt.I32Const(wt.In), wt.Load8(0), wt.I32Const('s'), wt.Op(wt.I32Eq), wt.If(spin), wt.Echo(0))}
	again := wt.WithCompanion(wt.Plugin{
		Manifest: `{"name":"test","companions":[{"name":"c"}]}`,
		Prepare: func(m *wt.Module) {
			m.Import("sallyport", "call", []byte{wt.I32, wt.I32, wt.I32, wt.I32, wt.I32}, i32)
		},
		Data: wt.Code(wt.Loop(wt.I32Const(0), wt.I32Const(wt.In), wt.I32Const(1), wt.I32Const(wt.Out), wt.I32Const(10), wt.Call(0), wt.Op(wt.Drop), wt.Br(0)), zero),
	}.Build(), "c", c.Build())
	modes(t, func(t *testing.T, opt Options) {
		opt.Companions = 1
		e := newEngine(t, small(opt))
		tm := template(t, load(t, e, "test", companionPlugin(c)), "")
		other, g := start(t, tm), start(t, tm)
		for range 3 {
			mustData(t, g, "x", "+x")
			mustData(t, g, "s", "-the companion failed: fuel is spent")
			if g.FuelLeft() == 0 {
				t.Error("nothing is left to the caller")
			}
			mustData(t, g, "z", "+z") // a delivery buys what it needs
			mustData(t, other, "y", "+y")
		}
		for _, in := range []string{"s", "x"} {
			_, _, err := start(t, template(t, load(t, e, "test", again), "")).Data(0, []byte(in), 0)
			wantKind(t, err, ErrFuel)
		}
	})
}

// TestCompanionPool has more callers than copies.
func TestCompanionPool(t *testing.T) {
	tm := template(t, load(t, newEngine(t, Options{Companions: 2}), "test", companionPlugin(wt.Companion{})), "")
	var wg sync.WaitGroup
	for k := range 6 {
		g := start(t, tm)
		wg.Go(func() {
			in := string(rune('a' + k))
			for range 50 {
				if out, _, err := g.Data(0, []byte(in), 0); err != nil || string(out) != "+"+in {
					t.Errorf("%q %v", out, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestCompanionLoads(t *testing.T) {
	good := companionPlugin(wt.Companion{})
	bare := wt.Plugin{Manifest: `{"companions":[{"name":"c"}]}`}.Build()
	for name, c := range map[string]struct {
		wasm []byte
		kind error
		say  string
	}{
		"missing":        {bare, ErrRefused, `"sallyport.companion.c"`},
		"not listed":     {wt.WithCompanion(good, "d", wt.Companion{}.Build()), ErrRefused, `"d" is in the file but not in the manifest`},
		"twice":          {wt.WithCompanion(good, "c", wt.Companion{}.Build()), ErrRefused, "twice"},
		"listed twice":   {wt.WithCompanion(wt.Plugin{Manifest: `{"companions":[{"name":"c"},{"name":"c"}]}`}.Build(), "c", wt.Companion{}.Build()), ErrRefused, "twice"},
		"broken":         {wt.WithCompanion(bare, "c", []byte("x")), ErrRefused, "test/c"},
		"calls the host": {companionPlugin(wt.Companion{Prepare: func(m *wt.Module) { m.Import("sallyport", "log", []byte{wt.I32, wt.I32}, nil) }}), ErrRefused, "a companion may have"},
		"initialize":     {companionPlugin(wt.Companion{Init: trap}), ErrTrap, "_initialize"},
		"warm spins":     {companionPlugin(wt.Companion{Warm: spin}), ErrFuel, "sallyport_warm"},
		"no call":        {wt.WithCompanion(bare, "c", wt.Plugin{}.Build()), ErrRefused, "sallyport_call"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, small(Options{}))
			_, err := e.Load(t.Context(), "test", c.wasm)
			wantKind(t, err, c.kind, c.say)
			mustData(t, start(t, template(t, load(t, e, "good", good), "")), "x", "+x")
		})
	}
}

// TestHostCallArguments has plugins that hand wild arguments to sallyport.call and sallyport.log.
func TestHostCallArguments(t *testing.T) {
	call := func(args ...int32) []byte {
		var c []byte
		for _, a := range args {
			c = wt.Code(c, wt.I32Const(a))
		}
		return c
	}
	five := []byte{wt.I32, wt.I32, wt.I32, wt.I32, wt.I32}
	for name, c := range map[string]struct {
		code []byte
		kind error
	}{
		"in outside":     {wt.Code(call(0, -8, 100, wt.Out, 10), wt.Call(0)), ErrBadOutput},
		"out outside":    {wt.Code(call(0, wt.In, 1, -8, 100), wt.Call(0)), ErrBadOutput},
		"huge in":        {wt.Code(call(0, 0, -1, wt.Out, 10), wt.Call(0)), ErrBadOutput},
		"no companion":   {wt.Code(call(1, wt.In, 1, wt.Out, 10), wt.Call(0)), ErrBadOutput},
		"companion -1":   {wt.Code(call(-1, wt.In, 1, wt.Out, 10), wt.Call(0)), ErrBadOutput},
		"log outside":    {wt.Code(call(-8, 100), wt.Call(1), zero), ErrBadOutput},
		"log for ever":   {wt.Code(wt.Loop(call(0, 10), wt.Call(1), wt.Br(0)), zero), ErrFuel},
		"call for ever":  {wt.Code(wt.Loop(call(0, wt.In, 1, wt.Out, 10), wt.Call(0), wt.Op(wt.Drop), wt.Br(0)), zero), ErrFuel},
		"random outside": {wt.Code(call(-8, 100), wt.Call(2)), ErrBadOutput},
		"random for all": {wt.Code(wt.Loop(call(wt.Scratch, 0x10000), wt.Call(2), wt.Op(wt.Drop), wt.Br(0)), zero), ErrFuel},
		"clock outside":  {wt.Code(zero, wt.I64Const(0), wt.I32Const(-4), wt.Call(3)), ErrBadOutput},
		"write outside":  {wt.Code(call(1, -8, 1, 0), wt.Call(4)), ErrBadOutput},
		"many vectors":   {wt.Code(call(1, 0, -1, 0), wt.Call(4), wt.Op(wt.Drop), trap), ErrTrap},
		"harmless":       {wt.Code(call(0, wt.In, 1, wt.Out, 10), wt.Call(0)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := wt.Plugin{
				Manifest: `{"companions":[{"name":"c"}]}`,
				Prepare: func(m *wt.Module) {
					wasi := "wasi_snapshot_preview1"
					m.Import("sallyport", "call", five, i32)
					m.Import("sallyport", "log", five[:2], nil)
					m.Import(wasi, "random_get", five[:2], i32)
					m.Import(wasi, "clock_time_get", []byte{wt.I32, wt.I64, wt.I32}, i32)
					m.Import(wasi, "fd_write", five[:4], i32)
				},
				Data: c.code,
			}
			g := guestOf(t, small(Options{}), wt.WithCompanion(p.Build(), "c", wt.Companion{}.Build()))
			_, _, err := g.Data(0, []byte("x"), 0)
			if c.kind == nil && err != nil || c.kind != nil && !errors.Is(err, c.kind) {
				t.Errorf("got %v, want %v", err, c.kind)
			}
		})
	}
}

// TestLog has a guest that logs without end; the log stays small and printable.
func TestLog(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	opt := Options{LogLimit: 2000, Logger: slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, nil))}
	p := wt.Plugin{
		Prepare: func(m *wt.Module) { m.Import("sallyport", "log", []byte{wt.I32, wt.I32}, nil) },
		Data:    wt.Code(wt.I32Const(wt.In), wt.Get(1), wt.Call(0), zero),
	}
	g := guestOf(t, opt, p.Build())
	for range 1000 {
		mustData(t, g, "a\x1b[31m\nline\xff", "")
	}
	mu.Lock()
	defer mu.Unlock()
	if s := log.String(); len(s) > 20_000 || !strings.Contains(s, "plugin=test") || !strings.Contains(s, "the rest is dropped") || strings.Contains(s, "\x1b") || !strings.Contains(s, "a [31m line?") {
		t.Errorf("%d bytes: %.300s", len(s), s)
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
