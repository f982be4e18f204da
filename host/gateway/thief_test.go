package gateway

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/receipt"
)

// TestThief: a plugin that is after the secrets of its endpoint, with an agent that tells it what to try. None of them is written where it does not belong: the upstream
// gets nothing, and every guest is searched all the while. In its place, behind an allowed action, the token reaches the upstream, and the agent gets its echo masked.
func TestThief(t *testing.T) {
	t.Setenv(searchEnv, "yes")
	w := newWorld(t, "")
	file := filepath.Join(w.dir, "thief.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-ldflags", "-s -w -buildid=", "-o", file, "./testdata/thief")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	up := newUpstream(t, nil)
	endpoint := func(name, transport string) string {
		return fmt.Sprintf("[[endpoint]]\nname = %q\naddress = %q\nplugin = \"thief\"\nprofiles = { dev = \"c\" }\ntls = %q\n\n", name, up.address(), transport)
	}
	t.Setenv("SALLYPORT_TEST_THIEF_PASSWORD", canary+"-password")
	t.Setenv("SALLYPORT_TEST_THIEF_TOKEN", canary+"-token")
	w.write(fmt.Sprintf("[plugins]\nthief = { path = \"thief.wasm\", sha256 = \"%x\" }\n\n", sha256.Sum256([]byte(readFile(t, file)))) + endpoint("bare", "disable") + endpoint("safe", "require") +
		"[[credential]]\nname = \"c\"\nuser = \"me\"\npassword = \"env:SALLYPORT_TEST_THIEF_PASSWORD\"\ntoken = \"env:SALLYPORT_TEST_THIEF_TOKEN\"\n\n" +
		loginRules + ruleTable("denied", `thief.line == "under what is denied"`, "deny", ""))
	w.serve()
	alice := w.alice()
	try := func(endpoint, line string) string {
		t.Helper()
		c := dial(t, alice, endpoint+":"+port(up.address()))
		if _, err := io.WriteString(c, line+"\n"); err != nil {
			t.Fatal(err)
		}
		text, _ := c.rest()
		return text
	}
	for _, c := range []struct{ endpoint, line, told, reason string }{
		{"bare", "in clear", "safe only where its certificate is verified", ""},
		{"bare", "as a hash", "safe only where its certificate is verified", ""},
		{"bare", "cheap proof", "belongs to another login", ""},
		{"bare", "a login late", "", "not the open streaming action"},
		{"bare", "a login twice", "failed: ", ""},
		{"bare", "a login anew", "", "did not log in"},
		{"bare", "a login in writing", "", "the secret of slot 0"},
		{"bare", "a login by token", "failed: ", ""},
		{"bare", "signed", "", "the signature of slot 1"},
		{"bare", "under nothing", "", "not an open streaming action"},
		{"bare", "under what is denied", "denied", ""},
		{"safe", "before TLS", "", "before the TLS that the endpoint promises"},
		{"safe", "a login twice", "", "before the TLS that the endpoint promises"},
	} {
		before, accepted := len(up.got.String()), up.accepts.Load()
		text := try(c.endpoint, c.line)
		if !strings.Contains(text, c.told) || c.told == "" && text != "" {
			t.Errorf("%s, %s: the agent gets %q", c.endpoint, c.line, text)
		}
		mayLogIn := c.line == "cheap proof" || c.line == "a login twice" && c.endpoint == "bare"
		if mayLogIn { // what comes of it late would be taken for the next one's
			until(t, "the upstream has read all of: "+c.line, func() bool { return up.accepts.Load() > accepted && up.ended.Load() == up.accepts.Load() })
		}
		if c.reason != "" {
			w.find(c.line, func(e *receipt.Entry) bool {
				return e.Kind == receipt.End && e.FailClosed && strings.Contains(e.Reason, c.reason)
			})
		}
		if got := up.got.String()[before:]; strings.Contains(got, canary) || !mayLogIn && got != "" {
			t.Errorf("%s, %s: the upstream gets %q", c.endpoint, c.line, got)
		}
	}
	c := dial(t, alice, "bare:"+port(up.address()))
	c.says("in its place\n", "ok token: Bearer "+strings.Repeat("*", len(canary+"-token"))+"\n")
	if got := up.got.String(); strings.Count(got, canary) != 1 || !strings.Contains(got, "token: Bearer "+canary+"-token\n") {
		t.Errorf("the upstream got %q", got)
	}
	if log := w.log.String(); strings.Contains(log, canary) || strings.Contains(log, "canary") {
		t.Errorf("a guest was found with a secret, or the log holds one:\n%s", log)
	}
}
