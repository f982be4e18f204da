package tunnel

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// dnsPort is where the gateway answers DNS (RFC 1035 section 4.2).
const dnsPort = 53

// pass means that classify found nothing against a packet.
const pass = dropKinds

// admit decides whether a packet from WireGuard may enter the network stack, and counts it for its peer if not. WireGuard has
// checked that the source address belongs to the peer. The filter is in front of the stack so that the stack sees nothing that it
// need not handle: no fragments to collect, no options to follow, no ICMP to believe. What is answered without the stack is answered
// here.
func (t *Tunnel) admit(packet []byte) bool {
	source, verdict := classify(packet, t.gateway)
	if verdict == pass {
		return true
	}
	p := t.peerAt(source)
	if p == nil {
		t.strangers.Add(1)
		return false
	}
	if verdict == DropICMP && t.answerICMP(p, packet) {
		return false
	}
	p.tally.drop(verdict)
	if verdict == DropUDP {
		if reply := unreachable(packet); reply != nil {
			t.bridge.Offer(reply) // one that finds no room is lost, as ICMP may be
		}
	}
	return false
}

// classify returns the source of an IP packet and whether it passes. The packet has at least a whole header of its IP version.
func classify(packet []byte, gateway netip.Addr) (source netip.Addr, verdict Drop) {
	if packet[0]>>4 == 6 {
		return classify6(header.IPv6(packet))
	}
	ip := header.IPv4(packet)
	source = netip.AddrFrom4([4]byte(packet[12:16]))
	destination := netip.AddrFrom4([4]byte(packet[16:20]))
	if ip.HeaderLength() != header.IPv4MinimumSize || int(ip.TotalLength()) != len(packet) {
		return source, DropMalformed
	}
	if ip.More() || ip.FragmentOffset() != 0 {
		return source, DropFragment
	}
	payload := packet[header.IPv4MinimumSize:]
	switch ip.TransportProtocol() {
	case header.TCPProtocolNumber:
		if len(payload) < header.TCPMinimumSize {
			return source, DropMalformed
		}
		if !canConnect(source, destination) {
			return source, DropDestination
		}
	case header.UDPProtocolNumber:
		if len(payload) < header.UDPMinimumSize {
			return source, DropMalformed
		}
		if destination != gateway || header.UDP(payload).DestinationPort() != dnsPort {
			return source, DropUDP
		}
	case header.ICMPv4ProtocolNumber:
		if len(payload) < header.ICMPv4MinimumSize {
			return source, DropMalformed
		}
		if destination != gateway || header.ICMPv4(payload).Type() != header.ICMPv4Echo {
			return source, DropICMP
		}
	default:
		return source, DropProtocol
	}
	return source, pass
}

// classify6 lets plain TCP over IPv6 through to the stack, which resets it.
func classify6(ip header.IPv6) (netip.Addr, Drop) {
	source := netip.AddrFrom16([16]byte(ip[8:24]))
	destination := netip.AddrFrom16([16]byte(ip[24:40]))
	payload := ip[header.IPv6MinimumSize:]
	switch {
	case int(ip.PayloadLength()) != len(payload):
		return source, DropMalformed
	case ip.NextHeader() == uint8(header.UDPProtocolNumber):
		if len(payload) < header.UDPMinimumSize {
			return source, DropMalformed
		}
		return source, DropUDP
	case ip.NextHeader() != uint8(header.TCPProtocolNumber):
		return source, DropIPv6
	case len(payload) < header.TCPMinimumSize:
		return source, DropMalformed
	case !canConnect(source, destination):
		return source, DropDestination
	}
	return source, pass
}

// canConnect reports whether a TCP connection to destination makes sense at all. Whether it leads anywhere is for the Handler.
func canConnect(source, destination netip.Addr) bool {
	return destination != source && !destination.IsUnspecified() && !destination.IsLoopback() && !destination.IsMulticast() &&
		destination != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
