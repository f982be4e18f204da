package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/sallyport-dev/sallyport/host/alias"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// layers is what a connection's session knows of its transports and its login. Its zero value knows nothing.
type layers struct {
	names   []string // under which the agent may know the endpoint
	aliases *alias.Connection
	logins  map[int]secret.Exchange // by slot

	mu        sync.Mutex // both sides may be secured at once
	protocols []string   // what the agent's side agreed on by ALPN, if anything
	binding   []byte     // of the upstream's certificate
	secured   bool       // the upstream's side
	failure   string     // why a handshake failed, for the operator
}

// Secure ends TLS on one side. What the agent negotiates by ALPN is what the upstream is offered; the plugin, which knows the
// protocol, is told and refuses what it does not speak.
func (s *session) Secure(ctx context.Context, side abi.Side, k gate.Conn) (gate.Conn, gate.Secured, error) {
	var c *layer.Conn
	var err error
	if side == abi.Agent {
		c, err = layer.Server(ctx, k, layer.ServerOptions{CA: s.ca, Names: s.layers.names, AnyProtocol: true})
	} else {
		s.layers.mu.Lock()
		protocols := s.layers.protocols
		s.layers.mu.Unlock()
		c, err = layer.Client(ctx, k, s.endpoint.upstreamTLS(protocols, s.a.cfg.Limits.DialTimeout))
	}
	if err != nil {
		return nil, gate.Secured{}, s.unsecured(side, err)
	}
	i := c.Info()
	s.layers.mu.Lock()
	defer s.layers.mu.Unlock()
	if side == abi.Upstream {
		s.layers.binding, s.layers.secured = c.Binding(), true
	} else if i.Protocol != "" {
		s.layers.protocols = []string{i.Protocol}
	}
	return c, gate.Secured{Version: i.Version, Name: i.Name, Protocol: i.Protocol}, nil
}

// unsecured keeps the whole story of a failed handshake for the operator, and returns what may be shown to the agent.
func (s *session) unsecured(side abi.Side, err error) error {
	s.log.Warn("a TLS handshake failed", "endpoint", s.endpoint.cfg.Name.Value, "peer", s.peer, "side", side.String(), "error", err)
	s.layers.mu.Lock()
	defer s.layers.mu.Unlock()
	s.layers.failure = err.Error()
	var e *layer.Error
	if errors.As(err, &e) {
		return errors.New(e.Reason)
	}
	return fmt.Errorf("the TLS handshake with the %v failed", side)
}

// Auth answers the server's words in the login of a slot.
func (s *session) Auth(slot int, words []byte) ([]byte, error) {
	x := s.layers.logins[slot]
	if x == nil {
		var err error
		if x, err = s.beginLogin(slot); err != nil {
			return nil, s.loginFailed(err)
		}
	}
	answer, err := x.Step(words)
	if err != nil {
		return nil, s.loginFailed(err)
	}
	return answer, nil
}

func (s *session) beginLogin(slot int) (secret.Exchange, error) {
	l := s.endpoint.logins[s.profile]
	if l == nil || slot < 0 || slot >= len(l.slots) || !l.slots[slot].filled {
		return nil, errors.New("the credential has no secret for this login")
	}
	s.layers.mu.Lock()
	t := secret.Transport{Verified: s.layers.secured && modes[s.endpoint.cfg.TLS].Verified(), Binding: s.layers.binding}
	s.layers.mu.Unlock()
	x, err := l.slots[slot].form.Begin(secret.Login{Secret: l.slots[slot].secret, User: l.attribute("user"), Methods: l.methods, Transport: t})
	if err != nil {
		return nil, err
	}
	if s.layers.logins == nil {
		s.layers.logins = map[int]secret.Exchange{}
	}
	s.layers.logins[slot] = x
	return x, nil
}

// loginFailed tells the operator, whose credential it is. The error names no secret and may be shown.
func (s *session) loginFailed(err error) error {
	credential := ""
	if l := s.endpoint.logins[s.profile]; l != nil {
		credential = l.credential
	}
	s.log.Warn("the gateway cannot log in for an agent", "endpoint", s.endpoint.cfg.Name.Value, "peer", s.peer, "credential", credential, "error", err)
	return err
}

// Alias makes a value that stands for original while the connection lives.
func (s *session) Alias(original []byte) ([]byte, error) {
	if s.layers.aliases == nil {
		return nil, errors.New("this connection keeps no aliases")
	}
	return s.layers.aliases.Alias(original)
}

// Unalias is what an alias stands for that this peer was given at this endpoint.
func (s *session) Unalias(value []byte) ([]byte, bool) {
	if s.layers.aliases == nil {
		return nil, false
	}
	return s.layers.aliases.Unalias(value)
}

// close forgets aliases and wipes logins, once the connection has ended. The operator's words about a failed handshake remain.
func (l *layers) close() {
	for _, x := range l.logins {
		x.Close()
	}
	if l.aliases != nil {
		l.aliases.Close()
	}
}
