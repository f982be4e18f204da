package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNotifier: a hold is told to people by a program of the operator's, in a chat system that the gateway knows nothing of; who presses the
// button there has the statement executed, and the post says so.
func TestNotifier(t *testing.T) {
	wasm := filepath.Join(t.TempDir(), "notify.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildmode=c-shared", "-ldflags", "-s -w", "-o", wasm, ".")
	cmd.Dir = "../../examples/notify-mattermost"
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	b, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}

	// The chat: what it is sent is a post, or a change of one.
	type post struct {
		Message string
		Props   struct {
			Attachments []struct {
				Actions []struct {
					Integration struct{ Context map[string]string }
				}
			}
		}
	}
	posts := make(chan post, 16)
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var p post
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil || r.Header.Get("Authorization") != "Bearer the-token-of-the-bot" {
			t.Errorf("%s %s: %v", r.Method, r.URL, err)
		}
		posts <- p
		_, _ = io.WriteString(w, `{"id":"post1"}`)
	}))
	t.Cleanup(chat.Close)

	p := newPerson(t, nil) // who signs for those who press buttons
	h := &held{world: shared, person: p, port: freePort(t)}
	config := strings.Replace(h.holding(p, h.port, "", ""), fmt.Sprintf("webhook = %q\n", p.server.URL), fmt.Sprintf(`plugin = %q
sha256 = "%x"
hosts = [%q]
token = "env:CHAT_TOKEN"
settings = { url = %q, channel = "c1", relay = "https://relay.internal/" }
`, wasm, sha256.Sum256(b), strings.TrimPrefix(chat.URL, "http://"), chat.URL), 1)
	h.gw = shared.gateway(t.Context(), t, config)
	h.gw.Env = append(h.gw.Env, "OPS_SECRET="+p.secret(), "CHAT_TOKEN=the-token-of-the-bot")
	ctx := shared.deadline(t, h.gw)
	h.database = shared.database(ctx, t, shop)
	serve(ctx, t, h.gw)

	next := func() (got post) {
		t.Helper()
		select {
		case got = <-posts:
		case <-ctx.Done():
			t.Fatal("nothing is posted")
		}
		return got
	}
	run := start(t, h.psql(ctx), deleteOne)
	shown := next()
	if len(shown.Props.Attachments) != 1 || !strings.Contains(shown.Message, "    delete from customers where id = 1") {
		t.Fatalf("%+v", shown)
	}
	button := shown.Props.Attachments[0].Actions[0].Integration.Context
	var e heldEvent
	e.Data.Hold, e.Data.Digest, e.Data.DecisionURL = button["hold"], button["digest"], button["decision_url"]
	if n := h.customers(ctx, t); n != "3" {
		t.Errorf("%s customers while it waits", n)
	}
	if s := p.call(ctx, e, approves(e), nil); s != http.StatusOK {
		t.Errorf("the call back was answered %d", s)
	}
	if got := run.finish(ctx, t); got.out != "Ada\n2\n" || got.status != 0 {
		t.Errorf("%+v", got)
	}
	if changed := next(); !strings.Contains(changed.Message, "approved") || !strings.Contains(changed.Message, "grace (ops)") {
		t.Errorf("%+v", changed)
	}
	h.wantOutcomes(t, "held", "approved")
}
