package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/secret"
)

// newSecrets makes the store of a configuration's secrets.
func newSecrets(c *config.Secrets, passphrase func() ([]byte, error)) *secret.Store {
	return secret.NewStore(secret.StoreOptions{Sealed: c.Sealed, Commands: c.Commands,
		Identity: func() (*secret.Identity, error) { return Identity(c, passphrase) }})
}

// Identity is what opens the sealed file of a configuration. passphrase asks for one; nil: there is nobody to ask.
func Identity(c *config.Secrets, passphrase func() ([]byte, error)) (*secret.Identity, error) {
	if c.Passphrase {
		if passphrase == nil {
			return nil, errors.New(`the sealed file is sealed with a passphrase, and there is no terminal to ask for it; start the gateway at one, or write another identity into [secrets]`)
		}
		text, err := passphrase()
		if err != nil {
			return nil, fmt.Errorf("the passphrase of the sealed file: %w", err)
		}
		defer clear(text)
		return secret.PassphraseIdentity(text)
	}
	s, err := c.Identity.Resolve()
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	text := s.Reveal()
	defer clear(text)
	id, err := secret.ReadIdentity(text)
	if err != nil {
		return nil, fmt.Errorf("identity: %v: %w", s, err)
	}
	return id, nil
}

// checkSealed opens the sealed file also where nothing refers to it: one that cannot be opened is found now, not when it is needed.
func (a *Assembly) checkSealed() config.Problems {
	c := &a.cfg.Secrets
	if c.Sealed == "" {
		return nil
	}
	if err := a.store.CheckSealed(); err != nil {
		return config.Problems{a.cfg.Problem(c.SealedPos, "%v", err)}
	}
	return nil
}

// ownLogin is what the gateway logs in with for the session's agent; nil: the agent does so itself.
func (s *session) ownLogin() *login {
	if l := s.login.Load(); l != nil {
		return l
	}
	return s.endpoint.login(s.profile)
}

func (e *endpoint) login(profile string) *login {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.logins[profile]
}

// allLogins are those of every profile.
func (e *endpoint) allLogins() []*login {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.logins))
}

// currentLogin is the login of a connection that begins now: with what its secrets are now. Where one of them cannot be had any more, what it was
// before is used further, and the operator is told: the upstream has the last word.
func (a *Assembly) currentLogin(ctx context.Context, e *endpoint, profile string) *login {
	l := e.login(profile)
	if l == nil || !a.changed(ctx, e, l) {
		return l
	}
	load := &loader{ctx: ctx, a: a, now: time.Now(), seen: map[config.Problem]bool{}, secrets: map[secret.Reference]secret.Secret{}, again: true}
	next := load.login(e, l.from)
	if len(load.problems) > 0 {
		a.log.Error("a credential has changed and cannot be used; what it was before is used further", "credential", l.credential, "endpoint", e.cfg.Name.Value, "error", load.problems)
		return l
	}
	a.log.Info("a credential has changed; new connections use it", "credential", l.credential, "endpoint", e.cfg.Name.Value)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logins[profile] = next
	return next
}

// changed reports whether one of the login's secrets is another one now.
func (a *Assembly) changed(ctx context.Context, e *endpoint, l *login) (changed bool) {
	for _, s := range l.all() {
		now, err := a.store.Resolve(ctx, s.Reference())
		if err != nil {
			a.log.Error("a secret cannot be had any more; what it was before is used further", "credential", l.credential, "endpoint", e.cfg.Name.Value, "error", err)
			continue
		}
		value := s.Reveal()
		changed = changed || !now.Equal(value)
		clear(value)
	}
	return changed
}

// all are the secrets of a login.
func (l *login) all() []secret.Secret {
	var all []secret.Secret
	for _, s := range l.slots {
		if s.filled {
			all = append(all, s.secret)
		}
	}
	if l.clientKey.Reference() != (secret.Reference{}) {
		all = append(all, l.clientKey)
	}
	return all
}
