package session

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// maxText bounds the text that an action shows, in bytes.
const maxText = 16 << 10

// maxProblem bounds what is said about why a text could not be read, in bytes.
const maxProblem = 200

// statement is a text and what it does. It never changes, and several names and portals can share one.
type statement struct {
	text      string // empty when it is longer than maxText
	long      bool
	facts     *sqlfacts.Facts // shared with other statements
	sensitive bool
	problem   string // why it could not be read

	names   bool // it changes what names stand for: PREPARE, DEALLOCATE, DECLARE, CLOSE, DISCARD
	refers  bool // it runs what a name stands for: EXECUTE, FETCH
	copyIn  bool
	copyOut bool
	inner   bool // it is what a PREPARE or DECLARE has in it, see made
	size    int  // about how much memory it takes, in bytes
	hash    uint32
}

// unreadable makes a statement of which nothing is known.
func unreadable(text []byte, problem string) *statement {
	problem = strings.ToValidUTF8(problem[:min(len(problem), maxProblem)], "")
	st := &statement{problem: problem, copyOut: true}
	st.keep(text)
	st.facts = &sqlfacts.Facts{Class: abi.ClassOpaque, Unknown: true, Title: "a statement that cannot be read: " + problem}
	return st
}

func (st *statement) keep(text []byte) {
	if st.long = len(text) > maxText; !st.long {
		st.text = string(text)
	}
	st.size += 256 + len(st.text)
}

// read says what text does, whatever the server's settings.
func (s *Session) read(text []byte, sensitive bool) *statement {
	facts, err := s.reader.Read(text)
	if err != nil {
		st := unreadable(text, err.Error())
		st.sensitive = sensitive
		return st
	}
	st := &statement{facts: facts, sensitive: sensitive}
	st.keep(text)
	for i := range facts.Each {
		switch facts.Each[i].Kind {
		case sqlfacts.KindPrepare, sqlfacts.KindDeallocate, sqlfacts.KindDeclareCursor, sqlfacts.KindCloseCursor,
			sqlfacts.KindDiscard:
			st.names = true
		case sqlfacts.KindExecute, sqlfacts.KindFetch:
			st.refers = true
		case sqlfacts.KindCopyIn:
			st.copyIn = true
		case sqlfacts.KindCopyOut:
			st.copyOut = true
		}
	}
	st.copyOut = st.copyOut || facts.Unknown
	for _, list := range [][]string{facts.Verbs, facts.Reads, facts.Writes, facts.Functions, facts.Columns} {
		for _, v := range list {
			st.size += 16 + len(v)
		}
	}
	st.size += len(facts.Each) * int(unsafe.Sizeof(sqlfacts.Statement{}))
	return st
}

// made is what a name runs that st made, a text with PREPARE or DECLARE in it: verb is "execute" or "fetch". All facts of the
// text are taken for those of the part inside, which is all that can be told and never too little.
func (st *statement) made(verb string) *statement {
	facts := *st.facts
	m := &statement{text: st.text, long: st.long, problem: st.problem, size: st.size, inner: true, copyOut: st.facts.Unknown, facts: &facts}
	m.facts.Each = nil
	m.facts.Verbs = union(st.facts.Verbs, []string{verb})
	m.facts.Title = verb + " of: " + st.facts.Title
	return m
}

// statementOf reads a text under the server's settings. wait says that it can be read once the server has answered everything.
func (s *Session) statementOf(text []byte) (st *statement, wait bool) {
	if st = s.cache.find(text); st == nil {
		sensitive := sqlfacts.LexerSensitive(text)
		if sensitive && !s.settled {
			return s.unsettled(text)
		}
		st = s.read(text, sensitive)
		s.cache.add(st)
	}
	switch {
	case st.sensitive && !s.settled:
		return s.unsettled(text)
	case s.settings.conforming && (s.settings.utf8 || !st.sensitive):
		return st, false
	case st.setsBack():
		return st, false
	case !s.settings.conforming:
		return unreadable(text, "standard_conforming_strings is not on"), false
	}
	return unreadable(text, "client_encoding is not UTF8 and the text has more than ASCII or backslashes"), false
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

// shadows reports whether a statement could give the session a search_path with pg_catalog in it. It is searched first unless
// the path names it, so only such a path can put functions of others before PostgreSQL's own.
func shadows(f *sqlfacts.Facts) bool {
	if !slices.Contains(f.Settings, "search_path") && !slices.Contains(f.Settings, sqlfacts.AnySetting) {
		return false
	}
	if slices.Contains(f.Functions, "set_config") || slices.Contains(f.Writes, "pg_settings") {
		return true // the value is computed
	}
	for i := range f.Each {
		if e := &f.Each[i]; e.Kind == sqlfacts.KindSet && e.Name == "search_path" && mentionsCatalog(e.Value) {
			return true
		}
	}
	return false
}

func mentionsCatalog(s string) bool { return strings.Contains(lower(s), "pg_catalog") }

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// Limits of the cache: the longest text that it keeps and the memory of all of them, in bytes, and how many.
const (
	maxCachedText = 4 << 10
	maxCachedSize = 128 << 10
	maxCached     = 64
)

// cache keeps the last texts read, so that a repeated one is not read again. The oldest goes first.
type cache struct {
	entries []*statement
	size    int
}

func (c *cache) find(text []byte) *statement {
	if len(text) > maxCachedText {
		return nil
	}
	hash := fnv1a(text)
	for _, st := range c.entries {
		if st.hash == hash && st.text == string(text) {
			return st
		}
	}
	return nil
}

func (c *cache) add(st *statement) {
	if st.long || len(st.text) > maxCachedText || st.size > maxCachedSize/4 {
		return
	}
	for len(c.entries) == maxCached || c.size+st.size > maxCachedSize {
		c.size -= c.entries[0].size
		c.entries = c.entries[:copy(c.entries, c.entries[1:])]
	}
	st.hash = fnv1a([]byte(st.text))
	c.size += st.size
	c.entries = append(c.entries, st)
}

func fnv1a(text []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range text {
		h = (h ^ uint32(c)) * 16777619
	}
	return h
}
