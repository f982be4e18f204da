package config

import (
	"encoding/base64"
	"strings"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// AgentSNI says whether agents must name the endpoint when they begin TLS.
type AgentSNI string

// What an endpoint says about the name in the TLS of its agents. Auto leaves it to the plugin: required where connections begin
// with TLS.
const (
	AgentSNIAuto     AgentSNI = "auto"
	AgentSNIRequire  AgentSNI = "require"
	AgentSNIOptional AgentSNI = "optional"
)

// Identity is a certificate with its key, which refers to a secret. Its zero value is none.
type Identity struct {
	// Certificate is a file with a certificate in PEM, behind it those of its issuers, an absolute path.
	Certificate    string
	CertificatePos Pos
	Key            secret.Reference
	KeyPos         Pos
}

// IsZero reports whether there is none.
func (i Identity) IsZero() bool { return i == Identity{} }

// MaxPins bounds the keys that an endpoint can pin.
const MaxPins = 16

// pinPrefix begins every pin: the hash that it is.
const pinPrefix = "sha256/"

// certificateFields are keys of [[endpoint]].
func certificateFields() []field[Endpoint] {
	return []field[Endpoint]{
		{Key{
			Name: "agent_sni", Type: `"auto", "require" or "optional"`, Default: `"auto"`, Example: `"optional"`,
			Meaning:     "Whether agents that begin TLS with the gateway must say the endpoint's name (SNI). `auto` requires it where connections begin with TLS at once, as with HTTPS, and not where TLS is asked for first, as with PostgreSQL: clients that were given an IP address send no name.",
			Consequence: "An agent that names something other than the endpoint, its address or `server_name` is refused in any case, with a receipt. `optional` lets in agents that name nothing.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			e.AgentSNI, e.agentSNIPos = oneOf(d, k, v, e.AgentSNI, AgentSNIAuto, AgentSNIRequire, AgentSNIOptional), v.pos
		}},
		{Key{
			Name: "pin", Type: "string or list of strings", Default: "any key", Example: `"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="`,
			Meaning:     "The public key of the upstream's certificate: `sha256/` and the SHA-256 of its SubjectPublicKeyInfo in base64, as curl's `--pinnedpubkey` takes it; several while a key is being replaced.",
			Consequence: "An upstream with any other key is not used. With `tls = \"require\"` the key alone says who the upstream is; with `verify-ca` and `verify-full` the certificate is verified as well. When it does not match, the gateway's log shows the pin that would.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			if e.Pins = d.pins(k, v); e.Pins != nil {
				e.PinPos = v.pos
			}
		}},
		{clientCertKey("endpoint"), func(d *decoder, k Key, v *value, e *Endpoint) { d.certificateOf(k, v, &e.Client) }},
		{clientKeyKey("endpoint"), func(d *decoder, k Key, v *value, e *Endpoint) { d.keyOf(k, v, &e.Client) }},
	}
}

// identityFields are keys of [[credential]].
func identityFields() []field[Credential] {
	return []field[Credential]{
		{clientCertKey("credential"), func(d *decoder, k Key, v *value, c *Credential) { d.certificateOf(k, v, &c.Client) }},
		{clientKeyKey("credential"), func(d *decoder, k Key, v *value, c *Credential) { d.keyOf(k, v, &c.Client) }},
	}
}

func clientCertKey(table string) Key {
	who := "Which profile it is makes no difference; a `[[credential]]` can have one of its own instead."
	if table == "credential" {
		who = "It counts for the profiles that have this credential, at endpoints with TLS to their upstream."
	}
	return Key{
		Name: "client_cert", Type: "string", Default: "none", Example: `"gateway-cert.pem"`,
		Meaning:     "The certificate that the gateway shows to an upstream that asks for one (mutual TLS): a file in PEM, behind it the certificates of its issuers. " + who,
		Consequence: "Needs `client_key`. The file is read at start; one that does not fit its key keeps the gateway from starting. A relative path starts at the configuration file's directory.",
	}
}

func clientKeyKey(string) Key {
	return Key{
		Name: "client_key", Type: "secret", Default: "none", Example: `"file:/etc/sallyport/gateway-cert.key"`,
		Meaning:     "Where the private key of `client_cert` comes from: a reference ([secrets.md](secrets.md)), in PEM, without a password.",
		Consequence: "Needs `client_cert`. Its file must not be readable by everybody. Neither agents nor plugins ever see it.",
	}
}

// authorityFields are keys of [gateway].
func authorityFields() []field[Gateway] {
	return []field[Gateway]{
		{Key{
			Name: "ca_cert", Type: "string", Default: "made at first start and kept in `state`", Example: `"agents-ca.pem"`,
			Meaning:     "The certificate of the authority that signs what agents see when they speak TLS with the gateway: a file in PEM, behind it the certificates of its issuers, if it has any. A relative path starts at the configuration file's directory.",
			Consequence: "Needs `ca_key`. Agents have to trust the last certificate of the file, which `sallyport ca` prints and `sallyport run` sees to. Keep the authority for this purpose alone: whoever has its key can play any server towards those who trust it.",
		}, func(d *decoder, k Key, v *value, g *Gateway) { d.certificateOf(k, v, &g.CA) }},
		{Key{
			Name: "ca_key", Type: "secret", Default: "made at first start and kept in `state`", Example: `"file:/etc/sallyport/agents-ca.key"`,
			Meaning:     "Where the private key of `ca_cert` comes from: `env:NAME` or `file:PATH`, in PEM, without a password.",
			Consequence: "Needs `ca_cert`. Its file must not be readable by everybody.",
		}, func(d *decoder, k Key, v *value, g *Gateway) { d.keyOf(k, v, &g.CA) }},
	}
}

func (d *decoder) certificateOf(k Key, v *value, i *Identity) {
	if path, ok := d.path(k, v); ok {
		i.Certificate, i.CertificatePos = path, v.pos
	}
}

func (d *decoder) keyOf(k Key, v *value, i *Identity) {
	text, ok := d.text(k, v)
	if !ok {
		return
	}
	r, err := secret.ParseReference(text.Value, d.dir)
	if err != nil {
		d.problem(text.start, "%s: %v; write %s = %s", k.Name, err, k.Name, k.Example)
		return
	}
	i.Key, i.KeyPos = r, text.start
}

// pins reads one pin or several.
func (d *decoder) pins(k Key, v *value) []string {
	texts := []Text{v.text}
	if v.kind == kindArray {
		texts = d.texts(k, v)
	} else if text, ok := d.text(k, v); !ok {
		return nil
	} else {
		texts[0] = text
	}
	if len(texts) > MaxPins {
		d.problem(v.pos, "pin lists %d keys; the limit is %d", len(texts), MaxPins)
	}
	var pins []string
	for _, t := range texts {
		hash, ok := strings.CutPrefix(t.Value, pinPrefix)
		sum, err := base64.StdEncoding.Strict().DecodeString(hash)
		if !ok || err != nil || len(sum) != 32 || strings.ContainsAny(hash, "\r\n") {
			d.problem(t.start, "pin %s is not sha256/ and 32 bytes in base64; write pin = %s", quote(t.Value), k.Example)
			continue
		}
		pins = append(pins, t.Value)
	}
	return pins
}

// checkTransport finds what of an endpoint's transport changes nothing or promises more than it does, and completes it.
func (d *decoder) checkTransport(e *Endpoint) {
	none := e.Plugin.Value == None
	switch {
	case e.TLS == TLSPassthrough && e.Plugin.IsSet() && !none:
		d.problem(e.TLSPos, `tls = "passthrough" is for plugin "none": plugin %q would see nothing but ciphertext; write tls = "verify-full", or plugin = "none"`, e.Plugin)
	case none && !e.TLSPos.IsZero() && e.TLS != TLSDisable && e.TLS != TLSPassthrough:
		d.problem(e.TLSPos, `tls cannot be kept with plugin "none", which moves bytes as they come: agents and upstream speak TLS with each other or not at all; write tls = "passthrough" to have the name checked that agents ask for, or remove it`)
	}
	if none {
		for what, pos := range map[string]Pos{"agent_tls": e.agentTLSPos, "agent_sni": e.agentSNIPos} {
			if !pos.IsZero() {
				d.problem(pos, `%s changes nothing with plugin "none", which ends no TLS; remove it`, what)
			}
		}
	} else if refused := e.AgentTLS == AgentTLSRefuse; !e.agentSNIPos.IsZero() && (refused || e.AgentTLS == AgentTLSAuto && e.TLS == TLSDisable && d.missing) {
		d.problem(e.agentSNIPos, `agent_sni changes nothing where agents are offered no TLS, with agent_tls = %q and tls = %q; write agent_tls = "offer", or remove it`, e.AgentTLS, e.TLS)
	}
	d.checkIdentity(e.Client, "client_cert", "client_key")
	if d.missing {
		d.checkVerification(e)
	}
	if e.ServerName == "" {
		e.ServerName = e.Host
	}
}

// checkVerification finds keys that a mode of TLS does not use.
func (d *decoder) checkVerification(e *Endpoint) {
	verifies := e.TLS == TLSVerifyCA || e.TLS == TLSVerifyFull
	ends := verifies || e.TLS == TLSRequire // TLS to the upstream
	if e.CA != "" && !verifies {
		d.problem(e.CAPos, `ca changes nothing with tls = %q; write tls = "verify-full"`, e.TLS)
	}
	if e.TLS == TLSVerifyCA && e.CA == "" {
		d.problem(e.TLSPos, `tls = "verify-ca" with the system's roots is satisfied by anybody's certificate; write "verify-full", or give the roots in ca`)
	}
	if !e.serverNamePos.IsZero() && e.TLS == TLSDisable {
		d.problem(e.serverNamePos, `server_name changes nothing with tls = "disable"; write tls = "verify-full"`)
	}
	if !e.PinPos.IsZero() && !ends {
		d.problem(e.PinPos, `pin changes nothing with tls = %q; write tls = "verify-full", or "require" where the key alone says who the upstream is`, e.TLS)
	}
	if !e.Client.IsZero() && !ends {
		pos := e.Client.CertificatePos
		if pos.IsZero() {
			pos = e.Client.KeyPos
		}
		d.problem(pos, `client_cert and client_key change nothing with tls = %q; write tls = "verify-full"`, e.TLS)
	}
}

// checkIdentity finds a certificate without a key and a key without a certificate.
func (d *decoder) checkIdentity(i Identity, certificate, key string) {
	switch {
	case !d.missing || (i.Certificate == "") == i.Key.IsZero():
	case i.Certificate == "":
		d.problem(i.KeyPos, "%s needs %s, the certificate that it is the key of", key, certificate)
	default:
		d.problem(i.CertificatePos, "%s needs %s, a reference to its private key", certificate, key)
	}
}

// checkClients finds credentials and endpoints that both bring a certificate, and credentials whose certificate nobody asks for.
func (d *decoder) checkClients(cfg *Config) {
	for _, c := range cfg.Credentials {
		d.checkIdentity(c.Client, "client_cert", "client_key")
	}
	if !d.missing {
		return
	}
	for _, e := range cfg.Endpoints {
		for _, p := range e.Profiles {
			name := e.Credentials[p.Value]
			for _, c := range cfg.Credentials {
				switch {
				case c.Name.Value != name.Value || c.Client.IsZero():
				case !e.Client.IsZero():
					d.problem(name.start, "credential %q and endpoint %q both have a client_cert; remove one", c.Name, e.Name)
				case e.TLS == TLSDisable || e.TLS == TLSPassthrough:
					d.problem(name.start, `credential %q has a client_cert, which is of no use with tls = %q at endpoint %q; write tls = "verify-full"`, c.Name, e.TLS, e.Name)
				}
			}
		}
	}
}
