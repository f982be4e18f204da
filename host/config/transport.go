package config

import (
	"net/netip"
	"slices"
)

// TLS says how an upstream is spoken to.
type TLS string

// The ways to speak to an upstream, from the weakest to the strictest.
const (
	TLSDisable    TLS = "disable"
	TLSRequire    TLS = "require"
	TLSVerifyCA   TLS = "verify-ca"
	TLSVerifyFull TLS = "verify-full"
	// TLSPassthrough leaves TLS to the agent and the upstream; only the name that the agent asks for is read.
	TLSPassthrough TLS = "passthrough"
)

// AgentTLS says whether agents may speak TLS to the gateway.
type AgentTLS string

// What an endpoint says about TLS of its agents. Auto offers it where the upstream has it, unless the agent logs in by itself there.
const (
	AgentTLSAuto    AgentTLS = "auto"
	AgentTLSOffer   AgentTLS = "offer"
	AgentTLSRequire AgentTLS = "require"
	AgentTLSRefuse  AgentTLS = "refuse"
)

func transportFields() []field[Endpoint] {
	return append([]field[Endpoint]{
		{Key{
			Name: "tls", Type: `"disable", "require", "verify-ca", "verify-full" or "passthrough"`, Default: `"disable"`, Example: `"verify-full"`,
			Meaning:     "How the gateway speaks to the upstream: in clear; with TLS, whoever answers (or whoever has the key in `pin`); with TLS and a certificate of one of the roots in `ca`, whatever its name; with TLS and a certificate for `server_name`. `passthrough` is for plugin `\"none\"`: the agent speaks TLS with the upstream itself, and the gateway reads the name that it asks for and nothing else.",
			Consequence: "Nothing of the agent reaches the upstream before TLS stands as it should, and an upstream that cannot is not used. `require` without `pin` protects against those who only listen, not against one in the middle. It must be said where a profile has a credential with a secret. With `passthrough` an agent that says no name, another name than the endpoint's or `server_name`, or hides it (ECH) is refused, and rules see `connect.tls_name`.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			e.TLS, e.TLSPos = oneOf(d, k, v, e.TLS, TLSDisable, TLSRequire, TLSVerifyCA, TLSVerifyFull, TLSPassthrough), v.pos
		}},
		{Key{
			Name: "ca", Type: "string", Default: "the system's roots", Example: `"ca.pem"`,
			Meaning:     "A file of root certificates in PEM, for `verify-ca` and `verify-full`. A relative path starts at the configuration file's directory.",
			Consequence: "The upstream's certificate must come from one of these, and the system's roots do not count. The file is read at start.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			if path, ok := d.path(k, v); ok {
				e.CA, e.CAPos = path, v.pos
			}
		}},
		{Key{
			Name: "server_name", Type: "string", Default: "the host of `address`", Example: `"db.internal"`,
			Meaning:     "The name or IP address that the upstream's certificate must be for (`verify-full`), which is also asked for in the handshake.",
			Consequence: "Needed where `address` is not what the certificate says, such as an IP address or a local port that is forwarded.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			text, ok := d.text(k, v)
			if !ok {
				return
			}
			_, err := netip.ParseAddr(text.Value)
			if err != nil {
				err = validHost(text.Value)
			}
			if err != nil {
				d.problem(text.start, "server_name %s %v; write a host name without a port, such as server_name = %s", quote(text.Value), err, k.Example)
				return
			}
			e.ServerName, e.serverNamePos = text.Value, v.pos
		}},
		{Key{
			Name: "agent_tls", Type: `"auto", "offer", "require" or "refuse"`, Default: `"auto"`, Example: `"require"`,
			Meaning:     "Whether agents can speak TLS to the gateway, which then shows a certificate of its own CA (`sallyport ca`) for the endpoint's name. `auto` offers it where the upstream has it, as agents would find it without the gateway (WireGuard encrypts in any case, and TLS inside of it costs time), unless agents log in there by themselves: their channel binding would be to the gateway's certificate, which the upstream refuses.",
			Consequence: "`require` turns away agents without TLS, `refuse` tells them that there is none; what they say is encrypted by WireGuard in any case.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			e.AgentTLS, e.agentTLSPos = oneOf(d, k, v, e.AgentTLS, AgentTLSAuto, AgentTLSOffer, AgentTLSRequire, AgentTLSRefuse), v.pos
		}},
	}, certificateFields()...)
}

// oneOf reads one of several words. After a mistake it returns the one that held before.
func oneOf[T ~string](d *decoder, k Key, v *value, before T, words ...T) T {
	text, ok := d.text(k, v)
	if !ok {
		return before
	}
	if slices.Contains(words, T(text.Value)) {
		return T(text.Value)
	}
	valid := make([]string, len(words))
	for i, w := range words {
		valid[i] = string(w)
	}
	d.problem(text.start, "unknown %s %s%s", k.Name, quote(text.Value), d.hint(text.Value, valid))
	return before
}
