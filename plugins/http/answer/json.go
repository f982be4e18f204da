package answer

// Found is one thing of a JSON text: the name of a member, or a value that has no members.
type Found struct {
	Kind       Kind
	Name       Span // of the member that a value is of, without its quotes; of an array's elements, that of the array
	Top        Span // of the member of the outermost object that it is in
	Depth      int  // how many objects and arrays it is in
	Index      int  // its place among the elements of the array that it is in
	Start, End int  // a string's without its quotes
}

// Span is a place; one that begins below 0 is none.
type Span struct{ Start, End int }

// Kind is what is found.
type Kind uint8

// The kinds.
const (
	MemberName Kind = iota
	StringValue
	LiteralValue
	TextBegins    // a text of the sequence
	ElementBegins // an element of an array
)

// maxNesting bounds how deep a text goes.
const maxNesting = 256

// Outcome is what became of a walk.
type Outcome uint8

// The outcomes.
const (
	Complete   Outcome = iota // every text of the sequence is
	Incomplete                // the last one goes on behind the end
	NotJSON                   // it is something else
)

// Walk reads a sequence of JSON texts (RFC 8259), with whitespace or the separator of RFC 7464 between them, and shows what it is made of in order.
// One that ends in the middle is shown up to there. visit may be nil.
func Walk(p []byte, visit func(f *Found)) Outcome {
	w := walker{p: p, visit: visit}
	if len(p) >= 3 && string(p[:3]) == "\xef\xbb\xbf" {
		w.at = 3
	}
	texts := 0
	for {
		w.space(true)
		if w.at == len(p) {
			break
		}
		texts++
		w.show(TextBegins, w.at, w.at)
		if o := w.text(); o != Complete {
			return o
		}
	}
	if texts == 0 {
		return NotJSON
	}
	return Complete
}

type walker struct {
	p     []byte
	at    int
	visit func(f *Found)
	f     Found
	stack [maxNesting]level
	depth int
}

// level is an object or an array that has begun.
type level struct {
	object bool
	name   Span // of the member that an object's next value is of; of an array, that it is of itself
	index  int  // of the present element
}

func (w *walker) show(k Kind, start, end int) {
	if w.visit == nil {
		return
	}
	w.f = Found{Kind: k, Start: start, End: end, Name: Span{-1, -1}, Top: Span{-1, -1}, Depth: w.depth}
	if w.depth > 0 {
		l := &w.stack[w.depth-1]
		w.f.Name, w.f.Index = l.name, l.index
		if w.stack[0].object {
			w.f.Top = w.stack[0].name
		}
	}
	w.visit(&w.f)
}

// space skips whitespace, and between texts the separator too.
func (w *walker) space(between bool) {
	for w.at < len(w.p) {
		switch c := w.p[w.at]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || between && c == 0x1e:
			w.at++
		default:
			return
		}
	}
}

// text reads one text. It keeps what has begun in stack, so that depth costs no more than that.
func (w *walker) text() Outcome {
	for {
		// A value is next.
		w.space(false)
		if w.at == len(w.p) {
			return Incomplete
		}
		if w.depth > 0 && !w.stack[w.depth-1].object {
			w.show(ElementBegins, w.at, w.at)
		}
		began := false
		switch c := w.p[w.at]; {
		case c == '{' || c == '[':
			if w.depth == maxNesting {
				return NotJSON
			}
			name := Span{-1, -1}
			if w.depth > 0 {
				name = w.stack[w.depth-1].name
			}
			w.stack[w.depth] = level{c == '{', name, 0}
			w.depth++
			w.at++
			began = true
		case c == '"':
			start, end, o := w.quoted()
			if o == NotJSON {
				return o
			}
			w.show(StringValue, start, end)
			if o != Complete {
				return o
			}
		default:
			if o := w.literal(); o != Complete {
				return o
			}
		}
		// What stands behind it, up to the next value.
		for {
			if w.depth == 0 {
				return Complete
			}
			o, value := w.behind(began)
			if o != Complete {
				return o
			}
			if value {
				break
			}
			began = false
		}
	}
}

// behind reads what stands behind a value, or behind the bracket that began an object or an array. value: another value follows.
func (w *walker) behind(began bool) (o Outcome, value bool) {
	l := &w.stack[w.depth-1]
	w.space(false)
	if w.at == len(w.p) {
		return Incomplete, false
	}
	c := w.p[w.at]
	switch {
	case c == '}' && l.object, c == ']' && !l.object:
		w.at++
		w.depth--
		return Complete, false
	case !began && c != ',':
		return NotJSON, false
	case !began:
		w.at++
		l.index++
	}
	if !l.object {
		if !began { // no comma before a bracket
			w.space(false)
			if w.at < len(w.p) && w.p[w.at] == ']' {
				return NotJSON, false
			}
		}
		return Complete, true
	}
	w.space(false)
	if w.at == len(w.p) {
		return Incomplete, false
	}
	if w.p[w.at] != '"' {
		return NotJSON, false
	}
	start, end, o := w.quoted()
	if o == NotJSON {
		return o, false
	}
	l.name = Span{start, end}
	w.show(MemberName, start, end)
	if o != Complete {
		return o, false
	}
	w.space(false)
	switch {
	case w.at == len(w.p):
		return Incomplete, false
	case w.p[w.at] != ':':
		return NotJSON, false
	}
	w.at++
	return Complete, true
}

// quoted reads a string and says where its inside stands.
func (w *walker) quoted() (start, end int, o Outcome) {
	start = w.at + 1
	for i := start; i < len(w.p); i++ {
		switch c := w.p[i]; {
		case c == '"':
			w.at = i + 1
			return start, i, Complete
		case c < ' ':
			return 0, 0, NotJSON
		case c == '\\':
			if i+1 == len(w.p) {
				continue
			}
			i++
			switch w.p[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for k := i + 1; k < i+5 && k < len(w.p); k++ {
					if !isHex(w.p[k]) {
						return 0, 0, NotJSON
					}
				}
			default:
				return 0, 0, NotJSON
			}
		}
	}
	w.at = len(w.p)
	return start, len(w.p), Incomplete
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

// literal reads a number, true, false or null.
func (w *walker) literal() Outcome {
	start := w.at
	for w.at < len(w.p) {
		c := w.p[w.at]
		if c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '+' || c == '.' {
			w.at++
			continue
		}
		break
	}
	text := w.p[start:w.at]
	end := w.at == len(w.p)
	switch {
	case len(text) == 0:
		return NotJSON
	case string(text) == "true", string(text) == "false", string(text) == "null", isNumber(text):
		w.show(LiteralValue, start, w.at)
		return Complete
	case end && (isPrefix(text, "true") || isPrefix(text, "false") || isPrefix(text, "null") || isPrefixOfNumber(text)):
		w.show(LiteralValue, start, w.at)
		return Incomplete
	}
	return NotJSON
}

func isPrefix(p []byte, of string) bool { return len(p) <= len(of) && string(p) == of[:len(p)] }

// isNumber reports whether p is a number as RFC 8259 section 6 has it.
func isNumber(p []byte) bool {
	i := 0
	if i < len(p) && p[i] == '-' {
		i++
	}
	n := digits(p[i:])
	if n == 0 || n > 1 && p[i] == '0' {
		return false
	}
	i += n
	if i < len(p) && p[i] == '.' {
		if n = digits(p[i+1:]); n == 0 {
			return false
		}
		i += 1 + n
	}
	if i < len(p) && p[i]|0x20 == 'e' {
		i++
		if i < len(p) && (p[i] == '-' || p[i] == '+') {
			i++
		}
		if n = digits(p[i:]); n == 0 {
			return false
		}
		i += n
	}
	return i == len(p)
}

// isPrefixOfNumber reports whether p with a digit behind it is one.
func isPrefixOfNumber(p []byte) bool {
	return len(p) < 64 && (isNumber(append(append([]byte(nil), p...), '0')))
}

func digits(p []byte) (n int) {
	for n < len(p) && p[n] >= '0' && p[n] <= '9' {
		n++
	}
	return n
}

// Unescaped is the inside of a JSON string without its escapes.
func Unescaped(p []byte) string {
	plain := true
	for _, c := range p {
		plain = plain && c != '\\'
	}
	if plain {
		return string(p)
	}
	b := make([]rune, 0, len(p))
	for i := 0; i < len(p); {
		r, n := runeAt(p[i:])
		if r >= 0xd800 && r < 0xdc00 {
			if low, m := runeAt(p[i+n:]); m == 6 && low >= 0xdc00 && low < 0xe000 {
				r, n = 0x10000+(r-0xd800)<<10+(low-0xdc00), n+m
			}
		}
		b = append(b, r)
		i += n
	}
	return string(b)
}

// runeAt is the character at the front of p and how many bytes it takes there; 0 at the end.
func runeAt(p []byte) (r rune, n int) {
	if len(p) == 0 {
		return 0, 0
	}
	if p[0] != '\\' || len(p) < 2 {
		for i, c := range string(p[:min(len(p), 4)]) {
			if i > 0 {
				return r, i
			}
			r, n = c, min(len(p), 4)
		}
		return r, n
	}
	switch p[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if len(p) < 6 {
			return '\\', 1
		}
		for _, c := range p[2:6] {
			d := rune(c)
			switch {
			case c <= '9':
				d -= '0'
			default:
				d = d | 0x20 - 'a' + 10
			}
			r = r<<4 | d
		}
		return r, 6
	}
	return rune(p[1]), 2
}
