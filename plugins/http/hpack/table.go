package hpack

// table is a dynamic table, RFC 7541 section 2.3.2. Its texts lie behind each other in a buffer of twice its size; when the end is reached those that are still there
// are moved to the beginning.
type table struct {
	text    []byte
	end     int     // of the newest entry in text
	entries []added // a ring
	newest  int     // index in entries
	count   int
	size    int // as section 4.1 counts it
	max     int // at most
}

// added is an entry: its name, and its value right behind it.
type added struct {
	at          uint32 // in text
	name, value uint32 // lengths
	staticName  uint8
	known       uint8
	flags       Flags
}

func (e *added) size() int { return int(e.name+e.value) + entryOverhead }

// newTable makes a table that can be as large as capacity.
func newTable(capacity int) table {
	return table{text: make([]byte, 2*capacity), entries: make([]added, capacity/entryOverhead+1), max: capacity}
}

// get is entry i, 0 the newest; nil: there is none.
func (t *table) get(i int) *added {
	if i >= t.count {
		return nil
	}
	k := t.newest - i
	if k < 0 {
		k += len(t.entries)
	}
	return &t.entries[k]
}

// evict makes room until no more than size bytes are used.
func (t *table) evict(size int) {
	for t.size > size {
		t.size -= t.get(t.count - 1).size()
		t.count--
	}
}

// resize changes how large the table may be, to at most its capacity.
func (t *table) resize(n int) {
	t.max = n
	t.evict(n)
}

// add puts an entry in; e has everything but the place. name and value are not in t's text.
func (t *table) add(e added, name, value []byte) {
	if e.size() > t.max {
		t.evict(0)
		return
	}
	t.evict(t.max - e.size())
	if t.end+len(name)+len(value) > len(t.text) {
		t.compact()
	}
	e.at = uint32(t.end)
	t.end += copy(t.text[t.end:], name)
	t.end += copy(t.text[t.end:], value)
	if t.newest++; t.newest == len(t.entries) {
		t.newest = 0
	}
	t.entries[t.newest] = e
	t.count++
	t.size += e.size()
}

// compact moves the texts to the beginning.
func (t *table) compact() {
	start := t.end
	if t.count > 0 {
		start = int(t.get(t.count - 1).at)
	}
	t.end = copy(t.text, t.text[start:t.end])
	for i := range t.count {
		t.get(i).at -= uint32(start)
	}
}
