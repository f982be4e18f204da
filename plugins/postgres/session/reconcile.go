package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
)

// Reconciliation compares what was allowed with what the server says it did: its answers must be those to what it was given, in
// their order; each statement must end with a tag of its kind; a Query must have as many results as it has statements; and a
// SELECT or FETCH must have sent as many rows as its tag says. What does not fit is noted at the action and ends the session.

// unexpected ends the session because of a message that nothing asked for.
func (s *Session) unexpected(c *sdk.Conn, typ byte) int {
	what := "nothing was expected"
	if s.queue.len() > 0 {
		what = "an answer to " + s.queue.head().kind.String() + " was expected"
	}
	return s.differs(c, "unexpected message "+strconv.QuoteRune(rune(typ))+", "+what)
}

// differs notes at the action that is being answered what the server did else, and ends the session.
func (s *Session) differs(c *sdk.Conn, what string) int {
	if s.queue.len() > 0 && s.queue.head().action != 0 {
		c.Note(s.queue.head().action, "mismatch", what)
	}
	s.mismatch(c, what)
	return 0
}

// commandComplete reads that a statement is done: what it says goes on record, and must be of the kind that was allowed.
func (s *Session) commandComplete(c *sdk.Conn, i *item, p []byte, size int64) int {
	if !s.whole(c, p, size, maxTag) {
		return 0
	}
	tag, err := proto.ReadCommandComplete(p[:size])
	if err != nil {
		s.mismatch(c, "CommandComplete: "+err.Error())
		return 0
	}
	if !i.st.completes(int(i.done), tag) {
		return s.differs(c, "the server completed "+strconv.Quote(string(tag))+", which is not what was allowed")
	}
	if n, ok := i.counts(tag); ok && n != i.rows {
		return s.differs(c, "the server completed "+strconv.Quote(string(tag))+" and sent "+strconv.FormatUint(i.rows, 10)+" rows")
	}
	if rows := proto.Rows(tag); len(rows) > 0 {
		c.Note(i.action, "tag", view(tag), "rows", view(rows))
	} else {
		c.Note(i.action, "tag", view(tag))
	}
	s.names.did(i.st, int(i.done), true)
	i.done++
	i.rows = 0
	if i.kind == itemExecute {
		s.pop(c)
	}
	return s.relay(c, p, size)
}

// counts is how many rows the tag says that the server has sent, if it says so. A FETCH by the extended protocol counts the rows
// of all Executes of its portal, so only one in a Query is compared.
func (i *item) counts(tag []byte) (n uint64, ok bool) {
	if i.st.facts.Unknown || i.st.inner || int(i.done) >= len(i.st.facts.Each) {
		return 0, false
	}
	const selects, fetches = "SELECT ", "FETCH "
	switch kind := i.st.facts.Each[i.done].Kind; {
	case kind == sqlfacts.KindSelect && len(tag) > len(selects) && string(tag[:len(selects)]) == selects:
	case kind == sqlfacts.KindFetch && i.kind == itemQuery && len(tag) > len(fetches) && string(tag[:len(fetches)]) == fetches:
	default:
		return 0, false
	}
	return proto.Count(tag)
}

// allDone reports whether a Query that did not fail has as many results as statements.
func (i *item) allDone() bool {
	return i.failed || i.st.facts.Unknown || int(i.done) == len(i.st.facts.Each)
}

// completes reports whether tag is what the server says at the end of statement n. Kinds that run something else (EXECUTE), and
// those whose tags have more than one form, are not compared.
func (st *statement) completes(n int, tag []byte) bool {
	if st.facts.Unknown || st.inner {
		return true
	}
	if n >= len(st.facts.Each) {
		return false
	}
	want := ""
	switch st.facts.Each[n].Kind {
	case sqlfacts.KindSelect:
		want = "SELECT"
	case sqlfacts.KindInsert:
		want = "INSERT"
	case sqlfacts.KindUpdate:
		want = "UPDATE"
	case sqlfacts.KindDelete:
		want = "DELETE"
	case sqlfacts.KindMerge:
		want = "MERGE"
	}
	return len(tag) >= len(want) && string(tag[:len(want)]) == want
}
