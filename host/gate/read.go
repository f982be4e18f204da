package gate

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// readAgent opens the guest and then reads the agent.
func (c *conn) readAgent() {
	defer close(c.agentRead)
	c.open()
	c.read(abi.Agent, c.conns[abi.Agent])
}

// open tells the guest about the connection. It is apart so that what it takes of the stack is not there while the agent is read.
//
//go:noinline
func (c *conn) open() {
	c.mu.Lock()
	c.step(c.guest.Open(abi.AppendFacts(nil, &c.facts)))
	c.catchUp()
	c.mu.Unlock()
	c.settle(abi.Agent)
}

// read moves what side sends until it ends or the connection does. TLS begins here, because nobody else may read meanwhile.
func (c *conn) read(side abi.Side, from Conn) {
	b := newReadBuffer(c.guest.InputCapacity())
	defer b.release()
	wantsTLS := &c.in[side].wantsTLS
	for {
		if wantsTLS.Load() {
			if from = c.secure(side, from); from == nil {
				return
			}
		}
		p, err := b.read(from)
		if len(p) > 0 && !c.take(side, from, p) {
			return
		}
		b.done(from, len(p))
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			c.takeEnd(side, from)
			return
		case wantsTLS.Load() && isTimeout(err): // startTLS interrupted the read
		default:
			c.broken(side, from, err)
			return
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// take handles bytes of side: what is passed or dropped already moves on, the rest is shown to the guest. It reports false
// when the connection is over, or side is another one than from by now. When it returns, nothing refers to p any more.
func (c *conn) take(side abi.Side, from Conn, p []byte) bool {
	c.mu.Lock()
	if c.isParted(side, from) {
		c.mu.Unlock()
		return false
	}
	in := &c.in[side]
	in.count += uint64(len(p))
	c.topUp(len(p))
	for len(p) > 0 && !c.left && !c.isParted(side, from) {
		switch {
		case in.wantsTLS.Load():
			in.giveToTLS(p)
			p = nil
		case len(in.back) > 0 && c.mayShow(side):
			c.catchUp()
		case len(in.todo) > 0:
			p = c.advance(side, p)
		case side == abi.Agent && c.actions.waits() && c.readAhead(p):
			p = nil
		case in.paused || c.waits(side):
			c.waitPaused(side, true)
		default:
			before := c.decided
			p = c.deliver(side, p)
			if len(p) > 0 && c.decided != before && !c.left { // the other side begins with it meanwhile
				c.mu.Unlock()
				c.settle(side)
				c.mu.Lock()
			}
		}
	}
	c.catchUp()
	parted := c.isParted(side, from)
	c.mu.Unlock()
	return c.settle(side) && !parted
}

// mayShow reports whether bytes of side that came may be shown or handled otherwise. mu is held.
func (c *conn) mayShow(side abi.Side) bool {
	in := &c.in[side]
	stopped := in.paused || c.waits(side)
	return (!stopped || len(in.todo) > 0) && !in.wantsTLS.Load()
}

// waits reports whether nothing of side may be shown before a verdict. mu is held.
func (c *conn) waits(side abi.Side) bool {
	if side == abi.Agent {
		return c.actions.waits()
	}
	return c.answers.Waits()
}

// waitPaused waits until side may be delivered again, or something is planned for bytes that were not. What is queued is
// written first: it refers to the reader's buffer, and what the guest waits for may depend on it. holds says that the reader
// holds bytes, else only those wait that a scan gave back. mu is held.
func (c *conn) waitPaused(side abi.Side, holds bool) {
	c.mu.Unlock()
	c.settle(side)
	c.mu.Lock()
	for in := &c.in[side]; (holds || len(in.back) > 0) && !c.mayShow(side) && !in.wantsTLS.Load() && !c.left; {
		c.wake.Wait()
	}
}

// deliver shows bytes of p to the guest, keeps those that it neither passes nor drops, and returns what has to be handled
// further: what was not shown, and what a scan took back. mu is held.
func (c *conn) deliver(side abi.Side, p []byte) (rest []byte) {
	in := &c.in[side]
	n := in.nextPiece(len(p), c.guest.InputCapacity())
	if len(in.pending())+n > c.limits.Window {
		c.fail("more than %d bytes of the %v wait for the plugin to pass or drop them", c.limits.Window, side)
		return nil
	}
	if c.calls -= 1 + n/bytesPerCall; c.calls < 0 {
		c.fail(endless)
		return nil
	}
	in.fresh = p[:n]
	before := c.decided
	c.step(c.guest.Data(side, p[:n], 0))
	if asked := int(c.decided - before); asked > manyQuestions {
		in.piece = max(n*manyQuestions/asked, 1)
	}
	return p[n-in.hide():]
}

// catchUp handles bytes that came before and wait for it, those that scans gave back. Whoever ran the guest does this. mu is
// held.
func (c *conn) catchUp() {
	for !c.left {
		switch {
		case len(c.in[abi.Agent].back) > 0 && c.mayShow(abi.Agent):
			c.handleBack(abi.Agent)
		case len(c.in[abi.Upstream].back) > 0 && c.mayShow(abi.Upstream):
			c.handleBack(abi.Upstream)
		case c.in[abi.Agent].scanEnded():
			c.endScan(abi.Agent)
		case c.in[abi.Upstream].scanEnded():
			c.endScan(abi.Upstream)
		default:
			return
		}
	}
}

func (c *conn) handleBack(side abi.Side) {
	in := &c.in[side]
	p, from := in.back, c.conns[side]
	in.back, in.reshown = nil, true
	if len(in.todo) > 0 {
		p = c.advance(side, p)
	} else {
		p = c.deliver(side, p)
	}
	in.reshown = false
	switch {
	case c.isParted(side, from):
	case in.wantsTLS.Load():
		in.giveToTLS(p)
	case len(in.back) == 0:
		in.back = p
	default: // another scan gave back what stands before p
		in.back = append(in.back, p...)
	}
}

// takeEnd tells the guest that side has ended, also while it is paused: a guest that waits for something else has to know
// that bytes it planned for will not come.
func (c *conn) takeEnd(side abi.Side, from Conn) {
	c.mu.Lock()
	if c.isParted(side, from) {
		c.mu.Unlock()
		return
	}
	in := &c.in[side]
	c.topUp(0)
	if side == abi.Agent {
		c.takeLeave()
	}
	if s := in.scan; s != nil {
		if s.left > 0 { // it ends in the middle of a frame that passes
			c.out[side.Other()].cut = true
		}
		c.endScan(side)
	}
	for c.catchUp(); len(in.back) > 0 && !in.wantsTLS.Load() && !c.left; c.catchUp() {
		c.waitPaused(side, false)
	}
	for side == abi.Upstream && c.answers.Waits() && !c.left {
		c.wake.Wait()
	}
	if side == abi.Agent { // what was asked about the last bytes
		c.takeLeave()
	}
	switch {
	case c.left:
	case in.wantsTLS.Load():
		c.fail("the %v ended where TLS was to begin", side)
	default:
		in.ended = true
		c.settleEnd(side)
		c.step(c.guest.Data(side, nil, abi.DataEnd))
		c.catchUp()
	}
	c.mu.Unlock()
	c.settle(side)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bothEnded()
}

// bothEnded ends a connection of which nothing more comes. mu is held.
func (c *conn) bothEnded() {
	if c.in[abi.Agent].ended && (c.conns[abi.Upstream] == nil || c.in[abi.Upstream].ended) && len(c.judged) == 0 {
		c.leave(false, false, "both sides ended")
	}
}

// broken ends a connection one side of which failed: the other side sees a reset too.
func (c *conn) broken(side abi.Side, from Conn, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isParted(side, from) {
		return
	}
	if c.ctx.Err() != nil { // the reset is the gateway's own
		c.leave(true, false, stopping)
		return
	}
	c.leave(true, false, fmt.Sprintf("the %v broke off: %v", side, err))
}
