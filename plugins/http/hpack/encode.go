package hpack

// AppendInteger appends v with a prefix of n bits; first has the bits before it. RFC 7541 section 5.1.
func AppendInteger(b []byte, first byte, n uint, v int) []byte {
	mask := 1<<n - 1
	if v < mask {
		return append(b, first|byte(v))
	}
	b = append(b, first|byte(mask))
	for v -= mask; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// AppendIndexed appends the field with index i of the static table.
func AppendIndexed(b []byte, i uint8) []byte { return append(b, 0x80|i) }

// AppendSizeUpdate appends that the writer's dynamic table has at most n bytes from here on. A writer without a table says 0 once, at the beginning of its
// first block.
func AppendSizeUpdate(b []byte, n int) []byte { return AppendInteger(b, 0x20, 5, n) }

// AppendName begins a literal field that is not indexed: its name, by its index in the static table, or else spelt out.
func AppendName[T ~string | ~[]byte](b []byte, index uint8, name T, never bool) []byte {
	first := byte(0)
	if never {
		first = 0x10
	}
	if index != 0 {
		return AppendInteger(b, first, 4, int(index))
	}
	b = append(b, first)
	return AppendString(b, name)
}

// AppendString appends a string as it is. Huffman coding would cost a guest more than the bytes it saves.
func AppendString[T ~string | ~[]byte](b []byte, s T) []byte {
	b = AppendInteger(b, 0, 7, len(s))
	return append(b, s...)
}

// AppendLiteral appends a field that is not indexed.
func AppendLiteral[N, V ~string | ~[]byte](b []byte, index uint8, name N, value V, never bool) []byte {
	return AppendString(AppendName(b, index, name, never), value)
}

// AppendField appends a field that a decoder found in text.
func AppendField(b []byte, f *Field, text []byte) []byte {
	if f.Static != 0 {
		return append(b, 0x80|f.Static)
	}
	name, value := int(f.Name.End-f.Name.Start), int(f.Value.End-f.Value.Start)
	room := len(b) + name + value + 4
	if name >= 0x7f || value >= 0x7f || room > cap(b) {
		return AppendLiteral(b, f.StaticName, f.Name.Of(text), f.Value.Of(text), f.Flags&Never != 0)
	}
	// Nearly every field is short, and this is written out because a guest's calls are dear.
	i := len(b)
	b = b[:room]
	first := byte(0)
	if f.Flags&Never != 0 {
		first = 0x10
	}
	switch {
	case f.StaticName == 0:
		b[i], b[i+1] = first, byte(name)
		i += 2 + copy(b[i+2:], text[f.Name.Start:f.Name.End])
	case f.StaticName < staticShort:
		b[i] = first | f.StaticName
		i++
	default:
		b[i], b[i+1] = first|staticShort, f.StaticName-staticShort
		i += 2
	}
	b[i] = byte(value)
	i++
	return b[:i+copy(b[i:], text[f.Value.Start:f.Value.End])]
}

// staticShort is the least index that does not fit into the first byte of a literal.
const staticShort = 0x0f

// statuses are the codes of static entries 8 to 14.
var statuses = [...]int{200, 204, 206, 304, 400, 404, 500}

const firstStatus = 8

// AppendStatus appends ":status".
func AppendStatus(b []byte, code int) []byte {
	for i, s := range statuses {
		if s == code {
			return AppendIndexed(b, uint8(firstStatus+i))
		}
	}
	b = AppendName(b, firstStatus, "", false)
	return append(b, 3, byte('0'+code/100%10), byte('0'+code/10%10), byte('0'+code%10))
}
