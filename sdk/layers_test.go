package sdk_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// onLetter calls what is given for the letter that stands first in the unread bytes, having dropped it.
func onLetter(shown *[]string, do map[byte]func(c *sdk.Conn)) *plain {
	return &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		*shown = append(*shown, fmt.Sprintf("%v %s", side, p))
		if len(p) == 0 || do[p[0]] == nil {
			return 0
		}
		c.Drop(side, 1)
		do[p[0]](c)
		return 1
	}}
}

// Once TLS or a scan has a side, its unread bytes are forgotten and nothing of it is shown before the event.
func TestUnreadGoesBack(t *testing.T) {
	for _, kind := range []abi.Kind{abi.KindSecured, abi.KindScanned} {
		var shown []string
		away := func(side abi.Side) func(c *sdk.Conn) {
			return func(c *sdk.Conn) {
				if kind == abi.KindSecured {
					c.StartTLS(side)
				} else {
					c.Scan(side, 0, abi.Framing{Head: 1, LengthWidth: 1, Max: 9}, abi.Types('d'))
				}
			}
		}
		h := newHost(t, onLetter(&shown, map[byte]func(c *sdk.Conn){'A': away(abi.Agent), 'U': away(abi.Upstream)})).open()
		h.deliver(abi.Agent, "Arest").deliver(abi.Upstream, "xyz").event(abi.Event{Kind: kind, Side: abi.Agent})
		h.deliver(abi.Agent, "new").deliver(abi.Agent, "er").event(abi.Event{Kind: abi.KindConnected})
		want := "agent Arest|upstream xyz|agent new|agent newer"
		if got := strings.Join(shown, "|"); got != want {
			t.Errorf("shown %s, want %s", got, want)
		}

		// The same from the other side's bytes.
		shown = nil
		h = newHost(t, onLetter(&shown, map[byte]func(c *sdk.Conn){'A': away(abi.Agent), 'U': away(abi.Upstream)})).open()
		h.deliver(abi.Upstream, "xyz").deliver(abi.Agent, "U").event(abi.Event{Kind: kind, Side: abi.Upstream}).deliver(abi.Upstream, "new")
		if got := strings.Join(shown, "|"); got != "upstream xyz|agent U|upstream new" {
			t.Errorf("shown %s", got)
		}
	}
}

// A denial gives back what was unread behind a question, when the rest of its step was to begin TLS.
func TestDenialUndoesTLS(t *testing.T) {
	for _, outcome := range []abi.Outcome{abi.Allow, abi.Deny} {
		var shown []string
		p := onLetter(&shown, map[byte]func(c *sdk.Conn){'A': func(c *sdk.Conn) {
			c.Ask(0, abi.ClassRead, "t").Do(0, 0)
			c.StartTLS(abi.Upstream)
			c.StartTLS(abi.Agent)
		}})
		h := newHost(t, p)
		h.decide = func(*abi.Action) abi.Outcome { return outcome }
		h.open().deliver(abi.Upstream, "xyz").deliver(abi.Agent, "Arest")
		want := "upstream xyz|agent Arest"
		if outcome == abi.Deny {
			want += "|upstream xyz|agent rest"
		}
		if got := strings.Join(shown, "|"); got != want {
			t.Errorf("%v: shown %s, want %s", outcome, got, want)
		}
	}
}

func TestLayerCommands(t *testing.T) {
	h := newHost(t, &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		c.Send(abi.Upstream, 7, []byte("own"))
		c.Auth(7, 1, []byte("words"))
		c.Pass(abi.Upstream, 0, 1)
		c.Alias(4)
		c.Pass(abi.Upstream, 0, 1)
		c.Unalias(7, 8)
		c.Auth(7, 1, make([]byte, abi.MaxAuth+1))
		c.StartTLS(abi.Agent)
		c.Scan(abi.Agent, 0, abi.Framing{}, abi.Types())
		c.Alias(4)
		c.Unalias(7, 8)
		c.Auth(7, 1, nil)
		return len(p)
	}}).open().deliver(abi.Agent, "x")
	h.wantLog(`SEND upstream 7 "own"`, `AUTH 7 slot 1 "words"`, "PASS upstream 0: 1", "ALIAS 0: 4", "PASS upstream 0: 1", "UNALIAS 7: 8",
		"CLOSE true words of 16385 bytes are more than a login may have")
}

// quietly asks about each byte of the agent quietly, and passes it.
func quietly(events *[]abi.Event) *plain {
	p := asking()
	p.data = func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		if len(p) == 0 || side == abi.Upstream {
			return len(p)
		}
		c.Pass(side, c.Ask(0, abi.ClassRead, string(p[:1])).Do(1, abi.AskQuiet), 1)
		return 1
	}
	event := p.event
	p.event = func(c *sdk.Conn, e abi.Event) { *events = append(*events, e); event(c, e) }
	return p
}

// Quiet questions are asked about the same bytes in the same order, with an event for a denial only.
func TestQuiet(t *testing.T) {
	for _, cut := range []bool{false, true} {
		var events []abi.Event
		h := newHost(t, quietly(&events))
		h.decide = deny("b", "d")
		h.open()
		if cut {
			for _, s := range []string{"a", "b", "c", "d", "e"} {
				h.deliver(abi.Agent, s).deliver(abi.Upstream, "x")
			}
		} else {
			h.deliver(abi.Agent, "abcde")
		}
		h.end(abi.Agent)
		h.wantLog(`ASK 1 "a" extent 1: allow`, "PASS agent 1: 1", `ASK 2 "b" extent 1: deny`, "DROP agent 0: 1", `SEND "never"`,
			`ASK 3 "c" extent 1: allow`, "PASS agent 3: 1", `ASK 4 "d" extent 1: deny`, "DROP agent 0: 1", `SEND "never"`,
			`ASK 5 "e" extent 1: allow`, "PASS agent 5: 1")
		if len(events) != 2 || events[0].ID != 2 || events[1].ID != 4 {
			t.Errorf("events %+v", events)
		}
	}
}

// A quiet question about the last bytes at hand costs one call.
func TestQuietCostsOneCall(t *testing.T) {
	var events []abi.Event
	g := newHost(t, quietly(&events)).open().guest
	for _, s := range []string{"a", "b"} {
		if b, more, err := g.Data(abi.Agent, []byte(s), 0); err != nil || more || len(b) == 0 {
			t.Errorf("% x %v %v", b, more, err)
		}
	}
	if b, more, err := g.Data(abi.Agent, []byte("cd"), 0); err != nil || !more || len(b) == 0 {
		t.Errorf("with more at hand: % x %v %v", b, more, err)
	}
}

// A quiet question that did not fit into the first list is decided once the host has it, not before.
func TestQuietBehindMuch(t *testing.T) {
	big := make([]byte, 3*abi.MinBuffer)
	decided := 0
	h := newHost(t, &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		if len(p) == 0 {
			return 0
		}
		if p[0] == 'a' {
			c.Send(abi.Agent, 0, big)
		}
		c.Drop(side, 1)
		c.Ask(0, abi.ClassRead, string(p[:1])).Do(0, abi.AskQuiet)
		decided++
		return 1
	}}).open()
	b, more, err := h.guest.Data(abi.Agent, []byte("ab"), 0)
	for calls := 0; more; calls++ {
		if err != nil || decided > 1 && len(b) > abi.MinBuffer/2 {
			t.Fatalf("%d questions when %d calls were made, %v", decided, calls, err)
		}
		b, more, err = h.guest.Event(nil)
	}
	if decided != 2 || err != nil {
		t.Errorf("%d questions, %v", decided, err)
	}
}
