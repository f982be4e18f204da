package mask

import "slices"

// Stream masks one direction of one connection. It is used by one goroutine at a time.
type Stream struct {
	set *Set
	// past is the end of what came, as it came: nearly as much as the longest pattern has.
	past []byte
	// held is the end of what came and was not passed on, masked as far as is known.
	held  []byte
	spans []span
	join  []byte
	first []byte
}

type span struct {
	from, to int
	mark     byte
}

// Stream begins one. A nil set makes one that changes nothing.
func (s *Set) Stream() *Stream { return &Stream{set: s} }

// Next takes the next piece and masks it in place. What can be passed on is first, then second: first was held back before and is
// valid until the next call, second is the beginning of p. The end of p may be held back: at most one byte less than the longest
// pattern takes with what may cut it, and only when at least four bytes of a pattern stand there. Held says how much; when nothing more comes for a while,
// Flush gives it up, so that nobody waits for it forever.
func (m *Stream) Next(p []byte) (first, second []byte) {
	s := m.set
	if s == nil {
		return nil, p
	}
	// Patterns that begin in what is past and end in p. Positions count from the beginning of p.
	m.spans = m.spans[:0]
	m.join = append(append(m.join[:0], m.past...), p[:min(len(p), s.reach())]...)
	s.find(m.join, func(from, to int, mark byte) {
		if from < len(m.past) && to > len(m.past) {
			m.spans = append(m.spans, span{from - len(m.past), to - len(m.past), mark})
		}
	})
	s.findCut(m.join, func(list []span) {
		if list[0].from < len(m.past) && list[len(list)-1].to > len(m.past) {
			for _, f := range list {
				m.spans = append(m.spans, span{f.from - len(m.past), f.to - len(m.past), f.mark})
			}
		}
	})
	s.findCut(p, func(list []span) { m.spans = append(m.spans, list...) })
	s.find(p, func(from, to int, mark byte) { m.spans = append(m.spans, span{from, to, mark}) })
	m.remember(p)
	for _, f := range m.spans {
		for i := max(f.from, -len(m.held)); i < min(f.to, 0); i++ {
			m.held[len(m.held)+i] = f.mark
		}
		for i := max(f.from, 0); i < f.to; i++ {
			p[i] = f.mark
		}
	}
	// What is held of all that was not passed on.
	hold := min(max(s.beginning(m.past), s.beginningCut(m.past)), len(m.held)+len(p))
	if hold <= len(p) {
		m.first = append(m.first[:0], m.held...)
		m.held = append(m.held[:0], p[len(p)-hold:]...)
		return m.first, p[:len(p)-hold]
	}
	free := len(m.held) + len(p) - hold
	m.first = append(m.first[:0], m.held[:free]...)
	m.held = append(slices.Delete(m.held, 0, free), p...)
	return m.first, nil
}

// remember keeps the end of what came. p is as it came.
func (m *Stream) remember(p []byte) {
	keep := m.set.reach()
	if len(p) >= keep {
		m.past = append(m.past[:0], p[len(p)-keep:]...)
		return
	}
	if over := len(m.past) + len(p) - keep; over > 0 {
		m.past = slices.Delete(m.past, 0, over)
	}
	m.past = append(m.past, p...)
}

// Held is how many bytes are held back.
func (m *Stream) Held() int { return len(m.held) }

// Flush gives up what is held back: at the end of the stream, or when whoever waits for it has waited long enough. What comes later is
// masked as if it had not been called, but for these bytes. The result is valid until the next call.
func (m *Stream) Flush() []byte {
	m.first = append(m.first[:0], m.held...)
	m.held = m.held[:0]
	return m.first
}
