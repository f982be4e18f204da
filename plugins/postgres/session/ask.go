package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// ask asks about the held messages, which are read by that.
func (s *Session) ask(c *sdk.Conn, k pendingKind) (read int, next step) {
	h := &s.held
	facts := h.facts
	if facts == nil && h.st != nil {
		var wait bool
		if facts, wait = s.resolve(h.st, 0); wait {
			s.stop(c)
			return 0, stepWait
		}
	}
	executes := h.items[len(h.items)-1].kind == itemExecute || k == queryPending
	s.pending = pending{kind: k, size: h.size}
	extent, flags := uint64(h.size), uint8(0)
	if h.st != nil {
		s.pending.hint = h.st.hint()
		s.pending.shadows = shadows(facts)
		if s.pending.copy = h.st.copyIn && executes; s.pending.copy {
			extent, flags = 0, abi.AskStreaming
		}
	}
	s.pending.id = s.askSQL(c, h.st, facts, executes, k == heldPending).Do(extent, flags)
	return h.size, stepWait
}

// hint tells the agent why a statement is opaque that need not be.
func (st *statement) hint() string {
	if st.problem == "" {
		return ""
	}
	return "sallyport could not read the statement: " + st.problem
}

// askSQL builds an action of family sql; st is nil when only names are closed.
func (s *Session) askSQL(c *sdk.Conn, st *statement, f *sqlfacts.Facts, executes, prepared bool) *sdk.AskBuilder {
	if st == nil {
		st, f = closing, closing.facts
	}
	class := f.Class
	if s.settings.shadowed && len(f.Functions) > 0 {
		class = max(class, abi.ClassExecute)
	}
	b := c.Ask(familySQL, class, f.Title)
	b.Bool(sqlExecutes, executes).Bool(sqlPrepared, prepared)
	b.String(sqlDatabase, s.database).String(sqlUser, s.user)
	if len(s.settings.application) <= maxApplication {
		b.String(sqlApplication, s.settings.application)
	}
	if !f.Unknown {
		b.Int(sqlStatements, int64(f.Statements)).Bool(sqlBounded, f.Bounded).Bool(sqlLocks, f.Locks).Bool(sqlReturning, f.Returning)
		list(b, sqlVerbs, f.Verbs)
		list(b, sqlWrites, f.Writes)
		list(b, sqlReads, f.Reads)
		list(b, sqlFunctions, f.Functions)
		list(b, sqlColumns, f.Columns)
	}
	if !st.long && len(st.text)+valueSize <= b.Room() {
		b.String(sqlText, st.text)
	}
	return b
}

const (
	maxApplication = 1 << 10
	// valueSize is what a field takes beside its value, and reserve what is kept for the fields behind a list, in bytes.
	valueSize = 7
	reserve   = 64
)

// list gives a list that fits; one that does not is unknown, and so is everything that is not given.
func list(b *sdk.AskBuilder, field uint16, values []string) {
	size := valueSize + reserve
	for _, v := range values {
		size += 4 + len(v)
	}
	if size <= b.Room() {
		b.Strings(field, values)
	}
}

// closing stands for Close messages with nothing else: they only forget a name.
var closing = &statement{facts: &sqlfacts.Facts{Class: abi.ClassSession, Title: "close a prepared statement or portal", Verbs: []string{"close"}, Bounded: true}}

// askFunction asks about a FunctionCall. What the function does cannot be read from its number.
func (s *Session) askFunction(c *sdk.Conn, oid uint32, size int) uint32 {
	b := c.Ask(familySQL, abi.ClassOpaque, "call the function with object ID "+strconv.FormatUint(uint64(oid), 10))
	b.Bool(sqlExecutes, true).Bool(sqlPrepared, false).Strings(sqlVerbs, []string{"function call"})
	b.String(sqlDatabase, s.database).String(sqlUser, s.user)
	if len(s.settings.application) <= maxApplication {
		b.String(sqlApplication, s.settings.application)
	}
	return b.Do(uint64(size), 0)
}

// allowed passes what was asked about.
func (s *Session) allowed(c *sdk.Conn, p pending) {
	if p.kind == connectPending {
		s.connectAllowed(c, p)
		return
	}
	if s.skip {
		// While it was decided the server has failed something before it, and ignores it.
		s.held.reset()
		c.Drop(abi.Agent, uint64(p.size))
		if p.copy {
			c.Done(p.id)
		}
		return
	}
	c.Pass(abi.Agent, p.id, uint64(p.size))
	for i := range s.held.items {
		s.held.items[i].action = p.id
		s.push(s.held.items[i])
	}
	if p.copy {
		s.copy = copying{action: p.id, left: s.held.st.copies(), simple: p.kind == queryPending}
	}
	s.settings.shadowed = s.settings.shadowed || p.shadows
	s.held.reset()
}

// denied drops what was asked about and lets the server fail in its place.
func (s *Session) denied(c *sdk.Conn, p pending, e *abi.Event) {
	d := denial{code: "42501", message: e.Reason, detail: explain(e), hint: p.hint}
	if d.message == "" {
		d.message = "denied by sallyport"
	}
	unnamed := s.held.unnamed
	s.held.reset()
	switch {
	case p.kind == connectPending:
		s.connectDenied(c, p, d)
		return
	case s.skip:
		c.Drop(abi.Agent, uint64(p.size))
		return
	}
	c.Drop(abi.Agent, uint64(p.size))
	switch {
	case p.kind == queryPending || p.kind == functionPending:
		s.replace(c, itemDeniedQuery, d)
	case unnamed:
		s.replace(c, itemDeniedUnnamed, d)
	default:
		s.replace(c, itemDeniedNamed, d)
	}
}

// explain says which rule denied, and where that is on record.
func explain(e *abi.Event) string {
	switch {
	case e.Rule == "" && e.Receipt == "":
		return ""
	case e.Rule == "":
		return "receipt " + e.Receipt
	case e.Receipt == "":
		return "rule " + strconv.Quote(e.Rule)
	}
	return "rule " + strconv.Quote(e.Rule) + ", receipt " + e.Receipt
}
