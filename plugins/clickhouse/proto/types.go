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
)

// node is a type, or a part of one.
type node struct {
	kind kind
	size uint32
	kids []int32
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
	// dictionaries is how many parts have a dictionary: the data begins with a number for each.
	dictionaries int
}

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
	zone    []byte // of the server
}

// readType makes the layout of a type.
func readType(text []byte, trusted bool, zone []byte, l *layout) error {
	r := typeReader{text: text, l: l, trusted: trusted, zone: zone}
	l.nodes, l.dictionaries = l.nodes[:0], 0
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

// fixedTypes are the types whose values have one size and which have no parameters.
var fixedTypes = map[string]uint32{
	"UInt8": 1, "UInt16": 2, "UInt32": 4, "UInt64": 8, "UInt128": 16, "UInt256": 32,
	"Int8": 1, "Int16": 2, "Int32": 4, "Int64": 8, "Int128": 16, "Int256": 32,
	"Float32": 4, "Float64": 8, "BFloat16": 2, "Bool": 1, "Date": 2, "Date32": 4, "DateTime": 4, "Time": 4,
	"UUID": 16, "IPv4": 4, "IPv6": 16,
	"IntervalNanosecond": 8, "IntervalMicrosecond": 8, "IntervalMillisecond": 8, "IntervalSecond": 8, "IntervalMinute": 8, "IntervalHour": 8,
	"IntervalDay": 8, "IntervalWeek": 8, "IntervalMonth": 8, "IntervalQuarter": 8, "IntervalYear": 8,
}

// geo are how many arrays of points a type of geometry is.
var geo = map[string]int{"Point": 0, "Ring": 1, "LineString": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}

func (r *typeReader) read(in place) (int32, bool) {
	if r.depth++; r.depth > maxDepth {
		return 0, false
	}
	defer func() { r.depth-- }()
	name := r.word()
	if size, ok := fixedTypes[name]; ok {
		if name == "DateTime" && r.is('(') && !(r.quotedZone() && r.is(')')) {
			return 0, false
		}
		return r.add(node{kind: fixed, size: size})
	}
	if depth, ok := geo[name]; ok {
		return r.geometry(depth, in)
	}
	if name == "String" {
		return r.add(node{kind: text})
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
	x, _ := r.add(node{kind: fixed, size: 8})
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
		if n, ok := r.number(); !ok || n > 9 || name == "DateTime64" && r.comma() && !r.quotedZone() {
			return 0, false
		}
		return r.add(node{kind: fixed, size: 8})
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
	return r.add(node{kind: fixed, size: size})
}

// enum reads the words of an enumeration, which only a server can judge.
func (r *typeReader) enum(size uint32) (int32, bool) {
	if !r.trusted {
		return 0, false
	}
	for {
		if _, ok := r.quoted(); !ok {
			return 0, false
		}
		r.is(' ')
		if !r.is('=') {
			return 0, false
		}
		r.is(' ')
		r.is('-')
		if _, ok := r.number(); !ok {
			return 0, false
		}
		if !r.comma() {
			return r.add(node{kind: fixed, size: size})
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
	r.l.dictionaries++
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
