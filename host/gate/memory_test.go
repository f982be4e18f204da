package gate

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// memConn is an end of a connection in memory. Writes never wait; cuts says how many bytes each Read returns at most, one
// after the other and from the start again.
type memConn struct {
	in, out *memStream
	cuts    []byte
	reads   int
}

type memStream struct {
	mu      sync.Mutex
	changed sync.Cond
	b       []byte
	end     bool // no more is written
	broken  bool // by a reset
	expired bool // the reader's deadline
}

// memPair makes two ends, of which the first is the gate's.
func memPair(cuts []byte) (gate, peer *memConn) {
	a, b := newMemStream(), newMemStream()
	return &memConn{in: a, out: b, cuts: cuts}, &memConn{in: b, out: a}
}

func newMemStream() *memStream {
	s := &memStream{}
	s.changed.L = &s.mu
	return s
}

func (s *memStream) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.changed.Broadcast()
}

func (c *memConn) Read(p []byte) (int, error) {
	s := c.in
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.b) == 0 && !s.end && !s.broken && !s.expired {
		s.changed.Wait()
	}
	switch {
	case s.broken:
		return 0, net.ErrClosed
	case s.expired:
		return 0, os.ErrDeadlineExceeded
	case len(s.b) == 0:
		return 0, io.EOF
	}
	if len(c.cuts) > 0 {
		p = p[:min(len(p), 1+int(c.cuts[c.reads%len(c.cuts)]))]
		c.reads++
	}
	n := copy(p, s.b)
	s.b = s.b[n:]
	return n, nil
}

func (c *memConn) Write(p []byte) (n int, err error) {
	c.out.change(func() {
		if c.out.broken || c.out.end {
			err = net.ErrClosed
			return
		}
		c.out.b = append(c.out.b, p...)
		n = len(p)
	})
	return n, err
}

func (c *memConn) CloseWrite() error {
	c.out.change(func() { c.out.end = true })
	return nil
}

func (c *memConn) Close() error {
	c.in.change(func() { c.in.broken = true })
	return c.CloseWrite()
}

func (c *memConn) Abort() {
	c.in.change(func() { c.in.broken = true })
	c.out.change(func() { c.out.broken = true })
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.in.change(func() { c.in.expired = !t.IsZero() && t.Before(time.Now()) })
	return nil
}

func (c *memConn) SetWriteDeadline(time.Time) error { return nil }
func (c *memConn) SetDeadline(time.Time) error      { return nil }
func (c *memConn) LocalAddr() net.Addr              { return nil }
func (c *memConn) RemoteAddr() net.Addr             { return nil }

// await waits until n bytes were written to the peer, or no more are.
func (c *memConn) await(n int) {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	for len(c.in.b) < n && !c.in.end && !c.in.broken {
		c.in.changed.Wait()
	}
}

// received is all that was written to the peer so far.
func (c *memConn) received() []byte {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return append([]byte(nil), c.in.b...)
}
