package abi

// FamilyResponse is the family of the question about what came back: only a plugin that declares it, as ResponseFamily makes it, can
// have rules look at answers.
const FamilyResponse = "response"

// The fields that the family response begins with. The host fills the last three by itself, from the bytes that it keeps.
const (
	ResponseColumns   uint16 = iota // strings: the names that values of the answer have
	ResponseRows                    // int: how many rows, lines or messages it has
	ResponseText                    // string: all values, those of a row with a tab between, rows with a line feed
	ResponseBytes                   // int: how many bytes are kept
	ResponseTruncated               // bool: it is longer than the limit, and this is its beginning
	// ResponseFields is how many these are: a plugin's own follow.
	ResponseFields
)

// ResponseFamily is the family response with fields of a plugin's own behind those that every one has.
func ResponseFamily(doc string, own ...Field) Family {
	return Family{Name: FamilyResponse, Doc: doc, Fields: append([]Field{
		{Name: "columns", Type: TypeStrings, Doc: "the names that values of the answer have, such as columns and members"},
		{Name: "rows", Type: TypeInt, Doc: "how many rows it has"},
		{Name: "text", Type: TypeString, Role: RoleText, Doc: "its values, those of a row with a tab between, rows with a line feed"},
		{Name: "bytes", Type: TypeInt, Doc: "how many bytes it has, as it came"},
		{Name: "truncated", Type: TypeBool, Doc: "it is longer than the limit, and the rest was not read"},
	}, own...)}
}

// Limits of what is kept of answers.
const (
	// MaxInspect bounds what a rule can have kept of one answer, in bytes.
	MaxInspect = 1 << 20
	// MaxKept bounds what is kept of all answers of one connection together, in bytes.
	MaxKept = 8 << 20
	// MaxParents bounds how many answers of one connection may be outstanding that are to be looked at.
	MaxParents = 16 << 10
	// MaxText bounds the bytes of one TEXT.
	MaxText = 16 << 10
	// NoColumn is the column of a value that has none.
	NoColumn uint16 = 65535
)

// Format says how a value stands in the bytes that are kept, and so how it is read and masked.
type Format uint8

// The formats.
const (
	// FormatText is text as it is; each byte that is masked becomes "*".
	FormatText Format = iota
	// FormatJSON is the inside of a JSON string, without its quotes (RFC 8259 section 7). It is read without its escapes, and an escape
	// is masked whole.
	FormatJSON
	// FormatLiteral is a number, true, false or null of JSON. It is masked whole, by null or 0 and spaces.
	FormatLiteral
	// FormatFixed is text that would mean something else, or nothing, were it masked.
	FormatFixed
	// FormatOpaque is what cannot be read here, such as a body in an unknown coding: with it the answer's text is not known, which counts
	// against the agent, and nothing can be masked.
	FormatOpaque
	formats
)

const (
	valueSize      = 12
	valueContinues = 1
	valueGoesOn    = 2 // with the last value of its column, of those not long ago
	textContinues  = 1
)

// AppendKeep appends KEEP: the next n bytes of the upstream, all delivered, are kept for the answer of action parent.
func AppendKeep(b []byte, parent uint32, n uint64) []byte {
	b, s := begin(b, TagKeep)
	b = le.AppendUint32(b, parent)
	b = le.AppendUint64(b, n)
	return finish(b, s)
}

// AppendValue appends VALUES with one value, or adds it to the VALUES of the same parent that begins at last and ends b; last below 0:
// there is none. It returns where the command begins. A value that continues is a further piece of the one before.
func AppendValue(b []byte, last int, parent uint32, column uint16, format Format, continues bool, start, length uint32) ([]byte, int) {
	if last < 0 {
		last = len(b)
		b, _ = begin(b, TagValues)
		b = le.AppendUint32(b, parent)
	}
	b = le.AppendUint16(b, column)
	b = append(b, byte(format), 0)
	if continues {
		b[len(b)-1] = valueContinues
	}
	b = le.AppendUint32(b, start)
	b = le.AppendUint32(b, length)
	return finish(b, last+commandHead), last
}

// AppendValueOn appends a further piece of the last value of a column, behind which others may have begun. last is as for AppendValue.
func AppendValueOn(b []byte, last int, parent uint32, column uint16, start, length uint32) ([]byte, int) {
	b, last = AppendValue(b, last, parent, column, 0, true, start, length)
	b[len(b)-valueSize+3] = valueGoesOn
	return b, last
}

// AppendText appends TEXT: a value of the answer that does not stand in the bytes that are kept as it is, or a further piece of it.
func AppendText(b []byte, parent uint32, column uint16, continues bool, p []byte) []byte {
	b, s := begin(b, TagText)
	b = le.AppendUint32(b, parent)
	b = le.AppendUint16(b, column)
	b = append(b, 0)
	if continues {
		b[len(b)-1] = textContinues
	}
	b = append(b, p...)
	return finish(b, s)
}

// AppendRelease appends RELEASE: the next n bytes that are kept for action parent, 0: all of them, go to the agent, or are dropped.
func AppendRelease(b []byte, parent uint32, drop bool, n uint64) []byte {
	b, s := begin(b, TagRelease)
	b = le.AppendUint32(b, parent)
	b = append(b, 0)
	if drop {
		b[len(b)-1] = 1
	}
	b = le.AppendUint64(b, n)
	return finish(b, s)
}

// AppendAnswered appends ANSWERED: the answer of action parent is over.
func AppendAnswered(b []byte, parent uint32) []byte {
	b, s := begin(b, TagAnswered)
	b = le.AppendUint32(b, parent)
	return finish(b, s)
}
