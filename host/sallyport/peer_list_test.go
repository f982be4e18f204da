package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/console"
)

func TestPrintRunningPeers(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := now.Add(-83*time.Second - 400*time.Millisecond)
	var out strings.Builder
	err := printRunningPeers(&out, []listedPeer{
		{Name: "claude", Profile: "dev", Address: netip.MustParseAddr("10.89.0.2"), PublicKey: "k1",
			Running: &console.Peer{Endpoint: "192.0.2.1:4711", Handshake: &at, Received: 999, Sent: 1_260_000_000, Connections: 3}},
		{Name: "silent", Profile: "dev", Address: netip.MustParseAddr("10.89.0.3"), PublicKey: "k2", Running: &console.Peer{}},
		{Name: "new", Profile: "dev", Address: netip.MustParseAddr("10.89.0.4"), PublicKey: "k3"},
	}, now)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{
		"NAME PROFILE ADDRESS PUBLIC KEY HANDSHAKE RECEIVED SENT CONNECTIONS HEARD FROM",
		"claude dev 10.89.0.2 k1 1m23s ago 999 B 1.3 GB 3 192.0.2.1:4711",
		"silent dev 10.89.0.3 k2 never 0 B 0 B 0 -",
		"new dev 10.89.0.4 k3 not loaded",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
}
