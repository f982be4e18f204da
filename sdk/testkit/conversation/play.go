//go:build !wasip1

package conversation

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// unasked is why an action is denied that the conversation does not have.
const unasked = "the conversation does not expect this"

// Piece says how large the next delivery of side is; see drygate.Config.
type Piece func(side abi.Side, at uint64, n int) int

// Gate makes the connection of a conversation: decisions, TLS, logins and the upstream's willingness come from the script, in their
// order. An action beyond those of the script is denied.
func (s *Script) Gate(guest drygate.Guest, m *abi.Manifest, piece Piece) *drygate.Gate {
	var asks, secures, auths, relogins []*Expectation
	for i := range s.Steps {
		for j := range s.Steps[i].Expect {
			switch e := &s.Steps[i].Expect[j]; e.Kind {
			case drygate.Ask:
				asks = append(asks, e)
			case drygate.TLS:
				secures = append(secures, e)
			case drygate.Auth:
				auths = append(auths, e)
			case drygate.Relogin:
				relogins = append(relogins, e)
			}
		}
	}
	cfg := drygate.Config{Guest: guest, Manifest: m, Facts: s.Facts, Piece: piece,
		NoUpstreamTLS: !s.Facts.UpstreamTLS, NoAgentTLS: !s.Facts.AgentTLS}
	cfg.Decide = func(e *drygate.Entry) drygate.Verdict {
		if s.looks != nil && e.Response != nil {
			return s.looks.verdict
		}
		if len(asks) == 0 && s.AllowRest {
			return s.looks.look(e, drygate.Verdict{})
		}
		if len(asks) == 0 {
			return drygate.Verdict{Outcome: abi.Deny, Reason: unasked}
		}
		v := asks[0].Verdict
		asks = asks[1:]
		return s.looks.look(e, v)
	}
	cfg.Dial = func() error {
		if s.Refuse != "" {
			return errors.New(s.Refuse)
		}
		return nil
	}
	cfg.Secure = func(side abi.Side) (drygate.Secured, error) {
		for i, e := range secures {
			if e.Side == side {
				secures = slices.Delete(slices.Clone(secures), i, i+1)
				if e.Fails != "" {
					return drygate.Secured{}, errors.New(e.Fails)
				}
				return e.Secured, nil
			}
		}
		return drygate.Secured{Version: "1.3"}, nil
	}
	cfg.Auth = func(slot int, _ []byte) ([]byte, error) {
		answer := []byte("<" + m.Slots[slot].Name + ">")
		if len(auths) == 0 {
			return answer, nil
		}
		e := auths[0]
		auths = auths[1:]
		switch {
		case e.Fails != "":
			return nil, errors.New(e.Fails)
		case e.Answer != nil:
			return e.Answer, nil
		}
		return answer, nil
	}
	cfg.Relogin = func(slot int) error {
		i := slices.IndexFunc(relogins, func(e *Expectation) bool { return e.Slot == m.Slots[slot].Name })
		if i < 0 {
			return errors.New(unasked)
		}
		e := relogins[i]
		relogins = slices.Delete(slices.Clone(relogins), i, i+1)
		if e.Fails != "" {
			return errors.New(e.Fails)
		}
		return nil
	}
	return drygate.New(cfg)
}

// Do makes one step happen.
func (st *Step) Do(g *drygate.Gate) {
	switch st.Does {
	case Opens:
		g.Open()
	case Sends:
		g.Send(st.Side, st.Data)
	case Ends:
		g.End(st.Side)
	case Unseen:
		g.Skip(st.Side, st.N)
	case Decides:
		g.Decide(st.Verdict)
	}
}

// Play plays the conversation with a fresh guest, which it closes, and returns what happened and everything that is not as the script
// says, as *Problem.
func (s *Script) Play(guest drygate.Guest, m *abi.Manifest, piece Piece) (drygate.Transcript, []error) {
	defer guest.Close()
	g := s.Gate(guest, m, piece)
	var problems []error
	for i := range s.Steps {
		st := &s.Steps[i]
		if g.Over() {
			problems = append(problems, &Problem{s.Name, st.Line, "the connection is over before this"})
			break
		}
		if st.Does == Decides && g.Waits() == 0 {
			problems = append(problems, &Problem{s.Name, st.Line, "no action waits for a person"})
			break
		}
		before := len(g.Transcript())
		st.Do(g)
		for _, p := range s.compare(st, g.Transcript()[before:], m) {
			problems = append(problems, p)
		}
	}
	return g.Transcript(), problems
}

// compare says what is different from what a step's lines expect.
func (s *Script) compare(st *Step, got drygate.Transcript, m *abi.Manifest) []*Problem {
	var problems []*Problem
	say := func(line int, format string, args ...any) {
		problems = append(problems, &Problem{s.Name, line, fmt.Sprintf(format, args...)})
	}
	left := got.Asks()
	for i := range st.Expect {
		e := &st.Expect[i]
		if e.Kind != drygate.Ask {
			continue
		}
		if len(left) == 0 {
			say(e.Line, "this was not asked")
			continue
		}
		if diff := e.differs(left[0]); diff != "" {
			say(e.Line, "%s; the plugin asked: %v", diff, left[0])
		}
		left = left[1:]
	}
	for _, a := range left {
		say(st.Line, "the plugin also asked: %v", a)
	}
	for _, side := range []abi.Side{abi.Agent, abi.Upstream} {
		want, line := st.gets(side)
		if b := got.Gets(side); !bytes.Equal(b, want) {
			say(line, "the %v gets %s, not %s", side, drygate.Quote(b), drygate.Quote(want))
		}
	}
	s.compareRest(st, got, m, say)
	return problems
}

// gets is what a side is to get in a step, and the first line that says so.
func (st *Step) gets(side abi.Side) (b []byte, line int) {
	line = st.Line
	for i := range st.Expect {
		if e := &st.Expect[i]; e.Kind == drygate.Gets && e.Side == side {
			if b == nil {
				line = e.Line
			}
			b = append(b, e.Data...)
		}
	}
	return b, line
}

// compareRest is about everything but actions and bytes.
func (s *Script) compareRest(st *Step, got drygate.Transcript, m *abi.Manifest, say func(int, string, ...any)) {
	var left []*drygate.Entry
	for i := range got {
		switch e := &got[i]; {
		case e.Kind == drygate.Ask, e.Kind == drygate.Gets, e.Kind == drygate.Dial, e.Kind == drygate.Done:
		case e.Kind == drygate.Note && !s.notes:
		case e.Kind == drygate.Close && e.By == drygate.ByPeer && !(e.Failed):
		default:
			left = append(left, e)
		}
	}
	for i := range st.Expect {
		e := &st.Expect[i]
		if e.Kind == drygate.Ask || e.Kind == drygate.Gets {
			continue
		}
		at := slices.IndexFunc(left, func(o *drygate.Entry) bool { return e.matches(o, m) })
		if at < 0 {
			say(e.Line, "this did not happen; what did: %s", listed(left))
			continue
		}
		left = slices.Delete(left, at, at+1)
	}
	for _, o := range left {
		if o.Kind == drygate.Close && o.By == drygate.ByPeer && slices.ContainsFunc(st.Expect, func(e Expectation) bool { return e.Fails != "" }) {
			continue // the TLS that was to fail
		}
		say(st.Line, "this happened besides: %v", o)
	}
}

func listed(entries []*drygate.Entry) string {
	if len(entries) == 0 {
		return "nothing"
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.String())
	}
	return strings.Join(all, "; ")
}

// matches reports whether an entry other than an action or bytes is the expected one.
func (e *Expectation) matches(o *drygate.Entry, m *abi.Manifest) bool {
	if e.Kind != o.Kind {
		return false
	}
	switch e.Kind {
	case drygate.Shut, drygate.TLS, drygate.Scan:
		return e.Side == o.Side
	case drygate.Withdraw:
		return true
	case drygate.Note:
		return slices.Equal(e.Pairs, o.Pairs)
	case drygate.Auth, drygate.Relogin:
		return m.Slots[o.Slot].Name == e.Slot && (e.Data == nil || bytes.Equal(e.Data, o.Bytes))
	case drygate.Close:
		return o.By == drygate.ByPlugin && o.Failed == e.Failed && (e.Reason == nil || *e.Reason == o.Text)
	}
	return false
}

// differs says how an action is not the expected one; empty: it is.
func (e *Expectation) differs(o *drygate.Entry) string {
	a := o.Action
	switch {
	case a.Family.Name != e.Family:
		return fmt.Sprintf("the family is %s, not %s", a.Family.Name, e.Family)
	case a.Class != e.Class:
		return fmt.Sprintf("the class is %v, not %v", a.Class, e.Class)
	case e.Title != nil && a.Title != *e.Title:
		return fmt.Sprintf("the title is %q, not %q", a.Title, *e.Title)
	case o.Aside != e.Aside:
		return fmt.Sprintf("aside is %v, not %v", o.Aside, e.Aside)
	case o.Streaming != e.Stream:
		return fmt.Sprintf("streaming is %v, not %v", o.Streaming, e.Stream)
	}
	for _, f := range e.Fields {
		i := slices.IndexFunc(a.Family.Fields, func(d abi.Field) bool { return d.Name == f.Name })
		if i < 0 {
			return fmt.Sprintf("the family %s has no field %s", a.Family.Name, f.Name)
		}
		got := unknown
		if a.Values[i].Known {
			got = drygate.FieldText(&a.Values[i], a.Family.Fields[i].Type)
		}
		if got != f.Value {
			return fmt.Sprintf("field %s is %s, not %s", f.Name, got, f.Value)
		}
	}
	return ""
}
