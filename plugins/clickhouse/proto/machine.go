package proto

import (
	"bytes"
	"unsafe"
)

// machine follows the data of one column.
type machine struct {
	l      *layout
	stack  [maxDepth + 2]frame
	depth  int
	prefix []byte // numbers that are still to come
	skip   uint64
}

// frame is where the machine is in a part of the type.
type frame struct {
	node  int32
	phase uint8
	kid   uint16
	rows  uint64
	last  uint64
	// counts are the rows of each kid of a variant.
	counts []uint64
}

func (m *machine) begin(l *layout, rows uint64, sparse bool) {
	m.l, m.depth, m.prefix, m.skip = l, 0, l.prefixes, 0
	if sparse {
		m.push(sparseNode, rows)
	} else {
		m.push(l.root(), rows)
	}
}

func (m *machine) push(node int32, rows uint64) {
	if rows > 0 { // nothing is written for no rows
		m.stack[m.depth] = frame{node: node, rows: rows}
		m.depth++
	}
}

// run reads on. It stops when the column is done, when p is at its end, and when m.skip bytes need no look.
func (m *machine) run(p []byte, num *gatherer) (n int, done bool, err error) {
	for m.depth > 0 {
		f := &m.stack[m.depth-1]
		if f.node == sparseNode {
			k, wait, err := m.places(f, p[n:], num)
			if n += k; wait || err != nil {
				return n, false, err
			}
			continue
		}
		t := &m.l.nodes[f.node]
		k, wait := 0, false
		switch t.kind {
		case fixed:
			m.skip = f.rows * uint64(t.size)
			m.depth--
			if m.skip > MaxColumn {
				return n, false, ErrLarge
			}
		case text:
			k, wait, err = m.texts(f, p[n:], num)
		case nullable:
			m.depth--
			m.skip = f.rows
			m.push(t.kids[0], f.rows)
		case array:
			k, wait, err = m.arrays(f, t, p[n:], num)
		case tuple:
			rows, kid := f.rows, t.kids[f.kid]
			if f.kid++; int(f.kid) == len(t.kids) {
				m.depth--
			}
			m.push(kid, rows)
		case lowCard:
			k, wait, err = m.dictionary(f, t, p[n:], num)
		case variant:
			k, wait, err = m.variants(f, t, p[n:])
		}
		n += k
		if err != nil || wait || m.skip > 0 {
			return n, false, err
		}
	}
	return n, true, nil
}

// texts reads lengths and goes past what they stand before. When the last text is not all there the rest of it is left in skip.
func (m *machine) texts(f *frame, p []byte, num *gatherer) (n int, wait bool, err error) {
	rows := f.rows
	for rows > 0 {
		if num.have == 0 {
			n, rows = shortTexts(p, n, rows)
			if n > len(p) {
				m.skip = uint64(n - len(p))
				n = len(p)
				break
			}
			if rows == 0 {
				break
			}
		}
		v, k, ok, err := num.uvarint(p[n:])
		n += k
		if err != nil || !ok {
			f.rows = rows
			return n, true, err
		}
		if v > MaxText {
			return n, false, ErrLarge
		}
		rows--
		if left := uint64(len(p) - n); v > left {
			n, m.skip = len(p), v-left
			break
		}
		n += int(v)
	}
	if f.rows = rows; rows == 0 {
		m.depth--
	}
	return n, false, nil
}

// shortTexts goes past texts of less than 128 bytes, as nearly all are. The last one may end behind p. In WebAssembly it is jumps that cost, so as
// long as there is room for any lengths eight are read before one of them is looked at.
func shortTexts(p []byte, n int, rows uint64) (int, uint64) {
	const longest = 1 + 255
	from := unsafe.Pointer(unsafe.SliceData(p))
	for safe := len(p) - 8*longest; n <= safe && rows >= 8; {
		a := length(from, n)
		b := length(from, n+a)
		c := length(from, n+a+b)
		at := n + a + b + c
		d := length(from, at)
		e := length(from, at+d)
		f := length(from, at+d+e)
		at += d + e + f
		g := length(from, at)
		h := length(from, at+g)
		if (a-1)|(b-1)|(c-1)|(d-1)|(e-1)|(f-1)|(g-1)|(h-1) >= 0x80 {
			break
		}
		n = at + g + h
		rows -= 8
	}
	for n < len(p) && rows > 0 {
		size := int(p[n])
		if size >= 0x80 {
			break
		}
		n += 1 + size
		rows--
	}
	return n, rows
}

// length is how many bytes a text at n has, if that is said in one byte, with that byte.
func length(from unsafe.Pointer, n int) int { return 1 + int(*(*byte)(unsafe.Add(from, n))) }

// arrays reads where the elements of each row end, which must not go back.
func (m *machine) arrays(f *frame, t *node, p []byte, num *gatherer) (n int, wait bool, err error) {
	for f.rows > 0 {
		var v uint64
		if num.have == 0 && len(p)-n >= 8 {
			v = load64(p[n:])
			n += 8
		} else {
			var k int
			var ok bool
			v, k, ok = num.word(p[n:], 8)
			if n += k; !ok {
				return n, true, nil
			}
		}
		switch {
		case v < f.last:
			return n, false, ErrBlock
		case v > MaxRows:
			return n, false, ErrLarge
		}
		f.last = v
		f.rows--
	}
	last := f.last
	m.depth--
	m.push(t.kids[0], last)
	return n, false, nil
}

// How a server, and no client, writes a column nearly all of whose values are the same, since revision 54465 (SerializationSparse.cpp,
// SerializationInfo.cpp): how many of these stand before each other value, the rest with a flag, and then the other values.
const (
	customSerialized = 1 // behind the type: a byte says how
	kindSparse       = 1
	sparseNode       = -1
	sparseEnd        = 1 << 62
)

// maySparse reports whether the byte of a column of this type is all that says how it is written: tuples have one for each part.
func maySparse(typ []byte) bool {
	return bytes.IndexByte(typ, '(') < 0 || bytes.HasPrefix(typ, []byte("FixedString("))
}

// places reads where the values of a sparse column are.
func (m *machine) places(f *frame, p []byte, num *gatherer) (n int, wait bool, err error) {
	for {
		v, k, ok, err := num.uvarint(p[n:])
		n += k
		switch {
		case err != nil || !ok:
			return n, true, err
		case v&sparseEnd != 0 && v&^sparseEnd == f.rows:
			count := f.last
			m.depth--
			m.push(m.l.root(), count)
			return n, false, nil
		case v >= f.rows:
			return n, false, ErrBlock
		}
		f.rows -= v + 1
		f.last++
	}
}

// noVariant is what stands for a row without a value.
const noVariant = 255

// variants reads which kid each row's value is of, and then the kids.
func (m *machine) variants(f *frame, t *node, p []byte) (n int, wait bool, err error) {
	if f.counts == nil {
		f.counts = make([]uint64, len(t.kids))
	}
	for n < len(p) && f.rows > 0 {
		c := p[n]
		n++
		f.rows--
		if int(c) < len(f.counts) {
			f.counts[c]++
		} else if c != noVariant {
			return n, false, ErrBlock
		}
	}
	if f.rows > 0 {
		return n, true, nil
	}
	if int(f.kid) == len(t.kids) {
		m.depth--
		return n, false, nil
	}
	kid := f.kid
	f.kid++
	m.push(t.kids[kid], f.counts[kid])
	return n, false, nil
}

// The type of the places in a dictionary, SerializationLowCardinality.cpp.
const (
	placesMask       = 0xff
	globalDictionary = 1 << 8
	ownDictionary    = 1 << 9
	newDictionary    = 1 << 10
)

// dictionary reads pieces of a dictionary and the places in it.
func (m *machine) dictionary(f *frame, t *node, p []byte, num *gatherer) (n int, wait bool, err error) {
	v, n, ok := num.word(p, 8)
	if !ok {
		return n, true, nil
	}
	switch f.phase {
	case 0: // how places are written
		if v&placesMask > 3 || v&globalDictionary != 0 || v&^uint64(placesMask|ownDictionary|newDictionary) != 0 {
			return n, false, ErrSerialized
		}
		f.last = v & placesMask
		f.phase = 2
		if v&ownDictionary != 0 {
			f.phase = 1
		}
	case 1: // how many values it has
		if v > MaxRows {
			return n, false, ErrLarge
		}
		f.phase = 2
		m.push(t.kids[0], v)
	case 2: // how many places follow
		if v == 0 || v > f.rows {
			return n, false, ErrBlock
		}
		f.rows -= v
		m.skip = v << f.last
		if f.phase = 0; f.rows == 0 {
			m.depth--
		}
	}
	return n, false, nil
}
