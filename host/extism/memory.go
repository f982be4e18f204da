package extism

// memory is a linear memory on the Go heap that grows to a limit.
type memory struct {
	b       []byte
	limit   uint64
	refused bool // it was asked for more
}

// Reallocate implements experimental.LinearMemory. Capacity doubles, so that growing by one page at a time costs no more than
// growing at once.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.limit {
		m.refused = true
		return nil
	}
	if size > uint64(cap(m.b)) {
		b := make([]byte, size, min(max(size, 2*uint64(cap(m.b))), m.limit))
		copy(b, m.b)
		m.b = b
	}
	m.b = m.b[:size]
	return m.b
}

// Free implements experimental.LinearMemory.
func (m *memory) Free() { m.b = nil }

// view is n bytes at addr.
func (m *memory) view(addr, n uint64) ([]byte, bool) {
	addr, n = uint64(uint32(addr)), uint64(uint32(n))
	if addr+n > uint64(len(m.b)) {
		return nil, false
	}
	return m.b[addr : addr+n : addr+n], true
}
