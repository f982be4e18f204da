package lex

// dot reads a dot or a number that begins with one.
func (l *Lexer) dot() Kind {
	if l.pos > 0 && (classes[l.at(l.pos+1)]&isDigit == 0 || l.prev == Close || l.prev == CloseSq || l.prev == Word || l.prev == Quoted || l.prev == Number) {
		return l.take(1, Dot)
	}
	l.pos++
	l.run(true, false)
	l.exponent('e')
	return Number
}

// run reads digits; an underscore may stand between two of them, but not at the start.
func (l *Lexer) run(start, hex bool) {
	want := uint8(isDigit)
	if hex {
		want = isHex
	}
	for ; l.pos < len(l.src); l.pos++ {
		c := l.src[l.pos]
		if classes[c]&want == 0 && (c != '_' || start || classes[l.at(l.pos+1)]&want == 0) {
			return
		}
		start = false
	}
}

// exponent reads e-5, or p-5 behind hexadecimal digits.
func (l *Lexer) exponent(letter byte) {
	if l.pos+1 >= len(l.src) || l.src[l.pos]|0x20 != letter {
		return
	}
	l.pos++
	if l.pos+1 < len(l.src) && (l.src[l.pos] == '-' || l.src[l.pos] == '+') {
		l.pos++
	}
	l.run(true, false)
}

// number reads a number, or a word that begins with a digit.
func (l *Lexer) number() Kind {
	start, src := l.pos, l.src
	if l.prev == Dot {
		l.pos++
		l.run(false, false)
	} else {
		hex, fresh := false, false
		if src[l.pos] == '0' && l.pos+2 < len(src) {
			switch c := src[l.pos+1] | 0x20; {
			case c == 'x' && classes[src[l.pos+2]]&isHex != 0:
				hex, fresh = true, true
			case c == 'b' && (src[l.pos+2] == '0' || src[l.pos+2] == '1'):
				fresh = true
			}
		}
		if fresh {
			l.pos += 2
		} else {
			l.pos++
		}
		l.run(fresh, hex)
		if l.at(l.pos) == '.' {
			l.pos++
			l.run(true, hex)
		}
		if hex {
			l.exponent('p')
		} else {
			l.exponent('e')
		}
	}
	if classes[l.at(l.pos)]&isWord == 0 {
		return Number
	}
	for l.pos < len(src) && classes[src[l.pos]]&isWord != 0 {
		l.pos++
	}
	for _, c := range src[start:l.pos] {
		if classes[c]&isWord == 0 && c != '$' {
			return Error
		}
	}
	return Word
}
