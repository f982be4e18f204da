package sdk_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func deny(titles ...string) func(a *abi.Action) abi.Outcome {
	return func(a *abi.Action) abi.Outcome {
		for _, t := range titles {
			if a.Title == t {
				return abi.Deny
			}
		}
		return abi.Allow
	}
}

func TestUnreadIsShownAgain(t *testing.T) {
	var shown []string
	h := newHost(t, &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		shown = append(shown, fmt.Sprintf("%v %s %v", side, p, end))
		n := bytes.IndexByte(p, '.') + 1
		c.Drop(side, uint64(n))
		return n
	}}).open()
	h.deliver(abi.Agent, "ab").deliver(abi.Agent, "c").deliver(abi.Upstream, "x").deliver(abi.Agent, "d.ef.g").deliver(abi.Agent, ".").end(abi.Agent)
	want := "agent ab false|agent abc false|upstream x false|agent abcd.ef.g false|agent ef.g false|agent g false|agent g. false|agent  true"
	if got := strings.Join(shown, "|"); got != want {
		t.Errorf("shown %s\nwant  %s", got, want)
	}
	h.wantLog("DROP agent 0: 10")
}

func TestEndIsToldOnce(t *testing.T) {
	var shown []string
	left := 1
	h := newHost(t, &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		shown = append(shown, fmt.Sprintf("%s %v", p, end))
		return len(p) - min(left, len(p))
	}}).open()
	h.deliver(abi.Agent, "abc").end(abi.Agent)
	if got := strings.Join(shown, "|"); got != "abc false|c false|c true" {
		t.Error("with a byte left unread:", got)
	}
	shown, left = nil, 0
	h = newHost(t, &plain{data: h.plainData(&shown)}).open()
	h.deliver(abi.Agent, "abc").end(abi.Agent).event(abi.Event{Kind: abi.KindConnected}).deliver(abi.Upstream, "x")
	if got := strings.Join(shown, "|"); got != "abc false| true|x false" {
		t.Error("with nothing left unread:", got)
	}
}

// plainData reads everything and writes down what it was shown.
func (*host) plainData(shown *[]string) func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	return func(_ *sdk.Conn, _ abi.Side, p []byte, end bool) int {
		*shown = append(*shown, fmt.Sprintf("%s %v", p, end))
		return len(p)
	}
}

// asking asks about each byte of the agent, and passes it.
func asking() *plain {
	return &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		if len(p) == 0 {
			return 0
		}
		if side == abi.Upstream {
			c.Pass(side, 0, uint64(len(p)))
			return len(p)
		}
		c.Pass(side, c.Ask(0, abi.ClassRead, string(p[:1])).Do(1, 0), 1)
		return 1
	}, event: func(c *sdk.Conn, e abi.Event) {
		if e.Kind == abi.KindVerdict && e.Outcome == abi.Deny {
			c.Drop(abi.Agent, 1)
			c.Send(abi.Agent, 0, []byte(e.Reason))
		}
	}}
}

func TestAskStopsReading(t *testing.T) {
	guest := newHost(t, asking())
	guest.open()
	b, more, err := guest.guest.Data(abi.Agent, []byte("abc"), 0)
	var c abi.Command
	rest, _ := abi.Next(b, &c)
	if c.Tag != abi.TagAsk || len(rest) != 5+13 || more || err != nil {
		t.Fatalf("% x %v %v, want one ASK and one PASS", b, more, err)
	}
	// Bytes of the upstream are shown meanwhile, those of the agent are not.
	b, _, _ = guest.guest.Data(abi.Upstream, []byte("xy"), 0)
	if rest, _ = abi.Next(b, &c); c.Tag != abi.TagPass || c.Side != abi.Upstream || len(rest) != 0 {
		t.Fatalf("% x, want a PASS of the upstream", b)
	}
	b, _, _ = guest.guest.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1}))
	if rest, _ = abi.Next(b, &c); c.Tag != abi.TagAsk || c.ID != 2 || len(rest) != 5+13 {
		t.Fatalf("% x, want the next ASK", b)
	}

	h := newHost(t, asking())
	h.decide = deny("b")
	h.open().deliver(abi.Agent, "abcd").wantLog(
		`ASK 1 "a" extent 1: allow`, "PASS agent 1: 1", `ASK 2 "b" extent 1: deny`, "DROP agent 0: 1", `SEND "never"`,
		`ASK 3 "c" extent 1: allow`, "PASS agent 3: 1", `ASK 4 "d" extent 1: allow`, "PASS agent 4: 1")
}

// What follows a denied ask is void, also what did not fit into the first list, and a Close.
func TestDenialVoidsTheRest(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 200_000)
	for _, outcome := range []abi.Outcome{abi.Deny, abi.Allow} {
		p := &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
			if len(p) > 0 {
				c.Drop(side, 1)
				c.Ask(0, abi.ClassRead, "big").Do(1, 0)
				c.Stock(0)
				c.Send(abi.Agent, 0, big)
				c.Close("done")
				c.Stock(0)
			}
			return len(p)
		}, event: func(c *sdk.Conn, e abi.Event) {
			if e.Outcome == abi.Deny {
				c.Send(abi.Agent, 0, []byte("no"))
			}
		}}
		g := sdk.NewNative(p, nil)
		if _, _, err := g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "e", Peer: "p", Profile: "q"})); err != nil {
			t.Fatal(err)
		}
		b, more, err := g.Data(abi.Agent, []byte("a"), 0)
		if err != nil || !more {
			t.Fatal(more, err)
		}
		var all []byte
		if outcome == abi.Deny {
			all, more, err = g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1, Outcome: outcome}))
			if want := abi.AppendSend(nil, abi.Agent, 0, []byte("no")); !bytes.Equal(all, want) || more || err != nil {
				t.Errorf("after the denial % .60x %v %v, want % x", all, more, err, want)
			}
			continue
		}
		for all = append(all, b...); more; all = append(all, b...) {
			if b, more, err = g.Event(nil); err != nil {
				t.Fatal(err)
			}
		}
		tags, sent := read(t, all)
		if want := "DROP ASK STOCK" + strings.Repeat(" SEND", 13) + " CLOSE"; tags != want || !bytes.Equal(sent, big) {
			t.Errorf("%s and %d bytes sent, want %s and %d", tags, len(sent), want, len(big))
		}
	}
}

// read returns the tags of a command list and what it sends to the agent.
func read(t *testing.T, b []byte) (tags string, sent []byte) {
	t.Helper()
	var all []string
	for c := (abi.Command{}); len(b) > 0; {
		var err error
		if b, err = abi.Next(b, &c); err != nil {
			t.Fatal(err)
		}
		if all = append(all, c.Tag.String()); c.Tag == abi.TagSend {
			sent = append(sent, c.Data...)
		}
	}
	return strings.Join(all, " "), sent
}

func TestSpillKeepsOrder(t *testing.T) {
	big := make([]byte, 300_001)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(big)
	h := newHost(t, &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		c.Send(abi.Agent, 0, big)
		c.Drop(side, uint64(len(p)))
		return len(p)
	}}).open().deliver(abi.Agent, "x").deliver(abi.Agent, "y")
	if h.sent.String() != string(big)+string(big) {
		t.Error("what was sent is not what came")
	}
	if h.log[len(h.log)-1] != "DROP agent 0: 1" {
		t.Error("the last command is", h.log[len(h.log)-1])
	}
}

func TestPause(t *testing.T) {
	var shown []string
	p := &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		shown = append(shown, fmt.Sprintf("%v %s %v", side, p, end))
		if len(p) == 0 {
			return 0
		}
		c.Drop(side, 1)
		if side == abi.Agent {
			c.Pause(side)
		} else {
			c.Unpause(abi.Agent)
		}
		return 1
	}}
	h := newHost(t, p).open().deliver(abi.Agent, "abc").deliver(abi.Agent, "d").deliver(abi.Upstream, "x").deliver(abi.Upstream, "yz")
	h.deliver(abi.Upstream, "1").end(abi.Agent)
	want := "agent abc false|upstream x false|agent bc false|upstream yz false|agent c false|upstream z false|agent d false|" +
		"upstream 1 false|agent  true"
	if got := strings.Join(shown, "|"); got != want {
		t.Errorf("shown %s\nwant  %s", got, want)
	}
	h.wantLog("DROP agent 0: 1", "PAUSE agent true", "DROP upstream 0: 1", "PAUSE agent false", "DROP agent 0: 1", "PAUSE agent true",
		"DROP upstream 0: 1", "PAUSE agent false", "DROP agent 0: 1", "PAUSE agent true",
		"DROP upstream 0: 1", "PAUSE agent false", "DROP agent 0: 1", "PAUSE agent true",
		"DROP upstream 0: 1", "PAUSE agent false")
}

// A denial undoes what Pause and Unpause said behind the ask, and what was held back by it is shown.
func TestDenialUndoesPause(t *testing.T) {
	var shown []string
	p := &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		shown = append(shown, fmt.Sprintf("%v %s", side, p))
		if side == abi.Upstream || len(p) == 0 {
			return 0
		}
		c.Ask(0, abi.ClassRead, string(p[:1])).Do(1, 0)
		if p[0] == 'a' {
			c.Pause(abi.Agent)
			c.Pause(abi.Upstream)
		}
		return 1
	}}
	h := newHost(t, p)
	h.decide = deny("a")
	h.open().deliver(abi.Upstream, "x").deliver(abi.Agent, "abc")
	h.wantLog(`ASK 1 "a" extent 1: deny`, `ASK 2 "b" extent 1: allow`, `ASK 3 "c" extent 1: allow`)
	if got := strings.Join(shown, "|"); got != "upstream x|agent abc|upstream x|agent bc|agent c" {
		t.Errorf("shown %s", got)
	}
}

func TestTooLargeAction(t *testing.T) {
	words := []string{strings.Repeat("w", abi.MaxAction)}
	ask := func(words []string) *plain {
		return &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
			c.Pass(side, c.Ask(0, abi.ClassRead, "t").Bool(0, true).Int(1, -1).String(2, "w").Strings(3, words).Do(1, 0), 1)
			return len(p)
		}}
	}
	h := newHost(t, ask(words)).open().deliver(abi.Agent, "x")
	if len(h.log) != 1 || !strings.HasPrefix(h.log[0], "CLOSE true an action of") {
		t.Errorf("%q", h.log)
	}
	var room int
	h = newHost(t, &plain{open: func(c *sdk.Conn) {
		b := c.Ask(0, abi.ClassRead, "t").Unknown(0)
		room = b.Room()
		b.Strings(3, []string{strings.Repeat("w", room-3-4-4)}).Do(0, 0)
	}}).open().wantLog(`ASK 1 "t" extent 0: allow`)
	if v := h.asked[0].Values; v[0].Known || v[1].Known || !v[3].Known || len(v[3].List[0]) != room-11 {
		t.Errorf("room %d, values %v %v", room, v[0], v[1])
	}
	h = newHost(t, ask([]string{"a", "b"})).open().deliver(abi.Agent, "x")
	if v := h.asked[0].Values; !v[0].Bool || v[1].Int != -1 || v[2].Str != "w" || len(v[3].List) != 2 {
		t.Errorf("values %+v", v)
	}
}

func TestMaxUnread(t *testing.T) {
	g := newHost(t, &plain{data: func(*sdk.Conn, abi.Side, []byte, bool) int { return 0 }})
	g.open()
	piece := make([]byte, abi.MinBuffer)
	for range sdk.MaxUnread / len(piece) {
		if b, _, err := g.guest.Data(abi.Agent, piece, 0); err != nil || len(b) != 0 {
			t.Fatalf("% x %v before the limit", b, err)
		}
	}
	b, _, _ := g.guest.Data(abi.Agent, piece[:1], 0)
	if tags, _ := read(t, b); tags != "CLOSE" {
		t.Errorf("%s at the limit", tags)
	}
}

// Bytes of a SEND that look like a PASS are not taken for one.
func TestPassIsNotTakenFromSend(t *testing.T) {
	fake := abi.AppendPass(nil, abi.Upstream, 0, 5)
	newHost(t, &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		c.Send(abi.Agent, 0, fake)
		c.Pass(abi.Upstream, 0, 1)
		c.Pass(abi.Upstream, 0, 2)
		c.Note(1)
		c.Pass(abi.Upstream, 0, 3)
		return len(p)
	}}).open().deliver(abi.Upstream, "abc").wantLog(fmt.Sprintf("SEND %q", fake), "PASS upstream 0: 3", "NOTE 1 []", "PASS upstream 0: 3")
}

func TestMisuseEndsTheConnection(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(c *sdk.Conn) int
		want string
	}{
		{"reads too much", func(*sdk.Conn) int { return 2 }, "error: the plugin panicked: sdk: Data read more than it was given"},
		{"reads less than nothing", func(*sdk.Conn) int { return -1 }, "error: the plugin panicked: sdk: Data read more than it was given"},
		{"asks twice", func(c *sdk.Conn) int { c.Ask(0, 0, "").Do(0, 0); c.Ask(0, 0, ""); return 1 },
			"error: the plugin panicked: sdk: a second Ask before the first is decided"},
		{"notes too much", func(c *sdk.Conn) int { c.Note(1, "k", strings.Repeat("x", abi.MaxNote)); return 1 },
			"CLOSE true a note of 2 names and values in 4105 bytes cannot be written"},
		{"notes a name only", func(c *sdk.Conn) int { c.Note(1, "k"); return 1 }, "CLOSE true a note of 1 names and values in 5 bytes cannot be written"},
		{"speaks after Close", func(c *sdk.Conn) int {
			c.Close("over")
			c.Pass(0, 1, 1)
			c.Drop(0, 1)
			c.Send(0, 0, []byte("x"))
			c.Stock(0)
			c.Dial(1)
			c.Shut(0)
			c.Fail("again")
			c.Note(1)
			c.Done(1)
			c.Pause(0)
			c.Ask(0, 0, "").Do(0, 0)
			return 1
		}, "CLOSE false over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &plain{data: func(conn *sdk.Conn, _ abi.Side, _ []byte, _ bool) int { return c.do(conn) }}
			h := newHost(t, p).open().deliver(abi.Agent, "x")
			h.wantLog(c.want)
			if len(h.lists) > 2 {
				t.Errorf("%d lists", len(h.lists))
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	g := sdk.NewNative(&plain{}, nil)
	b, _, err := g.Open([]byte{1, 2})
	if tags, _ := read(t, b); tags != "CLOSE" || err != nil {
		t.Errorf("facts cut short: %s %v", tags, err)
	}
	if b, more, err := g.Data(abi.Agent, []byte("x"), 0); len(b) != 0 || more || err != nil {
		t.Errorf("data afterwards: % x %v %v", b, more, err)
	}
	h := newHost(t, &plain{}).open()
	h.step(h.guest.Event([]byte{99}))
	h.wantLog("CLOSE true event: kind 99 is not known")
}
