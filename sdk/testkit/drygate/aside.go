//go:build !wasip1

package drygate

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// aside is an action that is tied to no place of what the agent sends, as in host/gate.
type aside struct {
	state       asideState
	quiet       bool
	connect     bool
	done, ended bool
	queue       []Entry
	sent        int
	from        uint64 // the agent's cursor when it was asked
	verdict     Verdict
}

type asideState uint8

const (
	undecided asideState = iota
	asideAllowed
	asideDenied
)

// mostAsides bounds how many may be open or undecided.
const mostAsides = 1024

// openAside takes a question about an action aside.
func (g *Gate) openAside(cmd *abi.Command) error {
	switch {
	case cmd.N != 0:
		return errors.New("an action aside has no extent")
	case len(g.asides) >= mostAsides:
		return fmt.Errorf("%d actions are aside already", mostAsides)
	case cmd.ID <= g.actions.last:
		return fmt.Errorf("id %d does not follow %d", cmd.ID, g.actions.last)
	}
	if g.asides == nil {
		g.asides = map[uint32]*aside{}
	}
	g.actions.last = cmd.ID
	g.asides[cmd.ID] = &aside{quiet: cmd.Flags&abi.AskQuiet != 0, from: g.in[abi.Agent].cursor}
	return nil
}

// answerAside takes the first answer to a question about an action aside.
func (g *Gate) answerAside(id uint32, connect bool, v Verdict) {
	s := g.asides[id]
	s.connect, s.verdict = connect, v
	if v.Held {
		s.quiet = false
		g.owed = append(g.owed, id)
		g.wait(id)
		return
	}
	g.decideAside(id, v)
}

func (g *Gate) decideAside(id uint32, v Verdict) {
	s := g.asides[id]
	if s == nil {
		return
	}
	waited := s.verdict.Held
	s.verdict = v
	if v.Outcome != abi.Allow {
		s.state, s.queue = asideDenied, nil
		g.owed = append(g.owed, id)
		return
	}
	s.state = asideAllowed
	if s.connect {
		g.actions.mayDial(id)
	}
	g.release(id, s)
	g.inspect(id, v, true)
	if !s.quiet || waited || v.Inspect > 0 {
		g.owed = append(g.owed, id)
	} else if s.ended {
		delete(g.asides, id)
	}
}

// owedEvent is the next event about an action aside; nil: none is owed.
func (g *Gate) owedEvent() []byte {
	for len(g.owed) > 0 {
		id := g.owed[0]
		g.owed = g.owed[1:]
		s := g.asides[id]
		switch {
		case s == nil:
			continue
		case s.verdict.Held:
			return heldEvent(id, s.verdict)
		case s.state == asideDenied || s.ended:
			delete(g.asides, id)
		}
		return verdictEvent(id, s.verdict)
	}
	return nil
}

// release emits what waited: before the rest of the action's bytes, and never within what passes for another.
func (g *Gate) release(id uint32, s *aside) {
	queue := s.queue
	s.queue = nil
	in := &g.in[abi.Agent]
	at := len(in.todo)
	for i := range in.todo {
		if in.todo[i].id == id {
			at = i
			break
		}
	}
	for _, e := range queue {
		if at == 0 || in.ended {
			g.emit(e)
			continue
		}
		in.todo = append(in.todo, todo{})
		copy(in.todo[at+1:], in.todo[at:])
		in.todo[at] = todo{kind: todoThen, then: e}
		at++
	}
	if len(in.todo) > mostTodo {
		g.breach("the plugin writes too much behind bytes that have not come")
	}
}

// putAside does with what comes under an action aside what its state asks for.
func (g *Gate) putAside(id uint32, e Entry) {
	s := g.asides[id]
	switch {
	case s == nil || s.state == asideDenied:
	case s.state == asideAllowed:
		g.emit(e)
	default:
		e.Bytes = bytes.Clone(e.Bytes)
		s.queue = append(s.queue, e)
		n := 0
		for _, s := range g.asides {
			for i := range s.queue {
				n += len(s.queue[i].Bytes)
			}
		}
		if n > g.cfg.Window {
			g.breach("more than %d bytes wait aside for a verdict", g.cfg.Window)
		}
	}
}

// writeUnder writes bytes of the plugin's own, or of a secret, to the upstream.
func (g *Gate) writeUnder(cmd *abi.Command, p []byte) {
	s := g.asides[cmd.ID]
	account, from := &g.out[abi.Upstream].sent, g.actions.start
	if s != nil {
		account, from = &s.sent, s.from
	}
	in := &g.in[abi.Agent]
	*account += len(p)
	most := mostSent
	if in.cursor > from {
		most += 2 * int(in.cursor-from)
	}
	e := Entry{Kind: Gets, Side: abi.Upstream, Bytes: bytes.Clone(p)}
	switch {
	case s == nil && !g.actions.isOpen(cmd.ID) || s != nil && s.done || *account > most:
		g.breach("%v of %d bytes to the upstream: only under an open streaming action or one aside, and at most %d bytes for each and twice what the agent sent", cmd.Tag, len(p), mostSent)
	case !g.toUpstream(cmd.Tag):
	case s == nil || s.state == asideAllowed:
		g.write(e)
	case len(in.todo) == 0 || in.ended:
		g.putAside(cmd.ID, e)
	default:
		in.todo = append(in.todo, todo{kind: todoAsideThen, id: cmd.ID, then: e})
	}
}

// finishAside carries DONE out on an action aside.
func (g *Gate) finishAside(id uint32) bool {
	s := g.asides[id]
	if s == nil || s.done {
		return false
	}
	s.done = true
	if in := &g.in[abi.Agent]; len(in.todo) > 0 && !in.ended {
		in.todo = append(in.todo, todo{kind: todoAsideDone, id: id})
		return true
	}
	g.endAside(id)
	return true
}

func (g *Gate) endAside(id uint32) {
	s := g.asides[id]
	if s == nil {
		return
	}
	s.ended = true
	for _, o := range g.owed {
		if o == id {
			return
		}
	}
	if s.state == asideAllowed {
		delete(g.asides, id)
	}
}
