package sql

// Rows reads rows in the format Values as they stream by, and says whether they hold literals alone. The server evaluates expressions in
// such rows: functions, and queries of other tables. The zero value is ready.
type Rows struct {
	quote   byte // the quote that is open
	escaped bool // the next byte is behind a backslash
	last    byte // the byte before, outside quotes
	word    [maxLiteral]byte
	length  int // of the word
	refused bool
}

// maxLiteral is the longest bare word among literals: infinity.
const maxLiteral = 8

// Feed reads the next bytes, and reports whether all so far are literals, brackets and commas. Once false, it stays so. At the end of the
// rows [Rows.End] must be asked as well.
func (s *Rows) Feed(b []byte) bool {
	for _, c := range b {
		if s.refused {
			return false
		}
		switch {
		case s.escaped:
			s.escaped = false
		case s.quote != 0:
			if c == '\\' {
				s.escaped = true
			} else if c == s.quote {
				s.quote = 0
			}
		default:
			s.plain(c)
		}
	}
	return !s.refused
}

// End reports whether the rows held literals alone, after the last of them was fed.
func (s *Rows) End() bool {
	s.endWord()
	return !s.refused && s.quote == 0
}

// plain reads a byte outside quotes.
func (s *Rows) plain(c byte) {
	switch {
	case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_', '0' <= c && c <= '9':
		if s.length < maxLiteral {
			s.word[s.length] = c | 0x20
		}
		s.length++
	case c == '\'':
		s.refused = s.refused || s.length > 0 // x'41' and DATE '…' are expressions
		s.endWord()
		s.quote = c
	case c == '(' || c == '[':
		s.refused = s.refused || s.length > 0 // a call
		s.endWord()
	case c == '-' && s.last == '-':
		s.refused = true // a comment
	case c == ' ', '\t' <= c && c <= '\r', c == ',', c == ')', c == ']', c == '{', c == '}', c == ':', c == '.', c == '-', c == '+', c == ';':
		s.endWord()
	default:
		s.refused = true
	}
	s.last = c
}

// endWord refuses a bare word that is no literal.
func (s *Rows) endWord() {
	n := s.length
	s.length = 0
	if n == 0 || s.word[0] >= '0'|0x20 && s.word[0] <= '9'|0x20 && digitsOrExponent(s.word[:min(n, maxLiteral)]) {
		return
	}
	if n <= maxLiteral {
		switch string(s.word[:n]) {
		case "null", "true", "false", "nan", "inf", "infinity", "default":
			return
		}
	}
	s.refused = true
}

// digitsOrExponent reports whether a word is a number, or the part of one before a sign: 12, 0x1f, 1e.
func digitsOrExponent(w []byte) bool {
	for _, c := range w {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && c != 'x' && c != 'p' {
			return false
		}
	}
	return true
}
