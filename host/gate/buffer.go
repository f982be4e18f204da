package gate

import "sync"

// LazyReader is a Conn that asks for memory only when it has something to read, so that connections which do nothing hold none.
type LazyReader interface {
	// ReadLazily is Read into what take returns. It may take and give back more than once while it waits; when it returns with n > 0 it
	// has not given back.
	ReadLazily(take func() []byte, back func()) (n int, err error)
}

// smallRead is what a connection that cannot read lazily keeps ready for each side, in bytes. A side that fills it gets a large
// buffer from the pool until it sends little again, so that many idle connections cost little and bulk data few calls.
const smallRead = 4 << 10

var largePool = sync.Pool{New: func() any { return new([largeRead]byte) }}

// largeRead is the most that one read takes, in bytes.
const largeRead = 64 << 10

type readBuffer struct {
	small []byte
	large *[largeRead]byte
	most  int // the guest's capacity
}

func newReadBuffer(capacity int) *readBuffer { return &readBuffer{most: min(capacity, largeRead)} }

// read reads from a side. What it returns is good until the next call of b.
func (b *readBuffer) read(from Conn) ([]byte, error) {
	if lazy, ok := from.(LazyReader); ok {
		n, err := lazy.ReadLazily(b.take, b.release)
		if n == 0 {
			b.release()
			return nil, err
		}
		return b.large[:n:n], err
	}
	p := b.next()
	n, err := from.Read(p)
	return p[:n:n], err
}

// next is where the next read goes, of a side that must have memory to wait.
func (b *readBuffer) next() []byte {
	if b.large != nil {
		return b.take()
	}
	if b.small == nil {
		b.small = make([]byte, min(smallRead, b.most))
	}
	return b.small
}

// done is called once the bytes of a read are done with.
func (b *readBuffer) done(from Conn, n int) {
	_, lazy := from.(LazyReader)
	switch {
	case lazy:
		b.release()
	case b.large == nil && n == smallRead:
		b.take()
	case b.large != nil && n < smallRead:
		b.release()
	}
}

// take has a large buffer.
func (b *readBuffer) take() []byte {
	if b.large == nil {
		b.large = largePool.Get().(*[largeRead]byte)
	}
	return b.large[:b.most]
}

func (b *readBuffer) release() {
	if b.large != nil {
		largePool.Put(b.large)
		b.large = nil
	}
}
