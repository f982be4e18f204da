package gate

import (
	"errors"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// aside is an action that is tied to no place of the agent's stream. It is there from its ASK until it is done, or the guest has
// heard of its denial.
type aside struct {
	id      uint32
	state   asideState
	quiet   bool
	connect bool
	done    bool     // DONE was said: nothing more may be said under it
	ended   bool     // and what was said has come and gone on
	queue   [][]byte // what waits for its verdict, in order
	sent    account
	verdict Verdict
}

type asideState uint8

const (
	undecided asideState = iota
	asideAllowed
	asideDenied // the guest is to hear of it
)

// mostAsides bounds how many of them may be open or undecided; the memory of manyAsides is kept for the next ones.
const (
	mostAsides = 1024
	manyAsides = 64
)

// asides are those of one connection.
type asides struct {
	all    map[uint32]*aside
	most   int      // there have been at once
	queued int      // bytes in their queues
	owed   []uint32 // of whose verdict the guest is to hear, or that they wait
}

func (a *asides) get(id uint32) *aside { return a.all[id] }

// remove forgets action id, and gives memory back that many of them took.
func (a *asides) remove(id uint32) {
	delete(a.all, id)
	if len(a.all) == 0 && a.most > manyAsides {
		a.all, a.most = nil, 0
	}
}

// openAside takes a question about an action aside.
func (a *actions) openAside(cmd *abi.Command, cursor uint64) (*aside, error) {
	switch {
	case cmd.N != 0:
		return nil, errors.New("an action aside has no extent")
	case len(a.asides.all) >= mostAsides:
		return nil, fmt.Errorf("%d actions are aside already", mostAsides)
	}
	if err := a.next(cmd.ID); err != nil {
		return nil, err
	}
	if a.asides.all == nil {
		a.asides.all = map[uint32]*aside{}
	}
	s := &aside{id: cmd.ID, sent: account{from: cursor}, quiet: cmd.Flags&abi.AskQuiet != 0}
	a.asides.all[s.id] = s
	a.asides.most = max(a.asides.most, len(a.asides.all))
	return s, nil
}

// askAside has an action aside decided.
func (c *conn) askAside(cmd *abi.Command, connect bool) {
	s, err := c.actions.openAside(cmd, c.in[abi.Agent].cursor)
	if err != nil {
		c.fail("the plugin asks about an action: %v", err)
		return
	}
	s.connect = connect
	c.asked.Aside = true
	v := c.ruling(&c.asked)
	if v.Pending != nil {
		s.verdict, s.quiet = v, false
		c.actions.asides.owed = append(c.actions.asides.owed, s.id)
		c.await(s.id, v.Pending)
		return
	}
	c.decideAside(s.id, v)
}

// decideAside takes the verdict on an action aside: what waited goes on, or is forgotten. mu is held.
func (c *conn) decideAside(id uint32, v Verdict) {
	as := &c.actions.asides
	s := as.get(id)
	if s == nil {
		return
	}
	waited := s.verdict.Pending != nil
	s.verdict = v
	if v.Outcome == abi.Allow {
		s.state = asideAllowed
		if s.connect {
			c.actions.mayBeDialed(id)
		}
		c.release(s)
		c.inspect(id, &v, true)
		if !s.quiet || waited || v.Inspect > 0 {
			as.owed = append(as.owed, id)
		} else if s.ended {
			as.remove(id)
		}
		return
	}
	s.state = asideDenied
	c.forget(s)
	as.owed = append(as.owed, id)
}

// owedEvent is the next event about an action aside; nil: there is none. mu is held.
func (c *conn) owedEvent() []byte {
	as := &c.actions.asides
	for len(as.owed) > 0 {
		s := as.get(as.owed[0])
		as.owed = as.owed[1:]
		if s == nil {
			continue
		}
		if s.verdict.Pending != nil {
			c.event = s.verdict.heldEvent(c.event[:0], s.id)
			return c.event
		}
		c.event = s.verdict.event(c.event[:0], s.id)
		if s.state == asideDenied || s.ended {
			as.remove(s.id)
		}
		return c.event
	}
	as.owed = nil
	return nil
}

// release writes what waited for the verdict, in its place: before the bytes of the action that have not come, and never in the
// middle of what passes for another one. mu is held.
func (c *conn) release(s *aside) {
	queue := s.queue
	s.queue = nil
	in := &c.in[abi.Agent]
	at := len(in.todo)
	for i := range in.todo {
		if in.todo[i].id == s.id {
			at = i
			break
		}
	}
	for _, p := range queue {
		c.actions.asides.queued -= len(p)
		if at == 0 || in.ended {
			c.queueCopy(abi.Upstream, p)
			continue
		}
		in.behind += len(p)
		in.todo = append(in.todo, todo{})
		copy(in.todo[at+1:], in.todo[at:])
		in.todo[at] = todo{kind: todoWrite, side: abi.Upstream, write: p}
		at++
	}
	if len(in.todo) > mostTodo || in.behind > c.limits.Window {
		c.fail("the plugin writes too much behind bytes that have not come")
	}
}

// forget drops what waited for the verdict. mu is held.
func (c *conn) forget(s *aside) {
	for _, p := range s.queue {
		c.actions.asides.queued -= len(p)
	}
	s.queue = nil
}

// putAside does with a copy of p, or with p itself when it is owned, what the state of action id asks for. mu is held.
func (c *conn) putAside(id uint32, p []byte, owned bool) {
	s := c.actions.asides.get(id)
	switch {
	case len(p) == 0 || s == nil || s.state == asideDenied:
	case s.state == asideAllowed:
		c.queueCopy(abi.Upstream, p)
	case c.actions.asides.queued+len(p) > c.limits.Window:
		c.fail("more than %d bytes wait aside for a verdict", c.limits.Window)
	default:
		c.actions.asides.queued += len(p)
		if last := len(s.queue) - 1; last >= 0 && len(s.queue[last])+len(p) <= joined {
			s.queue[last] = append(s.queue[last], p...)
			return
		}
		if !owned {
			p = append([]byte(nil), p...)
		}
		s.queue = append(s.queue, p)
	}
}

// writeAside writes bytes of the plugin's own, or of a secret, under an action aside. mu is held.
func (c *conn) writeAside(s *aside, p []byte) {
	in := &c.in[abi.Agent]
	switch {
	case s.state == asideAllowed:
		c.writeOwn(abi.Upstream, p)
	case len(in.todo) == 0 || in.ended:
		c.putAside(s.id, p, false)
	default: // behind what has not come of it
		c.behind(abi.Upstream, todo{kind: todoAsideWrite, id: s.id, write: append([]byte(nil), p...)})
	}
}

// finishAside carries DONE out on an action aside, and reports whether there is one.
func (c *conn) finishAside(id uint32) bool {
	s := c.actions.asides.get(id)
	if s == nil || s.done {
		return false
	}
	s.done = true
	if !c.behind(abi.Upstream, todo{kind: todoAsideDone, id: id}) {
		c.endAside(id)
	}
	return true
}

// endAside ends an action aside, whose bytes have all come, and forgets it unless the guest is to hear of it. mu is held.
func (c *conn) endAside(id uint32) {
	s := c.actions.asides.get(id)
	if s == nil {
		return
	}
	if s.ended = true; s.state == asideAllowed && !c.isOwed(id) {
		c.actions.asides.remove(id)
	}
}

// isOwed reports whether the guest is to hear of action id.
func (c *conn) isOwed(id uint32) bool {
	for _, o := range c.actions.asides.owed {
		if o == id {
			return true
		}
	}
	return false
}
