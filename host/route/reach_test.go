package route

import (
	"net/netip"
	"testing"
)

func TestReaches(t *testing.T) {
	virtual := netip.MustParseAddr("10.89.255.1")
	table, err := New([]Endpoint{{Name: "db", Host: "192.0.2.7", Port: 5432, Profiles: []string{"dev"}}}, map[string]netip.Addr{"db": virtual})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		profile, addr string
		want          bool
	}{
		{"dev", "10.89.255.1", true},
		{"dev", "::ffff:10.89.255.1", true},
		{"other", "10.89.255.1", false},
		{"dev", "10.89.255.2", false},
		{"dev", "192.0.2.7", false},
	} {
		if got := table.Reaches(c.profile, netip.MustParseAddr(c.addr)); got != c.want {
			t.Errorf("profile %s, %s: %v", c.profile, c.addr, got)
		}
	}
}
