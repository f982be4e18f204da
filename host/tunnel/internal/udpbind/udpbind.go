// Package udpbind gives WireGuard a UDP socket on one address. WireGuard's own socket (conn.NewDefaultBind) listens on all
// addresses and cannot be told otherwise.
package udpbind

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"golang.zx2c4.com/wireguard/conn"
)

// socketBuffer is what the socket asks the system to hold for each direction, in bytes, as WireGuard's own socket does. The system
// may grant less.
const socketBuffer = 7 << 20

// New returns a conn.Bind on addr. The zero Addr is all addresses, IPv4 and IPv6: WireGuard's own bind, which answers from the
// address that was asked.
func New(addr netip.Addr) conn.Bind {
	if !addr.IsValid() {
		return conn.NewDefaultBind()
	}
	return &bind{addr: addr}
}

// bind is one socket on one address, one packet for each call.
type bind struct {
	addr netip.Addr

	mu     sync.Mutex
	socket *net.UDPConn
}

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

func (b *bind) Open(port uint16) ([]conn.ReceiveFunc, uint16, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.socket != nil {
		return nil, 0, conn.ErrBindAlreadyOpen
	}
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(b.addr, port)))
	if err != nil {
		return nil, 0, err
	}
	// A smaller buffer costs speed only.
	_ = socket.SetReadBuffer(socketBuffer)
	_ = socket.SetWriteBuffer(socketBuffer)
	b.socket = socket
	receive := func(packets [][]byte, sizes []int, eps []conn.Endpoint) (int, error) {
		n, from, err := socket.ReadFromUDPAddrPort(packets[0])
		if err != nil {
			return 0, err
		}
		sizes[0] = n
		eps[0] = endpoint{netip.AddrPortFrom(from.Addr().Unmap(), from.Port())}
		return 1, nil
	}
	return []conn.ReceiveFunc{receive}, socket.LocalAddr().(*net.UDPAddr).AddrPort().Port(), nil
}

func (b *bind) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.socket == nil {
		return nil
	}
	err := b.socket.Close()
	b.socket = nil
	return err
}

func (b *bind) Send(packets [][]byte, to conn.Endpoint) error {
	b.mu.Lock()
	socket := b.socket
	b.mu.Unlock()
	if socket == nil {
		return net.ErrClosed
	}
	e, ok := to.(endpoint)
	if !ok {
		return conn.ErrWrongEndpointType
	}
	for _, packet := range packets {
		if _, err := socket.WriteToUDPAddrPort(packet, e.AddrPort); err != nil {
			return err
		}
	}
	return nil
}

// SetMark refuses a mark: this socket has none, and the gateway sets none.
func (b *bind) SetMark(mark uint32) error {
	if mark != 0 {
		return errors.New("a packet mark is not supported")
	}
	return nil
}

func (b *bind) ParseEndpoint(s string) (conn.Endpoint, error) {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return nil, err
	}
	return endpoint{a}, nil
}

func (b *bind) BatchSize() int { return 1 }
