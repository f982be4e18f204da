//go:build !wasip1

package drygate

import (
	"slices"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// What the guest is told of an action that a person is asked about, beside the verdict's reason.
const (
	heldAs    = "h-test"
	heldUntil = "2026-01-01T00:00:00Z"
	takenBack = "withdrawn"
)

// Decide is the verdict of a person on the action that has waited longest; false: none waits.
func (g *Gate) Decide(v Verdict) bool {
	g.given++
	if len(g.waiting) == 0 || g.over {
		return false
	}
	id := g.waiting[0]
	g.waiting = g.waiting[1:]
	g.resolve(id, v)
	g.run()
	return true
}

// Waits is how many actions a person is asked about.
func (g *Gate) Waits() int { return len(g.waiting) }

// holds reports whether nothing of the agent may be shown.
func (g *Gate) holds() bool { return g.actions.state == holding || g.actions.state == held }

// wait has an action wait for Decide. Nobody waits for an agent that has left.
func (g *Gate) wait(id uint32) {
	g.waiting = append(g.waiting, id)
	if g.in[abi.Agent].ending && len(g.in[abi.Agent].queue) == 0 {
		g.withdraw(id)
	}
}

// withdraw has the denial of an action that waits follow.
func (g *Gate) withdraw(id uint32) {
	if i := slices.Index(g.waiting, id); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.withdrawn = append(g.withdrawn, id)
	}
}

// takeBack denies what was withdrawn, and reports whether there was anything.
func (g *Gate) takeBack() bool {
	if g.in[abi.Agent].ending {
		for _, id := range slices.Clone(g.waiting) {
			if !g.answers.Asked(id) {
				g.withdraw(id)
			}
		}
	}
	if len(g.withdrawn) == 0 {
		return false
	}
	id := g.withdrawn[0]
	g.withdrawn = g.withdrawn[1:]
	g.resolve(id, Verdict{Outcome: abi.Deny, Reason: takenBack})
	return true
}

// resolve goes on with an action that waited.
func (g *Gate) resolve(id uint32, v Verdict) {
	g.calls = min(g.calls+callsForDelivery, mostCalls)
	v.Held = false
	if g.answers.Asked(id) {
		g.decideAnswer(id, v)
		g.step(nil, false, nil)
		return
	}
	a := &g.actions
	if a.state != held || a.id != id {
		g.decideAside(id, v)
		g.step(nil, false, nil)
		return
	}
	rest := a.rest
	a.rest = nil
	g.decide(a.connects, v)
	g.step(rest, false, nil)
}

// hold keeps the rest of a step for the verdict, and is what the guest is told.
func (g *Gate) hold(rest []byte) []byte {
	a := &g.actions
	a.rest, a.state = append([]byte(nil), rest...), held
	g.wait(a.id)
	return heldEvent(a.id, a.verdict)
}

func heldEvent(id uint32, v Verdict) []byte {
	return abi.AppendEvent(nil, &abi.Event{Kind: abi.KindHeld, ID: id, Hold: heldAs, Until: heldUntil, Reason: v.Reason})
}

func verdictEvent(id uint32, v Verdict) []byte {
	e := abi.Event{Kind: abi.KindVerdict, ID: id, Outcome: v.Outcome}
	if e.Outcome != abi.Allow {
		e.Reason = v.Reason
	} else {
		e.Inspect = v.Inspect
	}
	return abi.AppendEvent(nil, &e)
}
