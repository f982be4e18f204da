package gate

import "sync"

// smallRead is what an idle connection keeps ready for each side, in bytes. A side that fills it gets a large buffer from the
// pool until it sends little again, so that many idle connections cost little and bulk data few calls.
const smallRead = 4 << 10

var largePool = sync.Pool{New: func() any { return new([largeRead]byte) }}

// largeRead is the most that one read takes, in bytes.
const largeRead = 64 << 10

type readBuffer struct {
	small [smallRead]byte
	large *[largeRead]byte
	most  int // the guest's capacity
}

func newReadBuffer(capacity int) *readBuffer { return &readBuffer{most: min(capacity, largeRead)} }

// next is where the next read goes.
func (b *readBuffer) next() []byte {
	if b.large != nil {
		return b.large[:b.most]
	}
	return b.small[:min(smallRead, b.most)]
}

// adapt is called once the bytes of a read of n are done with.
func (b *readBuffer) adapt(n int) {
	switch {
	case b.large == nil && n == smallRead:
		b.large = largePool.Get().(*[largeRead]byte)
	case b.large != nil && n < smallRead:
		b.release()
	}
}

func (b *readBuffer) release() {
	if b.large != nil {
		largePool.Put(b.large)
		b.large = nil
	}
}
