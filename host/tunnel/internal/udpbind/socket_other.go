//go:build !linux

package udpbind

import (
	"net"
	"net/netip"

	wireguard "golang.zx2c4.com/wireguard/conn"
)

const batchSize = 1

// socket moves one packet in each call.
type socket struct{ conn *net.UDPConn }

func newSocket(conn *net.UDPConn) *socket { return &socket{conn} }

func (s *socket) receive(packets [][]byte, sizes []int, eps []wireguard.Endpoint) (int, error) {
	n, from, err := s.conn.ReadFromUDPAddrPort(packets[0])
	if err != nil {
		return 0, err
	}
	sizes[0], eps[0] = n, endpoint{unmap(from)}
	return 1, nil
}

func (s *socket) send(packets [][]byte, to netip.AddrPort) error {
	for _, p := range packets {
		if _, err := s.conn.WriteToUDPAddrPort(p, to); err != nil {
			return err
		}
	}
	return nil
}
