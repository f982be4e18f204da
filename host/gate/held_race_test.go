package gate

import (
	"context"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// racer is a person who approves when go is closed, and notes that its wait has ended.
type racer struct {
	ready chan struct{} // closed once somebody waits
	start chan struct{}
	ctx   context.Context
}

func newRacer() *racer { return &racer{ready: make(chan struct{}), start: make(chan struct{})} }

func (r *racer) Wait(ctx context.Context, probe func(context.Context) error) Verdict {
	r.ctx = ctx
	close(r.ready)
	select {
	case <-r.start:
	case <-ctx.Done():
		return Verdict{Outcome: abi.Deny, Reason: "withdrawn"}
	}
	if probe(ctx) != nil || ctx.Err() != nil {
		return Verdict{Outcome: abi.Deny, Reason: "withdrawn"}
	}
	return Verdict{}
}

// race runs one connection with two actions of guest that people are asked about, has against happen while they approve, and returns what the
// upstream got.
func race(t *testing.T, turn int, guest func() Guest, message string, holds int, against func(agent, upstream *memConn, stop func())) (string, End) {
	t.Helper()
	gateAgent, agent := memPair(nil)
	gateUpstream, upstream := memPair(nil)
	people := []*racer{newRacer(), newRacer()}[:holds]
	next := 0
	s := &session{dial: func(context.Context) (Conn, error) { return gateUpstream, nil }, decide: func(_ context.Context, q *Question) Verdict {
		if q.Action.Title != "hold" || next == holds {
			return byTitle(q)
		}
		next++
		return Verdict{Pending: people[next-1]}
	}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan End, 1)
	go func() {
		done <- Serve(ctx, Config{Agent: gateAgent, Guest: guest(), Manifest: testManifest(), Facts: abi.Facts{Endpoint: "endpoint"}, Session: s, Limits: testLimits})
	}()
	_, _ = agent.Write([]byte(message))
	for _, p := range people {
		<-p.ready
	}
	begin := make(chan struct{})
	for _, p := range people {
		go func() { <-begin; close(p.start) }()
	}
	go func() {
		<-begin
		for range turn % 5 {
			runtime.Gosched()
		}
		against(agent, upstream, stop)
	}()
	close(begin)
	go func() { // in the end everybody leaves
		agent.await(1) // what the guest says about waiting
		for range 20 {
			runtime.Gosched()
		}
		_ = agent.CloseWrite()
		_ = upstream.CloseWrite()
	}()
	e := <-done
	for _, p := range people {
		if p.ctx.Err() == nil {
			t.Error("the wait goes on after the connection")
		}
	}
	return string(upstream.received()), e
}

// TestHeldRaces: whatever happens in the moment of an approval, the action goes on whole or not at all, and everything ends.
func TestHeldRaces(t *testing.T) {
	plain := func() Guest {
		g := asksOnce(abi.AskQuiet)
		data := g.data
		g.data = func(side abi.Side, p []byte, end bool) []list {
			switch {
			case side == abi.Upstream && end: // a SHUT would be wrong: it may have to tell the agent of a verdict
				return nil
			case side == abi.Upstream && string(p) == "close":
				return []list{list(nil).close("closed")}
			case side == abi.Upstream && string(p) == "withdraw":
				return []list{abi.AppendWithdraw(list(nil).passBack(8), 2)}
			}
			return data(side, p, end)
		}
		g.t = t
		return g
	}
	aside := func() Guest {
		g := newLanes()
		data := g.data
		g.data = func(side abi.Side, p []byte, end bool) []list {
			switch {
			case side == abi.Upstream && end: // a SHUT would be wrong: it may have to tell the agent of a verdict
				return nil
			case side == abi.Upstream && string(p) == "close":
				return []list{list(nil).close("closed")}
			case side == abi.Upstream && string(p) == "withdraw":
				return []list{abi.AppendWithdraw(abi.AppendWithdraw(list(nil).passBack(8), 2), 3)}
			}
			return data(side, p, end)
		}
		g.t = t
		return g
	}
	for name, against := range map[string]func(agent, upstream *memConn, stop func()){
		"the agent's end":           func(agent, _ *memConn, _ func()) { _ = agent.CloseWrite() },
		"the agent's reset":         func(agent, _ *memConn, _ func()) { agent.Abort() },
		"the upstream's end":        func(_, upstream *memConn, _ func()) { _ = upstream.CloseWrite() },
		"the upstream's reset":      func(_, upstream *memConn, _ func()) { upstream.Abort() },
		"the guest's CLOSE":         func(_, upstream *memConn, _ func()) { _, _ = upstream.Write([]byte("close")) },
		"the guest's WITHDRAW":      func(_, upstream *memConn, _ func()) { _, _ = upstream.Write([]byte("withdraw")) },
		"the gateway's end":         func(_, _ *memConn, stop func()) { stop() },
		"nothing":                   func(*memConn, *memConn, func()) {},
		"more, and the agent's end": func(agent, _ *memConn, _ func()) { _, _ = agent.Write([]byte(".x\x01?")); _ = agent.CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			for turn := range 100 {
				got, e := race(t, turn, plain, "12345", 1, against)
				if got = strings.TrimSuffix(got, ".x\x01?"); got != "" && got != "12345" || e.FailClosed {
					t.Errorf("plain: the upstream got %q, %+v", got, e)
				}
				got, e = race(t, turn, aside, message('h', 'x', "first")+message('h', 'y', "second"), 2, against)
				rest := strings.NewReplacer("<x:first>", "", "<y:second>", "", "<x:?>", "").Replace(got)
				if rest != "" || strings.Count(got, ":") > 3 || e.FailClosed {
					t.Errorf("aside: the upstream got %q, %+v", got, e)
				}
			}
		})
	}
}

// TestHeldAndStopped: a gateway that stops resets a connection that waits for a person at once, and hears no verdict of it any more.
func TestHeldAndStopped(t *testing.T) {
	p := slow{make(chan struct{}), make(chan struct{})}
	r := start(t, asksOnce(0), func(_ *Config, s *session) {
		s.decide = func(_ context.Context, q *Question) Verdict {
			if q.Action.Title == "hold" {
				return Verdict{Pending: p}
			}
			return byTitle(q)
		}
	})
	r.write(r.agent, "12345")
	r.read(r.agent, "[waits")
	r.stop()
	<-p.withdrawn
	r.readReset(r.agent) // though the person is still thinking
	r.readReset(r.upstream)
	close(p.answer)
	if e := r.wait(); e.FailClosed || e.Reason != stopping {
		t.Errorf("%+v", e)
	}
}

// silent is an agent that never answers a probe.
type silent struct {
	*tcpConn
	probed chan struct{}
}

func (s silent) Probe(ctx context.Context) error {
	close(s.probed)
	<-ctx.Done()
	return ctx.Err()
}

// TestHeldAndSilent: a probe that nobody answers ends with the wait.
func TestHeldAndSilent(t *testing.T) {
	for name, end := range map[string]func(r *rig){
		"when the agent leaves":    func(r *rig) { _ = r.agent.CloseWrite() },
		"when the gateway is over": func(r *rig) { r.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			p, probed := newPerson(), make(chan struct{})
			r := start(t, asksOnce(abi.AskQuiet), func(cfg *Config, s *session) {
				s.decide = holdingBy(p)
				cfg.Agent = silent{cfg.Agent.(*tcpConn), probed}
			})
			r.write(r.agent, "12345")
			r.read(r.agent, waits)
			p.verdict <- Verdict{Outcome: abi.Allow}
			<-probed
			end(r)
			_ = r.upstream.CloseWrite()
			if b := collect(r.upstream); len(b) > 0 {
				t.Errorf("the upstream got %q", b)
			}
			r.wait()
		})
	}
}
