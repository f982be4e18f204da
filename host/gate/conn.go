package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// conn is the state of one connection. mu guards everything below it, and every call into the guest.
type conn struct {
	ctx      context.Context
	guest    Guest
	manifest *abi.Manifest
	facts    abi.Facts
	session  Session
	limits   Limits

	wg   sync.WaitGroup
	over chan struct{} // closed by the first to call leave

	agentRead chan struct{} // closed when the agent's reader has returned

	mu      sync.Mutex
	wake    sync.Cond // a pause ended, or a write, or the connection
	conns   [2]Conn
	in      [2]input
	out     [2]output
	actions actions
	calls   int // how many more events the guest may have before it must wait for bytes
	stock   uint64
	dial    uint32 // the action under which a dial is wanted
	dialed  bool
	called  bool // how the dial went is told
	left    bool
	hard    bool // end with a reset on both sides and write nothing more
	end     End
}

func newConn(ctx context.Context, cfg Config) *conn {
	c := &conn{ctx: ctx, guest: cfg.Guest, manifest: cfg.Manifest, facts: cfg.Facts, session: cfg.Session, limits: cfg.Limits,
		over: make(chan struct{}), agentRead: make(chan struct{}), calls: firstCalls}
	c.conns[abi.Agent] = cfg.Agent
	c.wake.L = &c.mu
	return c
}

// stopping is the end of a connection whose context ended.
const stopping = "the gateway is stopping"

// leave ends the connection: the first reason is the one that counts. mu is held.
func (c *conn) leave(hard, failClosed bool, reason string) {
	if c.left {
		return
	}
	c.left, c.hard = true, hard
	c.end.FailClosed, c.end.Reason = failClosed, reason
	c.wake.Broadcast()
	close(c.over)
}

// fail is the fourth law: what is not understood ends the connection. mu is held.
func (c *conn) fail(format string, args ...any) {
	c.leave(true, true, fmt.Sprintf(format, args...))
}

func (c *conn) abort(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leave(true, false, reason)
	for _, k := range c.conns { // also in the middle of a last write
		if k != nil {
			k.Abort()
		}
	}
}

// finish writes out what is queued, within the linger limit, and closes both sides, which ends their readers.
func (c *conn) finish() {
	c.mu.Lock()
	agent, upstream, hard := c.conns[abi.Agent], c.conns[abi.Upstream], c.hard
	agentEnded := c.in[abi.Agent].ended
	c.mu.Unlock()
	if upstream != nil {
		c.closeSide(abi.Upstream, upstream, hard)
		if !hard {
			_ = upstream.CloseWrite() // before a reset that bytes nobody read may cause
		}
		_ = upstream.Close()
	}
	c.closeSide(abi.Agent, agent, hard)
	if !hard && !agentEnded {
		c.drainAgent(agent)
	}
	_ = agent.Close()
}

// closeSide writes the last bytes to one side and has its reader return. What fails here is a connection that is being
// closed.
func (c *conn) closeSide(side abi.Side, k Conn, hard bool) {
	if hard {
		k.Abort()
		return
	}
	_ = k.SetReadDeadline(time.Unix(1, 0))
	_ = k.SetWriteDeadline(time.Now().Add(c.limits.Linger))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flush(side)
}

// drainAgent lets the agent read what was written last. Closing while bytes of it are unread would reset the connection,
// and the reset may overtake the error message that explains it.
func (c *conn) drainAgent(k Conn) {
	const most = 1 << 20
	if k.CloseWrite() != nil {
		return
	}
	<-c.agentRead
	_ = k.SetReadDeadline(time.Now().Add(c.limits.Linger))
	_, _ = io.CopyN(io.Discard, k, most)
}

// readAgent opens the guest and then reads the agent.
func (c *conn) readAgent() {
	defer close(c.agentRead)
	c.mu.Lock()
	c.step(c.guest.Open(abi.AppendFacts(nil, &c.facts)))
	c.mu.Unlock()
	c.settle(abi.Agent)
	c.read(abi.Agent, c.conns[abi.Agent])
}

// read moves what side sends until it ends or the connection does.
func (c *conn) read(side abi.Side, from Conn) {
	b := newReadBuffer(c.guest.InputCapacity())
	defer b.release()
	for {
		n, err := from.Read(b.next())
		if n > 0 && !c.take(side, b.next()[:n:n]) {
			return
		}
		b.adapt(n)
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			c.takeEnd(side)
			return
		default:
			c.broken(side, err)
			return
		}
	}
}

// take handles bytes of side: what is passed or dropped already moves on, the rest is shown to the guest. It reports false
// when the connection is over. When it returns, nothing refers to p any more.
func (c *conn) take(side abi.Side, p []byte) bool {
	c.mu.Lock()
	in := &c.in[side]
	in.count += uint64(len(p))
	for len(p) > 0 && !c.left {
		p = c.advance(side, p)
		if len(p) == 0 || c.left {
			break
		}
		if in.paused {
			c.waitPaused(side)
			continue
		}
		c.deliver(side, p)
		p = nil
	}
	c.mu.Unlock()
	return c.settle(side)
}

// waitPaused waits until side may be delivered again, or something is planned for bytes that were not. What is queued is
// written first: it refers to the reader's buffer, and what the guest waits for may depend on it. mu is held.
func (c *conn) waitPaused(side abi.Side) {
	c.mu.Unlock()
	c.settle(side)
	c.mu.Lock()
	for in := &c.in[side]; in.paused && len(in.todo) == 0 && !c.left; {
		c.wake.Wait()
	}
}

// deliver shows p to the guest and keeps what it neither passes nor drops. mu is held.
func (c *conn) deliver(side abi.Side, p []byte) {
	in := &c.in[side]
	if len(in.pending())+len(p) > c.limits.Window {
		c.fail("more than %d bytes of the %v wait for the plugin to pass or drop them", c.limits.Window, side)
		return
	}
	c.calls = min(c.calls+callsForDelivery+len(p), mostCalls)
	in.show(p)
	c.step(c.guest.Data(side, p, 0))
	in.hide()
}

// takeEnd tells the guest that side has ended, also while it is paused: a guest that waits for something else has to know
// that bytes it planned for will not come.
func (c *conn) takeEnd(side abi.Side) {
	c.mu.Lock()
	in := &c.in[side]
	if !c.left {
		in.ended = true
		c.settleEnd(side)
		c.calls = min(c.calls+callsForDelivery, mostCalls)
		c.step(c.guest.Data(side, nil, abi.DataEnd))
	}
	c.mu.Unlock()
	c.settle(side)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in[abi.Agent].ended && (c.conns[abi.Upstream] == nil || c.in[abi.Upstream].ended) {
		c.leave(false, false, "both sides ended")
	}
}

// broken ends a connection one side of which failed: the other side sees a reset too.
func (c *conn) broken(side abi.Side, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil { // the reset is the gateway's own
		c.leave(true, false, stopping)
		return
	}
	c.leave(true, false, fmt.Sprintf("the %v broke off: %v", side, err))
}

// settle does what the steps of side's reader want done outside the mutex, and reports whether the connection goes on. When
// it returns nothing refers to the reader's buffer.
func (c *conn) settle(side abi.Side) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dial != 0 && !c.dialed && !c.left {
		c.dialed = true
		c.kick(abi.Agent) // what the agent is told meanwhile does not wait for the dial
		c.connect()
	}
	c.kick(side)
	c.flush(side.Other())
	for side == abi.Agent && c.out[side].queued > backlog && !c.left {
		c.wake.Wait()
	}
	if !c.left && (c.stuck(abi.Agent) || c.stuck(abi.Upstream)) {
		c.fail("the plugin paused a side, and nothing is left that could end the pause")
	}
	return !c.left
}

// stuck reports whether side is paused for good: a pause ends in a call into the guest, and none is to come. mu is held.
func (c *conn) stuck(side abi.Side) bool {
	in, other := &c.in[side], &c.in[side.Other()]
	speaks := c.conns[side.Other()] != nil && !other.ended && !other.paused
	return in.paused && !in.ended && len(in.todo) == 0 && !speaks && (c.dial == 0 || c.called)
}

// connect dials the upstream, without the mutex, and tells the guest. mu is held.
func (c *conn) connect() {
	c.mu.Unlock()
	k, err := c.session.Dial(c.ctx)
	c.mu.Lock()
	if c.left {
		if err == nil {
			k.Abort()
		}
		return
	}
	c.called = true
	e := abi.Event{Kind: abi.KindConnected}
	if err != nil {
		e = abi.Event{Kind: abi.KindRefused, Reason: err.Error()}
	} else {
		c.conns[abi.Upstream] = k
		c.wg.Go(func() { c.read(abi.Upstream, k) })
	}
	c.step(c.guest.Event(abi.AppendEvent(nil, &e)))
}
