package config

import (
	"fmt"
	"strings"

	"github.com/sallyport-dev/sallyport/host/nearest"
)

// maxHints bounds how often the nearest word is looked for in one file.
const maxHints = 200

// decoder turns a tree into a Config and gathers what is wrong with it.
type decoder struct {
	file, dir          string
	known              Known
	problems, warnings Problems
	hints              int
	// missing turns the search for missing keys and names on. It is off in files with syntax errors, where what is missing may
	// be in the unread part.
	missing bool
	// lost says that the network could not be read, so that no address can be compared with it.
	lost bool
}

func (d *decoder) problem(at Pos, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.file, at.Line, at.Col, fmt.Sprintf(format, args...)})
}

func (d *decoder) warn(at Pos, format string, args ...any) {
	d.warnings = append(d.warnings, Problem{d.file, at.Line, at.Col, fmt.Sprintf(format, args...)})
}

// hint returns what to write instead of a word, ready to be put behind a sentence.
func (d *decoder) hint(word string, valid []string) string {
	if d.hints++; d.hints > maxHints {
		return ""
	}
	if h := nearest.Hint(word, valid); h != "" {
		return "; " + h
	}
	return ""
}

// config reads a whole file.
func (d *decoder) config(data []byte) *Config {
	cfg := &Config{}
	defaults(cfg, d.dir)
	if len(data) > MaxSize {
		d.problem(Pos{1, 1}, "the file is larger than %d KiB", MaxSize>>10)
		return cfg
	}
	root, sound := readTree(data, d.problem)
	d.missing = sound
	for _, e := range root.entries {
		d.top(cfg, e)
	}
	d.check(cfg)
	return cfg
}

// top reads one of the tables of the file.
func (d *decoder) top(cfg *Config, e *entry) {
	switch e.key.Value {
	case "gateway":
		one(d, e, gatewayFields(), &cfg.Gateway)
	case "limits":
		one(d, e, limitsFields(), &cfg.Limits)
	case "plugins":
		if t, ok := d.oneTable(e); ok {
			for _, p := range t.entries {
				d.plugin(cfg, p)
			}
		}
	case "peer":
		many(d, e, peerFields(), &cfg.Peers, func(p Pos) Peer { return Peer{Pos: p} })
	case "credential":
		d.credentials(cfg, e)
	case "endpoint":
		many(d, e, endpointFields(), &cfg.Endpoints, func(p Pos) Endpoint {
			return Endpoint{Pos: p, TLS: TLSDisable, AgentTLS: AgentTLSAuto, AgentSNI: AgentSNIAuto, OnHold: Wait, Record: Recording{Limit: DefaultRecordLimit}}
		})
	case "rule":
		many(d, e, ruleFields(), &cfg.Rules, func(p Pos) Rule {
			return Rule{Pos: p, Mode: Enforce, Approval: Approval{Approvals: 1}, Inspect: Inspection{Limit: defaultInspectLimit}}
		})
	case "override":
		many(d, e, overrideFields(), &cfg.Overrides, func(p Pos) Override { return Override{Pos: p} })
	case "approver":
		many(d, e, approverFields(), &cfg.Approvers, approverDefaults)
	case "holds":
		one(d, e, holdsFields(), &cfg.Holds)
	case "judge":
		many(d, e, judgeFields(), &cfg.Judges, judgeDefaults)
	case "secrets":
		one(d, e, secretsFields(), &cfg.Secrets)
	case "receipts":
		one(d, e, receiptsFields(), &cfg.Receipts)
		cfg.Receipts.Pos = e.key.start
	default:
		d.unknownTop(e)
	}
}

// tables are the names of the file's tables, each with its brackets.
var tables = []struct{ name, written string }{
	{"gateway", "[gateway]"}, {"limits", "[limits]"}, {"peer", "[[peer]]"},
	{"plugins", "[plugins]"}, {"credential", "[[credential]]"}, {"endpoint", "[[endpoint]]"}, {"rule", "[[rule]]"}, {"override", "[[override]]"},
	{"approver", "[[approver]]"}, {"holds", "[holds]"}, {"judge", "[[judge]]"}, {"receipts", "[receipts]"}, {"secrets", "[secrets]"},
}

// written returns the name of a table with its brackets.
func written(name string) string {
	for _, t := range tables {
		if t.name == name {
			return t.written
		}
	}
	return "[" + name + "]"
}

func (d *decoder) unknownTop(e *entry) {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.name
	}
	if e.value.kind != kindTable && !e.value.headers {
		// A key above the first table: it may be known somewhere.
		for _, k := range Keys() {
			if k.Name == e.key.Value {
				d.problem(e.key.start, "%s stands before the first table; it belongs under %s", e.key.Value, written(k.Table))
				return
			}
		}
		d.problem(e.key.start, "unknown key %s before the first table", quote(e.key.Value))
		return
	}
	if n, ok := nearest.Word(e.key.Value, names); ok {
		d.problem(e.key.start, "unknown table %s; did you mean %s?", quote(e.key.Value), written(n))
		return
	}
	all := make([]string, len(tables))
	for i, t := range tables {
		all[i] = t.written
	}
	d.problem(e.key.start, "unknown table %s; the tables are %s", quote(e.key.Value), strings.Join(all, ", "))
}

// field is a key of a table that decodes into T: its description and what reads it.
type field[T any] struct {
	Key
	read func(d *decoder, k Key, v *value, into *T)
}

// one decodes a table that a file has once.
func one[T any](d *decoder, e *entry, fields []field[T], into *T) {
	if t, ok := d.oneTable(e); ok {
		decode(d, t, written(e.key.Value), fields, into)
	}
}

// oneTable returns the table under a key that must be a single one.
func (d *decoder) oneTable(e *entry) (*table, bool) {
	switch {
	case e.value.kind == kindTable:
		return e.value.table, true
	case e.value.headers:
		d.problem(e.key.start, "write [%s] with one pair of brackets: a file has one", e.key.Value)
	default:
		d.problem(e.value.pos, "%s must be a table, not %s; write [%s] and its keys below", e.key.Value, e.value.kind, e.key.Value)
	}
	return nil, false
}

// many decodes the tables of a list.
func many[T any](d *decoder, e *entry, fields []field[T], into *[]T, start func(Pos) T) {
	name := e.key.Value
	if e.value.kind != kindArray {
		if e.value.kind == kindTable {
			d.problem(e.key.start, "write [[%s]] with two pairs of brackets: a file can have several", name)
		} else {
			d.problem(e.value.pos, "%s must be tables, not %s; write [[%s]] and its keys below, once for each", name, e.value.kind, name)
		}
		return
	}
	for _, v := range e.value.elems {
		if v.kind != kindTable {
			d.problem(v.pos, "%s must be tables, not %s; write [[%s]] and its keys below, once for each", name, v.kind, name)
			continue
		}
		t := start(v.pos)
		decode(d, v.table, written(name), fields, &t)
		*into = append(*into, t)
	}
}

// decode reads the keys of a table. Unknown and missing ones are problems.
func decode[T any](d *decoder, t *table, name string, fields []field[T], into *T) {
	for _, e := range t.entries {
		found := false
		for _, f := range fields {
			if f.Name == e.key.Value {
				f.read(d, f.Key, e.value, into)
				found = true
			}
		}
		if !found {
			names := make([]string, len(fields))
			for i, f := range fields {
				names[i] = f.Name
			}
			d.problem(e.key.start, "unknown key %s in %s%s", quote(e.key.Value), name, d.hint(e.key.Value, names))
		}
	}
	for _, f := range fields {
		if f.Required && d.missing && t.get(f.Name) == nil {
			d.problem(t.pos, "%s needs %s, such as %s = %s", name, quote(f.Name), f.Name, f.Example)
		}
	}
}

// wrong reports a value of the wrong type.
func (d *decoder) wrong(k Key, v *value, want string) {
	d.problem(v.pos, "%s must be %s, not %s; write %s = %s", k.Name, want, v.kind, k.Name, k.Example)
}

// text returns a string that is not blank.
func (d *decoder) text(k Key, v *value) (Text, bool) {
	if v.kind != kindString {
		d.wrong(k, v, "a string")
		return Text{}, false
	}
	if strings.TrimSpace(v.text.Value) == "" {
		how := "leave the key out or write"
		if k.Required {
			how = "write"
		}
		d.problem(v.pos, "%s is empty; %s %s = %s", k.Name, how, k.Name, k.Example)
		return Text{}, false
	}
	return v.text, true
}

// texts returns a list of strings that are not blank, without duplicates, that has at least one.
func (d *decoder) texts(k Key, v *value) []Text {
	if v.kind != kindArray || v.headers {
		d.wrong(k, v, "a list of strings")
		return nil
	}
	var list []Text
	seen := map[string]bool{}
	for _, e := range v.elems {
		switch {
		case e.kind != kindString:
			d.problem(e.pos, "%s must be a list of strings, not of %s; write %s = %s", k.Name, plural(e.kind), k.Name, k.Example)
		case strings.TrimSpace(e.text.Value) == "":
			d.problem(e.pos, "%s has an empty element; remove it", k.Name)
		case seen[e.text.Value]:
			d.problem(e.pos, "%s lists %s twice; remove one", k.Name, quote(e.text.Value))
		default:
			seen[e.text.Value] = true
			list = append(list, e.text)
		}
	}
	return list
}

// plural names several values of a kind.
func plural(k kind) string {
	return [...]string{"strings", "integers", "fractions", "booleans", "dates or times", "lists", "tables"}[k]
}
