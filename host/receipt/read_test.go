package receipt

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLast(t *testing.T) {
	path := sample(t, 300) // several chunks of the search from the end
	for n, want := range map[int]uint64{1: 300, 2: 299, 250: 51, 300: 1, 301: 0, 1000: 0, 0: 0} {
		first, count := uint64(0), 0
		for e, err := range Read(path, ReadOptions{Last: n}) {
			if err != nil {
				t.Fatal(err)
			}
			if count == 0 {
				first = e.Seq
			}
			count++
		}
		if first != want || count != 301-int(want) {
			t.Errorf("the last %d: %d records from %d on", n, count, first)
		}
	}
}

// TestReadGoesOn behind lines that are no records.
func TestReadGoesOn(t *testing.T) {
	lines := bytes.SplitAfter(content(t, sample(t, 2)), []byte("\n"))
	path := filepath.Join(t.TempDir(), "r")
	write(t, path, bytes.Join([][]byte{lines[0], []byte("nonsense\n"), lines[1], bytes.Repeat([]byte("x"), 3*MaxLine), []byte("\n"), lines[2], []byte(`{"_ha`)}, nil))
	got := ""
	for e, err := range Read(path, ReadOptions{}) {
		if err != nil {
			got += "error "
			continue
		}
		got += fmt.Sprint(e.Seq, " ")
	}
	if got != "0 error 1 error 2 error " {
		t.Error(got)
	}
	for range Read(path, ReadOptions{}) {
		break // leaving early is fine
	}
	n := 0
	for _, err := range Read(filepath.Join(t.TempDir(), "none"), ReadOptions{}) {
		if n++; err == nil {
			t.Error("a file that does not exist has records")
		}
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}

// TestFollow sees what is appended later, and half a line only when it is whole.
func TestFollow(t *testing.T) {
	source := bytes.SplitAfter(content(t, sample(t, 3)), []byte("\n"))
	path := filepath.Join(t.TempDir(), "r")
	write(t, path, source[0])
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	add := func(b []byte) {
		if _, err := f.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	want := uint64(0)
	for e, err := range Follow(ctx, path, ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq != want {
			t.Fatalf("record %d, want %d", e.Seq, want)
		}
		switch want++; want {
		case 1:
			add(source[1][:30])
			// It is taken back and written anew, as after a full disk.
			if err := f.Truncate(int64(len(source[0]))); err != nil {
				t.Fatal(err)
			}
			add(source[1])
			add(source[2][:50])
		case 2:
			add(source[2][50:])
		case 3:
			add(source[3])
		case 4:
			cancel()
		}
	}
	if want != 4 {
		t.Errorf("%d records", want)
	}
}

func TestLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	l := open(t, path, Options{})
	id := appendTo(t, l, decision("x"))
	r := decision("x")
	r.Outcome, r.Rule, r.Reason, r.Unknown, r.WouldDeny = "allow", "reads", "not shown", []string{"sql.text"}, []string{"later"}
	appendTo(t, l, r)
	appendTo(t, l, &Record{Kind: Refused, Peer: "claude", Target: "10.0.0.1:22", Reason: "no endpoint has this address"})
	appendTo(t, l, &Record{Kind: Note, Parent: id, Pairs: []string{"rows", "3"}})
	appendTo(t, l, &Record{Kind: End, Peer: "claude", Endpoint: "prod-db", Up: 1, Down: 2, Reason: "a trap", Outcome: OutcomeFailClosed})
	for i, want := range []string{
		"genesis   sallyport receipts, format 2  [%s]",
		`deny      claude-laptop -> prod-db  sql delete  "delete from public.users"  rule "no deletes"  ask first  [%s]`,
		`allow     claude-laptop -> prod-db  sql delete  "delete from public.users"  unknown: sql.text  would be denied by: later  rule "reads"  [%s]`,
		"refused   claude -> 10.0.0.1:22  no endpoint has this address  [%s]",
		"note     of " + id + "  rows=\"3\"  [%s]",
		"end       claude -> prod-db  1 bytes up, 2 bytes down  a trap  (fail closed)  [%s]",
	} {
		e := entries(t, path)[i]
		got := Line(e, false)
		_, rest, _ := strings.Cut(got, "  ")
		if want = fmt.Sprintf(want, e.ID); rest != want {
			t.Errorf("got  %q\nwant %q", rest, want)
		}
		var b bytes.Buffer
		if err := Print(&b, e, false); err != nil || b.String() != got+"\n" {
			t.Errorf("%q %v", b.String(), err)
		}
	}
	if got := Line(entries(t, path)[1], true); !strings.Contains(got, "\x1b[31mdeny    \x1b[0m") || strings.Count(got, "\x1b") != 2 {
		t.Errorf("%q", got)
	}
}

// hostile are strings that do something to a terminal or a reader, with how they are shown.
var hostile = map[string]string{
	"a\x1b[2Jb": `a\x1b[2Jb`, "a\nb": `a\nb`, "a\r\tb": `a\r\tb`, "\x07\x7f\x00": `\a\x7f\x00`,
	"\u009b31m": `\u009b31m`, "a\u202eb": `a\u202eb`, "\u2066x\u2069": `\u2066x\u2069`, "\u200bx": `\u200bx`, "\ufeff": `\ufeff`,
	"\xff\xfe": `\xff\xfe`, `a\nb`: `a\\nb`, "\u00a0": `\u00a0`, "\u2028": `\u2028`, "a\u0301": `a\u0301`, "\u3164": `\u3164`, "\uFFFD": "\uFFFD",
	"\U000E0041": `\U000e0041`, "ordinary, é 漢字 😀": "ordinary, é 漢字 😀",
}

// TestTerminalInjection puts them everywhere.
func TestTerminalInjection(t *testing.T) {
	for s, want := range hostile {
		if got := clean(s); got != want {
			t.Errorf("%q is shown as %q, want %q", s, got, want)
		}
		all := Entry{ID: s, Kind: Kind(s), Time: s, Parent: s, Peer: s, Endpoint: s, Target: s, Family: s, Class: s, Title: s, Outcome: Outcome(s), Rule: s,
			Reason: s, Unknown: []string{s}, WouldDeny: []string{s}, Note: [][2]string{{s, s}}, Policy: s, Detail: s}
		for _, k := range []Kind{Kind(s), Genesis, Torn, Start, Stop, Refused, Decision, Note, End} {
			e := all
			e.Kind = k
			harmless(t, Line(&e, false))
			harmless(t, strings.NewReplacer("\x1b[31m", "", "\x1b[0m", "").Replace(Line(&e, true)))
			e.Outcome = "deny"
			harmless(t, Line(&e, false))
		}
	}
	if got := clean(strings.Repeat("é", 300)); utf8.RuneCountInString(got) > shown+30 || !strings.HasSuffix(got, "(120 more bytes)") {
		t.Errorf("%q", got)
	}
}

func harmless(t *testing.T, line string) {
	t.Helper()
	if !utf8.ValidString(line) {
		t.Errorf("%q is not UTF-8", line)
	}
	for _, r := range line {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Zl, r) {
			t.Fatalf("%q has %U", line, r)
		}
	}
}

// FuzzFile reads, verifies, prints and opens any bytes as a file of receipts. Syncing to a real disk would take all the time.
func FuzzFile(f *testing.F) {
	good := content(f, sample(f, 2))
	f.Add(good)
	f.Add(good[:len(good)-3])
	f.Add([]byte(`{"id":"a","kind":"decision","outcome":"deny","title":"\u001b[2J","fields":{"a":[1,{"b":null}]},"note":[["a"],["b","c","d"]]}` + "\n"))
	f.Add([]byte("{}\n[]\nnull\n\"\"\n\n\xff\n"))
	f.Add([]byte(`{"id":"a","kind":"end","up":-1}` + "\n" + `{"id":"a","kind":"end","up":1e400}` + "\n"))
	f.Add([]byte(`{"_hash":"` + strings.Repeat("0", 64) + `",` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "r")
		write(t, path, b)
		for e, err := range Read(path, ReadOptions{}) {
			if err == nil {
				harmless(t, Line(e, false))
			}
		}
		for range Read(path, ReadOptions{Last: 2}) {
		}
		_, bad := Verify(path)
		l, err := Open(path, Options{wrap: func(f *os.File) file { return &disk{File: f} }})
		if err != nil {
			if bad == nil {
				t.Fatalf("it verifies and does not open: %v", err)
			}
			return
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(path); bad == nil && err != nil {
			t.Fatalf("opening broke it: %v", err)
		}
	})
}

// FuzzAnchor verifies a good log against any bytes as its anchor and its keys: only what was anchored can be found.
func FuzzAnchor(f *testing.F) {
	path, _, anchor := anchoredLog(f, 2)
	keys := content(f, KeysFile(path))
	f.Add([]byte(anchor), keys)
	f.Add([]byte(strings.Repeat(anchor, 2)), []byte("ed25519:\n"))
	f.Add([]byte(anchor[:len(anchor)/2]), keys[:20])
	f.Add([]byte(`{"_hash":"`+strings.Repeat("0", 64)+`",`+"\n"), []byte{})
	f.Fuzz(func(t *testing.T, anchor, keys []byte) {
		file := filepath.Join(t.TempDir(), "r.pub")
		write(t, file, keys)
		known, err := ReadKeys(file)
		if err != nil {
			known = nil
		}
		r, err := VerifyWith(path, VerifyOptions{Keys: known, Anchor: bytes.NewReader(anchor)})
		if err == nil && r.Anchored == 0 {
			t.Fatalf("it verifies against an anchor without a checkpoint of it: %+v", r)
		}
	})
}

// FuzzString checks that any string comes back from a line, but for bytes that are not UTF-8.
func FuzzString(f *testing.F) {
	for s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := decision(s)
		r.Peer, r.Pairs = s, []string{s, s}
		e := encoder{tag: "abcde", maxField: 1 << 20}
		line, _, _ := e.line(nil, r, &tip{})
		if len(line) >= MaxLine {
			return
		}
		if _, err := checkHash(line[:len(line)-1]); err != nil {
			t.Fatal(err)
		}
		got, err := parseEntry(line[:len(line)-1])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if want := strings.ToValidUTF8(s, "\uFFFD"); strings.ReplaceAll(fmt.Sprint(got.Fields["text"]), "\uFFFD", "") != strings.ReplaceAll(want, "\uFFFD", "") {
			t.Fatalf("%q came back as %q", s, got.Fields["text"])
		}
		harmless(t, Line(got, false))
	})
}
