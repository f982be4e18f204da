package bridge

import (
	"bytes"
	"encoding/binary"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const (
	// joinMost is the largest packet that is made of several, in bytes, and so that the memory for it is well used.
	joinMost = 32 << 10
	// connectionsMost is how many connections of one batch are joined at a time.
	connectionsMost = 8
	// joinable are the flags of a segment that may be joined to others: it has ACK, and may have PSH, which ends what is joined.
	joinable = byte(header.TCPFlagAck | header.TCPFlagPsh)
)

// coalescer joins TCP segments that follow each other in one batch of one peer, as network cards do, so that the stack has to handle
// few large ones: segments of the same connection, in order, alike in all but what follows from their place. The order within a connection stays.
type coalescer struct {
	dispatcher stack.NetworkDispatcher
	joined     [connectionsMost]joined
	open       int // of joined, from the front
}

// joined are segments that follow each other. They stay where WireGuard has them until they are delivered.
type joined struct {
	first    []byte // the first packet
	ipSize   int
	headSize int
	payload  [][]byte
	size     int    // of the whole packet
	segment  int    // payload of the first; only the last may have less
	next     uint32 // sequence number of what would follow
	push     bool
}

// add takes a packet, whose IP header is whole, and delivers it or keeps it until the next flush.
func (c *coalescer) add(packet []byte) {
	ipSize, isTCP := tcpAt(packet)
	if !isTCP {
		deliver(c.dispatcher, packet)
		return
	}
	tcp := packet[ipSize:]
	j := c.of(packet, ipSize)
	if j != nil && j.takes(packet, ipSize) {
		j.append(packet)
		if j.push || len(packet)-j.headSize < j.segment {
			c.end(j)
		}
		return
	}
	if j != nil {
		c.end(j) // what came before goes before
	}
	headSize := ipSize + int(tcp[12]>>4)*4
	if tcp[flagsAt] != byte(header.TCPFlagAck) || headSize < ipSize+header.TCPMinimumSize || len(packet) <= headSize {
		deliver(c.dispatcher, packet)
		return
	}
	if c.open == connectionsMost {
		c.end(&c.joined[0])
	}
	c.joined[c.open].begin(packet, ipSize, headSize)
	c.open++
}

// tcpAt reports whether a packet is plain TCP, and the size of its IP header.
func tcpAt(packet []byte) (ipSize int, ok bool) {
	if packet[0]>>4 == 6 {
		return header.IPv6MinimumSize, packet[6] == byte(header.TCPProtocolNumber) && len(packet) >= header.IPv6MinimumSize+header.TCPMinimumSize
	}
	return header.IPv4MinimumSize, packet[0] == 0x45 && packet[9] == byte(header.TCPProtocolNumber) &&
		binary.BigEndian.Uint16(packet[6:])&^0x4000 == 0 && // no fragment; DF may be set
		len(packet) >= header.IPv4MinimumSize+header.TCPMinimumSize
}

// of returns what is open for the packet's connection.
func (c *coalescer) of(packet []byte, ipSize int) *joined {
	for i := range c.joined[:c.open] {
		j := &c.joined[i]
		addresses := 12
		if ipSize == header.IPv6MinimumSize {
			addresses = 8
		}
		if j.ipSize == ipSize && bytes.Equal(j.first[addresses:ipSize+4], packet[addresses:ipSize+4]) { // and the ports behind them
			return j
		}
	}
	return nil
}

func (j *joined) begin(packet []byte, ipSize, headSize int) {
	j.first, j.ipSize, j.headSize = packet, ipSize, headSize
	j.payload = append(j.payload[:0], packet[headSize:])
	j.size, j.segment, j.push = len(packet), len(packet)-headSize, false
	j.next = binary.BigEndian.Uint32(packet[ipSize+sequenceAt:]) + uint32(j.segment)
}

// takes reports whether a packet of the same connection follows and differs in nothing that counts.
func (j *joined) takes(packet []byte, ipSize int) bool {
	a, b := j.first, packet
	if len(b) <= j.headSize || len(b)-j.headSize > j.segment || j.size+len(b)-j.headSize > joinMost {
		return false
	}
	if ipSize == header.IPv6MinimumSize {
		if !bytes.Equal(a[:4], b[:4]) || a[7] != b[7] { // traffic class and flow label, hop limit
			return false
		}
	} else if a[1] != b[1] || a[6] != b[6] || a[8] != b[8] { // type of service, DF, time to live
		return false
	}
	s, t := a[ipSize:j.headSize], b[ipSize:j.headSize]
	return binary.BigEndian.Uint32(t[sequenceAt:]) == j.next &&
		t[flagsAt]&^joinable == 0 && t[flagsAt]&byte(header.TCPFlagAck) != 0 &&
		bytes.Equal(s[8:13], t[8:13]) && // acknowledgement, size of the header
		bytes.Equal(s[14:16], t[14:16]) && // window
		bytes.Equal(s[20:], t[20:]) // options
}

func (j *joined) append(packet []byte) {
	payload := packet[j.headSize:]
	j.payload = append(j.payload, payload)
	j.size += len(payload)
	j.next += uint32(len(payload))
	j.push = packet[j.ipSize+flagsAt]&byte(header.TCPFlagPsh) != 0
}

// end delivers what is joined, and closes it.
func (c *coalescer) end(j *joined) {
	if len(j.payload) == 1 {
		deliver(c.dispatcher, j.first)
	} else {
		deliverView(c.dispatcher, j.view())
	}
	c.open--
	if last := &c.joined[c.open]; last != j {
		*j, *last = *last, *j // each keeps the memory of one list
	}
	clear(c.joined[c.open].payload)
	c.joined[c.open].first = nil
}

// view is the packet that is made of the joined ones. Its checksums are not valid: the link says that they need not be.
func (j *joined) view() *buffer.View {
	v := buffer.NewViewSize(j.size)
	to := v.AsSlice()
	n := copy(to, j.first[:j.headSize])
	for _, p := range j.payload {
		n += copy(to[n:], p)
	}
	if j.ipSize == header.IPv6MinimumSize {
		binary.BigEndian.PutUint16(to[lengthAt6:], uint16(j.size-j.ipSize))
	} else {
		binary.BigEndian.PutUint16(to[lengthAt4:], uint16(j.size))
	}
	if j.push {
		to[j.ipSize+flagsAt] |= byte(header.TCPFlagPsh)
	}
	return v
}

// flush delivers what is left.
func (c *coalescer) flush() {
	for c.open > 0 {
		c.end(&c.joined[c.open-1])
	}
}
