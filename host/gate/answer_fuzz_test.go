package gate

import (
	"bytes"
	"context"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// answerOp is what a fuzzed guest says about answers.
type answerOp struct {
	kind  answerOpKind
	id    uint32 // a parent, or what is answered
	n     uint64
	asks  uint32 // the id of a question
	allow bool
	flags uint8
}

type answerOpKind uint8

const (
	aLook answerOpKind = iota // an action whose answer is looked at
	aAsk                      // another one
	aPass
	aDrop
	aKeep
	aAskAnswer
	aRelease
	aDiscard
	aAnswered
	aScan
	aValue
	aEnd
	answerOps
)

// answerGuest draws what it says from bytes.
type answerGuest struct {
	source []byte
	last   uint32
	said   []answerOp
}

func (g *answerGuest) InputCapacity() int { return abi.MinBuffer }
func (g *answerGuest) Open([]byte) ([]byte, bool, error) {
	g.last = 1
	return dialing(), false, nil
}
func (g *answerGuest) Data(side abi.Side, p []byte, flags uint32) ([]byte, bool, error) {
	if flags&abi.DataEnd != 0 {
		return nil, false, nil
	}
	if side == abi.Agent {
		return list(nil).drop(uint64(len(p))), false, nil
	}
	return g.say()
}
func (g *answerGuest) Event(b []byte) ([]byte, bool, error) {
	if e, err := abi.ReadEvent(b); err != nil || e.Kind != abi.KindVerdict || e.ID == 1 {
		return nil, false, nil
	}
	return g.say()
}
func (g *answerGuest) Close() {}

func (g *answerGuest) say() ([]byte, bool, error) {
	var l list
	for len(g.source) >= 2 {
		a, b := g.source[0], g.source[1]
		g.source = g.source[2:]
		o := answerOp{kind: answerOpKind(a % byte(answerOps)), id: uint32(b & 7), n: uint64(b >> 3), allow: b&1 == 0}
		switch o.kind {
		case aEnd:
			return l, false, nil
		case aLook, aAsk, aAskAnswer:
			g.last++
			o.asks = g.last
		}
		if b&0x40 != 0 && o.kind != aLook {
			o.flags |= abi.AskTruncated
		}
		if a&0x80 != 0 {
			o.flags |= abi.AskAside
		}
		g.said = append(g.said, o)
		l = o.append(l)
		if o.kind <= aAsk && o.flags&abi.AskAside == 0 {
			return l, false, nil // its event comes
		}
	}
	return l, false, nil
}

func (o answerOp) append(l list) list {
	switch o.kind {
	case aLook:
		return l.look(o.asks, 0, o.flags&abi.AskAside)
	case aAsk:
		return l.action(o.asks, 0, o.flags&abi.AskAside, 1, title)
	case aPass:
		return l.passAnswer(o.id, o.n)
	case aDrop:
		return l.dropAnswer(o.n)
	case aKeep:
		return l.keep(o.id, o.n)
	case aAskAnswer:
		t := "deny"
		if o.allow {
			t = title
		}
		return l.askAnswer(o.asks, o.id, o.flags, t)
	case aRelease:
		return l.release(o.id, o.n)
	case aDiscard:
		return l.discard(o.id, o.n)
	case aAnswered:
		return l.answered(o.id)
	case aScan:
		return abi.AppendScan(l, abi.Upstream, o.id, &fuzzedFraming, &fuzzedTypes)
	}
	return l.value(o.id, uint32(o.n), 1)
}

// answerModel is what may reach the agent at most, as plainly as possible: which action each byte of the upstream was kept for, and what of it
// may leave.
type answerModel struct {
	stream []byte
	cursor int
	last   uint32
	looked map[uint32]*lookedAt
	out    []byte
}

type lookedAt struct {
	aside          bool
	kept           []byte
	asked, allowed bool
	truncated      bool
	over           bool
}

// run carries out what was said, until something is wrong.
func (m *answerModel) run(said []answerOp) {
	for _, o := range said {
		if !m.do(o) {
			return
		}
	}
}

// mayName reports whether bytes may pass as the answer to id.
func (m *answerModel) mayName(id uint32) bool {
	for parent, p := range m.looked {
		switch {
		case p.over:
		case id == 0:
			return false
		case !p.aside && id > parent:
			return false
		}
	}
	if p := m.looked[id]; p != nil && (p.over || !p.allowed || !p.truncated || len(p.kept) > 0) {
		return false
	}
	return id <= m.last
}

// first reports whether no earlier parent that is not aside is open.
func (m *answerModel) first(id uint32) bool {
	for parent, p := range m.looked {
		if !p.over && !p.aside && parent < id && !m.looked[id].aside {
			return false
		}
	}
	return true
}

func (m *answerModel) do(o answerOp) bool {
	p := m.looked[o.id]
	open := p != nil && !p.over && !p.asked
	end := min(m.cursor+int(o.n), len(m.stream))
	switch o.kind {
	case aLook:
		m.looked[o.asks] = &lookedAt{aside: o.flags&abi.AskAside != 0}
		m.last = o.asks
	case aAsk:
		m.last = o.asks
	case aPass:
		if !m.mayName(o.id) {
			return false
		}
		m.out = append(m.out, m.stream[m.cursor:end]...)
		m.cursor = end
	case aDrop:
		m.cursor = end
	case aKeep:
		if !open || !m.first(o.id) || len(p.kept)+int(o.n) > 16 {
			return false
		}
		p.kept = append(p.kept, m.stream[m.cursor:end]...)
		m.cursor = end
	case aAskAnswer:
		if !open || !m.first(o.id) {
			return false
		}
		m.last = o.asks
		m.looked[o.asks] = &lookedAt{over: true} // nothing answers a question
		p.asked, p.allowed, p.truncated = true, o.allow, o.flags&abi.AskTruncated != 0
		p.over = !p.truncated
		if !o.allow {
			p.kept = nil
		}
	case aRelease, aDiscard:
		n := int(o.n)
		if p == nil || !p.asked || !p.allowed || n > len(p.kept) {
			return false
		}
		if n == 0 {
			n = len(p.kept)
		}
		if o.kind == aRelease {
			m.out = append(m.out, p.kept[:n]...)
		}
		p.kept = p.kept[n:]
	case aAnswered:
		if p == nil || p.over {
			return false
		}
		p.over, p.kept, p.asked, p.allowed = true, nil, true, false
	case aScan:
		// It ends at once or passes frames; what it passes is named, too.
		return false
	}
	return true
}

func FuzzAnswers(f *testing.F) {
	op := func(k answerOpKind, id, n byte) []byte { return []byte{byte(k), id | n<<3} }
	seed := func(parts ...[]byte) {
		f.Add(bytes.Join(parts, nil), []byte{9})
		f.Add(bytes.Join(parts, nil), []byte{60})
	}
	look := op(aLook, 0, 0)
	seed(look, op(aKeep, 2, 5), op(aAskAnswer, 2, 0), op(aEnd, 0, 0), op(aRelease, 2, 0))
	seed(look, op(aKeep, 2, 5), op(aAskAnswer, 2, 0), op(aPass, 2, 5))
	seed(look, op(aPass, 0, 5))
	seed(look, op(aPass, 1, 5), op(aKeep, 2, 5), op(aAskAnswer, 2, 8), op(aRelease, 2, 3), op(aRelease, 2, 2), op(aPass, 2, 9), op(aAnswered, 2, 0), op(aPass, 0, 9))
	seed(look, look, op(aKeep, 2, 5), op(aAskAnswer, 2, 0), op(aKeep, 3, 5), op(aDiscard, 2, 1), op(aRelease, 2, 0), op(aAskAnswer, 3, 0))
	seed([]byte{byte(aLook) + 0x80 - 0x80%byte(answerOps), 0}, op(aPass, 1, 5), op(aKeep, 2, 5))
	seed(op(aAsk, 0, 0), look, op(aPass, 2, 5), op(aAnswered, 3, 0), op(aPass, 3, 5))
	seed(look, op(aScan, 1, 0), op(aScan, 0, 0))
	f.Fuzz(func(t *testing.T, source, cuts []byte) {
		if len(source) > 400 || len(cuts) > 64 {
			t.Skip("long enough")
		}
		var upstreamBytes []byte
		for i := range 250 {
			upstreamBytes = append(upstreamBytes, byte(i))
		}
		gateAgent, agent := memPair(cuts)
		gateUpstream, upstream := memPair(cuts)
		_ = agent.CloseWrite()
		_, _ = upstream.Write(upstreamBytes)
		_ = upstream.CloseWrite()
		g := &answerGuest{source: source}
		s := &session{dial: func(context.Context) (Conn, error) { return gateUpstream, nil }}
		cfg := Config{Agent: gateAgent, Guest: g, Session: s, Facts: abi.Facts{}, Limits: Limits{Window: 4 << 10, Linger: patience}}
		looking(&cfg, s)
		e := Serve(t.Context(), cfg)

		m := &answerModel{stream: upstreamBytes, last: 1, looked: map[uint32]*lookedAt{}}
		m.run(g.said)
		got := agent.received()
		for _, o := range g.said {
			if o.kind == aScan { // what it passes depends on how much has come
				got = got[:min(len(got), len(m.out))]
			}
		}
		if !bytes.HasPrefix(m.out, got) {
			t.Errorf("the agent got % x, at most % x was allowed; the guest said %+v, ended %+v", got, m.out, g.said, e)
		}
	})
}
