package approve

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/state"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal keeps what it is told; fail makes it refuse.
type journal struct {
	mu    sync.Mutex
	ended []Status
	fail  func(*Status) error
}

func (j *journal) Ended(_ context.Context, s *Status, e Ending) (string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s.Ending.Outcome != e.Outcome || s.State != e.Outcome && s.State == Pending {
		return "", fmt.Errorf("the status says %v %v, the ending %v", s.State, s.Ending.Outcome, e.Outcome)
	}
	if j.fail != nil {
		if err := j.fail(s); err != nil {
			return "", err
		}
	}
	j.ended = append(j.ended, *s)
	return fmt.Sprintf("ending-%d", len(j.ended)), nil
}

// outcomes are the endings so far.
func (j *journal) outcomes() (out []Outcome) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.ended {
		out = append(out, j.ended[i].Ending.Outcome)
	}
	return out
}

func (j *journal) want(t *testing.T, outcomes ...Outcome) {
	t.Helper()
	if got := j.outcomes(); !slices.Equal(got, outcomes) {
		t.Errorf("on record are %v, want %v", got, outcomes)
	}
}

// flaky is a store that can be made to fail.
type flaky struct {
	state.Store
	mu   sync.Mutex
	fail func(key string) error
	puts int
}

func (f *flaky) Put(ctx context.Context, key string, value []byte, expected int64, ttl time.Duration) (int64, error) {
	f.mu.Lock()
	f.puts++
	fail := f.fail
	f.mu.Unlock()
	if fail != nil {
		if err := fail(key); err != nil {
			return 0, err
		}
	}
	return f.Store.Put(ctx, key, value, expected, ttl)
}

// book is a Book with what is around it.
type book struct {
	*Book
	t       *testing.T
	path    string
	store   *flaky
	journal *journal
	Settings
}

// newBook opens an empty book, which ends with the test.
func newBook(t *testing.T, s Settings) *book {
	b := &book{t: t, path: filepath.Join(t.TempDir(), "state.db"), journal: &journal{}, Settings: s}
	b.open()
	t.Cleanup(b.close)
	return b
}

func (b *book) open() {
	b.t.Helper()
	store, err := bolt.Open(b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	b.store = &flaky{Store: store}
	if b.Book, err = Open(b.t.Context(), Options{Store: b.store, Journal: b.journal, Settings: b.Settings}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) close() {
	if err := errors.Join(b.Close(), b.store.Close()); err != nil {
		b.t.Error(err)
	}
}

// crash opens the book anew with what a process that ended without a word leaves in the store.
func (b *book) crash() {
	b.t.Helper()
	entries, err := b.store.List(context.Background(), "")
	if err != nil {
		b.t.Fatal(err)
	}
	was := b.journal
	b.journal = &journal{}
	was.mu.Lock()
	was.fail = func(*Status) error { return errors.New("the process has ended") }
	was.mu.Unlock()
	b.close()
	b.path = filepath.Join(b.t.TempDir(), "state.db")
	store, err := bolt.Open(b.path)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		ttl := time.Duration(0)
		if !e.Expires.IsZero() {
			ttl = time.Until(e.Expires)
		}
		if _, err := store.Put(context.Background(), e.Key, e.Value, state.Any, ttl); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.open()
}

var someDigest = Digest{1, 2, 3}

// request is one that one approval of anybody meets.
func request() Request {
	return Request{
		Peer: "claude", Profile: "dev", Endpoint: "prod-db", Credential: "agent", Plugin: "postgres", PluginDigest: "abc", Conn: "c1",
		ActionID: 7, Family: "sql", Class: "delete", Title: "delete from users",
		Fields: []Field{{"text", "DELETE FROM users WHERE id = 7"}, {"tables", "users"}},
		Digest: someDigest, Grantable: true, Needs: []Need{{Rule: "deletes need a person", Reason: "ask first"}}, Policy: "p",
	}
}

// hold opens a hold.
func (b *book) hold(r Request) *Hold {
	b.t.Helper()
	h, err := b.Book.Hold(b.t.Context(), r, func(id string, deadline time.Time) (string, error) { return "held-" + id, nil })
	if err != nil {
		b.t.Fatal(err)
	}
	return h
}

// waiting has somebody wait for h.
func (b *book) waiting(h *Hold, ctx context.Context, probe func(context.Context) error) <-chan Ending {
	out := make(chan Ending, 1)
	go func() { out <- h.Wait(ctx, probe) }()
	return out
}

func alive(context.Context) error { return nil }

func gone(context.Context) error { return errors.New("no answer") }

// yes and no are the operator's.
func yes(by string) Vote {
	return Vote{Approver: Console, By: by, Approve: true, Digest: someDigest.String()}
}

func no(by string) Vote {
	return Vote{Approver: Console, By: by, Digest: someDigest.String(), Reason: "not today"}
}

func (b *book) vote(id string, v Vote) Status {
	b.t.Helper()
	s, err := b.Vote(b.t.Context(), id, v)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *book) refused(id string, v Vote, want error) {
	b.t.Helper()
	if _, err := b.Vote(b.t.Context(), id, v); !errors.Is(err, want) {
		b.t.Errorf("the vote %+v: %v, want %v", v, err, want)
	}
}

// take tries to use a grant.
func (b *book) take(peer string, d Digest) bool {
	b.t.Helper()
	_, receipt, ok, err := b.Take(b.t.Context(), peer, d, func(g *Grant) (string, error) {
		if g.Peer != peer || g.Digest != d.String() {
			b.t.Errorf("%s with %v gets %+v", peer, d, g)
		}
		return "granted", nil
	})
	if err != nil || ok != (receipt == "granted") {
		b.t.Fatalf("Take: %q, %v, %v", receipt, ok, err)
	}
	return ok
}

// inTime runs a test in which time passes when nothing else happens.
func inTime(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}
