package gate

import (
	"errors"
	"fmt"
	"math"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// actions holds what was asked about and the ranges of the agent's stream that it covers. Ranges follow each other and never
// overlap.
type actions struct {
	last      uint32  // the largest id so far
	askedEnd  uint64  // up to where actions cover the stream
	streaming uint32  // the open streaming action
	sent      account // of the last one
	others    bool    // something of another family than connect was asked
	ranges    []span  // of allowed actions, in order, those behind the cursor dropped
	dialable  []uint32

	state   decision
	id      uint32
	endless bool // it is a streaming one
	silent  bool // it is a quiet one
	late    bool // it is a quiet one that was held: its verdict's event does not stand in the way of the next question
	connect bool // it is of family connect
	start   uint64
	end     uint64
	verdict Verdict
	event   []byte // the buffer of verdictEvent
	rest    []byte // of the step, behind a question that waits for a person

	approved []uint32 // late ones, of whose approval the guest is to hear

	asides asides
}

// decision is where the last question stands.
type decision uint8

const (
	quiet   decision = iota
	asking           // between open and decide
	holding          // a person is asked, and the guest is to hear of it
	held             // it has heard
	allowed          // decided; the verdict's event is due
	refused
)

// span is a range of the agent's stream that an allowed action covers.
type span struct {
	id         uint32
	start, end uint64
}

// mostRanges bounds how many allowed actions may wait for bytes that have not come.
const mostRanges = 1024

// mostDialable bounds how many connect actions one connection may have.
const mostDialable = 16

// open checks a question and places its range.
func (a *actions) open(cmd *abi.Command, cursor uint64) error {
	streaming := cmd.Flags&abi.AskStreaming != 0
	switch {
	case a.state == allowed && a.late:
		a.approved, a.state, a.late = append(a.approved, a.id), quiet, false
		return a.open(cmd, cursor)
	case a.state != quiet:
		return fmt.Errorf("action %d is not decided yet", a.id)
	case a.streaming != 0:
		return fmt.Errorf("streaming action %d is still open", a.streaming)
	case streaming && cmd.N != 0:
		return errors.New("a streaming action has no extent")
	}
	if err := a.next(cmd.ID); err != nil {
		return err
	}
	start := max(a.askedEnd, cursor)
	if cmd.N > math.MaxInt64-start {
		return fmt.Errorf("its extent of %d bytes is more than a stream can have", cmd.N)
	}
	a.prune(cursor)
	if len(a.ranges) >= mostRanges {
		return fmt.Errorf("%d allowed actions wait for bytes already", len(a.ranges))
	}
	a.id, a.state = cmd.ID, asking
	a.sent = account{from: cursor}
	a.start, a.end, a.endless, a.silent, a.late = start, start+cmd.N, streaming, cmd.Flags&abi.AskQuiet != 0, false
	if streaming {
		a.end = math.MaxInt64
	}
	return nil
}

// next takes the id of a new question.
func (a *actions) next(id uint32) error {
	if id <= a.last {
		return fmt.Errorf("id %d does not follow %d", id, a.last)
	}
	a.last = id
	return nil
}

// prune forgets ranges that the cursor has left behind.
func (a *actions) prune(cursor uint64) {
	k := 0
	for k < len(a.ranges) && a.ranges[k].end <= cursor {
		k++
	}
	if k > 0 {
		a.ranges = a.ranges[:copy(a.ranges, a.ranges[k:])]
	}
}

// decide stores the verdict on the open question.
func (a *actions) decide(v Verdict) {
	a.verdict = v
	if v.Pending != nil {
		a.state, a.silent, a.late = holding, false, a.late || a.silent
		return
	}
	if v.Outcome != abi.Allow {
		a.state = refused
		a.askedEnd = a.end
		if a.endless {
			a.askedEnd = a.start
		}
		return
	}
	a.state = allowed
	switch {
	case a.silent && v.Inspect > 0: // it hears of it all the same
		a.late = true
	case a.silent:
		a.state = quiet
	}
	a.ranges = append(a.ranges, span{a.id, a.start, a.end})
	a.askedEnd = a.end
	if a.endless {
		a.streaming = a.id
	}
	if a.connect {
		a.mayBeDialed(a.id)
	}
}

func (a *actions) mayBeDialed(id uint32) {
	if len(a.dialable) < mostDialable {
		a.dialable = append(a.dialable, id)
	}
}

// denied reports whether the last question was refused and the guest has not heard of it.
func (a *actions) denied() bool { return a.state == refused }

// stops reports whether the rest of a command list is not to be carried out, or not yet.
func (a *actions) stops() bool { return a.state == refused || a.state == holding }

// waits reports whether nothing of the agent may be shown, because a person is asked.
func (a *actions) waits() bool { return a.state == holding || a.state == held }

// decided reports whether the guest is owed a verdict.
func (a *actions) decided() bool { return a.state == allowed || a.state == refused }

// verdictEvent is the event that tells the guest; after it the next question may come.
func (a *actions) verdictEvent() []byte {
	v := &a.verdict
	a.state = quiet
	a.event = v.event(a.event[:0], a.id)
	return a.event
}

// approvedEvent is the event of the first of approved.
func (c *conn) approvedEvent() []byte {
	a := &c.actions
	a.event = abi.AppendEvent(a.event[:0], &abi.Event{Kind: abi.KindVerdict, ID: a.approved[0], Inspect: c.answers.Limit(a.approved[0])})
	if a.approved = a.approved[1:]; len(a.approved) == 0 {
		a.approved = nil
	}
	return a.event
}

// event appends what the guest is told of the verdict on action id.
func (v *Verdict) event(b []byte, id uint32) []byte {
	e := abi.Event{Kind: abi.KindVerdict, ID: id, Outcome: v.Outcome}
	if v.Outcome != abi.Allow { // nobody is told why something was allowed
		e.Reason, e.Rule, e.Receipt, e.Hold = v.Reason, v.Rule, v.Receipt, v.Hold
	} else {
		e.Inspect = v.Inspect
	}
	return abi.AppendEvent(b, &e)
}

// heldEvent appends what the guest is told of an action that waits: for a person, or for a judge, and then Hold is empty.
func (v *Verdict) heldEvent(b []byte, id uint32) []byte {
	return abi.AppendEvent(b, &abi.Event{Kind: abi.KindHeld, ID: id, Hold: v.Hold, Until: v.Until, Reason: v.Reason, Rule: v.Rule, Receipt: v.Receipt})
}

// covers says what is wrong with passing n bytes from cursor on under action id.
func (a *actions) covers(id uint32, cursor, n uint64) error {
	if s := a.asides.get(id); s != nil && !s.done {
		return nil
	}
	for _, s := range a.ranges {
		if s.id != id {
			continue
		}
		if cursor < s.start || n > s.end || cursor > s.end-n {
			return fmt.Errorf("bytes %d to %d are outside of action %d, which covers %d to %d", cursor, cursor+n, id, s.start, s.end)
		}
		return nil
	}
	return fmt.Errorf("action %d is not an allowed action with bytes left", id)
}

// finish ends a streaming action at the cursor, or where it starts when the cursor has not come there.
func (a *actions) finish(id uint32, cursor uint64) bool {
	if id == 0 || id != a.streaming {
		return false
	}
	for i := range a.ranges {
		if a.ranges[i].id == id {
			a.ranges[i].end = max(a.ranges[i].start, cursor)
			a.askedEnd = a.ranges[i].end
		}
	}
	a.streaming = 0
	return true
}

// isOpen reports whether id is the open streaming action, which is allowed.
func (a *actions) isOpen(id uint32) bool { return id != 0 && id == a.streaming }

// mayDial reports whether id is an allowed connect action.
func (a *actions) mayDial(id uint32) bool {
	for _, d := range a.dialable {
		if d == id {
			return true
		}
	}
	return false
}
