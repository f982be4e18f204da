package receipt

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestHolds writes a hold from its beginning to the use of its grant.
func TestHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{})
	until := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r := decision("x")
	r.Outcome, r.Hold, r.Digest, r.Deadline, r.Credential = OutcomeHeld, "h1", "00ff", until, "prod-db-agent"
	r.Needs = []Need{{Rule: "deletes", Approvers: []string{"dba", "ops"}, Approvals: 2, NotRequester: true}, {Rule: "all"}}
	held := appendTo(t, l, r)
	appendTo(t, l, &Record{Kind: HoldEnd, Parent: held, Conn: "c1", ActionID: 7, Hold: "h1", Outcome: OutcomeApproved, By: []string{"ann (dba)", "console"},
		Granted: true, GrantUses: 2, GrantUntil: until.Add(time.Hour), Reason: "fine"})
	r.Outcome, r.Deadline, r.Needs, r.By = OutcomeGranted, time.Time{}, nil, []string{"ann (dba)"}
	appendTo(t, l, r)
	es := entries(t, path)[1:]
	if e := es[0]; e.Outcome != OutcomeHeld || e.Deadline != "2026-11-22T12:00:00.000000Z" || e.Digest != "00ff" || e.Credential != "prod-db-agent" ||
		!reflect.DeepEqual(e.Needs, []NeedEntry{{"deletes", []string{"dba", "ops"}, 2, true}, {"all", nil, 1, false}}) {
		t.Errorf("%s", e.Raw)
	}
	if e := es[1]; e.Kind != HoldEnd || e.Parent != held || e.ActionID != 7 || !e.Granted || e.GrantUses != 2 || e.GrantUntil != "2026-11-22T13:00:00.000000Z" || len(e.By) != 2 {
		t.Errorf("%s", e.Raw)
	}
	for i, want := range []string{
		`held      claude-laptop -> prod-db  sql delete  "delete from public.users"  hold h1 until 2026-11-22T12:00:00.000000Z  rule "no deletes"  ask first`,
		`approved  hold h1  by ann (dba), console  granted for 2 uses until 2026-11-22T13:00:00.000000Z  fine`,
		`granted   claude-laptop -> prod-db  sql delete  "delete from public.users"  hold h1  rule "no deletes"  ask first`,
	} {
		_, rest, _ := strings.Cut(Line(es[i], false), "  ")
		if want += "  [" + es[i].ID + "]"; rest != want {
			t.Errorf("got  %q\nwant %q", rest, want)
		}
	}
	var found []string
	for _, e := range all(t, path, ReadOptions{Filter: &Filter{Hold: []string{"h1"}}}) {
		found = append(found, string(e.Outcome))
	}
	if got := strings.Join(found, " "); got != "held approved granted" {
		t.Errorf("of the hold: %s", got)
	}
	for _, o := range Outcomes() {
		r := decision("x")
		r.Outcome = o
		appendTo(t, l, r)
	}
	if r, err := Verify(path); err != nil || r.Records != uint64(4+len(Outcomes())) {
		t.Errorf("%+v %v", r, err)
	}
}

// TestOldWords: what had a flag or a note of its own before is an outcome now, in old files and in new ones.
func TestOldWords(t *testing.T) {
	for line, want := range map[string]Outcome{
		`{"id":"a-1","kind":"decision","outcome":"deny"}`:                                OutcomeDeny,
		`{"fail_closed":true,"id":"a-1","kind":"decision","outcome":"deny"}`:             OutcomeFailClosed,
		`{"fail_closed":true,"id":"a-1","kind":"end"}`:                                   OutcomeFailClosed,
		`{"id":"a-1","kind":"end","outcome":"fail_closed"}`:                              OutcomeFailClosed,
		`{"id":"a-1","kind":"note","note":[["rows","3"],["mismatch","4 rows"]]}`:         OutcomeMismatch,
		`{"id":"a-1","kind":"note","note":[["mismatch","4 rows"]],"outcome":"mismatch"}`: OutcomeMismatch,
		`{"id":"a-1","kind":"note","note":[["rows","mismatch"]]}`:                        "",
		`{"fail_closed":true,"id":"a-1","kind":"decision","outcome":"rejected"}`:         "rejected",
	} {
		e, err := parseEntry([]byte(line))
		if err != nil || e.Outcome != want || e.FailClosed != (want == OutcomeFailClosed) {
			t.Errorf("%s: %+v %v", line, e, err)
		}
	}
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{})
	appendTo(t, l, &Record{Kind: Decision, Outcome: OutcomeDeny, FailClosed: true})
	appendTo(t, l, &Record{Kind: Note, Pairs: []string{"tag", "SELECT 1", "mismatch", "the server says DELETE"}})
	appendTo(t, l, &Record{Kind: Note, Pairs: []string{"rows", "mismatch"}})
	es := entries(t, path)[1:]
	if es[0].Outcome != OutcomeFailClosed || es[1].Outcome != OutcomeMismatch || es[2].Outcome != "" || strings.Contains(string(es[0].Raw), `"fail_closed":`) {
		t.Errorf("%s\n%s\n%s", es[0].Raw, es[1].Raw, es[2].Raw)
	}
}

// TestFormat1 reads, verifies and goes on with a file of the first version, which had neither keys nor files before it.
func TestFormat1(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	e := encoder{tag: "abcde", maxField: MaxField}
	end := tip{}
	var file []byte
	for i, r := range []*Record{{Kind: Genesis, Detail: "sallyport receipts, format 1"}, decision("x"), decision("y")} {
		line, _, hash := e.line(nil, r, &end)
		file, end = append(file, line...), tip{seq: uint64(i) + 1, prev: hash}
	}
	write(t, path, file)
	if r, err := Verify(path); err != nil || r.Records != 3 || r.Checkpoints != 0 {
		t.Fatalf("%+v %v", r, err)
	}
	l := open(t, path, Options{KeyFile: path + ".key", RotateSize: 4 << 10})
	eventually(t, "a new file is begun", func() bool {
		appendTo(t, l, decision("z"))
		return len(files(t, path)) > 1
	})
	if r, err := Verify(path); err != nil || r.Checkpoints == 0 || r.Files < 2 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestFilter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	l := open(t, path, Options{})
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for i, r := range []*Record{
		{Peer: "ann", Endpoint: "a", Outcome: OutcomeAllow, Rule: "reads", Conn: "c1", Action: action("x")},
		{Peer: "bob", Endpoint: "a", Outcome: OutcomeDeny, Rule: `no "x"`, Conn: "c2"},
		{Peer: "ann", Endpoint: "b", Outcome: OutcomeHeld, Hold: "h1", Conn: "c3"},
		{Peer: "eve", Endpoint: "peer", Outcome: OutcomeDeny, FailClosed: true, Conn: "c4"},
	} {
		r.Kind, r.Time = Decision, begin.Add(time.Duration(i)*time.Minute)
		appendTo(t, l, r)
	}
	for _, c := range []struct {
		f    Filter
		want string
	}{
		{Filter{Kind: []string{"decision"}}, "c1 c2 c3 c4"},
		{Filter{Peer: []string{"ann"}}, "c1 c3"},
		{Filter{Peer: []string{"ann", "eve"}}, "c1 c3 c4"},
		{Filter{Peer: []string{"ann"}, Endpoint: []string{"b"}}, "c3"},
		{Filter{Peer: []string{"an"}}, ""},
		{Filter{Endpoint: []string{"peer"}}, "c4"},
		{Filter{Class: []string{"delete"}}, "c1"},
		{Filter{Outcome: []string{"deny", "held"}}, "c2 c3"},
		{Filter{Outcome: []string{"fail_closed"}}, "c4"},
		{Filter{Rule: []string{`no "x"`}}, "c2"},
		{Filter{Conn: []string{"c2"}}, "c2"},
		{Filter{Hold: []string{"h1"}}, "c3"},
		{Filter{Since: begin.Add(time.Minute), Kind: []string{"decision"}}, "c2 c3 c4"},
		{Filter{Until: begin.Add(time.Minute)}, "c1"},
		{Filter{Since: begin.Add(time.Second), Until: begin.Add(2 * time.Minute)}, "c2"},
		{Filter{Since: begin.In(time.FixedZone("x", 3600)), Until: begin.Add(1 * time.Second)}, "c1"},
	} {
		var got []string
		for _, e := range all(t, path, ReadOptions{Filter: &c.f}) {
			got = append(got, e.Conn)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: %v, want %s", c.f, got, c.want)
		}
	}
}
