package gateway

import (
	"context"
	"errors"
	"slices"

	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/layer/sshside"
)

// errRefused is what an agent is told of a login that an upstream does not take. Why is the operator's matter.
var errRefused = errors.New("the upstream refuses the gateway's login")

// Refused tells the operator that the upstream does not take a secret, once for a connection and slot, and has the next use of it look it up anew.
func (s *session) Refused(slot int, words string) {
	l := s.ownLogin()
	if !l.fills(slot) || slices.Contains(s.layers.refused, slot) {
		return
	}
	s.layers.refused = append(s.layers.refused, slot)
	s.refused(l, words)
}

// refused tells of a login that the upstream does not take.
func (s *session) refused(l *login, words string) {
	s.log.Error("an upstream does not take the gateway's credential", "credential", l.credential, "endpoint", s.endpoint.cfg.Name.Value, "peer", s.peer, "upstream_says", words)
	for _, secret := range l.all() {
		s.a.store.Refused(secret.Reference())
	}
}

// renew has the session use what the credential's secrets are now, and reports whether that is something else.
func (s *session) renew(ctx context.Context) bool {
	old := s.ownLogin()
	next := s.a.currentLogin(ctx, s.endpoint, s.profile)
	if next == old || next == nil {
		return false
	}
	s.login.Store(next)
	return true
}

// Relogin connects to the upstream anew when the credential has another secret by now than the one that was refused.
func (s *session) Relogin(ctx context.Context, slot int) (gate.Conn, error) {
	if !s.renew(ctx) {
		return nil, errRefused
	}
	if x := s.layers.logins[slot]; x != nil {
		x.Close()
		delete(s.layers.logins, slot)
	}
	s.layers.refused = nil
	s.layers.mu.Lock()
	s.layers.binding, s.layers.secured = nil, false
	s.layers.mu.Unlock()
	return s.Dial(ctx)
}

// clientSSH logs in at an upstream of SSH, with a newer secret where the first one is refused.
func (s *session) clientSSH(ctx context.Context, k gate.Conn, link *sshside.Link, o sshside.ClientOptions) (gate.Conn, error) {
	l := s.ownLogin()
	c, err := s.trySSH(ctx, k, link, o, l)
	if err == nil || l == nil || !errors.Is(err, sshside.ErrLogin) {
		return c, err
	}
	s.refused(l, err.Error())
	if !s.renew(ctx) {
		return nil, err
	}
	k.Abort()
	again, dialErr := s.Dial(ctx)
	if dialErr != nil {
		return nil, dialErr
	}
	c, err = s.trySSH(ctx, again, link, o, s.ownLogin())
	if err != nil {
		again.Abort()
		if errors.Is(err, sshside.ErrLogin) {
			s.refused(s.ownLogin(), err.Error())
		}
	}
	return c, err
}
