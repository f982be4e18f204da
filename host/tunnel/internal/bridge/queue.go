package bridge

import (
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const (
	// queueMost is how many bytes wait for one destination until there is no room: who has new data for it waits then. What the stack
	// has taken before still comes, because it sends when acknowledgements arrive, on goroutines that serve all connections and must
	// not wait for one.
	queueMost = 512 << 10
	// dropMost is how many bytes wait for one destination at all. More are lost, as on any network, and sent again.
	dropMost = 16 << 20
	// quantum is how many bytes a destination may send in its turn. What it sends beyond that is taken from its next turn.
	quantum = segmentMost
	// readMost is how many packets WireGuard gets at a time, about a turn of one peer. With more, those of other peers wait longer for the
	// processors.
	readMost = 24
	// inFlightMost is how many packets WireGuard may have taken and not sent when it gets more.
	inFlightMost = 2 * readMost
	// lostAfter is how long WireGuard may send nothing while it has that many. Then they are taken for lost: it throws away packets
	// for a peer with which it has no session, and tells nobody.
	lostAfter = 10 * time.Millisecond
)

// item is what waits: a packet of the stack, of which the item has one reference, or the bytes of one.
type item struct {
	packet *stack.PacketBuffer
	raw    []byte
	size   int
}

func (it item) release() {
	if it.packet != nil {
		it.packet.DecRef()
	}
}

// flow is what waits for one destination.
type flow struct {
	to     netip.Addr
	items  []item
	taken  int // of items, from the front
	bytes  int
	credit int // bytes left of its turn
	active bool
	next   *flow           // whose turn comes after
	room   []chan struct{} // of those who wait for room, who came first is first; closed when it is their turn
}

// queue is what waits for all of them. Its owner is one reader and any number of writers.
type queue struct {
	mu         sync.Mutex
	flows      map[netip.Addr]*flow // those that have something
	first      *flow                // whose turn it is, nil if nothing waits
	last       *flow
	packets    int
	rest       bool // the reader itself has something left to go on with
	inFlight   int
	closed     bool
	readerIn   bool // the reader waits
	reader     sync.Cond
	suspicious *time.Timer // runs while the reader waits for WireGuard to send
	progress   bool        // since it was started WireGuard sent something
}

func newQueue() *queue {
	q := &queue{flows: map[netip.Addr]*flow{}}
	q.reader.L = &q.mu
	return q
}

// push adds an item, unless most bytes wait for its destination already, or the queue is closed. Then it releases the item and
// reports false.
func (q *queue) push(to netip.Addr, it item, most int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.flows[to]
	if q.closed || f != nil && f.bytes >= most {
		it.release()
		return false
	}
	if f == nil {
		f = q.flow(to)
	}
	f.items = append(f.items, it)
	f.bytes += it.size
	q.packets++
	if !f.active {
		q.activate(f)
	}
	if q.readerIn {
		q.reader.Signal()
	}
	return true
}

// room returns nil if there is room for a destination, else a channel that is closed when there is again.
func (q *queue) room(to netip.Addr) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.flows[to]
	if f == nil || f.bytes < queueMost {
		return nil
	}
	c := make(chan struct{})
	f.room = append(f.room, c)
	return c
}

// madeRoom wakes who waits first for room. The next one has its turn after the next packet: if all of a peer's connections began to write at
// once, those of others would wait for the processors behind them.
func (f *flow) madeRoom() {
	if len(f.room) > 0 {
		close(f.room[0])
		f.room[0] = nil
		f.room = f.room[1:]
	}
}

// flow returns the queue of a destination. Peers have addresses of their own and get no packets for others, so there are no more
// queues than addresses.
func (q *queue) flow(to netip.Addr) *flow {
	f := q.flows[to]
	if f == nil {
		f = &flow{to: to}
		q.flows[to] = f
	}
	return f
}

// activate puts a flow at the end of the turns.
func (q *queue) activate(f *flow) {
	f.active, f.next = true, nil
	if q.last == nil {
		q.first = f
	} else {
		q.last.next = f
	}
	q.last = f
}

// deactivate takes the first flow out of the turns.
func (q *queue) deactivate() {
	f := q.first
	f.active = false
	if q.first = f.next; q.first == nil {
		q.last = nil
	}
	f.next = nil
}

// pop takes the next item in turn.
func (q *queue) pop() (item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.first == nil {
		return item{}, false
	}
	for q.first.credit <= 0 { // deficit round robin: a new turn for each, until one may send
		f := q.first
		f.credit += quantum
		if f.credit <= 0 {
			q.deactivate()
			q.activate(f)
		}
	}
	f := q.first
	it := f.items[f.taken]
	f.items[f.taken] = item{}
	f.taken++
	f.bytes -= it.size
	f.credit -= it.size
	q.packets--
	if f.bytes < queueMost/2 {
		f.madeRoom()
	}
	switch {
	case f.taken == len(f.items):
		q.deactivate()
		q.forget(f)
	case f.credit <= 0:
		q.deactivate()
		q.activate(f)
	}
	if f.taken >= 1024 { // of a queue that is never empty
		f.items, f.taken = append(f.items[:0], f.items[f.taken:]...), 0
	}
	return it, true
}

// wait returns when the reader can go on. It reports false when the queue is closed.
func (q *queue) wait() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && (q.packets == 0 && !q.rest || q.inFlight >= inFlightMost) {
		if q.inFlight >= inFlightMost && q.suspicious == nil {
			q.progress = false
			q.suspicious = time.AfterFunc(lostAfter, q.suspect)
		}
		q.readerIn = true
		q.reader.Wait()
		q.readerIn = false
	}
	return !q.closed
}

// suspect takes for lost what WireGuard seems not to send, unless it has sent something meanwhile.
func (q *queue) suspect() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.suspicious = nil
	if !q.progress {
		q.inFlight = 0
	}
	q.reader.Signal()
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// setRest notes whether the reader has something left.
func (q *queue) setRest(rest bool) {
	q.mu.Lock()
	q.rest = rest
	q.mu.Unlock()
}

// took counts packets that WireGuard took.
func (q *queue) took(n int) {
	q.mu.Lock()
	q.inFlight += n
	q.mu.Unlock()
}

// sent counts packets that WireGuard sent, its own included.
func (q *queue) sent(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.inFlight = max(0, q.inFlight-n)
	q.progress = true
	if q.readerIn && q.inFlight < inFlightMost {
		q.reader.Signal()
	}
}

// waiting is how many packets were not sent, as far as is known. What the reader has left counts as one.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.packets + q.inFlight
	if q.rest {
		n++
	}
	return n
}

// discard throws away what waits for one destination.
func (q *queue) discard(to netip.Addr) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.flows[to]
	if f == nil || !f.active {
		return
	}
	for q.first != f { // turns move on until it is its
		g := q.first
		q.deactivate()
		q.activate(g)
	}
	q.deactivate()
	q.empty(f)
}

// empty releases what a flow has.
func (q *queue) empty(f *flow) {
	for _, it := range f.items[f.taken:] {
		it.release()
		q.packets--
	}
	q.forget(f)
}

// forget drops a flow that has nothing any more, and wakes all who wait for room in it.
func (q *queue) forget(f *flow) {
	for len(f.room) > 0 {
		f.madeRoom()
	}
	delete(q.flows, f.to)
}

// close releases everything and wakes everybody.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.first, q.last = nil, nil
	for _, f := range q.flows {
		f.active = false
		q.empty(f)
	}
	if q.suspicious != nil {
		q.suspicious.Stop()
	}
	q.reader.Broadcast()
}
