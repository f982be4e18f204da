// Package sshside ends SSH in the gateway, on both sides of a connection, because keys live here and never in a sandbox. What is inside of the
// transport, the channels and requests of RFC 4254, it turns into records (package sdk/sshwire) that a side reads and writes as a stream of bytes,
// so that the gate and a plugin treat it like any other connection.
//
// [Server] ends the agent's transport and returns once the agent has said as whom it logs in; the login succeeds when a record READY is written to it.
// What is written behind READY waits for the end of the handshake; a channel before it is an error.
// [Client] logs in at the upstream. Both sides of a connection share a [Link].
//
// # Order, windows
//
// Each channel has its own windows on both sides, and a receiver that does not read stops its own channel only. As records no more than 256 KiB of a
// channel, and 1 MiB of all, are on their way in a direction at once; what a plugin drops it gives back with ADJUST. After SPLICE data goes to the other
// end in the host, without a record. After TRANSFERS packets of SFTP do that carry file data, and nothing else. EOF and CLOSE come behind all data of their channel, and data behind the requests that were sent before it. A request may come
// before data that was sent before it, because x/crypto/ssh does not tell their order; requests of a channel, and answers to them, keep theirs.
//
// # Algorithms
//
// What x/crypto/ssh has and calls secure, post-quantum key exchanges first, without ChaCha20-Poly1305 as a cipher: OpenSSH would choose it, it is several times slower here
// than AES-GCM, and without strict key exchange it is what the Terrapin attack needs (CVE-2023-48795).
package sshside

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// Side is one side of a connection, inside of SSH. It is a gate's connection.
type Side struct {
	me    int
	link  *Link
	under layer.Transport
	out   *layer.Gathered // what is written to it
	queue *queue
	wg    sync.WaitGroup
	login *login // the agent's; nil on the upstream's side

	partial []byte // of a record that is being written

	ready chan struct{} // closed when the handshake is over, or the side
	begun sync.Once

	mu      sync.Mutex
	conn    ssh.Conn // nil before the handshake is over
	over    bool
	ended   bool // the connection is over, maybe before its end was asked for
	waiting []*ssh.Request
	told    [][]byte
	telling bool
	open    map[uint32]*channel
	showing int       // goroutines that may show more
	quiet   sync.Cond // that they are fewer
	once    sync.Once
}

// maxChannels bounds the channels that a side has open; a plugin sets a lower bound for its own purposes.
const maxChannels = 600

func newSide(me int, link *Link, under layer.Transport) *Side {
	s := &Side{me: me, link: link, under: under, queue: newQueue(&link.buffers), ready: make(chan struct{}), open: map[uint32]*channel{}}
	s.quiet.L = &s.mu
	s.out = layer.Gather(under, firstPiece, s.start)
	return s
}

// start runs f in a goroutine that Close waits for, unless the side is over.
func (s *Side) start(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.wg.Go(f)
	}
	return !s.over
}

// show does the same for one that shows records: what they show comes before the end.
func (s *Side) show(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.showing++
	s.wg.Go(func() {
		f()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.showing--
		s.quiet.Broadcast()
	})
}

// put shows a record.
func (s *Side) put(r []byte) bool { return s.queue.put(r) }

// fail ends the connection because of what came.
func (s *Side) fail(err error) {
	s.queue.end(err)
	s.under.Abort()
}

// isOver reports whether the side was closed or its connection has ended.
func (s *Side) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over || s.ended
}

// begin says that the handshake is over: with conn, or without one.
func (s *Side) begin(conn ssh.Conn) {
	s.begun.Do(func() {
		s.mu.Lock()
		s.conn = conn
		s.mu.Unlock()
		close(s.ready)
	})
}

// connection waits for the end of the handshake. It is nil when that came to nothing.
func (s *Side) connection() ssh.Conn {
	<-s.ready
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn
}

// serve shows what comes, until the connection ends. The caller has added it to wg.
func (s *Side) serve(conn ssh.Conn, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
	s.begin(conn)
	s.show(func() {
		for r := range requests {
			s.global(r)
		}
	})
	s.show(func() {
		for c := range channels {
			s.offer(c)
		}
	})
	err := conn.Wait()
	s.mu.Lock()
	s.ended = true
	all := s.channels()
	s.mu.Unlock()
	for _, c := range all {
		c.wake()
	}
	s.mu.Lock()
	for s.showing > 0 {
		s.quiet.Wait()
	}
	s.mu.Unlock()
	s.queue.end(asEnd(err))
}

// asEnd is what a reader is told when the connection has ended with err: SSH ends with a message, or with the end of the transport.
func asEnd(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || strings.HasPrefix(err.Error(), "ssh: disconnect") {
		return io.EOF
	}
	return err
}

// channels are those that are open. mu is held.
func (s *Side) channels() []*channel {
	all := make([]*channel, 0, len(s.open))
	for _, c := range s.open {
		all = append(all, c)
	}
	return all
}

// enter counts a channel, or reports that there are too many.
func (s *Side) enter(c *channel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) >= maxChannels {
		return false
	}
	s.open[c.id] = c
	return true
}

func (s *Side) remove(c *channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c.id)
}

// global shows a request of the connection.
func (s *Side) global(r *ssh.Request) {
	if len(r.Payload)+len(r.Type) > sshwire.MaxMessage-16 {
		_ = r.Reply(false, nil)
		return
	}
	if r.WantReply {
		s.mu.Lock()
		full := len(s.waiting) >= maxPending
		if !full {
			s.waiting = append(s.waiting, r)
		}
		s.mu.Unlock()
		if full {
			s.fail(errors.New("too many requests without an answer"))
			return
		}
	}
	s.put(appendRequest(nil, 0, sshwire.GlobalRequest, r))
}

// offer shows a channel that the other end opens.
func (s *Side) offer(n ssh.NewChannel) {
	if len(n.ExtraData())+len(n.ChannelType()) > sshwire.MaxMessage-16 {
		_ = n.Reject(ssh.ConnectionFailed, "too long")
		return
	}
	c := newChannel(s, 0)
	c.offered = n
	c.id = s.link.open(s.me, c)
	if !s.enter(c) {
		s.link.leave(s.me, c.id)
		_ = n.Reject(ssh.ResourceShortage, "too many channels")
		return
	}
	b := sshwire.AppendString(sshwire.Begin(nil, c.id, sshwire.Open), n.ChannelType())
	s.put(sshwire.End(append(b, n.ExtraData()...), 0))
}

// Read reads records, as a stream of bytes.
func (s *Side) Read(p []byte) (int, error) { return s.queue.Read(p) }

// Write takes records, in pieces of any size. It does not wait for anybody who reads channels.
func (s *Side) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		r, rest := p, []byte(nil)
		if len(s.partial) > 0 {
			need := sshwire.HeadSize - len(s.partial)
			if _, size, ok := sshwire.Head(s.partial); ok {
				need = sshwire.HeadSize + size - len(s.partial)
			}
			need = min(max(need, 0), len(p))
			s.partial = append(s.partial, p[:need]...)
			r, rest = s.partial, p[need:]
		}
		_, size, ok := sshwire.Head(r)
		switch {
		case ok && (size < 1 || size > sshwire.MaxMessage):
			return 0, fmt.Errorf("a record of %d bytes", size)
		case !ok || len(r) < sshwire.HeadSize+size:
			if len(s.partial) == 0 {
				s.partial, rest = append([]byte(nil), p...), nil
			}
			p = rest
			continue
		}
		whole := r[:sshwire.HeadSize+size]
		if len(s.partial) > 0 {
			s.partial = nil
		} else {
			rest = p[len(whole):]
		}
		if err := s.handle(whole); err != nil {
			return 0, err
		}
		p = rest
	}
	return n, nil
}

// CloseWrite ends the connection once everything that was written to it is out.
func (s *Side) CloseWrite() error {
	s.mu.Lock()
	all := s.channels()
	s.mu.Unlock()
	switch {
	case s.login == nil || s.login.wasAdmitted():
	case s.login.wasRefused(): // it reads why, and then the transport ends
		return nil
	default:
		return s.under.CloseWrite()
	}
	s.start(func() {
		conn := s.connection()
		if conn == nil {
			return
		}
		for _, c := range all {
			c.drained()
		}
		s.out.Flush()
		_ = conn.Close()
	})
	return nil
}

// Close ends the connection and waits until everything that belongs to it is over.
func (s *Side) Close() error {
	s.shut()
	err := s.under.Close()
	s.wg.Wait()
	return err
}

// Abort ends the connection at once.
func (s *Side) Abort() {
	s.shut()
	s.under.Abort()
}

// shut releases everybody who waits.
func (s *Side) shut() {
	s.once.Do(func() {
		s.mu.Lock()
		s.over = true
		all := s.channels()
		s.mu.Unlock()
		s.begin(nil)
		s.queue.close()
		s.link.end()
		for _, c := range all {
			c.wake()
		}
		if s.login != nil {
			s.login.decide(errors.New("the connection is over"))
		}
	})
}

// LocalAddr is that of the transport.
func (s *Side) LocalAddr() net.Addr { return s.under.LocalAddr() }

// RemoteAddr is that of the transport.
func (s *Side) RemoteAddr() net.Addr { return s.under.RemoteAddr() }

// SetReadDeadline has Read return at t.
func (s *Side) SetReadDeadline(t time.Time) error {
	s.queue.setDeadline(t)
	return nil
}

// SetWriteDeadline bounds writing to the transport.
func (s *Side) SetWriteDeadline(t time.Time) error { return s.under.SetWriteDeadline(t) }

// SetDeadline does both.
func (s *Side) SetDeadline(t time.Time) error {
	s.queue.setDeadline(t)
	return s.under.SetWriteDeadline(t)
}
