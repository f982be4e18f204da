package receipt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "receipts.jsonl")
	l := open(t, path, Options{})
	appendTo(t, l, &Record{Kind: Start, Policy: "abc", Detail: "v1"})
	appendTo(t, l, &Record{Kind: Refused, Peer: "claude", Target: "10.0.0.1:22", Reason: "no endpoint has this address"})
	r := decision("DELETE FROM \"users\" -- \x01\n\xff é \u2028")
	r.Time = time.Date(2026, 1, 2, 3, 4, 5, 6789000, time.FixedZone("x", 3600))
	r.Outcome, r.Streaming, r.Unknown, r.WouldDeny = OutcomeFailClosed, true, []string{"sql.later"}, []string{"later"}
	id := appendTo(t, l, r)
	appendTo(t, l, &Record{Kind: Note, Parent: id, Conn: "c1", ActionID: 7, Pairs: []string{"rows", "3", "rows", "4"}})
	appendTo(t, l, &Record{Kind: End, Conn: "c1", Up: 12, Down: math.MaxUint64, Reason: "the agent closed"})
	appendTo(t, l, &Record{Kind: Stop, Reason: "asked to"})

	es := entries(t, path)
	if got := kinds(es); !slices.Equal(got, []Kind{Genesis, Start, Refused, Decision, Note, End, Stop}) {
		t.Fatalf("%v", got)
	}
	e := *es[3]
	if e.ID != id || len(id) > 12 {
		t.Errorf("id %q, in the file %q", id, e.ID)
	}
	e.Raw = nil
	want := Entry{Hash: e.Hash, Prev: es[2].Hash, Seq: 3, ID: id, Kind: Decision, Time: "2026-01-02T02:04:05.006789Z", Conn: "c1", ActionID: 7,
		Peer: "claude-laptop", Profile: "dev", Endpoint: "prod-db", Plugin: "postgres", PluginDigest: "sha256:00112233445566778899aabbccddeeff",
		Family: "sql", Class: "delete", Title: "delete from public.users", Streaming: true, Outcome: OutcomeFailClosed, Rule: "no deletes", Reason: "ask first",
		FailClosed: true, Unknown: []string{"sql.later"}, WouldDeny: []string{"later"},
		Fields: map[string]any{"text": "DELETE FROM \"users\" -- \x01\n\uFFFD é \u2028", "bounded": true,
			"tables": []any{"public.users", "public.logins"}, "statements": json.Number("2")}}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
	if n := es[4]; n.Parent != id || !reflect.DeepEqual(n.Note, [][2]string{{"rows", "3"}, {"rows", "4"}}) {
		t.Errorf("the note: %+v", n)
	}
	if n := es[5]; n.Up != 12 || n.Down != maxExact {
		t.Errorf("the end: %+v", n)
	}
	if _, err := Verify(path); err != nil {
		t.Error(err)
	}
}

// TestCanonical checks that lines are as RFC 8785 wants them: members sorted at every level, no spaces.
func TestCanonical(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	l := open(t, path, Options{MaxField: 20})
	r := decision("\x00\x1f\x7f\b\t\n\f\r\"\\/<>&é\u2028😀")
	r.Outcome, r.Streaming, r.Unknown, r.WouldDeny, r.Parent, r.Target = OutcomeFailClosed, true, []string{"a"}, []string{"b"}, "p", "t"
	r.Policy, r.Detail, r.Pairs = "p", "d", []string{"a", "b"}
	appendTo(t, l, r)
	appendTo(t, l, &Record{Kind: End})
	for _, line := range bytes.Split(bytes.TrimSpace(content(t, path)), []byte("\n")) {
		var v map[string]any
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b) // sorts members
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		// encoding/json escapes two characters that RFC 8785 leaves alone.
		want := strings.NewReplacer(`\u2028`, "\u2028", `\u2029`, "\u2029").Replace(strings.TrimSpace(b.String()))
		if string(line) != want {
			t.Errorf("got  %s\nwant %s", line, want)
		}
	}
}

func TestValuesAreCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	l := open(t, path, Options{MaxField: 10})
	a := action("aaaaaaaaaé123456") // the cut would be inside of é
	a.Values[2].List = []string{"a", "b", "c", "d"}
	a.Values[3].Int = math.MinInt64
	appendTo(t, l, &Record{Kind: Decision, Action: a, Reason: strings.Repeat("r", 5000)})
	a.Values[0].Str, a.Values[2].List, a.Values[3].Int = "aaaaaaaaaa", []string{"a"}, maxExact
	appendTo(t, l, &Record{Kind: Decision, Action: a, Reason: "r"})
	es := entries(t, path)
	cut, whole := es[1], es[2]
	if cut.Fields["text"] != "aaaaaaaaa" || !reflect.DeepEqual(cut.Fields["tables"], []any{"a", "b"}) || cut.Fields["statements"] != "-9223372036854775808" ||
		!reflect.DeepEqual(cut.Cut, map[string]int64{"text": 17, "tables": 4}) || len(cut.Reason) != MaxString {
		t.Errorf("%+v", cut)
	}
	if whole.Fields["text"] != "aaaaaaaaaa" || whole.Cut != nil || whole.Fields["statements"] != json.Number("9007199254740991") {
		t.Errorf("the twin: %+v", whole)
	}
}

// TestTheLargestActionFits writes what a plugin can make longest: every byte escaped to six, every field at its limit.
func TestTheLargestActionFits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	l := open(t, path, Options{MaxField: abi.MaxAction})
	worst := strings.Repeat("\x01", abi.MaxAction)
	f := &abi.Family{Name: "x", Fields: []abi.Field{{Name: "a", Type: abi.TypeString}}}
	r := &Record{Kind: Decision, Action: &abi.Action{Family: f, Title: worst[:abi.MaxTitle], Values: []abi.Value{{Known: true, Str: worst}}},
		Reason: worst, Rule: worst, Conn: worst, Peer: worst, Unknown: slices.Repeat([]string{worst[:200]}, 500)}
	appendTo(t, l, r)
	if es := entries(t, path); len(es) != 2 || es[1].Fields["a"] != worst {
		t.Error("it is not what was written")
	}
	// Past the limit: refused, and the log goes on.
	r.Action.Values[0].Str = strings.Repeat("\x01", MaxLine)
	l.encoder.maxField = MaxLine
	if _, err := l.Append(r); !errors.Is(err, ErrTooLong) {
		t.Errorf("a line that is too long: %v", err)
	}
	appendTo(t, l, decision("x"))
	if r, err := Verify(path); err != nil || r.Records != 3 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestReopenContinuesTheChain(t *testing.T) {
	path := sample(t, 3)
	before := entries(t, path)
	l := open(t, path, Options{Durability: Synced})
	id := appendTo(t, l, decision("again"))
	if r, err := Verify(path); err != nil || r.Records != 5 || r.Torn != 0 {
		t.Fatalf("%+v %v", r, err)
	}
	last := entries(t, path)[4]
	if last.Prev != before[3].Hash || last.ID != id || last.tag() != before[0].tag() || last.Seq != 4 {
		t.Errorf("%+v", last)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestOneWriter(t *testing.T) {
	path := sample(t, 1)
	l, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("a second writer: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, Options{})
}

func TestClosed(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "r"), Options{})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(decision("x")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestReservedKinds(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "r"), Options{})
	for _, k := range []Kind{Genesis, Torn, ""} {
		if _, err := l.Append(&Record{Kind: k}); err == nil {
			t.Errorf("kind %q was appended", k)
		}
	}
}

// TestTornLine cuts the file at every byte of its last line, as a crash would.
func TestTornLine(t *testing.T) {
	path := sample(t, 2)
	whole := content(t, path)
	begin := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for at := begin; at <= len(whole); at += 7 {
		if at+7 > len(whole) && at != len(whole)-1 {
			at = len(whole) - 1 // only the newline is missing
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "r")
		write(t, path, whole[:at])
		l, err := Open(path, Options{})
		if err != nil {
			t.Fatalf("at %d: %v", at, err)
		}
		appendTo(t, l, decision("after"))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := Verify(path)
		if err != nil {
			t.Fatalf("at %d: %v", at, err)
		}
		saved, err := filepath.Glob(path + ".torn-*")
		if err != nil {
			t.Fatal(err)
		}
		if at == begin {
			if r.Torn != 0 || len(saved) != 0 || r.Records != 3 {
				t.Errorf("nothing was torn: %+v %v", r, saved)
			}
			continue
		}
		if r.Torn != 1 || len(saved) != 1 || r.Records != 4 || !bytes.Equal(content(t, saved[0]), whole[begin:at]) {
			t.Fatalf("at %d: %+v %v", at, r, saved)
		}
		if e := entries(t, path)[2]; e.Kind != Torn || len(e.Note) != 3 || e.Note[2][1] != filepath.Base(saved[0]) {
			t.Errorf("at %d: %+v", at, e)
		}
	}
}

// TestTornGenesis is a crash while the file was made.
func TestTornGenesis(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	write(t, path, []byte(`{"_hash":"00`))
	open(t, path, Options{})
	if got := kinds(entries(t, path)); !slices.Equal(got, []Kind{Genesis, Torn}) {
		t.Errorf("%v", got)
	}
}

// TestOpenRefuses what it must not write behind.
func TestOpenRefuses(t *testing.T) {
	good := content(t, sample(t, 2))
	changed := bytes.Clone(good)
	changed[len(changed)-20] ^= 1
	for name, b := range map[string][]byte{
		"a changed last line": changed, "another file": []byte("hello\n"), "no lines": bytes.Repeat([]byte("x"), 3*MaxLine),
		"a line that is too long": append(bytes.Repeat([]byte("x"), 3*MaxLine), '\n'),
	} {
		path := filepath.Join(t.TempDir(), "r")
		write(t, path, b)
		if l, err := Open(path, Options{}); err == nil {
			t.Errorf("%s: opened", name)
			_ = l.Close()
		}
		if !bytes.Equal(content(t, path), b) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(sample(t, 1), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, dir, "/dev/null"} {
		if l, err := Open(path, Options{}); err == nil {
			t.Errorf("%s: opened", path)
			_ = l.Close()
		}
	}
}

// TestConcurrentAppends has every id once, in a whole chain.
func TestConcurrentAppends(t *testing.T) {
	for _, d := range []Durability{Written, Synced} {
		path := filepath.Join(t.TempDir(), "r")
		l := open(t, path, Options{Durability: d, SyncEvery: time.Millisecond})
		const writers, each = 8, 50
		var group sync.WaitGroup
		ids := make([][]string, writers)
		for i := range writers {
			group.Go(func() {
				for range each {
					id, err := l.Append(decision(strings.Repeat("x", i*100)))
					if err != nil {
						t.Error(err)
						return
					}
					ids[i] = append(ids[i], id)
				}
			})
		}
		group.Wait()
		if r, err := Verify(path); err != nil || r.Records != writers*each+1 {
			t.Fatalf("%+v %v", r, err)
		}
		texts := map[string]any{}
		for _, e := range entries(t, path) {
			texts[e.ID] = e.Fields["text"]
		}
		for i := range writers {
			for _, id := range ids[i] {
				if texts[id] != strings.Repeat("x", i*100) {
					t.Fatalf("%s is %q", id, texts[id])
				}
			}
		}
	}
}

// TestOnRecordBeforeReturn reads the file after each append, without closing: law 7.
func TestOnRecordBeforeReturn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	l := open(t, path, Options{SyncEvery: time.Hour})
	for range 20 {
		id := appendTo(t, l, decision("x"))
		if !bytes.Contains(content(t, path), []byte(`"id":"`+id+`"`)) {
			t.Fatalf("%s is not in the file", id)
		}
	}
}

// TestRemovedFile: receipts must not go to a file that nobody will find.
func TestRemovedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	l, err := Open(path, Options{SyncEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, l, decision("x"))
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log notices that its file is gone", func() bool {
		_, err := l.Append(decision("x"))
		return err != nil
	})
	if err := l.Close(); err == nil {
		t.Error("closing says nothing")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
