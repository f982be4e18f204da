package gateway

import (
	"errors"
	"os"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/secret/mask"
)

// quiet is how long an upstream may be silent while the end of what it sent, which may be the beginning of a secret, is held back.
const quiet = 50 * time.Millisecond

// unechoed is an upstream whose literal echoes of the credential are masked before anybody sees them, the guest included.
type unechoed struct {
	gate.Conn
	stream *mask.Stream
	quiet  time.Duration
	ready  []byte // masked, and not read yet
	err    error  // behind it

	mu       sync.Mutex
	deadline time.Time // of whoever reads
	armed    time.Time // the end of the silence that is waited for; zero: none is
}

// withoutEchoes masks what k sends.
func withoutEchoes(k gate.Conn, secrets *mask.Set) gate.Conn {
	if secrets == nil {
		return k
	}
	return &unechoed{Conn: k, stream: secrets.Stream(), quiet: quiet}
}

// unechoed masks what an upstream sends when the session's credential is written into messages.
func (s *session) unechoed(k gate.Conn) gate.Conn {
	if l := s.ownLogin(); l != nil {
		return withoutEchoes(k, l.echoes)
	}
	return k
}

// Read masks in place. Only what was held back is copied.
func (u *unechoed) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if len(u.ready) > 0 {
			n := copy(p, u.ready)
			u.ready = u.ready[n:]
			return n, nil
		}
		if u.err != nil {
			return 0, u.err
		}
		n, err := u.readQuietly(p)
		if n > 0 {
			first, second := u.stream.Next(p[:n])
			u.keep(err)
			if len(first) == 0 && len(second) > 0 {
				return len(second), nil
			}
			u.ready = append(append(u.ready[:0], first...), second...)
			continue
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if u.expired() {
				return 0, err // whoever reads wants to know
			}
			u.ready = append(u.ready[:0], u.stream.Flush()...)
			continue
		}
		u.keep(err)
	}
}

// keep has an end come behind what is held back.
func (u *unechoed) keep(err error) {
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		u.err = err
		u.ready = append(u.ready, u.stream.Flush()...)
	}
}

// readQuietly reads, and gives up after a silence while something is held back.
func (u *unechoed) readQuietly(p []byte) (int, error) {
	if u.stream.Held() == 0 {
		return u.Conn.Read(p)
	}
	u.arm(time.Now().Add(u.quiet))
	defer u.arm(time.Time{})
	return u.Conn.Read(p)
}

func (u *unechoed) arm(until time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.armed = until
	u.apply()
}

// apply sets the deadline that comes first. mu is held.
func (u *unechoed) apply() {
	t := u.deadline
	if !u.armed.IsZero() && (t.IsZero() || u.armed.Before(t)) {
		t = u.armed
	}
	_ = u.Conn.SetReadDeadline(t) // on a connection that has ended, which Read tells
}

// expired reports whether the reader's own deadline has passed.
func (u *unechoed) expired() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return !u.deadline.IsZero() && !time.Now().Before(u.deadline)
}

// SetReadDeadline bounds Read.
func (u *unechoed) SetReadDeadline(t time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.deadline = t
	u.apply()
	return nil
}

// SetDeadline bounds Read and Write.
func (u *unechoed) SetDeadline(t time.Time) error {
	return errors.Join(u.SetReadDeadline(t), u.SetWriteDeadline(t))
}
