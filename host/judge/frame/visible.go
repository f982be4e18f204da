package frame

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// visible shows characters that a reader would obey, or not see, as their code points: ⟨U+202E⟩, and bytes that are not UTF-8 as
// ⟨0xFF⟩. Line feeds and tabs stay. The bracket ⟨ is shown in this way too, so that nothing can pass for such a mark.
//
// So are the characters that begin what some servers take for the marks between messages, wherever in a prompt they stand:
// <|im_end|>, </s>, <start_of_turn>, [INST], and their full-width forms.
func visible(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, "⟨0x%02X⟩", s[i])
		case hidden(r) || r == '⟨' || r == '⟩' || begins(s[i:]):
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plain reports whether there is nothing to show in another way, for most texts at once.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' && c != '\n' && c != '\t' || c == 0x7f || c == '<' || c == '[' {
			return false
		}
	}
	return true
}

// hidden reports characters that are not seen, that steer others, or that nobody has given a meaning.
func hidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < ' ' || r == 0x7f:
		return true
	case r < utf8.RuneSelf:
		return false
	}
	return !unicode.IsGraphic(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Zl, unicode.Zp) ||
		r == '\u2800' || r != ' ' && unicode.Is(unicode.Zs, r)
}

// marks begin what chat templates put between messages, in lower case.
var marks = []string{"<|", "<s>", "</s>", "<<sys", "<</sys", "<start_of", "<end_of", "<bos>", "<eos>", "[inst", "[/inst", "[system", "[/system",
	"[tool", "[/tool", "[available", "[/available", "[gmask", "<sop>", "<unk>", "<pad>"}

// longestMark is enough of a text to see whether it begins with one, however its characters are written.
const longestMark = 48

// begins reports whether a text begins with such a mark, also in the forms that servers take for the same (NFKC).
func begins(s string) bool {
	switch r, _ := utf8.DecodeRuneInString(s); r {
	case '<', '[', '＜', '﹤', '［', '﹝', '〈', '\u2329':
	default:
		return false
	}
	s = norm.NFKC.String(s[:min(len(s), longestMark)])
	for _, m := range marks {
		if len(s) >= len(m) && strings.EqualFold(s[:len(m)], m) {
			return true
		}
	}
	return false
}
