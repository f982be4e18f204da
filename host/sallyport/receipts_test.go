package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/receipt/anchor"
)

// record writes a record of n refusals and one decision each.
func record(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	log, err := receipt.Open(path, receipt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		appendTo(t, log)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func appendTo(t *testing.T, log *receipt.Log) {
	t.Helper()
	if _, err := log.Append(&receipt.Record{Kind: receipt.Decision, Peer: "claude", Endpoint: "prod-db", Outcome: "deny", Rule: "no", Reason: "not \x1b[2J that"}); err != nil {
		t.Fatal(err)
	}
}

func TestTail(t *testing.T) {
	path := record(t, 60)
	for args, lines := range map[string]int{"": 50, "-n 3": 3, "-n 0": 61, "--lines 1000": 61} {
		r := call(t, append([]string{"receipts", "tail", "--file", path}, strings.Fields(args)...)...)
		if got := strings.Count(r.out, "\n"); r.code != 0 || got != lines || r.err != "" {
			t.Errorf("%q: exit code %d, %d lines, %s", args, r.code, got, r.err)
		}
		if strings.Contains(r.out, "\x1b") {
			t.Errorf("%q steers the terminal: %q", args, r.out)
		}
	}
	r := call(t, "receipts", "tail", "--json", "-n", "2", "--file", path)
	for line := range strings.Lines(r.out) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil || e["kind"] != "decision" || e["peer"] != "claude" {
			t.Errorf("%v: %s", err, line)
		}
	}

	// By way of a configuration.
	config := writeConfig(t, relayEndpoint)
	state := filepath.Join(filepath.Dir(config), "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, filepath.Join(state, "receipts.jsonl")); err != nil {
		t.Fatal(err)
	}
	call(t, "receipts", "tail", "-c", config).want(t, 0, "claude -> prod-db", "")
	call(t, "receipts", "verify", "-c", config).want(t, 0, "61 records, the chain is whole", "")
}

// TestFollow: what is written later is shown, until an interrupt, which is no failure.
func TestFollow(t *testing.T) {
	path := record(t, 1)
	f := begin(t, "receipts", "tail", "-f", "--file", path)
	lines := func(n int) func() bool { return func() bool { return strings.Count(f.out.String(), "\n") == n } }
	until(t, "the old ones are shown", lines(2))
	log, err := receipt.Open(path, receipt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	appendTo(t, log)
	until(t, "the new one is shown", lines(3))
	if code := f.end(); code != 0 || f.err.String() != "" {
		t.Errorf("exit code %d: %s", code, f.err.String())
	}
}

// TestVerify: a change is found, and named.
func TestVerify(t *testing.T) {
	path := record(t, 5)
	call(t, "receipts", "verify", "--file", path).want(t, 0, path+": 6 records, the chain is whole, the last hash is ", "")
	var v struct {
		OK       bool   `json:"ok"`
		Records  int    `json:"records"`
		LastHash string `json:"last_hash"`
		Problem  string `json:"problem"`
	}
	r := call(t, "receipts", "verify", "--json", "--file", path)
	if err := json.Unmarshal([]byte(r.out), &v); err != nil || !v.OK || v.Records != 6 || len(v.LastHash) != 64 || v.Problem != "" || r.code != 0 {
		t.Errorf("%v: %+v", err, r)
	}
	text := read(t, path)
	lines := strings.SplitAfter(text, "\n")
	for name, changed := range map[string]string{
		"changed": strings.Replace(text, "claude", "clause", 1),
		"removed": strings.Join(append(append([]string{}, lines[:2]...), lines[3:]...), ""),
	} {
		write(t, path, changed)
		r := call(t, "receipts", "verify", "--file", path)
		if r.code != exitFailure || !strings.Contains(r.out, path+":") || strings.Contains(r.out, "whole") {
			t.Errorf("%s: %+v", name, r)
		}
		r = call(t, "receipts", "verify", "--json", "--file", path)
		if err := json.Unmarshal([]byte(r.out), &v); err != nil || v.OK || v.Problem == "" || r.code != exitFailure {
			t.Errorf("%s: %v: %+v", name, err, r)
		}
	}
	// A line that is no receipt is reported and does not hide the others.
	write(t, path, lines[0]+"rubbish\n"+lines[1])
	r = call(t, "receipts", "tail", "--file", path)
	r.want(t, exitFailure, "claude", "it is not a receipt")
	if strings.Count(r.out, "\n") != 2 {
		t.Errorf("%s", r.out)
	}
}

// TestColour: colours are for terminals, and not for those who do not want them.
func TestColour(t *testing.T) {
	path := record(t, 1)
	for _, c := range []struct {
		noColor, term string
		args          []string
		coloured      bool
	}{
		{"", "xterm", nil, true},
		{"1", "xterm", nil, false},
		{"", "dumb", nil, false},
		{"", "xterm", []string{"--json"}, false},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		got := onTerminal(t, append([]string{"receipts", "tail", "--file", path}, c.args...))
		if strings.Contains(got, "\x1b[31m") != c.coloured || strings.Contains(got, "\x1b[2J") || !strings.Contains(got, "claude") {
			t.Errorf("%+v: %q", c, got)
		}
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	if r := call(t, "receipts", "tail", "--file", path); strings.Contains(r.out, "\x1b") {
		t.Errorf("colours without a terminal: %q", r.out)
	}
}

// onTerminal runs a command line with a terminal as its output and returns what came there.
func onTerminal(t *testing.T, args []string) string {
	t.Helper()
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer terminal.Close()
	root := newRoot()
	root.SetOut(terminal)
	root.SetErr(terminal)
	if code := execute(t.Context(), root, args); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if _, err := terminal.WriteString("\nthat is all\n"); err != nil {
		t.Fatal(err)
	}
	if err := master.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for buf := make([]byte, 4096); !strings.Contains(string(got), "that is all"); {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatalf("read the terminal: %v; so far %q", err, got)
		}
		got = append(got, buf[:n]...)
	}
	return string(got)
}

// signedRecord writes receipts with checkpoints over several files, and an anchor, into a folder as a gateway has it.
func signedRecord(t *testing.T) (dir, anchored string) {
	t.Helper()
	dir = t.TempDir()
	anchored = filepath.Join(dir, "elsewhere")
	log, err := receipt.Open(filepath.Join(dir, "receipts.jsonl"), receipt.Options{KeyFile: filepath.Join(dir, "receipts.key"), RotateSize: 2 << 10,
		Anchors: []receipt.Anchor{anchor.File{Path: anchored}}})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "there are three files", func() bool {
		appendTo(t, log)
		files, err := receipt.Files(log.Path())
		return err == nil && len(files) >= 3
	})
	if _, err := log.Append(&receipt.Record{Kind: receipt.Decision, Peer: "ann", Endpoint: "shop", Outcome: receipt.OutcomeHeld, Hold: "h1", Time: time.Date(2001, 1, 2, 3, 4, 5, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, anchored
}

// TestVerifyADirectory: over all files, with keys and an anchor.
func TestVerifyADirectory(t *testing.T) {
	dir, anchored := signedRecord(t)
	live, public := filepath.Join(dir, "receipts.jsonl"), filepath.Join(dir, "receipts.pub")
	key := strings.TrimSpace(read(t, public))
	call(t, "receipts", "verify", "--dir", dir).want(t, 0, "every signature is right; 0 records behind", "")
	call(t, "receipts", "verify", "--dir", dir, "--key", key, "--anchor", anchored).want(t, 0, "anchored checkpoints: ", "")
	call(t, "receipts", "verify", "--dir", dir, "--key", public).want(t, 0, "every signature is right", "")
	call(t, "receipts", "verify", "--file", live).want(t, 0, "they begin with record ", "")
	other := "ed25519:" + strings.Repeat("A", 43) + "="
	call(t, "receipts", "verify", "--dir", dir, "--key", other).want(t, exitFailure, "none of those that are known", "")
	call(t, "receipts", "verify", "--dir", dir, "--key", "rubbish").want(t, exitUsage, "", "no such file")
	call(t, "receipts", "verify", "--dir", dir, "--anchor", live).want(t, exitFailure, "", "not a checkpoint")
	call(t, "receipts", "verify", "--dir", dir, "--file", live).want(t, exitUsage, "", "exclude each other")
	call(t, "receipts", "verify", "--dir", t.TempDir()).want(t, exitFailure, "", "there are no receipts in")

	// The last lines are cut off: only the anchor tells.
	text := read(t, live)
	lines := strings.SplitAfter(text, "\n")
	write(t, live, strings.Join(lines[:len(lines)-2], ""))
	call(t, "receipts", "verify", "--dir", dir).want(t, 0, "the chain is whole", "")
	call(t, "receipts", "verify", "--dir", dir, "--anchor", anchored).want(t, exitFailure, "were cut off", "")
	var v struct {
		OK         bool   `json:"ok"`
		Problem    string `json:"problem"`
		Files      int    `json:"files"`
		Checked    bool   `json:"signatures_checked"`
		Checkpoint int    `json:"checkpoints"`
	}
	r := call(t, "receipts", "verify", "--dir", dir, "--anchor", anchored, "--json")
	if err := json.Unmarshal([]byte(r.out), &v); err != nil || v.OK || !strings.Contains(v.Problem, "cut off") || v.Files < 3 || !v.Checked || v.Checkpoint == 0 {
		t.Errorf("%v: %+v", err, r)
	}
}

func TestQuery(t *testing.T) {
	dir, _ := signedRecord(t)
	lines := func(args ...string) int {
		r := call(t, append([]string{"receipts", "query", "--dir", dir}, args...)...)
		r.want(t, 0, "", "")
		return strings.Count(r.out, "\n")
	}
	every := lines("--kind", "decision")
	if every < 4 || lines("--peer", "ann") != 1 || lines("--peer", "claude") != every-1 || lines("--peer", "ann,claude", "--kind", "decision") != every || lines("--peer", "eve") != 0 ||
		lines("--hold", "h1") != 1 || lines("--outcome", "held", "--endpoint", "shop") != 1 || lines("--outcome", "deny", "--rule", "no") != every-1 ||
		lines("--until", "2001-01-03") != 1 || lines("--since", "2001-01-03", "--kind", "decision") != every-1 || lines("--since", "2001-01-02T03:04:05Z", "--until", "2001-01-02T03:04:06Z") != 1 {
		t.Errorf("of %d decisions not all are found as they should be", every)
	}
	r := call(t, "receipts", "query", "--dir", dir, "--peer", "ann", "--json")
	var e map[string]any
	if err := json.Unmarshal([]byte(r.out), &e); err != nil || e["hold"] != "h1" {
		t.Errorf("%v: %s", err, r.out)
	}
	call(t, "receipts", "query", "--dir", dir, "--since", "yesterday").want(t, exitUsage, "", "is no time")
	call(t, "receipts", "query", "--dir", dir, "--outcome", "denied").want(t, exitUsage, "", "there is no outcome")
	if r := call(t, "receipts", "tail", "--dir", dir, "-n", "0"); strings.Count(r.out, "\n") <= every {
		t.Errorf("tail shows one file: %s", r.out)
	}
}

func TestExport(t *testing.T) {
	dir, _ := signedRecord(t)
	for format, want := range map[string]string{"ocsf": `"class_uid":6003`, "otel": `"resourceLogs"`} {
		r := call(t, "receipts", "export", "--dir", dir, "--format", format, "--peer", "ann")
		r.want(t, 0, want, "")
		if strings.Count(r.out, "\n") != 1 || !json.Valid([]byte(r.out)) {
			t.Errorf("%s", r.out)
		}
	}
	call(t, "receipts", "export", "--dir", dir, "--format", "cef").want(t, exitUsage, "", "unknown format")
}

func TestReceiptsKey(t *testing.T) {
	config := writeConfig(t, relayEndpoint)
	call(t, "receipts", "key", "-c", config).want(t, exitFailure, "", "there is no key yet")
	state := filepath.Join(filepath.Dir(config), "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := receipt.LoadKey(filepath.Join(state, "receipts.key")); err != nil {
		t.Fatal(err)
	}
	r := call(t, "receipts", "key", "-c", config)
	if _, err := receipt.ParseKey(r.out); err != nil || r.code != 0 || r.err != "" {
		t.Errorf("%v: %+v", err, r)
	}
}
