package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/layer/sshside"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// firstUseDir is where in the state the host keys of upstreams are kept that were trusted at first use.
const firstUseDir = "ssh_hosts"

// sshLogin is how a credential logs in at a transport of SSH.
type sshLogin struct {
	signer   ssh.Signer // nil: no key
	password secret.Secret
	has      bool // a password
}

// isSSH reports whether the endpoint's plugin speaks SSH, which the host ends on both sides.
func (e *endpoint) isSSH() bool { return e.manifest != nil && e.manifest.Transport == abi.TransportSSH }

// sshTransport reads which host keys the upstream of an endpoint may have, and finds what is not for SSH.
func (l *loader) sshTransport(e *endpoint) {
	c := e.cfg
	if name, at := c.TLSKey(); name != "" {
		l.problem(at, "%s changes nothing with plugin %q, which speaks SSH and no TLS; remove it", name, c.Plugin)
	}
	if key, at := c.Record.Place(); key != "" && !c.Record.Terminals {
		l.problem(at, "%s changes nothing without record = true; remove it, or write that", key)
	}
	if !c.SSH.Any() {
		l.problem(c.Pos, `endpoint %q has to say how its upstream is known: write known_hosts = "FILE", host_key = "ssh-ed25519 AAAA…", host_ca, or trust_first_use = true`, c.Name)
		return
	}
	o := sshside.HostKeyOptions{Address: c.Address.Value, KnownHosts: c.SSH.KnownHosts, Keys: c.SSH.HostKeys, Authorities: c.SSH.HostCAs}
	if c.SSH.FirstUse {
		o.FirstUse = filepath.Join(l.a.cfg.Gateway.State, firstUseDir, c.Name.Value+".pub")
	}
	var err error
	if e.hostKeys, err = sshside.NewHostKeys(o); err != nil {
		l.problem(c.SSH.Pos, "%v", err)
	}
}

// sshLogin reads the secrets of a credential once; what is wrong with them was reported when they were checked.
func (l *loader) sshLogin(g *login) {
	for i, s := range g.slots {
		if !s.filled {
			continue
		}
		switch s.form.Name {
		case secret.FormSSHKey:
			u := g.use(i, secret.Transport{})
			g.ssh.signer, _ = secret.SSHSigner(u.Secret, u.Token)
		case secret.FormSSHPassword:
			g.ssh.password, g.ssh.has = s.secret, true
		}
	}
}

// methods are the ways to log in, the key first.
func (g sshLogin) methods() (list []ssh.AuthMethod) {
	if g.signer != nil {
		list = append(list, ssh.PublicKeys(g.signer))
	}
	if g.has {
		reveal := func() (string, error) { return string(g.password.Reveal()), nil }
		list = append(list, ssh.PasswordCallback(reveal), ssh.KeyboardInteractive(g.answer))
	}
	return list
}

// answer answers the questions of keyboard-interactive (RFC 4256) that can only want the password: one that is not echoed.
func (g sshLogin) answer(_, _ string, questions []string, echo []bool) ([]string, error) {
	switch {
	case len(questions) == 0:
		return nil, nil
	case len(questions) == 1 && !echo[0]:
		return []string{string(g.password.Reveal())}, nil
	}
	return nil, errors.New("the upstream asks for more than a password")
}

// secureSSH ends SSH on one side. Both share a link.
func (s *session) secureSSH(ctx context.Context, side abi.Side, k gate.Conn) (gate.Conn, gate.Secured, error) {
	if side == abi.Agent {
		return s.secureSSHAgent(ctx, k)
	}
	s.layers.mu.Lock()
	link, user := s.layers.ssh, s.layers.sshUser
	s.layers.mu.Unlock()
	if link == nil {
		return nil, gate.Secured{}, errors.New("the agent has not asked to log in yet")
	}
	o := sshside.ClientOptions{User: user, HostKey: s.endpoint.hostKeys.Check, HostKeyAlgorithms: s.endpoint.hostKeys.Algorithms(), Timeout: s.a.cfg.Limits.DialTimeout}
	c, err := s.clientSSH(ctx, k, link, o)
	if err != nil {
		return nil, gate.Secured{}, s.unsecured(abi.Upstream, err)
	}
	s.layers.mu.Lock()
	defer s.layers.mu.Unlock()
	s.layers.secured = true
	return c, gate.Secured{Version: "2.0"}, nil
}

// trySSH logs in at an upstream of SSH, with a credential if there is one.
func (s *session) trySSH(ctx context.Context, k gate.Conn, link *sshside.Link, o sshside.ClientOptions, l *login) (gate.Conn, error) {
	if l != nil {
		o.User, o.Auth = cmp.Or(l.attribute("user"), o.User), l.ssh.methods()
	}
	c, err := sshside.Client(ctx, k, link, o)
	if err != nil { // and no *sshside.Side in an interface
		return nil, err
	}
	return c, nil
}

func (s *session) secureSSHAgent(ctx context.Context, k gate.Conn) (gate.Conn, gate.Secured, error) {
	key, err := sshside.OpenHostKey(s.a.cfg.Gateway.State)
	if err != nil {
		return nil, gate.Secured{}, s.unsecured(abi.Agent, err)
	}
	link := sshside.NewLink()
	if s.endpoint.cfg.Record.Terminals {
		link.Recordings(s.recordTerminal)
	}
	if s.a.rules.Inspects(s.endpoint.cfg.Name.Value) {
		link.WithoutBanner()
	}
	c, agent, err := sshside.Server(ctx, k, link, sshside.ServerOptions{HostKeys: []ssh.Signer{key}})
	if err != nil {
		return nil, gate.Secured{}, s.unsecured(abi.Agent, err)
	}
	s.layers.mu.Lock()
	defer s.layers.mu.Unlock()
	s.layers.ssh, s.layers.sshUser = link, agent.User
	return c, gate.Secured{Version: "2.0", Name: agent.User, Protocol: agent.Version}, nil
}

// policySSH is what decides which upstreams of SSH are trusted, and whether terminals are recorded.
type policySSH struct {
	KnownHosts        string
	HostKeys, HostCAs []string
	FirstUse          bool
	Record            bool `json:",omitempty"`
}

func policySSHOf(t config.SSHTrust, r config.Recording) *policySSH {
	if t.IsZero() {
		return nil
	}
	return &policySSH{t.KnownHosts, t.HostKeys, t.HostCAs, t.FirstUse, r.Terminals}
}

// KnownHosts are the lines of known_hosts by which agents know the gateway at the endpoints of SSH that a profile has, by their names; an empty profile is everybody's. It makes
// the gateway's host key at first use.
func KnownHosts(cfg *config.Config, profile string) (string, error) {
	return knownHosts(cfg, profile, func(string) (netip.Addr, bool) { return netip.Addr{}, false })
}

// knownHosts is KnownHosts, with the addresses that agents find for names.
func knownHosts(cfg *config.Config, profile string, resolve func(string) (netip.Addr, bool)) (string, error) {
	var b strings.Builder
	var key ssh.Signer
	for i := range cfg.Endpoints {
		e := &cfg.Endpoints[i]
		has := profile == "" || slices.ContainsFunc(e.Profiles, func(t config.Text) bool { return t.Value == profile })
		if !e.SSH.Any() || !has {
			continue
		}
		if key == nil {
			var err error
			if err = MakeState(cfg); err != nil {
				return "", err
			}
			if key, err = sshside.OpenHostKey(cfg.Gateway.State); err != nil {
				return "", err
			}
		}
		names := []string{e.Name.Value}
		if a, ok := resolve(e.Name.Value); ok {
			names = append(names, a.String())
		}
		if e.IP.IsValid() {
			names = append(names, e.IP.String())
		}
		fmt.Fprintln(&b, sshside.KnownHostsLine(names, e.Port, key.PublicKey()))
	}
	return b.String(), nil
}
