package approve

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestEndings: each way in which a hold ends, as the waiter, the record and the store see it.
func TestEndings(t *testing.T) {
	for name, c := range map[string]struct {
		probe func(context.Context) error
		do    func(b *book, h *Hold, leave context.CancelCauseFunc)
		want  Ending
		grant bool
	}{
		"approved": {probe: alive, do: func(b *book, h *Hold, _ context.CancelCauseFunc) { b.vote(h.ID(), yes("ann")) },
			want: Ending{Outcome: Approved, By: []string{"ann (console)"}, Executed: true}},
		"approved without a probe": {do: func(b *book, h *Hold, _ context.CancelCauseFunc) { b.vote(h.ID(), yes("")) },
			want: Ending{Outcome: Approved, By: []string{"console"}, Executed: true}},
		"rejected": {probe: alive, do: func(b *book, h *Hold, _ context.CancelCauseFunc) { b.vote(h.ID(), no("ann")) },
			want: Ending{Outcome: Rejected, By: []string{"ann (console)"}, Reason: "not today"}},
		"expired": {probe: alive, do: func(*book, *Hold, context.CancelCauseFunc) {},
			want: Ending{Outcome: Expired, Reason: "nobody decided in time"}},
		"withdrawn": {probe: alive, do: func(_ *book, _ *Hold, leave context.CancelCauseFunc) { leave(nil) },
			want: Ending{Outcome: Withdrawn, Reason: "the agent has left"}},
		"withdrawn for a reason": {probe: alive, do: func(_ *book, _ *Hold, leave context.CancelCauseFunc) { leave(errors.New("its transaction ended")) },
			want: Ending{Outcome: Withdrawn, Reason: "its transaction ended"}},
		"approved when it had left": {probe: gone, do: func(b *book, h *Hold, _ context.CancelCauseFunc) { b.vote(h.ID(), yes("ann")) },
			want: Ending{Outcome: Withdrawn, By: []string{"ann (console)"}, Reason: "approved, but the agent has left: no answer", Granted: true, GrantUses: 1}, grant: true},
		"approved, with more": {probe: alive, do: func(b *book, h *Hold, _ context.CancelCauseFunc) {
			v := yes("ann")
			v.GrantUses = 2
			b.vote(h.ID(), v)
		}, want: Ending{Outcome: Approved, By: []string{"ann (console)"}, Executed: true, Granted: true, GrantUses: 2}, grant: true},
		"the gateway stops": {probe: alive, do: func(b *book, _ *Hold, _ context.CancelCauseFunc) {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}, want: Ending{Outcome: Withdrawn, Reason: stopping}},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T) {
				b := newBook(t, Settings{Late: time.Hour})
				h := b.hold(request())
				if h.Receipt() != "held-"+h.ID() || !h.Deadline().Equal(time.Now().Add(DefaultTimeout)) {
					t.Errorf("receipt %q, deadline %v", h.Receipt(), h.Deadline())
				}
				ctx, leave := context.WithCancelCause(t.Context())
				defer leave(nil)
				ended := b.waiting(h, ctx, c.probe)
				c.do(b, h, leave)
				e := <-ended
				if e.At.IsZero() || e.Granted == e.GrantUntil.IsZero() {
					t.Errorf("it ended at %v, granted until %v", e.At, e.GrantUntil)
				}
				if len(b.journal.ended) != 1 || e.Receipt != "ending-1" {
					t.Errorf("on record: %+v; the ending names %q", b.journal.ended, e.Receipt)
				}
				e.At, e.GrantUntil, e.Receipt = time.Time{}, time.Time{}, ""
				if !reflect.DeepEqual(e, c.want) {
					t.Errorf("it ended as\n%+v, want\n%+v", e, c.want)
				}
				if b.store.puts > 2+btoi(c.grant) {
					t.Errorf("%d writes", b.store.puts)
				}
				if b.closed {
					return
				}
				s, err := b.Get(h.ID())
				if err != nil || s.State != c.want.Outcome || (s.Ending.Outcome == Expired || s.Ending.Outcome == Withdrawn && !e.Granted) == s.Late.IsZero() {
					t.Errorf("%v: %+v", err, s)
				}
				if c.grant != b.take("claude", someDigest) {
					t.Errorf("there is a grant: %v", !c.grant)
				}
			})
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestStatus: what is asked is what is shown, also after it was stored.
func TestStatus(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBook(t, Settings{Late: time.Hour})
		r := request()
		r.Fields[0].Text = "bytes \xff and \x00"
		r.Grantable = false
		h := b.hold(r)
		s, err := b.Get(h.ID())
		want := Status{ID: h.ID(), State: Pending, Peer: "claude", Profile: "dev", Endpoint: "prod-db", Credential: "agent", Plugin: "postgres", PluginDigest: "abc",
			Conn: "c1", ActionID: 7, Family: "sql", Class: "delete", Title: "delete from users", Fields: r.Fields, Digest: someDigest.String(),
			Needs:  []Need{{Rule: "deletes need a person", Reason: "ask first", Approvals: 1}},
			Opened: time.Now().UTC(), Deadline: time.Now().Add(DefaultTimeout).UTC(), Policy: "p", Receipt: "held-" + h.ID()}
		if err != nil || !reflect.DeepEqual(s, want) {
			t.Errorf("%v\n%+v, want\n%+v", err, s, want)
		}
		b.vote(h.ID(), no("ann"))
		s, _ = b.Get(h.ID())
		b.crash()
		again, err := b.Get(h.ID())
		if err != nil || !reflect.DeepEqual(again, s) || again.Fields[0].Text != r.Fields[0].Text {
			t.Errorf("%v: after a restart\n%+v, before\n%+v", err, again, s)
		}
		b.journal.want(t)
	})
}

// TestLate: what ended undecided can be approved for a while, becomes a grant, and executes nothing by itself.
func TestLate(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBook(t, Settings{Late: time.Hour, GrantFor: 5 * time.Minute})
		h := b.hold(request())
		if e := h.Wait(t.Context(), alive); e.Outcome != Expired {
			t.Fatalf("%+v", e)
		}
		if b.take("claude", someDigest) {
			t.Error("there is a grant before anybody approved")
		}
		time.Sleep(59 * time.Minute)
		wrong := yes("ann")
		wrong.Digest = Digest{9}.String()
		b.refused(h.ID(), wrong, ErrDigest)
		s := b.vote(h.ID(), yes("ann"))
		if s.State != Approved || !s.Ending.Granted || s.Ending.Executed || s.Ending.GrantUses != 1 || !s.Ending.GrantUntil.Equal(time.Now().Add(5*time.Minute)) {
			t.Errorf("%+v", s)
		}
		b.journal.want(t, Expired, Approved)
		b.refused(h.ID(), yes("bob"), ErrDecided)
		grants, err := b.Grants(t.Context())
		if err != nil || len(grants) != 1 || grants[0].Hold != h.ID() || grants[0].Receipt != "ending-2" {
			t.Errorf("%v: %+v", err, grants)
		}
		if b.take("mallory", someDigest) || b.take("claude", Digest{1, 2, 4}) {
			t.Error("the grant is for somebody or something else")
		}
		if !b.take("claude", someDigest) || b.take("claude", someDigest) {
			t.Error("the grant is not for one use")
		}

		// Too late, for the approval and for the grant.
		h = b.hold(request())
		h.Wait(t.Context(), alive)
		b.vote(h.ID(), yes("ann"))
		time.Sleep(5 * time.Minute)
		if b.take("claude", someDigest) {
			t.Error("a grant is used after its time")
		}
		h = b.hold(request())
		h.Wait(t.Context(), alive)
		time.Sleep(time.Hour - time.Second)
		if _, err := b.Get(h.ID()); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		if _, err := b.Vote(t.Context(), h.ID(), yes("ann")); !errors.Is(err, ErrTooLate) && !errors.Is(err, ErrUnknown) {
			t.Errorf("an approval after an hour: %v", err)
		}
		if b.take("claude", someDigest) {
			t.Error("it was granted")
		}

		// A rejection keeps it from being granted.
		h = b.hold(request())
		h.Wait(t.Context(), alive)
		if s := b.vote(h.ID(), no("ann")); s.State != Rejected {
			t.Errorf("%+v", s)
		}
		b.refused(h.ID(), yes("bob"), ErrDecided)
	})
}

// TestNotGrantable: what is not known whole is approved in time or not at all.
func TestNotGrantable(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBook(t, Settings{Late: time.Hour})
		r := request()
		r.Grantable = false
		h := b.hold(r)
		ended := b.waiting(h, t.Context(), alive)
		more := yes("ann")
		more.GrantFor = time.Minute
		b.refused(h.ID(), more, ErrNotGrantable)
		b.vote(h.ID(), yes("ann"))
		if e := <-ended; e.Outcome != Approved || e.Granted {
			t.Errorf("%+v", e)
		}
		h = b.hold(r)
		ended = b.waiting(h, t.Context(), gone)
		if s := b.vote(h.ID(), yes("ann")); s.State != Withdrawn || s.Ending.Granted || (<-ended).Outcome != Withdrawn {
			t.Errorf("%+v", s)
		}
		b.refused(h.ID(), yes("bob"), ErrNotGrantable)
		h = b.hold(r)
		h.Wait(t.Context(), alive)
		b.refused(h.ID(), yes("ann"), ErrNotGrantable)
		r.Detached = true
		if _, err := b.Book.Hold(t.Context(), r, nil); !errors.Is(err, ErrNotGrantable) {
			t.Errorf("a detached one: %v", err)
		}
		if b.take("claude", someDigest) {
			t.Error("there is a grant")
		}
	})
}

// TestDetached: nobody waits, an approval is a grant.
func TestDetached(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBook(t, Settings{Late: time.Hour})
		r := request()
		r.Detached = true
		h := b.hold(r)
		left, leave := context.WithCancel(t.Context())
		leave()
		if e := h.Wait(left, alive); e.Outcome != "" {
			t.Errorf("the end of the connection ended it: %+v", e)
		}
		if s := b.vote(h.ID(), yes("ann")); s.State != Approved || !s.Ending.Granted {
			t.Errorf("%+v", s)
		}
		if !b.take("claude", someDigest) || b.take("claude", someDigest) {
			t.Error("the grant is not for one use")
		}
		h = b.hold(r)
		time.Sleep(DefaultTimeout + time.Second)
		if s, err := b.Get(h.ID()); err != nil || s.State != Expired {
			t.Errorf("%v: %+v", err, s)
		}
		if s := b.vote(h.ID(), yes("ann")); s.State != Approved || !b.take("claude", someDigest) {
			t.Errorf("%+v", s)
		}
	})
}

// TestRestart: what was open when the process ended has expired, on record; it can be granted and executes nothing.
func TestRestart(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBook(t, Settings{Late: time.Hour})
		r := request()
		attended := b.hold(r)
		ended := b.waiting(attended, t.Context(), alive)
		r.Detached, r.Peer = true, "other"
		detached := b.hold(r)
		decided := b.hold(r)
		b.vote(decided.ID(), no("ann"))
		b.crash()
		<-ended
		b.journal.want(t, Expired, Expired)
		for _, h := range []*Hold{attended, detached} {
			s, err := b.Get(h.ID())
			if err != nil || s.State != Expired || !strings.Contains(s.Ending.Reason, "started anew") || len(s.Fields) != 2 {
				t.Errorf("%v: %+v", err, s)
			}
		}
		if s, err := b.Get(decided.ID()); err != nil || s.State != Rejected {
			t.Errorf("%v: %+v", err, s)
		}
		b.crash()
		b.journal.want(t) // they are not open any more
		b.vote(attended.ID(), yes("ann"))
		b.crash()
		if !b.take("claude", someDigest) || b.take("claude", someDigest) || b.take("other", someDigest) {
			t.Error("the grant is not for one use of the one who asked")
		}
		// They are forgotten in time, on disk as well.
		time.Sleep(3 * time.Hour)
		if all := b.List(Filter{}); len(all) != 0 {
			t.Errorf("kept: %+v", all)
		}
		if left, err := b.store.List(t.Context(), ""); err != nil || len(left) != 0 {
			t.Errorf("%v: stored: %+v", err, left)
		}
	})
}

// TestClose: a good end leaves what nobody waits for in the store, for the next start.
func TestClose(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBook(t, Settings{Late: time.Hour})
		attended := b.hold(request())
		r := request()
		r.Detached = true
		detached := b.hold(r)
		b.close() // nobody has called Wait
		if e := attended.Wait(t.Context(), alive); e.Outcome != Withdrawn {
			t.Errorf("%+v", e)
		}
		if _, err := b.Book.Hold(t.Context(), r, nil); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		b.refused(detached.ID(), yes("ann"), ErrClosed)
		if _, _, _, err := b.Take(t.Context(), "claude", someDigest, nil); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		b.open()
		b.journal.want(t, Withdrawn, Expired)
	})
}

// TestNobodyWaits: an approval does not wait for ever for who should be told; its probe neither.
func TestNobodyWaits(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBook(t, Settings{})
		r := request()
		r.Timeout = time.Hour
		begun := time.Now()
		s := b.vote(b.hold(r).ID(), yes("ann"))
		if s.State != Withdrawn || !s.Ending.Granted || time.Since(begun) != attendTime {
			t.Errorf("after %v: %+v", time.Since(begun), s)
		}
		h := b.hold(r)
		b.waiting(h, t.Context(), func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		begun = time.Now()
		if s := b.vote(h.ID(), yes("ann")); s.State != Withdrawn || time.Since(begun) != probeTime {
			t.Errorf("after %v: %+v", time.Since(begun), s)
		}
		// The agent leaves while it is probed.
		h = b.hold(r)
		ctx, leave := context.WithCancelCause(t.Context())
		defer leave(nil)
		ended := b.waiting(h, ctx, func(ctx context.Context) error {
			leave(errors.New("gone for lunch"))
			return nil
		})
		if s := b.vote(h.ID(), yes("ann")); s.State != Withdrawn || s.Ending.Executed || !strings.Contains(s.Ending.Reason, "gone for lunch") || (<-ended).Outcome != Withdrawn {
			t.Errorf("%+v", s)
		}
	})
}
