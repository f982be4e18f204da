package tunnel

import "sync/atomic"

// Drop says why something that a peer sent went no further.
type Drop uint8

// The reasons, in the order in which PeerCounters.Dropped has them.
const (
	// DropUDP is a UDP packet that is no DNS question to the gateway; it is refused with ICMP "port unreachable".
	DropUDP Drop = iota
	// DropICMP is an ICMP packet that is no echo request to an address that answers.
	DropICMP
	// DropIPv6 is an IPv6 packet other than TCP and UDP, or one with extension headers.
	DropIPv6
	// DropProtocol is an IPv4 packet of another protocol.
	DropProtocol
	// DropFragment is a fragment of an IPv4 packet.
	DropFragment
	// DropMalformed is a packet whose headers contradict themselves, or with IP options.
	DropMalformed
	// DropDestination is a TCP packet to an address that nobody can have: multicast, broadcast, loopback, the sender itself.
	DropDestination
	// DropHalfOpen is a connection request beyond Limits.HalfOpen, ignored.
	DropHalfOpen
	// DropConnections is a connection request beyond Limits.Connections or Limits.TotalConnections, reset.
	DropConnections
	// DropDNS is a DNS question beyond Limits.DNS.
	DropDNS

	dropKinds
)

var dropNames = [dropKinds]string{
	"udp", "icmp", "ipv6", "protocol", "fragment", "malformed", "destination", "half-open", "connections", "dns",
}

// String returns the name that metrics and logs use.
func (d Drop) String() string {
	if d < dropKinds {
		return dropNames[d]
	}
	return "unknown"
}

// Drops lists all reasons.
func Drops() []Drop {
	all := make([]Drop, dropKinds)
	for i := range all {
		all[i] = Drop(i)
	}
	return all
}

// Counters are what a tunnel has counted since it was made.
type Counters struct {
	// Peers by name: those that are peers now.
	Peers map[string]PeerCounters
	// Connections of all peers that are open now, requests included.
	Connections int
	// Strangers are packets that WireGuard let through for a peer that was being removed.
	Strangers uint64
}

// PeerCounters are what was counted for one peer since it was added.
type PeerCounters struct {
	Requests    uint64          // connection requests given to Handler.ServeTCP
	Accepted    uint64          // of these, the connections that came about
	ResetIPv6   uint64          // packets of TCP over IPv6 that the gateway answers with a reset
	DNS         uint64          // DNS questions answered
	Dropped     map[Drop]uint64 // what went no further; has an entry only for what happened
	Connections int             // open now, requests included
	HalfOpen    int             // of these, requests without a decision or with an unfinished handshake
}

// tally is what a peer's packets are counted in.
type tally struct {
	requests, accepted, resetIPv6, dns atomic.Uint64
	dropped                            [dropKinds]atomic.Uint64
}

func (t *tally) drop(d Drop) { t.dropped[d].Add(1) }

func (t *tally) snapshot() PeerCounters {
	c := PeerCounters{
		Requests:  t.requests.Load(),
		Accepted:  t.accepted.Load(),
		ResetIPv6: t.resetIPv6.Load(),
		DNS:       t.dns.Load(),
		Dropped:   map[Drop]uint64{},
	}
	for d := range t.dropped {
		if n := t.dropped[d].Load(); n > 0 {
			c.Dropped[Drop(d)] = n
		}
	}
	return c
}
