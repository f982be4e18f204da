package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/conformance"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/recording"
)

// newProject writes a plugin in C and builds it.
func newProject(t *testing.T) (dir, wasm string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "shelf")
	r := call(t, "plugin", "new", "shelf", "--lang", "c", "--dir", dir)
	r.want(t, 0, filepath.Join(dir, "shelf.c")+"\n", "")
	r.want(t, 0, "next: cd "+dir, "")
	cmd := exec.Command("make")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make: %v\n%s", err, out)
	}
	return dir, filepath.Join(dir, "shelf.wasm")
}

// TestPlugin goes the way of an author: new, check, info, bench, fuzz, pin.
func TestPlugin(t *testing.T) {
	dir, wasm := newProject(t)
	fixtures := filepath.Join(dir, "conversations")
	call(t, "plugin", "check", wasm, "--fixtures", fixtures, "--runs", "50").want(t, 0, wasm+": ok\n", "")
	call(t, "plugin", "check", wasm).want(t, 0, "no fixtures were given", "")

	r := call(t, "plugin", "check", "--json", wasm, "--fixtures", fixtures, "--runs", "50")
	var report conformance.Report
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || r.code != 0 || !report.OK || report.Plugin != "shelf" || report.Fuel == nil || report.Module.Lane != "native" || len(report.Checks) < 7 {
		t.Errorf("%v %+v", err, r)
	}

	// A recording that can be no fixture is named, and the others are played all the same.
	unfit := filepath.Join(fixtures, "bulk.recording")
	f, err := os.Create(unfit)
	if err != nil {
		t.Fatal(err)
	}
	w, err := recording.NewWriter(f, recording.Header{Connection: "c"}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	open := &recording.Call{Kind: recording.Open, In: abi.AppendFacts(nil, &abi.Facts{Endpoint: "s"})}
	if err := errors.Join(w.Call(open), w.Call(&recording.Call{Kind: recording.Event, In: abi.AppendEvent(nil, &abi.Event{Kind: abi.KindScanned})}), w.Close("over"), f.Close()); err != nil {
		t.Fatal(err)
	}
	call(t, "plugin", "check", wasm, "--fixtures", fixtures, "--runs", "5").want(t, 0, "skip  fixture       bulk.recording: ", "")
	call(t, "plugin", "bench", wasm, "--fixtures", fixtures, "--time", "1ms").want(t, 0, "", "left out: bulk.recording: ")
	if err := os.Remove(unfit); err != nil {
		t.Fatal(err)
	}

	// A conversation that is not so.
	bad := filepath.Join(dir, "bad")
	if err := os.Mkdir(bad, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(bad, "bad.txt"), "ask connect session -> allow\nagent sends \"get a\\n\"\nask shelf write -> allow\nupstream gets \"get a\\n\"\n")
	r = call(t, "plugin", "check", wasm, "--fixtures", bad)
	r.want(t, exitFailure, "bad.txt:3: the class is read, not write", "")
	r.want(t, exitFailure, "not admitted", "")
	r = call(t, "plugin", "check", "--json", wasm, "--fixtures", bad)
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || r.code != exitFailure || report.OK {
		t.Errorf("%v %+v", err, r)
	}

	call(t, "plugin", "info", wasm).want(t, 0, "shelf.key string: the second word", "")
	call(t, "plugin", "info", "--json", wasm).want(t, 0, `"sallyport_data"`, "")
	call(t, "plugin", "bench", wasm, "--fixtures", fixtures, "--time", "1ms").want(t, 0, "commands.txt", "")
	call(t, "plugin", "bench", "--json", wasm, "--time", "1ms").want(t, 0, `"delivery_p50_ns"`, "")
	call(t, "plugin", "fuzz", wasm, "--fixtures", fixtures, "--runs", "50", "--time", "0").want(t, 0, "inputs tried: 50", "")
}

func TestPluginPin(t *testing.T) {
	_, wasm := newProject(t)
	b, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(b))
	path := writeConfig(t, fmt.Sprintf("[plugins]\nshelf = { path = %q }\n\n[[endpoint]]\nname = \"s\"\naddress = \"127.0.0.1:7\"\nplugin = \"shelf\"\nprofiles = [\"dev\"]\n\n", wasm)+connectRule)
	call(t, "check", path).want(t, exitFailure, "sha256", "")
	call(t, "plugin", "pin", path, "shelf").want(t, 0, "shelf "+sum+" "+wasm+"\n", "")
	call(t, "plugin", "pin", path).want(t, 0, "(as it was)", "")
	call(t, "check", path).want(t, 0, path+": ok\n", "")
	call(t, "plugin", "pin", path, "redis").want(t, exitFailure, "", `has no "redis", only: shelf`)

	// Another file, even one that does the same: both digests are said, and pinning it again is a decision.
	other := append(b, 0, 2, 1, 'x')
	if err := os.WriteFile(wasm, other, 0o600); err != nil {
		t.Fatal(err)
	}
	now := fmt.Sprintf("%x", sha256.Sum256(other))
	r := call(t, "check", path)
	r.want(t, exitFailure, sum, "")
	r.want(t, exitFailure, now, "")
	call(t, "plugin", "pin", path).want(t, 0, now, "")
	call(t, "check", path).want(t, 0, path+": ok\n", "")
}

func TestPluginReplay(t *testing.T) {
	_, wasm := newProject(t)
	path := filepath.Join(t.TempDir(), "c.recording")
	record := func(out []byte) {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, err := recording.NewWriter(f, recording.Header{Options: []byte(`{"max_line":100}`)}, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		facts := abi.AppendFacts(nil, &abi.Facts{Endpoint: "s"})
		if err := w.Call(&recording.Call{Kind: recording.Open, In: facts, Out: out}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close("over"); err != nil {
			t.Fatal(err)
		}
	}
	record(abi.AppendClose(nil, false, "another version"))
	r := call(t, "plugin", "replay", wasm, path)
	r.want(t, exitFailure, "ASK 1 of 0 bytes: connect session", "")
	r.want(t, exitFailure, `recorded: CLOSE "another version"; now: ASK 1`, "")
	r = call(t, "plugin", "replay", "--json", wasm, path)
	var got conformance.Replayed
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != exitFailure || got.Same || len(got.Calls) != 1 || len(got.Calls[0].Commands) != 2 {
		t.Errorf("%v %+v", err, r)
	}
	var w abi.ActionWriter
	w.Begin(nil, 0, abi.ClassSession, "connect to the endpoint")
	record(abi.AppendDial(abi.AppendAsk(nil, 1, 0, 0, w.End()), 1))
	call(t, "plugin", "replay", wasm, path).want(t, 0, ", as recorded\n", "")
	call(t, "plugin", "replay", "--conversation", wasm, path).want(t, 0, "option max_line = 100\n", "")
}

func TestPluginUsage(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.wasm")
	write(t, text, "hello")
	for _, c := range []struct {
		args string
		code int
		err  string
	}{
		{"plugin chek", exitUsage, `did you mean "check"?`},
		{"plugin new", exitUsage, "NAME is missing"},
		{"plugin new Redis", exitUsage, "not of the form"},
		{"plugin new redis --lang cobol", exitUsage, "no template"},
		{"plugin new redis --sdk " + dir + " --dir " + filepath.Join(dir, "x"), exitFailure, "not Sallyport's repository"},
		{"plugin check", exitUsage, "FILE is missing"},
		{"plugin check " + filepath.Join(dir, "none.wasm"), exitFailure, "no such file"},
		{"plugin check " + text + " --fixtures " + dir, exitFailure, "no conversation"},
		{"plugin check " + text + " --runs 0", exitUsage, "1 or more"},
		{"plugin info " + text, exitFailure, "not a core module"},
		{"plugin replay " + text, exitUsage, "RECORDING is missing"},
		{"plugin replay " + text + " " + text, exitFailure, "not a recording"},
		{"plugin pin", exitUsage, "CONFIG is missing"},
		{"plugin pin a b c", exitUsage, "one argument too many"},
	} {
		r := call(t, strings.Fields(c.args)...)
		r.want(t, c.code, "", c.err)
	}
	call(t, "plugin", "check", text).want(t, exitFailure, "not a core module", "")
}
