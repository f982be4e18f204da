package sql

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
)

// startsQuery reports whether a query begins here, rather than an expression.
func (r *Reader) startsQuery() bool {
	switch r.word() {
	case kwSelect, kwFrom:
		return true
	case kwWith:
		return r.peek(1).Kind != lex.Close && r.peek(1).Kind != lex.Comma
	case kwExplain:
		return r.peek(1).Kind == lex.Word && !r.peek(1).kw.notAlias() || r.peek(1).kw == kwSelect || r.peek(1).kw == kwWith
	}
	return false
}

// innerQuery reads a query in brackets, up to the closing one.
func (r *Reader) innerQuery() bool {
	on := r.where.on
	r.where.on = false
	defer func() { r.where.on = on }()
	if r.word() == kwExplain {
		return r.apart(r.explain)
	}
	return r.union()
}

// union reads queries with UNION, EXCEPT and INTERSECT between.
func (r *Reader) union() bool {
	ok := r.enter() && r.unionPart() && r.unionTail()
	r.leave()
	return ok
}

func (r *Reader) unionTail() bool {
	for {
		switch r.word() {
		case kwUnion, kwExcept, kwIntersect:
			r.next()
			if !r.acceptWord(kwAll) {
				r.acceptWord(kwDistinct)
			}
			if !r.unionPart() {
				return false
			}
		default:
			return true
		}
	}
}

func (r *Reader) unionPart() bool {
	if r.is(lex.Open) {
		r.next()
		return r.union() && r.expect(lex.Close)
	}
	defined := len(r.ctes)
	ok := r.selectQuery()
	r.ctes = r.ctes[:defined]
	return ok
}

// selectQuery reads one SELECT, FROM … SELECT too.
func (r *Reader) selectQuery() bool {
	if r.word() == kwWith && !r.with() {
		return false
	}
	return r.selectBody()
}

// selectBody reads what follows WITH.
func (r *Reader) selectBody() bool {
	r.does("select", reads)
	from := r.word() == kwFrom
	if from {
		r.next()
		if !r.tables() {
			return false
		}
	}
	if r.acceptWord(kwSelect) {
		if !r.selectHead() || !r.exprs(bareAlias) {
			return false
		}
	} else if !from {
		return r.unexpected()
	} else {
		r.star()
	}
	return r.clauses()
}

// selectHead reads DISTINCT, ALL and TOP.
func (r *Reader) selectHead() bool {
	if r.word() == kwAll && r.wordsFollow() {
		r.next()
	}
	if r.word() == kwDistinct && r.wordsFollow() {
		r.next()
		if r.acceptWord(kwOn) {
			if !r.is(lex.Open) || !r.brackets() {
				return r.unexpected()
			}
		}
	}
	if r.word() == kwAll && r.wordsFollow() {
		r.next()
	}
	if r.word() == kwTop && r.peek(1).Kind == lex.Number {
		r.next()
		r.next()
		r.acceptWords(kwWith, kwTies)
	}
	return true
}

// wordsFollow reports whether the present word can be one of the grammar's, because an operand follows it.
func (r *Reader) wordsFollow() bool {
	switch k := r.peek(1); k.Kind {
	case lex.Comma, lex.End, lex.Close, lex.Dot, lex.Equal:
		return false
	default:
		return k.kw != kwFrom && k.kw != kwAs
	}
}

// with reads WITH and what it defines.
func (r *Reader) with() bool {
	r.next()
	recursive := r.word() == kwRecursive && r.peek(1).Kind != lex.Comma && r.peek(1).kw != kwAs
	if recursive {
		r.next()
	}
	for {
		if !r.withElement(recursive) {
			return false
		}
		if !r.accept(lex.Comma) {
			return true
		}
		if k := r.word(); k == kwSelect || k == kwInsert {
			return true
		}
	}
}

// withElement reads NAME AS (query), or EXPRESSION AS NAME.
func (r *Reader) withElement(recursive bool) bool {
	t := *r.now()
	if (t.Kind == lex.Word || t.Kind == lex.Quoted) && r.peek(1).kw == kwAs {
		at := 2
		if r.peek(at).kw == kwNot {
			at++
		}
		if r.peek(at).kw == kwMaterialized {
			at++
		}
		if r.peek(at).Kind == lex.Open {
			for range at {
				r.next()
			}
			return r.cteBody(r.value(t.Token), recursive)
		}
	}
	named := (t.Kind == lex.Word || t.Kind == lex.Quoted) && r.peek(1).Kind == lex.Open
	if !r.expr(0) {
		return false
	}
	if named && r.word() == kwAs && r.peek(1).Kind == lex.Open { // NAME (columns) AS (query)
		r.next()
		return r.cteBody(r.value(t.Token), recursive)
	}
	return true
}

// cteBody reads what a name of WITH stands for, and defines it.
func (r *Reader) cteBody(name string, recursive bool) bool {
	if len(r.ctes) >= MaxList {
		return r.fail("WITH defines too many names")
	}
	r.next() // (
	before := len(r.ctes)
	table := true
	var ok bool
	switch {
	case recursive && (r.word() != kwExplain && r.startsQuery() || r.is(lex.Open)):
		// The first query, and one that is alone, read a table of the name.
		ok = r.unionPart()
		r.ctes = append(r.ctes, name)
		ok = ok && r.unionTail()
	case r.startsQuery() || r.is(lex.Open):
		ok = r.innerQuery()
	default: // (VALUES (1), (2)), or an expression
		table = r.word() == kwValues
		ok = r.exprs(0)
	}
	r.ctes = r.ctes[:before]
	if !ok || !r.expect(lex.Close) {
		return false
	}
	if table {
		r.ctes = append(r.ctes, name)
	}
	return true
}

// apart reads a query whose names of WITH are its own: the server runs it by itself.
func (r *Reader) apart(read func() bool) bool {
	was := r.hidden
	r.hidden = len(r.ctes)
	ok := read()
	r.hidden = was
	return ok
}

// clauses reads what follows the list of a SELECT, each at most once. Their order is the server's to check.
func (r *Reader) clauses() bool {
	var seen [keywords]bool
	for {
		k := r.word()
		switch k {
		case kwFrom, kwPrewhere, kwWhere, kwGroup, kwHaving, kwWindow, kwQualify, kwOrder, kwInterpolate, kwOffset, kwFetch, kwSettings:
			if seen[k] {
				return r.unexpected()
			}
			seen[k] = true
		}
		var ok bool
		switch k {
		case kwFrom:
			r.next()
			ok = r.tables()
		case kwPrewhere, kwWhere, kwHaving, kwQualify:
			r.next()
			ok = r.expr(0)
		case kwGroup:
			ok = r.groupBy()
		case kwWith:
			r.next()
			ok = r.acceptWord(kwTotals) || r.acceptWord(kwRollup) || r.acceptWord(kwCube) || r.unexpected()
		case kwWindow:
			ok = r.windows()
		case kwOrder:
			ok = r.orderBy()
		case kwInterpolate:
			ok = r.interpolate()
		case kwLimit:
			ok = r.limit()
		case kwOffset:
			r.next()
			ok = r.expr(noAlias)
			if !r.acceptWord(kwRow) {
				r.acceptWord(kwRows)
			}
		case kwFetch:
			ok = r.fetch()
		case kwSettings:
			r.next()
			ok = r.settings(false)
		case kwArray, kwLeft, kwInner:
			if seen[kwFrom] {
				return r.unexpected()
			}
			seen[kwFrom] = true
			ok = r.joins() // ARRAY JOIN without FROM
		default:
			return true
		}
		if !ok {
			return false
		}
	}
}

func (r *Reader) groupBy() bool {
	r.next()
	if !r.expectWord(kwBy) {
		return false
	}
	if r.word() == kwAll && (r.peek(1).Kind != lex.Comma && r.peek(1).Kind != lex.Open) {
		r.next()
		return true
	}
	if r.acceptWords(kwGrouping, kwSets) {
		return r.brackets()
	}
	return r.exprs(0)
}

func (r *Reader) windows() bool {
	r.next()
	for {
		if !r.alias() || !r.expectWord(kwAs) || !r.windowSpec() {
			return false
		}
		if !r.accept(lex.Comma) {
			return true
		}
	}
}

func (r *Reader) orderBy() bool {
	r.next()
	if !r.expectWord(kwBy) {
		return false
	}
	for {
		if !r.expr(0) {
			return false
		}
		if k := r.word(); k == kwAsc || k == kwDesc || k == kwAscending || k == kwDescending {
			r.next()
		}
		if r.acceptWord(kwNulls) {
			if !r.acceptWord(kwFirst) && !r.acceptWord(kwLast) {
				return r.unexpected()
			}
		}
		if r.acceptWord(kwCollate) && !r.expect(lex.String) {
			return false
		}
		if r.word() == kwWith && r.peek(1).kw == kwFill {
			r.acceptWords(kwWith, kwFill)
			for k := r.word(); k == kwFrom || k == kwTo || k == kwStep || k == kwStaleness; k = r.word() {
				r.next()
				if !r.expr(noAlias) {
					return false
				}
			}
		}
		if !r.is(lex.Comma) {
			return true
		}
		if r.endsList(1) {
			return r.accept(lex.Comma)
		}
		r.next()
	}
}

func (r *Reader) interpolate() bool {
	r.next()
	if !r.accept(lex.Open) {
		return true
	}
	return r.list(lex.Close)
}

// limit reads LIMIT n, LIMIT m, n, LIMIT n OFFSET m, each WITH TIES or BY some expressions.
func (r *Reader) limit() bool {
	r.next()
	if !r.expr(noAlias) {
		return false
	}
	if r.accept(lex.Comma) && !r.expr(noAlias) {
		return false
	}
	if r.acceptWord(kwOffset) && !r.expr(noAlias) {
		return false
	}
	if r.acceptWords(kwWith, kwTies) {
		return true
	}
	if r.acceptWord(kwBy) {
		if r.word() == kwAll && r.peek(1).Kind != lex.Comma {
			r.next()
			return true
		}
		return r.exprs(0)
	}
	return true
}

// fetch reads FETCH FIRST n ROWS ONLY.
func (r *Reader) fetch() bool {
	r.next()
	if !r.acceptWord(kwFirst) && !r.acceptWord(kwNext) || !r.expr(noAlias) {
		return r.unexpected()
	}
	if !r.acceptWord(kwRow) && !r.acceptWord(kwRows) {
		return r.unexpected()
	}
	return r.acceptWord(kwOnly) || r.acceptWords(kwWith, kwTies) || r.unexpected()
}
