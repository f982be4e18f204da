package guest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

var (
	i32  = []byte{wt.I32}
	zero = wt.I32Const(0)
	spin = wt.Loop(wt.Br(0))
	trap = wt.Op(wt.Unreachable)
)

// small limits keep hostile tests short.
func small(opt Options) Options {
	opt.MemoryLimit = 4 << 20
	opt.Fuel = Fuel{Base: 1_000_000, PerByte: 10, Cap: 1_000_000, Setup: 1_000_000, CompanionPerByte: 10, CompanionCap: 1_000_000}
	return opt
}

// TestHarmlessTwins has what the attacks of package hostile have, put to honest use.
func TestHarmlessTwins(t *testing.T) {
	for name, p := range map[string]wt.Plugin{
		"default":   {},
		"no init":   {Skip: map[string]bool{"_initialize": true}},
		"imports":   {Prepare: func(m *wt.Module) { m.Import("sallyport", "log", []byte{wt.I32, wt.I32}, nil) }},
		"start":     {Finish: func(m *wt.Module) { m.Start(m.Func("", nil, nil, nil)) }},
		"segments":  {Finish: func(m *wt.Module) { m.Data(0x500, []byte("x")); m.Data(0x600, []byte("y")) }},
		"table":     {Finish: func(m *wt.Module) { m.Table(1000) }},
		"grows":     {Data: wt.Code(wt.I32Const(1), wt.MemoryGrow(), wt.Op(wt.Drop), wt.Echo(1))},
		"maximum":   {MaxPages: []uint32{8}},
		"set table": {Finish: func(m *wt.Module) { m.Table(2); m.Func("", nil, nil, nil, zero, []byte{0xd0, wt.FuncRef, 0x26, 0}) }},
	} {
		t.Run(name, func(t *testing.T) {
			modes(t, func(t *testing.T, opt Options) {
				mustData(t, guestOf(t, small(opt), p.Build()), "hello", "hello")
			})
		})
	}
}

// TestTruncatedPlugins loads every beginning of a plugin, and the plugin with noise in it. What loads is used; nothing may happen
// to the host.
func TestTruncatedPlugins(t *testing.T) {
	e := newEngine(t, small(Options{}))
	use := func(wasm []byte) {
		p, err := e.Load(t.Context(), "test", wasm)
		if err != nil {
			return
		}
		defer p.Close()
		tm, err := p.Configure(t.Context(), nil)
		if err != nil {
			return
		}
		defer tm.Close()
		g, err := tm.New(t.Context())
		if err != nil {
			return
		}
		defer g.Close()
		_, _, _ = g.Open([]byte("x"))
		_, _, _ = g.Data(0, []byte("x"), 0)
	}
	wasm := companionPlugin(wt.Companion{})
	for n := 0; n < len(wasm); n++ {
		use(wasm[:n])
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		b := bytes.Clone(wasm)
		for range 1 + rnd.IntN(3) {
			b[8+rnd.IntN(len(b)-8)] = byte(rnd.Uint32())
		}
		use(b)
	}
	if s := e.Stats(); s.Guests != 0 || s.Instances != 0 {
		t.Errorf("left over: %+v", s)
	}
}

// TestInput has deliveries that are too large.
func TestInput(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		tm := template(t, load(t, newEngine(t, opt), "test", wt.Plugin{}.Build()), "")
		for _, f := range []func(*Guest, []byte) error{
			func(g *Guest, b []byte) error { _, _, err := g.Open(b); return err },
			func(g *Guest, b []byte) error { _, _, err := g.Data(0, b, 0); return err },
			func(g *Guest, b []byte) error { _, _, err := g.Event(b); return err },
		} {
			if err := f(start(t, tm), make([]byte, wt.Cap)); err != nil {
				t.Error(err)
			}
			wantKind(t, f(start(t, tm), make([]byte, wt.Cap+1)), ErrBadInput)
		}
	})
}
