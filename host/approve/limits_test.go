package approve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/host/state"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

func (b *book) full(r Request, limit string) {
	b.t.Helper()
	var many *TooManyError
	_, err := b.Book.Hold(b.t.Context(), r, func(string, time.Time) (string, error) {
		b.t.Error("it is on record")
		return "", nil
	})
	if !errors.Is(err, ErrTooMany) || !errors.As(err, &many) || many.Limit != limit {
		b.t.Errorf("%v, want the limit %s", err, limit)
	}
}

// TestLimits: past each limit there is no hold, and room comes back when one ends.
func TestLimits(t *testing.T) {
	b := newBook(t, Settings{PerPeer: 2, Total: 3})
	r := request()
	first := b.hold(r)
	b.hold(r)
	b.full(r, "per_peer")
	r.Peer = "other"
	b.hold(r)
	b.full(r, "total")
	r.Peer = "claude"
	ended := b.waiting(first, t.Context(), alive)
	b.vote(first.ID(), no("ann"))
	<-ended
	b.hold(r)
	b.full(r, "per_peer")
	if err := b.Configure(Settings{PerPeer: 3, Total: 4}); err != nil {
		t.Fatal(err)
	}
	b.hold(r)
	if n := len(b.List(Filter{State: Pending})); n != 4 {
		t.Errorf("%d are open", n)
	}
	if n := len(b.List(Filter{Peer: "other", Endpoint: "prod-db"})); n != 1 {
		t.Errorf("%d of other", n)
	}
	if all := b.List(Filter{}); len(all) != 5 || all[0].ID != first.ID() || all[0].Fields != nil {
		t.Errorf("%+v", all)
	}
}

// TestTexts: what nobody can read is not held, and all texts together are bounded.
func TestTexts(t *testing.T) {
	b := newBook(t, Settings{PerPeer: 10})
	r := request()
	r.Fields = []Field{{"text", strings.Repeat("\x01", MaxText-len("text"))}}
	h := b.hold(r)
	if s, err := b.Get(h.ID()); err != nil || len(s.Fields[0].Text) != MaxText-len("text") {
		t.Errorf("%v: %d bytes", err, len(s.Fields[0].Text))
	}
	r.Fields[0].Text += "x"
	if _, err := b.Book.Hold(t.Context(), r, nil); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	b.mu.Lock()
	if b.texts != MaxText {
		t.Errorf("%d bytes are counted", b.texts)
	}
	b.texts = MaxTexts - 10
	b.mu.Unlock()
	r.Fields[0].Text = "longer than that"
	b.full(r, "texts")
	b.mu.Lock()
	b.texts = MaxText
	b.mu.Unlock()
	b.hold(r)
}

// TestTakenBack: a peer that asks and leaves, again and again, cannot wear people out; one whose holds are decided goes on.
func TestTakenBack(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBook(t, Settings{PerPeer: 3})
		left, leave := context.WithCancel(t.Context())
		leave()
		for range 3 {
			b.hold(request()).Wait(left, alive)
		}
		b.full(request(), "withdrawn")
		r := request()
		r.Peer = "other"
		for range 10 {
			h := b.hold(r)
			ended := b.waiting(h, t.Context(), alive)
			b.vote(h.ID(), yes("ann"))
			<-ended
		}
		time.Sleep(time.Minute + time.Second)
		b.hold(request())
	})
}

// TestRoomForTexts: ended holds make room for new ones, first those of the peer that has most.
func TestRoomForTexts(t *testing.T) {
	b := newBook(t, Settings{})
	end := func(peer string) string {
		r := request()
		r.Peer, r.Detached = peer, true
		id := b.hold(r).ID()
		b.vote(id, no("ann"))
		return id
	}
	small, first, second := end("small"), end("greedy"), end("greedy")
	b.mu.Lock()
	b.texts = MaxTexts
	b.mu.Unlock()
	b.hold(request())
	for id, kept := range map[string]bool{small: true, first: false, second: true} {
		if _, err := b.Get(id); kept != (err == nil) {
			t.Errorf("%s: %v, kept %v", id, err, kept)
		}
		if _, err := b.store.Get(t.Context(), holdKey(id)); kept != (err == nil) {
			t.Errorf("%s in the store: %v, kept %v", id, err, kept)
		}
	}
}

// TestWorstHold: the largest hold that is possible, with the most votes, fits the store.
func TestWorstHold(t *testing.T) {
	b := newBook(t, Settings{Late: time.Hour})
	bad := strings.Repeat("\x01", MaxName)
	r := Request{Peer: bad, Profile: bad, Endpoint: bad, Credential: bad, Plugin: bad, PluginDigest: bad, Conn: bad, Family: bad, Class: bad, Title: bad, Policy: bad,
		Fields: []Field{{"text", strings.Repeat("\xff", MaxText-4)}}, Grantable: true, Detached: true}
	for range MaxNeeds {
		r.Needs = append(r.Needs, Need{Rule: strings.Repeat("\x01", maxNeedsText/MaxNeeds), Approvals: MaxVotes})
	}
	b.Settings.Approvers = channels("ops")
	if err := b.Configure(b.Settings); err != nil {
		t.Fatal(err)
	}
	h := b.hold(r)
	for i := range MaxVotes {
		b.vote(h.ID(), Vote{Approver: "ops", By: fmt.Sprintf("%0*d", MaxPerson, i), Reason: strings.Repeat("\x01", MaxReason), Approve: true, Digest: h.status.Digest})
	}
	if s, err := b.Get(h.ID()); err != nil || s.State != Approved || !s.Ending.Granted {
		t.Errorf("%v: %v", err, s.State)
	}
}

// TestBadRequests: what breaks a limit is refused.
func TestBadRequests(t *testing.T) {
	b := newBook(t, Settings{})
	for name, change := range map[string]func(*Request){
		"no peer":           func(r *Request) { r.Peer = "" },
		"no rule":           func(r *Request) { r.Needs = nil },
		"too many rules":    func(r *Request) { r.Needs = make([]Need, MaxNeeds+1) },
		"too long a title":  func(r *Request) { r.Title = strings.Repeat("a", MaxName+1) },
		"too long a reason": func(r *Request) { r.Needs[0].Reason = strings.Repeat("a", maxNeedsText) },
		"too many votes":    func(r *Request) { r.Needs[0].Approvals = MaxVotes + 1 },
		"negative votes":    func(r *Request) { r.Needs[0].Approvals = -1 },
		"negative timeout":  func(r *Request) { r.Timeout = -1 },
		"too long":          func(r *Request) { r.Timeout = MaxTimeout + 1 },
	} {
		r := request()
		change(&r)
		if _, err := b.Book.Hold(t.Context(), r, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEndedAreBounded: a peer that opens and leaves, again and again, has a bounded part of the book, and takes nobody else's.
func TestEndedAreBounded(t *testing.T) {
	b := newBook(t, Settings{Late: time.Hour, PerPeer: 2 * endedPerPeer})
	left, leave := context.WithCancel(t.Context())
	leave()
	r := request()
	r.Peer = "other"
	kept := b.hold(r)
	kept.Wait(left, alive)
	var last *Hold
	for range endedPerPeer + 20 {
		last = b.hold(request())
		last.Wait(left, alive)
	}
	all := b.List(Filter{Peer: "claude"})
	if len(all) != endedPerPeer || all[len(all)-1].ID != last.ID() {
		t.Errorf("%d are kept", len(all))
	}
	if _, err := b.Get(kept.ID()); err != nil {
		t.Error(err)
	}
	if left, err := b.store.List(t.Context(), holdPrefix); err != nil || len(left) != endedPerPeer+1 {
		t.Errorf("%v: %d are stored", err, len(left))
	}
	if want := (endedPerPeer + 1) * textOf(r.Fields); b.texts != want {
		t.Errorf("%d bytes of texts are counted, want %d", b.texts, want)
	}
}

// TestChanged: who waits for a change gets each.
func TestChanged(t *testing.T) {
	b := newBook(t, Settings{})
	rev := b.Changed(t.Context(), ^uint64(0))
	next := make(chan uint64, 1)
	go func() { next <- b.Changed(t.Context(), rev) }()
	h := b.hold(request())
	after := <-next
	if after == rev {
		t.Error("nothing has changed")
	}
	ended := b.waiting(h, t.Context(), alive)
	b.vote(h.ID(), no("ann"))
	<-ended
	if b.Changed(t.Context(), after) == after {
		t.Error("a vote changes nothing")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b.Changed(ctx, b.Changed(ctx, 0))
	go func() { next <- b.Changed(context.Background(), b.Changed(ctx, 0)) }()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	<-next
}

// TestDamaged: what cannot be read in the store is removed, and executes nothing.
func TestDamaged(t *testing.T) {
	b := newBook(t, Settings{})
	h := b.hold(request())
	entry, err := b.store.Get(t.Context(), holdKey(h.ID()))
	if err != nil {
		t.Fatal(err)
	}
	b.close()
	store, err := bolt.Open(b.path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string, value []byte) {
		t.Helper()
		if _, err := store.Put(t.Context(), key, value, state.Any, 0); err != nil {
			t.Fatal(err)
		}
	}
	put(holdKey("hother"), entry.Value) // another one's
	put(holdKey("hcut"), entry.Value[:len(entry.Value)-1])
	put(holdKey("hempty"), nil)
	put(grantsOf("claude", someDigest.String())+"h1", []byte(`{"peer":"claude"}`))
	put(grantsOf("claude", someDigest.String())+"h2", []byte("x"))
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	b.open()
	if all := b.List(Filter{}); len(all) != 1 || all[0].ID != h.ID() {
		t.Errorf("%+v", all)
	}
	if left, err := b.store.List(t.Context(), holdPrefix); err != nil || len(left) != 1 {
		t.Errorf("%v: %d are stored", err, len(left))
	}
	if b.take("claude", someDigest) {
		t.Error("a damaged grant grants")
	}
}

// FuzzStored: whatever is in the store, reading it ends, and what is read is what would be written.
func FuzzStored(f *testing.F) {
	s := Status{ID: "h1", State: Pending, Peer: "p", Digest: someDigest.String(), Needs: []Need{{Rule: "r", Approvals: 1}},
		Fields: []Field{{"text", "a\xff"}}, Opened: time.Unix(1, 0).UTC(), Deadline: time.Unix(2, 0).UTC()}
	b, err := encodeStatus(&s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, "h1")
	s.State, s.Ending, s.Grantable, s.Late = Expired, Ending{Outcome: Expired, At: time.Unix(3, 0).UTC()}, true, time.Unix(9, 0).UTC()
	if b, err = encodeStatus(&s); err != nil {
		f.Fatal(err)
	}
	f.Add(b, "h1")
	f.Add([]byte{keptVersion, 0xff, 0xff, 0xff, 0xff}, "h1")
	f.Add([]byte(`{"hold":"h1","peer":"p","digest":"00","uses":1,"until":"2026-01-01T00:00:00Z"}`), "h1")
	f.Fuzz(func(t *testing.T, b []byte, id string) {
		if g, err := decodeGrant(grantsOf("p", someDigest.String())+"h1", b); err == nil && (g.Peer != "p" || g.Hold != "h1") {
			t.Errorf("the grant of another: %+v", g)
		}
		s, err := decodeStatus(id, b)
		if err != nil {
			return
		}
		if s.ID != id || !s.State.Valid() || len(s.Needs) == 0 {
			t.Errorf("%+v", s)
		}
		s.tally()
		again, err := encodeStatus(s)
		if err != nil {
			return // a time that JSON cannot hold
		}
		if _, err := decodeStatus(id, again); err != nil {
			t.Errorf("what was read cannot be read again: %v", err)
		}
	})
}

// TestFieldJSON: what is not UTF-8 arrives as it is.
func TestFieldJSON(t *testing.T) {
	for _, text := range []string{"", "SELECT 'ж'", "a\xffb", "\xff", "a\ufffdb"} {
		b, err := json.Marshal(Field{Name: "text", Text: text})
		if err != nil {
			t.Fatal(err)
		}
		var f Field
		if err := json.Unmarshal(b, &f); err != nil || f != (Field{"text", text}) {
			t.Errorf("%q is %s and then %+v, %v", text, b, f, err)
		}
		if utf8.ValidString(text) == strings.Contains(string(b), "base64") {
			t.Errorf("%q is %s", text, b)
		}
	}
}
