package tunnel

import "net"

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
}
