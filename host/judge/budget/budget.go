// Package budget counts what peers have judges asked, by day (UTC), and keeps the counts over restarts.
//
// What a question may cost is taken before it is asked, on the disk, and what it did cost is settled behind it: a gateway that ends
// in between has counted the call. Tokens that are taken and not settled are in memory only.
package budget

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
)

// Keep is how long a day's counts are kept.
const Keep = 40 * 24 * time.Hour

// ErrSpent means that a peer has asked as much as it may today.
var ErrSpent = errors.New("the budget of today is spent")

// Spent is what a peer has had a judge asked on one day.
type Spent struct {
	Day   string `json:"day,omitempty"` // 2006-01-02, UTC
	Judge string `json:"judge,omitempty"`
	Peer  string `json:"peer,omitempty"`
	// Calls were made; Cached were answered without one. The others say what came of both.
	Calls     int64 `json:"calls"`
	Cached    int64 `json:"cached"`
	Allowed   int64 `json:"allowed"`
	Denied    int64 `json:"denied"`
	Escalated int64 `json:"escalated"`
	Failed    int64 `json:"failed"`
	// Input and Output are tokens, Cost is in millionths of the operator's currency.
	Input  int64 `json:"input_tokens"`
	Output int64 `json:"output_tokens"`
	Cost   int64 `json:"cost_millionths"`
}

// Limits are what a peer may spend in a day; 0: no limit.
type Limits struct{ Calls, Tokens int64 }

// Book is what was spent. It is safe for concurrent use.
type Book struct {
	store state.Store
	mu    sync.Mutex
	all   map[string]*account // by key
}

type account struct {
	Spent
	taken int64 // tokens of questions that are under way
}

const prefix = "judges/"

func key(day, judge, peer string) string { return prefix + day + "/" + judge + "/" + peer }

// Day is the day of a time.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Open reads what is on record. The store stays the caller's.
func Open(ctx context.Context, store state.Store) (*Book, error) {
	b := &Book{store: store, all: map[string]*account{}}
	entries, err := store.List(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("read what judges have cost: %w", err)
	}
	for _, e := range entries {
		a := &account{}
		if err := json.Unmarshal(e.Value, &a.Spent); err != nil {
			return nil, fmt.Errorf("read what judges have cost: %s: %w", e.Key, err)
		}
		b.all[e.Key] = a
	}
	return b, nil
}

// Take counts a call and reserves so many tokens, or returns ErrSpent. A call that cannot be put on the disk is not made either.
func (b *Book) Take(ctx context.Context, now time.Time, judge, peer string, l Limits, tokens int64) (*Taken, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.of(now, judge, peer)
	switch {
	case l.Calls > 0 && a.Calls >= l.Calls:
		return nil, fmt.Errorf("%w: %d calls of %d", ErrSpent, a.Calls, l.Calls)
	case l.Tokens > 0 && a.Input+a.Output+a.taken+tokens > l.Tokens:
		return nil, fmt.Errorf("%w: %d tokens of %d, and this may take %d", ErrSpent, a.Input+a.Output+a.taken, l.Tokens, tokens)
	}
	a.Calls++
	if err := b.write(ctx, a); err != nil {
		a.Calls--
		return nil, err
	}
	a.taken += tokens
	return &Taken{b, a, tokens}, nil
}

// Taken is what was taken for one question.
type Taken struct {
	book   *Book
	of     *account
	tokens int64
}

// Settle says what it did cost, and calls count with the counts. Called once.
func (t *Taken) Settle(ctx context.Context, input, output, cost int64, count func(*Spent)) error {
	t.book.mu.Lock()
	defer t.book.mu.Unlock()
	a := t.of
	a.taken -= t.tokens
	a.Input += input
	a.Output += output
	a.Cost += cost
	count(&a.Spent)
	return t.book.write(ctx, a)
}

// Count calls count with the counts of a peer, without a call having been made. It reaches the disk with the next call.
func (b *Book) Count(now time.Time, judge, peer string, count func(*Spent)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	count(&b.of(now, judge, peer).Spent)
}

// List returns what was spent from a day on, by day, judge and peer.
func (b *Book) List(from string) []Spent {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := []Spent{}
	for _, a := range b.all {
		if a.Day >= from {
			list = append(list, a.Spent)
		}
	}
	slices.SortFunc(list, func(x, y Spent) int {
		return cmp.Or(strings.Compare(x.Day, y.Day), strings.Compare(x.Judge, y.Judge), strings.Compare(x.Peer, y.Peer))
	})
	return list
}

// of is the account of a day, with those forgotten that are too old. mu is held.
func (b *Book) of(now time.Time, judge, peer string) *account {
	day := Day(now)
	k := key(day, judge, peer)
	a := b.all[k]
	if a == nil {
		first := Day(now.Add(-Keep))
		for old, x := range b.all {
			if x.Day < first && x.taken == 0 {
				delete(b.all, old)
			}
		}
		a = &account{Spent: Spent{Day: day, Judge: judge, Peer: peer}}
		b.all[k] = a
	}
	return a
}

// write puts an account on the disk. mu is held.
func (b *Book) write(ctx context.Context, a *account) error {
	value, err := json.Marshal(&a.Spent)
	if err == nil {
		_, err = b.store.Put(ctx, key(a.Day, a.Judge, a.Peer), value, state.Any, Keep)
	}
	if err != nil {
		return fmt.Errorf("write what judges have cost: %w", err)
	}
	return nil
}

// Add adds the counts of another.
func (s *Spent) Add(o *Spent) {
	s.Calls += o.Calls
	s.Cached += o.Cached
	s.Allowed += o.Allowed
	s.Denied += o.Denied
	s.Escalated += o.Escalated
	s.Failed += o.Failed
	s.Input += o.Input
	s.Output += o.Output
	s.Cost += o.Cost
}
