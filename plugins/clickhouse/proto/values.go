package proto

import (
	"bytes"
	"encoding/binary"
)

// Visitor is shown the values of a block. Positions are in the bytes that were given.
type Visitor interface {
	// Column begins a column. Where its name and its type stand: the type's own words may hold what the query worked out.
	Column(name, typ []byte, nameAt, typeAt int)
	// InPlace is a text that stands in the block as it is.
	InPlace(start, end int) bool
	// Given is a value that does not, such as a number, as text; it is used again. Both say whether to go on.
	Given(text []byte) bool
}

// Reader shows the values of blocks that are all there, or as much of them as is there. Its zero value is ready.
type Reader struct {
	// Revision is the connection's.
	Revision uint64

	p     []byte
	at    int
	v     Visitor
	kinds []columnKind
	l     *layout
	text  []byte
}

// Read shows the values of the block that p begins with. What is cut off, or goes on too long for the visitor, ends it without an error;
// ErrType and its kin say that what follows in the block cannot be told from it. rows is how many it says that it has; all: p is the block,
// and all of its values were shown.
func (r *Reader) Read(p []byte, v Visitor) (rows uint64, all bool, err error) {
	r.p, r.at, r.v = p, 0, v
	defer func() { r.p, r.v = nil, nil }()
	var head Block // up to the first column
	head.Begin()
	head.Revision = r.Revision
	for head.state != stNameLength && head.state != stEnd {
		if r.at == len(p) && head.skip == 0 {
			return 0, false, nil
		}
		if head.skip > 0 {
			if head.skip > uint64(len(p)-r.at) {
				return 0, false, nil
			}
			r.at, head.skip = r.at+int(head.skip), 0
			continue
		}
		n, _, err := head.step(p[r.at:])
		if r.at += n; err != nil {
			return 0, false, err
		}
	}
	for i := range int(head.columns) {
		if ok, err := r.column(i, head.rows); !ok || err != nil {
			return head.rows, false, err
		}
	}
	return head.rows, r.at == len(p), nil
}

// word is a text with its length before it.
func (r *Reader) word(limit uint64) (word []byte, ok bool) {
	n, size, err := Uvarint(r.p[r.at:])
	if err != nil || n > limit || n > uint64(len(r.p)-r.at-size) {
		return nil, false
	}
	r.at += size + int(n)
	return r.p[r.at-int(n) : r.at], true
}

func (r *Reader) column(i int, rows uint64) (ok bool, err error) {
	name, ok := r.word(MaxWord)
	if !ok {
		return false, nil
	}
	nameAt := r.at - len(name)
	typ, ok := r.word(maxTypeText)
	if !ok {
		return false, nil
	}
	r.v.Column(name, typ, nameAt, r.at-len(typ))
	sparse := false
	if r.Revision >= revCustomSerialized {
		how, ok := r.byte()
		if ok && how == customSerialized && maySparse(typ) {
			how, ok = r.byte()
			sparse = how == kindSparse
		} else if how == customSerialized {
			return false, ErrSerialized
		}
		switch {
		case !ok:
			return false, nil
		case how > kindSparse:
			return false, ErrSerialized
		}
	}
	if rows == 0 {
		return true, nil
	}
	if i == len(r.kinds) {
		r.kinds = append(r.kinds, columnKind{})
	}
	k := &r.kinds[i]
	if !k.read || !bytes.Equal(k.typ, typ) {
		k.read, k.typ = false, append(k.typ[:0], typ...)
		if err := readType(k.typ, trustAnswer, nil, &k.l); err != nil {
			return false, err
		}
		k.read = true
	}
	r.l = &k.l
	for _, want := range r.l.prefixes {
		v, ok := r.number()
		switch {
		case !ok:
			return false, nil
		case v != uint64(want):
			return false, ErrSerialized
		}
	}
	if sparse {
		if rows, ok = r.places(rows); !ok {
			return false, nil
		}
	}
	return r.values(r.l.root(), rows), nil
}

func (r *Reader) byte() (c byte, ok bool) {
	if r.at == len(r.p) {
		return 0, false
	}
	r.at++
	return r.p[r.at-1], true
}

// places reads where the values of a sparse column are, and returns how many it has.
func (r *Reader) places(rows uint64) (values uint64, ok bool) {
	for {
		v, n, err := Uvarint(r.p[r.at:])
		if err != nil {
			return 0, false
		}
		r.at += n
		switch {
		case v&sparseEnd != 0:
			return values, v&^sparseEnd == rows
		case v >= rows:
			return 0, false
		}
		rows -= v + 1
		values++
	}
}

// number is one of 8 bytes.
func (r *Reader) number() (v uint64, ok bool) {
	if len(r.p)-r.at < 8 {
		return 0, false
	}
	r.at += 8
	return binary.LittleEndian.Uint64(r.p[r.at-8:]), true
}

// values shows the values of a part of a type.
func (r *Reader) values(node int32, rows uint64) bool {
	if rows == 0 {
		return true
	}
	t := &r.l.nodes[node]
	switch t.kind {
	case fixed:
		return r.fixed(t, rows)
	case text:
		return r.texts(rows)
	case nullable:
		if rows > uint64(len(r.p)-r.at) {
			return false
		}
		r.at += int(rows) // what stands where NULL is, is sent all the same
		return r.values(t.kids[0], rows)
	case array:
		if rows > uint64(len(r.p)-r.at)/8 {
			return false
		}
		r.at += 8 * int(rows-1)
		last, _ := r.number()
		return r.values(t.kids[0], last)
	case tuple:
		for _, kid := range t.kids {
			if !r.values(kid, rows) {
				return false
			}
		}
		return true
	case variant:
		return r.variants(t, rows)
	}
	return r.dictionary(t, rows)
}

func (r *Reader) variants(t *node, rows uint64) bool {
	if rows > uint64(len(r.p)-r.at) {
		return false
	}
	var counts [maxVariants + 1]uint64
	for _, c := range r.p[r.at : r.at+int(rows)] {
		counts[c]++
	}
	r.at += int(rows)
	for i, kid := range t.kids {
		if !r.values(kid, counts[i]) {
			return false
		}
	}
	return true
}

func (r *Reader) texts(rows uint64) bool {
	for range rows {
		n, size, err := Uvarint(r.p[r.at:])
		if err != nil {
			return false
		}
		r.at += size
		end := len(r.p)
		if n < uint64(end-r.at) {
			end = r.at + int(n)
		}
		if end > r.at && !r.v.InPlace(r.at, end) || uint64(end-r.at) < n {
			return false
		}
		r.at = end
	}
	return true
}

func (r *Reader) fixed(t *node, rows uint64) bool {
	size := int(t.size)
	for range rows {
		if size > len(r.p)-r.at {
			return false
		}
		v := r.p[r.at : r.at+size]
		r.at += size
		switch t.form {
		case formNothing:
		case formBytes:
			end := len(bytes.TrimRight(v, "\x00"))
			if end > 0 && !r.v.InPlace(r.at-size, r.at-size+end) {
				return false
			}
		default:
			r.text = appendValue(r.text[:0], t, v)
			if !r.v.Given(r.text) {
				return false
			}
		}
	}
	return true
}

func (r *Reader) dictionary(t *node, rows uint64) bool {
	for rows > 0 {
		how, ok := r.number()
		if !ok {
			return false
		}
		if how&ownDictionary != 0 {
			n, ok := r.number()
			if !ok || !r.values(t.kids[0], n) {
				return false
			}
		}
		n, ok := r.number()
		if !ok || n == 0 || n > rows || how&placesMask > 3 || n > uint64(len(r.p)-r.at)>>(how&placesMask) {
			return false
		}
		r.at += int(n << (how & placesMask))
		rows -= n
	}
	return true
}
