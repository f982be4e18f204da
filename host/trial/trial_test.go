package trial

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func manifest() *abi.Manifest {
	return &abi.Manifest{Name: "postgres", Version: "1", Families: []abi.Family{
		{Name: abi.FamilyConnect},
		{Name: "sql", Fields: []abi.Field{
			{Name: "bounded", Type: abi.TypeBool},
			{Name: "statements", Type: abi.TypeInt},
			{Name: "text", Type: abi.TypeString},
			{Name: "command", Type: abi.TypeString, Values: []string{"select", "delete"}},
			{Name: "tables", Type: abi.TypeStrings},
		}},
	}}
}

const good = `
[[case]]
name = "one"
endpoint = "db"
peer = "claude"
family = "sql"
class = "delete"
title = "delete from users"
fields = { bounded = false, statements = 2, command = "delete", tables = ["users", "logins"] }
usage = { actions_per_minute = 7 }
outcome = "deny"
rule = "no"

[[case]]
endpoint = "db"
family = "connect"
class = "session"
streaming = true
outcome = "allow"
`

func TestCases(t *testing.T) {
	got, err := Parse("c.toml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	want := []Action{
		{Name: "one", Where: "c.toml: case 1", Endpoint: "db", Peer: "claude", Family: "sql", Class: "delete", Title: "delete from users",
			Fields: map[string]any{"bounded": false, "statements": int64(2), "command": "delete", "tables": []string{"users", "logins"}},
			Usage:  &decide.Usage{ActionsPerMinute: 7}, Outcome: "deny", Rule: "no"},
		{Where: "c.toml: case 2", Endpoint: "db", Family: "connect", Class: "session", Streaming: true, Fields: map[string]any{}, Outcome: "allow"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// The same as JSON, in each of its shapes.
	objects := []string{
		`{"name":"one","endpoint":"db","peer":"claude","family":"sql","class":"delete","title":"delete from users","fields":{"bounded":false,"statements":2,"command":"delete","tables":["users","logins"]},"usage":{"actions_per_minute":7},"outcome":"deny","rule":"no"}`,
		`{"endpoint":"db","family":"connect","class":"session","streaming":true,"outcome":"allow"}`,
	}
	for _, text := range []string{`{"case":[` + strings.Join(objects, ",") + `]}`, "[" + strings.Join(objects, ",") + "]", strings.Join(objects, "\n")} {
		got, err := Parse("c.json", []byte(text))
		for i := range got {
			got[i].Where = strings.Replace(got[i].Where, "json", "toml", 1)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n%v\ngot  %+v", text, err, got)
		}
	}
	one, err := Parse("c.toml", []byte("endpoint = \"db\"\nfamily = \"sql\"\nclass = \"read\"\n[fields]\nbounded = true\n"))
	if err != nil || len(one) != 1 || one[0].Fields["bounded"] != true {
		t.Errorf("one action: %+v, %v", one, err)
	}
}

func TestBadCases(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"c.toml", `family = "sql"`, `famly = "sql"`, `c.toml: case 1 ("one"): unknown key "famly"; did you mean "family"?`},
		{"c.toml", `family = "sql"`, ``, `case 1 ("one"): it has no family`},
		{"c.toml", `outcome = "deny"`, `outcome = "denny"`, `unknown outcome "denny"; did you mean "deny"?`},
		{"c.toml", `class = "delete"`, `class = 1`, `class has to be a string`},
		{"c.toml", `bounded = false`, `bounded = 1.5`, `field "bounded" has to be`},
		{"c.toml", `actions_per_minute = 7`, `action_per_minute = 7`, `did you mean "actions_per_minute"?`},
		{"c.toml", `actions_per_minute = 7`, `actions_per_minute = -7`, `not negative`},
		{"c.toml", `streaming = true`, `streaming = "yes"`, `case 2: streaming has to be true or false`},
		{"c.toml", `[[case]]`, `x = 1` + "\n[[case]]", `"x" stands beside case`},
		{"c.toml", `name = "one"`, `name = `, `line 3`},
		{"c.toml", good, ``, `it has no`},
		{"c.json", good, `{"case": 1}`, `case has to be a list`},
		{"c.json", good, `[1]`, `case 1 is not an object`},
		{"c.json", good, "{}\n{", `line 2`},
		{"c.json", good, `[]`, `has no case`},
	} {
		_, err := Parse(c.name, []byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v, want %q", c.new, c.old, err, c.want)
		}
	}
}

func TestInput(t *testing.T) {
	m := manifest()
	a := Action{Endpoint: "db", Family: "sql", Class: "delete", Fields: map[string]any{"bounded": false, "statements": int64(2), "tables": []string{"a"}}}
	in, err := a.Input(m, "dev")
	if err != nil {
		t.Fatal(err)
	}
	v := in.Action.Values
	if !v[0].Known || v[1].Int != 2 || v[2].Known || v[3].Known || !slices.Equal(v[4].List, []string{"a"}) || in.Profile != "dev" || !in.NoUsage || in.NoTitle {
		t.Errorf("%+v", in)
	}
	for _, c := range []struct {
		change func(*Action)
		want   string
	}{
		{func(a *Action) { a.Family = "sqll" }, `has no family "sqll"; did you mean "sql"?`},
		{func(a *Action) { a.Class = "del" }, `unknown class "del"`},
		{func(a *Action) { a.Fields = map[string]any{"bouned": true} }, `sql has no field "bouned"; did you mean "bounded"?`},
		{func(a *Action) { a.Fields = map[string]any{"bounded": "yes"} }, `sql.bounded is of type bool`},
		{func(a *Action) { a.Fields = map[string]any{"command": "selct"} }, `sql.command is never "selct"; did you mean "select"?`},
	} {
		b := a
		c.change(&b)
		if _, err := b.Input(m, ""); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// line is a receipt as a gateway writes it, with changes.
func line(change map[string]any) []byte {
	e := map[string]any{"_hash": "", "id": "r-1", "kind": "decision", "peer": "claude", "profile": "dev", "endpoint": "db", "family": "sql", "class": "write",
		"title": "insert into t", "fields": map[string]any{"bounded": true, "statements": 1, "text": "insert", "tables": []string{"t"}}, "outcome": "allow", "rule": "a"}
	for k, v := range change {
		if v == nil {
			delete(e, k)
			continue
		}
		e[k] = v
	}
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return b
}

// TestReceiptsAsCases: what a receipt does not hold is unknown, and what is no decision by rules is left out.
func TestReceiptsAsCases(t *testing.T) {
	read := func(change map[string]any) []Action {
		got, err := Parse("r.jsonl", append(line(map[string]any{"id": "first"}), line(change)...))
		if err != nil {
			t.Fatal(err)
		}
		return got[1:]
	}
	whole := read(nil)
	if len(whole) != 1 || whole[0].Outcome != "allow" || whole[0].Rule != "a" || len(whole[0].Fields) != 4 || whole[0].Lost != nil || whole[0].Where != "receipt r-1" {
		t.Errorf("%+v", whole)
	}
	for _, c := range []struct {
		change  map[string]any
		outcome string
		lost    []string
	}{
		{map[string]any{"outcome": "held"}, "hold", nil},
		{map[string]any{"outcome": "granted"}, "hold", nil},
		{map[string]any{"outcome": "would_deny"}, "would_deny", nil},
		{map[string]any{"cut": map[string]int{"text": 70000}}, "allow", []string{"text"}},
		{map[string]any{"left_out": []string{"text"}, "fields": map[string]any{"bounded": true}}, "allow", []string{"text"}},
	} {
		got := read(c.change)
		if len(got) != 1 || got[0].Outcome != c.outcome || !slices.Equal(got[0].Lost, c.lost) {
			t.Errorf("%v: %+v", c.change, got)
			continue
		}
		in, err := got[0].Input(manifest(), "dev")
		if err != nil || in.Action.Values[2].Known != (c.lost == nil) {
			t.Errorf("%v: %+v, %v", c.change, in.Action, err)
		}
	}
	for _, change := range []map[string]any{{"kind": "note"}, {"family": nil}, {"outcome": "fail_closed"}, {"outcome": "expired"}} {
		if got := read(change); len(got) != 0 {
			t.Errorf("%v: %+v", change, got)
		}
	}
	// What the plugin of today does not have, or has otherwise, is unknown; so is a title that was not kept.
	odd := read(map[string]any{"title": nil, "fields": map[string]any{"gone": true, "bounded": "x", "statements": "9007199254740993", "command": "upsert"}})
	in, err := odd[0].Input(manifest(), "dev")
	if err != nil || in.Action.Values[0].Known || in.Action.Values[1].Int != 9007199254740993 || !in.NoTitle {
		t.Errorf("%+v, %v", in, err)
	}
}

// scripted answers by the title of an action.
type scripted map[string]string

func (s scripted) Try(a *Action) (Result, error) {
	word, ok := s[a.Title]
	if !ok {
		return Result{}, fmt.Errorf("no endpoint %q", a.Endpoint)
	}
	r := Result{Verdict: decide.Verdict{Rule: "rule " + word}}
	switch o, _ := decide.ParseOutcome(strings.TrimPrefix(word, "would_")); {
	case strings.HasPrefix(word, "would_"):
		r.Verdict.Would = o
	default:
		r.Verdict.Outcome = o
	}
	if a.Title == "unsure" {
		r.Verdict.Unknown = []string{"sql.text"}
	}
	return r, nil
}

func sequence(titles ...string) iter.Seq2[*Action, error] {
	return func(yield func(*Action, error) bool) {
		for i, title := range titles {
			if !yield(&Action{Name: fmt.Sprint("r-", i), Endpoint: "db", Peer: "claude", Family: "sql", Class: "read", Title: title}, nil) {
				return
			}
		}
	}
}

func TestCompare(t *testing.T) {
	old := scripted{"same": "deny", "stricter": "allow", "held now": "allow", "freed": "deny", "unheld": "hold", "asked": "deny", "observed": "deny", "observes": "allow", "unsure": "hold", "closed": "allow"}
	next := scripted{"same": "deny", "stricter": "deny", "held now": "hold", "freed": "allow", "unheld": "allow", "asked": "hold", "observed": "would_deny", "observes": "would_deny", "unsure": "allow", "opened": "allow"}
	r, err := Compare(sequence("same", "stricter", "held now", "freed", "unheld", "asked", "observed", "observes", "unsure", "closed", "opened", "gone", "freed", "freed"), old, next)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Flips {
		got = append(got, fmt.Sprintf("%s: %s to %s ×%d", f.Title, f.Old, f.New, f.Count))
	}
	want := []string{"freed: deny to allow ×3", "observed: deny to would_deny ×1", "opened: deny to allow ×1", "unheld: hold to allow ×1", "unsure: hold to allow ×1",
		"asked: deny to hold ×1", "held now: allow to hold ×1", "closed: allow to deny ×1", "stricter: allow to deny ×1"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if r.Actions != 13 || r.Skipped != 1 || r.Unsure != 1 || r.Loosening() != 7 || r.Flips[0].Receipt != "r-13" || r.Flips[0].OldRule != "rule deny" {
		t.Errorf("%+v, %d", r, r.Loosening())
	}
	r.Limit(2)
	if len(r.Flips) != 2 || r.More != 7 {
		t.Errorf("limited: %+v", r)
	}
}

// looking answers that everything is allowed, and looked at by its inspections.
type looking []Inspection

func (l looking) Try(*Action) (Result, error) { return Result{Inspections: l}, nil }

func TestCompareLooks(t *testing.T) {
	a, b := Inspection{"a", "1"}, Inspection{"b", "2"}
	for _, test := range []struct {
		old, next    looking
		unseen, seen []string
		loosening    int
	}{
		{looking{a, b}, looking{b, a}, nil, nil, 0},
		{looking{a}, looking{{"renamed", "1"}}, nil, nil, 0},
		{looking{a}, nil, []string{"a"}, nil, 1},
		{nil, looking{a}, nil, []string{"a"}, 0},
		{looking{a, b}, looking{a, {"b", "3"}}, []string{"b"}, []string{"b"}, 1},
	} {
		r, err := Compare(sequence("x"), test.old, test.next)
		if err != nil || r.Loosening() != test.loosening || len(r.Flips) != min(1, len(test.unseen)+len(test.seen)) {
			t.Fatalf("%v to %v: %+v, %v", test.old, test.next, r, err)
		}
		if len(r.Flips) == 1 && (!slices.Equal(r.Flips[0].Unseen, test.unseen) || !slices.Equal(r.Flips[0].Seen, test.seen)) {
			t.Errorf("%v to %v: %+v", test.old, test.next, r.Flips[0])
		}
	}
}

// TestManyFlips: what a record makes the report hold is bounded.
func TestManyFlips(t *testing.T) {
	titles := make([]string, 3*maxFlips)
	old, next := scripted{}, scripted{}
	for i := range titles {
		titles[i] = fmt.Sprint("t", i)
		old[titles[i]], next[titles[i]] = "allow", "deny"
	}
	last := titles[len(titles)-1]
	old[last], next[last] = "deny", "allow"
	r, err := Compare(sequence(titles...), old, next)
	if err != nil || len(r.Flips) != maxFlips+1 || r.More != 2*maxFlips-1 || r.Flips[0].Title != last {
		t.Errorf("%d flips, %d more, %v", len(r.Flips), r.More, err)
	}
}

func TestReceipts(t *testing.T) {
	dir := t.TempDir()
	for name, id := range map[string]string{"receipts-1.jsonl": "a-1", "receipts.jsonl": "b-1", "note.txt": "c-1"} {
		data := append(append(line(map[string]any{"id": id}), '\n'), append(line(map[string]any{"id": "n", "kind": "note"}), '\n')...)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ids := func(path string) (got []string) {
		for a, err := range Receipts(path, receipt.ReadOptions{}) {
			if err != nil {
				got = append(got, err.Error())
				continue
			}
			got = append(got, a.Name)
		}
		return got
	}
	if got := ids(dir); !slices.Equal(got, []string{"a-1", "b-1"}) {
		t.Errorf("%q", got)
	}
	if got := ids(filepath.Join(dir, "receipts.jsonl")); !slices.Equal(got, []string{"b-1"}) {
		t.Errorf("%q", got)
	}
	for _, path := range []string{filepath.Join(dir, "no"), t.TempDir()} {
		if got := ids(path); len(got) != 1 || !strings.HasPrefix(got[0], "receipts: ") {
			t.Errorf("%q", got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "receipts.jsonl"), []byte("not a receipt\n"+string(line(nil))+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Compare(Receipts(dir, receipt.ReadOptions{}), scripted{}, scripted{}); err == nil {
		t.Error("a broken record is replayed as if it were whole")
	}
}

// TestWrittenByAGateway reads what the record itself writes.
func TestWrittenByAGateway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "receipts.jsonl")
	log, err := receipt.Open(path, receipt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := manifest()
	a := &abi.Action{Family: &m.Families[1], Class: abi.ClassDelete, Title: "delete from t", Values: make([]abi.Value, 5)}
	a.Values[0] = abi.Value{Known: true}
	a.Values[2] = abi.Value{Known: true, Str: strings.Repeat("x", 1<<20)}
	a.Values[4] = abi.Value{Known: true, List: []string{"t"}}
	if _, err := log.Append(&receipt.Record{Kind: receipt.Decision, Peer: "claude", Endpoint: "db", Action: a, Outcome: "deny", Rule: "r"}); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	var got []*Action
	for a, err := range Receipts(path, receipt.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a)
	}
	if len(got) != 1 || got[0].Class != "delete" || got[0].Outcome != "deny" || !slices.Equal(got[0].Lost, []string{"text"}) ||
		!reflect.DeepEqual(got[0].Fields, map[string]any{"bounded": false, "tables": []string{"t"}}) {
		t.Errorf("%+v", got[0])
	}
}

func FuzzParse(f *testing.F) {
	f.Add("c.toml", []byte(good))
	f.Add("c.toml", []byte("[[case]]\nfields = { a = [1, \"x\"], b = 1979-05-27 }\n"))
	f.Add("c.json", append(line(nil), line(map[string]any{"cut": "x"})...))
	f.Add("c.json", []byte(`{"case":[{"fields":{"a":1e400,"b":[[]],"c":null}},7]}`))
	f.Add("c.json", []byte(`[{"endpoint":"a","family":"sql","class":"read","usage":{"connections":1e2}}]`))
	m := manifest()
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		actions, err := Parse(name, data)
		if err != nil {
			return
		}
		for i := range actions {
			in, err := actions[i].Input(m, "dev")
			if err == nil && (in.Action.Family == nil || len(in.Action.Values) != len(in.Action.Family.Fields)) {
				t.Errorf("%+v", in)
			}
			_ = actions[i].String()
		}
	})
}
