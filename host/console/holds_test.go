//go:build linux

package console

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/state"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

// journal records nothing.
type journal struct{}

func (journal) Ended(context.Context, *approve.Status, approve.Ending) (string, error) {
	return "r", nil
}

var digest = approve.Digest{4, 5}

// newBook opens a book with n holds that nobody waits for, of the peers p0, p1, …
func newBook(t *testing.T, n int) (*approve.Book, []string) {
	t.Helper()
	store, err := bolt.Open(t.TempDir() + "/state.db")
	if err != nil {
		t.Fatal(err)
	}
	book, err := approve.Open(t.Context(), approve.Options{Store: state.Store(store), Journal: journal{}, Settings: approve.Settings{Late: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(book.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	var ids []string
	for i := range n {
		h, err := book.Hold(t.Context(), approve.Request{Peer: "p" + string(rune('0'+i)), Endpoint: "db", Family: "sql", Class: "delete", Title: "delete",
			Fields: []approve.Field{{Name: "text", Text: "DELETE \xff"}}, Digest: digest, Grantable: true, Detached: true, Needs: []approve.Need{{Rule: "r"}}, Timeout: time.Hour},
			func(string, time.Time) (string, error) { return "held", nil })
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, h.ID())
	}
	return book, ids
}

func TestHolds(t *testing.T) {
	book, ids := newBook(t, 3)
	c := client(t, start(t, &scripted{holds: book}))
	list, err := c.Holds(t.Context(), approve.Filter{}, nil)
	if err != nil || len(list.Holds) != 3 || list.Holds[0].ID != ids[0] || list.Holds[0].Fields != nil || list.Revision == 0 || list.LeftOut != 0 {
		t.Fatalf("%v: %+v", err, list)
	}
	for _, f := range []struct {
		approve.Filter
		n int
	}{{approve.Filter{Peer: "p1"}, 1}, {approve.Filter{Peer: "p9"}, 0}, {approve.Filter{Endpoint: "db"}, 3}, {approve.Filter{State: approve.Pending}, 3}, {approve.Filter{State: approve.Rejected}, 0}} {
		if l, err := c.Holds(t.Context(), f.Filter, nil); err != nil || len(l.Holds) != f.n {
			t.Errorf("%+v: %v: %+v", f, err, l)
		}
	}
	one, err := c.Hold(t.Context(), ids[1])
	want, _ := book.Get(ids[1])
	if err != nil || !reflect.DeepEqual(*one, want) || one.Fields[0].Text != "DELETE \xff" {
		t.Errorf("%v: %+v, want %+v", err, one, want)
	}

	// A list with a revision waits for a change.
	type result struct {
		list *HoldList
		err  error
	}
	next := make(chan result, 1)
	go func() {
		l, err := c.Holds(t.Context(), approve.Filter{State: approve.Rejected}, &list.Revision)
		next <- result{l, err}
	}()
	s, err := c.Decide(t.Context(), ids[0], Decision{Decision: "reject", Digest: digest.String(), Reason: "no"})
	if err != nil || s.State != approve.Rejected || s.Ending.Reason != "no" || len(s.Ending.By) != 1 || !strings.HasSuffix(s.Ending.By[0], " (console)") {
		t.Errorf("%v: %+v", err, s)
	}
	if r := <-next; r.err != nil || r.list.Revision == list.Revision {
		t.Errorf("%v: %+v", r.err, r.list)
	}

	s, err = c.Decide(t.Context(), ids[1], Decision{Decision: "approve", Digest: digest.String(), Grant: GrantWish{2, "30m"}})
	if err != nil || s.State != approve.Approved || s.Ending.GrantUses != 2 || s.Ending.GrantUntil.Sub(s.Ending.At) < 29*time.Minute {
		t.Errorf("%v: %+v", err, s)
	}
	grants, err := c.Grants(t.Context())
	if err != nil || len(grants) != 1 || grants[0].Hold != ids[1] || grants[0].Uses != 2 {
		t.Errorf("%v: %+v", err, grants)
	}
}

// TestHoldFailures: each refusal has a code and says what is wrong.
func TestHoldFailures(t *testing.T) {
	book, ids := newBook(t, 2)
	dir := start(t, &scripted{holds: book})
	c := client(t, dir)
	good := Decision{Decision: "reject", Digest: digest.String()}
	if _, err := c.Decide(t.Context(), ids[0], good); err != nil {
		t.Fatal(err)
	}
	other := good
	other.Digest = approve.Digest{}.String()
	for name, f := range map[string]struct {
		code, message string
		call          func() error
	}{
		"decided":         {"decided", "rejected by ", func() error { _, err := c.Decide(t.Context(), ids[0], good); return err }},
		"digest":          {"digest", "digest", func() error { _, err := c.Decide(t.Context(), ids[1], other); return err }},
		"unknown":         {"unknown_hold", "no such hold", func() error { _, err := c.Decide(t.Context(), "h/../x", good); return err }},
		"unknown to show": {"unknown_hold", "no such hold", func() error { _, err := c.Hold(t.Context(), "hx"); return err }},
		"state":           {"invalid", "rejected", func() error { _, err := c.Holds(t.Context(), approve.Filter{State: "opn"}, nil); return err }},
		"decision":        {"invalid", "approve or reject", func() error { _, err := c.Decide(t.Context(), ids[1], Decision{Decision: "yes"}); return err }},
		"duration": {"invalid", "duration", func() error {
			_, err := c.Decide(t.Context(), ids[1], Decision{Decision: "approve", Digest: digest.String(), Grant: GrantWish{For: "soon"}})
			return err
		}},
		"huge": {"invalid", "cannot be read", func() error {
			_, err := c.Decide(t.Context(), ids[1], Decision{Decision: "approve", Reason: strings.Repeat("a", maxDecision)})
			return err
		}},
		"a key that is none": {"invalid", "by", func() error {
			return c.call(t.Context(), http.MethodPost, "/v1/holds/"+ids[1]+"/decision", map[string]string{"decision": "approve", "digest": digest.String(), "by": "ann"}, nil)
		}},
		"a filter that is none": {"invalid", "stat", func() error { return c.call(t.Context(), http.MethodGet, "/v1/holds?stat=open", nil, nil) }},
		"not a revision":        {"invalid", "after", func() error { return c.call(t.Context(), http.MethodGet, "/v1/holds?after=x", nil, nil) }},
	} {
		var failure *Failure
		if err := f.call(); !errors.As(err, &failure) || failure.Code != f.code || !strings.Contains(failure.Message, f.message) {
			t.Errorf("%s: %v (%+v), want the code %s and …%s…", name, err, failure, f.code, f.message)
		}
	}
	if s, err := book.Get(ids[1]); err != nil || s.State != approve.Pending || len(s.Votes) != 0 {
		t.Errorf("%v: a refused vote left %+v", err, s)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	var failure *Failure
	if _, err := c.Decide(t.Context(), ids[1], good); !errors.As(err, &failure) || failure.Code != "stopping" {
		t.Errorf("a closed book: %v", err)
	}
	none := client(t, start(t, &scripted{}))
	if _, err := none.Holds(t.Context(), approve.Filter{}, nil); !errors.As(err, &failure) || failure.Code != "stopping" {
		t.Errorf("without a book: %v", err)
	}
}

// TestNobodyWithoutACaller: what does not come through the checked listener decides nothing.
func TestNobodyWithoutACaller(t *testing.T) {
	book, ids := newBook(t, 1)
	h := handler(&scripted{holds: book})
	for _, path := range []string{"/v1/holds", "/v1/holds/" + ids[0], "/v1/grants"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://gateway"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		w := &answered{header: http.Header{}}
		if h.ServeHTTP(w, r); w.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.status)
		}
	}
}

type answered struct {
	header http.Header
	status int
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) WriteHeader(status int)      { a.status = status }
func (a *answered) Write(b []byte) (int, error) { return io.Discard.Write(b) }
