package nearest

import (
	"strings"
	"testing"
)

func TestWord(t *testing.T) {
	keys := []string{"listen", "network", "state", "window", "linger"}
	for _, c := range []struct {
		word       string
		candidates []string
		want       string
	}{
		{"lisen", keys, "listen"},
		{"LISTEN", keys, "listen"},
		{"listne", keys, "listen"}, // a swap counts once
		{"netwrok", keys, "network"},
		{"wndow", keys, "window"},
		{"networks", keys, "network"},
		{"port", keys, ""},
		{"frobnicate", keys, ""},
		{"", keys, ""},
		{"lisen", nil, ""},
		{"listen", []string{"listen"}, ""}, // the word itself is no suggestion
		{"ab", []string{"cd", "ax"}, "ax"},
		{"ab", []string{"xy", ""}, ""},
		{"cat", []string{"bat", "rat"}, "bat"}, // the first of two equals
		{"straße", []string{"strasse"}, "strasse"},
		{"äöü", []string{"äöo"}, "äöo"},
		{"ca", []string{"abc"}, ""},
		{"\xff\xfe", []string{"a"}, ""},
		{strings.Repeat("a", MaxWord+1), []string{strings.Repeat("a", MaxWord)}, ""},
		{strings.Repeat("a", MaxWord-1), []string{strings.Repeat("a", MaxWord), strings.Repeat("a", MaxWord+1)}, strings.Repeat("a", MaxWord)},
		{"lisen", append(make([]string, MaxWords), "listen"), ""},
		{"lisen", append(make([]string, MaxWords-1), "listen"), "listen"},
	} {
		got, ok := Word(c.word, c.candidates)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("nearest to %.20q is %.20q (%v), want %.20q", c.word, got, ok, c.want)
		}
	}
}

func TestHint(t *testing.T) {
	for _, c := range []struct {
		word       string
		candidates []string
		want       string
	}{
		{"alow", []string{"allow", "deny"}, `did you mean "allow"?`},
		{"drop", []string{"allow", "deny"}, `valid are "allow" and "deny"`},
		{"drop", []string{"allow", "deny", "hold"}, `valid are "allow", "deny" and "hold"`},
		{"drop", []string{"allow"}, `valid is "allow"`},
		{"drop", nil, ""},
		{"drop", make([]string, maxListed+1), ""},
	} {
		if got := Hint(c.word, c.candidates); got != c.want {
			t.Errorf("hint for %q among %q is %q, want %q", c.word, c.candidates, got, c.want)
		}
	}
}

// slow is the distance by its definition, without bounds.
func slow(x, y []rune) int {
	switch {
	case len(x) == 0:
		return len(y)
	case len(y) == 0:
		return len(x)
	}
	d := slow(x[1:], y[1:])
	if x[0] != y[0] {
		d = 1 + min(d, slow(x[1:], y), slow(x, y[1:]))
		if len(x) > 1 && len(y) > 1 && x[0] == y[1] && x[1] == y[0] {
			d = min(d, 1+slow(x[2:], y[2:]))
		}
	}
	return d
}

// FuzzDistance compares the bounded distance with the definition.
func FuzzDistance(f *testing.F) {
	f.Add("listen", "silent", 3)
	f.Add("ca", "abc", 3)
	f.Add("abcd", "badc", 2)
	f.Add("aab", "aba", 1)
	f.Fuzz(func(t *testing.T, a, b string, limit int) {
		x, y := []rune(a), []rune(b)
		if len(x) > 6 || len(y) > 6 || limit < 0 || limit > 8 {
			return
		}
		want := slow(x, y)
		got, ok := distance(a, b, limit)
		if ok != (want <= limit) || ok && got != want {
			t.Errorf("distance of %q and %q within %d is %d (%v), want %d", a, b, limit, got, ok, want)
		}
	})
}
