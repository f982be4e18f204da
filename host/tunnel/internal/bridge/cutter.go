package bridge

import (
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// Places in IP and TCP headers (RFC 791, 8200, 9293).
const (
	lengthAt4   = 2
	idAt4       = 4
	checksumAt4 = 10
	lengthAt6   = 4

	sequenceAt = 4
	flagsAt    = 13
	checksumAt = 16
)

// headerMost is the longest header of a segment: IPv6 with a TCP header of 60 bytes, and room.
const headerMost = 128

// cutter cuts one TCP segment of the stack, which may be longer than the MTU, into packets, and completes their checksums, which the
// stack leaves to it (of the pseudo-header it has written the sum, and that is made anew).
type cutter struct {
	packet   *stack.PacketBuffer // nil: none
	head     [headerMost]byte
	headSize int
	ipSize   int
	v6       bool
	most     int // payload of a packet
	sequence uint32
	flags    byte
	id       uint16
	pseudo   uint16 // sum of the pseudo-header without the length
	payload  [][]byte
	part     int // of payload, where it goes on
	left     int // bytes of it
}

func (c *cutter) active() bool   { return c.packet != nil }
func (c *cutter) header() []byte { return c.head[:c.headSize] }

// start begins with p and takes over its reference. mtu says how large packets with a header may be, 0: as large as the stack wants.
func (c *cutter) start(p *stack.PacketBuffer, mtu func(header []byte) int) {
	ip, tcp := p.NetworkHeader().Slice(), p.TransportHeader().Slice()
	c.left = p.Data().Size()
	c.headSize, c.ipSize = len(ip)+len(tcp), len(ip)
	c.most = int(p.GSOOptions.MSS)
	if c.headSize > headerMost || len(ip) < header.IPv4MinimumSize || len(tcp) < header.TCPMinimumSize || c.most <= 0 && c.left > 0 {
		p.DecRef() // the stack makes no such segments
		return
	}
	if m := mtu(ip); m > 0 {
		c.most = min(c.most, m-c.headSize)
	}
	c.packet = p
	copy(c.head[copy(c.head[:], ip):], tcp)
	c.v6 = ip[0]>>4 == 6
	c.sequence = header.TCP(tcp).SequenceNumber()
	c.flags = tcp[flagsAt]
	addresses := ip[12:20]
	if c.v6 {
		addresses = ip[8:40]
	} else {
		c.id = binary.BigEndian.Uint16(ip[idAt4:])
	}
	c.pseudo = checksum.Combine(checksum.Checksum(addresses, 0), uint16(header.TCPProtocolNumber))
	c.payload, c.part = c.payload[:0], 0
	skip := c.headSize
	for _, part := range p.AsSlices() {
		k := min(skip, len(part))
		skip -= k
		if part = part[k:]; len(part) > 0 {
			c.payload = append(c.payload, part)
		}
	}
}

// next writes the next packet, and gives the segment up after the last.
func (c *cutter) next(to []byte) int {
	n := min(c.most, c.left, len(to)-c.headSize)
	size := copy(to, c.head[:c.headSize])
	for size < c.headSize+n {
		part := &c.payload[c.part]
		k := copy(to[size:c.headSize+n], *part)
		size += k
		if *part = (*part)[k:]; len(*part) == 0 {
			c.part++
		}
	}
	c.left -= n
	if c.v6 {
		binary.BigEndian.PutUint16(to[lengthAt6:], uint16(size-c.ipSize))
	} else {
		binary.BigEndian.PutUint16(to[lengthAt4:], uint16(size))
		binary.BigEndian.PutUint16(to[idAt4:], c.id)
		c.id++
		binary.BigEndian.PutUint16(to[checksumAt4:], 0)
		binary.BigEndian.PutUint16(to[checksumAt4:], ^checksum.Checksum(to[:c.ipSize], 0))
	}
	tcp := to[c.ipSize:size]
	binary.BigEndian.PutUint32(tcp[sequenceAt:], c.sequence)
	c.sequence += uint32(n)
	if c.left > 0 { // what ends something belongs to the last packet only
		tcp[flagsAt] = c.flags &^ byte(header.TCPFlagFin|header.TCPFlagPsh)
	}
	binary.BigEndian.PutUint16(tcp[checksumAt:], 0)
	sum := checksum.Checksum(tcp, checksum.Combine(c.pseudo, uint16(len(tcp))))
	binary.BigEndian.PutUint16(tcp[checksumAt:], ^sum)
	if c.left == 0 {
		c.drop()
	}
	return size
}

// drop gives the segment up.
func (c *cutter) drop() {
	if c.packet == nil {
		return
	}
	c.packet.DecRef()
	c.packet = nil
	clear(c.payload)
}
