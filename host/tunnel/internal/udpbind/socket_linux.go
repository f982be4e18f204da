package udpbind

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
	wireguard "golang.zx2c4.com/wireguard/conn"
)

const (
	// batchSize is how many packets WireGuard gets and gives in one call.
	batchSize = 128
	// readSize is how many datagrams are read in one system call. Each may be many packets.
	readSize = 16
	// datagramMost is the largest datagram, in bytes: 65,535 less the headers of IPv4 and UDP.
	datagramMost = 65_507
	// segmentsMost is how many packets the kernel cuts one datagram into (UDP_MAX_SEGMENTS).
	segmentsMost = 64
)

// batchConn is what ipv4.PacketConn and ipv6.PacketConn have in common.
type batchConn interface {
	ReadBatch(messages []ipv4.Message, flags int) (int, error)
	WriteBatch(messages []ipv4.Message, flags int) (int, error)
}

// socket moves many packets in each call.
type socket struct {
	conn     *net.UDPConn
	batch    batchConn
	whole    atomic.Bool // the kernel or the network card does not cut datagrams
	outgoing sync.Pool   // of *outgoing

	// What was read and not given on. WireGuard receives on one goroutine.
	messages []ipv4.Message
	read     int    // of messages
	current  int    // of them
	rest     []byte // of the current one
	segment  int    // size of its packets
	from     endpoint
	source   wireguard.Endpoint // from, as an interface
}

func newSocket(conn *net.UDPConn) *socket {
	s := &socket{conn: conn, messages: make([]ipv4.Message, readSize)}
	if addr := conn.LocalAddr().(*net.UDPAddr); addr.IP.To4() != nil {
		s.batch = ipv4.NewPacketConn(conn)
	} else {
		s.batch = ipv6.NewPacketConn(conn)
	}
	for i := range s.messages {
		s.messages[i].Buffers = [][]byte{make([]byte, datagramMost)}
		s.messages[i].OOB = make([]byte, unix.CmsgSpace(4))
	}
	s.outgoing.New = func() any { return newOutgoing() }
	// Without it, datagrams come one by one.
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_GRO, 1) })
	}
	return s
}

func (s *socket) receive(packets [][]byte, sizes []int, eps []wireguard.Endpoint) (int, error) {
	for len(s.rest) == 0 {
		if s.current++; s.current >= s.read {
			if err := s.fill(); err != nil {
				return 0, err
			}
		}
		s.open(&s.messages[s.current])
	}
	n := 0
	for n < len(packets) {
		k := min(s.segment, len(s.rest))
		sizes[n], eps[n] = copy(packets[n], s.rest[:k]), s.source
		n++
		if s.rest = s.rest[k:]; len(s.rest) > 0 {
			continue
		}
		if s.current+1 >= s.read {
			break
		}
		s.current++
		s.open(&s.messages[s.current])
		if len(s.rest) == 0 {
			break
		}
	}
	return n, nil
}

// fill reads what is there, at least one datagram.
func (s *socket) fill() error {
	s.read, s.current = 0, 0
	n, err := s.batch.ReadBatch(s.messages, 0)
	if err != nil {
		return err
	}
	s.read = n
	return nil
}

// open begins with a datagram.
func (s *socket) open(m *ipv4.Message) {
	s.rest = m.Buffers[0][:m.N]
	s.segment = segmentSize(m.OOB[:m.NN])
	if s.segment <= 0 {
		s.segment = max(1, m.N)
	}
	addr, ok := m.Addr.(*net.UDPAddr)
	if !ok {
		s.rest = nil
		return
	}
	if from := (endpoint{unmap(addr.AddrPort())}); s.source == nil || from != s.from {
		s.from, s.source = from, from
	}
}

// segmentSize finds the size of the packets of a datagram that the kernel has joined; 0: it has not.
func segmentSize(oob []byte) int {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			return 0
		}
		if h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(data) >= 2 {
			return int(binary.NativeEndian.Uint16(data))
		}
		oob = rest
	}
	return 0
}

// outgoing are the datagrams of one send.
type outgoing struct{ messages []ipv4.Message }

func newOutgoing() *outgoing {
	o := &outgoing{messages: make([]ipv4.Message, 0, batchSize)}
	return o
}

func (s *socket) send(packets [][]byte, to netip.AddrPort) error {
	o := s.outgoing.Get().(*outgoing)
	defer s.outgoing.Put(o)
	addr := net.UDPAddrFromAddrPort(to)
	whole := s.whole.Load()
	sent, err := o.send(s.batch, packets, addr, !whole)
	if err != nil && !whole && notCut(err) {
		if errors.Is(err, unix.EIO) {
			s.whole.Store(true)
		}
		_, err = o.send(s.batch, packets[sent:], addr, false)
	}
	return err
}

// notCut reports whether an error means that a datagram was not cut: EIO (udp(7)) is that of a network card that cannot compute
// checksums, and will stay; the others are those of a path whose MTU is too small for the pieces, which the kernel fragments when it gets them singly.
func notCut(err error) bool {
	return errors.Is(err, unix.EIO) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EMSGSIZE)
}

// send returns how many packets are sent for sure.
func (o *outgoing) send(batch batchConn, packets [][]byte, to *net.UDPAddr, cut bool) (sent int, err error) {
	o.messages = o.messages[:0]
	for rest := packets; len(rest) > 0; {
		n := 1
		if cut {
			n = train(rest)
		}
		o.add(rest[:n], to)
		rest = rest[n:]
	}
	for at := 0; at < len(o.messages); {
		n, err := batch.WriteBatch(o.messages[at:], 0)
		if err != nil {
			return sent, err
		}
		for _, m := range o.messages[at : at+n] {
			sent += len(m.Buffers)
		}
		at += n
	}
	for i := range o.messages {
		clear(o.messages[i].Buffers)
	}
	return sent, nil
}

// train returns how many of packets go out as one datagram: of the same size but for the last, which may be smaller.
func train(packets [][]byte) int {
	size, total := len(packets[0]), len(packets[0])
	if size == 0 {
		return 1
	}
	n := 1
	for n < len(packets) && n < segmentsMost && len(packets[n]) <= size && len(packets[n]) > 0 && total+len(packets[n]) <= datagramMost {
		total += len(packets[n])
		if n++; len(packets[n-1]) < size {
			break
		}
	}
	return n
}

// add adds a datagram of several packets.
func (o *outgoing) add(packets [][]byte, to *net.UDPAddr) {
	if len(o.messages) == cap(o.messages) {
		o.messages = append(o.messages, ipv4.Message{})
	} else {
		o.messages = o.messages[:len(o.messages)+1]
	}
	m := &o.messages[len(o.messages)-1]
	m.Buffers = append(m.Buffers[:0], packets...)
	m.Addr, m.N, m.NN, m.Flags = to, 0, 0, 0
	if len(packets) == 1 {
		m.OOB = m.OOB[:0]
		return
	}
	if cap(m.OOB) == 0 {
		m.OOB = make([]byte, 0, unix.CmsgSpace(2))
	}
	m.OOB = m.OOB[:unix.CmsgSpace(2)]
	h := (*unix.Cmsghdr)(unsafe.Pointer(&m.OOB[0])) // the allocator aligns it
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(m.OOB[unix.CmsgLen(0):], uint16(len(packets[0])))
}
