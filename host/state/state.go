// Package state is the gateway's small durable memory: its private key and the addresses of endpoints today, holds and
// grants later. It is one interface; bolt implements it in one local file, and statetest is the suite that every
// implementation passes.
//
// A store maps keys to values. Every change gets a revision, a number that grows with each change of the store, so that
// several users of a store can change a key without undoing each other: they say which revision they saw. A value can have a
// time to live; when it is over, the key is gone as if it had been deleted.
package state

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Limits of a store.
const (
	// MaxKey bounds a key, in bytes.
	MaxKey = 512
	// MaxValue bounds a value, in bytes.
	MaxValue = 1 << 20
)

// Errors that implementations return, wrapped with the key.
var (
	// ErrNotFound means that there is no such key.
	ErrNotFound = errors.New("there is no such key")
	// ErrConflict means that the key is not at the expected revision: somebody else changed it.
	ErrConflict = errors.New("somebody else changed the key")
	// ErrInvalid means that a key, value or option is not allowed.
	ErrInvalid = errors.New("not allowed")
	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("the store is closed")
)

// Revision of an expected state. Real revisions are greater than 0.
const (
	// Any expects nothing: the change is made whatever is there.
	Any int64 = -1
	// Absent expects that there is no such key.
	Absent int64 = 0
)

// Entry is one key with its value. The value is the receiver's own.
type Entry struct {
	Key      string
	Value    []byte
	Revision int64
	// Expires is when the key will be gone; zero: never.
	Expires time.Time
}

// Event is a change that a watcher sees. Deleted entries have only a key.
type Event struct {
	Entry
	Deleted bool
}

// Store is the interface. All methods are safe for concurrent use; a canceled context ends what waits.
type Store interface {
	// Get returns an entry, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)

	// Put writes a value if the key is at the expected revision (or Any, or Absent), else it returns ErrConflict. A ttl
	// greater than 0 makes the key go away after that time; 0 means never. It returns the new revision. When Put
	// returns, the value is on the disk.
	Put(ctx context.Context, key string, value []byte, expected int64, ttl time.Duration) (revision int64, err error)

	// Delete removes a key if it is at the expected revision, else it returns ErrConflict. With Any, removing what is not
	// there is no error; with Absent, it is refused (ErrInvalid).
	Delete(ctx context.Context, key string, expected int64) error

	// List returns the entries whose keys begin with prefix, in the order of the keys.
	List(ctx context.Context, prefix string) ([]Entry, error)

	// Watch yields first the entries whose keys begin with prefix, then every change of them that is made after Watch was
	// called, until ctx is done or the store is closed (ErrClosed is yielded). Who is slow sees only the latest state of
	// a key. The sequence can be ranged over once.
	Watch(ctx context.Context, prefix string) (iter.Seq2[Event, error], error)

	// Close releases the store.
	Close() error
}

// CheckKey reports a key that a store does not take: it is of letters, digits and / _ - . =, at most MaxKey of them. A prefix
// may also be empty.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("key %.40q of %d bytes, 1 to %d are wanted: %w", key, len(key), MaxKey, ErrInvalid)
	}
	if i := strings.IndexFunc(key, func(r rune) bool { return !keyRune(r) }); i >= 0 {
		return fmt.Errorf("key %.40q: only letters, digits and / _ - . = can be in it: %w", key, ErrInvalid)
	}
	return nil
}

func keyRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/_-.=", r)
}

// CheckPut reports arguments that Put does not take.
func CheckPut(key string, value []byte, expected int64, ttl time.Duration) error {
	switch {
	case len(value) > MaxValue:
		return fmt.Errorf("key %s: a value of %d bytes, the limit is %d: %w", key, len(value), MaxValue, ErrInvalid)
	case expected < Any:
		return fmt.Errorf("key %s: revision %d: %w", key, expected, ErrInvalid)
	case ttl < 0:
		return fmt.Errorf("key %s: a time to live of %v: %w", key, ttl, ErrInvalid)
	}
	return CheckKey(key)
}
