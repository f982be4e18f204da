package proto

import (
	"errors"
	"strconv"
)

// ErrType says that the data of a column's type cannot be told from what follows it.
var ErrType = errors.New("a column of a type whose data cannot be followed")

// kind is how the data of a type is laid out.
type kind uint8

const (
	fixed    kind = iota // rows times size bytes
	text                 // a length and that many bytes, for each row
	nullable             // a byte for each row, then the kid
	array                // the end of each row's elements, then the elements
	tuple                // the kids, one behind the other
	lowCard              // a dictionary and places in it
	variant              // for each row which kid has it, then the kids
)

// node is a type, or a part of one.
type node struct {
	kind  kind
	form  form // of fixed
	scale uint8
	size  uint32
	kids  []int32
	words []word // of an enumeration
}

// form is how a value of fixed size reads.
type form uint8

const (
	formBytes form = iota // as text, up to zeros at the end
	formUnsigned
	formSigned
	formFloat
	formBrainFloat
	formBool
	formDate
	formDateTime
	formDateTime64
	formTime
	formTime64
	formDecimal
	formEnum
	formUUID
	formIPv4
	formIPv6
	formNothing
)

// word is one of an enumeration.
type word struct {
	value int16
	name  []byte
}

// Limits of types.
const (
	maxTypeText = 64 << 10
	maxNodes    = 512
	maxDepth    = 24
)

// layout is a type as the machine of blocks wants it; its root is the last node.
type layout struct {
	nodes []node
	// prefixes are the numbers, of 8 bytes each, that the data begins with: how its parts are written.
	prefixes []byte
}

// How parts are written: SerializationLowCardinality.cpp, SerializationVariant.h (one byte for each row, in the order of the types' names) and
// SerializationObject.h (as text).
const (
	sharedDictionaries = 1
	basicVariant       = 0
	textObject         = 1
)

func (l *layout) root() int32 { return int32(len(l.nodes) - 1) }

// typeReader reads the text of a type. Only what every server takes is read: an error of the server in the middle of a block would
// leave it at a place that nobody can know. So what a server might refuse (a time zone that it does not have, an enumeration) is
// taken only when the server itself has named the type, in the header of the INSERT.
type typeReader struct {
	text    []byte
	at      int
	depth   int
	l       *layout
	trusted bool   // the server has named this very type
	answer  bool   // the data is the server's, or for nobody
	zone    []byte // of the server
}

// trust says how far a type is to be trusted.
type trust uint8

const (
	trustNone   trust = iota // the agent has named it
	trustNamed               // so has the server, or it does not matter
	trustAnswer              // the data is the server's, or for nobody
)

// readType makes the layout of a type.
func readType(text []byte, how trust, zone []byte, l *layout) error {
	r := typeReader{text: text, l: l, trusted: how != trustNone, answer: how == trustAnswer, zone: zone}
	l.nodes, l.prefixes = l.nodes[:0], l.prefixes[:0]
	if len(text) > maxTypeText {
		return ErrType
	}
	if _, ok := r.read(place{}); !ok || r.at != len(text) {
		return ErrType
	}
	return nil
}

// place is what a type stands in.
type place struct{ nullable, dictionary bool }

func (r *typeReader) add(n node) (int32, bool) {
	if len(r.l.nodes) == maxNodes {
		return 0, false
	}
	r.l.nodes = append(r.l.nodes, n)
	return int32(len(r.l.nodes) - 1), true
}

func (r *typeReader) word() string {
	start := r.at
	for r.at < len(r.text) {
		c := r.text[r.at]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			break
		}
		r.at++
	}
	return string(r.text[start:r.at])
}

func (r *typeReader) is(c byte) bool {
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

// comma reads a comma, with a blank behind it or not.
func (r *typeReader) comma() bool {
	if !r.is(',') {
		return false
	}
	r.is(' ')
	return true
}

func (r *typeReader) number() (int, bool) {
	v, err := strconv.Atoi(r.word())
	return v, err == nil && v >= 0
}

// fixedType is a type whose values have one size, and no parameters.
type fixedType struct {
	size uint32
	form form
}

var fixedTypes = map[string]fixedType{
	"UInt8": {1, formUnsigned}, "UInt16": {2, formUnsigned}, "UInt32": {4, formUnsigned}, "UInt64": {8, formUnsigned}, "UInt128": {16, formUnsigned}, "UInt256": {32, formUnsigned},
	"Int8": {1, formSigned}, "Int16": {2, formSigned}, "Int32": {4, formSigned}, "Int64": {8, formSigned}, "Int128": {16, formSigned}, "Int256": {32, formSigned},
	"Float32": {4, formFloat}, "Float64": {8, formFloat}, "BFloat16": {2, formBrainFloat}, "Bool": {1, formBool},
	"Date": {2, formDate}, "Date32": {4, formDate}, "DateTime": {4, formDateTime}, "Time": {4, formTime},
	"UUID": {16, formUUID}, "IPv4": {4, formIPv4}, "IPv6": {16, formIPv6},
	"IntervalNanosecond": {8, formSigned}, "IntervalMicrosecond": {8, formSigned}, "IntervalMillisecond": {8, formSigned}, "IntervalSecond": {8, formSigned},
	"IntervalMinute": {8, formSigned}, "IntervalHour": {8, formSigned}, "IntervalDay": {8, formSigned}, "IntervalWeek": {8, formSigned},
	"IntervalMonth": {8, formSigned}, "IntervalQuarter": {8, formSigned}, "IntervalYear": {8, formSigned},
}

// geo are how many arrays of points a type of geometry is.
var geo = map[string]int{"Point": 0, "Ring": 1, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}

func (r *typeReader) read(in place) (int32, bool) {
	if r.depth++; r.depth > maxDepth {
		return 0, false
	}
	defer func() { r.depth-- }()
	name := r.word()
	if t, ok := fixedTypes[name]; ok {
		if name == "DateTime" && r.is('(') && !(r.quotedZone() && r.is(')')) {
			return 0, false
		}
		return r.add(node{kind: fixed, size: t.size, form: t.form})
	}
	if depth, ok := geo[name]; ok {
		return r.geometry(depth, in)
	}
	switch {
	case name == "String":
		return r.add(node{kind: text})
	case name == "JSON" && r.answer && in == (place{}):
		return r.object()
	case name == "Nothing" && r.trusted: // of NULL by itself
		return r.add(node{kind: fixed, size: 1, form: formNothing})
	}
	if !r.is('(') {
		return 0, false
	}
	i, ok := r.parametric(name, in)
	return i, ok && r.is(')')
}

func (r *typeReader) geometry(depth int, in place) (int32, bool) {
	if in != (place{}) {
		return 0, false
	}
	x, _ := r.add(node{kind: fixed, size: 8, form: formFloat})
	i, ok := r.add(node{kind: tuple, kids: []int32{x, x}})
	for ; depth > 0 && ok; depth-- {
		i, ok = r.add(node{kind: array, kids: []int32{i}})
	}
	return i, ok
}

func (r *typeReader) parametric(name string, in place) (int32, bool) {
	switch name {
	case "FixedString":
		n, ok := r.number()
		if !ok || n < 1 || n > 0xFFFFFF {
			return 0, false
		}
		return r.add(node{kind: fixed, size: uint32(n)})
	case "DateTime64", "Time64":
		n, ok := r.number()
		if !ok || n > 9 || name == "DateTime64" && r.comma() && !r.quotedZone() {
			return 0, false
		}
		f := formDateTime64
		if name == "Time64" {
			f = formTime64
		}
		return r.add(node{kind: fixed, size: 8, form: f, scale: uint8(n)})
	case "Decimal":
		p, ok := r.number()
		if !ok || p < 1 || p > 76 || !r.comma() {
			return 0, false
		}
		return r.decimal(p)
	case "Decimal32":
		return r.decimal(9)
	case "Decimal64":
		return r.decimal(18)
	case "Decimal128":
		return r.decimal(38)
	case "Decimal256":
		return r.decimal(76)
	case "Enum8":
		return r.enum(1)
	case "Enum16":
		return r.enum(2)
	case "LowCardinality":
		return r.dictionary(in)
	case "Nullable":
		if in.nullable {
			return 0, false
		}
		kid, ok := r.read(place{nullable: true, dictionary: in.dictionary})
		if !ok {
			return 0, false
		}
		return r.add(node{kind: nullable, kids: []int32{kid}})
	case "SimpleAggregateFunction": // the values are those of its last type
		if !r.trusted {
			return 0, false
		}
		if r.word() == "" || !r.comma() {
			return 0, false
		}
		return r.read(in)
	}
	if in != (place{}) {
		return 0, false
	}
	switch name {
	case "Array":
		return r.wrap(array)
	case "Map":
		key, ok := r.read(place{})
		if !ok || !r.comma() {
			return 0, false
		}
		value, ok := r.read(place{})
		if !ok {
			return 0, false
		}
		pair, ok := r.add(node{kind: tuple, kids: []int32{key, value}})
		if !ok || !r.trusted && r.l.nodes[key].kind > text {
			return 0, false
		}
		return r.add(node{kind: array, kids: []int32{pair}})
	case "Variant":
		return r.variants()
	case "Tuple":
		return r.elements()
	case "Nested":
		i, ok := r.elements()
		if !ok {
			return 0, false
		}
		return r.add(node{kind: array, kids: []int32{i}})
	}
	return 0, false
}

func (r *typeReader) wrap(k kind) (int32, bool) {
	kid, ok := r.read(place{})
	if !ok {
		return 0, false
	}
	return r.add(node{kind: k, kids: []int32{kid}})
}
