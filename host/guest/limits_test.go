package guest

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	wt "github.com/sallyport-dev/sallyport/host/guest/internal/wasmtest"
)

// TestFuelAccount spends a connection's fuel in many deliveries.
func TestFuelAccount(t *testing.T) {
	// data runs a loop of 1000 turns
	work := wt.Plugin{Locals: i32, Data: wt.Code(
		wt.Loop(wt.Get(3), wt.I32Const(1), wt.Op(wt.I32Add), wt.Set(3), wt.Get(3), wt.I32Const(1000), wt.Op(wt.I32LtU), wt.BrIf(0)), zero),
		Event: wt.Code(spinFor(200), zero)}.Build()
	e := newEngine(t, Options{Fuel: Fuel{Base: 1900, PerByte: 1, Cap: 5000, Slice: 100}})
	tm := template(t, load(t, e, "test", work), "")
	g := start(t, tm)
	_, _, err := g.Data(0, nil, 0)
	wantKind(t, err, ErrFuel) // 1900 of 2200: two units for a turn, and the call's own
	g = start(t, tm)
	for range 10 { // 1900 and one for each byte
		if _, _, err := g.Data(0, make([]byte, 500), 0); err != nil {
			t.Fatal(err)
		}
	}
	g = start(t, tm)
	for range 100 { // saves up to the cap
		if _, _, err := g.Open(nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 { // "go on" takes and adds nothing
		if _, _, err := g.Event(nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 8 {
		_, _, err = g.Event(nil)
	}
	wantKind(t, err, ErrFuel)
}

// TestFuelDebt lets code that nothing stops spend more than there is: it ends, because it is short, and what it owes is taken from what comes.
func TestFuelDebt(t *testing.T) {
	var divisions [][]byte
	for range 100 { // nine units each
		divisions = append(divisions, wt.I64Const(7), wt.I64Const(3), wt.Op(0x7f), wt.Op(wt.Drop))
	}
	plugin := wt.Plugin{Data: wt.Code(append(divisions, zero)...)}.Build()
	e := newEngine(t, Options{Fuel: Fuel{Base: 500, PerByte: 1, Cap: 5000}})
	g := start(t, template(t, load(t, e, "test", plugin), ""))
	if _, _, err := g.Data(0, nil, 0); err != nil {
		t.Fatal(err)
	}
	if g.FuelLeft() > -500 {
		t.Fatalf("%d units are left", g.FuelLeft())
	}
	_, _, err := g.Event(nil)
	wantKind(t, err, ErrFuel)

	g = start(t, template(t, load(t, e, "test", plugin), ""))
	if _, _, err := g.Data(0, nil, 0); err != nil {
		t.Fatal(err)
	}
	_, _, err = g.Data(0, nil, 0) // 500 more do not cover it
	wantKind(t, err, ErrFuel)

	g = start(t, template(t, load(t, e, "test", plugin), ""))
	for range 10 { // 500 and one for each byte do
		if _, _, err := g.Data(0, make([]byte, 1500), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFuelOfCompanions gives a plugin that brings a companion more for each byte, and no other.
func TestFuelOfCompanions(t *testing.T) {
	e := newEngine(t, Options{Fuel: Fuel{Base: 1000, PerByte: 1, Cap: 2000, CompanionPerByte: 100, CompanionCap: 50_000}})
	const reset = 20_000 // at most, for the companion's call and the pages that it touches
	for _, c := range []struct {
		wasm              []byte
		bytes             int
		want, beyondCalls int64
	}{
		{wt.Plugin{}.Build(), 300, 1300, 0}, {wt.Plugin{}.Build(), 5000, 2000, 0},
		{companionPlugin(wt.Companion{}), 300, 31_000, reset}, {companionPlugin(wt.Companion{}), 5000, 50_000, reset},
	} {
		g := start(t, template(t, load(t, e, "test", c.wasm), ""))
		if _, _, err := g.Data(0, make([]byte, c.bytes), 0); err != nil {
			t.Fatal(err)
		}
		if g.FuelSpent() != c.want-g.FuelLeft() {
			t.Errorf("%d spent, %d left of %d", g.FuelSpent(), g.FuelLeft(), c.want)
		}
		// What is left is what was given, without the call's cost, the copies' and the few instructions.
		if spent := c.want - g.acct.left; spent < callCost || spent > callCost+int64(c.bytes)+500+c.beyondCalls {
			t.Errorf("%d bytes: %d units are left of %d", c.bytes, g.acct.left, c.want)
		}
	}
}

// TestWatchdog ends guests that have fuel for hours: one that spins, one whose companion does, and one that calls its companion again and
// again, so that neither ever uses up a slice.
func TestWatchdog(t *testing.T) {
	again := wt.Plugin{
		Manifest: `{"name":"test","companions":[{"name":"c"}]}`,
		Prepare: func(m *wt.Module) {
			m.Import("sallyport", "call", []byte{wt.I32, wt.I32, wt.I32, wt.I32, wt.I32}, i32)
		},
		Data: wt.Code(wt.Loop(zero, zero, zero, zero, zero, wt.Call(0), wt.Op(wt.Drop), wt.Br(0)), zero),
	}.Build()
	modes(t, func(t *testing.T, opt Options) {
		opt.Fuel = Fuel{Base: 1 << 60, Cap: 1 << 60, CompanionCap: 1 << 60}
		opt.Watchdog = time.Millisecond
		e := newEngine(t, opt)
		for name, wasm := range map[string][]byte{
			"spins":           wt.Plugin{Data: wt.Code(spin, zero)}.Build(),
			"companion spins": companionPlugin(wt.Companion{Call: wt.Code(spin, zero)}),
			"companion again": wt.WithCompanion(again, "c", wt.Companion{}.Build()),
		} {
			t.Run(name, func(t *testing.T) {
				tm := template(t, load(t, e, "test", wasm), "")
				g := start(t, tm)
				_, _, err := g.Data(0, []byte("x"), 0)
				wantKind(t, err, ErrWatchdog, "1ms")
			})
		}
		// The clock is that of one call: a guest that is older than the limit goes on.
		g := start(t, template(t, load(t, e, "test", wt.Plugin{}.Build()), ""))
		for from := time.Now(); time.Since(from) < 5*opt.Watchdog; {
			mustData(t, g, "x", "x")
		}
	})
}

// TestCanaries finds what must not be in a guest's memory, or its companion's, and nothing else.
func TestCanaries(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.Canaries = [][]byte{[]byte("other"), []byte("hunter2")}
		e := newEngine(t, opt)
		for _, wasm := range [][]byte{wt.Plugin{}.Build(), companionPlugin(wt.Companion{})} {
			tm := template(t, load(t, e, "test", wasm), "")
			g := start(t, tm)
			if _, _, err := g.Data(0, []byte("hunter1"), 0); err != nil {
				t.Error(err)
			}
			_, _, err := g.Data(0, []byte("my hunter2"), 0)
			wantKind(t, err, ErrCanary, "canary 1")
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it is shown: %v", err)
			}
		}
	})
}

func spinFor(n int32) []byte {
	return wt.Loop(wt.Get(1), wt.I32Const(1), wt.Op(wt.I32Add), wt.Set(1), wt.Get(1), wt.I32Const(n), wt.Op(wt.I32LtU), wt.BrIf(0))
}

// TestMoreForEver has a guest that does nothing but say that there is more.
func TestMoreForEver(t *testing.T) {
	more := wt.Plugin{Data: wt.I32Const(-1 << 31), Event: wt.I32Const(-1 << 31)}
	g := guestOf(t, small(Options{}), more.Build())
	_, again, err := g.Data(0, nil, 0)
	for again && err == nil {
		_, again, err = g.Event(nil)
	}
	wantKind(t, err, ErrFuel)
}

// TestInterrupt ends a guest that has fuel for hours; the host's garbage collector runs meanwhile.
func TestInterrupt(t *testing.T) {
	opt := Options{Fuel: Fuel{Base: 1 << 60, Cap: 1 << 60}}
	tm := template(t, load(t, newEngine(t, opt), "test", wt.Plugin{Data: wt.Code(spin, zero)}.Build()), "")
	for name, end := range map[string]func(*Guest){"Interrupt": (*Guest).Interrupt, "Close": (*Guest).Close} {
		g := start(t, tm)
		done := make(chan error)
		go func() {
			_, _, err := g.Data(0, nil, 0)
			done <- err
		}()
		for range 3 {
			runtime.GC()
		}
		end(g)
		// Close may come before the call has begun.
		if err := <-done; !errors.Is(err, ErrInterrupted) && !(name == "Close" && errors.Is(err, ErrClosed)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestIsolation has a guest that answers with what the guest before it has left, and leaves its own input, in memory, in a global
// and beyond the end of its first memory.
func TestIsolation(t *testing.T) {
	grown := int32(wt.BasePages << 16)
	build := func(grow bool) []byte {
		p := wt.Plugin{Locals: i32, Prepare: func(m *wt.Module) { m.Global(wt.I32, true, wt.I32Const('-')) }}
		p.Data = wt.Code(
			wt.I32Const(wt.Out), wt.I32Const(wt.Scratch), wt.Load8(0), wt.Store8(0),
			wt.I32Const(wt.Out), wt.GlobalGet(0), wt.Store8(1),
			wt.I32Const(wt.Scratch), wt.I32Const(wt.In), wt.Load8(0), wt.Store8(0),
			wt.I32Const(wt.In), wt.Load8(0), wt.GlobalSet(0))
		if grow {
			p.Data = wt.Code(p.Data, wt.I32Const(1), wt.MemoryGrow(), wt.Op(wt.Drop),
				wt.I32Const(wt.Out), wt.I32Const(grown), wt.Load8(0), wt.Store8(2),
				wt.I32Const(grown), wt.I32Const(wt.In), wt.Load8(0), wt.Store8(0), wt.I32Const(3))
		} else {
			p.Data = wt.Code(p.Data, wt.I32Const(2))
		}
		p.Finish = func(m *wt.Module) { m.Data(wt.Scratch, []byte("+")) }
		return p.Build()
	}
	modes(t, func(t *testing.T, opt Options) {
		for _, grow := range []bool{false, true} {
			e := newEngine(t, opt)
			tm := template(t, load(t, e, "test", build(grow)), "")
			want, again := "+-", "ss"
			if grow {
				want, again = "+-\x00", "sss"
			}
			var open []*Guest
			for range 20 {
				g := start(t, tm)
				mustData(t, g, "s", want)
				mustData(t, g, "s", again)
				if open = append(open, g); len(open) == 3 { // some live on beside the others
					for _, g := range open {
						g.Close()
					}
					open = nil
				}
			}
			if s := e.Stats(); !opt.Plain && grow != (s.Idle == 0) {
				t.Errorf("grow %v: %+v", grow, s)
			}
		}
	})
}

// TestIsolationWholeMemory dirties every byte, so that a reset drops pages instead of copying them back.
func TestIsolationWholeMemory(t *testing.T) {
	from := int32(0x30000)
	p := wt.Plugin{
		Pages:  64,
		Locals: i32,
		// event: fill all above; data: sum of all bytes above
		Event: wt.Code(wt.I32Const(from), wt.I32Const(255), wt.I32Const(60<<16-from), wt.MemoryFill(), zero),
		Data: wt.Code(wt.I32Const(from), wt.Set(3),
			wt.Block(wt.Loop(wt.Get(3), wt.I32Const(60<<16), wt.Op(wt.I32GeU), wt.BrIf(1),
				wt.Get(3), wt.Load32(0), wt.If(wt.Op(wt.Unreachable)),
				wt.Get(3), wt.I32Const(64), wt.Op(wt.I32Add), wt.Set(3), wt.Br(0))), wt.Echo(1)),
	}
	for _, scan := range []bool{true, false} { // and where the kernel cannot tell which pages were touched
		e := newEngine(t, Options{})
		if !scan {
			closePagemap(e.pages)
			e.pages = -1
		}
		tm := template(t, load(t, e, "test", p.Build()), "")
		for range 5 {
			g := start(t, tm)
			mustData(t, g, "clean", "clean")
			if _, _, err := g.Event([]byte("x")); err != nil {
				t.Fatal(err)
			}
			g.Close()
		}
		if runtime.GOOS == "linux" && e.Stats().Idle != 1 {
			t.Errorf("not reset: %+v", e.Stats())
		}
	}
}

func TestConcurrentGuests(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt = small(opt)
		opt.Idle = 2
		e := newEngine(t, opt)
		good := template(t, load(t, e, "good", companionPlugin(wt.Companion{})), "")
		bad := template(t, load(t, e, "test", wt.Plugin{Data: wt.Code(spin, zero)}.Build()), "")
		var wg sync.WaitGroup
		for k := range 8 {
			wg.Go(func() {
				for n := range 20 {
					if k%4 == 0 {
						g, err := bad.New(context.Background())
						if err != nil {
							t.Error(err)
							return
						}
						if _, _, err := g.Data(0, nil, 0); !errors.Is(err, ErrFuel) {
							t.Error(err)
						}
						g.Close()
						continue
					}
					g, err := good.New(context.Background())
					if err != nil {
						t.Error(err)
						return
					}
					in := strings.Repeat(string(rune('a'+k)), n+1)
					for range 5 {
						if out, _, err := g.Data(0, []byte(in), 0); err != nil || string(out) != "+"+in {
							t.Errorf("%q: %q %v", in, out, err)
						}
					}
					g.Close()
				}
			})
		}
		wg.Wait()
	})
}

// TestNothingLeaks runs many guests and companions, good and bad, and counts mappings and descriptors.
func TestNothingLeaks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts entries of /proc")
	}
	e := newEngine(t, small(Options{}))
	good := load(t, e, "good", companionPlugin(wt.Companion{}))
	bad := load(t, e, "test", wt.Plugin{Data: trap}.Build())
	cycle := func(n int) {
		for range n {
			for _, p := range []*Plugin{good, bad} {
				tm, err := p.Configure(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				g, h := start(t, tm), start(t, tm)
				_, _, _ = g.Data(0, []byte("x"), 0)
				_, _, _ = h.Data(0, []byte("x"), 0)
				g.Close()
				tm.Close()
				h.Close()
			}
		}
	}
	count := func() (maps, fds int) {
		runtime.GC()
		b, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			t.Fatal(err)
		}
		d, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		// Only mappings of guests: reservations and snapshots. The Go heap has its own life.
		return strings.Count(string(b), "memfd:sallyport-guest") + strings.Count(string(b), "---p 00000000 00:00 0 \n"), len(d)
	}
	cycle(20)
	maps, fds := count()
	cycle(500)
	maps2, fds2 := count()
	if maps2 > maps+20 || fds2 > fds+5 {
		t.Errorf("mappings %d, then %d; descriptors %d, then %d", maps, maps2, fds, fds2)
	}
	if s := e.Stats(); s.Guests != 0 || s.Idle != 0 {
		t.Errorf("left over: %+v", s)
	}
}
