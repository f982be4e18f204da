package statetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
)

// watched starts a watch that ends with the test at the latest. Only next makes it go on, so a test decides when it is slow.
func (s *suite) watched(prefix string) (next func() (state.Event, error, bool), cancel context.CancelFunc) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, deadline)
	s.Cleanup(cancel)
	seq, err := s.Watch(ctx, prefix)
	if err != nil {
		s.Fatal(err)
	}
	next, stop := iter.Pull2(seq)
	s.Cleanup(stop)
	return next, cancel
}

func (s *suite) sees(next func() (state.Event, error, bool), key, value string, deleted bool) {
	s.Helper()
	ev, err, ok := next()
	if !ok || err != nil || ev.Key != key || string(ev.Value) != value || ev.Deleted != deleted || !deleted && ev.Revision <= 0 {
		s.Fatalf("saw %+v %v %v, want %s %q deleted %v", ev, err, ok, key, value, deleted)
	}
}

func watch(s *suite) {
	s.put("a/2", "2", state.Any)
	s.put("a/1", "1", state.Any)
	s.put("b", "x", state.Any)
	next, _ := s.watched("a/")
	s.sees(next, "a/1", "1", false)
	s.sees(next, "a/2", "2", false)
	s.put("b", "y", state.Any)
	s.put("a/3", "3", state.Any)
	s.sees(next, "a/3", "3", false)
	s.put("a/3", "4", state.Any)
	s.sees(next, "a/3", "4", false)
	s.fails("delete", s.Delete(s.ctx, "a/1", state.Any), nil)
	s.sees(next, "a/1", "", true)
	// What changes nothing is no event.
	s.fails("delete again", s.Delete(s.ctx, "a/1", state.Any), nil)
	_, err := s.Put(s.ctx, "a/2", nil, state.Absent, 0)
	s.fails("a conflict", err, state.ErrConflict)
	s.put("a/9", "9", state.Any)
	s.sees(next, "a/9", "9", false)
}

// watchSlow changes a lot before anybody looks: of each key the latest state is seen, and once.
func watchSlow(s *suite) {
	next, _ := s.watched("")
	s.put("first", "1", state.Any)
	s.sees(next, "first", "1", false)
	for i := range 50 {
		s.put("a", fmt.Sprint(i), state.Any)
		s.put("b", fmt.Sprint(i), state.Any)
	}
	s.fails("delete", s.Delete(s.ctx, "b", state.Any), nil)
	s.put("last", "1", state.Any)
	latest := map[string]state.Event{}
	for latest["last"].Key == "" {
		ev, err, ok := next()
		if err != nil || !ok {
			s.Fatal(err, ok)
		}
		latest[ev.Key] = ev
	}
	if string(latest["a"].Value) != "49" || !latest["b"].Deleted {
		s.Errorf("%+v", latest)
	}
}

func watchEnds(s *suite) {
	next, cancel := s.watched("")
	s.put("a", "1", state.Any)
	s.sees(next, "a", "1", false)
	cancel()
	if ev, err, ok := next(); ok {
		s.Errorf("after its context was done: %+v %v", ev, err)
	}
	next, _ = s.watched("")
	s.sees(next, "a", "1", false)
	closing := make(chan error)
	go func() { closing <- s.Store.Close() }()
	if ev, err, ok := next(); !ok || !errors.Is(err, state.ErrClosed) {
		s.Errorf("after close: %+v %v %v", ev, err, ok)
	}
	s.fails("close", <-closing, nil)
}

func watchExpiry(s *suite) {
	next, _ := s.watched("")
	if _, err := s.Put(s.ctx, "a", []byte("1"), state.Any, 50*time.Millisecond); err != nil {
		s.Fatal(err)
	}
	ev, err, ok := next()
	for ok && err == nil && !ev.Deleted { // whether the put is seen as well depends on who is faster
		ev, err, ok = next()
	}
	if !ok || err != nil || ev.Key != "a" {
		s.Errorf("%+v %v %v", ev, err, ok)
	}
}
