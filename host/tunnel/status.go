package tunnel

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PeerStatus is what WireGuard knows of a peer.
type PeerStatus struct {
	Name    string
	Address netip.Addr // inside the tunnel
	// Endpoint is the UDP address that the peer was last heard from; the zero AddrPort if it never was.
	Endpoint netip.AddrPort
	// Handshake is when the last one was completed; the zero time if none was.
	Handshake time.Time
	// Received and Sent count the bytes of WireGuard's messages since the peer was added, those of handshakes and keepalives included.
	Received, Sent uint64
	// Connections are open now, requests included.
	Connections int
}

// Peers returns what is known of each peer, in the order of their names.
func (t *Tunnel) Peers() ([]PeerStatus, error) {
	text, err := t.device.IpcGet()
	if err != nil {
		return nil, fmt.Errorf("ask WireGuard for its peers: %w", err)
	}
	byKey := readStatus(text)
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make([]PeerStatus, 0, len(t.names))
	for _, p := range t.names {
		s := byKey[p.PublicKey]
		s.Name, s.Address = p.Name, p.Address
		p.mu.Lock()
		s.Connections = p.connections
		p.mu.Unlock()
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b PeerStatus) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// readStatus reads what WireGuard's configuration protocol says of peers ("get=1", https://www.wireguard.com/xplatform). Lines that it
// does not know it skips, as the protocol wants.
func readStatus(text string) map[Key]PeerStatus {
	peers := map[Key]PeerStatus{}
	var key Key
	known := false
	var seconds, nanoseconds int64
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		if name == "public_key" {
			b, err := hex.DecodeString(value)
			if known = err == nil && len(b) == len(key); known {
				key = Key(b)
				peers[key] = PeerStatus{}
			}
			seconds, nanoseconds = 0, 0
			continue
		}
		if !known {
			continue
		}
		s := peers[key]
		number, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "endpoint":
			s.Endpoint, _ = netip.ParseAddrPort(value)
		case "last_handshake_time_sec":
			seconds = number
		case "last_handshake_time_nsec":
			nanoseconds = number
		case "rx_bytes":
			s.Received = uint64(max(0, number))
		case "tx_bytes":
			s.Sent = uint64(max(0, number))
		}
		if seconds > 0 || nanoseconds > 0 {
			s.Handshake = time.Unix(seconds, nanoseconds)
		}
		peers[key] = s
	}
	return peers
}
