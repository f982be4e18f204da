package gate

import (
	"context"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// answered is a verdict about an answer, of which the guest is to hear.
type answered struct {
	id uint32
	v  Verdict
}

// inspect has the answer of action id, which was decided, be looked at where the verdict says so. A scan of the upstream ends with its
// frame: nobody looked at what it would pass. mu is held.
func (c *conn) inspect(id uint32, v *Verdict, aside bool) {
	if v.Inspect == 0 || v.Pending != nil || v.Outcome != abi.Allow || c.left {
		return
	}
	if !c.facts.Inspect {
		c.fail("the answer of action %d is to be looked at, and the plugin was told that none is", id)
		return
	}
	if err := c.answers.Begin(id, v.Inspect, aside, v.Parent); err != nil {
		c.fail("%v", err)
		return
	}
	if s := c.in[abi.Upstream].scan; s != nil {
		s.cut = true
	}
}

// mayPassAnswer cuts the connection off when bytes of the upstream may not pass, or be scanned, as what they are said to answer. mu is held.
func (c *conn) mayPassAnswer(cmd *abi.Command) bool {
	if cmd.ID != 0 && !c.facts.Inspect {
		c.fail("the plugin wrote %v for bytes of the upstream under action %d, and was told that no answer is looked at", cmd.Tag, cmd.ID)
		return false
	}
	if err := c.answers.MayPass(cmd.ID, c.actions.last); err != nil {
		c.fail("the plugin wrote %v for bytes of the upstream: %v", cmd.Tag, err)
		return false
	}
	return true
}

// answer carries out what is about answers that are looked at.
func (c *conn) answer(cmd *abi.Command) {
	var err error
	switch cmd.Tag {
	case abi.TagKeep:
		err = c.keep(cmd)
	case abi.TagValues, abi.TagText:
		err = c.answers.Describe(cmd)
	case abi.TagAnswered:
		err = c.answers.Answered(cmd.ID)
	case abi.TagRelease:
		if c.scanned(abi.Upstream) {
			return
		}
		var p []byte
		if p, err = c.answers.Release(cmd); err == nil {
			c.writeKept(p)
		}
	}
	if err != nil {
		c.fail("the plugin wrote %v: %v", cmd.Tag, err)
	}
}

// keep moves delivered bytes of the upstream to what is kept.
func (c *conn) keep(cmd *abi.Command) error {
	in := &c.in[abi.Upstream]
	if c.scanned(abi.Upstream) {
		return nil
	}
	if len(in.todo) > 0 || cmd.N > uint64(len(in.pending())+len(in.fresh)) {
		return errNotDelivered
	}
	if err := c.answers.MayKeep(cmd.ID, cmd.N); err != nil {
		return err
	}
	first := in.pending()
	first = first[:min(cmd.N, uint64(len(first)))]
	c.answers.Keep(cmd.ID, first)
	c.answers.Keep(cmd.ID, in.fresh[:int(cmd.N)-len(first)])
	c.move(abi.Upstream, cmd.N, todoDrop)
	return nil
}

// writeKept writes bytes that were kept, and are not used again, to the agent, behind those that are passed and have not come.
func (c *conn) writeKept(p []byte) {
	if len(p) == 0 || c.behind(abi.Agent, todo{kind: todoWrite, side: abi.Agent, write: p}) {
		return
	}
	c.queue(abi.Agent, p)
}

// askResponse has a question about an answer decided.
func (c *conn) askResponse(cmd *abi.Command) {
	a := new(abi.Action) // it is kept for as long as the verdict takes
	if err := a.Read(cmd.Data, c.manifest); err != nil {
		c.fail("the plugin asks about an answer: %v", err)
		return
	}
	if a.Family.Name != abi.FamilyResponse {
		c.fail("the plugin asks about an answer in the words of family %s", a.Family.Name)
		return
	}
	if err := c.actions.next(cmd.ID); err != nil {
		c.fail("the plugin asks about an answer: %v", err)
		return
	}
	q, err := c.answers.Ask(cmd)
	if err != nil {
		c.fail("the plugin asks about an answer: %v", err)
		return
	}
	q.Response.Fill(a)
	v := c.ruling(&Question{ID: cmd.ID, Action: a, Response: q.Response, Parent: q.About})
	if v.Pending == nil {
		c.decideAnswer(cmd.ID, v)
		return
	}
	id := cmd.ID // cmd is used again
	ctx, cancel := context.WithCancel(c.ctx)
	if c.judged == nil {
		c.judged = map[uint32]context.CancelFunc{}
	}
	c.judged[id] = cancel
	c.wg.Go(func() {
		defer cancel()
		c.resolveAnswer(id, v.Pending.Wait(ctx, c.probe))
		c.settle(abi.Agent)
	})
}

// resolveAnswer takes a verdict about an answer that was waited for.
func (c *conn) resolveAnswer(id uint32, v Verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if delete(c.judged, id); len(c.judged) == 0 {
		c.judged = nil
	}
	if c.left {
		return
	}
	if v.Pending != nil { // nobody waits for people with what has happened already
		v = Verdict{Outcome: abi.Deny, Rule: v.Rule, Reason: "it was left to people, who are not asked about answers", Receipt: v.Receipt}
	}
	c.topUp(0)
	c.decideAnswer(id, v)
	c.step(nil, false, nil)
	c.catchUp()
	c.bothEnded()
	c.wake.Broadcast()
}

// decideAnswer takes a verdict about an answer. mu is held.
func (c *conn) decideAnswer(id uint32, v Verdict) {
	c.answers.Decide(id, v.Outcome == abi.Allow)
	v.Inspect = 0
	c.heard = append(c.heard, answered{id, v})
}

// answerEvent is the event of the first verdict about an answer. mu is held.
func (c *conn) answerEvent() []byte {
	h := &c.heard[0]
	c.event = h.v.event(c.event[:0], h.id)
	if c.heard = c.heard[1:]; len(c.heard) == 0 {
		c.heard = nil
	}
	return c.event
}

// forsake ends every wait for a verdict about an answer. mu is held.
func (c *conn) forsake() {
	for _, cancel := range c.judged {
		cancel()
	}
}
