package gate

import (
	"context"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The decision is made, and so on record, before a byte of the action's range is written.
func TestRecordBeforeBytes(t *testing.T) {
	const actions, each = 50, 100
	var upstream *tcpConn
	decided := 0
	g := &script{open: []list{dialing()}}
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindVerdict && e.ID > 1 && e.ID <= actions {
			return one(list(nil).ask(e.ID+1, each).pass(e.ID+1, each))
		}
		return nil
	}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Agent && decided == 0 {
			decided++
			return one(list(nil).ask(2, each).pass(2, each))
		}
		return shutEnds(side, p, end)
	}
	r := start(t, g, func(_ *Config, s *session) {
		upstream = s.conn
		s.decide = func(_ context.Context, q *Question) Verdict {
			if most := int64(q.ID-2) * each; q.ID > 1 && upstream.wrote.Load() > most {
				t.Errorf("action %d is being decided, and %d bytes are written, %d were allowed", q.ID, upstream.wrote.Load(), most)
			}
			return Verdict{Receipt: "r"}
		}
	})
	passedAll(r, actions*each)
	if len(r.session.asked) != actions+1 {
		t.Errorf("%d questions", len(r.session.asked))
	}
}

// While a decision is awaited nothing of what it is about is written, and nothing more is delivered.
func TestUndecided(t *testing.T) {
	asked, answer := make(chan bool), make(chan bool)
	g := scripted(nil, one(list(nil).stock(0).ask(2, 10).pass(2, 10)), nil)
	r := start(t, g, func(_ *Config, s *session) {
		s.decide = func(_ context.Context, q *Question) Verdict {
			if q.ID == 2 {
				asked <- true
				<-answer
			}
			return Verdict{}
		}
	})
	r.write(r.agent, tenBytes)
	<-asked
	if n := r.session.conn.wrote.Load(); n != 0 {
		t.Errorf("%d bytes are written before the verdict", n)
	}
	close(answer)
	_ = r.agent.CloseWrite()
	r.readEnd(r.upstream, "PING"+tenBytes)
	_ = r.upstream.Close()
	collect(r.agent)
	r.wait()
}

func TestQuestionAndVerdict(t *testing.T) {
	var got []abi.Event
	g := scripted(nil, one(list(nil).stream(2).note(2, "a", "b").done(2)), nil)
	answer := g.event
	g.event = func(e abi.Event) []list {
		got = append(got, e)
		if e.ID == 2 {
			return one(list(nil).deny(3, 10))
		}
		return answer(e)
	}
	r := start(t, g, nil)
	passed(r, "")
	want := []abi.Event{
		{Kind: abi.KindVerdict, ID: 1}, {Kind: abi.KindConnected}, {Kind: abi.KindVerdict, ID: 2},
		{Kind: abi.KindVerdict, ID: 3, Outcome: abi.Deny, Reason: "no", Rule: "rule", Receipt: "r1"}}
	if len(got) != len(want) {
		t.Fatalf("events %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("event %+v, want %+v", got[i], want[i])
		}
	}
	if q := r.session.asked[1]; q.ID != 2 || !q.Streaming || q.Action.Title != title || q.Action.Family.Name != "toy" {
		t.Errorf("question %+v", q)
	}
	if strings.Join(r.session.notes, " ") != "a b" {
		t.Errorf("notes %q", r.session.notes)
	}
}

// What is written behind passed bytes that have not come keeps its place.
func TestOrderBehindBytesToCome(t *testing.T) {
	g := &script{open: []list{dialing()}}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		switch {
		case side == abi.Agent && len(p) > 0:
			return one(list(nil).ask(2, 10).pass(2, 8).stock(0).drop(1).pass(2, 1).stock(0).shut(abi.Upstream))
		case side == abi.Upstream && len(p) > 0:
			return one(list(nil).passBack(6).send("<1>").passBack(2).send("<2>"))
		case end && side == abi.Upstream:
			return one(list(nil).send("<end>").shut(abi.Agent))
		}
		return nil
	}
	r := start(t, g, nil)
	r.write(r.agent, "01")
	r.read(r.upstream, "01")
	r.write(r.agent, "234567")
	r.read(r.upstream, "234567PING")
	r.write(r.agent, "89")
	r.readEnd(r.upstream, "9PING")

	r.write(r.upstream, "abc")
	r.read(r.agent, "abc")
	r.write(r.upstream, "def")
	r.read(r.agent, "def<1>")
	r.write(r.upstream, "gh")
	r.read(r.agent, "gh<2>")
	_ = r.upstream.CloseWrite()
	r.readEnd(r.agent, "<end>")
	_ = r.agent.CloseWrite()
	if e := r.wait(); e.FailClosed {
		t.Errorf("ended with %+v", e)
	}
}

// TestNothingBehindACut: nothing of a plugin's own takes the place of bytes that were to pass and never came. The twin has all of them.
func TestNothingBehindACut(t *testing.T) {
	end := func(side abi.Side) []list { return one(list(nil).sendTo(side, "<end>").shut(side)) }
	for name, c := range map[string]struct {
		side        abi.Side // whose bytes are cut off
		first       list
		whole, want string
		missing     int // bytes of whole
	}{
		"of the upstream":  {abi.Upstream, list(nil).passBack(8).send("<own>"), "abcdefgh", "abcdefgh<own><end>", 1},
		"of the agent":     {abi.Agent, list(nil).stream(2).pass(2, 8).sendUp(2, "<own>"), "abcdefgh", "abcdefgh<own><end>", 1},
		"nothing was left": {abi.Upstream, list(nil).passBack(2).send("<own>").drop(0), "ab", "ab<own><end>", 0},
		"of a scan":        {abi.Upstream, list(nil).scan(abi.Upstream, 0), "d\x02abd\x04cdef", "d\x02abd\x04cdef<end>", 2},
	} {
		for _, cut := range []bool{false, true} {
			if cut && c.missing == 0 {
				continue
			}
			g := &script{open: []list{dialing()}}
			begun := false
			g.data = func(side abi.Side, p []byte, ended bool) []list {
				switch {
				case side == c.side && ended:
					return end(side.Other())
				case side == c.side && !begun:
					begun = true
					return []list{c.first}
				case ended:
					return one(list(nil).close("over"))
				}
				return nil
			}
			r := start(t, g, nil)
			from, to := r.upstream, r.agent
			if c.side == abi.Agent {
				from, to = to, from
			}
			sent, want := c.whole, c.want
			if cut {
				sent = c.whole[:len(c.whole)-c.missing]
				want = sent
			}
			r.write(from, sent)
			_ = from.CloseWrite()
			t.Run(name, func(t *testing.T) { r.readEnd(to, want) })
			_ = to.CloseWrite()
			if e := r.wait(); e.FailClosed {
				t.Errorf("%s: ended with %+v", name, e)
			}
		}
	}
}

// A pause stops the delivery of one side until the other side's bytes end it.
func TestPause(t *testing.T) {
	for _, paused := range []abi.Side{abi.Agent, abi.Upstream} {
		t.Run(paused.String(), func(t *testing.T) {
			seen := ""
			g := &script{open: []list{dialing()}}
			g.event = func(e abi.Event) []list {
				if e.Kind == abi.KindConnected {
					return one(list(nil).stream(2))
				}
				return nil
			}
			g.data = func(side abi.Side, p []byte, end bool) []list {
				if end {
					return one(list(nil).shut(side.Other()))
				}
				seen += side.String()[:1]
				id := uint32(0)
				if side == abi.Agent {
					id = 2
				}
				return one(abi.AppendPass(list(nil).pause(paused, side == paused), side, id, uint64(len(p))))
			}
			r := start(t, g, nil)
			from, to := r.agent, r.upstream
			if paused == abi.Upstream {
				from, to = to, from
			}
			for range 3 {
				r.write(from, "x")
				r.read(to, "x")
				r.write(from, "y") // is not delivered before the other side has spoken
				r.write(to, "z")
				r.read(from, "z")
				r.read(to, "y")
				r.write(to, "z")
				r.read(from, "z")
			}
			_ = r.agent.CloseWrite()
			_ = r.upstream.CloseWrite()
			r.readEnd(from, "")
			r.readEnd(to, "")
			r.wait()
			if p, o := paused.String()[:1], paused.Other().String()[:1]; seen != strings.Repeat(p+o, 6) {
				t.Errorf("deliveries %s", seen)
			}
		})
	}
}

// Bytes that a paused reader has read already move on when the guest plans for them.
func TestPassWhilePaused(t *testing.T) {
	g := &script{open: []list{dialing()}}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		switch {
		case side == abi.Agent && len(p) > 0:
			return one(list(nil).ask(2, 10).pass(2, 1).pause(abi.Agent, true))
		case side == abi.Upstream && len(p) > 0:
			return one(list(nil).drop(1).pass(2, 8).passBack(1))
		}
		return shutEnds(side, p, end)
	}
	r := start(t, g, nil)
	r.write(r.agent, "0")
	r.read(r.upstream, "0")
	r.write(r.agent, tenBytes[1:])
	r.write(r.upstream, "x")
	r.read(r.agent, "x")
	r.read(r.upstream, tenBytes[2:])
	r.stop()
	r.wait()
}

// A pause that nothing can end would hold the connection for ever.
func TestPauseForEver(t *testing.T) {
	paused := func(sides ...abi.Side) *script {
		g := &script{open: one(dialing())}
		g.data = func(side abi.Side, p []byte, end bool) []list {
			if side == abi.Upstream {
				return shutEnds(side, p, end)
			}
			l := list(nil).drop(uint64(len(p)))
			for _, s := range sides {
				l = l.pause(s, true)
			}
			return one(l)
		}
		return g
	}
	cutOff := func(r *rig) {
		t.Helper()
		if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, "could end the pause") {
			t.Errorf("ended with %+v", e)
		}
	}
	r := start(t, paused(abi.Agent, abi.Upstream), nil)
	r.write(r.agent, "x")
	cutOff(r)

	r = start(t, paused(abi.Agent), nil)
	r.write(r.agent, "x")
	r.write(r.upstream, "y")
	r.read(r.agent, "y") // the twin: one side may be paused while the other speaks
	_ = r.upstream.CloseWrite()
	cutOff(r)

	g := paused(abi.Agent)
	g.open = one(list(nil).pause(abi.Agent, true))
	cutOff(start(t, g, nil))
}
