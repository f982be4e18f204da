//go:build !wasip1

package drygate

import (
	"bytes"
	"slices"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// answered is a verdict about an answer, of which the guest is to hear.
type answered struct {
	id uint32
	v  Verdict
}

// inspect has the answer of an action that was allowed be looked at, where the verdict says so. A scan of the upstream ends with its frame.
func (g *Gate) inspect(id uint32, v Verdict, aside bool) {
	if v.Held || v.Outcome != abi.Allow || v.Inspect == 0 || g.over {
		return
	}
	if !g.cfg.Facts.Inspect {
		g.breach("the answer of action %d is to be looked at, and the plugin was told that none is", id)
		return
	}
	if err := g.answers.Begin(id, v.Inspect, aside, nil); err != nil {
		g.breach("%v", err)
		return
	}
	if s := g.in[abi.Upstream].scan; s != nil {
		s.cut = true
	}
}

// mayPassAnswer reports whether bytes of the upstream may pass, or be scanned, as what they are said to answer.
func (g *Gate) mayPassAnswer(cmd *abi.Command) bool {
	if cmd.ID != 0 && !g.cfg.Facts.Inspect {
		g.breach("%v of bytes of the upstream under action %d", cmd.Tag, cmd.ID)
		return false
	}
	if err := g.answers.MayPass(cmd.ID, g.actions.last); err != nil {
		g.breach("%v of bytes of the upstream: %v", cmd.Tag, err)
		return false
	}
	return true
}

// answer carries out what is about answers that are looked at.
func (g *Gate) answer(cmd *abi.Command) {
	var err error
	switch cmd.Tag {
	case abi.TagKeep:
		in := &g.in[abi.Upstream]
		if len(in.todo) > 0 || in.scan != nil || cmd.N > uint64(len(in.held)) {
			g.breach("KEEP of %d bytes that were not delivered, or while the upstream is scanned", cmd.N)
			return
		}
		if err = g.answers.MayKeep(cmd.ID, cmd.N); err == nil {
			g.answers.Keep(cmd.ID, in.held[:cmd.N])
			g.move(abi.Upstream, cmd.N, todoDrop)
		}
	case abi.TagValues, abi.TagText:
		err = g.answers.Describe(cmd)
	case abi.TagAnswered:
		err = g.answers.Answered(cmd.ID)
	case abi.TagRelease:
		if g.in[abi.Upstream].scan != nil {
			g.breach("RELEASE while the host scans the upstream")
			return
		}
		var p []byte
		if p, err = g.answers.Release(cmd); err == nil && len(p) > 0 {
			g.write(Entry{Kind: Gets, Side: abi.Agent, Bytes: bytes.Clone(p)})
		}
	}
	if err != nil {
		g.breach("%v: %v", cmd.Tag, err)
	}
}

// askResponse has a question about an answer decided.
func (g *Gate) askResponse(cmd *abi.Command) {
	action, err := abi.ReadAction(cmd.Data, g.cfg.Manifest)
	switch {
	case err != nil:
		g.breach("an ASK that is not in order: %v", err)
		return
	case action.Family.Name != abi.FamilyResponse:
		g.breach("ASK about an answer in the words of family %s", action.Family.Name)
		return
	case cmd.ID <= g.actions.last:
		g.breach("an ASK that is not in order: id %d does not follow %d", cmd.ID, g.actions.last)
		return
	}
	q, err := g.answers.Ask(cmd)
	if err != nil {
		g.breach("ASK about an answer: %v", err)
		return
	}
	g.actions.last = cmd.ID
	q.Response.Fill(action)
	before := *q.Response
	before.Kept, before.Values = bytes.Clone(before.Kept), slices.Clone(before.Values)
	e := Entry{Kind: Ask, ID: cmd.ID, Action: action, Encoded: bytes.Clone(cmd.Data), Extent: cmd.N, Aside: cmd.Flags&abi.AskAside != 0, Response: q.Response}
	if g.cfg.Decide != nil {
		e.Verdict = g.cfg.Decide(&e)
	}
	e.Response = &before
	g.note(e)
	if e.Verdict.Held {
		g.waiting = append(g.waiting, cmd.ID)
		return
	}
	g.decideAnswer(cmd.ID, e.Verdict)
}

func (g *Gate) decideAnswer(id uint32, v Verdict) {
	g.answers.Decide(id, v.Outcome == abi.Allow)
	v.Inspect = 0
	g.heard = append(g.heard, answered{id, v})
}

// answerEvent is the event of the first verdict about an answer.
func (g *Gate) answerEvent() []byte {
	h := g.heard[0]
	g.heard = g.heard[1:]
	return verdictEvent(h.id, h.v)
}
