package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/host/layer/sshside"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// transport is how an endpoint's upstream is spoken to, and what its plugin speaks.
type transport struct {
	roots  *x509.CertPool // of the upstream's certificate; nil: the system's
	pins   []layer.Pin
	client *tls.Certificate // shown to an upstream that asks for one, where the credential brings none; nil: none
	spoken spoken

	hostKeys *sshside.HostKeys // of an upstream of SSH; nil: it is none
}

// spoken is what a plugin speaks inside of TLS.
type spoken struct {
	// protocols are the names of ALPN that the plugin knows, preferred first; the last is what is spoken to an upstream that
	// negotiates nothing. None: the agent's first is taken, and the plugin refuses what it does not speak.
	protocols []string
	// first says that connections begin with TLS at once, so that the agent's hello is all there is to tell what it is for.
	first bool
}

// modes are the layer's names for what the configuration says. What is not here is no TLS that the gateway ends.
var modes = map[config.TLS]layer.Mode{
	config.TLSDisable: layer.Disable, config.TLSRequire: layer.Require, config.TLSVerifyCA: layer.VerifyCA, config.TLSVerifyFull: layer.VerifyFull,
}

// endsUpstream reports whether the gateway speaks TLS, or SSH, with the endpoint's upstream.
func (e *endpoint) endsUpstream() bool { return e.isSSH() || modes[e.cfg.TLS] != layer.Disable }

// verified reports whether the gateway makes sure who the endpoint's upstream is.
func (e *endpoint) verified() bool {
	return e.isSSH() || modes[e.cfg.TLS].Verified() || e.endsUpstream() && len(e.cfg.Pins) > 0
}

// needsName reports whether an agent's TLS has to name the endpoint.
func (e *endpoint) needsName() bool {
	return e.cfg.AgentSNI == config.AgentSNIRequire || e.cfg.AgentSNI == config.AgentSNIAuto && e.spoken.first
}

// upstreamTLS says how the endpoint's upstream is spoken to with a login, which may be nil.
func (e *endpoint) upstreamTLS(l *login, protocols []string, limit time.Duration) layer.ClientOptions {
	o := layer.ClientOptions{Mode: modes[e.cfg.TLS], Roots: e.roots, Name: e.cfg.ServerName, Protocols: protocols, Timeout: limit,
		Pins: e.pins, Certificate: e.client}
	if l != nil && l.client != nil {
		o.Certificate = l.client
	}
	return o
}

// transport reads the files of an endpoint's TLS.
func (l *loader) transport(e *endpoint) {
	c := e.cfg
	e.spoken = spokenBy(e.manifest)
	if e.isSSH() {
		l.sshTransport(e)
		return
	}
	if !c.SSH.IsZero() {
		l.problem(c.SSH.Pos, "known_hosts, host_key, host_ca and trust_first_use change nothing with plugin %q, which does not speak SSH; remove them", c.Plugin)
	}
	if key, at := c.Record.Place(); key != "" {
		l.problem(at, "%s changes nothing with plugin %q, which does not speak SSH; remove it", key, c.Plugin)
	}
	if c.CA != "" {
		roots, err := layer.ReadRoots(c.CA)
		if err != nil {
			l.problem(c.CAPos, "%v", err)
		}
		e.roots = roots
	}
	for _, text := range c.Pins {
		if p, err := layer.ParsePin(text); err == nil { // config has checked it
			e.pins = append(e.pins, p)
		}
	}
	e.client = l.identity(c.Client)
}

// identity reads a certificate with its key.
func (l *loader) identity(i config.Identity) *tls.Certificate {
	if i.IsZero() {
		return nil
	}
	key, ok := l.resolve(i.Key, i.KeyPos, "client_key")
	if !ok {
		return nil
	}
	text := key.Reveal()
	defer clear(text)
	c, err := layer.ReadIdentity(i.Certificate, text, l.now)
	if err != nil {
		l.problem(i.CertificatePos, "client_cert: %v", err)
		return nil
	}
	return c
}

// resolve reads a secret once for all who refer to it.
func (l *loader) resolve(r secret.Reference, at config.Pos, key string) (secret.Secret, bool) {
	if known, ok := l.secrets[r]; ok {
		return known, true
	}
	resolved, err := l.a.store.Resolve(l.ctx, r)
	if err != nil {
		l.problem(at, "%s: %v", key, err)
		return secret.Secret{}, false
	}
	l.secrets[r] = resolved
	return resolved, true
}

// authority checks the gateway's CA: the operator's, or the one in the state.
func (l *loader) authority() {
	cfg := l.a.cfg
	if ca := cfg.Gateway.CA; !ca.IsZero() {
		c, err := suppliedAuthority(cfg)
		switch {
		case err != nil:
			l.problem(ca.CertificatePos, "%v", err)
		case l.now.Add(layer.NearExpiry).After(c.Certificate().NotAfter):
			l.warn(ca.CertificatePos, "the gateway's CA %s expires on %s; agents stop trusting what it signs then", ca.Certificate, c.Certificate().NotAfter.Format(time.DateOnly))
		}
		return
	}
	warning, err := layer.Inspect(cfg.Gateway.State, l.now)
	if err != nil {
		l.problem(cfg.Gateway.StatePos, "%v", err)
	}
	if warning != "" {
		l.warn(cfg.Gateway.StatePos, "%s", warning)
	}
}

func suppliedAuthority(cfg *config.Config) (*layer.CA, error) {
	key, err := cfg.Gateway.CA.Key.Resolve()
	if err != nil {
		return nil, err
	}
	text := key.Reveal()
	defer clear(text)
	return layer.Supplied(cfg.Gateway.CA.Certificate, text)
}

// CertificateAuthority is the gateway's own: the one that the configuration names, else one that is made at first use.
func CertificateAuthority(cfg *config.Config) (*layer.CA, error) {
	if !cfg.Gateway.CA.IsZero() {
		return suppliedAuthority(cfg)
	}
	if err := MakeState(cfg); err != nil {
		return nil, err
	}
	ca, err := layer.Open(cfg.Gateway.State)
	if err != nil {
		return nil, err
	}
	return ca, nil
}

// policyTransport is what of an endpoint's transport and credentials decides. It holds no secret.
type policyTransport struct {
	TLS, CA, ServerName, AgentTLS, AgentSNI string
	Pins                                    []string
	Client                                  policyIdentity
	Logins                                  map[string]policyLogin // by profile
	SSH                                     *policySSH             `json:",omitempty"`
}

type policyIdentity struct{ Certificate, Key string }

type policyLogin struct {
	Credential string
	Methods    []string
	Slots      []string // where their secrets are
	Attributes []abi.Attribute
	Client     policyIdentity
}

func policyIdentityOf(i config.Identity) policyIdentity {
	if i.IsZero() {
		return policyIdentity{}
	}
	return policyIdentity{i.Certificate, i.Key.String()}
}

func (e *endpoint) policyTransport() policyTransport {
	c := e.cfg
	p := policyTransport{TLS: string(c.TLS), CA: c.CA, ServerName: c.ServerName, AgentTLS: string(c.AgentTLS), AgentSNI: string(c.AgentSNI),
		Pins: c.Pins, Client: policyIdentityOf(c.Client), Logins: map[string]policyLogin{}, SSH: policySSHOf(c.SSH, c.Record)}
	e.mu.Lock()
	defer e.mu.Unlock()
	for profile, l := range e.logins {
		k := policyLogin{Credential: l.credential, Methods: l.methods, Attributes: l.attributes, Client: policyIdentityOf(l.identity)}
		for _, s := range l.slots {
			if s.filled {
				k.Slots = append(k.Slots, s.name+" "+s.secret.Reference().String())
			}
		}
		p.Logins[profile] = k
	}
	return p
}
