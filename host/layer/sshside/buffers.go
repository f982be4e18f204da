package sshside

import (
	"sync"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// bufferSize holds the largest record of data. Data of less than pooledSize is not worth a buffer of that size, and would let little data hold much memory.
const (
	bufferSize = sshwire.ExtendedAt + sshwire.MaxData
	pooledSize = 8 << 10
)

// buffers are for the data of one connection.
type buffers struct{ pool sync.Pool }

// get is an empty slice with room for n bytes.
func (b *buffers) get(n int) []byte {
	if n < pooledSize || n > bufferSize {
		return make([]byte, 0, n)
	}
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:0]
	}
	return new([bufferSize]byte)[:0]
}

// put takes a slice back that get gave, from its beginning, and that nobody uses any more. Others it ignores.
func (b *buffers) put(p []byte) {
	if cap(p) == bufferSize {
		b.pool.Put((*[bufferSize]byte)(p[:bufferSize]))
	}
}
