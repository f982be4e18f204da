package gate

import (
	"math"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// model is what may be written to either side at most, computed as plainly as possible: who owns each byte of the agent.
type model struct {
	streams   [2][]byte // as the guest is shown them: what is behind a TLS is decrypted
	owner     []uint32  // of each byte of the agent: the allowed action that covers it
	asked     int       // up to where bytes were asked about
	cursor    [2]uint64
	streaming uint32
	begun     int // where the streaming action starts
	connects  map[uint32]bool
	dialed    uint32
	promised  bool // TLS to the upstream
	secured   [2]bool
	answered  bool // a login was
	// Behind a RELOGIN the first upstream gets nothing more, and what the agent gets depends on time; of the second one only its TLS is known.
	again, securedAgain bool
	out                 [2][]byte // as they are on the wire
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

func (m *model) clip(n uint64) int { return int(min(n, uint64(len(m.streams[abi.Agent])))) }
func (m *model) start() int        { return max(m.asked, m.clip(m.cursor[abi.Agent])) }

// write writes p to side, encrypted when it is.
func (m *model) write(side abi.Side, p []byte) {
	at := len(m.out[side])
	m.out[side] = append(m.out[side], p...)
	if m.secured[side] {
		flip(m.out[side][at:])
	}
}

func (m *model) do(o op) bool {
	if m.again {
		m.securedAgain = m.securedAgain || o.kind == opTLS && o.side == abi.Upstream
		return true
	}
	switch o.kind {
	case opRelogin:
		m.again = m.answered && o.id != 0 && o.id == m.streaming && o.id == m.dialed
		return m.again
	case opAsk, opStream, opConnect, opConnectStream:
		return m.ask(o)
	case opDone:
		if o.id != m.streaming || o.id == 0 {
			return false
		}
		m.asked = max(m.begun, m.clip(m.cursor[abi.Agent]))
		clear(m.owner[m.asked:])
		m.streaming = 0
	case opPass:
		p, ok := m.take(o)
		if ok {
			m.write(o.side.Other(), p)
		}
		return ok
	case opDrop:
		m.cursor[o.side] += o.n
		return o.n <= math.MaxInt64
	case opStock:
		m.write(abi.Upstream, []byte("PING"))
		return o.id>>1 == 0
	case opSend:
		m.write(abi.Agent, []byte(sent(o)))
	case opDial:
		if !m.connects[o.id] || m.dialed != 0 {
			return false
		}
		m.dialed = o.id
	case opSendUp, opAuth, opTLS, opAlias, opUnalias, opScan:
		return m.doMore(o)
	case opClose, opGarbage:
		return false
	}
	return true
}

func (m *model) ask(o op) bool {
	start, end := m.start(), len(m.streams[abi.Agent])
	if o.kind == opStream || o.kind == opConnectStream {
		m.streaming, m.begun = o.id, start
	} else {
		if o.n > math.MaxInt64 {
			return false
		}
		end = m.clip(uint64(start) + o.n)
	}
	for i := start; i < end; i++ {
		m.owner[i] = o.id
	}
	m.asked = end
	if o.kind == opConnect || o.kind == opConnectStream {
		m.connects[o.id] = true
	}
	return true
}

// take returns the next n bytes of a side, which may go on.
func (m *model) take(o op) (p []byte, ok bool) {
	stream, from := m.streams[o.side], m.cursor[o.side]
	if o.n > math.MaxInt64 || o.side == abi.Agent && m.promised && !m.secured[abi.Upstream] {
		return nil, false
	}
	at, to := min(from, uint64(len(stream))), min(from+o.n, uint64(len(stream)))
	for i := at; i < to && o.side == abi.Agent; i++ {
		if m.owner[i] != o.id || o.id == 0 {
			return nil, false
		}
	}
	m.cursor[o.side] += o.n
	return stream[at:to], true
}

func (m *model) doMore(o op) bool {
	unpromised := !m.promised || m.secured[abi.Upstream]
	open := o.id != 0 && o.id == m.streaming
	switch o.kind {
	case opSendUp, opAuth:
		words := []byte(ownWords)
		if o.kind == opAuth {
			words, open = []byte(loginAnswer), open && o.id == m.dialed
		}
		if open && unpromised {
			m.write(abi.Upstream, words)
			m.answered = m.answered || o.kind == opAuth
		}
		return open && unpromised
	case opTLS:
		at := min(m.cursor[o.side], uint64(len(m.streams[o.side])))
		flip(m.streams[o.side][at:])
		first := !m.secured[o.side]
		m.secured[o.side] = true
		return first && (o.side == abi.Agent || m.promised)
	case opAlias:
		o.side, o.id = abi.Upstream, 0
		p, ok := m.take(o)
		if ok {
			m.write(abi.Agent, aliasOf(p))
		}
		return ok && len(p) >= abi.MinAlias
	case opUnalias:
		o.side = abi.Agent
		p, ok := m.take(o)
		if ok && len(p) >= abi.MinAlias {
			m.write(abi.Upstream, aliasOf(p))
		}
		return ok && len(p) >= abi.MinAlias
	default:
		return (o.side == abi.Upstream || open && unpromised) && m.scan(o)
	}
}

// scan passes the frames of a side.
func (m *model) scan(o op) bool {
	stream := m.streams[o.side]
	for at := m.cursor[o.side]; at+2 <= uint64(len(stream)); at = m.cursor[o.side] {
		size := int(stream[at+1]) + int(o.n%4) - 1
		if !fuzzedTypes.Has(stream[at]) || size < 2 || size > int(fuzzedFraming.Max) {
			break
		}
		m.write(o.side.Other(), stream[at:min(at+uint64(size), uint64(len(stream)))])
		m.cursor[o.side] += uint64(size)
	}
	return true
}
