package sqlfacts

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Decode reads the record that the companion made of one text. An error means that the record is damaged, which is a fault of
// the companion and never of the text; a text that does not parse has no record.
func Decode(record string) (Facts, error) {
	text := record
	n, err := survey(text)
	if err != nil {
		return Facts{}, err
	}
	d := decoder{facts: Facts{Bounded: true, Statements: n.statements}}
	f := &d.facts
	f.Each = make([]Statement, 0, n.statements)
	// One allocation for all five lists.
	pool := make([]string, n.verbs+n.reads+n.writes+n.functions+n.columns)
	f.Verbs, pool = pool[:0:n.verbs], pool[n.verbs:]
	f.Reads, pool = pool[:0:n.reads], pool[n.reads:]
	f.Writes, pool = pool[:0:n.writes], pool[n.writes:]
	f.Functions, pool = pool[:0:n.functions], pool[n.functions:]
	f.Columns = pool[:0:n.columns]

	r := reader{text: text, at: headerLength}
	var e entry
	for r.next(&e) {
		d.take(&e)
	}
	if d.settingOpen {
		d.setConfig("", false)
	}
	d.finish()

	if text[1] != 0 { // any mark, known here or not: something is missing
		f.Unknown = true
		for i := range f.Each {
			f.Each[i].Class, f.Each[i].Rest = abi.ClassOpaque, abi.ClassOpaque
		}
		f.Class = abi.ClassOpaque
	}
	f.Title = d.title.finish(f.Unknown)
	f.Verbs, f.Reads, f.Writes = unique(f.Verbs), unique(f.Reads), unique(f.Writes)
	f.Functions, f.Columns, f.Settings = unique(f.Functions), unique(f.Columns), unique(f.Settings)
	return d.facts, nil
}

// decoder builds the facts entry by entry.
type decoder struct {
	facts Facts
	title title
	open  bool
	now   Statement
	verb  part // the verb that entries belong to now
	top   part // the statement's own verb
	worst part // the gravest verb in it
	call  part // the gravest function or operator in it
	reads int  // how many of facts.Reads came before this statement

	setting     string // the variable of a set_config whose value may come next
	settingOpen bool
}

// part is a piece of a statement that the title may name.
type part struct {
	set        bool
	node       node
	flags, sub byte
	class      Class
	verb       string
	name       string // N
	value      string // W
	target     string // the first relation written
	more       int    // how many others
}

func (d *decoder) take(e *entry) {
	if d.settingOpen && e.tag != 'g' {
		d.setConfig("", false)
	}
	switch e.tag {
	case 'S':
		d.finish()
		d.open, d.now = true, Statement{}
		d.verb, d.top, d.worst, d.call = part{}, part{}, part{}, part{}
		d.reads = len(d.facts.Reads)
	case 'V':
		d.takeVerb(e)
	case 'N':
		d.takeName(e.text)
	case 'W':
		d.verb.value = e.text
		if d.verb.node == nVariableSet && d.verb.name == "search_path" && mentionsCatalog(e.text) {
			d.facts.Shadows = true
		}
		if d.isTop() {
			d.now.Value = e.text
		}
	case 'R':
		d.takeRelation(e)
	case 'F':
		d.facts.Functions = appendNames(d.facts.Functions, e)
		d.takeCall(functionClass(e.schema(), e.name()), e.text)
	case 'G':
		d.setting, d.settingOpen = lower(e.text), true
	case 'g':
		if d.settingOpen {
			d.setConfig(e.text, true)
		}
	case 'P':
		d.takeCall(operatorClass(e.schema(), e.name()), e.text)
	case 'C':
		d.facts.Columns = append(d.facts.Columns, e.text)
	case 'H':
		d.facts.Fingerprint = hex16(e.number)
	case 'T', 't':
		d.facts.Normalized, d.facts.NormalizedCut = e.text, e.tag == 't'
	}
}

// isTop says whether entries belong to the statement's own verb.
func (d *decoder) isTop() bool { return d.verb.flags&flagNested == 0 }

func (d *decoder) takeVerb(e *entry) {
	d.closeVerb()
	v := part{set: true, flags: e.flags, sub: e.sub}
	if e.kind < uint8(nodes) {
		v.node = node(e.kind)
	}
	v.verb = verbOf(v.node, v.flags, v.sub)
	v.class = classOf(v.node, v.flags, v.sub)
	d.facts.Verbs = append(d.facts.Verbs, v.verb)
	d.facts.Bounded = d.facts.Bounded && !unbounded(v.node, v.flags)
	d.facts.Returning = d.facts.Returning || v.flags&flagReturning != 0
	d.facts.Locks = d.facts.Locks || v.node == nLock || (v.node == nSelect && v.flags&flagLocks != 0)
	d.verb = v
	if d.isTop() {
		describe(&d.now, v)
		if (v.node == nVariableSet || v.node == nDiscard) && d.now.All {
			d.set(AnySetting)
		}
	}
	if v.node == nExecute {
		d.now.Class = abi.ClassOpaque
	} else {
		d.raise(v.class)
	}
}

// raise makes the statement at least as grave as class.
func (d *decoder) raise(class Class) {
	d.now.Class = max(d.now.Class, class)
	d.now.Rest = max(d.now.Rest, class)
}

// closeVerb keeps what the title may say of the verb that ends here.
func (d *decoder) closeVerb() {
	if !d.verb.set {
		return
	}
	if !d.top.set {
		d.top = d.verb
	}
	// What EXPLAIN explains says more than the word itself.
	if !d.worst.set || d.verb.class > d.worst.class || (d.worst.node == nExplain && d.verb.class == d.worst.class) {
		d.worst = d.verb
	}
	d.verb.set = false
}

func (d *decoder) takeName(name string) {
	if d.verb.node == nVariableSet {
		name = lower(name)
		if d.verb.sub != varResetAll {
			d.verb.class = settingClass(name)
			d.raise(d.verb.class)
		}
		if d.isTop() {
			d.set(name)
		}
	}
	if d.verb.name == "" {
		d.verb.name = name
	}
	if d.isTop() && d.now.Name == "" {
		d.now.Name = name
	}
}

func (d *decoder) takeRelation(e *entry) {
	if reads(e.role) {
		d.facts.Reads = appendNames(d.facts.Reads, e)
		if isCatalog(e.schema(), e.name()) && showsFile(e.name()) {
			d.takeCall(abi.ClassExecute, e.name())
		}
		if e.role == 'r' {
			return
		}
	} else {
		d.facts.Writes = appendNames(d.facts.Writes, e)
		if e.role == 'w' && isCatalog(e.schema(), e.name()) {
			d.verb.class = max(d.verb.class, abi.ClassAdmin)
			d.raise(d.verb.class)
			if e.name() == "pg_settings" { // a view whose UPDATE is SET
				d.set(AnySetting)
				d.facts.Shadows = true
			}
		}
	}
	if d.verb.target == "" {
		d.verb.target = e.text
	} else {
		d.verb.more++
	}
}

func (d *decoder) takeCall(class Class, name string) {
	d.raise(class)
	if !d.call.set || class > d.call.class {
		d.call = part{set: true, class: class, name: name}
	}
}

// setConfig takes a call of set_config; known says that its value is a literal. The variables on which the reading of later texts
// rests are admin here, although SET of them is session: SET is a statement of its own, which the session follows, and a call may
// be anywhere. A search_path without pg_catalog is not, because it can put nothing before PostgreSQL's own functions.
func (d *decoder) setConfig(value string, known bool) {
	d.settingOpen = false
	class := abi.ClassAdmin
	switch d.setting {
	case "":
		d.set(AnySetting)
		d.facts.Shadows = true
	case "search_path":
		d.set(d.setting)
		if known && !mentionsCatalog(value) {
			class = abi.ClassRead
		} else {
			d.facts.Shadows = true
		}
	case "client_encoding", "standard_conforming_strings":
		d.set(d.setting)
	default:
		d.set(d.setting)
		class = max(abi.ClassRead, settingClass(d.setting))
		if known && restricts(d.setting, value) {
			class = abi.ClassRead
		}
	}
	d.takeCall(class, "set_config")
}

func mentionsCatalog(s string) bool { return strings.Contains(lower(s), "pg_catalog") }

func (d *decoder) set(name string) { d.facts.Settings = append(d.facts.Settings, name) }

// isCatalog says whether a relation is one of PostgreSQL's own, as far as its name tells.
func isCatalog(schema, name string) bool {
	return schema == "pg_catalog" || (schema == "" && len(name) > 3 && name[:3] == "pg_")
}

// showsFile says whether one of PostgreSQL's own views has in it what a file of the server says. Of the first two there are functions of the
// same name, which count as much.
func showsFile(view string) bool {
	return view == "pg_hba_file_rules" || view == "pg_ident_file_mappings" || view == "pg_file_settings"
}

// finish ends the current top-level statement.
func (d *decoder) finish() {
	if !d.open {
		return
	}
	d.open = false
	d.closeVerb()
	if !d.top.set { // a statement without a verb: nothing that the companion writes
		d.now.Class, d.now.Rest = abi.ClassOpaque, abi.ClassOpaque
		d.facts.Unknown = true
	}
	d.facts.Class = max(d.facts.Class, d.now.Class)
	d.title.add(d.top, d.worst, d.call, d.facts.Reads[d.reads:])
	d.facts.Each = append(d.facts.Each, d.now)
}

// appendNames lists a dotted name under both of its spellings.
func appendNames(list []string, e *entry) []string {
	if e.skip > 0 {
		list = append(list, e.text)
	}
	return append(list, e.name())
}

// unique sorts a list and drops duplicates. An empty list is nil.
func unique(list []string) []string {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for j := range b {
				if 'A' <= b[j] && b[j] <= 'Z' {
					b[j] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}

func hex16(n uint64) string {
	var b [16]byte
	digits := strconv.AppendUint(b[:0], n, 16)
	var out [16]byte
	for i := range out {
		out[i] = '0'
	}
	copy(out[16-len(digits):], digits)
	return string(out[:])
}
