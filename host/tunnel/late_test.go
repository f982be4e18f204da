package tunnel_test

import (
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// An agent that is busy acknowledges late. That is not taken for a loss, which would make the window small, and leave most of the
// gateway to others.
func TestLateIsNotLost(t *testing.T) {
	t.Parallel()
	const bytes = 8 << 20
	w := newWorld(t, handler{serve: func(r *tunnel.Request) {
		if c, err := r.Accept(); err == nil {
			c.Write(make([]byte, bytes))
			c.CloseWrite()
			io.Copy(io.Discard, c)
			c.Close()
		}
	}}, tunnel.Limits{SendBuffer: 64 << 10}) // no more than what the agent's socket surely holds
	var arrived atomic.Int64
	a := w.agent(t, w.aliceKey, w.alice.Address, func([]byte) bool {
		if arrived.Add(1)%50 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		return true
	})
	c := dial(t, a, "192.0.2.1:80")
	c.SetDeadline(time.Now().Add(patience))
	if n, err := io.Copy(io.Discard, c); n != bytes || err != nil {
		t.Fatalf("%d of %d bytes arrived: %v", n, bytes, err)
	}
	if n := w.Losses(); n > 0 {
		t.Errorf("%d losses were seen on a way that loses nothing", n)
	}
}
