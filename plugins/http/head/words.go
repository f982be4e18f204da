package head

import (
	"math/bits"
	"unsafe"
)

// Eight bytes at a time: a guest takes nanoseconds for each step of a loop.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// word are the eight bytes of p from i on, which are there, the first the lowest.
func word(p []byte, i int) uint64 {
	_ = p[i+7]
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(p)), i))
}

// below marks the bytes of w that are less than n, at most 128, by their high bits. The lowest mark is right; those above it may not be.
func below(w, n uint64) uint64 { return (w - ones*n) & ^w & highs }

// equal marks the bytes of w that are c, in the same way.
func equal(w uint64, c uint64) uint64 { return below(w^(ones*c), 1) }

// TargetOK reports whether every byte of p can stand in a request's target.
func TargetOK(p []byte) bool { return skipTarget(p, 0) == len(p) }

// skipTarget returns the place of the first byte of p from i on that cannot stand in a request's target, or len(p).
func skipTarget(p []byte, i int) int {
	for i+8 <= len(p) {
		w := word(p, i)
		if odd := below(w, ' '+1) | equal(w, 0x7f) | equal(w, '#'); odd != 0 {
			return i + bits.TrailingZeros64(odd)/8
		}
		i += 8
	}
	for i < len(p) && kinds[p[i]]&inTarget != 0 {
		i++
	}
	return i
}
