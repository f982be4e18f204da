// Package wgquick reads and writes the configuration file of one WireGuard peer, in the format of
// wg-quick(8), which every WireGuard client understands:
//
//	[Interface]
//	PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
//	Address = 10.89.0.2/32, fd00:89::2/128
//	DNS = 10.89.0.1
//	MTU = 1420
//
//	[Peer]
//	PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
//	Endpoint = gateway.example.com:51820
//	AllowedIPs = 0.0.0.0/0, ::/0
//	PersistentKeepalive = 25
//
// Only what an agent's side of a Sallyport tunnel needs is understood: one [Interface], one [Peer],
// and the keys above. Anything else is an error that names its line and the nearest key, because a
// line that is silently without effect in a security boundary is a trap (PostUp commands, for example,
// are never run). Names of sections and keys are compared without regard to case, as wg(8) does. A
// comment starts with # and ends with the line.
package wgquick

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Limits of a configuration. What exceeds them is refused.
const (
	// MaxSize is the most bytes that a configuration may have.
	MaxSize = 64 << 10
	// MaxList is the most entries that Address, DNS or AllowedIPs may have.
	MaxList = 256
	// MinMTU is the smallest MTU: what IPv6 demands of every link (RFC 8200, section 5).
	MinMTU = 1280
	// MaxMTU is the largest MTU: an IPv4 packet's greatest length.
	MaxMTU = 65535
)

// Key is a Curve25519 key, private or public, or 32 zero bytes if there is none.
type Key [32]byte

// ParseKey decodes a key as wg(8) prints it: 32 bytes in standard base64 with padding.
func ParseKey(text string) (Key, error) {
	var key Key
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != len(key) || strings.ContainsAny(text, "\r\n") {
		return Key{}, errors.New("a key is 32 bytes in base64 (44 characters that end in =)")
	}
	copy(key[:], raw)
	if key.IsZero() {
		return Key{}, errors.New("a key of 32 zero bytes is no key")
	}
	return key, nil
}

// IsZero tells whether the key is 32 zero bytes.
func (k Key) IsZero() bool { return k == Key{} }

// Base64 is the key as wg(8) prints it. There is deliberately no String method: a private key must not
// get into a log by way of a format verb, see [Key.Format].
func (k Key) Base64() string { return base64.StdEncoding.EncodeToString(k[:]) }

// Format prints a placeholder for every verb, so that no key reaches a log by accident.
func (k Key) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("[key]")) }

// Config is the configuration of one peer.
type Config struct {
	Interface Interface
	Peer      Peer
}

// Interface is this side of the tunnel.
type Interface struct {
	// PrivateKey is this side's key. Required.
	PrivateKey Key
	// Address holds this side's addresses with the length of their network. At least one is required;
	// a text without a length means the single address.
	Address []netip.Prefix
	// DNS holds the resolvers inside the tunnel. Search domains are not supported.
	DNS []netip.Addr
	// MTU in bytes, [MinMTU] to [MaxMTU]; 0: not given, the client decides (WireGuard's default is 1420).
	MTU int
}

// Peer is the other side of the tunnel: the gateway.
type Peer struct {
	// PublicKey is the gateway's key. Required.
	PublicKey Key
	// Endpoint is the gateway's UDP address as host:port; the host may be a name. Required.
	Endpoint string
	// AllowedIPs are the networks that are routed into the tunnel. At least one is required.
	AllowedIPs []netip.Prefix
	// PersistentKeepalive in seconds, 0 (off) to 65535.
	PersistentKeepalive int
}

// Validate tells what is missing or out of range; nil if the configuration can be used. Parse has
// done it for what it returns.
func (c *Config) Validate() error {
	switch {
	case c.Interface.PrivateKey.IsZero():
		return errors.New("[Interface] lacks PrivateKey")
	case len(c.Interface.Address) == 0:
		return errors.New("[Interface] lacks Address")
	case c.Peer.PublicKey.IsZero():
		return errors.New("[Peer] lacks PublicKey")
	case c.Peer.Endpoint == "":
		return errors.New("[Peer] lacks Endpoint")
	case len(c.Peer.AllowedIPs) == 0:
		return errors.New("[Peer] lacks AllowedIPs")
	case c.Interface.MTU != 0 && (c.Interface.MTU < MinMTU || c.Interface.MTU > MaxMTU):
		return fmt.Errorf("MTU %d is not within %d and %d", c.Interface.MTU, MinMTU, MaxMTU)
	case c.Peer.PersistentKeepalive < 0 || c.Peer.PersistentKeepalive > 65535:
		return fmt.Errorf("PersistentKeepalive %d is not within 0 and 65535 seconds", c.Peer.PersistentKeepalive)
	case max(len(c.Interface.Address), len(c.Interface.DNS), len(c.Peer.AllowedIPs)) > MaxList:
		return fmt.Errorf("a list has more than %d entries", MaxList)
	}
	if err := checkEndpoint(c.Peer.Endpoint); err != nil {
		return err
	}
	for _, a := range c.Interface.Address {
		if !plain(a.Addr()) || !a.IsValid() {
			return fmt.Errorf("[Interface] has Address %v, which is not an IPv4 or IPv6 address with a length", a)
		}
	}
	for _, a := range c.Interface.DNS {
		if !plain(a) {
			return fmt.Errorf("[Interface] has DNS %v, which is not an IPv4 or IPv6 address", a)
		}
	}
	for _, a := range c.Peer.AllowedIPs {
		if !plain(a.Addr()) || !a.IsValid() {
			return fmt.Errorf("[Peer] has AllowedIPs %v, which is not an IPv4 or IPv6 network", a)
		}
	}
	return nil
}

// plain tells whether an address has one form only: no zone, not IPv4 within IPv6.
func plain(a netip.Addr) bool { return a.IsValid() && a.Zone() == "" && !a.Is4In6() }
