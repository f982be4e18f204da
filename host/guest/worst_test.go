package guest

import (
	"errors"
	"slices"
	"testing"
	"time"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// slowCode is code made to take long for its fuel: bodies of an endless loop with the locals 3 (i32), 4 (i64), 5 and 6 (f64).
func slowCode() map[string][]byte {
	times := func(n int, b ...[]byte) []byte { return slices.Concat(slices.Repeat([][]byte{wt.Code(b...)}, n)...) }
	i64, f64 := func(v int64) []byte { return wt.I64Const(v) }, func(b ...byte) []byte { return append([]byte{0x44}, b...) }
	tiny := f64(1, 0, 0, 0, 0, 0, 0, 0) // the smallest number there is
	next := wt.Code(wt.Get(3), wt.I32Const(1664525), wt.Op(wt.I32Mul), wt.I32Const(1013904223), wt.Op(wt.I32Add), wt.Set(3))
	const far = 63<<20 - 64
	zero := wt.I32Const(0)
	return map[string][]byte{
		"nothing":            nil,
		"add":                times(64, wt.Get(3), wt.I32Const(3), wt.Op(wt.I32Add), wt.Set(3)),
		"multiply":           times(64, wt.Get(4), i64(7), wt.Op(0x7e), wt.Set(4)),
		"divide i32":         times(64, wt.I32Const(-1), wt.Get(3), wt.I32Const(1), wt.Op(0x72), wt.Op(0x6e), wt.Set(3)),
		"divide i64":         times(64, i64(-1), wt.Get(4), i64(1), wt.Op(0x84), wt.Op(0x80), wt.Set(4)),
		"remainder i64":      times(64, i64(-1<<63), wt.Get(4), i64(3), wt.Op(0x84), wt.Op(0x82), wt.Set(4)),
		"divide f64":         times(64, f64(0, 0, 0, 0, 0, 0, 0xf0, 0x3f), wt.Get(5), wt.Op(0xa3), wt.Set(5)),
		"root f64":           times(64, wt.Get(5), wt.Op(0x9f), wt.Set(5)),
		"denormal multiply":  times(64, wt.Get(6), tiny, wt.Op(0xa0), wt.Get(5), wt.Op(0xa2), wt.Set(6), f64(0, 0, 0, 0, 0, 0, 0xf0, 0x3f), wt.Set(5)),
		"denormal divide":    times(64, tiny, f64(0, 0, 0, 0, 0, 0, 0xf8, 0x3f), wt.Op(0xa3), wt.Set(6)),
		"denormal root":      times(64, wt.Get(6), tiny, wt.Op(0xa0), wt.Op(0x9f), wt.Op(wt.Drop), tiny, wt.Set(6)),
		"f64 to i64":         times(64, wt.Get(5), []byte{0xfc, 7}, wt.Set(4)),
		"nearest":            times(64, wt.Get(5), wt.Op(0x9e), wt.Set(5)),
		"min":                times(64, wt.Get(5), wt.Get(6), wt.Op(0xa4), wt.Set(6)),
		"random loads":       times(64, next, wt.Get(3), wt.I32Const(far), wt.Op(0x70), wt.Load8(0), wt.Get(3), wt.Op(wt.I32Add), wt.Set(3)),
		"chased loads":       times(64, wt.Get(3), wt.I32Const(-1640531527), wt.Op(wt.I32Mul), wt.I32Const(0x3fff_ffc & ^63), wt.Op(0x71), wt.Load32(0), wt.Get(3), wt.Op(wt.I32Add), wt.I32Const(8191), wt.Op(wt.I32Add), wt.Set(3)),
		"independent loads":  times(64, wt.Get(3), wt.I32Const(4096+64), wt.Op(wt.I32Add), wt.Set(3), wt.Get(3), wt.I32Const(0x3ffffff&^63), wt.Op(0x71), wt.Load32(0), wt.Op(wt.Drop)),
		"stores":             times(64, wt.Get(3), wt.I32Const(4096+64), wt.Op(wt.I32Add), wt.Set(3), wt.Get(3), wt.I32Const(0x3ffffff&^0xfffff|0xff000), wt.Op(0x71), wt.Get(3), wt.Store32(0)),
		"calls":              times(64, wt.Call(1)),
		"indirect calls":     times(64, wt.Get(3), wt.I32Const(3), wt.Op(0x71), wt.CallIndirect(0)),
		"mispredicted":       times(32, next, wt.Get(3), wt.I32Const(1<<20), wt.Op(0x71), wt.If(wt.Get(4), i64(1), wt.Op(0x7c), wt.Set(4))),
		"small copies":       times(64, zero, wt.I32Const(1000), wt.I32Const(1), wt.MemoryCopy()),
		"large copies":       times(4, zero, wt.I32Const(0x1000000), wt.I32Const(0x1000000), wt.MemoryCopy()),
		"overlapping copies": times(4, wt.I32Const(1), zero, wt.I32Const(0x1000000), wt.MemoryCopy()),
		"small fills":        times(64, zero, zero, wt.I32Const(1), wt.MemoryFill()),
		"large fills":        times(4, zero, zero, wt.I32Const(0x2000000), wt.MemoryFill()),
		"grow by nothing":    times(64, zero, wt.MemoryGrow(), wt.Op(wt.Drop)),
		"memory.size":        times(64, []byte{0x3f, 0}, wt.Set(3)),
		"table.get":          times(64, zero, []byte{0x25, 0}, wt.Op(wt.Drop)),
		"table.set":          times(64, zero, []byte{0xd0, wt.FuncRef, 0x26, 0}),
		"table.fill":         times(4, zero, []byte{0xd0, wt.FuncRef}, wt.I32Const(100), []byte{0xfc, 17, 0}),
		"table.copy":         times(4, zero, zero, wt.I32Const(1), []byte{0xfc, 14, 0, 0}),
		"popcnt":             times(64, wt.Get(4), wt.Op(0x7b), wt.Set(4)),
		"vector divide":      times(64, vec(), vec(), []byte{0xfd}, wt.U(243), wt.Op(0xfd, 0x1b, 0), wt.Set(3)),
		"vector multiply":    times(64, vec(), vec(), []byte{0xfd}, wt.U(213), wt.Op(0xfd, 0x1b, 0), wt.Set(3)),
		"vector shuffle":     times(64, vec(), vec(), []byte{0xfd, 14}, wt.Op(0xfd, 0x1b, 0), wt.Set(3)),
		"log":                times(16, wt.I32Const(wt.In), wt.I32Const(1), wt.Call(0)),
	}
}

// vec pushes a vector.
func vec() []byte { return wt.Code(wt.Get(3), []byte{0xfd, 17}) } // i32x4.splat

func slowPlugin(code []byte) []byte {
	return wt.Plugin{
		Pages:  1024,
		Locals: []byte{wt.I32, wt.I64, wt.F64, wt.F64},
		Prepare: func(m *wt.Module) {
			m.Type(nil, nil)
			m.Import("sallyport", "log", []byte{wt.I32, wt.I32}, nil)
			leaf := m.Func("", nil, nil, nil)
			m.Table(200)
			m.Elem(0, leaf, leaf, leaf, leaf)
		},
		Data: wt.Code(wt.Loop(wt.Code(code), wt.Br(0)), wt.I32Const(0)),
	}.Build()
}

// BenchmarkWorst measures how long a unit of fuel takes in code made to be slow for it.
func BenchmarkWorst(b *testing.B) {
	cases := slowCode()
	names := make([]string, 0, len(cases))
	for name := range cases {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			const units = 4_000_000
			e := newEngine(b, Options{Fuel: Fuel{Base: units, Cap: units}, LogLimit: 1})
			tm := template(b, load(b, e, "test", slowPlugin(cases[name])), "")
			best := time.Duration(1 << 62)
			for b.Loop() {
				g, err := tm.New(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				from := time.Now()
				_, _, err = g.Data(0, nil, 0)
				best = min(best, time.Since(from))
				if !errors.Is(err, ErrFuel) {
					b.Fatal(err)
				}
				g.Close()
			}
			b.ReportMetric(float64(best)/units, "ns/unit")
			b.ReportMetric(0, "ns/op")
		})
	}
}
