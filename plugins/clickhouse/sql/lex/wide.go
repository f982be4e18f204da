package lex

import (
	"bytes"
	"unicode/utf8"
)

// wide reads what begins with a byte outside ASCII, or with a control character.
func (l *Lexer) wide(c byte) Kind {
	if c == 0xE2 {
		switch rest := l.src[l.pos:]; {
		case bytes.HasPrefix(rest, []byte("−")):
			return l.take(3, Minus)
		case len(rest) > 5 && bytes.HasPrefix(rest, []byte("‘")):
			return l.curly("’", String)
		case len(rest) > 5 && bytes.HasPrefix(rest, []byte("“")):
			return l.curly("”", Quoted)
		}
	}
	start := l.pos
	for l.pos < len(l.src) {
		n := blank(l.src[l.pos:])
		if n == 0 {
			break
		}
		l.pos += n
	}
	if l.pos > start {
		return Space
	}
	for l.pos++; l.pos < len(l.src) && l.src[l.pos]&0xC0 == 0x80; l.pos++ {
	}
	return Error
}

// curly reads a text in Unicode quotes, which knows no escapes.
func (l *Lexer) curly(closing string, kind Kind) Kind {
	n := bytes.Index(l.src[l.pos+3:], []byte(closing))
	if n < 0 {
		l.pos = len(l.src)
		return Error
	}
	return l.take(3+n+3, kind)
}

// blank is the length of the Unicode whitespace at the start of b, 0 if there is none.
func blank(b []byte) int {
	r, n := utf8.DecodeRune(b)
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0x85, 0xA0, 0x1680, 0x180E, 0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF:
		return n
	}
	if 0x2000 <= r && r <= 0x200D {
		return n
	}
	return 0
}

// Spaces is how many bytes of whitespace b begins with.
func Spaces(b []byte) int {
	n := 0
	for n < len(b) {
		k := blank(b[n:])
		if k == 0 {
			break
		}
		n += k
	}
	return n
}
