package sql

import "github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"

// mode says what may stand behind an expression.
type mode uint8

const (
	// bareAlias: an alias without AS.
	bareAlias mode = 1 << iota
	// noAlias: AS does not begin an alias here.
	noAlias
)

// condition watches the WHERE of a DELETE or an UPDATE: one that names no column in one of its alternatives is true for all rows or for none.
type condition struct {
	on      bool
	columns int
	always  bool
}

// expr reads an expression. Operators need no precedence here: operands and operators alternate, and nothing else is asked of them.
func (r *Reader) expr(m mode) bool {
	ok := r.enter() && r.operators(m)
	r.leave()
	return ok
}

// exprs reads expressions with commas between, up to what is no expression. A comma may stand at the end.
func (r *Reader) exprs(m mode) bool {
	for {
		if !r.expr(m) {
			return false
		}
		if !r.is(lex.Comma) || r.endsList(1) {
			r.accept(lex.Comma)
			return true
		}
		r.next()
	}
}

// endsList reports whether a list ends before the token n ahead, so that the comma before it is its last token.
func (r *Reader) endsList(n int) bool {
	t := r.peek(n)
	switch t.Kind {
	case lex.End, lex.Close, lex.CloseSq, lex.Semicolon:
		return true
	}
	switch t.kw {
	case kwFrom, kwWhere, kwPrewhere, kwHaving, kwLimit, kwUnion, kwExcept, kwIntersect:
		return true
	case kwGroup, kwOrder:
		return r.peek(n+1).kw == kwBy
	}
	return false
}

func (r *Reader) operators(m mode) bool {
	branch, alternatives := r.where.columns, false
	outer := r.depth
	for {
		if !r.operand() || !r.behind(m) {
			return false
		}
		t := r.now()
		if t.kw == kwOr {
			r.alternative(branch)
			branch, alternatives = r.where.columns, true
		}
		more, ok := r.operator(t)
		if !ok {
			return false
		}
		if !more {
			break
		}
	}
	if alternatives || outer == 1 {
		r.alternative(branch)
	}
	return true
}

func (r *Reader) alternative(branch int) {
	if r.where.on && r.where.columns == branch {
		r.where.always = true
	}
}

// operator moves over an operator between two operands, if there is one.
func (r *Reader) operator(t *token) (more, ok bool) {
	switch t.Kind {
	case lex.Plus, lex.Minus, lex.Star, lex.Slash, lex.Percent, lex.Equal, lex.NotEqual, lex.Less, lex.Greater, lex.LessEqual, lex.GreaterEqual,
		lex.Spaceship, lex.Concat, lex.Arrow:
		r.next()
		return true, true
	case lex.Question:
		r.next()
		return true, r.expr(noAlias) && r.expect(lex.Colon)
	}
	switch t.kw {
	case kwAnd, kwOr, kwXor, kwDiv, kwMod, kwLike, kwIlike, kwRegexp, kwBetween, kwEscape:
		r.next()
		return true, true
	case kwIn:
		r.next()
		return r.inSet()
	case kwGlobal:
		if r.peek(1).kw == kwIn {
			r.next()
			r.next()
			return r.inSet()
		}
		if r.peek(1).kw == kwNot && r.peek(2).kw == kwIn {
			r.acceptWords(kwGlobal, kwNot, kwIn)
			return r.inSet()
		}
	case kwNot:
		switch r.peek(1).kw {
		case kwIn:
			r.next()
			r.next()
			return r.inSet()
		case kwLike, kwIlike, kwRegexp, kwBetween:
			r.next()
			r.next()
			return true, true
		}
	case kwIs:
		return r.isOperator()
	}
	return false, true
}

// isOperator reads IS [NOT] DISTINCT FROM; IS NULL is in behind.
func (r *Reader) isOperator() (more, ok bool) {
	r.next()
	r.acceptWord(kwNot)
	if r.acceptWords(kwDistinct, kwFrom) {
		return true, true
	}
	return false, r.unexpected()
}

// inSet reads the right side of IN, in which a name is a table and a call can be a table function.
func (r *Reader) inSet() (more, ok bool) {
	t := r.now()
	if (t.Kind == lex.Word || t.Kind == lex.Quoted) && r.peek(1).Kind != lex.Open && !r.literalWord(t.kw) {
		if t.kw.hard() {
			return false, r.unexpected()
		}
		r.setName(0)
		return true, true // the name is read as an operand next
	}
	at := 0
	for at < window-2 && r.peek(at).Kind == lex.Open {
		at++
	}
	call := r.peek(at)
	switch {
	case call.Kind == lex.Open || call.Kind == lex.OpenCurly:
		r.facts.ReadsUnknown = true // deeper than is looked, or a parameter that may be a name
	case at > 0 && (call.Kind == lex.Word || call.Kind == lex.Quoted) && r.peek(at+1).Kind != lex.Open && !r.literalWord(call.kw) && !call.kw.hard():
		r.setName(at) // brackets around a name change nothing
	}
	if call.Kind != lex.Word && call.Kind != lex.Quoted || r.peek(at+1).Kind != lex.Open || r.setFunction(r.value(call.Token)) {
		return true, true
	}
	// A lone call can be run as a table function: its name has to be known.
	r.tuple = false
	if at == 0 || !r.operand() || !r.tuple {
		return false, r.fail("a function behind IN that is not known here, which may be a table function")
	}
	if !r.behind(noAlias) {
		return false, false
	}
	return r.operator(r.now())
}

func (r *Reader) literalWord(k keyword) bool {
	return k == kwNull || k == kwTrue || k == kwFalse || k == kwNan || k == kwInf || k == kwInfinity
}

// setName notes the table that a name behind IN is, at tokens ahead. In brackets it is one only if it stands alone.
func (r *Reader) setName(at int) {
	database, name, parts := r.nameAt(at)
	if behind := at + 2*parts - 1; at > 0 && behind < window && r.peek(behind).Kind != lex.Close && r.peek(behind).Kind != lex.Dot {
		return // a tuple, or an expression
	}
	if database != "" || !r.cte(name) {
		r.table(listReads, database, name)
	}
}

// nameAhead is the name that begins at the present token, which stays: the part before the last dot, and the part behind it.
func (r *Reader) nameAhead() (database, name string, parts int) { return r.nameAt(0) }

// nameAt is the name that begins at tokens ahead.
func (r *Reader) nameAt(first int) (database, name string, parts int) {
	name, parts = r.value(r.peek(first).Token), 1
	for at := first + 1; at+1 < window && r.peek(at).Kind == lex.Dot; at += 2 {
		t := r.peek(at + 1)
		if t.Kind != lex.Word && t.Kind != lex.Quoted {
			break
		}
		if database == "" {
			database = name
		} else {
			database = r.arena.join(database, name)
		}
		name = r.value(t.Token)
		parts++
	}
	return database, name, parts
}

// behind reads what may follow an operand: IS NULL and an alias.
func (r *Reader) behind(m mode) bool {
	for {
		t := r.now()
		switch {
		case t.kw == kwIs && r.peek(1).kw == kwNull:
			r.acceptWords(kwIs, kwNull)
		case t.kw == kwIs && r.peek(1).kw == kwNot && r.peek(2).kw == kwNull:
			r.acceptWords(kwIs, kwNot, kwNull)
		case t.kw == kwAs && m&noAlias == 0:
			if k := r.peek(1).Kind; k != lex.Word && k != lex.Quoted {
				return true // AS ( behind a name of WITH
			}
			r.next()
			if !r.alias() {
				return false
			}
		case m&bareAlias != 0 && (t.Kind == lex.Quoted || t.Kind == lex.Word && !t.kw.notAlias() && !r.infix(t.kw)):
			r.next()
			m &^= bareAlias
		default:
			return true
		}
	}
}

// infix reports whether a word stands between operands.
func (r *Reader) infix(k keyword) bool { return k == kwXor || k == kwDiv || k == kwMod }

// alias reads the name of an alias.
func (r *Reader) alias() bool {
	t := r.now()
	if t.Kind != lex.Quoted && (t.Kind != lex.Word || t.kw.hard() && t.kw != kwGroup && t.kw != kwOrder) {
		return r.unexpected()
	}
	r.next()
	return true
}

// conditionOf reads the condition of a DELETE or an UPDATE.
func (r *Reader) conditionOf() bool {
	depth := r.depth
	r.depth = 0
	r.where = condition{on: true}
	ok := r.expr(0)
	if r.where.always {
		r.facts.Bounded = false
	}
	r.where = condition{}
	r.depth = depth
	return ok
}
