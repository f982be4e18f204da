package conformance

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/sdk/testkit/conversation"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// flawed builds the plugin in testdata once.
var flawed = sync.OnceValues(func() ([]byte, error) { return build("./testdata/flawed") })

func build(folder string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "sallyport-flawed")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "plugin.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildmode=c-shared", "-ldflags", "-s -w -buildid=", "-o", file, folder)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w: %s", err, msg)
	}
	return os.ReadFile(file)
}

func module(t *testing.T) []byte {
	t.Helper()
	wasm, err := flawed()
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// options keep compiled modules between tests and runs.
func options(t *testing.T) Options {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		return Options{}
	}
	dir = filepath.Join(dir, "sallyport-test", "conformance")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return Options{CacheDir: filepath.Join(dir, "compiled")}
}

const talk = `
ask connect session -> allow
agent sends "one\n"
ask flawed read "one" line="one" -> allow
upstream gets "one\n"
upstream sends "1\n"
agent gets "1\n"
agent sends "two\n2\n"
ask flawed read -> deny "no"
agent gets "no\n"
ask flawed read -> allow
upstream gets "2\n"
agent ends
upstream is shut
`

func fixture(t *testing.T, text string) *Fixture {
	t.Helper()
	s, err := conversation.Parse("talk.txt", text)
	if err != nil {
		t.Fatal(err)
	}
	return &Fixture{Name: "talk.txt", Script: s, Expects: true}
}

// TestCheck: a good plugin is admitted, and each flaw is found by the check that is for it.
func TestCheck(t *testing.T) {
	m, err := Load(t.Context(), "flawed", module(t), options(t)) // for all but the good one: loading takes longest
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, c := range []struct{ flaw, check, says string }{
		{"none", "", ""},
		{"trap", "conversations", "trapped"},
		{"spin", "conversations", "fuel"},
		{"steal", "conversations", "cut off by the gate"},
		{"pieces", "splits", "cut"},
		{"short", "truncation", "cut short is taken for a whole one"},
		{"hang", "truncation", "would hang"},
		{"endless", "oversized", "wait for the plugin"},
		{"length", "lengths", "trapped"},
	} {
		t.Run(c.flaw, func(t *testing.T) {
			f := fixture(t, fmt.Sprintf("option flaw = %q\n%s", c.flaw, talk))
			o := CheckOptions{Options: options(t), Runs: 100}
			if c.flaw == "pieces" { // it counts calls, which its own words depend on
				f.Script.Steps[1].Expect, f.Expects = f.Script.Steps[1].Expect[:1], false
			}
			o.Fixtures = []*Fixture{f}
			r := &Report{File: "flawed.wasm", Module: m.Listing, OK: true}
			var err error
			if c.flaw == "none" {
				o.Unfit = []string{"bulk.recording: no fixture"}
				r, err = Check(t.Context(), "flawed.wasm", module(t), o)
			} else {
				o.Progress = func(string) {}
				err = examine(t.Context(), r, m, module(t), o)
			}
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			r.Print(&text)
			if r.OK != (c.flaw == "none") {
				t.Fatalf("admitted: %v\n%s", r.OK, &text)
			}
			if r.OK {
				if !strings.Contains(text.String(), "skip  fixture       bulk.recording: no fixture\n") {
					t.Errorf("nothing about what is no fixture:\n%s", &text)
				}
				if r.Fuel == nil || r.Fuel.Deliveries < 3 || r.Fuel.P50 <= 0 || r.Fuel.P99 < r.Fuel.P50 {
					t.Errorf("fuel: %+v", r.Fuel)
				}
				return
			}
			for _, check := range r.Checks {
				if check.Name == c.check {
					if check.OK || !strings.Contains(strings.Join(check.Faults, "\n"), c.says) {
						t.Errorf("%s does not say %q:\n%s", c.check, c.says, &text)
					}
					return
				}
			}
			t.Errorf("there is no check %s:\n%s", c.check, &text)
		})
	}
}

// TestCheckAnswers: a plugin that lets answers through otherwise than unseen is found, and a good one has them looked at.
func TestCheckAnswers(t *testing.T) {
	f := fixture(t, `
ask connect session -> allow
agent sends "one\ntwo\n"
ask rows read "one" -> allow
ask rows read "two" -> deny "no"
upstream gets "one\n"
agent gets "denied: no\n"
upstream sends "#a\n1\n.\n"
agent gets "#a\n1\n.\n"
`)
	for folder, says := range map[string]string{"../gateway/testdata/answers": "", "./testdata/loses": "the agent gets"} {
		wasm, err := build(folder)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Check(t.Context(), "answers.wasm", wasm, CheckOptions{Options: options(t), Runs: 20, Fixtures: []*Fixture{f}})
		if err != nil {
			t.Fatal(err)
		}
		last := r.Checks[len(r.Checks)-1]
		if last.Name != "answers" || last.OK != (says == "") || !strings.Contains(strings.Join(last.Faults, "\n"), says) || r.OK != last.OK || last.OK && last.Detail != "answers looked at: 8" {
			t.Errorf("%s: %+v", folder, r)
		}
		m, err := Load(t.Context(), "answers", wasm, options(t))
		if err != nil {
			t.Fatal(err)
		}
		if found, n, err := Fuzz(t.Context(), m, FuzzOptions{Fixtures: []*Fixture{f}, Seed: 5, Runs: 300}); found != nil || err != nil || n != 300 {
			t.Errorf("%s: %+v after %d, %v", folder, found, n, err)
		}
		m.Close()
	}
}

// TestPossible: what is made of a fixture has no side that speaks after its end.
func TestPossible(t *testing.T) {
	base := fixture(t, talk).Script
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		var ended [2]bool
		for i, st := range mutate(r, base).Steps {
			if st.Does == conversation.Opens {
				continue
			}
			if ended[st.Side] {
				t.Fatalf("step %d: the %v has ended before", i, st.Side)
			}
			ended[st.Side] = st.Does == conversation.Ends
		}
	}
}

// TestNotAPlugin: files that are no plugins are refused with what is wrong, and nothing of them runs.
func TestNotAPlugin(t *testing.T) {
	wasm := module(t)
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":     {nil, "not a core module"},
		"text":      {[]byte("#!/bin/sh\n"), "not a core module"},
		"cut short": {wasm[:len(wasm)/2], "cut short"},
		"nothing":   {[]byte("\x00asm\x01\x00\x00\x00"), "no memory"},
		"imports":   {[]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x02\x0b\x01\x03env\x03run\x00\x00"), "env"},
	} {
		r, err := Check(context.Background(), name, c.file, CheckOptions{Options: options(t)})
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		r.Print(&text)
		if r.OK || !strings.Contains(text.String(), c.says) {
			t.Errorf("%s: %s", name, &text)
		}
	}
}

func TestList(t *testing.T) {
	l, err := List(module(t))
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]bool{}
	for _, e := range l.Exports {
		exports[e.Name] = true
	}
	if l.Lane != "native" || l.Memory == nil || l.Memory.Min == 0 || len(l.Tables) != 1 || l.Functions < 100 || !exports["sallyport_data"] || !exports["memory"] || len(l.SHA256) != 64 {
		t.Errorf("%+v", l)
	}
	wasi := 0
	for _, i := range l.Imports {
		if i.Module == "wasi_snapshot_preview1" && i.Kind == "function" {
			wasi++
		}
	}
	if wasi < 5 {
		t.Errorf("imports: %v", l.Imports)
	}
}

func FuzzList(f *testing.F) {
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x02\x0b\x01\x03env\x03run\x00\x00"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x05\x04\x01\x01\x01\x10\x04\x04\x01\x70\x00\x05\x00\x03\x01xy"))
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x07\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := List(b)
		if l == nil || l.Bytes != len(b) || err == nil && len(b) < 8 {
			t.Errorf("%+v %v", l, err)
		}
		l.Print(&strings.Builder{}, "file")
	})
}

// TestFuzzAndBench: what is wrong is found again from its seed and written as a conversation that shows it; what is right is not.
func TestFuzzAndBench(t *testing.T) {
	ctx := context.Background()
	m, err := Load(ctx, "flawed", module(t), options(t))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	good := fixture(t, talk)
	if found, n, err := Fuzz(ctx, m, FuzzOptions{Fixtures: []*Fixture{good}, Seed: 3, Runs: 150}); found != nil || err != nil || n != 150 {
		t.Errorf("%+v after %d, %v", found, n, err)
	}
	bad := fixture(t, "option flaw = \"steal\"\n"+talk)
	found, n, err := Fuzz(ctx, m, FuzzOptions{Fixtures: []*Fixture{bad}, Seed: 3, Runs: 1000})
	if err != nil || found == nil {
		t.Fatalf("nothing found in %d: %v", n, err)
	}
	if !strings.Contains(found.What, "cuts it off") {
		t.Errorf("found: %s", found.What)
	}
	text := found.Script.Format(found.What, found.Transcript, m.Manifest)
	if _, err := conversation.Parse("found.txt", text); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	again, k, err := Fuzz(ctx, m, FuzzOptions{Fixtures: []*Fixture{bad}, Seed: 3, Runs: 1000})
	if err != nil || again == nil || k != n || again.What != found.What {
		t.Errorf("the same seed finds %+v after %d, not after %d", again, k, n)
	}

	speeds, err := Bench(ctx, m, []*Fixture{good}, time.Millisecond)
	if err != nil || len(speeds) != 1 || speeds[0].Connections < 1 || speeds[0].Actions != 4 || speeds[0].Deliveries < 3 || speeds[0].Bytes < 10 {
		t.Errorf("%+v %v", speeds, err)
	}
	var table strings.Builder
	PrintSpeeds(&table, speeds)
	PrintManifest(&table, m.Manifest)
	for _, want := range []string{"talk.txt", "flawed.line string: the line", "flaw string (none, trap"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in %s", want, &table)
		}
	}
}
