package gate

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// asked is a judge that a test decides for, and that says when it is asked.
type asked struct {
	*person
	when chan struct{}
}

func newAsked() *asked { return &asked{newPerson(), make(chan struct{})} }

func (a *asked) Wait(ctx context.Context, probe func(context.Context) error) Verdict {
	close(a.when)
	return a.person.Wait(ctx, probe)
}

// judgedBy has p asked about actions with the title "hold", of which the agent is not told.
func judgedBy(p *asked) func(context.Context, *Question) Verdict {
	return func(_ context.Context, q *Question) Verdict {
		if q.Action.Title == "hold" {
			return Verdict{Pending: p}
		}
		return byTitle(q)
	}
}

// asksJudge is asksOnce, and tells the agent of people only.
func asksJudge(flags uint8) *script {
	g := asksOnce(flags)
	tell := g.event
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindHeld && e.Hold == "" {
			return nil
		}
		return tell(e)
	}
	return g
}

// heldBy is the verdict of a judge that leaves it to people.
func heldBy(p *person) Verdict {
	return Verdict{Pending: p, Hold: "h1", Until: "2026-11-22T22:15:00Z", Rule: "rule", Reason: "ask", Receipt: "r2"}
}

// TestUntold: nothing of an action that a judge is asked about reaches the upstream before the answer, and the agent hears of nothing
// but a denial.
func TestUntold(t *testing.T) {
	for _, flags := range []uint8{0, abi.AskQuiet} {
		for _, deny := range []bool{false, true} {
			p := newAsked()
			r := start(t, asksJudge(flags), func(_ *Config, s *session) { s.decide = judgedBy(p) })
			r.write(r.agent, "12345")
			<-p.when
			r.write(r.upstream, "meanwhile")
			r.read(r.agent, "meanwhile")
			r.write(r.agent, "behind")
			if deny {
				p.verdict <- Verdict{Outcome: abi.Deny, Reason: "no"}
				r.read(r.agent, "[denied: no]")
				r.read(r.upstream, "behind")
			} else {
				p.verdict <- Verdict{Outcome: abi.Allow}
				r.read(r.upstream, "12345behind")
			}
			_ = r.agent.CloseWrite()
			r.readEnd(r.upstream, "")
			_ = r.upstream.CloseWrite()
			r.readEnd(r.agent, "")
			if e := r.wait(); e.FailClosed {
				t.Errorf("%+v", e)
			}
		}
	}
}

// TestUntoldThenHeld: a judge leaves it to people, of which the guest is told, and they decide.
func TestUntoldThenHeld(t *testing.T) {
	for _, flags := range []uint8{0, abi.AskQuiet} {
		for _, deny := range []bool{false, true} {
			p, people := newAsked(), newPerson()
			r := start(t, asksJudge(flags), func(_ *Config, s *session) { s.decide = judgedBy(p) })
			r.write(r.agent, "12345")
			<-p.when
			p.verdict <- heldBy(people)
			r.read(r.agent, waits)
			r.write(r.agent, "behind")
			if deny {
				people.verdict <- Verdict{Outcome: abi.Deny, Reason: "rejected", Hold: "h1"}
				r.read(r.agent, "[denied: rejected]")
				r.read(r.upstream, "behind")
			} else {
				people.verdict <- Verdict{Outcome: abi.Allow}
				r.read(r.upstream, "12345behind")
			}
			_ = r.agent.CloseWrite()
			r.readEnd(r.upstream, "")
			_ = r.upstream.CloseWrite()
			if e := r.wait(); e.FailClosed {
				t.Errorf("%+v", e)
			}
		}
	}
}

// TestUntoldAndLeft: the wait for a judge ends when the agent leaves, and so does that for people whom a judge asks afterwards.
func TestUntoldAndLeft(t *testing.T) {
	for _, escalates := range []bool{false, true} {
		p, people := newPerson(), newPerson()
		wait := &stubborn{person: p}
		if escalates {
			wait.then = &Verdict{Pending: people}
		}
		r := start(t, asksJudge(0), func(_ *Config, s *session) {
			s.decide = func(_ context.Context, q *Question) Verdict {
				if q.Action.Title == "hold" {
					return Verdict{Pending: wait}
				}
				return byTitle(q)
			}
		})
		r.write(r.agent, "12345")
		_ = r.agent.CloseWrite()
		<-p.left
		if escalates {
			<-people.left
		}
		_ = r.upstream.CloseWrite()
		if got := collect(r.upstream); strings.Contains(string(got), "1") {
			t.Errorf("the upstream got %q", got)
		}
		r.wait()
	}
}

// stubborn is a Pending that answers what it likes when its context has ended.
type stubborn struct {
	*person
	then *Verdict
}

func (s *stubborn) Wait(ctx context.Context, probe func(context.Context) error) Verdict {
	v := s.person.Wait(ctx, probe)
	if s.then != nil {
		return *s.then
	}
	return v
}

// TestUntoldLate: an approval that comes when the action was taken back lets nothing pass.
func TestUntoldLate(t *testing.T) {
	p := newPerson()
	wait := &stubborn{person: p, then: &Verdict{Outcome: abi.Allow}}
	r := start(t, asksJudge(0), func(_ *Config, s *session) {
		s.decide = func(_ context.Context, q *Question) Verdict {
			if q.Action.Title == "hold" {
				return Verdict{Pending: wait}
			}
			return byTitle(q)
		}
	})
	r.write(r.agent, "12345")
	_ = r.agent.CloseWrite()
	<-p.left
	_ = r.upstream.CloseWrite()
	if got := collect(r.upstream); len(got) > 0 {
		t.Errorf("the upstream got %q", got)
	}
	r.wait()
}

// TestUntoldAside: what is aside waits untold, is told when people are asked, and what waited goes on in its place.
func TestUntoldAside(t *testing.T) {
	for _, flags := range []uint8{abi.AskAside, abi.AskAside | abi.AskQuiet} {
		for _, held := range []bool{false, true} {
			p, people := newAsked(), newPerson()
			first := true
			g := &script{
				open: []list{dialing()},
				data: func(side abi.Side, b []byte, end bool) []list {
					switch {
					case side == abi.Upstream || end:
						return shutEnds(side, b, end)
					case first:
						first = false
						return []list{list(nil).hold(2, 0, flags).pass(2, 5).done(2)}
					}
					return []list{list(nil).ask(3, uint64(len(b))).pass(3, uint64(len(b)))}
				},
				event: func(e abi.Event) []list {
					if e.Kind == abi.KindHeld && e.Hold != "" {
						return []list{list(nil).send("[waits]")}
					}
					return nil
				},
			}
			r := start(t, g, func(_ *Config, s *session) { s.decide = judgedBy(p) })
			r.write(r.agent, "12345")
			<-p.when
			r.write(r.agent, "passes")
			r.read(r.upstream, "passes")
			if held {
				p.verdict <- heldBy(people)
				r.read(r.agent, "[waits]")
				people.verdict <- Verdict{Outcome: abi.Allow}
			} else {
				p.verdict <- Verdict{Outcome: abi.Allow}
			}
			r.read(r.upstream, "12345")
			_ = r.agent.CloseWrite()
			r.readEnd(r.upstream, "")
			_ = r.upstream.CloseWrite()
			if e := r.wait(); e.FailClosed {
				t.Errorf("%+v", e)
			}
		}
	}
}
