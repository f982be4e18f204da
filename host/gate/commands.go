package gate

import (
	"errors"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// How many events a guest may have without taking in bytes: a guest that asks, and asks again in the verdict's event, would
// otherwise never end. Deliveries top the account up.
const (
	firstCalls       = 1 << 10
	callsForDelivery = 64
	mostCalls        = 1 << 20
	bytesPerCall     = 1 << 10 // showing this many counts as a call
)

// The size in bytes from which on the memory of an action is given back, and the number of words from which on that of a note is.
const (
	largeAction = 4 << 10
	manyPairs   = 64
)

const endless = "the plugin goes on and on without taking in bytes"

// How many records a guest may have written by questions and notes without taking in bytes; a note of this many bytes counts twice. Without a bound
// one call could fill the disk, and then nothing would be let through for anybody.
const (
	firstRecords       = 1 << 10
	recordsForDelivery = 16
	bytesPerRecord     = 4 // of either side; the shortest request is longer
	bytesPerNote       = 256
)

const talkative = "the plugin asks and notes on and on without taking in bytes"

// topUp grants the guest events and records for n bytes that came, or for what it waited for.
func (c *conn) topUp(n int) {
	c.calls = min(c.calls+callsForDelivery+n, mostCalls)
	c.records = min(c.records+recordsForDelivery+n/bytesPerRecord, mostCalls)
}

// mayRecord counts n records, and cuts the connection off where those are too many. mu is held.
func (c *conn) mayRecord(n int) bool {
	if c.records -= n; c.records < 0 {
		c.fail(talkative)
	}
	return c.records >= 0
}

// mostSent bounds the bytes that a plugin writes to the upstream under one action, beside twice of what the agent sent since.
const mostSent = 64 << 10

var (
	errAliasLength  = errors.New("it is not as long as what it stands for")
	errNotDelivered = errors.New("not all of the bytes were delivered")
)

// STOCK writes at most stockBase bytes and stockFactor times what the agent sent.
const (
	stockBase   = 64 << 10
	stockFactor = 16
)

// step carries out what a call into the guest returned, and calls it on for as long as it has more to say or waits for a
// verdict. mu is held.
func (c *conn) step(list []byte, more bool, err error) {
	for {
		if err != nil {
			c.fail("the plugin: %v", err)
			return
		}
		rest := c.execute(list)
		if c.left {
			return
		}
		var event []byte
		switch {
		case c.actions.denied():
			event = c.actions.verdictEvent() // the rest of the step is void, also what it has more of
		case c.actions.state == holding:
			event = c.hold(rest) // it says what it has more of when it hears of the verdict
		case more:
		case c.login.owed:
			event = c.loginEvent()
		case len(c.actions.approved) > 0:
			event = c.approvedEvent()
		case c.actions.decided():
			event = c.actions.verdictEvent()
		case len(c.heard) > 0:
			event = c.answerEvent()
		default:
			if event = c.owedEvent(); event == nil {
				return
			}
		}
		if c.calls--; c.calls < 0 {
			c.fail(endless)
			return
		}
		list, more, err = c.guest.Event(event)
	}
}

// execute carries out a command list, up to an action that is denied or waits for a person, and returns what is left of it.
func (c *conn) execute(list []byte) (rest []byte) {
	cmd := &c.command
	for len(list) > 0 && !c.left && !c.actions.stops() {
		rest, err := abi.Next(list, cmd)
		if err != nil {
			c.fail("the plugin wrote a command that cannot be read: %v", err)
			return nil
		}
		list = rest
		c.carryOut(cmd)
	}
	return list
}

func (c *conn) carryOut(cmd *abi.Command) {
	switch cmd.Tag {
	case abi.TagAsk:
		c.ask(cmd)
	case abi.TagPass:
		c.pass(cmd)
	case abi.TagDrop:
		c.move(cmd.Side, cmd.N, todoDrop)
	case abi.TagSend:
		c.send(cmd)
	case abi.TagStock:
		c.writeStock(cmd)
	case abi.TagDial:
		c.wantDial(cmd)
	case abi.TagShut:
		if !c.behind(cmd.Side, todo{kind: todoShut, side: cmd.Side}) {
			c.out[cmd.Side].shut = true
		}
	case abi.TagClose:
		c.leave(false, cmd.Failed, printable(cmd.Data))
	case abi.TagNote:
		if cmd.ID == 0 || cmd.ID > c.actions.last {
			c.fail("the plugin notes something about action %d, which it never asked about", cmd.ID)
			return
		}
		c.note(cmd)
	case abi.TagDone:
		if c.scanned(abi.Agent) {
			return
		}
		if !c.actions.finish(cmd.ID, c.in[abi.Agent].cursor) && !c.finishAside(cmd.ID) {
			c.fail("the plugin ends action %d, which is not an open streaming action", cmd.ID)
		}
	case abi.TagPause:
		c.in[cmd.Side].paused = cmd.On
		c.wake.Broadcast()
	case abi.TagTLS:
		c.startTLS(cmd)
	case abi.TagAuth:
		c.auth(cmd)
	case abi.TagRelogin:
		c.relogin(cmd)
	case abi.TagAlias:
		c.alias(cmd)
	case abi.TagUnalias:
		c.unalias(cmd)
	case abi.TagScan:
		c.startScan(cmd)
	case abi.TagWithdraw:
		c.withdraw(cmd.ID)
	case abi.TagSecret:
		c.secret(cmd)
	case abi.TagSign:
		c.sign(cmd)
	case abi.TagKeep, abi.TagValues, abi.TagText, abi.TagRelease, abi.TagAnswered:
		c.answer(cmd)
	default:
		c.fail("the plugin wrote %v, which this gateway does not carry out", cmd.Tag)
	}
}

// note records what became of an action, in the plugin's words.
func (c *conn) note(cmd *abi.Command) {
	size := 0
	for i, p := range cmd.Pairs {
		if size += len(p); i%2 == 0 && abi.IsHostNote(p) {
			c.fail("the plugin notes %q, which is the gateway's to say", p)
			return
		}
	}
	if !c.mayRecord(1 + size/bytesPerNote) {
		return
	}
	c.session.Note(cmd.ID, cmd.Pairs)
	if len(cmd.Pairs) > manyPairs {
		cmd.Pairs = nil
	}
}

// ask has an action decided. The decision is on record before anything that it lets through is queued.
func (c *conn) ask(cmd *abi.Command) {
	if !c.mayRecord(1) {
		return
	}
	if cmd.Flags&abi.AskResponse != 0 {
		c.askResponse(cmd)
		return
	}
	err := c.action.Read(cmd.Data, c.manifest)
	besides := cmd.Flags&abi.AskAside != 0
	if err == nil && !besides {
		err = c.actions.open(cmd, c.in[abi.Agent].cursor)
	}
	if err != nil {
		c.fail("the plugin asks about an action: %v", err)
		return
	}
	connect := c.action.Family.Name == abi.FamilyConnect
	c.actions.others = c.actions.others || !connect
	c.asked = Question{ID: cmd.ID, Action: &c.action, Streaming: cmd.Flags&abi.AskStreaming != 0}
	if besides {
		c.askAside(cmd, connect)
	} else {
		c.actions.connect = connect
		c.decide(c.ruling(&c.asked))
	}
	if len(cmd.Data) > largeAction {
		c.action = abi.Action{}
	}
}

// decide takes a verdict on the last question.
func (c *conn) decide(v Verdict) {
	c.actions.decide(v)
	c.inspect(c.actions.id, &v, false)
}

// pass is the first law.
func (c *conn) pass(cmd *abi.Command) {
	switch {
	case cmd.Side == abi.Upstream && (cmd.ID != 0 || c.answers.Open()) && !c.mayPassAnswer(cmd):
		return
	case cmd.Side == abi.Agent:
		if !c.mayPass() {
			return
		}
		if err := c.actions.covers(cmd.ID, c.in[abi.Agent].cursor, cmd.N); err != nil {
			c.fail("the plugin passes bytes of the agent: %v", err)
			return
		}
		if s := c.actions.asides.get(cmd.ID); s != nil && s.state != asideAllowed {
			c.moveUnder(cmd.Side, cmd.N, todoAside, cmd.ID)
			return
		}
	}
	c.move(cmd.Side, cmd.N, todoPass)
}

func (c *conn) send(cmd *abi.Command) {
	switch {
	case cmd.Side == abi.Agent && cmd.ID != 0:
		c.fail("the plugin writes bytes of its own to the agent under action %d", cmd.ID)
		return
	case cmd.Side == abi.Agent:
		if !c.scanned(abi.Upstream) {
			c.writeOwn(abi.Agent, cmd.Data)
		}
	default:
		c.writeUnder(cmd.ID, cmd.Data)
	}
}

// writeUnder writes bytes that are not the agent's to the upstream under action id.
func (c *conn) writeUnder(id uint32, p []byte) {
	s := c.actions.asides.get(id)
	switch {
	case s == nil && !c.actions.isOpen(id), s != nil && s.done:
		c.fail("the plugin writes bytes of its own to the upstream under action %d, which is not an open streaming action, nor one aside", id)
	case !c.mayReach() || c.scanned(abi.Agent):
	case !c.account(s).add(len(p), c.in[abi.Agent].cursor):
		c.fail("the plugin writes more than %d bytes of its own, and twice what the agent sent, to the upstream under action %d", mostSent, id)
	case s != nil:
		c.writeAside(s, p)
	default:
		c.writeOwn(abi.Upstream, p)
	}
}

// account is that of the action aside, or of the plain one.
func (c *conn) account(s *aside) *account {
	if s != nil {
		return &s.sent
	}
	return &c.actions.sent
}

// account counts what a plugin writes to the upstream of its own under one action.
type account struct {
	from  uint64 // the agent's cursor when it was asked about
	bytes uint64
}

// add reports whether n more bytes are within bounds.
func (a *account) add(n int, cursor uint64) bool {
	a.bytes += uint64(n)
	return a.bytes <= mostSent+2*(max(cursor, a.from)-a.from) // the cursor goes back when bytes do not come
}

// secret has a slot's secret written to the upstream, which the plugin never sees.
func (c *conn) secret(cmd *abi.Command) {
	if int(cmd.Slot) >= len(c.manifest.Slots) || !c.facts.Filled(c.manifest.Slots[cmd.Slot].Name) {
		c.fail("the plugin writes the secret of slot %d of %d, which is not filled", cmd.Slot, len(c.manifest.Slots))
		return
	}
	p, err := c.session.Secret(int(cmd.Slot))
	if err != nil {
		c.fail("the secret of slot %d: %v", cmd.Slot, err)
		return
	}
	c.login.written |= 1 << cmd.Slot
	c.writeUnder(cmd.ID, p)
}

// writeOwn writes bytes that are not passed to side, behind those that are passed and have not come.
func (c *conn) writeOwn(side abi.Side, p []byte) {
	if from := &c.in[side.Other()]; len(from.todo) > 0 && !from.ended {
		c.behind(side, todo{kind: todoWrite, side: side, write: append([]byte(nil), p...)})
		return
	}
	c.queueCopy(side, p)
}

func (c *conn) writeStock(cmd *abi.Command) {
	if int(cmd.Stock) >= len(c.manifest.Stock) {
		c.fail("the plugin writes constant %d of %d", cmd.Stock, len(c.manifest.Stock))
		return
	}
	p := c.manifest.Stock[cmd.Stock].Bytes
	c.stock += uint64(len(p))
	switch {
	case c.scanned(abi.Agent):
	case c.stock > stockBase+stockFactor*c.in[abi.Agent].count:
		c.fail("the plugin writes constants to the upstream without end")
	case !c.behind(abi.Upstream, todo{kind: todoWrite, side: abi.Upstream, write: p}):
		c.queueCopy(abi.Upstream, p)
	}
}

func (c *conn) wantDial(cmd *abi.Command) {
	switch {
	case c.dial != 0:
		c.fail("the plugin dials a second time")
	case !c.actions.mayDial(cmd.ID):
		c.fail("the plugin dials under action %d, which is not an allowed action of family %s", cmd.ID, abi.FamilyConnect)
	default:
		c.dial = cmd.ID
	}
}

// printable makes a plugin's words fit for a record of one line.
func printable(b []byte) string {
	s := fmt.Sprintf("%q", b)
	return s[1 : len(s)-1]
}
