package callback

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/webhook"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

// journal records nothing, and says that it did.
type journal struct{}

func (journal) Ended(_ context.Context, h *approve.Status, e approve.Ending) (string, error) {
	return fmt.Sprintf("%s-%s", h.ID, e.Outcome), nil
}

// TestWithBook: a real book, a receiver that takes the hold and calls back later, and what comes of repeated and late calls.
func TestWithBook(t *testing.T) {
	keys := keysOf(t, opsSecret)
	events := make(chan webhook.Event, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		m, merr := webhook.ReadMessage(r.Header)
		var e webhook.Event
		if err != nil || merr != nil || keys.Verify(m, body, time.Now()) != nil || json.Unmarshal(body, &e) != nil {
			t.Errorf("the request is not as it should be: %v %v %s", err, merr, body)
		}
		w.WriteHeader(http.StatusAccepted)
		events <- e
	}))
	defer receiver.Close()

	store, err := bolt.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	// The listener's address is known before the book is, and the book before the server is.
	var server *Server
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { server.Handler().ServeHTTP(w, r) }))
	defer gateway.Close()
	ops, err := webhook.New(webhook.Options{Name: "ops", URL: receiver.URL, Secrets: []secret.Secret{secretOf(t, opsSecret)}, Callback: gateway.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer ops.Close()
	book, err := approve.Open(t.Context(), approve.Options{Store: store, Journal: journal{}, Settings: approve.Settings{Approvers: []approve.Approver{ops}, Late: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if server, err = New(Options{Vote: book.Vote}); err != nil {
		t.Fatal(err)
	}
	if err := server.Use([]*webhook.Approver{ops, hook(t, "dba", dbaNew)}, nil); err != nil {
		t.Fatal(err)
	}

	open := func(n byte) *approve.Hold {
		h, err := book.Hold(t.Context(), approve.Request{
			Peer: "claude-laptop", Profile: "dev", Endpoint: "prod-db", Family: "sql", Class: "delete", Title: "delete from users", Digest: approve.Digest{n}, Grantable: true,
			Needs: []approve.Need{{Rule: "deletes need a person", Approvers: []string{"ops"}, Approvals: 1}}, Timeout: time.Hour,
		}, func(string, time.Time) (string, error) { return "r1", nil })
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	event := func() webhook.Held {
		select {
		case e := <-events:
			return e.Data
		case <-time.After(generous):
			t.Fatal("the receiver is not asked")
			return webhook.Held{}
		}
	}
	n := 0
	call := func(secret, address, body string) (int, string) {
		t.Helper()
		n++
		req, err := http.NewRequest("POST", address, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		keysOf(t, secret).Sign(req.Header, fmt.Sprint("msg_", n), time.Now(), []byte(body))
		resp, err := receiver.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	decision := func(word, digest string) string {
		return fmt.Sprintf(`{"decision":%q,"digest":%q,"by":"alice"}`, word, digest)
	}
	alive := func(context.Context) error { return nil }

	h := open(1)
	e := event()
	if e.Hold != h.ID() || e.Approver != "ops" || e.DecisionURL == "" {
		t.Fatalf("%+v", e)
	}
	ended := make(chan approve.Ending, 1)
	go func() { ended <- h.Wait(t.Context(), alive) }()
	for _, c := range []struct {
		what, secret, url, body string
		code                    int
	}{
		{"another digest", opsSecret, e.DecisionURL, decision("approve", "00"), 409},
		{"an approver who is not asked", dbaNew, e.DecisionURL, decision("approve", e.Digest), 403},
		{"another hold", opsSecret, gateway.URL + "/v1/holds/nothing/decision", decision("approve", e.Digest), 404},
		{"approved", opsSecret, e.DecisionURL, decision("approve", e.Digest), 200},
		{"again", opsSecret, e.DecisionURL, decision("approve", e.Digest), 409},
		{"taken back", opsSecret, e.DecisionURL, decision("reject", e.Digest), 409},
	} {
		if code, body := call(c.secret, c.url, c.body); code != c.code {
			t.Errorf("%s: %d %s, want %d", c.what, code, body, c.code)
		}
	}
	select {
	case e := <-ended:
		if e.Outcome != approve.Approved || len(e.By) != 1 || e.By[0] != "alice (ops)" {
			t.Errorf("%+v", e)
		}
	case <-time.After(generous):
		t.Fatal("the hold does not end")
	}

	// The agent leaves; the approval that comes then executes nothing and is a grant.
	h = open(2)
	e = event()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if end := h.Wait(gone, alive); end.Outcome != approve.Withdrawn {
		t.Errorf("%+v", end)
	}
	code, body := call(opsSecret, e.DecisionURL, decision("approve", e.Digest))
	var r Result
	if err := json.Unmarshal([]byte(body), &r); code != 200 || err != nil || !r.Granted || r.State != approve.Approved {
		t.Errorf("%d %s", code, body)
	}
}
