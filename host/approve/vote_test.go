package approve

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// channel is an approver that keeps what it is told.
type channel struct {
	name string
	mu   sync.Mutex
	told []string // ids
	over []Ending
	do   func(context.Context, Status, func(context.Context, Vote) (Status, error))
}

func (c *channel) Name() string { return c.name }

func (c *channel) Announce(ctx context.Context, h Status, decide func(context.Context, Vote) (Status, error), over func() Ending) {
	c.mu.Lock()
	c.told = append(c.told, h.ID)
	c.mu.Unlock()
	if c.do != nil {
		c.do(ctx, h, decide)
	}
	<-ctx.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = append(c.over, over())
}

func channels(names ...string) (out []Approver) {
	for _, n := range names {
		out = append(out, &channel{name: n})
	}
	return out
}

// TestWhoDecides: the votes in their order, each with what comes of it.
func TestWhoDecides(t *testing.T) {
	type cast struct {
		approver, by string
		approve      bool
		want         error // of the vote
		state        State // after it
	}
	const y, n = true, false
	two := []Need{{Rule: "r", Approvals: 2}}
	named := []Need{{Rule: "r", Approvers: []string{"ops"}}}
	both := []Need{{Rule: "a", Approvers: []string{"ops"}}, {Rule: "b", Approvers: []string{"dba"}}}
	other := []Need{{Rule: "r", NotRequester: true}}
	for name, c := range map[string]struct {
		needs []Need
		votes []cast
	}{
		"anybody":                       {[]Need{{Rule: "r"}}, []cast{{"ops", "ann", y, nil, Approved}}},
		"a channel that is not":         {[]Need{{Rule: "r"}}, []cast{{"nobody", "ann", y, ErrNotEntitled, Pending}, {"nobody", "ann", n, ErrNotEntitled, Pending}}},
		"another channel than asked":    {named, []cast{{"dba", "ann", y, ErrNotEntitled, Pending}, {"dba", "ann", n, ErrNotEntitled, Pending}, {"ops", "ann", y, nil, Approved}}},
		"the operator may always":       {named, []cast{{"console", "root", y, nil, Approved}}},
		"two people":                    {two, []cast{{"ops", "ann", y, nil, Pending}, {"ops", "bob", y, nil, Approved}}},
		"one person twice":              {two, []cast{{"ops", "ann", y, nil, Pending}, {"ops", "ann", y, ErrVoted, Pending}, {"ops", "ann", n, ErrVoted, Pending}}},
		"one person in two channels":    {two, []cast{{"ops", "ann", y, nil, Pending}, {"dba", " Ann", y, ErrVoted, Pending}}},
		"a channel without names":       {two, []cast{{"ops", "", y, nil, Pending}, {"ops", "", y, ErrVoted, Pending}, {"dba", "", y, nil, Approved}}},
		"the operator is one":           {two, []cast{{"console", "root", y, nil, Pending}, {"console", "ann", y, ErrVoted, Pending}, {"ops", "ann", y, nil, Approved}}},
		"one of two says no":            {two, []cast{{"ops", "ann", y, nil, Pending}, {"ops", "bob", n, nil, Rejected}, {"ops", "eve", y, ErrDecided, Rejected}}},
		"both rules":                    {both, []cast{{"ops", "ann", y, nil, Pending}, {"dba", "bob", y, nil, Approved}}},
		"both rules, one of them twice": {both, []cast{{"ops", "ann", y, nil, Pending}, {"ops", "bob", y, nil, Pending}, {"dba", "eve", y, nil, Approved}}},
		"both rules, one says no":       {both, []cast{{"ops", "ann", y, nil, Pending}, {"dba", "bob", n, nil, Rejected}}},
		"both rules, the operator":      {both, []cast{{"console", "root", y, nil, Approved}}},
		"who asks":                      {other, []cast{{"ops", "Claude ", y, ErrRequester, Pending}, {"console", "claude", y, ErrRequester, Pending}, {"ops", "ann", y, nil, Approved}}},
		"who asks, by its channel":      {other, []cast{{"claude", "", y, ErrRequester, Pending}, {"claude", "ann", y, ErrRequester, Pending}}},
		"who asks may say no":           {other, []cast{{"ops", "claude", n, nil, Rejected}}},
		"who asks, where it may":        {[]Need{{Rule: "r"}}, []cast{{"ops", "claude", y, nil, Approved}}},
		"who asks, for one of two rules": {[]Need{{Rule: "a", NotRequester: true}, {Rule: "b"}},
			[]cast{{"ops", "claude", y, nil, Pending}, {"ops", "ann", y, nil, Approved}}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t, Settings{Approvers: channels("ops", "dba", "claude")})
			r := request()
			r.Needs = c.needs
			h := b.hold(r)
			ended := b.waiting(h, t.Context(), alive)
			var last State
			for i, v := range c.votes {
				s, err := b.Vote(t.Context(), h.ID(), Vote{Approver: v.approver, By: v.by, Approve: v.approve, Digest: h.status.Digest})
				if !errors.Is(err, v.want) || s.State != v.state {
					t.Fatalf("vote %d: %v and %v, want %v and %v", i, s.State, err, v.state, v.want)
				}
				last = s.State
			}
			if last != Pending && (<-ended).Outcome != last {
				t.Error("the waiter has another ending")
			}
		})
	}
}

// TestBadVotes: what is refused, with what is said.
func TestBadVotes(t *testing.T) {
	b := newBook(t, Settings{})
	h := b.hold(request())
	ended := b.waiting(h, t.Context(), alive)
	change := func(f func(*Vote)) Vote {
		v := yes("ann")
		f(&v)
		return v
	}
	for name, c := range map[string]struct {
		vote Vote
		want error
	}{
		"no digest":             {change(func(v *Vote) { v.Digest = "" }), ErrDigest},
		"another digest":        {change(func(v *Vote) { v.Digest = Digest{7}.String() }), ErrDigest},
		"part of the digest":    {change(func(v *Vote) { v.Digest = v.Digest[:10] }), ErrDigest},
		"no approver":           {change(func(v *Vote) { v.Approver = "" }), ErrInvalid},
		"a huge name":           {change(func(v *Vote) { v.By = strings.Repeat("a", MaxPerson+1) }), ErrInvalid},
		"a name not UTF-8":      {change(func(v *Vote) { v.By = "\xff" }), ErrInvalid},
		"negative uses":         {change(func(v *Vote) { v.GrantUses = -1 }), ErrInvalid},
		"too many uses":         {change(func(v *Vote) { v.GrantUses = MaxGrantUses + 1 }), ErrInvalid},
		"too long":              {change(func(v *Vote) { v.GrantFor = MaxGrantFor + time.Second }), ErrInvalid},
		"parts of a second":     {change(func(v *Vote) { v.GrantFor = time.Millisecond }), ErrInvalid},
		"a no that grants":      {change(func(v *Vote) { v.Approve, v.GrantUses = false, 1 }), ErrInvalid},
		"not this hold's":       {yes("ann"), ErrUnknown},
		"a digest in uppercase": {change(func(v *Vote) { v.Digest = strings.ToUpper(v.Digest); v.GrantUses = -1 }), ErrInvalid},
	} {
		id := h.ID()
		if c.want == ErrUnknown {
			id = "h\x1b[2J"
		}
		_, err := b.Vote(t.Context(), id, c.vote)
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	b.journal.want(t)
	v := yes("ann")
	v.Reason = strings.Repeat("ж", MaxReason) + "\xff"
	s := b.vote(h.ID(), v)
	if got := s.Votes[0].Reason; len(got) != MaxReason || !strings.HasPrefix(v.Reason, got) {
		t.Errorf("a reason of %d bytes: %q", len(got), got)
	}
	<-ended
	_, err := b.Vote(t.Context(), h.ID(), no("bob"))
	if !errors.Is(err, ErrDecided) || !strings.Contains(err.Error(), "approved by ann (console) at ") {
		t.Errorf("a vote on what is decided: %v", err)
	}
}

// TestOneWins: of an approval, a rejection and a departure at once exactly one ends the hold, and all agree on which.
func TestOneWins(t *testing.T) {
	b := newBook(t, Settings{})
	for range 20 {
		h := b.hold(request())
		ctx, leave := context.WithCancel(t.Context())
		ended := b.waiting(h, ctx, alive)
		was := len(b.journal.outcomes())
		var group sync.WaitGroup
		var mu sync.Mutex
		accepted := 0
		for _, v := range []Vote{yes("a"), no("b"), {Approver: Console, By: "c", Approve: true, Digest: someDigest.String()}} {
			group.Go(func() {
				_, err := b.Vote(t.Context(), h.ID(), v)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					accepted++
				} else if !errors.Is(err, ErrDecided) && !errors.Is(err, ErrTooLate) && !errors.Is(err, ErrVoted) {
					t.Error(err)
				}
			})
		}
		group.Go(leave)
		group.Wait()
		e := <-ended
		s, err := b.Get(h.ID())
		recorded := b.journal.outcomes()[was:]
		if err != nil || len(recorded) != 1 || recorded[0] != e.Outcome || s.State != e.Outcome || accepted > 1 {
			t.Errorf("%v: the waiter sees %v, others %v, on record are %v; %d votes were taken", err, e.Outcome, s.State, recorded, accepted)
		}
		for b.take("claude", someDigest) {
			if !e.Granted {
				t.Error("there is a grant that the ending does not name")
			}
		}
	}
}

// TestUnrecorded: an approval that is not on record or not kept approves nothing; other endings are endings.
func TestUnrecorded(t *testing.T) {
	full := errors.New("the disk is full")
	for name, c := range map[string]struct {
		journal func(*Status) error
		store   func(key string) error
		vote    Vote
		probe   func(context.Context) error
		outcome Outcome
		denied  bool
		record  []Outcome
	}{
		"approval, not recorded":         {journal: func(*Status) error { return full }, vote: yes("ann"), probe: alive, outcome: Rejected, denied: true},
		"approval, not kept":             {store: func(string) error { return full }, vote: yes("ann"), probe: alive, outcome: Rejected, denied: true, record: []Outcome{Approved, Rejected}},
		"rejection, not recorded":        {journal: func(*Status) error { return full }, vote: no("ann"), probe: alive, outcome: Rejected},
		"rejection, not kept":            {store: func(string) error { return full }, vote: no("ann"), probe: alive, outcome: Rejected, record: []Outcome{Rejected}},
		"approval of who has left":       {journal: func(*Status) error { return full }, vote: yes("ann"), probe: gone, outcome: Withdrawn, denied: true},
		"approval, the grant not kept":   {store: func(key string) error { return onlyGrants(key, full) }, vote: more(yes("ann")), probe: alive, outcome: Rejected, denied: true, record: []Outcome{Approved, Rejected}},
		"who has left, grant not kept":   {store: func(key string) error { return onlyGrants(key, full) }, vote: yes("ann"), probe: gone, outcome: Withdrawn, denied: true, record: []Outcome{Withdrawn, Withdrawn}},
		"approval where all is recorded": {vote: more(yes("ann")), probe: alive, outcome: Approved, record: []Outcome{Approved}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t, Settings{Late: time.Hour})
			h := b.hold(request())
			ended := b.waiting(h, t.Context(), c.probe)
			b.journal.fail, b.store.fail = c.journal, c.store
			s, err := b.Vote(t.Context(), h.ID(), c.vote)
			if errors.Is(err, full) != c.denied || s.State != c.outcome || s.Ending.FailClosed != c.denied {
				t.Errorf("%v: %+v", err, s)
			}
			if e := <-ended; !reflect.DeepEqual(e, s.Ending) || c.denied && e.Granted {
				t.Errorf("the waiter sees %+v, who voted %+v", e, s.Ending)
			}
			b.journal.want(t, c.record...)
			b.journal.fail, b.store.fail = nil, nil
			if c.denied && b.take("claude", someDigest) {
				t.Error("there is a grant")
			}
		})
	}
}

func onlyGrants(key string, err error) error {
	if strings.HasPrefix(key, grantPrefix) {
		return err
	}
	return nil
}

func more(v Vote) Vote {
	v.GrantUses = 2
	return v
}

// TestUnrecordedLate: an approval of what is over that cannot be recorded changes nothing, and can be tried again.
func TestUnrecordedLate(t *testing.T) {
	inTime(t, func(t *testing.T) {
		full := errors.New("the disk is full")
		b := newBook(t, Settings{Late: time.Hour})
		h := b.hold(request())
		h.Wait(t.Context(), alive)
		for _, c := range []struct {
			journal func(*Status) error
			store   func(string) error
		}{{journal: func(*Status) error { return full }}, {store: func(string) error { return full }}, {store: func(key string) error { return onlyGrants(key, full) }}} {
			b.journal.fail, b.store.fail = c.journal, c.store
			s, err := b.Vote(t.Context(), h.ID(), yes("ann"))
			if !errors.Is(err, full) || s.State != Expired || s.Ending.Granted || len(s.Votes) != 0 || b.take("claude", someDigest) {
				t.Errorf("%v: %+v", err, s)
			}
		}
		b.journal.fail, b.store.fail = nil, nil
		if s := b.vote(h.ID(), yes("ann")); s.State != Approved || !b.take("claude", someDigest) {
			t.Errorf("%+v", s)
		}
	})
}

// TestHeldUnrecorded: what cannot be kept or recorded is not held, and nobody hears of it.
func TestHeldUnrecorded(t *testing.T) {
	full := errors.New("the disk is full")
	ops := &channel{name: "ops"}
	b := newBook(t, Settings{Approvers: []Approver{ops}, PerPeer: 1})
	r := request()
	if _, err := b.Book.Hold(t.Context(), r, func(id string, _ time.Time) (string, error) {
		if _, err := b.Get(id); !errors.Is(err, ErrUnknown) {
			t.Errorf("it can be found before it is on record: %v", err)
		}
		if _, err := b.store.Get(t.Context(), holdKey(id)); err != nil {
			t.Errorf("it is not in the store: %v", err)
		}
		return "", full
	}); !errors.Is(err, full) {
		t.Error(err)
	}
	b.store.fail = func(string) error { return full }
	if _, err := b.Book.Hold(t.Context(), r, func(string, time.Time) (string, error) {
		t.Error("it is recorded before it is kept")
		return "", nil
	}); !errors.Is(err, full) {
		t.Error(err)
	}
	b.store.fail = nil
	if left, err := b.store.List(t.Context(), ""); err != nil || len(left) != 0 || len(b.List(Filter{})) != 0 || len(ops.told) != 0 {
		t.Errorf("%v: left is %v, %v was told", err, left, ops.told)
	}
	b.hold(r) // the limit counts none of them
}

// TestAnnounce: the channels that can decide are told, once, and then how it ended; they vote in their own name.
func TestAnnounce(t *testing.T) {
	ops, dba, all := &channel{name: "ops"}, &channel{name: "dba"}, &channel{name: "all"}
	ops.do = func(ctx context.Context, h Status, decide func(context.Context, Vote) (Status, error)) {
		if h.Receipt == "" || len(h.Fields) != 2 || h.State != Pending {
			t.Errorf("told: %+v", h)
		}
		s, err := decide(ctx, Vote{Approver: Console, By: "ann", Approve: true, Digest: h.Digest})
		if err != nil || s.State != Approved || !slices.Equal(s.Ending.By, []string{"ann (ops)"}) {
			t.Errorf("%v: %+v", err, s)
		}
	}
	b := newBook(t, Settings{Approvers: []Approver{ops, dba, all}})
	r := request()
	r.Needs = []Need{{Rule: "r", Approvers: []string{"ops", "all"}}}
	h := b.hold(r)
	e := h.Wait(t.Context(), alive)
	if e.Outcome != Approved {
		t.Errorf("%+v", e)
	}
	r.Detached = true
	ops.do = nil
	left := b.hold(r) // still open when the book ends
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{h.ID(), left.ID()}
	if !slices.Equal(slices.Sorted(slices.Values(ops.told)), slices.Sorted(slices.Values(want))) || len(all.told) != 2 || len(dba.told) != 0 {
		t.Errorf("told were ops %v, dba %v, all %v; want %v", ops.told, dba.told, all.told, want)
	}
	for _, o := range all.over {
		if o.Outcome != Approved && o.Outcome != "" {
			t.Errorf("over: %+v", o)
		}
	}
	for _, bad := range [][]Approver{channels("a", "a"), channels("console"), channels("")} {
		if err := b.Configure(Settings{Approvers: bad}); !errors.Is(err, ErrInvalid) {
			t.Errorf("approvers %v: %v", bad, err)
		}
	}
}
