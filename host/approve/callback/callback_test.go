package callback

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/webhook"
	"github.com/sallyport-dev/sallyport/host/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	opsSecret   = "the secret of ops, long enough"
	dbaOld      = "the old secret of dba, long enough"
	dbaNew      = "the new secret of dba, long enough"
	signing     = "the signing secret of slack"
	testDigest  = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	generous    = time.Minute
	testChannel = "C0123"
)

func secretOf(t testing.TB, value string) secret.Secret {
	t.Helper()
	const name = "SALLYPORT_TEST_CALLBACK"
	if err := os.Setenv(name, value); err != nil {
		t.Fatal(err)
	}
	defer os.Unsetenv(name)
	ref, err := secret.ParseReference("env:"+name, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ref.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keysOf makes keys of values, for the side of an approver.
func keysOf(t testing.TB, values ...string) webhook.Keys {
	t.Helper()
	var all []secret.Secret
	for _, v := range values {
		all = append(all, secretOf(t, v))
	}
	keys, err := webhook.NewKeys(all...)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func hook(t testing.TB, name string, secrets ...string) *webhook.Approver {
	t.Helper()
	o := webhook.Options{Name: name, URL: "https://hooks.example.com/" + name}
	for _, s := range secrets {
		o.Secrets = append(o.Secrets, secretOf(t, s))
	}
	a, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// book is a stand-in of the book of holds.
type book struct {
	mu    sync.Mutex
	votes []approve.Vote
	holds []string
	// fail is what the next votes are answered with.
	fail error
}

func (b *book) vote(ctx context.Context, hold string, v approve.Vote) (approve.Status, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx.Err() != nil {
		return approve.Status{}, ctx.Err()
	}
	b.votes, b.holds = append(b.votes, v), append(b.holds, hold)
	return approve.Status{ID: hold, State: approve.Approved, Ending: approve.Ending{Outcome: approve.Approved, Receipt: "r9"}}, b.fail
}

func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.votes)
}

func serverOf(t testing.TB, b *book) *Server {
	t.Helper()
	s, err := New(Options{Vote: b.vote})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Use([]*webhook.Approver{hook(t, "ops", opsSecret), hook(t, "dba", dbaNew, dbaOld)}, nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// request makes a signed decision.
func request(keys webhook.Keys, hold, id string, at time.Time, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/v1/holds/"+hold+"/decision", strings.NewReader(body))
	keys.Sign(r.Header, id, at, []byte(body))
	return r
}

func serve(s *Server, r *http.Request) (int, string) {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

const goodBody = `{"decision":"approve","digest":"` + testDigest + `","by":"alice","reason":"fine"}`

// TestDecision: who signed it is who decides.
func TestDecision(t *testing.T) {
	b := &book{}
	s := serverOf(t, b)
	for i, c := range []struct{ secret, approver string }{{opsSecret, "ops"}, {dbaNew, "dba"}, {dbaOld, "dba"}} {
		code, body := serve(s, request(keysOf(t, c.secret), "h7", fmt.Sprint("msg_", i), time.Now(), goodBody))
		var r Result
		if err := json.Unmarshal([]byte(body), &r); code != 200 || err != nil || r != (Result{Hold: "h7", State: approve.Approved, Receipt: "r9"}) {
			t.Fatalf("%d %s", code, body)
		}
		if v := b.votes[i]; b.holds[i] != "h7" || v != (approve.Vote{Approver: c.approver, By: "alice", Approve: true, Digest: testDigest, Reason: "fine"}) {
			t.Errorf("%+v", v)
		}
	}
}

// TestRefused: every way in which a decision does not count, and that it is not counted.
func TestRefused(t *testing.T) {
	b := &book{}
	s := serverOf(t, b)
	keys, now := keysOf(t, opsSecret), time.Now()
	n := 0
	next := func() string { n++; return fmt.Sprint("msg_", n) }
	plain := func(method, path string) *http.Request {
		return httptest.NewRequest(method, path, strings.NewReader(goodBody))
	}
	changed := request(keys, "h7", next(), now, goodBody)
	changed.Body = io.NopCloser(strings.NewReader(strings.Replace(goodBody, "alice", "mallo", 1)))
	resent := request(keys, "h7", next(), now, goodBody)
	resent.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(now.Unix()+1, 10))
	renamed := request(keys, "h7", next(), now, goodBody)
	renamed.Header.Set(webhook.HeaderID, next())
	twice := request(keys, "h7", next(), now, goodBody)
	twice.Header.Add(webhook.HeaderID, "other")
	// What the gateway itself sent to the receiver, sent back as a decision.
	event := `{"type":"hold.opened","timestamp":"2026-01-02T15:04:05Z","data":{"hold":"h7","digest":"` + testDigest + `","title":"{\"decision\":\"approve\"}"}}`
	for name, c := range map[string]struct {
		r    *http.Request
		code int
		word string
	}{
		"no signature":        {plain("POST", "/v1/holds/h7/decision"), 401, "signature"},
		"another secret":      {request(keysOf(t, "a secret that nobody has, long enough"), "h7", next(), now, goodBody), 401, "signature"},
		"another body":        {changed, 401, "signature"},
		"another timestamp":   {resent, 401, "signature"},
		"another id":          {renamed, 401, "signature"},
		"two ids":             {twice, 401, "signature"},
		"old":                 {request(keys, "h7", next(), now.Add(-webhook.Tolerance-time.Minute), goodBody), 401, "signature"},
		"early":               {request(keys, "h7", next(), now.Add(webhook.Tolerance+time.Minute), goodBody), 401, "signature"},
		"no digest":           {request(keys, "h7", next(), now, `{"decision":"approve"}`), 400, "malformed"},
		"no decision":         {request(keys, "h7", next(), now, `{"digest":"`+testDigest+`"}`), 400, "malformed"},
		"the request itself":  {request(keys, "h7", next(), now, event), 400, "malformed"},
		"no JSON":             {request(keys, "h7", next(), now, "approve"), 400, "malformed"},
		"another hold":        {request(keys, "h7", next(), now, `{"decision":"approve","digest":"`+testDigest+`","hold":"h8"}`), 400, "malformed"},
		"too large":           {request(keys, "h7", next(), now, goodBody+strings.Repeat(" ", webhook.MaxDecision)), 413, "malformed"},
		"too large, unsigned": {httptest.NewRequest("POST", "/v1/holds/h7/decision", bytes.NewReader(make([]byte, 1<<20))), 401, "signature"},
		"GET":                 {plain("GET", "/v1/holds/h7/decision"), 404, "unknown"},
		"elsewhere":           {plain("POST", "/"), 404, "unknown"},
		"a long hold":         {plain("POST", "/v1/holds/"+strings.Repeat("h", maxHold+1)+"/decision"), 404, "unknown"},
		"below":               {plain("POST", "/v1/holds/h7/x/decision"), 404, "unknown"},
	} {
		code, body := serve(s, c.r)
		var got refusal
		if err := json.Unmarshal([]byte(body), &got); code != c.code || err != nil || got.Error != c.word || got.Message == "" {
			t.Errorf("%s: %d %s, want %d %s", name, code, body, c.code, c.word)
		}
	}
	if b.count() != 0 {
		t.Errorf("%d votes were counted: %+v", b.count(), b.votes)
	}
	// Their benign twin.
	if code, body := serve(s, request(keys, "h7", next(), now, `{"decision":"reject","digest":"`+testDigest+`","hold":"h7"}`)); code != 200 || b.count() != 1 {
		t.Errorf("%d %s", code, body)
	}
}

// TestErrors: what the book says is answered in a way that tells receivers what to do.
func TestErrors(t *testing.T) {
	b := &book{}
	s := serverOf(t, b)
	keys := keysOf(t, opsSecret)
	for i, c := range []struct {
		err  error
		code int
		word string
	}{
		{approve.ErrUnknown, 404, "unknown"}, {approve.ErrDigest, 409, "digest"}, {approve.ErrDecided, 409, "decided"}, {approve.ErrVoted, 409, "decided"},
		{approve.ErrNotEntitled, 403, "not_entitled"}, {approve.ErrRequester, 403, "not_entitled"}, {approve.ErrTooLate, 410, "too_late"},
		{approve.ErrNotGrantable, 409, "not_grantable"}, {approve.ErrInvalid, 400, "malformed"}, {approve.ErrClosed, 503, "unavailable"}, {errors.New("disk full"), 500, "failed"},
	} {
		b.fail = fmt.Errorf("hold h7: %w", c.err)
		id := fmt.Sprint("msg_", i)
		code, body := serve(s, request(keys, "h7", id, time.Now(), goodBody))
		if code != c.code || !strings.Contains(body, `"`+c.word+`"`) {
			t.Errorf("%v: %d %s", c.err, code, body)
		}
		// What failed on the gateway's side can be sent again with the same id; what was refused cannot.
		b.fail = nil
		want := 409
		if c.code >= 500 {
			want = 200
		}
		if code, body := serve(s, request(keys, "h7", id, time.Now(), goodBody)); code != want {
			t.Errorf("%v, sent again: %d %s, want %d", c.err, code, body, want)
		}
	}
}

// TestReplay: a webhook-id counts once, for its approver, also with a new timestamp and for another hold.
func TestReplay(t *testing.T) {
	b := &book{}
	s := serverOf(t, b)
	keys, now := keysOf(t, opsSecret), time.Now()
	if code, _ := serve(s, request(keys, "h7", "msg_1", now, goodBody)); code != 200 {
		t.Fatal(code)
	}
	for name, r := range map[string]*http.Request{
		"as it was": request(keys, "h7", "msg_1", now, goodBody), "with a new time": request(keys, "h7", "msg_1", now.Add(time.Second), goodBody),
		"for another hold": request(keys, "h8", "msg_1", now, goodBody), "with another body": request(keys, "h7", "msg_1", now, strings.Replace(goodBody, "approve", "reject", 1)),
	} {
		if code, body := serve(s, r); code != 409 || !strings.Contains(body, "replayed") {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
	if b.count() != 1 {
		t.Errorf("%d votes", b.count())
	}
	for name, r := range map[string]*http.Request{"another id": request(keys, "h7", "msg_2", now, goodBody), "another approver": request(keysOf(t, dbaNew), "h7", "msg_1", now, goodBody)} {
		if code, body := serve(s, r); code != 200 {
			t.Errorf("%s: %d %s", name, code, body)
		}
	}
}

func TestSeenIsBounded(t *testing.T) {
	var s seen
	now := time.Now()
	until := now.Add(10 * time.Minute)
	for i := range maxSeen {
		if ok, err := s.first("ops", fmt.Sprint(i), now, until); !ok || err != nil {
			t.Fatal(i, ok, err)
		}
	}
	if _, err := s.first("ops", "one more", now, until); err == nil {
		t.Error("there is no bound")
	}
	if ok, err := s.first("ops", "0", now, until); ok || err != nil {
		t.Errorf("the first was forgotten: %v %v", ok, err)
	}
	if ok, err := s.first("dba", "0", now, until); !ok || err != nil {
		t.Errorf("another sender is refused: %v %v", ok, err)
	}
	later := until.Add(time.Second)
	if ok, err := s.first("ops", "one more", later, later.Add(time.Minute)); !ok || err != nil {
		t.Errorf("later: %v %v", ok, err)
	}
	if n := len(s.senders["ops"]); n != 1 {
		t.Errorf("%d are remembered for nothing", n)
	}
}

// FuzzDecision: whatever a signed body says, it is answered, and a vote has a digest.
func FuzzDecision(f *testing.F) {
	f.Add([]byte(goodBody), "h7")
	f.Add([]byte(`{"decision":"reject","digest":"x","hold":"h7","grant":{}}`), "../x")
	f.Add([]byte(`{"decision":"approve","digest":null}`), "%2f")
	b := &book{}
	s := serverOf(f, b)
	keys := keysOf(f, opsSecret)
	n := 0
	f.Fuzz(func(t *testing.T, body []byte, hold string) {
		n++
		b.votes = nil
		s.seen = seen{}
		r := httptest.NewRequest(http.MethodPost, "/v1/holds/"+url.PathEscape(hold)+"/decision", bytes.NewReader(body))
		keys.Sign(r.Header, fmt.Sprint("msg_", n), time.Now(), body)
		code, text := serve(s, r)
		if (code == 200) != (len(b.votes) == 1) || len(b.votes) > 1 {
			t.Fatalf("%d %s with %d votes", code, text, len(b.votes))
		}
		for _, v := range b.votes {
			if v.Approver != "ops" || v.Digest == "" {
				t.Fatalf("%+v", v)
			}
		}
	})
}
