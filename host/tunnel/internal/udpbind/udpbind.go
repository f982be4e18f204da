// Package udpbind gives WireGuard a UDP socket on one address. WireGuard's own socket (conn.NewDefaultBind) listens on all
// addresses and cannot be told otherwise.
//
// On Linux many packets move in one system call: datagrams of one size to one peer leave as one that the kernel cuts (UDP_SEGMENT),
// and the kernel joins what arrives (UDP_GRO).
package udpbind

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	wireguard "golang.zx2c4.com/wireguard/conn"
)

// socketBuffer is what the socket asks the system to hold for each direction, in bytes, as WireGuard's own socket does. The system
// may grant less.
const socketBuffer = 7 << 20

// New returns a conn.Bind on addr. The zero Addr is all addresses, IPv4 and IPv6: WireGuard's own bind, which answers from the
// address that was asked.
func New(addr netip.Addr) wireguard.Bind {
	if !addr.IsValid() {
		return wireguard.NewDefaultBind()
	}
	return &bind{addr: addr}
}

// bind is one socket on one address.
type bind struct {
	addr netip.Addr

	mu     sync.Mutex
	socket *socket
}

// unmap is an address without the form that IPv6 sockets give IPv4 addresses.
func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// endpoint is where a peer was last heard.
type endpoint struct{ netip.AddrPort }

func (endpoint) ClearSrc()             {}
func (endpoint) SrcToString() string   { return "" }
func (endpoint) SrcIP() netip.Addr     { return netip.Addr{} }
func (e endpoint) DstToString() string { return e.AddrPort.String() }
func (e endpoint) DstIP() netip.Addr   { return e.Addr() }

// DstToBytes is what WireGuard's cookies are bound to.
func (e endpoint) DstToBytes() []byte {
	b, _ := e.MarshalBinary() // never fails
	return b
}

func (b *bind) Open(port uint16) ([]wireguard.ReceiveFunc, uint16, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.socket != nil {
		return nil, 0, wireguard.ErrBindAlreadyOpen
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(b.addr, port)))
	if err != nil {
		return nil, 0, err
	}
	// A smaller buffer costs speed only.
	_ = conn.SetReadBuffer(socketBuffer)
	_ = conn.SetWriteBuffer(socketBuffer)
	b.socket = newSocket(conn)
	return []wireguard.ReceiveFunc{b.socket.receive}, conn.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

func (b *bind) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.socket == nil {
		return nil
	}
	err := b.socket.conn.Close()
	b.socket = nil
	return err
}

func (b *bind) Send(packets [][]byte, to wireguard.Endpoint) error {
	b.mu.Lock()
	s := b.socket
	b.mu.Unlock()
	if s == nil {
		return net.ErrClosed
	}
	e, ok := to.(endpoint)
	if !ok {
		return wireguard.ErrWrongEndpointType
	}
	return s.send(packets, e.AddrPort)
}

// SetMark refuses a mark: this socket has none, and the gateway sets none.
func (b *bind) SetMark(mark uint32) error {
	if mark != 0 {
		return errors.New("a packet mark is not supported")
	}
	return nil
}

func (b *bind) ParseEndpoint(s string) (wireguard.Endpoint, error) {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return nil, err
	}
	return endpoint{a}, nil
}

func (b *bind) BatchSize() int { return batchSize }
