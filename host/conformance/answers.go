package conformance

import (
	"bytes"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// lookedAt is up to how many bytes of each answer are looked at: less than there is of nearly all, of some, and of none.
var lookedAt = []uint32{1, 64, 64 << 10}

// answers: an answer that is looked at and allowed reaches the agent as one that nobody looks at.
func (c *checker) answers(r *Result) error {
	n := 0
	for _, f := range c.opt.Fixtures {
		for _, limit := range lookedAt {
			for _, v := range []drygate.Verdict{{}, {Outcome: abi.Deny, Reason: "withheld"}} {
				s, ok := f.Script.Inspected(c.module.Manifest, limit, v)
				if !ok {
					continue
				}
				asked, err := c.lookAt(f, s, r, limit, v.Outcome == abi.Allow)
				if err != nil {
					return err
				}
				n += asked
			}
			if r.enough() {
				return nil
			}
		}
	}
	r.Detail = fmt.Sprintf("answers looked at: %d", n)
	if c.module.Manifest.Family(abi.FamilyResponse) == nil {
		r.Detail = "the plugin holds no answers back"
	}
	return nil
}

// lookAt plays a fixture as it is and with its answers looked at, and says how many were.
func (c *checker) lookAt(f *Fixture, s *conversation.Script, r *Result, limit uint32, allowed bool) (asked int, err error) {
	unseen, _, err := c.play(f, r, conversation.Cut{})
	if err != nil {
		return 0, err
	}
	where := fmt.Sprintf("%s, with up to %d bytes of answers looked at", f.Name, limit)
	var whole drygate.Transcript
	for i, cut := range []conversation.Cut{{}, conversation.EachByte, conversation.RandomCuts(1), conversation.RandomCuts(2)} {
		g, err := c.guest(f, r)
		if err != nil {
			return 0, err
		}
		got := s.Replay(g, c.module.Manifest, cut)
		if !lawful(r, got, "%s", where) {
			return 0, nil
		}
		if i == 0 {
			whole = got
			continue
		}
		if same, a, b := whole.Equal(got); !same {
			r.fault("%s, cut %v:\nwhole: %s\ncut:   %s", where, cut, a, b)
			return 0, nil
		}
	}
	asked, comparable := looksOf(whole)
	if a, b := unseen.Gets(abi.Agent), whole.Gets(abi.Agent); allowed && comparable && !bytes.Equal(a, b) {
		r.fault("%s, all allowed: the agent gets %s, and unseen it gets %s", where, drygate.Quote(b), drygate.Quote(a))
	}
	return asked, nil
}

// looksOf counts the questions about answers. comparable says that every answer came to an end, and that they came one after the other: then the agent
// has as many bytes as it would have without, in the same order.
func looksOf(t drygate.Transcript) (asked int, comparable bool) {
	open := map[uint64]bool{}
	comparable = true
	for _, a := range t.Asks() {
		switch {
		case a.Response != nil:
			asked++
			delete(open, a.Extent)
		case a.Verdict.Inspect > 0:
			open[uint64(a.ID)] = true
			comparable = comparable && !a.Aside
		case a.Verdict.Held:
			comparable = false // decided about later
		}
	}
	return asked, comparable && len(open) == 0
}
