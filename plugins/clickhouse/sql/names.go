package sql

import (
	"bytes"
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
)

// listKind is one of the lists of Facts.
type listKind uint8

const (
	listVerbs listKind = iota
	listReads
	listWrites
	listFunctions
	listColumns
	listSettings
	listSettingNames
	listChanges
	listParams
	lists
)

// nameSet holds the lists while a text is read. Names are found by a table of slots that is never cleared: a slot counts only if it
// bears the present text's generation.
type nameSet struct {
	lists      [lists][]string
	more       [lists]bool // names were left out
	slots      [slotCount]slot
	generation uint16
}

const slotCount = 1 << 12 // a power of two, well above lists * MaxList

type slot struct {
	generation uint16
	list       listKind
	index      uint16
}

func (s *nameSet) reset() {
	for i := range s.lists {
		s.lists[i], s.more[i] = s.lists[i][:0], false
	}
	if s.generation++; s.generation == 0 {
		s.slots, s.generation = [slotCount]slot{}, 1
	}
}

// add puts a name into a list, once.
func (s *nameSet) add(l listKind, name string) {
	h := uint32(2166136261) ^ uint32(l)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	for h ^= h >> 15; ; h++ {
		at := &s.slots[h%slotCount]
		if at.generation != s.generation {
			if len(s.lists[l]) >= MaxList {
				s.more[l] = true
				return
			}
			*at = slot{s.generation, l, uint16(len(s.lists[l]))}
			s.lists[l] = append(s.lists[l], name)
			return
		}
		if at.list == l && s.lists[l][at.index] == name {
			return
		}
	}
}

func (s *nameSet) fill(f *Facts) {
	f.Verbs, f.Reads, f.Writes, f.Functions = s.lists[listVerbs], s.lists[listReads], s.lists[listWrites], s.lists[listFunctions]
	f.Columns, f.Settings, f.SettingNames = s.lists[listColumns], s.lists[listSettings], s.lists[listSettingNames]
	f.Changes, f.Params = s.lists[listChanges], s.lists[listParams]
	f.ReadsUnknown = f.ReadsUnknown || s.more[listReads]
	f.WritesUnknown = f.WritesUnknown || s.more[listWrites]
	f.FunctionsUnknown = s.more[listFunctions]
	f.ColumnsUnknown = f.ColumnsUnknown || s.more[listColumns]
	f.SettingsUnknown = s.more[listSettings] || s.more[listSettingNames] || s.more[listChanges]
}

// arena is memory for names that are not pieces of the text.
type arena struct{ free []byte }

const arenaChunk = 4 << 10

func (a *arena) reset() { a.free = a.free[:0] }

// begin returns room for a name of at most n bytes, to be given to done.
func (a *arena) begin(n int) []byte {
	if cap(a.free)-len(a.free) < n {
		a.free = make([]byte, 0, max(arenaChunk, n)) // what is in the old one stays where it is
	}
	return a.free[len(a.free):len(a.free):cap(a.free)]
}

func (a *arena) done(b []byte) string {
	a.free = a.free[:len(a.free)+len(b)]
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// join is a and b with a dot between.
func (a *arena) join(x, y string) string {
	b := a.begin(len(x) + 1 + len(y))
	b = append(append(append(b, x...), '.'), y...)
	return a.done(b)
}

// lower is s in lower case: s itself if it is already.
func (a *arena) lower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := append(a.begin(len(s)), s...)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c | 0x20
				}
			}
			return a.done(b)
		}
	}
	return s
}

// value is what an identifier or a string says, quotes and escapes undone.
func (r *Reader) value(t lex.Token) string {
	s := r.text[t.Start:t.End]
	if t.Kind == lex.Word || len(s) < 2 {
		return s
	}
	switch s[0] {
	case 0xE2: // Unicode quotes
		return s[3 : len(s)-3]
	case '$':
		tag := 2 + bytes.IndexByte(r.src[t.Start+1:t.End], '$')
		return s[tag : len(s)-tag]
	case 'x', 'X', 'b', 'B':
		return s // its bytes are no name
	}
	quote := s[0]
	s = s[1 : len(s)-1]
	for i := range len(s) {
		if s[i] == '\\' || s[i] == quote {
			s, known := r.unescape(s, quote)
			if !known && t.Kind == lex.Quoted {
				r.fail("a quoted name with an escape that not all servers read alike")
			}
			return s
		}
	}
	return s
}

// unescape undoes backslashes and doubled quotes as new servers do. known is false where a backslash stands before something that is
// no escape: new servers keep it, and old ones leave it out, so `\users` can be the table users.
func (r *Reader) unescape(s string, quote byte) (value string, known bool) {
	known = true
	b := r.arena.begin(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			i++ // the second one
		case c == '\\' && i+1 < len(s):
			i++
			c = s[i]
			switch c {
			case 'a':
				c = '\a'
			case 'b':
				c = '\b'
			case 'e':
				c = 0x1b
			case 'f':
				c = '\f'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case 'v':
				c = '\v'
			case '0':
				c = 0
			case 'N':
				continue
			case 'x':
				if i+2 < len(s) {
					known = known && lex.IsHex(s[i+1]) && lex.IsHex(s[i+2])
					c = hexDigit(s[i+1])<<4 | hexDigit(s[i+2])
					i += 2
				}
			case '\\', '\'', '"', '`', '/', '=':
			default:
				known = false
				if c >= ' ' {
					b = append(b, '\\')
				}
			}
		}
		b = append(b, c)
	}
	return r.arena.done(b), known
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xF
}

// table adds a table's name to a list: in full, and without its database.
func (r *Reader) table(l listKind, database, name string) {
	if database != "" {
		r.names.add(l, r.arena.join(database, name))
	}
	r.names.add(l, name)
	if r.subject == "" {
		r.subject = name
		if database != "" {
			r.subject = r.arena.join(database, name)
		}
	}
}

// cte reports whether an unqualified name is one that WITH defines here.
func (r *Reader) cte(name string) bool {
	for _, c := range r.ctes[r.hidden:] {
		if c == name {
			return true
		}
	}
	return false
}

// named adds a table that a text names: "t" or "db.t". Of a name with several dots each part from a dot on can be the table.
func (r *Reader) named(l listKind, name string) {
	r.table(l, "", name)
	for i := range len(name) {
		if name[i] == '.' {
			r.names.add(l, name[i+1:])
		}
	}
}
