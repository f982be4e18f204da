package show

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestText: what deceives is seen, and its benign twin is left alone.
func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "DELETE FROM users WHERE id = 7; -- x\n\tAND 'it''s' <> \"y\"", ""},
		{"empty", "", ""},
		{"escape sequence", "a\x1b[2Jb", "a⟨U+001B⟩[2Jb"},
		{"carriage return", "DROP x\rSELECT", "DROP x⟨U+000D⟩SELECT"},
		{"null, backspace, delete, C1", "a\x00b\x08c\x7fd\u009be", "a⟨U+0000⟩b⟨U+0008⟩c⟨U+007F⟩d⟨U+009B⟩e"},
		{"override", "a\u202eb\u202c", "a⟨U+202E⟩b⟨U+202C⟩"},
		{"isolate and marks", "\u2066\u2069\u200e\u200f\u061c", "⟨U+2066⟩⟨U+2069⟩⟨U+200E⟩⟨U+200F⟩⟨U+061C⟩"},
		{"zero width", "dro\u200bp \u200c\u200d\u2060\ufeff\u00ad", "dro⟨U+200B⟩p ⟨U+200C⟩⟨U+200D⟩⟨U+2060⟩⟨U+FEFF⟩⟨U+00AD⟩"},
		{"fillers", "\u3164\uffa0\u115f\u2800\u034f\ufe0f", "⟨U+3164⟩⟨U+FFA0⟩⟨U+115F⟩⟨U+2800⟩⟨U+034F⟩⟨U+FE0F⟩"},
		{"tags", "a\U000e0041", "a⟨U+E0041⟩"},
		{"blanks", "a\u00a0b\u2003c\u3000d", "a⟨U+00A0⟩b⟨U+2003⟩c⟨U+3000⟩d"},
		{"line separators", "-- x\u2028DROP\u2029\u0085", "-- x⟨U+2028⟩DROP⟨U+2029⟩⟨U+0085⟩"},
		{"private and unassigned", "\ue000\U000e1000", "⟨U+E000⟩⟨U+E1000⟩"},
		{"not UTF-8", "a\xffb\xc3", "a⟨0xFF⟩b⟨0xC3⟩"},
		{"the replacement character itself", "a\ufffdb", ""},
		{"a mark that the agent wrote", "⟨U+202E⟩", "⟨U+27E8⟩U+202E⟩"},

		{"Cyrillic in a Latin word", "us\u0435rs", "us⟨U+0435⟩rs"},
		{"beginning with it", "\u0430dmin", "⟨U+0430⟩dmin"},
		{"Greek in a Latin word", "pr\u03bfd", "pr⟨U+03BF⟩d"},
		{"Armenian in a Latin word", "u\u0585er", "u⟨U+0585⟩er"},
		{"Cherokee", "\u13aaR\u13a0NT", "⟨U+13AA⟩R⟨U+13A0⟩NT"},
		{"a word parted by what is not seen", "us\u200b\u0435rs", "us⟨U+200B⟩⟨U+0435⟩rs"},
		{"a word with a digit and an underscore", "a_1\u0441", "a_1⟨U+0441⟩"},
		{"all of it Cyrillic that looks Latin", "\u0430\u0441\u0435 = 1", "⟨U+0430⟩⟨U+0441⟩⟨U+0435⟩ = 1"},
		{"all of it Greek that looks Latin", "\u0391\u0392", "⟨U+0391⟩⟨U+0392⟩"},
		{"Cyrillic and Greek", "жизн\u03bd", "жизн⟨U+03BD⟩"},
		{"phonetic", "\u0261rant", "⟨U+0261⟩rant"},
		{"Russian", "привет, мир: удали таблицу", ""},
		{"Greek", "Καλημέρα κόσμε", ""},
		{"other Latin", "Größe naïve Łódź İstanbul Việt", ""},
		{"Latin, decomposed", "nai\u0308ve", ""},
		{"Japanese and Latin", "東京DBのテーブル", ""},
		{"Thai", "สวัสดี", ""},
		{"Hindi", "नमस्ते", ""},
		{"signs", "€ 5 — “so”, don’t … → ≤ ★ 🙂", ""},

		{"Hebrew turns its neighbours around", "id = א AND 5", "id = ⟨U+05D0⟩ AND 5"},
		{"Arabic and its digits", "م ١", "⟨U+0645⟩ ⟨U+0661⟩"},
		{"full width", "ＤＲＯＰ；", "⟨U+FF24⟩⟨U+FF32⟩⟨U+FF2F⟩⟨U+FF30⟩⟨U+FF1B⟩"},
		{"mathematical", "𝐝rop", "⟨U+1D41D⟩rop"},
		{"Greek question mark", "x\u037e", "x⟨U+037E⟩"},
		{"a comment that is none", "x \u2212\u2212 y, x \u2010\u2010 y", "x ⟨U+2212⟩⟨U+2212⟩ y, x ⟨U+2010⟩⟨U+2010⟩ y"},
		{"two long dashes", "x \u2013\u2013 y -\u2014", "x ⟨U+2013⟩⟨U+2013⟩ y -⟨U+2014⟩"},
		{"one long dash", "1990\u20132000 \u2014 all", ""},
		{"fraction slash", "a\u2044b\u2215c", "a⟨U+2044⟩b⟨U+2215⟩c"},
		{"strike-through", "s\u0336a\u0336", "s⟨U+0336⟩a⟨U+0336⟩"},
		{"a mark on a sign", "a =\u0301 b", "a =⟨U+0301⟩ b"},
		{"many marks", "e\u0301\u0301\u0301\u0301", "e\u0301\u0301⟨U+0301⟩⟨U+0301⟩"},
	} {
		want := c.want
		if want == "" {
			want = c.in
		}
		if got := Text(c.in); got != want {
			t.Errorf("%s: %q is shown as %q, want %q", c.name, c.in, got, want)
		}
		if got := Deceptive(c.in); got != (want != c.in) {
			t.Errorf("%s: Deceptive(%q) = %v", c.name, c.in, got)
		}
	}
}

func TestLine(t *testing.T) {
	if got := Line("a\nb\tc ж"); got != "a⟨U+000A⟩b⟨U+0009⟩c ж" {
		t.Errorf("%q", got)
	}
}

// TestCut: what is cut is cut between two characters as they are shown, and what is missing is counted in the text's own bytes.
func TestCut(t *testing.T) {
	for _, c := range []struct {
		in      string
		max     int
		shown   string
		missing int
	}{
		{"abc", 3, "abc", 0},
		{"abcd", 3, "abc", 1},
		{"abcd", 0, "", 4},
		{"ab cd", 4, "ab c", 1},
		{"aé", 2, "a", 2},
		{"aé", 3, "aé", 0},
		{"a\u202eb", 10, "a", 4},
		{"a\u202eb", 13, "a⟨U+202E⟩", 1},
		{"ab\u202eb", 11, "ab", 4},
		{"", 5, "", 0},
	} {
		if shown, missing := CutText(c.in, c.max); shown != c.shown || missing != c.missing {
			t.Errorf("CutText(%q, %d) = %q, %d; want %q, %d", c.in, c.max, shown, missing, c.shown, c.missing)
		}
	}
}

// unsafe reports what is wrong with a text that was shown.
func unsafe(s string) string {
	if !utf8.ValidString(s) {
		return "not UTF-8"
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && (hidden(r) || rightToLeft(r)) {
			return Mark(r)
		}
	}
	return ""
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "SELECT 1", "us\u0435rs \u202e ⟨U+202E⟩ \xff\xfe \u0301", strings.Repeat("\u05d0", 9), "a\r\n\x1b]0;x\x07"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, max int) {
		full := Text(s)
		if bad := unsafe(full); bad != "" {
			t.Fatalf("%q is shown as %q: %s", s, full, bad)
		}
		if max < 0 {
			max = 0
		}
		shown, missing := CutText(s, max)
		if len(shown) > max || !strings.HasPrefix(full, shown) || missing < 0 || missing > len(s) || missing == 0 && shown != full {
			t.Fatalf("CutText(%q, %d) = %q, %d; all of it: %q", s, max, shown, missing, full)
		}
		if line := Line(s); strings.ContainsAny(line, "\n\t") {
			t.Fatalf("%q in one line: %q", s, line)
		}
	})
}

func BenchmarkText(b *testing.B) {
	s := strings.Repeat("SELECT name, größe FROM users WHERE id = 7 AND note = 'привет';\n", 100)
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		_ = Text(s)
	}
}
