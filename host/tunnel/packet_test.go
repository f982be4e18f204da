package tunnel_test

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
)

// ipPacket puts an IP header before a transport packet.
func ipPacket(protocol tcpip.TransportProtocolNumber, from, to netip.Addr, transport []byte) []byte {
	src, dst := tcpip.AddrFromSlice(from.AsSlice()), tcpip.AddrFromSlice(to.AsSlice())
	if to.Is6() {
		b := make([]byte, header.IPv6MinimumSize, header.IPv6MinimumSize+len(transport))
		header.IPv6(b).Encode(&header.IPv6Fields{
			PayloadLength: uint16(len(transport)), TransportProtocol: protocol, HopLimit: 64, SrcAddr: src, DstAddr: dst,
		})
		return append(b, transport...)
	}
	b := make([]byte, header.IPv4MinimumSize, header.IPv4MinimumSize+len(transport))
	ip := header.IPv4(b)
	ip.Encode(&header.IPv4Fields{
		TotalLength: uint16(len(b) + len(transport)), TTL: 64, Protocol: uint8(protocol), SrcAddr: src, DstAddr: dst,
	})
	ip.SetChecksum(^ip.CalculateChecksum())
	return append(b, transport...)
}

// syn is the first packet of a TCP connection.
func syn(from, to netip.AddrPort) []byte {
	b := make([]byte, header.TCPMinimumSize)
	tcp := header.TCP(b)
	tcp.Encode(&header.TCPFields{
		SrcPort: from.Port(), DstPort: to.Port(), SeqNum: 7, DataOffset: header.TCPMinimumSize, Flags: header.TCPFlagSyn, WindowSize: 65535,
	})
	sum := header.PseudoHeaderChecksum(header.TCPProtocolNumber,
		tcpip.AddrFromSlice(from.Addr().AsSlice()), tcpip.AddrFromSlice(to.Addr().AsSlice()), header.TCPMinimumSize)
	tcp.SetChecksum(^tcp.CalculateChecksum(sum))
	return ipPacket(header.TCPProtocolNumber, from.Addr(), to.Addr(), b)
}

// ping is an ICMP echo request.
func ping(from, to netip.Addr) []byte {
	b := make([]byte, header.ICMPv4MinimumSize+4)
	icmp := header.ICMPv4(b)
	icmp.SetType(header.ICMPv4Echo)
	icmp.SetIdent(9)
	icmp.SetChecksum(^checksum.Checksum(b, 0))
	return ipPacket(header.ICMPv4ProtocolNumber, from, to, b)
}
