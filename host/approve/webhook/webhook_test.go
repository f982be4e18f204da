package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/approve"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testSecret = "whsec_dGhlIGNhbmFyeSBvZiB0aGVzZSB0ZXN0cywgbG9uZyBlbm91Z2g="
	testDigest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	// generous is how long a test waits for what must happen.
	generous = time.Minute
)

func held() approve.Status {
	now := time.Now()
	return approve.Status{
		ID: "h7", State: approve.Pending, Peer: "claude-laptop", Profile: "dev", Endpoint: "prod-db", Credential: "prod-db-agent", Plugin: "postgres", PluginDigest: "ab12",
		Family: "sql", Class: "delete", Title: "delete from public.users", Fields: []approve.Field{{Name: "text", Text: "delete from users\nwhere name = '\u202eeve'"}},
		Digest: testDigest, Grantable: true, Needs: []approve.Need{{Rule: "deletes need a person", Reason: "it is production", Approvers: []string{"ops"}, Approvals: 2}},
		Opened: now, Deadline: now.Add(generous), Policy: "p1", Receipt: "r1",
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// asked is an Approver with a receiver.
type asked struct {
	*Approver
	log   *lines
	votes chan approve.Vote
	// refuse is what decide answers.
	refuse error
}

// ask makes a receiver and an approver that asks it, over TLS.
func ask(t *testing.T, receiver http.Handler, change func(*Options)) *asked {
	t.Helper()
	server := httptest.NewTLSServer(receiver)
	t.Cleanup(server.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	o := Options{
		Name: "ops", URL: server.URL + "/hook?token=canary-of-the-url", Secrets: secretsOf(t, testSecret), CA: ca, Callback: "https://gw.example.com",
		Attempt: generous, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&o)
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	a.wait = func(ctx context.Context, _ time.Duration) bool { return ctx.Err() == nil }
	return &asked{Approver: a, log: log, votes: make(chan approve.Vote, 100)}
}

// announce runs Announce to its end.
func (a *asked) announce(t *testing.T, ctx context.Context, h approve.Status) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Announce(ctx, h, func(_ context.Context, v approve.Vote) (approve.Status, error) {
			a.votes <- v
			return h, a.refuse
		}, func() approve.Ending { return approve.Ending{} })
	}()
	select {
	case <-done:
	case <-time.After(2 * generous):
		t.Fatal("Announce does not return")
	}
}

// got is a request as the receiver had it.
type got struct {
	header http.Header
	body   []byte
}

// verified reads a request as a receiver should.
func verified(r *http.Request, keys Keys) (got, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return got{}, err
	}
	m, err := ReadMessage(r.Header)
	if err != nil {
		return got{}, err
	}
	return got{r.Header.Clone(), body}, keys.Verify(m, body, time.Now())
}

func TestInlineDecision(t *testing.T) {
	for body, want := range map[string]approve.Vote{
		`{"decision":"approve"}`: {Approver: "ops", Approve: true, Digest: testDigest},
		`{"decision":"reject","by":"alice","reason":"no","digest":"` + testDigest + `"}`: {Approver: "ops", By: "alice", Reason: "no", Digest: testDigest},
		`{"decision":"approve","digest":"00","hold":"h7","grant":{"uses":2,"for":"1m"}}`: {Approver: "ops", Approve: true, Digest: "00", GrantUses: 2, GrantFor: time.Minute},
	} {
		requests := make(chan got, 10)
		keys := keysOf(t, testSecret)
		a := ask(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			g, err := verified(r, keys)
			if err != nil {
				t.Error(err)
			}
			requests <- g
			io.WriteString(w, body)
		}), nil)
		h := held()
		a.announce(t, t.Context(), h)
		if len(a.votes) != 1 || len(requests) != 1 {
			t.Fatalf("%s: %d votes, %d requests: %s", body, len(a.votes), len(requests), a.log)
		}
		if v := <-a.votes; v != want {
			t.Errorf("%s: vote %+v, want %+v", body, v, want)
		}
		checkBody(t, <-requests, h)
	}
}

func checkBody(t *testing.T, g got, h approve.Status) {
	t.Helper()
	var e Event
	if err := json.Unmarshal(g.body, &e); err != nil {
		t.Fatal(err)
	}
	d := e.Data
	for what, pair := range map[string][2]any{
		"type": {e.Type, TypeHeld}, "hold": {d.Hold, h.ID}, "receipt": {d.Receipt, "r1"}, "approver": {d.Approver, "ops"}, "digest": {d.Digest, h.Digest},
		"deadline": {d.Deadline.Equal(h.Deadline), true}, "who": {d.Who, Who{"claude-laptop", "dev"}}, "where": {d.Where, Where{"prod-db", "prod-db-agent", "postgres", "ab12"}},
		"class": {d.Class, "delete"}, "title": {d.Title, h.Title}, "url": {d.DecisionURL, "https://gw.example.com/v1/holds/h7/decision"},
		"rule": {d.Needs[0].Rule, "deletes need a person"}, "approvals": {d.Needs[0].Approvals, 2},
		"field": {d.Fields[0], Shown{"text", "delete from users\nwhere name = '⟨U+202E⟩eve'"}},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
		}
	}
	if strings.Contains(string(g.body), "\u202e") {
		t.Error("a character that turns the text around is sent as it is")
	}
	if ct := g.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %q", ct)
	}
}

// TestAnswers: which answers end the tries, and which cast a vote.
func TestAnswers(t *testing.T) {
	elsewhere := atomic.Int64{}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		elsewhere.Add(1)
		io.WriteString(w, `{"decision":"approve"}`)
	}))
	defer target.Close()
	for _, c := range []struct {
		name string
		code int
		body string
		log  string // "" nothing above the level of a debugger
	}{
		{"later", 202, "", ""},
		{"no content", 204, "", ""},
		{"accepted with a decision in it is no decision", 202, `{"decision":"approve"}`, ""},
		{"empty", 200, "", "cannot be read"},
		{"page", 200, "<html>approve</html>", "cannot be read"},
		{"unknown key", 200, `{"decision":"approve","bye":"x"}`, "unknown key"},
		{"another hold", 200, `{"decision":"approve","hold":"h8"}`, "another hold"},
		{"too large", 200, `{"decision":"approve"}` + strings.Repeat(" ", MaxDecision), "at most"},
		{"redirect", 302, "", "redirects are not followed"},
		{"permanent redirect", 308, "", "redirects are not followed"},
		{"unauthorized", 401, `{"decision":"approve"}`, "answered 401"},
		{"gone", 410, "", "answered 410"},
		{"not found", 404, "", "answered 404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var requests atomic.Int64
			a := ask(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests.Add(1)
				w.Header().Set("Location", target.URL)
				w.WriteHeader(c.code)
				io.WriteString(w, c.body)
			}), nil)
			a.announce(t, t.Context(), held())
			if n := requests.Load(); n != 1 || len(a.votes) != 0 {
				t.Errorf("%d requests and %d votes", n, len(a.votes))
			}
			text := a.log.String()
			if loud := strings.Contains(text, "level=ERROR") || strings.Contains(text, "level=WARN"); loud != (c.log != "") || !strings.Contains(text, c.log) {
				t.Errorf("log: %s", text)
			}
		})
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
}

// TestRetries: the same webhook-id and body each time, signed anew, until the receiver takes it.
func TestRetries(t *testing.T) {
	failures := []int{500, 503, 429, 408, 425, 502, 0}
	var requests []got
	keys := keysOf(t, testSecret)
	a := ask(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g, err := verified(r, keys)
		if err != nil {
			t.Error(err)
		}
		requests = append(requests, g)
		switch n := len(requests); {
		case n > len(failures):
			io.WriteString(w, `{"decision":"approve"}`)
		case failures[n-1] == 0:
			panic(http.ErrAbortHandler) // the connection breaks
		default:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(failures[n-1])
			io.WriteString(w, `{"decision":"approve"}`)
		}
	}), nil)
	var waits []time.Duration
	a.wait = func(_ context.Context, d time.Duration) bool {
		waits = append(waits, d)
		return true
	}
	a.announce(t, t.Context(), held())
	if len(requests) != len(failures)+1 || len(a.votes) != 1 || len(waits) != len(failures) {
		t.Fatalf("%d requests, %d votes, %d waits: %s", len(requests), len(a.votes), len(waits), a.log)
	}
	for _, r := range requests[1:] {
		if r.header.Get(HeaderID) != requests[0].header.Get(HeaderID) || !bytes.Equal(r.body, requests[0].body) {
			t.Error("a try has another id or body")
		}
	}
	if waits[0] < time.Second {
		t.Errorf("Retry-After was not heeded: %s", waits[0])
	}
	if last := waits[len(waits)-1]; last <= waits[0] {
		t.Errorf("waits do not grow: %v", waits)
	}
}

// TestNothingIsLogged: neither secrets nor the URL, whatever goes wrong.
func TestNothingIsLogged(t *testing.T) {
	codes := []int{500, 302}
	a := ask(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		code := codes[0]
		if codes = codes[1:]; len(codes) == 0 {
			codes = []int{400}
		}
		w.WriteHeader(code)
	}), nil)
	a.refuse = errors.New("refused")
	a.announce(t, t.Context(), held())
	closed := ask(t, http.NotFoundHandler(), func(o *Options) { o.URL = "https://127.0.0.1:1/hook?token=canary-of-the-url" })
	ctx, cancel := context.WithCancel(t.Context())
	closed.wait = func(context.Context, time.Duration) bool { cancel(); return false }
	closed.announce(t, ctx, held())
	for _, text := range []string{a.log.String(), closed.log.String()} {
		if text == "" || strings.Contains(text, "canary") || strings.Contains(text, testSecret) {
			t.Errorf("log: %s", text)
		}
	}
}

func TestRefusedVote(t *testing.T) {
	a := ask(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"decision":"approve"}`) }), nil)
	a.refuse = approve.ErrDecided
	a.announce(t, t.Context(), held())
	if len(a.votes) != 1 || !strings.Contains(a.log.String(), "does not count") {
		t.Errorf("%d votes, log: %s", len(a.votes), a.log)
	}
}

// TestLaterWithoutListener: a receiver that cannot call back is told so in the log.
func TestLaterWithoutListener(t *testing.T) {
	a := ask(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }), func(o *Options) { o.Callback = "" })
	a.announce(t, t.Context(), held())
	if !strings.Contains(a.log.String(), "no listen") {
		t.Errorf("log: %s", a.log)
	}
}

func TestNew(t *testing.T) {
	secrets := secretsOf(t, testSecret)
	for name, o := range map[string]Options{
		"no secret":    {Name: "a", URL: "https://a.example.com"},
		"no URL":       {Name: "a", Secrets: secrets},
		"another URL":  {Name: "a", Secrets: secrets, URL: "ftp://a.example.com"},
		"missing file": {Name: "a", Secrets: secrets, URL: "https://a.example.com", CA: filepath.Join(t.TempDir(), "none.pem")},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), "approver a") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOnlyLoopback: in clear only to this machine, whatever a name resolves to.
func TestOnlyLoopback(t *testing.T) {
	for address, ok := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "127.9.9.9:1": true, "192.0.2.1:80": false, "[::ffff:192.0.2.1]:80": false, "x": false} {
		if err := onlyLoopback("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	a := ask(t, http.NotFoundHandler(), func(o *Options) { o.URL, o.CA = server.URL, "" })
	a.announce(t, t.Context(), held())
	if requests.Load() != 1 {
		t.Errorf("a receiver on this machine was not asked: %s", a.log)
	}
}

// TestIDs: of no two approvers and no two holds the same.
func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range []string{"a", "a.b", "a-b"} {
		for _, id := range []string{"h1", "h2"} {
			m := (&Approver{name: name}).id(&approve.Status{ID: id})
			if seen[m] || strings.Contains(m, ".") {
				t.Errorf("id %q", m)
			}
			seen[m] = true
		}
	}
}
