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
	opt.Fuel = Fuel{Base: 200_000, PerByte: 10, Cap: 1_000_000, Setup: 1_000_000}
	return opt
}

// recursive is a plugin whose function 0 calls itself without end.
func recursive() wt.Plugin {
	return wt.Plugin{
		Prepare: func(m *wt.Module) { m.Func("", nil, nil, nil, wt.Call(0)) },
		Data:    wt.Code(wt.Call(0), zero),
	}
}

// TestHostileCalls has plugins that load and turn bad when they are called; a harmless plugin's guest goes on beside each, and so does
// another guest of the same engine.
func TestHostileCalls(t *testing.T) {
	length := func(n int32) []byte { return wt.I32Const(n) }
	for name, c := range map[string]struct {
		plugin wt.Plugin
		kind   error
	}{
		"loop in open":        {wt.Plugin{Open: wt.Code(spin, zero)}, ErrFuel},
		"loop in data":        {wt.Plugin{Data: wt.Code(spin, zero)}, ErrFuel},
		"loop in event":       {wt.Plugin{Event: wt.Code(spin, zero)}, ErrFuel},
		"recursion":           {recursive(), ErrStack},
		"trap in open":        {wt.Plugin{Open: trap}, ErrTrap},
		"trap in data":        {wt.Plugin{Data: trap}, ErrTrap},
		"trap in event":       {wt.Plugin{Event: trap}, ErrTrap},
		"division":            {wt.Plugin{Data: wt.Code(zero, zero, wt.Op(0x6e))}, ErrTrap},
		"wild pointer":        {wt.Plugin{Data: wt.Code(wt.I32Const(-8), wt.Load32(0))}, ErrTrap},
		"memory bomb":         {wt.Plugin{Data: wt.Code(wt.Loop(wt.I32Const(1), wt.MemoryGrow(), wt.I32Const(-1), wt.Op(wt.I32Ne), wt.BrIf(0)), trap)}, ErrMemory},
		"memory at once":      {wt.Plugin{Data: wt.Code(wt.I32Const(1000), wt.MemoryGrow(), wt.Op(wt.Drop), trap)}, ErrMemory},
		"length beyond out":   {wt.Plugin{Data: length(wt.Cap + 1)}, ErrBadOutput},
		"length of 2 GiB":     {wt.Plugin{Data: length(0x7fffffff)}, ErrBadOutput},
		"length -1":           {wt.Plugin{Data: length(-1)}, ErrBadOutput},
		"length in event":     {wt.Plugin{Event: length(wt.Cap + 1)}, ErrBadOutput},
		"length in open":      {wt.Plugin{Open: length(wt.Cap + 1)}, ErrBadOutput},
		"fills of everything": {wt.Plugin{Data: wt.Code(wt.Loop(zero, zero, wt.I32Const(0x40000), wt.MemoryFill(), wt.Br(0)), zero)}, ErrFuel},
		"destroys itself":     {wt.Plugin{Data: wt.Code(zero, wt.I32Const(255), wt.I32Const(0x40000), wt.MemoryFill(), trap)}, ErrTrap},
	} {
		t.Run(name, func(t *testing.T) {
			modes(t, func(t *testing.T, opt Options) {
				e := newEngine(t, small(opt))
				good := start(t, template(t, load(t, e, "good", wt.Plugin{}.Build()), ""))
				tm := template(t, load(t, e, "test", c.plugin.Build()), "")
				for range 3 {
					g := start(t, tm)
					call := func() error {
						if _, _, err := g.Open([]byte("x")); err != nil {
							return err
						}
						if _, _, err := g.Data(0, []byte("x"), 0); err != nil {
							return err
						}
						_, _, err := g.Event([]byte("x"))
						return err
					}
					first := call()
					wantKind(t, first, c.kind)
					if err := call(); err != first {
						t.Errorf("the second time: %v", err)
					}
					mustData(t, good, "hello", "hello")
					g.Close()
				}
				if s := e.Stats(); s.Idle != 0 || s.Discarded < 3 {
					t.Errorf("a failed guest was kept: %+v", s)
				}
			})
		})
	}
}

// TestHostileLoads has modules that must not load, or not be configured, each with a harmless twin in TestHarmlessTwins.
func TestHostileLoads(t *testing.T) {
	sigs := func(name string, params, results []byte) wt.Plugin {
		return wt.Plugin{Signature: map[string][2][]byte{name: {params, results}}, Open: nil}
	}
	pl := func(p wt.Plugin) []byte { return p.Build() }
	imports := func(module, name string, params, results []byte) []byte {
		return pl(wt.Plugin{Prepare: func(m *wt.Module) { m.Import(module, name, params, results) }})
	}
	segments := wt.Plugin{Finish: func(m *wt.Module) {
		for range 600_000 {
			m.Data(0, nil)
		}
	}}
	startSpin := wt.Plugin{Finish: func(m *wt.Module) { m.Start(m.Func("", nil, nil, nil, spin)) }}
	startTrap := wt.Plugin{Finish: func(m *wt.Module) { m.Start(m.Func("", nil, nil, nil, trap)) }}
	// buffers that move at the second question
	moving := wt.Plugin{
		BuffersBody: wt.Code(wt.I32Const(wt.Table), wt.I32Const(wt.Table), wt.Load32(0), wt.I32Const(8), wt.Op(wt.I32Add), wt.Store32(0), wt.I32Const(wt.Table)),
		Buffers:     []uint32{wt.In - 64, wt.Cap, wt.Out, wt.Cap},
	}
	buf := func(w ...uint32) []byte { return pl(wt.Plugin{Buffers: w}) }
	for name, c := range map[string]struct {
		wasm []byte
		kind error
		say  string
	}{
		"nothing":             {nil, ErrRefused, "not a WebAssembly module"},
		"text":                {[]byte("hello, world"), ErrRefused, "not a WebAssembly module"},
		"empty module":        {[]byte("\x00asm\x01\x00\x00\x00"), ErrRefused, "memory"},
		"unknown import":      {imports("env", "system", i32, i32), ErrRefused, `"env"."system"`},
		"unknown host import": {imports("sallyport", "exec", i32, i32), ErrRefused, `"sallyport"."exec"`},
		"our own import":      {imports("sallyport_meter", "refill", i32, nil), ErrRefused, "refill"},
		"unknown WASI":        {imports("wasi_snapshot_preview1", "sock_open", i32, i32), ErrRefused, "sock_open"},
		"import type":         {imports("sallyport", "log", i32, nil), ErrRefused, "(i32 i32) -> ()"},
		"no abi":              {pl(wt.Plugin{Skip: map[string]bool{"sallyport_abi": true}}), ErrRefused, "sallyport_abi"},
		"no data":             {pl(wt.Plugin{Skip: map[string]bool{"sallyport_data": true}}), ErrRefused, "sallyport_data"},
		"data of two":         {pl(sigs("sallyport_data", []byte{wt.I32, wt.I32}, i32)), ErrRefused, "(i32 i32 i32) -> (i32)"},
		"event of i64":        {pl(sigs("sallyport_event", []byte{wt.I64}, i32)), ErrRefused, "sallyport_event"},
		"other version":       {pl(wt.Plugin{ABI: wt.I32Const(7)}), ErrRefused, "version 7"},
		"no manifest":         {pl(wt.Plugin{Manifest: "name: test"}), ErrRefused, "JSON"},
		"initialize spins":    {pl(wt.Plugin{Init: spin}), ErrFuel, "_initialize"},
		"initialize traps":    {pl(wt.Plugin{Init: trap}), ErrTrap, "_initialize"},
		"start spins":         {pl(startSpin), ErrFuel, "start function"},
		"start traps":         {pl(startTrap), ErrTrap, "start function"},
		"describe spins":      {pl(wt.Plugin{Describe: wt.Code(spin, zero)}), ErrFuel, "sallyport_describe"},
		"describe lies":       {pl(wt.Plugin{Describe: wt.I32Const(wt.Cap + 1)}), ErrBadOutput, "sallyport_describe"},
		"describe negative":   {pl(wt.Plugin{Describe: wt.I32Const(-1)}), ErrBadOutput, "sallyport_describe"},
		"buffers nowhere":     {pl(wt.Plugin{BuffersBody: wt.I32Const(-4)}), ErrBadOutput, "outside"},
		"in outside":          {buf(wt.BasePages<<16-100, wt.Cap, wt.Out, wt.Cap), ErrBadOutput, "outside"},
		"out outside":         {buf(wt.In, wt.Cap, 0xffffff00, wt.Cap), ErrBadOutput, "outside"},
		"huge capacity":       {buf(wt.In, 0xffffffff, wt.Out, wt.Cap), ErrBadOutput, "outside"},
		"small in":            {buf(wt.In, wt.Cap-1, wt.Out, wt.Cap), ErrBadOutput, "64 KiB"},
		"overlap":             {buf(wt.In, wt.Cap, wt.In+100, wt.Cap), ErrBadOutput, "overlap"},
		"moving buffers":      {pl(moving), ErrBadOutput, "moved"},
		"data segments":       {pl(segments), ErrRefused, "data segments"},
		"huge memory":         {pl(wt.Plugin{Pages: 65536}), ErrRefused, "limit"},
		"huge table":          {pl(wt.Plugin{Finish: func(m *wt.Module) { m.Table(1 << 30) }}), ErrRefused, "limit"},
		"not valid":           {pl(wt.Plugin{Data: wt.F32Const()}), ErrRefused, "not valid"},
		"configure spins":     {pl(wt.Plugin{Configure: wt.Code(spin, zero)}), ErrFuel, "sallyport_configure"},
		"configure traps":     {pl(wt.Plugin{Configure: trap}), ErrTrap, "sallyport_configure"},
		"configure lies":      {pl(wt.Plugin{Configure: wt.I32Const(-wt.Cap - 1)}), ErrBadOutput, "sallyport_configure"},
		"configure lies most": {pl(wt.Plugin{Configure: wt.I32Const(-1 << 31)}), ErrBadOutput, "sallyport_configure"},
	} {
		t.Run(name, func(t *testing.T) {
			modes(t, func(t *testing.T, opt Options) {
				e := newEngine(t, small(opt))
				p, err := e.Load(t.Context(), "test", c.wasm)
				if err == nil {
					defer p.Close()
					_, err = p.Configure(t.Context(), nil)
				}
				wantKind(t, err, c.kind, c.say)
				mustData(t, start(t, template(t, load(t, e, "good", wt.Plugin{}.Build()), "")), "x", "x")
			})
		})
	}
}

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
