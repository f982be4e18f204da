package proto

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// appendValue appends a value of fixed size as the server prints it, times as in UTC.
func appendValue(b []byte, t *node, v []byte) []byte {
	switch t.form {
	case formUnsigned:
		return appendInteger(b, v, false, 0)
	case formSigned:
		return appendInteger(b, v, true, 0)
	case formDecimal:
		return appendInteger(b, v, true, int(t.scale))
	case formFloat:
		if len(v) == 4 {
			return strconv.AppendFloat(b, float64(math.Float32frombits(binary.LittleEndian.Uint32(v))), 'g', -1, 32)
		}
		return strconv.AppendFloat(b, math.Float64frombits(load64(v)), 'g', -1, 64)
	case formBrainFloat:
		return strconv.AppendFloat(b, float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(v))<<16)), 'g', -1, 32)
	case formBool:
		return strconv.AppendBool(b, v[0] != 0)
	case formEnum:
		n := signed(v)
		for i := range t.words {
			if int64(t.words[i].value) == n {
				return append(b, t.words[i].name...)
			}
		}
		return strconv.AppendInt(b, n, 10)
	case formUUID:
		return appendUUID(b, v)
	case formIPv4:
		return netip.AddrFrom4([4]byte{v[3], v[2], v[1], v[0]}).AppendTo(b)
	case formIPv6:
		return netip.AddrFrom16([16]byte(v)).AppendTo(b)
	}
	return appendTime(b, t, v)
}

// signed is a number of at most 8 bytes.
func signed(v []byte) int64 {
	var b [8]byte
	if n := copy(b[:], v); n < 8 && v[n-1] >= 0x80 {
		for i := n; i < 8; i++ {
			b[i] = 0xff
		}
	}
	return int64(load64(b[:]))
}

func appendTime(b []byte, t *node, v []byte) []byte {
	n := signed(v)
	const day = 24 * 60 * 60
	switch t.form {
	case formDate:
		if len(v) == 2 {
			n = int64(binary.LittleEndian.Uint16(v))
		}
		return time.Unix(n*day, 0).UTC().AppendFormat(b, "2006-01-02")
	case formDateTime:
		return time.Unix(int64(binary.LittleEndian.Uint32(v)), 0).UTC().AppendFormat(b, "2006-01-02 15:04:05")
	}
	unit := int64(1)
	if t.form != formTime {
		for range t.scale {
			unit *= 10
		}
	}
	seconds, part := n/unit, n%unit
	if t.form == formDateTime64 {
		if part < 0 {
			seconds, part = seconds-1, part+unit
		}
		b = time.Unix(seconds, 0).UTC().AppendFormat(b, "2006-01-02 15:04:05")
	} else {
		if n < 0 {
			b, seconds, part = append(b, '-'), -seconds, -part
		}
		b = appendPadded(b, seconds/3600, 2)
		b = appendPadded(append(b, ':'), seconds/60%60, 2)
		b = appendPadded(append(b, ':'), seconds%60, 2)
	}
	if unit == 1 {
		return b
	}
	return appendPadded(append(b, '.'), part, int(t.scale))
}

func appendPadded(b []byte, v int64, width int) []byte {
	var buf [20]byte
	s := strconv.AppendInt(buf[:0], v, 10)
	for range width - len(s) {
		b = append(b, '0')
	}
	return append(b, s...)
}

// appendUUID: its two halves are little endian.
func appendUUID(b, v []byte) []byte {
	var u [16]byte
	for i := range 8 {
		u[i], u[8+i] = v[7-i], v[15-i]
	}
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, u[[...]int{0, 4, 6, 8, 10}[i]:end])
	}
	return b
}

// appendInteger appends a number of up to 32 bytes, with the point before its last scale digits.
func appendInteger(b, v []byte, isSigned bool, scale int) []byte {
	if len(v) <= 8 && scale == 0 {
		if isSigned {
			return strconv.AppendInt(b, signed(v), 10)
		}
		var u [8]byte
		copy(u[:], v)
		return strconv.AppendUint(b, load64(u[:]), 10)
	}
	var n [8]uint32 // little endian
	negative := isSigned && v[len(v)-1] >= 0x80
	for i := range 32 {
		c := byte(0)
		if negative {
			c = 0xff
		}
		if i < len(v) {
			c = v[i]
		}
		n[i/4] |= uint32(c) << (8 * (i % 4))
	}
	if negative {
		b = append(b, '-')
		carry := uint64(1)
		for i := range n {
			carry += uint64(^n[i])
			n[i], carry = uint32(carry), carry>>32
		}
	}
	var digits [80]byte
	d := digits[:0]
	for more := true; more || len(d) <= scale; {
		rest := uint64(0)
		more = false
		for i := 7; i >= 0; i-- {
			rest = rest<<32 | uint64(n[i])
			n[i], rest = uint32(rest/10), rest%10
			more = more || n[i] != 0
		}
		if d = append(d, '0'+byte(rest)); len(d) == scale {
			d = append(d, '.')
		}
	}
	if len(d) > 0 && d[len(d)-1] == '.' {
		d = append(d, '0')
	}
	slices.Reverse(d)
	return append(b, d...)
}
