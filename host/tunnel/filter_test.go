package tunnel

import (
	"net/netip"
	"testing"
)

// ip4 is an IPv4 packet from 10.89.0.2 with 20 bytes of payload.
func ip4(protocol byte, to string, payload ...byte) []byte {
	b := make([]byte, 40)
	b[0], b[3], b[9] = 0x45, 40, protocol
	copy(b[12:], []byte{10, 89, 0, 2})
	a := netip.MustParseAddr(to).As4()
	copy(b[16:], a[:])
	copy(b[20:], payload)
	return b
}

// ip6 is an IPv6 packet from fd00::2 with 20 bytes of payload.
func ip6(next byte, to string) []byte {
	b := make([]byte, 60)
	b[0], b[5], b[6] = 0x60, 20, next
	b[8], b[23] = 0xfd, 2
	a := netip.MustParseAddr(to).As16()
	copy(b[24:], a[:])
	return b
}

// with changes a packet.
func with(b []byte, change func([]byte)) []byte {
	change(b)
	return b
}

func TestClassify(t *testing.T) {
	gateway := netip.MustParseAddr("10.89.0.1")
	toDNS := []byte{0x10, 0, 0, 53}
	for i, c := range []struct {
		packet []byte
		want   Drop
	}{
		{ip4(6, "192.0.2.1"), pass},
		{ip4(6, "10.89.0.1"), pass},
		{ip4(6, "10.89.0.3"), pass},
		{ip4(6, "169.254.169.254"), pass},
		{ip4(17, "10.89.0.1", toDNS...), pass},
		{ip4(1, "10.89.0.1", 8), pass},
		{ip6(6, "2001:db8::1"), pass},

		{ip4(17, "10.89.0.1", 0x10, 0, 0, 54), DropUDP},
		{ip4(17, "8.8.8.8", toDNS...), DropUDP},
		{ip4(1, "192.0.2.1", 8), DropICMP},
		{ip4(1, "10.89.0.1", 3), DropICMP}, // unreachable: it could make the stack end connections
		{ip4(1, "10.89.0.1", 5), DropICMP}, // redirect
		{ip4(2, "224.0.0.1"), DropProtocol},
		{ip4(41, "10.89.0.1"), DropProtocol}, // IPv6 in IPv4
		{ip4(4, "10.89.0.1"), DropProtocol},  // IPv4 in IPv4
		{ip4(6, "224.0.0.1"), DropDestination},
		{ip4(6, "255.255.255.255"), DropDestination},
		{ip4(6, "0.0.0.0"), DropDestination},
		{ip4(6, "127.0.0.53"), DropDestination},
		{ip4(6, "10.89.0.2"), DropDestination},
		{with(ip4(6, "192.0.2.1"), func(b []byte) { b[6] = 0x20 }), DropFragment},
		{with(ip4(6, "192.0.2.1"), func(b []byte) { b[7] = 1 }), DropFragment},
		{with(ip4(6, "192.0.2.1"), func(b []byte) { b[0] = 0x46 }), DropMalformed},
		{with(ip4(6, "192.0.2.1"), func(b []byte) { b[3] = 39 }), DropMalformed},
		{with(ip4(6, "192.0.2.1"), func(b []byte) { b[3] = 30 })[:30], DropMalformed},
		{ip6(17, "2001:db8::1"), DropUDP},
		{ip6(58, "ff02::2"), DropIPv6},
		{ip6(0, "2001:db8::1"), DropIPv6},  // hop-by-hop options
		{ip6(43, "2001:db8::1"), DropIPv6}, // routing header
		{ip6(44, "2001:db8::1"), DropIPv6}, // fragment header
		{ip6(6, "::1"), DropDestination},
		{ip6(6, "ff02::1"), DropDestination},
		{with(ip6(6, "2001:db8::1"), func(b []byte) { b[5] = 19 }), DropMalformed},
	} {
		source, got := classify(c.packet, gateway)
		if got != c.want {
			t.Errorf("packet %d, %x: %s, want %s", i, c.packet, got, c.want)
		}
		if s := source.String(); s != "10.89.0.2" && s != "fd00::2" {
			t.Errorf("packet %d: source %s", i, s)
		}
	}
}

func FuzzClassify(f *testing.F) {
	f.Add(ip4(6, "192.0.2.1"))
	f.Add(ip4(17, "10.89.0.1", 0x10, 0, 0, 53))
	f.Add(ip4(1, "10.89.0.1", 8))
	f.Add(ip6(6, "2001:db8::1"))
	gateway := netip.MustParseAddr("10.89.0.1")
	f.Fuzz(func(t *testing.T, p []byte) {
		// What the bridge guarantees.
		if len(p) < 20 || p[0]>>4 != 4 && p[0]>>4 != 6 || p[0]>>4 == 6 && len(p) < 40 {
			return
		}
		source, verdict := classify(p, gateway)
		if verdict > pass || !source.IsValid() {
			t.Fatalf("%x: source %s, verdict %d", p, source, verdict)
		}
		if verdict != pass {
			return
		}
		if p[0]>>4 == 6 {
			if p[6] != 6 || len(p) < 60 {
				t.Errorf("%x passes", p)
			}
			return
		}
		toGateway := [4]byte(p[16:20]) == gateway.As4()
		ok := p[0] == 0x45 && p[6]&0x3f == 0 && p[7] == 0
		switch p[9] {
		case 6:
			ok = ok && len(p) >= 40
		case 17:
			ok = ok && toGateway && p[22] == 0 && p[23] == 53
		case 1:
			ok = ok && toGateway && p[20] == 8
		default:
			ok = false
		}
		if !ok {
			t.Errorf("%x passes", p)
		}
	})
}
