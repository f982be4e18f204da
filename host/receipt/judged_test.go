package receipt

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestJudgments: what judges said is read as it was written, in a line that is canonical, and prints in one line.
func TestJudgments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := []Judgment{
		{Rule: "r", Judge: "j", Model: "m", Outcome: "deny", Reason: "it \u202e \"hides\"\nsomething", Digest: "00ff", Input: 812, Output: 20, Cost: 912, Took: 1234 * time.Millisecond},
		{Rule: "r2", Judge: "k", Outcome: "failed", Error: "no answer within 10s"},
		{Rule: "r3", Judge: "j", Outcome: "allow", Cached: true},
	}
	if _, err := l.Append(&Record{Kind: Decision, ActionID: 1, Outcome: OutcomeJudgedDeny, Judges: all, WouldJudge: []string{"w"}}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	found := false
	for e, err := range Read(path, ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != Decision {
			continue
		}
		found = true
		want := []JudgmentEntry{
			{Rule: "r", Judge: "j", Model: "m", Outcome: "deny", Reason: all[0].Reason, Digest: "00ff", Input: 812, Output: 20, Cost: 912, Took: 1234},
			{Rule: "r2", Judge: "k", Outcome: "failed", Error: "no answer within 10s"},
			{Rule: "r3", Judge: "j", Outcome: "allow", Cached: true},
		}
		if !reflect.DeepEqual(e.Judges, want) || !reflect.DeepEqual(e.WouldJudge, []string{"w"}) {
			t.Errorf("%+v", e.Judges)
		}
		var any map[string]any
		if err := json.Unmarshal(e.Raw, &any); err != nil {
			t.Fatal(err)
		}
		// Go sorts the members of maps.
		if again, err := json.Marshal(any["judges"]); err != nil || !strings.Contains(string(e.Raw), string(again)) {
			t.Errorf("not canonical: %s is not in %s", again, e.Raw)
		}
		if line := Line(e, false); !strings.Contains(line, `judge j: deny "it \u202e \"hides\"\nsomething"`) || strings.Contains(line, "\n") || !strings.Contains(line, "(as before)") {
			t.Error(line)
		}
	}
	if !found {
		t.Error("no decision was read")
	}
	if r, err := Verify(path); err != nil {
		t.Errorf("%+v %v", r, err)
	}
}
