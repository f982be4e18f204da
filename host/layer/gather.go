package layer

import (
	"net"
	"sync"
	"time"
)

// Limits of what is gathered.
const (
	maxGathered = 128 << 10 // bytes that may wait to be written; whoever has more to say waits
	// gatherTime is how long Close waits for what the other end does not take.
	gatherTime = 10 * time.Second
)

// Gathered is a transport whose larger writes return before they are carried out, so that whoever encrypts does not wait for them; what comes while a write is carried out goes into the next
// one, in one piece. Programs that encrypt write in pieces: x/crypto/ssh each packet in two, of 4096 bytes and the rest, crypto/tls one record of 16 KiB at a time.
//
// Bytes keep their order. A write that fails is told to whoever writes next. Closing, and ending the outgoing direction, come behind what was gathered.
type Gathered struct {
	Transport
	small    int
	start    func(func()) bool
	patience time.Duration // of Close

	mu      sync.Mutex
	changed sync.Cond
	waiting []byte
	writing bool
	err     error
	buffers sync.Pool
}

// Gather gathers writes to k. Those of less than small bytes are carried out at once where nothing waits. start runs what carries the others out, which ends when nothing waits or k fails; it
// returns false when nothing runs any more.
func Gather(k Transport, small int, start func(func()) bool) *Gathered {
	g := &Gathered{Transport: k, small: small, start: start, patience: gatherTime}
	g.changed.L = &g.mu
	return g
}

// Write takes all of p, or reports why a write before it has failed.
func (g *Gathered) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) >= maxGathered && g.err == nil {
		g.changed.Wait()
	}
	if g.err != nil {
		return 0, g.err
	}
	if len(p) < g.small && !g.writing {
		g.writing = true
		g.carryOut(p)
		g.goOn()
		return len(p), g.err
	}
	if g.waiting == nil {
		if b, ok := g.buffers.Get().(*[]byte); ok {
			g.waiting = (*b)[:0]
		}
	}
	g.waiting = append(g.waiting, p...)
	if !g.writing {
		g.writing = true
		g.goOn()
	}
	return len(p), g.err
}

// goOn has somebody write what waits, behind a write. mu is held.
func (g *Gathered) goOn() {
	if len(g.waiting) > 0 && g.err == nil {
		if g.start(g.writeAll) {
			return
		}
		g.err = net.ErrClosed
	}
	g.writing = false
	g.changed.Broadcast()
}

// writeAll writes until nothing waits.
func (g *Gathered) writeAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.waiting) > 0 && g.err == nil {
		b := g.waiting
		g.waiting = nil
		g.carryOut(b)
		g.buffers.Put(&b)
	}
	g.writing = false
	g.changed.Broadcast()
}

// carryOut writes p. mu is held, but not while it does.
func (g *Gathered) carryOut(p []byte) {
	g.mu.Unlock()
	_, err := g.Transport.Write(p)
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	g.changed.Broadcast()
}

// Flush waits until everything is written, or cannot be: because the transport has failed, was aborted, or its deadline has passed.
func (g *Gathered) Flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.writing && g.err == nil {
		g.changed.Wait()
	}
}

// CloseWrite ends the outgoing direction behind what was gathered, for which it waits as Flush does.
func (g *Gathered) CloseWrite() error {
	g.Flush()
	return g.Transport.CloseWrite()
}

// Close closes the transport behind what was gathered, for which it waits a while; who wants all of it to arrive at a peer that is slow calls Flush before. Nothing is started any more then.
func (g *Gathered) Close() error {
	timer := time.AfterFunc(g.patience, func() { g.fail(net.ErrClosed) })
	g.Flush()
	timer.Stop()
	g.fail(net.ErrClosed)
	return g.Transport.Close()
}

// fail has who writes from now on be told so, unless that is the case already.
func (g *Gathered) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
	}
	g.changed.Broadcast()
}
