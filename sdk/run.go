package sdk

import (
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// input is what one side has delivered and the session has not read.
type input struct {
	unread []byte // a copy; empty while nothing is left over
	ended  bool   // no more will come
	told   bool   // and the session was told so with nothing left unread
	paused bool
	again  bool // show the unread bytes once more though nothing new has come
}

// runner drives one session: it is the half of the SDK that the host's calls end in, in a guest and natively alike.
type runner struct {
	conn    Conn
	session Session
}

func (r *runner) open(p Plugin, facts []byte, call func(k int, in, out []byte) (int, error)) {
	r.conn.call = call
	f, err := abi.ReadFacts(facts)
	if err != nil {
		r.conn.Fail(err.Error())
		return
	}
	r.session = p.Open(&r.conn, f)
}

// data takes a delivery.
func (r *runner) data(side abi.Side, p []byte, end bool) {
	in := &r.conn.sides[side]
	in.ended = in.ended || end
	if len(in.unread)+len(p) > MaxUnread {
		r.conn.Fail("more is left unread than a plugin may keep")
		return
	}
	if len(in.unread) > 0 {
		in.unread = append(in.unread, p...)
		p = in.unread
	}
	in.keep(r.pump(side, p))
	r.settle()
}

// event takes an event; none means "go on" after a full output was fetched.
func (r *runner) event(b []byte) {
	if len(b) == 0 || r.session == nil {
		return
	}
	e, err := abi.ReadEvent(b)
	if err != nil {
		r.conn.Fail(err.Error())
		return
	}
	if e.Kind == abi.KindVerdict && e.ID == r.conn.asked {
		r.decided(e.Outcome)
	}
	if !r.conn.closed {
		r.session.Event(&r.conn, e)
	}
	r.settle()
}

// decided ends the wait for a verdict. What followed a denied ASK is void, also what the host has not fetched.
func (r *runner) decided(o abi.Outcome) {
	c := &r.conn
	c.asked = 0
	c.sides[abi.Agent].again = true
	if o == abi.Allow {
		return
	}
	c.out, c.passed = c.out[:0], 0
	c.closed = false
	for side := range c.sides {
		in := &c.sides[side]
		in.again = in.again || in.paused != c.before[side]
		in.paused = c.before[side]
	}
}

// settle shows unread bytes again when something asked for it.
func (r *runner) settle() {
	for side := abi.Agent; side <= abi.Upstream; side++ {
		in := &r.conn.sides[side]
		if !in.again || r.conn.closed || side == abi.Agent && r.conn.asked != 0 {
			continue
		}
		in.again = false
		in.keep(r.pump(side, in.unread))
	}
	if a := &r.conn.sides[abi.Agent]; a.again && r.conn.asked == 0 && !r.conn.closed {
		r.settle() // the upstream's bytes released the agent's
	}
}

// pump has the session read p until it stops by itself, and returns what it left.
func (r *runner) pump(side abi.Side, p []byte) []byte {
	in := &r.conn.sides[side]
	for !r.conn.closed && r.session != nil && !(side == abi.Agent && r.conn.asked != 0) {
		if len(p) == 0 && (!in.ended || in.told) || len(p) > 0 && in.paused {
			break
		}
		in.told = len(p) == 0
		n := r.session.Data(&r.conn, side, p, in.ended)
		if n < 0 || n > len(p) {
			panic("sdk: Data read more than it was given")
		}
		p = p[n:]
		if n == 0 {
			break
		}
	}
	return p
}

// keep stores what is left; it does not copy what stands in the right place already.
func (in *input) keep(rest []byte) {
	const spare = 64 << 10 // a buffer that was needed once for a large message is given back
	switch {
	case len(rest) == 0:
		in.unread = in.unread[:0]
		if cap(in.unread) > spare {
			in.unread = nil
		}
	case len(in.unread) > 0 && &in.unread[len(in.unread)-1] == &rest[len(rest)-1]:
		n := len(in.unread) - len(rest)
		if n > 0 {
			in.unread = in.unread[:copy(in.unread, rest)]
		}
	default:
		in.unread = append(in.unread[:0], rest...)
	}
}

// fetch moves commands into out, whole ones, and returns how many bytes, with the More bit if the host must come back.
func (r *runner) fetch(out []byte) uint32 {
	c := &r.conn
	n := 0
	for n < len(c.out) {
		size := abi.CommandSize(c.out[n:])
		if n+size > len(out) {
			break
		}
		n += size
	}
	copy(out, c.out[:n])
	c.out, c.passed = c.out[:copy(c.out, c.out[n:])], 0
	if len(c.out) > 0 {
		return uint32(n) | abi.More
	}
	return uint32(n)
}
