// Package head reads the heads of HTTP/1.1 messages and their framing, strictly by RFC 9110 and 9112: what two servers could read
// differently is a [Problem], whether or not a server would be lenient about it. It is written for a guest: nothing is allocated,
// everything found is a place in the input.
package head

// Problem says why something is not read; empty: nothing is wrong. It is part of an answer to the agent, so it never quotes the input.
type Problem string

// lower maps the bytes of a token (RFC 9110 section 5.6.2) to lower case, and "_" to "-": servers that hand headers on as variables
// cannot tell these two apart. Other bytes are 0.
var lower = func() (t [256]byte) {
	for c := byte('0'); c <= '9'; c++ {
		t[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = c, c
	}
	for _, c := range []byte("!#$%&'*+-.^`|~") {
		t[c] = c
	}
	t['_'] = '-'
	return t
}()

// Kinds of bytes, as bits.
const (
	inValue  = 1 << iota // of a field's value: HTAB, SP, VCHAR, obs-text
	inTarget             // of a request target: VCHAR but "#", and obs-text, which facts call ambiguous
	inHost               // of a host or authority
	inMethod             // upper case letters, digits, "-" and "_"
)

var kinds = func() (t [256]uint8) {
	for c := 0x20; c < 0x100; c++ {
		if c == 0x7f {
			continue
		}
		t[c] = inValue
		if c > 0x20 && c != '#' {
			t[c] |= inTarget
		}
	}
	t['\t'] = inValue
	for c := byte('0'); c <= '9'; c++ {
		t[c] |= inHost | inMethod
	}
	for c := byte('a'); c <= 'z'; c++ {
		t[c] |= inHost
		t[c-'a'+'A'] |= inHost | inMethod
	}
	t['-'] |= inHost | inMethod
	t['_'] |= inHost | inMethod
	for _, c := range []byte(".:[]~") {
		t[c] |= inHost
	}
	return t
}()

// hex maps hexadecimal digits to their values plus 1; other bytes are 0.
var hex = func() (t [256]byte) {
	for c := byte('0'); c <= '9'; c++ {
		t[c] = c - '0' + 1
	}
	for c := byte('a'); c <= 'f'; c++ {
		t[c], t[c-'a'+'A'] = c-'a'+11, c-'a'+11
	}
	return t
}()

// Unhex is the value of two hexadecimal digits.
func Unhex(a, b byte) (v byte, ok bool) {
	x, y := hex[a], hex[b]
	return (x-1)<<4 | (y - 1), x != 0 && y != 0
}

// Lower is c in lower case if it can stand in a field's name, "-" for "_"; else 0.
func Lower(c byte) byte { return lower[c] }

// IsToken reports whether p is a token.
func IsToken(p []byte) bool {
	for _, c := range p {
		if lower[c] == 0 {
			return false
		}
	}
	return len(p) > 0
}

// Fold reports whether p is text but for the case of its letters; text is in lower case.
func Fold(p []byte, text string) bool {
	if len(p) != len(text) {
		return false
	}
	for i, c := range p {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != text[i] {
			return false
		}
	}
	return true
}
