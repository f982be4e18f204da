package config

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// GatewayAddress is the gateway's own address inside the tunnel, where it answers DNS: the first after the network's own.
func GatewayAddress(network netip.Prefix) netip.Addr { return network.Masked().Addr().Next() }

// PeerRange is the part of the network that peers have addresses in, its lower half. The first two addresses, the network's own
// and the gateway's, are not for peers.
func PeerRange(network netip.Prefix) netip.Prefix {
	return netip.PrefixFrom(network.Masked().Addr(), network.Bits()+1)
}

// EndpointRange is the part of the network that endpoints have their virtual addresses in, its upper half. The first and the last
// address are not for endpoints.
func EndpointRange(network netip.Prefix) netip.Prefix {
	base := network.Masked().Addr().As4()
	n := binary.BigEndian.Uint32(base[:]) + half(network)
	binary.BigEndian.PutUint32(base[:], n)
	return netip.PrefixFrom(netip.AddrFrom4(base), network.Bits()+1)
}

// forPeers reports whether a peer may have the address.
func forPeers(network netip.Prefix, a netip.Addr) bool {
	return PeerRange(network).Contains(a) && a.Compare(GatewayAddress(network)) > 0
}

// peerSpace says which addresses peers have.
func peerSpace(network netip.Prefix) string {
	end := EndpointRange(network).Addr().Prev()
	return fmt.Sprintf("%s to %s", GatewayAddress(network).Next(), end)
}

// FreeAddress returns the lowest address of the PeerRange that no peer of the configuration has.
func FreeAddress(cfg *Config) (netip.Addr, error) {
	taken := make(map[netip.Addr]bool, len(cfg.Peers))
	for _, p := range cfg.Peers {
		taken[p.Address] = true
	}
	network := cfg.Gateway.Network
	for a := GatewayAddress(network).Next(); forPeers(network, a); a = a.Next() {
		if !taken[a] {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("every address for peers in %s is taken (%s); remove a peer or set a larger network in [gateway]",
		network, peerSpace(network))
}

// half is the size of half of the network.
func half(network netip.Prefix) uint32 { return 1 << (31 - network.Bits()) }

// reserved are networks that a tunnel's network must not touch, because hosts treat their addresses specially.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("224.0.0.0/3"),
}

// parseNetwork reads the tunnel's network.
func parseNetwork(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil || !p.Addr().Is4():
		return netip.Prefix{}, errors.New(`must be an IPv4 network such as "10.89.0.0/16"`)
	case p.Bits() < 8 || p.Bits() > 28:
		return netip.Prefix{}, fmt.Errorf("has a prefix of /%d; it must be between /8 and /28", p.Bits())
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("has bits behind its prefix; did you mean %q?", p.Masked())
	}
	for _, r := range reserved {
		if r.Overlaps(p) {
			return netip.Prefix{}, fmt.Errorf("overlaps %s, which hosts treat specially; take a private network such as \"10.89.0.0/16\"", r)
		}
	}
	return p, nil
}
