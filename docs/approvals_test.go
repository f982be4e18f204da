package docs_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/callback"
	"github.com/sallyport-dev/sallyport/host/approve/notifier"
	"github.com/sallyport-dev/sallyport/host/approve/webhook"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/host/state/bolt"
)

const approvalsSecret = "whsec_dGhlIHNlY3JldCBvZiB0aGUgZXhhbXBsZXMgaW4gdGhlIGRvY3M="

// blocksOf returns the code blocks of a language in docs/approvals.md.
func blocksOf(t *testing.T, language string, want int) []string {
	t.Helper()
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(read(t, "approvals.md"), -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) != want {
		t.Fatalf("approvals.md has %d blocks of %s, want %d", len(blocks), language, want)
	}
	return blocks
}

// TestApprovalsExamples: every configuration of the page loads without a warning.
func TestApprovalsExamples(t *testing.T) {
	for _, b := range blocksOf(t, "toml", 5) {
		cfg, err := config.Parse("example.toml", []byte(b), config.Known{Builtins: []string{"postgres"}})
		if err != nil || len(cfg.Warnings) > 0 {
			t.Errorf("%v %v:\n%s", err, cfg.Warnings, b)
		}
	}
}

// TestApprovalsMessages: the page's JSON is what is sent and what is understood, with every key that there is.
func TestApprovalsMessages(t *testing.T) {
	blocks := blocksOf(t, "json", 3)
	var event webhook.Event
	dec := json.NewDecoder(strings.NewReader(blocks[0]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&event); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	var shown, all any
	if json.Unmarshal([]byte(blocks[0]), &shown) != nil || json.Unmarshal(again, &all) != nil {
		t.Fatal("this is no JSON")
	}
	if a, b := keysIn(shown, ""), keysIn(all, ""); a != b {
		t.Errorf("the page shows the keys\n%s\nand there are\n%s", a, b)
	}
	d, err := webhook.ParseDecision([]byte(blocks[1]))
	if err != nil || !d.Approve || d.Hold == "" || d.Digest == "" || d.By == "" || d.Reason == "" || d.GrantUses == 0 || d.GrantFor == 0 {
		t.Errorf("%+v %v", d, err)
	}
	var ended notifier.Event
	dec = json.NewDecoder(strings.NewReader(blocks[2]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&ended); err != nil || ended.Type != notifier.TypeEnded || ended.Ended == nil || len(ended.Ended.By) != 1 || ended.State == "" {
		t.Errorf("%+v %v", ended, err)
	}
}

// keysIn lists the keys of a JSON value, in the order of encoding/json.
func keysIn(v any, path string) string {
	switch v := v.(type) {
	case map[string]any:
		sorted, _ := json.Marshal(v) // by key
		var b strings.Builder
		dec := json.NewDecoder(bytes.NewReader(sorted))
		_, _ = dec.Token()
		for dec.More() {
			key, _ := dec.Token()
			var raw any
			_ = dec.Decode(&raw)
			at := path + "." + fmt.Sprint(key)
			b.WriteString(at + "\n" + keysIn(raw, at))
		}
		return b.String()
	case []any:
		if len(v) > 0 {
			return keysIn(v[0], path+"[]")
		}
	}
	return ""
}

// approvals is a book with one webhook, whose receiver is an example of the page.
type approvals struct {
	book     *approve.Book
	receiver string // its address
}

type endings struct{}

func (endings) Ended(context.Context, *approve.Status, approve.Ending) (string, error) {
	return "r", nil
}

func newApprovals(t *testing.T, path string) *approvals {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &approvals{receiver: freePort(t)}
	t.Setenv("OPS_WEBHOOK_SECRET", approvalsSecret)
	ref, err := secret.ParseReference("env:OPS_WEBHOOK_SECRET", "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := ref.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	ops, err := webhook.New(webhook.Options{Name: "ops", URL: "http://" + a.receiver + path, Secrets: []secret.Secret{s}, Callback: "http://" + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ops.Close() })
	store, err := bolt.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	a.book, err = approve.Open(t.Context(), approve.Options{Store: store, Journal: endings{}, Settings: approve.Settings{Approvers: []approve.Approver{ops}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.book.Close() })
	server, err := callback.New(callback.Options{Vote: a.book.Vote})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Use([]*webhook.Approver{ops}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return a
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// hold opens a hold at an endpoint and waits for its end.
func (a *approvals) hold(t *testing.T, endpoint string) approve.Ending {
	t.Helper()
	h, err := a.book.Hold(t.Context(), approve.Request{
		Peer: "claude-laptop", Profile: "dev", Endpoint: endpoint, Family: "sql", Class: "delete", Title: "delete from public.users", Fields: []approve.Field{{Name: "text", Text: "delete from users"}},
		Digest: approve.Digest{1}, Grantable: true, Needs: []approve.Need{{Rule: "deletes need a person", Approvals: 1}}, Timeout: 2 * time.Minute,
	}, func(string, time.Time) (string, error) { return "r", nil })
	if err != nil {
		t.Fatal(err)
	}
	return h.Wait(t.Context(), func(context.Context) error { return nil })
}

// start runs a receiver until the test ends. It waits until the receiver listens, and checks that it refuses what is not signed.
func (a *approvals) start(t *testing.T, path, stdin, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "no_proxy=*", "PYTHONUNBUFFERED=1")
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	go func() {
		var b strings.Builder
		for s := bufio.NewScanner(out); s.Scan(); {
			b.WriteString(s.Text() + "\n")
		}
		said <- b.String()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		text := <-said
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the receiver said:\n%s", text)
		}
	})
	deadline := time.Now().Add(time.Minute)
	for {
		resp, err := http.Post("http://"+a.receiver+path, "application/json", strings.NewReader(`{"data":{}}`))
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("the receiver answers what is not signed with %d", resp.StatusCode)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the receiver does not listen: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// example writes a program of the page to a file, with a port that is free here.
func (a *approvals) example(t *testing.T, name, text string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(a.receiver)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer("127.0.0.1:9000", a.receiver, `"127.0.0.1", 9000`, `"127.0.0.1", `+port).Replace(text)
	if changed == text {
		t.Fatal("the example does not listen on port 9000")
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestGoReceiver runs the page's receiver that decides by itself.
func TestGoReceiver(t *testing.T) {
	a := newApprovals(t, "/sallyport")
	source := a.example(t, "main.go", blocksOf(t, "go", 1)[0])
	program := filepath.Join(t.TempDir(), "receiver")
	build := exec.Command("go", "build", "-o", program, source)
	build.Env = append(os.Environ(), "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a.start(t, "/sallyport", "", program)
	if e := a.hold(t, "staging-db"); e.Outcome != approve.Approved || len(e.By) != 1 || e.By[0] != "staging-bot (ops)" {
		t.Errorf("%+v", e)
	}
	if e := a.hold(t, "prod-db"); e.Outcome != approve.Rejected || !strings.Contains(e.Reason, "only staging") {
		t.Errorf("%+v", e)
	}
}

// TestPythonReceiver runs the page's receiver that asks somebody and calls back.
func TestPythonReceiver(t *testing.T) {
	a := newApprovals(t, "/")
	a.start(t, "/", "y\nn\n", "python3", a.example(t, "receiver.py", blocksOf(t, "python", 1)[0]))
	if e := a.hold(t, "prod-db"); e.Outcome != approve.Approved || len(e.By) != 1 || e.By[0] != "alice (ops)" {
		t.Errorf("%+v", e)
	}
	if e := a.hold(t, "prod-db"); e.Outcome != approve.Rejected {
		t.Errorf("%+v", e)
	}
}
