package anchor

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logTo writes a closed log with an anchor and returns its path.
func logTo(t *testing.T, a receipt.Anchor) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l, err := receipt.Open(path, receipt.Options{KeyFile: path + ".key", Anchors: []receipt.Anchor{a}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(&receipt.Record{Kind: receipt.Start}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func check(t *testing.T, path, anchor string) {
	t.Helper()
	r, err := receipt.VerifyWith(path, receipt.VerifyOptions{Anchor: strings.NewReader(anchor)})
	if err != nil || r.Anchored != 1 || r.AnchoredTo != r.Records {
		t.Errorf("%+v %v, against %q", r, err, anchor)
	}
}

func TestFile(t *testing.T) {
	file := File{filepath.Join(t.TempDir(), "anchor")}
	path := logTo(t, file)
	b, err := os.ReadFile(file.Path)
	if err != nil {
		t.Fatal(err)
	}
	check(t, path, string(b))
	if info, err := os.Stat(file.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if err := file.Keep(t.Context(), receipt.Signed{Line: "second"}); err != nil {
		t.Fatal(err)
	}
	if b, err = os.ReadFile(file.Path); err != nil || strings.Count(string(b), "\n") != 2 || !strings.HasSuffix(string(b), "\nsecond\n") {
		t.Errorf("%q %v", b, err)
	}
	// Where it cannot be, and what is no file.
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(file.Path, link); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{filepath.Join(t.TempDir(), "none", "anchor"), link, "/dev/null"} {
		if err := (File{bad}).Keep(t.Context(), receipt.Signed{Line: "x"}); err == nil {
			t.Errorf("%s: kept", bad)
		}
	}
}

func TestWebhook(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("signed") != r.Header.Get("id")+string(b) || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v: %q %v", r.Method, r.Header, b, err)
		}
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
			return
		case "/down":
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mu.Lock()
		bodies = append(bodies, string(b))
		mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	defer receiver.Close()
	sign := func(h http.Header, id string, at time.Time, body []byte) {
		if time.Since(at) > time.Hour {
			t.Errorf("signed at %v", at)
		}
		h.Set("id", id)
		h.Set("signed", id+string(body))
	}
	path := logTo(t, NewWebhook(receiver.URL+"/?token=canary", sign))
	mu.Lock()
	got := strings.Join(bodies, "\n")
	mu.Unlock()
	check(t, path, got)
	for _, bad := range []string{"/moved", "/down"} {
		err := NewWebhook(receiver.URL+bad, sign).Keep(t.Context(), receipt.Signed{ID: "x-1", Line: "{}"})
		if err == nil || !strings.Contains(err.Error(), "answered") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	mu.Lock()
	if len(bodies) != 1 {
		t.Errorf("a redirect was followed: %q", bodies)
	}
	mu.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewWebhook(receiver.URL, sign).Keep(ctx, receipt.Signed{}); err == nil {
		t.Error("it sends after its end")
	}
	if name := NewWebhook("https://a.example/x?token=canary", sign).Name(); name != "https://a.example/x" {
		t.Errorf("the name is %q", name)
	}
	if err := NewWebhook(receiver.URL+"/down?token=canary", sign).Keep(t.Context(), receipt.Signed{ID: "x"}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("the error tells the query: %v", err)
	}
	receiver.Close()
	if err := NewWebhook(receiver.URL+"/?token=canary", sign).Keep(t.Context(), receipt.Signed{ID: "x"}); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("the error tells the query: %v", err)
	}
}
