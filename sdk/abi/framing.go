package abi

// MaxHead is the largest head of a frame that SCAN can read, in bytes.
const MaxHead = 32

// scanBigEndian is the flag of SCAN for a length that is big endian.
const scanBigEndian uint8 = 1 << 0

// Framing says how the host finds the frames of a side by itself: each begins with a head of Head bytes, in which there are
// a type and a length. A frame has length + Adjust bytes, its head included.
type Framing struct {
	Head        uint8 // bytes, 1 to MaxHead
	TypeAt      uint8 // where the byte with the type stands in the head
	LengthAt    uint8 // where the length stands
	LengthWidth uint8 // 1, 2, 4 or 8 bytes
	BigEndian   bool
	Adjust      int32
	Max         uint64 // the largest frame that passes, in bytes, its head included
}

// Check says what is wrong with a framing: a type or a length outside of the head, a width that no integer has, or frames none
// of which can pass.
func (f *Framing) Check() error {
	switch {
	case f.Head == 0 || f.Head > MaxHead:
		return numbered("a head of", uint64(f.Head), " bytes, not 1 to 32")
	case f.TypeAt >= f.Head:
		return numbered("the type stands at", uint64(f.TypeAt), ", behind the head")
	case f.LengthWidth != 1 && f.LengthWidth != 2 && f.LengthWidth != 4 && f.LengthWidth != 8:
		return numbered("a length of", uint64(f.LengthWidth), " bytes, not 1, 2, 4 or 8")
	case uint(f.LengthAt)+uint(f.LengthWidth) > uint(f.Head):
		return numbered("the length stands at", uint64(f.LengthAt), ", partly behind the head")
	case f.Max < uint64(f.Head):
		return numbered("frames of at most", f.Max, " bytes, which is less than the head")
	}
	return nil
}

// Size is the size of the frame that begins with head, f.Head bytes, in bytes. It reports false when the frame's length means
// nothing: less than the head, more than Max, or no integer.
func (f *Framing) Size(head []byte) (uint64, bool) {
	var length uint64
	for i := range f.LengthWidth {
		at := f.LengthAt + i
		if !f.BigEndian {
			at = f.LengthAt + f.LengthWidth - 1 - i
		}
		length = length<<8 | uint64(head[at])
	}
	size := length + uint64(int64(f.Adjust))
	if f.Adjust < 0 && size > length || f.Adjust > 0 && size < length {
		return 0, false
	}
	return size, size >= uint64(f.Head) && size <= f.Max
}

// TypeSet is a set of frame types: bit t&7 of byte t>>3 stands for type t.
type TypeSet [32]byte

// Types makes the set of the given types.
func Types(types ...byte) *TypeSet {
	var s TypeSet
	for _, t := range types {
		s.Add(t)
	}
	return &s
}

// Add puts t into the set.
func (s *TypeSet) Add(t byte) { s[t>>3] |= 1 << (t & 7) }

// Has reports whether t is in the set.
func (s *TypeSet) Has(t byte) bool { return s[t>>3]&(1<<(t&7)) != 0 }
