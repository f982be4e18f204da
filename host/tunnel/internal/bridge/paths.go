package bridge

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// pathLeast is the least MTU that is believed, in bytes: what every IPv4 host takes (RFC 791). Smaller packets would cost the
	// gateway more than the peer.
	pathLeast = 576
	// pathLife is how long it is believed (RFC 1191 section 6.3).
	pathLife = 10 * time.Minute
)

// paths are the destinations behind something smaller than the MTU. The stack's segments are cut anyway, so they are cut smaller, and
// the stack need not know.
type paths struct {
	some  atomic.Bool
	mu    sync.Mutex
	known map[netip.Addr]path
}

type path struct {
	mtu   int
	until time.Time
}

// set believes that packets of more than mtu bytes do not reach a destination. Only a smaller one replaces what is known.
func (p *paths) set(to netip.Addr, mtu int) {
	mtu = max(mtu, pathLeast)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[netip.Addr]path{}
	}
	if old, ok := p.known[to]; !ok || mtu <= old.mtu {
		p.known[to] = path{mtu, time.Now().Add(pathLife)}
		p.some.Store(true)
	}
}

// mtu returns what is believed about a destination, 0 for nothing.
func (p *paths) mtu(header []byte) int {
	if !p.some.Load() {
		return 0
	}
	to := destination(header)
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.known[to]
	if ok && time.Now().After(found.until) {
		p.drop(to)
		return 0
	}
	return found.mtu
}

func (p *paths) forget(to netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(to)
}

func (p *paths) drop(to netip.Addr) {
	delete(p.known, to)
	p.some.Store(len(p.known) > 0)
}
