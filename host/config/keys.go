package config

import (
	"encoding/base64"
	"encoding/hex"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// Key describes a key of the configuration.
type Key struct {
	// Table is the table that the key is in, without brackets: "gateway", "peer", "plugins.NAME".
	Table string
	// Name is the key; NAME where the author of the file chooses it.
	Name string
	// Type names what the value is.
	Type string
	// Default is what holds when the key is absent, as TOML or as words; empty when Required.
	Default string
	// Required says that the table must have the key.
	Required bool
	// Meaning is what the key says, Consequence what follows from it.
	Meaning, Consequence string
	// Example is a valid value, as TOML. It is not the default.
	Example string
}

// Keys returns every key that a configuration can have, in the order of the documentation.
func Keys() []Key {
	var keys []Key
	keys = add(keys, "gateway", gatewayFields())
	keys = add(keys, "limits", limitsFields())
	keys = add(keys, "peer", peerFields())
	keys = append(keys, pluginKey())
	keys = add(keys, "plugins.NAME", pluginFields())
	keys = add(keys, "credential", credentialFields())
	keys = append(keys, settingKey())
	keys = add(keys, "endpoint", endpointFields())
	keys = add(keys, "rule", ruleFields())
	keys = add(keys, "override", overrideFields())
	keys = add(keys, "approver", approverFields())
	keys = add(keys, "holds", holdsFields())
	keys = add(keys, "judge", judgeFields())
	keys = add(keys, "secrets", secretsFields())
	return add(keys, "receipts", receiptsFields())
}

func add[T any](keys []Key, table string, fields []field[T]) []Key {
	for _, f := range fields {
		f.Table = table
		keys = append(keys, f.Key)
	}
	return keys
}

// The defaults of keys that have one. The documentation repeats them as TOML; a test compares.
const (
	defaultListen      = ":51820"
	defaultNetwork     = "10.89.0.0/16"
	defaultState       = "/var/lib/sallyport"
	defaultConnections = 1024
	defaultDialTimeout = 10 * time.Second
	defaultLinger      = 5 * time.Second
	defaultWindow      = 2 << 20
	defaultGuestMemory = 64 << 20
)

// defaults sets what holds without a file.
func defaults(cfg *Config, dir string) {
	state := defaultState
	if !filepath.IsAbs(state) {
		state = filepath.Join(dir, state)
	}
	cfg.Gateway = Gateway{
		Listen:  defaultListen,
		Network: netip.MustParsePrefix(defaultNetwork),
		State:   state,
		Mode:    Enforce,
	}
	cfg.Holds = holdsDefaults()
	cfg.Receipts = receiptsDefaults()
	cfg.Secrets = secretsDefaults()
	cfg.Limits = Limits{
		Connections: defaultConnections,
		DialTimeout: defaultDialTimeout,
		Linger:      defaultLinger,
		Window:      defaultWindow,
		GuestMemory: defaultGuestMemory,
	}
}

func gatewayFields() []field[Gateway] {
	return append([]field[Gateway]{
		{Key{
			Name: "listen", Type: "string", Default: `":51820"`, Example: `"192.0.2.1:51820"`,
			Meaning:     "The UDP address on which the gateway speaks WireGuard, `IP:port` or `:port` for every address of the machine, IPv4 and IPv6.",
			Consequence: "This is the one port that must be reachable for agents. With an address, packets to the machine's other addresses get no answer. Port 0 takes any free one.",
		}, func(d *decoder, k Key, v *value, g *Gateway) {
			if text, ok := d.text(k, v); ok {
				g.Listen, g.ListenPos = d.listen(k, text), text.start
			}
		}},
		{Key{
			Name: "address", Type: "string", Default: "none", Example: `"gw.example.com:51820"`,
			Meaning:     "What peers dial, `host:port`: a name or an IP address under which `listen` is reachable from where agents run.",
			Consequence: "`sallyport peer add` writes it into the configuration that it prints, and needs it. A change reaches existing peers only when their configuration is changed too.",
		}, func(d *decoder, k Key, v *value, g *Gateway) {
			if text, ok := d.text(k, v); ok {
				if _, _, err := hostPort(text.Value); err != nil {
					d.problem(text.start, "address %s %v; write address = %s", quote(text.Value), err, k.Example)
					return
				}
				g.Address = text
			}
		}},
		{Key{
			Name: "network", Type: "string", Default: `"10.89.0.0/16"`, Example: `"10.89.0.0/24"`,
			Meaning:     "The IPv4 network inside the tunnel, `/8` to `/28`. Its first address is the gateway's, where DNS answers; peers have addresses in the lower half; endpoints get theirs in the upper half.",
			Consequence: "It must not overlap networks that agents' machines use themselves. Half of its size bounds the number of peers, and of endpoints. After a change every peer needs a new address and a new configuration.",
		}, func(d *decoder, k Key, v *value, g *Gateway) {
			text, ok := d.text(k, v)
			if d.lost = !ok; d.lost {
				return
			}
			network, err := parseNetwork(text.Value)
			if err != nil {
				d.lost = true
				d.problem(text.start, "network %s %v", quote(text.Value), err)
				return
			}
			g.Network, g.NetworkPos = network, text.start
		}},
		{Key{
			Name: "state", Type: "string", Default: `"/var/lib/sallyport"`, Example: `"state"`,
			Meaning:     "The directory in which the gateway keeps its key, its receipts and what it remembers. A relative path starts at the configuration file's directory.",
			Consequence: "The gateway creates it, for itself alone. Whoever can read it can read the receipts, the key of its certificate authority and, unless `private_key` says otherwise, the gateway's key. A new directory means new keys, so that every peer needs a new configuration, and agents that use TLS a new certificate (`sallyport ca`).",
		}, func(d *decoder, k Key, v *value, g *Gateway) {
			if path, ok := d.path(k, v); ok {
				g.State, g.StatePos = path, v.pos
			}
		}},
		{Key{
			Name: "private_key", Type: "secret", Default: "made at first start and kept in `state`", Example: `"file:/etc/sallyport/gateway.key"`,
			Meaning:     "Where the gateway's WireGuard key comes from: `env:NAME` or `file:PATH`, never the key itself. The key is 32 bytes in base64, as `wg genkey` prints it. A relative path starts at the configuration file's directory.",
			Consequence: "The key is read at start. Its file must not be readable by everybody. A key that is missing or malformed keeps the gateway from starting; another key means that every peer needs a new configuration.",
		}, func(d *decoder, k Key, v *value, g *Gateway) {
			if text, ok := d.text(k, v); ok {
				ref, err := secret.ParseReference(text.Value, d.dir)
				if err != nil {
					d.problem(text.start, "private_key: %v; write private_key = %s", err, k.Example)
					return
				}
				g.PrivateKey, g.PrivateKeyPos = ref, text.start
			}
		}},
	}, slices.Concat(authorityFields(), policyGatewayFields())...)
}

func limitsFields() []field[Limits] {
	return []field[Limits]{
		{Key{
			Name: "connections", Type: "integer", Default: strconv.Itoa(defaultConnections), Example: "100",
			Meaning:     "How many connections one peer may have open at a time, 1 to 65536.",
			Consequence: "A connection above the limit is reset. It bounds what one peer can make the gateway hold: this many times `guest_memory` and both sides' `window`.",
		}, func(d *decoder, k Key, v *value, l *Limits) {
			if v.kind != kindInt {
				d.wrong(k, v, "an integer")
				return
			}
			if v.integer < 1 || v.integer > 65536 {
				d.problem(v.pos, "connections is %d; it must be between 1 and 65536", v.integer)
				return
			}
			l.Connections = int(v.integer)
		}},
		{Key{
			Name: "dial_timeout", Type: "duration", Default: `"10s"`, Example: `"3s"`,
			Meaning:     "How long connecting to an upstream may take, and then the TLS handshake with it, `100ms` to `5m` each.",
			Consequence: "When it is over, the agent is told in the words of its protocol that the upstream cannot be reached, and the connection ends.",
		}, func(d *decoder, k Key, v *value, l *Limits) {
			l.DialTimeout = d.duration(k, v, l.DialTimeout, 100*time.Millisecond, 5*time.Minute)
		}},
		{Key{
			Name: "linger", Type: "duration", Default: `"5s"`, Example: `"2s"`,
			Meaning:     "How long a connection that ends may take to deliver what is under way, `100ms` to `5m`.",
			Consequence: "When it is over, what has not been taken by then is dropped and both sides are reset.",
		}, func(d *decoder, k Key, v *value, l *Limits) {
			l.Linger = d.duration(k, v, l.Linger, 100*time.Millisecond, 5*time.Minute)
		}},
		{Key{
			Name: "window", Type: "size", Default: `"2MiB"`, Example: `"512KiB"`,
			Meaning:     "How many bytes of each side of a connection may wait for the plugin to decide about them, or for the upstream to be connected, `64KiB` to `16MiB`.",
			Consequence: "A connection that needs more is closed, with a receipt. A message that has to be understood as a whole, such as a statement, has to fit into it; what is already decided passes at any length.",
		}, func(d *decoder, k Key, v *value, l *Limits) {
			l.Window = int(d.size(k, v, int64(l.Window), 64<<10, 16<<20))
		}},
		{Key{
			Name: "guest_memory", Type: "size", Default: `"64MiB"`, Example: `"32MiB"`,
			Meaning:     "How much memory one running plugin may have, `1MiB` to `1GiB`, in steps of `64KiB`. Each connection has a plugin of its own.",
			Consequence: "A plugin that wants more fails, and its connection is denied and ends. A plugin that needs more to start is not loaded.",
		}, func(d *decoder, k Key, v *value, l *Limits) {
			n := d.size(k, v, l.GuestMemory, 1<<20, 1<<30)
			if n%(64<<10) != 0 {
				d.problem(v.pos, "guest_memory is %d bytes; it must be a multiple of 64KiB", n)
				return
			}
			l.GuestMemory = n
		}},
	}
}

func peerFields() []field[Peer] {
	return []field[Peer]{
		{Key{
			Name: "name", Type: "string", Required: true, Example: `"claude-laptop"`,
			Meaning:     "What the peer is called: lower-case letters, digits, dots and hyphens, at most 63. Unique among peers.",
			Consequence: "Rules see it as `peer.name` and receipts carry it.",
		}, func(d *decoder, k Key, v *value, p *Peer) { p.Name = d.name(k, v) }},
		{Key{
			Name: "public_key", Type: "string", Required: true, Example: `"xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="`,
			Meaning:     "The peer's WireGuard public key, 32 bytes in base64. Unique among peers.",
			Consequence: "This is the peer's identity: whoever holds the private key to it is this peer, and nobody else is.",
		}, func(d *decoder, k Key, v *value, p *Peer) {
			if text, ok := d.text(k, v); ok {
				raw, err := base64.StdEncoding.Strict().DecodeString(text.Value)
				if err != nil || len(raw) != 32 || strings.ContainsAny(text.Value, "\r\n") {
					d.problem(text.start, "public_key must be a WireGuard key: 32 bytes in base64, 44 characters, as `wg pubkey` prints it")
					return
				}
				p.PublicKey, p.PublicKeyPos = [32]byte(raw), text.start
				if p.PublicKey == [32]byte{} {
					d.problem(text.start, "public_key is 32 zero bytes, which is no key")
				}
			}
		}},
		{Key{
			Name: "profile", Type: "string", Required: true, Example: `"dev"`,
			Meaning:     "The profile that the peer has: a name of the same form. Several peers can share one.",
			Consequence: "The peer sees the endpoints that list this profile; no others exist for it. Rules see it as `peer.profile`.",
		}, func(d *decoder, k Key, v *value, p *Peer) { p.Profile = d.name(k, v) }},
		{Key{
			Name: "address", Type: "string", Required: true, Example: `"10.89.0.2"`,
			Meaning:     "The peer's address inside the tunnel, IPv4, in the lower half of `network`. Unique among peers. `sallyport peer add` takes the next free one.",
			Consequence: "Packets of this peer from any other address are dropped, and no other peer can use this one.",
		}, func(d *decoder, k Key, v *value, p *Peer) {
			if text, ok := d.text(k, v); ok {
				a, err := netip.ParseAddr(text.Value)
				if err != nil || !a.Is4() {
					d.problem(text.start, "address %s must be an IPv4 address without a prefix; write address = %s", quote(text.Value), k.Example)
					return
				}
				p.Address, p.AddressPos = a, text.start
			}
		}},
		envField(),
	}
}

func pluginKey() Key {
	return Key{
		Table: "plugins", Name: "NAME", Type: "string or table", Default: "none", Example: `{ path = "redis.wasm", sha256 = "` + strings.Repeat("0123456789abcdef", 4) + `" }`,
		Meaning:     "A name that endpoints use as their `plugin`, and where the plugin comes from: `\"builtin\"` for one that the gateway brings under this name, or a table with the keys below. `none` is the uninspected relay and is not listed.",
		Consequence: "A plugin that is not listed cannot be used. One that cannot be loaded keeps the gateway from starting.",
	}
}

func pluginFields() []field[Plugin] {
	return []field[Plugin]{
		{Key{
			Name: "path", Type: "string", Required: true, Example: `"redis.wasm"`,
			Meaning:     "The plugin's file. A relative path starts at the configuration file's directory.",
			Consequence: "The file is read at start; a changed file takes effect at the next one, and only with its new `sha256`.",
		}, func(d *decoder, k Key, v *value, p *Plugin) {
			if path, ok := d.path(k, v); ok {
				p.Path, p.PathPos = path, v.pos
			}
		}},
		{Key{
			Name: "sha256", Type: "string", Required: true, Example: `"` + strings.Repeat("0123456789abcdef", 4) + `"`,
			Meaning:     "The SHA-256 digest of the plugin's file, 64 hexadecimal digits, as `sha256sum` prints it; `sallyport plugin pin` writes it here.",
			Consequence: "A file with another digest is not loaded and the gateway does not start: nobody can exchange a plugin without changing the configuration.",
		}, func(d *decoder, k Key, v *value, p *Plugin) {
			if sum, ok := d.sha256(k, v); ok {
				p.SHA256 = sum
			}
		}},
	}
}

// sha256 reads a digest.
func (d *decoder) sha256(k Key, v *value) (sum [32]byte, ok bool) {
	text, ok := d.text(k, v)
	if !ok {
		return sum, false
	}
	b, err := hex.DecodeString(text.Value)
	if err != nil || len(b) != len(sum) {
		d.problem(text.start, "sha256 must be 64 hexadecimal digits, as `sha256sum` prints them")
		return sum, false
	}
	return [32]byte(b), true
}
