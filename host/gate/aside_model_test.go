package gate

import (
	"bytes"
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// asideModel is what may be written to the upstream at most, when people decide whenever they like: for each action aside, and for all plain
// ones together, the bytes in their order. How these stand to each other is open, but that nothing comes between the bytes of one PASS.
type asideModel struct {
	owner     [fuzzedAgentBytes]uint32 // of each byte of the agent: the allowed plain action that covers it
	asked     int                      // up to where plain actions cover
	cursor    int
	streaming uint32
	begun     int

	// The last plain action: which bytes it covers, and, while it waits, what stands behind it.
	start, end int
	endless    bool // it is a streaming one
	pending    uint32
	rest       []asideOp
	unheard    bool // the connection ended before its verdict

	asides  map[uint32]*modelAside
	by      [fuzzedAgentBytes]uint32 // under which action aside each byte was passed, or 0
	passed  [fuzzedAgentBytes]bool
	pieces  [][2]int          // what was passed at once
	tokens  map[uint32][]byte // for each action aside, and 0 for the plain ones
	secrets int
	stock   int
}

type modelAside struct {
	denied, heard, allowed, done bool
}

func newAsideModel() *asideModel {
	return &asideModel{asides: map[uint32]*modelAside{}, tokens: map[uint32][]byte{}}
}

// run carries lists out until one breaks a rule that matters to what is written.
func (m *asideModel) run(said []saying) {
	for _, s := range said {
		if !m.hear(s.event) || !m.all(s.ops) {
			return
		}
	}
	if m.pending != 0 { // it may have been approved or denied, and the connection be over before the guest heard of it
		m.resume()
		m.unheard = true
	}
}

// hear does what an event shows to have happened before.
func (m *asideModel) hear(e *abi.Event) bool {
	if e == nil {
		return true
	}
	if s := m.asides[e.ID]; s != nil {
		if e.Kind == abi.KindVerdict {
			s.denied, s.heard, s.allowed = e.Outcome == abi.Deny, true, e.Outcome == abi.Allow
		}
		return true
	}
	switch {
	case m.pending == 0 || e.Kind != abi.KindVerdict && e.Kind != abi.KindHeld:
	case e.Kind == abi.KindVerdict && e.ID == m.pending && e.Outcome == abi.Deny:
		m.refuse()
		m.pending = 0
	case e.Kind == abi.KindVerdict && e.ID == m.pending, e.ID > m.pending: // what it is about stands behind what was approved
		return m.resume()
	}
	return true
}

func (m *asideModel) resume() bool {
	id, rest := m.pending, m.rest
	m.pending, m.rest = 0, nil
	m.cover(id)
	return m.all(rest)
}

// all carries a list out, up to a question that is denied or waits.
func (m *asideModel) all(ops []asideOp) bool {
	for i, o := range ops {
		switch {
		case o.kind == asksPlain || o.kind == asksStream:
			if m.pending != 0 || m.streaming != 0 {
				return false
			}
			m.start, m.endless = max(m.asked, m.cursor), o.kind == asksStream
			if m.end = m.clip(m.start + int(o.n)); m.endless {
				m.end = fuzzedAgentBytes
			}
			switch o.title {
			case "allow":
				m.cover(o.id)
			case "deny":
				m.refuse()
				return true
			default:
				m.pending, m.rest = o.id, ops[i+1:]
				return true
			}
		case !m.one(o):
			return false
		}
	}
	return true
}

func (m *asideModel) clip(n int) int { return min(n, fuzzedAgentBytes) }

// cover is about the last plain action, which is allowed.
func (m *asideModel) cover(id uint32) {
	if m.endless {
		m.streaming, m.begun = id, m.start
	}
	for i := m.clip(m.start); i < m.end; i++ {
		m.owner[i] = id
	}
	m.asked = m.end
}

// refuse is about one that is denied.
func (m *asideModel) refuse() {
	if m.asked = m.end; m.endless {
		m.asked = m.start
	}
}

func (m *asideModel) one(o asideOp) bool {
	s := m.asides[o.id]
	open := s != nil && !s.done && !(s.heard && s.denied)
	switch o.kind {
	case asksAside, asksAsideToo:
		m.asides[o.id] = &modelAside{denied: o.title == "deny", allowed: o.title == "allow"}
	case passes, passesToo, unaliases:
		n := int(o.n)
		if o.kind == unaliases {
			n = max(n, abi.MinAlias)
		}
		return m.pass(o.id, n, open)
	case drops:
		m.cursor += int(o.n)
	case sendsUp:
		owner := o.id
		if !open {
			owner = 0
		}
		m.tokens[owner] = append(m.tokens[owner], tokenSent, byte(o.id))
		return open || o.id == m.streaming
	case writesSecret:
		m.secrets++
		return open || o.id == m.streaming
	case isDone:
		if open {
			s.done = true
			return true
		}
		if o.id != m.streaming {
			return false
		}
		m.asked = max(m.begun, m.clip(m.cursor))
		for i := m.asked; i < fuzzedAgentBytes; i++ {
			m.owner[i] = 0
		}
		m.streaming = 0
	case writesStock:
		m.stock++
	}
	return true
}

func (m *asideModel) pass(id uint32, n int, aside bool) bool {
	from, to := m.clip(m.cursor), m.clip(m.cursor+n)
	for i := from; i < to; i++ {
		if !aside && (m.owner[i] != id || id == 0) {
			return false
		}
	}
	owner := uint32(0)
	if aside {
		owner = id
	}
	for i := from; i < to; i++ {
		m.by[i], m.passed[i] = owner, true
		m.tokens[owner] = append(m.tokens[owner], byte(i))
	}
	if to > from {
		m.pieces = append(m.pieces, [2]int{from, to})
	}
	m.cursor += n
	return true
}

// compare says what is wrong with what the upstream got. whole says that everything must have come.
func (m *asideModel) compare(got []byte, whole bool) string {
	of := map[uint32][]byte{}
	at := map[int]int{}
	for i := 0; i < len(got); i++ {
		switch b := got[i]; {
		case b == tokenStock:
			m.stock--
		case b == tokenSecret:
			m.secrets--
		case b == tokenSent:
			if i++; i == len(got) {
				return "half a SEND"
			}
			owner := uint32(got[i])
			if m.asides[owner] == nil {
				owner = 0
			}
			of[owner] = append(of[owner], b, got[i])
		case int(b) >= fuzzedAgentBytes || !m.passed[b]:
			return fmt.Sprintf("byte %d was not passed", b)
		default:
			at[int(b)] = i
			of[m.by[b]] = append(of[m.by[b]], b)
		}
	}
	if m.stock < 0 || m.secrets < 0 {
		return "too many constants or secrets"
	}
	for id, b := range of {
		switch s := m.asides[id]; {
		case !bytes.HasPrefix(m.tokens[id], b):
			return fmt.Sprintf("under action %d went % x, at most % x was said", id, b, m.tokens[id])
		case s != nil && s.denied:
			return fmt.Sprintf("under action %d, which was denied, went % x", id, b)
		}
	}
	for _, p := range m.pieces {
		for i := p[0] + 1; i < p[1]; i++ {
			before, was := at[i-1]
			if here, is := at[i]; is && (!was || here != before+1) {
				return fmt.Sprintf("something is between bytes %d and %d, which were passed at once", i-1, i)
			}
		}
	}
	for id, b := range m.tokens {
		if s := m.asides[id]; whole && (id == 0 && !m.unheard || id != 0 && s.allowed) && len(b) != len(of[id]) {
			return fmt.Sprintf("under action %d went % x only, % x was said", id, of[id], b)
		}
	}
	return ""
}
