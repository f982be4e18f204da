//go:build !wasip1

package drygate

import (
	"math"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// input is the stream of one side.
type input struct {
	queue  []chunk // came, and was not shown
	count  uint64  // bytes that were shown or moved
	cursor uint64  // bytes that are passed or dropped, or will be when they come
	held   []byte  // shown, and behind no cursor yet
	todo   []todo
	scan   *scan
	paused bool
	ending bool // the end has come
	ended  bool // and everything before it was shown, so it is next
	told   bool // the guest knows
}

// chunk is bytes, or a number of bytes that nobody knows.
type chunk struct {
	bytes  []byte
	unseen uint64
}

func (c *chunk) size() uint64 { return uint64(len(c.bytes)) + c.unseen }

// todo is what becomes of bytes that have not come.
type todo struct {
	kind todoKind
	n    uint64
	then Entry  // write, shut
	id   uint32 // aside: the action
}

type todoKind uint8

const (
	todoPass todoKind = iota
	todoDrop
	todoThen
	// What an action aside asks for that was undecided when it was said.
	todoAside
	todoAsideThen
	todoAsideDone
)

// mostTodo bounds how many things may be said about bytes that have not come.
const mostTodo = 1024

// deliver moves one piece of side on and reports whether anything moved.
func (g *Gate) deliver(side abi.Side) bool {
	in := &g.in[side]
	if in.told || g.out[side].secure == handshaking || side == abi.Upstream && !g.connected {
		return false
	}
	switch {
	case len(in.todo) > 0 && (len(in.queue) > 0 || in.todo[0].kind.written()):
		g.advance(side)
		return true
	case in.scan != nil && g.walk(side):
		return true
	case side == abi.Agent && g.holds() || side == abi.Upstream && g.answers.Waits():
		return false
	case len(in.queue) > 0 && !in.paused && in.scan == nil:
		g.show(side)
		return true
	case len(in.queue) == 0 && in.ending && in.scan == nil:
		g.tellEnd(side)
		return true
	}
	return false
}

// written reports whether it is about no bytes that have to come.
func (k todoKind) written() bool { return k == todoThen || k == todoAsideThen || k == todoAsideDone }

// then does what stands behind bytes that came.
func (g *Gate) then(t *todo) {
	switch t.kind {
	case todoThen:
		g.emit(t.then)
	case todoAsideThen:
		g.putAside(t.id, t.then)
	case todoAsideDone:
		g.endAside(t.id)
	}
}

// show has the guest look at the next piece.
func (g *Gate) show(side abi.Side) {
	in := &g.in[side]
	c := &in.queue[0]
	if c.unseen > 0 {
		g.breach("%d bytes of the %v were moved unseen in the recording, and now the plugin would have to be shown them", c.unseen, side)
		return
	}
	n := min(len(c.bytes), g.cfg.Guest.InputCapacity())
	if g.cfg.Piece != nil {
		n = max(1, min(n, g.cfg.Piece(side, in.count, n)))
	}
	p := c.bytes[:n]
	if c.bytes = c.bytes[n:]; len(c.bytes) == 0 {
		in.queue = in.queue[1:]
	}
	if len(in.held)+n > g.cfg.Window {
		g.breach("more than %d bytes of the %v wait for the plugin to pass or drop them", g.cfg.Window, side)
		return
	}
	in.count += uint64(n)
	in.held = append(in.held, p...)
	g.calls = min(g.calls+callsForDelivery+n, mostCalls)
	g.step(g.cfg.Guest.Data(side, p, 0))
}

// tellEnd tells the guest that side has ended.
func (g *Gate) tellEnd(side abi.Side) {
	in := &g.in[side]
	in.ended, in.told = true, true
	in.cursor = min(in.cursor, in.count)
	for i := range in.todo {
		if in.todo[i].kind == todoPass {
			g.out[side.Other()].cut = true
		}
		g.then(&in.todo[i])
	}
	in.todo = nil
	g.calls = min(g.calls+callsForDelivery, mostCalls)
	g.step(g.cfg.Guest.Data(side, nil, abi.DataEnd))
}

// advance does with what came what was planned for it.
func (g *Gate) advance(side abi.Side) {
	in := &g.in[side]
	t := &in.todo[0]
	if t.kind.written() {
		in.todo = in.todo[1:]
		g.then(t)
		return
	}
	c := &in.queue[0]
	n := min(t.n, c.size())
	moved := Entry{Kind: Gets, Side: side.Other()}
	if c.unseen > 0 {
		moved.Unseen = n
		c.unseen -= n
	} else {
		moved.Bytes = c.bytes[:n:n]
		c.bytes = c.bytes[n:]
	}
	if c.size() == 0 {
		in.queue = in.queue[1:]
	}
	in.count += n
	switch t.kind {
	case todoPass:
		g.emit(moved)
	case todoAside:
		g.putAside(t.id, moved)
	}
	if t.n -= n; t.n == 0 {
		in.todo = in.todo[1:]
	}
}

// move carries a PASS or DROP out on what was shown and plans the rest.
func (g *Gate) move(side abi.Side, n uint64, kind todoKind) { g.moveUnder(side, n, kind, 0) }

// moveUnder is move, also of bytes that action id aside, which is undecided, asks for.
func (g *Gate) moveUnder(side abi.Side, n uint64, kind todoKind, id uint32) {
	in := &g.in[side]
	if n > math.MaxInt64 || in.cursor+n > math.MaxInt64 {
		g.breach("the plugin passes more bytes of the %v than a stream can have", side)
		return
	}
	in.cursor += n
	if len(in.todo) == 0 {
		k := min(n, uint64(len(in.held)))
		shown := Entry{Kind: Gets, Side: side.Other(), Bytes: in.held[:k:k]}
		switch {
		case k == 0:
		case kind == todoPass:
			g.emit(shown)
		case kind == todoAside:
			g.putAside(id, shown)
		}
		in.held = in.held[k:]
		n -= k
	}
	if in.ended { // nothing more comes
		in.cursor = min(in.cursor, in.count)
		return
	}
	if n == 0 {
		return
	}
	if last := len(in.todo) - 1; last >= 0 && in.todo[last].kind == kind && in.todo[last].id == id {
		in.todo[last].n += n
		return
	}
	if len(in.todo) >= mostTodo {
		g.breach("the plugin has planned too much about bytes of the %v that have not come", side)
		return
	}
	in.todo = append(in.todo, todo{kind: kind, n: n, id: id})
}

// write is something for a side, behind what was passed to it and has not come.
func (g *Gate) write(e Entry) {
	from := &g.in[e.Side.Other()]
	if len(from.todo) > 0 && !from.ended {
		from.todo = append(from.todo, todo{kind: todoThen, then: e})
		if len(from.todo) > mostTodo {
			g.breach("the plugin writes too much behind bytes that have not come")
		}
		return
	}
	g.emit(e)
}

// emit writes to a side now, or once it is connected.
func (g *Gate) emit(e Entry) {
	o := &g.out[e.Side]
	if o.shut {
		g.breach("the plugin writes to the %v after it was shut", e.Side)
		return
	}
	if e.Kind == Shut {
		o.shut = true
	} else if o.cut {
		return
	}
	if len(e.Bytes) > 0 {
		e.Bytes = append([]byte(nil), e.Bytes...)
	}
	if e.Side == abi.Upstream && !g.connected {
		o.waiting = append(o.waiting, e)
		return
	}
	g.note(e)
}
