package rewrite_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

var i32 = []byte{wt.I32}

// oneFunc is a module with a memory, a table, a passive segment and one function "f" of i32 to i32.
func oneFunc(code ...[]byte) []byte {
	m := &wt.Module{}
	m.Memory(1)
	m.Table(4)
	m.Passive([]byte("passive"))
	m.Func("f", i32, i32, i32, code...)
	return m.Bytes()
}

// with builds a module and changes it.
func with(f func(m *wt.Module)) []byte {
	m := &wt.Module{}
	f(m)
	return m.Bytes()
}

func TestRefused(t *testing.T) {
	lim := rewrite.DefaultLimits()
	ok := wt.Get(0)
	many := func(n int, b []byte) []byte { return bytes.Repeat(b, n) }
	for name, c := range map[string]struct {
		wasm, twin []byte // the twin is accepted
		say        string
	}{
		"empty":             {nil, oneFunc(ok), "not a WebAssembly module"},
		"component":         {[]byte("\x00asm\x0d\x00\x01\x00"), oneFunc(ok), "core module"},
		"sections twice":    {wt.Section(oneFunc(ok), 11, []byte{0}), oneFunc(ok), "out of order"},
		"tag section":       {wt.Section(oneFunc(ok), 13, []byte{0}), oneFunc(ok), "not supported"},
		"long section":      {append(oneFunc(ok), 0, 100), oneFunc(ok), "left"},
		"table.grow":        {oneFunc([]byte{0xd0, wt.FuncRef}, wt.Get(0), []byte{0xfc, 15, 0}), oneFunc([]byte{0xfc, 16, 0}), "table.grow"},
		"tail call":         {oneFunc(wt.Get(0), []byte{0x12, 0}), oneFunc(wt.Get(0), wt.Call(0)), "not supported"},
		"throw":             {oneFunc([]byte{0x08, 0}), oneFunc(wt.Op(wt.Unreachable)), "exception handling"},
		"try_table":         {oneFunc([]byte{0x1f, 0x40, 0, wt.End}), oneFunc(wt.Block(), ok), "not supported"},
		"atomics":           {oneFunc([]byte{0xfe, 0, 2, 0}), oneFunc(ok), "not supported"},
		"unknown":           {oneFunc([]byte{0xf0}), oneFunc(ok), "not supported"},
		"second memory":     {with(func(m *wt.Module) { m.Memory(1); m.MemoryRaw([]byte{0, 1}) }), with(func(m *wt.Module) { m.Memory(1) }), "memories"},
		"shared memory":     {with(func(m *wt.Module) { m.MemoryRaw([]byte{3, 1, 2}) }), with(func(m *wt.Module) { m.MemoryRaw([]byte{1, 1, 2}) }), "shared"},
		"64-bit memory":     {with(func(m *wt.Module) { m.MemoryRaw([]byte{4, 1}) }), with(func(m *wt.Module) { m.MemoryRaw([]byte{0, 1}) }), "64-bit"},
		"huge memory":       {with(func(m *wt.Module) { m.Memory(lim.MemoryPages + 1) }), with(func(m *wt.Module) { m.Memory(lim.MemoryPages) }), "limit"},
		"imported memory":   {with(func(m *wt.Module) { m.ImportRaw("a", "b", []byte{2, 0, 1}) }), with(func(m *wt.Module) { m.Import("a", "b", nil, nil) }), "only functions"},
		"imported table":    {with(func(m *wt.Module) { m.ImportRaw("a", "b", []byte{1, 0x70, 0, 1}) }), with(func(m *wt.Module) { m.Import("a", "b", nil, nil) }), "only functions"},
		"imported global":   {with(func(m *wt.Module) { m.ImportRaw("a", "b", []byte{3, 0x7f, 0}) }), with(func(m *wt.Module) { m.Import("a", "b", nil, nil) }), "only functions"},
		"huge table":        {with(func(m *wt.Module) { m.Table(lim.TableSize + 1) }), with(func(m *wt.Module) { m.Table(lim.TableSize) }), "limit"},
		"extern table":      {with(func(m *wt.Module) { wt.Code(); m.Global(0x6f, false, []byte{0xd0, 0x6f}) }), with(func(m *wt.Module) { m.Global(0x70, false, []byte{0xd0, 0x70}) }), "not supported"},
		"reference global":  {with(func(m *wt.Module) { m.Global(0x70, true, []byte{0xd0, 0x70}) }), with(func(m *wt.Module) { m.Global(0x70, false, []byte{0xd0, 0x70}) }), "restore"},
		"vector global":     {with(func(m *wt.Module) { m.Global(wt.V128, true, append([]byte{0xfd, 12}, make([]byte, 16)...)) }), with(func(m *wt.Module) { m.Global(wt.I32, true, wt.I32Const(1)) }), "restore"},
		"our fuel":          {oneFunc(wt.I64Const(1<<50), wt.GlobalSet(0), ok), oneFunc(ok), "global 0 does not exist"},
		"our stack":         {oneFunc(wt.I32Const(1<<30), wt.GlobalSet(1), ok), oneFunc(ok), "global 1 does not exist"},
		"our function":      {oneFunc(wt.I32Const(0), wt.Call(1), ok), oneFunc(wt.I32Const(0), wt.Call(0)), "function 1 does not exist"},
		"our local":         {oneFunc(wt.I32Const(0), wt.I32Const(0), wt.I32Const(0), wt.MemoryCopy(), wt.Get(2)), oneFunc(wt.I32Const(0), wt.I32Const(0), wt.I32Const(0), wt.MemoryCopy(), wt.Get(1)), "local 2 does not exist"},
		"our type":          {oneFunc(wt.I32Const(1), wt.I32Const(0), wt.CallIndirect(1)), oneFunc(wt.I32Const(1), wt.I32Const(0), wt.CallIndirect(0)), "type 1 does not exist"},
		"our block":         {oneFunc(wt.Get(0), wt.Call(0), wt.Br(1)), oneFunc(wt.Get(0), wt.Call(0), wt.Br(0)), "label 1 does not exist"},
		"our export":        {with(func(m *wt.Module) { m.Func(rewrite.FuelGlobal, nil, nil, nil) }), with(func(m *wt.Module) { m.Func("fuel", nil, nil, nil) }), "the host's"},
		"export twice":      {with(func(m *wt.Module) { m.Func("a", nil, nil, nil); m.Export("a", 0, 0) }), with(func(m *wt.Module) { m.Func("a", nil, nil, nil); m.Export("b", 0, 0) }), "twice"},
		"data outside":      {with(func(m *wt.Module) { m.Memory(1); m.Data(65535, []byte("xx")) }), with(func(m *wt.Module) { m.Memory(1); m.Data(65535, []byte("x")) }), "outside"},
		"data without":      {with(func(m *wt.Module) { m.Data(0, nil) }), with(func(m *wt.Module) { m.Memory(1); m.Data(0, nil) }), "does not exist"},
		"function body end": {with(func(m *wt.Module) { m.FuncRaw("", nil, nil, []byte{0}) }), with(func(m *wt.Module) { m.FuncRaw("", nil, nil, []byte{0, wt.End}) }), "end"},
		"code after end":    {with(func(m *wt.Module) { m.FuncRaw("", nil, nil, []byte{0, wt.End, wt.End}) }), with(func(m *wt.Module) { m.FuncRaw("", nil, nil, []byte{0, wt.Nop, wt.End}) }), "longer"},
		"else without if":   {oneFunc(wt.Op(wt.Else)), oneFunc(ok), "else"},
		"many locals": {with(func(m *wt.Module) {
			m.FuncRaw("", nil, nil, append(append([]byte{1}, wt.U(uint32(lim.Locals)+1)...), wt.I32, wt.End))
		}), with(func(m *wt.Module) {
			m.FuncRaw("", nil, nil, append(append([]byte{1}, wt.U(uint32(lim.Locals))...), wt.I32, wt.End))
		}), "locals"},
		"billions of them": {with(func(m *wt.Module) {
			m.FuncRaw("", nil, nil, []byte{2, 0xff, 0xff, 0xff, 0xff, 0x0f, wt.I32, 0xff, 0xff, 0xff, 0xff, 0x0f, wt.I32, wt.End})
		}), with(func(m *wt.Module) { m.FuncRaw("", nil, nil, []byte{2, 1, wt.I32, 1, wt.I32, wt.End}) }), "locals"},
		"deep nesting":    {oneFunc(many(lim.Nesting+1, []byte{2, 0x40}), many(lim.Nesting+1, []byte{wt.End}), ok), oneFunc(many(1000, []byte{2, 0x40}), many(1000, []byte{wt.End}), ok), "blocks inside"},
		"long br_table":   {oneFunc([]byte{2, 0x40}, wt.Get(0), []byte{0x0e}, wt.U(uint32(lim.Targets+1)), make([]byte, lim.Targets+2), []byte{wt.End}, ok), oneFunc([]byte{2, 0x40}, wt.Get(0), []byte{0x0e}, wt.U(100), make([]byte, 101), []byte{wt.End}, ok), "targets"},
		"long function":   {oneFunc(many(lim.Body, wt.Op(wt.Nop)), ok), oneFunc(many(10000, wt.Op(wt.Nop)), ok), "bytes, the limit"},
		"many parameters": {with(func(m *wt.Module) { m.Type(many(lim.Params+1, i32), nil) }), with(func(m *wt.Module) { m.Type(many(lim.Params, i32), nil) }), "limit"},
		"costly blocks": {with(func(m *wt.Module) {
			m.FuncRaw("", nil, nil, slices.Concat([]byte{1}, wt.U(3000), i32, many(2000, wt.Block()), []byte{wt.End}))
		}), with(func(m *wt.Module) {
			m.FuncRaw("", nil, nil, slices.Concat([]byte{1}, wt.U(30), i32, many(2000, wt.Block()), []byte{wt.End}))
		}), "costly"},
		"costly loops": {with(func(m *wt.Module) {
			m.FuncRaw("", nil, nil, slices.Concat([]byte{1}, wt.U(100), i32, many(300, []byte{3, 0x40}), many(300, wt.Op(wt.End)), []byte{wt.End}))
		}), with(func(m *wt.Module) {
			m.FuncRaw("", nil, nil, slices.Concat([]byte{1}, wt.U(100), i32, many(30, []byte{3, 0x40}), many(30, wt.Op(wt.End)), []byte{wt.End}))
		}), "costly"},
		"costly stack": {oneFunc(many(2000, wt.Get(0)), many(1000, wt.Block()), many(1999, wt.Op(wt.I32Add))),
			oneFunc(many(200, wt.Get(0)), many(1000, wt.Block()), many(199, wt.Op(wt.I32Add))), "costly"},
		"high stack": {oneFunc(many(lim.Height+1, wt.Get(0)), many(lim.Height, wt.Op(wt.I32Add))),
			oneFunc(many(lim.Height, wt.Get(0)), many(lim.Height-1, wt.Op(wt.I32Add))), "operand stack"},
		"costly together": {with(func(m *wt.Module) {
			for range 30 {
				m.FuncRaw("", nil, nil, slices.Concat([]byte{1}, wt.U(500), i32, many(1000, wt.Block()), []byte{wt.End}))
			}
		}), with(func(m *wt.Module) {
			for range 30 {
				m.FuncRaw("", nil, nil, slices.Concat([]byte{1}, wt.U(5), i32, many(1000, wt.Block()), []byte{wt.End}))
			}
		}), "bytes of code are too costly"},
		"start with result": {with(func(m *wt.Module) { m.Start(m.Func("", nil, i32, nil, wt.I32Const(1))) }), with(func(m *wt.Module) { m.Start(m.Func("", nil, nil, nil)) }), "start function"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rewrite.Rewrite(c.wasm, lim)
			var e *rewrite.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.say) {
				t.Errorf("got %v, want %q", err, c.say)
			}
			if _, err := rewrite.Rewrite(c.twin, lim); err != nil {
				t.Errorf("the harmless twin is refused: %v", err)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	lim := rewrite.DefaultLimits()
	lim.Functions, lim.Types, lim.Imports, lim.Exports, lim.Globals, lim.Segments, lim.Customs, lim.Size = 3, 8, 3, 4, 3, 3, 3, 100_000
	build := func(n int, what string) []byte {
		return with(func(m *wt.Module) {
			m.Memory(1)
			for k := range n {
				switch what {
				case "functions":
					m.Func("", nil, nil, nil)
				case "types":
					m.Type(nil, nil)
					m.Type(nil, nil)
					m.Type(nil, nil)
				case "imports":
					m.Import("m", "f", nil, nil)
				case "exports":
					m.Export(strings.Repeat("e", k+1), 2, 0)
				case "globals":
					m.Global(wt.I32, false, wt.I32Const(0))
				case "data segments":
					m.Data(0, nil)
				case "custom sections":
					m.Custom("x", nil)
				case "module of":
					m.Custom("x", make([]byte, 30_000))
				}
			}
		})
	}
	for _, what := range []string{"functions", "types", "imports", "exports", "globals", "data segments", "custom sections", "module of"} {
		if _, err := rewrite.Rewrite(build(4, what), lim); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("4 %s: %v", what, err)
		}
		if _, err := rewrite.Rewrite(build(2, what), lim); err != nil {
			t.Errorf("2 %s: %v", what, err)
		}
	}
}

func TestResettable(t *testing.T) {
	null := []byte{0xd0, wt.FuncRef}
	z := wt.I32Const(0)
	for name, c := range map[string]struct {
		code []byte
		want bool
	}{
		"plain":       {nil, true},
		"memory.init": {wt.Code(z, z, z, wt.MemoryInit(0)), true},
		"table.get":   {wt.Code(z, []byte{0x25, 0}, wt.Op(wt.Drop)), true},
		"table.set":   {wt.Code(z, null, []byte{0x26, 0}), false},
		"table.fill":  {wt.Code(z, null, z, []byte{0xfc, 17, 0}), false},
		"table.copy":  {wt.Code(z, z, z, []byte{0xfc, 14, 0, 0}), false},
		"data.drop":   {[]byte{0xfc, 9, 0}, false},
	} {
		m, err := rewrite.Rewrite(oneFunc(c.code, wt.Get(0)), rewrite.DefaultLimits())
		if err != nil || m.Resettable != c.want {
			t.Errorf("%s: %v, resettable %v", name, err, m != nil && m.Resettable)
		}
	}
}

// TestEndless has everything that could run for ever or deep, under a small budget.
func TestEndless(t *testing.T) {
	z := wt.I32Const(0)
	for name, c := range map[string]struct {
		code []byte
		stop string
	}{
		"loop":            {wt.Code(wt.Loop(wt.Br(0)), z), "fuel"},
		"loop in a block": {wt.Code(wt.Block(wt.Loop(wt.Get(0), wt.BrIf(1), wt.Br(0))), z), "fuel"},
		"recursion":       {wt.Code(z, wt.Call(0)), "stack"},
		"two for one":     {wt.Code(wt.Get(0), wt.I32Const(40), wt.Op(0x48), wt.If(wt.Get(0), wt.I32Const(1), wt.Op(wt.I32Add), wt.Call(0), wt.Op(wt.Drop), wt.Get(0), wt.I32Const(1), wt.Op(wt.I32Add), wt.Call(0), wt.Op(wt.Drop)), z), "fuel"},
		"copies":          {wt.Code(wt.Loop(z, z, wt.I32Const(60000), wt.MemoryCopy(), wt.Br(0)), z), "fuel"},
		"one long fill":   {wt.Code(z, z, wt.I32Const(-1), wt.MemoryFill(), z), "fuel"},
		"growing":         {wt.Code(wt.Loop(z, wt.MemoryGrow(), wt.Op(wt.Drop), wt.Br(0)), z), "fuel"},
	} {
		t.Run(name, func(t *testing.T) {
			b := runMetered(t, oneFunc(c.code))
			b.budget = 2_000_000
			_, err := b.inst.ExportedFunction("f").Call(t.Context(), 0)
			if err == nil || !strings.Contains(err.Error(), c.stop) {
				t.Errorf("got %v, want %q", err, c.stop)
			}
		})
	}
}

// seeds are modules for the fuzzer.
func seeds() [][]byte {
	return [][]byte{
		wt.Plugin{}.Build(), wt.Companion{}.Build(), exits(), oneFunc(wt.Get(0)),
		oneFunc(wt.Loop(wt.Get(0), wt.BrIf(0)), wt.Get(0), wt.Call(0)),
		with(func(m *wt.Module) {
			m.Memory(1, 2)
			m.Table(3)
			f := m.Import("m", "f", i32, i32)
			m.Global(wt.I64, true, wt.I64Const(-5))
			m.Global(0x70, false, append([]byte{0xd2}, wt.U(f)...))
			g := m.Func("g", nil, nil, []byte{wt.F64, wt.V128}, wt.I32Const(1), wt.Call(f), wt.Op(wt.Drop))
			m.Elem(0, f, g)
			m.Start(g)
			m.Passive([]byte("x"))
			m.Data(3, []byte("y"))
			m.Custom("other", []byte("z"))
		}),
	}
}

// FuzzRewrite checks that the rewriter never panics and never turns an invalid module into a valid one, nor a valid one into an
// invalid one.
func FuzzRewrite(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s)
	}
	lim := rewrite.DefaultLimits()
	lim.Work, lim.MemoryPages = 1<<16, 16
	f.Fuzz(func(t *testing.T, wasm []byte) {
		m, err := rewrite.Rewrite(wasm, lim)
		if err != nil {
			if !rewrite.IsRefused(err) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		ctx := context.Background()
		rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
		defer rt.Close(ctx)
		_, before := rt.CompileModule(ctx, wasm)
		_, after := rt.CompileModule(ctx, m.Wasm)
		if before != nil && strings.Contains(before.Error(), "custom") {
			return // names and debug information, which are taken out
		}
		if (before == nil) != (after == nil) {
			t.Fatalf("original: %v; rewritten: %v", before, after)
		}
	})
}

func TestTruncated(t *testing.T) {
	for _, s := range seeds() {
		for n := range s {
			if _, err := rewrite.Rewrite(s[:n], rewrite.DefaultLimits()); err != nil && !rewrite.IsRefused(err) {
				t.Fatalf("cut at %d: %v", n, err)
			}
		}
	}
}
