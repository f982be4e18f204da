package session

import (
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits of the book. What goes past them is forgotten, so it is opaque when it is used.
const (
	maxNames    = 8192
	maxBookSize = 8 << 20 // bytes of statements, about
)

// portal is what a portal or cursor runs.
type portal struct {
	st     *statement
	hold   bool // WITH HOLD: it outlives its transaction
	params []byte
}

// book is what the names of the session stand for, as the server confirmed it. The unnamed ones stand apart, so that a client
// that uses no names needs no map.
type book struct {
	unnamed       *statement
	unnamedPortal *statement
	unnamedParams []byte
	statements    map[string]*statement
	portals       map[string]portal
	size          int
	// recent is the named statement that was looked up last, and its name: most sessions run the same one again and again.
	recent     *statement
	recentName string
}

// unknown is what a name stands for that is not in the book.
var unknown = &statement{long: true, problem: "what the name stands for is not known",
	shape: newShape(&sqlfacts.Facts{Class: abi.ClassOpaque, Unknown: true, Title: "something prepared or opened out of sight"})}

func (b *book) statement(name string) *statement {
	st := b.unnamed
	if name != "" {
		if st = b.recent; st != nil && b.recentName == name {
			return st
		}
		if st = b.statements[name]; st != nil {
			b.recent, b.recentName = st, strings.Clone(name)
		}
	}
	if st == nil {
		return unknown
	}
	return st
}

func (b *book) portal(name string) *statement {
	st := b.unnamedPortal
	if name != "" {
		st = b.portals[name].st
	}
	if st == nil {
		return unknown
	}
	return st
}

func (b *book) setStatement(name string, st *statement) {
	if name == "" {
		b.unnamed = st
		return
	}
	b.forgetStatement(name)
	if len(b.statements) >= maxNames || b.size+st.size > maxBookSize {
		return
	}
	if b.statements == nil {
		b.statements = make(map[string]*statement)
	}
	b.statements[name] = st
	b.size += st.size
}

func (b *book) forgetStatement(name string) {
	if name == "" {
		b.unnamed = nil
		return
	}
	b.recent = nil
	if st := b.statements[name]; st != nil {
		b.size -= st.size
		delete(b.statements, name)
	}
}

func (b *book) forgetStatements() {
	for _, st := range b.statements {
		b.size -= st.size
	}
	clear(b.statements)
	b.unnamed, b.recent = nil, nil
}

func (b *book) setPortal(name string, st *statement, hold bool) {
	if name == "" {
		b.unnamedPortal = st
		return
	}
	b.forgetPortal(name)
	if len(b.portals) >= maxNames || b.size+st.size > maxBookSize {
		return
	}
	if b.portals == nil {
		b.portals = make(map[string]portal)
	}
	b.portals[name] = portal{st: st, hold: hold}
	b.size += st.size
}

// bind notes the values that a portal was made with. It returns those that nothing needs any more.
func (b *book) bind(name string, params []byte) (old []byte) {
	if name == "" {
		old, b.unnamedParams = b.unnamedParams, params
		return old
	}
	if p, ok := b.portals[name]; ok {
		p.params = params
		b.portals[name] = p
		b.size += len(params)
	}
	return nil
}

// params are the values of a portal.
func (b *book) params(name string) []byte {
	params := b.unnamedParams
	if name != "" {
		params = b.portals[name].params
	}
	if params == nil {
		return unknownParams
	}
	return params
}

// describe notes the types that the server tells of a statement's parameters.
func (b *book) describe(name string, st *statement, description []byte) {
	types, err := proto.ReadParameterDescription(description)
	if err != nil || types == "" || types == st.types || b.statement(name) != st {
		return
	}
	own := *st
	own.types = strings.Clone(types)
	own.size += len(types)
	b.setStatement(name, &own)
}

func (b *book) forgetPortal(name string) {
	if name == "" {
		b.unnamedPortal = nil
		return
	}
	if p := b.portals[name]; p.st != nil {
		b.size -= p.st.size + len(p.params)
		delete(b.portals, name)
	}
}

// forgetPortals forgets all portals; at the end of a transaction those without hold.
func (b *book) forgetPortals(held bool) {
	b.unnamedPortal = nil
	if len(b.portals) == 0 {
		return
	}
	for name, p := range b.portals {
		if held || !p.hold {
			b.size -= p.st.size + len(p.params)
			delete(b.portals, name)
		}
	}
}

// did notes what statement i of st, which the server has completed, made of names. With sure false it failed, perhaps after it
// had done so: then nothing is known of the names any more. A statement that could not be read may have changed them all.
func (b *book) did(st *statement, i int, sure bool) {
	if st.facts.Unknown {
		b.forgetStatements()
		b.forgetPortals(true)
	}
	if !st.names || i >= len(st.facts.Each) {
		return
	}
	e := &st.facts.Each[i]
	name := cutName(e.Name)
	switch e.Kind {
	case sqlfacts.KindPrepare:
		if b.forgetStatement(name); sure {
			b.setStatement(name, st.made("execute"))
		}
	case sqlfacts.KindDeallocate:
		if e.All {
			b.forgetStatements()
		} else {
			b.forgetStatement(name)
		}
	case sqlfacts.KindDeclareCursor:
		if b.forgetPortal(name); sure {
			b.setPortal(name, st.made("fetch"), e.Hold)
		}
	case sqlfacts.KindCloseCursor:
		if e.All {
			b.forgetPortals(true)
		} else {
			b.forgetPortal(name)
		}
	case sqlfacts.KindDiscard:
		if e.All || e.Value == "all" {
			b.forgetStatements()
			b.forgetPortals(true)
		}
	}
}

// change is what an item that the server has not answered may make of a name.
type change uint8

const (
	unchanged change = iota
	becomes          // it stands for the item's statement
	vanishes
)

// statementChange says what i makes of the name of a prepared statement if the server carries it out.
func (i *item) statementChange(name string) change {
	switch i.kind {
	case itemParse:
		if i.name == name {
			return becomes
		}
	case itemCloseStatement:
		if i.name == name {
			return vanishes
		}
	case itemQuery, itemDeniedQuery, itemDeniedUnnamed:
		if name == "" {
			return vanishes
		}
		return i.sqlChange(name, sqlfacts.KindPrepare, sqlfacts.KindDeallocate)
	case itemExecute:
		return i.sqlChange(name, sqlfacts.KindPrepare, sqlfacts.KindDeallocate)
	}
	return unchanged
}

// portalChange says what i makes of the name of a portal.
func (i *item) portalChange(name string) change {
	switch i.kind {
	case itemBind:
		if i.name == name {
			return becomes
		}
	case itemClosePortal:
		if i.name == name {
			return vanishes
		}
	case itemQuery, itemDeniedQuery:
		if name == "" {
			return vanishes
		}
		return i.sqlChange(name, sqlfacts.KindDeclareCursor, sqlfacts.KindCloseCursor)
	case itemExecute:
		return i.sqlChange(name, sqlfacts.KindDeclareCursor, sqlfacts.KindCloseCursor)
	}
	return unchanged
}

func (i *item) sqlChange(name string, makes, ends sqlfacts.Kind) (c change) {
	switch {
	case i.st == nil:
		return unchanged
	case i.st.facts.Unknown:
		return vanishes
	case !i.st.names:
		return unchanged
	}
	for k := range i.st.facts.Each {
		e := &i.st.facts.Each[k]
		switch {
		case e.Kind == makes && cutName(e.Name) == name:
			c = becomes
		case e.Kind == ends && (e.All || cutName(e.Name) == name), e.Kind == sqlfacts.KindDiscard && (e.All || e.Value == "all"):
			c = vanishes
		}
	}
	return c
}

// gives is what a name stands for that i makes.
func (i *item) gives() *statement {
	switch i.kind {
	case itemParse, itemBind:
		return i.st
	}
	return i.st.made("execute")
}

// lookup says what a name stands for at this place in the agent's stream: changeOf is (*item).statementChange or portalChange,
// confirmed what the book says. wait says that the server must answer first.
func (s *Session) lookup(name string, changeOf func(*item, string) change, confirmed *statement) (st *statement, wait bool) {
	for k := len(s.held.items) - 1; k >= 0; k-- {
		switch i := &s.held.items[k]; changeOf(i, name) {
		case becomes:
			return i.gives(), false
		case vanishes:
			return unknown, false
		}
	}
	items := s.queue.all()
	same := true // no item behind this one ends in ReadyForQuery
	for k := len(items) - 1; k >= 0; k-- {
		i := &items[k]
		same = same && !i.kind.simple()
		c := changeOf(i, name)
		switch {
		case c == unchanged:
		case !same:
			return nil, true
		case c == becomes:
			return i.gives(), false
		default:
			return unknown, false
		}
	}
	return confirmed, false
}

func (s *Session) statementNamed(name string) (st *statement, wait bool) {
	confirmed := s.names.statement(name)
	if s.queue.names == 0 && len(s.held.items) == 0 { // the usual case in a pipeline of what was prepared before
		return confirmed, false
	}
	return s.lookup(name, (*item).statementChange, confirmed)
}

func (s *Session) portalNamed(name string) (st *statement, wait bool) {
	return s.lookup(name, (*item).portalChange, s.names.portal(name))
}

// cutName cuts a name of SQL as the server's tables do.
func cutName(name string) string { return name[:min(len(name), proto.MaxName)] }
