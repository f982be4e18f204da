package sdk_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lines"
)

func TestConfigureNative(t *testing.T) {
	p := &lines.Plugin{}
	if _, err := sdk.ConfigureNative(p, map[string]any{"greeting": "hello"}); err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, guest: sdk.NewNative(p, nil), m: newHost(t, &lines.Plugin{}).m}
	h.open().wantLog(`SEND "hello\n"`, `ASK 1 "open a connection" extent 0: allow`, "DIAL 1")
	for _, options := range []map[string]any{{"greeting": 1}, {"greetings": "x"}} {
		if _, err := sdk.ConfigureNative(p, options); err == nil {
			t.Errorf("%v is taken", options)
		}
	}
}

func TestCompanionCall(t *testing.T) {
	var result []byte
	var failure error
	p := &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		result, failure = c.Call(3, p, make([]byte, 100))
		return len(p)
	}}
	newHost(t, p).open().deliver(abi.Agent, "abc")
	if failure == nil {
		t.Error("a companion where there is none")
	}
	g := sdk.NewNative(p, func(k int, in, out []byte) (int, error) {
		return copy(out, fmt.Sprintf("%d %s", k, in)), nil
	})
	_, _, _ = g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "e", Peer: "p", Profile: "q"}))
	if _, _, err := g.Data(abi.Agent, []byte("abc"), 0); err != nil || failure != nil || string(result) != "3 abc" {
		t.Errorf("%q %v %v", result, failure, err)
	}
}

// However the agent's and the upstream's bytes are cut, the plugin says the same.
func TestSplits(t *testing.T) {
	const agent = "get a\ndel b\n!get c\nmore\nput d 5\nabcdedel e\nget f\nfeed\nall the rest\n"
	answers := []string{"1\n", "data 4\nx\ny\n", "ok\n", "!two\nlines\n"}
	run := func(cutAgent, cutAnswer int, each bool) string {
		h := newHost(t, &lines.Plugin{})
		h.decide = func(a *abi.Action) abi.Outcome {
			if a.Class == abi.ClassDelete {
				return abi.Deny
			}
			return abi.Allow
		}
		h.open().event(abi.Event{Kind: abi.KindConnected})
		deliver := func(side abi.Side, s string, cut int) {
			for i := 0; each && i < len(s); i++ {
				h.deliver(side, s[i:i+1])
			}
			if !each {
				h.deliver(side, s[:cut])
				h.deliver(side, s[cut:])
			}
		}
		deliver(abi.Agent, agent, cutAgent)
		for _, a := range answers {
			deliver(abi.Upstream, a, min(cutAnswer, len(a)))
		}
		h.end(abi.Agent).end(abi.Upstream)
		return strings.Join(h.log, "\n")
	}
	whole := run(0, 0, false)
	if !strings.Contains(whole, "DONE") || strings.Count(whole, "deny") != 2 || strings.Contains(whole, "CLOSE") {
		t.Fatal("the conversation is not what the test wants:\n" + whole)
	}
	for i := range agent {
		if got := run(i, 0, false); got != whole {
			t.Fatalf("cut at %d:\n%s\nwhole:\n%s", i, got, whole)
		}
	}
	for i := range len(answers[1]) {
		if got := run(0, i, false); got != whole {
			t.Fatalf("answers cut at %d:\n%s\nwhole:\n%s", i, got, whole)
		}
	}
	if got := run(0, 0, true); got != whole {
		t.Fatalf("byte by byte:\n%s\nwhole:\n%s", got, whole)
	}
}

// The guest's half compiles: running it is the business of the sandbox's tests.
func TestBuildsForWasm(t *testing.T) {
	out := filepath.Join(t.TempDir(), "lines.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "./testdata/linesplugin")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	module, err := os.ReadFile(out)
	if err != nil || !bytes.HasPrefix(module, []byte("\x00asm\x01\x00\x00\x00")) {
		t.Errorf("%v, % .8x", err, module)
	}
	for _, export := range []string{"abi", "buffers", "describe", "configure", "open", "data", "event"} {
		if !bytes.Contains(module, []byte("sallyport_"+export)) {
			t.Errorf("sallyport_%s is not exported", export)
		}
	}
}
