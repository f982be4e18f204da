package hpack

// Names gives field names numbers, so that each is looked up once and not for every field: Known is 0 for a name that means nothing, marked is kept in
// the field's flags.
type Names func(name []byte) (known uint8, marked bool)

// Decoder reads the blocks that one end of a connection sends, in their order. Nothing is allocated after [NewDecoder].
type Decoder struct {
	table   table
	allowed int // what the other end may set the table's size to
	least   int // the least that it was since the last block; a block must begin with an update when the table is larger

	names     Names
	staticIDs [StaticFields + 1]struct {
		known uint8
		flags Flags
	}

	text   []byte // of the fields of the last block: list bytes, and as many as an entry can have
	fields []Field
	list   int // most bytes of a list, with 32 for each field
	used   int
	sum    int
	large  bool

	// last is the block before, where the same bytes behind it mean the same again (still): it left the table as it was, or it refers to none of the
	// table's entries. adds are those of its fields that it added.
	last   []byte
	still  bool
	block  uint32
	adds   []int
	refers bool
}

// mostAgain is up to how many bytes a block is kept for the next one to be compared with.
const mostAgain = 1 << 10

// NewDecoder makes a decoder whose dynamic table is never larger than tableSize bytes, at least 4096, and of at most fields fields, whose
// names and values and 32 bytes for each have at most list bytes together. names may be nil.
func NewDecoder(tableSize, list, fields int, names Names) *Decoder {
	tableSize = max(tableSize, DefaultTableSize)
	d := &Decoder{table: newTable(tableSize), names: names, list: list,
		text: make([]byte, list+tableSize), fields: make([]Field, 0, fields), last: make([]byte, 0, mostAgain), adds: make([]int, 0, fields)}
	d.table.resize(DefaultTableSize)
	d.allowed, d.least = DefaultTableSize, DefaultTableSize
	if names == nil {
		d.names = func([]byte) (uint8, bool) { return 0, false }
	}
	for i := 1; i <= StaticFields; i++ {
		s := &d.staticIDs[i]
		s.known, s.flags = d.look([]byte(static[i].name))
	}
	return d
}

// Allow says that the other end has acknowledged a SETTINGS_HEADER_TABLE_SIZE of n, which is at most the size that NewDecoder was given.
func (d *Decoder) Allow(n int) {
	n = min(n, len(d.table.text)/2)
	d.allowed = n
	d.least = min(d.least, n)
}

// Text is what the spans of the last block's fields are places of. It is valid until the next Decode.
func (d *Decoder) Text() []byte { return d.text[:d.used] }

// Block is the number of the last block: one that means the same as the block right before it has the same number, and its fields and its text are those of
// that one. It is not 0. Callers do not write to them, so what they found out about a block holds for as long as the number does.
func (d *Decoder) Block() uint32 { return d.block }

// again reports whether p is the last block once more, and means the same. No size update may be due.
func (d *Decoder) again(p []byte) bool {
	return d.still && len(p) == len(d.last) && d.table.max <= d.least && string(p) == string(d.last)
}

// Decode reads a whole block. The fields are valid until the next Decode. With ErrTooLarge they are not all there; every other error means that
// nothing more can be decoded.
func (d *Decoder) Decode(p []byte) ([]Field, error) {
	if d.again(p) {
		d.least = d.allowed
		for _, i := range d.adds {
			d.add(&d.fields[i])
		}
		return d.fields, nil
	}
	if d.block++; d.block == 0 { // 0 is the number of none
		d.block = 1
	}
	d.still = len(p) <= mostAgain
	if d.still {
		d.last = append(d.last[:0], p...)
	}
	fields, err := d.decode(p)
	d.still = d.still && err == nil && (len(d.adds) == 0 || !d.refers)
	return fields, err
}

// decode reads a block that is not the last one again.
func (d *Decoder) decode(p []byte) ([]Field, error) {
	d.fields, d.used, d.sum, d.large = d.fields[:0], 0, 0, false
	d.adds, d.refers = d.adds[:0], false
	p, err := d.updates(p)
	for err == nil && len(p) > 0 {
		switch b := p[0]; {
		case b >= 0x80:
			p, err = d.indexed(p)
		case b >= 0x40:
			p, err = d.literal(p, 6, 0, true)
		case b >= 0x20:
			err = ErrUpdate
		default:
			flags := Flags(0)
			if b >= 0x10 {
				flags = Never
			}
			p, err = d.literal(p, 4, flags, false)
		}
	}
	if err != nil {
		return nil, err
	}
	if d.large {
		return d.fields, ErrTooLarge
	}
	return d.fields, nil
}

// updates reads the table size updates that a block begins with, section 4.2.
func (d *Decoder) updates(p []byte) ([]byte, error) {
	for len(p) > 0 && p[0]&0xe0 == 0x20 {
		n, rest, err := integer(p, 5)
		if err != nil {
			return nil, err
		}
		if n > d.allowed {
			return nil, ErrUpdate
		}
		if n <= d.least {
			d.least = d.allowed
		}
		d.table.resize(n)
		d.still = false
		p = rest
	}
	if d.table.max > d.least {
		return nil, ErrNoUpdate
	}
	d.least = d.allowed
	return p, nil
}

// indexed reads an indexed field, section 6.1.
func (d *Decoder) indexed(p []byte) ([]byte, error) {
	var i int
	if i = int(p[0] & 0x7f); i < 0x7f {
		p = p[1:]
	} else {
		var err error
		if i, p, err = integer(p, 7); err != nil {
			return nil, err
		}
	}
	switch {
	case i == 0:
		return nil, ErrIndex
	case i <= StaticFields:
		s := &static[i]
		if d.room(len(s.name) + len(s.value)) {
			name := d.appendString(s.name)
			id := &d.staticIDs[i]
			d.fields = append(d.fields, Field{name, d.appendString(s.value), uint8(i), uint8(i), id.known, id.flags})
		}
		return p, nil
	}
	d.refers = true
	t := &d.table
	if i -= StaticFields + 1; i >= t.count {
		return nil, ErrIndex
	}
	if i = t.newest - i; i < 0 {
		i += len(t.entries)
	}
	e := &t.entries[i]
	n := int(e.name + e.value)
	d.sum += n + entryOverhead
	if d.large || d.sum > d.list || len(d.fields) == cap(d.fields) {
		d.large = true
		return p, nil
	}
	at := uint32(d.used)
	d.used += copy(d.text[at:], t.text[e.at:int(e.at)+n])
	d.fields = d.fields[:len(d.fields)+1]
	f := &d.fields[len(d.fields)-1]
	f.Name.Start, f.Name.End, f.Value.Start, f.Value.End = at, at+e.name, at+e.name, at+uint32(n)
	f.Static, f.StaticName, f.Known, f.Flags = 0, e.staticName, e.known, e.flags
	return p, nil
}

// room reports whether a field of n bytes is within the limits, and counts it.
func (d *Decoder) room(n int) bool {
	d.sum += n + entryOverhead
	if d.large || d.sum > d.list || len(d.fields) == cap(d.fields) {
		d.large = true
	}
	return !d.large
}

// literal reads a literal field, sections 6.2.1 to 6.2.3, whose name's index has n bits.
func (d *Decoder) literal(p []byte, n uint, flags Flags, add bool) ([]byte, error) {
	i, p, err := integer(p, n)
	if err != nil {
		return nil, err
	}
	start := d.used
	f := Field{Flags: flags}
	nameSize := 0
	switch {
	case i == 0:
		if nameSize, p, err = d.readString(p); err != nil {
			return nil, err
		}
		if start+nameSize <= len(d.text) {
			var seen Flags
			f.Known, seen = d.look(d.text[start : start+nameSize])
			f.Flags |= seen
		}
	case i <= StaticFields:
		id := &d.staticIDs[i]
		f.StaticName, f.Known, f.Flags = uint8(i), id.known, flags|id.flags
		nameSize = d.put(static[i].name)
	default:
		d.refers = true
		e := d.table.get(i - StaticFields - 1)
		if e == nil {
			return nil, ErrIndex
		}
		nameSize = int(e.name)
		f.StaticName, f.Known, f.Flags = e.staticName, e.known, flags|e.flags&^BadValue
		if start+nameSize <= len(d.text) {
			copy(d.text[start:], d.table.text[e.at:e.at+e.name])
		}
	}
	d.used = min(start+nameSize, len(d.text))
	valueSize, p, err := d.readString(p)
	if err != nil {
		return nil, err
	}
	d.finish(&f, start, nameSize, valueSize, add)
	return p, nil
}

// finish takes a literal in, whose name and value were written to the text behind start, as far as they found room there.
func (d *Decoder) finish(f *Field, start, nameSize, valueSize int, add bool) {
	whole := start+nameSize+valueSize <= len(d.text)
	if whole {
		f.Name = Span{uint32(start), uint32(start + nameSize)}
		f.Value = Span{f.Name.End, f.Name.End + uint32(valueSize)}
		f.Flags |= valueFlags(f.Value.Of(d.text))
	}
	switch {
	case add && whole:
		d.add(f)
	case add: // it is larger than any table
		d.table.evict(0)
	}
	d.used = start
	if d.room(nameSize+valueSize) && whole {
		d.used = int(f.Value.End)
		if add {
			d.adds = append(d.adds, len(d.fields))
		}
		d.fields = append(d.fields, *f)
	}
}

// add puts a field into the table.
func (d *Decoder) add(f *Field) {
	e := added{name: f.Name.End - f.Name.Start, value: f.Value.End - f.Value.Start, staticName: f.StaticName, known: f.Known, flags: f.Flags}
	d.table.add(e, f.Name.Of(d.text), f.Value.Of(d.text))
}

// look finds out what there is to say about a name.
func (d *Decoder) look(name []byte) (known uint8, f Flags) {
	f = nameFlags(name)
	known, marked := d.names(name)
	if marked {
		f |= Marked
	}
	return known, f
}

func (d *Decoder) appendString(s string) Span {
	at := uint32(d.used)
	d.used += copy(d.text[at:], s)
	return Span{at, uint32(d.used)}
}

// put writes s to the text as far as there is room, without taking it in.
func (d *Decoder) put(s string) int {
	copy(d.text[d.used:], s)
	return len(s)
}

// readString reads a string literal, section 5.2, to the text behind what is used, as far as there is room. n is its length.
func (d *Decoder) readString(p []byte) (n int, rest []byte, err error) {
	if len(p) == 0 {
		return 0, nil, ErrTruncated
	}
	coded := p[0]&0x80 != 0
	if n = int(p[0] & 0x7f); n < 0x7f {
		p = p[1:]
	} else if n, p, err = integer(p, 7); err != nil {
		return 0, nil, err
	}
	if n > len(p) {
		return 0, nil, ErrTruncated
	}
	p, rest = p[:n], p[n:]
	if coded {
		n, err = unhuffman(d.text[d.used:], p)
		return n, rest, err
	}
	copy(d.text[d.used:], p)
	return n, rest, nil
}

// mostInteger bounds integers: nothing that they count is larger.
const mostInteger = 1 << 28

// integer reads an integer with a prefix of n bits, section 5.1.
func integer(p []byte, n uint) (v int, rest []byte, err error) {
	if len(p) == 0 {
		return 0, nil, ErrTruncated
	}
	mask := byte(1<<n - 1)
	if v = int(p[0] & mask); v < int(mask) {
		return v, p[1:], nil
	}
	for i := 1; ; i++ {
		if i >= len(p) {
			return 0, nil, ErrTruncated
		}
		if i > 5 { // also one that is filled up with zeros
			return 0, nil, ErrInteger
		}
		v += int(p[i]&0x7f) << (7 * (i - 1))
		if v > mostInteger {
			return 0, nil, ErrInteger
		}
		if p[i] < 0x80 {
			return v, p[i+1:], nil
		}
	}
}
