package tcpconn

import (
	"io"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

// half is one direction of a connection: whose turn it is, what it waits for, and its deadline.
type half struct {
	turn        sync.Mutex        // one operation at a time
	source      source            // of Write, under turn; here so that it need not be allocated
	destination tcpip.SliceWriter // of Read, the same
	events      waiter.EventMask

	mu       sync.Mutex
	entry    waiter.Entry
	ready    chan struct{} // made for the first operation that waits
	timer    *time.Timer
	deadline time.Time // zero: none
}

// wait returns when the stack has told of one of the events, the deadline has come or was changed, or for no reason.
func (h *half) wait(queue *waiter.Queue) {
	if h.register(queue) {
		<-h.ready
	}
}

// waitFor is wait that also returns when done is closed.
func (h *half) waitFor(queue *waiter.Queue, done <-chan struct{}) {
	if h.register(queue) {
		select {
		case <-done:
		case <-h.ready:
		}
	}
}

// register reports false if the stack has told of nothing before, because it was not asked: what it would have told of may have
// happened.
func (h *half) register(queue *waiter.Queue) (before bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ready != nil {
		return true
	}
	h.entry, h.ready = waiter.NewChannelEntry(h.events | waiter.EventHUp | waiter.EventErr)
	queue.EventRegister(&h.entry)
	return false
}

// wake has an operation that waits look again.
func (h *half) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakeLocked()
}

func (h *half) wakeLocked() {
	if h.ready != nil {
		select {
		case h.ready <- struct{}{}:
		default:
		}
	}
}

// expired reports whether the deadline is over.
func (h *half) expired() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.deadline.IsZero() && !time.Now().Before(h.deadline)
}

// setDeadline changes the deadline, also that of an operation that waits.
func (h *half) setDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	h.deadline = t
	if left := time.Until(t); !t.IsZero() && left > 0 {
		h.timer = time.AfterFunc(left, h.wake)
	}
	h.wakeLocked()
}

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *Conn) SetDeadline(t time.Time) error {
	c.reading.setDeadline(t)
	c.writing.setDeadline(t)
	return nil
}

// SetReadDeadline bounds Read; the zero time is no bound.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.reading.setDeadline(t)
	return nil
}

// SetWriteDeadline bounds Write; the zero time is no bound.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writing.setDeadline(t)
	return nil
}

// source is a tcpip.Payloader: what is left to be written.
type source []byte

func (s *source) Len() int { return len(*s) }

func (s *source) Read(b []byte) (int, error) {
	if len(*s) == 0 {
		return 0, io.EOF
	}
	n := copy(b, *s)
	*s = (*s)[n:]
	return n, nil
}
