package tunnel

import (
	"context"
	"net/netip"
	"strings"
	"testing"
)

func TestKeys(t *testing.T) {
	// RFC 7748 section 6.1.
	private, err := ParseKey("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=")
	if err != nil {
		t.Fatal(err)
	}
	if got := private.Public().String(); got != "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=" {
		t.Errorf("public key %s", got)
	}
	k := NewPrivateKey()
	if again, err := ParseKey(k.String()); err != nil || again != k || k.IsZero() || k == NewPrivateKey() {
		t.Errorf("a new key: %v", err)
	}
	for _, text := range []string{"", "hunter2", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LC", "aHVudGVyMg==", "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp="} {
		_, err := ParseKey(text)
		if err == nil {
			t.Errorf("ParseKey(%q) works", text)
		} else if text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats what may be a secret: %v", err)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=")
	f.Add("aHVudGVyMg==")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ParseKey(text)
		if err == nil && len(k.String()) != 44 {
			t.Errorf("%q gave %q", text, k)
		}
	})
}

func TestPeerAddress6(t *testing.T) {
	network := netip.MustParsePrefix("10.89.0.0/16")
	a, b := PeerAddress6(network, netip.MustParseAddr("10.89.0.2")), PeerAddress6(network, netip.MustParseAddr("10.89.0.3"))
	if a == b || !a.IsPrivate() || a.As16()[0] != 0xfd || [4]byte(a.AsSlice()[12:]) != [4]byte{10, 89, 0, 2} {
		t.Errorf("addresses %s and %s", a, b)
	}
	if PeerAddress6(netip.MustParsePrefix("10.89.5.5/16"), netip.MustParseAddr("10.89.0.2")) != a {
		t.Error("the address depends on how the network is written")
	}
	if PeerAddress6(netip.MustParsePrefix("10.90.0.0/16"), netip.MustParseAddr("10.89.0.2")) == a {
		t.Error("two networks have the same addresses")
	}
	if g := Gateway(network); g.String() != "10.89.0.1" {
		t.Errorf("gateway %s", g)
	}
}

type nobody struct{}

func (nobody) ServeTCP(r *Request) { r.Reset() }
func (nobody) Resolve(context.Context, string, string) (netip.Addr, bool) {
	return netip.Addr{}, false
}

func goodConfig() Config {
	return Config{
		Listen: "127.0.0.1:0", PrivateKey: NewPrivateKey(), Network: netip.MustParsePrefix("10.89.0.0/16"), Handler: nobody{},
		Peers: []Peer{{Name: "a", PublicKey: NewPrivateKey().Public(), Address: netip.MustParseAddr("10.89.0.2")}},
	}
}

func TestConfigErrors(t *testing.T) {
	g, err := New(t.Context(), goodConfig()) // the twin
	if err != nil {
		t.Fatal(err)
	}
	g.Close()
	for want, spoil := range map[string]func(*Config){
		"private key":           func(c *Config) { c.PrivateKey = Key{} },
		"handler":               func(c *Config) { c.Handler = nil },
		"IPv4 network":          func(c *Config) { c.Network = netip.MustParsePrefix("fd00::/64") },
		"/30 or larger":         func(c *Config) { c.Network = netip.MustParsePrefix("10.89.0.0/31") },
		"MTU 100":               func(c *Config) { c.MTU = 100 },
		"MTU 65535":             func(c *Config) { c.MTU = 65535 },
		"should be like":        func(c *Config) { c.Listen = "51820" },
		"must be a number":      func(c *Config) { c.Listen = ":wireguard" },
		"must be an IP address": func(c *Config) { c.Listen = "localhost:51820" },
		"without a name":        func(c *Config) { c.Peers[0].Name = "" },
		"no public key":         func(c *Config) { c.Peers[0].PublicKey = Key{} },
		"gateway's own":         func(c *Config) { c.Peers[0].PublicKey = c.PrivateKey.Public() },
		"not an IPv4 address":   func(c *Config) { c.Peers[0].Address = netip.MustParseAddr("10.90.0.2") },
		"is the gateway's":      func(c *Config) { c.Peers[0].Address = netip.MustParseAddr("10.89.0.1") },
		"first or last":         func(c *Config) { c.Peers[0].Address = netip.MustParseAddr("10.89.255.255") },
		"this name": func(c *Config) {
			c.Peers = append(c.Peers, Peer{"a", NewPrivateKey().Public(), netip.MustParseAddr("10.89.0.3")})
		},
		"same public key": func(c *Config) {
			c.Peers = append(c.Peers, Peer{"b", c.Peers[0].PublicKey, netip.MustParseAddr("10.89.0.3")})
		},
		"address 10.89.0.2": func(c *Config) {
			c.Peers = append(c.Peers, Peer{"b", NewPrivateKey().Public(), c.Peers[0].Address})
		},
	} {
		c := goodConfig()
		spoil(&c)
		g, err := New(t.Context(), c)
		if err == nil {
			g.Close()
			t.Errorf("%s: no error", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("the error should say %q: %v", want, err)
		}
	}
	g, err = New(t.Context(), goodConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := g.RemovePeer("nobody"); err == nil {
		t.Error("a peer that does not exist can be removed")
	}
}

func TestDropNames(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Drops() {
		if seen[d.String()] || d.String() == "" || d.String() == "unknown" {
			t.Errorf("drop %d is called %q", d, d)
		}
		seen[d.String()] = true
	}
	if dropKinds.String() != "unknown" {
		t.Errorf("%q", dropKinds)
	}
}
