package gate

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lines"
)

// guests are the two ways to run a connection that must live and die alike: unseen, and through a plugin. Each conversation
// begins with a request and its answer.
var guests = []struct {
	name  string
	guest func() (Guest, *abi.Manifest)
}{
	{"relay", func() (Guest, *abi.Manifest) { return NewRelay(), RelayManifest() }},
	{"plugin", linesGuest},
}

func linesGuest() (Guest, *abi.Manifest) {
	p := &lines.Plugin{}
	m, err := sdk.ConfigureNative(p, nil)
	if err != nil {
		panic(err)
	}
	return sdk.NewNative(p, nil), m
}

// counted counts how often a guest is closed.
type counted struct {
	Guest
	closed atomic.Int32
}

func (c *counted) Close() { c.closed.Add(1); c.Guest.Close() }

// lives runs f over both guests.
func lives(t *testing.T, change func(cfg *Config, s *session), f func(t *testing.T, r *rig)) {
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			guest, manifest := g.guest()
			c := &counted{Guest: guest}
			r := start(t, c, func(cfg *Config, s *session) {
				cfg.Manifest = manifest
				if change != nil {
					change(cfg, s)
				}
			})
			f(t, r)
			if n := c.closed.Load(); n != 1 {
				t.Errorf("the guest was closed %d times", n)
			}
		})
	}
}

// talk has one request answered.
func (r *rig) talk() {
	r.t.Helper()
	r.write(r.agent, "get x\n")
	r.read(r.upstream, "get x\n")
	r.write(r.upstream, "42\n")
	r.read(r.agent, "42\n")
}

func TestAgentEndsFirst(t *testing.T) {
	lives(t, nil, func(t *testing.T, r *rig) {
		r.talk()
		r.write(r.agent, "get y\n")
		_ = r.agent.CloseWrite()
		r.read(r.upstream, "get y\n")
		r.write(r.upstream, "43\n")
		r.readEnd(r.upstream, "")
		_ = r.upstream.CloseWrite()
		r.readEnd(r.agent, "43\n")
		e := r.wait()
		want := End{Reason: "both sides ended", Read: [2]uint64{12, 6}, Written: [2]uint64{6, 12}}
		if e != want {
			t.Errorf("ended with %+v, want %+v", e, want)
		}
	})
}

func TestUpstreamEndsFirst(t *testing.T) {
	lives(t, nil, func(t *testing.T, r *rig) {
		r.talk()
		_ = r.upstream.CloseWrite()
		r.readEnd(r.agent, "")
		r.write(r.agent, "get y\n")
		_ = r.agent.CloseWrite()
		got := string(collect(r.upstream))
		if want := "get y\n"; !strings.HasPrefix(want, got) || got != want && strings.Contains(t.Name(), "relay") {
			t.Errorf("the upstream got %q", got)
		}
		e := r.wait()
		if isPlugin := strings.Contains(t.Name(), "plugin"); e.FailClosed != isPlugin { // it waits for an answer that cannot come
			t.Errorf("ended with %+v", e)
		}
	})
}

func TestAgentResets(t *testing.T) {
	lives(t, nil, func(t *testing.T, r *rig) {
		r.talk()
		reset(r.agent)
		r.readReset(r.upstream)
		if e := r.wait(); e.FailClosed || !strings.Contains(e.Reason, "the agent broke off") {
			t.Errorf("ended with %+v", e)
		}
	})
}

func TestUpstreamResets(t *testing.T) {
	lives(t, nil, func(t *testing.T, r *rig) {
		r.talk()
		reset(r.upstream)
		r.readReset(r.agent)
		if e := r.wait(); e.FailClosed || !strings.Contains(e.Reason, "the upstream broke off") {
			t.Errorf("ended with %+v", e)
		}
	})
}

func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

func TestRefused(t *testing.T) {
	refuse := func(_ *Config, s *session) {
		s.dial = func(context.Context) (Conn, error) { return nil, errors.New("connection refused") }
	}
	lives(t, refuse, func(t *testing.T, r *rig) {
		said := ""
		if strings.Contains(t.Name(), "plugin") {
			said = "refused: connection refused\n"
		}
		r.readEnd(r.agent, said)
		_ = r.agent.Close()
		if e := r.wait(); e.FailClosed || !strings.Contains(e.Reason, "upstream") || r.session.dials != 1 {
			t.Errorf("ended with %+v after %d dials", e, r.session.dials)
		}
	})
}

func TestConnectDenied(t *testing.T) {
	deny := func(_ *Config, s *session) {
		s.decide = func(context.Context, *Question) Verdict { return Verdict{Outcome: abi.Deny, Reason: "not you"} }
	}
	lives(t, deny, func(t *testing.T, r *rig) {
		said := ""
		if strings.Contains(t.Name(), "plugin") {
			said = "denied: not you\n"
		}
		r.readEnd(r.agent, said)
		_ = r.agent.Close()
		if e := r.wait(); e.FailClosed || r.session.dials != 0 {
			t.Errorf("ended with %+v after %d dials", e, r.session.dials)
		}
	})
}

func TestAgentLeavesWhileDialing(t *testing.T) {
	for _, resets := range []bool{false, true} {
		dialing, left := make(chan bool), make(chan bool)
		change := func(_ *Config, s *session) {
			dialing, left = make(chan bool), make(chan bool)
			s.dial = func(context.Context) (Conn, error) {
				close(dialing)
				<-left
				return s.conn, nil
			}
		}
		lives(t, change, func(t *testing.T, r *rig) {
			<-dialing
			if resets {
				reset(r.agent)
			} else {
				_ = r.agent.CloseWrite()
			}
			close(left)
			if resets {
				r.readReset(r.upstream)
			} else {
				r.readEnd(r.upstream, "")
				_ = r.upstream.CloseWrite()
				r.readEnd(r.agent, "")
			}
			if e := r.wait(); e.FailClosed {
				t.Errorf("ended with %+v", e)
			}
		})
	}
}

func TestStop(t *testing.T) {
	lives(t, nil, func(t *testing.T, r *rig) {
		r.talk()
		r.stop()
		r.readReset(r.upstream)
		r.readReset(r.agent)
		if e := r.wait(); e.FailClosed || e.Reason != "the gateway is stopping" {
			t.Errorf("ended with %+v", e)
		}
	})
}

func TestStopWhileWaiting(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *session, waiting func(ctx context.Context))
	}{
		{"deciding", func(s *session, waiting func(context.Context)) {
			s.decide = func(ctx context.Context, _ *Question) Verdict {
				waiting(ctx)
				return Verdict{Outcome: abi.Deny}
			}
		}},
		{"dialing", func(s *session, waiting func(context.Context)) {
			s.dial = func(ctx context.Context) (Conn, error) { waiting(ctx); return nil, ctx.Err() }
		}},
		{"dialed too late", func(s *session, waiting func(context.Context)) {
			s.dial = func(ctx context.Context) (Conn, error) { waiting(ctx); return s.conn, nil }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			entered := make(chan bool)
			change := func(_ *Config, s *session) {
				entered = make(chan bool)
				c.change(s, func(ctx context.Context) { close(entered); <-ctx.Done() })
			}
			lives(t, change, func(t *testing.T, r *rig) {
				<-entered
				r.stop()
				collect(r.agent) // an end or a reset: it may be closed as denied or refused before it is stopped
				if e := r.wait(); e.FailClosed {
					t.Errorf("ended with %+v", e)
				}
				_ = r.session.conn.Close()
			})
		})
	}
}

func TestStopWhilePausedOrWriting(t *testing.T) {
	g := &script{open: one(dialing())}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Agent {
			return one(list(nil).pause(side, true))
		}
		return shutEnds(side, p, end)
	}
	r := start(t, g, nil)
	r.write(r.agent, "a")
	r.write(r.agent, "b")
	r.write(r.upstream, "c")
	r.read(r.agent, "c")
	r.stop()
	r.wait()

	guest, manifest := linesGuest()
	r = start(t, guest, func(cfg *Config, _ *session) { cfg.Manifest = manifest })
	r.write(r.agent, "get x\n")
	r.read(r.upstream, "get x\n")
	r.write(r.upstream, "data 1000000000\n")
	writing := make(chan bool)
	go func() { // until the reset: the agent does not read
		defer close(writing)
		_, _ = io.Copy(r.upstream, zeros{})
	}()
	r.read(r.agent, "data 1000000000\n")
	r.stop()
	r.wait()
	<-writing
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// The last words of a plugin arrive though the agent is still sending.
func TestCloseDeliversLastWords(t *testing.T) {
	g := &script{open: one(dialing())}
	g.data = func(side abi.Side, p []byte, end bool) []list { return one(list(nil).send("sorry").close("enough")) }
	r := start(t, g, nil)
	go func() {
		_, _ = r.agent.Write(make([]byte, 512<<10))
		_ = r.agent.CloseWrite()
	}()
	r.readEnd(r.agent, "sorry")
	r.readEnd(r.upstream, "")
	if e := r.wait(); e.FailClosed || e.Reason != "enough" {
		t.Errorf("ended with %+v", e)
	}
}

// An agent that does not read its last words holds the connection no longer than the linger limit.
func TestLingerIsBounded(t *testing.T) {
	for _, n := range []int{1, 500_000} { // read nothing; and do not even leave room
		g := &script{open: one(dialing())}
		g.data = func(abi.Side, []byte, bool) []list {
			l := list(nil)
			for range max(n/50_000, 1) {
				l = l.send(strings.Repeat("x", min(n, 50_000)))
			}
			return one(l.close("enough"))
		}
		r := start(t, g, func(cfg *Config, _ *session) {
			cfg.Limits.Linger = 50 * time.Millisecond
			_ = cfg.Agent.(*tcpConn).SetWriteBuffer(4 << 10)
		})
		_ = r.agent.SetReadBuffer(4 << 10)
		r.write(r.agent, "x")
		if e := r.wait(); e.FailClosed {
			t.Errorf("ended with %+v", e)
		}
	}
}
