package guest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// goGuest builds the stock-Go plugin in testdata, once for all tests.
var goGuest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sallyport-goguest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "goguest.wasm")
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", file, "./testdata/goguest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, &os.PathError{Op: "build", Path: string(msg), Err: err}
	}
	return os.ReadFile(file)
})

func goGuestWasm(t testing.TB) []byte {
	t.Helper()
	b, err := goGuest()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoGuest(t *testing.T) {
	wasm := goGuestWasm(t)
	results := map[string]string{}
	modes(t, func(t *testing.T, opt Options) {
		opt.CacheDir = sharedCache
		p := load(t, newEngine(t, opt), "test", wasm)
		if !strings.Contains(string(p.Manifest()), "goguest") {
			t.Errorf("manifest %s", p.Manifest())
		}
		_, err := p.Configure(t.Context(), []byte("bad"))
		wantKind(t, err, ErrConfigure, "bad options")
		tm := template(t, p, "p:")
		for range 3 { // each guest starts from nothing, also a reset one
			g := start(t, tm)
			mustData(t, g, "seen a", "p:a=1")
			mustData(t, g, "seen b", "p:a=1,b=1")
			mustData(t, g, "gc", "done")
			mustData(t, g, "gc", "done")
			mustData(t, g, "goroutines", "45")
			mustData(t, g, "deep", "1000")
			mustData(t, g, "seen a", "p:a=2,b=1")
			out, _, err := g.Data(0, []byte("world"), 0)
			if err != nil {
				t.Fatal(err)
			}
			if want, ok := results["world"]; ok && want != string(out) {
				t.Errorf("clock and randomness say %q, and %q before", out, want)
			}
			results["world"] = string(out)
			g.Close()
		}
	})
}

func TestGoGuestFailures(t *testing.T) {
	wasm := goGuestWasm(t)
	modes(t, func(t *testing.T, opt Options) {
		opt.CacheDir = sharedCache
		opt.MemoryLimit = 16 << 20
		tm := template(t, load(t, newEngine(t, opt), "test", wasm), "")
		for cmd, c := range map[string]struct {
			fuel int64
			kind error
		}{"hog": {50_000_000, ErrMemory}, "spin": {500_000, ErrFuel}, "panic": {5_000_000, ErrTrap}, "sleep": {500_000, ErrFuel}} {
			g, other := start(t, tm), start(t, tm)
			g.acct.left = c.fuel
			_, _, err := g.Data(0, []byte(cmd), 0)
			wantKind(t, err, c.kind)
			mustData(t, other, "seen x", "x=1")
		}
	})
}

// TestGoGuestCosts bounds what a stock-Go guest costs: fuel to initialise, and memory of its own while it waits.
func TestGoGuestCosts(t *testing.T) {
	e := newEngine(t, Options{CacheDir: sharedCache})
	p := load(t, e, "test", goGuestWasm(t))
	acct := &account{left: e.opt.Fuel.Setup}
	i, err := p.code.fresh(acct, p.env)
	if err != nil {
		t.Fatal(err)
	}
	i.kill()
	if !p.code.mod.Replaced || !p.code.mod.Resettable {
		t.Errorf("a stock-Go guest has tables (replaced %v) or cannot be reset (%v): each new one is dear", p.code.mod.Replaced, p.code.mod.Resettable)
	}
	if used := e.opt.Fuel.Setup - acct.left; used > e.opt.Fuel.Setup/50 {
		t.Errorf("_initialize takes %d of %d units", used, e.opt.Fuel.Setup)
	}
	t.Log("units for _initialize:", e.opt.Fuel.Setup-acct.left)
}
