// Package config reads the gateway's configuration: one TOML file, checked as a whole.
//
// Every problem of a file is reported at once, each with file, line and column, with what is wrong and what to write instead:
//
//	sallyport.toml:3:1: unknown key "lisen" in [gateway]; did you mean "listen"?
//	sallyport.toml:14:12: there is no endpoint "prod-bd"; did you mean "prod-db"?
//
// Unknown keys, wrong types, duplicates and values that could have no effect are problems, so that a file that loads means what
// it says. Each key is described once, beside the code that reads it; Keys returns these descriptions, from which the
// documentation is generated.
//
// What only others can check (conditions against the fields of the plugins, an endpoint's options against its plugin's
// manifest) stays here as written, with positions: Text maps each byte of a value to its place in the file, through escapes and
// line ends, and Config.Problem makes a problem that prints like the ones found here.
package config

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// MaxSize bounds a configuration file, in bytes.
const MaxSize = 1 << 20

// Known is what the gateway has, against which a file is checked.
type Known struct {
	// Builtins are the plugins that the gateway brings. Nil leaves the names of built-in plugins unchecked.
	Builtins []string
	// Packs are the rule packs that the gateway brings. Nil leaves the names of packs and of their rules unchecked.
	Packs []Pack
}

// Config is a configuration as read from a file.
type Config struct {
	// Path is the name under which the file was read, as it appears in problems.
	Path    string
	Gateway Gateway
	Limits  Limits
	Peers   []Peer
	Plugins []Plugin
	// Credentials are what endpoints may log in with for agents.
	Credentials []Credential
	Endpoints   []Endpoint
	Rules       []Rule
	// Overrides change rules of packs.
	Overrides []Override
	// Approvers are whom rules can ask. The machine's operator is one as well and not listed.
	Approvers []Approver
	Holds     Holds
	// Judges are the models and programs that rules can ask.
	Judges   []Judge
	Secrets  Secrets
	Receipts Receipts
	// Warnings are things that are valid and probably not meant. The gateway runs with them.
	Warnings Problems
}

// Gateway is the table [gateway]: the tunnel's end and its place on disk.
type Gateway struct {
	// Listen is the UDP address of the WireGuard endpoint, "IP:port" or ":port". Without an IP it is every address of the machine,
	// IPv4 and IPv6. Port 0 takes a free one.
	Listen    string
	ListenPos Pos
	// Address is what peers dial, host:port, for the configuration that `peer add` prints. Not set when absent.
	Address Text
	// Network is the IPv4 network inside the tunnel, masked, /8 to /28. See GatewayAddress, PeerRange and EndpointRange.
	Network    netip.Prefix
	NetworkPos Pos
	// State is the directory of everything that the gateway keeps, an absolute path.
	State    string
	StatePos Pos
	// PrivateKey refers to the WireGuard key of the gateway, 32 bytes in base64. Zero: the gateway makes one and keeps it in State.
	PrivateKey    secret.Reference
	PrivateKeyPos Pos
	// CA is the authority that signs what agents see. Zero: the gateway makes one and keeps it in State.
	CA Identity
	// Packs are the rule packs that count.
	Packs []Text
	// Mode is that of endpoints that have none; see ModeOf.
	Mode Mode
	// ConfirmReload says that a reload that allows more waits to be confirmed.
	ConfirmReload bool
}

// Limits is the table [limits].
type Limits struct {
	// Connections is how many connections a peer may have open at a time.
	Connections int
	// DialTimeout bounds the connecting to an upstream.
	DialTimeout time.Duration
	// Linger is how long a connection that has been ended may take to deliver what is under way.
	Linger time.Duration
	// Window is how many bytes of each side of a connection may wait for the plugin or for the upstream.
	Window int
	// GuestMemory bounds the memory of one running plugin, in bytes: a multiple of 64 KiB.
	GuestMemory int64
}

// Peer is a table [[peer]]: one WireGuard identity.
type Peer struct {
	Name         Text
	PublicKey    [32]byte
	PublicKeyPos Pos
	Profile      Text
	// Address is the peer's address inside the tunnel, within PeerRange of the network.
	Address    netip.Addr
	AddressPos Pos
	// Env are placeholders for the environment of the peer's commands.
	Env []Variable
	Pos Pos
}

// Plugin is an entry of [plugins]: a name that endpoints use, and where the plugin comes from.
type Plugin struct {
	Name Text
	// Builtin says that the gateway brings the plugin of this name; Path and SHA256 are empty then.
	Builtin bool
	// Path is the absolute path of the .wasm file, SHA256 the digest that it must have.
	Path    string
	PathPos Pos
	SHA256  [32]byte
	Pos     Pos
}

// None is the plugin name of the uninspected relay. It needs no entry in [plugins].
const None = "none"

// Endpoint is a table [[endpoint]]: a named upstream.
type Endpoint struct {
	// Name is a hostname in lower case; agents reach the endpoint by it.
	Name Text
	// Address is host:port of the upstream as written, Host and Port are its parts.
	Address Text
	Host    string
	Port    uint16
	// IP is Host when that is an IP literal, else not valid. Agents then reach the endpoint by this address and port as well.
	IP netip.Addr
	// Plugin is None or the name of one of Config.Plugins.
	Plugin Text
	// Profiles are the profiles whose peers may see the endpoint. At least one.
	Profiles []Text
	// Credentials are the names of the credentials that profiles have here, by profile. A profile without one is not in it.
	Credentials map[string]Text
	// TLS says how the upstream is spoken to. TLSPos is where the file says so; it has no place when it does not.
	TLS    TLS
	TLSPos Pos
	// CA is the file of the roots that the upstream's certificate must come from, an absolute path; empty: those of the system.
	CA    string
	CAPos Pos
	// ServerName is the name that the upstream's certificate must be for: what the file says, else Host.
	ServerName string
	// AgentTLS says whether agents may, must or cannot speak TLS to the gateway.
	AgentTLS AgentTLS
	// AgentSNI says whether they must name the endpoint there.
	AgentSNI AgentSNI
	// Pins are the keys that the upstream may have, "sha256/" and the hash of the SubjectPublicKeyInfo in base64; nil: any.
	Pins   []string
	PinPos Pos
	// Client is what the gateway shows to an upstream that asks for a certificate.
	Client Identity
	// SSH says which host keys an upstream of SSH may have.
	SSH SSHTrust
	// Record says whether terminals are recorded.
	Record Recording
	// Mode is empty for that of the gateway; see ModeOf.
	Mode Mode
	// OnHold is what happens to an action that is held.
	OnHold OnHold
	// Options are for the plugin, in the order of the file, not yet checked against its manifest.
	Options []Option
	Pos     Pos

	serverNamePos, agentTLSPos, agentSNIPos Pos
}

// Option is one setting under an endpoint's options, as written.
type Option struct {
	Name Text
	// Value is a bool, an int64, a string or a []string.
	Value any
	// Pos is the place of the value. Elems are the places of a []string's elements.
	Pos   Pos
	Elems []Pos
}

// Reference reads a text of the configuration as a reference to a secret. The error never repeats the text.
func (c *Config) Reference(t Text) (secret.Reference, error) {
	dir, err := filepath.Abs(filepath.Dir(c.Path))
	if err != nil {
		return secret.Reference{}, fmt.Errorf("find the directory of %s: %w", c.Path, err)
	}
	return secret.ParseReference(t.Value, dir)
}

// Load reads and checks the file at path. The error is of type Problems when the file could be read and something is wrong in
// it; the Config then holds what was understood, so that further checks can add to the list, and must not be run.
func Load(path string, known Known) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, known)
}

// read returns the contents of a configuration file. One byte more than MaxSize shows that it is too large.
func read(path string) ([]byte, error) {
	// Looking before opening: opening a named pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read the configuration: %s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return data, nil
}

// Parse is Load for data that were read already. Name is the file's name in problems, and its directory is where relative paths
// start.
func Parse(name string, data []byte, known Known) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("find the directory of %s: %w", name, err)
	}
	d := &decoder{file: name, dir: dir, known: known}
	cfg := d.config(data)
	cfg.Path = name
	d.warnings.Sort()
	cfg.Warnings = d.warnings
	if len(d.problems) > 0 {
		d.problems.Sort()
		return cfg, d.problems
	}
	return cfg, nil
}
