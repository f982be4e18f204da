package gate

import (
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// output is what waits to be written to one side. pieces either refer to the buffer of a reader that waits until they are
// written, or are copies.
type output struct {
	pieces [][]byte
	queued int  // bytes in pieces
	copied int  // those of them that are copies
	grows  bool // the last piece is a copy: more may be appended to it
	shut   bool // nothing follows: half-close once everything is out
	// cut: bytes that were to pass will never come. What a plugin writes behind them is left out, as it would take their place in what the side reads.
	cut bool

	// sealed: TLS is to begin. What was queued before, first, goes out in clear; the rest waits for its end, as copies.
	sealed bool
	first  [][]byte

	busy    bool // somebody is writing, and takes along what is queued meanwhile; or a handshake runs
	done    bool // half-closed
	scratch []byte
}

const (
	// joined is up to how many bytes several pieces are written at once.
	joined = 16 << 10
	// backlog is how many bytes may wait for the agent before it is read no further.
	backlog = 128 << 10
	// mostQueued is how many times the window may be queued for one side at once. Honest guests stay far below: what they pass
	// is at most one window, and what they write of their own are short answers.
	mostQueued = 4
)

// queue queues p, which must stay as it is until the caller has flushed. mu is held.
func (c *conn) queue(side abi.Side, p []byte) {
	o := &c.out[side]
	if c.conns[side] == nil || o.sealed {
		c.queueCopy(side, p)
		return
	}
	if !c.mayQueue(side, 0) {
		return
	}
	o.queued += len(p)
	if last := len(o.pieces) - 1; last >= 0 && !o.grows && continues(o.pieces[last], p) {
		o.pieces[last] = o.pieces[last][:len(o.pieces[last])+len(p)]
		return
	}
	o.pieces, o.grows = append(o.pieces, p), false
}

// continues reports whether p stands right behind last, in the same memory.
func continues(last, p []byte) bool {
	n := len(last)
	return n > 0 && len(p) > 0 && cap(last)-n >= len(p) && &last[:n+1][n] == &p[0]
}

// queueCopy queues a copy of p. mu is held.
func (c *conn) queueCopy(side abi.Side, p []byte) {
	o := &c.out[side]
	if len(p) == 0 || !c.mayQueue(side, len(p)) {
		return
	}
	o.queued += len(p)
	o.copied += len(p)
	if last := len(o.pieces) - 1; o.grows && len(o.pieces[last])+len(p) <= joined {
		o.pieces[last] = append(o.pieces[last], p...)
		return
	}
	o.pieces, o.grows = append(o.pieces, append([]byte(nil), p...)), true
}

// mayQueue cuts the connection off when n more copied bytes for side are too many.
func (c *conn) mayQueue(side abi.Side, n int) bool {
	o := &c.out[side]
	switch {
	case o.shut:
		c.fail("the plugin writes to the %v after it was shut", side)
	case o.cut: // it is left out
	case c.conns[side] == nil && o.queued+n > c.limits.Window:
		c.fail("more than %d bytes wait for the %v to be connected", c.limits.Window, side)
	case o.copied+n > mostQueued*c.limits.Window:
		c.fail("the plugin queues more than %d bytes for the %v at once", mostQueued*c.limits.Window, side)
	default:
		return true
	}
	return false
}

// flush writes what is queued for side. When it returns everything that was queued before is written, or the connection is
// over, or the side is not connected yet, or what is left are copies that wait for TLS. mu is held, but not while it writes.
func (c *conn) flush(side abi.Side) {
	o := &c.out[side]
	for o.busy && !c.in[side].handshakes() {
		c.wake.Wait()
	}
	if o.due() && !o.busy {
		o.busy = true
		c.write(side)
	}
}

// kick has what is queued for side written by somebody else. mu is held.
func (c *conn) kick(side abi.Side) {
	o := &c.out[side]
	if o.busy || c.conns[side] == nil || c.hard || !o.due() {
		return
	}
	o.busy = true
	c.wg.Go(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.write(side)
	})
}

// due reports whether something may be written.
func (o *output) due() bool {
	if o.sealed {
		return len(o.first) > 0
	}
	return len(o.pieces) > 0 || o.shut && !o.done
}

// next takes what is to be written now, and says how many bytes that is.
func (o *output) next() (pieces [][]byte, n int) {
	if !o.sealed {
		if o.queued == 0 { // the list's memory stays for the next one
			return nil, 0
		}
		pieces, n = o.pieces, o.queued
		o.pieces, o.queued, o.copied, o.grows = nil, 0, 0, false
		return pieces, n
	}
	pieces, o.first = o.first, nil
	for _, p := range pieces {
		n += len(p)
	}
	return pieces, n
}

// seal has what is queued from now on wait for TLS.
func (o *output) seal() {
	o.sealed, o.first = true, o.pieces
	o.pieces, o.queued, o.copied, o.grows = nil, 0, 0, false
}

// write writes until nothing is queued for side: what was decided about it goes on record first. mu is held, but not while it writes; whoever
// calls it has set busy.
func (c *conn) write(side abi.Side) {
	o := &c.out[side]
	for k := c.conns[side]; k != nil && c.conns[side] == k && !c.hard && !o.done; {
		pieces, n := o.next()
		if n == 0 {
			if o.shut && !o.sealed && c.record() {
				o.done = true
				c.mu.Unlock()
				_ = k.CloseWrite() // a side that is gone already tells its reader
				c.mu.Lock()
			}
			break
		}
		if !c.record() || c.hard || c.isParted(side, k) { // what is decided meanwhile is not about pieces
			break
		}
		c.mu.Unlock()
		err := o.write(k, pieces)
		c.mu.Lock()
		if c.isParted(side, k) {
			break
		}
		if err != nil {
			c.leave(true, false, fmt.Sprintf("writing to the %v: %v", side, err))
			k.Abort()
			break
		}
		c.end.Written[side] += uint64(n)
		if o.pieces == nil {
			o.pieces = clearPieces(pieces)
		}
		c.wake.Broadcast()
	}
	o.busy = false
	c.wake.Broadcast()
}

func clearPieces(p [][]byte) [][]byte {
	clear(p)
	if cap(p) > 64 {
		return nil
	}
	return p[:0]
}

// write writes pieces, small ones together.
func (o *output) write(k Conn, pieces [][]byte) error {
	for len(pieces) > 0 {
		p, n := pieces[0], 1
		if len(pieces) > 1 && len(p)+len(pieces[1]) <= joined {
			o.scratch = o.scratch[:0]
			for n = 0; n < len(pieces) && len(o.scratch)+len(pieces[n]) <= joined; n++ {
				o.scratch = append(o.scratch, pieces[n]...)
			}
			p = o.scratch
		}
		pieces = pieces[n:]
		if _, err := k.Write(p); err != nil {
			return err
		}
	}
	if cap(o.scratch) > smallRead {
		o.scratch = nil
	}
	return nil
}
