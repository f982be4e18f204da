// Package slack asks people in a Slack channel: each hold is a message with the whole statement and two buttons.
//
// Slack reports a pressed button to the gateway's listener for approvers; [Read] believes it only with Slack's signature
// (https://docs.slack.dev/authentication/verifying-requests-from-slack), for a message of the approver's own channel. The vote's
// identity is the user's ID, never a name, which users can change.
//
// # What is shown
//
// All texts of the agent are as package show makes them, in blocks of plain text in which Slack looks for no formatting, and every line of
// them begins with a mark (│ a field, ┆ a line of it, ┊ the rest of a long line), so that none can pass for a line of the gateway's.
// Where all of it does not fit into a message, the message says how much is missing and has no buttons, only what to run.
//
// # When it is over
//
// The message is updated with how the hold ended and who decided. One that expired or was withdrawn and can still be granted keeps a
// button for that, as the message says.
package slack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/internal/retry"
	"github.com/sallyport-dev/sallyport/host/secret"
)

const (
	// callTimeout bounds one call of Slack's API.
	callTimeout = 15 * time.Second
	// endTimeout bounds telling people that a hold is over, stopTimeout that the gateway stops.
	endTimeout  = 30 * time.Second
	stopTimeout = 5 * time.Second
	// parallel is how many calls one approver makes at a time.
	parallel = 8
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 4 << 20
)

// Options say which channel an Approver asks.
type Options struct {
	// Name is the approver's, as rules know it.
	Name string
	// Channel is the channel's ID.
	Channel string
	// Token is the app's bot token, SigningSecret what Slack signs its requests to the app with.
	Token, SigningSecret secret.Secret
	// API is where Slack's API is, with a slash at its end; empty: Slack's own.
	API string
	// Late: a hold that is over can still be approved for a while.
	Late bool
	Log  *slog.Logger
}

// Approver asks one channel. It is an approve.Approver.
type Approver struct {
	name, channel string
	late          bool
	signing       secret.Secret
	api           *slackapi.Client
	http          *http.Client
	slots         chan struct{}
	log           *slog.Logger
	// wait is retry.Wait.
	wait func(context.Context, time.Duration) bool

	mu sync.Mutex
	// open are the announcements that run, by hold. They are told of votes that did not end theirs.
	open map[string]chan approve.Status
}

var _ approve.Approver = (*Approver)(nil)

// New makes an Approver. It connects to nobody.
func New(o Options) (*Approver, error) {
	token := string(o.Token.Reveal())
	switch {
	case o.Channel == "":
		return nil, fmt.Errorf("approver %s: it has no channel", o.Name)
	case token == "" || len(o.SigningSecret.Reveal()) == 0:
		return nil, fmt.Errorf("approver %s: it needs Slack's bot token and signing secret", o.Name)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: callTimeout,
		ForceAttemptHTTP2: true, MaxConnsPerHost: parallel, MaxIdleConns: parallel, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
	client := &http.Client{
		Transport: bounded{transport}, Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	options := []slackapi.Option{slackapi.OptionHTTPClient(client)}
	if o.API != "" {
		options = append(options, slackapi.OptionAPIURL(o.API))
	}
	return &Approver{
		name: o.Name, channel: o.Channel, late: o.Late, signing: o.SigningSecret, api: slackapi.New(token, options...), http: client,
		slots: make(chan struct{}, parallel), log: o.Log.With("approver", o.Name), wait: retry.Wait, open: map[string]chan approve.Status{},
	}, nil
}

// bounded cuts answers that are too large.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// CloseIdleConnections makes that of the client work.
func (b bounded) CloseIdleConnections() {
	if t, ok := b.RoundTripper.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// Name returns the approver's name.
func (a *Approver) Name() string { return a.name }

// Close ends connections that are kept for the next call. Announcements are ended by their contexts.
func (a *Approver) Close() error {
	a.http.CloseIdleConnections()
	return nil
}

// Announce posts a hold, and updates the message when something is known of it, until the hold is over.
func (a *Approver) Announce(ctx context.Context, h approve.Status, _ func(context.Context, approve.Vote) (approve.Status, error), over func() approve.Ending) {
	log := a.log.With("hold", h.ID)
	votes := make(chan approve.Status, 1)
	a.mu.Lock()
	a.open[h.ID] = votes
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		delete(a.open, h.ID)
		a.mu.Unlock()
	}()

	m := newMessage(a.name, &h, a.late)
	ts := ""
	err := a.call(ctx, log, func(ctx context.Context) (err error) {
		// Not ended by ctx: whether the message is there must be known, and where.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		_, ts, err = a.api.PostMessageContext(ctx, a.channel, m.options(approve.Ending{})...)
		return err
	})
	if err != nil {
		log.Error("the hold could not be shown in Slack; nobody can decide it there", "error", err)
		return
	}
	for {
		select {
		case s := <-votes:
			m.votes = s.Votes
			if err := a.call(ctx, log, func(ctx context.Context) error { return a.update(ctx, a.channel, ts, m, approve.Ending{}) }); err != nil {
				log.Warn("the message in Slack could not be updated", "error", err)
			}
		case <-ctx.Done():
			e, most := over(), endTimeout
			if e.Outcome == "" {
				e.Outcome, e.Reason = approve.Withdrawn, "the gateway has stopped"
				m.late, most = false, stopTimeout
			}
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
			defer cancel()
			if err := a.call(end, log, func(ctx context.Context) error { return a.update(ctx, a.channel, ts, m, e) }); err != nil {
				log.Warn("the message in Slack could not be updated, and still shows buttons that decide nothing", "error", err)
			}
			return
		}
	}
}

// update replaces a message.
func (a *Approver) update(ctx context.Context, channel, ts string, m *message, e approve.Ending) error {
	_, _, _, err := a.api.UpdateMessageContext(ctx, channel, ts, m.options(e)...)
	return err
}

// call makes one of the API's calls until it works, ctx ends or Slack says no.
func (a *Approver) call(ctx context.Context, log *slog.Logger, f func(context.Context) error) error {
	for try := 1; ; try++ {
		err := a.once(ctx, f)
		if err == nil || ctx.Err() != nil {
			return err
		}
		after, again := again(err)
		if !again {
			return err
		}
		delay := retry.Delay(try, after)
		log.Warn("Slack could not be reached, which is tried again", "tries", try, "in", delay, "error", err)
		if !a.wait(ctx, delay) {
			return err
		}
	}
}

func (a *Approver) once(ctx context.Context, f func(context.Context) error) error {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	one, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := f(one)
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// passing are the errors of Slack's API that are not about the request.
var passing = []string{"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "accesslimited"}

// again reports whether a call that failed can work later, and how long Slack wants to be left alone.
func again(err error) (after time.Duration, ok bool) {
	var limited *slackapi.RateLimitedError
	if errors.As(err, &limited) {
		return limited.RetryAfter, true
	}
	var said slackapi.SlackErrorResponse
	if errors.As(err, &said) {
		return 0, slices.Contains(passing, said.Err)
	}
	var status slackapi.StatusCodeError
	if errors.As(err, &status) {
		return 0, status.Code >= 500 || status.Code == http.StatusRequestTimeout
	}
	return 0, true
}
