package sshside

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sallyport-dev/sallyport/host/layer"
)

// ClientOptions are about the upstream's side.
type ClientOptions struct {
	// User is as whom the gateway logs in.
	User string
	// Auth are the ways to log in, in this order. None: the upstream has to let everybody in.
	Auth []ssh.AuthMethod
	// HostKey decides about the upstream's key; its error may be a [*HostKeyError].
	HostKey ssh.HostKeyCallback
	// HostKeyAlgorithms are those that HostKey knows keys for, preferred first. Empty: all that are secure.
	HostKeyAlgorithms []string
	// Timeout bounds the handshake and the login. Default layer.DefaultTimeout.
	Timeout time.Duration
}

// Client logs in at an upstream. k is the side's from then on. The error is a [*layer.Error] where it can be told.
func Client(ctx context.Context, k layer.Transport, link *Link, o ClientOptions) (*Side, error) {
	s := newSide(upstream, link, k)
	limit := o.Timeout
	if limit <= 0 {
		limit = layer.DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	stop := context.AfterFunc(ctx, k.Abort)
	defer stop()
	var unknown error
	config := &ssh.ClientConfig{Config: algorithms(), ClientVersion: version, User: o.User, Auth: o.Auth, HostKeyAlgorithms: o.HostKeyAlgorithms,
		BannerCallback: func(text string) error {
			link.setBanner(text)
			return nil
		},
	}
	address := k.RemoteAddr().String()
	config.HostKeyCallback = func(_ string, _ net.Addr, key ssh.PublicKey) error {
		unknown = o.HostKey(address, k.RemoteAddr(), key)
		return unknown
	}
	conn, channels, requests, err := ssh.NewClientConn(newWatched(s.out, nil), address, config)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, explain(err, unknown)
	}
	link.join(s)
	s.start(func() { s.serve(conn, channels, requests) })
	return s, nil
}

var errSlow = errors.New("the handshake took too long")

// explain sorts the errors of a handshake with the upstream.
func explain(err, unknown error) error {
	var auth *ssh.ServerAuthError
	var negotiation *ssh.AlgorithmNegotiationError
	switch {
	case unknown != nil:
		return &layer.Error{Reason: "the upstream's host key is not one that the gateway knows", Err: unknown}
	case errors.Is(err, errSlow):
		return &layer.Error{Reason: "the SSH handshake with the upstream took too long"}
	case errors.As(err, &negotiation):
		return &layer.Error{Reason: "the upstream and the gateway have no SSH algorithm in common", Err: err}
	case errors.Is(err, io.EOF):
		return &layer.Error{Reason: "the upstream ended the connection in the middle of the SSH handshake"}
	case errors.As(err, &auth), isAuth(err):
		return &layer.Error{Reason: "the upstream does not accept the gateway's login", Err: fmt.Errorf("%w: %w", ErrLogin, err)}
	}
	return &layer.Error{Reason: "the SSH handshake with the upstream failed", Err: err}
}

// isAuth reports whether a client's login failed, for which x/crypto/ssh has no type.
// ErrLogin is in the error of a login that the upstream refused.
var ErrLogin = errors.New("the login was refused")

func isAuth(err error) bool { return strings.Contains(err.Error(), "unable to authenticate") }
