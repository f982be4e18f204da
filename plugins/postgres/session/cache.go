package session

import "encoding/binary"

// Limits of the cache: how many texts it knows, the longest of them, and the bytes of all of them.
const (
	cacheSlots    = 64
	cacheRing     = 32 << 10
	maxCachedText = 4 << 10
	// maxKeptSize bounds the memory of the statements with a text of their own that the cache holds on to.
	maxKeptSize = 64 << 10
)

// cache knows what the last texts do, so that a repeated one is not read again. The texts stand one behind the other in a ring
// of bytes, a new one in place of the oldest, and nothing is allocated for them.
type cache struct {
	slots [cacheSlots]slot
	hit   *slot // the slot of the last text that was found or added; nil when it has none
	kept  int   // bytes of statements that keep a text
	at    int64 // where the next text goes, counted from the first one
	ring  [cacheRing]byte
}

// slot is one text: n bytes at place at, as long as they have not been overwritten.
type slot struct {
	hash uint64
	at   int64
	n    int
	st   *statement
	kept *statement // the same with its text, once it was prepared
}

// find is what a text does that came before.
func (c *cache) find(hash uint64, text []byte) *statement {
	i := hash >> 32 % cacheSlots
	for _, i := range [2]uint64{i, i ^ 1} {
		s := &c.slots[i]
		if s.hash == hash && s.n == len(text) && s.st != nil && s.at+cacheRing >= c.at {
			at := int(s.at % cacheRing)
			if string(c.ring[at:at+s.n]) == string(text) {
				c.hit = s
				return s.st
			}
		}
	}
	c.hit = nil
	return nil
}

// add puts a text in the place of one that is forgotten.
func (c *cache) add(hash uint64, text []byte, st *statement) {
	if len(text) > maxCachedText || st.text != "" && st.size > maxKeptSize/cacheSlots {
		return
	}
	at := int(c.at % cacheRing)
	if at+len(text) > cacheRing {
		c.at += int64(cacheRing - at)
		at = 0
	}
	i := hash >> 32 % cacheSlots
	s := &c.slots[i]
	if other := &c.slots[i^1]; s.st != nil && other.at < s.at {
		s = other
	}
	c.forget(s)
	s.hash, s.at, s.n, s.st = hash, c.at, copy(c.ring[at:], text), st
	c.at += int64(len(text))
	c.hit = s
}

// keep remembers the statement with its text in the slot of the last text.
func (c *cache) keep(st *statement) {
	if c.hit == nil || st.size > maxKeptSize {
		return
	}
	c.forget(c.hit)
	if c.kept+st.size > maxKeptSize {
		for i := range c.slots {
			c.forget(&c.slots[i])
		}
	}
	c.hit.kept = st
	c.kept += st.size
}

func (c *cache) forget(s *slot) {
	if s.kept != nil {
		c.kept -= s.kept.size
		s.kept = nil
	}
}

// scan reads a text once for two questions: a hash of it, and whether its tokens could depend on the server's lexer settings. They
// could with a backslash in it (an escape in a plain literal unless standard_conforming_strings is on) or a byte outside ASCII
// (it could be part of another character under another client_encoding, even a quote's or a backslash's neighbour). It is
// conservative: any backslash counts.
func scan(text []byte) (hash uint64, sensitive bool) {
	const (
		ones       = 0x0101010101010101
		tops       = 0x80 * ones
		backslash  = '\\' * ones
		multiplier = 0x9e3779b97f4a7c15
	)
	hash = uint64(len(text)) * multiplier
	var found uint64
	for len(text) >= 8 {
		w := binary.LittleEndian.Uint64(text)
		b := w ^ backslash
		found |= w | (b-ones)&^b
		hash = (hash ^ w) * multiplier
		hash ^= hash >> 32
		text = text[8:]
	}
	var w uint64
	for i, c := range text {
		w |= uint64(c) << (8 * i)
	}
	b := w ^ backslash
	found |= w | (b-ones)&^b
	hash = (hash ^ w) * multiplier
	hash ^= hash >> 29
	return hash * multiplier, found&tops != 0
}

// hashOf is the hash of scan.
func hashOf(b []byte) uint64 {
	hash, _ := scan(b)
	return hash
}
