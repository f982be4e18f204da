package tunnel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
)

// content is n bytes that are not like each other.
func content(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	r.Read(b)
	return b
}

// thereAndBack sends data to an echo and compares what comes back.
func thereAndBack(c *tunneltest.Conn, data []byte) error {
	c.SetDeadline(time.Now().Add(patience))
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(data)
		sent <- errors.Join(err, c.CloseWrite())
	}()
	got, err := io.ReadAll(c)
	if err = errors.Join(err, <-sent); err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return fmt.Errorf("%d bytes were sent, %d came back, and they differ", len(data), len(got))
	}
	return nil
}

// gatewayOf makes a gateway with n peers, with an MTU.
func gatewayOf(t *testing.T, n, mtu int, h tunnel.Handler) (*tunnel.Tunnel, []tunneltest.Options) {
	t.Helper()
	config := tunnel.Config{Listen: "127.0.0.1:0", PrivateKey: tunnel.NewPrivateKey(), Network: network, Handler: h, MTU: mtu}
	var agents []tunneltest.Options
	addr := netip.MustParseAddr("10.89.0.2")
	for i := range n {
		key := tunnel.NewPrivateKey()
		config.Peers = append(config.Peers, tunnel.Peer{Name: fmt.Sprint("peer ", i), PublicKey: key.Public(), Address: addr})
		agents = append(agents, tunneltest.Options{GatewayKey: config.PrivateKey.Public(), PrivateKey: key, Network: network, Address: addr})
		addr = addr.Next()
	}
	g, err := tunnel.New(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	for i := range agents {
		agents[i].Endpoint = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), g.ListenPort())
	}
	return g, agents
}

// Several peers at full speed at once, each with several connections, while they try IPv6 too.
func TestManyPeersAtOnce(t *testing.T) {
	g, options := gatewayOf(t, 5, 0, handler{serve: echo})
	var all sync.WaitGroup
	for i, o := range options {
		a := tunneltest.New(t, o)
		for j := range 2 {
			all.Go(func() {
				c, err := a.DialTCP(wait(t), netip.MustParseAddrPort("192.0.2.1:80"))
				if err == nil {
					err = thereAndBack(c, content(150_000, uint64(i*3+j)))
					c.Close()
				}
				if err != nil {
					t.Errorf("peer %d, connection %d: %v", i, j, err)
				}
			})
		}
		all.Go(func() {
			for range 5 {
				if _, err := a.DialTCP(wait(t), netip.MustParseAddrPort("[2001:db8::1]:80")); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("peer %d, IPv6: %v", i, err)
				}
			}
		})
	}
	all.Wait()
	until(t, "no connection is left", func() bool { return g.Counters().Connections == 0 })
}

// A way that loses packets and takes its time: 80 ms there and back, and 1 % lost in each direction, as on a bad line; and worse.
func TestLossAndDelay(t *testing.T) {
	for _, c := range []struct {
		way   tunneltest.Network
		bytes int
	}{
		{tunneltest.Network{Delay: 40 * time.Millisecond, Loss: 0.01, Seed: 1}, 400_000},
		{tunneltest.Network{Loss: 0.10, Seed: 2}, 100_000},
	} {
		t.Run(fmt.Sprintf("%v, %v", c.way.Delay, c.way.Loss), func(t *testing.T) {
			t.Parallel()
			_, options := gatewayOf(t, 1, 0, handler{serve: echo})
			options[0].Way = c.way
			a := tunneltest.New(t, options[0])
			var all sync.WaitGroup
			for i := range 2 {
				all.Go(func() {
					conn, err := a.DialTCP(wait(t), netip.MustParseAddrPort("192.0.2.1:80"))
					if err == nil {
						err = thereAndBack(conn, content(c.bytes, uint64(i)))
						conn.Close()
					}
					if err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		})
	}
}

// The two ends need not have the same MTU: TCP agrees on the smaller one.
func TestMTUs(t *testing.T) {
	for _, mtu := range []struct{ gateway, agent int }{{1280, 1280}, {1420, 1280}, {1280, 9000}, {9000, 9000}, {9000, 1420}, {1420, 576}} {
		t.Run(fmt.Sprintf("gateway %d, agent %d", mtu.gateway, mtu.agent), func(t *testing.T) {
			g, options := gatewayOf(t, 1, mtu.gateway, handler{serve: echo, resolve: func(context.Context, string, string) (netip.Addr, bool) {
				return netip.MustParseAddr("10.89.255.1"), true
			}})
			var largest atomic.Int64
			options[0].MTU = mtu.agent
			options[0].Filter = func(p []byte) bool {
				largest.Store(max(largest.Load(), int64(len(p))))
				return true
			}
			a := tunneltest.New(t, options[0])
			if err := thereAndBack(dial(t, a, "192.0.2.1:80"), content(200_000, 1)); err != nil {
				t.Error(err)
			}
			if n := int(largest.Load()); n > min(mtu.gateway, mtu.agent) {
				t.Errorf("the gateway sent a packet of %d bytes", n)
			}
			if hosts, err := a.LookupHost(wait(t), "db"); err != nil || len(hosts) != 1 {
				t.Errorf("DNS: %v, %v", hosts, err)
			}
			g.Close()
		})
	}
}

// An agent that changes its network, and sessions that end, are not noticed by connections under load.
func TestRoamingAndRekeying(t *testing.T) {
	for name, disturb := range map[string]func(*tunneltest.Agent) error{
		"roaming":  (*tunneltest.Agent).Roam,
		"rekeying": func(a *tunneltest.Agent) error { a.Rekey(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			g, options := gatewayOf(t, 1, 0, handler{serve: echo})
			a := tunneltest.New(t, options[0])
			c := dial(t, a, "192.0.2.1:80")
			first, err := g.Peers()
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- thereAndBack(c, content(512<<10, 1)) }()
			for range 3 { // not all the time: each costs what is on its way, and TCP then waits longer and longer
				if err := disturb(a); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			// The transfer may have been over too early for the change to be seen.
			if err := thereAndBack(dial(t, a, "192.0.2.1:80"), content(1000, 2)); err != nil {
				t.Fatal(err)
			}
			now, err := g.Peers()
			if err != nil {
				t.Fatal(err)
			}
			if name == "roaming" && now[0].Endpoint == first[0].Endpoint || name == "rekeying" && !now[0].Handshake.After(first[0].Handshake) {
				t.Errorf("before %+v, after %+v", first, now)
			}
		})
	}
}

// One connection that nobody reads, at either end, stalls only itself: others of the same peer, and other peers, go on.
func TestStalledConnectionsStallNobodyElse(t *testing.T) {
	t.Parallel()
	stalled := make(chan struct{}, 2)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		switch r.Destination().Port() {
		case 1: // reads nothing
			if _, err := r.Accept(); err == nil {
				stalled <- struct{}{}
				<-r.Context().Done()
			}
		case 2: // writes to an agent that does not read
			if c, err := r.Accept(); err == nil {
				push(c, 64<<20)
				stalled <- struct{}{}
				<-r.Context().Done()
			}
		default:
			echo(r)
		}
	}}, tunnel.Limits{})
	alice, bob := w.newAlice(t), w.newBob(t)
	push(dial(t, alice, "192.0.2.1:1"), 64<<20)
	dial(t, alice, "192.0.2.1:2")
	<-stalled
	<-stalled
	for name, a := range map[string]*tunneltest.Agent{"Alice": alice, "Bob": bob} {
		if err := thereAndBack(dial(t, a, "192.0.2.1:3"), content(300_000, 1)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A peer that vanished while much was on its way to it takes nothing from the others, and comes back when it does.
func TestVanishedPeer(t *testing.T) {
	t.Parallel()
	var gone atomic.Bool
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		if r.Destination().Port() != 1 {
			echo(r)
			return
		}
		c, err := r.Accept()
		if err != nil {
			return
		}
		for err == nil {
			_, err = c.Write(content(1<<20, 1))
		}
	}}, tunnel.Limits{})
	alice := w.agent(t, w.aliceKey, w.alice.Address, func([]byte) bool { return !gone.Load() })
	bob := w.newBob(t)
	var busy []*tunneltest.Conn
	for range 4 {
		c := dial(t, alice, "192.0.2.1:1")
		if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		busy = append(busy, c)
	}
	gone.Store(true)
	for range 3 {
		if err := thereAndBack(dial(t, bob, "192.0.2.1:2"), content(100_000, 1)); err != nil {
			t.Errorf("Bob: %v", err)
		}
	}
	gone.Store(false)
	for _, c := range busy {
		c.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadFull(c, make([]byte, 500_000)); err != nil {
			t.Errorf("Alice is back: %v", err)
		}
	}
}

// Connections come and go in all ways at once, and nothing of them stays.
func TestChurn(t *testing.T) {
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		if r.Destination().Port()%7 == 0 {
			r.Reset()
			return
		}
		c, err := r.Accept()
		if err != nil {
			return
		}
		switch r.Destination().Port() % 5 {
		case 0:
			c.Abort()
		case 1:
			c.Close()
		case 2:
			c.CloseWrite()
			io.Copy(io.Discard, c)
			c.Close()
		default:
			io.Copy(c, c)
			c.Close()
		}
	}}, tunnel.Limits{Connections: 1000, HalfOpen: 1000})
	alice, bob := w.newAlice(t), w.newBob(t)
	var all sync.WaitGroup
	for i := range 280 {
		a := alice
		if i%2 == 1 {
			a = bob
		}
		all.Go(func() {
			c, err := a.DialTCP(wait(t), netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1+i)))
			if err != nil {
				return
			}
			c.SetDeadline(time.Now().Add(patience))
			c.Write(content(5000, 1))
			switch i % 3 {
			case 0:
				c.Abort()
			case 1:
				c.CloseWrite()
				io.Copy(io.Discard, c)
				c.Close()
			default:
				c.Close()
			}
		})
	}
	all.Wait()
	until(t, "no connection is counted any more", func() bool { return w.Counters().Connections == 0 })
}

// Whoever waits when the tunnel closes, in the middle of load, finds out.
func TestCloseWakesWhoeverWaits(t *testing.T) {
	const kinds = 4
	waiting, woken := make(chan struct{}, kinds), make(chan error, kinds)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		if r.Destination().Port() > kinds {
			echo(r)
			return
		}
		c, err := r.Accept()
		if err != nil {
			return
		}
		waiting <- struct{}{}
		switch r.Destination().Port() {
		case 1:
			_, err = c.Read(make([]byte, 1))
		case 2:
			for err == nil {
				_, err = c.Write(make([]byte, 1<<20))
			}
		case 3:
			_, err = c.ReadLazily(func() []byte { return make([]byte, 1) }, func() {})
		case 4:
			for err == nil {
				err = c.Probe(context.Background())
			}
		}
		woken <- err
	}}, tunnel.Limits{})
	a := w.newAlice(t)
	for port := range kinds {
		dial(t, a, fmt.Sprintf("192.0.2.1:%d", 1+port))
		<-waiting
	}
	go thereAndBack(dial(t, w.newBob(t), "192.0.2.1:9"), content(8<<20, 1))
	w.Close()
	for range kinds {
		if err := <-woken; err == nil {
			t.Error("woken without an error")
		}
	}
}
