package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// startTLS carries TLS out: the side's reader does it, as soon as it comes to that.
func (c *conn) startTLS(cmd *abi.Command) {
	side := cmd.Side
	in, k := &c.in[side], c.conns[side]
	switch {
	case in.secured || in.wantsTLS.Load():
		c.fail("the plugin begins TLS on the side of the %v a second time", side)
	case side == abi.Agent && !c.facts.AgentTLS:
		c.fail("the plugin begins TLS with the agent, which is not offered any")
	case side == abi.Upstream && !c.facts.UpstreamTLS:
		c.fail("the plugin begins TLS with the upstream, for which the endpoint promises none")
	case k == nil:
		c.fail("the plugin begins TLS with the upstream, which is not connected")
	case in.ended:
		c.fail("the plugin begins TLS on the side of the %v, which has ended", side)
	case c.out[side].shut:
		c.fail("the plugin begins TLS on the side of the %v, to which nothing more is written", side)
	case len(in.todo) > 0 || len(c.in[side.Other()].todo) > 0:
		c.fail("the plugin begins TLS on the side of the %v in the middle of bytes that have not come", side)
	default:
		in.giveToTLS(in.pending())
		in.giveToTLS(in.fresh)
		in.giveToTLS(in.back)
		in.held, in.used, in.fresh, in.back = nil, 0, nil, nil
		c.out[side].seal()
		in.wantsTLS.Store(true)
		_ = k.SetReadDeadline(time.Unix(1, 0)) // its reader may be waiting for bytes; secure takes this back
		c.wake.Broadcast()
	}
}

// giveToTLS makes p, which came, a part of the handshake. The stream goes on behind it with what is decrypted.
func (in *input) giveToTLS(p []byte) {
	in.handshake = append(in.handshake, p...)
	in.count -= uint64(len(p))
}

// handshakes reports whether the side's reader is in a handshake, which keeps everybody from writing.
func (in *input) handshakes() bool { return in.cancel != nil }

// secure ends TLS on side, for its reader. It returns the connection to read from now on, or nil when this one is over.
func (c *conn) secure(side abi.Side, from Conn) Conn {
	c.mu.Lock()
	in, o := &c.in[side], &c.out[side]
	for o.busy {
		c.wake.Wait()
	}
	o.busy = true
	c.write(side)
	if c.left {
		c.mu.Unlock()
		return nil
	}
	o.busy = true
	_ = from.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(c.ctx)
	defer cancel()
	in.cancel = cancel
	first := in.handshake
	in.handshake = nil
	c.wake.Broadcast()
	c.mu.Unlock()

	k, secured, err := c.session.Secure(ctx, side, &prefixed{Conn: from, first: first})

	c.mu.Lock()
	in.cancel, o.busy = nil, false
	c.wake.Broadcast()
	switch {
	case c.left:
		if err == nil {
			k.Abort()
		}
	case err != nil && side == abi.Upstream:
		c.unsecured(from, err)
	case err != nil:
		c.fail("TLS with the %v: %v", side, err)
	default:
		c.conns[side] = k
		o.sealed, in.secured = false, true
		in.wantsTLS.Store(false)
		c.event = abi.AppendEvent(c.event[:0], &abi.Event{Kind: abi.KindSecured, Side: side, Version: secured.Version,
			Name: secured.Name, Protocol: secured.Protocol})
		c.topUp(0)
		c.step(c.guest.Event(c.event))
		c.catchUp()
	}
	c.mu.Unlock()
	if !c.settle(side) {
		return nil
	}
	return k
}

// unsecured parts from an upstream with which there is no TLS, for good: nothing more is written to it. The guest hears of it so that it can
// tell the agent in the protocol's own words, and must end the connection with that; the record says the gate's reason. mu is held.
func (c *conn) unsecured(upstream Conn, err error) {
	upstream.Abort()
	in, o := &c.in[abi.Upstream], &c.out[abi.Upstream]
	in.wantsTLS.Store(false)
	in.ended = true
	c.conns[abi.Upstream] = nil
	o.pieces, o.queued, o.copied, o.grows = nil, 0, 0, false // and it stays sealed
	c.topUp(0)
	c.event = abi.AppendEvent(c.event[:0], &abi.Event{Kind: abi.KindRefused, Reason: err.Error()})
	c.step(c.guest.Event(c.event))
	switch {
	case !c.left:
		c.fail("the plugin goes on without TLS with the upstream: %v", err)
	case !c.hard:
		c.end.FailClosed, c.end.Reason = true, fmt.Sprintf("TLS with the %v: %v", abi.Upstream, err)
	}
}

// stopHandshake ends a handshake that runs on side, and reports whether TLS was to begin there, be it under way or not yet: then nothing
// more is written.
func (c *conn) stopHandshake(side abi.Side) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := &c.in[side]
	if in.cancel != nil {
		in.cancel()
	}
	return in.wantsTLS.Load()
}

// mayPass cuts the connection off when bytes of the agent may not go to the upstream for want of TLS. mu is held.
func (c *conn) mayPass() bool {
	if c.facts.AgentTLSRequired && !c.in[abi.Agent].secured {
		c.fail("the plugin passes bytes of an agent that must use TLS, before it does")
		return false
	}
	return c.mayReach()
}

// mayReach cuts the connection off when only constants may reach the upstream, for want of TLS. mu is held.
func (c *conn) mayReach() bool {
	if c.facts.UpstreamTLS && !c.in[abi.Upstream].secured {
		c.fail("the plugin has something other than a constant reach the upstream before the TLS that the endpoint promises")
		return false
	}
	return true
}

var _ LazyReader = (*prefixed)(nil)

// prefixed is a connection some of whose bytes were read before.
type prefixed struct {
	Conn
	first []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.first) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.first)
	if p.first = p.first[n:]; len(p.first) == 0 {
		p.first = nil
	}
	return n, nil
}

// ReadLazily implements [LazyReader].
func (p *prefixed) ReadLazily(take func() []byte, back func()) (n int, err error) {
	lazy, ok := p.Conn.(LazyReader)
	if ok && len(p.first) == 0 {
		return lazy.ReadLazily(take, back)
	}
	if n, err = p.Read(take()); n == 0 {
		back()
	}
	return n, err
}
