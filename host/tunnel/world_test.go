package tunnel_test

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
)

var network = netip.MustParsePrefix("10.89.0.0/16")

// patience is how long a test waits for something that must happen.
const patience = 90 * time.Second

// handler is a tunnel.Handler made of functions.
type handler struct {
	serve   func(*tunnel.Request)
	resolve func(ctx context.Context, peer, name string) (netip.Addr, bool)
}

func (h handler) ServeTCP(r *tunnel.Request) {
	if h.serve == nil {
		r.Reset()
		return
	}
	h.serve(r)
}

func (h handler) Resolve(ctx context.Context, peer, name string) (netip.Addr, bool) {
	if h.resolve == nil {
		return netip.Addr{}, false
	}
	return h.resolve(ctx, peer, name)
}

// world is a gateway with two peers, alice (10.89.0.2) and bob (10.89.0.3).
type world struct {
	*tunnel.Tunnel
	alice, bob       tunnel.Peer
	aliceKey, bobKey tunnel.Key
}

func newWorld(t testing.TB, h tunnel.Handler, limits tunnel.Limits) *world {
	t.Helper()
	w := &world{aliceKey: tunnel.NewPrivateKey(), bobKey: tunnel.NewPrivateKey()}
	w.alice = tunnel.Peer{Name: "alice", PublicKey: w.aliceKey.Public(), Address: netip.MustParseAddr("10.89.0.2")}
	w.bob = tunnel.Peer{Name: "bob", PublicKey: w.bobKey.Public(), Address: netip.MustParseAddr("10.89.0.3")}
	var err error
	w.Tunnel, err = tunnel.New(context.Background(), tunnel.Config{
		Listen:     "127.0.0.1:0",
		PrivateKey: tunnel.NewPrivateKey(),
		Network:    network,
		Peers:      []tunnel.Peer{w.alice, w.bob},
		Handler:    h,
		Limits:     limits,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func (w *world) newAlice(t *testing.T) *tunneltest.Agent {
	t.Helper()
	return tunneltest.Dial(t, w.Tunnel, network, w.aliceKey, w.alice.Address)
}

func (w *world) newBob(t *testing.T) *tunneltest.Agent {
	t.Helper()
	return tunneltest.Dial(t, w.Tunnel, network, w.bobKey, w.bob.Address)
}

// agent returns an agent with options of its own.
func (w *world) agent(t testing.TB, key tunnel.Key, addr netip.Addr, filter func([]byte) bool) *tunneltest.Agent {
	t.Helper()
	return tunneltest.New(t, tunneltest.Options{
		Endpoint:   netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), w.ListenPort()),
		GatewayKey: w.PublicKey(), PrivateKey: key, Network: network, Address: addr, Filter: filter,
	})
}

func wait(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// until waits for a condition.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func dial(t testing.TB, a *tunneltest.Agent, to string) *tunneltest.Conn {
	t.Helper()
	c, err := a.DialTCP(wait(t), netip.MustParseAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// echo accepts and sends back what comes, until the agent's FIN, which it answers with its own.
func echo(r *tunnel.Request) {
	c, err := r.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := c.Read(buffer)
		if _, werr := c.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}

// counted is echo with a count of the requests that came.
func counted(n *atomic.Int64) func(*tunnel.Request) {
	return func(r *tunnel.Request) {
		n.Add(1)
		echo(r)
	}
}
