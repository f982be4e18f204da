package proto

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// What the server says of a message whose body does not have the layout of its type, by what it stumbles over first
// (src/backend/libpq/pqformat.c). Each is an ErrFormat.
var (
	ErrFormat  = errors.New("invalid message format")
	errShort   = formatError("insufficient data left in message")
	errNoData  = formatError("no data left in message")
	errString  = formatError("invalid string in message")
	ErrSubtype = formatError("invalid message subtype") // of Describe and Close
)

type formatError string

func (e formatError) Error() string        { return string(e) }
func (e formatError) Is(target error) bool { return target == ErrFormat }

// body takes fields off the front of a message's body; after the first failure err says what it was, and everything is empty.
type body struct {
	p   []byte
	err error
}

func (b *body) bad() bool { return b.err != nil }

func (b *body) fail(err error) []byte {
	if b.err == nil {
		b.err = err
	}
	return nil
}

func (b *body) take(n int64) []byte {
	if b.bad() || n < 0 || n > int64(len(b.p)) {
		return b.fail(errShort)
	}
	v := b.p[:n]
	b.p = b.p[n:]
	return v
}

func (b *body) str() []byte {
	i := bytes.IndexByte(b.p, 0)
	if b.bad() || i < 0 {
		return b.fail(errString)
	}
	v := b.p[:i]
	b.p = b.p[i+1:]
	return v
}

func (b *body) u8() byte {
	if len(b.p) == 0 {
		b.fail(errNoData)
	}
	if v := b.take(1); v != nil {
		return v[0]
	}
	return 0
}

// u16 reads a count or a format: the manual calls them Int16, the server reads them without a sign.
func (b *body) u16() int64 {
	if v := b.take(2); v != nil {
		return int64(binary.BigEndian.Uint16(v))
	}
	return 0
}

func (b *body) i32() int64 {
	if v := b.take(4); v != nil {
		return int64(int32(binary.BigEndian.Uint32(v)))
	}
	return 0
}

// array skips a count and that many elements of width bytes.
func (b *body) array(width int64) {
	b.take(b.u16() * width)
}

// values skips a count and that many values, each a length (-1 for null) and its bytes.
func (b *body) values() {
	for n := b.u16(); n > 0 && !b.bad(); n-- {
		if size := b.i32(); size != -1 {
			b.take(size)
		}
	}
}

func (b *body) end() error {
	if b.err == nil && len(b.p) != 0 {
		return ErrFormat
	}
	return b.err
}

// ReadQuery reads a Query message: its text. The string ends at the first zero byte, which must be the last byte.
func ReadQuery(msg []byte) (text []byte, err error) {
	b := body{p: msg[HeaderSize:]}
	text = b.str()
	return text, b.end()
}

// ReadParse reads a Parse message: the statement's name and its text.
func ReadParse(msg []byte) (name, text []byte, err error) {
	b := body{p: msg[HeaderSize:]}
	name, text = b.str(), b.str()
	b.array(4)
	return Name(name), text, b.end()
}

// ReadBind reads a Bind message: the portal that it makes and the statement that it makes it of.
func ReadBind(msg []byte) (portal, statement []byte, err error) {
	b := body{p: msg[HeaderSize:]}
	portal, statement = b.str(), b.str()
	b.array(2)
	b.values()
	b.array(2)
	return Name(portal), Name(statement), b.end()
}

// What Describe and Close are about.
const (
	TargetStatement = 'S'
	TargetPortal    = 'P'
)

// ReadTarget reads a Describe or Close message: TargetStatement or TargetPortal, and the name.
func ReadTarget(msg []byte) (kind byte, name []byte, err error) {
	b := body{p: msg[HeaderSize:]}
	kind, name = b.u8(), b.str()
	if err = b.end(); err == nil && kind != TargetStatement && kind != TargetPortal {
		err = ErrSubtype
	}
	return kind, Name(name), err
}

// ReadExecute reads an Execute message: the portal that it runs.
func ReadExecute(msg []byte) (portal []byte, err error) {
	b := body{p: msg[HeaderSize:]}
	portal = b.str()
	b.i32()
	return Name(portal), b.end()
}

// ReadFunctionCall reads a FunctionCall message: the object ID of the function.
func ReadFunctionCall(msg []byte) (oid uint32, err error) {
	b := body{p: msg[HeaderSize:]}
	oid = uint32(b.i32())
	b.array(2)
	b.values()
	b.u16()
	return oid, b.end()
}
