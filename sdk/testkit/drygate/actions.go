//go:build !wasip1

package drygate

import (
	"errors"
	"fmt"
	"math"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// actions holds what was asked about and the ranges of the agent's stream that it covers, as host/gate does.
type actions struct {
	last      uint32
	askedEnd  uint64
	streaming uint32
	ranges    []span
	connect   map[uint32]bool // allowed connect actions

	state    decision
	id       uint32
	endless  bool
	silent   bool   // an allowed one has no event
	late     bool   // a quiet one that was held: its verdict's event does not stand in the way of the next question
	rest     []byte // of the step, while a person is asked
	connects bool   // it is of family connect
	start    uint64
	end      uint64
	verdict  Verdict

	approved []uint32 // late ones, of whose approval the guest is to hear
}

type decision uint8

const (
	quiet decision = iota
	asking
	holding // a person is asked, and the guest is to hear of it
	held    // it has heard
	allowed
	refused
)

type span struct {
	id         uint32
	start, end uint64
}

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
	case cmd.ID <= a.last:
		return fmt.Errorf("id %d does not follow %d", cmd.ID, a.last)
	case streaming && cmd.N != 0:
		return errors.New("a streaming action has no extent")
	}
	start := max(a.askedEnd, cursor)
	if cmd.N > math.MaxInt64-start {
		return fmt.Errorf("its extent of %d bytes is more than a stream can have", cmd.N)
	}
	a.last, a.id, a.state = cmd.ID, cmd.ID, asking
	a.start, a.end, a.endless = start, start+cmd.N, streaming
	a.silent, a.late = cmd.Flags&abi.AskQuiet != 0, false
	if streaming {
		a.end = math.MaxInt64
	}
	return nil
}

// decide stores the verdict on the open question.
func (a *actions) decide(connect bool, v Verdict) {
	a.verdict, a.connects = v, connect
	if v.Held {
		a.state, a.silent, a.late = holding, false, a.silent
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
	if connect {
		a.mayDial(a.id)
	}
}

func (a *actions) mayDial(id uint32) {
	if a.connect == nil {
		a.connect = map[uint32]bool{}
	}
	a.connect[id] = true
}

func (a *actions) denied() bool  { return a.state == refused }
func (a *actions) stops() bool   { return a.state == refused || a.state == holding }
func (a *actions) decided() bool { return a.state == allowed || a.state == refused }

// verdictEvent is the event that tells the guest.
func (a *actions) verdictEvent() []byte {
	a.state = quiet
	return verdictEvent(a.id, a.verdict)
}

// approvedEvent is the event of the first of approved.
func (g *Gate) approvedEvent() []byte {
	a := &g.actions
	id := a.approved[0]
	a.approved = a.approved[1:]
	return verdictEvent(id, Verdict{Inspect: g.answers.Limit(id)})
}

// covers says what is wrong with passing n bytes from cursor on under action id.
func (a *actions) covers(id uint32, cursor, n uint64) error {
	for i := len(a.ranges) - 1; i >= 0 && a.ranges[i].id >= id; i-- { // the last ones are asked about most
		s := &a.ranges[i]
		if s.id != id {
			continue
		}
		if cursor < s.start || n > s.end || cursor > s.end-n {
			return fmt.Errorf("bytes %d to %d are outside of action %d, which covers %d to %d", cursor, cursor+n, id, s.start, s.end)
		}
		return nil
	}
	return fmt.Errorf("action %d is not an allowed action", id)
}

// isOpen reports whether id is the open streaming action.
func (a *actions) isOpen(id uint32) bool { return id != 0 && id == a.streaming }

// finish ends a streaming action at the cursor, or where it starts when the cursor has not come there.
func (a *actions) finish(id uint32, cursor uint64) bool {
	if !a.isOpen(id) {
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
