package tunnel

import (
	"encoding/binary"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// EchoHandler is a Handler that also says which addresses answer an ICMP echo request, "ping". With a Handler that is none, only the
// gateway's does.
type EchoHandler interface {
	// Echo reports whether addr answers the peer. It is called while packets of the peer wait.
	Echo(peer string, addr netip.Addr) bool
}

const (
	replyTTL = 64
	// quoted4 and quoted6 are how much an ICMP error may have in all, in bytes (RFC 1812 section 4.3.2.3, RFC 4443 section 3.1).
	quoted4 = 576
	quoted6 = 1280
)

// answerICMP answers an ICMP packet that the network stack does not get, and reports whether it was of use: an echo request to an
// address that answers, or the news that a packet was too big for the way to the agent.
func (t *Tunnel) answerICMP(p *peer, packet []byte) bool {
	icmp := header.ICMPv4(packet[header.IPv4MinimumSize:])
	switch icmp.Type() {
	case header.ICMPv4Echo:
		h, ok := t.config.Handler.(EchoHandler)
		if !ok || icmp.Code() != 0 || !h.Echo(p.Name, netip.AddrFrom4([4]byte(packet[16:20]))) {
			return false
		}
		t.bridge.Offer(echoReply(packet))
		return true
	case header.ICMPv4DstUnreachable:
		mtu, ok := tooBig(packet)
		if ok {
			t.bridge.SetPathMTU(p.Address, mtu)
		}
		return ok
	}
	return false
}

// tooBig reads "fragmentation needed" (RFC 1191 section 4) about a TCP packet that went to the sender of this one, from the address
// that this one goes to: a peer can tell of its own connections only. It returns the MTU of the next hop.
func tooBig(packet []byte) (mtu int, ok bool) {
	icmp := header.ICMPv4(packet[header.IPv4MinimumSize:])
	quoted := icmp[min(len(icmp), header.ICMPv4MinimumSize):]
	if icmp.Code() != header.ICMPv4FragmentationNeeded || len(quoted) < header.IPv4MinimumSize+8 || quoted[0] != 0x45 ||
		quoted[9] != byte(header.TCPProtocolNumber) || [4]byte(quoted[12:16]) != [4]byte(packet[16:20]) || [4]byte(quoted[16:20]) != [4]byte(packet[12:16]) {
		return 0, false
	}
	return int(icmp.MTU()), true
}

// echoReply answers an echo request (RFC 792).
func echoReply(packet []byte) []byte {
	reply := make([]byte, len(packet))
	head4(reply, packet, len(packet))
	icmp := header.ICMPv4(reply[header.IPv4MinimumSize:])
	copy(icmp, packet[header.IPv4MinimumSize:])
	icmp.SetType(header.ICMPv4EchoReply)
	icmp.SetChecksum(0)
	icmp.SetChecksum(^checksum.Checksum(icmp, 0))
	return reply
}

// unreachable says that nobody listens on a UDP port, in the name of the address that the packet goes to (RFC 792, RFC 4443 section
// 3.1), so that clients of QUIC turn to TCP at once. Nil for what must not be answered: packets to many.
func unreachable(packet []byte) []byte {
	if packet[0]>>4 == 6 {
		if !canConnect(netip.AddrFrom16([16]byte(packet[8:24])), netip.AddrFrom16([16]byte(packet[24:40]))) {
			return nil
		}
		return unreachable6(packet)
	}
	source, destination := netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20]))
	if !canConnect(source, destination) {
		return nil
	}
	quoted := packet[:min(len(packet), quoted4-header.IPv4MinimumSize-header.ICMPv4MinimumSize)]
	reply := make([]byte, header.IPv4MinimumSize+header.ICMPv4MinimumSize+len(quoted))
	head4(reply, packet, len(reply))
	icmp := header.ICMPv4(reply[header.IPv4MinimumSize:])
	icmp.SetType(header.ICMPv4DstUnreachable)
	icmp.SetCode(header.ICMPv4PortUnreachable)
	copy(icmp[header.ICMPv4MinimumSize:], quoted)
	icmp.SetChecksum(^checksum.Checksum(icmp, 0))
	return reply
}

// head4 writes the IP header of an ICMP answer of so many bytes to packet.
func head4(reply, packet []byte, size int) {
	ip := header.IPv4(reply)
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(size), TTL: replyTTL, Protocol: uint8(header.ICMPv4ProtocolNumber),
		SrcAddr: tcpip.AddrFrom4([4]byte(packet[16:20])), DstAddr: tcpip.AddrFrom4([4]byte(packet[12:16])),
	})
	ip.SetChecksum(^ip.CalculateChecksum())
}

func unreachable6(packet []byte) []byte {
	quoted := packet[:min(len(packet), quoted6-header.IPv6MinimumSize-header.ICMPv6MinimumSize)]
	size := header.ICMPv6MinimumSize + len(quoted)
	reply := make([]byte, header.IPv6MinimumSize+size)
	source, destination := tcpip.AddrFrom16([16]byte(packet[24:40])), tcpip.AddrFrom16([16]byte(packet[8:24]))
	header.IPv6(reply).Encode(&header.IPv6Fields{
		PayloadLength: uint16(size), TransportProtocol: header.ICMPv6ProtocolNumber, HopLimit: replyTTL, SrcAddr: source, DstAddr: destination,
	})
	icmp := header.ICMPv6(reply[header.IPv6MinimumSize:])
	icmp.SetType(header.ICMPv6DstUnreachable)
	icmp.SetCode(header.ICMPv6PortUnreachable)
	copy(icmp[header.ICMPv6MinimumSize:], quoted)
	sum := header.PseudoHeaderChecksum(header.ICMPv6ProtocolNumber, source, destination, uint16(size))
	binary.BigEndian.PutUint16(icmp[2:], ^checksum.Checksum(icmp, sum))
	return reply
}
