package sshside

import (
	"net"
	"sync/atomic"
)

// firstPiece is how much of a longer packet x/crypto/ssh writes first, in bytes.
const firstPiece = 4096

// watched is a transport on which nothing is written any more once nothing more comes. x/crypto/ssh has a gap there: a channel that is opened when it has noticed the end and not closed the transport
// yet is never answered, and who opened it waits for ever. It does not tell of the end either while it waits for a decision about a login.
type watched struct {
	net.Conn
	told  func() // is called at the end; nil: nobody is
	ended atomic.Bool
}

func newWatched(k net.Conn, told func()) *watched { return &watched{Conn: k, told: told} }

// Read reads from the transport.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err != nil {
		w.ended.Store(true)
		if w.told != nil {
			w.told()
		}
	}
	return n, err
}

// Write writes to the transport.
func (w *watched) Write(p []byte) (int, error) {
	if w.ended.Load() {
		return 0, net.ErrClosed
	}
	return w.Conn.Write(p)
}
