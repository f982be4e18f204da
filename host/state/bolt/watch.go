package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
	bolt "go.etcd.io/bbolt"
)

// watcher holds what one Watch has not yielded yet: the latest event of each key, in the order of the first.
type watcher struct {
	prefix string
	ready  chan struct{} // capacity 1

	mu     sync.Mutex
	events map[string]state.Event
	order  []string
}

func (w *watcher) add(ev state.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.events[ev.Key]; !ok {
		w.order = append(w.order, ev.Key)
	}
	ev.Value = bytes.Clone(ev.Value)
	w.events[ev.Key] = ev
	w.signal()
}

func (w *watcher) signal() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *watcher) take() (state.Event, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.order) == 0 {
		return state.Event{}, false
	}
	key := w.order[0]
	w.order = w.order[1:]
	ev := w.events[key]
	delete(w.events, key)
	return ev, true
}

// publish tells the watchers; s.mu is held.
func (s *Store) publish(ev state.Event) {
	for w := range s.watchers {
		if strings.HasPrefix(ev.Key, w.prefix) {
			w.add(ev)
		}
	}
}

// Watch is state.Store's.
func (s *Store) Watch(ctx context.Context, prefix string) (iter.Seq2[state.Event, error], error) {
	if err := errors.Join(checkPrefix(prefix), ctx.Err()); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	w := &watcher{prefix: prefix, ready: make(chan struct{}, 1), events: map[string]state.Event{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.db.View(func(tx *bolt.Tx) error {
		entries, err := list(tx, prefix)
		for _, e := range entries {
			w.add(state.Event{Entry: e})
		}
		return err
	})
	if err != nil {
		return nil, wrap(err)
	}
	s.watchers[w] = struct{}{}
	// A sequence that nobody ranges over must not collect events after its context is done.
	context.AfterFunc(ctx, func() { s.forget(w) })
	return func(yield func(state.Event, error) bool) {
		defer s.forget(w)
		for {
			ev, ok := w.take()
			switch {
			case ctx.Err() != nil:
				return
			case ok:
				if !yield(ev, nil) {
					return
				}
				continue
			case s.isClosed():
				yield(state.Event{}, fmt.Errorf("state: %w", state.ErrClosed))
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-w.ready:
			}
		}
	}, nil
}

func (s *Store) forget(w *watcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watchers, w)
}

func (s *Store) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// sweeper removes what has expired, until the store is closed.
func (s *Store) sweeper() {
	// The wall clock can be set, so it is looked at now and then.
	const look = time.Minute
	for {
		due, err := s.sweep()
		wait := look
		if err == nil && !due.IsZero() {
			wait = min(look, max(time.Until(due), time.Millisecond))
		}
		select {
		case <-s.stop:
			return
		case <-s.wake:
		case <-time.After(wait):
		}
	}
}

// sweep removes what has expired and returns when the next key will. An error leaves things as they are: expired keys are not
// seen anyway, and the next sweep tries again.
func (s *Store) sweep() (next time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var over []state.Event
	err = s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(k, v []byte) error {
			e, live, err := decode(k, v, now)
			switch {
			case err != nil:
				return nil // a damaged value has no time; Get reports it
			case !live:
				over = append(over, state.Event{Entry: state.Entry{Key: e.Key}, Deleted: true})
			case !e.Expires.IsZero() && (next.IsZero() || e.Expires.Before(next)):
				next = e.Expires
			}
			return nil
		})
	})
	if err == nil && len(over) > 0 {
		err = s.db.Update(func(tx *bolt.Tx) error {
			for _, ev := range over {
				if err := tx.Bucket(bucket).Delete([]byte(ev.Key)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	s.due = next
	if err != nil {
		return time.Time{}, err
	}
	for _, ev := range over {
		s.publish(ev)
	}
	return next, nil
}
