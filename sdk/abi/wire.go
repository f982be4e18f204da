package abi

import (
	"encoding/binary"
	"errors"
	"strconv"
)

// ErrShort says that a length points past the end of what was handed over.
var ErrShort = errors.New("cut short")

var le = binary.LittleEndian

// numbered is an error of two pieces of text with a number between them.
func numbered(before string, n uint64, after string) error {
	return errors.New(before + " " + strconv.FormatUint(n, 10) + after)
}

// wrapped is an error with what was being read before it.
type wrapped struct {
	what string
	err  error
}

func wrap(what string, err error) error { return &wrapped{what, err} }

func (w *wrapped) Error() string { return w.what + ": " + w.err.Error() }
func (w *wrapped) Unwrap() error { return w.err }

// reader takes fields off the front of b; after the first failure everything it returns is zero and err is set.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		if r.err == nil {
			r.err = ErrShort
		}
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) u8() uint8 {
	if p := r.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if p := r.take(2); p != nil {
		return le.Uint16(p)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if p := r.take(4); p != nil {
		return le.Uint32(p)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if p := r.take(8); p != nil {
		return le.Uint64(p)
	}
	return 0
}

func (r *reader) bytes() []byte {
	n := r.u32()
	if uint64(n) > uint64(len(r.b)) {
		if r.err == nil {
			r.err = ErrShort
		}
		return nil
	}
	return r.take(int(n))
}

// flag reads a u8 that is 0 or 1.
func (r *reader) flag() bool {
	v := r.u8()
	if r.err == nil && v > 1 {
		r.err = numbered("a flag is", uint64(v), ", not 0 or 1")
	}
	return v == 1
}

// side reads a u8 that is 0 or 1.
func (r *reader) side() Side {
	v := r.u8()
	if r.err == nil && v > 1 {
		r.err = numbered("side", uint64(v), "")
	}
	return Side(v & 1)
}

// count reads a u32 that counts things of at least size bytes each.
func (r *reader) count(size int) uint32 {
	n := r.u32()
	if r.err == nil && uint64(n)*uint64(size) > uint64(len(r.b)) {
		r.err = ErrShort
		return 0
	}
	return n
}

func (r *reader) str() string { return string(r.bytes()) }

// end fails when something is left over: both sides must agree on where a value stops.
func (r *reader) end() error {
	if r.err == nil && len(r.b) != 0 {
		return errors.New(strconv.Itoa(len(r.b)) + " bytes too many")
	}
	return r.err
}

func appendString(b []byte, s string) []byte {
	b = le.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}
