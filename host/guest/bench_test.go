package guest

import (
	"bytes"
	"testing"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

func goTemplate(b *testing.B) *Template {
	e := newEngine(b, Options{CacheDir: sharedCache})
	return template(b, load(b, e, "test", goGuestWasm(b)), "")
}

func postgresTemplate(b *testing.B, opt Options) *Template {
	opt.CacheDir = sharedCache
	return template(b, load(b, newEngine(b, opt), "test", postgresWasm(b)), `{"max_message": 1048576}`)
}

// BenchmarkClone is a new guest, without a call: a small stock-Go one, and the shipped one.
func BenchmarkClone(b *testing.B) {
	for name, tm := range map[string]*Template{"small": goTemplate(b), "postgres": postgresTemplate(b, Options{})} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				i, err := tm.make()
				if err != nil {
					b.Fatal(err)
				}
				i.kill()
			}
		})
	}
}

// BenchmarkCall is a call into a stock-Go guest that does nothing.
func BenchmarkCall(b *testing.B) {
	g := start(b, goTemplate(b))
	b.ReportAllocs()
	for b.Loop() {
		g.acct.left = 1 << 40
		if _, _, err := g.Event(nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkData is a stock-Go guest that looks at each byte.
func BenchmarkData(b *testing.B) {
	for _, n := range []int{1 << 10, 64 << 10} {
		b.Run(map[int]string{1 << 10: "1K", 64 << 10: "64K"}[n], func(b *testing.B) {
			g := start(b, goTemplate(b))
			p := bytes.Repeat([]byte("x"), n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			g.acct.left = 1 << 50
			from := g.acct.left
			for b.Loop() {
				if _, _, err := g.Data(1, p, 0); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(from-g.acct.left)/float64(b.N)/float64(n), "fuel/byte")
		})
	}
}

// BenchmarkNewClose is the life of a guest: from the pool, and cloned anew.
func BenchmarkNewClose(b *testing.B) {
	for name, idle := range map[string]int{"pooled": 16, "cloned": -1} {
		b.Run(name, func(b *testing.B) {
			e := newEngine(b, Options{CacheDir: sharedCache, Idle: idle})
			tm := template(b, load(b, e, "test", goGuestWasm(b)), "")
			for b.Loop() {
				g, err := tm.New(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := g.Data(0, []byte("seen a"), 0); err != nil {
					b.Fatal(err)
				}
				g.Close()
			}
		})
	}
}

// BenchmarkReset is what of the life of a pooled guest is the reset.
func BenchmarkReset(b *testing.B) {
	tm := goTemplate(b)
	i, err := tm.make()
	if err != nil {
		b.Fatal(err)
	}
	defer i.kill()
	acct := &account{left: 1 << 50}
	for b.Loop() {
		i.mod.Memory().Write(i.buf.in, []byte("seen a"))
		if _, err := i.enter(entryData, acct, 0, 6, 0); err != nil {
			b.Fatal(err)
		}
		if _, err := tm.snap.reset(i, guestCopyBack); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRest is what it takes to put a guest of the shipped plugin to rest after a delivery, and to wake it.
func BenchmarkRest(b *testing.B) {
	tm := postgresTemplate(b, Options{Rest: -1})
	g := start(b, tm)
	_, _, _ = g.Data(0, []byte{0, 0, 0, 20, 0, 3, 0, 0, 'u'}, 0)
	for b.Loop() {
		g.called = false
		if g.mayRest(); !g.resting {
			b.Skip("this system cannot tell touched pages")
		}
		b.ReportMetric(float64(len(g.difference)), "bytes/guest")
		g.wake()
	}
}

// BenchmarkCompanion is a call of a companion from a guest that passes its input on, 300 bytes.
func BenchmarkCompanion(b *testing.B) {
	g := guestOf(b, Options{}, companionPlugin(wt.Companion{}))
	p := bytes.Repeat([]byte("x"), 300)
	b.ReportAllocs()
	for b.Loop() {
		g.acct.left = 1 << 40
		if _, _, err := g.Data(0, p, 0); err != nil {
			b.Fatal(err)
		}
	}
}
