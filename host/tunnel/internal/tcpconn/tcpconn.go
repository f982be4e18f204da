// Package tcpconn makes a net.Conn of a TCP endpoint of gVisor's network stack: with typed errors, so that a reset can be told from
// the end of the stream, with an end that can be waited for, and with little memory while nothing happens. (gonet, gVisor's own
// adapter, passes errors on as text, and makes a channel for each call that waits.)
package tcpconn

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// lingerTimeout is how long a closed connection gets for what was written before, until it is aborted.
const lingerTimeout = 30 * time.Second

// Conn is a TCP connection of the stack.
type Conn struct {
	ep     tcpip.Endpoint
	queue  *waiter.Queue
	closed atomic.Bool // by Close or Abort

	full func() <-chan struct{} // see Throttle

	reading, writing half
	probes           probes
	local, remote    netip.AddrPort
}

// New returns the connection of an established endpoint.
func New(queue *waiter.Queue, ep tcpip.Endpoint) *Conn {
	c := &Conn{ep: ep, queue: queue}
	c.reading.events, c.writing.events = waiter.ReadableEvents, waiter.WritableEvents
	// An endpoint that has been reset knows no address any more, so they are asked for now.
	if a, err := ep.GetLocalAddress(); err == nil {
		c.local = addrPort(a)
	}
	if a, err := ep.GetRemoteAddress(); err == nil {
		c.remote = addrPort(a)
	}
	return c
}

func addrPort(a tcpip.FullAddress) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(a.Addr.AsSlice())
	return netip.AddrPortFrom(addr, a.Port)
}

// LocalAddr is a *net.TCPAddr.
func (c *Conn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr is a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// Read returns io.EOF only for the other end's FIN.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	return c.ReadLazily(func() []byte { return b }, func() {})
}

// ReadLazily is Read into what take returns, which is asked for only when there is something to read, and given back when there
// was nothing after all. So a reader needs no memory for bytes that may never come.
func (c *Conn) ReadLazily(take func() []byte, back func()) (int, error) {
	h := &c.reading
	h.turn.Lock()
	defer h.turn.Unlock()
	for {
		if c.closed.Load() {
			return 0, c.wrap("read", net.ErrClosed)
		}
		if h.expired() {
			return 0, c.wrap("read", os.ErrDeadlineExceeded)
		}
		if c.ep.Readiness(waiter.ReadableEvents|waiter.EventHUp|waiter.EventErr) != 0 {
			n, err := c.readNow(take())
			if _, nothing := err.(*tcpip.ErrWouldBlock); !nothing {
				if err != nil {
					return n, c.typed("read", err)
				}
				return n, nil
			}
			back()
		}
		h.wait(c.queue)
	}
}

// readNow is apart so that what the endpoint's answer takes of the stack is not there while ReadLazily waits.
//
//go:noinline
func (c *Conn) readNow(b []byte) (int, tcpip.Error) {
	h := &c.reading
	h.destination = b
	res, err := c.ep.Read(&h.destination, tcpip.ReadOptions{})
	h.destination = nil
	if res.Count > 0 {
		c.ep.ModerateRecvBuf(res.Count)
	}
	return res.Count, err
}

// Throttle has Write wait while full returns a channel, until that is closed: the way to the other end has enough. Who has a channel has a
// place in a line, and asks again only behind its turn. It must be called before Write is.
func (c *Conn) Throttle(full func() <-chan struct{}) { c.full = full }

// Write waits while the send buffer is full, or the way to the other end.
func (c *Conn) Write(b []byte) (int, error) {
	h := &c.writing
	h.turn.Lock()
	defer h.turn.Unlock()
	h.source = b
	defer func() { h.source = nil }()
	var full <-chan struct{}
	for len(h.source) > 0 {
		if c.closed.Load() {
			return len(b) - len(h.source), c.wrap("write", net.ErrClosed)
		}
		if h.expired() {
			return len(b) - len(h.source), c.wrap("write", os.ErrDeadlineExceeded)
		}
		if full = c.stillFull(full); full != nil {
			h.waitFor(c.queue, full)
			continue
		}
		before := h.source
		n, err := c.ep.Write(&h.source, tcpip.WriteOptions{})
		h.source = before[n:] // the endpoint may have read what it did not take
		switch err.(type) {
		case nil:
		case *tcpip.ErrWouldBlock:
			h.wait(c.queue)
		default:
			return len(b) - len(h.source), c.typed("write", err)
		}
	}
	return len(b), nil
}

// stillFull returns what Write has to wait for, nil if it may go on; before is what it waited for.
func (c *Conn) stillFull(before <-chan struct{}) <-chan struct{} {
	if before != nil {
		select {
		case <-before:
		default:
			return before
		}
	}
	if c.full == nil {
		return nil
	}
	return c.full()
}

// CloseWrite sends a FIN after what was written.
func (c *Conn) CloseWrite() error {
	if err := c.ep.Shutdown(tcpip.ShutdownWrite); err != nil {
		return c.typed("close", err)
	}
	return nil
}

// Close sends what was written and a FIN. It may be called more than once, like Abort; only the first of them counts.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	c.ep.Close()
	c.wake()
	return nil
}

// Abort resets the connection.
func (c *Conn) Abort() {
	c.closed.Store(true)
	c.ep.Abort()
	c.wake()
}

// wake has operations that wait find out that the connection is closed.
func (c *Conn) wake() {
	c.reading.setDeadline(time.Time{})
	c.writing.setDeadline(time.Time{})
}

// typed gives an error of the stack a type.
func (c *Conn) typed(operation string, err tcpip.Error) error {
	if c.closed.Load() {
		return c.wrap(operation, net.ErrClosed)
	}
	if _, ok := err.(*tcpip.ErrClosedForReceive); ok {
		// The stack reports a reset once, to whoever comes first, and then the end of the stream; the state keeps the truth.
		if tcp.EndpointState(c.ep.State()) != tcp.StateError {
			return io.EOF
		}
		return c.wrap(operation, syscall.ECONNRESET)
	}
	return c.wrap(operation, Errno(err))
}

func (c *Conn) wrap(operation string, cause error) error {
	return &net.OpError{Op: operation, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: cause}
}

// Errno finds the system's error for one of the stack's.
func Errno(err tcpip.Error) error {
	switch err.(type) {
	case *tcpip.ErrTimeout:
		return syscall.ETIMEDOUT
	case *tcpip.ErrClosedForSend:
		return syscall.EPIPE
	case *tcpip.ErrNotConnected:
		return syscall.ENOTCONN
	case *tcpip.ErrConnectionRefused:
		return syscall.ECONNREFUSED
	case *tcpip.ErrConnectionReset, *tcpip.ErrConnectionAborted, *tcpip.ErrAborted:
		return syscall.ECONNRESET
	case *tcpip.ErrHostUnreachable:
		return syscall.EHOSTUNREACH
	case *tcpip.ErrNetworkUnreachable:
		return syscall.ENETUNREACH
	}
	return errors.New(err.String())
}

// Finish ends a connection that its owner has returned and waits until the stack holds nothing for it: all sent and acknowledged, or
// given up after lingerTimeout or when ctx ends.
func (c *Conn) Finish(ctx context.Context) {
	if !c.closed.Load() {
		c.Abort()
	}
	ctx, cancel := context.WithTimeout(ctx, lingerTimeout)
	defer cancel()
	for wait := time.Millisecond; !c.over(); wait = min(2*wait, time.Second) {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			c.ep.Abort()
			return
		}
	}
}

// over reports whether both directions have ended.
func (c *Conn) over() bool {
	switch tcp.EndpointState(c.ep.State()) {
	case tcp.StateClose, tcp.StateError, tcp.StateTimeWait:
		return true
	}
	return false
}
