package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"github.com/sallyport-dev/sallyport/host/tunnel/internal/bridge"
	"github.com/sallyport-dev/sallyport/host/tunnel/internal/tcpconn"
)

// Errors of Request.Accept.
var (
	// ErrDecided means that the request was accepted or reset before.
	ErrDecided = errors.New("the connection request was decided before")
	// ErrGone means that the peer was removed or the tunnel closed.
	ErrGone = errors.New("the peer was removed or the tunnel closed")
)

// Request is a TCP connection that an agent wants. The agent waits for the answer to its first packet; it has sent no data.
type Request struct {
	peer                *peer
	bridge              *bridge.Bridge
	source, destination netip.AddrPort

	mu      sync.Mutex
	decided bool
	conn    *tcpconn.Conn
	syn     *tcp.ForwarderRequest
}

// Peer returns the name of the peer, proven by its WireGuard key.
func (r *Request) Peer() string { return r.peer.Name }

// Source returns the agent's address and port.
func (r *Request) Source() netip.AddrPort { return r.source }

// Destination returns the address and port that the agent wants to connect to.
func (r *Request) Destination() netip.AddrPort { return r.destination }

// Context ends when the peer is removed or the tunnel closes, which aborts its connection, or the context given to New ends.
func (r *Request) Context() context.Context { return r.peer.ctx }

// Accept completes the handshake and returns the connection; it waits for the agent's part. It can be called once, and not after
// Reset.
func (r *Request) Accept() (Conn, error) {
	if !r.decide() {
		return nil, ErrDecided
	}
	if r.peer.ctx.Err() != nil {
		r.answer(true)
		return nil, ErrGone
	}
	queue := new(waiter.Queue)
	ep, err := r.syn.CreateEndpoint(queue)
	r.answer(err != nil)
	if err != nil {
		return nil, fmt.Errorf("connection from %s (peer %q) to %s: handshake: %s", r.source, r.peer.Name, r.destination, err)
	}
	c := tcpconn.New(queue, ep)
	c.Throttle(r.full)
	if err := setConnection(ep); err != nil {
		c.Abort()
		return nil, fmt.Errorf("connection from %s (peer %q) to %s: %w", r.source, r.peer.Name, r.destination, err)
	}
	r.mu.Lock()
	r.conn = c
	r.mu.Unlock()
	r.peer.tally.accepted.Add(1)
	return c, nil
}

// full is Conn.Throttle's: new data waits while the peer has much waiting for it, and other peers have their turn.
func (r *Request) full() <-chan struct{} { return r.bridge.Full(r.source.Addr()) }

// Reset refuses the request: the agent's connect fails with "connection refused". After Accept or Reset it does nothing.
func (r *Request) Reset() {
	if r.decide() {
		r.answer(true)
	}
}

// decide reports whether the caller is the first who decides.
func (r *Request) decide() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := !r.decided
	r.decided = true
	return first
}

// answer ends the half-open state.
func (r *Request) answer(reset bool) {
	id := r.syn.ID()
	r.syn.Complete(reset)
	r.peer.mu.Lock()
	delete(r.peer.halfOpen, id)
	r.peer.mu.Unlock()
}

// finish ends what the handler left open, and returns when nothing of the connection remains.
func (r *Request) finish() {
	r.Reset()
	r.mu.Lock()
	c := r.conn
	r.mu.Unlock()
	if c != nil {
		c.Finish(r.peer.ctx)
	}
}

// onTCP gets each TCP packet that belongs to no connection, inside the delivery of that packet. False lets the stack answer with a
// reset.
func (t *Tunnel) onTCP(id stack.TransportEndpointID, pkt *stack.PacketBuffer) bool {
	p := t.peerAt(netAddr(id.RemoteAddress))
	if p == nil {
		t.strangers.Add(1)
		return true
	}
	if netAddr(id.LocalAddress).Is6() {
		p.tally.resetIPv6.Add(1)
		return false
	}
	flags := header.TCP(pkt.TransportHeader().Slice()).Flags()
	if !flags.Contains(header.TCPFlagSyn) || flags.Contains(header.TCPFlagAck) {
		return false
	}
	return p.request(t, id, pkt)
}

// request makes a Request of a SYN, if the limits allow it.
func (p *peer) request(t *Tunnel, id stack.TransportEndpointID, pkt *stack.PacketBuffer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return false
	}
	if _, known := p.halfOpen[id]; known {
		return true // the agent is impatient
	}
	if len(p.halfOpen) >= t.config.Limits.HalfOpen {
		p.tally.drop(DropHalfOpen)
		return true
	}
	if p.connections >= t.config.Limits.Connections || !t.takeSlot() {
		p.tally.drop(DropConnections)
		return false
	}
	p.connections++
	p.halfOpen[id] = struct{}{}
	p.serving.Add(1)
	// A request leaves the forwarder's list before it leaves halfOpen, so what is new here is new there and there is room: true means
	// that serve was started.
	started := p.forwarder.HandlePacket(id, pkt)
	if !started {
		delete(p.halfOpen, id)
		p.connections--
		t.releaseSlot()
		p.serving.Done()
	}
	return started
}

// serve runs one request from the first packet to the last, on the goroutine that the forwarder started. What is not needed while the
// handler runs is apart: the stack of a connection that waits is a good part of what it costs.
func (t *Tunnel) serve(p *peer, syn *tcp.ForwarderRequest) {
	defer p.serving.Done()
	r := t.newRequest(p, syn)
	if r.destination == netip.AddrPortFrom(t.gateway, dnsPort) {
		t.serveDNS(r)
	} else {
		p.tally.requests.Add(1)
		t.config.Handler.ServeTCP(r)
	}
	r.finish()
	p.mu.Lock()
	p.connections--
	p.mu.Unlock()
	t.releaseSlot()
}

//go:noinline
func (t *Tunnel) newRequest(p *peer, syn *tcp.ForwarderRequest) *Request {
	id := syn.ID()
	return &Request{
		peer:        p,
		bridge:      t.bridge,
		syn:         syn,
		source:      netip.AddrPortFrom(netAddr(id.RemoteAddress), id.RemotePort),
		destination: netip.AddrPortFrom(netAddr(id.LocalAddress), id.LocalPort),
	}
}
