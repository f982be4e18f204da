package gate

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// input is the stream of one side. Three positions move along it: what came, what was shown to the guest, and the cursor,
// up to which the guest has said what becomes of the bytes. The cursor may be ahead of what came.
type input struct {
	count  uint64 // bytes that came
	cursor uint64 // bytes that are passed or dropped, or will be when they come
	held   []byte // a copy of what was shown and is behind no cursor yet,
	used   int    // from here on
	fresh  []byte // what is being shown by the call that runs: follows held, still in the reader's buffer
	todo   []todo // what becomes of bytes that have not come, in order
	behind int    // how many bytes of todo are to be written
	paused bool
	ended  bool

	scan    *scan  // runs, or will behind what is planned; it is lastScan
	back    []byte // came before and is to be handled again: what a scan gave back
	reshown bool   // the bytes that are being handled are of back
	piece   int    // how many bytes are shown at once at most; 0: as many as there are

	lastScan *scan // the memory of scans; nil: there was none

	wantsTLS  atomic.Bool // TLS is to begin, and nothing is shown before it has; its reader looks without the mutex
	handshake []byte      // what came behind the place where it begins
	secured   bool
	cancel    context.CancelFunc // of the handshake that runs
}

// todo is something that happens at a place of the stream that has not come yet.
type todo struct {
	kind  todoKind
	n     uint64   // pass, drop, aside: bytes
	write []byte   // write: what goes to the other side behind the passed bytes before it
	side  abi.Side // write, shut: where to
	id    uint32   // aside: the action
}

type todoKind uint8

const (
	todoPass todoKind = iota
	todoDrop
	todoWrite
	todoShut
	todoScan // the place of input.scan
	// What an action aside asks for that was undecided when it was said: its bytes, what is written under it, its end.
	todoAside
	todoAsideWrite
	todoAsideDone
)

// mostTodo bounds how many things a guest may have said about bytes that have not come.
const mostTodo = 1024

// firstPiece is how many bytes are shown at once behind a scan; each time twice as many, until it is all there is. So a guest that
// scans again and again through one large delivery is not shown its rest each time, and what it spends on a scan is less than
// what four bytes grant it.
const firstPiece = 1 << 10

// manyQuestions is how many questions one piece may lead to before the next ones are made smaller, so that the upstream begins with what was decided first
// while the guest reads on. They grow again as behind a scan.
const manyQuestions = 16

// nextPiece is how many of n bytes are shown at once.
func (in *input) nextPiece(n, capacity int) int {
	n = min(n, capacity)
	if in.piece == 0 || n <= in.piece {
		return n
	}
	n = in.piece
	if in.piece *= 2; in.piece >= capacity {
		in.piece = 0
	}
	return n
}

// hide keeps what was shown and not used, unless a scan wants it: then it returns how many bytes at the end of what was shown
// were not used.
func (in *input) hide() (unused int) {
	if in.scan != nil {
		unused = len(in.fresh)
		in.fresh = nil
	}
	if in.used > 0 { // moved here and not with each PASS, of which there may be many
		in.held, in.used = in.held[:copy(in.held, in.held[in.used:])], 0
	}
	if len(in.fresh) > 0 {
		in.held = append(in.held, in.fresh...)
	}
	in.fresh = nil
	if len(in.held) == 0 && cap(in.held) > smallRead {
		in.held = nil
	}
	return unused
}

// pending are the bytes that were shown before and are behind no cursor yet.
func (in *input) pending() []byte { return in.held[in.used:] }

// settleEnd does what stood behind bytes that will never come. Where these were to pass, nothing is written behind what did. mu is held.
func (c *conn) settleEnd(side abi.Side) {
	in := &c.in[side]
	in.cursor = min(in.cursor, in.count)
	for _, t := range in.todo {
		switch t.kind {
		case todoPass:
			c.out[side.Other()].cut = true
		case todoWrite:
			c.queueCopy(t.side, t.write)
		case todoShut:
			c.out[t.side].shut = true
		case todoAsideWrite:
			c.putAside(t.id, t.write, true)
		case todoAsideDone:
			c.endAside(t.id)
		}
	}
	in.todo, in.behind = nil, 0
}

// forward queues bytes of side that are at hand for the other one. mu is held.
func (c *conn) forward(side abi.Side, p []byte) {
	if len(p) == 0 {
		return
	}
	if c.in[side].reshown {
		c.queueCopy(side.Other(), p)
		return
	}
	c.queue(side.Other(), p)
}

// advances reports whether the cursor can move by n.
func (in *input) advances(n uint64) bool { return n <= math.MaxInt64 && in.cursor+n <= math.MaxInt64 }

// plan notes what becomes of n bytes that have not come, and reports false when there is too much of that.
func (in *input) plan(kind todoKind, id uint32, n uint64) bool {
	if last := len(in.todo) - 1; last >= 0 && in.todo[last].kind == kind && in.todo[last].id == id {
		in.todo[last].n += n
		return true
	}
	if len(in.todo) >= mostTodo {
		return false
	}
	in.todo = append(in.todo, todo{kind: kind, id: id, n: n})
	return true
}

// move carries a PASS or DROP of n bytes out on what is there and plans the rest. mu is held.
func (c *conn) move(side abi.Side, n uint64, kind todoKind) { c.moveUnder(side, n, kind, 0) }

// moveUnder is move, also of bytes of the agent that action id aside, which is undecided, asks for. mu is held.
func (c *conn) moveUnder(side abi.Side, n uint64, kind todoKind, id uint32) {
	in := &c.in[side]
	if c.scanned(side) {
		return
	}
	if !in.advances(n) {
		c.fail("the plugin passes more bytes of the %v than a stream can have", side)
		return
	}
	in.cursor += n
	if len(in.todo) == 0 {
		k := min(n, uint64(len(in.pending())))
		if k > 0 {
			switch kind {
			case todoPass:
				c.queueCopy(side.Other(), in.pending()[:k])
			case todoAside:
				c.putAside(id, in.pending()[:k], false)
			}
			in.used += int(k)
			n -= k
		}
		if k = min(n, uint64(len(in.fresh))); k > 0 {
			switch kind {
			case todoPass:
				c.forward(side, in.fresh[:k])
			case todoAside:
				c.putAside(id, in.fresh[:k], false)
			}
			in.fresh = in.fresh[k:]
			n -= k
		}
	}
	if in.ended { // nothing more comes
		in.cursor = min(in.cursor, in.count)
		return
	}
	if n == 0 {
		return
	}
	if !in.plan(kind, id, n) {
		c.fail("the plugin has planned too much about bytes of the %v that have not come", side)
	}
	c.wake.Broadcast() // a paused reader may have read them already
}

// advance does with bytes that came what was planned for them, and returns those that nothing was planned for, or that stand
// behind a scan which ended. mu is held.
func (c *conn) advance(side abi.Side, p []byte) []byte {
	in := &c.in[side]
	for len(in.todo) > 0 {
		t := &in.todo[0]
		switch t.kind {
		case todoPass, todoDrop, todoAside:
			k := min(t.n, uint64(len(p)))
			switch {
			case k == 0:
			case t.kind == todoPass:
				c.forward(side, p[:k])
			case t.kind == todoAside:
				c.putAside(t.id, p[:k], false)
			}
			p = p[k:]
			if t.n -= k; t.n > 0 {
				return p
			}
		case todoWrite:
			c.queueCopy(t.side, t.write)
			in.behind -= len(t.write)
		case todoShut:
			c.out[t.side].shut = true
		case todoAsideWrite:
			in.behind -= len(t.write)
			c.putAside(t.id, t.write, true)
		case todoAsideDone:
			c.endAside(t.id)
		case todoScan:
			rest, ended := c.walk(side, p)
			if ended {
				c.endScan(side)
			}
			return rest
		}
		in.todo = in.todo[1:]
	}
	in.todo = nil
	return p
}

// behind reports whether something written to side now must wait for bytes of the other one that are passed and have not
// come; if so it is planned by then.
func (c *conn) behind(side abi.Side, t todo) bool {
	from := &c.in[side.Other()]
	if len(from.todo) == 0 || from.ended {
		return false
	}
	from.behind += len(t.write)
	if len(from.todo) >= mostTodo || from.behind > c.limits.Window {
		c.fail("the plugin writes too much behind bytes that have not come")
		return true
	}
	from.todo = append(from.todo, t)
	return true
}
