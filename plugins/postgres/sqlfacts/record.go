package sqlfacts

import (
	"errors"
	"strconv"
)

// The record's layout is specified in pgquery/c/record.h.
const (
	recordVersion = 1
	headerLength  = 2

	flagNested    = 1
	flagUnbounded = 2
	flagReturning = 4
	flagLocks     = 8
	flagInto      = 16
	flagLocal     = 32
	flagAll       = 64
	flagPositive  = 128
)

var errRecord = errors.New("sqlfacts: the companion's record is damaged")

// reader walks the entries of a record. The text is one string, and all that is read are parts of it.
type reader struct {
	text string
	at   int
}

// entry is one entry; which fields are set depends on the tag.
type entry struct {
	tag              byte
	kind, flags, sub byte   // V
	role             byte   // R
	text             string // N, W, G, g, C, T: the string; R, F, P: the dotted name
	skip             int    // R, F, P: where the name begins in text, after schema and dot
	number           uint64 // H
}

func (e *entry) name() string { return e.text[e.skip:] }

func (e *entry) schema() string {
	if e.skip == 0 {
		return ""
	}
	return e.text[:e.skip-1]
}

// next reads one entry; false at the end or at damage, which leaves at short of the end.
func (r *reader) next(e *entry) bool {
	if r.at >= len(r.text) {
		return false
	}
	start := r.at
	e.tag = r.text[r.at]
	r.at++
	ok := false
	switch e.tag {
	case 'S':
		ok = true
	case 'V':
		if ok = len(r.text)-r.at >= 3; ok {
			e.kind, e.flags, e.sub = r.text[r.at], r.text[r.at+1], r.text[r.at+2]
			r.at += 3
		}
	case 'N', 'W', 'G', 'g', 'C', 'T', 't':
		e.text, ok = r.str()
	case 'R':
		if ok = r.at < len(r.text); ok {
			e.role = r.text[r.at]
			r.at++
			ok = r.dotted(e)
		}
	case 'F', 'P':
		ok = r.dotted(e)
	case 'H':
		if ok = len(r.text)-r.at >= 8; ok {
			e.number = 0
			for i := range 8 {
				e.number |= uint64(r.text[r.at+i]) << (8 * i)
			}
			r.at += 8
		}
	}
	if !ok {
		r.at = start
	}
	return ok
}

func (r *reader) length() (int, bool) {
	n := 0
	for shift := 0; shift < 28 && r.at < len(r.text); shift += 7 {
		c := r.text[r.at]
		r.at++
		n |= int(c&127) << shift
		if c < 128 {
			return n, true
		}
	}
	return 0, false
}

func (r *reader) str() (string, bool) {
	n, ok := r.length()
	if !ok || n > len(r.text)-r.at {
		return "", false
	}
	s := r.text[r.at : r.at+n]
	r.at += n
	return s, true
}

func (r *reader) dotted(e *entry) bool {
	var ok bool
	if e.skip, ok = r.length(); !ok {
		return false
	}
	if e.text, ok = r.str(); !ok {
		return false
	}
	return e.skip <= len(e.text) && (e.skip == 0 || e.text[e.skip-1] == '.')
}

// counts is how many entries of each list a record has at most, so that each list is allocated once.
type counts struct{ statements, verbs, reads, writes, functions, columns int }

// bad is an errRecord with what is wrong.
func bad(what string) error { return &recordError{what} }

type recordError struct{ what string }

func (e *recordError) Error() string { return errRecord.Error() + ": " + e.what }
func (e *recordError) Unwrap() error { return errRecord }

// survey checks that a record is whole and counts its entries.
func survey(text string) (counts, error) {
	var c counts
	if len(text) < headerLength {
		return c, bad(strconv.Itoa(len(text)) + " bytes")
	}
	if text[0] != recordVersion {
		return c, bad("version " + strconv.Itoa(int(text[0])) + ", not " + strconv.Itoa(recordVersion))
	}
	r := reader{text: text, at: headerLength}
	var e entry
	statement, verb := false, false
	for r.next(&e) {
		switch e.tag {
		case 'S':
			c.statements++
			statement, verb = true, false
		case 'V':
			if !statement {
				return c, bad("a verb outside any statement")
			}
			verb = true
			c.verbs++
		case 'H', 'T', 't':
		default:
			if !verb {
				return c, bad("an entry " + strconv.QuoteRune(rune(e.tag)) + " before any verb")
			}
			switch {
			case e.tag == 'C':
				c.columns++
			case e.tag == 'F':
				c.functions += names(&e)
			case e.tag == 'R' && reads(e.role):
				c.reads += names(&e)
			case e.tag == 'R':
				c.writes += names(&e)
			}
		}
	}
	if r.at != len(text) {
		return c, bad("at byte " + strconv.Itoa(r.at))
	}
	return c, nil
}

// names counts the spellings under which a dotted name is listed.
func names(e *entry) int {
	if e.skip > 0 {
		return 2
	}
	return 1
}

// reads says whether a role is one of reading; every other, also one that is not known here, counts as writing.
func reads(role byte) bool { return role == 'r' || role == 'l' }
