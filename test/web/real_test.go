package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestServers: what nghttpd and caddy serve comes as without the gateway, and what they are sent arrives.
func TestServers(t *testing.T) {
	w, ctx := begin(t)
	w.answers(t, w.others.nghttp)
	w.answers(t, w.others.caddy)
	for _, c := range []struct {
		server, flag string
		port         int
	}{{"nghttp", "--http2", w.others.nghttp}, {"caddy", "--http2", w.others.caddy}, {"caddy", "--http1.1", w.others.caddy}} {
		for _, n := range w.sizes[:5] {
			direct, through := filepath.Join(t.TempDir(), "direct"), filepath.Join(t.TempDir(), "through")
			fetch := []string{"curl", "-sS", "-f", c.flag, "-w", "%{http_code} %{http_version}", "-o"}
			cmd := exec.CommandContext(ctx, fetch[0], append(fetch[1:], direct, "--cacert", filepath.Join(w.dir, "cert.pem"), fmt.Sprintf("https://127.0.0.1:%d/%d.bin", c.port, n))...)
			want := finish(ctx, t, cmd)
			got := w.inside(ctx, t, append(fetch, through, fmt.Sprintf("https://%s:%d/%d.bin", c.server, c.port, n))...)
			if got.status != 0 || got.out != want.out || n > 0 && digestOf(t, through) != digestOf(t, direct) {
				t.Errorf("%s %s, %d bytes: %+v, directly %+v", c.server, c.flag, n, got, want)
			}
		}
	}
	file := filepath.Join(w.www, "65536.bin")
	back := filepath.Join(t.TempDir(), "back")
	got := w.inside(ctx, t, "curl", "-sS", "-f", "--http2", "-o", back, "--data-binary", "@"+file, fmt.Sprintf("https://nghttp:%d/echo", w.others.nghttp))
	if got.status != 0 || digestOf(t, back) != digestOf(t, file) {
		t.Errorf("an upload to nghttpd: %+v", got)
	}
}

// answers waits until a server accepts connections.
func (w *world) answers(t *testing.T, port int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		cmd := exec.CommandContext(t.Context(), "curl", "-sk", "-o", "/dev/null", fmt.Sprintf("https://127.0.0.1:%d/", port))
		if cmd.Run() == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nobody answers at port %d", port)
		}
	}
}

// TestLoad: many requests at once, by programs that do nothing else, and none of them fails.
func TestLoad(t *testing.T) {
	w, ctx := begin(t)
	w.answers(t, w.others.nghttp)
	for name, url := range map[string]string{"nghttpd": fmt.Sprintf("https://nghttp:%d/index.html", w.others.nghttp), "nginx": fmt.Sprintf("https://web:%d/index.html", w.tls)} {
		got := w.inside(ctx, t, "h2load", "-n", "2000", "-c", "4", "-m", "50", url)
		if got.status != 0 || !strings.Contains(got.out, "2000 succeeded, 0 failed, 0 errored, 0 timeout") || !strings.Contains(got.out, "2000 2xx") {
			t.Errorf("h2load at %s: %+v", name, got)
		}
		got = w.inside(ctx, t, "h2load", "--h1", "-n", "1000", "-c", "4", url)
		if name == "nginx" && (got.status != 0 || !strings.Contains(got.out, "1000 succeeded, 0 failed")) {
			t.Errorf("h2load with HTTP/1.1 at %s: %+v", name, got)
		}
	}
	got := w.inside(ctx, t, "wrk", "-t", "2", "-c", "16", "-d", "1s", "--timeout", "60s", fmt.Sprintf("https://web:%d/index.html", w.tls))
	if got.status != 0 || !strings.Contains(got.out, "Requests/sec") || strings.Contains(got.out, "Non-2xx") || strings.Contains(got.out, "Socket errors") {
		t.Errorf("wrk: %+v", got)
	}
}

// TestResume: a download that was broken off goes on where it was, and an upload arrives as PUT has it.
func TestResume(t *testing.T) {
	w, ctx := begin(t)
	name := fmt.Sprint(w.sizes[4], ".bin")
	file := filepath.Join(w.www, name)
	for flag, version := range protocols {
		to := filepath.Join(t.TempDir(), "part")
		url := fmt.Sprintf("https://web:%d/%s", w.tls, name)
		w.inside(ctx, t, "curl", "-sS", "-f", flag, "-r", "0-654320", "-o", to, url)
		if info, err := os.Stat(to); err != nil || info.Size() != 654321 {
			t.Fatalf("HTTP/%s: %v %v", version, info, err)
		}
		if got := w.inside(ctx, t, "curl", "-sS", "-f", flag, "-C", "-", "-o", to, url); got.status != 0 || digestOf(t, to) != digestOf(t, file) {
			t.Errorf("HTTP/%s: %+v", version, got)
		}
		got := w.inside(ctx, t, "curl", "-sS", flag, "-T", file, fmt.Sprintf("https://app:%d/digest", w.app.port()))
		if want := fmt.Sprintf("PUT %d %s <nil>\n", w.sizes[4], digestOf(t, file)); got.out != want {
			t.Errorf("HTTP/%s, an upload: %+v, want %q", version, got, want)
		}
	}
}

// TestLong: bodies that fit into no buffer stream both ways, whole and in order. With SALLYPORT_LONG=1 they have 1 GiB.
func TestLong(t *testing.T) {
	w, ctx := begin(t)
	n := int64(64 << 20)
	if os.Getenv("SALLYPORT_LONG") != "" {
		n = 1 << 30
		long, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
		defer cancel()
		ctx = long
		defer w.bounded(t)
	}
	h := sha256.New()
	if _, err := io.CopyN(h, &noise{}, n); err != nil {
		t.Fatal(err)
	}
	want := hex.EncodeToString(h.Sum(nil))
	file := filepath.Join(t.TempDir(), "long")
	f, err := os.Create(file)
	if err == nil {
		_, err = io.CopyN(f, &noise{}, n)
		err = firstError(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for flag, version := range protocols {
		for _, how := range []string{"", "&counted"} {
			got := w.inside(ctx, t, "sh", "-c", fmt.Sprintf("curl -sS -f %s 'https://app:%d/stream?n=%d%s' | sha256sum", flag, w.app.port(), n, how))
			if !strings.HasPrefix(got.out, want) || got.err != "" {
				t.Errorf("HTTP/%s down%s: %+v, want %s", version, how, got, want)
			}
		}
		for _, how := range []string{"Content-Type: a/b", "Transfer-Encoding: chunked"} {
			if version == "2" && strings.HasPrefix(how, "Transfer") {
				continue // there are no chunks
			}
			got := w.inside(ctx, t, "curl", "-sS", flag, "-H", how, "-H", "Expect:", "-T", file, fmt.Sprintf("https://app:%d/digest", w.app.port()))
			if got.out != fmt.Sprintf("PUT %d %s <nil>\n", n, want) {
				t.Errorf("HTTP/%s up, %s: %+v, want %s", version, how, got, want)
			}
		}
	}
}

// bounded looks at the most memory that the gateway has had: however long bodies are, they are not kept.
func (w *world) bounded(t *testing.T) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.gw.PID()))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil || kib > 768<<10 {
		t.Errorf("the gateway took %d KiB, %v", kib, err)
	}
	t.Logf("the gateway took %d MiB at most", kib>>10)
}

func firstError(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestBucket: curl signs with placeholders, the gateway with the key, and the official signer finds the signature right.
func TestBucket(t *testing.T) {
	w, ctx := begin(t)
	for flag, version := range protocols {
		for path, more := range map[string]string{"/bucket/k?list-type=2&prefix=a%2Fb": "", "/bucket/a%20b": "-T " + filepath.Join(w.www, "1000.bin"), "/bucket/x": "-X POST -d hello"} {
			got := w.inside(ctx, t, "sh", "-c", fmt.Sprintf(`curl -sS -g %s -w %%{http_code} --aws-sigv4 aws:amz:us-east-1:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" %s 'https://bucket:%d%s'`, flag, more, w.app.port(), path))
			if !strings.HasSuffix(got.out, path+"\n200") || strings.Contains(got.out, awsKey) {
				t.Errorf("HTTP/%s %s: %+v", version, path, got)
			}
		}
		// The attack: without the gateway's signature the server refuses, and so it does where the agent changes what it signed.
		got := w.inside(ctx, t, "curl", "-sS", flag, "-w", "%{http_code}", "-H", "Authorization: AWS4-HMAC-SHA256 Credential=x", fmt.Sprintf("https://app:%d/bucket/k", w.app.port()))
		if !strings.HasSuffix(got.out, "403") {
			t.Errorf("HTTP/%s without a signature: %+v", version, got)
		}
	}
}

// TestPlaceholders: a program finds a word where it wants a token, the server gets the token in a header, and nobody anywhere else.
func TestPlaceholders(t *testing.T) {
	w, ctx := begin(t)
	if got := w.inside(ctx, t, "sh", "-c", "echo $WORD_TOKEN $AWS_ACCESS_KEY_ID"); got.out != placeholder+" AKIAPLACEHOLDER\n" {
		t.Errorf("the environment: %+v", got)
	}
	own := w.gw.Agent(ctx, "sh", "-c", "echo $WORD_TOKEN")
	own.Env = append(own.Environ(), "WORD_TOKEN=mine")
	if got := finish(ctx, t, own); got.out != "mine\n" || !strings.Contains(got.err, "WORD_TOKEN is set already") {
		t.Errorf("a variable that is set: %+v", got)
	}
	for flag, version := range protocols {
		url := fmt.Sprintf("https://words:%d", w.app.port())
		got := w.inside(ctx, t, "sh", "-c", fmt.Sprintf(`curl -sS %s -H "Authorization: Bearer $WORD_TOKEN" -H "X-Note: $WORD_TOKEN" -H "X-Api-Key: mine" %s/headers`, flag, url))
		// The server's echo of the token is masked.
		if masked := strings.Repeat("*", len(token)); !strings.Contains(got.out, "Authorization: Bearer "+masked) || !strings.Contains(got.out, "X-Note: "+placeholder) || !strings.Contains(got.out, "X-Api-Key: mine") {
			t.Errorf("HTTP/%s: %+v", version, got)
		}
		got = w.inside(ctx, t, "sh", "-c", fmt.Sprintf(`curl -sS %s -d "token=$WORD_TOKEN" "%s/echo?token=$WORD_TOKEN"; curl -sS %s "%s/query?token=$WORD_TOKEN"`, flag, url, flag, url))
		if got.out != "token="+placeholder+"token="+placeholder+"\n" {
			t.Errorf("HTTP/%s, in the body and the query: %+v", version, got)
		}
	}
	if r := w.gw.Receipts(); strings.Contains(r, token) || strings.Contains(r, awsKey) {
		t.Error("a secret is in the record")
	}
}
