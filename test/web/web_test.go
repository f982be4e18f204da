package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// protocols are what curl speaks, and the names that it has for them.
var protocols = map[string]string{"--http1.1": "1.1", "--http2": "2"}

func digestOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

var varying = regexp.MustCompile(`(?im)^date:.*\r?\n`)

// TestDownloads: what nginx serves comes byte for byte as without the gateway, heads included, in both versions, compressed and not.
func TestDownloads(t *testing.T) {
	w, ctx := begin(t)
	for flag, version := range protocols {
		for _, path := range []string{"%d.bin", "zipped/%d.bin"} {
			for _, n := range w.sizes {
				path := fmt.Sprintf(path, n)
				to := filepath.Join(t.TempDir(), "body")
				fetch := []string{"curl", "-sS", flag, "-D", "-", "-o", to, "-H", "Accept-Encoding: gzip"}
				cmd := exec.CommandContext(ctx, fetch[0], append(fetch[1:], "--cacert", filepath.Join(w.dir, "cert.pem"), fmt.Sprintf("https://127.0.0.1:%d/%s", w.tls, path))...)
				direct := finish(ctx, t, cmd)
				want := digestOf(t, to)
				through := w.inside(ctx, t, append(fetch, fmt.Sprintf("https://web:%d/%s", w.tls, path))...)
				if through.status != 0 || varying.ReplaceAllString(through.out, "") != varying.ReplaceAllString(direct.out, "") {
					t.Errorf("HTTP/%s %s: %+v, directly %+v", version, path, through, direct)
				}
				if got := digestOf(t, to); got != want {
					t.Errorf("HTTP/%s %s: the body is another one", version, path)
				}
			}
		}
	}
}

// TestUploads: bodies arrive whole, with a length and in chunks, after a 100 and without.
func TestUploads(t *testing.T) {
	w, ctx := begin(t)
	for flag, version := range protocols {
		for _, n := range w.sizes {
			file := filepath.Join(w.www, fmt.Sprint(n, ".bin"))
			want := fmt.Sprintf("POST %d %s <nil>\n", n, digestOf(t, file))
			for name, args := range map[string][]string{
				"with a length": {"--data-binary", "@" + file},
				"in chunks":     {"--data-binary", "@" + file, "-H", "Transfer-Encoding: chunked"},
				"after a 100":   {"--data-binary", "@" + file, "-H", "Expect: 100-continue"},
			} {
				if version == "2" && name == "in chunks" {
					continue // there are none
				}
				got := w.inside(ctx, t, append([]string{"curl", "-sS", flag, fmt.Sprintf("https://app:%d/digest", w.app.port())}, args...)...)
				if got.out != want {
					t.Errorf("HTTP/%s, %d bytes %s: %+v, want %q", version, n, name, got, want)
				}
			}
		}
	}
}

// TestDenied: a denied request is answered, never reaches the server, and the connection lives on.
func TestDenied(t *testing.T) {
	w, ctx := begin(t)
	for flag, version := range protocols {
		path := "/denied-" + version
		url := fmt.Sprintf("https://web:%d", w.tls)
		got := w.inside(ctx, t, "curl", "-sS", flag, "-w", `\n%{http_code} %{http_version} %{num_connects}\n`, "-X", "DELETE", url+path,
			"--next", "-sS", flag, "-w", `%{http_code} %{http_version} %{num_connects}\n`, url+"/")
		body, rest, _ := strings.Cut(got.out, "\n")
		var problem struct{ Title, Detail, Rule, Receipt string }
		if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Detail != "nothing is deleted here" || problem.Rule != "nothing is deleted" || problem.Receipt == "" {
			t.Errorf("HTTP/%s: %q %v", version, body, err)
		}
		rest = strings.TrimPrefix(rest, "\n")
		if rest != "403 "+version+" 1\nhello\n200 "+version+" 0\n" {
			t.Errorf("HTTP/%s: %q %s", version, rest, got.err)
		}
		if seen := w.accessed(path); len(seen) != 0 {
			t.Errorf("the server saw %q", seen)
		}
	}
}

// TestHeld: a held request waits, the others of its connection do not, and it goes on when it is approved.
func TestHeld(t *testing.T) {
	w, ctx := begin(t)
	for flag, version := range protocols {
		for _, decision := range []string{"approve", "reject"} {
			path := "/orders/" + version + decision
			cmd := w.gw.Agent(ctx, "curl", "-sS", flag, "-w", ` %{http_code}`, "-d", "x=1", fmt.Sprintf("https://app:%d%s", w.app.port(), path))
			done := make(chan printed, 1)
			go func() { done <- finish(ctx, t, cmd) }()
			id, digest := w.waitHeld(t, path)
			if n := w.app.asked("POST " + path); n != 0 {
				t.Errorf("HTTP/%s: the server was asked %d times before anybody decided", version, n)
			}
			if out, err := w.gw.Command(ctx, "holds", decision, id, "--digest", digest, "--config", w.gw.Config).CombinedOutput(); err != nil {
				t.Fatalf("holds %s: %v\n%s", decision, err, out)
			}
			got := <-done
			asked := w.app.asked("POST " + path)
			if decision == "approve" && (asked != 1 || !strings.HasSuffix(got.out, " 200")) {
				t.Errorf("HTTP/%s approved: asked %d times, %+v", version, asked, got)
			}
			if decision == "reject" && (asked != 0 || !strings.HasSuffix(got.out, " 403") || !strings.Contains(got.out, id)) {
				t.Errorf("HTTP/%s rejected: asked %d times, %+v", version, asked, got)
			}
		}
	}
}

// waitHeld waits until something about a path is held, and returns its id and digest.
func (w *world) waitHeld(t *testing.T, path string) (id, digest string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		for line := range strings.Lines(w.gw.Receipts()) {
			var r struct{ Outcome, Hold, Digest, Title string }
			if json.Unmarshal([]byte(line), &r) == nil && r.Outcome == "held" && strings.Contains(r.Title, path) {
				return r.Hold, r.Digest
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing is held")
		}
	}
}

// TestCredential: the gateway puts the token in, whatever the agent sends there, and no answer shows it.
func TestCredential(t *testing.T) {
	w, ctx := begin(t)
	for flag, version := range protocols {
		got := w.inside(ctx, t, "curl", "-sS", flag, "-H", "Authorization: Bearer mine", "-H", "X-Other: kept", fmt.Sprintf("https://api:%d/headers", w.app.port()))
		if strings.Contains(got.out, token) || strings.Contains(got.out, "mine") || !strings.Contains(got.out, "X-Other: kept") || !strings.Contains(got.out, "Authorization: Bearer ") {
			t.Errorf("HTTP/%s: %+v", version, got)
		}
	}
	b, err := os.ReadFile(filepath.Join(w.gw.Dir, "state", "receipts.jsonl"))
	if err != nil || strings.Contains(string(b), token) {
		t.Errorf("the record: the token is in it, or %v", err)
	}
}

// TestBodies: where a rule needs bodies nothing of a request goes on before it is decided.
func TestBodies(t *testing.T) {
	w, ctx := begin(t)
	for flag, version := range protocols {
		url := fmt.Sprintf("https://strict:%d/digest", w.app.port())
		before := w.app.asked("POST /digest")
		got := w.inside(ctx, t, "curl", "-sS", flag, "-w", "%{http_code}", "-d", "password=hunter2", url)
		if !strings.HasSuffix(got.out, "403") || w.app.asked("POST /digest") != before {
			t.Errorf("HTTP/%s: %+v", version, got)
		}
		got = w.inside(ctx, t, "curl", "-sS", flag, "-w", "%{http_code}", "-d", "password=none", url)
		if !strings.HasSuffix(got.out, "200") || w.app.asked("POST /digest") != before+1 {
			t.Errorf("HTTP/%s, the twin: %+v", version, got)
		}
	}
}

// smuggled are requests that two servers could read differently, each followed by one that must not come out of it. The head of one
// whose body turns out wrong may have gone on before.
var smuggled = map[string]string{
	"both lengths":          "POST /s HTTP/1.1\r\nHost: plain\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"two lengths":           "POST /s HTTP/1.1\r\nHost: plain\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"an odd coding":         "POST /s HTTP/1.1\r\nHost: plain\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"space before a colon":  "POST /s HTTP/1.1\r\nHost: plain\r\nContent-Length : 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"a folded line":         "GET /s HTTP/1.1\r\nHost: plain\r\nX: 1\r\n Content-Length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"bare line feeds":       "GET /s HTTP/1.1\nHost: plain\n\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"two hosts":             "GET /s HTTP/1.1\r\nHost: plain\r\nHost: other\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"another authority":     "GET http://other/s HTTP/1.1\r\nHost: plain\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"a bad chunk end":       "POST /streamed HTTP/1.1\r\nHost: plain\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"an extension with end": "POST /streamed HTTP/1.1\r\nHost: plain\r\nTransfer-Encoding: chunked\r\n\r\n1;a\nb\r\nx\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
	"a delete in a body":    "POST /s HTTP/1.1\r\nHost: plain\r\nContent-Length: 0\r\nTransfer-Encoding:\x0bchunked\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: plain\r\n\r\n",
}

// talk sends its third argument to a host and port and prints what comes back, until the end.
const talk = `
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 30)
s.settimeout(30)
s.sendall(sys.argv[3].encode("latin-1").decode("unicode_escape").encode("latin-1"))
s.shutdown(socket.SHUT_WR)
while True:
    b = s.recv(65536)
    if not b: break
    sys.stdout.buffer.write(b)
`

func (w *world) talk(t *testing.T, request string) printed {
	t.Helper()
	quoted := strings.NewReplacer("\r", `\r`, "\n", `\n`, "\x0b", `\x0b`).Replace(request)
	return w.inside(t.Context(), t, "/usr/bin/python3", "-c", talk, "plain", fmt.Sprint(w.raw), quoted)
}

// TestSmuggling: what two servers could read differently is answered with 400 and goes nowhere.
func TestSmuggling(t *testing.T) {
	w, _ := begin(t)
	for name, request := range smuggled {
		got := w.talk(t, request)
		if !strings.HasPrefix(got.out, "HTTP/1.1 400 ") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if seen := append(w.accessed("/smuggled"), w.accessed(" /s ")...); len(seen) != 0 {
		t.Errorf("the server saw %q", seen)
	}
	// The twin: two requests in a row that nobody reads differently.
	got := w.talk(t, strings.Repeat("GET /index.html?twin HTTP/1.1\r\nHost: plain\r\n\r\n", 2))
	if strings.Count(got.out, "HTTP/1.1 200 OK") != 2 || len(w.accessed("/index.html?twin")) != 2 {
		t.Errorf("the twin: %+v", got)
	}
}

// TestNames: a request for another host than the endpoint, by TLS or by header, is refused.
func TestNames(t *testing.T) {
	w, ctx := begin(t)
	port := fmt.Sprint(w.tls)
	got := w.inside(ctx, t, "curl", "-sSk", "--connect-to", "evil.example:"+port+":web:"+port, "https://evil.example:"+port+"/names")
	if got.status == 0 || !strings.Contains(w.gw.Receipts(), "evil.example") {
		t.Errorf("by TLS: %+v", got)
	}
	for flag, version := range protocols {
		got = w.inside(ctx, t, "curl", "-sS", flag, "-w", "%{http_code}", "-H", "Host: evil.example", "https://web:"+port+"/names")
		if strings.HasSuffix(got.out, "200") || strings.HasSuffix(got.out, "404") {
			t.Errorf("HTTP/%s by header: %+v", version, got)
		}
	}
	if seen := w.accessed("/names"); len(seen) != 0 {
		t.Errorf("the server saw %q", seen)
	}
}

// TestStreams: events come as they are sent, trailers arrive, and an upgraded connection is an action of its own.
func TestStreams(t *testing.T) {
	w, ctx := begin(t)
	for flag, version := range protocols {
		got := w.inside(ctx, t, "curl", "-sSN", flag, fmt.Sprintf("https://app:%d/events", w.app.port()))
		if got.out != "data: 0\n\ndata: 1\n\ndata: 2\n\n" {
			t.Errorf("HTTP/%s events: %+v", version, got)
		}
		ask := []string{"curl", "-sS", flag, "-D", "-", "-d", "body"}
		direct := finish(ctx, t, exec.CommandContext(ctx, ask[0], append(ask[1:], "--cacert", filepath.Join(w.dir, "cert.pem"), fmt.Sprintf("https://127.0.0.1:%d/trailers", w.app.port()))...))
		got = w.inside(ctx, t, append(ask, fmt.Sprintf("https://app:%d/trailers", w.app.port()))...)
		if want := varying.ReplaceAllString(direct.out, ""); varying.ReplaceAllString(got.out, "") != want || version == "1.1" && !strings.Contains(want, "Checked: yes") {
			t.Errorf("HTTP/%s trailers: %+v, directly %+v", version, got, direct)
		}
	}
	before := w.app.asked("GET /socket")
	got := w.inside(ctx, t, "curl", "-sS", "--http1.1", "-w", "%{http_code}", "-H", "Connection: Upgrade", "-H", "Upgrade: lines", fmt.Sprintf("https://app:%d/socket", w.app.port()))
	if !strings.HasSuffix(got.out, "403") || w.app.asked("GET /socket") != before {
		t.Errorf("an upgrade that no rule allows: %+v", got)
	}
}

// clients are programs of other libraries: each prints what GET of its URL gives.
var clients = map[string][]string{
	"requests": {"/usr/bin/python3", "-c", `import requests, sys; print(requests.get(sys.argv[1], timeout=60).text, end="")`},
	"httpx":    {"/usr/bin/python3", "-c", `import httpx, os, ssl, sys; print(httpx.Client(http2=True, verify=os.environ["SSL_CERT_FILE"], timeout=60).get(sys.argv[1]).text, end="")`},
	"node":     {"node", "-e", `fetch(process.argv[1]).then(r => r.text()).then(t => process.stdout.write(t))`},
}

// TestClients: libraries of other languages trust the gateway's CA under `sallyport run` and notice nothing.
func TestClients(t *testing.T) {
	w, ctx := begin(t)
	for name, program := range clients {
		got := w.inside(ctx, t, append(program[:len(program):len(program)], fmt.Sprintf("https://web:%d/", w.tls))...)
		if got.out != "hello\n" || got.status != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestGit: a repository is cloned over HTTPS.
func TestGit(t *testing.T) {
	w, ctx := begin(t)
	run := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b", "HOME="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	work := t.TempDir()
	run(work, "init", "-q", "-b", "main", ".")
	if err := os.WriteFile(filepath.Join(work, "file"), []byte("contents\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(work, "add", ".")
	run(work, "commit", "-qm", "first")
	bare := filepath.Join(w.www, "repo.git")
	run(work, "clone", "-q", "--bare", ".", bare)
	run(bare, "update-server-info")
	to := filepath.Join(t.TempDir(), "clone")
	got := w.inside(ctx, t, "git", "clone", "-q", fmt.Sprintf("https://web:%d/repo.git", w.tls), to)
	if b, err := os.ReadFile(filepath.Join(to, "file")); got.status != 0 || err != nil || string(b) != "contents\n" {
		t.Errorf("%+v, %q %v", got, b, err)
	}
}
