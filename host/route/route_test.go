package route

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
)

var within = netip.MustParsePrefix("10.89.128.0/17")

func table(t *testing.T, endpoints ...Endpoint) (*Table, map[string]netip.Addr) {
	t.Helper()
	var names []string
	for _, e := range endpoints {
		names = append(names, e.Name)
	}
	virtual, err := Assign(within, names, nil)
	if err != nil {
		t.Fatal(err)
	}
	tab, err := New(endpoints, virtual)
	if err != nil {
		t.Fatal(err)
	}
	return tab, virtual
}

func TestFind(t *testing.T) {
	tab, virtual := table(t,
		Endpoint{"a", "192.0.2.1", 5432, []string{"dev"}},
		Endpoint{"b", "192.0.2.1", 5432, []string{"ops"}},
		Endpoint{"c", "db.internal", 5432, []string{"dev", "ops"}},
		Endpoint{"twin1", "192.0.2.9", 80, []string{"dev"}},
		Endpoint{"twin2", "192.0.2.9", 80, []string{"dev"}},
		Endpoint{"six", "2001:db8::1", 443, []string{"dev"}},
	)
	at := func(name string, port uint16) netip.AddrPort { return netip.AddrPortFrom(virtual[name], port) }
	literal := netip.MustParseAddrPort
	for _, c := range []struct {
		profile string
		dst     netip.AddrPort
		want    string
	}{
		{"dev", at("a", 5432), "a"},
		{"dev", at("a", 5433), ""},
		{"dev", at("b", 5432), ""},
		{"ops", at("b", 5432), "b"},
		{"dev", literal("192.0.2.1:5432"), "a"},
		{"ops", literal("192.0.2.1:5432"), "b"},
		{"dev", literal("[::ffff:192.0.2.1]:5432"), "a"},
		{"dev", literal("192.0.2.1:22"), ""},
		{"other", literal("192.0.2.1:5432"), ""},
		{"other", at("a", 5432), ""},
		{"dev", literal("192.0.2.9:80"), ""},
		{"dev", at("twin1", 80), "twin1"},
		{"dev", at("twin2", 80), "twin2"},
		{"dev", literal("[2001:db8::1]:443"), "six"},
		{"dev", literal("[2001:db8::2]:443"), ""},
	} {
		got, err := tab.Find(c.profile, c.dst)
		if got != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, ErrUnknown) {
			t.Errorf("Find(%s, %v) = %q, %v; want %q", c.profile, c.dst, got, err, c.want)
		}
	}
}

func TestResolve(t *testing.T) {
	tab, virtual := table(t, Endpoint{"prod-db", "db.internal", 5432, []string{"dev"}})
	for _, name := range []string{"prod-db", "prod-db.", "PROD-DB", "Prod-Db."} {
		if got, ok := tab.Resolve("dev", name); !ok || got != virtual["prod-db"] {
			t.Errorf("Resolve(%q) = %v, %v", name, got, ok)
		}
	}
	for _, c := range [][2]string{{"dev", "prod-db2"}, {"ops", "prod-db"}, {"dev", "db.internal"}, {"dev", ""}, {"dev", "prod-db.."}} {
		if got, ok := tab.Resolve(c[0], c[1]); ok {
			t.Errorf("Resolve(%s, %q) = %v, want nothing", c[0], c[1], got)
		}
	}
}

func TestAssignIsStable(t *testing.T) {
	first, err := Assign(within, []string{"a", "b", "c"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Assign(within, []string{"d", "c", "a"}, first)
	if err != nil {
		t.Fatal(err)
	}
	for name, addr := range first {
		if again[name] != addr {
			t.Errorf("%s moved from %v to %v", name, addr, again[name])
		}
	}
	if len(again) != 4 || !within.Contains(again["d"]) {
		t.Errorf("d got %v", again["d"])
	}
}

func TestAssignFull(t *testing.T) {
	small := netip.MustParsePrefix("10.0.0.8/29")
	var names []string
	for i := range 6 {
		names = append(names, fmt.Sprint("e", i))
	}
	all, err := Assign(small, names, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[netip.Addr]bool{}
	for name, addr := range all {
		if seen[addr] || !small.Contains(addr) {
			t.Errorf("%s got %v", name, addr)
		}
		seen[addr] = true
	}
	if _, err := Assign(small, append(names, "one-more"), nil); err == nil {
		t.Error("a seventh endpoint in six addresses")
	}
}

func TestNewRefusesSharedAddress(t *testing.T) {
	a := netip.MustParseAddr("10.89.128.1")
	if _, err := New([]Endpoint{{Name: "a"}, {Name: "b"}}, map[string]netip.Addr{"a": a, "b": a}); err == nil {
		t.Error("two endpoints on one virtual address")
	}
	if _, err := New([]Endpoint{{Name: "a"}}, nil); err == nil {
		t.Error("an endpoint without an address")
	}
}
