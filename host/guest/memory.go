package guest

import "github.com/tetratelabs/wazero/experimental"

// linear is the memory of an instance. Free is idempotent.
type linear interface {
	experimental.LinearMemory
	grown() bool   // larger than it was at first
	refused() bool // asked for more than the limit
}

// heapMemory is a linear memory on the Go heap, for systems without mappings.
type heapMemory struct {
	b       []byte
	limit   uint64
	first   uint64
	failure bool
}

// Reallocate implements experimental.LinearMemory. Capacity doubles, so that growing by one page at a time costs no more
// than growing at once.
func (m *heapMemory) Reallocate(size uint64) []byte {
	if size > m.limit {
		m.failure = true
		return nil
	}
	if m.b == nil {
		m.first = size
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
func (m *heapMemory) Free()         { m.b = nil }
func (m *heapMemory) grown() bool   { return uint64(len(m.b)) > m.first }
func (m *heapMemory) refused() bool { return m.failure }
