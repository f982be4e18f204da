package slack

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testToken   = "xoxb-canary-of-the-token"
	testSigning = "canary-of-the-signing-secret"
	testChannel = "C0123"
	testDigest  = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	generous    = time.Minute
)

// secretOf resolves a secret of a value.
func secretOf(t testing.TB, value string) secret.Secret {
	t.Helper()
	const name = "SALLYPORT_TEST_SLACK"
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

// block is one of a message's, as the stand-in of Slack reads it.
type block struct {
	Type string `json:"type"`
	Text *struct {
		Type, Text string
		Emoji      *bool
	} `json:"text"`
	BlockID  string `json:"block_id"`
	Expand   bool   `json:"expand"`
	Elements []struct {
		Type     string `json:"type"`
		ActionID string `json:"action_id"`
		Value    string `json:"value"`
		// Text is a string in a context's element and an object in a button.
		Text json.RawMessage `json:"text"`
	} `json:"elements"`
}

// posted is one call of the API.
type posted struct {
	method, channel, ts, text, user string
	blocks                          []block
}

// all is every text of a message that people see.
func (p *posted) all() string {
	var b strings.Builder
	for _, bl := range p.blocks {
		if bl.Text != nil {
			b.WriteString(bl.Text.Text + "\n")
		}
		for _, e := range bl.Elements {
			b.Write(e.Text)
			b.WriteString("\n")
		}
	}
	return b.String()
}

// button returns the value of a button; empty: the message has none.
func (p *posted) button(action string) string {
	for _, b := range p.blocks {
		for _, e := range b.Elements {
			if e.ActionID == action {
				return e.Value
			}
		}
	}
	return ""
}

// standin is a stand-in of Slack's API that checks what it is sent as the real one would, and more strictly.
type standin struct {
	t      *testing.T
	server *httptest.Server
	calls  chan posted
	mu     sync.Mutex
	// answers are given in place of the right one, one for each call; 0 and "" is the right one.
	answers []failure
}

type failure struct {
	code int
	body string
}

func newStandin(t *testing.T) *standin {
	s := &standin{t: t, calls: make(chan posted, 100)}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

func (s *standin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	if auth := r.Header.Get("Authorization"); auth != "Bearer "+testToken && r.PostForm.Get("token") != testToken {
		s.t.Errorf("%s without the token", r.URL.Path)
	}
	p := posted{method: strings.TrimPrefix(r.URL.Path, "/api/"), channel: r.PostForm.Get("channel"), ts: r.PostForm.Get("ts"), text: r.PostForm.Get("text"), user: r.PostForm.Get("user")}
	if b := r.PostForm.Get("blocks"); b != "" {
		if err := json.Unmarshal([]byte(b), &p.blocks); err != nil {
			s.t.Errorf("blocks: %v", err)
		}
	}
	s.check(&p)
	s.mu.Lock()
	var f failure
	if len(s.answers) > 0 {
		f, s.answers = s.answers[0], s.answers[1:]
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if f != (failure{}) {
		w.Header().Set("Retry-After", "2")
		w.WriteHeader(max(f.code, 200))
		io.WriteString(w, f.body)
		return
	}
	s.calls <- p
	fmt.Fprintf(w, `{"ok":true,"channel":%q,"ts":"1700000000.000100","message_ts":"1700000000.000100"}`, p.channel)
}

// check holds a call against Slack's limits and this package's promises.
func (s *standin) check(p *posted) {
	if p.channel != testChannel {
		s.t.Errorf("%s to channel %q", p.method, p.channel)
	}
	if p.method == "chat.postEphemeral" {
		return
	}
	if n := len(p.blocks); n == 0 || n > 50 {
		s.t.Errorf("%s with %d blocks", p.method, n)
	}
	for _, b := range p.blocks {
		most := 3000
		if b.Type == "header" {
			most = 150
		}
		if b.Text != nil {
			if n := utf8.RuneCountInString(b.Text.Text); n == 0 || n > most {
				s.t.Errorf("a %s with %d characters", b.Type, n)
			}
			if b.Text.Type == "plain_text" && (b.Text.Emoji != nil && *b.Text.Emoji) {
				s.t.Errorf("emoji are shown in %q", b.Text.Text)
			}
			if b.Type == "section" && !b.Expand {
				s.t.Error("a section can be folded")
			}
			if b.Text.Type == "mrkdwn" && strings.Contains(b.Text.Text, "evil") {
				s.t.Errorf("the agent's words are read as markup: %q", b.Text.Text)
			}
		}
		for _, e := range b.Elements {
			if len(e.Value) > 2000 || e.Type == "mrkdwn" && strings.Contains(string(e.Text), "evil") {
				s.t.Errorf("element %+v", e)
			}
		}
	}
	if strings.Contains(p.text, "evil") {
		s.t.Errorf("the agent's words are in the notification: %q", p.text)
	}
}

// next is the next call.
func (s *standin) next() posted {
	s.t.Helper()
	select {
	case p := <-s.calls:
		return p
	case <-time.After(generous):
		s.t.Fatal("no call of Slack's API")
	}
	return posted{}
}

func (s *standin) approver(change func(*Options)) *Approver {
	s.t.Helper()
	o := Options{Name: "chat", Channel: testChannel, Token: secretOf(s.t, testToken), SigningSecret: secretOf(s.t, testSigning), API: s.server.URL + "/api/", Late: true}
	if change != nil {
		change(&o)
	}
	a, err := New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	a.wait = func(ctx context.Context, _ time.Duration) bool { return ctx.Err() == nil }
	s.t.Cleanup(func() { a.Close() })
	return a
}

func held() approve.Status {
	now := time.Now()
	return approve.Status{
		ID: "h7", State: approve.Pending, Peer: "claude-laptop", Profile: "dev", Endpoint: "prod-db", Credential: "prod-db-agent", Plugin: "postgres",
		Family: "sql", Class: "delete", Title: "delete from public.evil", Fields: []approve.Field{
			{Name: "verbs", Text: "delete"}, {Name: "text", Text: "delete from evil\nwhere name = '\u202e<!channel> *x*'\n│ bounded: true"},
		},
		Digest: testDigest, Grantable: true, Needs: []approve.Need{{Rule: "deletes need a person", Reason: "it is production", Approvals: 2}},
		Opened: now, Deadline: now.Add(generous),
	}
}

// running is an announcement under way.
type running struct {
	end  func(approve.Ending)
	done chan struct{}
}

func announce(t *testing.T, a *Approver, h approve.Status) *running {
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var ending approve.Ending
	r := &running{done: make(chan struct{})}
	r.end = func(e approve.Ending) {
		mu.Lock()
		ending = e
		mu.Unlock()
		cancel()
	}
	go func() {
		defer close(r.done)
		defer cancel()
		a.Announce(ctx, h, nil, func() approve.Ending {
			mu.Lock()
			defer mu.Unlock()
			return ending
		})
	}()
	return r
}

func (r *running) wait(t *testing.T) {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(generous):
		t.Fatal("Announce does not return")
	}
}

// press is what Slack sends when a button of a message is pressed.
func press(action, value, user, channel string) []byte {
	p, _ := json.Marshal(map[string]any{
		"type": "block_actions", "user": map[string]string{"id": user, "username": "alice", "name": "alice"}, "api_app_id": "A1", "token": "old",
		"container": map[string]any{"type": "message", "message_ts": "1700000000.000100", "channel_id": channel, "is_ephemeral": false},
		"channel":   map[string]string{"id": channel, "name": "ops"}, "response_url": "https://evil.example.com/",
		"actions": []map[string]any{{"action_id": action, "block_id": blockID, "type": "button", "value": value, "action_ts": "1700000001.1",
			"text": map[string]any{"type": "plain_text", "text": "Approve", "emoji": false}}},
	})
	return []byte(url.Values{"payload": {string(p)}}.Encode())
}

// sign makes the headers that Slack sends with a body.
func sign(key string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	return http.Header{"X-Slack-Signature": {"v0=" + hex.EncodeToString(mac.Sum(nil))}, "X-Slack-Request-Timestamp": {stamp}}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
