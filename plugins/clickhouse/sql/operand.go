package sql

import "github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"

// operand reads what stands before, between and behind operators.
func (r *Reader) operand() bool {
	for r.is(lex.Minus) || r.is(lex.Plus) || r.word() == kwNot && r.peek(1).Kind != lex.Close && r.peek(1).Kind != lex.Comma {
		r.next()
	}
	return r.primary() && r.postfix()
}

func (r *Reader) primary() bool {
	switch t := r.now(); t.Kind {
	case lex.Number, lex.String, lex.HereDoc:
		r.next()
		return true
	case lex.Word:
		if r.peek(1).Kind == lex.Open && t.kw != kwInterval && t.kw != kwNot && (!t.kw.hard() || t.kw == kwAnd || t.kw == kwOr || t.kw == kwLike || t.kw == kwIlike) {
			return r.call()
		}
		return r.wordOperand(t.kw)
	case lex.Quoted:
		if r.peek(1).Kind == lex.Open {
			return r.call()
		}
		return r.column()
	case lex.Open:
		return r.brackets()
	case lex.OpenSq:
		r.next()
		return r.list(lex.CloseSq)
	case lex.OpenCurly:
		return r.curly()
	case lex.Star:
		r.next()
		r.star()
		return r.transformers()
	case lex.DoubleAt:
		return r.variable()
	}
	return r.unexpected()
}

func (r *Reader) star() {
	r.names.add(listColumns, "*")
	r.where.columns++
}

// wordOperand reads an operand that begins with a bare word and is no call.
func (r *Reader) wordOperand(k keyword) bool {
	switch {
	case k == kwNull || k == kwTrue || k == kwFalse || k == kwNan || k == kwInf || k == kwInfinity || k == kwDefault:
		r.next()
		return true
	case k == kwCase:
		return r.caseOperand()
	case k == kwInterval && r.intervalAhead():
		return r.interval()
	case (k == kwDate || k == kwTimestamp) && r.peek(1).Kind == lex.String:
		r.next()
		r.next()
		return true
	case k.hard() && (k != kwGroup && k != kwOrder || r.peek(1).kw == kwBy):
		return r.unexpected()
	}
	return r.column()
}

// variable reads @@name.
func (r *Reader) variable() bool {
	r.next()
	for {
		if !r.accept(lex.Word) {
			return r.unexpected()
		}
		if !r.accept(lex.Dot) {
			return true
		}
	}
}

// column reads a name: its parts are columns, their tables, or the names of nested ones.
func (r *Reader) column() bool {
	t := r.next()
	r.columnNamed(t.Token)
	return true
}

func (r *Reader) columnNamed(t lex.Token) {
	r.names.add(listColumns, r.value(t))
	r.where.columns++
}

// postfix reads what is bound to an operand: .name, .1, .*, [index], ::type.
func (r *Reader) postfix() bool {
	for {
		switch r.now().Kind {
		case lex.Dot:
			r.next()
			if !r.part() {
				return false
			}
		case lex.OpenSq:
			r.next()
			if r.accept(lex.CloseSq) { // JSON: a.b[].c
				continue
			}
			if !r.expr(0) || !r.expect(lex.CloseSq) {
				return false
			}
		case lex.DoubleColon:
			r.next()
			if !r.typeName() {
				return false
			}
		default:
			return true
		}
	}
}

// part reads what stands behind a dot.
func (r *Reader) part() bool {
	switch t := r.now(); t.Kind {
	case lex.Number:
		r.next()
		return true
	case lex.Minus: // tuple.-1
		r.next()
		return r.expect(lex.Number)
	case lex.Star:
		r.next()
		r.star()
		return r.transformers()
	case lex.Colon, lex.Caret, lex.At: // JSON: .:Type, .^path, .@path
		r.next()
		if t.Kind == lex.Colon {
			return r.typeName()
		}
		return r.part()
	case lex.Word, lex.Quoted:
		if r.peek(1).Kind == lex.Open {
			if t.kw != kwColumns {
				return r.unexpected()
			}
			return r.call()
		}
		return r.column()
	}
	return r.unexpected()
}

// brackets reads (…): a query, a tuple, or an expression.
func (r *Reader) brackets() bool {
	r.next()
	if !r.enter() {
		return false
	}
	defer r.leave()
	if r.accept(lex.Close) {
		r.tuple = true
		return true
	}
	if r.startsQuery() {
		was := r.where
		ok := r.innerQuery() && r.expect(lex.Close)
		r.where = was
		r.where.columns++ // it may depend on the row
		return ok
	}
	commas := 0
	for {
		if !r.expr(bareAlias) {
			return false
		}
		// ((SELECT 1) UNION ALL (SELECT 2))
		if k := r.word(); k == kwUnion || k == kwIntersect || k == kwExcept {
			return r.unionTail() && r.expect(lex.Close)
		}
		if r.accept(lex.Comma) {
			if commas++; r.is(lex.Close) {
				break
			}
			continue
		}
		break
	}
	r.tuple = commas > 0
	return r.expect(lex.Close)
}

// list reads expressions up to a closing bracket.
func (r *Reader) list(closing lex.Kind) bool {
	if r.accept(closing) {
		return true
	}
	return r.exprs(0) && r.expect(closing)
}

// curly reads {name:Type} or the map {'a': 1}.
func (r *Reader) curly() bool {
	r.next()
	if r.is(lex.Word) && r.peek(1).Kind == lex.Colon {
		t := r.next()
		r.next()
		r.names.add(listParams, r.value(t.Token))
		if r.accept(lex.String) { // SETTINGS disk = {name:'…'} is not read
			return r.unexpected()
		}
		if now := r.now(); now.Kind == lex.Word && equalFold(r.value(now.Token), "identifier") { // the value names a column, or a table
			r.facts.ColumnsUnknown = true
		}
		return r.typeName() && r.expect(lex.CloseCurly)
	}
	if r.accept(lex.CloseCurly) {
		return true
	}
	for {
		if !r.expr(noAlias) || !r.expect(lex.Colon) || !r.expr(noAlias) {
			return false
		}
		if !r.accept(lex.Comma) {
			return r.expect(lex.CloseCurly)
		}
	}
}

func (r *Reader) caseOperand() bool {
	r.next()
	if r.word() != kwWhen && !r.expr(0) {
		return false
	}
	branches := 0
	for r.acceptWord(kwWhen) {
		branches++
		if !r.expr(0) || !r.expectWord(kwThen) || !r.expr(0) {
			return false
		}
	}
	if branches == 0 {
		return r.unexpected()
	}
	if r.acceptWord(kwElse) && !r.expr(0) {
		return false
	}
	return r.expectWord(kwEnd)
}

// intervalAhead reports whether INTERVAL begins an interval here, not a name.
func (r *Reader) intervalAhead() bool {
	switch t := r.peek(1); t.Kind {
	case lex.Number, lex.String, lex.OpenCurly, lex.Open:
		return true
	case lex.Minus, lex.Plus:
		return r.peek(3).kw.isUnit()
	case lex.Word, lex.Quoted:
		if t.kw.notAlias() {
			return false
		}
		k := r.peek(2).Kind
		return r.peek(2).kw.isUnit() || k == lex.Open || k == lex.Dot
	}
	return false
}

func (r *Reader) interval() bool {
	r.next()
	if !r.expr(noAlias) {
		return false
	}
	if r.word().isUnit() {
		r.next()
	}
	return true
}
