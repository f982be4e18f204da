package gate

import (
	"fmt"
	"sync"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// output is what waits to be written to one side. pieces either refer to the buffer of a reader that waits until they are
// written, or are copies.
type output struct {
	pieces [][]byte
	queued int
	shut   bool // nothing follows: half-close once everything is out

	writing sync.Mutex // held while pieces are written, so that they stay in order; taken before conn.mu
	done    bool       // half-closed
	scratch []byte
}

// queue queues p, which must stay as it is until the caller has flushed. mu is held.
func (c *conn) queue(side abi.Side, p []byte) {
	if c.conns[side] == nil {
		c.queueCopy(side, p)
		return
	}
	c.put(side, p)
}

// queueCopy queues a copy of p. mu is held.
func (c *conn) queueCopy(side abi.Side, p []byte) {
	if c.conns[side] == nil && c.out[side].queued+len(p) > c.limits.Window {
		c.fail("more than %d bytes wait for the %v to be connected", c.limits.Window, side)
		return
	}
	c.put(side, append([]byte(nil), p...))
}

func (c *conn) put(side abi.Side, p []byte) {
	o := &c.out[side]
	if o.shut {
		c.fail("the plugin writes to the %v after it was shut", side)
		return
	}
	o.pieces = append(o.pieces, p)
	o.queued += len(p)
}

// joined is up to how many bytes several pieces are written at once.
const joined = 16 << 10

// flush writes what is queued for side. When it returns everything that was queued before is written, or the connection is
// over, or the side is not connected yet.
func (c *conn) flush(side abi.Side) {
	o := &c.out[side]
	o.writing.Lock()
	defer o.writing.Unlock()
	for {
		c.mu.Lock()
		k, pieces, n, shut := c.conns[side], o.pieces, o.queued, o.shut
		if k == nil || c.hard || o.done {
			c.mu.Unlock()
			return
		}
		o.pieces, o.queued = nil, 0
		c.mu.Unlock()
		if len(pieces) == 0 {
			if shut {
				o.done = true
				_ = k.CloseWrite() // a side that is gone already tells its reader
			}
			return
		}
		err := o.write(k, pieces, n)
		c.mu.Lock()
		if err == nil {
			c.end.Written[side] += uint64(n)
			if o.pieces == nil {
				o.pieces = clearPieces(pieces)
			}
		} else {
			c.leave(true, false, fmt.Sprintf("writing to the %v: %v", side, err))
		}
		c.mu.Unlock()
		if err != nil {
			k.Abort()
			return
		}
	}
}

func clearPieces(p [][]byte) [][]byte {
	clear(p)
	if cap(p) > 64 {
		return nil
	}
	return p[:0]
}

// write writes pieces, small ones together.
func (o *output) write(k Conn, pieces [][]byte, n int) error {
	if len(pieces) > 1 && n <= joined {
		o.scratch = o.scratch[:0]
		for _, p := range pieces {
			o.scratch = append(o.scratch, p...)
		}
		pieces = append(pieces[:0], o.scratch)
		if cap(o.scratch) > smallRead {
			o.scratch = nil
		}
	}
	for _, p := range pieces {
		if _, err := k.Write(p); err != nil {
			return err
		}
	}
	return nil
}
