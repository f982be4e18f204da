package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// broken are configurations with what is wrong with them, as FILE:LINE:COLUMN and a part of the message. Line 1 is [gateway].
var broken = map[string]struct{ text, place, message string }{
	"unknown key":         {"[gateway]\nlisten = \"127.0.0.1:1\"\nlisen = \"x\"\nstate = \"state\"\n", ":3:1: ", `did you mean "listen"?`},
	"not TOML":            {"[gateway\n", ":1:", ""},
	"unknown endpoint":    {"[gateway]\nstate = \"state\"\n[[rule]]\nname = \"r\"\nendpoints = [\"prod\"]\nwhen = \"true\"\nthen = \"allow\"\n", ":5:14: ", `there is no endpoint "prod"`},
	"unknown plugin":      {"[gateway]\nstate = \"state\"\n[plugins]\npostgre = \"builtin\"\n", ":4:", "postgre"},
	"misspelt field":      {withRule(`sql.bouned`), ":11:9: ", "did you mean"},
	"wrong type":          {withRule(`sql.statements == "one"`), ":11:", "rule \"r\""},
	"value outside a set": {withRule(`action.class == "remove"`), ":11:", "remove"},
	"not CEL":             {withRule(`sql.bounded &&`), ":11:", "rule \"r\""},
	"unknown option":      {withRule(`true`) + "[[endpoint]]\nname = \"two\"\naddress = \"127.0.0.1:2\"\nplugin = \"postgres\"\nprofiles = [\"a\"]\noptions = { max_mesage = 65536 }\n", ":19:", "max_mesage"},
	"option out of range": {withRule(`true`) + "[[endpoint]]\nname = \"two\"\naddress = \"127.0.0.1:2\"\nplugin = \"postgres\"\nprofiles = [\"a\"]\noptions = { max_message = 1 }\n", ":19:", "max_message"},
	"wrong plugin file":   {"[gateway]\nstate = \"state\"\n[plugins]\nmine = { path = \"sallyport.toml\", sha256 = \"" + strings.Repeat("0", 64) + "\" }\n", ":4:", "sha256"},
}

// withRule is a configuration with one condition, on line 11 from column 9 on.
func withRule(when string) string {
	return "[gateway]\nstate = \"state\"\n[plugins]\npostgres = \"builtin\"\n[[endpoint]]\nname = \"db\"\naddress = \"127.0.0.1:1\"\nplugin = \"postgres\"\nprofiles = [\"a\"]\n" +
		"[[rule]]\nwhen = '" + when + "'\nname = \"r\"\nthen = \"allow\"\n"
}

// sallyport runs the command beside a gateway: with a cache of compiled plugins that is not the user's.
func (w *world) sallyport(ctx context.Context, t *testing.T, args ...string) printed {
	t.Helper()
	cmd := w.gw.Command(ctx, args...)
	cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+filepath.Join(w.dir, "xdg"))
	return finish(ctx, t, cmd, "")
}

// TestCheck: what is wrong with a configuration is named with its place, by check and by serve.
func TestCheck(t *testing.T) {
	w := shared
	for name, c := range broken {
		t.Run(name, func(t *testing.T) {
			ctx := w.deadline(t, w.gw)
			file := filepath.Join(t.TempDir(), "sallyport.toml")
			write(t, file, c.text)
			got := w.sallyport(ctx, t, "check", file)
			if got.status != 1 || !strings.Contains(got.out, file+c.place) || !strings.Contains(got.out, c.message) {
				t.Errorf("check: %+v, want %s and %q", got, file+c.place, c.message)
			}
			asJSON := w.sallyport(ctx, t, "check", "--json", file)
			var report struct {
				OK       bool
				Problems []struct {
					File, Message string
					Line, Column  int
				}
			}
			if err := json.Unmarshal([]byte(asJSON.out), &report); err != nil || asJSON.status != 1 || report.OK || len(report.Problems) == 0 {
				t.Fatalf("check --json: %v, %+v", err, asJSON)
			}
			for _, p := range report.Problems {
				if line := fmt.Sprintf("%s:%d:%d: %s\n", p.File, p.Line, p.Column, p.Message); !strings.Contains(got.out, line) {
					t.Errorf("check does not print what --json has: %q", line)
				}
			}
			if err := rig.CopyCache(filepath.Join(filepath.Dir(file), "state", "cache"), w.cache); err != nil {
				t.Fatal(err)
			}
			serve := w.sallyport(ctx, t, "serve", file)
			if serve.status != 1 || !strings.Contains(serve.err, file+c.place) || !strings.Contains(serve.err, c.message) || strings.Contains(serve.err, "ready") {
				t.Errorf("serve: %+v", serve)
			}
		})
	}
	t.Run("valid", func(t *testing.T) {
		ctx := w.deadline(t, w.gw)
		if got := w.sallyport(ctx, t, "check", w.gw.Config); got.status != 0 || !strings.HasSuffix(got.out, w.gw.Config+": ok\n") {
			t.Errorf("check: %+v", got)
		}
		file := filepath.Join(t.TempDir(), "sallyport.toml")
		write(t, file, withRule("sql.bounded"))
		got := w.sallyport(ctx, t, "check", "--json", file)
		if got.status != 0 || !strings.Contains(got.out, `"ok": true`) {
			t.Errorf("check --json: %+v", got)
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(file), "state")); err == nil {
			t.Error("check made the state")
		}
	})
}

// TestUsage: 1 is for what failed, 2 for a wrong command line; both say what is wrong.
func TestUsage(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	missing := filepath.Join(t.TempDir(), "missing.toml")
	for _, c := range []struct {
		status int
		args   []string
	}{
		{0, []string{"--help"}},
		{0, []string{"--version"}},
		{1, []string{"check", missing}},
		{1, []string{"serve", missing}},
		{1, []string{"receipts", "verify", "--file", missing}},
		{1, []string{"receipts", "tail", "--config", missing}},
		{1, []string{"peer", "list", "--config", missing}},
		{1, []string{"peer", "add", "agent", "--profile", "agents", "--config", w.gw.Config}}, // there is one
		{2, []string{"check"}},
		{2, []string{"serve", "a", "b"}},
		{2, []string{"serve", "--lisen", w.gw.Config}},
		{2, []string{"serve", "--log-format", "xml", w.gw.Config}},
		{2, []string{"receipts", "tail", "-n", "-1"}},
		{2, []string{"peer", "add", "x", "--config", w.gw.Config}},
		{2, []string{"cheque"}},
		{125, []string{"run", "--peer", missing, "--", "true"}},
	} {
		got := w.sallyport(ctx, t, c.args...)
		if got.status != c.status || (got.err != "") != (c.status != 0) || (got.out != "") != (c.status == 0) {
			t.Errorf("sallyport %v: %+v, want status %d", c.args, got, c.status)
		}
	}
}

func TestPeerList(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	var peers []struct {
		Name, Profile, Address string
		PublicKey              string `json:"public_key"`
	}
	got := w.sallyport(ctx, t, "peer", "list", "--json", "--config", w.gw.Config)
	if err := json.Unmarshal([]byte(got.out), &peers); err != nil || got.status != 0 {
		t.Fatalf("%v: %+v", err, got)
	}
	if len(peers) != 2 || peers[0].Name != "agent" || peers[0].Profile != "agents" || peers[1].Name != "other" || peers[0].Address == peers[1].Address || len(peers[1].PublicKey) != 44 {
		t.Errorf("%+v", peers)
	}
	if got := w.sallyport(ctx, t, "peer", "list", "--config", w.gw.Config); got.status != 0 || !strings.Contains(got.out, peers[0].PublicKey) {
		t.Errorf("%+v", got)
	}
}

// TestVerify: a record with one changed byte is not whole, and the first line that does not fit is named.
func TestVerify(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	if got := w.psql(ctx, t, "db", "postgres", "select 'one';\nselect 'two';"); got.status != 0 {
		t.Fatalf("psql: %+v", got)
	}
	// A copy, because a gateway may be in the middle of a line.
	record := w.gw.Receipts()
	record = record[:strings.LastIndex(record, "\n")+1]
	file := filepath.Join(t.TempDir(), "receipts.jsonl")
	verify := func(text string) printed {
		write(t, file, text)
		return w.sallyport(ctx, t, "receipts", "verify", "--file", file)
	}
	all := lines(record)
	if got := verify(record); got.status != 0 || !strings.Contains(got.out, fmt.Sprintf("%d records", len(all))) {
		t.Errorf("as it is: %+v", got)
	}
	at := len(all) / 2
	join := func(parts ...[]string) string {
		var b strings.Builder
		for _, p := range parts {
			for _, line := range p {
				b.WriteString(line + "\n")
			}
		}
		return b.String()
	}
	flipped := []byte(all[at])
	flipped[len(flipped)/2] ^= 1
	for what, text := range map[string]string{
		"changed":  join(all[:at], []string{string(flipped)}, all[at+1:]),
		"removed":  join(all[:at], all[at+1:]),
		"twice":    join(all[:at], all[at-1:]),
		"swapped":  join(all[:at], []string{all[at+1], all[at]}, all[at+2:]),
		"inserted": join(all[:at], []string{`{"_hash":"` + strings.Repeat("0", 64) + `"}`}, all[at:]),
	} {
		if got := verify(text); got.status != 1 || !strings.Contains(got.out, fmt.Sprintf("%s:%d: ", file, at+1)) {
			t.Errorf("%s: %+v, want line %d", what, got, at+1)
		}
	}
}

// TestTailFollow: a decision that happens while tail -f runs is shown by it.
func TestTailFollow(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	tail := w.gw.Command(ctx, "receipts", "tail", "-f", "--json", "-n", "1", "--config", w.gw.Config)
	stdout, err := tail.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	shown := bufio.NewScanner(stdout)
	shown.Buffer(nil, 1<<20)
	if !shown.Scan() { // it has begun: it shows the newest
		t.Fatalf("nothing shown: %v", shown.Err())
	}
	if got := w.psql(ctx, t, "db", "postgres", "create role followed_role;"); !strings.Contains(got.err, "42501") {
		t.Fatalf("psql: %+v", got)
	}
	found := false
	for !found && shown.Scan() {
		var r struct {
			Kind, Outcome string
			Fields        struct{ Text string }
		}
		if err := json.Unmarshal(shown.Bytes(), &r); err != nil {
			t.Errorf("not JSON: %v: %s", err, shown.Text())
		}
		found = r.Kind == "decision" && r.Outcome == "deny" && strings.Contains(r.Fields.Text, "followed_role")
	}
	if !found {
		t.Errorf("the denial was not shown: %v", shown.Err())
	}
	if err := tail.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for shown.Scan() { // to its end
	}
	if err := tail.Wait(); err != nil {
		t.Errorf("after an interrupt tail ended with %v", err)
	}
	if got := w.sallyport(ctx, t, "receipts", "tail", "-n", "0", "--config", w.gw.Config); got.status != 0 || !strings.Contains(got.out, `deny      agent -> db  sql admin`) {
		t.Errorf("tail, readable: %+v", got)
	}
}

// TestShownConfigurations: what the README and the demo show is valid.
func TestShownConfigurations(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "```toml\n")
	block, _, ok := strings.Cut(block, "```")
	if !ok {
		t.Fatal("the README shows no configuration")
	}
	shown := filepath.Join(t.TempDir(), "sallyport.toml")
	write(t, shown, block)
	for _, file := range []string{shown, filepath.Join(root, "examples/demo/sallyport.toml")} {
		if got := w.sallyport(ctx, t, "check", file); got.status != 0 {
			t.Errorf("%s: %+v", file, got)
		}
	}
}
