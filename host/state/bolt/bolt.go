// Package bolt keeps a state.Store in one bbolt file. One process at a time can have it open.
//
// Values are stored as their revision and their time of expiry (u64 each, big endian, the time in nanoseconds since 1970 or
// 0) and the bytes. A key whose time is over is not seen any more, and one goroutine removes it from the file.
package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrLocked means that another process has the file open.
var ErrLocked = errors.New("another gateway uses it")

const (
	// lockWait is how long Open waits for another process to let the file go.
	lockWait = 2 * time.Second
	// headerSize is revision and expiry.
	headerSize = 16
)

var bucket = []byte("state.v1")

// Store is a state.Store. Use Open.
type Store struct {
	db   *bolt.DB
	path string

	// mu is held by every change from before its transaction until the watchers know, so that they see the order of the
	// revisions. It guards what follows.
	mu       sync.Mutex
	watchers map[*watcher]struct{}
	closed   bool
	due      time.Time // when the sweeper will look; zero: when it is woken

	wake    chan struct{} // capacity 1: something expires sooner than due
	stop    chan struct{}
	stopped sync.WaitGroup
}

var _ state.Store = (*Store)(nil)

// Open opens or creates the file at path, mode 0600, with its folder. A file that others can read is refused: it holds keys.
func Open(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if info, err := os.Lstat(path); err == nil {
		switch {
		case !info.Mode().IsRegular():
			return nil, fmt.Errorf("state: %s is not a regular file", path)
		case info.Mode().Perm()&0o077 != 0:
			return nil, fmt.Errorf("state: %s holds private keys and others can read or change it (mode %04o): chmod 600 it",
				path, info.Mode().Perm())
		}
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("state: %s: %w", path, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("state: %s: %w", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("state: %s: %w", path, err), db.Close())
	}
	s := &Store{db: db, path: path, watchers: map[*watcher]struct{}{}, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	s.stopped.Go(s.sweeper)
	return s, nil
}

// Close ends the watchers, waits for what is under way and lets the file go.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for w := range s.watchers {
		w.signal()
	}
	s.mu.Unlock()
	close(s.stop)
	s.stopped.Wait()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// Get is state.Store's.
func (s *Store) Get(ctx context.Context, key string) (state.Entry, error) {
	if err := errors.Join(state.CheckKey(key), ctx.Err()); err != nil {
		return state.Entry{}, fmt.Errorf("state: %w", err)
	}
	var e state.Entry
	err := s.db.View(func(tx *bolt.Tx) error {
		var live bool
		var err error
		if e, live, err = decode([]byte(key), tx.Bucket(bucket).Get([]byte(key)), time.Now()); err == nil && !live {
			return fmt.Errorf("key %s: %w", key, state.ErrNotFound)
		}
		return err
	})
	return e, wrap(err)
}

// Put is state.Store's.
func (s *Store) Put(ctx context.Context, key string, value []byte, expected int64, ttl time.Duration) (int64, error) {
	if err := errors.Join(state.CheckPut(key, value, expected, ttl), ctx.Err()); err != nil {
		return 0, fmt.Errorf("state: %w", err)
	}
	put := state.Event{Entry: state.Entry{Key: key, Value: bytes.Clone(value)}}
	if ttl > 0 {
		put.Expires = time.Now().Add(ttl).Round(0)
	}
	return s.change(put, expected)
}

// Delete is state.Store's.
func (s *Store) Delete(ctx context.Context, key string, expected int64) error {
	err := errors.Join(state.CheckPut(key, nil, expected, 0), ctx.Err())
	if err == nil && expected == state.Absent {
		err = fmt.Errorf("key %s: delete what is absent: %w", key, state.ErrInvalid)
	}
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	_, err = s.change(state.Event{Entry: state.Entry{Key: key}, Deleted: true}, expected)
	return err
}

// change makes one change and tells the watchers. It returns the revision that a put got.
func (s *Store) change(ev state.Event, expected int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := true
	err := s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucket)
		old, live, err := decode([]byte(ev.Key), b.Get([]byte(ev.Key)), time.Now())
		switch {
		case err != nil:
			return err
		case expected != state.Any && live != (expected != state.Absent), live && expected > 0 && old.Revision != expected:
			return fmt.Errorf("key %s: %w", ev.Key, state.ErrConflict)
		case ev.Deleted:
			changed = live
			return b.Delete([]byte(ev.Key))
		}
		revision, err := b.NextSequence()
		if err != nil {
			return err
		}
		ev.Revision = int64(revision)
		return b.Put([]byte(ev.Key), encode(ev.Entry))
	})
	if err != nil {
		return 0, wrap(err)
	}
	if changed {
		s.publish(ev)
	}
	if !ev.Expires.IsZero() && (s.due.IsZero() || ev.Expires.Before(s.due)) {
		s.due = ev.Expires
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	return ev.Revision, nil
}

// List is state.Store's.
func (s *Store) List(ctx context.Context, prefix string) ([]state.Entry, error) {
	if err := errors.Join(checkPrefix(prefix), ctx.Err()); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	var out []state.Entry
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		out, err = list(tx, prefix)
		return err
	})
	return out, wrap(err)
}

func list(tx *bolt.Tx, prefix string) ([]state.Entry, error) {
	var out []state.Entry
	now := time.Now()
	c := tx.Bucket(bucket).Cursor()
	for k, v := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); k, v = c.Next() {
		e, live, err := decode(k, v, now)
		if err != nil {
			return nil, err
		}
		if live {
			out = append(out, e)
		}
	}
	return out, nil
}

func checkPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	return state.CheckKey(prefix)
}

func encode(e state.Entry) []byte {
	b := make([]byte, headerSize, headerSize+len(e.Value))
	binary.BigEndian.PutUint64(b, uint64(e.Revision))
	if !e.Expires.IsZero() {
		binary.BigEndian.PutUint64(b[8:], uint64(e.Expires.UnixNano()))
	}
	return append(b, e.Value...)
}

// decode reads a stored value; live is false when there is none or its time is over.
func decode(key, b []byte, now time.Time) (e state.Entry, live bool, err error) {
	if b == nil {
		return e, false, nil
	}
	if len(b) < headerSize {
		return e, false, fmt.Errorf("key %s: its value is damaged, %d bytes", key, len(b))
	}
	e = state.Entry{Key: string(key), Value: bytes.Clone(b[headerSize:]), Revision: int64(binary.BigEndian.Uint64(b))}
	if at := int64(binary.BigEndian.Uint64(b[8:])); at != 0 {
		e.Expires = time.Unix(0, at)
	}
	return e, e.Expires.IsZero() || now.Before(e.Expires), nil
}

func wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return fmt.Errorf("state: %w", state.ErrClosed)
	}
	return fmt.Errorf("state: %w", err)
}
