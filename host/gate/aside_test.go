package gate

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func (l list) aside(id uint32, title string) list {
	return l.action(id, 0, abi.AskAside|abi.AskQuiet, 1, title)
}

// lanes is a guest of a toy protocol that carries several things at once. A message is a letter for what is to become of it ('h': a
// person is asked, 'd': it is denied, 'a': allowed; '.': more of what the lane began, 'E': the last of it, 'w': the agent takes it
// back, 'e': the lane ends), a letter for its lane, and one byte of length, then that many bytes. Each message goes on as "<lane:"
// bytes ">".
type lanes struct {
	script
	ids  [256]uint32
	lane map[uint32]byte
	last uint32
	part []byte
}

func newLanes() *lanes {
	g := &lanes{lane: map[uint32]byte{}, last: 1}
	g.script.open = []list{dialing()}
	g.script.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Upstream || end {
			return shutEnds(side, p, end)
		}
		g.part = append(g.part, p...)
		var l list
		for len(g.part) >= 3 {
			what, lane, n := g.part[0], g.part[1], uint64(g.part[2])
			l = l.drop(3)
			l = g.message(l, what, lane, n)
			if have := uint64(len(g.part) - 3); have < n { // the rest comes, and is not shown
				n = have
			}
			g.part = g.part[3+n:]
		}
		return []list{l}
	}
	g.script.event = func(e abi.Event) []list {
		lane := string(g.lane[e.ID])
		if e.ID <= 1 {
			return nil
		}
		switch e.Kind {
		case abi.KindHeld:
			return []list{list(nil).send("[" + lane + " waits]")}
		case abi.KindVerdict:
			return []list{list(nil).send("[" + lane + " " + e.Outcome.String() + "]")}
		}
		return nil
	}
	return g
}

func (g *lanes) message(l list, what, lane byte, n uint64) list {
	switch what {
	case 'w':
		return abi.AppendWithdraw(l, g.ids[lane])
	case 'e':
		return l.done(g.ids[lane])
	case '.', 'E':
	default:
		g.last++
		g.ids[lane], g.lane[g.last] = g.last, lane
		l = l.aside(g.last, map[byte]string{'h': "hold", 'd': "deny", 'a': "allow"}[what])
	}
	id := g.ids[lane]
	if l = l.sendUp(id, "<"+string(lane)+":").pass(id, n).sendUp(id, ">"); what == 'E' {
		l = l.done(id)
	}
	return l
}

func message(what, lane byte, s string) string {
	return string([]byte{what, lane, byte(len(s))}) + s
}

// TestAside: what waits aside stops nothing else, and goes on in its order when it is approved.
func TestAside(t *testing.T) {
	p := newPerson()
	r := start(t, newLanes(), func(_ *Config, s *session) { s.decide = holdingBy(p) })
	r.write(r.agent, message('h', 'x', "first")+message('a', 'y', "second")+message('.', 'x', "third"))
	r.read(r.upstream, "<y:second>")
	r.read(r.agent, "[x waits]")
	r.write(r.agent, message('.', 'y', "fourth"))
	r.read(r.upstream, "<y:fourth>")
	p.verdict <- Verdict{Outcome: abi.Allow}
	r.read(r.upstream, "<x:first><x:third>")
	r.read(r.agent, "[x allow]")
	r.write(r.agent, message('.', 'x', "fifth")+message('e', 'x', "")+message('e', 'y', ""))
	r.read(r.upstream, "<x:fifth>")
	_ = r.agent.CloseWrite()
	r.readEnd(r.upstream, "")
	_ = r.upstream.CloseWrite()
	if e := r.wait(); e.FailClosed {
		t.Errorf("%+v", e)
	}
}

// TestAsideBetween: what is released goes between messages, never into one that has come in part.
func TestAsideBetween(t *testing.T) {
	p := newPerson()
	r := start(t, newLanes(), func(_ *Config, s *session) { s.decide = holdingBy(p) })
	r.write(r.agent, message('h', 'x', "held"))
	r.read(r.agent, "[x waits]")
	whole := message('a', 'y', strings.Repeat("y", 100))
	r.write(r.agent, whole[:50])
	r.read(r.upstream, "<y:"+strings.Repeat("y", 47))
	p.verdict <- Verdict{Outcome: abi.Allow}
	r.read(r.agent, "[x allow]")
	r.write(r.agent, whole[50:])
	r.read(r.upstream, strings.Repeat("y", 53)+"><x:held>")
	_ = r.agent.CloseWrite()
	_ = r.upstream.CloseWrite()
	r.wait()
}

// TestAsideInPart: a message that waits and has come in part stays whole when it is released.
func TestAsideInPart(t *testing.T) {
	p := newPerson()
	r := start(t, newLanes(), func(_ *Config, s *session) { s.decide = holdingBy(p) })
	whole := message('h', 'x', strings.Repeat("x", 100))
	r.write(r.agent, whole[:50])
	r.read(r.agent, "[x waits]")
	p.verdict <- Verdict{Outcome: abi.Allow}
	r.read(r.agent, "[x allow]")
	r.read(r.upstream, "<x:"+strings.Repeat("x", 47))
	r.write(r.agent, whole[50:]+message('a', 'y', "y"))
	r.read(r.upstream, strings.Repeat("x", 53)+"><y:y>")
	_ = r.agent.CloseWrite()
	_ = r.upstream.CloseWrite()
	r.wait()
}

// TestAsideDoneInPart: an action that is done, and has come in part, is forgotten only when the rest has come.
func TestAsideDoneInPart(t *testing.T) {
	for _, outcome := range []abi.Outcome{abi.Allow, abi.Deny} {
		p := newPerson()
		r := start(t, newLanes(), func(_ *Config, s *session) { s.decide = holdingBy(p) })
		whole := message('E', 'x', strings.Repeat("x", 100))
		r.write(r.agent, message('h', 'x', "")+whole[:50])
		r.read(r.agent, "[x waits]")
		p.verdict <- Verdict{Outcome: outcome}
		r.read(r.agent, "[x "+outcome.String()+"]")
		r.write(r.agent, whole[50:]+message('a', 'y', "y"))
		want := "<y:y>"
		if outcome == abi.Allow {
			want = "<x:><x:" + whole[3:] + ">" + want
		}
		r.read(r.upstream, want)
		_ = r.agent.CloseWrite()
		_ = r.upstream.CloseWrite()
		if e := r.wait(); e.FailClosed {
			t.Errorf("%v: %+v", outcome, e)
		}
	}
}

// TestAsideDenied: nothing of what is denied goes on, also of what has not come; the rest does.
func TestAsideDenied(t *testing.T) {
	deny := map[string]func(r *rig, p *person){
		"by a person":   func(_ *rig, p *person) { p.verdict <- Verdict{Outcome: abi.Deny} },
		"by withdrawal": func(r *rig, _ *person) { r.write(r.agent, message('w', 'x', "")) },
	}
	for name, deny := range deny {
		t.Run(name, func(t *testing.T) {
			p := newPerson()
			r := start(t, newLanes(), func(_ *Config, s *session) { s.decide = holdingBy(p) })
			r.write(r.agent, message('h', 'x', "held"))
			r.read(r.agent, "[x waits]")
			deny(r, p)
			r.read(r.agent, "[x deny]")
			r.write(r.agent, message('a', 'y', "second"))
			r.read(r.upstream, "<y:second>")
			_ = r.agent.CloseWrite()
			r.readEnd(r.upstream, "")
			_ = r.upstream.CloseWrite()
			r.wait()
		})
	}
	t.Run("at once, in part", func(t *testing.T) {
		r := start(t, newLanes(), nil)
		whole := message('d', 'x', strings.Repeat("x", 100))
		r.write(r.agent, whole[:50])
		r.read(r.agent, "[x deny]")
		r.write(r.agent, whole[50:]+message('a', 'y', "second"))
		r.read(r.upstream, "<y:second>")
		_ = r.agent.CloseWrite()
		r.readEnd(r.upstream, "")
		_ = r.upstream.CloseWrite()
		r.wait()
	})
}

// TestAsideAndLeft: an agent that leaves takes back all that waits.
func TestAsideAndLeft(t *testing.T) {
	p := newPerson()
	r := start(t, newLanes(), func(_ *Config, s *session) { s.decide = holdingBy(p) })
	r.write(r.agent, message('h', 'x', "held"))
	r.read(r.agent, "[x waits]")
	_ = r.agent.CloseWrite()
	<-p.left
	r.readEnd(r.upstream, "")
	_ = r.upstream.CloseWrite()
	r.wait()
}

// TestAsideBounds: what waits aside is bounded, and so is how much may.
func TestAsideBounds(t *testing.T) {
	t.Run("bytes", func(t *testing.T) {
		p := newPerson()
		r := start(t, newLanes(), func(_ *Config, s *session) { s.decide = holdingBy(p) })
		go func() {
			_, _ = r.agent.Write([]byte(message('h', 'x', "held") + strings.Repeat(message('.', 'x', strings.Repeat("x", 250)), 1000)))
		}()
		if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, "wait aside") {
			t.Errorf("%+v", e)
		}
	})
	t.Run("actions", func(t *testing.T) {
		r := start(t, newLanes(), nil)
		go func() {
			for i := range 1100 {
				_, _ = r.agent.Write([]byte(message('a', byte(i), "")))
			}
		}()
		go collect(r.upstream)
		if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, "1024 actions are aside") {
			t.Errorf("%+v", e)
		}
	})
	t.Run("and a twin that ends each", func(t *testing.T) {
		r := start(t, newLanes(), nil)
		go func() {
			for i := range 3000 {
				_, _ = r.agent.Write([]byte(message('a', byte(i), "") + message('e', byte(i), "")))
			}
			_ = r.agent.CloseWrite()
		}()
		if n := strings.Count(string(collect(r.upstream)), ":>"); n != 3000 {
			t.Errorf("%d messages", n)
		}
		_ = r.upstream.CloseWrite()
		if e := r.wait(); e.FailClosed {
			t.Errorf("%+v", e)
		}
	})
}

// TestAsideMemory: what many actions aside took is given back when they are over.
func TestAsideMemory(t *testing.T) {
	for _, c := range []struct{ most, kept int }{{mostAsides, 0}, {manyAsides, 1}} {
		a := &actions{}
		for id := range uint32(c.most) {
			if _, err := a.openAside(&abi.Command{ID: id + 1}, 0); err != nil {
				t.Fatal(err)
			}
		}
		for id := range uint32(c.most) {
			a.asides.remove(id + 1)
		}
		if len(a.asides.all) != 0 || (a.asides.all != nil) != (c.kept > 0) {
			t.Errorf("of %d the map stays: %v", c.most, a.asides.all != nil)
		}
	}
}

// TestAsideBreaches: what a guest may not do with actions aside.
func TestAsideBreaches(t *testing.T) {
	for name, c := range map[string]struct {
		said   list
		reason string
	}{
		"an extent":                  {list(nil).action(2, 5, abi.AskAside, 1, title), "no extent"},
		"pass when it is done":       {list(nil).aside(2, title).done(2).pass(2, 1), "not an allowed action"},
		"send when it is done":       {list(nil).aside(2, title).done(2).sendUp(2, "x"), "nor one aside"},
		"done twice":                 {list(nil).aside(2, title).done(2).done(2), "not an open streaming action"},
		"pass under another":         {list(nil).aside(2, title).pass(3, 1), "not an allowed action"},
		"its id again":               {list(nil).aside(2, title).aside(2, title), "id 2 does not follow 2"},
		"send without end":           {list(nil).aside(2, title).sendUp(2, strings.Repeat("x", 60<<10)).sendUp(2, strings.Repeat("x", 10<<10)), "more than 65536 bytes of its own"},
		"dial while it is undecided": {list(nil).action(2, 0, abi.AskAside, 0, "hold").dial(2), "dials under action 2"},
		"withdraw what never was":    {abi.AppendWithdraw(nil, 9), "never asked about"},
		"a secret of no slot":        {abi.AppendSecret(list(nil).aside(2, title), 2, 0), "not filled"},
	} {
		t.Run(name, func(t *testing.T) {
			said := false
			g := &script{data: func(abi.Side, []byte, bool) []list {
				if said {
					return nil
				}
				said = true
				return []list{c.said}
			}}
			if !strings.HasPrefix(name, "dial") {
				g.open = []list{dialing()}
			}
			r := start(t, g, func(_ *Config, s *session) { s.decide = holdingBy(newPerson()) })
			r.write(r.agent, "12345")
			if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, c.reason) {
				t.Errorf("%+v, want %q", e, c.reason)
			}
		})
	}
}

// TestAsideApprovedTooLate: what the agent took back is not executed when a person approves it in that moment.
func TestAsideApprovedTooLate(t *testing.T) {
	late := lateApproval{make(chan struct{})}
	r := start(t, newLanes(), func(_ *Config, s *session) {
		s.decide = func(ctx context.Context, q *Question) Verdict {
			if q.Action.Title == "hold" {
				return Verdict{Pending: late, Hold: "h1"}
			}
			return byTitle(q)
		}
	})
	r.write(r.agent, message('h', 'x', "held"))
	r.read(r.agent, "[x waits]")
	r.write(r.agent, message('w', 'x', ""))
	r.read(r.agent, "[x deny]")
	_ = r.agent.CloseWrite()
	r.readEnd(r.upstream, "")
	_ = r.upstream.CloseWrite()
	r.wait()
}

// lateApproval approves when the wait is ended.
type lateApproval struct{ c chan struct{} }

func (l lateApproval) Wait(ctx context.Context, _ func(context.Context) error) Verdict {
	<-ctx.Done()
	return Verdict{Outcome: abi.Allow}
}
