package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/receipt/anchor"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

const receiptsPage = "receipts.md"

// receiptsOfThePage writes what the page shows into a folder, with the page's configuration.
func receiptsOfThePage(t *testing.T, dir string) {
	t.Helper()
	begin := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	at := func(second int) time.Time { return begin.Add(time.Duration(second) * time.Second) }
	state := filepath.Join(dir, "state")
	l, err := receipt.Open(filepath.Join(state, "receipts.jsonl"), receipt.Options{KeyFile: filepath.Join(state, "receipts.key"), CheckpointEvery: time.Hour,
		Anchors: []receipt.Anchor{anchor.File{Path: filepath.Join(dir, "anchor.jsonl")}}})
	if err != nil {
		t.Fatal(err)
	}
	f := &abi.Family{Name: "sql", Fields: []abi.Field{{Name: "text", Type: abi.TypeString, Role: abi.RoleText}}}
	decision := func(second int, id uint32, o receipt.Outcome, rule, reason string) *receipt.Record {
		return &receipt.Record{Kind: receipt.Decision, Time: at(second), Conn: "c1", ActionID: id, Peer: "claude", Profile: "dev", Endpoint: "prod-db", Plugin: "postgres", Outcome: o, Rule: rule, Reason: reason,
			Action: &abi.Action{Family: f, Class: abi.ClassDelete, Title: "delete from public.users", Values: []abi.Value{{Known: true, Str: "DELETE FROM users"}}}}
	}
	held := decision(2, 3, receipt.OutcomeHeld, "deletes need a person", "this is production")
	held.Hold, held.Deadline, held.Digest = "hk3vq7p2m4xw9a", at(92), "00ff"
	for _, r := range []*receipt.Record{
		{Kind: receipt.Start, Time: at(0), Detail: "v1", Policy: "abcd"},
		decision(0, 1, receipt.OutcomeAllow, "reads", ""),
		decision(1, 2, receipt.OutcomeDeny, "no unbounded deletes", "DELETE and UPDATE need a WHERE clause"),
		held,
		{Kind: receipt.HoldEnd, Time: at(3), Hold: "hk3vq7p2m4xw9a", Outcome: receipt.OutcomeApproved, By: []string{"ann (ops)"}, Reason: "fine"},
		{Kind: receipt.End, Time: at(4), Conn: "c1", Peer: "claude", Endpoint: "prod-db", Up: 211, Down: 988, Reason: "the agent closed the connection"},
	} {
		if _, err := l.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestReceiptsExamples runs the commands of the page, each block in a folder of its own, and compares what they print; … stands for anything.
func TestReceiptsExamples(t *testing.T) {
	page := read(t, receiptsPage)
	var config string
	ran := 0
	for _, b := range codeBlock.FindAllStringSubmatch(page, -1) {
		switch b[1] {
		case "toml":
			config += b[2]
			continue
		case "console":
		default:
			t.Fatalf("a block of %s", b[1])
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "sallyport.toml"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		receiptsOfThePage(t, dir)
		for _, step := range strings.Split("\n"+b[2], "\n$ ")[1:] {
			line, want, _ := strings.Cut(strings.TrimSuffix(step, "\n")+"\n", "\n")
			words := strings.Fields(strings.ReplaceAll(line, "'", ""))
			var out string
			if words[0] == "sallyport" {
				out, _ = sallyport(t, dir, words[1:]...)
				out = strings.ReplaceAll(out, dir+string(filepath.Separator), "")
			} else {
				cmd := exec.Command(words[0], words[1:]...)
				cmd.Dir = dir
				b, err := cmd.CombinedOutput()
				if out = string(b); err != nil {
					t.Fatalf("%s: %v: %s", line, err, out)
				}
			}
			pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*")
			if !regexp.MustCompile("^" + pattern + "$").MatchString(out) {
				t.Errorf("$ %s\n%s\nthe page says\n%s", line, out, want)
			}
			ran++
		}
	}
	if ran < 12 || config == "" {
		t.Errorf("%d commands were run", ran)
	}
}

// TestReceiptsWords: the page names every member, kind and outcome.
func TestReceiptsWords(t *testing.T) {
	page := read(t, receiptsPage)
	words := []string{}
	for f := range reflect.TypeFor[receipt.Entry]().Fields() {
		if name := f.Tag.Get("json"); name != "-" {
			words = append(words, name)
		}
	}
	for _, o := range receipt.Outcomes() {
		words = append(words, string(o))
	}
	for _, k := range []receipt.Kind{receipt.Genesis, receipt.Torn, receipt.Checkpoint, receipt.Removed, receipt.Anchored, receipt.Start, receipt.Reload, receipt.Stop,
		receipt.Refused, receipt.Decision, receipt.HoldEnd, receipt.Note, receipt.End} {
		words = append(words, string(k))
	}
	for _, w := range words {
		if w != "fail_closed" && !strings.Contains(page, "`"+w+"`") {
			t.Errorf("the page does not say what %s is", w)
		}
	}
}
