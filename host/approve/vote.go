package approve

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Vote counts one vote and, if it decides the hold, ends it before it returns. The status is the one after that. A rejection of a hold that
// expired or was withdrawn keeps it from being granted.
//
// Errors: ErrUnknown, ErrDigest, ErrDecided, ErrTooLate, ErrVoted, ErrNotEntitled, ErrRequester, ErrNotGrantable, ErrInvalid,
// ErrClosed; and what kept a decision from being recorded or kept, in which case nothing was approved.
func (b *Book) Vote(ctx context.Context, id string, v Vote) (Status, error) {
	if err := b.enter(); err != nil {
		return Status{}, err
	}
	defer b.leave()
	h, decided, err := b.count(id, &v)
	if err == nil && decided {
		err = b.decide(ctx, h, v.Approve)
	}
	if h == nil {
		return Status{}, problem(id, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		return h.status, problem(id, err)
	}
	return h.status, nil
}

// count enters a vote. When it decides the hold, the hold is claimed. The hold is nil if there is none.
func (b *Book) count(id string, v *Vote) (h *Hold, decided bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h = b.holds[id]
	if h == nil {
		return nil, false, ErrUnknown
	}
	now := time.Now()
	if err := b.admit(h, v, now); err != nil {
		return h, false, err
	}
	s := &h.status
	votes := s.Votes[:len(s.Votes):len(s.Votes)] // others have the old slice
	s.Votes = append(votes, Cast{Approver: v.Approver, By: v.By, Approve: v.Approve, Reason: shorten(v.Reason), At: now.Round(0).UTC(),
		GrantUses: v.GrantUses, GrantSeconds: int64(v.GrantFor / time.Second)})
	decided = s.tally() || !v.Approve
	if decided {
		h.claimed = true
		if s.State == Pending {
			h.stopTimer()
		}
	}
	b.change()
	return h, decided, nil
}

// shorten cuts a reason at MaxReason, and makes it one line of UTF-8.
func shorten(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= MaxReason {
		return s
	}
	n := MaxReason
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// admit reports why a vote does not count. mu is held.
func (b *Book) admit(h *Hold, v *Vote, now time.Time) error {
	s := &h.status
	if !strings.EqualFold(v.Digest, s.Digest) {
		return ErrDigest
	}
	if err := s.undecided(h.claimed, now); err != nil {
		return err
	}
	switch {
	case v.Approver == "" || len(v.Approver) > MaxName || len(v.By) > MaxPerson || !utf8.ValidString(v.By):
		return fmt.Errorf("a vote of %.40q through %.40q: %w", v.By, v.Approver, ErrInvalid)
	case v.GrantUses < 0 || v.GrantUses > MaxGrantUses:
		return fmt.Errorf("a grant for %d uses, at most %d are possible: %w", v.GrantUses, MaxGrantUses, ErrInvalid)
	case v.GrantFor < 0 || v.GrantFor > MaxGrantFor || v.GrantFor%time.Second != 0:
		return fmt.Errorf("a grant for %v, whole seconds up to %v are possible: %w", v.GrantFor, MaxGrantFor, ErrInvalid)
	case !v.Approve && v.grants():
		return fmt.Errorf("a rejection that grants: %w", ErrInvalid)
	case !b.entitled(s, v.Approver):
		return fmt.Errorf("%w: %s", ErrNotEntitled, v.Approver)
	}
	who := identity(v.Approver, v.By)
	for i := range s.Votes {
		if identity(s.Votes[i].Approver, s.Votes[i].By) == who {
			return fmt.Errorf("%w: %s", ErrVoted, person(&s.Votes[i]))
		}
	}
	switch {
	case len(s.Votes) >= MaxVotes:
		return fmt.Errorf("%d votes were cast, more are not counted: %w", MaxVotes, ErrInvalid)
	case v.Approve && !s.counts(v):
		return fmt.Errorf("%w: %s", ErrRequester, s.Peer)
	case v.Approve && !s.Grantable && v.grants():
		return ErrNotGrantable
	}
	return nil
}

func (v *Vote) grants() bool { return v.GrantUses != 0 || v.GrantFor != 0 }

// undecided reports why a hold takes no votes.
func (s *Status) undecided(claimed bool, now time.Time) error {
	switch {
	case claimed:
		return fmt.Errorf("%w: at this moment", ErrDecided)
	case s.State == Pending:
		return nil
	case s.State == Approved, s.State == Rejected, s.Ending.Granted:
		return fmt.Errorf("%w: %s", ErrDecided, s.Ending.sentence())
	case !s.Grantable:
		return fmt.Errorf("it %s; %w", s.Ending.sentence(), ErrNotGrantable)
	case !now.Before(s.Late):
		return fmt.Errorf("%w: it %s", ErrTooLate, s.Ending.sentence())
	}
	return nil
}

// sentence says how it ended: "rejected by ann (ops) at 2026-01-02T15:04:05Z".
func (e *Ending) sentence() string {
	text := map[Outcome]string{Expired: "has expired", Withdrawn: "was withdrawn"}[e.Outcome]
	if text == "" {
		text = string(e.Outcome)
	}
	if len(e.By) > 0 {
		text += " by " + strings.Join(e.By, ", ")
	}
	return text + " at " + e.At.Format(time.RFC3339)
}

// entitled reports whether an approver may decide any of the needs. mu is held.
func (b *Book) entitled(s *Status, approver string) bool {
	for i := range s.Needs {
		if s.Needs[i].asks(approver) && (len(s.Needs[i].Approvers) > 0 || b.isApprover(approver)) {
			return true
		}
	}
	return false
}

// isApprover reports whether an approver is configured. mu is held.
func (b *Book) isApprover(name string) bool {
	if name == Console {
		return true
	}
	for _, a := range b.settings.Approvers {
		if a.Name() == name {
			return true
		}
	}
	return false
}

// asks reports whether an approver can meet the need.
func (n *Need) asks(approver string) bool {
	if len(n.Approvers) == 0 || approver == Console {
		return true
	}
	for _, a := range n.Approvers {
		if a == approver {
			return true
		}
	}
	return false
}

// counts reports whether an approval counts for any need.
func (s *Status) counts(v *Vote) bool {
	for i := range s.Needs {
		if s.Needs[i].takes(v.Approver, v.By, s.Peer) {
			return true
		}
	}
	return false
}

// takes reports whether an approval counts for the need.
func (n *Need) takes(approver, by, peer string) bool {
	if !n.asks(approver) {
		return false
	}
	requester := fold(peer)
	return !n.NotRequester || fold(by) != requester && fold(approver) != requester
}

// tally counts the identities that have approved each need, and reports whether all are met.
func (s *Status) tally() bool {
	needs := append([]Need(nil), s.Needs...) // others have the old slice
	met := true
	for i := range needs {
		n := &needs[i]
		n.Given = 0
		for j := range s.Votes {
			if c := &s.Votes[j]; c.Approve && n.takes(c.Approver, c.By, s.Peer) {
				n.Given++ // each identity has one vote
			}
		}
		met = met && n.Given >= n.Approvals
	}
	s.Needs = needs
	return met
}

// identity is who votes: the person, the channel where it names none, and one for the console.
func identity(approver, by string) string {
	if approver == Console || fold(by) == "" {
		return fold(approver)
	}
	return fold(by)
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// person is who cast a vote, as others read it.
func person(c *Cast) string {
	if c.By == "" {
		return c.Approver
	}
	return c.By + " (" + c.Approver + ")"
}

// decide ends a claimed hold by its votes.
func (b *Book) decide(ctx context.Context, h *Hold, approve bool) error {
	b.mu.Lock()
	s := h.status
	b.mu.Unlock()
	e := verdict(&s, approve)
	if !approve {
		e.Outcome = Rejected
		return b.conclude(h, e, nil)
	}
	e.Outcome = Approved
	nobody := s.State != Pending || s.Detached
	if !nobody {
		if err := b.ask(ctx, h); err != nil {
			nobody = true
			e.Outcome = Withdrawn
			e.Reason = "approved, but the agent has left: " + err.Error()
		}
	}
	e.Executed = !nobody
	g := b.granted(&s, nobody)
	if g != nil {
		e.Granted, e.GrantUses, e.GrantUntil = true, g.Uses, g.Until
		g.By = e.By
	}
	return b.conclude(h, e, g)
}

// verdict is the ending that the votes say, without its outcome.
func verdict(s *Status, approve bool) Ending {
	var e Ending
	var reasons []string
	for i := range s.Votes {
		c := &s.Votes[i]
		if c.Approve != approve {
			continue
		}
		e.By = append(e.By, person(c))
		if c.Reason != "" {
			reasons = append(reasons, c.Reason)
		}
	}
	e.Reason = shorten(strings.Join(reasons, "; "))
	return e
}

// ask reports why the agent is not there any more.
func (b *Book) ask(ctx context.Context, h *Hold) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(b.ctx, cancel)()
	soon := time.NewTimer(attendTime)
	defer soon.Stop()
	select {
	case <-h.attended:
	case <-soon.C:
		return errors.New("nobody waits for the decision")
	case <-ctx.Done():
		return errors.New(stopping)
	}
	b.mu.Lock()
	wait, probe := h.wait, h.probe
	b.mu.Unlock()
	defer context.AfterFunc(wait, cancel)()
	if probe != nil {
		ctx, cancel := context.WithTimeout(ctx, probeTime)
		defer cancel()
		if err := probe(ctx); err != nil {
			return err
		}
	}
	if wait.Err() != nil {
		return errors.New(leftBecause(wait))
	}
	return nil
}
