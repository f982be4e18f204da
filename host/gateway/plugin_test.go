package gateway

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/receipt"
)

// hostilePlugin builds the plugin in testdata, once for all tests.
var hostilePlugin = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sallyport-hostile")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "hostile.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-ldflags", "-s -w -buildid=", "-o", file, "./testdata/hostile")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the hostile plugin: %w: %s", err, msg)
	}
	return os.ReadFile(file)
})

// pluginTable writes the hostile plugin beside the configuration and gives its table.
func (w *world) pluginTable() string {
	w.t.Helper()
	wasm, err := hostilePlugin()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "hostile.wasm"), wasm, 0o644); err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprintf("[plugins]\nhostile = { path = \"hostile.wasm\", sha256 = \"%x\" }\n\n", sha256.Sum256(wasm))
}

const readLines = `lines.verb in ["get", "put"]`

// TestHostile: a plugin that traps, spins, or passes what was not allowed loses its connection, and nobody else's.
func TestHostile(t *testing.T) {
	up := newUpstream(t, nil)
	w := newWorld(t, "")
	w.write(w.pluginTable() + endpointTable("lines", up.address(), "hostile", "dev") + allowConnect + ruleTable("read", readLines, "allow", "") +
		ruleTable("not that", `lines.key == "secret"`, "deny", `reason = "not that"`))
	w.serve()
	alice := w.alice()
	to := "lines:" + port(up.address())
	bystander := dial(t, alice, to)
	bystander.says("get a\n", "ok get a\n")
	bystander.says("get secret\n", "denied: not that\n")

	for word, reason := range map[string]string{
		"trap":  "trapped",
		"spin":  "fuel is spent",
		"steal": "action 1000 is not an allowed action",
		"dial":  "dial",
	} {
		c := dial(t, alice, to)
		c.says("get b\n", "ok get b\n")
		if _, err := io.WriteString(c, word+"\n"); err != nil {
			t.Fatal(err)
		}
		if text, err := c.rest(); text != "" || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: the agent got %q, %v", word, text, err)
		}
		end := w.find("the end after "+word, func(e *receipt.Entry) bool {
			return e.Kind == receipt.End && e.FailClosed && strings.Contains(e.Reason, reason)
		})
		if end.Plugin != "hostile" || len(end.PluginDigest) != 64 || end.Up != 6 || end.Down != 9 {
			t.Errorf("%s: the end says %s", word, end.Raw)
		}
		bystander.says("get c\n", "ok get c\n")
	}
	if got := up.got.String(); strings.Contains(got, "steal") || strings.Contains(got, "secret") || strings.Contains(got, "trap") {
		t.Errorf("the upstream got %q", got)
	}
	if !strings.Contains(w.log.String(), "a connection was cut off") {
		t.Errorf("the operator's log does not say that connections were cut off:\n%s", w.log)
	}
	bystander.says("quit\n", "bye\n")
	until(t, "every guest is gone", func() bool { return w.assembly.sandbox.engine.Stats().Guests == 0 })
}

// TestPin: a plugin from a file is the file that is pinned, or the gateway does not start.
func TestPin(t *testing.T) {
	w := newWorld(t, "")
	tables := w.pluginTable() + endpointTable("lines", "127.0.0.1:1", "hostile", "dev") + allowConnect
	w.write(tables)
	a, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	policy := a.policy()
	// Another file, even one that works just the same.
	path := filepath.Join(w.dir, "hostile.wasm")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.Write([]byte{0, 2, 1, 'x'}); err != nil { // an empty custom section
		t.Fatal(err)
	}
	f.Close()
	_, err = w.assemble()
	wantProblem(t, w, err, "hostile = {", "hostile.wasm is not the file that is pinned: its sha256 is ")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(nil)
	w.write(fmt.Sprintf("[plugins]\nhostile = { path = \"hostile.wasm\", sha256 = \"%x\" }\n\n", sum) +
		endpointTable("lines", "127.0.0.1:1", "hostile", "dev") + allowConnect)
	_, err = w.assemble()
	wantProblem(t, w, err, "hostile = {", "plugin hostile")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = w.assemble()
	wantProblem(t, w, err, "hostile = {", "no such file")

	// What decides is in the hash that the record begins with.
	for name, other := range map[string]string{
		"a rule":    tables + ruleTable("read", readLines, "allow", ""),
		"an option": strings.Replace(tables, "profiles = [\"dev\"]\n", "profiles = [\"dev\"]\noptions = { greeting = \"hi\" }\n", 1),
		"a profile": strings.Replace(tables, "profiles = [\"dev\"]\n", "profiles = [\"dev\", \"ops\"]\n", 1),
	} {
		w.pluginTable()
		w.write(other)
		b, err := w.assemble()
		if err != nil {
			t.Fatal(err)
		}
		if b.policy() == policy {
			t.Errorf("%s changes nothing in the policy's hash", name)
		}
	}
	w.write(tables)
	if b, err := w.assemble(); err != nil || b.policy() != policy {
		t.Errorf("the same policy has another hash (%v)", err)
	}
}

// TestOptions: the options of an endpoint reach its plugin, and wrong ones are found where they stand.
func TestOptions(t *testing.T) {
	up := newUpstream(t, nil)
	w := newWorld(t, "")
	tables := func(options string) string {
		return w.pluginTable() + endpointTable("lines", up.address(), "hostile", "dev") + "[endpoint.options]\n" + options + "\n" + allowConnect
	}
	w.write(tables(`greeting = "welcome"`))
	w.serve()
	dial(t, w.alice(), "lines:"+port(up.address())).says("", "welcome\n")
	for options, message := range map[string]string{
		"greetin = \"x\"": "greetin",
		"greeting = 3":    "greeting",
	} {
		w.write(tables(options))
		_, err := w.assemble()
		wantProblem(t, w, err, options, message)
	}
}

// wantProblem expects one problem, at the place of a text in the configuration, with a message.
func wantProblem(t *testing.T, w *world, err error, at, message string) {
	t.Helper()
	var problems config.Problems
	if !errors.As(err, &problems) || len(problems) != 1 {
		t.Fatalf("want one problem with %q, got %v", at, err)
	}
	text, readErr := os.ReadFile(w.path)
	if readErr != nil {
		t.Fatal(readErr)
	}
	before, _, ok := strings.Cut(string(text), at)
	if !ok {
		t.Fatalf("the configuration has no %q", at)
	}
	line, column := 1+strings.Count(before, "\n"), len(before)-strings.LastIndexByte(before, '\n')
	p := problems[0]
	if p.Line != line || p.Col != column || p.File != w.path || !strings.Contains(p.Message, message) {
		t.Errorf("want %s:%d:%d: …%s…, got %s", w.path, line, column, message, p)
	}
}
