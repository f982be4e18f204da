package judges

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/judge"
	"github.com/sallyport-dev/sallyport/host/judge/program"
)

// goJudge builds a program judge in Go: that of the examples, with another file in the place of its main.go when there is one.
func goJudge(t *testing.T, main string) []byte {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "main.go", "extism.go"} {
		b, err := os.ReadFile(filepath.Join("../../examples/judge-http", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "main.go" && main != "" {
			b = []byte(main)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "judge.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-ldflags", "-s -w", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return readFile(t, out)
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func load(t *testing.T, o program.Options) *program.Program {
	t.Helper()
	if o.Memory == 0 {
		o.Memory = 64 << 20
	}
	o.Timeout = time.Minute
	p, err := program.Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// TestSecretsExample: the judge of the examples in AssemblyScript finds what looks like a secret, and nothing else.
func TestSecretsExample(t *testing.T) {
	out := filepath.Join(t.TempDir(), "secrets.wasm")
	if b, err := exec.Command("../../examples/judge-secrets/build", out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	p := load(t, program.Options{Wasm: readFile(t, out)})
	for text, want := range map[string]judge.Outcome{
		"SELECT 1": judge.Allow,
		"select name from customers where id = 12345 -- a comment that says a lot about nothing in particular": judge.Allow,
		"insert into t values ('7d793037-a076-4891-9f4c-2b0d5a3f1c11')":                                        judge.Allow, // an id
		"https://example.com/a/path/that/is/rather/long/and-has-words-in-it":                                   judge.Allow,
		"key=AKIA" + "IOSFODNN7EXAMPLE":                                                                        judge.Deny,
		"ghp_" + strings.Repeat("aB3d", 9):                                                                     judge.Deny,
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE":                                                                judge.Deny,
		"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n":  judge.Deny,
		"password: 'xK7qP2mV9zR4tY8wL3nB6cJ1'":                                                                 judge.Deny,
		`quoted "\u0041KIA` + `IOSFODNN7EXAMPLE"`:                                                              judge.Allow, // the backslash is a text's own here
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08":                                     judge.Deny,
	} {
		s := carriers[1]("products", text)
		a, err := p.Ask(t.Context(), s)
		if err != nil || a.Outcome != want {
			t.Errorf("%q: %v %q %v", text, a.Outcome, a.Reason, err)
		}
	}
}

// TestHTTPExample: the judge of the examples in Go asks a service, and only what is in hosts.
func TestHTTPExample(t *testing.T) {
	wasm := goJudge(t, "")
	reply := `{"decision":"deny","reason":"seen before"}`
	status := http.StatusOK
	var got map[string]any
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(b, &got)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, reply)
	}))
	t.Cleanup(service.Close)
	host := strings.TrimPrefix(service.URL, "http://")
	p := load(t, program.Options{Wasm: wasm, Hosts: []string{host}, Settings: map[string]string{"url": service.URL + "/scan"}})
	subject := carriers[0]("products", "hello")
	a, err := p.Ask(t.Context(), subject)
	if err != nil || a.Outcome != judge.Deny || a.Reason != "seen before" || got["family"] != "sql" || got["unknown"].([]any)[0] != "rows" {
		t.Errorf("%+v %v, the service was asked %v", a, err, got)
	}
	reply = `{"decision":"allow","reason":""}`
	if a, err := p.Ask(t.Context(), subject); err != nil || a.Outcome != judge.Allow {
		t.Errorf("%+v %v", a, err)
	}
	status = http.StatusTeapot
	if a, err := p.Ask(t.Context(), subject); err == nil || a.Outcome != judge.Failed {
		t.Errorf("%+v %v", a, err)
	}
}

// TestHostilePrograms: a program that does not end, takes all memory, traps, says what is not of the form or remembers gives no answer, and
// harms nobody.
func TestHostilePrograms(t *testing.T) {
	wasm := goJudge(t, `package main

import "strings"

var asked int
var kept [][]byte

func main() {}

//go:wasmexport judge
func judge() int32 {
	asked++
	q := string(input())
	switch {
	case strings.Contains(q, "loop"):
		for {
		}
	case strings.Contains(q, "memory"):
		for {
			kept = append(kept, make([]byte, 1<<20))
		}
	case strings.Contains(q, "trap"):
		panic("trap")
	case strings.Contains(q, "words"):
		output([]byte("allow"))
	case strings.Contains(q, "code"):
		output([]byte(`+"`"+`{"decision":"allow","reason":""}`+"`"+`))
		return 3
	case strings.Contains(q, "silent"):
	case strings.Contains(q, "fetch "):
		_, url, _ := strings.Cut(q, "fetch ")
		url, _, _ = strings.Cut(url, " ")
		_, body := post(url, nil)
		output(body)
	case asked > 1:
		output([]byte(`+"`"+`{"decision":"deny","reason":"I remember"}`+"`"+`))
	default:
		output([]byte(`+"`"+`{"decision":"allow","reason":"first"}`+"`"+`))
	}
	return 0
}
`)
	allow := `{"decision":"allow","reason":""}`
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.WriteString(w, allow)
	}))
	t.Cleanup(service.Close)
	other := httptest.NewServer(service.Config.Handler)
	t.Cleanup(other.Close)
	host := strings.TrimPrefix(service.URL, "http://")
	p := load(t, program.Options{Wasm: wasm, Memory: 32 << 20, Hosts: []string{host, "192.0.2.1:80"}})
	if a, err := p.Ask(t.Context(), carriers[0]("products", "fetch "+service.URL+"/ ")); err != nil || a.Outcome != judge.Allow {
		t.Errorf("%+v %v", a, err)
	}
	for name, url := range map[string]string{"another host": other.URL + "/", "a redirect": service.URL + "/redirect", "a user": "http://a:b@" + host + "/", "in clear": "http://192.0.2.1/",
		"another kind": "file:///etc/passwd", "nothing": ""} {
		if a, err := p.Ask(t.Context(), carriers[0]("products", "fetch "+url+" ")); err == nil || a.Outcome != judge.Failed {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	for _, what := range []string{"loop", "memory", "trap", "words", "code", "silent", "plain", "plain"} {
		ctx := t.Context()
		if what == "loop" {
			var cancel func()
			ctx, cancel = contextFor(t, 200*time.Millisecond)
			defer cancel()
		}
		a, err := p.Ask(ctx, carriers[0]("products", what))
		if what == "plain" && (err != nil || a.Outcome != judge.Allow) || what != "plain" && (err == nil || a.Outcome != judge.Failed) {
			t.Errorf("%s: %+v %v", what, a, err)
		}
	}
	for name, wasm := range map[string][]byte{"no module": []byte("hello"), "empty": nil, "cut": wasm[:len(wasm)/2], "without the function": []byte("\x00asm\x01\x00\x00\x00")} {
		if p, err := program.Load(t.Context(), program.Options{Wasm: wasm, Memory: 1 << 20, Timeout: time.Minute}); err == nil {
			t.Errorf("%s was loaded", name)
			_ = p.Close()
		}
	}
}
