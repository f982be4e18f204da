package rewrite_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// generator writes a random module that is valid and comes to an end: every function and every turn of a loop takes one from the
// module's own global 0, and traps when there is nothing left. What it computes is kept in its memory, in global 1 and in its results.
type generator struct {
	*rand.Rand
	funcs int // functions, all of (i32 i32) -> (i32)
	typ   uint32
	table bool
	room  int // statements and expressions that may still be written
	open  int // blocks around the present place, the function not counted
}

// Locals of every function, behind its two parameters.
const (
	firstLocal = 2
	i32Locals  = 4
	wideLocal  = firstLocal + i32Locals
	floatLocal = wideLocal + 1
)

// randomModule writes a module with the functions "f0", "f1" and so on.
func randomModule(seed1, seed2 uint64) []byte {
	g := &generator{Rand: rand.New(rand.NewPCG(seed1, seed2)), room: 400}
	m := &wt.Module{}
	m.Memory(1, 3)
	m.Global(wt.I32, true, wt.I32Const(300))
	m.Global(wt.I32, true, wt.I32Const(int32(g.Uint32())))
	m.Data(int32(g.IntN(1000)), []byte("some text to begin with"))
	two := []byte{wt.I32, wt.I32}
	g.typ = m.Type(two, i32)
	g.funcs = 1 + g.IntN(5)
	if g.table = g.IntN(3) > 0; g.table {
		m.Table(8)
		var fs []uint32
		for range 1 + g.IntN(6) {
			fs = append(fs, uint32(g.IntN(g.funcs)))
		}
		m.Elem(int32(g.IntN(8-len(fs))), fs...)
		if g.IntN(4) == 0 { // a table that cannot be replaced
			m.Func("", nil, nil, nil, []byte{0xfc, 16, 0}, wt.Op(wt.Drop))
			m.Func("", nil, nil, nil)
			g.funcs = 0 // the first functions are those
		}
	}
	n := max(g.funcs, 1)
	base := uint32(0)
	if g.table && g.funcs == 0 {
		base, n = 2, 4
	}
	g.funcs = n
	for k := range n {
		locals := slices.Concat(slices.Repeat(i32, i32Locals), []byte{wt.I64, wt.F64})
		g.room = 20 + g.IntN(200)
		m.Func("f"+string(rune('0'+k)), two, i32, locals, g.turn(), g.block(base, 3+g.IntN(8)), g.expr(base, 3))
	}
	return m.Bytes()
}

// turn takes one turn off, and ends the module where none is left.
func (g *generator) turn() []byte {
	return wt.Code(wt.GlobalGet(0), wt.I32Const(1), wt.Op(wt.I32Sub), wt.GlobalSet(0),
		wt.GlobalGet(0), wt.I32Const(0), wt.Op(0x48), wt.If(wt.Op(wt.Unreachable)))
}

func (g *generator) block(base uint32, n int) (b []byte) {
	for range n {
		b = wt.Code(b, g.statement(base))
	}
	return b
}

func (g *generator) inside(code func() []byte) []byte {
	g.open++
	defer func() { g.open-- }()
	return code()
}

func (g *generator) local() uint32 { return uint32(g.IntN(firstLocal + i32Locals)) }

func (g *generator) statement(base uint32) []byte {
	if g.room--; g.room < 0 {
		return wt.Op(wt.Nop)
	}
	e := func() []byte { return g.expr(base, 2) }
	some := func() []byte { return g.inside(func() []byte { return g.block(base, 1+g.IntN(4)) }) }
	address := func() []byte { return wt.Code(e(), wt.I32Const(0xfff), wt.Op(0x71)) }
	switch g.IntN(16) {
	case 0, 1:
		return wt.Code(e(), wt.Set(g.local()))
	case 2:
		return wt.Code(address(), e(), wt.Store32(uint32(g.IntN(100))))
	case 3:
		return wt.Code(e(), wt.GlobalSet(1))
	case 4:
		return wt.Code(e(), wt.If(some()))
	case 5:
		return wt.Code(e(), wt.If(some(), wt.Op(wt.Else), some()))
	case 6:
		return wt.Block(some())
	case 7, 8:
		return wt.Loop(g.inside(func() []byte {
			return wt.Code(g.turn(), g.block(base, 1+g.IntN(3)), e(), wt.BrIf(0))
		}))
	case 9, 10:
		return g.choice(base)
	case 11:
		if g.open > 0 {
			return wt.Code(e(), wt.BrIf(uint32(g.IntN(g.open))))
		}
		return wt.Code(e(), wt.If(e(), wt.Op(wt.Return)))
	case 12:
		return wt.Code(address(), address(), e(), wt.I32Const(0xff), wt.Op(0x71), wt.MemoryCopy())
	case 13:
		return wt.Code(address(), e(), e(), wt.I32Const(0xff), wt.Op(0x71), wt.MemoryFill())
	case 14:
		return wt.Code(wt.Get(wideLocal), e(), wt.Op(0xad), wt.I64Const(int64(g.Uint64())), wt.Op(0x7e, 0x7c), wt.Set(wideLocal))
	}
	return wt.Code(wt.Get(floatLocal), e(), wt.Op(0xb7, 0xa0), wt.Set(floatLocal))
}

// choice is a br_table in a loop, as a switch in a loop is compiled, and the code of stock Go.
func (g *generator) choice(base uint32) []byte {
	n := 1 + g.IntN(4)
	var head []byte
	labels := n // the cases
	if g.IntN(2) == 0 {
		head = g.turn()
		labels = n + 1 // and the loop's head, which takes a turn then
	}
	targets := wt.U(uint32(n))
	for range n + 1 {
		targets = append(targets, wt.U(uint32(g.IntN(labels)))...)
	}
	// loop, n blocks, br_table, and behind each block's end a case; label n is the loop itself
	g.open += n + 1
	body := wt.Code(wt.Get(g.local()), wt.I32Const(int32(n)), wt.Op(0x70), []byte{0x0e}, targets)
	if head == nil {
		body = wt.Code(wt.Get(2), []byte{0x0e}, targets)
	}
	for k := range n {
		g.open--
		body = wt.Code(bytesOf(0x02, 0x40), body, wt.Op(wt.End), g.turn(), g.block(base, g.IntN(3)))
		if g.IntN(2) == 0 {
			body = wt.Code(body, wt.Get(2), wt.I32Const(1), wt.Op(wt.I32Add), wt.Set(2), wt.GlobalGet(0), wt.I32Const(3), wt.Op(0x71), wt.BrIf(uint32(n-1-k)))
		}
	}
	g.open--
	return wt.Loop(head, body)
}

func bytesOf(b ...byte) []byte { return b }

func (g *generator) expr(base uint32, depth int) []byte {
	if g.room--; depth == 0 || g.room < 0 {
		if g.IntN(2) == 0 {
			return wt.I32Const(int32(g.Uint32()) >> g.IntN(32))
		}
		return wt.Get(g.local())
	}
	e := func() []byte { return g.expr(base, depth-1) }
	switch g.IntN(12) {
	case 0, 1, 2:
		ops := []byte{wt.I32Add, wt.I32Sub, wt.I32Mul, 0x71, 0x72, wt.I32Xor, 0x74, 0x75, 0x76, wt.I32Rotl, wt.I32LtU, 0x4a}
		return wt.Code(e(), e(), wt.Op(ops[g.IntN(len(ops))]))
	case 3:
		return wt.Code(e(), e(), wt.I32Const(1), wt.Op(0x72), wt.Op([]byte{0x6e, 0x6f, 0x70}[g.IntN(3)])) // division may overflow
	case 4:
		return wt.Code(e(), wt.I32Const(0xfff), wt.Op(0x71), wt.Load32(uint32(g.IntN(100))))
	case 5:
		return wt.Code(e(), e(), wt.Call(base+uint32(g.IntN(g.funcs))))
	case 6:
		if g.table {
			return wt.Code(e(), e(), e(), wt.I32Const(7), wt.Op(0x71), wt.CallIndirect(g.typ))
		}
		return wt.GlobalGet(1)
	case 7:
		return wt.Code(e(), e(), e(), wt.Op(0x1b)) // select
	case 8:
		return wt.Code(wt.Get(wideLocal), wt.Op(0xa7))
	case 9:
		return wt.Code(wt.Get(floatLocal), []byte{0xfc, 2})
	case 10:
		return wt.Code(bytesOf(0x02, wt.I32), g.inside(e), wt.Op(wt.End)) // a block with a result, which no branch goes to
	}
	return wt.Code(wt.I32Const(0), wt.MemoryGrow())
}

// same runs a random module as it is and rewritten.
func same(t *testing.T, seed1, seed2 uint64) {
	t.Helper()
	wasm := randomModule(seed1, seed2)
	rt := wazero.NewRuntime(t.Context())
	defer rt.Close(context.Background())
	if _, err := rt.CompileModule(t.Context(), wasm); err != nil {
		return // the generator does not know all about types
	}
	a, b := run(t, wasm), runMetered(t, wasm)
	for k := range 5 {
		name := "f" + string(rune('0'+k))
		if a.ExportedFunction(name) == nil {
			break
		}
		for _, arg := range []uint64{0, 1, seed1 & 0xffffffff} {
			compare(t, a, b, name, arg, seed2&0xffffffff)
		}
	}
	if t.Failed() {
		t.Fatalf("seeds %d %d: %x", seed1, seed2, wasm)
	}
}

// FuzzSame compares random modules with what they are rewritten to. Run as a test, it takes a few of them.
func FuzzSame(f *testing.F) {
	for k := range uint64(20) {
		f.Add(k, k*k)
	}
	f.Fuzz(same)
}

func TestSameAsOriginalRandom(t *testing.T) {
	valid := 0
	for k := range uint64(60) {
		same(t, 1000+k, k)
		rt := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
		if _, err := rt.CompileModule(t.Context(), randomModule(1000+k, k)); err == nil {
			valid++
		} else if k < 3 {
			t.Log(err)
		}
		rt.Close(context.Background())
	}
	if valid < 50 {
		t.Errorf("only %d of 60 modules were valid", valid)
	}
}

// TestSameAsOriginalTables has calls through tables of every kind that is replaced by code, and of those that stay.
func TestSameAsOriginalTables(t *testing.T) {
	build := func(keep bool) []byte {
		m := &wt.Module{}
		m.Memory(1)
		wide, wides := []byte{wt.I64, wt.F64}, []byte{wt.F64, wt.I64}
		one := m.Type(i32, i32)
		swap := m.Type(wide, wides)
		again := m.Type(i32, i32) // the same by structure
		none := m.Type(nil, nil)
		m.Table(12)
		m.Table(5)
		add := m.Func("", i32, i32, nil, wt.Get(0), wt.I32Const(1), wt.Op(wt.I32Add))
		twice := m.Func("", i32, i32, nil, wt.Get(0), wt.I32Const(2), wt.Op(wt.I32Mul))
		turn := m.Func("", wide, wides, nil, wt.Get(1), wt.Get(0))
		mark := m.Func("", nil, nil, nil, wt.I32Const(8), wt.I32Const(77), wt.Store32(0))
		traps := m.Func("", i32, i32, nil, wt.Op(wt.Unreachable))
		m.Elem(2, add, twice, turn, add)
		m.Elem(5, mark, traps, twice) // over the last of those
		m.ElemRaw(wt.Code([]byte{2, 1}, wt.I32Const(1), []byte{wt.End, 0, 2}, wt.U(twice), wt.U(add)))
		m.ElemRaw(wt.Code([]byte{4}, wt.I32Const(10), []byte{wt.End, 2, 0xd2}, wt.U(add), []byte{wt.End, 0xd0, wt.FuncRef, wt.End}))
		m.Export("table", 1, 0)
		m.Func("one", i32, i32, nil, wt.I32Const(20), wt.Get(0), wt.CallIndirect(one))
		m.Func("again", i32, i32, nil, wt.I32Const(20), wt.Get(0), wt.CallIndirect(again))
		m.Func("other", i32, i32, nil, wt.I32Const(20), wt.Get(0), []byte{0x11}, wt.U(one), []byte{1})
		m.Func("swap", i32, wides, nil, wt.I64Const(-9), []byte{0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, wt.Get(0), wt.CallIndirect(swap))
		m.Func("none", i32, i32, nil, wt.Get(0), wt.CallIndirect(none), wt.I32Const(8), wt.Load32(0))
		if keep {
			m.Func("keep", i32, i32, nil, wt.I32Const(3), []byte{0x25, 0, 0xd1})
		}
		return m.Bytes()
	}
	for _, keep := range []bool{false, true} {
		wasm := build(keep)
		a, b := run(t, wasm), runMetered(t, wasm)
		for _, name := range []string{"one", "again", "other", "swap", "none"} {
			for k := range uint64(14) {
				compare(t, a, b, name, k)
			}
			compare(t, a, b, name, 0xffffffff)
			compare(t, a, b, name, 0x80000000)
		}
		if b.Replaced == keep {
			t.Errorf("keep %v, tables replaced %v", keep, b.Replaced)
		}
	}
}

// TestTablesThatStay has a small module whose dispatchers would be large: the tables stay, and it can be used.
func TestTablesThatStay(t *testing.T) {
	build := func(functions, params int) []byte {
		m := &wt.Module{}
		m.Memory(1)
		m.Table(uint32(functions))
		ps := slices.Repeat(i32, params)
		var fs []uint32
		typ := m.Type(ps, i32)
		for range functions {
			fs = append(fs, m.Func("", ps, i32, nil, wt.Get(0)))
		}
		m.Elem(0, fs...)
		m.Func("f", i32, i32, nil, slices.Concat(slices.Repeat([][]byte{wt.I32Const(7)}, params)...), wt.Get(0), wt.CallIndirect(typ))
		return m.Bytes()
	}
	for _, c := range []struct {
		functions, params int
		replaced          bool
	}{{100, 1, true}, {100, 120, true}, {2_000, 120, false}} {
		wasm := build(c.functions, c.params)
		a, b := run(t, wasm), runMetered(t, wasm)
		for _, k := range []uint64{0, 1, uint64(c.functions) - 1, uint64(c.functions)} {
			compare(t, a, b, "f", k)
		}
		if b.Replaced != c.replaced {
			t.Errorf("%+v: replaced %v", c, b.Replaced)
		}
	}
}
