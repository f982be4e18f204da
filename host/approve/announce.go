package approve

import "context"

// announce has every channel that can decide h tell people of it. mu is held.
func (b *Book) announce(h *Hold) {
	var ctx context.Context
	for _, a := range b.settings.Approvers {
		if !asked(h.status.Needs, a.Name()) {
			continue
		}
		if ctx == nil {
			ctx, h.cancel = context.WithCancel(b.ctx)
		}
		s := h.status
		b.group.Go(func() { a.Announce(ctx, s, h.voter(a.Name()), h.ending) })
	}
}

func asked(needs []Need, approver string) bool {
	for i := range needs {
		if needs[i].asks(approver) {
			return true
		}
	}
	return false
}

// voter casts votes in the name of one channel.
func (h *Hold) voter(approver string) func(context.Context, Vote) (Status, error) {
	return func(ctx context.Context, v Vote) (Status, error) {
		v.Approver = approver
		return h.book.Vote(ctx, h.ID(), v)
	}
}

// ending is how it has ended.
func (h *Hold) ending() Ending {
	h.book.mu.Lock()
	defer h.book.mu.Unlock()
	return h.status.Ending
}
