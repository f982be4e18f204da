package tunnel

import (
	"context"
	"net"
)

// Conn is an accepted connection. LocalAddr is what the agent dialled, RemoteAddr is the agent.
//
// Read returns io.EOF only for the agent's FIN. A reset is syscall.ECONNRESET, an agent that is gone syscall.ETIMEDOUT, use after Close
// or Abort net.ErrClosed, a deadline os.ErrDeadlineExceeded, a write after CloseWrite syscall.EPIPE: all to be found with errors.Is.
type Conn interface {
	net.Conn
	// CloseWrite sends a FIN after what was written. Reading goes on.
	CloseWrite() error
	// Abort ends the connection at once: the agent gets a reset, and what was not sent yet is thrown away. Close, in contrast, sends
	// what was written and a FIN; only when the agent's data was not read to its end does it reset, as sockets do.
	Abort()
	// Probe asks now whether the agent's TCP still answers, and returns nil as soon as anything arrives from it. It returns an error
	// when ctx ends before that, so give it a few seconds (a probe that is lost is sent again after half a second); when the connection was reset or closed; and io.EOF
	// (errors.Is) when the agent has sent its FIN: it has closed, or at least sends nothing more, which cannot be told apart. Reading
	// and writing go on meanwhile.
	Probe(ctx context.Context) error
	// ReadLazily is Read into what take returns, which it asks for only when there is something to read. It may give that back and
	// take again; when it returns with n > 0 it has not given back. A reader needs no memory while it waits so.
	ReadLazily(take func() []byte, back func()) (n int, err error)
}
