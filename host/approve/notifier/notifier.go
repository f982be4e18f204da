// Package notifier tells people of holds through programs of the operator's: Extism plugins with the function "notify", for chat systems
// that the gateway knows nothing of. How programs are run and limited, package host/program says.
//
// # What a notifier is given
//
// An [Event] as JSON, when a hold opens (hold.opened) and when it is over (hold.ended). All texts of the agent in it are as package show makes
// them. A hold's end is told only to a notifier that took its opening. Its answer is nothing, or {"state": "…"} with what it wants to
// be told with the hold's end, such as the ID of the message that it posted; it decides nothing.
//
// A program reads the settings of its table as its configuration, and the approver's token, if it has one, as the setting "token". The
// secret that decisions are signed with stays in the gateway and with whoever decides.
//
// # Failures
//
// A call that fails, takes longer than Options.Attempt or needs more memory than it may have is made again at growing intervals until the hold
// is over. A program that ends with the code [GiveUp] is not called again for it. An answer that cannot be read is not asked for again
// either: the message may be there. What a program says of its failure is logged without the token and made safe to read.
//
// Nothing of it ends or delays a hold, which other approvers and the machine's operator can decide all the same.
package notifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/internal/retry"
	"github.com/sallyport-dev/sallyport/host/approve/show"
	"github.com/sallyport-dev/sallyport/host/approve/webhook"
	"github.com/sallyport-dev/sallyport/host/program"
	"github.com/sallyport-dev/sallyport/host/secret"
)

const (
	// DefaultAttempt bounds one call.
	DefaultAttempt = 20 * time.Second
	// GiveUp is what a program returns when another try is of no use.
	GiveUp = 2
	// MaxState bounds what a program keeps of a hold, in bytes.
	MaxState = 4 << 10

	// endTimeout bounds telling people that a hold is over, stopTimeout that the gateway stops, and what a call may take that was under way
	// when its hold ended.
	endTimeout  = 30 * time.Second
	stopTimeout = 5 * time.Second
	// parallel is how many instances one approver has at a time.
	parallel  = 4
	maxAnswer = 16 << 10
	maxError  = 300
	tokenKey  = "token"
)

// The types of events.
const (
	TypeOpened = webhook.TypeHeld
	TypeEnded  = "hold.ended"
)

// Event is what a program is given.
type Event struct {
	Type      string       `json:"type"`
	Timestamp time.Time    `json:"timestamp"`
	Data      webhook.Held `json:"data"`
	// Of hold.ended: how it ended, and what the program answered when it opened.
	Ended *Ended `json:"ended,omitempty"`
	State string `json:"state,omitempty"`
}

// Ended is how a hold ended, in words that are safe to show.
type Ended struct {
	// Outcome is approved, rejected, expired or withdrawn.
	Outcome string   `json:"outcome"`
	By      []string `json:"by"`
	Reason  string   `json:"reason,omitempty"`
	Receipt string   `json:"receipt,omitempty"`
	// Executed: the agent was there, and its action went on. Granted: the same may be done again.
	Executed bool `json:"executed"`
	Granted  bool `json:"granted"`
}

// Options say who is told, and how.
type Options struct {
	// Name is the approver's, as rules know it.
	Name string
	// Wasm is the program; Hosts (host:port), Memory (bytes) and Settings are what it may have.
	Wasm     []byte
	Hosts    []string
	Memory   int64
	Settings map[string]string
	// Token is what the program logs in with, if HasToken.
	Token    secret.Secret
	HasToken bool
	// Secrets are what decisions are signed with, the newest first; none: nobody can call back.
	Secrets []secret.Secret
	// Callback is how those who decide reach the gateway, without a slash at its end; empty: not at all.
	Callback string
	// Attempt bounds one call; 0: the default.
	Attempt time.Duration
	Log     *slog.Logger
}

// Approver tells people through one program. It is an approve.Approver.
type Approver struct {
	name, callback string
	keys           webhook.Keys
	program        *program.Program
	token          secret.Secret
	attempt        time.Duration
	slots          chan struct{}
	log            *slog.Logger
	// wait is retry.Wait.
	wait func(context.Context, time.Duration) bool

	mu      sync.Mutex
	closed  bool
	running int // announcements
}

var _ approve.Approver = (*Approver)(nil)

// New loads the program.
func New(ctx context.Context, o Options) (*Approver, error) {
	a := &Approver{name: o.Name, token: o.Token, attempt: o.Attempt, slots: make(chan struct{}, parallel), log: o.Log, wait: retry.Wait}
	var err error
	if len(o.Secrets) > 0 {
		if a.keys, err = webhook.NewKeys(o.Secrets...); err != nil {
			return nil, fmt.Errorf("approver %s: %w", o.Name, err)
		}
		a.callback = o.Callback
	}
	if a.attempt <= 0 {
		a.attempt = DefaultAttempt
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.log = a.log.With("approver", o.Name)
	settings := maps.Clone(o.Settings)
	if o.HasToken {
		if settings == nil {
			settings = map[string]string{}
		}
		settings[tokenKey] = string(o.Token.Reveal())
	}
	a.program, err = program.Load(ctx, program.Options{Wasm: o.Wasm, Function: "notify", Hosts: o.Hosts, Memory: o.Memory, Settings: settings, Timeout: a.attempt})
	if err != nil {
		return nil, fmt.Errorf("approver %s: %s", o.Name, a.safe(err))
	}
	return a, nil
}

// Name returns the approver's name.
func (a *Approver) Name() string { return a.name }

// Keys returns what decisions are signed with: none when nobody can call back.
func (a *Approver) Keys() webhook.Keys { return a.keys }

// Signs reports whether decisions come by calling back.
func (a *Approver) Signs() bool { return a.callback != "" }

// Close lets the program go, as soon as the last announcement that runs has ended. Later ones tell nobody.
func (a *Approver) Close() error {
	a.mu.Lock()
	before, last := a.closed, a.running == 0
	a.closed = true
	a.mu.Unlock()
	if before || !last {
		return nil
	}
	return a.program.Close()
}

func (a *Approver) enter() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.running++
	return true
}

func (a *Approver) leave() {
	a.mu.Lock()
	a.running--
	last := a.closed && a.running == 0
	a.mu.Unlock()
	if !last {
		return
	}
	if err := a.program.Close(); err != nil {
		a.log.Error("a notifier cannot be let go", "error", a.safe(err))
	}
}

// Announce has the program tell people of a hold, and of its end when it is over.
func (a *Approver) Announce(ctx context.Context, h approve.Status, _ func(context.Context, approve.Vote) (approve.Status, error), over func() approve.Ending) {
	log := a.log.With("hold", h.ID)
	if !a.enter() {
		log.Warn("the configuration has changed; nobody is told of the hold here")
		return
	}
	defer a.leave()
	event := Event{Type: TypeOpened, Timestamp: h.Opened.UTC(), Data: webhook.Describe(a.name, a.callback, &h)}
	state, told := a.tell(ctx, log, &event)
	if !told {
		return
	}
	<-ctx.Done()
	e, most := over(), endTimeout
	if e.Outcome == "" {
		e.Outcome, e.Reason, e.At = approve.Withdrawn, "the gateway has stopped", time.Now()
		most = stopTimeout
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	event.Type, event.Timestamp, event.State, event.Ended = TypeEnded, e.At.UTC(), state, ended(&e)
	a.tell(end, log, &event)
}

func ended(e *approve.Ending) *Ended {
	d := &Ended{Outcome: string(e.Outcome), By: []string{}, Reason: show.Line(e.Reason), Receipt: e.Receipt, Executed: e.Executed, Granted: e.Granted}
	for _, by := range e.By {
		d.By = append(d.By, show.Line(by))
	}
	return d
}

// tell calls the program until it took the event, ctx ends or it is given up.
func (a *Approver) tell(ctx context.Context, log *slog.Logger, e *Event) (state string, told bool) {
	log = log.With("event", e.Type)
	for try := 1; ; try++ {
		output, err := a.try(ctx, e)
		var failed *program.Error
		switch {
		case err == nil:
			log.Debug("the notifier took it", "tries", try)
			if state, err = read(output); err != nil {
				log.Warn("what the notifier answered is not of the form, and is ignored", "error", err)
			}
			return state, true
		case ctx.Err() != nil:
			log.Warn("the notifier did not take it in time", "tries", try)
			return "", false
		case errors.As(err, &failed) && failed.Code == GiveUp:
			log.Error("the notifier gives up; nobody is told by it", "tries", try, "error", a.safe(err))
			return "", false
		}
		delay := retry.Delay(try, 0)
		log.Warn("the notifier failed and is tried again", "tries", try, "in", delay, "error", a.safe(err))
		if !a.wait(ctx, delay) {
			log.Warn("the notifier did not take it in time", "tries", try)
			return "", false
		}
	}
}

// try calls the program once.
func (a *Approver) try(ctx context.Context, e *Event) ([]byte, error) {
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Made anew for each try: what is written many times over is not kept while nobody reads it.
	input, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write the hold as JSON: %w", err)
	}
	// Not ended by ctx at once: whether the message is there should be known, and where.
	one, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.attempt)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		select {
		case <-one.Done():
		case <-time.After(stopTimeout):
			cancel()
		}
	})()
	output, err := a.program.Call(one, input)
	if err != nil && one.Err() != nil {
		return nil, fmt.Errorf("it did not end within %s", a.attempt)
	}
	return output, err
}

// read reads what a program answered.
func read(output []byte) (state string, err error) {
	if len(output) == 0 {
		return "", nil
	}
	var answer struct {
		State *string `json:"state"`
	}
	switch {
	case len(output) > maxAnswer || !utf8.Valid(output):
		return "", fmt.Errorf("an answer is JSON in UTF-8 of at most %d KiB", maxAnswer>>10)
	case json.Unmarshal(output, &answer) != nil:
		return "", errors.New(`an answer is empty, or {"state": "…"}`)
	case answer.State == nil:
		return "", nil
	case len(*answer.State) > MaxState:
		return "", fmt.Errorf("state has at most %d KiB", MaxState>>10)
	}
	return *answer.State, nil
}

// safe is an error in one line that can be shown, without the token.
func (a *Approver) safe(err error) string {
	text := err.Error()
	if token := string(a.token.Reveal()); token != "" {
		text = strings.ReplaceAll(text, token, "(token)")
	}
	text, missing := show.CutLine(text, maxError)
	if missing > 0 {
		text += "…"
	}
	return text
}
