// Package bridge joins WireGuard and a gVisor network stack: one object that WireGuard takes for a network interface (tun.Device)
// and that the stack takes for a link (stack.LinkEndpoint, stack.GSOEndpoint).
//
// What makes it fast: packets move in batches. The stack hands over TCP segments of up to [segmentMost] bytes, which are cut into
// packets where WireGuard wants them, with one copy; and what WireGuard received in one batch is joined again before the stack sees
// it, for each connection. WireGuard has authenticated every packet, so the stack need not compute checksums again.
//
// What makes it fair and bounded: packets from the stack wait in one queue for each destination, which is a peer. Each queue is
// bounded; while it is full, [Bridge.Full], who has new data for the peer waits, which slows senders down instead of losing what
// they sent. The stack itself never waits: its goroutines serve all peers. The queues take turns, by bytes. And little more than
// [inFlightMost] packets are on their way through WireGuard at a time: what is behind them waits here, where turns are taken, and not in
// WireGuard's queues, where a peer that sends much would have the others wait (and where each packet holds 64 KiB).
package bridge

import (
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/tun"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// batchSize is how many packets WireGuard moves in one call at most.
const batchSize = 128

// Bridge is a tun.Device; Link returns the other side.
type Bridge struct {
	mtu    int
	admit  func(packet []byte) bool
	queue  *queue
	events chan tun.Event
	once   sync.Once

	dispatcher atomic.Pointer[stack.NetworkDispatcher]
	coalescers sync.Pool // of *coalescer: WireGuard writes for each peer at the same time

	reading sync.Mutex // guards what a Read that has begun works with
	cutter  cutter

	paths paths
}

var _ tun.Device = (*Bridge)(nil)

// New returns a bridge for packets of up to mtu bytes. Admit sees each packet that comes from WireGuard, which is at least an IP
// header of version 4 or 6 and whose source WireGuard has checked, and says whether the stack may have it; it must not keep the
// packet. Nil admits all.
func New(mtu int, admit func(packet []byte) bool) *Bridge {
	b := &Bridge{mtu: mtu, admit: admit, queue: newQueue(), events: make(chan tun.Event)}
	b.coalescers.New = func() any { return new(coalescer) }
	return b
}

// Link returns the side of the stack.
func (b *Bridge) Link() stack.LinkEndpoint { return link{b} }

// Bind returns a bind that tells the bridge what has been sent, which bounds what is on its way. WireGuard must send by it.
func (b *Bridge) Bind(inner conn.Bind) conn.Bind { return countingBind{inner, b.queue} }

type countingBind struct {
	conn.Bind
	queue *queue
}

func (c countingBind) Send(packets [][]byte, to conn.Endpoint) error {
	err := c.Bind.Send(packets, to)
	c.queue.sent(len(packets))
	return err
}

// Inject sends a packet to WireGuard past the stack: tests forge packets with it. It waits while the queue is full, and reports false
// when the bridge is closed. The bridge keeps the packet.
func (b *Bridge) Inject(packet []byte) bool {
	for !b.Offer(packet) {
		full := b.Full(destination(packet))
		if full == nil && b.queue.isClosed() {
			return false
		}
		if full != nil {
			<-full
		}
	}
	return true
}

// Offer is Inject without waiting: it reports false also when the queue is full.
func (b *Bridge) Offer(packet []byte) bool {
	return b.queue.push(destination(packet), item{raw: packet, size: len(packet)}, queueMost)
}

// Full returns nil while there is room for a destination. Otherwise who has new data for it waits until the channel is closed, and asks
// again.
func (b *Bridge) Full(destination netip.Addr) <-chan struct{} { return b.queue.room(destination) }

// SetPathMTU has TCP packets to a destination be no larger than mtu bytes, for a while. Less than 576 is 576, and 0, from a system
// that knows no better, too.
func (b *Bridge) SetPathMTU(to netip.Addr, mtu int) { b.paths.set(to, mtu) }

// Waiting is how many packets WireGuard has not sent yet, as far as the bridge knows.
func (b *Bridge) Waiting() int { return b.queue.waiting() }

// Discard throws away what waits in the queue for one of the destinations.
func (b *Bridge) Discard(destinations ...netip.Addr) {
	b.reading.Lock()
	defer b.reading.Unlock()
	for _, d := range destinations {
		b.paths.forget(d)
		b.queue.discard(d)
		if b.cutter.active() && destination(b.cutter.header()) == d {
			b.cutter.drop()
		}
	}
}

// destination reads an IP header.
func destination(h []byte) netip.Addr {
	switch {
	case len(h) >= header.IPv4MinimumSize && h[0]>>4 == 4:
		return netip.AddrFrom4([4]byte(h[16:20]))
	case len(h) >= header.IPv6MinimumSize && h[0]>>4 == 6:
		return netip.AddrFrom16([16]byte(h[24:40]))
	}
	return netip.Addr{}
}

// Read implements tun.Device: it waits for packets and fills as many of bufs as there are, up to readMost.
func (b *Bridge) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	for {
		if !b.queue.wait() {
			return 0, os.ErrClosed
		}
		b.reading.Lock()
		n := b.fill(bufs, sizes, offset)
		b.queue.setRest(b.cutter.active())
		b.reading.Unlock()
		if n > 0 {
			b.queue.took(n)
			return n, nil
		}
	}
}

func (b *Bridge) fill(bufs [][]byte, sizes []int, offset int) int {
	n := 0
	bufs = bufs[:min(len(bufs), readMost)]
	for yielded := false; n < len(bufs); {
		to := bufs[n][offset:]
		if b.cutter.active() {
			sizes[n] = b.cutter.next(to)
			n++
			continue
		}
		it, ok := b.queue.pop()
		if !ok {
			if n == 0 || yielded {
				break
			}
			// Who fills the queue may be about to go on; a larger batch costs less for each packet.
			yielded = true
			runtime.Gosched()
			continue
		}
		switch {
		case it.packet == nil:
			sizes[n] = copy(to, it.raw)
		case it.packet.GSOOptions.Type != stack.GSONone:
			b.cutter.start(it.packet, b.paths.mtu)
			continue
		default:
			sizes[n] = copyPacket(to, it.packet)
		}
		n++
	}
	return n
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

// Write implements tun.Device: it delivers packets that WireGuard received, all of one peer.
func (b *Bridge) Write(bufs [][]byte, offset int) (int, error) {
	d := b.dispatcher.Load()
	if d == nil {
		return len(bufs), nil
	}
	c := b.coalescers.Get().(*coalescer)
	c.dispatcher = *d
	for _, buf := range bufs {
		packet := buf[offset:]
		if len(packet) < header.IPv4MinimumSize {
			continue
		}
		switch version := packet[0] >> 4; {
		case version == 4:
		case version == 6 && len(packet) >= header.IPv6MinimumSize:
		default:
			continue
		}
		if b.admit == nil || b.admit(packet) {
			c.add(packet)
		}
	}
	c.flush()
	c.dispatcher = nil
	b.coalescers.Put(c)
	return len(bufs), nil
}

// Close implements tun.Device: it wakes whoever waits and throws away the queue.
func (b *Bridge) Close() error {
	b.once.Do(func() {
		close(b.events)
		b.queue.close()
		b.reading.Lock()
		defer b.reading.Unlock()
		b.cutter.drop()
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

// deliver gives the stack one packet, which it copies.
func deliver(d stack.NetworkDispatcher, packet []byte) {
	deliverView(d, buffer.NewViewWithData(packet))
}

// deliverView gives the stack one packet, with the view.
func deliverView(d stack.NetworkDispatcher, v *buffer.View) {
	var protocol tcpip.NetworkProtocolNumber = header.IPv4ProtocolNumber
	if v.AsSlice()[0]>>4 == 6 {
		protocol = header.IPv6ProtocolNumber
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithView(v)})
	d.DeliverNetworkPacket(protocol, p)
	p.DecRef()
}
