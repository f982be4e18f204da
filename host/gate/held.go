package gate

import (
	"context"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// hold keeps what the guest said behind a question that a person is asked, and returns the event that tells it. mu is held.
func (c *conn) hold(rest []byte) []byte {
	a := &c.actions
	a.rest, a.state = append(a.rest[:0], rest...), held
	c.await(a.id, a.verdict.Pending)
	c.event = a.verdict.heldEvent(c.event[:0], a.id)
	return c.event
}

// await has a goroutine wait for the verdict on action id. mu is held.
func (c *conn) await(id uint32, p Pending) {
	ctx, cancel := context.WithCancel(c.ctx)
	if c.waiting == nil {
		c.waiting = map[uint32]context.CancelFunc{}
	}
	c.waiting[id] = cancel
	if c.gone {
		c.takeBack(id)
	}
	c.wg.Go(func() {
		defer cancel()
		v := p.Wait(ctx, c.probe)
		c.resolve(id, v)
		c.settle(abi.Agent)
	})
}

// resolve takes the verdict that was waited for.
func (c *conn) resolve(id uint32, v Verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	takenBack := c.waiting[id] == nil
	if delete(c.waiting, id); len(c.waiting) == 0 {
		c.waiting = nil // it may have been large
	}
	if v.Pending != nil {
		c.goOn(id, v, takenBack)
		return
	}
	if c.left {
		return
	}
	if v.Outcome == abi.Allow && takenBack {
		c.session.Note(id, []string{abi.NoteWithdrawn, "the agent took it back when it had been approved; nothing of it went on"})
		v.Outcome, v.Reason = abi.Deny, "the agent took it back"
	}
	c.topUp(0)
	if a := &c.actions; a.state == held && a.id == id {
		c.resume(v)
	} else {
		c.decideAside(id, v)
		c.step(nil, false, nil)
	}
	c.catchUp()
	c.wake.Broadcast()
}

// goOn waits on: a judge has left action id to people, and the guest is told under which name they know it. Where nobody waits any more, the wait ends at once,
// so that its hold is over too. mu is held.
func (c *conn) goOn(id uint32, v Verdict, takenBack bool) {
	a, s := &c.actions, c.actions.asides.get(id)
	main := a.state == held && a.id == id
	switch {
	case c.left || !main && s == nil:
		takenBack = true
		c.await(id, v.Pending)
	case main:
		c.topUp(0)
		rest := a.rest
		a.rest = nil
		a.decide(v)
		c.step(rest, false, nil)
	default:
		c.topUp(0)
		s.verdict, s.quiet = v, false
		a.asides.owed = append(a.asides.owed, id)
		c.await(id, v.Pending)
		c.step(nil, false, nil)
	}
	if takenBack {
		c.takeBack(id)
	}
	c.wake.Broadcast()
}

// resume goes on where the question stopped: with what the guest had said behind it, unless that is void now. mu is held.
func (c *conn) resume(v Verdict) {
	a := &c.actions
	rest := a.rest
	a.rest = nil
	c.decide(v)
	// The event comes in both cases, and fetches what the guest has more of.
	c.step(rest, false, nil)
}

// withdraw carries WITHDRAW out: the wait ends, and the verdict comes from whoever waits.
func (c *conn) withdraw(id uint32) {
	if id == 0 || id > c.actions.last {
		c.fail("the plugin withdraws action %d, which it never asked about", id)
		return
	}
	c.takeBack(id)
}

// takeBack ends the wait for a verdict, if there is one. mu is held.
func (c *conn) takeBack(id uint32) {
	if cancel := c.waiting[id]; cancel != nil {
		c.waiting[id] = nil
		cancel()
	}
}

// takeBackAll ends every wait. mu is held.
func (c *conn) takeBackAll() {
	for id := range c.waiting {
		c.takeBack(id)
	}
}

// takeLeave takes back everything that waits for a person, because the agent has ended its side, and waits until the guest has heard
// of that. mu is held.
func (c *conn) takeLeave() {
	c.gone = true
	c.takeBackAll()
	for c.awaits() && !c.left {
		c.mu.Unlock()
		c.settle(abi.Agent)
		c.mu.Lock()
		if c.awaits() && !c.left {
			c.wake.Wait()
		}
	}
}

// awaits reports whether a verdict of a person is to come. mu is held.
func (c *conn) awaits() bool { return len(c.waiting) > 0 }

// readAhead keeps bytes of the agent that came while an action of it waits. When they are too many they are not taken, and the
// agent is not read on. mu is held.
func (c *conn) readAhead(p []byte) (taken bool) {
	in := &c.in[abi.Agent]
	if len(in.back)+len(p) > c.limits.Window {
		return false
	}
	in.back = append(in.back, p...)
	return true
}

// probe asks the agent's end for a sign of life.
func (c *conn) probe(ctx context.Context) error {
	if p, ok := c.agent.(Prober); ok {
		return p.Probe(ctx)
	}
	return nil
}

// watchAliases tells the guest whenever another connection has brought one of its aliases back.
func (c *conn) watchAliases() {
	for {
		select {
		case <-c.over:
			return
		case k := <-c.aliasUsed:
			c.mu.Lock()
			if !c.left {
				c.topUp(0)
				c.event = abi.AppendEvent(c.event[:0], &abi.Event{Kind: abi.KindAliasUsed, Alias: k})
				c.step(c.guest.Event(c.event))
				c.catchUp()
			}
			c.mu.Unlock()
			c.settle(abi.Agent)
		}
	}
}
