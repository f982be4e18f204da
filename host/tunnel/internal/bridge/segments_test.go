package bridge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip/checksum"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// tcpPacket is a TCP packet of port 1000+n with 12 bytes of options, without checksums.
func tcpPacket(v6 bool, n int, sequence uint32, flags header.TCPFlags, payload []byte) []byte {
	ipSize := header.IPv4MinimumSize
	if v6 {
		ipSize = header.IPv6MinimumSize
	}
	b := make([]byte, ipSize+32, ipSize+32+len(payload))
	b = append(b, payload...)
	if v6 {
		b[0], b[6], b[7], b[23], b[39] = 0x60, 6, 64, 1, 2
		binary.BigEndian.PutUint16(b[4:], uint16(len(b)-ipSize))
	} else {
		b[0], b[8], b[9], b[15], b[19] = 0x45, 64, 6, 1, 2
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		b[6] = 0x40
	}
	header.TCP(b[ipSize:]).Encode(&header.TCPFields{SrcPort: uint16(1000 + n), DstPort: 80, SeqNum: sequence, AckNum: 77, DataOffset: 32, Flags: flags, WindowSize: 500})
	copy(b[ipSize+20:], "options12345")
	return b
}

func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// asSegment is a packet as the stack hands it over: longer than the MTU, without a checksum.
func asSegment(packet []byte, v6 bool, mss int) *stack.PacketBuffer {
	ipSize, kind := header.IPv4MinimumSize, stack.GSOTCPv4
	if v6 {
		ipSize, kind = header.IPv6MinimumSize, stack.GSOTCPv6
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packet)})
	p.NetworkHeader().Consume(ipSize)
	p.TransportHeader().Consume(32)
	p.GSOOptions = stack.GSO{Type: kind, NeedsCsum: true, MSS: uint16(mss)}
	return p
}

// Whatever is cut is what was written, with valid checksums, and joined again by the other side it is the same segment.
func TestCutAndJoin(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		for _, size := range []int{0, 1, 1000, 1348, 1349, 20_000, segmentMost - 100} {
			for _, mss := range []int{1348, 500, 9000} {
				name := fmt.Sprintf("v6 %v, %d bytes, MSS %d", v6, size, mss)
				b := New(1420, nil)
				flags := header.TCPFlagAck | header.TCPFlagPsh
				whole := tcpPacket(v6, 1, 4_294_967_000, flags, content(size)) // the sequence number wraps
				var list stack.PacketBufferList
				p := asSegment(whole, v6, mss)
				list.PushBack(p)
				if _, err := b.Link().WritePackets(list); err != nil {
					t.Fatal(err)
				}
				p.DecRef()
				packets, err := readAll(b, max(1, (size+mss-1)/mss))
				if err != nil {
					t.Fatal(err)
				}
				ipSize := len(whole) - size - 32
				for i, packet := range packets {
					if len(packet) > ipSize+32+mss || !validSums(packet, ipSize) {
						t.Errorf("%s: packet %d of %d bytes, valid sums %v", name, i, len(packet), validSums(packet, ipSize))
					}
					if last := i == len(packets)-1; header.TCP(packet[ipSize:]).Flags().Contains(header.TCPFlagPsh) != last {
						t.Errorf("%s: packet %d of %d has flags %s", name, i, len(packets), header.TCP(packet[ipSize:]).Flags())
					}
				}
				s := &sink{}
				b.Link().Attach(s)
				if _, err := b.Write(packets, 0); err != nil {
					t.Fatal(err)
				}
				if got := payloadOf(s.got, ipSize); !bytes.Equal(got, content(size)) {
					t.Errorf("%s: %d bytes came back, in %d packets", name, len(got), len(s.got))
				}
				if size == 20_000 && mss < 9000 && len(s.got) != 1 {
					t.Errorf("%s: %d packets were made of %d", name, len(s.got), len(packets))
				}
				b.Close()
			}
		}
	}
}

// readAll reads n packets.
func readAll(b *Bridge, n int) (all [][]byte, err error) {
	for len(all) < n {
		batch, err := read(b)
		if err != nil {
			return nil, err
		}
		all = append(all, batch...)
		b.queue.sent(len(batch))
	}
	return all, nil
}

func validSums(p []byte, ipSize int) bool {
	tcp := p[ipSize:]
	addresses := p[12:20]
	if ipSize == header.IPv6MinimumSize {
		addresses = p[8:40]
		if int(binary.BigEndian.Uint16(p[4:])) != len(tcp) {
			return false
		}
	} else if checksum.Checksum(p[:20], 0) != 0xffff || int(binary.BigEndian.Uint16(p[2:])) != len(p) {
		return false
	}
	sum := checksum.Combine(checksum.Checksum(addresses, 0), uint16(header.TCPProtocolNumber))
	return checksum.Checksum(tcp, checksum.Combine(sum, uint16(len(tcp)))) == 0xffff
}

// payloadOf joins the payloads of a connection's packets, which must follow each other.
func payloadOf(packets [][]byte, ipSize int) (all []byte) {
	for _, p := range packets {
		all = append(all, p[ipSize+32:]...)
	}
	return all
}

// Segments that differ in anything that counts are not joined, and come in the order of their connection.
func TestJoinsOnlyWhatBelongsTogether(t *testing.T) {
	const ack = header.TCPFlagAck
	first := func() []byte { return tcpPacket(false, 1, 100, ack, content(1000)) }
	for what, second := range map[string][]byte{
		"another connection":   tcpPacket(false, 2, 1100, ack, content(1000)),
		"a gap":                tcpPacket(false, 1, 1101, ack, content(1000)),
		"again":                first(),
		"a longer one":         tcpPacket(false, 1, 1100, ack, content(1001)),
		"FIN":                  tcpPacket(false, 1, 1100, ack|header.TCPFlagFin, content(1000)),
		"RST":                  tcpPacket(false, 1, 1100, header.TCPFlagRst, content(1000)),
		"urgent":               tcpPacket(false, 1, 1100, ack|header.TCPFlagUrg, content(1000)),
		"no ACK":               tcpPacket(false, 1, 1100, header.TCPFlagPsh, content(1000)),
		"no payload":           tcpPacket(false, 1, 1100, ack, nil),
		"another ACK":          changed(tcpPacket(false, 1, 1100, ack, content(1000)), 20+11),
		"another window":       changed(tcpPacket(false, 1, 1100, ack, content(1000)), 20+15),
		"other options":        changed(tcpPacket(false, 1, 1100, ack, content(1000)), 20+25),
		"another header size":  changed(tcpPacket(false, 1, 1100, ack, content(1000)), 20+12),
		"other service":        changed(tcpPacket(false, 1, 1100, ack, content(1000)), 1),
		"other time to live":   changed(tcpPacket(false, 1, 1100, ack, content(1000)), 8),
		"a fragment":           changed(tcpPacket(false, 1, 1100, ack, content(1000)), 7),
		"another protocol":     changed(tcpPacket(false, 1, 1100, ack, content(1000)), 9),
		"other addresses":      changed(tcpPacket(false, 1, 1100, ack, content(1000)), 19),
		"IPv6":                 tcpPacket(true, 1, 1100, ack, content(1000)),
		"a header beyond all":  tcpPacket(false, 1, 1100, ack, nil)[:40],
		"TCP header too small": with(tcpPacket(false, 1, 1100, ack, content(1000)), 20+12, 0x10),
	} {
		s := &sink{}
		b := New(1420, nil)
		b.Link().Attach(s)
		in := [][]byte{first(), second}
		if _, err := b.Write(in, 0); err != nil {
			t.Fatal(err)
		}
		if len(s.got) != 2 {
			t.Errorf("%s: %d packets came", what, len(s.got))
			continue
		}
		sameConnection := bytes.Equal(second[12:24], first()[12:24]) && second[9] == 6 && second[7] == 0
		if sameConnection && !bytes.Equal(s.got[0], first()) {
			t.Errorf("%s: the second came first", what)
		}
	}
}

func changed(p []byte, at int) []byte { return with(p, at, p[at]^0x10) }

func with(p []byte, at int, value byte) []byte {
	p[at] = value
	return p
}

// Connections that are mixed in one batch, more than are joined at a time, each get their bytes in order.
func TestMixedConnections(t *testing.T) {
	const connections, packets = 2*connectionsMost + 3, 40
	random := rand.New(rand.NewPCG(1, 2))
	var in [][]byte
	var sent [connections][]byte
	for i := range connections * packets {
		n := random.IntN(connections)
		payload := content(1 + random.IntN(1300))
		if i%3 > 0 {
			payload = content(1348)
		}
		flags := header.TCPFlagAck
		if random.IntN(20) == 0 {
			flags |= header.TCPFlagPsh
		}
		in = append(in, tcpPacket(false, n, uint32(len(sent[n])), flags, payload))
		sent[n] = append(sent[n], payload...)
	}
	s := &sink{}
	b := New(1420, nil)
	b.Link().Attach(s)
	for batch := range chunks(in, batchSize) {
		if _, err := b.Write(batch, 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.got) >= len(in) {
		t.Errorf("%d packets in, %d out", len(in), len(s.got))
	}
	var got [connections][]byte
	for _, p := range s.got {
		n := int(binary.BigEndian.Uint16(p[20:])) - 1000
		if sequence := binary.BigEndian.Uint32(p[24:]); int(sequence) != len(got[n]) {
			t.Fatalf("connection %d: bytes from %d came after %d", n, sequence, len(got[n]))
		}
		if int(binary.BigEndian.Uint16(p[2:])) != len(p) || len(p) > joinMost {
			t.Errorf("a packet of %d bytes says %d", len(p), binary.BigEndian.Uint16(p[2:]))
		}
		got[n] = append(got[n], p[52:]...)
	}
	for n := range sent {
		if !bytes.Equal(got[n], sent[n]) {
			t.Errorf("connection %d: %d bytes in, %d out", n, len(sent[n]), len(got[n]))
		}
	}
}

func chunks(all [][]byte, n int) func(func([][]byte) bool) {
	return func(yield func([][]byte) bool) {
		for len(all) > 0 {
			k := min(n, len(all))
			if !yield(all[:k]) {
				return
			}
			all = all[k:]
		}
	}
}

// A path with a smaller MTU gets smaller packets, and forgets it with the peer.
func TestPathMTU(t *testing.T) {
	b := New(1420, nil)
	defer b.Close()
	dest := netip.AddrFrom4([4]byte{0, 0, 0, 2})
	for _, c := range []struct{ set, largest int }{{0, 1420}, {1000, 1000}, {1200, 1000}, {100, 576}, {-1, 1420}} {
		switch {
		case c.set > 0:
			b.SetPathMTU(dest, c.set)
			b.SetPathMTU(netip.AddrFrom4([4]byte{0, 0, 0, 9}), 600) // another's
		case c.set < 0:
			b.Discard(dest)
		}
		var list stack.PacketBufferList
		p := asSegment(tcpPacket(false, 1, 1, header.TCPFlagAck, content(10_000)), false, 1368)
		list.PushBack(p)
		b.Link().WritePackets(list)
		p.DecRef()
		total, largest := 0, 0
		for total < 10_000 {
			batch, err := readAll(b, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range batch {
				largest = max(largest, len(p))
				total += len(p) - 52
			}
		}
		if largest != c.largest || total != 10_000 {
			t.Errorf("with %d: %d bytes, the largest packet has %d", c.set, total, largest)
		}
	}
}

// What comes from WireGuard is the peer's: whatever it is, the bytes of a TCP stream are those that came, and nothing panics.
func FuzzWrite(f *testing.F) {
	f.Add(tcpPacket(false, 1, 100, header.TCPFlagAck, content(100)), tcpPacket(false, 1, 200, header.TCPFlagAck|header.TCPFlagPsh, content(50)))
	f.Add(tcpPacket(true, 1, 100, header.TCPFlagAck, content(100)), tcpPacket(true, 1, 200, header.TCPFlagAck, content(100)))
	f.Add(packet4(1), []byte{0x60})
	f.Add(tcpPacket(false, 1, 100, header.TCPFlagAck, nil), tcpPacket(true, 1, 100, header.TCPFlagFin, content(1)))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		bridge := New(1420, nil)
		s := &sink{}
		bridge.Link().Attach(s)
		in := 0
		for _, p := range [][]byte{a, b} {
			if len(p) >= 20 && (p[0]>>4 == 4 || p[0]>>4 == 6 && len(p) >= 40) {
				in += len(p)
			}
		}
		if _, err := bridge.Write([][]byte{a, b, a}, 0); err != nil {
			t.Fatal(err)
		}
		out := 0
		for _, p := range s.got {
			out += len(p)
		}
		if out == 0 && in > 0 {
			t.Errorf("%d bytes in, none out", in)
		}
	})
}
