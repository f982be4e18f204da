package gateway

import (
	"net/netip"

	"github.com/sallyport-dev/sallyport/host/tunnel"
)

var _ tunnel.EchoHandler = (*handler)(nil)

// Echo has the virtual addresses of endpoints answer pings of peers for whom the endpoints exist.
func (h *handler) Echo(peer string, addr netip.Addr) bool {
	s := h.current.Load()
	return s.table.Reaches(s.profiles[peer], addr)
}
