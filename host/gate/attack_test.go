package gate

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

const tenBytes = "0123456789"

// attack is something that a guest says once it has the ten bytes of its agent, and a benign twin of it.
type attack struct {
	name    string
	open    list   // nil: dialing()
	breach  []list // what is cut off
	reason  string // is in the reason
	allowed string // all that may have reached the upstream
	events  map[uint32]list

	twinOpen list
	twin     []list // passes
	passes   string // this to the upstream
}

// scripted says lists once it has ten bytes of the agent, and answers[id] to the verdict about id.
func scripted(open list, lists []list, answers map[uint32]list) *script {
	if open == nil {
		open = dialing()
	}
	g := &script{open: []list{open}}
	have := 0
	g.data = func(side abi.Side, p []byte, end bool) []list {
		if side == abi.Agent && len(p) > 0 {
			if have += len(p); have == len(tenBytes) {
				return lists
			}
			return nil
		}
		return shutEnds(side, p, end)
	}
	g.event = func(e abi.Event) []list {
		if l := answers[e.ID]; e.Kind == abi.KindVerdict && l != nil {
			return []list{l}
		}
		return nil
	}
	return g
}

func one(l list) []list { return []list{l} }

var attacks = []attack{
	{name: "pass what was never asked about", breach: one(list(nil).pass(2, 10)), reason: "not an allowed action",
		twin: one(list(nil).ask(2, 10).pass(2, 10)), passes: tenBytes},
	{name: "pass under no action", breach: one(list(nil).pass(0, 10)), reason: "not an allowed action",
		twin: one(list(nil).ask(2, 10).pass(2, 10)), passes: tenBytes},
	{name: "pass under the connect action", breach: one(list(nil).pass(1, 1)), reason: "outside of action 1",
		twinOpen: list(nil).action(1, 10, 0, 0, title).dial(1), twin: one(list(nil).pass(1, 10)), passes: tenBytes},
	{name: "pass what was denied", breach: one(list(nil).deny(2, 10)), events: map[uint32]list{2: list(nil).pass(2, 10)},
		reason: "not an allowed action", twin: one(list(nil).deny(2, 10)), passes: ""},
	{name: "pass under another action than the one that covers it", breach: one(list(nil).ask(2, 5)),
		events: map[uint32]list{2: list(nil).ask(3, 5).pass(3, 5)}, reason: "outside of action 3",
		twin: one(list(nil).ask(2, 5).pass(2, 5)), passes: "01234"},
	{name: "pass one byte beyond the range", breach: one(list(nil).ask(2, 9).pass(2, 10)), reason: "outside of action 2",
		twin: one(list(nil).ask(2, 9).pass(2, 9).drop(1)), passes: "012345678"},
	{name: "pass the range and then one byte", breach: one(list(nil).ask(2, 9).pass(2, 9).pass(2, 1)), reason: "outside of action 2",
		allowed: "012345678", twin: one(list(nil).ask(2, 9).pass(2, 4).pass(2, 5)), passes: "012345678"},
	{name: "drop what is covered and pass what is not", breach: one(list(nil).ask(2, 5).drop(5).pass(2, 5)), reason: "outside of action 2",
		twin: one(list(nil).ask(2, 5).drop(2).pass(2, 3)), passes: "234"},
	{name: "pass 2^63 bytes", breach: one(list(nil).stream(2).pass(2, 1<<63)), reason: "outside of action 2",
		twin: one(list(nil).stream(2).pass(2, math.MaxInt64)), passes: tenBytes},
	{name: "pass 2^64-1 bytes", breach: one(list(nil).stream(2).pass(2, 1).pass(2, math.MaxUint64)), reason: "outside of action 2",
		allowed: "0", twin: one(list(nil).stream(2).pass(2, 1)), passes: "0"},
	{name: "pass a sum that overflows", breach: one(list(nil).stream(2).pass(2, math.MaxInt64).pass(2, 1)), reason: "outside of action 2",
		allowed: tenBytes, twin: one(list(nil).stream(2).pass(2, math.MaxInt64-1).pass(2, 1)), passes: tenBytes},
	{name: "drop so much that the sum overflows", breach: one(list(nil).ask(2, 10).drop(math.MaxUint64).pass(2, 1)),
		reason: "more bytes of the agent than a stream can have", twin: one(list(nil).ask(2, 10).drop(9).pass(2, 1)), passes: "9"},
	{name: "pass more of the upstream than there can be", breach: one(list(nil).passBack(math.MaxInt64).passBack(1)),
		reason: "more bytes of the upstream than a stream can have", twin: one(list(nil).passBack(math.MaxInt64)), passes: ""},
	{name: "an extent that overflows", breach: one(list(nil).ask(2, math.MaxUint64).pass(2, 10)), reason: "more than a stream can have",
		twin: one(list(nil).ask(2, math.MaxInt64).pass(2, 10)), passes: tenBytes},
	{name: "extents that overflow together", breach: one(list(nil).ask(2, math.MaxInt64)), events: map[uint32]list{2: list(nil).ask(3, 1).pass(3, 1)},
		reason: "more than a stream can have", twin: one(list(nil).ask(2, math.MaxInt64).pass(2, 3)), passes: "012"},
	{name: "a large extent taken for a streaming action", breach: one(list(nil).ask(2, math.MaxInt64).done(2)),
		reason: "not an open streaming action", twin: one(list(nil).stream(2).pass(2, 10).done(2)), passes: tenBytes},
	{name: "pass under a finished streaming action", breach: one(list(nil).stream(2).pass(2, 4).done(2).pass(2, 1)),
		reason: "outside of action 2", allowed: "0123", twin: one(list(nil).stream(2).pass(2, 4).pass(2, 1).done(2)), passes: "01234"},
	{name: "a streaming action with an extent", breach: one(list(nil).action(2, 10, abi.AskStreaming, 1, title).pass(2, 10)),
		reason: "has no extent", twin: one(list(nil).stream(2).pass(2, 10)), passes: tenBytes},
	{name: "ask again about denied bytes", breach: one(list(nil).deny(2, 5)), events: map[uint32]list{
		2: list(nil).stream(3).done(3), 3: list(nil).ask(4, 5).pass(4, 5)}, reason: "outside of action 4",
		twin: one(list(nil).ask(2, 10).pass(2, 5)), passes: "01234"},
	{name: "ask before the verdict", breach: one(list(nil).ask(2, 1).ask(3, 1)), reason: "not decided yet",
		twin: one(list(nil).ask(2, 1).pass(2, 1)), passes: "0"},
	{name: "ask before the verdict, in what follows", breach: []list{list(nil).ask(2, 1), list(nil).ask(3, 1)}, reason: "not decided yet",
		twin: []list{list(nil).ask(2, 1), list(nil).pass(2, 1)}, passes: "0"},
	{name: "an id again", breach: one(list(nil).ask(2, 5)), events: map[uint32]list{2: list(nil).ask(2, 5).pass(2, 10)},
		reason: "id 2 does not follow 2", twin: one(list(nil).ask(7, 5).pass(7, 5)), passes: "01234"},
	{name: "id 0", open: list(nil).connect(0), reason: "id 0 does not follow 0"},
	{name: "an unknown family", breach: one(list(nil).action(2, 10, 0, 9, title).pass(2, 10)), reason: "family 9 of 2",
		twin: one(list(nil).action(2, 10, 0, 0, title).pass(2, 10)), passes: tenBytes},
	{name: "unknown flags of ask", breach: one(list(nil).action(2, 10, 0x20, 1, title).pass(2, 10)), reason: "flags 0x20"},

	{name: "dial under a denied action", open: list(nil).action(1, 0, 0, 0, "deny"), events: map[uint32]list{1: list(nil).dial(1)},
		reason: "dials under action 1"},
	{name: "dial under what is no connect action", open: list(nil).ask(1, 0).dial(1), reason: "dials under action 1"},
	{name: "dial under an unknown action", open: list(nil).connect(1).dial(2), reason: "dials under action 2"},
	{name: "dial under no action", open: list(nil).dial(0), reason: "dials under action 0"},
	{name: "dial twice", breach: one(list(nil).dial(1)), reason: "a second time", twin: one(nil)},
	{name: "dial twice at once", open: dialing().dial(1), reason: "a second time"},

	{name: "send to the upstream under an ordinary action", breach: one(list(nil).ask(2, 10).sendUp(2, "x")), reason: "bytes of its own to the upstream",
		twin: one(list(nil).stream(2).sendUp(2, "x").pass(2, 10)), passes: "x" + tenBytes},
	{name: "send to the upstream under a finished action", breach: one(list(nil).stream(2).done(2).sendUp(2, "x")), reason: "not an open streaming action",
		twin: one(list(nil).stream(2).sendUp(2, "x").done(2)), passes: "x"},
	{name: "send to the upstream under a denied action", breach: one(list(nil).action(2, 0, abi.AskStreaming, 1, "deny")),
		events: map[uint32]list{2: list(nil).sendUp(2, "x")}, reason: "not an open streaming action"},
	{name: "send to the upstream under no action", breach: one(list(nil).sendUp(0, "x")), reason: "not an open streaming action"},
	{name: "send too much to the upstream", breach: one(list(nil).stream(2).sendUp(2, strings.Repeat("x", mostSent)).sendUp(2, "x")),
		reason: "more than 65536 bytes of its own", allowed: strings.Repeat("x", mostSent),
		twin: one(list(nil).stream(2).sendUp(2, strings.Repeat("x", mostSent))), passes: strings.Repeat("x", mostSent)},
	{name: "send to the agent under an action", breach: one(abi.AppendSend(nil, abi.Agent, 1, []byte("x"))), reason: "bytes of its own to the agent"},
	{name: "pass bytes of the upstream under an action", breach: one(abi.AppendPass(nil, abi.Upstream, 1, 1)), reason: "of the upstream under action 1"},
	{name: "a constant that is not declared", breach: one(list(nil).stock(1)), reason: "constant 1 of 1",
		twin: one(list(nil).stock(0)), passes: "PING"},
	{name: "pass after shut", breach: one(list(nil).ask(2, 10).shut(abi.Upstream).pass(2, 10)), reason: "after it was shut",
		twin: one(list(nil).ask(2, 10).pass(2, 10).shut(abi.Upstream)), passes: tenBytes},
	{name: "a constant after shut", breach: one(list(nil).shut(abi.Upstream).stock(0)), reason: "after it was shut",
		twin: one(list(nil).stock(0).shut(abi.Upstream)), passes: "PING"},
	{name: "a note about an unknown action", breach: one(list(nil).note(2, "rows", "1")), reason: "never asked about",
		twin: one(list(nil).note(1, "rows", "1")), passes: ""},
	{name: "a note about no action", breach: one(list(nil).note(0)), reason: "never asked about"},
	{name: "done twice", breach: one(list(nil).stream(2).done(2).done(2)), reason: "not an open streaming action",
		twin: one(list(nil).stream(2).done(2)), passes: ""},
	{name: "done of an ordinary action", breach: one(list(nil).ask(2, 10).done(2)), reason: "not an open streaming action"},
	{name: "done of nothing", breach: one(list(nil).done(0)), reason: "not an open streaming action"},

	{name: "an unknown command", breach: one(list{0xff, 0, 0, 0, 0}.stock(0)), reason: "cannot be read"},
	{name: "garbage behind what is allowed", breach: one(append(list(nil).ask(2, 10).pass(2, 10), "garbage"...)), reason: "cannot be read", allowed: tenBytes},
	{name: "a length past the list", breach: one(list{byte(abi.TagStock), 0xff, 0xff, 0xff, 0xff, 0, 0}), reason: "cut short"},
	{name: "an unknown side", breach: one(abi.AppendDrop(nil, 2, 1)), reason: "side 2"},
}

func TestAttacks(t *testing.T) {
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			breached(t, scripted(a.open, a.breach, a.events), a.reason, a.allowed)
		})
		if a.twin == nil {
			continue
		}
		t.Run("twin of "+a.name, func(t *testing.T) {
			r := start(t, scripted(a.twinOpen, a.twin, nil), nil)
			passed(r, a.passes)
		})
	}
}

// breached serves an agent that sends ten bytes to a guest which is cut off.
func breached(t *testing.T, g *script, reason, allowed string) {
	t.Helper()
	breachedWith(t, g, nil, reason, allowed)
}

func breachedWith(t *testing.T, g *script, change func(cfg *Config, s *session), reason, allowed string) {
	t.Helper()
	r := start(t, g, change)
	_, sent := r.agent.Write([]byte(tenBytes)) // fails when the guest was cut off before
	e := r.wait()
	if !e.FailClosed || !strings.Contains(e.Reason, reason) {
		t.Errorf("ended with %+v, want fail-closed and %q", e, reason)
	}
	_ = r.session.conn.Close() // had it not been dialed
	if got := string(collect(r.upstream)); !strings.HasPrefix(allowed, got) {
		t.Errorf("%q reached the upstream, %q was allowed", got, allowed)
	}
	if sent == nil {
		r.readReset(r.agent)
	}
}

// passed has the agent send ten bytes, and checks what of them reaches the upstream in good order.
func passed(r *rig, passes string) {
	r.t.Helper()
	r.write(r.agent, tenBytes)
	_ = r.agent.CloseWrite()
	r.readEnd(r.upstream, passes)
	_ = r.upstream.Close()
	collect(r.agent)
	if e := r.wait(); e.FailClosed {
		r.t.Errorf("ended with %+v", e)
	}
}

func TestListCutShort(t *testing.T) {
	whole := list(nil).stock(0).ask(2, 10).pass(2, 10)
	for cut := 1; cut < len(whole); cut++ {
		if cut == len(list(nil).stock(0)) || cut == len(list(nil).stock(0).ask(2, 10)) {
			continue // whole commands
		}
		breached(t, scripted(nil, one(whole[:cut]), nil), "cannot be read", "PING")
	}
	passed(start(t, scripted(nil, one(whole), nil), nil), "PING"+tenBytes)
}

func TestAskWhileStreaming(t *testing.T) {
	g := scripted(nil, one(list(nil).stream(2)), map[uint32]list{2: list(nil).ask(3, 1).pass(3, 1)})
	breached(t, g, "still open", "")
	g = scripted(nil, one(list(nil).stream(2).pass(2, 4).done(2)), map[uint32]list{2: list(nil).ask(3, 6).pass(3, 6)})
	passed(start(t, g, nil), tenBytes)
}

func TestPlannedBehindShut(t *testing.T) {
	// The shut stands behind an eleventh byte that has not come: the pass behind it is cut off once it would be written.
	send := func(last list) *rig {
		g := scripted(nil, one(list(nil).stream(2).pass(2, 11).shut(abi.Upstream)), map[uint32]list{2: last})
		r := start(t, g, nil)
		r.write(r.agent, tenBytes)
		r.read(r.upstream, tenBytes)
		r.write(r.agent, "ab")
		return r
	}
	r := send(list(nil).pass(2, 1))
	if e := r.wait(); !e.FailClosed || !strings.Contains(e.Reason, "after it was shut") {
		t.Errorf("ended with %+v", e)
	}
	if got := string(collect(r.upstream)); got != "" && got != "a" {
		t.Errorf("%q reached the upstream", got)
	}
	r = send(list(nil).drop(1))
	r.readEnd(r.upstream, "a")
	_ = r.upstream.Close()
	_ = r.agent.CloseWrite()
	collect(r.agent)
	if e := r.wait(); e.FailClosed {
		t.Errorf("ended with %+v", e)
	}
}

func TestAfterClose(t *testing.T) {
	r := start(t, scripted(nil, one(list(nil).ask(2, 10).close("that is all").pass(2, 10).stock(0)), nil), nil)
	r.write(r.agent, tenBytes)
	r.readEnd(r.upstream, "")
	_ = r.agent.CloseWrite()
	if e := r.wait(); e.FailClosed || e.Reason != "that is all" {
		t.Errorf("ended with %+v", e)
	}
	r = start(t, scripted(nil, one(list(nil).ask(2, 10).pass(2, 10).stock(0).close("a\nb")), nil), nil)
	r.write(r.agent, tenBytes)
	r.readEnd(r.upstream, tenBytes+"PING")
	_ = r.agent.CloseWrite()
	if e := r.wait(); e.FailClosed || e.Reason != `a\nb` {
		t.Errorf("ended with %+v", e)
	}
	r = start(t, scripted(nil, one(abi.AppendClose(nil, true, "not understood")), nil), nil)
	r.write(r.agent, tenBytes)
	r.readEnd(r.agent, "")
	_ = r.agent.CloseWrite()
	if e := r.wait(); !e.FailClosed || e.Reason != "not understood" {
		t.Errorf("ended with %+v", e)
	}
}

// A denial makes void what stands behind it in its list and what "more" would bring.
func TestDenialVoids(t *testing.T) {
	for _, c := range []struct {
		name   string
		lists  []list
		passes string
	}{
		{"denied", []list{list(nil).stock(0).deny(2, 10).stock(0).pass(2, 10), list(nil).stock(0)}, "PING"},
		{"denied in what follows", []list{list(nil).stock(0), list(nil).deny(2, 10).stock(0), list(nil).stock(0)}, "PING"},
		{"allowed", []list{list(nil).stock(0).ask(2, 10).stock(0).pass(2, 10), list(nil).stock(0)}, "PINGPING" + tenBytes + "PING"},
	} {
		t.Run(c.name, func(t *testing.T) {
			passed(start(t, scripted(nil, c.lists, nil), nil), c.passes)
		})
	}
}

func TestGuestFails(t *testing.T) {
	for _, call := range []string{"open", "data", "event", "more"} {
		g := scripted(nil, []list{list(nil).ask(2, 10), list(nil).pass(2, 10)}, nil)
		g.fail = func(c string) error {
			if c == call {
				return errors.New("unreachable executed")
			}
			return nil
		}
		allowed := "" // the step's bytes are not out before it has ended
		breached(t, g, "the plugin: unreachable executed", allowed)
	}
}
