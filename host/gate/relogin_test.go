package gate

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// A guest that is let in by nobody may not have the upstream dialed as often as it likes, nor in the middle of anything else.
func TestReloginAttacks(t *testing.T) {
	breachedWith(t, scripted(connected().relogin(1), nil, nil), filled, "not connected", "")
	for _, a := range []struct {
		name   string
		breach list
		reason string
	}{
		{"without a login", list(nil).relogin(1), "at which it did not log in"},
		{"under no action", list(nil).auth(1, "hello").relogin(0), "was dialed"},
		{"under another action", list(nil).auth(1, "hello").done(1).connectStream(2).relogin(2), "was dialed"},
		{"after another action", list(nil).auth(1, "hello").done(1).ask(2, 0).relogin(1), "was dialed"},
		{"after done", list(nil).auth(1, "hello").done(1).relogin(1), "not the open streaming action"},
		{"a slot that is not filled", abi.AppendRelogin(list(nil).auth(1, "hello"), 1, 1, nil), "slot 1 of 2, which is not filled"},
		{"while the agent is scanned", list(nil).auth(1, "hello").scan(abi.Agent, 1).relogin(1), "while they are scanned"},
		{"while the upstream is scanned", list(nil).auth(1, "hello").scan(abi.Upstream, 0).relogin(1), "while they are scanned"},
		{"after shut", list(nil).auth(1, "hello").shut(abi.Upstream).relogin(1), "nothing is written now"},
		{"and an answer at once", list(nil).auth(1, "hello").relogin(1).auth(1, "hello"), "not connected"},
		{"and again at once", list(nil).auth(1, "hello").relogin(1).relogin(1), "not connected"},
	} {
		t.Run(a.name, func(t *testing.T) {
			breachedAfter(t, scripted(connected(), one(a.breach), nil), a.reason)
		})
	}
}

// breachedAfter is a guest that is cut off after a login; the upstream may have that.
func breachedAfter(t *testing.T, g *script, reason string) {
	t.Helper()
	r := start(t, g, filled)
	r.write(r.agent, tenBytes)
	if got := string(collect(r.upstream)); got != "" && got != "HELLO" {
		t.Errorf("the upstream got %q", got)
	}
	if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, reason) {
		t.Errorf("ended with %+v, want %q", e, reason)
	}
}

// refusedOnce logs in with what it hears first of each upstream, and again where the second thing it hears is "no".
func refusedOnce(events *[]abi.Event) *script {
	var heard string
	g := &script{open: one(connected())}
	g.data = func(side abi.Side, p []byte, end bool) []list {
		switch {
		case side == abi.Agent && end:
			return one(list(nil).shut(abi.Upstream))
		case side == abi.Agent:
			return one(list(nil).pass(1, uint64(len(p))))
		case end:
			return one(list(nil).shut(abi.Agent))
		}
		heard += string(p)
		switch heard {
		case "who?":
			return one(abi.AppendDrop(list(nil).auth(1, "hello"), abi.Upstream, 4))
		case "who?no":
			heard = ""
			return one(list(nil).relogin(1))
		case "who?yes":
			return one(list(nil).passBack(3))
		}
		return nil
	}
	g.event = func(e abi.Event) []list {
		*events = append(*events, e)
		if e.Kind == abi.KindAuthFailed {
			return one(list(nil).send("sorry").close("refused"))
		}
		return nil
	}
	return g
}

// kinds are those of events, but for verdicts.
func kinds(events []abi.Event) (list []abi.Kind) {
	for _, e := range events {
		if e.Kind != abi.KindVerdict {
			list = append(list, e.Kind)
		}
	}
	return list
}

func TestRelogin(t *testing.T) {
	var events []abi.Event
	conn, second := tcpPair(t)
	r := start(t, refusedOnce(&events), func(cfg *Config, s *session) {
		filled(cfg, s)
		s.relogin = func() (Conn, error) { return conn, nil }
	})
	r.write(r.upstream, "who?")
	r.read(r.upstream, "HELLO")
	r.write(r.upstream, "no")
	if rest := collect(r.upstream); len(rest) > 0 {
		t.Errorf("the first upstream got %q after it had refused", rest)
	}
	r.write(second, "who?")
	r.read(second, "HELLO")
	r.write(r.agent, "from the agent")
	r.read(second, "from the agent")
	r.write(second, "yes")
	r.read(r.agent, "yes")
	_ = r.agent.CloseWrite()
	r.readEnd(second, "")
	_ = second.Close()
	r.readEnd(r.agent, "")
	if e := r.wait(); e.FailClosed || e.Written[abi.Agent] != 3 {
		t.Errorf("ended with %+v", e)
	}
	if got := kinds(events); !slices.Equal(got, []abi.Kind{abi.KindConnected, abi.KindConnected}) || !slices.Equal(r.session.words, []string{`no\n`}) {
		t.Errorf("the guest heard %v, the session %q", got, r.session.words)
	}
}

// TestReloginFails: no newer secret, one that is refused as well, and a session that knows of none: the guest hears of it once and can tell the agent.
func TestReloginFails(t *testing.T) {
	for name, test := range map[string]struct {
		refusals int
		change   func(t *testing.T, cfg *Config, s *session)
		told     string
	}{
		"no newer secret": {1, func(*testing.T, *Config, *session) {}, "no newer secret here"},
		"the upstream is gone": {1, func(_ *testing.T, _ *Config, s *session) {
			s.relogin = func() (Conn, error) { return nil, errors.New("gone") }
		}, "gone"},
		"refused as well": {2, func(t *testing.T, _ *Config, s *session) {
			conn, second := tcpPair(t)
			s.relogin = func() (Conn, error) {
				_, err := second.Write([]byte("who?"))
				go func() {
					b := make([]byte, 5)
					if _, err := second.Read(b); err == nil {
						_, _ = second.Write([]byte("no"))
					}
				}()
				return conn, err
			}
		}, loginRefused},
		"nobody knows": {1, func(_ *testing.T, cfg *Config, s *session) { cfg.Session = struct{ Session }{s} }, loginRefused},
	} {
		t.Run(name, func(t *testing.T) {
			var events []abi.Event
			r := start(t, refusedOnce(&events), func(cfg *Config, s *session) {
				filled(cfg, s)
				test.change(t, cfg, s)
			})
			r.write(r.upstream, "who?")
			r.read(r.upstream, "HELLO")
			r.write(r.upstream, "no")
			r.readEnd(r.agent, "sorry")
			_ = r.agent.Close()
			r.wait()
			last := events[len(events)-1]
			if last.Kind != abi.KindAuthFailed || last.Reason != test.told {
				t.Errorf("the guest heard %+v", events)
			}
			if n := len(r.session.words); name != "nobody knows" && n != test.refusals {
				t.Errorf("the operator heard of %d refusals", n)
			}
		})
	}
}

// TestRefusedSecret: of a secret that was written only the operator hears.
func TestRefusedSecret(t *testing.T) {
	g := scripted(connected(), one(list(nil).secret(1).pass(1, 5).relogin(1).pass(1, 5)), nil)
	r := start(t, g, filled)
	r.write(r.agent, tenBytes)
	r.read(r.upstream, "<secret>"+tenBytes)
	r.stop()
	r.wait()
	if !slices.Equal(r.session.words, []string{`no\n`}) {
		t.Errorf("the operator heard %q", r.session.words)
	}
}

// TestReloginAndLeave: an agent that leaves while the gateway dials anew ends the connection, whatever comes of the dial.
func TestReloginAndLeave(t *testing.T) {
	var events []abi.Event
	dialing, release := make(chan bool), make(chan bool)
	conn, second := tcpPair(t)
	r := start(t, refusedOnce(&events), func(cfg *Config, s *session) {
		filled(cfg, s)
		s.relogin = func() (Conn, error) {
			close(dialing)
			<-release
			return conn, nil
		}
	})
	r.write(r.upstream, "who?")
	r.read(r.upstream, "HELLO")
	r.write(r.upstream, "no")
	<-dialing
	_ = r.agent.SetLinger(0)
	_ = r.agent.Close()
	close(release)
	r.wait()
	collect(second)
}
