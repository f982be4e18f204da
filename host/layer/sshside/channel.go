package sshside

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// Limits of one channel.
const (
	maxPending = 256 // requests without an answer, in either direction
	// drainTime is how long CLOSE waits for data before it that the upstream does not take.
	drainTime = 10 * time.Second
	smallRead = 4 << 10
	largeRead = sshwire.MaxData + 512 // a packet of SSH, behind the most that is kept
)

// channel is the end of a stream on one side.
type channel struct {
	side *Side
	id   uint32

	barrier chan chan struct{} // takes what is closed once the requests that have come are shown
	shown   chan struct{}      // closed when no more will come

	mu      sync.Mutex
	changed sync.Cond
	offered ssh.NewChannel // opened by the other end, and not answered yet
	ch      ssh.Channel
	asked   []*ssh.Request // by the other end, and not answered yet, oldest first
	out     []piece        // to be written
	writing bool
	told    [][]byte // requests to be made, oldest first
	telling bool
	toldAll int  // how many there were so far
	made    int  // and how many of them are made, and answered
	closing bool // nothing is written behind what is there
	closed  bool

	terminal  *Terminal          // of the agent's end; nil: it has none
	recording Recording          // of the agent's end
	tap       func([]byte) error // is shown what was written to the other end; nil: nobody wants it
}

// piece is something that is written to a channel in its order.
type piece struct {
	kind byte // number of the message: data, extended data, EOF, close
	code uint32
	data []byte
	told int // how many requests come before it
}

func newChannel(s *Side, id uint32) *channel {
	c := &channel{side: s, id: id, barrier: make(chan chan struct{}), shown: make(chan struct{})}
	c.changed.L = &c.mu
	return c
}

// run serves an open channel until the other end has closed it.
func (c *channel) run(ch ssh.Channel, requests <-chan *ssh.Request) {
	c.mu.Lock()
	c.ch = ch
	c.changed.Broadcast()
	c.mu.Unlock()
	var readers sync.WaitGroup
	readers.Go(func() { c.read(ch, false) })
	readers.Go(func() { c.read(ch.Stderr(), true) })
	var ended sync.WaitGroup // of this function alone: a side that is over starts nothing more
	ended.Go(func() {
		readers.Wait()
		c.behindRequests() // a client that has nothing to say ends right behind its request
		c.side.put(sshwire.AppendEmpty(nil, c.id, sshwire.EOF))
	})
	c.showRequests(requests)
	close(c.shown)
	for r := range requests { // after too many
		_ = r.Reply(false, nil)
	}
	ended.Wait()
	c.untilMade() // an answer that came before the end is shown before it
	c.side.put(sshwire.AppendEmpty(nil, c.id, sshwire.Close))
	c.answered()
}

// showRequests shows what the other end requests, until it has closed the channel.
func (c *channel) showRequests(requests <-chan *ssh.Request) {
	for {
		select {
		case r, ok := <-requests:
			if !ok || !c.request(r) {
				return
			}
		case done := <-c.barrier:
			for waiting := true; waiting; {
				select {
				case r, ok := <-requests:
					if !ok || !c.request(r) {
						close(done)
						return
					}
				default:
					waiting = false
				}
			}
			close(done)
		}
	}
}

// behindRequests returns when every request is shown that came before what was read just now.
func (c *channel) behindRequests() {
	done := make(chan struct{})
	select {
	case c.barrier <- done:
		<-done
	case <-c.shown:
	}
}

// answered waits until the channel was closed from this side too.
func (c *channel) answered() {
	c.mu.Lock()
	for !c.closed && !c.side.isOver() {
		c.changed.Wait()
	}
	c.mu.Unlock()
}

// wake has everybody look again who waits for the channel.
func (c *channel) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed.Broadcast()
}

// read moves data of a channel: as records, or directly to the other end.
func (c *channel) read(from io.Reader, extended bool) {
	buf := make([]byte, smallRead)
	kept := 0 // bytes at its beginning, of which it could not be said yet how they go on
	for {
		n, err := from.Read(buf[kept:min(kept+sshwire.MaxData, len(buf))])
		full := kept+n == len(buf)
		if n > 0 || err != nil && kept > 0 {
			rest, ok := c.forward(buf[:kept+n], extended, err != nil)
			if !ok {
				_, _ = io.Copy(io.Discard, from) // nobody wants it any more
				return
			}
			kept = copy(buf, rest)
		}
		if err != nil {
			return
		}
		if full && len(buf) == smallRead {
			buf = append(make([]byte, 0, largeRead), buf[:kept]...)[:largeRead]
		}
	}
}

// forward has data go on, and returns what must wait for more. It reports false when nobody wants it.
func (c *channel) forward(p []byte, extended, last bool) (rest []byte, ok bool) {
	for len(p) > 0 {
		how, n, to := c.side.link.take(c.side.me, c.id, p, extended, last)
		switch how {
		case more:
			return p, true
		case directly:
			c.direct(to, p[:n], extended)
		case asRecords:
			c.behindRequests()
			if !c.side.put(c.record(p[:n], extended)) {
				return nil, false
			}
		default:
			return nil, false
		}
		p = p[n:]
	}
	return nil, true
}

// direct writes data to the other end.
func (c *channel) direct(to *channel, p []byte, extended bool) {
	if to == nil || len(p) == 0 {
		return
	}
	if ch := to.opened(); ch != nil {
		to.untilMade()
		n, _ := writeData(ch, p, extended)
		to.show(p[:n])
		c.side.link.passed(to.side.me, c.id, n)
	}
}

func writeData(ch ssh.Channel, p []byte, extended bool) (int, error) {
	if extended {
		return ch.Stderr().Write(p)
	}
	return ch.Write(p)
}

// record is a record of data.
func (c *channel) record(p []byte, extended bool) []byte {
	b := c.side.link.buffers.get(sshwire.ExtendedAt + len(p))
	if extended {
		b = binary.BigEndian.AppendUint32(sshwire.Begin(b, c.id, sshwire.ExtendedData), sshwire.StandardError)
	} else {
		b = sshwire.Begin(b, c.id, sshwire.Data)
	}
	return sshwire.End(sshwire.AppendString(b, p), 0)
}

// request shows a request of the other end.
func (c *channel) request(r *ssh.Request) bool {
	if len(r.Payload)+len(r.Type) > sshwire.MaxMessage-16 {
		_ = r.Reply(false, nil)
		return true
	}
	c.noteTerminal(r)
	if r.WantReply {
		c.mu.Lock()
		full := len(c.asked) >= maxPending
		if !full {
			c.asked = append(c.asked, r)
		}
		c.mu.Unlock()
		if full {
			c.side.fail(errors.New("too many requests without an answer on a channel"))
			return false
		}
	}
	return c.side.put(appendRequest(nil, c.id, sshwire.ChannelRequest, r))
}

func appendRequest(b []byte, stream uint32, number byte, r *ssh.Request) []byte {
	start := len(b)
	b = sshwire.AppendString(sshwire.Begin(b, stream, number), r.Type)
	want := byte(0)
	if r.WantReply {
		want = 1
	}
	return sshwire.End(append(append(b, want), r.Payload...), start)
}

// answer answers the oldest request.
func (c *channel) answer(ok bool) error {
	c.mu.Lock()
	if len(c.asked) == 0 {
		c.mu.Unlock()
		return errors.New("an answer to a request that was not made")
	}
	r := c.asked[0]
	c.asked = c.asked[1:]
	if r.Type == ptyRequest && !ok {
		c.terminal = nil
	}
	c.mu.Unlock()
	_ = r.Reply(ok, nil) // a channel that is gone needs none
	return nil
}

// opened is the channel once it is open, nil before.
func (c *channel) opened() ssh.Channel {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ch
}

// write has a piece written, in its order.
func (c *channel) write(p piece) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		c.dropped(p)
		return
	}
	if p.kind == sshwire.Close {
		c.closing = true
		if c.side.me == upstream { // an agent may be slow and gets everything
			time.AfterFunc(drainTime, c.close)
		}
	}
	c.side.link.arrived(1-c.side.me, c.id, len(p.data))
	p.told = c.toldAll
	c.out = append(c.out, p)
	if !c.writing {
		c.writing = true
		c.side.start(c.writeAll)
	}
}

// dropped gives back what a piece took.
func (c *channel) dropped(p piece) {
	c.side.link.give(1-c.side.me, c.id, len(p.data))
}

// writeAll writes until there is nothing.
func (c *channel) writeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.out) > 0 {
		p, ch := c.out[0], c.ch
		c.out[0] = piece{}
		c.out = c.out[1:]
		c.waitMade(p.told)
		if ch == nil || c.closed {
			c.dropped(p)
			continue
		}
		c.mu.Unlock()
		switch p.kind {
		case sshwire.Data, sshwire.ExtendedData:
			n, _ := writeData(ch, p.data, p.kind == sshwire.ExtendedData)
			c.show(p.data[:n])
		case sshwire.EOF:
			_ = ch.CloseWrite()
		case sshwire.Close:
			c.close()
		}
		c.dropped(p)
		c.side.link.buffers.put(p.data)
		c.mu.Lock()
	}
	c.out, c.writing = nil, false
	c.changed.Broadcast()
}

// close closes the channel, once. What is not written then is not.
func (c *channel) close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed, c.closing = true, true
	ch := c.ch
	c.changed.Broadcast()
	c.mu.Unlock()
	if ch != nil {
		_ = ch.Close()
	}
}

// waitMade waits until so many requests were made. mu is held.
func (c *channel) waitMade(n int) {
	for c.made < n && !c.closed && !c.side.isOver() {
		c.changed.Wait()
	}
}

// untilMade waits until all requests that were told so far were made: what was sent behind them must not overtake them.
func (c *channel) untilMade() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waitMade(c.toldAll)
}

// drained waits until everything is written.
func (c *channel) drained() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writing && !c.closed && !c.side.isOver() {
		c.changed.Wait()
	}
}

// tell makes a request of the other end, in order, and shows its answer.
func (c *channel) tell(message []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch n := len(c.told); {
	case n > 0 && resizes(c.told[n-1]) && resizes(message): // the newest size is the one that counts
		c.told[n-1] = message
		return nil
	case n >= maxPending:
		return errors.New("too many requests wait on a channel")
	}
	c.told = append(c.told, message)
	c.toldAll++
	if !c.telling {
		c.telling = true
		c.side.start(c.tellAll)
	}
	return nil
}

// resizes reports whether a request tells the size of a terminal, and wants no answer.
func resizes(message []byte) bool {
	f := sshwire.Fields{P: message}
	return f.String() == resizeRequest && !f.Bool() && !f.Bad
}

func (c *channel) tellAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.told) > 0 {
		f := sshwire.Fields{P: c.told[0]}
		c.told = c.told[1:]
		ch := c.ch
		c.mu.Unlock()
		name, want := f.String(), f.Bool()
		ok := false
		if ch != nil {
			ok, _ = ch.SendRequest(name, want, f.P)
		}
		if want {
			number := byte(sshwire.ChannelFailure)
			if ok {
				number = sshwire.ChannelSuccess
			}
			c.side.put(sshwire.AppendEmpty(nil, c.id, number))
		}
		c.mu.Lock()
		c.made++
		c.changed.Broadcast()
	}
	c.told, c.telling = nil, false
	c.changed.Broadcast()
}
