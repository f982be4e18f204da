package tunnel_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// Close with everything open at once: connections, a request without a decision, a handshake that the agent does not finish, a
// connection whose agent has vanished, a DNS question in work. TestMain finds what is left.
func TestCloseEndsEverything(t *testing.T) {
	var running atomic.Int64
	came := make(chan uint16, 8)
	resolving := make(chan struct{}, 8)
	w := newWorld(t, handler{
		serve: func(r *tunnel.Request) {
			running.Add(1)
			defer running.Add(-1)
			came <- r.Destination().Port()
			if r.Destination().Port() == 2 {
				<-r.Context().Done()
				return
			}
			c, err := r.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "hello")
			io.Copy(io.Discard, c)
			c.Close()
		},
		resolve: func(ctx context.Context, _, _ string) (netip.Addr, bool) {
			resolving <- struct{}{}
			<-ctx.Done()
			return netip.Addr{}, false
		},
	}, tunnel.Limits{})
	// Alice does not answer the gateway's packets for port 1000, so that the handshake hangs.
	alice := w.agent(t, w.aliceKey, w.alice.Address, func(p []byte) bool {
		return p[9] != uint8(header.TCPProtocolNumber) || header.TCP(p[20:]).DestinationPort() != 1000
	})
	bob := w.newBob(t)
	for range 3 {
		dial(t, alice, "192.0.2.1:1")
		<-came
	}
	dial(t, bob, "192.0.2.1:1")
	<-came
	bob.Close()
	for port, seen := uint16(2), false; port <= 3; port, seen = port+1, false {
		until(t, "the raw request arrives", func() bool {
			alice.Inject(syn(netip.AddrPortFrom(alice.Address(), 998+2*(port-2)), netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port)))
			select {
			case <-came:
				seen = true
			default:
			}
			return seen
		})
	}
	go alice.LookupHost(wait(t), "db")
	<-resolving
	if n := running.Load(); n != 6 {
		t.Errorf("%d handlers run, want 6", n)
	}
	port := w.ListenPort()
	w.Close()
	w.Close()
	if n, c := running.Load(), w.Counters(); n != 0 || c.Connections != 0 || len(c.Peers) != 0 {
		t.Errorf("after Close %d handlers run, counters %+v", n, c)
	}
	if err := w.AddPeer(w.alice); err == nil {
		t.Error("AddPeer works after Close")
	}
	socket, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatalf("the UDP port is not free after Close: %v", err)
	}
	socket.Close()
}

func TestNewLeavesNothingBehindWhenItFails(t *testing.T) {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	key := tunnel.NewPrivateKey()
	peer := tunnel.Peer{Name: "alice", PublicKey: tunnel.NewPrivateKey().Public(), Address: netip.MustParseAddr("10.89.0.2")}
	for _, c := range []struct {
		listen string
		peers  []tunnel.Peer
	}{
		{socket.LocalAddr().String(), nil},
		{"127.0.0.1:0", []tunnel.Peer{peer, peer}},
	} {
		_, err := tunnel.New(context.Background(), tunnel.Config{Listen: c.listen, PrivateKey: key, Network: network, Peers: c.peers, Handler: handler{}})
		if err == nil {
			t.Errorf("New with %+v works", c)
		}
	}
}
