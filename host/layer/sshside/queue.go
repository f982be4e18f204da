package sshside

import (
	"os"
	"sync"
	"time"
)

// maxQueued is how many bytes of records may wait to be read; whoever has more to say waits.
const maxQueued = 2 << 20

// queue carries records from many to one reader, which reads them as a stream of bytes.
type queue struct {
	mu      sync.Mutex
	changed sync.Cond
	records [][]byte
	read    int // of the first one
	buffers *buffers
	queued  int
	err     error // after the last record; nil: there may be more
	gone    bool  // nobody reads any more

	past  bool // the read deadline is over
	timer *time.Timer
}

func newQueue(b *buffers) *queue {
	q := &queue{buffers: b}
	q.changed.L = &q.mu
	return q
}

// put appends a whole record, which the queue owns from then on. It waits while too much is queued, and reports false when nobody reads
// any more.
func (q *queue) put(r []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.queued >= maxQueued && !q.gone {
		q.changed.Wait()
	}
	if q.gone {
		return false
	}
	q.records = append(q.records, r)
	q.queued += len(r)
	q.changed.Broadcast()
	return true
}

// end says what comes behind the last record.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.changed.Broadcast()
}

// close has everybody return who waits.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.gone, q.records, q.queued = true, nil, 0
	if q.timer != nil {
		q.timer.Stop()
	}
	q.changed.Broadcast()
}

// Read reads as much as there is.
func (q *queue) Read(p []byte) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.records) == 0 {
		switch {
		case q.gone:
			return 0, os.ErrClosed
		case q.past:
			return 0, os.ErrDeadlineExceeded
		case q.err != nil:
			return 0, q.err
		case len(p) == 0:
			return 0, nil
		}
		q.changed.Wait()
	}
	for n < len(p) && len(q.records) > 0 {
		k := copy(p[n:], q.records[0][q.read:])
		n += k
		if q.read += k; q.read == len(q.records[0]) {
			q.buffers.put(q.records[0])
			q.records[0] = nil
			q.records, q.read = q.records[1:], 0
		}
	}
	if len(q.records) == 0 {
		q.records = nil
	}
	q.queued -= n
	q.changed.Broadcast()
	return n, nil
}

// setDeadline has Read return at t; zero: it waits.
func (q *queue) setDeadline(t time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.timer != nil {
		q.timer.Stop()
		q.timer = nil
	}
	left := time.Until(t)
	q.past = !t.IsZero() && left <= 0
	if !t.IsZero() && left > 0 {
		var timer *time.Timer
		timer = time.AfterFunc(left, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			if q.timer == timer {
				q.past = true
				q.changed.Broadcast()
			}
		})
		q.timer = timer
	}
	q.changed.Broadcast()
}
