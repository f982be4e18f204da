package tcpconn

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

const (
	// probeInterval is how long an answer may take until the probe is sent again: one of them may have been lost.
	probeInterval = 500 * time.Millisecond
	// at once, as the stack's timer for keepalive probes wants it: that of a connection that was idle for so long.
	atOnce = tcpip.KeepaliveIdleOption(time.Nanosecond)
)

// probes counts the calls of Probe that run: all of them share the endpoint's keepalive timer.
type probes struct {
	mu      sync.Mutex
	running int
	idle    tcpip.KeepaliveIdleOption // of the endpoint, when none runs
}

// Probe asks whether the other end's TCP still answers: it sends a keepalive probe (RFC 9293 section 3.8.4) now, and again until
// something arrives. It returns nil as soon as anything does, and an error when ctx has ended before, the connection was reset or
// closed, or the other end has sent its FIN (io.EOF: it has closed, or at least will send nothing more; which of them cannot be told).
func (c *Conn) Probe(ctx context.Context) error {
	stats, ok := c.ep.Stats().(*tcp.Stats)
	if !ok {
		return c.wrap("probe", fmt.Errorf("the stack counts no segments in %T", c.ep.Stats()))
	}
	before := stats.SegmentsReceived.Value()
	if err := c.probes.begin(c.ep); err != nil {
		return c.wrap("probe", err)
	}
	defer c.probes.end(c.ep)
	var sent time.Time
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		if err := c.ended(); err != nil {
			return c.wrap("probe", err)
		}
		if stats.SegmentsReceived.Value() != before {
			return nil
		}
		if ctx.Err() != nil {
			return c.wrap("probe", fmt.Errorf("the other end does not answer: %w", context.Cause(ctx)))
		}
		if now := time.Now(); now.Sub(sent) >= probeInterval {
			sent = now
			c.probes.send(c.ep, stats)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// ended says why nobody is there to answer, nil if somebody may be.
func (c *Conn) ended() error {
	if c.closed.Load() {
		return net.ErrClosed
	}
	switch tcp.EndpointState(c.ep.State()) {
	case tcp.StateCloseWait, tcp.StateLastAck, tcp.StateClosing, tcp.StateTimeWait:
		return io.EOF
	case tcp.StateClose, tcp.StateError:
		return syscall.ECONNRESET
	}
	return nil
}

func (p *probes) begin(ep tcpip.Endpoint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running == 0 {
		if err := ep.GetSockOpt(&p.idle); err != nil {
			return Errno(err)
		}
	}
	p.running++
	return nil
}

func (p *probes) end(ep tcpip.Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	_ = ep.SetSockOpt(&p.idle) // a connection that is over needs none
}

// send has the stack send a probe. Only its timer does that, so the time until then is made short for as long as it takes. Data that
// waits for an acknowledgement stops the timer; it is sent again by itself, and its acknowledgement is as good.
func (p *probes) send(ep tcpip.Endpoint, stats *tcp.Stats) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := stats.SegmentsSent.Value()
	idle := atOnce
	_ = ep.SetSockOpt(&idle)
	for range 20 {
		if stats.SegmentsSent.Value() != before {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_ = ep.SetSockOpt(&p.idle)
}
