// Package webhook asks approvers who are programs: each hold is a signed POST to a URL.
//
// Requests are signed by Standard Webhooks 1.0.0 (https://www.standardwebhooks.com): HMAC-SHA256 over "id.timestamp.body", one signature
// for each secret. Calls from approvers are signed in the same way with the same secrets; [Keys.Verify] checks them.
//
// # The receiver's answers
//
//	200 with a decision   decided at once: {"decision": "approve"}; see [Decision]
//	202, or another 2xx   taken; it calls back later at the decision_url of the request
//	408, 425, 429, 5xx    tried again, as after a failed connection, until the hold is over
//	anything else         given up, with a line in the log; redirects are not followed
//
// A request that is repeated has the same webhook-id, a new timestamp and the same body. Between tries the wait grows up to half a
// minute, with jitter; Retry-After is heeded.
//
// # Bounds
//
// One try takes at most Options.Attempt, an answer has at most [MaxDecision] bytes, and a receiver gets at most Options.Parallel
// requests at a time. Each receiver has its own, so a slow one delays nobody else.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/internal/retry"
	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/host/secret"
)

// The defaults of Options.
const (
	DefaultAttempt  = 20 * time.Second
	DefaultParallel = 16
)

// Options say whom an Approver asks, and how.
type Options struct {
	// Name is the approver's, as rules know it.
	Name string
	// URL is the receiver's: https, or http on the machine itself.
	URL string
	// Secrets are what requests are signed with, the newest first.
	Secrets []secret.Secret
	// CA is a file of root certificates in PEM; empty: those of the system.
	CA string
	// Callback is how receivers reach the gateway, without a slash at its end; empty: not at all, they must answer at once.
	Callback string
	// Attempt bounds one try, Parallel how many run at a time; 0: the defaults.
	Attempt  time.Duration
	Parallel int
	Log      *slog.Logger
}

// Approver asks one receiver. It is an approve.Approver.
type Approver struct {
	name, url, callback string
	keys                Keys
	client              *http.Client
	slots               chan struct{}
	log                 *slog.Logger
	// wait is retry.Wait.
	wait func(context.Context, time.Duration) bool
}

var _ approve.Approver = (*Approver)(nil)

// New makes an Approver. It reads the file of roots and connects to nobody.
func New(o Options) (*Approver, error) {
	keys, err := NewKeys(o.Secrets...)
	if err != nil {
		return nil, fmt.Errorf("approver %s: %w", o.Name, err)
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("approver %s: its webhook must be an https:// URL", o.Name)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CA != "" {
		if config.RootCAs, err = layer.ReadRoots(o.CA); err != nil {
			return nil, fmt.Errorf("approver %s: %w", o.Name, err)
		}
	}
	if o.Attempt <= 0 {
		o.Attempt = DefaultAttempt
	}
	if o.Parallel <= 0 {
		o.Parallel = DefaultParallel
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	dialer := &net.Dialer{Timeout: o.Attempt}
	if u.Scheme == "http" {
		dialer.Control = onlyLoopback
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    o.Attempt,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        o.Parallel,
		MaxIdleConns:           o.Parallel,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
	if u.Scheme == "http" {
		transport.Proxy = nil
	}
	return &Approver{
		name: o.Name, url: o.URL, callback: o.Callback, keys: keys,
		client: &http.Client{
			Transport: transport, Timeout: o.Attempt,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		slots: make(chan struct{}, o.Parallel),
		log:   o.Log.With("approver", o.Name),
		wait:  retry.Wait,
	}, nil
}

// onlyLoopback refuses to send in clear to anywhere but this machine, whatever a name resolves to.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().Unmap().IsLoopback() {
		return errors.New("the webhook is http:// and its name is not this machine's; use https://")
	}
	return nil
}

// Name returns the approver's name.
func (a *Approver) Name() string { return a.name }

// Keys returns what its messages are signed with, in both directions.
func (a *Approver) Keys() Keys { return a.keys }

// Close ends connections that are kept for the next request. Announcements are ended by their contexts.
func (a *Approver) Close() error {
	a.client.CloseIdleConnections()
	return nil
}

// Announce sends a hold to the receiver until it has taken it, and casts its vote if it answers with one.
func (a *Approver) Announce(ctx context.Context, h approve.Status, decide func(context.Context, approve.Vote) (approve.Status, error), _ func() approve.Ending) {
	log := a.log.With("hold", h.ID)
	for try := 1; ; try++ {
		answer, err := a.try(ctx, &h)
		switch {
		case ctx.Err() != nil && err != nil:
			log.Warn("the hold was over before its webhook was taken", "tries", try)
			return
		case err == nil && answer.vote == nil:
			log.Debug("the webhook was taken", "tries", try)
			return
		case err == nil:
			a.vote(ctx, log, decide, *answer.vote)
			return
		case answer.final:
			log.Error("the webhook is given up; this approver cannot decide the hold unless it calls back", "tries", try, "error", err)
			return
		}
		delay := retry.Delay(try, answer.after)
		log.Warn("the webhook failed and is tried again", "tries", try, "in", delay, "error", err)
		if !a.wait(ctx, delay) {
			log.Warn("the hold was over before its webhook was taken", "tries", try)
			return
		}
	}
}

// vote casts what the receiver answered.
func (a *Approver) vote(ctx context.Context, log *slog.Logger, decide func(context.Context, approve.Vote) (approve.Status, error), v approve.Vote) {
	// The hold may end in this moment. The vote still counts for what the book makes of it.
	if _, err := decide(context.WithoutCancel(ctx), v); err != nil {
		log.Warn("the webhook's decision does not count", "approve", v.Approve, "error", err)
	}
}

// answer is what came of a try.
type answer struct {
	// vote is the receiver's decision; nil: none, or not yet.
	vote *approve.Vote
	// final: another try is of no use. after: how long the receiver wants to be left alone.
	final bool
	after time.Duration
}

// try sends the hold once.
func (a *Approver) try(ctx context.Context, h *approve.Status) (answer, error) {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
	// Made anew for each try: what is written many times over is not kept while nobody reads it.
	body, err := a.body(h)
	if err != nil {
		return answer{final: true}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		return answer{final: true}, errors.New("make the request: the URL is not usable")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "sallyport")
	a.keys.Sign(req.Header, a.id(h), time.Now(), body)
	resp, err := a.client.Do(req)
	if err != nil {
		return answer{}, plain(err)
	}
	defer resp.Body.Close()
	return a.read(h, resp)
}

// id is the webhook-id of a hold: the same for every try, another for every approver.
func (a *Approver) id(h *approve.Status) string {
	return "hold_" + strings.ReplaceAll(h.ID+"_"+a.name, ".", "_")
}

// plain takes the URL out of a client's error: its path or query may be what its owner takes for a password.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// read makes something of the receiver's response.
func (a *Approver) read(h *approve.Status, resp *http.Response) (answer, error) {
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
		return a.decision(h, resp)
	case code >= 200 && code < 300:
		if a.callback == "" {
			a.log.Warn("the receiver wants to answer later, and [holds] has no listen where it could; it must answer 200 with a decision", "hold", h.ID, "status", code)
		}
		return answer{}, nil
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return answer{after: retry.After(resp.Header, time.Now())}, fmt.Errorf("the receiver answered %d", code)
	case code >= 300 && code < 400:
		return answer{final: true}, fmt.Errorf("the receiver answered %d; redirects are not followed, write its final URL", code)
	default:
		return answer{final: true}, fmt.Errorf("the receiver answered %d", code)
	}
}

// decision reads the body of a 200. Trying again would not make a wrong one right.
func (a *Approver) decision(h *approve.Status, resp *http.Response) (answer, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxDecision+1))
	if err != nil {
		return answer{}, fmt.Errorf("read the receiver's answer: %w", plain(err))
	}
	d, err := ParseDecision(body)
	switch {
	case err != nil:
		return answer{final: true}, fmt.Errorf("the receiver answered 200, and its decision cannot be read: %w; it must answer 202 to decide later", err)
	case d.Hold != "" && d.Hold != h.ID:
		return answer{final: true}, errors.New("the receiver answered with the decision of another hold")
	case d.Digest == "":
		// The answer belongs to the request by the connection that it comes on.
		d.Digest = h.Digest
	}
	v := d.Vote(a.name)
	return answer{vote: &v}, nil
}

// Vote returns the decision as a vote of an approver.
func (d Decision) Vote(approver string) approve.Vote {
	return approve.Vote{Approver: approver, By: d.By, Approve: d.Approve, Digest: d.Digest, Reason: d.Reason, GrantUses: d.GrantUses, GrantFor: d.GrantFor}
}
