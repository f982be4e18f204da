package approve

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/state"
)

// Defaults of Settings and requests.
const (
	DefaultPerPeer  = 20
	DefaultTotal    = 10_000
	DefaultGrantFor = 10 * time.Minute
	DefaultTimeout  = 90 * time.Second
)

const (
	// keepEnded is how long a hold is shown after its end, at least.
	keepEnded = time.Hour
	// endedPerPeer is how many ended holds of one peer are kept; older ones are forgotten first, and cannot be approved any more.
	endedPerPeer = 200
	// probeTime is how long an approval waits for the agent's sign of life.
	probeTime = 5 * time.Second
	// attendTime is how long it waits for Wait to be called, which the gateway does at once.
	attendTime = time.Minute
)

// Settings are what a reload can change.
type Settings struct {
	// Approvers are the channels to people, each with a name of its own that is not Console.
	Approvers []Approver
	// PerPeer and Total bound the open holds; 0 is the default.
	PerPeer, Total int
	// GrantFor is how long a grant lives for which nobody said otherwise; 0 is the default.
	GrantFor time.Duration
	// Late is for how long a hold that expired or was withdrawn can be approved; 0: not at all.
	Late time.Duration
}

// Options say how a book is opened. Store and Journal are wanted.
type Options struct {
	Store   state.Store
	Journal Journal
	// Log gets what operators want to know; nil: nothing is logged.
	Log *slog.Logger
	Settings
}

// Book keeps the holds and grants of a gateway. Its methods are safe for concurrent use.
type Book struct {
	store   state.Store
	journal Journal
	log     *slog.Logger

	ctx    context.Context // ends when the book is closed
	cancel context.CancelFunc
	group  sync.WaitGroup // what Close waits for; entered with mu held while closed is false

	mu       sync.Mutex
	settings Settings
	holds    map[string]*Hold
	peers    map[string]*ofPeer
	open     int
	texts    int // bytes of the fields of all holds
	closed   bool
	revision uint64        // counts changes
	changed  chan struct{} // closed at the next change; nil: nobody waits for it
}

// ofPeer is what a peer has in the book.
type ofPeer struct {
	open  int
	ended []*Hold // the oldest first
}

// Open opens the book that is in the store. Holds that an earlier run left open are expired, on record, before it returns.
func Open(ctx context.Context, o Options) (*Book, error) {
	if o.Store == nil || o.Journal == nil {
		return nil, errors.New("holds: a store and a journal are needed")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &Book{store: o.Store, journal: o.Journal, log: o.Log, holds: map[string]*Hold{}, peers: map[string]*ofPeer{}}
	b.ctx, b.cancel = context.WithCancel(context.WithoutCancel(ctx))
	err := b.Configure(o.Settings)
	if err == nil {
		err = b.load(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("holds: %w", err), b.Close())
	}
	return b, nil
}

// Configure puts other settings into effect. Holds that are open stay with the channels they were announced to.
func (b *Book) Configure(s Settings) error {
	names := map[string]bool{Console: true}
	for _, a := range s.Approvers {
		if name := a.Name(); name == "" || len(name) > MaxName || names[name] {
			return fmt.Errorf("approver %.40q: every approver has a name of its own that is not %q: %w", name, Console, ErrInvalid)
		} else {
			names[name] = true
		}
	}
	if s.PerPeer < 0 || s.Total < 0 || s.GrantFor < 0 || s.GrantFor > MaxGrantFor || s.Late < 0 {
		return fmt.Errorf("a limit is negative or beyond what can be granted: %w", ErrInvalid)
	}
	s.Approvers = slices.Clone(s.Approvers)
	for _, d := range []struct {
		value *int
		or    int
	}{{&s.PerPeer, DefaultPerPeer}, {&s.Total, DefaultTotal}} {
		if *d.value == 0 {
			*d.value = d.or
		}
	}
	if s.GrantFor == 0 {
		s.GrantFor = DefaultGrantFor
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settings = s
	return nil
}

// enter counts something that Close waits for; leave ends it.
func (b *Book) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return fmt.Errorf("holds: %w", ErrClosed)
	}
	b.group.Add(1)
	return nil
}

func (b *Book) leave() { b.group.Done() }

// Close ends every hold that somebody waits for as withdrawn, on record, and waits for all that is under way. Holds that nobody waits
// for stay open in the store; the next Open expires them.
func (b *Book) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		b.group.Wait()
		return nil
	}
	b.closed = true
	var waiting []*Hold
	for _, h := range b.holds {
		h.stopTimer()
		if h.status.State == Pending && !h.status.Detached {
			waiting = append(waiting, h)
		}
	}
	b.mu.Unlock()
	b.cancel() // waiters, probes and announcements
	for _, h := range waiting {
		h.withdraw(stopping)
		<-h.done
	}
	b.group.Wait()
	return nil
}

// Filter says which holds are listed; empty members match all.
type Filter struct {
	State          State
	Peer, Endpoint string
}

// List returns holds without their fields, the oldest first.
func (b *Book) List(f Filter) []Status {
	b.mu.Lock()
	out := make([]Status, 0, len(b.holds))
	for _, h := range b.holds {
		s := &h.status
		if (f.State == "" || f.State == s.State) && (f.Peer == "" || f.Peer == s.Peer) && (f.Endpoint == "" || f.Endpoint == s.Endpoint) {
			out = append(out, *s)
			out[len(out)-1].Fields = nil
		}
	}
	b.mu.Unlock()
	slices.SortFunc(out, func(x, y Status) int {
		if c := x.Opened.Compare(y.Opened); c != 0 {
			return c
		}
		if x.ID < y.ID {
			return -1
		}
		return 1
	})
	return out
}

// Get returns one hold, or ErrUnknown.
func (b *Book) Get(id string) (Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.holds[id]
	if h == nil {
		return Status{}, problem(id, ErrUnknown)
	}
	return h.status, nil
}

// Changed waits until something about any hold has changed since revision after, or ctx ends, and returns the revision of now. With
// another number than one that it returned before it does not wait.
func (b *Book) Changed(ctx context.Context, after uint64) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.revision == after && !b.closed && ctx.Err() == nil {
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		case <-b.ctx.Done():
		}
		b.mu.Lock()
	}
	return b.revision
}

// change wakes those who wait for one. mu is held.
func (b *Book) change() {
	b.revision++
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// problem is an error about one hold.
func problem(id string, err error) error { return fmt.Errorf("hold %.40q: %w", id, err) }

// newID is a name for a hold that nobody can guess.
func newID() string {
	const letters = "abcdefghjkmnpqrstuvwxyz23456789" // none that are mistaken for others
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // it never fails
	id := make([]byte, 0, 1+len(raw))
	id = append(id, 'h')
	for _, c := range raw {
		id = append(id, letters[int(c)%len(letters)])
	}
	return string(id)
}
