package sqlfacts

import (
	"strconv"
	"unicode/utf8"
)

// title builds Facts.Title: the gravest part of each statement, in words, on one line.
type title struct {
	text       []byte
	statements int
	full       bool
}

// add appends one statement: worst is what the reader must see, top what it is inside of.
func (t *title) add(top, worst, call part, reads []string) {
	t.statements++
	if t.full {
		return
	}
	if t.statements > 1 {
		t.put("; ")
	}
	t.put(worst.verb)
	t.object(worst, reads)
	t.remarks(worst)
	if worst.flags&flagNested != 0 && top.set {
		t.put(" inside ")
		t.put(top.verb)
	}
	if call.set && call.class > worst.class {
		t.put(" calling ")
		t.put(call.name)
	}
}

// object puts what the verb works on.
func (t *title) object(p part, reads []string) {
	switch p.node {
	case nSelect:
		t.list(reads)
	case nInsert, nMerge:
		t.target(" into ", p)
	case nDelete:
		t.target(" from ", p)
	case nCopy:
		switch {
		case p.sub&copyFrom != 0:
			t.target(" into ", p)
		case len(reads) > 0:
			t.put(" from ")
			t.put(reads[0])
		default:
			t.put(" from a query")
		}
	case nGrant, nGrantRole:
		t.target(" on ", p)
		if p.name != "" {
			if p.flags&flagPositive != 0 {
				t.put(" to ")
			} else {
				t.put(" from ")
			}
			t.put(p.name)
		}
	case nComment, nSecLabel:
		t.put(" on")
		t.named(p)
	default:
		t.named(p)
	}
}

// named puts an object's name and the relation that it belongs to.
func (t *title) named(p part) {
	switch {
	case p.name != "" && p.target != "":
		t.put(" ")
		t.put(p.name)
		t.target(" on ", p)
	case p.name != "":
		t.put(" ")
		t.put(p.name)
	case p.flags&flagAll != 0:
		t.put(" all")
	default:
		t.target(" ", p)
	}
}

func (t *title) target(preposition string, p part) {
	if p.target == "" {
		return
	}
	t.put(preposition)
	t.put(p.target)
	t.more(p.more)
}

func (t *title) more(n int) {
	if n > 0 {
		t.put(" and ")
		t.put(strconv.Itoa(n))
		t.put(" more")
	}
}

func (t *title) remarks(p part) {
	switch p.node {
	case nSelect:
		if p.flags&flagInto != 0 {
			t.put(" into ")
			t.put(p.target)
		}
		if p.flags&flagLocks != 0 {
			t.put(" with row locks")
		}
	case nUpdate, nDelete:
		if p.flags&flagUnbounded != 0 {
			if p.sub == 0 {
				t.put(" without a where clause")
			} else {
				t.put(" with a where clause that admits every row")
			}
		}
	case nVariableSet:
		// Other values stay out: an application's own variable can hold a secret.
		if p.value != "" && (p.name == "role" || p.name == "session_authorization") {
			t.put(" to ")
			t.put(p.value)
		}
	case nMerge:
		if p.flags&flagUnbounded != 0 {
			t.put(" for every row")
		}
		if p.sub&mergeDeletes != 0 {
			t.put(" with delete")
		}
	case nCopy:
		switch {
		case p.sub&copyProgram != 0:
			t.put(" by a program on the server")
		case p.sub&copyFile != 0:
			t.put(" by a file on the server")
		}
	}
}

// list names the first relations of a SELECT.
func (t *title) list(relations []string) {
	const most = 3
	shown, hidden := 0, 0
	for i, name := range relations {
		if i > 0 && endsWithName(relations[i-1], name) {
			continue // the second spelling of the one before
		}
		switch {
		case shown == 0:
			t.put(" from ")
		case shown < most:
			t.put(", ")
		default:
			hidden++
			continue
		}
		t.put(name)
		shown++
	}
	t.more(hidden)
}

// endsWithName says whether qualified is "schema." and name.
func endsWithName(qualified, name string) bool {
	n := len(qualified) - len(name)
	return n > 0 && qualified[n-1] == '.' && qualified[n:] == name
}

// put appends text up to the limit. Control characters and line ends become spaces: names can hold anything.
func (t *title) put(s string) {
	if t.text == nil {
		t.text = make([]byte, 0, MaxTitle)
	}
	if t.full {
		return
	}
	const ellipsis = len("…")
	for _, r := range s {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == '\u2028' || r == '\u2029' {
			r = ' '
		}
		if len(t.text)+utf8.RuneLen(r) > MaxTitle-ellipsis {
			t.text = append(t.text, "…"...)
			t.full = true
			return
		}
		t.text = utf8.AppendRune(t.text, r)
	}
}

func (t *title) finish(unknown bool) string {
	if t.statements == 0 {
		return "empty query"
	}
	if unknown {
		t.put(" (in part unreadable)")
	}
	return string(t.text)
}
