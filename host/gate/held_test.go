package gate

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// person is a Pending that a test decides.
type person struct {
	verdict chan Verdict
	probed  chan error // what the probe said
	left    chan struct{}
}

func newPerson() *person {
	return &person{verdict: make(chan Verdict, 1), probed: make(chan error, 1), left: make(chan struct{}, 1)}
}

func (p *person) Wait(ctx context.Context, probe func(context.Context) error) Verdict {
	select {
	case <-ctx.Done():
		p.left <- struct{}{}
		return Verdict{Outcome: abi.Deny, Reason: "withdrawn", Receipt: "r3"}
	case v := <-p.verdict:
		if v.Outcome == abi.Allow {
			err := probe(ctx)
			p.probed <- err
			if err != nil {
				return Verdict{Outcome: abi.Deny, Reason: "withdrawn", Receipt: "r3"}
			}
		}
		return v
	}
}

// holding asks p about actions with the title "hold", and decides others by their titles.
func holdingBy(p *person) func(context.Context, *Question) Verdict {
	return func(_ context.Context, q *Question) Verdict {
		if q.Action.Title == "hold" {
			return Verdict{Pending: p, Hold: "h1", Until: "2026-11-22T22:15:00Z", Rule: "rule", Reason: "ask", Receipt: "r2"}
		}
		return byTitle(q)
	}
}

func (l list) hold(id uint32, extent uint64, flags uint8) list {
	return l.action(id, extent, flags, 1, "hold")
}

// asksOnce is a guest that asks a person about its first five bytes, passes them under that, and then passes what comes as it
// comes. It tells the agent that it waits, and of a denial.
func asksOnce(flags uint8) *script {
	asked := false
	return &script{
		open: []list{dialing()},
		data: func(side abi.Side, p []byte, end bool) []list {
			switch {
			case side == abi.Upstream || end:
				return shutEnds(side, p, end)
			case !asked:
				asked = true
				return []list{list(nil).hold(2, 5, flags).pass(2, 5)}
			}
			return []list{list(nil).ask(3, uint64(len(p))).pass(3, uint64(len(p)))}
		},
		event: func(e abi.Event) []list {
			switch {
			case e.Kind == abi.KindHeld:
				return []list{list(nil).send("[waits: " + e.Hold + " " + e.Until + " " + e.Rule + " " + e.Reason + " " + e.Receipt + "]")}
			case e.Kind == abi.KindVerdict && e.Outcome == abi.Deny:
				return []list{list(nil).drop(5).send("[denied: " + e.Reason + "]")}
			}
			return nil
		},
	}
}

const waits = "[waits: h1 2026-11-22T22:15:00Z rule ask r2]"

// TestHeld: nothing of a held action reaches the upstream before a person has approved it, the upstream's words pass meanwhile, and
// what the agent sent behind it comes after it.
func TestHeld(t *testing.T) {
	for _, flags := range []uint8{0, abi.AskQuiet} {
		p := newPerson()
		r := start(t, asksOnce(flags), func(_ *Config, s *session) { s.decide = holdingBy(p) })
		r.write(r.agent, "12345")
		r.read(r.agent, waits)
		r.write(r.upstream, "meanwhile")
		r.read(r.agent, "meanwhile")
		r.write(r.agent, "behind")
		p.verdict <- Verdict{Outcome: abi.Allow}
		r.read(r.upstream, "12345behind")
		if err := <-p.probed; err != nil {
			t.Error(err)
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

// TestHeldAndRejected: nothing of a rejected action goes on, and the connection does.
func TestHeldAndRejected(t *testing.T) {
	for _, flags := range []uint8{0, abi.AskQuiet} {
		p := newPerson()
		r := start(t, asksOnce(flags), func(_ *Config, s *session) { s.decide = holdingBy(p) })
		r.write(r.agent, "12345")
		r.read(r.agent, waits)
		p.verdict <- Verdict{Outcome: abi.Deny, Reason: "rejected", Hold: "h1"}
		r.read(r.agent, "[denied: rejected]")
		r.write(r.agent, "after")
		r.read(r.upstream, "after")
		_ = r.agent.CloseWrite()
		_ = r.upstream.CloseWrite()
		r.wait()
	}
}

// TestHeldAndLeft: an agent that leaves while a person is asked takes the action back, however it leaves and whatever it sent before.
func TestHeldAndLeft(t *testing.T) {
	leave := map[string]func(r *rig){
		"by an end of stream":              func(r *rig) { _ = r.agent.CloseWrite() },
		"by an end of stream behind bytes": func(r *rig) { r.write(r.agent, "bye"); _ = r.agent.CloseWrite() },
		"by a reset":                       func(r *rig) { _ = r.agent.SetLinger(0); _ = r.agent.Close() },
		"by a reset behind bytes":          func(r *rig) { r.write(r.agent, "bye"); _ = r.agent.SetLinger(0); _ = r.agent.Close() },
	}
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			p := newPerson()
			r := start(t, asksOnce(abi.AskQuiet), func(_ *Config, s *session) { s.decide = holdingBy(p) })
			r.write(r.agent, "12345")
			r.read(r.agent, waits)
			leave(r)
			<-p.left
			_ = r.upstream.CloseWrite()
			if b := collect(r.upstream); strings.Contains(string(b), "1") {
				t.Errorf("the upstream got %q", b)
			}
			r.wait()
		})
	}
}

// gone is an agent that does not answer a probe.
type gone struct{ *tcpConn }

func (gone) Probe(context.Context) error { return errors.New("no sign of life") }

// TestHeldAndVanished: an approval of an action whose agent does not answer any more executes nothing.
func TestHeldAndVanished(t *testing.T) {
	p := newPerson()
	r := start(t, asksOnce(abi.AskQuiet), func(cfg *Config, s *session) {
		s.decide = holdingBy(p)
		cfg.Agent = gone{cfg.Agent.(*tcpConn)}
	})
	r.write(r.agent, "12345")
	r.read(r.agent, waits)
	p.verdict <- Verdict{Outcome: abi.Allow}
	if err := <-p.probed; err == nil {
		t.Error("the agent was taken to be there")
	}
	r.read(r.agent, "[denied: withdrawn]")
	_ = r.agent.CloseWrite()
	r.readEnd(r.upstream, "")
	_ = r.upstream.CloseWrite()
	r.wait()
}

// TestHeldAndUpstreamGone: an upstream that leaves meanwhile ends what the guest says it ends, and the wait.
func TestHeldAndUpstreamGone(t *testing.T) {
	p := newPerson()
	g := asksOnce(0)
	data := g.data
	g.data = func(side abi.Side, b []byte, end bool) []list {
		if side == abi.Upstream && end {
			return []list{list(nil).close("the upstream left")}
		}
		return data(side, b, end)
	}
	r := start(t, g, func(_ *Config, s *session) { s.decide = holdingBy(p) })
	r.write(r.agent, "12345")
	r.read(r.agent, waits)
	_ = r.upstream.CloseWrite()
	r.readEnd(r.agent, "")
	_ = r.agent.Close()
	<-p.left
	if e := r.wait(); e.Reason != "the upstream left" {
		t.Errorf("%+v", e)
	}
}

// TestHeldConnect: opening the connection can be held too, and what the agent sends ahead is bounded.
func TestHeldConnect(t *testing.T) {
	p := newPerson()
	g := &script{
		open: []list{list(nil).action(1, 0, abi.AskStreaming, 0, "hold").dial(1)},
		data: func(side abi.Side, b []byte, end bool) []list {
			l := shutEnds(side, b, end)
			if side == abi.Agent {
				l[0] = l[0].pass(1, uint64(len(b)))
			}
			return l
		},
	}
	r := start(t, g, func(_ *Config, s *session) { s.decide = holdingBy(p) })
	const much = 8 << 20
	go func() {
		_, _ = io.Copy(r.agent, io.LimitReader(zeros{}, much))
		_ = r.agent.CloseWrite()
	}()
	_ = r.upstream.CloseWrite()
	p.verdict <- Verdict{Outcome: abi.Allow}
	if n := len(collect(r.upstream)); n != much {
		t.Errorf("%d bytes came, want %d", n, much)
	}
	r.wait()
}

// TestWithdraw: a guest may take an action back that waits, and hears of its denial.
func TestWithdraw(t *testing.T) {
	p := newPerson()
	g := asksOnce(abi.AskQuiet)
	event := g.event
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindHeld {
			return []list{abi.AppendWithdraw(nil, e.ID)}
		}
		return event(e)
	}
	r := start(t, g, func(_ *Config, s *session) { s.decide = holdingBy(p) })
	r.write(r.agent, "12345")
	r.read(r.agent, "[denied: withdrawn]")
	<-p.left
	r.write(r.agent, "after")
	r.read(r.upstream, "after")
	_ = r.agent.CloseWrite()
	_ = r.upstream.CloseWrite()
	r.wait()
}

// TestAliasUsed: whose alias another connection brings back hears of it, also while a person is asked.
func TestAliasUsed(t *testing.T) {
	p := newPerson()
	g := asksOnce(abi.AskQuiet)
	data, event := g.data, g.event
	g.data = func(side abi.Side, b []byte, end bool) []list {
		if side == abi.Upstream && len(b) > 0 {
			return []list{list(nil).alias(uint32(len(b)))}
		}
		return data(side, b, end)
	}
	g.event = func(e abi.Event) []list {
		if e.Kind == abi.KindAliasUsed {
			return []list{list(nil).send("[used]")}
		}
		return event(e)
	}
	var used func()
	r := start(t, g, func(_ *Config, s *session) {
		s.decide = holdingBy(p)
		s.aliasUsed = func(f func()) { used = f }
		s.alias = func([]byte) ([]byte, error) { return []byte("alias"), nil }
	})
	r.write(r.upstream, "a key")
	r.read(r.agent, "alias")
	r.write(r.agent, "12345")
	r.read(r.agent, waits)
	used()
	r.read(r.agent, "[used]")
	_ = r.agent.CloseWrite()
	<-p.left
	_ = r.upstream.CloseWrite()
	r.wait()
}
