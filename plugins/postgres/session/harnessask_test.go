package session

import (
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func (g *gate) ask(c *abi.Command) *abi.Event {
	read, err := abi.ReadAction(c.Data, g.manifest)
	if err != nil {
		g.breach("%w", err)
		return nil
	}
	if g.asked != 0 || g.actions[c.ID] != nil {
		g.breach("ASK %d while %d is undecided", c.ID, g.asked)
	}
	if g.streaming != 0 {
		g.breach("ASK %d while streaming action %d is open", c.ID, g.streaming)
	}
	a := &action{Action: read, id: c.ID, streaming: c.Flags&abi.AskStreaming != 0}
	g.asks = append(g.asks, a)
	g.log = append(g.log, fmt.Sprintf("ASK %d %d %x", c.ID, c.N, c.Data))
	start := max(g.covered, g.sides[abi.Agent].cursor)
	g.covered = start + c.N
	g.actions[c.ID] = &coverage{start: start, end: start + c.N, streaming: a.streaming, open: true,
		connect: read.Family.Name == abi.FamilyConnect}
	g.asked = c.ID
	v := g.policy(a)
	if v.hold {
		g.held = a
		return nil
	}
	return g.decided(v)
}

func (g *gate) decided(v verdict) *abi.Event {
	id := g.asked
	g.asked = 0
	g.actions[id].allowed = v.outcome == abi.Allow
	g.actions[id].open = v.outcome == abi.Allow
	if g.actions[id].streaming && g.actions[id].open {
		g.streaming = id
	}
	return &abi.Event{Kind: abi.KindVerdict, ID: id, Outcome: v.outcome, Reason: v.reason, Rule: v.rule,
		Receipt: fmt.Sprintf("r%d", id)}
}

// decideHeld ends a hold.
func (g *gate) decideHeld(v verdict) {
	e := g.decided(v)
	g.held = nil
	if rest := g.rest; g.quiet && v.outcome == abi.Allow {
		g.rest = nil
		g.step(rest, g.more, nil)
	} else {
		g.rest = nil
		g.step(g.guest.Event(abi.AppendEvent(nil, e)))
	}
	g.run()
}

func (g *gate) pass(c *abi.Command) {
	if c.Side == abi.Upstream {
		if c.ID != 0 {
			g.breach("PASS of the upstream under %d", c.ID)
		}
		g.move(c.Side, c.N, false)
		return
	}
	a, cursor := g.actions[c.ID], g.sides[abi.Agent].cursor
	switch {
	case a == nil || !a.allowed:
		g.breach("PASS under %d, which is not allowed", c.ID)
	case a.streaming && (!a.open || cursor < a.start), !a.streaming && (cursor < a.start || cursor+c.N > a.end):
		g.breach("PASS of %d bytes at %d outside of action %d", c.N, cursor, c.ID)
	case !g.dialed && !g.refuse:
		g.breach("PASS before DIAL")
	default:
		g.clear("PASS")
		g.move(c.Side, c.N, false)
	}
}

// move passes or drops n bytes of a side, delivered or not.
func (g *gate) move(side abi.Side, n uint64, drop bool) {
	s := &g.sides[side]
	if s.owed > 0 && s.drop != drop {
		g.breach("PASS and DROP behind what has not come yet: a session cannot know where that is")
	}
	s.cursor += n
	k := min(n, uint64(len(s.held)))
	if !drop && !(side == abi.Agent && g.refuse) {
		g.write(side.Other(), s.held[:k])
	}
	s.held = s.held[k:]
	if n > k {
		s.owed += n - k
		s.drop = drop
	}
}
