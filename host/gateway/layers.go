package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/alias"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/host/layer/sshside"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// layers is what a connection's session knows of its transports and its login. Its zero value knows nothing.
type layers struct {
	names   []string // under which the agent may know the endpoint
	aliases *alias.Connection
	logins  map[int]secret.Exchange // by slot
	refused []int                   // slots whose secret the upstream does not take

	mu        sync.Mutex // both sides may be secured at once
	mayDial   bool       // connecting was allowed, and the plugin has not dialled
	early     *early     // the upstream that was reached before it did
	protocols []string   // what the agent's side agreed on by ALPN, if anything
	binding   []byte     // of the upstream's certificate
	secured   bool       // the upstream's side
	failure   string     // why a handshake failed, for the operator
	ssh       *sshside.Link
	sshUser   string // as whom the agent logs in
}

// Secure ends TLS on one side. The agent is answered with a protocol that the plugin names and the upstream chose.
func (s *session) Secure(ctx context.Context, side abi.Side, k gate.Conn) (gate.Conn, gate.Secured, error) {
	if s.endpoint.isSSH() {
		return s.secureSSH(ctx, side, k)
	}
	secure := s.secureUpstream
	if side == abi.Agent {
		secure = s.secureAgent
	}
	c, err := secure(ctx, k)
	if err != nil {
		return nil, gate.Secured{}, s.unsecured(side, err)
	}
	i := c.Info()
	secured := gate.Secured{Version: i.Version, Name: i.Name, Protocol: i.Protocol}
	s.layers.mu.Lock()
	defer s.layers.mu.Unlock()
	if side == abi.Upstream {
		s.layers.binding, s.layers.secured = c.Binding(), true
		return s.unechoed(c), secured, nil
	}
	if i.Protocol != "" {
		s.layers.protocols = []string{i.Protocol}
	}
	return c, secured, nil
}

func (s *session) secureAgent(ctx context.Context, k gate.Conn) (*layer.Conn, error) {
	// The agent waits while the upstream is reached.
	limit := layer.DefaultTimeout + 2*s.a.cfg.Limits.DialTimeout
	return layer.Server(ctx, k, layer.ServerOptions{CA: s.ca, Names: s.layers.names, NeedName: s.endpoint.needsName(), Timeout: limit, Choose: s.choose,
		// The upstream's own name, for agents that know it by that and were given an address beside it.
		Others: []string{strings.ToLower(s.endpoint.cfg.ServerName)}})
}

func (s *session) secureUpstream(ctx context.Context, k gate.Conn) (*layer.Conn, error) {
	s.layers.mu.Lock()
	e, protocols := s.layers.early, s.layers.protocols
	s.layers.mu.Unlock()
	if e != nil && e.taken {
		return e.tls, nil
	}
	c, err := layer.Client(ctx, k, s.endpoint.upstreamTLS(s.ownLogin(), protocols, s.a.cfg.Limits.DialTimeout))
	if err != nil {
		return nil, err
	}
	// The agent was answered before. An upstream that negotiates nothing speaks what everybody speaks there who does not either.
	speaks := s.endpoint.spoken.protocols
	if c.Info().Protocol == "" && len(protocols) > 0 && len(speaks) > 0 && protocols[0] != speaks[len(speaks)-1] {
		c.Abort()
		return nil, &layer.Error{Reason: "the upstream does not speak the protocol that the agent uses", Err: errors.New(protocols[0])}
	}
	return c, nil
}

// unsecured keeps the whole story of a failed handshake for the operator, and returns what may be shown to the agent.
func (s *session) unsecured(side abi.Side, err error) error {
	s.log.Warn("a handshake failed", "endpoint", s.endpoint.cfg.Name.Value, "peer", s.peer, "side", side.String(), "error", err)
	s.layers.mu.Lock()
	defer s.layers.mu.Unlock()
	s.layers.failure = err.Error()
	var e *layer.Error
	if errors.As(err, &e) {
		return errors.New(e.Reason)
	}
	return fmt.Errorf("the handshake with the %v failed", side)
}

// spokenBy is what a plugin's manifest says that it speaks inside of TLS.
func spokenBy(m *abi.Manifest) spoken {
	if m.TLS == nil {
		return spoken{}
	}
	return spoken{protocols: m.TLS.Protocols, first: m.TLS.First}
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
	l := s.ownLogin()
	if !l.fills(slot) {
		return nil, errors.New("the credential has no secret for this login")
	}
	x, err := l.slots[slot].form.Begin(l.use(slot, s.transport()))
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
	if l := s.ownLogin(); l != nil {
		credential = l.credential
	}
	s.log.Warn("the gateway cannot log in for an agent", "endpoint", s.endpoint.cfg.Name.Value, "peer", s.peer, "credential", credential, "error", err)
	return err
}

// Alias makes a value that stands for original while the connection lives.
func (s *session) Alias(original []byte, used func()) ([]byte, error) {
	if s.layers.aliases == nil {
		return nil, errors.New("this connection keeps no aliases")
	}
	return s.layers.aliases.Alias(original, used)
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
	l.early.close()
	if l.ssh != nil {
		_ = l.ssh.Close() // a recording that cannot be written has ended the connection before
	}
}

// Secret is what stands for a slot on the wire.
func (s *session) Secret(slot int) ([]byte, error) {
	l := s.ownLogin()
	if !l.fills(slot) {
		return nil, s.loginFailed(errors.New("the credential has no secret for this slot"))
	}
	b, err := l.slots[slot].form.Write(l.use(slot, s.transport()))
	if err != nil {
		return nil, s.loginFailed(err)
	}
	return b, nil
}

// Sign is what makes a request authentic, by a slot whose form signs, as the plugin wants it written.
func (s *session) Sign(slot int, as abi.SignAs, number uint32, request []byte) ([]byte, error) {
	signed, err := s.signed(slot, request)
	switch {
	case err != nil:
		return nil, err
	case as == abi.SignFrame:
		return signed.AppendFrame(nil, number)
	}
	return signed.AppendFields(nil), nil
}

// signed signs a request; see secret.ParseRequest for what the plugin says of it.
func (s *session) signed(slot int, request []byte) (*secret.Signed, error) {
	l := s.ownLogin()
	if !l.fills(slot) {
		return nil, s.loginFailed(errors.New("the credential has no secret for this slot"))
	}
	r, err := secret.ParseRequest(request)
	if err != nil {
		return nil, err
	}
	signed, err := l.slots[slot].form.Sign(l.use(slot, s.transport()), r, time.Now())
	if err != nil {
		return nil, s.loginFailed(err)
	}
	return signed, nil
}

// transport is what is known of the upstream's transport.
func (s *session) transport() secret.Transport {
	s.layers.mu.Lock()
	defer s.layers.mu.Unlock()
	return secret.Transport{Verified: s.layers.secured && s.endpoint.verified(), Binding: s.layers.binding}
}
