// Package show makes text safe to read for a person who decides about it.
//
// What an agent sends can be made to look like something else: a terminal obeys control characters, a renderer turns the order of
// characters around, letters of another alphabet look like those that are meant, and some characters are not seen at all. All of these are
// shown as their code point in angle brackets, ⟨U+202E⟩; bytes that are not UTF-8 as ⟨0xFF⟩. The bracket ⟨ itself is shown in that way too, so
// that nothing in the text can pass for such a mark. What is left is what the eye reads:
//
//   - control and format characters, those that steer the direction of writing, and letters that are written from right to left,
//     because they turn around what stands beside them;
//   - characters that are not visible, or blank and not a space; line separators that are not a line feed;
//   - combining marks that draw over others, or stand on something that is not a letter, or are more than two;
//   - letters of another script inside a word, where they can look like those beside them: Latin, Greek, Cyrillic and their kin;
//     and words of Cyrillic, Greek or Armenian letters that all look like Latin ones;
//   - variants of ASCII characters: full-width, mathematical and enclosed letters, the Greek question mark that looks like a
//     semicolon, the minus that looks like a hyphen.
//
// This catches more than what deceives. Text in Hebrew and Arabic is not readable in it, and neither is the Russian word "с". A
// person is told the truth and can look at the original.
package show

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text makes a text of several lines safe to read. Line feeds and tabs stay.
func Text(s string) string {
	out, _ := cut(s, -1, true)
	return out
}

// Line makes a text safe to read in one line: a line feed is shown as ⟨U+000A⟩, a tab as ⟨U+0009⟩.
func Line(s string) string {
	out, _ := cut(s, -1, false)
	return out
}

// CutText is Text of as much of s as fits max bytes when it is shown, and how many bytes of s are missing in that. Nothing is added
// to say so.
func CutText(s string, max int) (shown string, missing int) { return cut(s, max, true) }

// CutLine is CutText for one line.
func CutLine(s string, max int) (shown string, missing int) { return cut(s, max, false) }

// Deceptive reports whether Text would change s.
func Deceptive(s string) bool { return !isPlain(s) && Text(s) != s }

// isPlain reports ASCII that stays as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < ' ' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// cut shows s within max bytes; a negative max is no bound.
func cut(s string, max int, lines bool) (string, int) {
	var b strings.Builder
	w := writer{b: &b, max: max, lines: lines}
	rest := s
	for rest != "" && !w.full {
		if n := wordEnd(rest); n > 0 {
			w.word(rest[:n])
			rest = rest[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(rest)
		w.other(rest[:size], r, rest[size:])
		rest = rest[size:]
	}
	return b.String(), len(s) - w.taken
}

// writer shows one character after the other.
type writer struct {
	b     *strings.Builder
	max   int
	lines bool
	full  bool
	taken int // bytes of the text that are shown

	last  rune // before the one in hand; 0: none
	marks int  // combining ones in a row
}

// put shows the character s as it is, or marked.
func (w *writer) put(s string, r rune, marked bool) {
	if w.full {
		return
	}
	shown := s
	switch {
	case r == utf8.RuneError && len(s) <= 1:
		shown = fmt.Sprintf("⟨0x%02X⟩", s[0])
	case marked:
		shown = Mark(r)
	}
	if w.max >= 0 && w.b.Len()+len(shown) > w.max {
		w.full = true
		return
	}
	w.b.WriteString(shown)
	w.taken += len(s)
	w.last = r
}

// Mark is how a character is shown that is not shown as itself.
func Mark(r rune) string { return fmt.Sprintf("⟨U+%04X⟩", r) }

// word shows a run of letters, digits and what belongs to them.
func (w *writer) word(s string) {
	if isASCII(s) {
		w.ascii(s)
		return
	}
	foreign := strangers(s)
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		w.letter(s[:size], r, foreign)
		s = s[size:]
	}
}

// ascii shows a word that cannot deceive, at once.
func (w *writer) ascii(s string) {
	if n := w.max - w.b.Len(); w.max >= 0 && len(s) > n {
		s, w.full = s[:n], true
	}
	w.b.WriteString(s)
	w.taken += len(s)
	if s != "" {
		w.last, w.marks = rune(s[len(s)-1]), 0
	}
}

func (w *writer) letter(s string, r rune, foreign func(rune) bool) {
	if unicode.In(r, unicode.Mn, unicode.Mc, unicode.Me) {
		w.marks++
		w.put(s, r, hidden(r) || draws(r) || w.marks > 2 || !(unicode.IsLetter(w.last) || unicode.Is(unicode.M, w.last)))
		return
	}
	w.marks = 0
	w.put(s, r, hidden(r) || rightToLeft(r) || variant(r) || foreign(r))
}

// other shows a character that belongs to no word; rest is what follows.
func (w *writer) other(s string, r rune, rest string) {
	w.marks = 0
	switch {
	case r == '\n' || r == '\t':
		w.put(s, r, !w.lines)
	case r == '⟨':
		w.put(s, r, true)
	case dash(r):
		next, _ := utf8.DecodeRuneInString(rest)
		w.put(s, r, r != '-' && (isDash(w.last) || isDash(next)))
	default:
		w.put(s, r, hidden(r) || rightToLeft(r) || variant(r))
	}
}

// wordEnd is how long the word is that s begins with.
func wordEnd(s string) int {
	for i, r := range s {
		if !inWord(r) || r == utf8.RuneError {
			return i
		}
	}
	return len(s)
}

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	// What is not seen does not part a word, so that it cannot hide that there are two scripts in it.
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.M, r) || hidden(r) && !unicode.IsSpace(r) && !unicode.IsControl(r)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
