package answer

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// seen writes down what a walk shows: names with a colon, strings in quotes, literals, with the member that a value is of behind it.
func seen(p string) (string, Outcome) {
	var b strings.Builder
	o := Walk([]byte(p), func(f *Found) {
		text := p[f.Start:f.End]
		switch f.Kind {
		case MemberName:
			b.WriteString(text + ": ")
			return
		case StringValue:
			b.WriteString(`"` + text + `"`)
		case LiteralValue:
			b.WriteString(text)
		case TextBegins:
			b.WriteString("; ")
			return
		case ElementBegins:
			if f.Depth == 1 {
				b.WriteString(", ")
			}
			return
		}
		if f.Name.Start >= 0 {
			b.WriteString("@" + p[f.Name.Start:f.Name.End])
		}
		b.WriteString(" ")
	})
	return b.String(), o
}

func TestWalk(t *testing.T) {
	for _, c := range []struct {
		text, want string
		outcome    Outcome
	}{
		{`{"a":"x","b":[1,"y",{"c":null}],"d":{}}`, `; a: "x"@a b: 1@b "y"@b c: null@c d: `, Complete},
		{`[{"a":1},{"a":2}]`, `; , a: 1@a , a: 2@a `, Complete},
		{" [ ] ", "; ", Complete},
		{"\xef\xbb\xbf1\n\"a\\\"b\"\x1e{}", "; 1 ; \"a\\\"b\" ; ", Complete},
		{`{"a":"b`, `; a: "b"@a `, Incomplete},
		{`{"a":tr`, `; a: tr@a `, Incomplete},
		{`{"a":-`, `; a: -@a `, Incomplete},
		{`{"a`, `; a: `, Incomplete},
		{`{"a":1,`, `; a: 1@a `, Incomplete},
		{`{"a":1,}`, `; a: 1@a `, NotJSON},
		{`[1,]`, `; , 1 `, NotJSON},
		{`[1 2]`, `; , 1 `, NotJSON},
		{`{"a" 1}`, `; a: `, NotJSON},
		{`{a:1}`, `; `, NotJSON},
		{`{"a":01}`, `; a: `, NotJSON},
		{`"\x"`, `; `, NotJSON},
		{"\"\n\"", `; `, NotJSON},
		{`]`, `; `, NotJSON},
		{``, ``, NotJSON},
		{`{"a":1}}`, `; a: 1@a ; `, NotJSON},
		{strings.Repeat("[", maxNesting+1), "; " + ", ", NotJSON},
	} {
		if got, o := seen(c.text); o != c.outcome || got != c.want {
			t.Errorf("%.40q: %q %d, want %q %d", c.text, got, o, c.want, c.outcome)
		}
	}
	for text, want := range map[string]string{`a`: "a", `\u0073\n\"\/`: "s\n\"/", `\ud83d\ude00é`: "😀é", `\ud83dx`: "\uFFFDx", `a\`: `a\`, `\u00`: `\u00`} {
		if got := Unescaped([]byte(text)); got != want {
			t.Errorf("%q: %q, not %q", text, got, want)
		}
	}
}

// FuzzWalk: what every reader of JSON takes is read, its strings are those that a reader finds, and a front of it is never more than cut off.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{`{"a":"x","b":[1,"y",{"c":null}]}`, "[1.5e3,true]\n{}", `"\ud83d\ude00"`, `{"a":"b`, `{"\u0061":[[]]}`} {
		f.Add([]byte(s), 5)
	}
	f.Fuzz(func(t *testing.T, p []byte, n int) {
		at := 0
		o := Walk(p, func(f *Found) {
			if f.Start < at || f.End < f.Start || f.End > len(p) {
				t.Fatalf("%d to %d behind %d in %q", f.Start, f.End, at, p)
			}
			at = f.End
			if f.Kind == StringValue || f.Kind == MemberName {
				text, _ := abi.Unescape(p[f.Start:f.End])
				if got := Unescaped(p[f.Start:f.End]); utf8.Valid(p) && got != string(text) {
					t.Fatalf("%q is %q here, %q there", p[f.Start:f.End], got, text)
				}
			}
		})
		if o == Complete && n >= 0 && n < len(p) {
			if front := Walk(p[:n], nil); front == NotJSON && strings.Trim(string(p[:n]), "\xef\xbb\xbf \t\r\n\x1e") != "" {
				t.Fatalf("the front %q of %q is no JSON", p[:n], p)
			}
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(p))
		if d.Decode(&v) == nil && !d.More() && !utf8.Valid(p) {
			return
		}
		if json.Valid(p) && o != Complete && !deep(p) {
			t.Fatalf("%q is JSON", p)
		}
	})
}

func deep(p []byte) bool { return bytes.Count(p, []byte("["))+bytes.Count(p, []byte("{")) > maxNesting }
