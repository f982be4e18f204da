// Package layer ends transport security in the gateway, on both sides of a connection, because keys live here and never in a
// sandbox: TLS to the agent with a leaf of the gateway's own [CA], and TLS to the upstream.
//
// Where TLS is not ended, [ReadHello] reads the name that a client asks for, and nothing else.
//
// Both [Server] and [Client] take a connection on which a handshake is due and return one that carries what is inside of it.
// A goroutine that such a connection starts to carry out what was written ends
// with it. When a handshake fails, the connection it was given is spent: the caller aborts it.
//
// # How sure the gateway is of an upstream
//
//	require      TLS, with anybody: protects against those who only listen. Channel binding, where the login has it, still finds
//	             out a man in the middle.
//	verify-ca    the certificate is from one of the given roots, whatever its name. Only for roots of one's own: a public
//	             root vouches for everybody's certificates.
//	verify-full  and it is for the name that was asked for.
//
// With each of them keys can be pinned ([Pin]): then the upstream must have one of them.
//
// The roots are those of the system unless a file is given ([ReadRoots]). TLS 1.2 is the least in both directions, sessions are
// not resumed, and renegotiation is refused.
package layer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// DefaultTimeout bounds a handshake when the caller gives no other limit.
const DefaultTimeout = 15 * time.Second

// Transport is what TLS runs over; a gate.Conn is one.
type Transport interface {
	net.Conn
	// CloseWrite ends the outgoing direction.
	CloseWrite() error
	// Abort ends the connection at once; the peer sees a reset.
	Abort()
}

// Info says what a handshake agreed on.
type Info struct {
	Version  string // "1.2" or "1.3"
	Name     string // the server name that the client asked for, in lower case; may be empty
	Protocol string // ALPN; may be empty
}

// Conn is a connection inside of TLS. Read and Write may be called at once, each by one goroutine at a time.
type Conn struct {
	*tls.Conn
	under    *wire
	arrivals *arrivals
	spent    bool // everything that has come was read
	info     Info
	binding  []byte
}

// fullRecord is the size of what a record of TLS holds at most: others are written at once, behind which there may be nothing to come.
const fullRecord = 16 << 10

// wire is what TLS runs over here: a transport that is read in large pieces and written in such.
type wire struct {
	*Gathered
	writers sync.WaitGroup
}

func newWire(under *arrivals) *wire {
	w := &wire{}
	w.Gathered = Gather(under, fullRecord, func(f func()) bool {
		w.writers.Go(f)
		return true
	})
	return w
}

// Info says what the handshake agreed on.
func (c *Conn) Info() Info { return c.info }

// Binding is the channel binding tls-server-end-point of the upstream's certificate (RFC 5929, section 4.1); nil when there is
// none for this kind of certificate, and on the agent's side. The caller must not change it.
func (c *Conn) Binding() []byte { return c.binding }

// CloseWrite ends the outgoing direction behind everything that was written: close_notify, then the end of the transport. Reading goes on. It must not be called
// while a Write runs. It waits for a peer that is slow, until the write deadline or Abort.
func (c *Conn) CloseWrite() error {
	c.under.Flush() // crypto/tls ends every write behind its close_notify by a deadline, those that are gathered too
	return errors.Join(c.Conn.CloseWrite(), c.under.CloseWrite())
}

// Close ends the connection, with close_notify behind everything that was written, for which it waits as CloseWrite does.
func (c *Conn) Close() error {
	c.under.Flush()
	err := c.Conn.Close()
	c.under.writers.Wait()
	return err
}

// Abort ends the connection at once, without close_notify, so that what was sent before does not look complete.
func (c *Conn) Abort() { c.under.Abort() }

// handshake runs the handshake of t within the limit.
func handshake(ctx context.Context, t *tls.Conn, limit time.Duration) error {
	if limit <= 0 {
		limit = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	err := t.HandshakeContext(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

var errSlow = errors.New("the handshake took too long")

// info is what t's handshake agreed on.
func info(t *tls.Conn) Info {
	s := t.ConnectionState()
	version := map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"}[s.Version]
	return Info{Version: version, Name: s.ServerName, Protocol: s.NegotiatedProtocol}
}

// Error is why a handshake failed.
type Error struct {
	// Reason is a clause for the agent: it names neither hosts nor certificates.
	Reason string
	// Err is the whole story, for the operator.
	Err error
}

// Error tells the whole story.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// explain sorts the errors of a handshake with the agent or the upstream.
func explain(side string, err error) error {
	var header tls.RecordHeaderError
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &header):
		// Without the error itself: it holds the connection.
		return &Error{"the " + side + " sent something that is no TLS", errors.New(header.Msg)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{"the " + side + " ended the connection in the middle of the TLS handshake", nil}
	case errors.Is(err, errSlow):
		return &Error{"the TLS handshake with the " + side + " took too long", nil}
	case errors.As(err, &op) && op.Op == "remote error": // an alert
		return alerted(side, op.Err)
	case errors.As(err, &certificate):
		return distrust(side, certificate)
	}
	return &Error{"the TLS handshake with the " + side + " failed", err}
}
