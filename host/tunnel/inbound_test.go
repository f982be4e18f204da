package tunnel_test

import (
	"io"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/tunnel"
)

// slow is a handler whose answers to pings take as long as a test wants.
type slow struct {
	handler
	asked chan struct{} // closed when one is asked for
	once  *sync.Once
	goOn  chan struct{} // closed when they may go on
}

func (h slow) Echo(string, netip.Addr) bool {
	h.once.Do(func() { close(h.asked) })
	<-h.goOn
	return false
}

// A peer sends faster than its packets are worked on, as one can that sends again what it has seen of another's. WireGuard would read tens of thousands of packets, 64 KiB for each.
// Peers are served when that is over.
func TestFloodOfPacketsIsBounded(t *testing.T) {
	h := slow{handler: handler{serve: echo}, asked: make(chan struct{}), once: new(sync.Once), goOn: make(chan struct{})}
	var over sync.Once
	goOn := func() { over.Do(func() { close(h.goOn) }) }
	w := newWorld(t, h, tunnel.Limits{})
	t.Cleanup(goOn) // before the tunnel is closed
	alice, bob := w.newAlice(t), w.newBob(t)
	before := heapInUse()
	ping := ping(alice.Address(), netip.MustParseAddr("192.0.2.1"))
	alice.Inject(append([]byte(nil), ping...))
	select {
	case <-h.asked:
	case <-time.After(patience):
		t.Fatal("the ping did not arrive")
	}
	const most = 192 << 20
	for i := range 20_000 {
		alice.Inject(append([]byte(nil), ping...))
		if i%1000 > 0 {
			continue
		}
		if n := heapInUse() - before; n > most {
			t.Fatalf("%d MiB after %d packets", n>>20, i)
		}
	}
	goOn()
	for _, a := range []io.ReadWriter{dial(t, alice, "192.0.2.1:80"), dial(t, bob, "192.0.2.1:80")} {
		if _, err := io.WriteString(a, "hello"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(a, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
	}
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}
