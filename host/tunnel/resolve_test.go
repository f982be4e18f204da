package tunnel_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// names resolves db.prod, to an address that tells the peers apart.
func names(_ context.Context, peer, name string) (netip.Addr, bool) {
	switch {
	case name == "db.prod" && peer == "alice":
		return netip.MustParseAddr("10.89.255.1"), true
	case name == "db.prod" && peer == "bob":
		return netip.MustParseAddr("10.89.255.2"), true
	}
	return netip.Addr{}, false
}

func TestDNSThroughTheTunnel(t *testing.T) {
	w := newWorld(t, handler{serve: echo, resolve: names}, tunnel.Limits{})
	alice, bob := w.newAlice(t), w.newBob(t)
	for _, protocol := range []string{"udp", "tcp"} {
		for agent, want := range map[interface {
			Resolver(string) *net.Resolver
		}]string{alice: "10.89.255.1", bob: "10.89.255.2"} {
			resolver := agent.Resolver(protocol)
			for _, name := range []string{"db.prod.", "DB.Prod."} {
				if got, err := resolver.LookupHost(wait(t), name); err != nil || strings.Join(got, " ") != want {
					t.Errorf("%s over %s: %v, %v", name, protocol, got, err)
				}
			}
			var failure *net.DNSError
			if got, err := resolver.LookupHost(wait(t), "nothing.example."); !errors.As(err, &failure) || !failure.IsNotFound {
				t.Errorf("unknown name over %s: %v, %v", protocol, got, err)
			}
		}
	}
	c, err := alice.DialContext(wait(t), "tcp", "db.prod:5432")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.RemoteAddr().String() != "10.89.255.1:5432" {
		t.Errorf("dialled %s", c.RemoteAddr())
	}
	if n := w.Counters().Peers["alice"]; n.DNS == 0 || n.Requests != 1 {
		t.Errorf("counters: %+v", n)
	}
}

// Several questions on one TCP connection, then one that is too long: the gateway closes instead of waiting for it.
func TestDNSOverTCP(t *testing.T) {
	w := newWorld(t, handler{resolve: names}, tunnel.Limits{})
	c := dial(t, w.newAlice(t), "10.89.0.1:53")
	question := []byte("\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02db\x04prod\x00\x00\x01\x00\x01")
	for range 3 {
		c.Write(append([]byte{0, byte(len(question))}, question...))
	}
	for range 3 {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, answer); err != nil || string(answer[len(answer)-4:]) != "\x0a\x59\xff\x01" {
			t.Errorf("%x, %v", answer, err)
		}
	}
	c.Write([]byte{0xff, 0xff})
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("after a length of 65535: %d bytes, %v", n, err)
	}
	c.Close()
	until(t, "the connection is over", func() bool { return w.Counters().Connections == 0 })
}
