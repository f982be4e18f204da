package callback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/slack"
)

// TestSlack: a button pressed is a vote, once, and whoever pressed is told what came of it after Slack has its answer.
func TestSlack(t *testing.T) {
	told := make(chan string, 10)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		told <- strings.TrimPrefix(r.URL.Path, "/api/") + " " + r.PostForm.Get("text")
		io.WriteString(w, `{"ok":true,"channel":"C0123","ts":"1.1","message_ts":"1.1"}`)
	}))
	defer api.Close()
	a, err := slack.New(slack.Options{Name: "chat", Channel: testChannel, Token: secretOf(t, "xoxb-1"), SigningSecret: secretOf(t, signing), API: api.URL + "/api/"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b := &book{}
	s := serverOf(t, b)
	if err := s.Use(nil, []*slack.Approver{a}); err != nil {
		t.Fatal(err)
	}
	r := run(t, s)
	defer r.stop()
	payload := `{"type":"block_actions","user":{"id":"U1"},"container":{"message_ts":"1.1","channel_id":"C0123"},"actions":[{"action_id":"sallyport_approve","block_id":"sallyport_hold","value":"chat h7 ` + testDigest + `"}]}`
	click := func(key, payload string) *http.Request {
		body := url.Values{"payload": {payload}}.Encode()
		r := httptest.NewRequest("POST", "/v1/slack", strings.NewReader(body))
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(key))
		fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
		r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
		r.Header.Set("X-Slack-Request-Timestamp", stamp)
		return r
	}
	hear := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if !strings.HasPrefix(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
		case <-time.After(generous):
			t.Error("nobody is told")
		}
	}
	first := click(signing, payload)
	again := first.Clone(t.Context())
	again.Body = io.NopCloser(strings.NewReader(url.Values{"payload": {payload}}.Encode()))
	if code, body := serve(s, first); code != 200 || body != "" || b.count() != 1 {
		t.Fatalf("%d %s, %d votes", code, body, b.count())
	}
	if v := b.votes[0]; v != (approve.Vote{Approver: "chat", By: "U1", Approve: true, Digest: testDigest}) || b.holds[0] != "h7" {
		t.Errorf("%+v", v)
	}
	hear("chat.update")
	if code, body := serve(s, again); code != 409 || b.count() != 1 {
		t.Errorf("the same again: %d %s", code, body)
	}
	if code, _ := serve(s, click("guessed", payload)); code != 401 || b.count() != 1 {
		t.Errorf("another secret: %d", code)
	}
	if code, _ := serve(s, click(signing, `{"type":"view_closed"}`)); code != 200 || b.count() != 1 {
		t.Errorf("another interaction: %d", code)
	}
	if code, _ := serve(s, click(signing, `{`)); code != 400 || b.count() != 1 {
		t.Errorf("no JSON: %d", code)
	}
	// One that does not count: Slack is answered, and whoever pressed is told why.
	b.fail = fmt.Errorf("hold h7: %w", approve.ErrDecided)
	if code, _ := serve(s, click(signing, strings.Replace(payload, "U1", "U2", 1))); code != 200 {
		t.Errorf("decided: %d", code)
	}
	hear("chat.postEphemeral This does not count: hold h7: it is decided already")
}
