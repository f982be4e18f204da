package proto

import (
	"bytes"
	"errors"
)

// Limits of a block.
const (
	maxColumns = 4 << 10
	// MaxRows bounds the rows of a block, and the elements of all arrays of a column together.
	MaxRows = 1 << 28
	// MaxColumn bounds the bytes of a column whose size follows from its rows: a server that is told of more could fail to find the
	// memory, in the middle of a block.
	MaxColumn = 1 << 30
	// MaxText bounds a text in a column.
	MaxText = 1 << 28
	// maxKept bounds the names and types of a header that is kept.
	maxKept = 256 << 10
)

// Errors of blocks.
var (
	ErrBlock      = errors.New("a block of data that is not well formed")
	ErrLarge      = errors.New("a block of data that is too large")
	ErrSerialized = errors.New("a column that is not written in the ordinary way")
	ErrColumn     = errors.New("a column that the table does not have")
)

// Header are the columns that a server wants, as it names them.
type Header struct {
	names, types [][]byte
	size         int
	cut          bool // there was more than is kept
}

// Known reports whether there is one.
func (h *Header) Known() bool { return len(h.names) > 0 }

// Reset forgets it.
func (h *Header) Reset() { *h = Header{names: h.names[:0], types: h.types[:0]} }

func (h *Header) add(name, typ []byte) {
	if h.size += len(name) + len(typ); h.size > maxKept {
		h.cut = true
		return
	}
	h.names, h.types = append(h.names, bytes.Clone(name)), append(h.types, bytes.Clone(typ))
}

// find is the type of a column; hint is where it may stand.
func (h *Header) find(name []byte, hint int) (typ []byte, ok bool) {
	if hint < len(h.names) && bytes.Equal(h.names[hint], name) {
		return h.types[hint], true
	}
	for i := range h.names {
		if bytes.Equal(h.names[i], name) {
			return h.types[i], true
		}
	}
	return nil, false
}

// Block follows the bytes of one block, in pieces of any size. What it keeps does not depend on what the block declares.
type Block struct {
	// Revision is the connection's. Zone is the server's time zone. Want, when it is known, is what the columns must be; Keep, when
	// it is set, gets the names and types of the columns.
	Revision uint64
	Zone     []byte
	Want     *Header
	Keep     *Header
	// Trust says that the types need no doubt: the data goes to nobody.
	Trust bool
	// Copy, when it is set, gets the bytes that belong to the block, without compression, as they are fed.
	Copy func(p []byte)

	state         blockState
	columns, rows uint64
	column        int
	skip          uint64 // bytes that need no look
	field         uint64
	num           gatherer
	name, typ     []byte
	sparse        bool // the column
	// kinds are the layouts of the columns of this block and of the ones before, which nearly always have the same.
	kinds []columnKind
	m     machine
}

type columnKind struct {
	typ  []byte
	how  trust
	read bool
	l    layout
}

type blockState uint8

const (
	stField blockState = iota
	stOverflows
	stBucket
	stBuckets
	stColumns
	stRows
	stNameLength
	stName
	stTypeLength
	stType
	stCustom
	stKind
	stPrefix
	stValues
	stEnd
)

// EmptyData is a Data packet of the agent with a block that has no columns, as clients write it that do without compression.
var EmptyData = []byte{ClientData, 0, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0}

// Begin begins a block.
func (b *Block) Begin() {
	b.state, b.column, b.columns, b.rows, b.skip = stField, 0, 0, 0, 0
	b.num, b.field = gatherer{}, 0
	b.name, b.typ = b.name[:0], b.typ[:0]
}

// Begun reports whether a byte of the block was read.
func (b *Block) Begun() bool { return b.state != stField || b.field != 0 || b.num.have > 0 }

// Done reports whether the block is over.
func (b *Block) Done() bool { return b.state == stEnd && b.skip == 0 }

// Empty reports whether a block has no columns, which ends the data.
func (b *Block) Empty() bool { return b.columns == 0 }

// Size is how many columns and rows it has.
func (b *Block) Size() (columns, rows uint64) { return b.columns, b.rows }

// Columns is how many columns the block has said that it has.
func (b *Block) Columns() uint64 { return b.columns }

// Skip is how many of the next bytes need no look.
func (b *Block) Skip() uint64 { return b.skip }

// Skipped says that n of them are past, at most Skip.
func (b *Block) Skipped(n uint64) {
	b.skip -= n
}

// gatherer puts a number together from pieces.
type gatherer struct {
	v     uint64
	have  uint8
	shift uint8
}

// uvarint reads a number in the form that the protocol has for lengths. n is how much of p was read.
func (g *gatherer) uvarint(p []byte) (v uint64, n int, ok bool, err error) {
	for i, c := range p {
		if g.have == 9 {
			return 0, i, false, ErrNumber
		}
		g.v |= uint64(c&0x7f) << g.shift
		if c < 0x80 {
			v = g.v
			if c == 0 && g.have > 0 {
				return 0, i, false, ErrNumber
			}
			*g = gatherer{}
			return v, i + 1, true, nil
		}
		g.have++
		g.shift += 7
	}
	return 0, len(p), false, nil
}

// word reads a number of size bytes, little endian.
func (g *gatherer) word(p []byte, size uint8) (v uint64, n int, ok bool) {
	if g.have == 0 && size == 8 && len(p) >= 8 {
		return load64(p), 8, true
	}
	for i, c := range p {
		g.v |= uint64(c) << (8 * g.have)
		if g.have++; g.have == size {
			v = g.v
			*g = gatherer{}
			return v, i + 1, true
		}
	}
	return 0, len(p), false
}

// Feed reads on, and returns how many bytes of p belong to the block: all of them, unless it is over.
func (b *Block) Feed(p []byte) (n int, err error) {
	n, err = b.feed(p)
	if b.Copy != nil {
		b.Copy(p[:n])
	}
	return n, err
}

func (b *Block) feed(p []byte) (n int, err error) {
	for {
		if b.skip > 0 {
			k := min(b.skip, uint64(len(p)-n))
			b.skip -= k
			if n += int(k); b.skip > 0 {
				return n, nil
			}
		}
		if b.state == stEnd {
			return n, nil
		}
		if n == len(p) && b.state != stPrefix && b.state != stValues {
			return n, nil
		}
		k, wait, err := b.step(p[n:])
		n += k
		if err != nil || wait {
			return n, err
		}
	}
}

// step reads one thing. wait: there is nothing to go on with.
func (b *Block) step(p []byte) (n int, wait bool, err error) {
	switch b.state {
	case stName, stType:
		return b.words(p)
	case stPrefix, stValues:
		return b.values(p)
	case stOverflows, stCustom, stKind:
		return 1, false, b.flag(p[0])
	case stBucket:
		_, n, ok := b.num.word(p, 4)
		if ok {
			b.state = stField
		}
		return n, !ok, nil
	}
	v, n, ok, err := b.num.uvarint(p)
	if !ok || err != nil {
		return n, true, err
	}
	return n, false, b.took(v)
}

// flag goes on with a byte.
func (b *Block) flag(c byte) error {
	switch {
	case b.state == stOverflows && c <= 1:
		b.state = stField
		return nil
	case b.state == stOverflows:
		return ErrBlock
	case b.state == stCustom && c == customSerialized && b.Keep != nil && maySparse(b.typ):
		b.state = stKind
		return nil
	case b.state == stCustom && c == 0 || b.state == stKind && c <= kindSparse:
		b.sparse = c == kindSparse
		return b.beginValues()
	}
	return ErrSerialized
}

// took goes on with a number.
func (b *Block) took(v uint64) error {
	switch b.state {
	case stField:
		switch {
		case v == 0:
			b.state = stColumns
		case v == 1 && b.field < 1:
			b.state = stOverflows
		case v == 2 && b.field < 2:
			b.state = stBucket
		case v == 3 && b.field < 3 && b.Revision >= 54480:
			b.state = stBuckets
		default:
			return ErrBlock
		}
		b.field = v
	case stBuckets:
		if v > 1<<16 {
			return ErrLarge
		}
		b.skip, b.state = 4*v, stField
	case stColumns:
		if v > maxColumns {
			return ErrLarge
		}
		b.columns, b.state = v, stRows
	case stRows:
		if v > MaxRows {
			return ErrLarge
		}
		b.rows, b.state = v, stNameLength
		if b.columns == 0 {
			b.state = stEnd
			if v != 0 {
				return ErrBlock
			}
		}
	case stNameLength:
		if v > MaxWord {
			return ErrLength
		}
		b.field, b.state, b.name = v, stName, b.name[:0]
	case stTypeLength:
		if v > maxTypeText || v == 0 {
			return ErrLength
		}
		b.field, b.state, b.typ = v, stType, b.typ[:0]
	}
	return nil
}

// words reads a name, or the text of a type.
func (b *Block) words(p []byte) (n int, wait bool, err error) {
	to := &b.name
	if b.state == stType {
		to = &b.typ
	}
	n = int(min(uint64(len(p)), b.field-uint64(len(*to))))
	*to = append(*to, p[:n]...)
	switch {
	case uint64(len(*to)) < b.field:
		return n, true, nil
	case b.state == stName:
		b.state = stTypeLength
		return n, false, nil
	case b.Revision >= revCustomSerialized:
		b.state = stCustom
		return n, false, nil
	}
	b.sparse = false
	return n, false, b.beginValues()
}

func (b *Block) next() {
	b.state, b.field = stNameLength, 0
	if b.column++; uint64(b.column) == b.columns {
		b.state = stEnd
	}
}

// values reads on in the data of a column.
func (b *Block) values(p []byte) (n int, wait bool, err error) {
	if b.state == stPrefix {
		for len(b.m.prefix) > 0 {
			v, k, ok := b.num.word(p[n:], 8)
			if n += k; !ok {
				return n, true, nil
			}
			if v != uint64(b.m.prefix[0]) {
				return n, false, ErrSerialized
			}
			b.m.prefix = b.m.prefix[1:]
		}
		b.state = stValues
	}
	n1, done, err := b.m.run(p[n:], &b.num)
	n += n1
	b.skip, b.m.skip = b.m.skip, 0
	if err != nil {
		return n, false, err
	}
	if done {
		b.next()
		return n, false, nil
	}
	return n, b.skip == 0, nil
}
