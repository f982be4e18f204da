package layer

import (
	"errors"
	"net"
	"sync"
)

// lazyReader is a transport that asks for memory only when it has something to read; a gate.LazyReader is one.
type lazyReader interface {
	ReadLazily(take func() []byte, back func()) (n int, err error)
}

// readSize is the most that is read of a transport at once, in bytes.
const readSize = 64 << 10

var readPool = sync.Pool{New: func() any { return new([readSize]byte) }}

// arrivals reads a transport in large pieces, and can say that nothing more has come instead of waiting. crypto/tls reads no further than the record that it wants, and returns one record at a
// time: a server that sends many small ones would have each of them go on in a packet of its own.
type arrivals struct {
	Transport
	lazy lazyReader

	buffer *[readSize]byte // nil while nothing is in it
	data   []byte          // what was not read of it
	err    error           // behind it, for good
	now    bool            // nothing is waited for
}

func newArrivals(k Transport) *arrivals {
	a := &arrivals{Transport: k}
	a.lazy, _ = k.(lazyReader)
	return a
}

// errNothing says that nothing more has come. It is temporary, so that TLS goes on behind it.
var errNothing net.Error = nothing{}

type nothing struct{}

func (nothing) Error() string   { return "nothing has come" }
func (nothing) Timeout() bool   { return true }
func (nothing) Temporary() bool { return true }

// Read reads what has come. It waits when that is nothing, unless now is set.
func (a *arrivals) Read(p []byte) (int, error) {
	if len(a.data) == 0 {
		switch {
		case a.err != nil:
			return 0, a.err
		case a.now:
			return 0, errNothing
		case a.lazy == nil:
			return a.Transport.Read(p)
		}
		if err := a.wait(); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.data)
	if a.data = a.data[n:]; len(a.data) == 0 {
		a.back()
	}
	return n, nil
}

// wait waits until something has come. There must be nothing that was not read.
func (a *arrivals) wait() error {
	n, err := a.lazy.ReadLazily(a.take, a.back)
	if n > 0 {
		a.data, a.err = a.buffer[:n], err
		return nil
	}
	a.back()
	if passing, ok := err.(net.Error); err != nil && (!ok || !passing.Timeout()) {
		a.err = err
	}
	return err
}

func (a *arrivals) take() []byte {
	if a.buffer == nil {
		a.buffer = readPool.Get().(*[readSize]byte)
	}
	return a.buffer[:]
}

func (a *arrivals) back() {
	if a.buffer != nil {
		readPool.Put(a.buffer)
		a.buffer, a.data = nil, nil
	}
}

// Read reads what has come of any number of records, and waits for the first one. It returns io.EOF at the peer's close_notify, and when the transport ends between two records, as many programs end
// without a word. An end inside of a record is io.ErrUnexpectedEOF.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil && n > 0 && n < len(p) {
		more, _ := c.come(p[n:]) // an error is told again
		n += more
	}
	return n, err
}

// ReadLazily is Read into what take returns, which is given back while nothing has come.
func (c *Conn) ReadLazily(take func() []byte, back func()) (n int, err error) {
	for {
		if !c.spent || len(c.arrivals.data) > 0 || c.arrivals.err != nil || c.arrivals.lazy == nil {
			p := take()
			if c.arrivals.lazy == nil {
				n, err = c.Read(p)
			} else {
				n, err = c.come(p)
			}
			if n > 0 {
				return n, nil
			}
			back()
			if !errors.Is(err, errNothing) {
				return 0, err
			}
		}
		if err := c.arrivals.wait(); err != nil && c.arrivals.err == nil {
			return 0, err // a deadline
		}
	}
}

// come reads as much as has come, into all of p. When that is nothing it says why.
func (c *Conn) come(p []byte) (n int, err error) {
	if c.arrivals.lazy == nil {
		return 0, errNothing
	}
	c.arrivals.now = true
	defer func() { c.arrivals.now = false }()
	for n < len(p) {
		var m int
		m, err = c.Conn.Read(p[n:])
		n += m
		c.spent = errors.Is(err, errNothing)
		if err != nil || m == 0 {
			break
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, err
}
