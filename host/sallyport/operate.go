package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/console"
	"github.com/sallyport-dev/sallyport/host/gateway"
	"github.com/sallyport-dev/sallyport/host/trial"
)

// operator does what is asked of the running gateway from outside of the tunnel: by SIGHUP, and on the console's socket.
type operator struct {
	path    string // of the configuration
	log     *slog.Logger
	hangups chan os.Signal
	running gateway.Running
	group   sync.WaitGroup
}

// newOperator takes SIGHUP from now on, so that one that comes before the gateway is ready is not the end of it.
func newOperator(path string, log *slog.Logger) *operator {
	o := &operator{path: path, log: log, hangups: make(chan os.Signal, 1)}
	signal.Notify(o.hangups, syscall.SIGHUP)
	return o
}

// start begins to operate a gateway that is ready, until ctx ends. Without a console it operates by signals alone.
func (o *operator) start(ctx context.Context, state string, r gateway.Running) {
	o.running = r
	o.group.Go(func() { o.hear(ctx) })
	l, err := console.Listen(state)
	if err != nil {
		o.log.Error("there is no console: `sallyport reload` will not reach the gateway, SIGHUP does", "error", err)
		return
	}
	o.group.Go(func() {
		if err := console.Serve(ctx, l, o, o.log.With("room", "console")); err != nil {
			o.log.Error("the console has ended", "error", err)
		}
	})
}

// stop waits until everything that start began has ended; its context must have.
func (o *operator) stop() {
	signal.Stop(o.hangups)
	o.group.Wait()
}

func (o *operator) hear(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.hangups:
			_, _ = o.Reload(ctx, false) // which logs
		}
	}
}

// Reload reads the configuration again.
func (o *operator) Reload(ctx context.Context, confirm bool) (*console.Change, error) {
	cfg, err := loadConfig(o.path)
	var change *gateway.Change
	if err == nil {
		change, err = o.running.Reload(ctx, cfg, confirm)
	}
	if err != nil {
		return nil, o.failed(err)
	}
	for _, w := range change.Warnings {
		o.log.Warn(w.String())
	}
	o.log.Info("reloaded", "policy", change.Policy, difference("peers", change.Peers), difference("plugins", change.Plugins),
		difference("endpoints", change.Endpoints), difference("rules", change.Rules))
	o.logFlips(change.Flips)
	return &console.Change{
		Policy: change.Policy, Warnings: consoleProblems(change.Warnings),
		Peers: console.Difference(change.Peers), Plugins: console.Difference(change.Plugins),
		Endpoints: console.Difference(change.Endpoints), Rules: console.Difference(change.Rules), Flips: change.Flips,
	}, nil
}

// failed logs why a reload changed nothing, and gives it the console's form.
func (o *operator) failed(err error) error {
	var problems config.Problems
	var unconfirmed *gateway.Unconfirmed
	if errors.As(err, &unconfirmed) {
		o.log.Warn(unconfirmed.Error())
		o.logFlips(unconfirmed.Flips)
		return &console.Failure{Message: unconfirmed.Error(), Flips: unconfirmed.Flips}
	}
	if !errors.As(err, &problems) {
		o.log.Error("not reloaded, the old configuration is in effect", "error", err)
		return err
	}
	for _, p := range problems {
		o.log.Error("not reloaded, the old configuration is in effect", "problem", p.String())
	}
	return &console.Failure{
		Message:  fmt.Sprintf("problems in the configuration: %d; the old one is in effect", len(problems)),
		Problems: consoleProblems(problems),
	}
}

// logFlips logs what of recent actions has another outcome now.
func (o *operator) logFlips(r *trial.Report) {
	if r == nil {
		return
	}
	for i := range r.Flips[:min(len(r.Flips), 20)] {
		f := &r.Flips[i]
		o.log.Info("recent actions flip", "old", f.Old, "new", f.New, "peer", f.Peer, "endpoint", f.Endpoint, "title", f.Title, "class", f.Class,
			"old_rule", f.OldRule, "new_rule", f.NewRule, "count", f.Count)
	}
}

func consoleProblems(problems config.Problems) []console.Problem {
	out := []console.Problem{}
	for _, p := range problems {
		out = append(out, console.Problem{File: p.File, Line: p.Line, Column: p.Col, Message: p.Message})
	}
	return out
}

func difference(of string, d gateway.Difference) slog.Attr {
	var parts []any
	for _, p := range []struct {
		word  string
		names []string
	}{{"added", d.Added}, {"removed", d.Removed}, {"changed", d.Changed}} {
		if len(p.names) > 0 {
			parts = append(parts, slog.Any(p.word, p.names))
		}
	}
	return slog.Group(of, parts...)
}
