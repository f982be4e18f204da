package session

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// stream is one side's bytes: those at cursor and behind have been neither passed nor dropped.
type stream struct {
	held   []byte // delivered
	input  []byte // not delivered
	cursor uint64
	owed   uint64 // passed or dropped before it came
	drop   bool   // owed bytes are dropped
	end    bool
	told   bool
	paused bool
	shut   bool
	out    []byte // written to this side
	all    []byte // ever
}

// coverage is what an action covers of the agent's bytes.
type coverage struct {
	start, end uint64
	streaming  bool
	open       bool
	allowed    bool
	connect    bool
}

// gate carries out a session's commands and holds it to the laws: what a real gate would cut off fails the test.
type gate struct {
	layers
	guest    *sdk.Native
	manifest *abi.Manifest
	policy   func(*action) verdict
	refuse   bool // the upstream is down
	cut      int  // deliver at most so many bytes at once; 0: as many as there are

	sides     [2]stream
	covered   uint64 // where the last range ends
	actions   map[uint32]*coverage
	asked     uint32 // undecided
	streaming uint32 // open
	held      *action
	quiet     bool   // the last ASK wants no event when it is allowed
	waiting   bool   // an ASK has just been put off,
	rest      []byte // with what stands behind it
	more      bool
	asks      []*action
	log       []string // asks, constants, notes and the end, in their order
	notes     []string
	dialed    bool
	closed    bool
	failed    bool
	reason    string
	broken    error // a law was broken
	stocked   int
}

// newGate makes a gate around a new session. The companion may be nil when the plugin has a reader of its own.
func newGate(tb testing.TB, companion *pgquerytest.Companion, plugin *Plugin, options map[string]any, policy func(*action) verdict) *gate {
	tb.Helper()
	return newGateWith(tb, companion, plugin, options, policy, abi.Facts{})
}

// newGateWith is newGate with facts of the endpoint.
func newGateWith(tb testing.TB, companion *pgquerytest.Companion, plugin *Plugin, options map[string]any, policy func(*action) verdict, facts abi.Facts) *gate {
	tb.Helper()
	manifest, err := sdk.ConfigureNative(plugin, options)
	if err != nil {
		tb.Fatal(err)
	}
	g := &gate{manifest: manifest, policy: policy, actions: map[uint32]*coverage{}}
	var call func(k int, in, out []byte) (int, error)
	if plugin.NewReader == nil {
		call = func(k int, in, out []byte) (int, error) {
			record, err := companion.Call(in[0], in[1:])
			return copy(out, record), err
		}
	}
	g.guest = sdk.NewNative(plugin, call)
	facts.Endpoint, facts.Peer, facts.Profile = "prod-db", "agent", "dev"
	g.layers = layers{facts: facts, name: "postgresql", keys: map[string]string{}}
	g.step(g.guest.Open(abi.AppendFacts(nil, &facts)))
	return g
}

// agent and server hand bytes in and carry out everything that follows from them.
func (g *gate) agent(p ...[]byte)  { g.feed(abi.Agent, p...) }
func (g *gate) server(p ...[]byte) { g.feed(abi.Upstream, p...) }

func (g *gate) feed(side abi.Side, p ...[]byte) {
	for _, p := range p {
		g.sides[side].input = append(g.sides[side].input, p...)
	}
	g.run()
}

func (g *gate) end(side abi.Side) {
	g.sides[side].end = true
	g.run()
}

// taken are the bytes written to a side since the last call.
func (g *gate) taken(side abi.Side) []byte {
	b := g.sides[side].out
	g.sides[side].out = nil
	return b
}

func (g *gate) run() {
	for g.deliver(abi.Upstream) || g.deliver(abi.Agent) {
	}
}

func (g *gate) deliver(side abi.Side) bool {
	s := &g.sides[side]
	if g.closed || g.broken != nil || g.asked != 0 && g.quiet {
		return false // the next call but a denial says that a quiet question is allowed
	}
	if len(g.events) > 0 {
		e := g.events[0]
		g.events = g.events[1:]
		g.step(g.guest.Event(abi.AppendEvent(nil, e)))
		return true
	}
	if n := min(s.owed, uint64(len(s.input))); n > 0 {
		s.owed -= n
		if !s.drop {
			g.write(side.Other(), s.input[:n])
		}
		s.input = s.input[n:]
		return true
	}
	switch {
	case g.tls[side] == tlsHandshake:
		return g.shakeHands(side)
	case g.scans[side] != nil:
		return g.walk(side)
	}
	if s.paused || side == abi.Agent && g.asked != 0 || side == abi.Upstream && !g.dialed {
		return false
	}
	n := min(len(s.input), g.guest.InputCapacity())
	if g.cut > 0 {
		n = min(n, g.cut)
	}
	flags := uint32(0)
	if s.end && n == len(s.input) {
		flags = abi.DataEnd
	}
	if n == 0 && (flags == 0 || s.told) {
		return false
	}
	s.told = flags != 0
	p := s.input[:n]
	s.held = append(s.held, p...)
	s.input = s.input[n:]
	g.step(g.guest.Data(side, p, flags))
	return true
}

func (g *gate) write(side abi.Side, p []byte) {
	s := &g.sides[side]
	if s.shut {
		g.breach("a write to the %v after SHUT", side)
	}
	s.out = append(s.out, p...)
	s.all = append(s.all, p...)
}

func (g *gate) breach(format string, args ...any) {
	if g.broken == nil {
		g.broken = fmt.Errorf(format, args...)
	}
}

// step carries out one command list and those that follow it.
func (g *gate) step(list []byte, more bool, err error) {
	for {
		if err != nil {
			g.breach("%w", err)
			return
		}
		list = append([]byte(nil), list...)
		decided := g.carryOut(list)
		if decided != nil {
			list, more, err = g.guest.Event(abi.AppendEvent(nil, decided))
			continue
		}
		if g.waiting {
			g.waiting, g.more = false, more
			return
		}
		if !more || g.broken != nil {
			return
		}
		list, more, err = g.guest.Event(nil)
	}
}

// carryOut carries out commands up to an ASK that is answered by an event, which it returns. What stands behind a quiet ASK is
// carried out when that is allowed.
func (g *gate) carryOut(list []byte) *abi.Event {
	for len(list) > 0 && !g.closed && g.broken == nil {
		var c abi.Command
		var err error
		if list, err = abi.Next(list, &c); err != nil {
			g.breach("%w", err)
			return nil
		}
		if e := g.command(&c); c.Tag == abi.TagAsk {
			g.quiet = c.Flags&abi.AskQuiet != 0
			switch {
			case len(list) != 0 && !g.quiet:
				g.breach("%d bytes of commands behind an ASK", len(list))
			case g.asked != 0:
				g.waiting, g.rest = true, list
				return nil
			case g.quiet && e != nil && e.Outcome == abi.Allow:
				continue
			}
			return e
		}
		if c.Tag == abi.TagDial && g.refuse {
			rest := g.carryOut(list)
			if rest != nil {
				g.breach("an ASK behind DIAL")
			}
			return &abi.Event{Kind: abi.KindRefused, Reason: "upstream prod-db refused the connection"}
		}
	}
	return nil
}

func (g *gate) command(c *abi.Command) *abi.Event {
	g.scanning(c)
	switch c.Tag {
	case abi.TagAsk:
		return g.ask(c)
	case abi.TagPass:
		g.pass(c)
	case abi.TagDrop:
		g.move(c.Side, c.N, true)
	case abi.TagSend:
		if c.Side == abi.Upstream {
			g.sendUpstream(c)
			break
		}
		if c.ID != 0 {
			g.breach("SEND to the agent under action %d", c.ID)
		}
		if u := &g.sides[abi.Upstream]; u.owed > 0 && !u.drop {
			g.breach("SEND in the middle of what is passed to the agent")
		}
		g.write(abi.Agent, c.Data)
	case abi.TagStock:
		g.log = append(g.log, "STOCK "+g.manifest.Stock[c.Stock].Name)
		if g.stocked++; !g.dialed && !g.refuse {
			g.breach("STOCK before DIAL")
		}
		if g.sides[abi.Agent].owed > 0 && !g.sides[abi.Agent].drop {
			g.breach("STOCK in the middle of what is passed to the upstream")
		}
		g.write(abi.Upstream, g.manifest.Stock[c.Stock].Bytes)
	case abi.TagDial:
		if a := g.actions[c.ID]; a == nil || !a.allowed || !a.connect || g.dialed {
			g.breach("DIAL %d", c.ID)
		}
		g.dialed = !g.refuse
	case abi.TagShut:
		g.sides[c.Side].shut = true
		g.log = append(g.log, "SHUT "+c.Side.String())
	case abi.TagClose:
		g.closed, g.failed, g.reason = true, c.Failed, string(c.Data)
		g.log = append(g.log, "CLOSE "+g.reason)
	case abi.TagNote:
		if g.actions[c.ID] == nil {
			g.breach("NOTE %d", c.ID)
		}
		g.notes = append(g.notes, strings.Join(c.Pairs, " "))
		g.log = append(g.log, "NOTE "+strings.Join(c.Pairs, " "))
	case abi.TagDone:
		if a := g.actions[c.ID]; a == nil || !a.streaming || !a.open {
			g.breach("DONE %d", c.ID)
		} else {
			a.open, g.streaming = false, 0
		}
		g.covered = g.sides[abi.Agent].cursor
	case abi.TagPause:
		g.sides[c.Side].paused = c.On
	case abi.TagTLS:
		g.startTLS(c.Side)
	case abi.TagAuth:
		g.auth(c)
	case abi.TagAlias:
		g.alias(c.N)
	case abi.TagUnalias:
		g.unalias(c.ID, c.N)
	case abi.TagScan:
		g.scan(c)
	default:
		g.breach("%v", c.Tag)
	}
	return nil
}
