package sql

import "github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"

// tables reads what stands behind FROM: tables and joins.
func (r *Reader) tables() bool {
	return r.tableElement() && r.joins()
}

// joins reads what is joined to a table.
func (r *Reader) joins() bool {
	for {
		if r.accept(lex.Comma) {
			if !r.tableElement() {
				return false
			}
			continue
		}
		words, array := 0, false
		for {
			switch r.peek(words).kw {
			case kwGlobal, kwLocal, kwAny, kwAll, kwAsof, kwSemi, kwAnti, kwOnly, kwPaste, kwNatural, kwInner, kwLeft, kwRight, kwFull, kwCross, kwOuter:
				if words++; words >= window-1 {
					return r.unexpected()
				}
				continue
			case kwArray:
				array = true
				words++
				continue
			}
			break
		}
		if r.peek(words).kw != kwJoin {
			if words == 0 {
				return true
			}
			return r.unexpected()
		}
		for range words + 1 {
			r.next()
		}
		if array {
			if !r.exprs(bareAlias) {
				return false
			}
			continue
		}
		if !r.tableElement() || !r.joinCondition() {
			return false
		}
	}
}

func (r *Reader) joinCondition() bool {
	switch {
	case r.acceptWord(kwOn):
		return r.expr(0)
	case r.acceptWord(kwUsing):
		if r.is(lex.Star) {
			r.next()
			return true
		}
		return r.exprs(0)
	}
	return true
}

// tableElement reads a table, a table function or a query in brackets, with its alias, FINAL and SAMPLE.
func (r *Reader) tableElement() bool {
	ok := r.enter() && r.tableSource() && r.tableSuffix()
	r.leave()
	return ok
}

func (r *Reader) tableSource() bool {
	switch t := r.now(); {
	case t.Kind == lex.Open:
		r.next()
		ok := true
		switch {
		case r.startsQuery() || r.is(lex.Open):
			ok = r.innerQuery()
		case r.word() == kwValues && r.peek(1).Kind == lex.Open:
			ok = r.exprs(0)
		default:
			return r.unexpected()
		}
		return ok && r.expect(lex.Close)
	case (t.Kind == lex.Word || t.Kind == lex.Quoted) && r.peek(1).Kind == lex.Open && !t.kw.hard():
		return r.tableFunction()
	default:
		database, name, ok := r.tableName()
		if !ok {
			return false
		}
		if database != "" || !r.cte(name) {
			r.table(listReads, database, name)
		}
		if database != "" && r.accept(lex.Open) { // a view with parameters
			return r.arguments()
		}
		return true
	}
}

// tableName reads a table's name, of up to three parts. A parameter in place of a name makes the list of reads unknown.
func (r *Reader) tableName() (database, name string, ok bool) {
	for parts := 0; ; parts++ {
		t := *r.now()
		switch {
		case t.Kind == lex.OpenCurly:
			if !r.curly() {
				return "", "", false
			}
			r.facts.ReadsUnknown, r.facts.WritesUnknown = true, true
		case t.Kind == lex.Quoted || t.Kind == lex.Word && !t.kw.hard():
			r.next()
		default:
			return "", "", r.unexpected()
		}
		if parts > 0 && database == "" {
			database = name
		} else if parts > 0 {
			database = r.arena.join(database, name)
		}
		name = r.value(t.Token)
		if t.Kind == lex.OpenCurly {
			name = "{}"
		}
		if parts == 3 || !r.accept(lex.Dot) {
			return database, name, true
		}
	}
}

// tableSuffix reads alias, FINAL and SAMPLE, which servers take in several orders.
func (r *Reader) tableSuffix() bool {
	aliased := false
	for {
		t := r.now()
		switch {
		case t.kw == kwFinal:
			r.next()
		case t.kw == kwSample:
			r.next()
			if !r.expr(noAlias) {
				return false
			}
			if r.acceptWord(kwOffset) && !r.expr(noAlias) {
				return false
			}
		case !aliased && t.kw == kwAs:
			r.next()
			if !r.alias() || !r.aliasColumns() {
				return false
			}
			aliased = true
		case !aliased && (t.Kind == lex.Quoted || t.Kind == lex.Word && !t.kw.notAlias()):
			r.next()
			if !r.aliasColumns() {
				return false
			}
			aliased = true
		default:
			return true
		}
	}
}

// aliasColumns reads the names of columns behind an alias.
func (r *Reader) aliasColumns() bool {
	if !r.accept(lex.Open) {
		return true
	}
	for {
		if !r.columnName() {
			return false
		}
		if !r.accept(lex.Comma) {
			return r.expect(lex.Close)
		}
	}
}
