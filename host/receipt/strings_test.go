package receipt

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestRFC8785Strings has the sample of RFC 8785, section 3.2.2, and of each rule of 3.2.2.2 what it is about.
func TestRFC8785Strings(t *testing.T) {
	for s, want := range map[string]string{
		"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/": `"€$\u000f\nA'B\"\\\\\"/"`, // section 3.2.2, "string"
		"\b\t\n\f\r":           `"\b\t\n\f\r"`,
		"\x00\x01\x1e\x1f":     `"\u0000\u0001\u001e\u001f"`,
		"\x7f\u0080\u2028":     "\"\x7f\u0080\u2028\"", // not among what is escaped
		"/<>&'":                `"/<>&'"`,
		"\U0001F600":           "\"\U0001F600\"",
		"":                     `""`,
		"12345678":             `"12345678"`,
		"1234567\"":            `"1234567\""`,
		"\"12345678\\12345678": `"\"12345678\\12345678"`,
	} {
		if got := string(appendString(nil, s)); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
		var back string
		if err := json.Unmarshal(appendString(nil, s), &back); err != nil || back != s {
			t.Errorf("%q came back as %q: %v", s, back, err)
		}
	}
	// Every byte at every place of a word of eight, and beside others.
	for c := range 256 {
		for at := range 18 {
			b := []byte(strings.Repeat("x", 18))
			b[at] = byte(c)
			want, err := json.Marshal(strings.ToValidUTF8(string(b), "\uFFFD"))
			if err != nil {
				t.Fatal(err)
			}
			plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(want))
			if got := string(appendString(nil, string(b))); got != plain {
				t.Fatalf("%q: %s, want %s", b, got, plain)
			}
		}
	}
}

// TestRFC8785Numbers has those integers of RFC 8785, appendix B, that a receipt can hold as numbers; others are strings, because readers
// of JSON would not keep them (section 3.2.2.3).
func TestRFC8785Numbers(t *testing.T) {
	e := encoder{maxField: 100}
	for n, want := range map[int64]string{
		0: "0", -1: "-1", 9007199254740991: "9007199254740991", -9007199254740991: "-9007199254740991",
		9007199254740992: `"9007199254740992"`, -9007199254740992: `"-9007199254740992"`, 9223372036854775807: `"9223372036854775807"`,
	} {
		if got := string(e.value(nil, abi.TypeInt, &abi.Value{Known: true, Int: n})); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestTimes compares the encoder's own way with that of package time.
func TestTimes(t *testing.T) {
	e := &encoder{}
	base := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, at := range []time.Time{base, base.Add(1000), base.Add(999999 * time.Microsecond), base.Add(time.Second), base.Add(-time.Hour), base.Add(999),
		base.In(time.FixedZone("x", -5*3600)), time.Unix(0, 0), time.Unix(-1, 1000), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)} {
		if got, want := string(e.time(nil, at)), at.UTC().Format(timeLayout); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for _, at := range []time.Time{time.Date(10000, 1, 1, 0, 0, 0, 5000, time.UTC), time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := string(e.time(nil, at)); !strings.HasPrefix(got, "0001-01-01T00:00:00.") {
			t.Errorf("%v: %s", at, got)
		}
	}
}

// TestText keeps as much as the settings say.
func TestText(t *testing.T) {
	f := &abi.Family{Name: "sql", Fields: []abi.Field{
		{Name: "text", Type: abi.TypeString, Role: abi.RoleText}, {Name: "params", Type: abi.TypeStrings, Role: abi.RoleValues},
		{Name: "normalized", Type: abi.TypeString, Role: abi.RoleNormalized}, {Name: "verbs", Type: abi.TypeStrings}, {Name: "query", Type: abi.TypeString, Role: abi.RoleText},
	}}
	a := &abi.Action{Family: f, Class: abi.ClassRead, Title: "the title", Values: []abi.Value{
		{Known: true, Str: "select 'canary'"}, {Known: true, List: []string{"canary"}}, {Known: true, Str: "select $1"}, {Known: true, List: []string{"select"}}, {},
	}}
	for _, c := range []struct {
		text   Text
		fields []string
		left   []string
		title  string
	}{
		{Full, []string{"normalized", "params", "text", "verbs"}, nil, "the title"},
		{Normalized, []string{"normalized", "verbs"}, []string{"params", "text"}, "the title"},
		{None, []string{"verbs"}, []string{"normalized", "params", "text"}, ""},
	} {
		path := t.TempDir() + "/r"
		l := open(t, path, Options{Text: c.text})
		appendTo(t, l, &Record{Kind: Decision, Action: a, Outcome: OutcomeAllow})
		appendTo(t, l, &Record{Kind: Decision, Action: &abi.Action{Family: f, Values: make([]abi.Value, 5)}, Outcome: OutcomeAllow})
		es := entries(t, path)
		e := es[1]
		var names []string
		for name := range e.Fields {
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, c.fields) || !slices.Equal(e.LeftOut, c.left) || e.Title != c.title {
			t.Errorf("%d: %v, left out %v, title %q", c.text, names, e.LeftOut, e.Title)
		}
		if hidden := !strings.Contains(string(content(t, path)), "canary"); hidden != (c.text != Full) {
			t.Errorf("%d: the text is hidden: %v", c.text, hidden)
		}
		if es[2].LeftOut != nil {
			t.Errorf("%d: what is not known is left out: %s", c.text, es[2].Raw)
		}
		if _, err := Verify(path); err != nil {
			t.Error(err)
		}
	}
}
