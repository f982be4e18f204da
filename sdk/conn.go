package sdk

import (
	"errors"
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Conn is a session's side of its connection: what it calls is written down as commands, which the host carries out in
// order once the session has returned.
type Conn struct {
	out    []byte // commands of this step that the host has not fetched
	passed int    // the length of out when a PASS ends it, else something else
	action abi.ActionWriter
	spare  []byte // the buffer that actions are written in
	nextID uint32
	call   func(k int, in, out []byte) (int, error)

	sides  [2]input
	closed bool
	// parents are the actions whose answers are looked at.
	parents parents
	// An action that waits for its verdict: nothing of the agent behind it is read. A denial makes the rest of the step
	// void, so what Pause, StartTLS and Scan said before it is kept.
	asked   uint32
	quiet   bool // it was asked with abi.AskQuiet
	fresh   bool // the host has not come back since it was asked
	unasked int  // how many bytes of out, the ASK with them, the host has yet to fetch before it knows of the question
	before  [2]standing
	// While a person is asked: what stands behind the question and the host has not fetched, whether it closes, and what comes
	// of the sides with it.
	held struct {
		out    []byte
		closed bool
		on     bool
		after  [2]standing
	}
}

// standing is what the host has been told of a side.
type standing struct {
	paused, away bool
	said         bool // PAUSE stands behind the question
}

// Pass lets the next n bytes of side go to the other side. Bytes of the agent go under an action that was asked about
// them and allowed; for bytes of the upstream id is 0, but while an answer is to be looked at (Inspecting) the id of what they
// answer, or of the connect action when they answer nothing. n may be more than has been delivered: the host then moves the rest
// without showing it.
func (c *Conn) Pass(side abi.Side, id uint32, n uint64) {
	if n == 0 || c.closed {
		return
	}
	if c.passed != len(c.out) || !abi.ExtendPass(c.out, side, id, n) {
		c.out = abi.AppendPass(c.out, side, id, n)
		c.passed = len(c.out)
	}
}

// Drop forgets the next n bytes of side, delivered or not.
func (c *Conn) Drop(side abi.Side, n uint64) {
	if n == 0 || c.closed {
		return
	}
	c.out = abi.AppendDrop(c.out, side, n)
}

// Send writes p to side; to the upstream only under action id, the open streaming one or one aside, and under one action
// at most 64 KiB and twice what the agent's stream moved on since it was asked about.
func (c *Conn) Send(side abi.Side, id uint32, p []byte) {
	const piece = 16 << 10
	for len(p) > 0 && !c.closed {
		n := min(len(p), piece)
		c.out = abi.AppendSend(c.out, side, id, p[:n])
		p = p[n:]
	}
}

// Stock writes constant k of the manifest to the upstream.
func (c *Conn) Stock(k uint16) {
	if !c.closed {
		c.out = abi.AppendStock(c.out, k)
	}
}

// Dial connects to the upstream under the allowed action id of family "connect". An event tells how it went. Bytes that are
// passed meanwhile wait for it.
func (c *Conn) Dial(id uint32) {
	if !c.closed {
		c.out = abi.AppendDial(c.out, id)
	}
}

// Shut says that nothing more will be written to side, once what was written is out.
func (c *Conn) Shut(side abi.Side) {
	if !c.closed {
		c.out = abi.AppendShut(c.out, side)
	}
}

// Close ends the connection in good order: what was written to either side is still delivered.
func (c *Conn) Close(reason string) { c.end(false, reason) }

// Fail ends the connection because something was not understood: it is recorded as fail_closed.
func (c *Conn) Fail(reason string) { c.end(true, reason) }

func (c *Conn) end(failed bool, reason string) {
	if !c.closed {
		c.out = abi.AppendClose(c.out, failed, reason)
		c.closed = true
	}
}

// Note records what became of action id, as pairs of name and value: "rows", "3". Pairs that take more than abi.MaxNote
// bytes together, with 4 bytes for each name and value, end the connection: cut what the other end can make long.
func (c *Conn) Note(id uint32, pairs ...string) {
	if c.closed {
		return
	}
	size := 4 * len(pairs)
	for _, p := range pairs {
		size += len(p)
	}
	if size > abi.MaxNote || len(pairs)%2 != 0 {
		c.Fail("a note of " + strconv.Itoa(len(pairs)) + " names and values in " + strconv.Itoa(size) + " bytes cannot be written")
		return
	}
	c.out = abi.AppendNote(c.out, id, pairs...)
}

// Done ends the action id, a streaming one or one aside: no later byte belongs to it.
func (c *Conn) Done(id uint32) {
	if !c.closed {
		c.out = abi.AppendDone(c.out, id)
	}
}

// Withdraw says that the agent took action id back, which waits for a person. Its verdict follows: denied, unless it was decided
// before.
func (c *Conn) Withdraw(id uint32) {
	if !c.closed {
		c.out = abi.AppendWithdraw(c.out, id)
	}
}

// Secret has the host write the secret of slot slot of the manifest to the upstream under action id, in the form that the
// slot has. The plugin never sees it.
func (c *Conn) Secret(id uint32, slot uint16) {
	if !c.closed {
		c.out = abi.AppendSecret(c.out, id, slot)
	}
}

// Pause stops the delivery of side's bytes until Unpause: a session that waits for something else first keeps its memory
// bounded so. What was delivered before stays unread. An end of side with nothing left unread is told all the same. A pause
// must have an end: when both sides are paused, or the other one has ended, the host closes the connection.
func (c *Conn) Pause(side abi.Side) { c.pause(side, true) }

// Unpause undoes Pause and has the unread bytes of side shown again.
func (c *Conn) Unpause(side abi.Side) { c.pause(side, false) }

func (c *Conn) pause(side abi.Side, on bool) {
	if c.closed || c.sides[side].paused == on {
		return
	}
	c.sides[side].paused = on
	c.before[side].said = true
	c.out = abi.AppendPause(c.out, side, on)
	c.sides[side].again = c.sides[side].again || !on
}

// Call runs companion k of the manifest on in and returns its result, in the memory of out. An error carries the companion's
// own text when it gave one; it also stands for a companion that trapped or ran out of fuel.
func (c *Conn) Call(k int, in, out []byte) ([]byte, error) {
	if c.call == nil {
		return nil, errors.New("this plugin runs without companions")
	}
	n, err := c.call(k, in, out)
	if err != nil {
		return nil, err
	}
	return out[:n], nil
}

// Ask begins a question: may the agent do this? The builder's methods give the fields, its Do asks.
func (c *Conn) Ask(family uint16, class abi.Class, title string) *AskBuilder {
	if c.asked != 0 {
		panic("sdk: a second Ask before the first is decided")
	}
	c.action.Begin(c.spare[:0], family, class, title)
	return (*AskBuilder)(c)
}

// AskBuilder collects the fields of the action that Ask began. A field that is not given is unknown, which counts against
// the agent.
type AskBuilder Conn

// Unknown says that the field has a value that could not be read.
func (b *AskBuilder) Unknown(field uint16) *AskBuilder { b.action.Unknown(field); return b }

// Bool gives a field of type bool.
func (b *AskBuilder) Bool(field uint16, v bool) *AskBuilder { b.action.Bool(field, v); return b }

// Int gives a field of type int.
func (b *AskBuilder) Int(field uint16, v int64) *AskBuilder { b.action.Int(field, v); return b }

// String gives a field of type string.
func (b *AskBuilder) String(field uint16, v string) *AskBuilder { b.action.String(field, v); return b }

// Strings gives a field of type strings.
func (b *AskBuilder) Strings(field uint16, v []string) *AskBuilder {
	b.action.Strings(field, v)
	return b
}

// Room is how many more bytes the action may take: a list that would not fit is given as Unknown.
func (b *AskBuilder) Room() int { return abi.MaxAction - b.action.Len() }

// Do asks: the action covers the next extent bytes of the agent, those behind what earlier actions cover. It returns the
// action's id. The commands that follow in this step are carried out if it is allowed; if it is denied they are void and
// Event brings the verdict. Nothing of the agent that has not been read yet is shown before the decision. With flag
// abi.AskQuiet there is no event when it is allowed, which saves a call. When a person is asked, Event brings abi.KindHeld, and
// the verdict in every case; in between the upstream is shown as usual, and the session may write to the agent.
//
// With flag abi.AskAside the action is tied to no place (extent is 0), the session goes on, and what it passes and sends to the
// upstream under the id waits for the verdict on the host's side: it goes on when the action is allowed, and is forgotten when it
// is denied. Whole frames are passed at once, n beyond what was delivered where need be: what is released goes between them.
func (b *AskBuilder) Do(extent uint64, flags uint8) (id uint32) {
	c := (*Conn)(b)
	action := c.action.End()
	c.spare = action
	c.nextID++
	if len(action) > abi.MaxAction {
		c.Fail("an action of " + strconv.Itoa(len(action)) + " bytes is more than may be asked at once")
		return c.nextID
	}
	if !c.closed {
		c.out = abi.AppendAsk(c.out, c.nextID, extent, flags, action)
		if flags&abi.AskAside == 0 {
			c.wait(flags)
		}
	}
	return c.nextID
}

// wait notes that c.out ends with a question.
func (c *Conn) wait(flags uint8) {
	c.asked, c.quiet, c.fresh, c.unasked = c.nextID, flags&abi.AskQuiet != 0, true, len(c.out)
	for side := range c.sides {
		c.before[side] = standing{paused: c.sides[side].paused, away: c.sides[side].away}
	}
}

// StartTLS begins TLS on side, at the place up to which its bytes are passed or dropped: what was written to it before goes
// out in clear, and its unread bytes are the beginning of the handshake and not shown. Nothing of side is shown until the
// event Secured. It works once for a side: for the upstream once it is connected and when facts.UpstreamTLS, for the agent
// when facts.AgentTLS. A handshake with the agent that fails ends the connection; one with the upstream gives the event Refused, in
// which the plugin must close.
func (c *Conn) StartTLS(side abi.Side) {
	if !c.closed {
		c.out = abi.AppendTLS(c.out, side)
		c.sides[side].away = true
	}
}

// Auth has the host answer the server's words p, at most abi.MaxAuth bytes, from slot slot of the manifest, and write the
// answer to the upstream. It works under the open streaming action id of family "connect" that was dialed, before anything
// of another family is asked. The event AuthFailed says that there is no answer.
func (c *Conn) Auth(id uint32, slot uint16, p []byte) {
	if c.closed {
		return
	}
	if len(p) > abi.MaxAuth {
		c.Fail("words of " + strconv.Itoa(len(p)) + " bytes are more than a login may have")
		return
	}
	c.out = abi.AppendAuth(c.out, id, slot, p)
}

// Relogin says that the upstream has refused the login of slot slot that Auth made under action id, in the words p, of which the operator is told and
// the agent is not. The host looks for a newer secret then, once for a connection. What came of the upstream is forgotten, and so is what was said about
// it. Either the event Connected comes, with an upstream that has heard nothing yet, or AuthFailed.
func (c *Conn) Relogin(id uint32, slot uint16, p []byte) {
	if !c.closed {
		c.out = abi.AppendRelogin(c.out, id, slot, p)
		in := &c.sides[abi.Upstream]
		in.ended, in.told, in.paused, in.again, in.behind, in.away = false, false, false, false, false, true
	}
}

// Refused says that the upstream has refused what Secret or Sign wrote for slot slot, in the words p, of which the operator is told. The next connection
// uses a newer secret if there is one; with this one nothing happens.
func (c *Conn) Refused(id uint32, slot uint16, p []byte) {
	if !c.closed {
		c.out = abi.AppendRelogin(c.out, id, slot, p)
	}
}

// Alias has the agent get a random value in place of the next n bytes of the upstream, abi.MinAlias to abi.MaxAlias that have
// all been shown. Another connection of the same peer to the same endpoint may bring the value back with Unalias.
func (c *Conn) Alias(n int) {
	if !c.closed {
		c.out = abi.AppendAlias(c.out, uint32(n))
	}
}

// Unalias lets the next n bytes of the agent, all shown, go on under action id as what they are an alias of. The connection
// ends when they are none.
func (c *Conn) Unalias(id uint32, n int) {
	if !c.closed {
		c.out = abi.AppendUnalias(c.out, id, uint32(n))
	}
}

// Scan has the host walk the frames of side by itself, from the place up to which its bytes are passed or dropped: frames of
// the given types pass without being shown, of the agent under the open streaming action id, of the upstream under 0. At the
// first other frame, at a length that means nothing and at the side's end the event Scanned comes, and what follows is shown
// as usual. Until then no byte of side is shown, passed or dropped by the plugin, and nothing is written to the other side.
func (c *Conn) Scan(side abi.Side, id uint32, f abi.Framing, types *abi.TypeSet) {
	if !c.closed {
		c.out = abi.AppendScan(c.out, side, id, &f, types)
		c.sides[side].away = true
	}
}
