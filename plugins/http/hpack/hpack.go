// Package hpack reads and writes the header blocks of HTTP/2, RFC 7541. It is written for a guest: the tables are made once, before the snapshot,
// and nothing is allocated for a block.
//
// [Decoder] is strict and bounded: an integer that overflows, Huffman padding that is none, a table size update anywhere but at the beginning of a
// block or above what was allowed is an error, after which the connection cannot go on (section 4.3 of RFC 9113). A list of fields that is longer than
// the limit is read to its end all the same, so that the table stays what the other end thinks it is, and reported as [ErrTooLarge].
//
// The writers ([AppendField] and the others) have no state: they never add to the dynamic table, so blocks can be left out, put in another order or taken from
// elsewhere. A credential is written as a literal that is never indexed (section 7.1.3).
package hpack

// Error says what is wrong with a block.
type Error string

func (e Error) Error() string { return "header block: " + string(e) }

// The errors of a block. All but ErrTooLarge are COMPRESSION_ERROR.
const (
	ErrTruncated = Error("it ends in the middle of a field")
	ErrInteger   = Error("an integer is larger than 2^28")
	ErrIndex     = Error("an index points at no field")
	ErrHuffman   = Error("a Huffman string has a code that is none, or is filled up with other than ones")
	ErrUpdate    = Error("a table size update stands behind a field, or is larger than what was allowed")
	ErrNoUpdate  = Error("the table size was reduced, and the block does not begin with saying so")

	// ErrTooLarge is not a compression error: the table is in order, and what follows can be decoded.
	ErrTooLarge = Error("the fields are more or longer than the limit")
)

// DefaultTableSize is the size in bytes that a dynamic table has at first, RFC 9113 section 6.5.2.
const DefaultTableSize = 4096

// entryOverhead is what each entry counts beside its text, RFC 7541 section 4.1.
const entryOverhead = 32

// Span is a place in the decoder's text.
type Span struct{ Start, End uint32 }

// Of are the bytes at the place.
func (s Span) Of(p []byte) []byte { return p[s.Start:s.End] }

// Flags say something about a field that was found out when it was read first.
type Flags uint8

// The flags.
const (
	// Never: it was sent as a literal that is never indexed, and has to be passed on as one.
	Never Flags = 1 << iota
	// BadName: the name is not a token in lower case, perhaps behind a colon (RFC 9113 section 8.2).
	BadName
	// BadValue: the value has a control character, or begins or ends with whitespace (RFC 9113 section 8.2.1).
	BadValue
	// Pseudo: the name begins with a colon.
	Pseudo
	// Marked: what the decoder's Names said beside the name's number.
	Marked
)

// Field is one field of a block. Its spans are places in the decoder's text.
type Field struct {
	Name, Value Span
	Static      uint8 // index in the static table, of name and value; 0: it is not in it
	StaticName  uint8 // index of an entry with this name; 0: there is none
	Known       uint8 // what the decoder's Names knows it by
	Flags       Flags
}

// inName are the bytes of a token, RFC 9110 section 5.6.2, without upper case; inValue those of a value.
var inName, inValue = func() (name, value [256]bool) {
	for c := '0'; c <= '9'; c++ {
		name[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		name[c] = true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		name[c] = true
	}
	for c := 0x20; c < 0x100; c++ {
		value[c] = c != 0x7f
	}
	value['\t'] = true
	return name, value
}()

// nameFlags looks at a field's name.
func nameFlags(p []byte) (f Flags) {
	if len(p) > 0 && p[0] == ':' {
		f = Pseudo
		p = p[1:]
	}
	if len(p) == 0 {
		return f | BadName
	}
	for _, c := range p {
		if !inName[c] {
			return f | BadName
		}
	}
	return f
}

// valueFlags looks at a field's value.
func valueFlags(p []byte) Flags {
	for _, c := range p[usual(p):] {
		if !inValue[c] {
			return BadValue
		}
	}
	if n := len(p); n > 0 && (p[0] == ' ' || p[0] == '\t' || p[n-1] == ' ' || p[n-1] == '\t') {
		return BadValue
	}
	return 0
}
