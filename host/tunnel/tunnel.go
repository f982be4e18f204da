package tunnel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.zx2c4.com/wireguard/device"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"github.com/sallyport-dev/sallyport/host/tunnel/internal/bridge"
	"github.com/sallyport-dev/sallyport/host/tunnel/internal/udpbind"
)

// Tunnel is a running WireGuard end. Its methods can be called at any time, also together.
type Tunnel struct {
	config  Config // checked and complete
	gateway netip.Addr
	port    uint16
	ctx     context.Context
	cancel  context.CancelFunc

	bridge *bridge.Bridge
	stack  *stack.Stack
	device *device.Device
	dns    *gonet.UDPConn

	connections atomic.Int64
	strangers   atomic.Uint64
	running     sync.WaitGroup // goroutines that Close waits for
	closing     sync.Once

	changing sync.Mutex // serialises AddPeer, RemovePeer and Close
	closed   bool       // under changing
	mu       sync.RWMutex
	names    map[string]*peer
	byAddr   map[netip.Addr]*peer // both addresses of each peer
}

// peer is a Peer that exists, until its ctx ends.
type peer struct {
	Peer
	address6  netip.Addr
	ctx       context.Context
	cancel    context.CancelFunc
	forwarder *tcp.Forwarder
	tally     tally
	asking    atomic.Int64   // DNS questions in work
	serving   sync.WaitGroup // requests and connections; grows only under mu while ctx lives

	mu          sync.Mutex
	connections int
	halfOpen    map[stack.TransportEndpointID]struct{}
}

// New starts a tunnel. Ctx is the parent of all requests' contexts; when it ends, new requests are reset. Only Close ends the tunnel and
// aborts connections.
func New(ctx context.Context, config Config) (*Tunnel, error) {
	config, err := config.check()
	if err != nil {
		return nil, fmt.Errorf("tunnel: %w", err)
	}
	host, port, err := splitListen(config.Listen)
	if err != nil {
		return nil, fmt.Errorf("tunnel: %w", err)
	}
	t := &Tunnel{
		config:  config,
		gateway: Gateway(config.Network),
		names:   map[string]*peer{},
		byAddr:  map[netip.Addr]*peer{},
	}
	t.ctx, t.cancel = context.WithCancel(ctx)
	t.bridge = bridge.New(config.MTU, t.admit)
	if t.stack, err = newStack(t.bridge.Link(), t.gateway, config.Limits); err != nil {
		t.cancel()
		return nil, fmt.Errorf("tunnel: %w", err)
	}
	t.stack.SetTransportProtocolHandler(tcp.ProtocolNumber, t.onTCP)
	t.device = device.NewDevice(t.bridge, t.bridge.Bind(udpbind.New(host)), wireguardLogger(config.Logger))
	if err = boundInbound(t.device); err == nil {
		err = t.start(port)
	}
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("tunnel: %w", err)
	}
	return t, nil
}

// start brings up DNS, the peers and the UDP socket.
func (t *Tunnel) start(port uint16) error {
	if err := t.startDNS(); err != nil {
		return err
	}
	if err := t.device.IpcSet("private_key=" + t.config.PrivateKey.hex() + "\nlisten_port=" + strconv.Itoa(int(port)) + "\n"); err != nil {
		return fmt.Errorf("configure WireGuard: %w", err)
	}
	for _, p := range t.config.Peers {
		if err := t.AddPeer(p); err != nil {
			return err
		}
	}
	if err := t.device.Up(); err != nil {
		return fmt.Errorf("listen on UDP %q: %w", t.config.Listen, err)
	}
	var err error
	if t.port, err = listenPort(t.device); err != nil {
		return err
	}
	if port != 0 && t.port != port {
		return fmt.Errorf("listen on UDP %q: WireGuard took port %d instead", t.config.Listen, t.port)
	}
	return nil
}

// listenPort asks WireGuard for its port.
func listenPort(d *device.Device) (uint16, error) {
	text, err := d.IpcGet()
	if err != nil {
		return 0, fmt.Errorf("ask WireGuard for its port: %w", err)
	}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "listen_port="); ok {
			port, err := strconv.ParseUint(value, 10, 16)
			return uint16(port), err
		}
	}
	return 0, errors.New("WireGuard does not say which port it has")
}

// ListenPort returns the UDP port of WireGuard.
func (t *Tunnel) ListenPort() uint16 { return t.port }

// Gateway returns the gateway's and resolver's address inside the tunnel.
func (t *Tunnel) Gateway() netip.Addr { return t.gateway }

// PublicKey returns the gateway's public key.
func (t *Tunnel) PublicKey() Key { return t.config.PrivateKey.Public() }

// AddPeer lets a peer in. Its name, key and address must be free.
func (t *Tunnel) AddPeer(p Peer) error {
	if err := t.config.checkPeer(p); err != nil {
		return err
	}
	t.changing.Lock()
	defer t.changing.Unlock()
	if t.closed {
		return errors.New("the tunnel is closed")
	}
	for _, other := range t.names {
		switch {
		case other.Name == p.Name:
			return fmt.Errorf("peer %q: there is one with this name", p.Name)
		case other.PublicKey == p.PublicKey:
			return fmt.Errorf("peer %q: peer %q has the same public key", p.Name, other.Name)
		case other.Address == p.Address:
			return fmt.Errorf("peer %q: peer %q has the address %s too", p.Name, other.Name, p.Address)
		}
	}
	n := &peer{Peer: p, address6: PeerAddress6(t.config.Network, p.Address), halfOpen: map[stack.TransportEndpointID]struct{}{}}
	n.ctx, n.cancel = context.WithCancel(t.ctx)
	n.forwarder = tcp.NewForwarder(t.stack, min(startBuffer, t.config.Limits.ReceiveBuffer), t.config.Limits.HalfOpen,
		func(syn *tcp.ForwarderRequest) { t.serve(n, syn) })
	t.mu.Lock()
	t.names[n.Name], t.byAddr[n.Address], t.byAddr[n.address6] = n, n, n
	t.mu.Unlock()
	err := t.device.IpcSet(fmt.Sprintf("public_key=%s\nreplace_allowed_ips=true\nallowed_ip=%s/32\nallowed_ip=%s/128\n",
		p.PublicKey.hex(), n.Address, n.address6))
	if err != nil {
		t.endPeer(n)
		return fmt.Errorf("peer %q: configure WireGuard: %w", p.Name, err)
	}
	return nil
}

// RemovePeer shuts a peer out: when it returns, nothing of the peer enters any more and nothing goes to it. Its connections are
// aborted; its handlers may still be on their way out. It is an error if there is no such peer.
func (t *Tunnel) RemovePeer(name string) error {
	t.changing.Lock()
	defer t.changing.Unlock()
	t.mu.RLock()
	p := t.names[name]
	t.mu.RUnlock()
	if p == nil {
		return fmt.Errorf("there is no peer %q", name)
	}
	t.hangUp(p)
	t.flush()
	t.endPeer(p)
	return nil
}

// hangUp ends what p has, while WireGuard still knows the peer, so that the agent learns of it rather than waiting for answers.
func (t *Tunnel) hangUp(p *peer) {
	p.mu.Lock()
	p.cancel() // from here on no request begins
	p.mu.Unlock()
	t.abort(p)
}

// endPeer removes p; the caller holds changing.
func (t *Tunnel) endPeer(p *peer) {
	t.hangUp(p)
	// WireGuard waits until the last packet of the peer is delivered.
	t.device.RemovePeer(device.NoisePublicKey(p.PublicKey))
	t.mu.Lock()
	delete(t.names, p.Name)
	delete(t.byAddr, p.Address)
	delete(t.byAddr, p.address6)
	t.mu.Unlock()
	t.abort(p)
	t.bridge.Discard(p.Address, p.address6)
	t.running.Go(func() { t.drain(p) })
}

// abort ends all that the stack holds for p: connections, also closed ones that wait for the agent, and handshakes.
func (t *Tunnel) abort(p *peer) {
	for _, ep := range t.stack.RegisteredEndpoints() {
		if remote := remoteOf(ep); remote == p.Address || remote == p.address6 {
			ep.Abort()
		}
	}
}

// drain waits until the last handler of an ended peer has returned. It keeps aborting because a handshake that began in the moment
// of the end would otherwise wait for minutes.
func (t *Tunnel) drain(p *peer) {
	done := make(chan struct{})
	go func() {
		p.serving.Wait()
		close(done)
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			t.abort(p)
		}
	}
}

// Close ends the tunnel: all connections are aborted, and when it returns all handlers have returned, no goroutine is left and the
// UDP port is free.
func (t *Tunnel) Close() {
	t.closing.Do(func() {
		t.changing.Lock()
		t.closed = true
		t.cancel()
		if t.dns != nil {
			t.dns.Close()
		}
		t.mu.RLock()
		peers := make([]*peer, 0, len(t.names))
		for _, p := range t.names {
			peers = append(peers, p)
		}
		t.mu.RUnlock()
		for _, p := range peers {
			t.hangUp(p)
		}
		t.flush()
		for _, p := range peers {
			t.endPeer(p)
		}
		t.changing.Unlock()
		t.running.Wait()
		t.device.Close()
		t.stack.Destroy()
	})
}

// flush gives WireGuard a moment to send what the stack has said last: agents learn from it that their connections have ended.
func (t *Tunnel) flush() {
	const most, step = 50, 10 * time.Millisecond
	for range most {
		idle := t.bridge.Waiting() == 0
		time.Sleep(step) // also for what is being encrypted, of which nothing tells
		if idle {
			return
		}
	}
}

// Counters returns what was counted so far.
func (t *Tunnel) Counters() Counters {
	c := Counters{Peers: map[string]PeerCounters{}, Connections: int(t.connections.Load()), Strangers: t.strangers.Load()}
	t.mu.RLock()
	defer t.mu.RUnlock()
	for name, p := range t.names {
		n := p.tally.snapshot()
		p.mu.Lock()
		n.Connections, n.HalfOpen = p.connections, len(p.halfOpen)
		p.mu.Unlock()
		c.Peers[name] = n
	}
	return c
}

// peerAt returns the peer with one of its addresses, nil if there is none.
func (t *Tunnel) peerAt(addr netip.Addr) *peer {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byAddr[addr]
}

// takeSlot counts a connection unless there are too many.
func (t *Tunnel) takeSlot() bool {
	if t.connections.Add(1) > int64(t.config.Limits.TotalConnections) {
		t.connections.Add(-1)
		return false
	}
	return true
}

func (t *Tunnel) releaseSlot() { t.connections.Add(-1) }

// wireguardLogger passes WireGuard's messages on. They name peers by a few characters of the public key.
func wireguardLogger(l *slog.Logger) *device.Logger {
	logger := &device.Logger{Verbosef: device.DiscardLogf, Errorf: func(format string, args ...any) {
		l.Error("WireGuard", "message", fmt.Sprintf(format, args...))
	}}
	if l.Enabled(context.Background(), slog.LevelDebug) {
		logger.Verbosef = func(format string, args ...any) {
			l.Debug("WireGuard", "message", fmt.Sprintf(format, args...))
		}
	}
	return logger
}
