//go:build unix

package gateway

import (
	"io"
	"net"
	"syscall"

	"github.com/sallyport-dev/sallyport/host/gate"
)

var _ gate.LazyReader = upstreamConn{}

// ReadLazily implements gate.LazyReader: memory is taken for the moment of a read only, and given back when there was nothing to
// read, before it waits.
func (c upstreamConn) ReadLazily(take func() []byte, back func()) (n int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	waitErr := raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), take())
		for err == syscall.EINTR {
			n, err = syscall.Read(int(fd), take())
		}
		if err == syscall.EAGAIN {
			back()
			return false
		}
		return true
	})
	switch {
	case waitErr != nil: // a deadline, or the connection was closed meanwhile
		return 0, waitErr
	case err != nil:
		return 0, &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
	case n <= 0:
		return 0, io.EOF
	}
	return n, nil
}
