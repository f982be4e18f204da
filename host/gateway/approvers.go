package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/callback"
	"github.com/sallyport-dev/sallyport/host/approve/notifier"
	"github.com/sallyport-dev/sallyport/host/approve/slack"
	"github.com/sallyport-dev/sallyport/host/approve/webhook"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/program"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/host/state"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

// channels are the ways to people that a configuration names, with their secrets.
type channels struct {
	webhooks  []*webhook.Approver
	slacks    []*slack.Approver
	notifiers []*notifier.Approver
}

// all are the channels as the book knows them.
func (c *channels) all() (all []approve.Approver) {
	for _, w := range c.webhooks {
		all = append(all, w)
	}
	for _, s := range c.slacks {
		all = append(all, s)
	}
	for _, n := range c.notifiers {
		all = append(all, n)
	}
	return all
}

// signers are the notifiers through which people decide by calling back.
func (c *channels) signers() (all []callback.Signer) {
	for _, n := range c.notifiers {
		if n.Signs() {
			all = append(all, n)
		}
	}
	return all
}

// close lets the programs go. Those that still have something to tell end by themselves.
func (c *channels) close() error {
	var errs []error
	for _, n := range c.notifiers {
		errs = append(errs, n.Close())
	}
	return errors.Join(errs...)
}

// reachable makes the channels of the configuration.
func (a *Assembly) reachable(ctx context.Context) (problems config.Problems) {
	a.channels = channels{}
	for i := range a.cfg.Approvers {
		p := &a.cfg.Approvers[i]
		var err error
		switch {
		case p.Slack.IsSet():
			err = a.addSlack(ctx, p)
		case p.Notifier.Plugin != "":
			err = a.addNotifier(ctx, p)
		default:
			err = a.addWebhook(ctx, p)
		}
		if err != nil {
			problems = append(problems, a.cfg.Problem(p.Pos, "%v", err))
		}
	}
	return problems
}

func (a *Assembly) addWebhook(ctx context.Context, p *config.Approver) error {
	secrets, err := a.signedWith(ctx, p)
	if err != nil {
		return err
	}
	w, err := webhook.New(webhook.Options{Name: p.Name.Value, URL: p.Webhook.Value, Secrets: secrets, CA: p.CA, Callback: a.cfg.Holds.URL, Log: a.log})
	if err == nil {
		a.channels.webhooks = append(a.channels.webhooks, w)
	}
	return err
}

// signedWith resolves the secrets of an approver.
func (a *Assembly) signedWith(ctx context.Context, p *config.Approver) (secrets []secret.Secret, err error) {
	for _, r := range p.Secrets {
		s, err := a.store.Resolve(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("approver %s: %w", p.Name.Value, err)
		}
		secrets = append(secrets, s)
	}
	return secrets, nil
}

func (a *Assembly) addNotifier(ctx context.Context, p *config.Approver) error {
	n := &p.Notifier
	o := notifier.Options{Name: p.Name.Value, Hosts: n.Hosts, Memory: n.Memory, Settings: n.Settings, Callback: a.cfg.Holds.URL, Log: a.log}
	var err error
	if o.Secrets, err = a.signedWith(ctx, p); err != nil {
		return err
	}
	if !p.Token.IsZero() {
		if o.Token, err = a.store.Resolve(ctx, p.Token); err != nil {
			return fmt.Errorf("approver %s: token: %w", o.Name, err)
		}
		o.HasToken = true
	}
	if o.Wasm, err = program.Read(n.Plugin, n.SHA256); err != nil {
		return fmt.Errorf("approver %s: %w", o.Name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	made, err := notifier.New(ctx, o)
	if err == nil {
		a.channels.notifiers = append(a.channels.notifiers, made)
	}
	return err
}

func (a *Assembly) addSlack(ctx context.Context, p *config.Approver) error {
	token, err := a.store.Resolve(ctx, p.Token)
	if err != nil {
		return fmt.Errorf("approver %s: token: %w", p.Name.Value, err)
	}
	signing, err := a.store.Resolve(ctx, p.SigningSecret)
	if err != nil {
		return fmt.Errorf("approver %s: signing_secret: %w", p.Name.Value, err)
	}
	s, err := slack.New(slack.Options{Name: p.Name.Value, Channel: p.Slack.Value, Token: token, SigningSecret: signing, Late: a.cfg.Holds.Late > 0, Log: a.log})
	if err == nil {
		a.channels.slacks = append(a.channels.slacks, s)
	}
	return err
}

// settings are what the book holds by.
func (a *Assembly) settings() approve.Settings {
	h := &a.cfg.Holds
	return approve.Settings{Approvers: a.channels.all(), PerPeer: h.PerPeer, Total: h.Total, GrantFor: h.GrantFor, Late: h.Late}
}

// holdings are what a running gateway keeps of holds: the book, its file, and the listener for approvers, if there is one.
type holdings struct {
	book  *approve.Book
	store state.Store

	callbacks *callback.Server // nil: approvers have nothing to call
	stop      context.CancelFunc
	served    chan error
}

// openHoldings opens the book. Holds that an earlier run left open are on record as expired when it returns.
func (a *Assembly) openHoldings(ctx context.Context, log *receipt.Log) (h *holdings, err error) {
	store, err := bolt.Open(filepath.Join(a.cfg.Gateway.State, "holds.db"))
	if err != nil {
		return nil, fmt.Errorf("holds: %w", err)
	}
	h = &holdings{store: store}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.book, err = approve.Open(ctx, approve.Options{Store: store, Journal: journal{log}, Log: a.log, Settings: a.settings()}); err != nil {
		return h, err
	}
	if a.cfg.Holds.Listen == "" {
		return h, nil
	}
	return h, h.listen(ctx, a)
}

// listen has approvers call back. The listener is the machine's own, never one inside of the tunnel.
func (h *holdings) listen(ctx context.Context, a *Assembly) error {
	c := &a.cfg.Holds
	s, err := callback.New(callback.Options{Vote: h.book.Vote, Certificate: c.Certificate, Key: c.Key, Log: a.log})
	if err != nil {
		return err
	}
	if err := s.Use(a.channels.webhooks, a.channels.slacks, a.channels.signers()...); err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("the listener for approvers: %w", err)
	}
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.callbacks, h.served = s, make(chan error, 1)
	go func() { h.served <- s.Serve(ctx, l) }()
	a.log.Info("approvers call back", "address", l.Addr().String())
	return nil
}

// use puts another configuration's approvers and limits into effect.
func (h *holdings) use(a *Assembly) error {
	if h.callbacks != nil {
		if err := h.callbacks.Use(a.channels.webhooks, a.channels.slacks, a.channels.signers()...); err != nil {
			return err
		}
	}
	return h.book.Configure(a.settings())
}

// close ends everything, in the order in which nothing speaks to what is gone.
func (h *holdings) close() error {
	var errs []error
	if h.callbacks != nil {
		h.stop()
		errs = append(errs, <-h.served)
	}
	if h.book != nil {
		errs = append(errs, h.book.Close())
	}
	return errors.Join(append(errs, h.store.Close())...)
}
