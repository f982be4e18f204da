package tunnel_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// accepted is a handler that gives each accepted connection to the test, and owns it until the tunnel closes.
func accepted() (func(*tunnel.Request), <-chan tunnel.Conn) {
	conns := make(chan tunnel.Conn)
	return func(r *tunnel.Request) {
		c, err := r.Accept()
		if err != nil {
			return
		}
		select {
		case conns <- c:
			<-r.Context().Done()
		case <-r.Context().Done():
		}
	}, conns
}

func probe(t *testing.T, c tunnel.Conn, patience time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.Probe(ctx)
}

// An agent that is there answers: idle, while it reads and writes, while it does not read what waits for it, many probes at once,
// and again and again, because a probe must not change the connection.
func TestProbeOfAnAgentThatIsThere(t *testing.T) {
	t.Parallel()
	serve, conns := accepted()
	w := newWorld(t, handler{serve: serve}, tunnel.Limits{ReceiveBuffer: 64 << 10, SendBuffer: 64 << 10})
	agent := dial(t, w.newAlice(t), "192.0.2.1:1")
	c := <-conns
	for range 8 { // more than the keepalive probes that a connection may leave unanswered
		if err := probe(t, c, patience); err != nil {
			t.Fatalf("idle: %v", err)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := probe(t, c, patience); err != nil {
				t.Errorf("many at once: %v", err)
			}
		})
	}
	all.Wait()
	push(c, 16<<20) // until the agent takes no more
	if err := probe(t, c, patience); err != nil {
		t.Errorf("the agent does not read: %v", err)
	}
	fmt.Fprint(agent, "still here")
	got := make([]byte, 10)
	c.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "still here" {
		t.Errorf("after the probes: %q, %v", got, err)
	}
}

// An agent whose machine is gone sends nothing, not even a reset.
func TestProbeOfAnAgentThatVanished(t *testing.T) {
	t.Parallel()
	serve, conns := accepted()
	w := newWorld(t, handler{serve: serve}, tunnel.Limits{})
	var gone atomic.Bool
	a := w.agent(t, w.aliceKey, w.alice.Address, func([]byte) bool { return !gone.Load() })
	dial(t, a, "192.0.2.1:1")
	c := <-conns
	if err := probe(t, c, patience); err != nil {
		t.Fatalf("before: %v", err)
	}
	gone.Store(true)
	for _, pending := range []bool{false, true} {
		if pending {
			fmt.Fprint(c, "never acknowledged")
		}
		if err := probe(t, c, time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with data under way %v: %v", pending, err)
		}
	}
	gone.Store(false) // what was only a bad network is no harm
	if err := probe(t, c, patience); err != nil {
		t.Errorf("after it came back: %v", err)
	}
}

func TestProbeOfAConnectionThatEnded(t *testing.T) {
	serve, conns := accepted()
	w := newWorld(t, handler{serve: serve}, tunnel.Limits{})
	a := w.newAlice(t)
	for what, test := range map[string]struct {
		end  func(agent interface{ Abort() }, c tunnel.Conn)
		want error
	}{
		"the agent closed":   {func(agent interface{ Abort() }, _ tunnel.Conn) { agent.(io.Closer).Close() }, io.EOF},
		"the agent reset":    {func(agent interface{ Abort() }, _ tunnel.Conn) { agent.Abort() }, syscall.ECONNRESET},
		"the gateway closed": {func(_ interface{ Abort() }, c tunnel.Conn) { c.Close() }, net.ErrClosed},
	} {
		agent := dial(t, a, "192.0.2.1:1")
		c := <-conns
		test.end(agent, c)
		until(t, what, func() bool {
			err := probe(t, c, patience)
			if err != nil && !errors.Is(err, test.want) {
				t.Errorf("%s: %v", what, err)
			}
			return err != nil // the news may still be on its way, and then the agent does answer
		})
	}
}
