// Package statetest is the suite that every state.Store passes.
package statetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
)

// deadline is how long something may take on a slow machine before the suite says that it never comes.
const deadline = 90 * time.Second

// Run runs the suite. open makes an empty store, or opens it again after the suite closed it, when it is called with the
// same t.
func Run(t *testing.T, open func(t *testing.T) state.Store) {
	tests := map[string]func(*suite){
		"PutAndGet": putAndGet, "Revisions": revisions, "Delete": remove, "List": list, "Limits": limits, "ValuesAreCopies": copies,
		"TimeToLive": timeToLive, "Watch": watch, "WatchSlow": watchSlow, "WatchEnds": watchEnds, "WatchExpiry": watchExpiry,
		"Concurrent": concurrent, "Reopen": reopen, "Canceled": canceled, "Closed": closed,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &suite{T: t, ctx: t.Context(), Store: open(t), open: open}
			test(s)
			if err := s.Store.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

type suite struct {
	*testing.T
	state.Store
	ctx  context.Context
	open func(t *testing.T) state.Store
}

func (s *suite) put(key, value string, expected int64) int64 {
	s.Helper()
	rev, err := s.Put(s.ctx, key, []byte(value), expected, 0)
	if err != nil {
		s.Fatal(err)
	}
	return rev
}

func (s *suite) want(key, value string) state.Entry {
	s.Helper()
	e, err := s.Get(s.ctx, key)
	if err != nil || e.Key != key || string(e.Value) != value {
		s.Fatalf("%s is %+v, want %q: %v", key, e, value, err)
	}
	return e
}

func (s *suite) fails(what string, err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func (s *suite) gone(key string) {
	s.Helper()
	e, err := s.Get(s.ctx, key)
	s.fails(fmt.Sprintf("get %s: %+v", key, e), err, state.ErrNotFound)
}

func putAndGet(s *suite) {
	s.gone("a")
	first := s.put("a", "1", state.Absent)
	if e := s.want("a", "1"); e.Revision != first || first <= 0 || !e.Expires.IsZero() {
		s.Errorf("%+v, revision %d", e, first)
	}
	second := s.put("a", "", state.Any)
	s.want("a", "")
	if third := s.put("b", "\x00\xff", state.Any); !(first < second && second < third) {
		s.Errorf("revisions %d %d %d", first, second, third)
	}
	s.want("b", "\x00\xff")
}

func revisions(s *suite) {
	rev := s.put("a", "1", state.Absent)
	_, err := s.Put(s.ctx, "a", []byte("x"), state.Absent, 0)
	s.fails("absent, and it is there", err, state.ErrConflict)
	_, err = s.Put(s.ctx, "a", []byte("x"), rev+1, 0)
	s.fails("another revision", err, state.ErrConflict)
	_, err = s.Put(s.ctx, "none", []byte("x"), rev, 0)
	s.fails("a revision, and it is not there", err, state.ErrConflict)
	s.want("a", "1")
	s.gone("none")
	next := s.put("a", "2", rev)
	_, err = s.Put(s.ctx, "a", []byte("x"), rev, 0)
	s.fails("an old revision", err, state.ErrConflict)
	s.fails("delete an old revision", s.Delete(s.ctx, "a", rev), state.ErrConflict)
	s.put("a", "3", next)
	s.want("a", "3")
}

func remove(s *suite) {
	rev := s.put("a", "1", state.Any)
	s.fails("delete with a revision", s.Delete(s.ctx, "a", rev), nil)
	s.gone("a")
	s.fails("delete what is gone", s.Delete(s.ctx, "a", rev), state.ErrConflict)
	s.fails("delete any, and it is gone", s.Delete(s.ctx, "a", state.Any), nil)
	s.fails("delete what is absent", s.Delete(s.ctx, "a", state.Absent), state.ErrInvalid)
	if again := s.put("a", "2", state.Absent); again <= rev {
		s.Errorf("revision %d after %d", again, rev)
	}
	s.fails("delete any", s.Delete(s.ctx, "a", state.Any), nil)
	s.gone("a")
}

func list(s *suite) {
	for _, k := range []string{"b/2", "a", "b/10", "b", "b/1", "c"} {
		s.put(k, "of "+k, state.Any)
	}
	s.fails("delete", s.Delete(s.ctx, "b/10", state.Any), nil)
	for prefix, want := range map[string]string{"": "a b b/1 b/2 c", "b/": "b/1 b/2", "b": "b b/1 b/2", "x": "", "c": "c"} {
		entries, err := s.List(s.ctx, prefix)
		var keys []string
		for _, e := range entries {
			keys = append(keys, e.Key)
			if string(e.Value) != "of "+e.Key || e.Revision <= 0 {
				s.Errorf("%+v", e)
			}
		}
		if got := strings.Join(keys, " "); err != nil || got != want {
			s.Errorf("list %q: %q %v, want %q", prefix, got, err, want)
		}
	}
}

func limits(s *suite) {
	long := strings.Repeat("k", state.MaxKey)
	s.put(long, "x", state.Any)
	s.want(long, "x")
	s.put("azAZ09/_-.=", strings.Repeat("v", state.MaxValue), state.Any)
	for _, key := range []string{"", long + "k", "a b", "a\x00", "é", "a*", "\xff"} {
		_, err := s.Put(s.ctx, key, nil, state.Any, 0)
		s.fails(fmt.Sprintf("put %.20q", key), err, state.ErrInvalid)
		_, err = s.Get(s.ctx, key)
		s.fails(fmt.Sprintf("get %.20q", key), err, state.ErrInvalid)
		s.fails(fmt.Sprintf("delete %.20q", key), s.Delete(s.ctx, key, state.Any), state.ErrInvalid)
		if key != "" {
			_, err = s.List(s.ctx, key)
			s.fails(fmt.Sprintf("list %.20q", key), err, state.ErrInvalid)
			_, err = s.Watch(s.ctx, key)
			s.fails(fmt.Sprintf("watch %.20q", key), err, state.ErrInvalid)
		}
	}
	_, err := s.Put(s.ctx, "a", make([]byte, state.MaxValue+1), state.Any, 0)
	s.fails("a long value", err, state.ErrInvalid)
	_, err = s.Put(s.ctx, "a", nil, -2, 0)
	s.fails("revision -2", err, state.ErrInvalid)
	_, err = s.Put(s.ctx, "a", nil, state.Any, -1)
	s.fails("a negative time to live", err, state.ErrInvalid)
	s.gone("a")
}

func copies(s *suite) {
	mine := []byte("abc")
	if _, err := s.Put(s.ctx, "a", mine, state.Any, 0); err != nil {
		s.Fatal(err)
	}
	mine[0] = 'x'
	e := s.want("a", "abc")
	e.Value[0] = 'y'
	s.want("a", "abc")
	entries, err := s.List(s.ctx, "")
	if err != nil || len(entries) != 1 || !bytes.Equal(entries[0].Value, []byte("abc")) {
		s.Errorf("%+v %v", entries, err)
	}
}

func timeToLive(s *suite) {
	before := time.Now()
	rev, err := s.Put(s.ctx, "long", []byte("1"), state.Any, time.Hour)
	if err != nil {
		s.Fatal(err)
	}
	if e := s.want("long", "1"); e.Revision != rev || e.Expires.Before(before.Add(time.Hour)) || e.Expires.After(time.Now().Add(time.Hour)) {
		s.Errorf("%+v", e)
	}
	if _, err := s.Put(s.ctx, "short", []byte("1"), state.Any, time.Millisecond); err != nil {
		s.Fatal(err)
	}
	s.eventually("short is gone", func() bool {
		_, err := s.Get(s.ctx, "short")
		return errors.Is(err, state.ErrNotFound)
	})
	s.put("short", "2", state.Absent)
	s.want("short", "2") // the new one lives on
	entries, err := s.List(s.ctx, "")
	if err != nil || len(entries) != 2 {
		s.Errorf("%+v %v", entries, err)
	}
	// Put again without a time to live, it stays.
	if _, err := s.Put(s.ctx, "a", []byte("1"), state.Any, 20*time.Millisecond); err != nil {
		s.Fatal(err)
	}
	s.put("a", "2", state.Any)
	if e := s.want("a", "2"); !e.Expires.IsZero() {
		s.Errorf("%+v", e)
	}
}

func (s *suite) eventually(what string, ok func() bool) {
	s.Helper()
	for end := time.Now().Add(deadline); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("never: %s", what)
		}
	}
}

// concurrent counts with expected revisions: no step is lost.
func concurrent(s *suite) {
	const workers, each = 4, 15
	s.put("n", "0", state.Absent)
	var group sync.WaitGroup
	var mu sync.Mutex
	var seen []int64
	for range workers {
		group.Go(func() {
			for done := 0; done < each; {
				e, err := s.Get(s.ctx, "n")
				if err != nil {
					s.Error(err)
					return
				}
				var n int
				if _, err := fmt.Sscan(string(e.Value), &n); err != nil {
					s.Error(err)
					return
				}
				rev, err := s.Put(s.ctx, "n", fmt.Append(nil, n+1), e.Revision, 0)
				switch {
				case err == nil:
					done++
					mu.Lock()
					seen = append(seen, rev)
					mu.Unlock()
				case !errors.Is(err, state.ErrConflict):
					s.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	s.want("n", fmt.Sprint(workers*each))
	slices.Sort(seen)
	if len(slices.Compact(seen)) != workers*each {
		s.Errorf("%d revisions for %d changes", len(slices.Compact(seen)), workers*each)
	}
}

func reopen(s *suite) {
	rev := s.put("a", "1", state.Any)
	if _, err := s.Put(s.ctx, "b", []byte("2"), state.Any, time.Hour); err != nil {
		s.Fatal(err)
	}
	expires := s.want("b", "2").Expires
	if _, err := s.Put(s.ctx, "c", []byte("3"), state.Any, time.Millisecond); err != nil {
		s.Fatal(err)
	}
	s.fails("close", s.Store.Close(), nil)
	s.Store = s.open(s.T)
	if e := s.want("a", "1"); e.Revision != rev {
		s.Errorf("%+v, it was revision %d", e, rev)
	}
	if e := s.want("b", "2"); !e.Expires.Equal(expires) {
		s.Errorf("%+v, it expired %v", e, expires)
	}
	s.eventually("c is gone", func() bool {
		_, err := s.Get(s.ctx, "c")
		return errors.Is(err, state.ErrNotFound)
	})
	if next := s.put("a", "2", rev); next <= rev {
		s.Errorf("revision %d after %d", next, rev)
	}
}

func canceled(s *suite) {
	s.put("a", "1", state.Any)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := s.Put(ctx, "a", nil, state.Any, 0)
	s.fails("put", err, context.Canceled)
	_, err = s.Get(ctx, "a")
	s.fails("get", err, context.Canceled)
	_, err = s.List(ctx, "")
	s.fails("list", err, context.Canceled)
	_, err = s.Watch(ctx, "")
	s.fails("watch", err, context.Canceled)
	s.fails("delete", s.Delete(ctx, "a", state.Any), context.Canceled)
	s.want("a", "1")
}

func closed(s *suite) {
	s.fails("close", s.Store.Close(), nil)
	_, err := s.Put(s.ctx, "a", nil, state.Any, 0)
	s.fails("put", err, state.ErrClosed)
	_, err = s.Get(s.ctx, "a")
	s.fails("get", err, state.ErrClosed)
	_, err = s.List(s.ctx, "")
	s.fails("list", err, state.ErrClosed)
	_, err = s.Watch(s.ctx, "")
	s.fails("watch", err, state.ErrClosed)
	s.fails("delete", s.Delete(s.ctx, "a", state.Any), state.ErrClosed)
}
