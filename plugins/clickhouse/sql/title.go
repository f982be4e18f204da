package sql

import (
	"unicode/utf8"
)

// title says what the text does, on one line: the gravest verb, what it is done to, and what makes it graver than the verb alone.
func (r *Reader) title() string {
	t := titleWriter{b: r.arena.begin(MaxTitle)}
	t.put(r.verb)
	if r.subject != "" {
		switch r.facts.Kind {
		case KindInsert:
			t.put(" into ")
		case KindSelect:
			t.put(" from ")
		default:
			t.put(" ")
		}
		t.put(r.subject)
		if n := len(r.facts.Reads); r.facts.Kind == KindSelect && n > 1 {
			shown := 1
			for _, name := range r.facts.Reads {
				if name == r.subject || endsWithName(r.subject, name) {
					continue
				}
				if shown++; shown > 3 {
					t.put(" and more")
					break
				}
				t.put(", ")
				t.put(name)
			}
		}
	}
	if !r.facts.Bounded && len(r.facts.Verbs) > 0 && (r.facts.Verbs[0] == "delete" || r.facts.Verbs[0] == "update" || r.verb == "alter delete" || r.verb == "alter update") {
		t.put(" without a condition that picks rows")
	}
	if r.because != "" {
		t.put(" with ")
		t.put(r.because)
	}
	return r.arena.done(t.b)
}

// endsWithName reports whether qualified is a database and name.
func endsWithName(qualified, name string) bool {
	n := len(qualified) - len(name)
	return n > 0 && qualified[n-1] == '.' && qualified[n:] == name
}

// titleWriter puts texts into at most MaxTitle bytes.
type titleWriter struct {
	b    []byte
	full bool
}

func (t *titleWriter) put(s string) {
	const ellipsis = "…"
	for _, r := range s {
		if t.full {
			return
		}
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			r = ' '
		}
		if len(t.b)+utf8.RuneLen(r) > MaxTitle-len(ellipsis) {
			t.b = append(t.b, ellipsis...)
			t.full = true
			return
		}
		t.b = utf8.AppendRune(t.b, r)
	}
}
