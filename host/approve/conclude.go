package approve

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
)

// conclude ends a claimed hold: on record, in the store, then for all who wait. An approval that cannot be recorded or kept is none; the
// error says so. Other endings take effect all the same, and what went wrong is logged.
func (b *Book) conclude(h *Hold, e Ending, g *Grant) error {
	ctx := context.WithoutCancel(b.ctx)
	b.mu.Lock()
	s, late := h.status, b.settings.Late
	b.mu.Unlock()
	was := s
	now := time.Now().Round(0).UTC()
	e.At = now
	s.State, s.Ending, s.Late = e.Outcome, e, time.Time{}
	if lapsed := e.Outcome == Expired || e.Outcome == Withdrawn; lapsed && s.Grantable && !e.Granted && late > 0 {
		s.Late = now.Add(late)
	}
	recorded, err := b.settle(ctx, &s, g)
	if err != nil {
		b.log.Error("the end of a hold cannot be recorded", "hold", s.ID, "peer", s.Peer, "endpoint", s.Endpoint, "outcome", e.Outcome, "error", err)
		if e.Outcome == Approved || e.Granted {
			b.failed(ctx, &s, &was, recorded, err)
			err = fmt.Errorf("approved, but that cannot be recorded, so nothing was let through: %w", err)
		} else {
			err = nil
		}
	}
	b.ended(ctx, h, s, was.State == Pending)
	return err
}

// settle has an ending recorded and kept.
func (b *Book) settle(ctx context.Context, s *Status, g *Grant) (recorded bool, err error) {
	s.Ending.Receipt, err = b.journal.Ended(ctx, s, s.Ending)
	if err != nil {
		return false, fmt.Errorf("record: %w", err)
	}
	// The hold first: a crash between the two loses the grant and gives nothing away.
	if err := b.write(ctx, s, keepFor(s)); err != nil {
		return true, err
	}
	if g != nil {
		g.Receipt = s.Ending.Receipt
		err = b.putGrant(ctx, g)
	}
	return true, err
}

// keepFor is how long an ended hold is kept.
func keepFor(s *Status) time.Duration { return max(keepEnded, s.Late.Sub(s.Ending.At)) }

// failed makes s the ending of an approval that did not take effect. A hold that was over before is what it was, and open to votes.
func (b *Book) failed(ctx context.Context, s, was *Status, recorded bool, cause error) {
	e := Ending{Outcome: Rejected, At: s.Ending.At, By: s.Ending.By, FailClosed: true,
		Reason: "approved, but the gateway cannot record it: " + cause.Error()}
	if s.Ending.Outcome == Withdrawn {
		e.Outcome = Withdrawn
	}
	var receipt string
	if recorded {
		s.Ending = e
		var err error
		if receipt, err = b.journal.Ended(ctx, s, e); err != nil {
			b.log.Error("that an approval did not take effect cannot be recorded", "hold", s.ID, "error", err)
		}
	}
	if was.State == Pending {
		e.Receipt = receipt
		s.State, s.Ending = e.Outcome, e
	} else {
		*s = *was
		s.Votes = nil
		s.tally()
	}
	if err := b.write(ctx, s, keepFor(s)); err != nil {
		b.log.Error("the end of a hold cannot be kept; after a restart it counts as expired", "hold", s.ID, "error", err)
	}
}

// ended makes an ending known.
func (b *Book) ended(ctx context.Context, h *Hold, s Status, first bool) {
	b.mu.Lock()
	h.status, h.claimed = s, false
	h.stopTimer()
	if !b.closed {
		h.timer = time.AfterFunc(keepFor(&s), h.forget)
	}
	var old []*Hold
	if first {
		h.cancel()
		close(h.done)
		old = b.file(h)
		b.release(h)
	}
	b.change()
	b.mu.Unlock()
	b.erase(ctx, old)
}

// erase removes forgotten holds from the store.
func (b *Book) erase(ctx context.Context, old []*Hold) {
	for _, h := range old {
		if err := b.store.Delete(ctx, holdKey(h.id), state.Any); err != nil {
			b.log.Warn("an old hold cannot be removed; it goes by itself later", "hold", h.id, "error", err)
		}
	}
}

// file puts a hold among the peer's ended ones, and returns those that are too many and forgotten now. mu is held.
func (b *Book) file(h *Hold) (old []*Hold) {
	p := b.peer(h.status.Peer)
	p.ended = append(p.ended, h)
	for i := 0; len(p.ended) > endedPerPeer && i < len(p.ended); {
		if o := p.ended[i]; o.claimed {
			i++
		} else {
			old = append(old, o)
			b.drop(o)
		}
	}
	return old
}

// drop forgets an ended hold. mu is held.
func (b *Book) drop(h *Hold) {
	h.stopTimer()
	delete(b.holds, h.id)
	b.texts -= h.text
	p := b.peer(h.status.Peer)
	if i := slices.Index(p.ended, h); i >= 0 {
		p.ended = slices.Delete(p.ended, i, i+1)
	}
}

// forget is called when an ended hold is old. The store forgets it by itself.
func (h *Hold) forget() {
	b := h.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || h.claimed || b.holds[h.id] != h {
		return
	}
	b.drop(h)
	b.dropPeer(h.status.Peer)
	b.change()
}
