package gateway

import (
	"context"
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/nearest"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/host/secret/mask"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// login is a credential as it is used at an endpoint.
type login struct {
	from       *config.Credential
	credential string
	methods    []string // nil: what is safe
	slots      []slot   // filled or not, as the manifest has them
	attributes []abi.Attribute
	identity   config.Identity
	client     *tls.Certificate // identity, read; nil: none
	clientKey  secret.Secret    // of client
	echoes     *mask.Set        // of what is written into messages; nil: nothing is
	ssh        sshLogin
}

// slot is one secret of a login.
type slot struct {
	name   string
	form   secret.Form
	secret secret.Secret
	filled bool
}

// hasSecret says that the gateway logs in.
func (l *login) hasSecret() bool {
	return l != nil && slices.ContainsFunc(l.slots, func(s slot) bool { return s.filled })
}

// fills reports whether the credential has a secret for a slot.
func (l *login) fills(slot int) bool {
	return l != nil && slot >= 0 && slot < len(l.slots) && l.slots[slot].filled
}

// use is what a form needs to use the secret of a slot.
func (l *login) use(slot int, t secret.Transport) secret.Login {
	u := secret.Login{Secret: l.slots[slot].secret, User: l.attribute("user"), Methods: l.methods, Transport: t, Attribute: l.attribute}
	if with := l.slots[slot].form.With; with != "" {
		for _, s := range l.slots {
			if s.form.Name == with && s.filled {
				u.Token = s.secret
			}
		}
	}
	return u
}

// size is how many bytes stand for the secret of a slot in a message; 0: it is not written.
func (l *login) size(slot int) int {
	if !l.slots[slot].form.Writes() {
		return 0
	}
	b, err := l.slots[slot].form.Write(l.use(slot, secret.Transport{}))
	clear(b)
	if err != nil {
		return 0
	}
	return len(b)
}

// attribute is the value of an attribute, or empty.
func (l *login) attribute(name string) string {
	for _, a := range l.attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// transports reads what endpoints need to speak to their upstreams: roots, and the secrets of credentials.
func (a *Assembly) transports(ctx context.Context, now time.Time) config.Problems {
	l := &loader{ctx: ctx, a: a, now: now, seen: map[config.Problem]bool{}, secrets: map[secret.Reference]secret.Secret{}}
	for i := range a.cfg.Plugins {
		p := a.plugins[a.cfg.Plugins[i].Name.Value]
		if p == nil {
			continue // its own problem is on the list
		}
		for _, s := range p.manifest.Slots {
			if _, ok := secret.FormOf(s.Form); !ok {
				l.problem(a.cfg.Plugins[i].Pos, "plugin %s: its slot %s has the form %q, which this gateway does not know", p.manifest.Name, s.Name, s.Form)
			}
		}
	}
	for i := range a.cfg.Endpoints {
		if e := a.endpoints[a.cfg.Endpoints[i].Name.Value]; e != nil {
			l.endpoint(e)
		}
	}
	l.authority()
	return l.problems
}

// loader gathers problems, each once: several endpoints can share a credential.
type loader struct {
	ctx      context.Context // of the loading
	a        *Assembly
	now      time.Time
	problems config.Problems
	seen     map[config.Problem]bool
	secrets  map[secret.Reference]secret.Secret
	again    bool // a login is made anew while the gateway serves: what is worth a warning was said when it was loaded
}

func (l *loader) problem(at config.Pos, format string, args ...any) {
	if p := l.a.cfg.Problem(at, format, args...); !l.seen[p] {
		l.seen[p] = true
		l.problems = append(l.problems, p)
	}
}

func (l *loader) warn(at config.Pos, format string, args ...any) {
	if l.again {
		return
	}
	if p := l.a.cfg.Problem(at, format, args...); !l.seen[p] {
		l.seen[p] = true
		l.a.warnings = append(l.a.warnings, p)
	}
}

func (l *loader) endpoint(e *endpoint) {
	c := e.cfg
	l.transport(e)
	e.logins = map[string]*login{}
	for _, profile := range c.Profiles {
		name, ok := c.Credentials[profile.Value]
		if !ok {
			continue
		}
		i := slices.IndexFunc(l.a.cfg.Credentials, func(k config.Credential) bool { return k.Name.Value == name.Value })
		if i < 0 {
			continue // config has reported it
		}
		k := &l.a.cfg.Credentials[i]
		e.logins[profile.Value] = l.login(e, k)
		if e.logins[profile.Value].hasSecret() && c.TLSPos.IsZero() && !e.isSSH() {
			l.problem(name.Pos, `credential %q has a secret, so the endpoint has to say how sure it wants to be of its upstream: write tls = "verify-full" (or "disable" where the network is yours)`, name)
		}
	}
}

// login reads a credential as an endpoint's plugin wants it.
func (l *loader) login(e *endpoint, k *config.Credential) *login {
	g := &login{from: k, credential: k.Name.Value, identity: k.Client, client: l.identity(k.Client)}
	g.clientKey = l.secrets[k.Client.Key]
	for _, s := range e.manifest.Slots {
		form, _ := secret.FormOf(s.Form)
		g.slots = append(g.slots, slot{name: s.Name, form: form})
	}
	for _, s := range k.Settings {
		i := slices.IndexFunc(e.manifest.Slots, func(d abi.Slot) bool { return d.Name == s.Name.Value })
		switch {
		case i >= 0:
			g.slots[i].secret, g.slots[i].filled = l.secret(s)
		case slices.ContainsFunc(e.manifest.Attributes, func(d abi.CredentialAttribute) bool { return d.Name == s.Name.Value }):
			l.attribute(g, s)
		default:
			l.problem(s.Name.Pos, "plugin %q of endpoint %q has no slot or attribute %q%s", e.manifest.Name, e.cfg.Name, s.Name, others(e.manifest, s.Name.Value))
		}
	}
	l.methods(e, k, g)
	l.written(e, k, g)
	l.sshLogin(g)
	return g
}

// others says what a plugin has instead of a key.
func others(m *abi.Manifest, key string) string {
	var names []string
	for _, s := range m.Slots {
		names = append(names, s.Name)
	}
	for _, a := range m.Attributes {
		names = append(names, a.Name)
	}
	if len(names) == 0 {
		return "; it takes no credential"
	}
	return "; " + nearest.Hint(key, names)
}

func (l *loader) attribute(g *login, s config.Setting) {
	if scheme, _, ok := strings.Cut(s.Value.Value, ":"); ok && slices.Contains([]string{"env", "file", "cmd", "exec-credential", "sealed"}, scheme) {
		l.problem(s.Value.Pos, "%s is no secret and is not looked up; write it as it is", s.Name)
		return
	}
	g.attributes = append(g.attributes, abi.Attribute{Name: s.Name.Value, Value: s.Value.Value})
}

// secret resolves the reference in a slot's setting, once for all who use it.
func (l *loader) secret(s config.Setting) (secret.Secret, bool) {
	r, err := l.a.cfg.Reference(s.Value)
	if err != nil {
		l.problem(s.Value.Pos, "%s: %v", s.Name, err)
		return secret.Secret{}, false
	}
	return l.resolve(r, s.Value.Pos, s.Name.Value)
}

// written checks what of a credential is written into messages, and gathers what an upstream might echo of it.
func (l *loader) written(e *endpoint, k *config.Credential, g *login) {
	var echoes [][]byte
	for i, s := range g.slots {
		if !s.filled {
			continue
		}
		at := k.Pos
		for _, setting := range k.Settings {
			if setting.Name.Value == s.name {
				at = setting.Value.Pos
			}
		}
		for _, name := range s.form.Needs {
			if g.attribute(name) == "" {
				l.problem(at, "%s needs %s as well: credential %q has to say it for endpoint %q", s.name, name, k.Name, e.cfg.Name)
			}
		}
		use := g.use(i, secret.Transport{})
		if err := s.form.Check(use); err != nil {
			l.problem(at, "%s: %v", s.name, err)
			continue
		}
		if len(s.form.Methods) > 0 || s.form.ForTransport() { // it logs in, and is written nowhere
			continue
		}
		if s.form.Writes() && !e.verified() {
			l.warn(at, "%s itself goes to whoever answers at endpoint %q: tls is %q there", s.name, e.cfg.Name, e.cfg.TLS)
		}
		values := s.form.Echoes(use)
		echoes = append(echoes, values...)
		if len(values[0]) < mask.Least {
			l.warn(at, "%s is shorter than %d characters, too short to be masked where endpoint %q echoes it", s.name, mask.Least, e.cfg.Name)
		}
	}
	g.echoes = mask.NewSet(echoes...)
	for _, e := range echoes {
		clear(e)
	}
}

// methods checks the login methods of a credential against the forms of its slots and the transport.
func (l *loader) methods(e *endpoint, k *config.Credential, g *login) {
	if k.Methods == nil {
		return
	}
	var forms []secret.Form
	for _, s := range g.slots {
		if slices.ContainsFunc(k.Settings, func(k config.Setting) bool { return k.Name.Value == s.name }) {
			forms = append(forms, s.form)
		}
	}
	if len(forms) == 0 {
		l.problem(k.Methods[0].Pos, "methods changes nothing: credential %q has no secret for endpoint %q", k.Name, e.cfg.Name)
		return
	}
	bound := true
	for _, m := range k.Methods {
		g.methods = append(g.methods, m.Value)
		for _, form := range forms {
			method, ok := form.Method(m.Value)
			bound = bound && method.Binding
			switch {
			case !ok:
				l.problem(m.Pos, "unknown login method %q; %s", m, nearest.Hint(m.Value, form.MethodNames()))
			case method.Clear && !e.verified():
				l.warn(m.Pos, `the password itself goes to whoever answers at endpoint %q: tls is %q there`, e.cfg.Name, e.cfg.TLS)
			}
		}
	}
	if bound && e.cfg.TLS == config.TLSDisable {
		l.problem(k.Methods[0].Pos, `login methods with channel binding only, and tls = "disable" at endpoint %q: nobody can ever log in`, e.cfg.Name)
	}
}

// facts are what the guest of a connection is told.
func (e *endpoint) facts(peer, profile string, l *login) abi.Facts {
	f := abi.Facts{Endpoint: e.cfg.Name.Value, Peer: peer, Profile: profile, UpstreamTLS: e.endsUpstream()}
	switch e.cfg.AgentTLS {
	case config.AgentTLSAuto:
		// As the agent would find it without the gateway. But one that logs in by itself may bind its login to the certificate
		// that it sees, which is not the upstream's; nobody does who begins with TLS.
		f.AgentTLS = f.UpstreamTLS && (l.hasSecret() || e.spoken.first)
	case config.AgentTLSOffer:
		f.AgentTLS = true
	case config.AgentTLSRequire:
		f.AgentTLS, f.AgentTLSRequired = true, true
	}
	switch {
	case e.cfg.Plugin.Value == config.None: // it ends no TLS
		f.AgentTLS = false
	case e.isSSH():
		f.AgentTLS, f.AgentTLSRequired = true, true
	}
	if l != nil {
		f.Attributes = l.attributes
		for i, s := range l.slots {
			if s.filled {
				f.Slots = append(f.Slots, s.name)
				f.Sizes = append(f.Sizes, uint32(l.size(i)))
			}
		}
		if !slices.ContainsFunc(f.Sizes, func(n uint32) bool { return n > 0 }) {
			f.Sizes = nil
		}
	}
	return f
}

// Warnings are what is valid, was found when everything was loaded, and is probably not meant. The gateway runs with them.
func (a *Assembly) Warnings() config.Problems { return a.warnings }
