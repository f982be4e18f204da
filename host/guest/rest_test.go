package guest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// restful makes an engine whose guests rest when a test says so, and reports whether this kernel lets them.
func restful(t *testing.T, opt Options) (e *Engine, able bool) {
	t.Helper()
	opt.CacheDir, opt.Rest = sharedCache, -1
	e = newEngine(t, opt)
	g := start(t, template(t, load(t, e, "test", wt.Plugin{}.Build()), "{}"))
	putToRest(t, g)
	if able = g.resting; !able {
		t.Log("this system cannot tell touched pages, so guests do not rest")
	}
	return e, able
}

// putToRest has two rounds pass over a guest.
func putToRest(t *testing.T, g *Guest) {
	t.Helper()
	g.mayRest()
	g.mayRest()
}

// pagesOf is how many pages a guest has for itself.
func pagesOf(t *testing.T, g *Guest) (n int) {
	t.Helper()
	m := g.inst.lin.(*mapped)
	for at := uint64(0); at < m.used; {
		rs, next, err := m.scan(g.tmpl.plugin.eng.pages, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			n += int((r.end - r.start) / osPage)
		}
		at = next
	}
	return n
}

// TestRest: a guest that rests has no pages of its own, little of the host's, and knows afterwards what it knew.
func TestRest(t *testing.T) {
	e, able := restful(t, Options{})
	tm := template(t, load(t, e, "test", goGuestWasm(t)), "")
	other := start(t, tm)
	for range 2 { // the second one comes from the pool
		g := start(t, tm)
		for k := range 3 {
			mustData(t, g, "seen a", fmt.Sprintf("a=%d", k+1))
			mustData(t, g, "gc", "done")
			mustData(t, g, "goroutines", "45")
			before := 0
			if able {
				before = pagesOf(t, g)
			}
			g.mayRest()
			if g.resting {
				t.Error("it rests though it was called since the last round")
			}
			g.mayRest()
			if g.resting != able || able && e.Stats().Resting != 2 { // one is restful's own
				t.Fatalf("resting %v, %+v", g.resting, e.Stats())
			}
			if able {
				t.Logf("%d pages of its own, %d bytes kept", before, len(g.difference))
				if n := pagesOf(t, g); n != 0 || len(g.difference) > before*osPage/2 {
					t.Errorf("at rest it has %d pages, and %d bytes are kept for it", n, len(g.difference))
				}
			}
			putToRest(t, g) // it rests already
		}
		mustData(t, g, "seen a", "a=4")
		putToRest(t, g)
		g.Close()
		mustData(t, other, "seen b", "b=1")
		other.Close()
		other = start(t, tm)
	}
	if n := e.Stats().Resting; able && n != 1 {
		t.Errorf("%d rest when all are closed", n)
	}
}

// TestRestlessTwin plays the same random calls to a guest that never rests and to one that does all the time.
func TestRestlessTwin(t *testing.T) {
	e, able := restful(t, Options{MemoryLimit: 32 << 20})
	tm := template(t, load(t, e, "test", goGuestWasm(t)), "p:")
	r := rand.New(rand.NewPCG(1, 2))
	twin, g := start(t, tm), start(t, tm)
	rests := 0
	for range 60 {
		cmd := []string{"seen a", "seen b", "gc", "goroutines", "deep", "world"}[r.IntN(6)]
		if r.IntN(10) == 0 { // it grows
			cmd = "gc"
			for range 5 {
				_, _, _ = twin.Data(0, []byte(cmd), 0)
				_, _, _ = g.Data(0, []byte(cmd), 0)
			}
		}
		want, _, err := twin.Data(0, []byte(cmd), 0)
		if err != nil {
			t.Fatal(err)
		}
		mustData(t, g, cmd, string(want))
		if putToRest(t, g); g.resting {
			rests++
		}
	}
	if able && rests == 0 {
		t.Error("it never rested")
	}
	if g.resting {
		g.mu.Lock()
		g.wake()
		g.mu.Unlock()
	}
	a, _ := twin.inst.view(0, twin.inst.mod.Memory().Size())
	b, _ := g.inst.view(0, g.inst.mod.Memory().Size())
	if !bytes.Equal(a, b) {
		t.Errorf("the memories of %d and %d bytes are not the same", len(a), len(b))
	}
}

// TestRestGrown: what a guest has grown by, and written to all over, comes back as well; where that is most of its pages it does not rest.
func TestRestGrown(t *testing.T) {
	for name, c := range map[string]struct {
		fill, rests bool
	}{"a few bytes": {false, true}, "every byte": {true, false}} {
		t.Run(name, func(t *testing.T) {
			e, able := restful(t, Options{})
			g := start(t, template(t, load(t, e, "test", wt.Plugin{}.Build()), "{}"))
			mem := g.inst.mod.Memory()
			first := mem.Size()
			if _, ok := mem.Grow(4); !ok {
				t.Fatal("it does not grow")
			}
			b, _ := mem.Read(0, mem.Size())
			r := rand.NewChaCha8([32]byte{3})
			if c.fill {
				_, _ = r.Read(b[first:])
			} else {
				for o := int(first) - 5; o < len(b)-10; o += 3000 {
					_, _ = r.Read(b[o : o+10])
				}
			}
			want := bytes.Clone(b)
			if putToRest(t, g); g.resting != (able && c.rests) || g.restless == g.resting {
				t.Errorf("resting %v, restless %v", g.resting, g.restless)
			}
			if g.resting {
				g.wake()
			}
			if !bytes.Equal(b, want) {
				t.Error("the memory is another one")
			}
		})
	}
}

// TestRestMeanwhile: rounds while guests are called, closed and made.
func TestRestMeanwhile(t *testing.T) {
	e := newEngine(t, Options{CacheDir: sharedCache, Rest: time.Millisecond, Idle: 2})
	tm := template(t, load(t, e, "test", goGuestWasm(t)), "")
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for range 5 {
				g, err := tm.New(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				for k := range 20 {
					if out, _, err := g.Data(0, []byte("seen a"), 0); err != nil || string(out) != fmt.Sprintf("a=%d", k+1) {
						t.Errorf("%q %v", out, err)
					}
					time.Sleep(time.Duration(n) * time.Millisecond)
				}
				g.Close()
			}
		})
	}
	wg.Wait()
	if s := e.Stats(); s.Resting != 0 || s.Guests != 0 {
		t.Errorf("%+v", s)
	}
}

// FuzzDifference: whatever a page was and is, the runs make one of the other.
func FuzzDifference(f *testing.F) {
	f.Add([]byte("before"), []byte("behind"), uint16(0))
	f.Add([]byte{}, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}, uint16(4090))
	f.Add([]byte("same"), []byte("same"), uint16(100))
	f.Fuzz(func(t *testing.T, was, is []byte, at uint16) {
		page := func(b []byte) []byte {
			p := make([]byte, osPage)
			copy(p[int(at)%osPage:], b)
			return p
		}
		im := &image{size: osPage, view: page(was)}
		for _, offset := range []uint64{0, osPage} { // behind the image there were zeros
			d := im.appendRuns(nil, page(is), offset)
			m := &mapped{res: append(bytes.Clone(im.view), make([]byte, osPage)...)}
			im.enter(m, d)
			if !bytes.Equal(m.res[offset:offset+osPage], page(is)) {
				t.Errorf("%x to %x: %x", was, is, d)
			}
			if len(d) > osPage+runHead {
				t.Errorf("%d bytes for a page", len(d))
			}
		}
	})
}
