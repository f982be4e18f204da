package gate

import (
	"bytes"
	"context"
	"errors"
	"math"
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
	opConnectStream
	opTLS
	opAuth
	opAlias
	opUnalias
	opScan
	opRelogin
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
		return l.sendUp(o.id, ownWords)
	case opConnectStream:
		return l.connectStream(o.id)
	case opTLS:
		return l.tls(o.side)
	case opAuth:
		return l.auth(o.id, "words")
	case opAlias:
		return l.alias(uint32(o.n))
	case opUnalias:
		return l.unalias(o.id, uint32(o.n))
	case opRelogin:
		return l.relogin(o.id)
	case opScan:
		id := o.id
		if o.side == abi.Upstream {
			id = 0
		}
		f := fuzzedFraming
		f.Adjust = int32(o.n%4) - 1
		return abi.AppendScan(l, o.side, id, &f, &fuzzedTypes)
	}
	return append(l, 0xee)
}

const ownWords, loginAnswer = "own words", "the answer"

// Frames of two bytes of head, whose lengths and types are those of a stream that counts.
var (
	fuzzedFraming = abi.Framing{Head: 2, LengthAt: 1, LengthWidth: 1, Max: 100}
	fuzzedTypes   = abi.TypeSet(bytes.Repeat([]byte{0xdd}, 32))
)

// aliasOf is an alias for tests, and what it stands for.
func aliasOf(p []byte) []byte {
	p = bytes.Clone(p)
	for i := range p {
		p[i] ^= 0x55
	}
	return p
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
		asks := o.kind <= opConnect || o.kind == opConnectStream
		if asks && arg&2 == 0 { // mostly what is right: the next id
			o.id = g.last + 1
		} else if arg&2 == 0 { // and the last one
			o.id = g.last
		}
		if arg >= 0xf8 { // and lengths that overflow
			o.n = []uint64{1 << 40, math.MaxInt64 - 1, math.MaxInt64, 1 << 63, math.MaxUint64 - 1, math.MaxUint64, 1 << 32, 300}[arg&7]
		}
		if asks {
			g.last = max(g.last, o.id)
			if o.kind == opConnect || o.kind == opConnectStream {
				o.n = 0
			}
		}
		ops = append(ops, o)
		l = o.append(l)
	}
}

func FuzzGuest(f *testing.F) {
	connect := []byte{byte(opConnect), 0, byte(opDial), 0, byte(opEnd)}
	seed := func(b ...byte) {
		f.Add(append(bytes.Clone(connect), b...), []byte{9}, false)
		f.Add(append(bytes.Clone(connect), b...), []byte{9}, true)
	}
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
	say(byte(opStream), 0, byte(opSendUp), 0, byte(opScan), 12, end, end, byte(opDone), 0)
	say(byte(opAlias), 1|20, byte(opScan), 13, end, byte(opAlias), 1|16, byte(opScan), 13, end)
	say(byte(opAsk), 80, byte(opUnalias), 20, byte(opPass), 20, byte(opUnalias), 12)
	say(byte(opAsk), 40, byte(opSendUp), 0, end)
	say(byte(opAsk), 80, end, byte(opScan), 12, end)
	say(byte(opTLS), 1, byte(opStock), 0, end, byte(opStream), 0, byte(opPass), 0x60, byte(opTLS), 0, byte(opSend), 40)
	say(byte(opTLS), 0, byte(opSend), 40, end, byte(opTLS), 1, byte(opPass), 1|40, end)
	f.Add([]byte{byte(opConnectStream), 0, byte(opDial), 0, end, end, end, byte(opAuth), 0, byte(opTLS), 1, end, byte(opAuth), 0, byte(opScan), 0}, []byte{9}, true)
	f.Add([]byte{byte(opConnectStream), 0, byte(opDial), 0, end, end, end, byte(opAuth), 0, byte(opPass), 40, byte(opScan), 0, end}, []byte{9}, false)
	login := []byte{byte(opConnectStream), 0, byte(opDial), 0, end, end, end, byte(opAuth), 0, byte(opRelogin), 0}
	f.Add(append(bytes.Clone(login), end, byte(opStock), 0, byte(opAuth), 0, end, byte(opPass), 1|40, end), []byte{9}, false)
	f.Add(append(bytes.Clone(login), byte(opPass), 40, end, byte(opTLS), 1, end, byte(opAuth), 0, byte(opRelogin), 0, end), []byte{9}, true)
	f.Add(append(bytes.Clone(login), byte(opAuth), 0, end), []byte{9}, false)
	f.Fuzz(func(t *testing.T, source, cuts []byte, promised bool) {
		if len(source) > 1<<10 || len(cuts) > 64 {
			t.Skip("long enough")
		}
		var agentBytes, upstreamBytes []byte
		for i := range 250 {
			agentBytes, upstreamBytes = append(agentBytes, byte(i)), append(upstreamBytes, byte(i)^0x40)
		}
		gateAgent, agent := memPair(cuts)
		gateUpstream, upstream := memPair(cuts)
		_, _ = agent.Write(agentBytes)
		_ = agent.CloseWrite()
		_, _ = upstream.Write(upstreamBytes)
		_ = upstream.CloseWrite()
		gateAgain, again := memPair(cuts)
		_, _ = again.Write(upstreamBytes)
		_ = again.CloseWrite()
		relogged := false
		g := &fuzzed{source: source}
		s := &session{dial: func(context.Context) (Conn, error) { return gateUpstream, nil },
			secure:  func(_ context.Context, _ abi.Side, k Conn) (Conn, Secured, error) { return fake{k}, Secured{}, nil },
			auth:    func(int, []byte) ([]byte, error) { return []byte(loginAnswer), nil },
			alias:   func(p []byte) ([]byte, error) { return aliasOf(p), nil },
			unalias: func(p []byte) ([]byte, bool) { return aliasOf(p), true },
			relogin: func() (Conn, error) {
				if relogged = true; len(source)&1 == 0 {
					return nil, errors.New("no newer secret")
				}
				return gateAgain, nil
			}}
		cfg := Config{Agent: gateAgent, Guest: g, Manifest: testManifest(), Session: s, Limits: Limits{Window: 4 << 10, Linger: patience}}
		cfg.Manifest.Slots = []abi.Slot{{Name: "password"}}
		cfg.Facts = abi.Facts{UpstreamTLS: promised, AgentTLS: true, Slots: []string{"password"}}
		e := Serve(t.Context(), cfg)

		m := &model{streams: [2][]byte{bytes.Clone(agentBytes), bytes.Clone(upstreamBytes)}, owner: make([]uint32, len(agentBytes)),
			connects: map[uint32]bool{}, promised: promised}
		m.run(g.said)
		if got := upstream.received(); !bytes.HasPrefix(m.out[abi.Upstream], got) {
			t.Errorf("the upstream got %q, at most %q was allowed; the guest said %v, ended %+v", got, m.out[abi.Upstream], g.said, e)
		}
		if got := again.received(); promised && m.again && !m.securedAgain && len(bytes.ReplaceAll(got, []byte("PING"), nil)) > 0 {
			t.Errorf("the upstream that was dialed anew got %q before TLS; the guest said %v, ended %+v", got, g.said, e)
		}
		if relogged && !m.again {
			t.Errorf("a login that was not refused was made anew; the guest said %v, ended %+v", g.said, e)
		}
		if got := agent.received(); !m.again && !bytes.HasPrefix(m.out[abi.Agent], got) {
			t.Errorf("the agent got %q, at most %q was said; the guest said %v, ended %+v", got, m.out[abi.Agent], g.said, e)
		}
		if s.dials > 0 && m.dialed == 0 || s.dials > 1 {
			t.Errorf("dialed %d times; the guest said %v, ended %+v", s.dials, g.said, e)
		}
	})
}
