package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/gate"
)

// usages counts what peers do at endpoints, for rules that ask. Its size is bounded by peers times endpoints.
type usages struct {
	mu  sync.Mutex
	all map[usageScope]*usage
}

type usageScope struct{ peer, endpoint string }

// usage counts in slots of a second for the last minute.
type usage struct {
	mu          sync.Mutex
	connections int64
	last        int64 // the second of the newest slot
	actions     [60]int64
	bytes       [60]int64
	sumActions  int64
	sumBytes    int64
}

// of is the count of a peer at an endpoint.
func (u *usages) of(peer, endpoint string) *usage {
	u.mu.Lock()
	defer u.mu.Unlock()
	k := usageScope{peer, endpoint}
	if u.all == nil {
		u.all = map[usageScope]*usage{}
	}
	c := u.all[k]
	if c == nil {
		c = &usage{}
		u.all[k] = c
	}
	return c
}

// connect counts a connection until disconnect.
func (u *usage) connect() {
	u.mu.Lock()
	u.connections++
	u.mu.Unlock()
}

func (u *usage) disconnect() {
	u.mu.Lock()
	u.connections--
	u.mu.Unlock()
}

// act counts an action, and returns what was before it.
func (u *usage) act(now time.Time) decide.Usage {
	u.mu.Lock()
	defer u.mu.Unlock()
	k := u.slot(now)
	before := decide.Usage{ActionsPerMinute: u.sumActions, Connections: u.connections, BytesOutPerMinute: u.sumBytes}
	u.actions[k]++
	u.sumActions++
	return before
}

// sent counts bytes that went to the agent.
func (u *usage) sent(now time.Time, n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.bytes[u.slot(now)] += n
	u.sumBytes += n
}

// countedConn counts what goes to the agent.
type countedConn struct {
	gate.Conn
	usage *usage
}

func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.usage.sent(time.Now(), int64(n))
	return n, err
}

// Probe asks the agent for a sign of life.
func (c countedConn) Probe(ctx context.Context) error {
	if p, ok := c.Conn.(gate.Prober); ok {
		return p.Probe(ctx)
	}
	return nil
}

// slot is the slot of now, those that are over forgotten. A clock that is set back counts into the newest. mu is held.
func (u *usage) slot(now time.Time) int {
	second := max(now.Unix(), u.last)
	for s := max(u.last+1, second-59); s <= second; s++ {
		k := s % 60
		u.sumActions -= u.actions[k]
		u.sumBytes -= u.bytes[k]
		u.actions[k], u.bytes[k] = 0, 0
	}
	u.last = second
	return int(second % 60)
}
