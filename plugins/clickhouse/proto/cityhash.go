package proto

import (
	"encoding/binary"
	"math/bits"

	"github.com/go-faster/city"
)

// cityHash is CityHash128 1.0.2, which ClickHouse puts before compressed data, of bytes that come in pieces. The function begins at
// the front and ends with the last bytes, so that the last 128 before the end are kept.
type cityHash struct {
	size, seen uint64
	short      [144]byte // all of it, when that is all
	buf        [256]byte // the piece before, and the one that is not whole
	have       int       // of the latter
	x, y, z    uint64
	v0, v1     uint64
	w0, w1     uint64
	begun      bool
}

const (
	cityK0 uint64 = 0xc3a5c85c97cb3127
	cityK1 uint64 = 0xb492b66fbe98f273
	cityK3 uint64 = 0xc949d7c7509e6557
)

func (h *cityHash) begin(size uint64) {
	h.size, h.seen, h.have, h.begun = size, 0, 0, false
}

func (h *cityHash) isShort() bool { return h.size < uint64(len(h.short)) }

// write takes the next bytes, altogether as many as begin was told.
func (h *cityHash) write(p []byte) {
	if h.seen < uint64(len(h.short)) {
		copy(h.short[h.seen:], p)
	}
	from := h.seen
	h.seen += uint64(len(p))
	if h.isShort() {
		return
	}
	if from < 16 {
		if h.seen < 16 {
			return
		}
		p = p[16-from:]
		h.x = load64(h.short[:]) ^ cityK3
		h.y = load64(h.short[8:])
		h.z = (h.size - 16) * cityK1
	}
	for len(p) > 0 {
		if h.have == 0 && len(p) >= 128 {
			last := p
			for len(p) >= 128 {
				h.round(p[:128])
				last, p = p[:128], p[128:]
			}
			copy(h.buf[:128], last)
			continue
		}
		k := copy(h.buf[128+h.have:], p)
		h.have += k
		if p = p[k:]; h.have == 128 {
			h.round(h.buf[128:])
			copy(h.buf[:128], h.buf[128:])
			h.have = 0
		}
	}
}

func (h *cityHash) round(s []byte) {
	s = s[:128]
	x, y, z, v0, v1, w0, w1 := h.x, h.y, h.z, h.v0, h.v1, h.w0, h.w1
	if !h.begun {
		h.begun = true
		v0 = bits.RotateLeft64(y^cityK1, -49)*cityK1 + load64(s)
		v1 = bits.RotateLeft64(v0, -42)*cityK1 + load64(s[8:])
		w0 = bits.RotateLeft64(y+z, -35)*cityK1 + x
		w1 = bits.RotateLeft64(x+load64(s[88:]), -53) * cityK1
	}
	for range 2 {
		x = bits.RotateLeft64(x+y+v0+load64(s[16:]), -37) * cityK1
		y = bits.RotateLeft64(y+v1+load64(s[48:]), -42) * cityK1
		x ^= w1
		y ^= v0
		z = bits.RotateLeft64(z^w0, -33)
		v0, v1 = cityWeak(s, v1*cityK1, x+w0)
		w0, w1 = cityWeak(s[32:], z+w1, y)
		z, x = x, z
		s = s[64:]
	}
	h.x, h.y, h.z, h.v0, h.v1, h.w0, h.w1 = x, y, z, v0, v1, w0, w1
}

// cityWeak is WeakHashLen32WithSeeds.
func cityWeak(s []byte, a, b uint64) (uint64, uint64) {
	z := load64(s[24:])
	a += load64(s)
	b = bits.RotateLeft64(b+a+z, -21)
	c := a
	a += load64(s[8:])
	a += load64(s[16:])
	b += bits.RotateLeft64(a, -44)
	return a + z, b + c
}

// city16 is HashLen16.
func city16(u, v uint64) uint64 {
	const mul uint64 = 0x9ddfea08eb382d69
	a := (u ^ v) * mul
	a ^= a >> 47
	b := (v ^ a) * mul
	b ^= b >> 47
	return b * mul
}

// sum is the checksum as it is on the wire.
func (h *cityHash) sum() (sum [16]byte) {
	if h.isShort() {
		u := city.CH128(h.short[:h.size])
		binary.LittleEndian.PutUint64(sum[:], u.Low)
		binary.LittleEndian.PutUint64(sum[8:], u.High)
		return sum
	}
	x, y, z, v0, v1, w0, w1 := h.x, h.y, h.z, h.v0, h.v1, h.w0, h.w1
	y += bits.RotateLeft64(w0, -37)*cityK0 + z
	x += bits.RotateLeft64(v0+z, -49) * cityK0
	all := h.buf[:128+h.have]
	for i := 0; i < h.have; {
		i += 32
		y = bits.RotateLeft64(y-x, -42)*cityK0 + v1
		w0 += load64(all[len(all)-i+16:])
		x = bits.RotateLeft64(x, -49)*cityK0 + w0
		w0 += v0
		v0, v1 = cityWeak(all[len(all)-i:], v0, v1)
	}
	x = city16(x, v0)
	y = city16(y, w0)
	binary.LittleEndian.PutUint64(sum[:], city16(x+v1, w1)+y)
	binary.LittleEndian.PutUint64(sum[8:], city16(x+w1, y+v1))
	return sum
}
