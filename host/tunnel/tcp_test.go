package tunnel_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
)

func TestRequestSaysWhoAndWhere(t *testing.T) {
	type facts struct {
		peer                string
		source, destination netip.AddrPort
	}
	seen := make(chan facts, 2)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		seen <- facts{r.Peer(), r.Source(), r.Destination()}
		echo(r)
	}}, tunnel.Limits{})
	for _, c := range []struct {
		name, to string
	}{{"alice", "203.0.113.9:5432"}, {"bob", "10.89.77.1:65535"}} {
		a := w.newAlice
		if c.name == "bob" {
			a = w.newBob
		}
		agent := a(t)
		conn := dial(t, agent, c.to)
		got := <-seen
		if got.peer != c.name || got.source.Addr() != agent.Address() || got.destination.String() != c.to {
			t.Errorf("%s to %s: the request says %+v", c.name, c.to, got)
		}
		if conn.RemoteAddr().String() != c.to || conn.LocalAddr().String() != got.source.String() {
			t.Errorf("the agent sees %s to %s", conn.LocalAddr(), conn.RemoteAddr())
		}
	}
}

func TestNothingIsAnsweredBeforeTheDecision(t *testing.T) {
	decide, asked := make(chan bool), make(chan struct{}, 2)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		asked <- struct{}{}
		if <-decide {
			echo(r)
		}
	}}, tunnel.Limits{})
	a := w.newAlice(t)
	for _, accept := range []bool{true, false} {
		done := make(chan error, 1)
		go func() {
			c, err := a.DialTCP(wait(t), netip.MustParseAddrPort("192.0.2.1:80"))
			if err == nil {
				c.Abort()
			}
			done <- err
		}()
		<-asked
		if n := w.Counters().Peers["alice"]; n.HalfOpen < 1 || n.Connections < 1 { // the one before may still be on its way out
			t.Errorf("while a request waits the counters say %+v", n)
		}
		select {
		case err := <-done:
			t.Fatalf("dial returned %v before the decision", err)
		default:
		}
		decide <- accept
		if err := <-done; accept && err != nil || !accept && !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("accept is %v, dial: %v", accept, err)
		}
	}
}

func TestOneDecisionOnly(t *testing.T) {
	errs := make(chan error, 64) // a SYN may come twice
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		if r.Destination().Port() == 1 {
			r.Reset()
			r.Reset()
			_, err := r.Accept()
			errs <- err
			return
		}
		c, err := r.Accept()
		if err != nil {
			errs <- err
			return
		}
		r.Reset() // nothing: it is accepted
		_, err = r.Accept()
		errs <- err
		fmt.Fprint(c, "alive")
		c.Close()
	}}, tunnel.Limits{})
	a := w.newAlice(t)
	if _, err := a.DialTCP(wait(t), netip.MustParseAddrPort("192.0.2.1:1")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Reset: %v", err)
	}
	got, err := io.ReadAll(dial(t, a, "192.0.2.1:2"))
	if string(got) != "alive" || err != nil {
		t.Errorf("after Accept: %q, %v", got, err)
	}
	for range 2 {
		if err := <-errs; !errors.Is(err, tunnel.ErrDecided) {
			t.Errorf("second decision: %v", err)
		}
	}
}

func TestBulkBothWays(t *testing.T) {
	w := newWorld(t, handler{serve: echo}, tunnel.Limits{})
	c := dial(t, w.newAlice(t), "198.51.100.7:9000")
	sent := make([]byte, 3<<20)
	rand.Read(sent)
	go func() {
		c.Write(sent)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("sent %d bytes, got %d back, equal %v, error %v", len(sent), len(got), bytes.Equal(got, sent), err)
	}
}

func TestHalfClose(t *testing.T) {
	heard := make(chan string, 1)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		c, err := r.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if r.Destination().Port() == 1 { // the agent ends first: all of it is read, then answered
			all, err := io.ReadAll(c)
			heard <- fmt.Sprint(string(all), err)
			fmt.Fprint(c, "answer")
			return
		}
		fmt.Fprint(c, "banner") // the gateway ends first, and still reads
		if err := c.CloseWrite(); err != nil {
			t.Error(err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write after CloseWrite: %v", err)
		}
		all, err := io.ReadAll(c)
		heard <- fmt.Sprint(string(all), err)
	}}, tunnel.Limits{})
	a := w.newAlice(t)

	c := dial(t, a, "192.0.2.1:1")
	fmt.Fprint(c, "question")
	c.CloseWrite()
	if got := <-heard; got != "question<nil>" {
		t.Errorf("the gateway read %s", got)
	}
	if got, err := io.ReadAll(c); string(got) != "answer" || err != nil {
		t.Errorf("after its FIN the agent read %q, %v", got, err)
	}

	c = dial(t, a, "192.0.2.1:2")
	if got, err := io.ReadAll(c); string(got) != "banner" || err != nil {
		t.Errorf("the agent read %q, %v", got, err)
	}
	fmt.Fprint(c, "late")
	c.Close()
	if got := <-heard; got != "late<nil>" {
		t.Errorf("after its FIN the gateway read %s", got)
	}
}

// A reset is told from a FIN on both sides, again and again; the twin is TestHalfClose.
func TestAbortIsNotTheEndOfTheStream(t *testing.T) {
	results := make(chan error, 3)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		c, err := r.Accept()
		if err != nil {
			return
		}
		if r.Destination().Port() == 1 {
			c.Read(make([]byte, 1))
			c.Abort()
			return
		}
		io.WriteString(c, "x")
		for range 2 {
			_, err = c.Read(make([]byte, 1))
			results <- err
		}
		_, err = c.Write([]byte("x"))
		results <- err
	}}, tunnel.Limits{})
	a := w.newAlice(t)

	c := dial(t, a, "192.0.2.1:1")
	c.Write([]byte("x"))
	for range 2 {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the gateway aborted, the agent reads: %v", err)
		}
	}

	c = dial(t, a, "192.0.2.1:2")
	io.ReadFull(c, make([]byte, 1)) // else the reset could come before Accept is done
	c.Abort()
	for i := range 3 {
		if err := <-results; err == nil || errors.Is(err, io.EOF) {
			t.Errorf("the agent aborted, operation %d of the gateway: %v", i, err)
		} else if i == 0 && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the agent aborted, the gateway reads: %v", err)
		}
	}
}

func TestForgottenConnectionIsAborted(t *testing.T) {
	w := newWorld(t, handler{serve: func(r *tunnel.Request) { r.Accept() }}, tunnel.Limits{})
	c := dial(t, w.newAlice(t), "192.0.2.1:1")
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the handler returned without closing, the agent reads: %v", err)
	}
	until(t, "the connection is no longer counted", func() bool { return w.Counters().Connections == 0 })
}

func TestOwnCloseAndDeadline(t *testing.T) {
	results := make(chan error, 8)
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		c, err := r.Accept()
		if err != nil {
			return
		}
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err = c.Read(make([]byte, 1))
		results <- err
		c.SetReadDeadline(time.Time{})
		reading := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			reading <- err
		}()
		c.Close()
		results <- <-reading
		_, err = c.Write([]byte("x"))
		results <- err
	}}, tunnel.Limits{})
	c := dial(t, w.newAlice(t), "192.0.2.1:1")
	if err := <-results; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read with a deadline: %v", err)
	}
	for range 2 {
		if err := <-results; !errors.Is(err, net.ErrClosed) {
			t.Errorf("use after Close: %v", err)
		}
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the agent reads: %v", err)
	}
}

func TestManyConnections(t *testing.T) {
	w := newWorld(t, handler{serve: echo}, tunnel.Limits{})
	alice, bob := w.newAlice(t), w.newBob(t)
	var all sync.WaitGroup
	for i := range 120 {
		a := alice
		if i%2 == 1 {
			a = bob
		}
		all.Go(func() {
			c, err := a.DialContext(wait(t), "tcp", fmt.Sprintf("192.0.2.%d:443", i))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			text := fmt.Sprint("connection ", i)
			io.WriteString(c, text)
			got := make([]byte, len(text))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
				t.Errorf("connection %d: %q, %v", i, got, err)
			}
		})
	}
	all.Wait()
	until(t, "no connection is counted any more", func() bool { return w.Counters().Connections == 0 })
	for _, name := range []string{"alice", "bob"} {
		if n := w.Counters().Peers[name]; n.Requests < 60 || n.Accepted < 60 || n.Connections != 0 { // more when a SYN is sent again
			t.Errorf("%s: %+v", name, n)
		}
	}
}

// IPv6 is refused at once and the handler never hears of it; the twin is the same port over IPv4.
func TestIPv6IsReset(t *testing.T) {
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		if r.Destination().Addr().Is6() {
			t.Errorf("the handler got %s", r.Destination())
		}
		echo(r)
	}}, tunnel.Limits{})
	a := w.newAlice(t)
	if _, err := a.DialTCP(wait(t), netip.MustParseAddrPort("[2001:db8::1]:443")); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("IPv6: %v", err)
	}
	if n := w.Counters().Peers["alice"]; n.ResetIPv6 == 0 || n.Requests != 0 {
		t.Errorf("counters: %+v", n)
	}
	dial(t, a, "192.0.2.1:443")
}

func TestListenOnAllAddresses(t *testing.T) {
	key, agent := tunnel.NewPrivateKey(), tunnel.NewPrivateKey()
	g, err := tunnel.New(context.Background(), tunnel.Config{
		Listen: ":0", PrivateKey: key, Network: network, Handler: handler{serve: echo},
		Peers: []tunnel.Peer{{Name: "alice", PublicKey: agent.Public(), Address: netip.MustParseAddr("10.89.0.2")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	w := &world{Tunnel: g}
	dial(t, w.agent(t, agent, netip.MustParseAddr("10.89.0.2"), nil), "192.0.2.1:1")
}
