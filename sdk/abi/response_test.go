package abi

import (
	"strings"
	"testing"
)

// TestResponse: what the host makes of values that a plugin names.
func TestResponse(t *testing.T) {
	r := &Response{Parent: 7, Kept: []byte(`x1 "a\tb" x2 22;zip`)}
	var entries []byte
	value := func(column uint16, format Format, more bool, start, length uint32) {
		b, _ := AppendValue(nil, -1, 7, column, format, more, start, length)
		entries = append(entries, b[commandHead+4:]...)
	}
	value(0, FormatText, false, 0, 2)
	value(1, FormatJSON, false, 4, 4)
	value(0, FormatText, false, 10, 2)
	value(1, FormatText, false, 13, 1)
	value(0, 0, true, 14, 1)
	if err := r.AddValues(entries); err != nil {
		t.Fatal(err)
	}
	text := Command{Tag: TagText, Column: 2, Data: []byte("gi")}
	if err := r.AddText(&text, 10); err != nil {
		t.Fatal(err)
	}
	if err := r.AddText(&Command{Tag: TagText, On: true, Data: []byte("ven\xff")}, 10); err != nil {
		t.Fatal(err)
	}
	family := ResponseFamily("")
	a := &Action{Family: &family, Values: make([]Value, len(family.Fields))}
	r.Fill(a)
	if got, want := a.Values[ResponseText].Str, "x1\ta\tb\nx2\t22\tgiven\uFFFD"; got != want || a.Values[ResponseBytes].Int != int64(len(r.Kept)) {
		t.Errorf("%q, want %q", got, want)
	}
	entries = nil
	value(NoColumn, FormatOpaque, false, 16, 3)
	if err := r.AddValues(entries); err != nil {
		t.Fatal(err)
	}
	if r.Fill(a); a.Values[ResponseText].Known {
		t.Error("a text is known that cannot be read")
	}
	for name, bad := range map[string]error{
		"more texts than the limit": r.AddText(&Command{Data: []byte("12345")}, 10),
		"a piece of nothing":        new(Response).AddText(&Command{On: true}, 10),
		"a piece of a text": (&Response{Kept: []byte("abc"), Values: []ResponseValue{{Given: true}}}).AddValues(func() []byte {
			b, _ := AppendValue(nil, -1, 7, 0, 0, true, 0, 1)
			return b[commandHead+4:]
		}()),
	} {
		if bad == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestValuesInTurn: two values whose pieces come in turn are two whole values.
func TestValuesInTurn(t *testing.T) {
	kept := "seXcrYet"
	r := Response{Kept: []byte(kept)}
	b, last := AppendValue(nil, -1, 7, 0, FormatText, false, 0, 2)
	b, last = AppendValue(b, last, 7, 1, FormatText, false, 2, 1)
	b, last = AppendValueOn(b, last, 7, 0, 3, 2)
	b, last = AppendValueOn(b, last, 7, 1, 5, 1)
	b, _ = AppendValueOn(b, last, 7, 0, 6, 2)
	if err := r.AddValues(b[commandHead+4:]); err != nil {
		t.Fatal(err)
	}
	if got := r.Joined(); got != "secret\tXY" {
		t.Errorf("%q", got)
	}
	for name, entry := range map[string]func() ([]byte, int){
		"a piece of a column that has no value": func() ([]byte, int) { return AppendValueOn(nil, -1, 7, 2, 8, 0) },
		"a piece before the last one":           func() ([]byte, int) { return AppendValueOn(nil, -1, 7, 1, 5, 1) },
	} {
		if b, _ := entry(); r.AddValues(b[commandHead+4:]) == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestUnescape: escapes of JSON, and where they stand.
func TestUnescape(t *testing.T) {
	for raw, want := range map[string]string{
		`plain`: "plain", `a\nb`: "a\nb", `\u0041\u00e9`: "Aé", `\ud83d\udd11`: "🔑", `\ud83d`: "\uFFFD", `\ud83dx`: "\uFFFDx", `\x`: `\x`, `\`: `\`, `\u12`: `\u12`, `\"\\\/`: `"\/`,
	} {
		text, at := Unescape([]byte(raw))
		if string(text) != want || len(at) != len(text)+1 || int(at[len(text)]) != len(raw) {
			t.Errorf("%q: %q %v", raw, text, at)
		}
		for i := 1; i < len(at); i++ {
			if at[i] < at[i-1] {
				t.Errorf("%q: %v", raw, at)
			}
		}
	}
}

// TestResponseFamily: a plugin that declares the family in another form is refused.
func TestResponseFamily(t *testing.T) {
	good := ResponseFamily("doc", Field{Name: "status", Type: TypeInt})
	short, other := good, good
	short.Fields = good.Fields[:4]
	other.Fields = append([]Field{}, good.Fields...)
	other.Fields[1].Type = TypeString
	for _, c := range []struct {
		f    Family
		want string
	}{{good, ""}, {short, "begins with 4 fields"}, {other, "field 1 is rows string"}} {
		err := (&Manifest{Name: "p", Families: []Family{c.f}}).Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
