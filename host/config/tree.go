package config

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

const (
	// maxDepth bounds how deep values may be nested. The configuration itself needs three levels.
	maxDepth = 16
	// maxSyntax is the number of syntax errors after which the rest of the file is left unread: it is probably not TOML.
	maxSyntax = 20
)

// kind is the type of a value.
type kind int

const (
	kindString kind = iota
	kindInt
	kindFloat
	kindBool
	kindTime
	kindArray
	kindTable
)

// String names the kind in a sentence.
func (k kind) String() string {
	return [...]string{"a string", "an integer", "a fraction", "a boolean", "a date or time", "a list", "a table"}[k]
}

// value is a node of the file's tree.
type value struct {
	kind    kind
	pos     Pos
	text    Text
	integer int64
	boolean bool
	elems   []*value
	table   *table
	// headers says that the elements of a list were written as [[tables]], so more of them may follow.
	headers bool
}

// table is a TOML table, its entries in the order of the file.
type table struct {
	pos     Pos
	entries []*entry
	index   map[string]*entry
	origin  origin
}

type entry struct {
	key   Text
	value *value
}

// origin says how a table came to be, which decides how it may be extended.
type origin int

const (
	implied origin = iota // as a part of the name of another table
	headed                // by its own [header] or [[header]]
	dotted                // by a dotted key
	inline                // in braces
)

func newTable(pos Pos, o origin) *table {
	return &table{pos: pos, index: map[string]*entry{}, origin: o}
}

func (t *table) get(key string) *value {
	if e := t.index[key]; e != nil {
		return e.value
	}
	return nil
}

func (t *table) put(key Text, v *value) {
	e := &entry{key, v}
	t.entries = append(t.entries, e)
	t.index[key.Value] = e
}

// reader turns a file into a tree. It reports what is wrong and goes on behind it.
type reader struct {
	data   []byte
	report func(at Pos, format string, args ...any)
	root   *table
	// syntax counts the syntax errors.
	syntax int
	lines  lines
	// parser reads data[base:].
	parser *unstable.Parser
	base   int
}

// readTree returns the tree of a file and whether its syntax is sound. Where it is not, values are missing from the tree.
func readTree(data []byte, report func(at Pos, format string, args ...any)) (*table, bool) {
	r := &reader{
		data: data[:len(data):len(data)], report: report, root: newTable(Pos{1, 1}, headed),
		lines: lines{data: data, line: 1}, parser: &unstable.Parser{},
	}
	current := r.root
	r.parser.Reset(r.data)
	for {
		for r.parser.NextExpression() {
			if next := r.expression(current, r.parser.Expression()); next != nil {
				current = next
			}
		}
		var perr *unstable.ParserError
		if !errors.As(r.parser.Error(), &perr) {
			return r.root, r.syntax == 0
		}
		at := len(r.data) - cap(perr.Highlight)
		if !r.recover(at, perr.Message) {
			return r.root, false
		}
		if line := r.data[bytes.LastIndexByte(r.data[:at], '\n')+1:]; bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")), " \t"), []byte("[")) {
			// A broken header: what follows belongs to a table that nobody knows.
			current = newTable(Pos{}, headed)
		}
	}
}

// recover reports a syntax error and goes on with the line behind it. It reports false when there is nothing more to read.
func (r *reader) recover(at int, message string) bool {
	r.syntax++
	r.report(r.lines.pos(at), "%s", syntaxMessage(r.data, at, message))
	next := bytes.IndexByte(r.data[at:], '\n')
	if next < 0 {
		return false
	}
	if r.syntax >= maxSyntax {
		r.report(r.lines.pos(at), "too many syntax errors: the rest of the file was not read")
		return false
	}
	r.base = at + next + 1
	r.parser.Reset(r.data[r.base:])
	return true
}

// syntaxMessage says in the words of a configuration's author what the parser found.
func syntaxMessage(data []byte, at int, message string) string {
	switch {
	case at == 0 && bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return "the file begins with a byte order mark; save it as UTF-8 without one"
	case strings.HasPrefix(message, "unexpected character") && strings.HasSuffix(message, "at start of value"):
		return "not valid TOML: " + message + "; text is written in quotes"
	case message == "strings must be quoted":
		return "not valid TOML: text is written in quotes"
	}
	return "not valid TOML: " + message
}

// expression adds one line's meaning to the tree. For a header it returns the table that it opens.
func (r *reader) expression(current *table, n *unstable.Node) *table {
	switch n.Kind {
	case unstable.Table:
		return r.header(r.keys(n.Key()))
	case unstable.ArrayTable:
		return r.arrayHeader(r.keys(n.Key()))
	case unstable.KeyValue:
		r.keyValue(current, n, 0)
	}
	return nil
}

// keys returns the parts of a dotted key.
func (r *reader) keys(it unstable.Iterator) []Text {
	var keys []Text
	for it.Next() {
		n := it.Node()
		keys = append(keys, r.text(n))
	}
	return keys
}

// text returns a string or a key with its place.
func (r *reader) text(n *unstable.Node) Text {
	from := r.base + int(n.Raw.Offset)
	raw := string(r.data[from : from+int(n.Raw.Length)])
	return newText(string(n.Data), raw, r.lines.pos(from))
}

// header opens the table [a.b.c]. After a mistake it is a table outside of the tree, so that its keys are checked nowhere.
func (r *reader) header(keys []Text) *table {
	parent, last := r.descend(keys), keys[len(keys)-1]
	if parent == nil {
		return newTable(last.start, headed)
	}
	v := parent.get(last.Value)
	switch {
	case v == nil:
		t := newTable(last.start, headed)
		parent.put(last, &value{kind: kindTable, pos: last.start, table: t})
		return t
	case v.kind == kindTable && v.table.origin == implied:
		v.table.origin, v.table.pos = headed, last.start
		return v.table
	case v.kind == kindArray && v.headers:
		r.report(last.start, "[%s] was opened as a list on line %d; write [[%s]] for one more element", dot(keys), v.pos.Line, dot(keys))
	case v.kind == kindTable:
		r.report(last.start, "[%s] is there already, on line %d; put both together", dot(keys), v.pos.Line)
		if v.table.origin == headed {
			return v.table
		}
	default:
		r.report(last.start, "%s is there already, on line %d, as %s", dot(keys), v.pos.Line, v.kind)
	}
	return newTable(last.start, headed)
}

// arrayHeader opens a new element of the list [[a.b.c]].
func (r *reader) arrayHeader(keys []Text) *table {
	t := newTable(keys[len(keys)-1].start, headed)
	parent, last := r.descend(keys), keys[len(keys)-1]
	if parent == nil {
		return t
	}
	elem := &value{kind: kindTable, pos: last.start, table: t}
	switch v := parent.get(last.Value); {
	case v == nil:
		parent.put(last, &value{kind: kindArray, pos: last.start, elems: []*value{elem}, headers: true})
	case v.kind == kindArray && v.headers:
		v.elems = append(v.elems, elem)
	case v.kind == kindTable:
		r.report(last.start, "[[%s]] is there already, on line %d, as a single table", dot(keys), v.pos.Line)
	default:
		r.report(last.start, "%s is there already, on line %d, as %s", dot(keys), v.pos.Line, v.kind)
	}
	return t
}

// descend returns the table that the last part of a header's name is in, nil after a mistake.
func (r *reader) descend(keys []Text) *table {
	t := r.root
	if len(keys) > maxDepth {
		r.report(keys[0].start, "more than %d levels of tables", maxDepth)
		return nil
	}
	for i, key := range keys[:len(keys)-1] {
		v := t.get(key.Value)
		switch {
		case v == nil:
			next := newTable(key.start, implied)
			t.put(key, &value{kind: kindTable, pos: key.start, table: next})
			t = next
		case v.kind == kindTable && v.table.origin != inline:
			t = v.table
		case v.kind == kindArray && v.headers:
			t = v.elems[len(v.elems)-1].table
		case v.kind == kindTable:
			r.report(key.start, "%s is complete in its braces on line %d; add to it there", dot(keys[:i+1]), v.pos.Line)
			return nil
		default:
			r.report(key.start, "%s is %s, on line %d, so nothing can be inside of it", dot(keys[:i+1]), v.kind, v.pos.Line)
			return nil
		}
	}
	return t
}

// keyValue adds "a.b = value" to a table.
func (r *reader) keyValue(t *table, n *unstable.Node, depth int) {
	keys := r.keys(n.Key())
	if len(keys) > maxDepth {
		r.report(keys[0].start, "more than %d levels of tables", maxDepth)
		return
	}
	for i, key := range keys[:len(keys)-1] {
		v := t.get(key.Value)
		switch {
		case v == nil:
			next := newTable(key.start, dotted)
			t.put(key, &value{kind: kindTable, pos: key.start, table: next})
			t = next
		case v.kind == kindTable && v.table.origin == dotted:
			t = v.table
		default:
			r.report(key.start, "%s is there already, on line %d; add to it there", dot(keys[:i+1]), v.pos.Line)
			return
		}
	}
	last := keys[len(keys)-1]
	if v := t.get(last.Value); v != nil {
		r.report(last.start, "%s is set twice, first on line %d; remove one", dot(keys), v.pos.Line)
		return
	}
	if v := r.value(n.Value(), r.valueOffset(n), depth); v != nil {
		t.put(last, v)
	}
}

// valueOffset returns where the value of "key = value" begins, which the parser does not tell for lists.
func (r *reader) valueOffset(n *unstable.Node) int {
	var last *unstable.Node
	for it := n.Key(); it.Next(); {
		last = it.Node()
	}
	i := r.base + int(last.Raw.Offset+last.Raw.Length)
	for i < len(r.data)-1 && strings.IndexByte(" \t=", r.data[i]) >= 0 {
		i++
	}
	return i
}

// value converts a value that begins at offset from. It returns nil after a mistake.
func (r *reader) value(n *unstable.Node, from, depth int) *value {
	if n.Raw.Length > 0 {
		from = r.base + int(n.Raw.Offset)
	}
	v := &value{pos: r.lines.pos(from)}
	switch n.Kind {
	case unstable.String:
		v.kind, v.text = kindString, r.text(n)
	case unstable.Bool:
		v.kind, v.boolean = kindBool, string(n.Data) == "true"
	case unstable.Integer:
		i, err := strconv.ParseInt(string(n.Data), 0, 64)
		if err != nil {
			r.report(v.pos, "the number %s does not fit into 64 bits", shorten(string(n.Data)))
			return nil
		}
		v.kind, v.integer = kindInt, i
	case unstable.Float:
		v.kind = kindFloat
	case unstable.Array, unstable.InlineTable:
		if depth >= maxDepth {
			r.report(v.pos, "more than %d levels of lists and tables", maxDepth)
			return nil
		}
		if n.Kind == unstable.InlineTable {
			v.kind, v.table = kindTable, newTable(v.pos, inline)
			for it := n.Children(); it.Next(); {
				r.keyValue(v.table, it.Node(), depth+1)
			}
			v.table.close()
			return v
		}
		v.kind = kindArray
		for it := n.Children(); it.Next(); {
			if elem := r.value(it.Node(), from, depth+1); elem != nil {
				v.elems = append(v.elems, elem)
			}
		}
	default:
		v.kind = kindTime
	}
	return v
}

// close makes the tables of dotted keys inside of braces complete too.
func (t *table) close() {
	for _, e := range t.entries {
		if e.value.kind == kindTable && e.value.table.origin == dotted {
			e.value.table.origin = inline
			e.value.table.close()
		}
	}
}

// dot returns a dotted key as it is written.
func dot(keys []Text) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = shorten(k.raw)
	}
	return strings.Join(parts, ".")
}
