package tunnel

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
)

// DefaultMTU is the size of the largest packet inside the tunnel if Config.MTU is 0: WireGuard's usual 1420 bytes, which fits 1,500
// bytes on the outside with IPv6 and all.
const DefaultMTU = 1420

// The MTUs that New accepts: below 1280 there is no IPv6 (RFC 8200 section 5), above 9000 no network carries the outer packet.
const (
	minMTU = 1280
	maxMTU = 9000
)

// Config says what a tunnel is. Everything but Limits, MTU, Peers and Logger is required.
type Config struct {
	// Listen is the UDP address of WireGuard, "host:port". An empty host listens on all addresses and answers from the address
	// that was asked; an IP address listens on that one only. Port 0 takes a free one, see Tunnel.ListenPort.
	Listen string
	// PrivateKey is the gateway's.
	PrivateKey Key
	// Network holds the peers' addresses: IPv4, at most /30. Its first address is the gateway and the resolver, see Gateway.
	Network netip.Prefix
	// MTU of the inside, in bytes: 1280 to 9000, 0 is DefaultMTU.
	MTU int
	// Peers that exist from the start.
	Peers []Peer
	// Handler gets what comes through the tunnel.
	Handler Handler
	// Limits bound it. The zero value has the defaults.
	Limits Limits
	// Logger gets WireGuard's own messages: errors, and with debug level its handshakes. No packet, name or key is logged. Nil logs
	// nothing.
	Logger *slog.Logger
}

// Peer is one WireGuard identity.
type Peer struct {
	// Name is what Request.Peer says. Unique and not empty.
	Name string
	// PublicKey is unique.
	PublicKey Key
	// Address is the one IPv4 address that the peer may send from, inside Config.Network and unique. Its IPv6 address follows from
	// it, see PeerAddress6.
	Address netip.Addr
}

// Handler decides about what comes through the tunnel. Its methods are called by many goroutines at once.
type Handler interface {
	// ServeTCP gets a connection request, on a goroutine of its own, and owns it until it returns: a request that is then neither
	// accepted nor reset is reset, and a connection that is then not closed is aborted. Request.Context ends when the peer is
	// removed or the tunnel closes; Tunnel.Close waits until every ServeTCP has returned.
	ServeTCP(*Request)
	// Resolve answers which IPv4 address a peer gets for a host name, and whether it exists at all. The name is in lower case and
	// has no dot at its end. An answer that takes longer than ctx, 5 s, is SERVFAIL. A name that exists and has no valid IPv4
	// address is answered without an address.
	Resolve(ctx context.Context, peer, name string) (netip.Addr, bool)
}

// Limits bound what peers can make the gateway hold. A zero field has the default.
type Limits struct {
	// Connections of one peer, default 512. A connection counts from its first packet, also while nobody has decided about it,
	// until it is over: closed, and all that was sent acknowledged or given up. More are reset.
	Connections int
	// TotalConnections of all peers together, default 4096. More are reset.
	TotalConnections int
	// HalfOpen are the requests of one peer that wait for a decision or for the end of the handshake, default 128. More are ignored;
	// the agent's system tries them again, at first after a second.
	HalfOpen int
	// ReceiveBuffer and SendBuffer are the most that one connection holds for each direction, in bytes: default 1 MiB, at least
	// 16 KiB. Buffers start at 128 KiB (or the maximum, if that is less), the receive buffer grows as the connection needs it.
	ReceiveBuffer int
	SendBuffer    int
	// DNS questions of one peer in work, default 64. More are dropped; the agent's resolver asks again.
	DNS int
}

const (
	defaultConnections      = 512
	defaultTotalConnections = 4096
	defaultHalfOpen         = 128
	defaultBuffer           = 1 << 20
	startBuffer             = 128 << 10
	minBuffer               = 16 << 10
	defaultDNS              = 64
)

// filled returns l with its defaults, or an error for a limit that cannot be.
func (l Limits) filled() (Limits, error) {
	for _, f := range []struct {
		name          string
		value         *int
		normal, least int
	}{
		{"Connections", &l.Connections, defaultConnections, 1},
		{"TotalConnections", &l.TotalConnections, defaultTotalConnections, 1},
		{"HalfOpen", &l.HalfOpen, defaultHalfOpen, 1},
		{"ReceiveBuffer", &l.ReceiveBuffer, defaultBuffer, minBuffer},
		{"SendBuffer", &l.SendBuffer, defaultBuffer, minBuffer},
		{"DNS", &l.DNS, defaultDNS, 1},
	} {
		if *f.value == 0 {
			*f.value = f.normal
		}
		if *f.value < f.least {
			return l, fmt.Errorf("limit %s is %d; it must be at least %d (or 0 for the default %d)", f.name, *f.value, f.least, f.normal)
		}
	}
	return l, nil
}

// Gateway returns the gateway's address in a network, also the address of its resolver: the first after the network's own
// (10.89.0.1 in 10.89.0.0/16).
func Gateway(network netip.Prefix) netip.Addr { return network.Masked().Addr().Next() }

// PeerAddress6 returns the IPv6 address that a peer with the IPv4 address addr has in the tunnel, for the peer's configuration. It is
// a unique local address (RFC 4193): its global ID is derived from the network, its last 32 bits are addr. The gateway resets all
// TCP over IPv6; the address exists so that an agent can route IPv6 into the tunnel too instead of around it.
func PeerAddress6(network netip.Prefix, addr netip.Addr) netip.Addr {
	sum := sha256.Sum256([]byte("sallyport unique local address of " + network.Masked().String()))
	var a [16]byte
	a[0] = 0xfd
	copy(a[1:6], sum[:])
	v4 := addr.Unmap().As4()
	copy(a[12:], v4[:])
	return netip.AddrFrom16(a)
}

// check completes c or says what is wrong with it. Peers are checked when they are added.
func (c Config) check() (Config, error) {
	var err error
	if c.PrivateKey.IsZero() {
		return c, errors.New("no private key")
	}
	if c.Handler == nil {
		return c, errors.New("no handler")
	}
	if !c.Network.IsValid() || !c.Network.Addr().Is4() || c.Network.Bits() > 30 {
		return c, fmt.Errorf("network %q: it must be an IPv4 network of /30 or larger, such as 10.89.0.0/16", c.Network)
	}
	c.Network = c.Network.Masked()
	if c.MTU == 0 {
		c.MTU = DefaultMTU
	}
	if c.MTU < minMTU || c.MTU > maxMTU {
		return c, fmt.Errorf("MTU %d: it must be from %d to %d", c.MTU, minMTU, maxMTU)
	}
	if c.Limits, err = c.Limits.filled(); err != nil {
		return c, err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// splitListen reads Config.Listen. The address is the zero Addr for all addresses.
func splitListen(listen string) (netip.Addr, uint16, error) {
	host, portText, err := net.SplitHostPort(listen)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("listen address %q: %w; it should be like \":51820\" or \"192.0.2.1:51820\"", listen, err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("listen address %q: the port must be a number from 0 to 65535", listen)
	}
	if host == "" {
		return netip.Addr{}, uint16(port), nil
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, 0, fmt.Errorf("listen address %q: the host must be an IP address, or empty for all addresses", listen)
	}
	return addr.Unmap(), uint16(port), nil
}

// checkPeer says what is wrong with a peer by itself; whether it is unique is for AddPeer.
func (c Config) checkPeer(p Peer) error {
	switch {
	case p.Name == "":
		return errors.New("peer without a name")
	case p.PublicKey.IsZero():
		return fmt.Errorf("peer %q: no public key", p.Name)
	case p.PublicKey == c.PrivateKey.Public():
		return fmt.Errorf("peer %q: its public key is the gateway's own", p.Name)
	case !p.Address.Is4() || !c.Network.Contains(p.Address):
		return fmt.Errorf("peer %q: address %q is not an IPv4 address in %s", p.Name, p.Address, c.Network)
	case p.Address == Gateway(c.Network):
		return fmt.Errorf("peer %q: address %s is the gateway's", p.Name, p.Address)
	case p.Address == c.Network.Addr() || !c.Network.Contains(p.Address.Next()):
		return fmt.Errorf("peer %q: address %s is the first or last of %s, which no host can have", p.Name, p.Address, c.Network)
	}
	return nil
}
