package bridge

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// segmentMost is the largest TCP packet that the stack hands over, in bytes.
const segmentMost = 32 << 10

// link is the bridge as the stack sees it: an interface without link addresses.
type link struct{ b *Bridge }

var (
	_ stack.LinkEndpoint = link{}
	_ stack.GSOEndpoint  = link{}
)

func (l link) MTU() uint32                             { return uint32(l.b.mtu) }
func (l link) SetMTU(uint32)                           {}
func (l link) MaxHeaderLength() uint16                 { return 0 }
func (l link) LinkAddress() tcpip.LinkAddress          { return "" }
func (l link) SetLinkAddress(tcpip.LinkAddress)        {}
func (l link) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareNone }
func (l link) AddHeader(*stack.PacketBuffer)           {}
func (l link) ParseHeader(*stack.PacketBuffer) bool    { return true }
func (l link) SetOnCloseAction(func())                 {}
func (l link) Wait()                                   {}
func (l link) Close()                                  {}

// SupportedGSO implements stack.GSOEndpoint: TCP segments may be longer than the MTU, and have no checksum yet.
func (l link) SupportedGSO() stack.SupportedGSO { return stack.HostGSOSupported }

// GSOMaxSize implements stack.GSOEndpoint.
func (l link) GSOMaxSize() uint32 { return segmentMost }

// Capabilities implements stack.LinkEndpoint. WireGuard's authentication is stronger than any checksum: a packet is as the peer's
// system sent it. Packets that were joined have no valid one.
func (l link) Capabilities() stack.LinkEndpointCapabilities {
	return stack.CapabilityRXChecksumOffload
}

// Attach implements stack.LinkEndpoint; nil detaches.
func (l link) Attach(d stack.NetworkDispatcher) {
	if d == nil {
		l.b.dispatcher.Store(nil)
		return
	}
	l.b.dispatcher.Store(&d)
}

// IsAttached implements stack.LinkEndpoint.
func (l link) IsAttached() bool { return l.b.dispatcher.Load() != nil }

// WritePackets implements stack.LinkEndpoint. It does not wait; a packet for a destination that has far too much already is lost, as on any
// network.
func (l link) WritePackets(packets stack.PacketBufferList) (int, tcpip.Error) {
	for _, p := range packets.AsSlice() {
		l.b.queue.push(destination(p.NetworkHeader().Slice()), item{packet: p.IncRef(), size: p.Size()}, dropMost)
	}
	return packets.Len(), nil
}
