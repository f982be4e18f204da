package session

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
)

// The values of a Bind are a field of the actions about its portal. They are encoded once, when the Bind is read, and the portal
// keeps them in this form. A value in text format is given as it was sent; one in binary format is decoded when its type is
// known and simple, else it is given as \x and hexadecimal digits, and so is whatever is not UTF-8. NULL is "NULL".

// maxParams bounds the encoded values of one Bind, in bytes. More are unknown.
const maxParams = 4 << 10

// sparesKept is how many buffers for values are kept for the next Bind.
const sparesKept = 4

// noParams is the field for what has no values, and unknownParams where they are not known.
var (
	noParams      = []byte{sqlParams, 0, 1, 0, 0, 0, 0}
	unknownParams = []byte{sqlParams, 0, 0}
)

// paramsOf encodes the values of a Bind message that was read before.
func (s *Session) paramsOf(bind []byte, st *statement) []byte {
	b := proto.ReadValues(bind)
	if b.Count() == 0 {
		return noParams
	}
	var out []byte
	if n := len(s.spares); n > 0 {
		out, s.spares = s.spares[n-1][:0], s.spares[:n-1]
	}
	out = append(out, noParams...)
	for i := range b.Count() {
		value, null, binaryFormat := b.Next()
		start := len(out)
		out = append(out, 0, 0, 0, 0)
		switch {
		case null:
			out = append(out, "NULL"...)
		case len(value) > maxParams:
			return unknownParams
		case binaryFormat:
			out = appendBinary(out, st.typeOf(i), value)
		default:
			out = appendText(out, value)
		}
		if len(out) > maxParams {
			return unknownParams
		}
		binary.LittleEndian.PutUint32(out[start:], uint32(len(out)-start-4))
	}
	binary.LittleEndian.PutUint32(out[3:], uint32(b.Count()))
	return out
}

// recycle keeps a buffer of paramsOf that nothing refers to any more.
func (s *Session) recycle(params []byte) {
	if cap(params) > len(noParams) && len(s.spares) < sparesKept {
		s.spares = append(s.spares, params)
	}
}

// paramsAt are the values of the portal of a name, at this place in the agent's stream.
func (s *Session) paramsAt(portal string) []byte {
	for _, items := range [2][]item{s.held.items, s.queue.all()} {
		for k := len(items) - 1; k >= 0; k-- {
			if i := &items[k]; i.kind == itemBind && i.name == portal {
				return i.params
			}
		}
	}
	return s.names.params(portal)
}

// object IDs of types (src/include/catalog/pg_type.dat).
const (
	oidBool, oidBytea, oidChar, oidName             = 16, 17, 18, 19
	oidInt8, oidInt2, oidInt4, oidText, oidOid      = 20, 21, 23, 25, 26
	oidJSON, oidXML, oidFloat4, oidFloat8           = 114, 142, 700, 701
	oidBpchar, oidVarchar, oidUUID, oidJSONB        = 1042, 1043, 2950, 3802
	jsonbVersion                               byte = 1
)

func appendBinary(out []byte, oid uint32, v []byte) []byte {
	be := binary.BigEndian
	switch oid {
	case oidBool:
		if len(v) == 1 && v[0] <= 1 {
			return strconv.AppendBool(out, v[0] == 1)
		}
	case oidInt2:
		if len(v) == 2 {
			return strconv.AppendInt(out, int64(int16(be.Uint16(v))), 10)
		}
	case oidInt4:
		if len(v) == 4 {
			return strconv.AppendInt(out, int64(int32(be.Uint32(v))), 10)
		}
	case oidOid:
		if len(v) == 4 {
			return strconv.AppendUint(out, uint64(be.Uint32(v)), 10)
		}
	case oidInt8:
		if len(v) == 8 {
			return strconv.AppendInt(out, int64(be.Uint64(v)), 10)
		}
	case oidFloat4:
		if len(v) == 4 {
			return strconv.AppendFloat(out, float64(math.Float32frombits(be.Uint32(v))), 'g', -1, 32)
		}
	case oidFloat8:
		if len(v) == 8 {
			return strconv.AppendFloat(out, math.Float64frombits(be.Uint64(v)), 'g', -1, 64)
		}
	case oidText, oidVarchar, oidBpchar, oidName, oidChar, oidJSON, oidXML:
		return appendText(out, v)
	case oidJSONB:
		if len(v) > 0 && v[0] == jsonbVersion {
			return appendText(out, v[1:])
		}
	case oidUUID:
		if len(v) == 16 {
			for i, part := range [5][]byte{v[:4], v[4:6], v[6:8], v[8:10], v[10:]} {
				if i > 0 {
					out = append(out, '-')
				}
				out = appendDigits(out, part)
			}
			return out
		}
	case oidBytea:
	}
	return appendHex(out, v)
}

func appendText(out, v []byte) []byte {
	if !utf8.Valid(v) {
		return appendHex(out, v)
	}
	return append(out, v...)
}

func appendHex(out, v []byte) []byte { return appendDigits(append(out, `\x`...), v) }

// appendDigits is encoding/hex without that package, which would bring fmt into the guest.
func appendDigits(out, v []byte) []byte {
	const digits = "0123456789abcdef"
	for _, c := range v {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return out
}

// typed is st with the types that its Parse message declares, if it declares any.
func (s *Session) typed(st *statement, parse []byte) *statement {
	types := proto.ReadTypes(parse)
	if types == "" || types == st.types {
		return st
	}
	own := *st
	own.types = string([]byte(types))
	own.size += len(types)
	return &own
}

// typeOf is the type of a value, 0 when it is not known.
func (st *statement) typeOf(i int) uint32 {
	if 4*i+4 > len(st.types) {
		return 0
	}
	t := st.types[4*i:]
	return uint32(t[0])<<24 | uint32(t[1])<<16 | uint32(t[2])<<8 | uint32(t[3])
}
