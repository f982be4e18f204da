package approve

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestGrants: how often and how long.
func TestGrants(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBook(t, Settings{Late: time.Hour, GrantFor: 10 * time.Minute})
		grant := func(votes ...Vote) {
			t.Helper()
			r := request()
			r.Detached = true
			r.Needs[0].Approvals = len(votes)
			h := b.hold(r)
			for i, v := range votes {
				v.Approver, v.By, v.Approve, v.Digest = "ops", fmt.Sprint("person ", i), true, someDigest.String()
				b.vote(h.ID(), v)
			}
		}
		uses := func(most int) (n int) {
			t.Helper()
			for n < most && b.take("claude", someDigest) {
				n++
			}
			return n
		}
		b.Settings.Approvers = []Approver{&channel{name: "ops"}}
		if err := b.Configure(b.Settings); err != nil {
			t.Fatal(err)
		}
		if grant(Vote{GrantUses: 3}); uses(9) != 3 {
			t.Error("3 uses are not 3")
		}
		grant(Vote{GrantUses: 3})
		uses(1)
		if b.crash(); uses(9) != 2 {
			t.Error("a use is not counted across a restart")
		}
		grant(Vote{GrantFor: 30 * time.Minute})
		time.Sleep(29 * time.Minute)
		if uses(9) != 9 {
			t.Error("a grant for a time is not for any number of uses")
		}
		if time.Sleep(time.Minute); uses(9) != 0 {
			t.Error("a grant for a time does not end")
		}
		// The smallest of what several people grant.
		if grant(Vote{GrantUses: 5}, Vote{GrantUses: 2}); uses(9) != 2 {
			t.Error("5 and 2 uses are not 2")
		}
		if grant(Vote{GrantUses: 5}, Vote{}); uses(9) != 1 {
			t.Error("5 uses and once are not once")
		}
		grant(Vote{GrantUses: 5, GrantFor: time.Hour}, Vote{GrantFor: time.Minute})
		if time.Sleep(time.Minute); uses(9) != 0 {
			t.Error("an hour and a minute are not a minute")
		}
		// Two grants: the one that ends first is used first.
		grant(Vote{GrantUses: 1, GrantFor: time.Hour})
		grant(Vote{GrantUses: 1, GrantFor: time.Minute})
		uses(1)
		if time.Sleep(2 * time.Minute); uses(9) != 1 {
			t.Error("the longer one was used first")
		}
	})
}

// TestTakeOnce: of many at once, exactly as many get it as were granted; and what cannot be recorded is used up.
func TestTakeOnce(t *testing.T) {
	b := newBook(t, Settings{})
	for uses := 1; uses <= 3; uses++ {
		r := request()
		r.Detached = true
		v := yes("ann")
		v.GrantUses = uses
		b.vote(b.hold(r).ID(), v)
		var mu sync.Mutex
		won := 0
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if b.take("claude", someDigest) {
					mu.Lock()
					won++
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if won != uses {
			t.Errorf("a grant of %d uses was used %d times", uses, won)
		}
	}
	r := request()
	r.Detached = true
	b.vote(b.hold(r).ID(), yes("ann"))
	full := errors.New("the disk is full")
	if _, _, ok, err := b.Take(t.Context(), "claude", someDigest, func(*Grant) (string, error) { return "", full }); ok || !errors.Is(err, full) {
		t.Errorf("%v, %v", ok, err)
	}
	if b.take("claude", someDigest) {
		t.Error("a use that could not be recorded does not count")
	}
	// A use that cannot be counted is none.
	v := yes("ann")
	v.GrantUses = 2
	b.vote(b.hold(r).ID(), v)
	b.store.fail = func(string) error { return full }
	_, _, ok, err := b.Take(t.Context(), "claude", someDigest, func(*Grant) (string, error) {
		t.Error("it is recorded before it is counted")
		return "", nil
	})
	if ok || !errors.Is(err, full) {
		t.Errorf("%v, %v", ok, err)
	}
}
