package config

import (
	"net/netip"
	"testing"
)

func TestRanges(t *testing.T) {
	for _, c := range []struct{ network, gateway, peers, space, endpoints string }{
		{"10.89.0.0/16", "10.89.0.1", "10.89.0.0/17", "10.89.0.2 to 10.89.127.255", "10.89.128.0/17"},
		{"10.7.0.16/28", "10.7.0.17", "10.7.0.16/29", "10.7.0.18 to 10.7.0.23", "10.7.0.24/29"},
		{"10.0.0.0/8", "10.0.0.1", "10.0.0.0/9", "10.0.0.2 to 10.127.255.255", "10.128.0.0/9"},
	} {
		n := netip.MustParsePrefix(c.network)
		if got := GatewayAddress(n).String(); got != c.gateway {
			t.Errorf("gateway of %s: %s, want %s", n, got, c.gateway)
		}
		if got := PeerRange(n).String(); got != c.peers {
			t.Errorf("peers of %s: %s, want %s", n, got, c.peers)
		}
		if got := peerSpace(n); got != c.space {
			t.Errorf("addresses for peers of %s: %s, want %s", n, got, c.space)
		}
		if got := EndpointRange(n).String(); got != c.endpoints {
			t.Errorf("endpoints of %s: %s, want %s", n, got, c.endpoints)
		}
	}
}

func TestFreeAddress(t *testing.T) {
	cfg := &Config{Gateway: Gateway{Network: netip.MustParsePrefix("10.7.0.0/28")}}
	take := func(a string) { cfg.Peers = append(cfg.Peers, Peer{Address: netip.MustParseAddr(a)}) }
	take("10.7.0.3")
	for _, want := range []string{"10.7.0.2", "10.7.0.4", "10.7.0.5", "10.7.0.6", "10.7.0.7"} {
		a, err := FreeAddress(cfg)
		if err != nil || a.String() != want {
			t.Fatalf("free address %v, %v; want %s", a, err, want)
		}
		take(want)
	}
	if a, err := FreeAddress(cfg); err == nil {
		t.Errorf("a full network has the free address %v", a)
	}
}
