package udpbind

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"go.uber.org/goleak"
	"golang.zx2c4.com/wireguard/conn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

func TestOneAddressOnly(t *testing.T) {
	a, b := New(loopback), New(loopback)
	_, portA, err := a.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	receive, portB, err := b.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Open(0); !errors.Is(err, conn.ErrBindAlreadyOpen) {
		t.Errorf("second Open: %v", err)
	}
	// Another address of the same port stays free.
	other, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2), Port: int(portB)})
	if err != nil {
		t.Errorf("the bind took more than its address: %v", err)
	} else {
		other.Close()
	}
	to, err := a.ParseEndpoint(netip.AddrPortFrom(loopback, portB).String())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Send([][]byte{[]byte("one"), []byte("two")}, to); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		packets, sizes, eps := [][]byte{make([]byte, 100)}, make([]int, 1), make([]conn.Endpoint, 1)
		if n, err := receive[0](packets, sizes, eps); n != 1 || err != nil || string(packets[0][:sizes[0]]) != want {
			t.Errorf("%d, %v, %q", n, err, packets[0][:sizes[0]])
		}
		if from := netip.AddrPortFrom(loopback, portA); eps[0].DstToString() != from.String() || eps[0].DstIP() != loopback {
			t.Errorf("from %s", eps[0].DstToString())
		}
	}
	for range 2 { // closes twice
		if err := errors.Join(a.Close(), b.Close()); err != nil {
			t.Error(err)
		}
	}
	if _, err := receive[0]([][]byte{make([]byte, 1)}, make([]int, 1), make([]conn.Endpoint, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("receive after Close: %v", err)
	}
	if err := a.Send(nil, to); !errors.Is(err, net.ErrClosed) {
		t.Errorf("send after Close: %v", err)
	}
	if _, again, err := a.Open(portA); err != nil || again != portA {
		t.Errorf("open again: %d, %v", again, err)
	}
	a.Close()
}

func TestRefusals(t *testing.T) {
	b := New(loopback)
	if err := b.SetMark(1); err == nil {
		t.Error("a mark was accepted")
	}
	if err := b.SetMark(0); err != nil {
		t.Error(err)
	}
	if _, err := b.ParseEndpoint("gateway:51820"); err == nil {
		t.Error("a name was accepted as an endpoint")
	}
	if _, ok := New(netip.Addr{}).(*bind); ok {
		t.Error("all addresses should be WireGuard's own bind")
	}
}
