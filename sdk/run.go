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
	behind bool // the unread bytes count as not delivered yet: what those before them have begun comes first
	away   bool // TLS, a scan or a new login has them: they are forgotten, and the host shows again what is left of them
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
	if !end && r.isClear() {
		n := r.first(side, p)
		if n == len(p) && !r.isStirred() {
			return
		}
		if p = p[n:]; n > 0 {
			p = r.pump(side, p)
		}
		r.conn.sides[side].keep(p)
		r.letGo()
		r.settle()
		return
	}
	r.assume(side)
	r.conn.fresh = false // the host knows of the question, and shows what may be read meanwhile
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
	if in.behind {
		in.keep(p)
	} else {
		in.keep(r.pump(side, p))
	}
	r.letGo()
	r.settle()
}

// isClear reports whether nothing of before stands in the way of what is delivered now, which is nearly always so: no side has unread bytes or
// an end to be told of, and no question waits but a quiet one of which this delivery says that it was allowed.
func (r *runner) isClear() bool {
	c := &r.conn
	a, u := &c.sides[abi.Agent], &c.sides[abi.Upstream]
	if c.closed || r.session == nil || len(a.unread) > 0 || len(u.unread) > 0 || a.ended || u.ended || a.paused || u.paused || c.parents.waits != 0 ||
		c.held.on || r.isStirred() {
		return false
	}
	if c.asked != 0 {
		if !c.quiet || c.unasked > 0 {
			return false
		}
		c.asked = 0
	}
	c.fresh = false
	return true
}

// isStirred reports whether a side is to be shown again, or is not the session's.
func (r *runner) isStirred() bool {
	a, u := &r.conn.sides[abi.Agent], &r.conn.sides[abi.Upstream]
	return a.again || u.again || a.behind || u.behind || a.away || u.away
}

// first has the session read p when all is clear, and returns how much it has read.
func (r *runner) first(side abi.Side, p []byte) int {
	if len(p) == 0 {
		return 0
	}
	r.conn.sides[side].told = false
	n := r.session.Data(&r.conn, side, p, false)
	if uint(n) > uint(len(p)) {
		panic(readTooMuch)
	}
	return n
}

// event takes an event; none means "go on": after a full output was fetched, or after a quiet question was allowed.
func (r *runner) event(b []byte) {
	if r.session == nil {
		return
	}
	if len(b) == 0 {
		r.assume(abi.Upstream)
		r.settle()
		return
	}
	e, err := abi.ReadEvent(b)
	if err != nil {
		r.conn.Fail(err.Error())
		return
	}
	switch {
	case e.Kind == abi.KindVerdict && e.ID == r.conn.asked:
		r.decided(e.Outcome)
	case e.Kind == abi.KindHeld && e.ID == r.conn.asked:
		if !r.conn.held.on { // a judge may have been asked before
			r.hold()
		}
	default:
		r.assume(abi.Upstream)
	}
	if e.Kind == abi.KindVerdict {
		r.answer(&e)
	}
	switch e.Kind {
	case abi.KindSecured, abi.KindScanned:
		r.conn.sides[e.Side].away = false
	case abi.KindConnected:
		r.conn.sides[abi.Upstream].away = false
	}
	if !r.conn.closed {
		r.session.Event(&r.conn, e)
	}
	r.letGo()
	r.settle()
}

// answer takes what a verdict says of answers: this action's is to be looked at, or one that was looked at may go on or not.
func (r *runner) answer(e *abi.Event) {
	p := &r.conn.parents
	if e.Inspect > 0 && e.Outcome == abi.Allow {
		p.begin(e.ID, e.Inspect)
	} else if len(p.all) > 0 {
		waited := p.waits == e.ID
		p.decided(e)
		r.conn.sides[abi.Upstream].again = r.conn.sides[abi.Upstream].again || waited
	}
}

// assume takes a call that is not the event of a denial for what it is: the quiet question that the host knows of is allowed.
// With bytes of side at hand nothing has to be shown again.
func (r *runner) assume(side abi.Side) {
	c := &r.conn
	if c.asked == 0 || !c.quiet || c.unasked > 0 {
		return
	}
	r.decided(abi.Allow)
	if side == abi.Agent {
		c.sides[side].again = false
	}
}

// hold keeps what stands behind a question that a person is asked: nothing of it is carried out yet, and what the session says
// meanwhile is at once.
func (r *runner) hold() {
	c := &r.conn
	h := &c.held
	h.out, h.closed, h.on = append(h.out[:0], c.out...), c.closed, true
	c.out, c.passed, c.closed = c.out[:0], 0, false
	c.parents.epoch++
	c.quiet, c.fresh, c.unasked = false, false, 0
	for side := range c.sides {
		in := &c.sides[side]
		h.after[side] = standing{paused: in.paused, away: in.away, said: c.before[side].said}
	}
	r.goBack()
}

// goBack has the sides stand where they did before the question.
func (r *runner) goBack() {
	c := &r.conn
	for side := range c.sides {
		in, before := &c.sides[side], &c.before[side]
		in.again = in.again || in.paused != before.paused || in.away != before.away
		in.paused, in.away = before.paused, before.away
	}
}

// unhold has what was kept follow the verdict, or forgets it.
func (r *runner) unhold(o abi.Outcome) {
	c := &r.conn
	h := &c.held
	if o == abi.Allow {
		c.out = append(c.out, h.out...)
		c.passed, c.closed = 0, c.closed || h.closed
		for side := range c.sides {
			in, after := &c.sides[side], &h.after[side]
			if after.said {
				in.paused, in.again = after.paused, in.again || !after.paused
			}
			in.away = in.away || after.away && !c.before[side].away
		}
	}
	h.on, h.out = false, nil
}

// decided ends the wait for a verdict. What followed a denied ASK is void, also what the host has not fetched.
func (r *runner) decided(o abi.Outcome) {
	c := &r.conn
	held := c.held.on
	if held {
		r.unhold(o)
	}
	c.asked, c.fresh = 0, false
	if in := &c.sides[abi.Agent]; len(in.unread) > 0 || in.ended && !in.told {
		in.again = true
	}
	if o == abi.Allow {
		r.letGo()
		return
	}
	if !held {
		c.out, c.passed = c.out[:0], 0
		c.parents.epoch++
		c.closed = false
		r.goBack()
	}
}

// letGo forgets the unread bytes of sides that TLS or a scan has, unless a denial could give them back.
func (r *runner) letGo() {
	if s := &r.conn.sides; r.conn.asked != 0 && !r.conn.held.on || !s[abi.Agent].away && !s[abi.Upstream].away {
		return
	}
	for side := range r.conn.sides {
		if in := &r.conn.sides[side]; in.away {
			in.keep(nil)
		}
	}
}

// settle shows unread bytes again when something asked for it, and last what stands behind it. How a delivery was cut makes
// no difference so: what a message sets going is over before the next one is read.
func (r *runner) settle() {
	for !r.conn.closed {
		switch s := &r.conn.sides; {
		case s[abi.Agent].again && r.ready(abi.Agent):
			r.show(abi.Agent)
		case s[abi.Upstream].again && r.ready(abi.Upstream):
			r.show(abi.Upstream)
		case s[abi.Agent].behind && r.turn(abi.Agent):
			r.show(abi.Agent)
		case s[abi.Upstream].behind && r.turn(abi.Upstream):
			r.show(abi.Upstream)
		default:
			return
		}
	}
}

// ready reports whether the session can be shown unread bytes of side, or its end.
func (r *runner) ready(side abi.Side) bool {
	in := &r.conn.sides[side]
	if in.away || in.behind || r.blocked(side) {
		return false
	}
	return len(in.unread) > 0 && !in.paused || len(in.unread) == 0 && in.ended && !in.told
}

// blocked reports whether an undecided question keeps side from being shown: always the agent, the upstream until the host
// has come back, and while its answer is asked about.
func (r *runner) blocked(side abi.Side) bool {
	return r.conn.fresh || side == abi.Agent && r.conn.asked != 0 || side == abi.Upstream && r.conn.parents.waits != 0
}

// turn reports whether it is the turn of what stood behind.
func (r *runner) turn(side abi.Side) bool {
	if r.blocked(side) {
		return false
	}
	in := &r.conn.sides[side]
	in.behind = false
	return r.ready(side)
}

func (r *runner) show(side abi.Side) {
	in := &r.conn.sides[side]
	in.again = false
	in.keep(r.pump(side, in.unread))
	r.letGo()
}

// pump has the session read p until it stops by itself or something else comes first, and returns what it left.
func (r *runner) pump(side abi.Side, p []byte) []byte {
	in, other := &r.conn.sides[side], &r.conn.sides[side.Other()]
	for !r.conn.closed && !in.away && r.session != nil {
		if len(p) == 0 && (!in.ended || in.told) || len(p) > 0 && in.paused {
			break
		}
		if r.blocked(side) || other.again && r.ready(side.Other()) {
			in.behind = true
			break
		}
		in.told = len(p) == 0
		n := r.session.Data(&r.conn, side, p, in.ended)
		if n < 0 || n > len(p) {
			panic(readTooMuch)
		}
		p = p[n:]
		if n == 0 {
			break
		}
	}
	return p
}

const readTooMuch = "sdk: Data read more than it was given"

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

// fetch moves commands into out, whole ones, and returns how many bytes, with the More bit if the host must come back: for the
// rest, or because bytes wait for a quiet question that is allowed unless the host says otherwise.
func (r *runner) fetch(out []byte) uint32 {
	c := &r.conn
	n := len(c.out)
	if n <= len(out) { // as nearly always
		copy(out, c.out)
		c.out = c.out[:0]
	} else {
		n = r.fill(out)
	}
	c.passed = 0
	c.parents.epoch++
	c.unasked = max(c.unasked-n, 0)
	if len(c.out) > 0 || c.asked != 0 && c.quiet && !c.closed && r.waits() {
		return uint32(n) | abi.More
	}
	return uint32(n)
}

// fill moves as many whole commands into out as it takes, and returns how many bytes.
func (r *runner) fill(out []byte) (n int) {
	c := &r.conn
	for n < len(c.out) {
		size := abi.CommandSize(c.out[n:])
		if n+size > len(out) {
			break
		}
		n += size
	}
	copy(out, c.out[:n])
	c.out = c.out[:copy(c.out, c.out[n:])]
	return n
}

// waits reports whether bytes or an end wait for the question in hand.
func (r *runner) waits() bool {
	a, u := &r.conn.sides[abi.Agent], &r.conn.sides[abi.Upstream]
	return !a.paused && (len(a.unread) > 0 || a.ended && !a.told) || !u.paused && u.behind
}
