package rewrite_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
	"github.com/sallyport-dev/sallyport/host/guest/rewrite"
)

// straight writes functions of (i32, i64) -> i64 that go through memory by addresses of all the forms that compilers write.
type straight struct{ *rand.Rand }

// Locals of these functions: two addresses of 32 bits, two of 64, and what is given back.
const (
	short1, long1, short2, long2, sum = 0, 1, 2, 3, 4
)

func (g straight) small() int64 { return int64(g.IntN(1 << (1 + g.IntN(9)))) }

// address is an expression for an address.
func (g straight) address() []byte {
	const narrow, widen, add64 = 0xa7, 0xad, 0x7c
	shorts, longs := wt.Get([]uint32{short1, short2}[g.IntN(2)]), wt.Get([]uint32{long1, long2}[g.IntN(2)])
	tee := func(local byte) []byte { return wt.Op(0x22, local) }
	plus := func() []byte { return wt.Code(wt.I64Const(g.small()), wt.Op(add64)) }
	switch g.IntN(12) {
	case 0, 1:
		return shorts
	case 10: // something else stands between
		return wt.Code(shorts, wt.Op(widen), wt.I64Const(g.small()), wt.I32Const(int32(g.small())), wt.Set(short2), wt.Op(add64, narrow))
	case 11:
		return wt.Code(longs, wt.I64Const(g.small()), wt.Set(long2), wt.Op(narrow))
	case 2, 3:
		return wt.Code(longs, wt.Op(narrow))
	case 4:
		return wt.Code(shorts, wt.Op(widen), plus(), wt.Op(narrow))
	case 5:
		return wt.Code(longs, plus(), wt.Op(narrow))
	case 6:
		return wt.Code(shorts, wt.Op(widen), plus(), plus(), wt.Op(narrow))
	case 7:
		return wt.Code(shorts, wt.I32Const(int32(g.small())), wt.Op(wt.I32Add), tee(short2))
	case 8:
		return wt.Code(longs, plus(), tee(long2), wt.Op(narrow))
	}
	return wt.Code(longs, wt.Op(narrow), tee(short2), wt.Op(widen), plus(), wt.Op(narrow))
}

func (g straight) offset() []byte { return wt.U(uint32(g.small())) }

func (g straight) load() []byte {
	op := []byte{0x29, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35}[g.IntN(7)]
	return wt.Code(g.address(), wt.Op(op, 0), g.offset())
}

func (g straight) statement(depth int) []byte {
	switch g.IntN(12) {
	case 0, 1, 2, 3:
		return wt.Code(wt.Get(sum), g.load(), wt.Op(0x7c), wt.Set(sum))
	case 4, 5, 6:
		op := []byte{0x37, 0x3c, 0x3d, 0x3e}[g.IntN(4)]
		return wt.Code(g.address(), wt.Get(sum), wt.Op(op, 0), g.offset())
	case 7: // the value comes from memory
		return wt.Code(g.address(), g.load(), wt.Op(0x37, 0), g.offset())
	case 8:
		return wt.Code(wt.Get(long1), wt.I64Const(g.small()), wt.Op(0x7c), wt.Set(long2))
	case 9:
		return wt.Code(wt.Get(short2), wt.I32Const(int32(g.small())), wt.Op(wt.I32Add), wt.Set(short1))
	case 10:
		return wt.Code(g.address(), g.address(), wt.I32Const(int32(g.small())), wt.MemoryCopy())
	}
	if depth == 0 {
		return wt.Op(wt.Nop)
	}
	some := wt.Code(g.statement(depth-1), g.statement(depth-1))
	switch g.IntN(3) {
	case 0:
		return wt.Code(g.address(), wt.I32Const(1), wt.Op(0x71), wt.If(some))
	case 1:
		return wt.Block(some, wt.Get(short1), wt.BrIf(0), some)
	}
	return wt.Code(wt.Get(sum), wt.Get(short2), wt.Get(long2), wt.Call(0), wt.Op(0x7c), wt.Set(sum))
}

// TestSameAddresses compares random functions with what they were, on addresses in memory, at its end and behind it. Where a function traps the memories may
// differ, since it may trap earlier.
func TestSameAddresses(t *testing.T) {
	const i32, i64 = wt.I32, wt.I64
	changed, trapped, ended := 0, 0, 0
	for seed := range uint64(150) {
		g := straight{rand.New(rand.NewPCG(seed, 7))}
		m := &wt.Module{}
		m.Memory(1, 1)
		m.Data(0, bytes.Repeat([]byte("0123456789abcdef!"), 3855))
		m.Func("", []byte{i32, i64}, []byte{i64}, nil, wt.Get(0), wt.Op(0xad), wt.Get(1), wt.Op(0x83))
		var body []byte
		for range 2 + g.IntN(12) {
			body = wt.Code(body, g.statement(2))
		}
		m.Func("f", []byte{i32, i64}, []byte{i64}, []byte{i32, i64, i64}, body, wt.Get(sum))
		wasm := m.Bytes()
		a, b := run(t, wasm), runMetered(t, wasm)
		if bytes.Contains(b.Wasm, wt.Op(0x1a)) {
			changed++
		}
		for range 12 {
			p, q := uint64(g.IntN(1000)), uint64(g.IntN(1000))
			switch g.IntN(4) {
			case 0:
				p = 65536 - uint64(g.IntN(700))
			case 1:
				q = 65536 - uint64(g.IntN(700)) + uint64(g.IntN(3))<<40
			case 2:
				p = uint64(g.Uint32() >> 1)
			}
			b.global(rewrite.StackGlobal).Set(1 << 20)
			ra, ea := a.ExportedFunction("f").Call(t.Context(), p, q)
			rb, eb := b.inst.ExportedFunction("f").Call(t.Context(), p, q)
			if (ea == nil) != (eb == nil) || ea == nil && fmt.Sprint(ra) != fmt.Sprint(rb) {
				t.Fatalf("seed %d, f(%d, %d): original %v %v, rewritten %v %v", seed, p, q, ra, ea, rb, eb)
			}
			if ea != nil {
				trapped++
				break // neither may be used again
			}
			ended++
			ma, _ := a.Memory().Read(0, a.Memory().Size())
			mb, _ := b.inst.Memory().Read(0, b.inst.Memory().Size())
			if !bytes.Equal(ma, mb) {
				t.Fatalf("seed %d, f(%d, %d): the memories differ", seed, p, q)
			}
		}
	}
	if changed < 50 || trapped < 30 || ended < 300 {
		t.Errorf("%d modules were changed, %d calls trapped, %d ended", changed, trapped, ended)
	}
}

// TestAddressesAreJoined shows what becomes of a few accesses: what is narrowed twice is narrowed once, a computed place is an offset, and the furthest is read first.
func TestAddressesAreJoined(t *testing.T) {
	const i32, i64 = wt.I32, wt.I64
	narrow, widen, add64, drop := wt.Op(0xa7), wt.Op(0xad), wt.Op(0x7c), wt.Op(0x1a)
	load := func(offset uint32) []byte { return wt.Code(wt.Op(0x29, 3), wt.U(offset)) }
	read := func(local, offset uint32) []byte { return wt.Code(wt.Get(local), wt.Load8(offset), drop) }
	pointer := wt.Code(wt.Get(1), narrow)
	for _, c := range []struct{ name, from, want []byte }{
		{[]byte("narrowed twice"), wt.Code(pointer, load(8), drop, pointer, load(16), drop),
			wt.Code(wt.Get(1), narrow, wt.Op(0x22, 2), read(2, 23), load(8), drop, wt.Get(2), load(16), drop)},
		{[]byte("a computed place"), wt.Code(wt.Get(0), widen, wt.I64Const(24), add64, narrow, load(8), drop), wt.Code(wt.Get(0), load(32), drop)},
		{[]byte("a frame"), wt.Code(wt.Get(0), wt.I64Const(5), wt.Op(0x37, 3, 0), wt.Get(0), wt.I64Const(6), wt.Op(0x37, 3, 8)),
			wt.Code(wt.Get(0), read(0, 15), wt.I64Const(5), wt.Op(0x37, 3, 0), wt.Get(0), wt.I64Const(6), wt.Op(0x37, 3, 8))},
		{[]byte("the furthest first"), wt.Code(pointer, load(16), drop, pointer, load(8), drop),
			wt.Code(wt.Get(1), narrow, wt.Op(0x22, 2), load(16), drop, wt.Get(2), load(8), drop)},
		{[]byte("set between"), wt.Code(wt.Get(0), load(0), drop, wt.I32Const(5), wt.Set(0), wt.Get(0), load(8), drop), nil},
		{[]byte("a branch between"), wt.Code(wt.Block(wt.Get(0), load(0), drop, wt.Get(0), wt.BrIf(0), wt.Get(0), load(8), drop)), nil},
		{[]byte("something between"), wt.Code(wt.Get(0), widen, wt.I64Const(24), wt.I32Const(5), wt.Set(0), add64, narrow, load(8), drop), nil},
		{[]byte("something before"), wt.Code(wt.Get(0), widen, wt.I32Const(5), wt.Set(0), wt.I64Const(24), add64, narrow, load(8), drop), nil},
		{[]byte("narrowed later"), wt.Code(wt.Get(1), wt.I32Const(5), wt.Set(0), narrow, load(8), drop, pointer, load(16), drop), nil},
		{[]byte("once"), wt.Code(pointer, load(8), drop), nil},
		{[]byte("far away"), wt.Code(wt.Get(0), widen, wt.I64Const(1<<16), add64, narrow, load(8), drop), nil},
		{[]byte("beyond 4 GiB"), wt.Code(wt.Get(0), load(8), drop, wt.Get(0), load(1<<32-1), drop), nil},
	} {
		m := &wt.Module{}
		m.Memory(1)
		m.Func("f", []byte{i32, i64}, nil, nil, c.from)
		r, err := rewrite.Rewrite(m.Bytes(), rewrite.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		want := c.want
		if want == nil {
			want = c.from
		}
		if !bytes.Contains(r.Wasm, slices.Concat(want, wt.Op(wt.End))) {
			t.Errorf("%s: %x is not in %x", c.name, want, r.Wasm)
		}
	}
}

// TestAddressBeyondTheEnd: a place that is computed in 64 bits and cut to 32 is one at the beginning of memory by the specification, and traps here.
func TestAddressBeyondTheEnd(t *testing.T) {
	m := &wt.Module{}
	m.Memory(1)
	m.Func("f", []byte{wt.I32}, []byte{wt.I64}, nil, wt.Get(0), wt.Op(0xad), wt.I64Const(16), wt.Op(0x7c, 0xa7), wt.Op(0x29, 0, 0))
	wasm := m.Bytes()
	a, b := run(t, wasm), runMetered(t, wasm)
	for _, p := range []uint64{0, 100, 65536 - 24, 65536 - 23, 1<<32 - 8} {
		_, ea := a.ExportedFunction("f").Call(t.Context(), p)
		_, eb := b.inst.ExportedFunction("f").Call(t.Context(), p)
		if p == 1<<32-8 {
			if ea != nil || eb == nil {
				t.Errorf("%d: original %v, rewritten %v", p, ea, eb)
			}
		} else if (ea == nil) != (eb == nil) {
			t.Errorf("%d: original %v, rewritten %v", p, ea, eb)
		}
	}
}
