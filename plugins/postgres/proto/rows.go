package proto

import "encoding/binary"

// Field is one column of a RowDescription.
type Field struct {
	Name   []byte
	Type   uint32 // its object ID
	Binary bool
}

// Fields reads the columns of a RowDescription message.
func Fields(msg []byte) ([]Field, error) {
	b := body{p: msg[HeaderSize:]}
	n := int(b.u16())
	fields := make([]Field, 0, min(n, len(b.p)/18))
	for ; n > 0 && !b.bad(); n-- {
		f := Field{Name: b.str()}
		b.take(6) // the table, and the column of it
		f.Type = uint32(b.i32())
		b.take(6) // size and modifier of the type
		f.Binary = b.u16() == 1
		fields = append(fields, f)
	}
	return fields, b.end()
}

// ResultFormats are the format codes that a Bind message asks for its results in, two bytes each; ok is false for a message that does not
// have its layout.
func ResultFormats(msg []byte) (codes []byte, ok bool) {
	b := body{p: msg[HeaderSize:]}
	b.str()
	b.str()
	b.array(2)
	b.values()
	codes = b.take(2 * b.u16())
	return codes, b.end() == nil
}

// Binary reports whether the result of a column comes in binary form.
func Binary(codes []byte, column int) bool {
	switch {
	case len(codes) == 2:
		return codes[1] == 1
	case len(codes) >= 2*column+2:
		return codes[2*column+1] == 1
	}
	return false
}

// RowValues calls do with the place of each value in a DataRow message, -1 as its end for NULL, and reports whether the message has its layout.
func RowValues(msg []byte, do func(column, start, end int)) bool {
	if len(msg) < HeaderSize+2 {
		return false
	}
	at, n := HeaderSize+2, int(binary.BigEndian.Uint16(msg[HeaderSize:]))
	for i := range n {
		if len(msg)-at < 4 {
			return false
		}
		size := int64(int32(binary.BigEndian.Uint32(msg[at:])))
		at += 4
		if size < 0 {
			do(i, at, -1)
			continue
		}
		if size > int64(len(msg)-at) {
			return false
		}
		do(i, at, at+int(size))
		at += int(size)
	}
	return at == len(msg)
}

// Words calls do with the place of each text of an ErrorResponse or a NoticeResponse that people read.
func Words(msg []byte, do func(start, end int)) {
	for at := HeaderSize; at < len(msg) && msg[at] != 0; {
		kind, end := msg[at], at+1
		for end < len(msg) && msg[end] != 0 {
			end++
		}
		switch kind {
		case 'M', 'D', 'H', 'W', 'q', 's', 't', 'c', 'd', 'n':
			do(at+1, end)
		}
		at = end + 1
	}
}
