package tunnel_test

import (
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// What is known of peers follows what they do, while they come and go.
func TestPeers(t *testing.T) {
	serve, conns := accepted()
	w := newWorld(t, handler{serve: serve}, tunnel.Limits{})
	status := func() map[string]tunnel.PeerStatus {
		list, err := w.Peers()
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]tunnel.PeerStatus{}
		for i, p := range list {
			if by[p.Name] = p; i > 0 && list[i-1].Name >= p.Name {
				t.Errorf("the order is %+v", list)
			}
		}
		return by
	}
	for name, p := range status() {
		if p.Endpoint.IsValid() || !p.Handshake.IsZero() || p.Connections != 0 || p.Address != map[string]netip.Addr{"alice": w.alice.Address, "bob": w.bob.Address}[name] {
			t.Errorf("before anything: %+v", p)
		}
	}
	begin := time.Now().Add(-time.Second)
	a := w.newAlice(t)
	conn := dial(t, a, "192.0.2.1:1")
	c := <-conns
	before := status()["alice"]
	c.Write(make([]byte, 100_000))
	if _, err := io.ReadFull(conn, make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	until(t, "what was sent is counted", func() bool { // WireGuard counts a packet behind the write that sends it
		return status()["alice"].Sent >= before.Sent+100_000
	})
	now := status()
	if p := now["alice"]; p.Endpoint.Addr() != netip.MustParseAddr("127.0.0.1") || p.Handshake.Before(begin) || p.Handshake.After(time.Now().Add(time.Second)) ||
		p.Connections != 1 || p.Received <= before.Received {
		t.Errorf("before %+v, after %+v", before, p)
	}
	if p := now["bob"]; p.Endpoint.IsValid() || !p.Handshake.IsZero() || p.Connections != 0 || p.Sent+p.Received != 0 {
		t.Errorf("Bob did nothing: %+v", p)
	}
	key := tunnel.NewPrivateKey()
	carol := tunnel.Peer{Name: "carol", PublicKey: key.Public(), Address: netip.MustParseAddr("10.89.0.4")}
	if err := w.AddPeer(carol); err != nil {
		t.Fatal(err)
	}
	if err := w.RemovePeer("alice"); err != nil {
		t.Fatal(err)
	}
	if now := status(); len(now) != 2 || now["carol"].Address != carol.Address {
		t.Errorf("after Carol came and Alice went: %+v", now)
	}
}
