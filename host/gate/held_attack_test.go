package gate

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// persons are people of whom each decides one action, in the order in which they are asked.
type persons struct {
	all  []*person
	next int
}

func newPersons(n int) *persons {
	p := &persons{}
	for range n {
		p.all = append(p.all, newPerson())
	}
	return p
}

func (p *persons) decide(ctx context.Context, q *Question) Verdict {
	if q.Action.Title != "hold" {
		return byTitle(q)
	}
	p.next++
	return holdingBy(p.all[p.next-1])(ctx, q)
}

// says is a guest that opens the connection, says first to the first bytes of the agent, and then what event says.
func says(first list, event func(e abi.Event) []list) *script {
	said := false
	return &script{
		open: []list{dialing()},
		data: func(side abi.Side, p []byte, end bool) []list {
			if side == abi.Agent && !said {
				said = true
				return []list{first}
			}
			return shutEnds(side, p, end)
		},
		event: func(e abi.Event) []list {
			if e.ID <= 1 || event == nil {
				return nil
			}
			return event(e)
		},
	}
}

// telling tells the agent what it hears.
func telling(e abi.Event) []list {
	switch e.Kind {
	case abi.KindHeld:
		return []list{list(nil).send("[waits]")}
	case abi.KindVerdict:
		return []list{list(nil).send("[" + e.Outcome.String() + "]")}
	}
	return nil
}

// TestUnaliasAside: what an alias stands for waits like everything else under an action that is not decided.
func TestUnaliasAside(t *testing.T) {
	for _, outcome := range []abi.Outcome{abi.Allow, abi.Deny} {
		p := newPerson()
		r := start(t, says(list(nil).aside(2, "hold").pass(2, 2).unalias(2, 4).pass(2, 2).aside(3, title).pass(3, 1), telling),
			func(_ *Config, s *session) {
				s.decide = holdingBy(p)
				s.unalias = func([]byte) ([]byte, bool) { return []byte("real"), true }
			})
		r.write(r.agent, "12fake34.")
		r.read(r.agent, "[waits]")
		r.read(r.upstream, ".")
		p.verdict <- Verdict{Outcome: outcome}
		want := ""
		if outcome == abi.Allow {
			want = "12real34"
		}
		r.read(r.agent, "["+outcome.String()+"]")
		_ = r.agent.CloseWrite()
		r.readEnd(r.upstream, want)
		_ = r.upstream.CloseWrite()
		if e := r.wait(); e.FailClosed {
			t.Errorf("%v: %+v", outcome, e)
		}
	}
}

func (l list) streamQuietly(id uint32) list {
	return l.action(id, 0, abi.AskStreaming|abi.AskQuiet, 1, title)
}

// TestSendBoundsBehindTheEnd: bytes that were planned for and never come do not count for what a plugin may write of its own.
func TestSendBoundsBehindTheEnd(t *testing.T) {
	words := strings.Repeat("w", 40<<10)
	for name, c := range map[string]struct{ first, end list }{
		"aside, asked behind bytes that never come": {
			list(nil).streamQuietly(2).pass(2, 1<<40).done(2).aside(3, title), list(nil).sendUp(3, words).sendUp(3, words)},
		"plain, asked behind bytes that never come": {
			list(nil).streamQuietly(2).pass(2, 1<<40).done(2).streamQuietly(3), list(nil).sendUp(3, words).sendUp(3, words)},
		"passed behind the end": {
			list(nil).stream(2), list(nil).pass(2, 1<<40).sendUp(2, words).sendUp(2, words)},
		"dropped behind the end": {
			list(nil).aside(2, title), list(nil).drop(1<<40).sendUp(2, words).sendUp(2, words)},
	} {
		t.Run(name, func(t *testing.T) {
			g := says(c.first, nil)
			data := g.data
			g.data = func(side abi.Side, p []byte, end bool) []list {
				if side == abi.Agent && end {
					return []list{c.end}
				}
				return data(side, p, end)
			}
			r := start(t, g, nil)
			r.write(r.agent, "12345")
			_ = r.agent.CloseWrite()
			go collect(r.upstream)
			if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, "of its own") {
				t.Errorf("%+v", e)
			}
		})
	}
}

// TestHeldBehindTheEnd: what is asked when the agent has left already is taken back, wherever its last bytes had waited, and the guest
// hears of the denial before it hears of the end.
func TestHeldBehindTheEnd(t *testing.T) {
	for name, flags := range map[string]uint8{"plain": 0, "aside": abi.AskAside} {
		t.Run(name, func(t *testing.T) {
			p := newPersons(2)
			asked := uint32(1)
			g := &script{open: []list{dialing()}}
			g.data = func(side abi.Side, b []byte, end bool) []list {
				switch {
				case side == abi.Agent && end:
					return []list{list(nil).send("[end]").shut(abi.Upstream)}
				case side == abi.Upstream && end:
					return shutEnds(side, b, end)
				case side == abi.Upstream:
					return []list{list(nil).passBack(uint64(len(b))).pause(abi.Agent, false)}
				}
				asked++
				if asked == 2 {
					return []list{list(nil).hold(asked, 1, 0).pass(asked, 1)}
				}
				n := uint64(1)
				if flags != 0 {
					n = 0
				}
				return []list{list(nil).hold(asked, n, flags).pass(asked, 1)}
			}
			g.event = func(e abi.Event) []list {
				if e.ID <= 1 {
					return nil
				}
				if e.Kind == abi.KindHeld {
					return telling(e)
				}
				l := list(nil).send("[" + e.Outcome.String() + "]")
				if e.ID == 2 {
					l = l.drop(1).pause(abi.Agent, true)
				} else if flags == 0 {
					l = l.drop(1)
				}
				return []list{l}
			}
			r := start(t, g, func(_ *Config, s *session) { s.decide = p.decide })
			r.write(r.agent, "A")
			r.read(r.agent, "[waits]")
			r.write(r.agent, "B")
			_ = r.agent.CloseWrite()
			<-p.all[0].left
			r.read(r.agent, "[deny]")
			r.write(r.upstream, "go")
			r.read(r.agent, "go[waits]")
			<-p.all[1].left
			r.read(r.agent, "[deny][end]")
			r.readEnd(r.upstream, "")
			_ = r.upstream.CloseWrite()
			if e := r.wait(); e.FailClosed {
				t.Errorf("%+v", e)
			}
		})
	}
}

// TestHeldOneOfSeveral: quiet questions may follow each other in one list; one of them is held, and the guest goes on where it stopped.
func TestHeldOneOfSeveral(t *testing.T) {
	for name, c := range map[string]struct{ titles, upstream, agent string }{
		"the first":  {"hold allow allow", "abc", "[waits][allow]"},
		"the middle": {"allow hold allow", "abc", "[waits][allow]"},
		"all":        {"hold hold hold", "abc", "[waits][waits][allow][waits][allow][allow]"},
		"and denied": {"hold allow deny", "ab", "[waits]"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPersons(3)
			var l list
			for i, title := range strings.Fields(c.titles) {
				id := uint32(i + 2)
				l = l.action(id, 1, abi.AskQuiet, 1, title).pass(id, 1)
			}
			r := start(t, says(l, func(e abi.Event) []list {
				if e.Kind == abi.KindVerdict && e.Outcome == abi.Deny {
					return []list{list(nil).drop(1)}
				}
				return telling(e)
			}), func(_ *Config, s *session) { s.decide = p.decide })
			for _, p := range p.all {
				p.verdict <- Verdict{Outcome: abi.Allow}
			}
			r.write(r.agent, "abc")
			r.read(r.upstream, c.upstream)
			_ = r.agent.CloseWrite()
			r.readEnd(r.upstream, "")
			_ = r.upstream.CloseWrite()
			if got := string(collect(r.agent)); !strings.HasPrefix(got, c.agent) {
				t.Errorf("the agent got %q", got)
			}
			if e := r.wait(); e.FailClosed {
				t.Errorf("%+v", e)
			}
		})
	}
}

// slow is a person whose answer takes long to come, also when it is not wanted any more.
type slow struct{ withdrawn, answer chan struct{} }

func (s slow) Wait(ctx context.Context, _ func(context.Context) error) Verdict {
	<-ctx.Done()
	close(s.withdrawn)
	<-s.answer
	return Verdict{Outcome: abi.Deny}
}

// TestWithdrawnAndPaused: a guest that takes an action back may wait for the verdict with both sides paused.
func TestWithdrawnAndPaused(t *testing.T) {
	p := slow{make(chan struct{}), make(chan struct{})}
	both := func(on bool) list { return list(nil).pause(abi.Agent, on).pause(abi.Upstream, on) }
	r := start(t, says(list(nil).aside(2, "hold"), func(e abi.Event) []list {
		if e.Kind == abi.KindHeld {
			return []list{abi.AppendWithdraw(both(true).send("[paused]"), 2)}
		}
		return []list{both(false).send("[" + e.Outcome.String() + "]").drop(5)}
	}), func(_ *Config, s *session) {
		s.decide = func(_ context.Context, q *Question) Verdict {
			if q.Action.Title == "hold" {
				return Verdict{Pending: p}
			}
			return byTitle(q)
		}
	})
	r.write(r.agent, "12345")
	r.read(r.agent, "[paused]")
	<-p.withdrawn
	close(p.answer)
	r.read(r.agent, "[deny]")
	_ = r.agent.CloseWrite()
	_ = r.upstream.CloseWrite()
	if e := r.wait(); e.FailClosed {
		t.Errorf("%+v", e)
	}
}
