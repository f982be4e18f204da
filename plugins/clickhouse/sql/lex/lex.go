// Package lex splits a text of ClickHouse's SQL into tokens, byte for byte as the server does (its Lexer.cpp). Tokens cover the text
// without gaps: each byte belongs to exactly one, whitespace and comments included. The lexer never fails: what the server's lexer
// calls an error is a token of kind Error.
//
// Nothing that a session can set changes how a text is split, but the server's version does: comments nest in new servers and end at
// the first */ in old ones, and $tag$ … $tag$ is a string in new ones. With an unknown version, and with versions between those that
// are known to do the one or the other, a text in which that makes a difference has an Error token there.
package lex

import "bytes"

// Kind is a token's kind.
type Kind uint8

// The kinds of tokens. Operators of two and three characters are one token.
const (
	End Kind = iota
	Space
	Comment
	Word       // a bare word: identifier or keyword; also $1 and 1st
	Quoted     // a quoted identifier: "a", `a`, “a”
	Number     // 1, 0x1p3, .5e-2, 1_000
	String     // 'a', ‘a’, x'41', b'0101'
	HereDoc    // $tag$a$tag$
	Open       // (
	Close      // )
	OpenSq     // [
	CloseSq    // ]
	OpenCurly  // {
	CloseCurly // }
	Comma
	Semicolon
	Dot
	Star
	Plus
	Minus // also U+2212
	Slash
	Percent
	Arrow // ->
	Question
	Caret
	Colon
	DoubleColon
	Equal        // = and ==
	NotEqual     // != and <>
	Less         // <
	Greater      // >
	LessEqual    // <=
	GreaterEqual // >=
	Spaceship    // <=>
	Concat       // ||
	Pipe
	At
	DoubleAt
	Dollar
	Vertical // \G
	Error
	Kinds // their number
)

// Token is one token: the bytes from Start up to End.
type Token struct {
	Kind       Kind
	Start, End int32
}

// Nesting says how the server reads what old and new versions read differently.
type Nesting uint8

// How a construct is read.
const (
	Unknown Nesting = iota // it makes an Error token
	Old                    // comments end at the first */, $ begins no string
	New                    // comments nest, heredocs exist
)

// Lexer splits one text.
type Lexer struct {
	src      []byte
	pos      int
	prev     Kind // the last token that is neither space nor comment
	comments Nesting
	heredocs Nesting
	searches int // for the ends of heredocs that have none
}

// maxSearches bounds them: each goes through the rest of the text.
const maxSearches = 128

// Reset begins a text of less than 2 GiB.
func (l *Lexer) Reset(src []byte, comments, heredocs Nesting) {
	*l = Lexer{src: src, comments: comments, heredocs: heredocs}
}

// character classes
const (
	isWord = 1 << iota
	isDigit
	isHex
	isSpace
)

var classes = func() (t [256]uint8) {
	for c := range 256 {
		b := byte(c)
		switch {
		case '0' <= b && b <= '9':
			t[c] = isWord | isDigit | isHex
		case 'a' <= b && b <= 'f', 'A' <= b && b <= 'F':
			t[c] = isWord | isHex
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', b == '_':
			t[c] = isWord
		case b == ' ', '\t' <= b && b <= '\r':
			t[c] = isSpace
		}
	}
	return t
}()

// IsWord reports whether a byte can stand in a bare word.
func IsWord(c byte) bool { return classes[c]&isWord != 0 }

// IsHex reports whether a byte is a hexadecimal digit.
func IsHex(c byte) bool { return classes[c]&isHex != 0 }

// single are the tokens of one byte that begin no other.
var single = [256]Kind{'(': Open, ')': Close, '[': OpenSq, ']': CloseSq, '{': OpenCurly, '}': CloseCurly, ',': Comma, ';': Semicolon,
	'+': Plus, '*': Star, '%': Percent, '?': Question, '^': Caret}

// Next returns the next token, of kind End at the end and ever after.
func (l *Lexer) Next() Token {
	start := l.pos
	kind := l.next()
	if kind != Space && kind != Comment {
		l.prev = kind
	}
	return Token{kind, int32(start), int32(l.pos)}
}

func (l *Lexer) next() Kind {
	src, pos := l.src, l.pos
	if pos >= len(src) {
		return End
	}
	c := src[pos]
	switch class := classes[c]; {
	case class&isSpace != 0:
		for pos++; pos < len(src) && classes[src[pos]]&isSpace != 0; pos++ {
		}
		l.pos = pos
		return Space
	case class&isDigit != 0:
		return l.number()
	case class != 0:
		if (c == 'x' || c == 'X' || c == 'b' || c == 'B') && pos+2 < len(src) && src[pos+1] == '\'' {
			return l.digits(c == 'x' || c == 'X')
		}
		return l.word()
	}
	if k := single[c]; k != 0 {
		l.pos++
		return k
	}
	return l.other(c)
}

// word reads a bare word; its first byte is one.
func (l *Lexer) word() Kind {
	src, pos := l.src, l.pos+1
	for pos < len(src) && (classes[src[pos]]&isWord != 0 || src[pos] == '$') {
		pos++
	}
	l.pos = pos
	return Word
}

// at is the byte at i, 0 behind the end.
func (l *Lexer) at(i int) byte {
	if i < len(l.src) {
		return l.src[i]
	}
	return 0
}

// take moves on by n and returns k.
func (l *Lexer) take(n int, k Kind) Kind {
	l.pos += n
	return k
}

func (l *Lexer) other(c byte) Kind {
	next := l.at(l.pos + 1)
	switch c {
	case '\'':
		return l.quoted(c, String)
	case '"', '`':
		return l.quoted(c, Quoted)
	case '.':
		return l.dot()
	case '-':
		switch next {
		case '>':
			return l.take(2, Arrow)
		case '-':
			return l.line()
		}
		return l.take(1, Minus)
	case '/':
		switch next {
		case '/':
			return l.line()
		case '*':
			return l.comment()
		}
		return l.take(1, Slash)
	case '#':
		if next == ' ' || next == '!' {
			return l.line()
		}
		return l.take(1, Error)
	case '=':
		if next == '=' {
			return l.take(2, Equal)
		}
		return l.take(1, Equal)
	case '!':
		if next == '=' {
			return l.take(2, NotEqual)
		}
		return l.take(1, Error)
	case '<':
		switch {
		case next == '=' && l.at(l.pos+2) == '>':
			return l.take(3, Spaceship)
		case next == '=':
			return l.take(2, LessEqual)
		case next == '>':
			return l.take(2, NotEqual)
		}
		return l.take(1, Less)
	case '>':
		if next == '=' {
			return l.take(2, GreaterEqual)
		}
		return l.take(1, Greater)
	case ':':
		if next == ':' {
			return l.take(2, DoubleColon)
		}
		return l.take(1, Colon)
	case '|':
		if next == '|' {
			return l.take(2, Concat)
		}
		return l.take(1, Pipe)
	case '@':
		if next == '@' {
			return l.take(2, DoubleAt)
		}
		return l.take(1, At)
	case '\\':
		if next == 'G' {
			return l.take(2, Vertical)
		}
		return l.take(1, Error)
	case '$':
		return l.dollar()
	}
	return l.wide(c)
}

// line reads a comment up to the end of the line.
func (l *Lexer) line() Kind {
	if n := bytes.IndexByte(l.src[l.pos:], '\n'); n >= 0 {
		l.pos += n
	} else {
		l.pos = len(l.src)
	}
	return Comment
}

// comment reads /* … */.
func (l *Lexer) comment() Kind {
	src, depth := l.src, 1
	for i := l.pos + 2; i+1 < len(src); {
		switch {
		case src[i] == '*' && src[i+1] == '/':
			i += 2
			if depth--; depth == 0 {
				l.pos = i
				return Comment
			}
		case src[i] == '/' && src[i+1] == '*' && l.comments != Old:
			if l.comments == Unknown {
				l.pos = len(src)
				return Error
			}
			i += 2
			depth++
		default:
			i++
		}
	}
	l.pos = len(src)
	return Error
}

// quoted reads up to the closing quote. A backslash takes the next byte with it, and a doubled quote is one.
func (l *Lexer) quoted(quote byte, kind Kind) Kind {
	src := l.src
	for i := l.pos + 1; i < len(src); i++ {
		switch src[i] {
		case '\\':
			i++
		case quote:
			if l.at(i+1) != quote {
				l.pos = i + 1
				return kind
			}
			i++
		}
	}
	l.pos = len(src)
	return Error
}

// digits reads x'41' and b'01'.
func (l *Lexer) digits(hex bool) Kind {
	i := l.pos + 2
	for i < len(l.src) && (hex && classes[l.src[i]]&isHex != 0 || !hex && (l.src[i] == '0' || l.src[i] == '1')) {
		i++
	}
	if l.at(i) != '\'' {
		l.pos = len(l.src)
		return Error
	}
	l.pos = i + 1
	return String
}

// dollar reads a heredoc, a word such as $1, or a dollar.
func (l *Lexer) dollar() Kind {
	rest := l.src[l.pos:]
	if l.searches++; l.searches > maxSearches {
		return l.take(1, Error)
	}
	if n := bytes.IndexByte(rest[1:], '$'); n >= 0 {
		tag := rest[:n+2]
		plain := true
		for _, c := range tag[1 : n+1] {
			plain = plain && classes[c]&isWord != 0
		}
		// Old servers that have heredocs take any tag, new ones only words.
		if end := bytes.Index(rest[len(tag):], tag); end >= 0 && (plain || l.heredocs != New) {
			if l.heredocs != New {
				return l.take(1, Error)
			}
			l.searches--
			return l.take(len(tag)+end+len(tag), HereDoc)
		}
	}
	if l.heredocs == Old {
		return l.take(1, Error)
	}
	if classes[l.at(l.pos+1)]&isWord == 0 {
		return l.take(1, Dollar)
	}
	return l.word()
}
