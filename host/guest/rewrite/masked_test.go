package rewrite_test

import (
	"fmt"
	"math"
	"testing"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// TestMaskedComparisons: branches on comparisons of "a & b" with zero go the way that WebAssembly says, whatever the compiler makes of them: on either side, with
// and without a sign, from the stack, a local, and a local that is kept.
func TestMaskedComparisons(t *testing.T) {
	type comparison struct {
		name string
		op   byte
		is   func(a, b int64) bool
	}
	unsigned := func(less bool) func(a, b int64) bool {
		return func(a, b int64) bool { return uint64(a) != uint64(b) && (uint64(a) < uint64(b)) == less }
	}
	// Those of 64 bits; 11 less is the one of 32.
	comparisons := []comparison{
		{"eq", 0x51, func(a, b int64) bool { return a == b }}, {"ne", 0x52, func(a, b int64) bool { return a != b }},
		{"lt_s", 0x53, func(a, b int64) bool { return a < b }}, {"lt_u", 0x54, unsigned(true)}, {"gt_s", 0x55, func(a, b int64) bool { return a > b }}, {"gt_u", 0x56, unsigned(false)},
		{"le_s", 0x57, func(a, b int64) bool { return a <= b }}, {"ge_s", 0x59, func(a, b int64) bool { return a >= b }},
	}
	const i32, i64 = 0x7f, 0x7e
	m := &wt.Module{}
	type function struct {
		name  string
		wide  bool
		left  bool
		check comparison
	}
	var all []function
	for _, wide := range []bool{true, false} {
		typ, and, zero, shift := byte(i64), byte(0x83), wt.I64Const(0), byte(0)
		if !wide {
			typ, and, zero, shift = i32, 0x71, wt.I32Const(0), 11
		}
		for _, c := range comparisons {
			for _, left := range []bool{true, false} { // of the zero
				for way, masked := range map[string][]byte{
					"stack": wt.Code(wt.Get(0), wt.Get(1), wt.Op(and)),
					"local": wt.Code(wt.Get(0), wt.Get(1), wt.Op(and), wt.Set(2), wt.Get(2)),
					"kept":  wt.Code(wt.Get(0), wt.Get(1), wt.Op(and), wt.Op(0x22, 2)),
					"nop":   wt.Code(wt.Get(0), wt.Get(1), wt.Op(and), wt.Op(0x01)),
					"copy":  wt.Code(wt.Get(0), wt.Get(1), wt.Op(and), wt.Set(2), wt.Get(2), wt.Set(3), wt.Get(3)),
				} {
					operands := wt.Code(zero, masked)
					if !left {
						operands = wt.Code(masked, zero)
					}
					f := function{fmt.Sprint(c.name, shift, left, way), wide, left, c}
					m.Func(f.name, []byte{typ, typ}, []byte{i32}, []byte{typ, typ}, operands, wt.Op(c.op-shift), wt.Op(0x04, i32), wt.I32Const(1), wt.Op(0x05), wt.I32Const(0), wt.Op(wt.End))
					all = append(all, f)
				}
			}
		}
	}
	wasm := m.Bytes()
	plain, guarded := run(t, wasm), runMetered(t, wasm)
	values := []int64{0, 1, -1, 3, -4, math.MinInt32, math.MaxInt32, math.MinInt64, math.MaxInt64}
	miscompiled := map[string]bool{}
	for _, f := range all {
		for _, a := range values {
			for _, b := range values {
				x, y := a, b
				if !f.wide {
					x, y = int64(int32(a)), int64(int32(b))
				}
				is := f.check.is(x&y, 0)
				if f.left {
					is = f.check.is(0, x&y)
				}
				if !f.wide && f.check.name[len(f.check.name)-1] == 'u' {
					left, right := uint32(x&y), uint32(0)
					if f.left {
						left, right = right, left
					}
					is = f.check.is(int64(left), int64(right))
				}
				args := []uint64{uint64(x), uint64(y)}
				if !f.wide {
					args = []uint64{uint64(uint32(x)), uint64(uint32(y))}
				}
				got, err := guarded.inst.ExportedFunction(f.name).Call(t.Context(), args...)
				if err != nil || (uint32(got[0]) != 0) != is {
					t.Errorf("%s of %d and %d: %v, %v, want %v", f.name, x, y, got, err, is)
				}
				if got, err := plain.ExportedFunction(f.name).Call(t.Context(), args...); err != nil || (uint32(got[0]) != 0) != is {
					miscompiled[f.name] = true
				}
			}
		}
	}
	t.Logf("%d of %d functions are miscompiled as they are", len(miscompiled), len(all))
}
