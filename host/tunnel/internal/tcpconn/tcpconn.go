// Package tcpconn is gVisor's adapter from its TCP endpoints to net.Conn (gonet), with typed errors, so that a reset can be told from
// the end of the stream, and with an end that can be waited for.
package tcpconn

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// lingerTimeout is how long a closed connection gets for what was written before, until it is aborted.
const lingerTimeout = 30 * time.Second

// Conn is a TCP connection of the stack.
type Conn struct {
	*gonet.TCPConn
	ep     tcpip.Endpoint
	closed atomic.Bool // by Close or Abort
}

// New returns the connection of an established endpoint.
func New(queue *waiter.Queue, ep tcpip.Endpoint) *Conn {
	return &Conn{TCPConn: gonet.NewTCPConn(queue, ep), ep: ep}
}

// Read returns io.EOF only for the other end's FIN.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := c.TCPConn.Read(b)
	return n, c.typed("read", err)
}

// Write waits while the send buffer is full.
func (c *Conn) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	return n, c.typed("write", err)
}

// CloseWrite sends a FIN after what was written.
func (c *Conn) CloseWrite() error { return c.typed("close", c.TCPConn.CloseWrite()) }

// Close sends what was written and a FIN. It may be called more than once, like Abort; only the first of them counts.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	c.ep.Close()
	return nil
}

// Abort resets the connection.
func (c *Conn) Abort() {
	c.closed.Store(true)
	c.ep.Abort()
}

// typed gives an error of the adapter a type.
func (c *Conn) typed(operation string, err error) error {
	if err == nil {
		return nil
	}
	var timeout net.Error
	var cause error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		cause = os.ErrDeadlineExceeded
	case c.closed.Load():
		cause = net.ErrClosed
	case errors.Is(err, io.EOF):
		// The stack reports a reset once, to whoever comes first, and then the end of the stream; the state keeps the truth.
		if tcp.EndpointState(c.ep.State()) != tcp.StateError {
			return io.EOF
		}
		cause = syscall.ECONNRESET
	default:
		cause = reason(err)
	}
	return &net.OpError{Op: operation, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: cause}
}

// reason finds the system's error for one of the stack's, which gonet passes on as text.
func reason(err error) error {
	text := err.Error()
	var op *net.OpError
	if errors.As(err, &op) {
		text = op.Err.Error()
	}
	return Errno(text)
}

// Errno finds the system's error for the text of one of the stack's.
func Errno(text string) error {
	switch text {
	case (&tcpip.ErrTimeout{}).String():
		return syscall.ETIMEDOUT
	case (&tcpip.ErrClosedForSend{}).String():
		return syscall.EPIPE
	case (&tcpip.ErrNotConnected{}).String():
		return syscall.ENOTCONN
	case (&tcpip.ErrConnectionRefused{}).String():
		return syscall.ECONNREFUSED
	case (&tcpip.ErrConnectionReset{}).String(), (&tcpip.ErrConnectionAborted{}).String(), (&tcpip.ErrAborted{}).String():
		return syscall.ECONNRESET
	}
	return errors.New(text)
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
