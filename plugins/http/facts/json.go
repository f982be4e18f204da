package facts

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
)

// Limits of a JSON text; past them it is unknown.
const (
	maxDepth  = 32
	maxValues = 256
	maxNames  = 512 // of members that are open at once
)

// flattener reads a JSON text (RFC 8259) strictly and writes every value down as pointer=value. What parsers read differently, it does
// not read: members of the same name, half surrogates, anything behind the text.
type flattener struct {
	in  []byte
	at  int
	out []byte
	n   int // of out, that are used

	pointer [4 << 10]byte
	length  int      // of the pointer
	list    []string // room for as many values as there may be
	count   int
	names   []span // members of the objects that are open, in order
	open    int
	// Where there may be many names they are found by what they are and the object that they are in; none is forgotten then.
	table  []uint16 // 1 + a place in names, or 0
	owners []int32  // by the place in names, that of the first in the object
}

type span struct{ start, end int } // in out

// flatten lists the values of a text, in memory of out.
func (f *flattener) flatten(p, out []byte) (list []string, ok bool) {
	f.begun(p, out)
	ok = f.value(0)
	f.space()
	ok = ok && f.at == len(f.in)
	f.in, f.out = nil, nil
	return f.list[:f.count], ok
}

// starts reports whether an object, a list or a string stands at the front of p, whatever follows: decoders of streams do not look further.
func (f *flattener) starts(p, out []byte) bool {
	if !beginsJSON(p) {
		return false
	}
	f.begun(p, out)
	ok := f.value(0)
	f.in, f.out = nil, nil
	return ok
}

// begun begins with a text.
func (f *flattener) begun(p, out []byte) {
	if f.list == nil {
		f.list, f.names = make([]string, maxValues), make([]span, maxNames)
	}
	f.in, f.at, f.out, f.n, f.length, f.count, f.open = p, 0, out, 0, 0, 0, 0
	clear(f.table)
	f.space()
}

func (f *flattener) space() {
	for f.at < len(f.in) && (f.in[f.at] == ' ' || f.in[f.at] == '\t' || f.in[f.at] == '\n' || f.in[f.at] == '\r') {
		f.at++
	}
}

// next takes c if it comes next.
func (f *flattener) next(c byte) bool {
	f.space()
	if f.at < len(f.in) && f.in[f.at] == c {
		f.at++
		return true
	}
	return false
}

func (f *flattener) put(c byte) bool {
	if f.n == len(f.out) {
		return false
	}
	f.out[f.n] = c
	f.n++
	return true
}

func (f *flattener) puts(p []byte) bool {
	if len(p) > len(f.out)-f.n {
		return false
	}
	f.n += copy(f.out[f.n:], p)
	return true
}

// begin writes the pointer and "=".
func (f *flattener) begin() (start int, ok bool) {
	start = f.n
	return start, f.puts(f.pointer[:f.length]) && f.put('=')
}

// end lists what was written since start.
func (f *flattener) end(start int) bool {
	if f.count == len(f.list) {
		return false
	}
	f.list[f.count] = text(f.out[start:f.n])
	f.count++
	return true
}

func (f *flattener) value(depth int) bool {
	f.space()
	if f.at == len(f.in) || depth > maxDepth {
		return false
	}
	switch f.in[f.at] {
	case '{':
		f.at++
		return f.object(depth)
	case '[':
		f.at++
		return f.array(depth)
	}
	start, ok := f.begin()
	if !ok {
		return false
	}
	if f.in[f.at] == '"' {
		f.at++
		ok = f.str()
	} else {
		n := f.at
		if !f.literal() {
			return false
		}
		ok = f.puts(f.in[n:f.at])
	}
	return ok && f.end(start)
}

// empty writes a value that stands for a container without contents.
func (f *flattener) empty(p string) bool {
	start, ok := f.begin()
	return ok && f.put(p[0]) && f.put(p[1]) && f.end(start)
}

func (f *flattener) array(depth int) bool {
	if f.next(']') {
		return f.empty("[]")
	}
	for i := 0; ; i++ {
		before := f.length
		if !f.step(nil, i) || !f.value(depth+1) {
			return false
		}
		f.length = before
		if f.next(']') {
			return true
		}
		if !f.next(',') {
			return false
		}
	}
}

func (f *flattener) object(depth int) bool {
	if f.next('}') {
		return f.empty("{}")
	}
	first := f.open
	for {
		if !f.next('"') {
			return false
		}
		start := f.n
		if !f.str() || !f.member(first, start) || !f.next(':') {
			return false
		}
		before := f.length
		if !f.step(f.out[start:f.n], 0) || !f.value(depth+1) {
			return false
		}
		f.length = before
		if f.next('}') {
			if f.table == nil {
				f.open = first
			}
			return true
		}
		if !f.next(',') {
			return false
		}
	}
}

// member notes the name that was written at start, unless the object, whose first member is first, has one of that name.
func (f *flattener) member(first, start int) bool {
	name := f.out[start:f.n]
	if f.table != nil {
		return f.distinct(first, name, start)
	}
	for _, s := range f.names[first:f.open] {
		if string(f.out[s.start:s.end]) == string(name) {
			return false
		}
	}
	if f.open == len(f.names) {
		return false
	}
	f.names[f.open] = span{start, f.n}
	f.open++
	return true
}

// distinct is member by the table.
func (f *flattener) distinct(first int, name []byte, start int) bool {
	if f.open == len(f.names) {
		return false
	}
	hash := uint32(first)*0x9e3779b1 ^ 0x811c9dc5
	for _, c := range name {
		hash = (hash ^ uint32(c)) * 0x01000193
	}
	at := int(hash^hash>>15) & (len(f.table) - 1)
	for ; f.table[at] != 0; at = (at + 1) & (len(f.table) - 1) {
		i := f.table[at] - 1
		if s := f.names[i]; f.owners[i] == int32(first) && string(f.out[s.start:s.end]) == string(name) {
			return false
		}
	}
	f.table[at] = uint16(f.open + 1)
	f.names[f.open], f.owners[f.open] = span{start, f.n}, int32(first)
	f.open++
	return true
}

// step puts a name, or when that is nil an index, behind the pointer. "=" is written ~2, so that the value behind it can be told.
func (f *flattener) step(name []byte, index int) bool {
	var digits [20]byte
	if name == nil {
		n := len(digits)
		for {
			n--
			digits[n] = byte('0' + index%10)
			if index /= 10; index == 0 {
				break
			}
		}
		name = digits[n:]
	}
	if f.length+1+2*len(name) > len(f.pointer) {
		return false
	}
	f.pointer[f.length] = '/'
	f.length++
	for _, c := range name {
		switch c {
		case '~', '/', '=':
			f.pointer[f.length] = '~'
			f.length++
			c = map3(c)
		}
		f.pointer[f.length] = c
		f.length++
	}
	return true
}

func map3(c byte) byte {
	switch c {
	case '~':
		return '0'
	case '/':
		return '1'
	}
	return '2'
}

// literal reads a number, true, false or null.
func (f *flattener) literal() bool {
	for _, word := range [...]string{"true", "false", "null"} {
		if len(f.in)-f.at >= len(word) && string(f.in[f.at:f.at+len(word)]) == word {
			f.at += len(word)
			return true
		}
	}
	if f.at < len(f.in) && f.in[f.at] == '-' {
		f.at++
	}
	first := f.at
	if !f.digits() || f.in[first] == '0' && f.at > first+1 {
		return false
	}
	if f.at < len(f.in) && f.in[f.at] == '.' {
		if f.at++; !f.digits() {
			return false
		}
	}
	if f.at < len(f.in) && f.in[f.at]|0x20 == 'e' {
		if f.at++; f.at < len(f.in) && (f.in[f.at] == '+' || f.in[f.at] == '-') {
			f.at++
		}
		return f.digits()
	}
	return true
}

func (f *flattener) digits() bool {
	first := f.at
	for f.at < len(f.in) && f.in[f.at] >= '0' && f.in[f.at] <= '9' {
		f.at++
	}
	return f.at > first
}

// str writes the string whose contents come next.
func (f *flattener) str() bool {
	for f.at < len(f.in) {
		c := f.in[f.at]
		f.at++
		switch {
		case c == '"':
			return true
		case c < ' ':
			return false
		case c != '\\':
			if !f.put(c) {
				return false
			}
		default:
			if !f.escape() {
				return false
			}
		}
	}
	return false
}

func (f *flattener) escape() bool {
	if f.at == len(f.in) {
		return false
	}
	c := f.in[f.at]
	f.at++
	switch c {
	case '"', '\\', '/':
		return f.put(c)
	case 'b':
		return f.put('\b')
	case 'f':
		return f.put('\f')
	case 'n':
		return f.put('\n')
	case 'r':
		return f.put('\r')
	case 't':
		return f.put('\t')
	case 'u':
	default:
		return false
	}
	r, ok := f.hex()
	if ok && utf16.IsSurrogate(r) {
		if len(f.in)-f.at < 2 || f.in[f.at] != '\\' || f.in[f.at+1] != 'u' {
			return false
		}
		f.at += 2
		var low rune
		low, ok = f.hex()
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return false
		}
	}
	if !ok {
		return false
	}
	var b [4]byte
	return f.puts(b[:utf8.EncodeRune(b[:], r)])
}

func (f *flattener) hex() (rune, bool) {
	if len(f.in)-f.at < 4 {
		return 0, false
	}
	p := f.in[f.at:]
	f.at += 4
	a, ok := head.Unhex(p[0], p[1])
	b, ok2 := head.Unhex(p[2], p[3])
	return rune(a)<<8 | rune(b), ok && ok2
}
