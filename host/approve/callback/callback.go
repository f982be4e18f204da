// Package callback is where approvers call back: a small HTTP server on the operator's address, never inside of the tunnel.
//
//	POST /v1/holds/{id}/decision   a webhook receiver's decision, signed like the requests to it
//	POST /v1/slack                 Slack's interactivity: a button was pressed
//
// # Decisions
//
// A decision is signed by Standard Webhooks with one of the approver's secrets, and which approver it is follows from which secret
// verifies it. Its body is a webhook.Decision with a digest. It is answered with JSON: {"state": "approved", …}, or {"error": "…", "message":
// "…"} and one of these:
//
//	400 malformed     the body is not a decision, or has no digest, or is about another hold than the URL
//	401 signature     missing, wrong, or more than five minutes old or early
//	403 not_entitled  no rule asks this approver, or it may not approve what it asked for
//	404 unknown       there is no such hold, or no such page
//	409 replayed      this webhook-id was used before
//	409 digest        the digest is not that of the held action
//	409 decided       it is decided already, or this identity has voted
//	409 not_grantable an approval would become a grant, and this action cannot have one
//	410 too_late      it is over
//	503 unavailable   the gateway stops, or has seen too many messages; it can be tried again
//
// Nothing about holds is told to whoever has no secret: a signature is looked at before anything else.
//
// # Bounds
//
// Bodies, headers, the time for each, the number of connections and the memory for webhook-ids have limits; what goes past one is
// refused. Webhook-ids are remembered per approver for as long as their timestamps would be taken, so that one approver cannot have
// another's forgotten.
package callback

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/slack"
	"github.com/sallyport-dev/sallyport/host/approve/webhook"
)

const (
	headTimeout  = 5 * time.Second
	readTimeout  = 15 * time.Second
	writeTimeout = 60 * time.Second
	idleTimeout  = 30 * time.Second
	// stopTimeout is how long requests may take that are under way when the server ends.
	stopTimeout = 10 * time.Second
	maxHead     = 16 << 10
	// maxConns is how many connections there may be at a time.
	maxConns = 256
	// maxAnswers is how many clicks are being answered at a time.
	maxAnswers = 32
)

// Options of a Server.
type Options struct {
	// Vote casts a vote: Book.Vote.
	Vote func(ctx context.Context, hold string, v approve.Vote) (approve.Status, error)
	// Certificate and Key are PEM files; empty: no TLS, which only a loopback address may do without.
	Certificate, Key string
	Log              *slog.Logger
}

// Server takes decisions from approvers.
type Server struct {
	vote func(context.Context, string, approve.Vote) (approve.Status, error)
	tls  *tls.Config
	log  *slog.Logger
	seen seen

	approvers atomic.Pointer[approvers]
	answers   chan struct{}

	// group has what Serve waits for before it returns.
	life    sync.Mutex
	stopped bool
	group   sync.WaitGroup
}

// Signer is an approver whose decisions are signed as a webhook's.
type Signer interface {
	Name() string
	Keys() webhook.Keys
}

type approvers struct {
	signers []Signer
	slacks  []*slack.Approver
}

// New makes a Server. It reads the certificate.
func New(o Options) (*Server, error) {
	s := &Server{vote: o.Vote, log: o.Log, answers: make(chan struct{}, maxAnswers)}
	s.approvers.Store(&approvers{})
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if o.Certificate == "" {
		return s, nil
	}
	if i, err := os.Stat(o.Key); err == nil && i.Mode().Perm()&0o026 != 0 {
		return nil, fmt.Errorf("the listener for approvers: %s can be read or changed by others: run chmod 600 %q", o.Key, o.Key)
	}
	c, err := tls.LoadX509KeyPair(o.Certificate, o.Key)
	if err != nil {
		return nil, fmt.Errorf("the listener for approvers: read certificate and key: %w", err)
	}
	s.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{c}, NextProtos: []string{"http/1.1"}}
	return s, nil
}

// Use sets who may call, in place of those before: webhooks, and what else signs as they do. It fails, and changes nothing, when two have a
// secret in common: whose decision it is could not be told.
func (s *Server) Use(webhooks []*webhook.Approver, slacks []*slack.Approver, others ...Signer) error {
	signers := make([]Signer, 0, len(webhooks)+len(others))
	for _, w := range webhooks {
		signers = append(signers, w)
	}
	signers = append(signers, others...)
	for i, a := range signers {
		for _, b := range signers[:i] {
			if a.Keys().Overlaps(b.Keys()) {
				return fmt.Errorf("the approvers %s and %s have the same secret; each needs one of its own, because a decision is known to be an approver's by it", b.Name(), a.Name())
			}
		}
	}
	s.approvers.Store(&approvers{signers, slices.Clone(slacks)})
	return nil
}

// Serve answers on a listener until ctx ends, and closes it. Requests that are under way then may end. It refuses to do without TLS where other machines
// could listen.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.tls == nil && !isLoopback(l.Addr()) {
		l.Close()
		return fmt.Errorf("the listener for approvers: %s can be reached from other machines and needs certificate and key", l.Addr())
	}
	l = limit(l, maxConns)
	if s.tls != nil {
		l = tls.NewListener(l, s.tls)
	}
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHead,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	var err error
	select {
	case err = <-failed:
		err = fmt.Errorf("the listener for approvers: %w", err)
		server.Close()
	case <-ctx.Done():
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if server.Shutdown(end) != nil {
			server.Close()
		}
		<-failed
	}
	s.life.Lock()
	s.stopped = true
	s.life.Unlock()
	s.group.Wait()
	return err
}

// enter counts something that Serve waits for. It reports false once it does not wait any more.
func (s *Server) enter() bool {
	s.life.Lock()
	defer s.life.Unlock()
	if s.stopped {
		return false
	}
	s.group.Add(1)
	return true
}

func isLoopback(a net.Addr) bool {
	p, err := netip.ParseAddrPort(a.String())
	return err == nil && p.Addr().Unmap().IsLoopback()
}

// Handler returns what Serve answers with.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/holds/{id}/decision", s.decision)
	mux.HandleFunc("POST /v1/slack", s.click)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "unknown", "there is nothing here")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			refuse(w, http.StatusServiceUnavailable, "unavailable", "the gateway is stopping")
			return
		}
		defer s.group.Done()
		mux.ServeHTTP(w, r)
	})
}

// errOf says how an error of a vote is answered.
func errOf(err error) (code int, word string) {
	for _, c := range []struct {
		err  error
		code int
		word string
	}{
		{approve.ErrUnknown, http.StatusNotFound, "unknown"},
		{approve.ErrDigest, http.StatusConflict, "digest"},
		{approve.ErrDecided, http.StatusConflict, "decided"},
		{approve.ErrVoted, http.StatusConflict, "decided"},
		{approve.ErrNotEntitled, http.StatusForbidden, "not_entitled"},
		{approve.ErrRequester, http.StatusForbidden, "not_entitled"},
		{approve.ErrTooLate, http.StatusGone, "too_late"},
		{approve.ErrNotGrantable, http.StatusConflict, "not_grantable"},
		{approve.ErrInvalid, http.StatusBadRequest, "malformed"},
		{approve.ErrClosed, http.StatusServiceUnavailable, "unavailable"},
	} {
		if errors.Is(err, c.err) {
			return c.code, c.word
		}
	}
	return http.StatusInternalServerError, "failed"
}
