package tunnel_test

import (
	"fmt"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
)

// Ten thousand connections (five hundred under the race detector, which takes ten times as long) are open at once, each works from its
// beginning to its end, and nothing of them stays.
func TestTenThousandConnections(t *testing.T) {
	const workers = 32
	connections := 10_000
	if raceDetector {
		connections = 500
	}
	w := newWorld(t, handler{serve: echo}, tunnel.Limits{Connections: connections, TotalConnections: connections, HalfOpen: 2 * workers})
	agents := []*tunneltest.Agent{w.newAlice(t), w.newBob(t)}
	open := make([]*tunneltest.Conn, connections)
	// each has every connection's turn come once.
	each := func(do func(i int) error) {
		var next atomic.Int64
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for i := int(next.Add(1) - 1); i < connections && !t.Failed(); i = int(next.Add(1) - 1) {
					if err := do(i); err != nil {
						t.Errorf("connection %d: %v", i, err)
					}
				}
			})
		}
		all.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
	exchange := func(i int, what string) error {
		text := fmt.Sprint(what, i)
		open[i].SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(open[i], text); err != nil {
			return err
		}
		got := make([]byte, len(text))
		if _, err := io.ReadFull(open[i], got); err != nil || string(got) != text {
			return fmt.Errorf("%q came back instead of %q: %v", got, text, err)
		}
		return nil
	}
	each(func(i int) (err error) {
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 4)}), 443)
		if open[i], err = agents[i%len(agents)].DialTCP(wait(t), to); err != nil {
			return err
		}
		return exchange(i, "first ")
	})
	if n := w.Counters().Connections; n != connections {
		t.Errorf("%d connections are open", n)
	}
	each(func(i int) error { return exchange(i, "last ") })
	each(func(i int) error { return open[i].Close() })
	until(t, "no connection is counted any more", func() bool { return w.Counters().Connections == 0 })
}
