package tunnel_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Alice sends what Bob could have sent, and the same with her own address: only her own arrives, and as hers. WireGuard keeps the
// order of a peer's packets, so when the second has arrived the first had its chance.
func TestSpoofedSourceIsDropped(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, handler{serve: func(r *tunnel.Request) { <-release }}, tunnel.Limits{})
	a := w.newAlice(t)
	to := netip.MustParseAddrPort("192.0.2.1:80")
	to6 := netip.MustParseAddrPort("[2001:db8::1]:80")
	bob6 := tunnel.PeerAddress6(network, w.bob.Address)
	until(t, "Alice's own packets arrive", func() bool {
		for _, spoofed := range []netip.Addr{w.bob.Address, netip.MustParseAddr("10.89.0.1"), netip.MustParseAddr("8.8.8.8")} {
			a.Inject(syn(netip.AddrPortFrom(spoofed, 1000), to))
		}
		a.Inject(syn(netip.AddrPortFrom(bob6, 1000), to6))
		a.Inject(syn(netip.AddrPortFrom(a.Address6(), 1000), to6))
		a.Inject(syn(netip.AddrPortFrom(a.Address(), 1000), to))
		n := w.Counters().Peers["alice"]
		return n.Connections == 1 && n.ResetIPv6 > 0
	})
	c := w.Counters()
	if n := c.Peers["bob"]; n.Connections != 0 || n.ResetIPv6 != 0 || c.Connections != 1 || c.Strangers != 0 {
		t.Errorf("spoofed packets arrived: %+v", c)
	}
	close(release)
}

func TestUnknownKeyGetsNothing(t *testing.T) {
	t.Parallel()
	var requests, packets atomic.Int64
	w := newWorld(t, handler{serve: counted(&requests)}, tunnel.Limits{})
	key := tunnel.NewPrivateKey()
	carol := tunnel.Peer{Name: "carol", PublicKey: key.Public(), Address: netip.MustParseAddr("10.89.0.4")}
	stranger := w.agent(t, key, carol.Address, func([]byte) bool { packets.Add(1); return true })
	ctx, cancel := context.WithCancel(wait(t))
	done := make(chan error, 1)
	go func() {
		_, err := stranger.DialTCP(ctx, netip.MustParseAddrPort("192.0.2.1:80"))
		done <- err
	}()
	dial(t, w.newBob(t), "192.0.2.1:80") // the gateway works meanwhile
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || packets.Load() != 0 || requests.Load() != 1 {
		t.Errorf("the stranger: %v, %d packets to it, %d requests", err, packets.Load(), requests.Load())
	}
	if err := w.AddPeer(carol); err != nil { // the twin: the same agent, known
		t.Fatal(err)
	}
	dial(t, stranger, "192.0.2.1:80")
	until(t, "the peer's connection is counted", func() bool { return w.Counters().Peers["carol"].Accepted > 0 })
}

func TestRemovedPeerLosesItsReach(t *testing.T) {
	serving := make(chan *tunnel.Request, 8)
	ended := make(chan error, 8)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		serving <- r
		if r.Destination().Port() == 2 { // decides too late
			<-r.Context().Done()
			_, err := r.Accept()
			ended <- err
			return
		}
		c, err := r.Accept()
		if err != nil {
			return
		}
		io.WriteString(c, "x")
		_, err = io.Copy(c, c)
		c.Close()
		if r.Peer() == "alice" {
			ended <- err
		}
	}}, tunnel.Limits{})
	alice, bob := w.newAlice(t), w.newBob(t)
	ofAlice, ofBob := dial(t, alice, "192.0.2.1:1"), dial(t, bob, "192.0.2.1:1")
	for _, c := range []net.Conn{ofAlice, ofBob} {
		io.ReadFull(c, make([]byte, 1)) // Accept is done
	}
	ctx, cancel := context.WithCancel(wait(t))
	pending := make(chan error, 1)
	go func() {
		_, err := alice.DialTCP(ctx, netip.MustParseAddrPort("192.0.2.1:2"))
		pending <- err
	}()
	for range 3 {
		<-serving
	}

	if err := w.RemovePeer("alice"); err != nil {
		t.Fatal(err)
	}
	gone := 0
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("a connection of the removed peer ended as if the agent had closed it")
		} else if errors.Is(err, tunnel.ErrGone) {
			gone++
		}
	}
	if gone != 1 {
		t.Errorf("%d late decisions were refused with ErrGone", gone)
	}
	if _, there := w.Counters().Peers["alice"]; there {
		t.Error("the removed peer is still counted")
	}
	io.WriteString(ofBob, "x")
	if _, err := io.ReadFull(ofBob, make([]byte, 1)); err != nil {
		t.Errorf("Bob's connection: %v", err)
	}
	cancel()
	if err := <-pending; err == nil {
		t.Error("the removed peer got a connection")
	}
	alice.Close()

	// Somebody else gets the address: nothing of Alice is left in it.
	key := tunnel.NewPrivateKey()
	if err := w.AddPeer(tunnel.Peer{Name: "carol", PublicKey: key.Public(), Address: w.alice.Address}); err != nil {
		t.Fatal(err)
	}
	dial(t, w.agent(t, key, w.alice.Address, nil), "192.0.2.1:1")
	if r := <-serving; r.Peer() != "carol" {
		t.Errorf("the request says %q", r.Peer())
	}
	if err := w.RemovePeer("carol"); err != nil {
		t.Fatal(err)
	}
	// And Alice comes back.
	if err := w.AddPeer(w.alice); err != nil {
		t.Fatal(err)
	}
	dial(t, w.newAlice(t), "192.0.2.1:1")
	if r := <-serving; r.Peer() != "alice" {
		t.Errorf("the request says %q", r.Peer())
	}
}

// Peers cannot reach each other: what Alice sends to Bob's address comes to the handler, and Bob hears nothing.
func TestPeersDoNotReachEachOther(t *testing.T) {
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		if r.Peer() == "bob" {
			echo(r)
		}
	}}, tunnel.Limits{})
	var toBob atomic.Int64
	bob := w.agent(t, w.bobKey, w.bob.Address, func(p []byte) bool {
		if netip.AddrFrom4([4]byte(p[12:16])) == w.alice.Address {
			toBob.Add(1)
		}
		return true
	})
	listener, err := bob.ListenTCP(80)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dial(t, bob, "192.0.2.1:80") // the gateway knows where Bob is
	alice := w.newAlice(t)
	if _, err := alice.DialContext(wait(t), "tcp", "10.89.0.3:80"); err == nil {
		t.Error("Alice got a connection to Bob's address")
	}
	until(t, "an echo request to Bob is dropped", func() bool {
		alice.Inject(ping(alice.Address(), w.bob.Address))
		return w.Counters().Peers["alice"].Dropped[tunnel.DropICMP] > 0
	})
	if n := toBob.Load(); n != 0 {
		t.Errorf("Bob got %d packets from Alice", n)
	}
}

func TestEverythingElseIsDroppedAndCounted(t *testing.T) {
	var resolved atomic.Int64
	w := newWorld(t, handler{serve: echo, resolve: func(context.Context, string, string) (netip.Addr, bool) {
		resolved.Add(1)
		return netip.MustParseAddr("10.89.255.1"), true
	}}, tunnel.Limits{})
	echoed := make(chan struct{}, 1)
	a := w.agent(t, w.aliceKey, w.alice.Address, func(p []byte) bool {
		if p[9] == uint8(header.ICMPv4ProtocolNumber) && header.ICMPv4(p[20:]).Type() == header.ICMPv4EchoReply {
			select {
			case echoed <- struct{}{}:
			default:
			}
		}
		return true
	})
	var sockets []net.Conn
	for _, to := range []string{"8.8.8.8:53", "10.89.0.1:54", "10.89.0.3:53"} {
		c, err := a.DialUDP(netip.MustParseAddrPort(to))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		sockets = append(sockets, c)
	}
	from, gateway := a.Address(), w.Gateway()
	fragment := syn(netip.AddrPortFrom(from, 1), netip.MustParseAddrPort("192.0.2.1:80"))
	fragment[6] |= 0x20 // more fragments
	send := func() {
		for _, c := range sockets {
			io.WriteString(c, "hello")
		}
		a.Inject(ping(from, netip.MustParseAddr("192.0.2.1")))
		a.Inject(ipPacket(47, from, gateway, make([]byte, 20)))
		a.Inject(ipPacket(header.ICMPv6ProtocolNumber, a.Address6(), netip.MustParseAddr("2001:db8::1"), make([]byte, 8)))
		a.Inject(syn(netip.AddrPortFrom(from, 1), netip.MustParseAddrPort("127.0.0.1:80")))
		a.Inject(syn(netip.AddrPortFrom(from, 1), netip.AddrPortFrom(from, 1)))
		a.Inject(fragment)
		a.Inject(ping(from, gateway)) // answered
	}
	want := []tunnel.Drop{tunnel.DropUDP, tunnel.DropICMP, tunnel.DropIPv6, tunnel.DropProtocol, tunnel.DropFragment, tunnel.DropDestination}
	until(t, "all is counted", func() bool {
		send()
		n := w.Counters().Peers["alice"]
		for _, d := range want {
			if n.Dropped[d] == 0 {
				return false
			}
		}
		if len(n.Dropped) != len(want) || n.Requests != 0 || n.DNS != 0 {
			t.Fatalf("counters: %+v", n)
		}
		return true
	})
	<-echoed
	if n := resolved.Load(); n != 0 {
		t.Errorf("the handler resolved %d names", n)
	}
	if hosts, err := a.LookupHost(wait(t), "db"); err != nil || strings.Join(hosts, " ") != "10.89.255.1" {
		t.Errorf("DNS to the gateway: %v, %v", hosts, err)
	}
}
