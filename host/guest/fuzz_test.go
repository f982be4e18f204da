package guest

import (
	"testing"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// FuzzPlugin loads, configures and uses whatever it is given. The host must live and nothing may be left over.
func FuzzPlugin(f *testing.F) {
	f.Add(wt.Plugin{}.Build(), []byte("x"))
	f.Add(companionPlugin(wt.Companion{}), []byte("hello"))
	f.Add(companionPlugin(wt.Companion{Call: wt.Code(storeText("error"), trap)}), []byte("hello"))
	f.Add(wt.Plugin{Data: wt.Code(spin, zero)}.Build(), []byte{})
	f.Add(wt.Plugin{Finish: func(m *wt.Module) { m.Start(m.Func("", nil, nil, nil)); m.Table(3); m.Elem(0, 1) }}.Build(), []byte("x"))
	opt := small(Options{})
	opt.Fuel = Fuel{Base: 20_000, PerByte: 10, Cap: 20_000, Slice: 1000, Setup: 20_000}
	f.Fuzz(func(t *testing.T, wasm, in []byte) {
		e := newEngine(t, opt)
		use := func() {
			p, err := e.Load(t.Context(), "test", wasm)
			if err != nil {
				return
			}
			defer p.Close()
			tm, err := p.Configure(t.Context(), in[:min(len(in), 100)])
			if err != nil {
				return
			}
			defer tm.Close()
			for range 2 {
				g, err := tm.New(t.Context())
				if err != nil {
					return
				}
				_, _, _ = g.Open(in)
				_, more, err := g.Data(0, in, 0)
				for more && err == nil {
					_, more, err = g.Event(nil)
				}
				g.Close()
			}
		}
		use()
		if s := e.Stats(); s.Guests != 0 || s.Idle != 0 || s.Instances != 0 {
			t.Fatalf("left over: %+v", s)
		}
	})
}
