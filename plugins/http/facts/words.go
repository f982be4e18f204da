package facts

import (
	"encoding/binary"
	"unsafe"
)

// Eight bytes at a time: a guest takes nanoseconds for each step of a loop.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	cases = 0x2020202020202020 // the bits that make letters lower case
)

// word are the eight bytes of p from i on, which are there, the first the lowest.
func word(p []byte, i int) uint64 {
	_ = p[i+7]
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(p)), i))[:])
}

// are marks the bytes of w that are c, and no others, by their high bits.
func are(w, c uint64) uint64 {
	w ^= ones * c
	return ^((w&^highs + ^uint64(highs)) | w) & highs
}

// pairStep is how far words go apart in which pairs of bytes are looked for: they overlap by one byte.
const pairStep = 7

// usualPath returns up to where p was found to be of usual bytes, with no slash or dot behind a slash. What stands there, if anything, takes a closer look, along
// with the byte before it.
func usualPath(p []byte) int {
	i := 0
	for ; i+8 <= len(p); i += pairStep {
		w := word(p, i)
		slash := are(w, '/')
		low := (w&^highs + ones*(0x80-0x21)) & highs // where it is not less than 0x21, of ASCII
		if w&highs|(low^highs)|are(w, 0x7f)|are(w, '%')|are(w, '\\')|are(w, ';')|slash<<8&(slash|are(w, '.')) != 0 {
			break
		}
	}
	return i
}

// without returns up to where p has no "%" and no "me" in any case. The byte there may be the first of them.
func without(p []byte) int {
	i := 0
	for ; i+8 <= len(p); i += pairStep {
		w := word(p, i)
		letters := w | cases
		if are(w, '%')|are(letters, 'm')<<8&are(letters, 'e') != 0 {
			break
		}
	}
	return i
}
