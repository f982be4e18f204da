package tunnel_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
)

func TestHalfOpenLimit(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		<-release
		echo(r)
	}}, tunnel.Limits{HalfOpen: 2})
	a := w.newAlice(t)
	results := make(chan error, 3)
	for range 3 {
		go func() {
			c, err := a.DialTCP(wait(t), netip.MustParseAddrPort("192.0.2.1:80"))
			if err == nil {
				c.Abort()
			}
			results <- err
		}()
	}
	until(t, "one request is over the limit", func() bool {
		n := w.Counters().Peers["alice"]
		if n.HalfOpen > 2 || n.Connections > 2 {
			t.Fatalf("limit 2: %+v", n)
		}
		return n.HalfOpen == 2 && n.Dropped[tunnel.DropHalfOpen] > 0
	})
	close(release) // the third comes in when it is tried again
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestConnectionLimits(t *testing.T) {
	w := newWorld(t, handler{serve: echo}, tunnel.Limits{Connections: 2, TotalConnections: 3})
	alice, bob := w.newAlice(t), w.newBob(t)
	to := netip.MustParseAddrPort("192.0.2.1:80")
	first := dial(t, alice, to.String())
	dial(t, alice, to.String())
	if _, err := alice.DialTCP(wait(t), to); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("third connection of Alice: %v", err)
	}
	dial(t, bob, to.String()) // her limit is not his
	if _, err := bob.DialTCP(wait(t), to); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("fourth connection of all: %v", err)
	}
	c := w.Counters()
	if c.Connections != 3 || c.Peers["alice"].Dropped[tunnel.DropConnections] == 0 || c.Peers["bob"].Dropped[tunnel.DropConnections] == 0 {
		t.Errorf("counters: %+v", c)
	}
	first.Close()
	until(t, "the closed connection makes room", func() bool { return w.Counters().Connections == 2 })
	dial(t, bob, to.String())
}

func TestDNSLimit(t *testing.T) {
	release := make(chan struct{})
	w := newWorld(t, handler{resolve: func(context.Context, string, string) (netip.Addr, bool) {
		<-release
		return netip.MustParseAddr("10.89.255.1"), true
	}}, tunnel.Limits{DNS: 1})
	a := w.newAlice(t)
	c, err := a.DialUDP(w.Resolver())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	question := []byte("\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02db\x00\x00\x01\x00\x01")
	until(t, "a question is over the limit", func() bool {
		c.Write(question)
		return w.Counters().Peers["alice"].Dropped[tunnel.DropDNS] > 0
	})
	close(release)
	c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(make([]byte, 512)); err != nil || n < len(question) {
		t.Errorf("the first question: %d bytes, %v", n, err)
	}
}

// A handler that does not read, and an agent that does not read, stop the other side: the gateway holds no more than its buffers.
func TestBuffersAreBounded(t *testing.T) {
	t.Parallel()
	const buffer, theirs, attempt = 64 << 10, 8 << 20, 32 << 20 // theirs: more than the agent's own stack holds
	stop := make(chan struct{})
	sent := make(chan int, 1)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		c, err := r.Accept()
		if err != nil {
			return
		}
		if r.Destination().Port() == 1 {
			sent <- push(c, attempt)
		}
		<-stop
	}}, tunnel.Limits{ReceiveBuffer: buffer, SendBuffer: buffer})
	a := w.newAlice(t)
	dial(t, a, "192.0.2.1:1")
	if n := <-sent; n < buffer || n > buffer+theirs {
		t.Errorf("the gateway took %d bytes for an agent that does not read", n)
	}
	if n := push(dial(t, a, "192.0.2.1:2"), attempt); n < buffer || n > 2*buffer+theirs {
		t.Errorf("the agent sent %d bytes to a handler that does not read", n)
	}
	close(stop)
}

// push writes up to n bytes and stops when nothing moves for two seconds.
func push(c net.Conn, n int) int {
	block := make([]byte, 32<<10)
	sent := 0
	for sent < n {
		c.SetWriteDeadline(time.Now().Add(2 * time.Second))
		m, err := c.Write(block)
		sent += m
		if errors.Is(err, os.ErrDeadlineExceeded) || err != nil {
			break
		}
	}
	return sent
}

func TestImpossibleLimits(t *testing.T) {
	for _, l := range []tunnel.Limits{{Connections: -1}, {TotalConnections: -1}, {HalfOpen: -1}, {DNS: -1}, {ReceiveBuffer: 100}, {SendBuffer: -5}} {
		_, err := tunnel.New(t.Context(), tunnel.Config{
			Listen: "127.0.0.1:0", PrivateKey: tunnel.NewPrivateKey(), Network: network, Handler: handler{}, Limits: l,
		})
		if err == nil {
			t.Errorf("limits %+v were accepted", l)
		}
	}
}
