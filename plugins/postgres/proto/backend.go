package proto

import (
	"bytes"
	"encoding/binary"
)

// MaxBackend bounds the length word of any message of the server, in bytes: what the server can build at most.
const MaxBackend = 0x3fffffff + 1024

// ReadAuthentication reads the code of an Authentication message, of which the first 9 bytes must be there.
func ReadAuthentication(msg []byte) uint32 { return binary.BigEndian.Uint32(msg[HeaderSize:]) }

// ReadParameterStatus reads a ParameterStatus message.
func ReadParameterStatus(msg []byte) (name, value []byte, err error) {
	b := body{p: msg[HeaderSize:]}
	name, value = b.str(), b.str()
	return name, value, b.end()
}

// ReadNegotiate reads a NegotiateProtocolVersion message: the newest minor version that the server speaks (it sends the number
// alone up to PostgreSQL 17 in the low half of a version), and how many of the asked options it does not know.
func ReadNegotiate(msg []byte) (minor uint32, options int, err error) {
	b := body{p: msg[HeaderSize:]}
	minor = uint32(b.i32()) & 0xffff
	n := b.i32()
	if n < 0 || n > int64(len(b.p)) {
		return 0, 0, ErrFormat
	}
	for range n {
		b.str()
	}
	return minor, int(n), b.end()
}

// ReadReady reads the transaction status of a ReadyForQuery message: 'I' idle, 'T' in a transaction, 'E' in a failed one.
func ReadReady(msg []byte) (status byte, err error) {
	b := body{p: msg[HeaderSize:]}
	status = b.u8()
	if status != 'I' && status != 'T' && status != 'E' {
		b.fail(ErrFormat)
	}
	return status, b.end()
}

// ReadCommandComplete reads a CommandComplete message: its tag.
func ReadCommandComplete(msg []byte) (tag []byte, err error) {
	b := body{p: msg[HeaderSize:]}
	tag = b.str()
	return tag, b.end()
}

// Rows is the number of rows at the end of a command tag, as written; empty when the tag has none.
func Rows(tag []byte) []byte {
	rows := tag[bytes.LastIndexByte(tag, ' ')+1:]
	for _, c := range rows {
		if c < '0' || c > '9' {
			return nil
		}
	}
	return rows
}

// Count is the number that Rows finds, and whether there is one that fits.
func Count(tag []byte) (n uint64, ok bool) {
	rows := Rows(tag)
	if len(rows) == 0 || len(rows) > 19 {
		return 0, false
	}
	for _, c := range rows {
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// ErrorPeek is how much of an ErrorResponse IsFatal wants to see, in bytes: its first two fields are the severity, in the
// server's language and in English.
const ErrorPeek = HeaderSize + 64

// IsFatal reports whether an ErrorResponse, of which its first ErrorPeek bytes (or all) are there, ends the session. The server
// has sent the severity untranslated (field V) as the second field since 9.6; before, only the translated S.
func IsFatal(msg []byte) bool {
	b := body{p: msg[HeaderSize:]}
	var severity []byte
	for range 2 {
		switch kind, value := b.u8(), b.str(); {
		case b.bad():
		case kind == 'S' && severity == nil, kind == 'V':
			severity = value
		}
	}
	return string(severity) == "FATAL" || string(severity) == "PANIC"
}

// ReadError reads the fields that Error has of an ErrorResponse, which is all there.
func ReadError(msg []byte) (e Error, err error) {
	b := body{p: msg[HeaderSize:]}
	for kind := b.u8(); kind != 0 && !b.bad(); kind = b.u8() {
		value := string(b.str())
		switch kind {
		case 'S':
			e.Severity = value
		case 'C':
			e.Code = value
		case 'M':
			e.Message = value
		case 'D':
			e.Detail = value
		case 'H':
			e.Hint = value
		}
	}
	return e, b.end()
}

// Error is an ErrorResponse that takes the place of the server's. Zero bytes in its texts are written as spaces; empty fields
// are left out.
type Error struct {
	Severity string // "ERROR", "FATAL"
	Code     string // SQLSTATE, five characters
	Message  string
	Detail   string
	Hint     string
}

// AppendError appends the ErrorResponse.
func AppendError(b []byte, e *Error) []byte { return appendFields(b, ErrorResponse, e) }

// AppendNotice appends a NoticeResponse, which has the same fields.
func AppendNotice(b []byte, e *Error) []byte { return appendFields(b, NoticeResponse, e) }

func appendFields(b []byte, typ byte, e *Error) []byte {
	start := len(b)
	b = append(b, typ, 0, 0, 0, 0)
	b = appendField(b, 'S', e.Severity)
	b = appendField(b, 'V', e.Severity)
	b = appendField(b, 'C', e.Code)
	b = appendField(b, 'M', e.Message)
	b = appendField(b, 'D', e.Detail)
	b = appendField(b, 'H', e.Hint)
	b = append(b, 0)
	binary.BigEndian.PutUint32(b[start+1:], uint32(len(b)-start-1))
	return b
}

func appendField(b []byte, kind byte, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, kind)
	start := len(b)
	b = append(b, value...)
	for i := start; i < len(b); i++ {
		if b[i] == 0 {
			b[i] = ' '
		}
	}
	return append(b, 0)
}
