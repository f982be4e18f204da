package gate

import (
	"bytes"
	"context"
	"runtime"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// asker is a fuzzed guest whose actions wait for people, in their place and aside. It draws what it says from bytes, and remembers it.
type asker struct {
	source []byte
	last   uint32
	said   []saying
}

// saying is one list, and the event that it answers; nil: it answers something else.
type saying struct {
	event *abi.Event
	ops   []asideOp
}

type asideOp struct {
	kind  asideOpKind
	id    uint32
	n     uint64
	quiet bool
	title string // of a question
}

type asideOpKind uint8

const (
	asksPlain asideOpKind = iota
	asksStream
	asksAside
	asksAsideToo // of these there are to be more
	passes
	passesToo
	drops
	sendsUp
	writesSecret
	unaliases
	isDone
	withdraws
	writesStock
	saidAll
	saysMore
	asideOpKinds
)

// The titles say what becomes of an action: by a rule, by a person, or by nobody, until it is taken back.
var fuzzedTitles = []string{"allow", "deny", "hold allow", "hold deny", "hold", "hold allow"}

// What goes to the upstream besides bytes of the agent, which are smaller.
const (
	tokenStock, tokenSecret, tokenSent = 0xfc, 0xfd, 0xfe // behind tokenSent comes the action
	fuzzedAgentBytes                   = 250
)

func (g *asker) InputCapacity() int                                  { return abi.MinBuffer }
func (g *asker) Open([]byte) ([]byte, bool, error)                   { g.last = 1; return dialing(), false, nil }
func (g *asker) Data(abi.Side, []byte, uint32) ([]byte, bool, error) { return g.say(nil) }
func (g *asker) Close()                                              {}

func (g *asker) Event(b []byte) ([]byte, bool, error) {
	if b == nil {
		return g.say(nil)
	}
	e, err := abi.ReadEvent(b)
	if err != nil {
		return nil, false, err
	}
	return g.say(&e)
}

func (g *asker) next() byte {
	if len(g.source) == 0 {
		return byte(saidAll)
	}
	b := g.source[0]
	g.source = g.source[1:]
	return b
}

func (g *asker) say(e *abi.Event) ([]byte, bool, error) {
	var l list
	s := saying{event: e}
	for {
		o := asideOp{kind: asideOpKind(g.next() % byte(asideOpKinds))}
		if o.kind >= saidAll {
			g.said = append(g.said, s)
			return l, o.kind == saysMore, nil
		}
		arg := g.next()
		o.n, o.quiet, o.title = uint64(arg>>3), arg&1 != 0, fuzzedTitles[int(arg>>1)%len(fuzzedTitles)]
		if o.id = g.last - min(g.last, uint32(arg&7)); o.kind <= asksAsideToo { // mostly one of the last
			g.last++
			o.id = g.last
		}
		s.ops = append(s.ops, o)
		l = o.append(l)
	}
}

func (o asideOp) append(l list) list {
	flags := uint8(0)
	if o.quiet {
		flags = abi.AskQuiet
	}
	switch o.kind {
	case asksPlain:
		return l.action(o.id, o.n, flags, 1, o.title)
	case asksStream:
		return l.action(o.id, 0, flags|abi.AskStreaming, 1, o.title)
	case asksAside, asksAsideToo:
		return l.action(o.id, 0, flags|abi.AskAside, 1, o.title)
	case passes, passesToo:
		return l.pass(o.id, o.n)
	case drops:
		return l.drop(o.n)
	case sendsUp:
		return l.sendUp(o.id, string([]byte{tokenSent, byte(o.id)}))
	case writesSecret:
		return abi.AppendSecret(l, o.id, 0)
	case unaliases:
		return l.unalias(o.id, uint32(max(o.n, abi.MinAlias)))
	case isDone:
		return l.done(o.id)
	case withdraws:
		return abi.AppendWithdraw(l, o.id)
	}
	return l.stock(0)
}

// hesitant is a person who decides after a while, or never.
type hesitant struct {
	title string
	turns int
}

func (h hesitant) Wait(ctx context.Context, probe func(context.Context) error) Verdict {
	if h.title == "hold" {
		<-ctx.Done()
		return Verdict{Outcome: abi.Deny}
	}
	for range h.turns {
		runtime.Gosched()
	}
	if h.title == "hold deny" || probe(ctx) != nil {
		return Verdict{Outcome: abi.Deny}
	}
	return Verdict{}
}

func FuzzAside(f *testing.F) {
	const hold, allow, deny, reject, never = 2 << 1, 0, 1 << 1, 3 << 1, 4 << 1
	end := byte(saidAll)
	ask, aside, pass, send, done := byte(asksPlain), byte(asksAside), byte(passes), byte(sendsUp), byte(isDone)
	seed := func(b ...byte) {
		for _, turns := range []uint8{0, 200} {
			f.Add(append([]byte{end, end}, b...), []byte{9}, turns)
			f.Add(append([]byte{end, end}, b...), []byte{60, 3}, turns)
		}
	}
	seed(aside, hold, pass, 5<<3, send, 0, aside, allow, pass, 9<<3, pass, 6<<3|1, done, 1, end)
	seed(aside, hold, pass, 30<<3, aside, hold, pass, 30<<3, aside, allow, pass, 30<<3, end, pass, 10<<3|1)
	seed(aside, reject, pass, 30<<3, send, 0, byte(writesSecret), 0, aside, deny, pass, 20<<3, end, pass, 8<<3, end)
	seed(aside, never, pass, 7<<3, end, byte(withdraws), 0, aside, hold, byte(unaliases), 4<<3, pass, 3<<3, end)
	seed(ask, hold|5<<3, pass, 5<<3, aside, hold, pass, 4<<3, end, aside, allow, pass, 3<<3, end, pass, 2<<3|1)
	seed(ask, hold|1|5<<3, pass, 5<<3, ask, hold|1|5<<3, pass, 5<<3, ask, deny|1|4<<3, pass, 4<<3, end, byte(drops), 4<<3)
	seed(byte(asksStream), hold, pass, 5<<3, send, 0, aside, hold, pass, 9<<3, done, 1, pass, 9<<3, byte(saysMore), send, 0, end)
	seed(ask, reject|9<<3, pass, 9<<3, end, byte(drops), 9<<3, end, ask, allow|3<<3, pass, 3<<3, byte(writesStock), 0)
	f.Fuzz(func(t *testing.T, source, cuts []byte, turns uint8) {
		if len(source) > 400 || len(cuts) > 64 {
			t.Skip("long enough")
		}
		var agentBytes []byte
		for i := range fuzzedAgentBytes {
			agentBytes = append(agentBytes, byte(i))
		}
		gateAgent, agent := memPair(cuts)
		gateUpstream, upstream := memPair(cuts)
		_, _ = agent.Write(agentBytes)
		_ = agent.CloseWrite()
		_, _ = upstream.Write(make([]byte, 100))
		_ = upstream.CloseWrite()
		g := &asker{source: source}
		s := &session{dial: func(context.Context) (Conn, error) { return gateUpstream, nil },
			unalias: func(p []byte) ([]byte, bool) { return p, true },
			decide: func(_ context.Context, q *Question) Verdict {
				switch q.Action.Title {
				case "deny":
					return Verdict{Outcome: abi.Deny}
				case "allow", title:
					return Verdict{}
				}
				return Verdict{Pending: hesitant{q.Action.Title, int(turns)}}
			}}
		m := testManifest()
		m.Stock[0].Bytes = []byte{tokenStock}
		m.Slots = []abi.Slot{{Name: "token"}}
		e := Serve(t.Context(), Config{Agent: gateAgent, Guest: g, Manifest: m, Session: maskedSecret{s},
			Facts: abi.Facts{Slots: []string{"token"}}, Limits: Limits{Window: 4 << 10, Linger: patience}})

		model := newAsideModel()
		model.run(g.said)
		if wrong := model.compare(upstream.received(), e.Reason == "both sides ended"); wrong != "" {
			t.Errorf("%s\nthe upstream got % x\nthe guest said %+v\nended %+v", wrong, upstream.received(), g.said, e)
		}
	})
}

// maskedSecret is a session whose secret is a token.
type maskedSecret struct{ *session }

func (maskedSecret) Secret(int) ([]byte, error) { return []byte{tokenSecret}, nil }

// TestAsideModel: the model is not one that everything agrees with.
func TestAsideModel(t *testing.T) {
	said := []saying{{ops: []asideOp{
		{kind: asksAside, id: 2, title: "hold allow"}, {kind: passes, id: 2, n: 3}, {kind: sendsUp, id: 2}, {kind: passes, id: 2, n: 2},
		{kind: asksAside, id: 3, title: "deny"}, {kind: passes, id: 3, n: 2},
		{kind: asksPlain, id: 4, n: 3, title: "allow"}, {kind: passes, id: 4, n: 3}}},
		{event: &abi.Event{Kind: abi.KindVerdict, ID: 2}}}
	for got, ok := range map[string]bool{
		"\x07\x08\x09\x00\x01\x02\xfe\x02\x03\x04": true,
		"\x00\x01\x02\xfe\x02\x07\x08\x09\x03\x04": true,
		"\x00\x01\x02\xfe\x02\x07\x08\x09\x03":     false, // something is missing
		"\x00\x01\x07\x08\x09\x02\xfe\x02\x03\x04": false, // in the middle of a piece
		"\x07\x08\x09\x00\x01\x02\x03\x04\xfe\x02": false, // out of order
		"\x07\x08\x09\x05\x00\x01\x02\xfe\x02\x03": false, // denied
		"\x07\x08\x09\x0a\x00\x01\x02\xfe\x02\x03": false, // not passed
		"\x07\x08\x09\x00\x01\x02\xfe\x03\x03\x04": false, // sent under a denied one
		"\x07\x08\x09\xfd":                         false, // a secret
	} {
		m := newAsideModel()
		m.run(said)
		if wrong := m.compare([]byte(got), true); (wrong == "") != ok {
			t.Errorf("% x: %q", got, wrong)
		}
	}
	if m := newAsideModel(); !bytes.Equal(m.tokens[0], nil) || m.compare(nil, true) != "" {
		t.Error("nothing is wrong with nothing")
	}
}
