package udpbind

import (
	"bytes"
	"net/netip"
	"testing"

	"golang.zx2c4.com/wireguard/conn"
)

func sized(sizes ...int) [][]byte {
	packets := make([][]byte, len(sizes))
	for i, n := range sizes {
		packets[i] = bytes.Repeat([]byte{byte(i)}, n)
	}
	return packets
}

func TestTrains(t *testing.T) {
	long := make([]int, 100)
	for i := range long {
		long[i] = 1000
	}
	for i, c := range []struct {
		packets [][]byte
		want    int
	}{
		{sized(100), 1},
		{sized(100, 100, 100), 3},
		{sized(100, 100, 50), 3},
		{sized(100, 50, 100), 2},
		{sized(50, 100), 1},
		{sized(100, 0, 100), 1},
		{sized(0, 0), 1},
		{sized(long...), segmentsMost},
		{sized(40_000, 40_000), 1},
	} {
		if got := train(c.packets); got != c.want {
			t.Errorf("%d: a train of %d, want %d", i, got, c.want)
		}
	}
}

// Whatever goes in at one end comes out at the other as the same packets, in order, in however many calls, cut by the kernel or not.
func TestBatches(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		for _, whole := range []bool{false, true} {
			addr := netip.MustParseAddr(address)
			a, b := New(addr).(*bind), New(addr).(*bind)
			if _, _, err := a.Open(0); err != nil {
				if addr.Is6() {
					continue // this system has no IPv6
				}
				t.Fatal(err)
			}
			receive, port, err := b.Open(0)
			if err != nil {
				t.Fatal(err)
			}
			a.socket.whole.Store(whole)
			var sizes []int
			for i := range 3 * batchSize {
				sizes = append(sizes, []int{1400, 1400, 1400, 1400, 32, 148, 1400, 9000}[i%8])
			}
			sent := sized(sizes...)
			to := endpoint{netip.AddrPortFrom(addr, port)}
			for at := 0; at < len(sent); at += batchSize {
				if err := a.Send(sent[at:at+batchSize], to); err != nil {
					t.Fatal(err)
				}
				for n := 0; n < batchSize; {
					packets, lengths, eps := sized(make([]int, 5)...), make([]int, 5), make([]conn.Endpoint, 5)
					for i := range packets {
						packets[i] = make([]byte, 10_000)
					}
					k, err := receive[0](packets, lengths, eps)
					if err != nil || k == 0 {
						t.Fatalf("%d, %v", k, err)
					}
					for i := range k {
						if !bytes.Equal(packets[i][:lengths[i]], sent[at+n]) || eps[i].DstIP() != addr {
							t.Fatalf("%s: packet %d from %s has %d bytes, want %d", address, at+n, eps[i].DstToString(), lengths[i], len(sent[at+n]))
						}
						n++
					}
				}
			}
			a.Close()
			b.Close()
		}
	}
}
