package gate

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// filled declares two slots, the first of which is filled, and has the session answer logins in capitals.
func filled(cfg *Config, s *session) {
	cfg.Manifest.Slots = []abi.Slot{{Name: "password", Form: "postgres"}, {Name: "key", Form: "postgres"}}
	cfg.Facts.Slots = []string{"password"}
	s.auth = func(slot int, words []byte) ([]byte, error) {
		if slot != 0 || string(words) == "unwelcome" {
			return nil, errors.New("no answer to " + string(words))
		}
		return bytes.ToUpper(words), nil
	}
}

func connected() list { return list(nil).connectStream(1).dial(1) }

func TestAuthAttacks(t *testing.T) {
	withSlot := func(slot uint16) list { return abi.AppendAuth(nil, 1, slot, []byte("hello")) }
	for _, a := range []struct {
		name   string
		open   list
		breach list
		events map[uint32]list
		reason string
	}{
		{"before the upstream is connected", connected().auth(1, "hello"), nil, nil, "not connected"},
		{"without a dial", list(nil).connectStream(1), list(nil).auth(1, "hello"), nil, "was dialed"},
		{"under no action", nil, list(nil).auth(0, "hello"), nil, "was dialed"},
		{"under an ordinary connect action", dialing(), list(nil).auth(1, "hello"), nil, "not the open streaming action"},
		{"under another streaming action", nil, list(nil).done(1).stream(2).auth(2, "hello"), nil, "was dialed"},
		{"under another connect action", nil, list(nil).done(1).connectStream(2).auth(2, "hello"), nil, "was dialed"},
		{"after done", nil, list(nil).done(1).auth(1, "hello"), nil, "not the open streaming action"},
		{"after another action", list(nil).ask(1, 0), nil, map[uint32]list{1: list(nil).connectStream(2).dial(2)}, "first action"},
		{"after a denied action", list(nil).deny(1, 0), nil, map[uint32]list{1: list(nil).connectStream(2).dial(2)}, "first action"},
		{"a slot that is not filled", nil, withSlot(1), nil, "slot 1 of 2, which is not filled"},
		{"a slot that is not declared", nil, withSlot(2), nil, "slot 2 of 2"},
		{"while the agent is scanned", nil, list(nil).scan(abi.Agent, 1).auth(1, "hello"), nil, "while they are scanned"},
		{"after shut", nil, list(nil).shut(abi.Upstream).auth(1, "hello"), nil, "after it was shut"},
	} {
		t.Run(a.name, func(t *testing.T) {
			if a.open == nil {
				a.open = connected()
			}
			if a.breach == nil {
				a.breach = list(nil).auth(2, "hello")
			}
			breachedWith(t, scripted(a.open, one(a.breach), a.events), filled, a.reason, "")
		})
	}
}

func TestAuth(t *testing.T) {
	g := scripted(connected(), one(list(nil).pass(1, 1).auth(1, "hello").auth(1, "again").pass(1, 9)), nil)
	passed(start(t, g, filled), "0HELLOAGAIN123456789")

	// An answer stands behind bytes that are passed and have not come.
	g = scripted(connected(), one(list(nil).pass(1, 12).auth(1, "hello")), nil)
	r := start(t, g, filled)
	r.write(r.agent, tenBytes)
	r.read(r.upstream, tenBytes)
	r.write(r.agent, "ab")
	r.read(r.upstream, "abHELLO")
	r.stop()
	r.wait()
}

// The guest hears once that a login failed, and then there is none.
func TestAuthFails(t *testing.T) {
	for _, again := range []bool{false, true} {
		var failure abi.Event
		g := scripted(connected(), []list{list(nil).auth(1, "unwelcome"), list(nil).pass(1, 3)}, nil)
		g.event = func(e abi.Event) []list {
			if e.Kind != abi.KindAuthFailed {
				return nil
			}
			failure = e
			if again {
				return one(list(nil).auth(1, "hello"))
			}
			return one(list(nil).drop(7))
		}
		if again {
			breachedWith(t, g, filled, "a login that has failed", "012")
		} else {
			passed(start(t, g, filled), "012")
		}
		if want := (abi.Event{Kind: abi.KindAuthFailed, Reason: "no answer to unwelcome"}); failure != want {
			t.Errorf("event %+v, want %+v", failure, want)
		}
	}
}

// mirrored has aliases that are their originals backwards.
func mirrored(_ *Config, s *session) {
	mirror := func(p []byte) []byte {
		p = bytes.Clone(p)
		for i := range len(p) / 2 {
			p[i], p[len(p)-1-i] = p[len(p)-1-i], p[i]
		}
		return p
	}
	s.alias = func(p []byte) ([]byte, error) {
		switch string(p) {
		case "none":
			return nil, errors.New("there is none")
		case "long":
			return []byte("longer"), nil
		}
		return mirror(p), nil
	}
	s.unalias = func(p []byte) ([]byte, bool) {
		if string(p) == "5678" {
			return []byte("longer"), true
		}
		return mirror(p), string(p) != "6789"
	}
}

func TestUnalias(t *testing.T) {
	g := scripted(nil, one(list(nil).ask(2, 10).pass(2, 2).unalias(2, 4).pass(2, 4)), nil)
	passed(start(t, g, mirrored), "01"+"5432"+"6789")

	for _, a := range []struct {
		name   string
		breach list
		reason string
	}{
		{"outside of the action", list(nil).ask(2, 5).unalias(2, 6), "outside of action 2"},
		{"under no action", list(nil).unalias(0, 4), "not an allowed action"},
		{"under a denied action", list(nil).ask(2, 5).unalias(3, 5), "not an allowed action"},
		{"more than was shown", list(nil).stream(2).unalias(2, 11), "not all of which it was shown"},
		{"behind bytes that have not come", list(nil).stream(2).drop(11).unalias(2, 4), "not all of which it was shown"},
		{"while it is scanned", list(nil).stream(2).scan(abi.Agent, 2).unalias(2, 4), "while they are scanned"},
		{"of another length", list(nil).stream(2).drop(5).unalias(2, 4), "not as long"},
		{"of no length", abi.AppendUnalias(list(nil).stream(2), 2, 0), "cannot be read"},
	} {
		t.Run(a.name, func(t *testing.T) {
			breachedWith(t, scripted(nil, one(a.breach), nil), mirrored, a.reason, "")
		})
	}
}

// An alias that is not known ends the connection without a word.
func TestUnknownAlias(t *testing.T) {
	g := scripted(nil, one(list(nil).ask(2, 10).pass(2, 6).unalias(2, 4).stock(0)), nil)
	r := start(t, g, mirrored)
	r.write(r.agent, tenBytes)
	_ = r.agent.CloseWrite()
	r.readEnd(r.upstream, "012345")
	_ = r.upstream.Close()
	collect(r.agent)
	if e := r.wait(); e.FailClosed || !strings.Contains(e.Reason, "alias that is not known") {
		t.Errorf("ended with %+v", e)
	}
}

func TestAlias(t *testing.T) {
	run := func(from string, l list) *rig {
		g := &script{open: []list{dialing()}}
		have := ""
		g.data = func(side abi.Side, p []byte, end bool) []list {
			if side == abi.Upstream && !end {
				if have += string(p); have == from { // delivered in whatever pieces
					return one(l)
				}
				return nil
			}
			return one(list(nil).shut(side.Other()))
		}
		r := start(t, g, mirrored)
		r.write(r.upstream, from)
		return r
	}
	end := func(r *rig) {
		_ = r.upstream.CloseWrite()
		_ = r.agent.CloseWrite()
		collect(r.upstream)
	}
	r := run("key abcd.", list(nil).passBack(4).alias(4).passBack(1))
	r.read(r.agent, "key dcba.")
	end(r)
	r.wait()
	r = run("abcdefghijklmnop", list(nil).alias(4).alias(4).alias(4).alias(4))
	r.read(r.agent, "dcbahgfelkjiponm")
	end(r)
	if e := r.wait(); e.FailClosed || e.Written[abi.Agent] != 16 {
		t.Errorf("ended with %+v", e)
	}
	for _, a := range []struct {
		from   string
		breach list
		reason string
	}{
		{"abcdefghijklmnopqrst", list(nil).alias(4).alias(4).alias(4).alias(4).alias(4), "more than 4 aliases"},
		{"abc", list(nil).alias(4), "not all of which it was shown"},
		{"abcdefgh", list(nil).passBack(5).alias(4), "not all of which it was shown"},
		{"abcd", list(nil).passBack(5).alias(4), "not all of which it was shown"},
		{"none", list(nil).alias(4), "there is none"},
		{"long", list(nil).alias(4), "not as long"},
		{"abcd", list(nil).scan(abi.Upstream, 0).alias(4), "while they are scanned"},
	} {
		r := run(a.from, a.breach)
		if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, a.reason) {
			t.Errorf("%s: ended with %+v, want %q", a.from, e, a.reason)
		}
	}
}

// Sent bytes keep their place behind passed ones that have not come.
func TestSendUpBehindBytesToCome(t *testing.T) {
	r := start(t, scripted(nil, one(list(nil).stream(2).pass(2, 12).sendUp(2, "own").pass(2, 1)), nil), nil)
	r.write(r.agent, tenBytes)
	r.read(r.upstream, tenBytes)
	r.write(r.agent, "abc")
	r.read(r.upstream, "abownc")
	r.stop()
	r.wait()
}

// A quiet question has no answer but a denial.
func TestQuiet(t *testing.T) {
	var heard []abi.Event
	quietly := func(asked list, answers map[uint32]list) *script {
		heard = nil
		g := scripted(nil, one(asked), answers)
		answer := g.event
		g.event = func(e abi.Event) []list {
			if e.ID > 1 {
				heard = append(heard, e)
			}
			return answer(e)
		}
		return g
	}
	const quiet = abi.AskQuiet
	g := quietly(list(nil).action(2, 5, quiet, 1, title).pass(2, 5).action(3, 5, quiet, 1, title).pass(3, 5), nil)
	passed(start(t, g, nil), tenBytes)
	if len(heard) != 0 {
		t.Errorf("events %+v", heard)
	}
	g = quietly(list(nil).action(2, 5, quiet, 1, title).pass(2, 5).action(3, 5, quiet, 1, "deny").pass(3, 5), map[uint32]list{3: list(nil).drop(5)})
	passed(start(t, g, nil), "01234")
	if len(heard) != 1 || heard[0].Outcome != abi.Deny || heard[0].ID != 3 {
		t.Errorf("events %+v", heard)
	}
	breached(t, quietly(list(nil).action(2, 5, quiet, 1, "deny"), map[uint32]list{2: list(nil).pass(2, 5)}), "not an allowed action", "")
	breached(t, quietly(list(nil).action(2, 5, quiet, 1, title).pass(2, 6), nil), "outside of action 2", "")
}
