package bridge

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink is the stack's side of a delivery.
type sink struct {
	stack.NetworkDispatcher
	got [][]byte
}

func (s *sink) DeliverNetworkPacket(_ tcpip.NetworkProtocolNumber, p *stack.PacketBuffer) {
	s.got = append(s.got, p.ToView().ToSlice())
}

func packet4(to byte) []byte {
	b := make([]byte, 20)
	b[0], b[19] = 0x45, to
	return b
}

// outgoing is a packet as the stack writes it.
func outgoing(b []byte) *stack.PacketBuffer {
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(b)})
	p.NetworkHeader().Consume(20)
	return p
}

func write(t *testing.T, b *Bridge, packet []byte) tcpip.Error {
	t.Helper()
	var list stack.PacketBufferList
	p := outgoing(packet)
	defer p.DecRef()
	list.PushBack(p)
	_, err := b.Link().WritePackets(list)
	return err
}

func TestIncomingPacketsAreFiltered(t *testing.T) {
	b := New(1420, func(p []byte) bool { return p[19] != 2 })
	defer b.Close()
	s := &sink{}
	if n, err := b.Write([][]byte{packet4(1)}, 0); n != 1 || err != nil {
		t.Errorf("write without a stack: %d, %v", n, err)
	}
	b.Link().Attach(s)
	v6 := append([]byte{0x60}, make([]byte, 39)...)
	if !b.Link().IsAttached() {
		t.Error("not attached")
	}
	bufs := [][]byte{nil, packet4(1), packet4(2), v6, v6[:39], {0x45}, append([]byte{0x50}, make([]byte, 30)...), packet4(3)}
	for i := range bufs {
		bufs[i] = append([]byte("offset"), bufs[i]...)
	}
	if n, err := b.Write(bufs, 6); n != len(bufs) || err != nil {
		t.Errorf("write: %d, %v", n, err)
	}
	clear(bufs[1]) // WireGuard uses its buffers again
	want := [][]byte{packet4(1), v6, packet4(3)}
	if len(s.got) != len(want) {
		t.Fatalf("delivered %x", s.got)
	}
	for i := range want {
		if !bytes.Equal(s.got[i], want[i]) {
			t.Errorf("delivered %x, want %x", s.got[i], want[i])
		}
	}
}

func read(b *Bridge) ([][]byte, error) {
	bufs, sizes := make([][]byte, batchSize), make([]int, batchSize)
	for i := range bufs {
		bufs[i] = make([]byte, 10_000)
	}
	n, err := b.Read(bufs, sizes, 16)
	for i := range n {
		bufs[i] = bufs[i][16 : 16+sizes[i]]
	}
	return bufs[:n], err
}

// Who has more for one destination than its queue holds waits, and nothing is lost or turned around.
func TestInjectWaits(t *testing.T) {
	b := New(1420, nil)
	defer b.Close()
	const packets = 3 * queueMost / 1000
	numbered := func(i int) []byte {
		p := append(packet4(1), make([]byte, 980)...)
		p[20], p[21], p[22] = byte(i>>16), byte(i>>8), byte(i)
		return p
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range packets {
			if !b.Inject(numbered(i)) {
				t.Error("closed")
				return
			}
		}
	})
	for got := 0; got < packets; {
		batch, err := read(b)
		if err != nil || len(batch) == 0 {
			t.Error(err)
			b.Close()
			break
		}
		for _, p := range batch {
			if !bytes.Equal(p, numbered(got)) {
				t.Errorf("packet %d is %x", got, p[:24])
			}
			got++
		}
		b.queue.sent(len(batch))
	}
	writer.Wait()
}

// The stack never waits: what is far too much is lost.
func TestTheStackDoesNotWait(t *testing.T) {
	b := New(1420, nil)
	defer b.Close()
	big := append(packet4(1), make([]byte, 60_000)...)
	for range 2 * dropMost / len(big) {
		if err := write(t, b, big); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.Waiting(); n < dropMost/len(big) || n > dropMost/len(big)+1 {
		t.Errorf("%d packets wait", n)
	}
	if b.Full(netip.AddrFrom4([4]byte{0, 0, 0, 1})) == nil || b.Full(netip.AddrFrom4([4]byte{0, 0, 0, 2})) != nil {
		t.Error("full is what is not")
	}
}

func TestDiscard(t *testing.T) {
	b := New(1420, nil)
	defer b.Close()
	for i := range 10 {
		if err := write(t, b, packet4(byte(i%2))); err != nil {
			t.Fatal(err)
		}
	}
	b.Discard(netip.AddrFrom4([4]byte{0, 0, 0, 1}), netip.IPv6LinkLocalAllNodes())
	batch, err := read(b)
	if err != nil || len(batch) != 5 {
		t.Fatalf("%d packets are left, %v", len(batch), err)
	}
	for _, p := range batch {
		if p[19] != 0 {
			t.Errorf("left: %x", p)
		}
	}
}

func TestInject(t *testing.T) {
	b := New(1420, nil)
	var injector sync.WaitGroup
	injector.Go(func() {
		if !b.Inject([]byte("raw")) {
			t.Error("not sent")
		}
	})
	if got, err := read(b); err != nil || len(got) != 1 || string(got[0]) != "raw" {
		t.Errorf("%q, %v", got, err)
	}
	injector.Wait()
	b.Close()
	if b.Inject([]byte("raw")) {
		t.Error("sent after Close")
	}
}

func TestCloseWakesEverybody(t *testing.T) {
	b := New(1420, nil)
	var all sync.WaitGroup
	all.Go(func() {
		for b.Inject(packet4(1)) { // until it is full, and then closed
		}
	})
	c := New(1420, nil)
	all.Go(func() {
		if _, err := read(c); !errors.Is(err, os.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}
	})
	for range 2 {
		b.Close()
		c.Close()
	}
	all.Wait()
	if _, more := <-b.Events(); more {
		t.Error("the events go on")
	}
}
