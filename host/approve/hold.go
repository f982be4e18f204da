package approve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
)

// Request is an action that is to wait for people.
type Request struct {
	Peer, Profile, Endpoint, Credential string
	Plugin, PluginDigest, Conn          string
	ActionID                            uint32
	Family, Class, Title                string
	// Fields are name and text of every known field, in the manifest's order; see MaxText.
	Fields []Field
	Digest Digest
	// Grantable: everything about the action is known and whole, so that the digest names it.
	Grantable bool
	// Needs are the rules that held it, at least one. Timeout is how long it is open, 0 is DefaultTimeout.
	Needs   []Need
	Timeout time.Duration
	// Detached: nobody waits for it, and an approval becomes a grant.
	Detached bool
	// Policy is the hash of the configuration in effect.
	Policy string
}

// Hold is one action that waits. Its Wait is called once, and soon, unless it is detached.
type Hold struct {
	book     *Book
	id       string
	deadline time.Time
	receipt  string // set before others know of it

	cancel context.CancelFunc // of what announces it

	done     chan struct{} // closed when it has ended for the agent
	attended chan struct{} // closed when somebody waits

	// The book's mu guards what follows.
	wait    context.Context
	probe   func(context.Context) error
	status  Status
	text    int         // bytes of its fields
	timer   *time.Timer // its deadline, then when it is forgotten
	claimed bool        // somebody is about to decide it

}

// ID is its name.
func (h *Hold) ID() string { return h.id }

// Deadline is when it expires.
func (h *Hold) Deadline() time.Time { return h.deadline }

// Receipt is the id of the record that it is held.
func (h *Hold) Receipt() string { return h.receipt }

// Hold opens a hold. record is called with its id and deadline once it is in the store and before anyone hears of it, and returns the
// receipt's id; its error undoes everything. Errors: *TooManyError, ErrTooLarge, ErrNotGrantable (detached and not grantable:
// nothing could come of it), ErrInvalid, ErrClosed, and those of the store and of record.
func (b *Book) Hold(ctx context.Context, r Request, record func(id string, deadline time.Time) (receipt string, err error)) (*Hold, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	if err := b.enter(); err != nil {
		return nil, err
	}
	defer b.leave()
	h := b.newHold(&r)
	if err := b.reserve(context.WithoutCancel(ctx), h); err != nil {
		return nil, err
	}
	if err := b.opened(context.WithoutCancel(ctx), h, record); err != nil {
		b.mu.Lock()
		b.release(h)
		b.texts -= h.text
		b.mu.Unlock()
		return nil, fmt.Errorf("hold: %w", err)
	}
	if !b.begin(h) {
		h.withdraw(stopping)
	}
	return h, nil
}

// opened puts h into the store and on record.
func (b *Book) opened(ctx context.Context, h *Hold, record func(string, time.Time) (string, error)) error {
	if err := b.write(ctx, &h.status, 0); err != nil {
		return err
	}
	receipt, err := record(h.id, h.status.Deadline)
	if err != nil {
		return errors.Join(err, b.store.Delete(ctx, holdKey(h.id), state.Any))
	}
	h.receipt, h.status.Receipt = receipt, receipt
	return nil
}

// check reports what breaks a limit.
func (r *Request) check() error {
	size, needs := textOf(r.Fields), 0
	for i := range r.Needs {
		n := &r.Needs[i]
		needs += len(n.Rule) + len(n.Reason)
		for _, a := range n.Approvers {
			needs += len(a) + 1
		}
		if n.Approvals < 0 || n.Approvals > MaxVotes || len(n.Approvers) > MaxNeeds {
			return fmt.Errorf("rule %.40q wants %d approvals of %d approvers: %w", n.Rule, n.Approvals, len(n.Approvers), ErrInvalid)
		}
	}
	for _, s := range []string{r.Peer, r.Profile, r.Endpoint, r.Credential, r.Plugin, r.PluginDigest, r.Conn, r.Family, r.Class, r.Title, r.Policy} {
		if len(s) > MaxName {
			return fmt.Errorf("%.40q…, of %d bytes: %w", s, len(s), ErrInvalid)
		}
	}
	switch {
	case size > MaxText:
		return fmt.Errorf("%d bytes, %d can be held: %w", size, MaxText, ErrTooLarge)
	case r.Peer == "" || len(r.Needs) == 0 || len(r.Needs) > MaxNeeds || needs > maxNeedsText:
		return fmt.Errorf("peer %.40q, %d rules: %w", r.Peer, len(r.Needs), ErrInvalid)
	case r.Timeout < 0 || r.Timeout > MaxTimeout:
		return fmt.Errorf("a timeout of %v: %w", r.Timeout, ErrInvalid)
	case r.Detached && !r.Grantable:
		return ErrNotGrantable
	}
	return nil
}

func textOf(fields []Field) (size int) {
	for _, f := range fields {
		size += len(f.Name) + len(f.Text)
	}
	return size
}

func (b *Book) newHold(r *Request) *Hold {
	now := time.Now()
	timeout := r.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	needs := slices.Clone(r.Needs)
	for i := range needs {
		needs[i].Approvals, needs[i].Given = max(needs[i].Approvals, 1), 0
		needs[i].Approvers = slices.Clone(needs[i].Approvers)
	}
	return b.holdOf(Status{
		ID: newID(), State: Pending,
		Peer: r.Peer, Profile: r.Profile, Endpoint: r.Endpoint, Credential: r.Credential,
		Plugin: r.Plugin, PluginDigest: r.PluginDigest, Conn: r.Conn, ActionID: r.ActionID,
		Family: r.Family, Class: r.Class, Title: r.Title, Fields: slices.Clone(r.Fields),
		Digest: r.Digest.String(), Grantable: r.Grantable, Detached: r.Detached,
		Needs: needs, Opened: now.Round(0).UTC(), Deadline: now.Add(timeout).Round(0).UTC(), Policy: r.Policy,
	})
}

func (b *Book) holdOf(s Status) *Hold {
	return &Hold{book: b, id: s.ID, deadline: s.Deadline, receipt: s.Receipt, status: s, text: textOf(s.Fields), cancel: func() {},
		done: make(chan struct{}), attended: make(chan struct{})}
}

// reserve counts h, if there is room for it. Ended holds make room for its text.
func (b *Book) reserve(ctx context.Context, h *Hold) error {
	b.mu.Lock()
	old, err := b.admitHold(h)
	b.mu.Unlock()
	b.erase(ctx, old)
	return err
}

// admitHold is reserve; the holds that it forgets are still in the store. mu is held.
func (b *Book) admitHold(h *Hold) (old []*Hold, err error) {
	p := b.peer(h.status.Peer)
	defer b.dropPeer(h.status.Peer)
	tooMany := func(limit string, n int) ([]*Hold, error) {
		return old, fmt.Errorf("hold: %w", &TooManyError{Limit: limit, Max: n, Peer: h.status.Peer})
	}
	switch {
	case p.open >= b.settings.PerPeer:
		return tooMany("per_peer", b.settings.PerPeer)
	case b.open >= b.settings.Total:
		return tooMany("total", b.settings.Total)
	case p.withdrawn(time.Now().Add(-time.Minute)) >= b.settings.PerPeer:
		return tooMany("withdrawn", b.settings.PerPeer)
	}
	for b.texts+h.text > MaxTexts {
		o := b.dispensable()
		if o == nil {
			return tooMany("texts", MaxTexts)
		}
		b.drop(o)
		old = append(old, o)
	}
	p.open++
	b.open++
	b.texts += h.text
	for _, o := range old {
		b.dropPeer(o.status.Peer)
	}
	return old, nil
}

// withdrawn is how many holds the peer has taken back since then.
func (p *ofPeer) withdrawn(since time.Time) (n int) {
	for _, h := range slices.Backward(p.ended) {
		if h.status.Ending.At.Before(since) {
			break
		}
		if h.status.State == Withdrawn {
			n++
		}
	}
	return n
}

// dispensable is the oldest ended hold of the peer whose ended holds have the most text; nil: there is none. mu is held.
func (b *Book) dispensable() (oldest *Hold) {
	most := -1
	for _, p := range b.peers {
		text := 0
		var first *Hold
		for _, h := range p.ended {
			if h.claimed {
				continue
			}
			if first == nil {
				first = h
			}
			text += h.text
		}
		if first != nil && text > most {
			oldest, most = first, text
		}
	}
	return oldest
}

// release counts h no more as open. mu is held.
func (b *Book) release(h *Hold) {
	b.peer(h.status.Peer).open--
	b.open--
	b.dropPeer(h.status.Peer)
}

// peer is what a peer has in the book. mu is held.
func (b *Book) peer(name string) *ofPeer {
	p := b.peers[name]
	if p == nil {
		p = &ofPeer{}
		b.peers[name] = p
	}
	return p
}

// dropPeer forgets a peer that has nothing in the book. mu is held.
func (b *Book) dropPeer(name string) {
	if p := b.peers[name]; p != nil && p.open == 0 && len(p.ended) == 0 {
		delete(b.peers, name)
	}
}

// begin makes h known. It reports false when the book was closed in the meantime, and h has to be ended.
func (b *Book) begin(h *Hold) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.holds[h.id] = h
	b.change()
	if b.closed {
		return h.status.Detached
	}
	h.timer = time.AfterFunc(time.Until(h.deadline), h.expire)
	b.announce(h)
	return true
}

// stopTimer stops what waits for the deadline or to forget it. The book's mu is held.
func (h *Hold) stopTimer() {
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
}

// Wait returns when the hold has ended, with how. It ends as withdrawn when ctx does, because the agent has left; the reason is the
// context's cause, where it has one. probe is asked before an approval takes effect, for at most 5 seconds; its error makes the hold
// withdrawn and, if it can be granted, a grant. Of a detached hold Wait may be called too; it then returns an empty Ending when ctx ends.
func (h *Hold) Wait(ctx context.Context, probe func(context.Context) error) Ending {
	b := h.book
	b.mu.Lock()
	if h.wait == nil {
		h.wait, h.probe = ctx, probe
		close(h.attended)
	}
	detached := h.status.Detached
	b.mu.Unlock()
	select {
	case <-h.done:
	case <-ctx.Done():
		if detached {
			return Ending{}
		}
		h.withdraw(leftBecause(ctx))
	case <-b.ctx.Done():
		if detached {
			return Ending{}
		}
		h.withdraw(stopping)
	}
	<-h.done
	b.mu.Lock()
	defer b.mu.Unlock()
	return h.status.Ending
}

// stopping is why holds are withdrawn when the book is closed.
const stopping = "the gateway is stopping"

func leftBecause(ctx context.Context) string {
	if cause := context.Cause(ctx); cause != nil && cause != ctx.Err() {
		return cause.Error()
	}
	return "the agent has left"
}

// claim makes the caller the one who decides an open hold.
func (h *Hold) claim() bool {
	h.book.mu.Lock()
	defer h.book.mu.Unlock()
	if h.status.State != Pending || h.claimed {
		return false
	}
	h.claimed = true
	h.stopTimer()
	return true
}

// withdraw ends it because the agent has left, unless somebody else is about to end it.
func (h *Hold) withdraw(reason string) {
	if h.claim() {
		_ = h.book.conclude(h, Ending{Outcome: Withdrawn, Reason: reason}, nil)
	}
}

// expire ends it because its deadline has passed.
func (h *Hold) expire() {
	if h.book.enter() != nil {
		return
	}
	defer h.book.leave()
	if h.claim() {
		_ = h.book.conclude(h, Ending{Outcome: Expired, Reason: "nobody decided in time"}, nil)
	}
}
