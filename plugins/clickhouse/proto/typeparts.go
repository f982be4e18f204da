package proto

// variants are the types that a value may have, by name, as the server writes them.
func (r *typeReader) variants() (int32, bool) {
	if !r.trusted {
		return 0, false
	}
	r.l.prefixes = append(r.l.prefixes, basicVariant)
	var kids []int32
	var before string
	for {
		start := r.at
		kid, ok := r.read(place{})
		if name := string(r.text[start:r.at]); !ok || name <= before || len(kids) == maxVariants {
			return 0, false // the data would be in another order
		} else {
			before = name
		}
		if kids = append(kids, kid); !r.comma() {
			return r.add(node{kind: variant, kids: kids})
		}
	}
}

// maxVariants bounds the types of a variant; a row without a value has the number behind them.
const maxVariants = 255

// object is JSON that is written as text, whatever paths its type names.
func (r *typeReader) object() (int32, bool) {
	if r.is('(') {
		for depth := 1; depth > 0; r.at++ {
			if r.at == len(r.text) {
				return 0, false
			}
			switch r.text[r.at] {
			case '(':
				depth++
			case ')':
				depth--
			case '\'', '`', '"':
				if !r.skipQuoted(r.text[r.at]) {
					return 0, false
				}
			}
		}
	}
	r.l.prefixes = append(r.l.prefixes, textObject)
	return r.add(node{kind: text})
}

// skipQuoted goes to the end of what is quoted.
func (r *typeReader) skipQuoted(quote byte) bool {
	for r.at++; r.at < len(r.text) && r.text[r.at] != quote; r.at++ {
		if r.text[r.at] == '\\' {
			r.at++
		}
	}
	return r.at < len(r.text)
}

// elements are those of a tuple, with or without names.
func (r *typeReader) elements() (int32, bool) {
	var kids []int32
	for {
		start := r.at
		if word := r.word(); word == "" && r.is('`') { // a name that is quoted
			if !r.trusted {
				return 0, false
			}
			for r.at < len(r.text) && r.text[r.at] != '`' {
				if r.text[r.at] == '\\' {
					r.at++
				}
				r.at++
			}
			r.at = min(r.at, len(r.text))
			if !r.is('`') || !r.is(' ') {
				return 0, false
			}
		} else if word == "" || !r.is(' ') {
			r.at = start
		} else if !r.trusted && (word[0] >= '0' && word[0] <= '9') {
			return 0, false
		}
		kid, ok := r.read(place{})
		if !ok {
			return 0, false
		}
		if kids = append(kids, kid); len(kids) > maxNodes {
			return 0, false
		}
		if !r.comma() {
			return r.add(node{kind: tuple, kids: kids})
		}
	}
}

func (r *typeReader) decimal(precision int) (int32, bool) {
	scale, ok := r.number()
	if !ok || scale > precision {
		return 0, false
	}
	size := uint32(32)
	switch {
	case precision <= 9:
		size = 4
	case precision <= 18:
		size = 8
	case precision <= 38:
		size = 16
	}
	return r.add(node{kind: fixed, size: size, form: formDecimal, scale: uint8(scale)})
}

// enum reads the words of an enumeration, which only a server can judge.
func (r *typeReader) enum(size uint32) (int32, bool) {
	if !r.trusted {
		return 0, false
	}
	var words []word
	for {
		name, ok := r.quoted()
		if !ok {
			return 0, false
		}
		r.is(' ')
		if !r.is('=') {
			return 0, false
		}
		r.is(' ')
		negative := r.is('-')
		v, ok := r.number()
		if !ok {
			return 0, false
		}
		if negative {
			v = -v
		}
		words = append(words, word{int16(v), name})
		if !r.comma() {
			return r.add(node{kind: fixed, size: size, form: formEnum, words: words})
		}
	}
}

func (r *typeReader) dictionary(in place) (int32, bool) {
	if in != (place{}) {
		return 0, false
	}
	kid, ok := r.read(place{dictionary: true})
	if !ok {
		return 0, false
	}
	if r.l.nodes[kid].kind == nullable { // the dictionary holds the values without the one for NULL
		kid = r.l.nodes[kid].kids[0]
	}
	if n := r.l.nodes[kid]; n.kind > text || !r.trusted && n.kind == fixed && n.size > 8 {
		return 0, false
	}
	r.l.prefixes = append(r.l.prefixes, sharedDictionaries)
	return r.add(node{kind: lowCard, kids: []int32{kid}})
}

// quoted reads a string in single quotes.
func (r *typeReader) quoted() ([]byte, bool) {
	if !r.is('\'') {
		return nil, false
	}
	start := r.at
	for r.at < len(r.text) && r.text[r.at] != '\'' {
		if r.text[r.at] == '\\' {
			r.at++
		}
		r.at++
	}
	if r.at >= len(r.text) {
		return nil, false
	}
	r.at++
	return r.text[start : r.at-1], true
}

func (r *typeReader) quotedZone() bool {
	zone, ok := r.quoted()
	if !ok || r.trusted {
		return ok
	}
	switch string(zone) {
	case "UTC", "Etc/UTC", "GMT", string(r.zone):
		return true
	}
	return false
}
