package secret

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Store resolves references and keeps what it found for as long as that counts: the value of a file or a sealed secret until the file
// changes, the output of a command for a while, a variable of the environment for good. It may be used by several goroutines.
type Store struct {
	o  StoreOptions
	mu sync.Mutex // of what follows, and so of reading files: commands run without it

	entries map[Reference]*entry
	sealed  *Sealed
	stamp   stamp
	opened  error // why the sealed file could not be opened
	id      *Identity

	watched func() *Wanted // nil: no test looks
}

// StoreOptions say where secrets are.
type StoreOptions struct {
	Sealed string // the path of the sealed file; empty: there is none
	// Identity gives what opens it. It is called when the first sealed secret is resolved, and again only after an error.
	Identity func() (*Identity, error)
	Commands Commands
}

// NewStore makes a store. Nothing is read before it is asked for.
func NewStore(o StoreOptions) *Store { return &Store{o: o, entries: map[Reference]*entry{}} }

// entry is what is known of one reference.
type entry struct {
	run    sync.Mutex // held while its command runs, so that it runs once for all who wait
	secret Secret
	stamp  stamp
	until  time.Time // zero: it has not been resolved
	ran    time.Time // when its command ran last, to good use
	stale  bool      // what that said was refused
	failed time.Time // when its command failed last, and how
	err    error
}

// How long a command is not run again: one that failed, because every connection would wait for it, one after the other, and one whose secret was
// refused, because agents can have that happen as often as they like.
const (
	pause        = 5 * time.Second
	refusedPause = time.Second
)

// Refused takes note that somebody did not accept a secret: a command that has said it is run again when it is next asked for, unless it just was. What
// other sources have is looked up each time anyway.
func (s *Store) Refused(r Reference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[r]; e != nil && r.isCommand() && time.Since(e.ran) > refusedPause {
		e.stale = true
	}
}

// stamp tells one state of a file from another.
type stamp struct {
	size  int64
	mod   time.Time
	inode any
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, fileError(err)
	}
	return stamp{info.Size(), info.ModTime(), inodeOf(info)}, nil
}

// Resolve returns the secret that r refers to now. It fails when there is none, when it is empty or larger than MaxSize, when its file can be
// read or changed by others than its owner and, for reading, its group, and when its command fails or prints what is no secret. Errors name
// the reference, never a value.
func (s *Store) Resolve(ctx context.Context, r Reference) (Secret, error) {
	value, err := s.resolve(ctx, r)
	if err != nil {
		return Secret{}, fmt.Errorf("resolve secret %s: %w", r, err)
	}
	if s.watched != nil {
		value.watched = s.watched
		s.watched().secret(value)
	}
	return value, nil
}

// Watch adds what is resolved from now on, and what is derived from it, to the canaries of a test. It is called before the first secret is resolved.
func (s *Store) Watch(c *Wanted) {
	if c != nil {
		s.watched = func() *Wanted { return c }
	}
}

func (s *Store) resolve(ctx context.Context, r Reference) (Secret, error) {
	switch r.scheme {
	case schemeEnv, schemeFile:
		return s.fromPlace(r)
	case schemeSealed:
		return s.fromSealed(r)
	}
	if r.isCommand() {
		return s.fromCommand(ctx, r)
	}
	return Secret{}, errors.New("the reference is empty")
}

func (s *Store) entry(r Reference) *entry {
	e := s.entries[r]
	if e == nil {
		e = &entry{}
		s.entries[r] = e
	}
	return e
}

func (s *Store) fromPlace(r Reference) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(r)
	var now stamp
	if r.scheme == schemeFile {
		var err error
		if now, err = stampOf(r.place); err != nil {
			return Secret{}, err
		}
	}
	if !e.until.IsZero() && e.stamp == now {
		return e.secret, nil
	}
	value, err := r.read()
	if err != nil {
		return Secret{}, err
	}
	e.keep(r, value, time.Now())
	e.stamp = now
	return e.secret, nil
}

// keep makes value, which is wiped, the secret; where it is the same the old one stays.
func (e *entry) keep(r Reference, value []byte, until time.Time) {
	if e.until.IsZero() || !e.secret.Equal(value) {
		e.secret = newSecret(r, value)
	}
	clear(value)
	e.until = until
}

func (s *Store) fromSealed(r Reference) (Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.openSealed(); err != nil {
		return Secret{}, err
	}
	if !s.sealed.Has(r.place) {
		return Secret{}, fmt.Errorf("there is no secret of that name in %s: `sallyport secret set %s` puts it there", s.o.Sealed, r.place)
	}
	e := s.entry(r)
	e.keep(r, append([]byte(nil), s.sealed.secrets[r.place].Value...), time.Now())
	return e.secret, nil
}

// CheckSealed says why the sealed file cannot be opened, if there is one.
func (s *Store) CheckSealed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Sealed == "" {
		return nil
	}
	return s.openSealed()
}

// openSealed opens the sealed file when it is not open, or has changed.
func (s *Store) openSealed() error {
	if s.o.Sealed == "" {
		return errors.New("there is no sealed file: write sealed and identity into [secrets]")
	}
	now, err := stampOf(s.o.Sealed)
	if err != nil {
		return fmt.Errorf("sealed file %s: %w", s.o.Sealed, err)
	}
	if now == s.stamp && (s.sealed != nil || s.opened != nil) {
		return s.opened
	}
	if s.id == nil {
		if s.id, err = s.o.Identity(); err != nil {
			return err
		}
	}
	next, err := OpenSealed(s.o.Sealed, s.id)
	s.stamp, s.opened = now, err
	if err != nil {
		return err
	}
	if s.sealed != nil {
		s.sealed.Wipe()
	}
	s.sealed = next
	return nil
}

func (r Reference) isCommand() bool {
	return r.scheme == schemeCommand || r.scheme == schemeExecCredential
}

func (s *Store) fromCommand(ctx context.Context, r Reference) (Secret, error) {
	s.mu.Lock()
	e := s.entry(r)
	s.mu.Unlock()
	e.run.Lock()
	defer e.run.Unlock()
	s.mu.Lock()
	fresh, counts, failed := e.secret, time.Now().Before(e.until) && !e.stale, e.err
	if time.Since(e.failed) > pause {
		failed = nil
	}
	s.mu.Unlock()
	switch {
	case counts:
		return fresh, nil
	case failed != nil:
		return Secret{}, failed
	}
	value, until, err := s.o.Commands.run(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			e.failed, e.err = time.Now(), err
		}
		return Secret{}, err
	}
	e.keep(r, value, until)
	e.ran, e.stale = time.Now(), false
	return e.secret, nil
}
