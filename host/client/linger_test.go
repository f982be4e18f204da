//go:build linux

package client

import (
	"io"
	"net/netip"
	"strconv"
	"testing"
	"time"
)

// TestLastWords: what a command sent before it ended arrives, with the end of its stream, however much it is.
func TestLastWords(t *testing.T) {
	g := startGateway(t)
	listener, err := g.network.ListenTCPAddrPort(netip.AddrPortFrom(gateway4, 9))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	type heard struct {
		n   int64
		err error
	}
	for _, n := range []int{0, 1, 1000, 300_000} {
		for range 3 {
			got := make(chan heard, 1)
			go func() {
				c, err := listener.Accept()
				if err != nil {
					got <- heard{0, err}
					return
				}
				defer c.Close()
				_ = c.SetReadDeadline(time.Now().Add(patience))
				n, err := io.Copy(io.Discard, c)
				got <- heard{n, err}
			}()
			r := g.run(t, Options{Linger: patience}, "/proc/self/exe", "probe", "leave", "10.89.0.1:9", strconv.Itoa(n))
			expect(t, r, 0, "")
			if h := <-got; h.n != int64(n) || h.err != nil {
				t.Fatalf("of %d bytes and the end %d arrived, %v", n, h.n, h.err)
			}
		}
	}
}
