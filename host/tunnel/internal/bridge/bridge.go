// Package bridge joins WireGuard and a gVisor network stack: one object that WireGuard takes for a network interface (tun.Device)
// and that the stack takes for a link (stack.LinkEndpoint).
//
// Packets from WireGuard go through a filter and then straight into the stack, in the call that brought them. Packets from the stack
// wait in a bounded queue; when it is full the stack waits too, which slows senders down instead of losing what they sent.
package bridge

import (
	"net/netip"
	"os"
	"sync"

	"golang.zx2c4.com/wireguard/tun"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const (
	// queueLength bounds the packets on their way from the stack to WireGuard.
	queueLength = 512
	// batchSize is how many packets WireGuard moves in one call.
	batchSize = 32
)

// Bridge is a tun.Device; Link returns the other side.
type Bridge struct {
	mtu    int
	admit  func(packet []byte) bool
	queue  chan *stack.PacketBuffer
	raw    chan []byte
	events chan tun.Event
	closed chan struct{}
	once   sync.Once

	mu         sync.RWMutex
	dispatcher stack.NetworkDispatcher
}

var (
	_ tun.Device         = (*Bridge)(nil)
	_ stack.LinkEndpoint = link{}
)

// New returns a bridge for packets of up to mtu bytes. Admit sees each packet that comes from WireGuard, which is at least an IP
// header of version 4 or 6 and whose source WireGuard has checked, and says whether the stack may have it; it must not keep the
// packet. Nil admits all.
func New(mtu int, admit func(packet []byte) bool) *Bridge {
	b := &Bridge{
		mtu:    mtu,
		admit:  admit,
		queue:  make(chan *stack.PacketBuffer, queueLength),
		raw:    make(chan []byte),
		events: make(chan tun.Event),
		closed: make(chan struct{}),
	}
	return b
}

// Link returns the side of the stack.
func (b *Bridge) Link() stack.LinkEndpoint { return link{b} }

// Inject sends a packet to WireGuard past the stack: tests forge packets with it. It reports false when the bridge is closed. The
// bridge keeps the packet.
func (b *Bridge) Inject(packet []byte) bool {
	select {
	case b.raw <- packet:
		return true
	case <-b.closed:
		return false
	}
}

// Waiting is how many packets WireGuard has not taken yet.
func (b *Bridge) Waiting() int { return len(b.queue) }

// Discard throws away what waits in the queue for one of the destinations.
func (b *Bridge) Discard(destinations ...netip.Addr) {
	for range len(b.queue) {
		select {
		case p := <-b.queue:
			if goesTo(p, destinations) {
				p.DecRef()
				continue
			}
			b.push(p)
		default:
			return
		}
	}
}

func goesTo(p *stack.PacketBuffer, destinations []netip.Addr) bool {
	h := p.NetworkHeader().Slice()
	var to netip.Addr
	switch {
	case len(h) >= header.IPv4MinimumSize && h[0]>>4 == 4:
		to = netip.AddrFrom4([4]byte(h[16:20]))
	case len(h) >= header.IPv6MinimumSize && h[0]>>4 == 6:
		to = netip.AddrFrom16([16]byte(h[24:40]))
	}
	for _, d := range destinations {
		if d == to {
			return true
		}
	}
	return false
}

// push queues a packet, of which it takes over one reference, and waits while the queue is full.
func (b *Bridge) push(p *stack.PacketBuffer) bool {
	select {
	case b.queue <- p:
		return true
	case <-b.closed:
		p.DecRef()
		return false
	}
}

// Read implements tun.Device: it waits for one packet and takes along what else is there.
func (b *Bridge) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	select {
	case p := <-b.queue:
		sizes[0] = copyPacket(bufs[0][offset:], p)
	case packet := <-b.raw:
		sizes[0] = copy(bufs[0][offset:], packet)
	case <-b.closed:
		return 0, os.ErrClosed
	}
	n := 1
	for n < len(bufs) {
		select {
		case p := <-b.queue:
			sizes[n] = copyPacket(bufs[n][offset:], p)
			n++
		default:
			return n, nil
		}
	}
	return n, nil
}

// copyPacket copies a packet and gives it up.
func copyPacket(to []byte, p *stack.PacketBuffer) int {
	n := 0
	for _, part := range p.AsSlices() {
		n += copy(to[n:], part)
	}
	p.DecRef()
	return n
}

// Write implements tun.Device: it delivers packets that WireGuard received.
func (b *Bridge) Write(bufs [][]byte, offset int) (int, error) {
	for _, buf := range bufs {
		packet := buf[offset:]
		if len(packet) < header.IPv4MinimumSize {
			continue
		}
		var protocol tcpip.NetworkProtocolNumber
		switch version := packet[0] >> 4; {
		case version == 4:
			protocol = header.IPv4ProtocolNumber
		case version == 6 && len(packet) >= header.IPv6MinimumSize:
			protocol = header.IPv6ProtocolNumber
		default:
			continue
		}
		if b.admit == nil || b.admit(packet) {
			b.deliver(protocol, packet)
		}
	}
	return len(bufs), nil
}

func (b *Bridge) deliver(protocol tcpip.NetworkProtocolNumber, packet []byte) {
	b.mu.RLock()
	dispatcher := b.dispatcher
	b.mu.RUnlock()
	if dispatcher == nil {
		return
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packet)}) // copies
	dispatcher.DeliverNetworkPacket(protocol, p)
	p.DecRef()
}

// Close implements tun.Device: it wakes whoever waits and throws away the queue.
func (b *Bridge) Close() error {
	b.once.Do(func() {
		close(b.closed)
		close(b.events)
		for {
			select {
			case p := <-b.queue:
				p.DecRef()
				continue
			default:
			}
			return
		}
	})
	return nil
}

// MTU implements tun.Device.
func (b *Bridge) MTU() (int, error) { return b.mtu, nil }

// Name implements tun.Device.
func (b *Bridge) Name() (string, error) { return "sallyport", nil }

// File implements tun.Device: there is none.
func (b *Bridge) File() *os.File { return nil }

// Events implements tun.Device. There are none: an event would have WireGuard bring itself up on a goroutine of its own, beside its
// owner, who has to know whether it could have its port.
func (b *Bridge) Events() <-chan tun.Event { return b.events }

// BatchSize implements tun.Device.
func (b *Bridge) BatchSize() int { return batchSize }

// link is the bridge as the stack sees it: an interface without link addresses.
type link struct{ b *Bridge }

func (l link) MTU() uint32                                  { return uint32(l.b.mtu) }
func (l link) SetMTU(uint32)                                {}
func (l link) MaxHeaderLength() uint16                      { return 0 }
func (l link) LinkAddress() tcpip.LinkAddress               { return "" }
func (l link) SetLinkAddress(tcpip.LinkAddress)             {}
func (l link) Capabilities() stack.LinkEndpointCapabilities { return 0 }
func (l link) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareNone }
func (l link) AddHeader(*stack.PacketBuffer)                {}
func (l link) ParseHeader(*stack.PacketBuffer) bool         { return true }
func (l link) SetOnCloseAction(func())                      {}
func (l link) Wait()                                        {}
func (l link) Close()                                       {}

// Attach implements stack.LinkEndpoint; nil detaches.
func (l link) Attach(d stack.NetworkDispatcher) {
	l.b.mu.Lock()
	l.b.dispatcher = d
	l.b.mu.Unlock()
}

// IsAttached implements stack.LinkEndpoint.
func (l link) IsAttached() bool {
	l.b.mu.RLock()
	defer l.b.mu.RUnlock()
	return l.b.dispatcher != nil
}

// WritePackets implements stack.LinkEndpoint.
func (l link) WritePackets(packets stack.PacketBufferList) (int, tcpip.Error) {
	for i, p := range packets.AsSlice() {
		if !l.b.push(p.IncRef()) {
			return i, &tcpip.ErrClosedForSend{}
		}
	}
	return packets.Len(), nil
}
