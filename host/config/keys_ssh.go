package config

import (
	"strings"

	"golang.org/x/crypto/ssh"
)

// SSHTrust says which host keys an upstream of SSH may have. An upstream is trusted that satisfies one of them.
type SSHTrust struct {
	// KnownHosts is a file in the form of OpenSSH's known_hosts, an absolute path; empty: none.
	KnownHosts string
	// HostKeys are keys that the upstream may have, HostCAs those of authorities that sign its certificates, as ssh-keygen writes them.
	HostKeys, HostCAs []string
	// FirstUse has the key that an upstream shows first kept, and every other one refused later.
	FirstUse bool
	// Pos is where the file says any of it; it has no place when it does not.
	Pos Pos
}

// IsZero says that nothing is said.
func (t SSHTrust) IsZero() bool { return t.Pos.IsZero() }

// Any says that there is an upstream that is trusted.
func (t SSHTrust) Any() bool {
	return t.KnownHosts != "" || len(t.HostKeys) > 0 || len(t.HostCAs) > 0 || t.FirstUse
}

// Recording says what is written down of the terminals of an endpoint.
type Recording struct {
	// Terminals has their output written down, Input what is typed as well.
	Terminals, Input bool
	// Limit is how long a file gets, in bytes; zero: DefaultRecordLimit.
	Limit int64
	// Pos is where the file says Terminals.
	Pos                Pos
	inputPos, limitPos Pos
}

// DefaultRecordLimit is how long the recording of a terminal gets at most, in bytes.
const DefaultRecordLimit = 64 << 20

// Place is where the file says any of it, and by which key; empty: it does not.
func (r Recording) Place() (key string, at Pos) {
	for _, k := range [...]struct {
		name string
		at   Pos
	}{{"record", r.Pos}, {"record_input", r.inputPos}, {"record_limit", r.limitPos}} {
		if !k.at.IsZero() {
			return k.name, k.at
		}
	}
	return "", Pos{}
}

// maxHostKeys bounds the keys of an endpoint.
const maxHostKeys = 16

// sshFields are keys of [[endpoint]].
func sshFields() []field[Endpoint] {
	const example = `"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJyp7XLZcsLNLWrXv9bKn0OMBQrWA9yPeSHq5eG0TSRC"`
	return []field[Endpoint]{
		{Key{
			Name: "known_hosts", Type: "string", Default: "none", Example: `"known_hosts"`,
			Meaning:     "For endpoints whose plugin speaks SSH: a file of host keys as OpenSSH keeps them in `known_hosts` (`ssh-keyscan` writes it), also with `@cert-authority` and `@revoked`. The upstream is looked up by `address`. A relative path starts at the configuration file's directory.",
			Consequence: "An upstream with another key is not logged in to, and agents are told so. The file is read at start. An endpoint of SSH needs this, `host_key`, `host_ca` or `trust_first_use`.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			if path, ok := d.path(k, v); ok {
				e.SSH.KnownHosts, e.SSH.Pos = path, v.pos
			}
		}},
		{Key{
			Name: "host_key", Type: "string or list of strings", Default: "none", Example: example,
			Meaning:     "For endpoints whose plugin speaks SSH: the host key of the upstream as in its `/etc/ssh/ssh_host_…_key.pub`, or several, at most 16.",
			Consequence: "An upstream with one of these keys is trusted, whatever its name.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			e.SSH.HostKeys, e.SSH.Pos = d.hostKeys(k, v), v.pos
		}},
		{Key{
			Name: "host_ca", Type: "string or list of strings", Default: "none", Example: example,
			Meaning:     "For endpoints whose plugin speaks SSH: the public key of an authority that signs certificates of hosts, or several, at most 16.",
			Consequence: "An upstream is trusted that shows a certificate of one of them, valid now, for the host of `address`.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			e.SSH.HostCAs, e.SSH.Pos = d.hostKeys(k, v), v.pos
		}},
		{Key{
			Name: "trust_first_use", Type: "boolean", Default: "false", Example: "true",
			Meaning:     "For endpoints whose plugin speaks SSH: the host key that the upstream shows at the first connection is kept in `state` (`ssh_hosts`), and is the one that it may have from then on. It counts where nothing else that the endpoint says knows the upstream.",
			Consequence: "Whoever answers first is trusted with the credential. A later change is refused until the file of the endpoint in `ssh_hosts` is removed.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			e.SSH.FirstUse, e.SSH.Pos = d.boolean(k, v), v.pos
		}},
		{Key{
			Name: "record", Type: "boolean", Default: "false", Example: "true",
			Meaning:     "For endpoints whose plugin speaks SSH: what terminals show (a shell, or a command with `ssh -t`) is written down as asciicast version 2, in `state` (`terminals/RECEIPT.cast`), which `asciinema play` shows. Copies of files and commands without a terminal are not.",
			Consequence: "A terminal of which nothing can be written ends its connection. Files are not removed by the gateway.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			e.Record.Terminals, e.Record.Pos = d.boolean(k, v), v.pos
		}},
		{Key{
			Name: "record_input", Type: "boolean", Default: "false", Example: "true",
			Meaning:     "With `record`: what is typed is written down as well.",
			Consequence: "Passwords that are typed stand in the file, although terminals do not show them.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			e.Record.Input, e.Record.inputPos = d.boolean(k, v), v.pos
		}},
		{Key{
			Name: "record_limit", Type: "size", Default: `"64MiB"`, Example: `"1GiB"`,
			Meaning:     "With `record`: how long a file gets, `64KiB` to `16GiB`.",
			Consequence: "A recording that reaches it ends with a marker that says so. The session goes on.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			e.Record.Limit, e.Record.limitPos = d.size(k, v, e.Record.Limit, 64<<10, 16<<30), v.pos
		}},
	}
}

// hostKeys reads one public key or several.
func (d *decoder) hostKeys(k Key, v *value) (keys []string) {
	var texts []Text
	if v.kind == kindArray {
		texts = d.texts(k, v)
	} else if text, ok := d.text(k, v); ok {
		texts = []Text{text}
	}
	if len(texts) > maxHostKeys {
		d.problem(v.pos, "%s lists %d keys; the limit is %d", k.Name, len(texts), maxHostKeys)
		return nil
	}
	for _, t := range texts {
		_, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(t.Value))
		if err != nil || len(options) > 0 || len(rest) > 0 || strings.ContainsAny(t.Value, "\r\n") {
			d.problem(t.start, "%s %s is not a public key as ssh-keygen writes it; write %s = %s", k.Name, quote(t.Value), k.Name, k.Example)
			continue
		}
		keys = append(keys, t.Value)
	}
	return keys
}

// TLSKey is a key of the endpoint that is about TLS and that the file says, and where; empty: it says none.
func (e *Endpoint) TLSKey() (name string, at Pos) {
	client := e.Client.CertificatePos
	if client.IsZero() {
		client = e.Client.KeyPos
	}
	for _, k := range []struct {
		name string
		at   Pos
	}{
		{"tls", e.TLSPos}, {"ca", e.CAPos}, {"server_name", e.serverNamePos}, {"agent_tls", e.agentTLSPos}, {"agent_sni", e.agentSNIPos},
		{"pin", e.PinPos}, {"client_cert", client},
	} {
		if !k.at.IsZero() {
			return k.name, k.at
		}
	}
	return "", Pos{}
}
