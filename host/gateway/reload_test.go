package gateway

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/tunnel"
)

const allowDev = `peer.profile == "dev"`

// reload writes the configuration anew and has the gateway take it up.
func (w *world) reload(tables string) (*Change, error) {
	w.t.Helper()
	w.write(tables)
	return w.reloadFile()
}

func (w *world) reloadFile() (*Change, error) {
	w.t.Helper()
	cfg, err := w.load()
	if err != nil {
		return nil, err
	}
	return w.running.Reload(wait(w.t), cfg, false)
}

// TestReload: what is open stays with what it began with, what comes later is served by the new configuration.
func TestReload(t *testing.T) {
	up := newUpstream(t, nil)
	one := endpointTable("one", up.address(), "none", "dev")
	two := endpointTable("two", up.address(), "none", "dev")
	w := served(t, one+ruleTable("dev", allowDev, "allow", ""))
	alice := w.alice()
	open := dial(t, alice, "one:"+port(up.address()))
	open.says("a\n", "ok a\n")
	if _, err := alice.LookupHost(wait(t), "two"); err == nil {
		t.Fatal("two exists before it is configured")
	}

	change, err := w.reload(one + two + ruleTable("dev", allowDev, "allow", `endpoints = ["two"]`))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(change.Endpoints.Added, []string{"two"}) || !slices.Equal(change.Rules.Changed, []string{"dev"}) ||
		len(change.Peers.Added)+len(change.Peers.Removed)+len(change.Endpoints.Removed)+len(change.Endpoints.Changed) != 0 {
		t.Errorf("the reload says %+v", change)
	}
	w.find("the reload", func(e *receipt.Entry) bool { return e.Kind == receipt.Reload && e.Policy == change.Policy })
	open.says("b\n", "ok b\n") // as it began
	dial(t, alice, "two:"+port(up.address())).says("c\n", "ok c\n")
	denied := dial(t, alice, "one:"+port(up.address()))
	if text, _ := denied.rest(); text != "" {
		t.Errorf("a connection that no rule allows any more got %q", text)
	}
	open.says("d\n", "ok d\n")

	// Back again, and the address of an endpoint never moves.
	before := w.running.Addresses["one"]
	change, err = w.reload(one + ruleTable("dev", allowDev, "allow", ""))
	if err != nil || change.Addresses["one"] != before || !slices.Equal(change.Endpoints.Removed, []string{"two"}) {
		t.Errorf("back again: %+v, %v", change, err)
	}
	dial(t, alice, "one:"+port(up.address())).says("e\n", "ok e\n")
	open.says("f\n", "ok f\n")
}

// TestReloadPeers: a new peer gets in, one that is gone ends at once, the others notice nothing.
func TestReloadPeers(t *testing.T) {
	up := newUpstream(t, nil)
	tables := endpointTable("one", up.address(), "none", "dev", "ops") + ruleTable("all", "true", "allow", "")
	w := served(t, tables)
	to := "one:" + port(up.address())
	alice, bob := dial(t, w.alice(), to), dial(t, w.bob(), to)
	alice.says("a\n", "ok a\n")
	bob.says("b\n", "ok b\n")

	// carol comes, bob goes.
	carolKey, carolIP := tunnel.NewPrivateKey(), netip.MustParseAddr("10.89.0.4")
	w.write(tables + peerTable("carol", "dev", carolKey, carolIP))
	text := readFile(t, w.path)
	bobs := peerTable("bob", "ops", w.keys.bob, bobIP)
	if !strings.Contains(text, bobs) {
		t.Fatal("bob is not in the file")
	}
	if err := os.WriteFile(w.path, []byte(strings.Replace(text, bobs, "", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	change, err := w.reloadFile()
	if err != nil || !slices.Equal(change.Peers.Added, []string{"carol"}) || !slices.Equal(change.Peers.Removed, []string{"bob"}) {
		t.Fatalf("Reload = %+v, %v", change, err)
	}
	w.end("bob", "one")
	carol := dial(t, w.agent(carolKey, carolIP), to)
	carol.says("c\n", "ok c\n")
	alice.says("d\n", "ok d\n")

	// A peer with another key is another one.
	w.keys.alice = tunnel.NewPrivateKey()
	change, err = w.reload(tables + peerTable("carol", "dev", carolKey, carolIP))
	if err != nil || !slices.Equal(change.Peers.Changed, []string{"alice"}) || !slices.Equal(change.Peers.Added, []string{"bob"}) {
		t.Fatalf("Reload = %+v, %v", change, err)
	}
	w.end("alice", "one")
	dial(t, w.alice(), to).says("e\n", "ok e\n")
	carol.says("f\n", "ok f\n")
}

// TestReloadRefused: with anything wrong everything stays as it was.
func TestReloadRefused(t *testing.T) {
	up := newUpstream(t, nil)
	tables := endpointTable("one", up.address(), "none", "dev") + ruleTable("all", "true", "allow", "")
	w := served(t, tables)
	alice := w.alice()
	for name, c := range map[string]struct{ tables, message string }{
		"a rule":      {tables + ruleTable("bad", "action.clas == 1", "deny", ""), "clas"},
		"a plugin":    {tables + endpointTable("two", up.address(), "postgress", "dev"), "postgress"},
		"connections": {tables + "[limits]\nconnections = 7\n", "needs a restart"},
		"guests":      {tables + "[limits]\nguest_memory = 33554432\n", "needs a restart"},
	} {
		_, err := w.reload(c.tables)
		var problems config.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: Reload's error is %v, want one about %q", name, err, c.message)
		}
		dial(t, alice, "one:"+port(up.address())).says("a\n", "ok a\n")
	}
	w.write(tables)
	text := strings.Replace(readFile(t, w.path), `listen = "127.0.0.1:0"`, `listen = "127.0.0.1:1"`, 1)
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.reloadFile(); err == nil || !strings.Contains(err.Error(), "sallyport.toml:2:") {
		t.Errorf("another port: %v, want an error with its place", err)
	}
	if n := count(w.receipts(), func(e *receipt.Entry) bool { return e.Kind == receipt.Reload }); n != 0 {
		t.Errorf("%d reloads are on record, want none", n)
	}
}

// TestReloadStopped: a gateway that has ended reloads nothing, and leaves nothing behind.
func TestReloadStopped(t *testing.T) {
	up := newUpstream(t, nil)
	tables := endpointTable("one", up.address(), "none", "dev") + ruleTable("all", "true", "allow", "")
	w := served(t, tables)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.reload(tables); err == nil {
		t.Error("a gateway that has stopped reloads")
	}
}

// TestManyReloads: hundreds of reloads leave nothing behind. The plugin stays loaded, its templates come and go, and a connection
// that was there before is still served by the first.
func TestManyReloads(t *testing.T) {
	up := newUpstream(t, nil)
	const n = 200
	w := newWorld(t, "")
	tables := w.pluginTable() + endpointTable("lines", up.address(), "hostile", "dev")
	second := endpointTable("two", up.address(), "hostile", "dev")
	rule := func(i int) string { return ruleTable("all", []string{"true", "true || false"}[i%2], "allow", "") }
	w.write(tables + rule(0))
	w.serve()
	open := dial(t, w.alice(), "lines:"+port(up.address()))
	open.says("get a\n", "ok get a\n")
	stats := w.assembly.sandbox.engine.Stats
	reload := func(i int) {
		text := tables + rule(i)
		switch i % 100 {
		case 0:
			text += second
		case 50: // the plugin is let go, while a connection is served by it
			text = endpointTable("lines", up.address(), "none", "dev") + rule(i)
		}
		if _, err := w.reload(text); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 101 { // what settles
		reload(i)
	}
	engine, heap, files := stats(), heapInUse(), settledFiles(t, 0)
	for i := range n + 1 {
		reload(i)
	}
	open.more()
	open.says("get b\n", "ok get b\n")
	if now := stats(); now.Instances != engine.Instances || now.Guests != engine.Guests {
		t.Errorf("instances and guests were %+v, and are %+v after %d reloads", engine, now, n)
	}
	settledFiles(t, files)
	if now := heapInUse(); now > heap+heap/2+8<<20 {
		t.Errorf("the heap holds %d KiB after %d reloads, %d KiB before", now>>10, n, heap>>10)
	}
	open.more()
	open.says("get c\n", "ok get c\n")
}

// heapInUse is what is reachable, in bytes.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what the first one's finalizers let go
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
