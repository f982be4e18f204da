package session

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
)

// Programs that put numbers into their texts send a new one each time. What a text does depends on its numbers in a few places only: where a
// condition may always be true, and in what is set. So a statement that does nothing but select or insert is read once for all texts that differ
// in whole numbers: its skeleton is the text with a 0 in place of each. Only texts without quotes, comments, parameters and escapes have one,
// because in these a run of digits between such characters as stand around a number is a token of its own, under all settings of the lexer.

// Limits of what is kept: how many skeletons, and the longest of them in bytes.
const (
	skeletonSlots = 32
	maxSkeleton   = 1 << 10
)

// skeletons are those of the last texts.
type skeletons struct {
	slots [skeletonSlots]struct {
		hash  uint64
		text  string
		shape *shape
	}
	// The skeleton that find made last, and its hash.
	made []byte
	hash uint64
}

// find is what all texts with the skeleton of this one do; nil when none was read yet, or it has none.
func (k *skeletons) find(text []byte) *shape {
	if !k.make(text) {
		return nil
	}
	k.hash = hashOf(k.made)
	if s := &k.slots[k.hash>>32%skeletonSlots]; s.hash == k.hash && s.text == string(k.made) {
		return s.shape
	}
	return nil
}

// add keeps what the text that was not found does, if that depends on no number.
func (k *skeletons) add(sh *shape) {
	if len(k.made) == 0 || !sh.usual || !numberless(sh.facts) {
		return
	}
	s := &k.slots[k.hash>>32%skeletonSlots]
	s.hash, s.text, s.shape = k.hash, string(k.made), sh
}

// numberless reports whether f, which is usual, would be the same with other numbers: every verb of it selects or inserts.
func numberless(f *sqlfacts.Facts) bool {
	if f.Fingerprint != "" || f.Each[0].Kind != sqlfacts.KindSelect && f.Each[0].Kind != sqlfacts.KindInsert {
		return false
	}
	for _, v := range f.Verbs {
		if v != "select" && v != "insert" {
			return false
		}
	}
	return true
}

// What a byte of a text is to its skeleton.
const (
	opaqueByte   = 1 << iota // the text has none
	digitByte                // may be part of a number
	boundaryByte             // may stand beside one
)

var byteKinds = func() (kinds [256]byte) {
	for c := 0x80; c < len(kinds); c++ {
		kinds[c] = opaqueByte
	}
	for _, c := range []byte("\x00'\"$\\&") { // & could be that of U&
		kinds[c] = opaqueByte
	}
	for c := byte('0'); c <= '9'; c++ {
		kinds[c] = digitByte
	}
	for _, c := range []byte(" \t\n\r(),;=<>+-*/") {
		kinds[c] = boundaryByte
	}
	return kinds
}()

// make makes the skeleton of a text, and reports whether it has one.
func (k *skeletons) make(text []byte) bool {
	out := k.made[:0]
	k.made = out
	if len(text) > maxSkeleton {
		return false
	}
	before := byte(' ')
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch kind := byteKinds[c]; {
		case kind == opaqueByte, c == '-' && before == '-', c == '*' && before == '/':
			return false
		case kind == digitByte && byteKinds[before] == boundaryByte:
			end := i + 1
			for end < len(text) && byteKinds[text[end]] == digitByte {
				end++
			}
			if end == len(text) || byteKinds[text[end]] == boundaryByte {
				i, c = end-1, '0'
			}
		}
		out = append(out, c)
		before = c
	}
	k.made = out
	return len(out) > 0
}
