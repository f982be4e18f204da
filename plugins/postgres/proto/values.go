package proto

import (
	"encoding/binary"
	"unsafe"
)

// Values walks the values of a Bind message.
type Values struct {
	formats []byte // each an Int16
	n, i    int    // how many there are, and how many were read
	rest    []byte
}

// ReadValues begins a walk over the values of a message that [ReadBind] has accepted.
func ReadValues(bind []byte) Values {
	b := body{p: bind[HeaderSize:]}
	b.str()
	b.str()
	v := Values{formats: b.take(2 * b.u16())}
	v.n = int(b.u16())
	v.rest = b.p
	return v
}

// Count is how many values there are.
func (v *Values) Count() int { return v.n }

// Next is the next value, a view into the message; call it Count times. binary is false for a value in text format.
func (v *Values) Next() (value []byte, null, binaryFormat bool) {
	b := body{p: v.rest}
	size := b.i32()
	if size != -1 {
		value = b.take(size)
	}
	v.rest = b.p
	format := v.i
	if len(v.formats) == 2 { // one for all
		format = 0
	}
	v.i++
	if 2*format+2 <= len(v.formats) {
		binaryFormat = binary.BigEndian.Uint16(v.formats[2*format:]) != 0
	}
	return value, size == -1, binaryFormat
}

// ReadTypes is what a Parse message that [ReadParse] has accepted declares of the types of its parameters: an Int32 for each of the
// first ones, 0 for one that it leaves open. It is a view into the message.
func ReadTypes(parse []byte) string {
	b := body{p: parse[HeaderSize:]}
	b.str()
	b.str()
	return view(b.take(4 * b.u16()))
}

// ReadParameterDescription reads a ParameterDescription message: the types of a statement's parameters, as ReadTypes gives them.
func ReadParameterDescription(msg []byte) (types string, err error) {
	b := body{p: msg[HeaderSize:]}
	types = view(b.take(4 * b.u16()))
	return types, b.end()
}

func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
