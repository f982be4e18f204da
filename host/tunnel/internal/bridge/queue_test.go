package bridge

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// to is a destination.
func to(n int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}) }

// pushAll pushes n items of a size without waiting, and returns how many found room.
func pushAll(q *queue, dest netip.Addr, n, size int) (taken int) {
	for range n {
		if q.push(dest, item{raw: []byte{byte(size), byte(size >> 8), byte(size >> 16)}, size: size}, queueMost) {
			taken++
		}
	}
	return taken
}

// The turns are by bytes: whoever sends large packets, many packets, or was first gets no more than the others.
func TestTurnsAreFair(t *testing.T) {
	q := newQueue()
	sizes := []int{segmentMost, 1400, 60, 9000}
	for i, size := range sizes {
		pushAll(q, to(i), queueMost/size, size)
	}
	var sent [4]int
	rounds := 0
	for q.flows[to(0)] != nil && q.flows[to(1)] != nil && q.flows[to(2)] != nil && q.flows[to(3)] != nil {
		it, ok := q.pop()
		if !ok {
			t.Fatal("nothing waits")
		}
		for i, size := range sizes {
			if it.size == size {
				sent[i] += size
			}
		}
		rounds++
		for i := range sent {
			for j := range sent {
				if sent[i]-sent[j] > 3*quantum {
					t.Fatalf("after %d packets the destinations have had %v bytes", rounds, sent)
				}
			}
		}
	}
	if rounds < 100 {
		t.Errorf("only %d packets came", rounds)
	}
}

// One that has sent all the time waits for one turn of a newcomer, and the newcomer for one of his: a queue that is full is no
// advantage, and one that was empty no reserve of turns.
func TestNewcomerIsNextInTurn(t *testing.T) {
	q := newQueue()
	pushAll(q, to(1), 1000, 1400)
	for range 100 {
		q.pop()
	}
	pushAll(q, to(2), 1, 60)
	before := 0
	for {
		it, ok := q.pop()
		if !ok {
			t.Fatal("the newcomer's packet did not come")
		}
		if it.size == 60 {
			break
		}
		before += it.size
	}
	if before > quantum+1400 {
		t.Errorf("the newcomer waited for %d bytes of the other, a turn has %d", before, quantum)
	}
}

// A full queue is full for its destination only.
func TestQueuesAreBoundedEach(t *testing.T) {
	q := newQueue()
	if n := pushAll(q, to(1), 1000, 1000); n != queueMost/1000+1 {
		t.Errorf("%d packets of 1,000 bytes found room in %d", n, queueMost)
	}
	if n := pushAll(q, to(2), 10, 1000); n != 10 {
		t.Errorf("%d of another's 10 packets found room", n)
	}
	q.pop()
	q.pop()
	if n := pushAll(q, to(1), 10, 1000); n != 2 {
		t.Errorf("after two had left, %d found room", n)
	}
	q.discard(to(1))
	if q.packets != 10 || len(q.flows) != 1 {
		t.Errorf("after Discard %d packets wait, for %d destinations", q.packets, len(q.flows))
	}
	for range 10 {
		q.pop()
	}
	if _, ok := q.pop(); ok || q.packets != 0 || len(q.flows) != 0 || q.first != nil || q.last != nil {
		t.Errorf("the queue keeps %+v", q)
	}
}

// Who waits for room is woken when half of the queue is empty, one after the other, and all when it is empty, thrown away or closed.
func TestRoom(t *testing.T) {
	q := newQueue()
	if q.room(to(1)) != nil {
		t.Error("an empty queue has no room")
	}
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	full := func() <-chan struct{} {
		pushAll(q, to(1), queueMost, 1000)
		c := q.room(to(1))
		if c == nil || closed(c) {
			t.Fatal("a full queue has room")
		}
		return c
	}
	c := full()
	n := 0
	for ; !closed(c); n++ {
		q.pop()
	}
	if half := queueMost / 2 / 1000; n < half || n > half+2 {
		t.Errorf("room after %d of %d packets", n, queueMost/1000)
	}
	for more := true; more; {
		_, more = q.pop()
	}
	var line []<-chan struct{}
	for range 3 {
		line = append(line, full())
	}
	for !closed(line[0]) {
		q.pop()
	}
	for i := range line {
		if !closed(line[i]) || i+1 < len(line) && closed(line[i+1]) {
			t.Errorf("who came as number %d is not woken alone", i)
		}
		q.pop()
	}
	line = append(line[:0], full(), full())
	for more := true; more; {
		_, more = q.pop()
	}
	if !closed(line[0]) || !closed(line[1]) {
		t.Error("there are some who wait for room in an empty queue")
	}
	c = full()
	if q.discard(to(1)); !closed(c) {
		t.Error("Discard makes no room")
	}
	c = full()
	if q.close(); !closed(c) {
		t.Error("Close wakes nobody")
	}
	if q.room(to(1)) != nil || q.push(to(1), item{}, queueMost) {
		t.Error("the closed queue is in use")
	}
}

// Many writers and one reader: everything arrives once, in each writer's order; then Close wakes the reader.
func TestQueueUnderLoad(t *testing.T) {
	q := newQueue()
	const writers, packets = 8, 2000
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := 0; i < packets; {
				if q.push(to(w%4), item{raw: fmt.Appendf(nil, "%d %d", w, i), size: 20 + i%4000}, queueMost) {
					i++
				} else if room := q.room(to(w % 4)); room != nil {
					<-room
				}
			}
		})
	}
	next := make([]int, writers)
	for n := 0; n < writers*packets; {
		if !q.wait() {
			t.Fatal("closed")
		}
		for it, ok := q.pop(); ok; it, ok = q.pop() {
			var w, i int
			fmt.Sscanf(string(it.raw), "%d %d", &w, &i)
			if next[w] != i {
				t.Fatalf("writer %d: packet %d came, not %d", w, i, next[w])
			}
			next[w]++
			n++
		}
	}
	all.Wait()
	all.Go(func() {
		for q.wait() {
		}
	})
	q.close()
	all.Wait()
}

// WireGuard gets no more than a bound, and more when it has sent; packets that it lost do not stop the queue.
func TestInFlightIsBounded(t *testing.T) {
	q := newQueue()
	pushAll(q, to(1), 100, 100)
	q.took(inFlightMost + 10)
	gone := make(chan bool)
	go func() { gone <- q.wait() }()
	for waits := false; !waits; time.Sleep(time.Millisecond) { // until it does; the timer for lost packets may come first
		q.mu.Lock()
		waits = q.readerIn || q.inFlight == 0
		q.mu.Unlock()
	}
	q.sent(11)
	if !<-gone {
		t.Fatal("closed")
	}
	q.took(inFlightMost + 10)
	if !q.wait() { // nothing is ever sent
		t.Fatal("closed")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.inFlight != 0 {
		t.Errorf("%d packets are still awaited", q.inFlight)
	}
}
