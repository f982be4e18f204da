package e2e

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// heldEvent is what of a webhook's body the tests read.
type heldEvent struct {
	Data struct {
		Hold, Digest, Class, Title string
		DecisionURL                string `json:"decision_url"`
		Fields                     []struct{ Name, Text string }
	}
}

// person is a real receiver of webhooks: what it knows of signatures it has from the specification, not from the gateway's code.
type person struct {
	t      *testing.T
	server *httptest.Server
	key    []byte

	asked chan heldEvent // all that it was asked
	// answer is the body of the answer; nil: 202, it will call back.
	answer func(e heldEvent) map[string]any
}

func newPerson(t *testing.T, answer func(heldEvent) map[string]any) *person {
	t.Helper()
	p := &person{t: t, key: make([]byte, 32), asked: make(chan heldEvent, 16), answer: answer}
	_, _ = rand.Read(p.key)
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

// secret is the key as a configuration's environment has it.
func (p *person) secret() string { return "whsec_" + base64.StdEncoding.EncodeToString(p.key) }

// sign is the signature of Standard Webhooks.
func (p *person) sign(id, timestamp string, body []byte) string {
	m := hmac.New(sha256.New, p.key)
	m.Write([]byte(id + "." + timestamp + "."))
	m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func (p *person) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	h := r.Header
	if err != nil || !strings.Contains(" "+h.Get("webhook-signature")+" ", " "+p.sign(h.Get("webhook-id"), h.Get("webhook-timestamp"), body)+" ") {
		p.t.Errorf("a request with a wrong signature: %v %v", h, err)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var e heldEvent
	if err := json.Unmarshal(body, &e); err != nil || e.Data.Hold == "" {
		p.t.Errorf("%s: %v", body, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.asked <- e
	if p.answer == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	_ = json.NewEncoder(w).Encode(p.answer(e))
}

// next is the next thing that it is asked.
func (p *person) next(ctx context.Context) heldEvent {
	p.t.Helper()
	select {
	case e := <-p.asked:
		return e
	case <-ctx.Done():
		p.t.Fatal("nobody is asked")
		return heldEvent{}
	}
}

// call decides by calling back, and returns the answer's status.
func (p *person) call(ctx context.Context, e heldEvent, body map[string]any, change func(*http.Request)) int {
	p.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.Data.DecisionURL, bytes.NewReader(b))
	if err != nil {
		p.t.Fatal(err)
	}
	raw := make([]byte, 8)
	_, _ = rand.Read(raw)
	id, now := "msg_"+hex.EncodeToString(raw), strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", now)
	r.Header.Set("webhook-signature", p.sign(id, now, b))
	r.Header.Set("Content-Type", "application/json")
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	p.t.Logf("called back: %s %s", answer.Status, text)
	return answer.StatusCode
}

func approves(e heldEvent) map[string]any {
	return map[string]any{"decision": "approve", "digest": e.Data.Digest, "by": "grace"}
}

func rejects(e heldEvent) map[string]any {
	return map[string]any{"decision": "reject", "digest": e.Data.Digest, "by": "grace", "reason": "not on a Sunday"}
}

// freePort is a TCP port of 127.0.0.1 that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
