package hostile

import (
	"slices"

	"github.com/sallyport-dev/sallyport/host/guest"
	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// starters are modules that turn bad while they are loaded or configured.
func starters() []Module {
	pl := func(p wt.Plugin) []byte { return p.Build() }
	start := func(code ...[]byte) []byte {
		return with(func(m *wt.Module) { m.Start(m.Func("", nil, nil, nil, code...)) })
	}
	words := func(w ...uint32) []byte { return pl(wt.Plugin{Buffers: w}) }
	// buffers that move at the second question
	moving := wt.Plugin{
		BuffersBody: wt.Code(wt.I32Const(wt.Table), wt.I32Const(wt.Table), wt.Load32(0), wt.I32Const(8), wt.Op(wt.I32Add), wt.Store32(0), wt.I32Const(wt.Table)),
		Buffers:     []uint32{wt.In - 64, wt.Cap, wt.Out, wt.Cap},
	}
	return slices.Concat(
		list(AtStart, guest.ErrFuel, map[string]entry{
			"spins in the start function": {start(spin), "start function"},
			"spins in _initialize":        {pl(wt.Plugin{Init: spin}), "_initialize"},
			"spins in describe":           {pl(wt.Plugin{Describe: wt.Code(spin, zero)}), "sallyport_describe"},
		}),
		list(AtStart, guest.ErrTrap, map[string]entry{
			"traps in the start function": {start(trap), "start function"},
			"traps in _initialize":        {pl(wt.Plugin{Init: trap}), "_initialize"},
		}),
		list(AtStart, guest.ErrBadOutput, map[string]entry{
			"describes beyond its buffer": {pl(wt.Plugin{Describe: wt.I32Const(wt.Cap + 1)}), "sallyport_describe"},
			"describes less than nothing": {pl(wt.Plugin{Describe: wt.I32Const(-1)}), "sallyport_describe"},
			"buffers nowhere":             {pl(wt.Plugin{BuffersBody: wt.I32Const(-4)}), "outside"},
			"in buffer outside":           {words(wt.BasePages<<16-100, wt.Cap, wt.Out, wt.Cap), "outside"},
			"out buffer outside":          {words(wt.In, wt.Cap, 0xffffff00, wt.Cap), "outside"},
			"in buffer of 4 GiB":          {words(wt.In, 0xffffffff, wt.Out, wt.Cap), "outside"},
			"in buffer too small":         {words(wt.In, wt.Cap-1, wt.Out, wt.Cap), "64 KiB"},
			"buffers on each other":       {words(wt.In, wt.Cap, wt.In+100, wt.Cap), "overlap"},
			"buffers that move":           {pl(moving), "moved"},
		}),
		list(AtConfigure, guest.ErrFuel, map[string]entry{
			"spins in configure": {pl(wt.Plugin{Configure: wt.Code(spin, zero)}), "sallyport_configure"},
		}),
		list(AtConfigure, guest.ErrTrap, map[string]entry{
			"traps in configure": {pl(wt.Plugin{Configure: trap}), "sallyport_configure"},
		}),
		list(AtConfigure, guest.ErrBadOutput, map[string]entry{
			"an error beyond its buffer": {pl(wt.Plugin{Configure: wt.I32Const(-wt.Cap - 1)}), "sallyport_configure"},
			"an error of 2 GiB":          {pl(wt.Plugin{Configure: wt.I32Const(-1 << 31)}), "sallyport_configure"},
		}),
	)
}

// callers are modules that load and turn bad when they are called.
func callers() []Module {
	pl := func(p wt.Plugin) []byte { return p.Build() }
	data := func(code ...[]byte) []byte { return pl(wt.Plugin{Locals: i32, Data: wt.Code(code...)}) }
	recursive := func(code ...[]byte) []byte {
		return pl(wt.Plugin{
			Prepare: func(m *wt.Module) { m.Func("", nil, nil, []byte{wt.I64}, wt.Code(code...), wt.Call(0)) },
			Data:    wt.Code(wt.Call(0), zero),
		})
	}
	mutual := pl(wt.Plugin{
		Prepare: func(m *wt.Module) {
			m.Table(2)
			t := m.Type(nil, nil)
			a := m.Func("", nil, nil, nil, wt.I32Const(1), wt.CallIndirect(t))
			b := m.Func("", nil, nil, nil, zero, wt.CallIndirect(t))
			m.Elem(0, a, b)
		},
		Data: wt.Code(wt.Call(0), zero),
	})
	grow := func(pages int32) []byte { return wt.Code(wt.I32Const(pages), wt.MemoryGrow()) }
	logging := pl(wt.Plugin{
		Prepare: func(m *wt.Module) { m.Import("sallyport", "log", []byte{wt.I32, wt.I32}, nil) },
		Data:    wt.Code(wt.Loop(wt.I32Const(wt.In), wt.I32Const(1000), wt.Call(0), wt.Br(0)), zero),
	})
	exit := pl(wt.Plugin{
		Prepare: func(m *wt.Module) { m.Import("wasi_snapshot_preview1", "proc_exit", i32, nil) },
		Data:    wt.Code(zero, wt.Call(0), zero),
	})
	wild := pl(wt.Plugin{
		Prepare: func(m *wt.Module) { m.Import("sallyport", "log", []byte{wt.I32, wt.I32}, nil) },
		Data:    wt.Code(wt.I32Const(-16), wt.I32Const(0x7fffffff), wt.Call(0), zero),
	})
	return slices.Concat(
		list(AtCall, guest.ErrFuel, map[string]entry{
			"spins in open":            {pl(wt.Plugin{Open: wt.Code(spin, zero)}), "sallyport_open"},
			"spins in data":            {data(spin, zero), "sallyport_data"},
			"spins in event":           {pl(wt.Plugin{Event: wt.Code(spin, zero)}), "sallyport_event"},
			"spins in a switch":        {data(wt.Loop(wt.Block(wt.Block(zero, []byte{0x0e, 1, 0, 1}), wt.Br(1)), wt.Br(0)), zero), "sallyport_data"},
			"spins in a switch's loop": {data(wt.Loop(wt.Block(zero, []byte{0x0e, 1, 1, 1})), zero), "sallyport_data"},
			"fills memory for ever":    {data(wt.Loop(zero, zero, wt.I32Const(0x40000), wt.MemoryFill(), wt.Br(0)), zero), "sallyport_data"},
			"copies memory for ever":   {data(wt.Loop(wt.I32Const(1), zero, wt.I32Const(0x3ffff), wt.MemoryCopy(), wt.Br(0)), zero), "sallyport_data"},
			"divides for ever":         {data(wt.Loop(wt.I32Const(-1), wt.I32Const(3), wt.Op(0x6e), wt.Set(3), wt.Br(0)), zero), "sallyport_data"},
			"grows by nothing":         {data(wt.Loop(grow(0), wt.Op(wt.Drop), wt.Br(0)), zero), "sallyport_data"},
			"logs for ever":            {logging, "sallyport_data"},
			"more and more":            {pl(wt.Plugin{Data: wt.I32Const(-1 << 31), Event: wt.I32Const(-1 << 31)}), ""},
		}),
		list(AtCall, guest.ErrStack, map[string]entry{
			"calls itself":             {recursive(), ""},
			"calls itself, with loops": {recursive(wt.Loop()), ""},
			"calls its other":          {mutual, ""},
		}),
		list(AtCall, guest.ErrMemory, map[string]entry{
			"takes memory page by page": {data(wt.Loop(grow(1), wt.I32Const(-1), wt.Op(wt.I32Ne), wt.BrIf(0)), trap), ""},
			"takes memory at once":      {data(grow(1000), wt.Op(wt.Drop), trap), ""},
		}),
		list(AtCall, guest.ErrTrap, map[string]entry{
			"traps in open":     {pl(wt.Plugin{Open: trap}), "sallyport_open"},
			"traps in data":     {data(trap), "sallyport_data"},
			"traps in event":    {pl(wt.Plugin{Event: trap}), "sallyport_event"},
			"divides by zero":   {data(zero, zero, wt.Op(0x6e)), "sallyport_data"},
			"reads outside":     {data(wt.I32Const(-8), wt.Load32(0)), "sallyport_data"},
			"writes outside":    {data(wt.I32Const(-8), zero, wt.Store32(0), zero), "sallyport_data"},
			"destroys itself":   {data(zero, wt.I32Const(255), wt.I32Const(0x40000), wt.MemoryFill(), trap), "sallyport_data"},
			"calls what is not": {pl(wt.Plugin{Finish: func(m *wt.Module) { m.Table(1) }, Data: wt.Code(wt.I32Const(7), wt.CallIndirect(0), zero)}), "sallyport_data"},
		}),
		list(AtCall, guest.ErrExit, map[string]entry{"exits": {exit, "code 0"}}),
		list(AtCall, guest.ErrBadOutput, map[string]entry{
			"answers beyond its buffer": {data(wt.I32Const(wt.Cap + 1)), "sallyport_data"},
			"answers 2 GiB":             {data(wt.I32Const(0x7fffffff)), "sallyport_data"},
			"answers less than nothing": {data(wt.I32Const(-1)), "sallyport_data"},
			"lies in open":              {pl(wt.Plugin{Open: wt.I32Const(wt.Cap + 1)}), "sallyport_open"},
			"lies in event":             {pl(wt.Plugin{Event: wt.I32Const(wt.Cap + 1)}), "sallyport_event"},
			"logs what is not its own":  {wild, "outside"},
		}),
	)
}

// companions are plugins whose companion turns bad, or that use it badly.
func companions() []Module {
	call := func(companion wt.Companion, args ...[]byte) []byte {
		if args == nil {
			args = [][]byte{zero, wt.I32Const(wt.In), wt.Get(1), wt.I32Const(wt.Out), wt.I32Const(wt.Cap)}
		}
		p := wt.Plugin{
			Manifest: `{"name":"test","companions":[{"name":"c"}]}`,
			Prepare: func(m *wt.Module) {
				m.Import("sallyport", "call", []byte{wt.I32, wt.I32, wt.I32, wt.I32, wt.I32}, i32)
			},
			Data: wt.Code(wt.Loop(wt.Code(args...), wt.Call(0), wt.Op(wt.Drop), wt.Br(0)), zero),
		}.Build()
		return wt.WithCompanion(p, "c", companion.Build())
	}
	c := wt.I32Const
	return slices.Concat(
		list(AtStart, guest.ErrFuel, map[string]entry{
			"a companion that spins at first": {call(wt.Companion{Warm: spin}), "sallyport_warm"},
		}),
		list(AtStart, guest.ErrRefused, map[string]entry{
			"a companion that wants files": {call(wt.Companion{Prepare: func(m *wt.Module) { m.Import("env", "open", nil, nil) }}), `"env"."open"`},
		}),
		list(AtCall, guest.ErrFuel, map[string]entry{
			"a companion that spins":         {call(wt.Companion{Call: wt.Code(spin, zero)}), ""},
			"a companion that always traps":  {call(wt.Companion{Call: trap}), ""},
			"a companion called for ever":    {call(wt.Companion{}), ""},
			"a companion that takes memory":  {call(wt.Companion{Call: wt.Code(c(1), wt.MemoryGrow(), wt.Op(wt.Drop), zero)}), ""},
			"a companion with lying lengths": {call(wt.Companion{Call: c(0x7fffffff)}), ""},
		}),
		list(AtCall, guest.ErrBadOutput, map[string]entry{
			"calls a companion that is not": {call(wt.Companion{}, c(1), zero, zero, zero, zero), "companion 1"},
			"gives a companion what is not": {call(wt.Companion{}, zero, c(-16), c(64), zero, zero), "outside"},
			"wants the answer elsewhere":    {call(wt.Companion{}, zero, zero, zero, c(-16), c(0x7fffffff)), "outside"},
		}),
	)
}
