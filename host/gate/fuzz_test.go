package gate

import (
	"bufio"
	"bytes"
	"context"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// op is a command that a fuzzed guest gives.
type op struct {
	kind opKind
	side abi.Side
	id   uint32
	n    uint64
}

type opKind uint8

const (
	opAsk opKind = iota
	opDeny
	opStream
	opConnect
	opPass
	opDrop
	opSend
	opStock
	opDial
	opShut
	opDone
	opPause
	opResume
	opClose
	opSendUp
	opGarbage
	opEnd  // of a list
	opMore // the same, and more is to come
	opKinds
)

func (o op) append(l list) list {
	switch o.kind {
	case opAsk:
		return l.ask(o.id, o.n)
	case opDeny:
		return l.deny(o.id, o.n)
	case opStream:
		return l.stream(o.id)
	case opConnect:
		return l.connect(o.id)
	case opPass:
		id := o.id
		if o.side == abi.Upstream {
			id = 0
		}
		return abi.AppendPass(l, o.side, id, o.n)
	case opDrop:
		return abi.AppendDrop(l, o.side, o.n)
	case opSend:
		return l.send(sent(o))
	case opStock:
		return l.stock(uint16(o.id >> 1))
	case opDial:
		return l.dial(o.id)
	case opShut:
		return l.shut(o.side)
	case opDone:
		return l.done(o.id)
	case opPause, opResume:
		return l.pause(o.side, o.kind == opPause)
	case opClose:
		return l.close("closed")
	case opSendUp:
		return abi.AppendSend(l, abi.Upstream, o.id, []byte("own words"))
	}
	return append(l, 0xee)
}

func sent(o op) string { return strings.Repeat("s", int(o.n%50)) }

// fuzzed is a guest that draws what it says from bytes, and remembers it.
type fuzzed struct {
	source []byte
	last   uint32 // id of the last ask
	said   [][]op // the lists, in the order in which they were handed out
}

func (g *fuzzed) InputCapacity() int                                  { return abi.MinBuffer }
func (g *fuzzed) Open([]byte) ([]byte, bool, error)                   { return g.say() }
func (g *fuzzed) Data(abi.Side, []byte, uint32) ([]byte, bool, error) { return g.say() }
func (g *fuzzed) Event([]byte) ([]byte, bool, error)                  { return g.say() }
func (g *fuzzed) Close()                                              {}

func (g *fuzzed) next() byte {
	if len(g.source) == 0 {
		return byte(opEnd)
	}
	b := g.source[0]
	g.source = g.source[1:]
	return b
}

func (g *fuzzed) say() ([]byte, bool, error) {
	var l list
	var ops []op
	for {
		o := op{kind: opKind(g.next() % byte(opKinds))}
		if o.kind >= opEnd {
			g.said = append(g.said, ops)
			return l, o.kind == opMore, nil
		}
		arg := g.next()
		o.side, o.id, o.n = abi.Side(arg&1), uint32(arg>>1&7), uint64(arg>>2)
		if o.kind <= opConnect && arg&2 == 0 { // mostly what is right: the next id
			o.id = g.last + 1
		} else if arg&2 == 0 { // and the last one
			o.id = g.last
		}
		if arg >= 0xf8 { // and lengths that overflow
			o.n = []uint64{1 << 40, math.MaxInt64 - 1, math.MaxInt64, 1 << 63, math.MaxUint64 - 1, math.MaxUint64, 1 << 32, 300}[arg&7]
		}
		if o.kind <= opConnect {
			g.last = max(g.last, o.id)
			if o.kind == opConnect {
				o.n = 0
			}
		}
		ops = append(ops, o)
		l = o.append(l)
	}
}

// model is what may be written to either side at most, computed as plainly as possible: who owns each byte of the agent.
type model struct {
	agent, upstream []byte
	owner           []uint32 // of each byte of the agent: the allowed action that covers it
	asked           int      // up to where bytes were asked about
	cursor          [2]uint64
	streaming       uint32
	streamStart     int
	connects        map[uint32]bool
	dialed          bool
	out             [2][]byte
}

// run carries out lists until one breaks a rule that matters to what is written.
func (m *model) run(lists [][]op) {
	for _, l := range lists {
		for _, o := range l {
			if o.kind == opDeny {
				if o.n <= math.MaxInt64 {
					m.asked = m.clip(uint64(m.start()) + o.n)
				}
				break // the rest of the list is void
			}
			if !m.do(o) {
				return
			}
		}
	}
}

func (m *model) clip(n uint64) int { return int(min(n, uint64(len(m.agent)))) }
func (m *model) start() int        { return max(m.asked, m.clip(m.cursor[abi.Agent])) }

func (m *model) do(o op) bool {
	switch o.kind {
	case opAsk, opStream, opConnect:
		start, end := m.start(), len(m.agent)
		if o.kind != opStream {
			if o.n > math.MaxInt64 {
				return false
			}
			end = m.clip(uint64(start) + o.n)
		} else {
			m.streaming, m.streamStart = o.id, start
		}
		for i := start; i < end; i++ {
			m.owner[i] = o.id
		}
		m.asked = end
		if o.kind == opConnect {
			m.connects[o.id] = true
		}
	case opDone:
		if o.id != m.streaming || o.id == 0 {
			return false
		}
		m.asked = max(m.streamStart, m.clip(m.cursor[abi.Agent]))
		clear(m.owner[m.asked:])
		m.streaming = 0
	case opPass:
		if o.n > math.MaxInt64 {
			return false
		}
		from, stream := m.cursor[o.side], m.agent
		if o.side == abi.Upstream {
			stream = m.upstream
		}
		for i := from; i < from+o.n && i < uint64(len(stream)); i++ {
			if o.side == abi.Agent && (m.owner[i] != o.id || o.id == 0) {
				return false
			}
		}
		at, to := min(from, uint64(len(stream))), min(from+o.n, uint64(len(stream)))
		m.out[o.side.Other()] = append(m.out[o.side.Other()], stream[at:to]...)
		m.cursor[o.side] += o.n
	case opDrop:
		if o.n > math.MaxInt64 {
			return false
		}
		m.cursor[o.side] += o.n
	case opStock:
		if o.id>>1 != 0 {
			return false
		}
		m.out[abi.Upstream] = append(m.out[abi.Upstream], "PING"...)
	case opSend:
		m.out[abi.Agent] = append(m.out[abi.Agent], sent(o)...)
	case opDial:
		if !m.connects[o.id] || m.dialed {
			return false
		}
		m.dialed = true
	case opClose, opSendUp, opGarbage:
		return false
	}
	return true
}

func FuzzGuest(f *testing.F) {
	connect := []byte{byte(opConnect), 0, byte(opDial), 0, byte(opEnd)}
	seed := func(b ...byte) { f.Add(append(bytes.Clone(connect), b...), []byte{9}, true) }
	end := byte(opEnd)
	verdict := []byte{end, end} // nothing is said to the verdict of the connect action and to "connected"
	say := func(b ...byte) { seed(append(bytes.Clone(verdict), b...)...) }
	say(byte(opAsk), 40, byte(opPass), 40, end)
	say(byte(opAsk), 40, byte(opPass), 44, end)
	say(byte(opDeny), 40, byte(opPass), 40, end, byte(opPass), 40)
	say(byte(opStream), 0, byte(opPass), 0xfa, byte(opStock), 0, byte(opMore), byte(opSend), 40, end)
	say(byte(opStream), 0, byte(opPass), 8, byte(opDone), 0, byte(opPass), 8)
	say(byte(opAsk), 0xf8|4, end)
	say(byte(opDrop), 1, byte(opPass), 1|8, byte(opPause), 0, end, byte(opResume), 0, end)
	say(byte(opStock), 0, byte(opShut), 1, byte(opStock), 0)
	say(byte(opDeny), 20, end, byte(opStream), 0, end, byte(opDone), 0, byte(opAsk), 20, byte(opPass), 20)
	say(byte(opSendUp), 2, byte(opGarbage), 0)
	f.Fuzz(func(t *testing.T, source, cuts []byte, ends bool) {
		if len(source) > 1<<10 || len(cuts) > 64 {
			t.Skip("long enough")
		}
		var agentBytes, upstreamBytes []byte
		for i := range 250 {
			agentBytes, upstreamBytes = append(agentBytes, byte(i)), append(upstreamBytes, byte(255-i))
		}
		gateAgent, agent := memPair(cuts)
		gateUpstream, upstream := memPair(cuts)
		_, _ = agent.Write(agentBytes)
		_ = agent.CloseWrite()
		_, _ = upstream.Write(upstreamBytes)
		_ = upstream.CloseWrite()
		g := &fuzzed{source: source}
		s := &session{dial: func(context.Context) (Conn, error) { return gateUpstream, nil }}
		e := Serve(t.Context(), Config{Agent: gateAgent, Guest: g, Manifest: testManifest(), Session: s,
			Limits: Limits{Window: 4 << 10, Linger: patience}})

		m := &model{agent: agentBytes, upstream: upstreamBytes, owner: make([]uint32, len(agentBytes)), connects: map[uint32]bool{}}
		m.run(g.said)
		if got := upstream.received(); !bytes.HasPrefix(m.out[abi.Upstream], got) {
			t.Errorf("the upstream got %q, at most %q was allowed; the guest said %v, ended %+v", got, m.out[abi.Upstream], g.said, e)
		}
		if got := agent.received(); !bytes.HasPrefix(m.out[abi.Agent], got) {
			t.Errorf("the agent got %q, at most %q was said; the guest said %v, ended %+v", got, m.out[abi.Agent], g.said, e)
		}
		if s.dials > 0 && !m.dialed || s.dials > 1 {
			t.Errorf("dialed %d times; the guest said %v, ended %+v", s.dials, g.said, e)
		}
	})
}

// answer serves the lines of plugin lines at the upstream's end until they end.
func answer(c *memConn) {
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		if strings.HasPrefix(line, "!") {
			_, _ = r.ReadString('\n')
		}
		words := strings.Fields(strings.TrimPrefix(line, "!"))
		reply := "ok " + line
		switch words[0] {
		case "put":
			n, _ := strconv.Atoi(words[2])
			if m, err := r.Discard(n); err != nil {
				reply = "only " + strconv.Itoa(m) + "\n"
			}
		case "get":
			reply = "data 70000\n" + strings.Repeat("\n", 70_000)
		case "feed":
			n, _ := r.WriteTo(discard{})
			reply = "fed " + strconv.Itoa(int(n)) + "\n"
		}
		_, _ = c.Write([]byte(reply))
	}
	_ = c.CloseWrite()
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// recorded keeps a copy of what is written through it.
type recorded struct {
	*memConn
	wrote bytes.Buffer
}

func (r *recorded) Write(p []byte) (int, error) { r.wrote.Write(p); return r.memConn.Write(p) }

// conversation runs text through the plugin lines, cut as cuts say, and returns what came to both ends.
func conversation(t *testing.T, text string, cuts []byte) (atAgent, atUpstream string, e End) {
	guest, manifest := linesGuest()
	gateAgent, agent := memPair(cuts)
	gateUpstream, upstream := memPair(cuts)
	toUpstream := &recorded{memConn: gateUpstream}
	_, _ = agent.Write([]byte(text))
	_ = agent.CloseWrite()
	answered := make(chan bool)
	s := &session{dial: func(context.Context) (Conn, error) {
		go func() { defer close(answered); answer(upstream) }()
		return toUpstream, nil
	}, decide: func(_ context.Context, q *Question) Verdict {
		if q.Action.Class == abi.ClassDelete {
			return Verdict{Outcome: abi.Deny, Reason: "never"}
		}
		return Verdict{}
	}}
	e = Serve(t.Context(), Config{Agent: gateAgent, Guest: guest, Manifest: manifest, Session: s, Limits: Limits{Window: 64 << 10, Linger: patience}})
	<-answered
	return string(agent.received()), toUpstream.wrote.String(), e
}

var conversations = []string{
	"get a\nget b\n",
	"del a\nget b\ndel c\ndel d\nput e 5\n12345get f\n",
	"!put x 3\nextra\nabcput y 100000\n" + strings.Repeat("y", 100_000) + "del z\nquit\nget never\n",
	"get a\nfeed\n" + strings.Repeat("whatever\n", 30_000),
	"put a 10\n1234",
	"get a\nnonsense\n",
}

// However the streams are cut, the same bytes come to both ends.
func FuzzSplits(f *testing.F) {
	type result struct {
		agent, upstream string
		failed          bool
	}
	var whole []result
	f.Add(uint8(0), []byte{0})
	for i := range conversations {
		f.Add(uint8(i), []byte{1, 0, 6})
		f.Add(uint8(i), []byte{255, 3, 200})
	}
	f.Fuzz(func(t *testing.T, which uint8, cuts []byte) {
		if whole == nil {
			for _, text := range conversations {
				a, u, e := conversation(t, text, nil)
				whole = append(whole, result{a, u, e.FailClosed})
			}
		}
		i := int(which) % len(conversations)
		if len(cuts) > 256 {
			t.Skip("long enough")
		}
		a, u, e := conversation(t, conversations[i], cuts)
		want := whole[i]
		if e.FailClosed != want.failed {
			t.Fatalf("ended with %+v", e)
		}
		if want.failed { // a reset may overtake what was written
			if !strings.HasPrefix(want.agent, a) && !strings.HasPrefix(a, want.agent) {
				t.Errorf("the agent got %.100q, or whole %.100q", a, want.agent)
			}
			return
		}
		if a != want.agent || u != want.upstream {
			t.Errorf("the agent got %d bytes %.100q, or whole %d %.100q; the upstream %d %.100q, or whole %d %.100q",
				len(a), a, len(want.agent), want.agent, len(u), u, len(want.upstream), want.upstream)
		}
	})
}

// The whole conversations mean what they should, else FuzzSplits compares nothing.
func TestConversations(t *testing.T) {
	a, u, e := conversation(t, conversations[1], nil)
	body := "data 70000\n" + strings.Repeat("\n", 70_000)
	wantA := "denied: never\n" + body + "denied: never\ndenied: never\nok put e 5\n" + body
	if wantU := "get b\nput e 5\n12345get f\n"; a != wantA || u != wantU || e.FailClosed {
		t.Errorf("the agent got %.100q, the upstream %q, ended %+v", a, u, e)
	}
}
