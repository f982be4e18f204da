package gateway

import (
	"sync"
	"time"
)

// An agent that scans addresses gets a reset for each, but not a line of the record for each: refusalBurst at once, then
// refusalRate in a second. What is left out is counted in the next line.
const (
	refusalBurst = 100
	refusalRate  = 5
)

// refusals bounds what each peer can make the gateway write. There are as many entries as peers.
type refusals struct {
	now func() time.Time

	mu    sync.Mutex
	peers map[string]*allowance
}

type allowance struct {
	left    float64
	at      time.Time
	skipped uint64
}

func newRefusals() *refusals { return &refusals{now: time.Now, peers: map[string]*allowance{}} }

// record reports whether a refusal of peer is to be recorded now, and how many were not since the last that was.
func (r *refusals) record(peer string) (ok bool, skipped uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	a := r.peers[peer]
	if a == nil {
		a = &allowance{left: refusalBurst, at: now}
		r.peers[peer] = a
	}
	a.left = min(refusalBurst, a.left+now.Sub(a.at).Seconds()*refusalRate)
	a.at = now
	if a.left < 1 {
		a.skipped++
		return false, 0
	}
	a.left--
	skipped, a.skipped = a.skipped, 0
	return true, skipped
}
