package session

import (
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// maxText bounds the text that an action shows, in bytes.
const maxText = 16 << 10

// maxProblem bounds what is said about why a text could not be read, in bytes.
const maxProblem = 200

// statement is a text and what it does. It never changes, and several names and portals can share one.
type statement struct {
	*shape
	text      string // empty when it is longer than maxText, and where nobody asks for it again
	long      bool
	sensitive bool
	problem   string // why it could not be read
	inner     bool   // it is what a PREPARE or DECLARE has in it, see made
	types     string // of its parameters, as far as they are known, see [proto.ReadTypes]
	size      int    // about how much memory it takes, in bytes
}

// unreadable makes a statement of which nothing is known.
func unreadable(text []byte, problem string) *statement {
	problem = strings.ToValidUTF8(problem[:min(len(problem), maxProblem)], "")
	st := &statement{problem: problem}
	st.shape = newShape(&sqlfacts.Facts{Class: abi.ClassOpaque, Unknown: true, Title: "a statement that cannot be read: " + problem})
	return st.with(text)
}

// with is st with its text.
func (st *statement) with(text []byte) *statement {
	own := *st
	if own.long = len(text) > maxText; !own.long {
		own.text = string(text)
	}
	own.size = st.weight + 128 + len(own.text)
	return &own
}

// read says what text does, whatever the server's settings.
func (s *Session) read(text []byte, sensitive bool) *statement {
	sh, err := s.shapeOf(text)
	if err != nil {
		st := unreadable(text, err.Error())
		st.sensitive = sensitive
		return st
	}
	st := sh.statement(sensitive)
	if sh.names { // what it makes is asked about with this text
		return st.with(text)
	}
	return st
}

// shapeOf reads a text.
func (s *Session) shapeOf(text []byte) (*shape, error) {
	if s.companion != nil {
		return s.companion.read(text, s.room())
	}
	facts, err := s.reader.Read(text)
	if err != nil {
		return nil, err
	}
	sh := newShape(facts)
	sh.encode(s.room())
	return sh, nil
}

// made is what a name runs that st made, a text with PREPARE or DECLARE in it: verb is "execute" or "fetch". All facts of the
// text are taken for those of the part inside, which is all that can be told and never too little.
func (st *statement) made(verb string) *statement {
	facts := *st.facts
	facts.Each = nil
	facts.Verbs = union(st.facts.Verbs, []string{verb})
	facts.Title = verb + " of: " + st.facts.Title
	return &statement{shape: newShape(&facts), text: st.text, long: st.long, problem: st.problem, size: st.size, inner: true}
}

// queryOf reads a text under the server's settings. wait says that it can be read once the server has answered everything. The
// statement need not have the text.
func (s *Session) queryOf(text []byte) (st *statement, wait bool) {
	hash, sensitive := scan(text)
	if sensitive && !s.settled {
		return s.unsettled(text)
	}
	if st = s.cache.find(hash, text); st == nil {
		if st = s.alike(text); st == nil {
			st = s.read(text, sensitive)
			s.cache.add(hash, text, st)
			s.keepAlike(st)
		}
	}
	switch {
	case s.settings.conforming && (s.settings.utf8 || !sensitive):
		return st, false
	case st.setsBack():
		return st, false
	case !s.settings.conforming:
		return unreadable(text, "standard_conforming_strings is not on"), false
	}
	return unreadable(text, "client_encoding is not UTF8 and the text has more than ASCII or backslashes"), false
}

// statementOf is queryOf for a text that is asked about again later: the statement has it.
func (s *Session) statementOf(text []byte) (st *statement, wait bool) {
	s.cache.hit = nil
	st, wait = s.queryOf(text)
	if wait || st.text != "" || st.long {
		return st, wait
	}
	if hit := s.cache.hit; hit != nil && hit.kept != nil && hit.kept.shape == st.shape {
		return hit.kept, false
	}
	if s.cache.hit == nil {
		s.cache.add(hashOf(text), text, st)
	}
	st = st.with(text)
	s.cache.keep(st)
	return st, false
}

// alike is what a text does that differs from one read before in numbers alone, and in such as do not matter; nil for most.
func (s *Session) alike(text []byte) *statement {
	if s.companion == nil {
		return nil
	}
	if sh := s.companion.alike.find(text); sh != nil {
		return sh.statement(false)
	}
	return nil
}

// keepAlike keeps what the text that alike did not know does.
func (s *Session) keepAlike(st *statement) {
	if s.companion != nil && st.problem == "" {
		s.companion.alike.add(st.shape)
	}
}

// unsettled is a text whose tokens depend on settings that may be changing right now.
func (s *Session) unsettled(text []byte) (st *statement, wait bool) {
	if s.queue.draining() {
		return nil, true
	}
	return unreadable(text, "its tokens depend on settings that something before it in the pipeline could have changed"), false
}

// setsBack reports whether all that the statement does is to give the lexer's settings the values under which texts are read.
func (st *statement) setsBack() bool {
	if st.sensitive || st.facts.Unknown || len(st.facts.Each) == 0 {
		return false
	}
	for i := range st.facts.Each {
		e := &st.facts.Each[i]
		if e.Kind != sqlfacts.KindSet {
			return false
		}
		switch e.Name {
		case "standard_conforming_strings":
			if e.Value != "on" && e.Value != "true" {
				return false
			}
		case "client_encoding":
			if v := lower(e.Value); v != "utf8" && v != "utf-8" && v != "unicode" {
				return false
			}
		default:
			return false
		}
	}
	return true
}
