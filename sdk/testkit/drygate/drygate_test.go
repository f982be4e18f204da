package drygate

import (
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// script is a guest that answers with what its functions return.
type script struct {
	open  list
	data  func(side abi.Side, p []byte, end bool) list
	event func(e abi.Event) list
	err   error
}

func (g *script) InputCapacity() int { return abi.MinBuffer }

func (g *script) Open([]byte) ([]byte, bool, error) { return g.open, false, g.err }

func (g *script) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	if g.data == nil {
		return nil, false, nil
	}
	return g.data(side, p, flags&abi.DataEnd != 0), false, nil
}

func (g *script) Event(b []byte) ([]byte, bool, error) {
	e, err := abi.ReadEvent(b)
	if err != nil || g.event == nil {
		return nil, false, err
	}
	return g.event(e), false, nil
}

func (g *script) Close() {}

type list []byte

func (l list) ask(id uint32, family uint16, extent uint64, flags uint8) list {
	var w abi.ActionWriter
	w.Begin(nil, family, abi.ClassRead, "title")
	return abi.AppendAsk(l, id, extent, flags, w.End())
}

func manifest() *abi.Manifest {
	return &abi.Manifest{Name: "test", Families: []abi.Family{{Name: abi.FamilyConnect}, {Name: "toy"}},
		Stock: []abi.Constant{{Name: "ping", Bytes: []byte("PING")}}, Slots: []abi.Slot{{Name: "password", Form: "postgres"}}}
}

// dialing opens a connection under the streaming action 1.
func dialing() list { return abi.AppendDial(list(nil).ask(1, 0, 0, abi.AskStreaming), 1) }

// connected opens it and ends action 1.
func connected() list { return abi.AppendDone(dialing(), 1) }

// TestBreaches: what sdk/ABI.md says cuts a connection off does so here, and what is just inside does not.
func TestBreaches(t *testing.T) {
	framing := abi.Framing{Head: 2, LengthAt: 1, LengthWidth: 1, Max: 100}
	for name, c := range map[string]struct {
		open, data list
		cfg        func(*Config)
		want       string // empty: it goes on
	}{
		"pass":                 {connected(), abi.AppendPass(list(nil).ask(2, 1, 3, 0), abi.Agent, 2, 3), nil, ""},
		"pass too much":        {connected(), abi.AppendPass(list(nil).ask(2, 1, 3, 0), abi.Agent, 2, 4), nil, "outside of action 2"},
		"pass unasked":         {connected(), abi.AppendPass(nil, abi.Agent, 7, 1), nil, "not an allowed action"},
		"pass of upstream id":  {connected(), abi.AppendPass(nil, abi.Upstream, 1, 1), nil, "under action 1"},
		"denied":               {connected(), abi.AppendDrop(list(nil).ask(2, 1, 3, 0), abi.Agent, 3), deny("toy"), ""},
		"ask twice":            {connected(), list(nil).ask(2, 1, 1, 0).ask(3, 1, 1, 0), nil, "not decided yet"},
		"ask quietly twice":    {connected(), list(nil).ask(2, 1, 1, abi.AskQuiet).ask(3, 1, 1, abi.AskQuiet), nil, ""},
		"ask again":            {connected(), list(nil).ask(1, 1, 1, 0), nil, "does not follow"},
		"ask unknown family":   {connected(), list(nil).ask(2, 9, 1, 0), nil, "family 9"},
		"send":                 {connected(), abi.AppendSend(nil, abi.Agent, 0, []byte("x")), nil, ""},
		"send under an action": {connected(), abi.AppendSend(nil, abi.Agent, 1, []byte("x")), nil, "under action 1"},
		"send upstream":        {dialing(), abi.AppendSend(nil, abi.Upstream, 1, []byte("x")), nil, ""},
		"send upstream closed": {connected(), abi.AppendSend(nil, abi.Upstream, 1, []byte("x")), nil, "open streaming action"},
		"stock":                {connected(), abi.AppendStock(nil, 0), nil, ""},
		"stock 1":              {connected(), abi.AppendStock(nil, 1), nil, "constant 1 of 1"},
		"dial twice":           {connected(), abi.AppendDial(nil, 1), nil, "second DIAL"},
		"dial under toy":       {list(nil).ask(1, 1, 0, 0), abi.AppendDial(nil, 1), nil, "family connect"},
		"note":                 {connected(), abi.AppendNote(nil, 1, "a", "b"), nil, ""},
		"note of nothing":      {connected(), abi.AppendNote(nil, 5, "a", "b"), nil, "never asked"},
		"note of the host's":   {connected(), abi.AppendNote(nil, 1, "a", "b", "withdrawn", "c"), nil, "the gateway's to say"},
		"note with its value":  {connected(), abi.AppendNote(nil, 1, "a", "withdrawn"), nil, ""},
		"done twice":           {connected(), abi.AppendDone(nil, 1), nil, "not an open streaming action"},
		"nonsense":             {connected(), list{99, 0, 0, 0, 0}, nil, "cannot be read"},
		"auth":                 {dialing(), abi.AppendAuth(nil, 1, 0, []byte("who?")), filled, ""},
		"auth not filled":      {dialing(), abi.AppendAuth(nil, 1, 0, []byte("who?")), nil, "does not fill"},
		"must use tls":         {connected(), abi.AppendPass(list(nil).ask(2, 1, 3, 0), abi.Agent, 2, 3), func(c *Config) { c.Facts.AgentTLSRequired = true }, "must use TLS"},
		"auth slot":            {dialing(), abi.AppendAuth(nil, 1, 1, nil), nil, "slot 1 of 1"},
		"auth done":            {connected(), abi.AppendAuth(nil, 1, 0, nil), filled, "not an open connect action"},
		"promised":             {dialing(), abi.AppendAuth(nil, 1, 0, nil), func(c *Config) { c.Facts.UpstreamTLS = true; filled(c) }, "before TLS is up"},
		"promised pass":        {connected(), abi.AppendPass(list(nil).ask(2, 1, 3, 0), abi.Agent, 2, 3), func(c *Config) { c.Facts.UpstreamTLS = true }, "before TLS is up"},
		"tls":                  {connected(), abi.AppendTLS(nil, abi.Agent), nil, ""},
		"tls twice":            {connected(), abi.AppendTLS(abi.AppendTLS(nil, abi.Agent), abi.Agent), nil, "second time"},
		"tls unwanted":         {connected(), abi.AppendTLS(nil, abi.Upstream), func(c *Config) { c.NoUpstreamTLS = true }, "does not want"},
		"alias nothing":        {connected(), abi.AppendAlias(nil, 4), nil, "ALIAS"},
		"unalias unasked":      {connected(), abi.AppendUnalias(nil, 9, 4), nil, "UNALIAS"},
		"scan":                 {connected(), abi.AppendScan(nil, abi.Upstream, 0, &framing, &abi.TypeSet{}), nil, ""},
		"scan agent":           {connected(), abi.AppendScan(nil, abi.Agent, 1, &framing, &abi.TypeSet{}), nil, "open streaming action"},
		"pause for ever":       {list(nil), abi.AppendPause(nil, abi.Agent, true), nil, "nothing is left"},
		"write after shut":     {connected(), abi.AppendSend(abi.AppendShut(nil, abi.Agent), abi.Agent, 0, []byte("x")), nil, "after it was shut"},
	} {
		first := true
		cfg := Config{Manifest: manifest(), Guest: &script{open: c.open, data: func(side abi.Side, p []byte, end bool) list {
			if !first || end {
				return nil
			}
			first = false
			return c.data
		}}}
		if c.cfg != nil {
			c.cfg(&cfg)
		}
		g := New(cfg)
		g.Open()
		g.Send(abi.Agent, []byte("12345678"))
		got := g.Transcript().Breached()
		if c.want == "" && (got != "" || g.Over()) || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q\n%s", name, got, c.want, g.Transcript())
		}
	}
}

func filled(c *Config) { c.Facts.Slots = []string{"password"} }

func deny(family string) func(*Config) {
	return func(c *Config) {
		c.Decide = func(e *Entry) Verdict {
			if e.Action.Family.Name == family {
				return Verdict{Outcome: abi.Deny, Reason: "no"}
			}
			return Verdict{}
		}
	}
}

// TestScan: frames of the given types pass by themselves, wherever the bytes are cut; the first other one goes to the guest.
func TestScan(t *testing.T) {
	framing := abi.Framing{Head: 2, LengthAt: 1, LengthWidth: 1, Max: 100}
	const stream = "d\x05abcd\x02d\x03xq\x04zz"
	var first Transcript
	for _, piece := range []func(abi.Side, uint64, int) int{nil, func(abi.Side, uint64, int) int { return 1 }} {
		var shown []byte
		var scanned abi.Event
		g := New(Config{Manifest: manifest(), Piece: piece, Guest: &script{open: connected(),
			event: func(e abi.Event) list {
				if e.Kind == abi.KindScanned {
					scanned = e
				}
				if e.Kind != abi.KindConnected {
					return nil
				}
				return abi.AppendScan(nil, abi.Upstream, 0, &framing, abi.Types('d'))
			},
			data: func(side abi.Side, p []byte, end bool) list {
				shown = append(shown, p...)
				return abi.AppendDrop(nil, side, uint64(len(p)))
			}}})
		g.Open()
		g.Send(abi.Upstream, []byte(stream))
		if got := string(g.Transcript().Gets(abi.Agent)); got != stream[:10] || string(shown) != "q\x04zz" || scanned.Frames != 3 || scanned.Bytes != 10 {
			t.Errorf("the agent gets %q, the guest is shown %q, scanned %+v\n%s", got, shown, scanned, g.Transcript())
		}
		if first == nil {
			first = g.Transcript()
		} else if same, a, b := first.Equal(g.Transcript()); !same {
			t.Errorf("%s; %s", a, b)
		}
	}
}

// TestLogin: the host's answers go to the upstream; TLS takes what was there; an alias is taken back.
func TestLogin(t *testing.T) {
	var events []abi.Kind
	g := New(Config{Manifest: manifest(), Facts: abi.Facts{UpstreamTLS: true, Slots: []string{"password"}}, Guest: &script{open: dialing(),
		event: func(e abi.Event) list {
			events = append(events, e.Kind)
			switch e.Kind {
			case abi.KindConnected:
				return abi.AppendStock(nil, 0)
			case abi.KindSecured:
				return abi.AppendAuth(nil, 1, 0, []byte("who?"))
			}
			return nil
		},
		data: func(side abi.Side, p []byte, end bool) list {
			switch string(p) {
			case "S":
				return abi.AppendTLS(abi.AppendDrop(nil, side, 1), side)
			case "key!":
				return abi.AppendAlias(abi.AppendDone(nil, 1), 4)
			case "use:" + string([]byte{^byte('k'), ^byte('e'), ^byte('y'), ^byte('!')}):
				return abi.AppendUnalias(abi.AppendDrop(list(nil).ask(2, 1, 8, abi.AskQuiet), side, 4), 2, 4)
			}
			return nil
		}}})
	g.Open()
	g.Send(abi.Upstream, []byte("S"))
	g.Send(abi.Upstream, []byte("key!"))
	alias := g.Transcript().Gets(abi.Agent)
	g.Send(abi.Agent, append([]byte("use:"), alias...))
	if got := string(g.Transcript().Gets(abi.Upstream)); got != "PING<password>key!" || len(alias) != 4 || string(alias) == "key!" || g.Over() {
		t.Errorf("the upstream gets %q, the agent %q\n%s", got, alias, g.Transcript())
	}
	if len(events) != 3 || events[2] != abi.KindSecured {
		t.Errorf("events %v", events)
	}
}

// TestEnds: refused upstreams, traps, and sides that end.
func TestEnds(t *testing.T) {
	g := New(Config{Manifest: manifest(), Dial: func() error { return errors.New("no") }, Guest: &script{open: connected(), event: func(e abi.Event) list {
		if e.Kind == abi.KindRefused {
			return abi.AppendClose(nil, false, "upstream: "+e.Reason)
		}
		return nil
	}}})
	g.Open()
	if e := g.Transcript().End(); e == nil || e.By != ByPlugin || e.Text != "upstream: no" {
		t.Errorf("%s", g.Transcript())
	}
	g = New(Config{Manifest: manifest(), Guest: &script{err: errors.New("trapped")}})
	g.Open()
	if err := g.Transcript().Crashed(); err == nil || !g.Over() {
		t.Errorf("%v", err)
	}
	g = New(Config{Manifest: manifest(), Guest: &script{open: connected()}})
	g.Open()
	g.End(abi.Agent)
	if g.Over() {
		t.Error("over when one side ended")
	}
	g.End(abi.Upstream)
	if e := g.Transcript().End(); e == nil || e.By != ByPeer || g.Transcript().Breached() != "" {
		t.Errorf("%s", g.Transcript())
	}
	g = New(Config{Manifest: manifest(), Guest: &script{open: connected()}, Window: 100})
	g.Open()
	g.Send(abi.Agent, make([]byte, 101))
	if !strings.Contains(g.Transcript().Breached(), "more than 100 bytes") {
		t.Errorf("%s", g.Transcript())
	}
}

// TestRace: where a pause ends while both sides have bytes, the order of what comes is a matter of the cuts, and BeforeRace is what of two
// transcripts was before. A side that has ended sends nothing.
func TestRace(t *testing.T) {
	play := func(piece func(abi.Side, uint64, int) int, between string) Transcript {
		g := New(Config{Manifest: manifest(), Piece: piece, Guest: &script{open: connected(), data: func(side abi.Side, p []byte, _ bool) list {
			switch {
			case len(p) == 0:
				return nil
			case side == abi.Agent:
				return abi.AppendPause(abi.AppendSend(abi.AppendDrop(nil, side, uint64(len(p))), abi.Agent, 0, p), side, true)
			}
			out := list(abi.AppendPause(abi.AppendDrop(nil, side, 1), abi.Agent, false)) // the host has more of the agent, and this guest of the upstream
			return abi.AppendSend(abi.AppendDrop(out, side, uint64(len(p)-1)), abi.Agent, 0, p)
		}}})
		g.Open()
		g.Send(abi.Agent, []byte("a"))
		g.Send(abi.Agent, []byte(between))
		g.Send(abi.Upstream, []byte("12"))
		g.End(abi.Agent)
		g.Send(abi.Agent, []byte("late"))
		return g.Transcript()
	}
	bytewise := func(abi.Side, uint64, int) int { return 1 }
	whole, cut := play(nil, "b"), play(bytewise, "b")
	if same, _, _ := whole.Equal(cut); same {
		t.Fatalf("no race:\n%s", whole)
	}
	a, b := BeforeRace(whole, cut)
	if same, x, y := a.Equal(b); !same || string(a.Gets(abi.Agent)) != "a" {
		t.Errorf("before it: %s and %s of\n%s", x, y, whole)
	}
	if got := whole.Gets(abi.Agent); string(got) != "a12b" {
		t.Errorf("the agent gets %q", got)
	}
	whole, cut = play(nil, ""), play(bytewise, "") // the benign twin: nothing waits for the end of the pause
	a, b = BeforeRace(whole, cut)
	if same, x, y := a.Equal(b); !same || len(a) != len(whole) || string(a.Gets(abi.Agent)) != "a12" {
		t.Errorf("without one: %s and %s of\n%s", x, y, a)
	}
}
