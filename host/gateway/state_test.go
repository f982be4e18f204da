package gateway

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// configured is a configuration with these endpoints, its state in dir.
func configured(t *testing.T, dir, gateway string, endpoints ...string) *config.Config {
	t.Helper()
	text := "[gateway]\nstate = " + fmt.Sprintf("%q", dir) + "\n" + gateway + "\n"
	for _, e := range endpoints {
		text += endpointTable(e, "db.internal:5432", "none", "dev")
	}
	cfg, err := config.Parse(filepath.Join(t.TempDir(), "sallyport.toml"), []byte(text), config.Known{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestAddresses: an endpoint keeps its address, whatever becomes of the others.
func TestAddresses(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	get := func(gateway string, endpoints ...string) map[string]netip.Addr {
		t.Helper()
		cfg := configured(t, dir, gateway, endpoints...)
		all, err := virtualAddresses(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[netip.Addr]string{}
		for _, name := range endpoints {
			addr := all[name]
			if !config.EndpointRange(cfg.Gateway.Network).Contains(addr) || seen[addr] != "" {
				t.Errorf("%s has %v, in %v, as has %q", name, addr, cfg.Gateway.Network, seen[addr])
			}
			seen[addr] = name
		}
		return all
	}
	first := get("", "a", "b", "c")
	again := get("", "c", "a", "d") // b is gone, d is new
	if again["a"] != first["a"] || again["c"] != first["c"] {
		t.Errorf("addresses moved: %v, then %v", first, again)
	}
	if again["d"] == first["b"] {
		t.Errorf("the address of one that is gone was given to another: %v", again["d"])
	}
	if third := get("", "b", "a", "c", "d"); third["b"] != first["b"] || third["d"] != again["d"] || third["a"] != first["a"] {
		t.Errorf("addresses moved: %v, %v, then %v", first, again, third)
	}
	// In a small network the places that names choose collide.
	var many []string
	for i := range 6 {
		many = append(many, fmt.Sprintf("endpoint-%d", i))
	}
	small := get(`network = "10.1.0.0/28"`, many...)
	if back := get("", "a"); back["a"] != first["a"] && len(small) > 0 {
		t.Logf("a has a new address after the network was another one for a while: %v, %v", first["a"], back["a"])
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the state is open to others: %v %v", info.Mode(), err)
	}
}

// TestAddressesAcrossRestarts goes through the gateway.
func TestAddressesAcrossRestarts(t *testing.T) {
	up := newUpstream(t, nil)
	w := served(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect)
	before := w.running.Addresses["echo"]
	key := w.running.PublicKey
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.write(endpointTable("another", up.address(), "none", "dev") + endpointTable("echo", up.address(), "none", "dev") + allowConnect)
	w.serve()
	if w.running.Addresses["echo"] != before || w.running.PublicKey != key {
		t.Errorf("after a restart: %v and %v, before %v and %v", w.running.Addresses, w.running.PublicKey, before, key)
	}
	alice := w.alice()
	for _, name := range []string{"echo", "another"} {
		dial(t, alice, name+":"+port(up.address())).says("x\n", "ok x\n")
	}
	if n := count(w.receipts(), isDecision("another", "allow")); n != 1 {
		t.Errorf("%d decisions for the new endpoint", n)
	}
}

func TestKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	cfg := configured(t, dir, "")
	// Many at once, as `peer add` beside `serve`: all have the same.
	var mu sync.Mutex
	keys := map[tunnel.Key]bool{}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			key, err := Key(cfg)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			keys[key] = true
		})
	}
	group.Wait()
	if len(keys) != 1 {
		t.Fatalf("%d keys were made", len(keys))
	}
	path := filepath.Join(dir, "wireguard.key")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v %v", info, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("something was left beside the key: %v %v", entries, err)
	}
	for mode, ok := range map[os.FileMode]bool{0o644: false, 0o640: false, 0o604: false, 0o400: true, 0o600: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Key(cfg)
		if ok != (err == nil) || !ok && !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, secret[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Key(cfg); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), string(secret[:20])) {
		t.Errorf("half a key: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", path); err != nil {
		t.Fatal(err)
	}
	if _, err := Key(cfg); err == nil {
		t.Error("a key behind a symbolic link is taken")
	}

	// A key from elsewhere, with or without a line end.
	other := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(other, []byte(strings.TrimSpace(string(secret))+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	referred := configured(t, dir, fmt.Sprintf("private_key = %q", "file:"+other))
	if key, err := Key(referred); err != nil || !keys[key] {
		t.Errorf("the key that is referred to: %v", err)
	}
	if err := os.WriteFile(other, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Key(referred); err == nil || strings.Contains(err.Error(), "not a key") || !strings.Contains(err.Error(), other) {
		t.Errorf("a reference to something else: %v", err)
	}
	t.Setenv("SALLYPORT_TEST_KEY", "")
	if _, err := Key(configured(t, dir, `private_key = "env:SALLYPORT_TEST_KEY_NOT_SET"`)); err == nil || !strings.Contains(err.Error(), "gateway.private_key") {
		t.Errorf("a reference to nothing: %v", err)
	}
}

// TestRefusals: a peer that scans has a bounded part of the record, gets it back slowly, and takes nobody else's.
func TestRefusals(t *testing.T) {
	now := time.Unix(1000, 0)
	r := newRefusals()
	r.now = func() time.Time { return now }
	take := func(peer string, n int) (recorded int, skipped uint64) {
		for range n {
			if ok, left := r.record(peer); ok {
				recorded++
				skipped += left
			}
		}
		return recorded, skipped
	}
	if n, skipped := take("alice", 1000); n != refusalBurst || skipped != 0 {
		t.Errorf("%d of 1000 at once are recorded, %d skipped before", n, skipped)
	}
	if n, _ := take("bob", 10); n != 10 {
		t.Errorf("%d of bob's 10 are recorded", n)
	}
	now = now.Add(time.Second)
	if n, skipped := take("alice", 100); n != refusalRate || skipped != 900 {
		t.Errorf("%d are recorded a second later, and %d said to be skipped", n, skipped)
	}
	now = now.Add(-time.Hour) // the clock is set back: nobody is locked out for an hour
	take("alice", 1)
	now = now.Add(time.Second)
	if n, _ := take("alice", 100); n > refusalRate {
		t.Errorf("%d are recorded after the clock went back", n)
	}
	now = now.Add(24 * time.Hour)
	if n, _ := take("alice", 1000); n != refusalBurst {
		t.Errorf("%d are recorded after a day", n)
	}
}

// TestScan is the same through the tunnel: everything is refused, a bounded part is recorded.
func TestScan(t *testing.T) {
	up := newUpstream(t, nil)
	w := newWorld(t, endpointTable("echo", up.address(), "none", "dev")+allowConnect)
	a, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	log, err := receipt.Open(ReceiptsPath(a.cfg), receipt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	table, err := a.routes(map[string]netip.Addr{"echo": netip.MustParseAddr("10.89.128.7")})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler(newServing(a, table), a.log, log)
	now := time.Unix(1000, 0)
	h.refusals.now = func() time.Time { return now }
	for i := range 3 * refusalBurst {
		if _, ok := h.Resolve(t.Context(), "alice", "host-"+hex.EncodeToString([]byte{byte(i)})); ok {
			t.Fatal("a name resolves that is not configured")
		}
	}
	if _, ok := h.Resolve(t.Context(), "alice", "echo"); !ok {
		t.Error("a name does not resolve after a scan")
	}
	now = now.Add(time.Second)
	h.Resolve(t.Context(), "alice", "one-more")
	all := w.receipts()
	if n := count(all, func(e *receipt.Entry) bool { return e.Kind == receipt.Refused }); n != refusalBurst+1 {
		t.Errorf("%d are recorded", n)
	}
	if last := all[len(all)-1]; last.Target != "one-more" || !strings.Contains(last.Detail, "200 more refusals") {
		t.Errorf("the last says %s", last.Raw)
	}
}
