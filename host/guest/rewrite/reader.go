package rewrite

import (
	"fmt"
	"unicode/utf8"
)

// reader reads a part of the module. The first failure panics with an *Error, which Rewrite turns into a result.
type reader struct {
	b    []byte
	i    int
	base int // offset of b in the module
}

func (r *reader) fail(format string, args ...any) {
	panic(&Error{Offset: r.base + r.i, What: fmt.Sprintf(format, args...)})
}

func (r *reader) byte() byte {
	if r.i >= len(r.b) {
		r.fail("unexpected end")
	}
	c := r.b[r.i]
	r.i++
	return c
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.b)-r.i {
		r.fail("unexpected end: %d bytes are wanted, %d are left", n, len(r.b)-r.i)
	}
	b := r.b[r.i : r.i+n : r.i+n]
	r.i += n
	return b
}

// sub returns a reader of the next n bytes and skips them.
func (r *reader) sub(n int) *reader {
	base := r.base + r.i
	return &reader{b: r.bytes(n), base: base}
}

func (r *reader) done() bool { return r.i == len(r.b) }

func (r *reader) end(what string) {
	if !r.done() {
		r.fail("%s is longer than its content", what)
	}
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	var v uint32
	for s := uint(0); ; s += 7 {
		c := r.byte()
		if s == 28 && c > 0x0f {
			r.fail("number is too long")
		}
		v |= uint32(c&0x7f) << s
		if c < 0x80 {
			return v
		}
	}
}

// i64 reads a signed LEB128 number of at most bits bits, and returns it.
func (r *reader) signed(bits uint) int64 {
	var v int64
	for s := uint(0); ; s += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << s
		if last := s+7 >= bits; last {
			// The bits beyond the number must repeat its sign.
			top := int8(c<<1) >> (bits - s)
			if c >= 0x80 || top != 0 && top != -1 {
				r.fail("number is too long")
			}
		}
		if c < 0x80 {
			if s+7 < 64 && c&0x40 != 0 {
				v |= -1 << (s + 7)
			}
			return v
		}
	}
}

// count reads the number of entries of a list, each of which takes at least one byte.
func (r *reader) count(what string, limit int) int {
	n := r.u32()
	if uint64(n) > uint64(limit) {
		r.fail("%d %s, the limit is %d", n, what, limit)
	}
	if int(n) > len(r.b)-r.i {
		r.fail("%d %s in %d bytes", n, what, len(r.b)-r.i)
	}
	return int(n)
}

// index reads an index that must be below n.
func (r *reader) index(what string, n int) uint32 {
	v := r.u32()
	if uint64(v) >= uint64(n) {
		r.fail("%s %d does not exist, there are %d", what, v, n)
	}
	return v
}

func (r *reader) name(limit int) string {
	n := r.u32()
	if uint64(n) > uint64(limit) {
		r.fail("name of %d bytes, the limit is %d", n, limit)
	}
	b := r.bytes(int(n))
	if !utf8.Valid(b) {
		r.fail("name is not UTF-8")
	}
	return string(b)
}

func (r *reader) valType() ValType {
	switch t := r.byte(); t {
	case I32, I64, F32, F64, V128, FuncRef:
		return t
	default:
		r.i--
		r.fail("value type %#x is not supported", t)
		return 0
	}
}

// uleb appends an unsigned LEB128 number.
func uleb(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// sleb appends a signed LEB128 number.
func sleb(b []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func str(b []byte, s string) []byte { return append(uleb(b, uint32(len(s))), s...) }
