package gateway

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// What an agent is answered by ALPN follows what the upstream chooses, so the upstream is asked while the agent's handshake waits. That
// needs the plugin's connect to be allowed: a plugin that speaks several protocols asks for it before it begins TLS with the agent,
// and dials behind that. The connection then is the one that the plugin dials, and TLS with the upstream stands already when the
// plugin begins it. When it fails the agent's handshake is finished all the same, so that the plugin can say in its protocol's words
// what is wrong. A plugin that asks later gets for its agents what is spoken without negotiation.

// early is an upstream that was reached while the agent's handshake waited.
type early struct {
	conn  gate.Conn   // what the gate is given
	tls   *layer.Conn // nil after an error
	err   error       // for the agent
	taken bool        // by the gate
	done  chan struct{}
}

// decided keeps that the upstream may be reached.
func (l *layers) decided(family string, outcome abi.Outcome) {
	if family == abi.FamilyConnect && outcome == abi.Allow {
		l.mu.Lock()
		l.mayDial = true
		l.mu.Unlock()
	}
}

// reached is the upstream that was reached before the plugin dials. Without one ok is false, and none will be reached early any more.
func (l *layers) reached() (k gate.Conn, err error, ok bool) {
	l.mu.Lock()
	e := l.early
	l.mayDial = false
	l.mu.Unlock()
	if e == nil || e.taken {
		return nil, nil, false
	}
	<-e.done
	e.taken = true
	return e.conn, e.err, true
}

// choose picks the protocol that an agent is answered with.
func (s *session) choose(ctx context.Context, offered []string) (string, error) {
	speaks := s.endpoint.spoken.protocols
	if len(speaks) == 0 || len(offered) == 0 {
		return first(offered), nil
	}
	var common []string
	for _, p := range offered {
		if slices.Contains(speaks, p) && !slices.Contains(common, p) {
			common = append(common, p)
		}
	}
	if len(common) == 0 {
		return "", layer.ErrProtocol
	}
	unasked := speaks[len(speaks)-1] // what is spoken to those who negotiate nothing
	e := s.reach(ctx, common)
	switch {
	case e != nil && e.err != nil: // there will be no upstream; what the plugin has to say it can say in the agent's favourite
		return common[0], nil
	case e != nil && e.tls.Info().Protocol != "":
		return e.tls.Info().Protocol, nil
	case slices.Contains(common, unasked):
		return unasked, nil
	case e == nil && s.endpoint.endsUpstream(): // the upstream will be asked for this one
		return common[0], nil
	}
	return "", layer.ErrProtocol
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// reach connects to the upstream before the plugin does, offering protocols. Nil when the plugin has not been allowed to connect, has
// dialled before, or speaks no TLS there.
func (s *session) reach(ctx context.Context, protocols []string) *early {
	if !s.endpoint.endsUpstream() {
		return nil
	}
	l := &s.layers
	l.mu.Lock()
	if !l.mayDial || l.early != nil {
		l.mu.Unlock()
		return nil
	}
	e := &early{done: make(chan struct{})}
	l.mu.Unlock()
	defer close(e.done)
	raw, err := s.Dial(ctx)
	l.mu.Lock()
	l.early = e
	l.mu.Unlock()
	if err != nil {
		e.err = err
		return e
	}
	c, err := layer.Client(ctx, raw, s.endpoint.upstreamTLS(s.ownLogin(), protocols, s.a.cfg.Limits.DialTimeout))
	if err != nil {
		raw.Abort()
		e.err = s.unsecured(abi.Upstream, err)
		return e
	}
	e.tls, e.conn = c, newParked(raw, c)
	return e
}

// close ends an upstream that nobody has taken.
func (e *early) close() {
	if e != nil && !e.taken && e.conn != nil {
		e.conn.Abort()
	}
}

// parked is the transport of an upstream with which TLS stands already. What comes over it belongs to that, so until the plugin begins
// TLS nothing is read from it and nothing can be written.
type parked struct {
	net.Conn // for what is not below
	inside   *layer.Conn

	mu     sync.Mutex
	wake   sync.Cond
	past   bool // the deadline
	closed bool
	timer  *time.Timer
}

func newParked(raw gate.Conn, inside *layer.Conn) *parked {
	p := &parked{Conn: raw, inside: inside}
	p.wake.L = &p.mu
	return p
}

// Read waits for the deadline or the end.
func (p *parked) Read([]byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.past && !p.closed {
		p.wake.Wait()
	}
	if p.closed {
		return 0, net.ErrClosed
	}
	return 0, os.ErrDeadlineExceeded
}

// Write refuses: in front of TLS there is no place any more.
func (p *parked) Write([]byte) (int, error) {
	return 0, errors.New("the TLS that was negotiated with the upstream has not been begun")
}

// SetReadDeadline ends a Read that waits when t has come.
func (p *parked) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	p.past = !t.IsZero() && !t.After(time.Now())
	if !t.IsZero() && !p.past {
		var timer *time.Timer
		timer = time.AfterFunc(time.Until(t), func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.timer == timer {
				p.past = true
				p.wake.Broadcast()
			}
		})
		p.timer = timer
	}
	p.wake.Broadcast()
	return nil
}

func (p *parked) SetWriteDeadline(time.Time) error { return nil }

func (p *parked) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// CloseWrite ends what the gateway says, inside of TLS.
func (p *parked) CloseWrite() error { return p.inside.CloseWrite() }

func (p *parked) Close() error {
	p.end()
	return p.inside.Close()
}

// Abort resets the connection.
func (p *parked) Abort() {
	p.end()
	p.inside.Abort()
}

func (p *parked) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.wake.Broadcast()
}
