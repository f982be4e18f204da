package hostile

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/guest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// modes runs a test on clones and on plain instances.
func modes(t *testing.T, f func(t *testing.T, opt guest.Options)) {
	t.Run("clones", func(t *testing.T) { f(t, Limits()) })
	t.Run("plain", func(t *testing.T) {
		opt := Limits()
		opt.Plain = true
		f(t, opt)
	})
}

func newEngine(t testing.TB, opt guest.Options) *guest.Engine {
	t.Helper()
	e, err := guest.NewEngine(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func templateOf(t testing.TB, e *guest.Engine, name string, wasm []byte) *guest.Template {
	t.Helper()
	p, err := e.Load(t.Context(), name, wasm)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	tm, err := p.Configure(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tm.Close)
	return tm
}

// neighbour is an honest guest that is called for as long as a test runs.
type neighbour struct {
	t    testing.TB
	stop chan struct{}
	done chan struct{}
	took []time.Duration
}

func newNeighbour(t testing.TB, tm *guest.Template) *neighbour {
	t.Helper()
	g, err := tm.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := &neighbour{t: t, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(n.done)
		defer g.Close()
		for {
			select {
			case <-n.stop:
				return
			default:
			}
			from := time.Now()
			out, _, err := g.Data(0, []byte("good morning"), 0)
			n.took = append(n.took, time.Since(from))
			if err != nil || string(out) != "good morning" {
				t.Errorf("the neighbour is disturbed: %q %v", out, err)
				return
			}
			time.Sleep(20 * time.Microsecond)
		}
	}()
	return n
}

// end logs how long the neighbour's calls took.
func (n *neighbour) end() {
	close(n.stop)
	<-n.done
	slices.Sort(n.took)
	if k := len(n.took); k > 0 {
		n.t.Logf("the neighbour's calls: %d, p50 %v, p99 %v, longest %v", k, n.took[k/2], n.took[k*99/100], n.took[k-1])
	}
}

// attack uses a module as a gateway would, and returns the first error.
func attack(t testing.TB, e *guest.Engine, wasm []byte) (at Stage, err error) {
	t.Helper()
	p, err := e.Load(t.Context(), "test", wasm)
	if err != nil {
		return AtLoad, err
	}
	defer p.Close()
	tm, err := p.Configure(t.Context(), []byte("{}"))
	if err != nil {
		return AtConfigure, err
	}
	defer tm.Close()
	for range 2 { // the second may find what the first has left
		var g *guest.Guest
		if g, err = tm.New(t.Context()); err != nil {
			return AtConfigure, err
		}
		err = use(g)
		if again := use(g); err != nil && again != err {
			t.Errorf("called again after %v: %v", err, again)
		}
		g.Close()
	}
	return AtCall, err
}

func use(g *guest.Guest) error {
	for _, call := range []func() ([]byte, bool, error){
		func() ([]byte, bool, error) { return g.Open([]byte("x")) },
		func() ([]byte, bool, error) { return g.Data(0, []byte("x"), 0) },
		func() ([]byte, bool, error) { return g.Event([]byte("x")) },
	} {
		_, more, err := call()
		for more && err == nil {
			_, more, err = g.Event(nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TestSandbox runs every attack that must end in the sandbox, beside an honest guest of the same engine.
func TestSandbox(t *testing.T) {
	modes(t, func(t *testing.T, opt guest.Options) {
		e := newEngine(t, opt)
		good := templateOf(t, e, "good", Benign())
		before := held(t, e)
		n := newNeighbour(t, good)
		for _, m := range At(AtLoad, AtStart, AtConfigure, AtCall) {
			t.Run(m.Name, func(t *testing.T) {
				at, err := attack(t, e, m.Wasm)
				failure, ok := errors.AsType[*guest.Error](err)
				if !ok || !errors.Is(err, m.Kind) {
					t.Fatalf("got %v, want an error that is %q", err, m.Kind)
				}
				if want := max(m.Stage, AtStart); max(at, AtStart) != want {
					t.Errorf("it ended at stage %d, not %d: %v", at, m.Stage, err)
				}
				if !strings.HasPrefix(failure.Plugin, "test") || !strings.Contains(err.Error(), "plugin test") {
					t.Errorf("%v does not name the plugin", err)
				}
				if !strings.Contains(err.Error(), m.Say) {
					t.Errorf("%v does not say %q", err, m.Say)
				}
			})
		}
		n.end()
		if after := held(t, e); after != before {
			t.Errorf("left over: %+v, before %+v", after, before)
		}
	})
}

// holdings is what an engine has of the host.
type holdings struct{ guests, instances int64 }

func held(t testing.TB, e *guest.Engine) holdings {
	t.Helper()
	s := e.Stats()
	return holdings{s.Guests, s.Instances - s.Idle}
}

// TestNothingIsLeft runs all attacks again and again and counts mappings and descriptors.
func TestNothingIsLeft(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("counts entries of /proc")
	}
	e := newEngine(t, Limits())
	// One of each kind that gets as far as having instances: the others are refused before they hold anything.
	var ms []Module
	for k, m := range At(AtStart, AtConfigure, AtCall) {
		if k%3 == 0 || strings.Contains(m.Name, "companion") {
			ms = append(ms, m)
		}
	}
	cycle := func(n int) {
		for range n {
			for _, m := range ms {
				_, _ = attack(t, e, m.Wasm)
			}
		}
	}
	cycle(1)
	maps, fds := system(t)
	cycle(3)
	maps2, fds2 := system(t)
	if maps2 > maps+len(ms)/2 || fds2 > fds+5 {
		t.Errorf("mappings of guests %d, then %d; descriptors %d, then %d", maps, maps2, fds, fds2)
	}
	if s := e.Stats(); s.Guests != 0 || s.Instances != 0 || s.Idle != 0 {
		t.Errorf("left over: %+v", s)
	}
}

func system(t testing.TB) (maps, fds int) {
	t.Helper()
	runtime.GC()
	b, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(b), "memfd:sallyport-guest"), len(d)
}

// TestNamesAreUnique keeps the table's names usable as names of tests.
func TestNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Modules() {
		if seen[m.Name] {
			t.Errorf("two attacks are called %q", m.Name)
		}
		seen[m.Name] = true
		if m.Stage != AtGate && m.Kind == nil {
			t.Errorf("%q does not say what it ends in", m.Name)
		}
	}
}
