package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/test/rig"
	"github.com/sallyport-dev/sallyport/test/standin"
)

// looking is a configuration in which answers are looked at: tokens stay behind or arrive masked, a model reads some of them, and what is long passes or not.
func (w *world) looking(model *standin.Server) string {
	return fmt.Sprintf(`
[plugins]
http = "builtin"

[[endpoint]]
name = "files"
address = "127.0.0.1:%[1]d"
plugin = "http"
tls = "verify-full"
ca = "%[3]s"
profiles = ["agents"]

[[endpoint]]
name = "app"
address = "127.0.0.1:%[2]d"
plugin = "http"
tls = "verify-full"
ca = "%[3]s"
profiles = ["agents"]

[[judge]]
name = "reader"
provider = "openai"
base_url = "%[4]s"
secret = "env:JUDGE_KEY"
model = "a-model"
policy = "Nobody gets tokens."
timeout = "30s"

[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write"]'
then = "allow"

[[rule]]
name = "tokens stay here"
when = 'http.path_normal.startsWith("/withheld")'
inspect = "response"
response = 'response.text.contains("ghp_")'
limit = "64KiB"
then = "deny"
reason = "a token is in it"

[[rule]]
name = "tokens are masked"
when = 'http.path_normal.startsWith("/masked") || http.path_normal.startsWith("/zipped")'
inspect = "response"
then = "redact"
redact = ["ghp_[A-Za-z0-9]+"]

[[rule]]
name = "passwords are masked"
when = 'http.path_normal.contains("rows.json") || http.path_normal.contains("open.txt")'
inspect = "response"
then = "redact"
redact_columns = ["password"]

[[rule]]
name = "long ones pass"
when = 'http.path_normal.startsWith("/long")'
inspect = "response"
response = 'response.text.contains("ghp_")'
limit = "16KiB"
then = "deny"
then_long = "allow"

[[rule]]
name = "many values"
when = 'http.path_normal.startsWith("/large")'
inspect = "response"
response = 'response.rows != 100001 || response.text.contains("ghp_")'
limit = "1MiB"
then = "deny"

[[rule]]
name = "a model reads"
when = 'http.path_normal.startsWith("/judged") || http.path_normal == "/echo"'
inspect = "response"
then = "judge"
judge = "reader"
`, w.tls, w.app.port(), filepath.Join(w.dir, "cert.pem"), model.BaseURL("openai"))
}

// lookedAt are files of the server.
var lookedAt = map[string]string{
	"withheld/plain.txt": "nothing in it\n",
	"withheld/token.txt": "a token: ghp_abc123\n",
	"masked/rows.json":   `[{"name": "HOME", "value": "/root", "password": "x"}, {"name": "TOKEN", "value": "first ghp_abc123, then \u0067hp_x", "password": "hunter2", "n": 5}]` + "\n",
	"masked/rows.txt":    "HOME=/root\nTOKEN=ghp_abc123\n",
	"masked/open.txt":    "HOME=/root\n",
	"long/file.txt":      strings.Repeat("0123456789abcde\n", 1<<16),
	"withheld/long.txt":  strings.Repeat("0123456789abcde\n", 1<<14),
	"judged/plain.json":  `{"a":1}` + "\n",
	"large/many.json":    "[" + strings.Repeat("1,", 100_000) + "1]",
	"judged/token.json":  `{"a":"\u0067hp_abc123"}` + "\n",
}

const maskedRows = `[{"name": "HOME", "value": "/root", "password": "*"}, {"name": "TOKEN", "value": "first **********, then **********", "password": "*******", "n": 5}]` + "\n"

// TestResponses is the story of answers: those without a token arrive as they came, those with one are withheld or masked, long ones pass or not as the rule says, a model reads
// some, and the connection goes on behind each.
func TestResponses(t *testing.T) {
	w, ctx := begin(t)
	for name, text := range lookedAt {
		path := filepath.Join(w.www, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	model := standin.New(t, func(a standin.Asked) standin.Reply {
		if strings.Contains(a.User, "ghp_") {
			return standin.Verdict("deny", "a token")
		}
		return standin.Verdict("allow", "nothing in it")
	})
	gw, err := rig.New(ctx, w.binary, t.TempDir(), w.looking(model))
	if err != nil {
		t.Fatal(err)
	}
	if err := rig.CopyCache(gw.Cache(), w.gw.Cache()); err != nil {
		t.Fatal(err)
	}
	gw.Env = append(gw.Env, "JUDGE_KEY=sk-canary")
	if err := gw.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = gw.Stop()
		if t.Failed() {
			t.Logf("the gateway of answers logged:\n%s\nand recorded:\n%s", gw.Log(), gw.Receipts())
		}
	})
	base := fmt.Sprintf("https://files:%d/", w.tls)
	for flag, version := range protocols {
		curl := func(args ...string) printed {
			return finish(ctx, t, gw.Agent(ctx, append([]string{"curl", "-sS", flag}, args...)...))
		}
		for path, want := range map[string]string{"withheld/plain.txt": "", "judged/plain.json": "", "long/file.txt": "", "large/many.json": "", "masked/rows.json": maskedRows, "masked/rows.txt": "HOME=/root\nTOKEN=**********\n"} {
			if want == "" {
				want = lookedAt[path]
			}
			direct := finish(ctx, t, exec.CommandContext(ctx, "curl", "-sS", flag, "-o", "/dev/null", "-D", "-", "--cacert", filepath.Join(w.dir, "cert.pem"), fmt.Sprintf("https://127.0.0.1:%d/%s", w.tls, path)))
			// What is asked for compressed comes as it is: it could not be masked otherwise.
			got := curl("--compressed", "-D", "-", base+path)
			if varying.ReplaceAllString(got.out, "") != varying.ReplaceAllString(direct.out, "")+want {
				t.Errorf("HTTP/%s %s: %.1000q %s", version, path, got.out, got.err)
			}
		}
		if got := curl("--compressed", fmt.Sprintf("https://files:%d/zipped/masked/rows.json", w.tls)); got.out != maskedRows {
			t.Errorf("HTTP/%s, compressed for those who ask: %+v", version, got)
		}
		for path, reason := range map[string]string{"withheld/token.txt": "a token is in it", "judged/token.json": "the judge reader denies it: a token", "masked/open.txt": "of which 1 cannot be masked", "withheld/long.txt": "a token is in it: it is longer than what the rule looks at"} {
			ran := len(w.accessed("/" + path))
			got := curl("-w", `\n%{http_code} %{http_version} %{num_connects}\n`, base+path, "--next", "-sS", flag, "-w", `%{http_code} %{num_connects}\n`, base)
			body, rest, _ := strings.Cut(got.out, "\n")
			var problem struct{ Title, Detail, Rule, Receipt string }
			if err := json.Unmarshal([]byte(body), &problem); err != nil || !strings.HasPrefix(problem.Detail, "the request was carried out, and its response is withheld: ") ||
				!strings.HasSuffix(problem.Detail, reason) || problem.Rule == "" || problem.Receipt == "" {
				t.Errorf("HTTP/%s %s: %q %v", version, path, body, err)
			}
			if rest = strings.TrimPrefix(rest, "\n"); rest != "403 "+version+" 1\nhello\n200 0\n" {
				t.Errorf("HTTP/%s %s: behind it %q %s", version, path, rest, got.err)
			}
			if seen := w.accessed("/" + path); len(seen) != ran+1 || path != "withheld/long.txt" && !strings.HasSuffix(seen[ran], " 200") {
				t.Errorf("HTTP/%s %s: the server logged %q", version, path, seen)
			}
		}
		echo := fmt.Sprintf("https://app:%d/echo", w.app.port())
		got := curl("-d", "ghp_abc123", "-w", " %{http_code}", echo, "--next", "-sS", flag, "-d", "open", "-w", " %{http_code} %{num_connects}", echo)
		if !strings.Contains(got.out, " 403open 200 0") {
			t.Errorf("HTTP/%s: %+v", version, got)
		}
		// Many at a time, of which one in two is withheld, in Go.
		agent := gw.Agent(ctx, "env", goClientURL+"="+base, goClientVersion+"="+version, os.Args[0])
		if got := finish(ctx, t, agent); got.status != 0 || got.out != "all as it should be\n" {
			t.Errorf("HTTP/%s in Go: %+v", version, got)
		}
	}
	for _, line := range []string{`"outcome":"allow"`, `"outcome":"deny"`, `"outcome":"judged_deny"`, `"masked":`} {
		if !strings.Contains(gw.Receipts(), line) {
			t.Errorf("no receipt has %s", line)
		}
	}
	if strings.Contains(gw.Receipts(), "ghp_abc123") || strings.Contains(gw.Receipts(), "server: nginx") {
		t.Error("a token is in the record")
	}
}

// The environment in which this program is an agent.
const (
	goClientURL     = "SALLYPORT_WEB_CLIENT"
	goClientVersion = "SALLYPORT_WEB_CLIENT_VERSION"
)

// goClient is an agent with Go's client: it asks for files by turns, at the same time.
func goClient(base string) int {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(os.Getenv(goClientVersion) == "1.1")
	transport.Protocols.SetHTTP2(os.Getenv(goClientVersion) == "2")
	client := &http.Client{Transport: transport}
	wants := []struct {
		path, body string
		status     int
	}{
		{"withheld/plain.txt", lookedAt["withheld/plain.txt"], 200}, {"withheld/token.txt", "", 403}, {"masked/rows.json", maskedRows, 200},
		{"withheld/long.txt", "", 403}, {"long/file.txt", lookedAt["long/file.txt"], 200}, {"index.html", "hello\n", 200},
	}
	failed := make(chan error)
	for i := range 4 {
		go func() {
			var err error
			for k := range 4 * len(wants) {
				want := wants[(i+k)%len(wants)]
				var r *http.Response
				if r, err = client.Get(base + want.path); err != nil {
					break
				}
				var body []byte
				if body, err = io.ReadAll(r.Body); err != nil || r.StatusCode != want.status || want.body != "" && string(body) != want.body {
					err = fmt.Errorf("%s: %d %.200q %v", want.path, r.StatusCode, body, err)
					break
				}
				_ = r.Body.Close()
			}
			failed <- err
		}()
	}
	for range 4 {
		if err := <-failed; err != nil {
			fmt.Println(err)
			return 1
		}
	}
	fmt.Println("all as it should be")
	return 0
}
