package tunnel

import (
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip/checksum"
)

// tooBigPacket is "fragmentation needed" from one address to another, about a packet between two.
func tooBigPacket(from, to, quotedFrom, quotedTo string, change func([]byte)) []byte {
	b := make([]byte, 56)
	b[0], b[3], b[9] = 0x45, 56, 1
	put := func(at int, a string) {
		x := netip.MustParseAddr(a).As4()
		copy(b[at:], x[:])
	}
	put(12, from)
	put(16, to)
	b[20], b[21], b[26], b[27] = 3, 4, 1000>>8, 1000&0xff
	b[28], b[37] = 0x45, 6
	put(40, quotedFrom)
	put(44, quotedTo)
	if change != nil {
		change(b)
	}
	return b
}

// A peer can tell of packets that went to it, and of nobody else's.
func TestTooBig(t *testing.T) {
	const alice, bob, server, other = "10.89.0.2", "10.89.0.3", "192.0.2.1", "192.0.2.2"
	for what, c := range map[string]struct {
		packet []byte
		mtu    int
	}{
		"its own":                    {tooBigPacket(alice, server, server, alice, nil), 1000},
		"Bob's":                      {tooBigPacket(alice, server, server, bob, nil), 0},
		"from elsewhere":             {tooBigPacket(alice, server, other, alice, nil), 0},
		"UDP":                        {tooBigPacket(alice, server, server, alice, func(b []byte) { b[37] = 17 }), 0},
		"not that":                   {tooBigPacket(alice, server, server, alice, func(b []byte) { b[21] = 3 }), 0},
		"too little is quoted":       {tooBigPacket(alice, server, server, alice, nil)[:50], 0},
		"nothing is quoted":          {tooBigPacket(alice, server, server, alice, nil)[:28], 0},
		"with options in the quoted": {tooBigPacket(alice, server, server, alice, func(b []byte) { b[28] = 0x46 }), 0},
	} {
		if mtu, ok := tooBig(c.packet); ok != (c.mtu > 0) || mtu != c.mtu {
			t.Errorf("%s: %d, %v", what, mtu, ok)
		}
	}
}

// What is refused is quoted, up to a bound, in an answer that goes back where it came from. Packets to many are not answered.
func TestUnreachable(t *testing.T) {
	long := append(ip4(17, "8.8.8.8", 1, 2, 3, 4), make([]byte, 1300)...)
	for _, packet := range [][]byte{ip4(17, "8.8.8.8"), long} {
		r := unreachable(packet)
		if len(r) > 576 || r[9] != 1 || r[20] != 3 || r[21] != 3 || string(r[12:16]) != string(packet[16:20]) || string(r[16:20]) != string(packet[12:16]) ||
			string(r[28:]) != string(packet[:len(r)-28]) || checksum.Checksum(r[:20], 0) != 0xffff || checksum.Checksum(r[20:], 0) != 0xffff {
			t.Errorf("the answer to %x is %x", packet, r)
		}
	}
	r := unreachable(ip6(17, "2001:db8::1"))
	if len(r) != 40+8+60 || r[6] != 58 || r[40] != 1 || r[41] != 4 || string(r[8:24]) != string(ip6(17, "2001:db8::1")[24:40]) {
		t.Errorf("over IPv6: %x", r)
	}
	for _, many := range [][]byte{ip4(17, "224.0.0.251"), ip4(17, "255.255.255.255"), ip4(17, "127.0.0.1"), ip4(17, "10.89.0.2"), ip6(17, "ff02::fb")} {
		if r := unreachable(many); r != nil {
			t.Errorf("%x is answered with %x", many, r)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(tooBigPacket("10.89.0.2", "192.0.2.1", "192.0.2.1", "10.89.0.2", nil))
	f.Add(ip4(1, "10.89.255.1", 8))
	f.Add(ip4(17, "8.8.8.8"))
	f.Add(ip6(17, "2001:db8::1"))
	gateway := netip.MustParseAddr("10.89.0.1")
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) < 20 || p[0]>>4 != 4 && p[0]>>4 != 6 || p[0]>>4 == 6 && len(p) < 40 {
			return
		}
		switch _, verdict := classify(p, gateway); verdict {
		case DropICMP:
			_, _ = tooBig(p)
			if r := echoReply(p); len(r) != len(p) {
				t.Errorf("%x is answered with %x", p, r)
			}
		case DropUDP:
			if r := unreachable(p); len(r) > 1280 {
				t.Errorf("%x is answered with %x", p, r)
			}
		}
	})
}
