package mask

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const token = "ghp_S3cr3t/Token+With=Signs&More"

// run puts a text through a stream in pieces that end at cuts.
func run(s *Set, text []byte, cuts ...int) []byte {
	m := s.Stream()
	var out []byte
	at := 0
	for _, cut := range append(slices.Sorted(slices.Values(cuts)), len(text)) {
		cut = min(max(cut, at), len(text))
		first, second := m.Next(bytes.Clone(text[at:cut]))
		out = append(append(out, first...), second...)
		at = cut
	}
	return append(out, m.Flush()...)
}

// TestForms: every form is found, wherever it is cut and whatever surrounds it, and nothing else changes.
func TestForms(t *testing.T) {
	s := NewSet([]byte(token), []byte(strings.ToLower(token)))
	for what, form := range map[string]string{
		"raw": token, "header": "Bearer " + token, "base64": base64.StdEncoding.EncodeToString([]byte(token)), "base64url": base64.URLEncoding.EncodeToString([]byte(token)),
		"basic": base64.StdEncoding.EncodeToString([]byte("user:" + token)), "basic, one more": base64.StdEncoding.EncodeToString([]byte("users:" + token + "x")),
		"basic, two more": base64.StdEncoding.EncodeToString([]byte("a-user:" + token + "yz")),
		"query":           url.QueryEscape(token), "path": url.PathEscape(token), "every byte": string(percent([]byte(token), nobody, upperHex)), "lower case": strings.ToLower(url.QueryEscape(strings.ToLower(token))), "json": strings.ReplaceAll(token, "&", `\u0026`),
	} {
		text := []byte("before " + form + " after, and again: " + form)
		whole := run(s, text)
		if len(whole) != len(text) || strings.Count(string(whole), "*") < len(token) || !bytes.HasPrefix(whole, []byte("before ")) || !bytes.Contains(whole, []byte(" after, and again: ")) {
			t.Errorf("%s: %s", what, whole)
		}
		if bytes.Contains(whole, []byte(form[4:len(form)-4])) {
			t.Errorf("%s: %s", what, whole)
		}
		for cut := range text {
			for _, other := range []int{cut + 1, cut + 5, len(text) - 2} {
				got := run(s, text, cut, other)
				if leaked := differs(whole, got); len(got) != len(text) || leaked > 2*loose {
					t.Fatalf("%s cut at %d and %d: %s", what, cut, other, got)
				}
			}
		}
	}
	// The twin: what only looks like it.
	for _, text := range []string{"", token[:len(token)-1], token[1:], strings.ToTitle(token), "Bearer " + token[:20] + "x" + token[21:]} {
		if got := run(s, []byte(text)); string(got) != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func differs(a, b []byte) (n int) {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// TestNone: short values, no values.
func TestNone(t *testing.T) {
	if NewSet() != nil || NewSet([]byte("short"), nil) != nil {
		t.Error("a set of nothing")
	}
	var s *Set
	if got := run(s, []byte("a short text"), 3); string(got) != "a short text" {
		t.Errorf("%q", got)
	}
	if m := s.Stream(); m.Held() != 0 || len(m.Flush()) != 0 {
		t.Error("something is held")
	}
}

// TestHeld: no more is held than may be the beginning, it can be given up, and the rest is masked then.
func TestHeld(t *testing.T) {
	s := NewSet([]byte("0123456789abcdef"))
	m := s.Stream()
	for _, c := range []struct {
		piece, out string
		held       int
	}{
		{"hello 012", "hello 012", 0},         // too few to be held
		{"3", "", 0},                          // held from here on, the three before are gone
		{"x", "3x", 0},                        // it was not the beginning
		{"01234567", "", 8},                   // held
		{"89abcdef!", "****************!", 0}, // it was
		{"0123456701234567", "01234567", 8},
		{"89", "", 10},
	} {
		first, second := m.Next([]byte(c.piece))
		got := string(first) + string(second)
		if c.piece == "3" { // one byte of four is left to hold
			if got != "" || m.Held() != 1 {
				t.Errorf("%q: %q, %d held", c.piece, got, m.Held())
			}
			continue
		}
		if got != c.out || m.Held() != c.held {
			t.Errorf("%q: %q, %d held", c.piece, got, m.Held())
		}
	}
	if got := string(m.Flush()); got != "0123456789" || m.Held() != 0 {
		t.Errorf("given up: %q", got)
	}
	if first, second := m.Next([]byte("abcdef, 0123456789abcdef")); len(first) != 0 || string(second) != "******, ****************" {
		t.Errorf("behind it: %q, %q", first, second)
	}
}

// naive says what comes out, byte by byte, without any cleverness.
func naive(s *Set, text []byte, ends []int) []byte {
	out := bytes.Clone(text)
	released := make([]int, len(text)) // at which end a byte is passed on
	for i := range released {
		released[i] = len(text) + 1
	}
	for _, end := range ends {
		hold := 0
		for _, p := range s.patterns {
			for n := loose + 1; n < len(p) && n <= end; n++ {
				if bytes.Equal(text[end-n:end], p[:n]) {
					hold = max(hold, n)
				}
			}
		}
		for i := range end - hold {
			released[i] = min(released[i], end)
		}
	}
	for _, p := range s.patterns {
		for from := range text {
			if bytes.HasPrefix(text[from:], p) {
				for i := from; i < from+len(p); i++ {
					if from+len(p) <= released[i] {
						out[i] = Mark
					}
				}
			}
		}
	}
	return out
}

// check compares a stream with naive.
func check(t *testing.T, s *Set, text []byte, cuts []int) {
	t.Helper()
	var ends []int
	for _, c := range cuts {
		ends = append(ends, min(c, len(text)))
	}
	ends = append(ends, len(text))
	slices.Sort(ends)
	if got, want := run(s, text, cuts...), naive(s, text, ends); !bytes.Equal(got, want) {
		t.Fatalf("%q cut at %v\n got %q\nwant %q\npatterns %q", text, ends, got, want, s.patterns)
	}
}

// TestAgainstNaive makes texts of pieces of secrets that overlap.
func TestAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		alphabet := "ab"
		if r.IntN(2) == 0 {
			alphabet = "abcdefgh"
		}
		word := func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = alphabet[r.IntN(len(alphabet))]
			}
			return b
		}
		var values [][]byte
		for range 1 + r.IntN(3) {
			values = append(values, word(Least+r.IntN(12)))
		}
		s := NewSet(values...)
		var text []byte
		for range r.IntN(8) {
			v := values[r.IntN(len(values))]
			text = append(append(text, v[r.IntN(3):len(v)-r.IntN(3)]...), word(r.IntN(4))...)
		}
		var cuts []int
		for range r.IntN(10) {
			cuts = append(cuts, r.IntN(len(text)+1))
		}
		check(t, s, text, cuts)
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("aaaaaaaa"), []byte("aaaaaaaaaaaaaaaaab"), []byte("aaaaaaaaaaaaaaaaaaaaaaaaab"), []byte{3, 9, 1})
	f.Add([]byte(token), []byte("abcabcabc"), []byte("x"+token+"abcabcabcabc"), []byte{1, 1, 1, 1})
	f.Add([]byte("Zm9vYmFyYmF6"), []byte("foobarbaz"), []byte("Zm9vYmFyYmF6foobarbaz"), []byte{4})
	f.Fuzz(func(t *testing.T, a, b, text, lengths []byte) {
		if len(a) > 64 || len(b) > 64 || len(text) > 512 {
			return
		}
		s := NewSet(a, b)
		if s == nil {
			return
		}
		var cuts []int
		at := 0
		for _, n := range lengths {
			at += int(n)
			cuts = append(cuts, at)
		}
		check(t, s, text, cuts)
	})
}

func BenchmarkNothing(b *testing.B) {
	text := make([]byte, 32<<10)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range text {
		text[i] = byte(r.IntN(256))
	}
	words := []byte(strings.Repeat(`{"id": 17, "name": "a name", "email": "somebody@example.com", "admin": false},`+"\n", 400))
	for _, c := range []struct {
		name  string
		value string
	}{{"8", "passw0rd"}, {"40", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"}, {"200", strings.Repeat("eyJhbGciOi", 20)}, {"2000", strings.Repeat("eyJhbGciOi", 200)}} {
		for what, text := range map[string][]byte{"random": text, "json": words} {
			b.Run(fmt.Sprintf("%s/%s", c.name, what), func(b *testing.B) {
				m := NewSet([]byte(c.value)).Stream()
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					m.Next(text)
				}
			})
		}
	}
	b.Run("40/small", func(b *testing.B) {
		m := NewSet([]byte("ghp_16C7e42F292c6912E7710c838347Ae178B4a")).Stream()
		b.ReportAllocs()
		b.SetBytes(200)
		for b.Loop() {
			m.Next(words[:200])
		}
	})
}
