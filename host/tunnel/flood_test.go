package tunnel_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
)

// initiation is a handshake message that the gateway must take seriously: an agent with a key that nobody knows made it.
func initiation(t *testing.T, gateway tunnel.Key) []byte {
	t.Helper()
	ear, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	a := tunneltest.New(t, tunneltest.Options{
		Endpoint: ear.LocalAddr().(*net.UDPAddr).AddrPort(), GatewayKey: gateway, PrivateKey: tunnel.NewPrivateKey(),
		Network: network, Address: netip.MustParseAddr("10.89.0.99"),
	})
	defer a.Close()
	if _, err := a.DialUDP(netip.MustParseAddrPort("192.0.2.1:1")); err != nil {
		t.Fatal(err)
	}
	go a.Inject(ping(a.Address(), netip.MustParseAddr("10.89.0.1")))
	ear.SetReadDeadline(time.Now().Add(patience))
	buffer := make([]byte, 2000)
	for {
		n, err := ear.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		if n == 148 && buffer[0] == 1 { // handshake initiation, as the WireGuard paper has it in section 5.4.2
			return buffer[:n]
		}
	}
}

// Somebody floods the gateway with handshakes. Under load it wants a cookie, which only who receives at his address gets, and lets
// each source have a few handshakes only: peers come in all the same.
func TestHandshakeFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, handler{serve: echo}, tunnel.Limits{})
	message := initiation(t, w.PublicKey())
	socket, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(w.ListenPort())})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	var asked atomic.Bool
	cookie, in := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(cookie)
		buffer := make([]byte, 2000)
		for {
			n, err := socket.Read(buffer)
			asked.Store(err == nil && n == 64 && binary.LittleEndian.Uint32(buffer) == 3) // cookie reply, section 5.4.7
			if err != nil || asked.Load() {
				return
			}
		}
	}()
	flooding := make(chan struct{})
	go func() {
		defer close(flooding)
		socket.SetReadDeadline(time.Now().Add(patience))
		for replied := false; ; {
			for range 2000 { // more than WireGuard keeps, which is then under load for a second
				socket.Write(message)
			}
			time.Sleep(300 * time.Millisecond) // a queue that is always full keeps everybody out
			select {
			case <-cookie:
				replied = true
			default:
			}
			select {
			case <-in:
				if replied { // or nothing can be read any more
					return
				}
			default:
			}
		}
	}()
	a := w.newAlice(t)
	if err := thereAndBack(dial(t, a, "192.0.2.1:80"), content(1000, 1)); err != nil {
		t.Errorf("a peer during the flood: %v", err)
	}
	close(in)
	<-flooding
	if !asked.Load() {
		t.Error("the gateway never asked for a cookie")
	}
}
