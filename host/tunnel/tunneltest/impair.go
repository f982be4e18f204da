package tunneltest

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"golang.zx2c4.com/wireguard/conn"
)

// Network is what the way between an agent and the gateway does to packets, in each direction.
type Network struct {
	Delay time.Duration // of each packet
	Loss  float64       // share of the packets that are lost, 0 to 1
	Seed  uint64        // of what is lost
}

// impaired is a bind behind such a network.
type impaired struct {
	conn.Bind
	network Network

	mu     sync.Mutex
	random *rand.Rand
	out    *line
	lines  sync.WaitGroup
}

func (n Network) impair(inner conn.Bind) conn.Bind {
	return &impaired{Bind: inner, network: n, random: rand.New(rand.NewPCG(n.Seed, 1))}
}

// packet is on its way.
type packet struct {
	due  time.Time
	data []byte
	to   conn.Endpoint
}

// line has packets arrive in order, late.
type line struct {
	packets chan packet
	closed  chan struct{}
}

const lineLength = 4096 // more are lost, as in a router

func newLine() *line {
	return &line{packets: make(chan packet, lineLength), closed: make(chan struct{})}
}

func (l *line) put(p packet) {
	select {
	case l.packets <- p:
	default:
	}
}

// get returns the next packet when it is due, and false when the line is closed.
func (l *line) get() (packet, bool) {
	select {
	case p := <-l.packets:
		if wait := time.Until(p.due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-l.closed:
				return packet{}, false
			}
		}
		return p, true
	case <-l.closed:
		return packet{}, false
	}
}

func (b *impaired) lost() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.random.Float64() < b.network.Loss
}

func (b *impaired) take(data []byte, to conn.Endpoint) packet {
	return packet{time.Now().Add(b.network.Delay), append([]byte(nil), data...), to}
}

func (b *impaired) Open(port uint16) ([]conn.ReceiveFunc, uint16, error) {
	receivers, port, err := b.Bind.Open(port)
	if err != nil {
		return nil, 0, err
	}
	out := newLine()
	b.mu.Lock()
	b.out = out
	b.mu.Unlock()
	b.lines.Go(func() {
		for p, ok := out.get(); ok; p, ok = out.get() {
			_ = b.Bind.Send([][]byte{p.data}, p.to) // what cannot be sent is lost
		}
	})
	for i, receive := range receivers {
		in := newLine()
		b.lines.Go(func() { b.read(receive, in) })
		receivers[i] = func(packets [][]byte, sizes []int, eps []conn.Endpoint) (int, error) {
			p, ok := in.get()
			if !ok {
				return 0, net.ErrClosed
			}
			sizes[0], eps[0] = copy(packets[0], p.data), p.to
			return 1, nil
		}
	}
	return receivers, port, nil
}

// read moves what comes to a line, until the socket is closed.
func (b *impaired) read(receive conn.ReceiveFunc, in *line) {
	defer close(in.closed)
	n := b.Bind.BatchSize()
	packets, sizes, eps := make([][]byte, n), make([]int, n), make([]conn.Endpoint, n)
	for i := range packets {
		packets[i] = make([]byte, 10_000)
	}
	for {
		n, err := receive(packets, sizes, eps)
		if err != nil {
			return
		}
		for i := range n {
			if !b.lost() {
				in.put(b.take(packets[i][:sizes[i]], eps[i]))
			}
		}
	}
}

func (b *impaired) Send(packets [][]byte, to conn.Endpoint) error {
	b.mu.Lock()
	out := b.out
	b.mu.Unlock()
	if out == nil {
		return net.ErrClosed
	}
	for _, p := range packets {
		if !b.lost() {
			out.put(b.take(p, to))
		}
	}
	return nil
}

func (b *impaired) Close() error {
	err := b.Bind.Close()
	b.mu.Lock()
	if b.out != nil {
		close(b.out.closed)
		b.out = nil
	}
	b.mu.Unlock()
	b.lines.Wait()
	return err
}
