package sshside

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/host/layer"
)

// version is what both sides are told, RFC 4253 section 4.2.
const version = "SSH-2.0-Sallyport"

// refusedTime is how long an agent whose login was refused has for reading why.
const refusedTime = 5 * time.Second

// ServerOptions are about the agent's side.
type ServerOptions struct {
	// HostKeys are the keys that prove to agents who the gateway is, one of each kind.
	HostKeys []ssh.Signer
	// Timeout bounds the handshake until the agent has said as whom it logs in. Default layer.DefaultTimeout.
	Timeout time.Duration
}

// Agent is what an agent's handshake told.
type Agent struct {
	User    string // as whom it logs in
	Version string // its version string, such as "SSH-2.0-OpenSSH_9.2"
}

// login is the decision about an agent's login.
type login struct {
	asked   chan Agent    // receives once
	decided chan struct{} // closed with the decision
	once    sync.Once
	err     error
	first   sync.Once
	refused sync.Once
	user    string
}

// refusal is a decision against a login, with a text for the agent.
type refusal struct{ text string }

func (r *refusal) Error() string { return "the login was refused" }

func (l *login) decide(err error) {
	l.once.Do(func() {
		l.err = err
		close(l.decided)
	})
}

// Server ends the agent's transport. It returns once the agent has said as whom it logs in; whatever it shows to prove that is accepted, none
// included, as soon as READY is written to the side. k is the side's from then on. The error is a [*layer.Error] where it can be told.
func Server(ctx context.Context, k layer.Transport, link *Link, o ServerOptions) (*Side, Agent, error) {
	s := newSide(agent, link, k)
	s.login = &login{asked: make(chan Agent, 1), decided: make(chan struct{})}
	limit := o.Timeout
	if limit <= 0 {
		limit = layer.DefaultTimeout
	}
	config := s.serverConfig(link)
	for _, key := range o.HostKeys {
		config.AddHostKey(key)
	}
	failed := make(chan error, 1)
	s.start(func() {
		conn, channels, requests, err := ssh.NewServerConn(newWatched(s.out, func() { s.login.decide(errLeft) }), config)
		if err != nil {
			if s.login.hasLeft() {
				err = io.EOF
			}
			failed <- err
			s.begin(nil)
			s.queue.end(asEnd(err))
			return
		}
		s.serve(conn, channels, requests)
	})
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var err error
	select {
	case a := <-s.login.asked:
		link.join(s)
		return s, a, nil
	case err = <-failed:
		err = &layer.Error{Reason: "the SSH handshake with the agent failed", Err: err}
	case <-timer.C:
		err = &layer.Error{Reason: "the SSH handshake with the agent took too long"}
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.Abort()
	s.wg.Wait()
	return nil, Agent{}, err
}

// errLeft is the decision about an agent that has left while its login waited, for a person say.
var errLeft = errors.New("the agent has left")

// hasLeft reports whether the agent left before its login was decided.
func (l *login) hasLeft() bool {
	select {
	case <-l.decided:
		return errors.Is(l.err, errLeft)
	default:
		return false
	}
}

// wasAdmitted reports whether the agent is logged in, or about to be.
func (l *login) wasAdmitted() bool {
	select {
	case <-l.decided:
		return l.err == nil
	default:
		return false
	}
}

// wasRefused reports whether the agent is told why it may not log in.
func (l *login) wasRefused() bool {
	select {
	case <-l.decided:
		var r *refusal
		return errors.As(l.err, &r)
	default:
		return false
	}
}

func (s *Side) serverConfig(link *Link) *ssh.ServerConfig {
	var banner func(string) error
	admit := func(m ssh.ConnMetadata) (*ssh.Permissions, error) {
		l := s.login
		l.first.Do(func() {
			l.user = m.User()
			l.asked <- Agent{User: m.User(), Version: string(m.ClientVersion())}
		})
		<-l.decided
		var r *refusal
		switch {
		case errors.As(l.err, &r):
			err := error(l.err)
			l.refused.Do(func() {
				if banner != nil {
					_ = banner(r.text)
				}
				// Nothing but keys is left to try: a client without ends by itself and does not ask its user for a password.
				err = &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{
					PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, l.err },
				}}
				time.AfterFunc(refusedTime, s.under.Abort)
			})
			return nil, err
		case l.err != nil:
			return nil, l.err
		case m.User() != l.user:
			return nil, fmt.Errorf("user %q after %q", m.User(), l.user)
		}
		if text := link.takeBanner(); text != "" && banner != nil {
			_ = banner(text)
		}
		return &ssh.Permissions{}, nil
	}
	return &ssh.ServerConfig{
		Config: algorithms(), ServerVersion: version, MaxAuthTries: 20,
		PreAuthConnCallback:  func(c ssh.ServerPreAuthConn) { banner = c.SendAuthBanner },
		NoClientAuth:         true,
		NoClientAuthCallback: admit,
		PasswordCallback:     func(m ssh.ConnMetadata, _ []byte) (*ssh.Permissions, error) { return admit(m) },
		PublicKeyCallback:    func(m ssh.ConnMetadata, _ ssh.PublicKey) (*ssh.Permissions, error) { return admit(m) },
		KeyboardInteractiveCallback: func(m ssh.ConnMetadata, _ ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			return admit(m)
		},
	}
}

// algorithms are those of both sides.
func algorithms() ssh.Config {
	all := ssh.SupportedAlgorithms()
	var ciphers []string
	for _, c := range all.Ciphers {
		if c != ssh.CipherChaCha20Poly1305 {
			ciphers = append(ciphers, c)
		}
	}
	return ssh.Config{KeyExchanges: all.KeyExchanges, Ciphers: ciphers, MACs: all.MACs}
}
