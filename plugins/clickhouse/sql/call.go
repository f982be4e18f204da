package sql

import (
	"strings"
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// function notes an ordinary function that is called by name.
func (r *Reader) function(name string) {
	r.listFunction(name)
	if f := functionNamed(name); f != nil {
		r.raise(f.class, name)
		r.facts.ReadsUnknown = r.facts.ReadsUnknown || f.unnamed
		return
	}
	// Behind IN, and in servers to come, a call can be a table function.
	if f := tableFunctionNamed(name); f != nil && f.class > reads && !f.ordinary {
		r.raise(f.class, name)
	}
	if len(name) > 2 && (name[0] == 'a' || name[0] == 'A') && (name[1] == 'i' || name[1] == 'I') && 'A' <= name[2] && name[2] <= 'Z' {
		r.raise(abi.ClassExecute, name) // aiGenerate and the like ask a model elsewhere
	}
}

func (r *Reader) listFunction(name string) {
	r.names.add(listFunctions, name)
	if low := r.arena.lower(name); low != name {
		r.names.add(listFunctions, low)
	}
}

// call reads NAME ( … ) of an ordinary function, with all that may follow.
func (r *Reader) call() bool {
	t := r.next()
	r.next() // (
	name := r.value(t.Token)
	r.function(name)
	f := functionNamed(name)
	if f != nil && f.names {
		r.namedTable()
		r.namedColumn(name)
	}
	if f != nil && f.higher && !r.higherOrder(0) {
		return false
	}
	if !r.enter() {
		return false
	}
	defer r.leave()
	was := r.where
	r.where.on = false
	var ok bool
	switch t.kw {
	case kwCast:
		ok = r.castArguments()
	case kwColumns:
		r.star()
		ok = r.list(lex.Close)
	default:
		ok = r.arguments()
	}
	if !ok {
		return false
	}
	if f != nil && f.local > 0 && r.given > f.local {
		r.raise(abi.ClassExecute, name)
	}
	was.columns = r.where.columns
	r.where = was
	if r.accept(lex.Open) && !r.arguments() { // quantile(0.9)(x)
		return false
	}
	if t.kw == kwColumns {
		return r.transformers()
	}
	return r.behindCall()
}

// higherOrder notes the function that the argument at tokens ahead names, of a call that takes a function: file, (file), +file, ALL file,
// file AS f. A name that is the only argument is an array.
func (r *Reader) higherOrder(at int) bool {
	brackets := 0
	for ; at < window-4; at++ {
		if t := r.peek(at); t.Kind == lex.Open {
			brackets++
		} else if t.Kind != lex.Plus && t.kw != kwAll && t.kw != kwDistinct {
			break
		}
	}
	t, next := r.peek(at), r.peek(at+1)
	switch {
	case t.Kind == lex.Open || t.Kind == lex.Plus || t.kw == kwAll || t.kw == kwDistinct:
		return r.fail("too much before what may be a function")
	case t.Kind == lex.OpenCurly && r.peek(at+3).Kind == lex.Word && equalFold(r.value(r.peek(at+3).Token), "identifier"):
		return r.fail("a function that a parameter names")
	case t.Kind != lex.Word && t.Kind != lex.Quoted || t.kw.hard() || r.literalWord(t.kw):
	case next.Kind == lex.Comma && brackets == 0,
		next.Kind == lex.Close && brackets > 0 && r.peek(at+2).Kind != lex.Arrow, // (x) -> x
		next.kw == kwAs, next.Kind == lex.Quoted, next.Kind == lex.Word && !next.kw.notAlias() && !r.infix(next.kw):
		name := r.value(t.Token)
		r.function(name)
		if f := functionNamed(name); f != nil && f.names {
			r.facts.ReadsUnknown, r.facts.ColumnsUnknown = true, true
		}
	}
	return true
}

// namedColumn notes the column that joinGet and dictGet name as a text, behind the table.
func (r *Reader) namedColumn(function string) {
	switch low := r.arena.lower(function); {
	case low == "dictgethierarchy", low == "dictgetchildren", low == "dictgetdescendants", low == "dictgetroot":
	case strings.HasPrefix(low, "dictget"), strings.HasPrefix(low, "joinget"):
		if t, behind := r.peek(2), r.peek(3).Kind; r.peek(1).Kind == lex.Comma && r.plainText(t) && (behind == lex.Comma || behind == lex.Close) {
			r.names.add(listColumns, r.value(t.Token))
		} else {
			r.facts.ColumnsUnknown = true
		}
	}
}

// namedTable notes the table or dictionary that a function's first argument names, as text or as a name.
func (r *Reader) namedTable() {
	t := r.now()
	switch {
	case t.Kind == lex.String && r.plainText(t) && (r.peek(1).Kind == lex.Comma || r.peek(1).Kind == lex.Close):
		r.named(listReads, r.value(t.Token))
		if strings.Contains(r.text[t.Start:t.End], `\`) { // servers do not read all escapes alike
			r.facts.ReadsUnknown = true
		}
	case t.Kind == lex.Quoted || t.Kind == lex.Word && r.peek(1).Kind != lex.Open && !t.kw.hard():
		database, name, parts := r.nameAhead()
		if k := r.peek(2*parts - 1).Kind; parts > 3 || k != lex.Comma && k != lex.Close {
			r.facts.ReadsUnknown = true
			return
		}
		r.table(listReads, database, name)
		r.facts.ReadsUnknown = true // it may be an alias of a text
	default:
		r.facts.ReadsUnknown = true
	}
}

// arguments reads up to the closing bracket: expressions, a query, and the words that some functions of standard SQL have.
func (r *Reader) arguments() bool {
	r.given = 0
	if r.accept(lex.Close) {
		return true
	}
	if r.is(lex.Star) && r.peek(1).Kind == lex.Close { // count(*) reads no column
		r.next()
		return r.accept(lex.Close)
	}
	if r.startsQuery() {
		if !r.innerQuery() {
			return false
		}
		if r.acceptWord(kwElse) && !r.tableFunction() { // viewIfPermitted
			return false
		}
		if r.accept(lex.Close) {
			return true
		}
		if !r.expect(lex.Comma) {
			return false
		}
	}
	switch k := r.peek(1).Kind; r.word() {
	case kwDistinct, kwAll:
		if k != lex.Comma && k != lex.Close && k != lex.Open && k != lex.Dot {
			r.next()
		} else if r.word() == kwDistinct && k == lex.Open {
			r.next()
		}
	case kwBoth, kwLeading, kwTrailing:
		if k != lex.Comma && k != lex.Close {
			r.next()
		}
		if r.word() == kwFrom { // TRIM(BOTH FROM x)
			r.next()
		}
	}
	for given := 1; ; given++ {
		if r.word() == kwSettings && r.peek(1).Kind == lex.Word && r.peek(2).Kind == lex.Equal {
			r.next()
			return r.settings(false) && r.expect(lex.Close)
		}
		if r.startsQuery() {
			if !r.innerQuery() {
				return false
			}
		} else if !r.expr(bareAlias) {
			return false
		}
		r.given = given
		switch r.word() {
		case kwFrom, kwFor, kwPlacing: // SUBSTRING(x FROM 1 FOR 2), EXTRACT(DAY FROM x)
			r.next()
			continue
		case kwOrder:
			if !r.orderBy() {
				return false
			}
			return r.expect(lex.Close)
		case kwIgnore, kwRespect:
			r.next()
			if !r.expectWord(kwNulls) {
				return false
			}
		}
		if r.accept(lex.Comma) {
			if r.accept(lex.Close) {
				return true
			}
			continue
		}
		return r.expect(lex.Close)
	}
}

// castArguments reads CAST(x AS type) and CAST(x, 'type').
func (r *Reader) castArguments() bool {
	if !r.expr(noAlias) {
		return false
	}
	if r.accept(lex.Comma) {
		return r.expr(0) && r.expect(lex.Close)
	}
	if !r.expectWord(kwAs) {
		return false
	}
	if r.is(lex.Word) && r.peek(1).kw == kwAs { // CAST(x AS y AS type)
		r.next()
		r.next()
	}
	return r.typeName() && r.expect(lex.Close)
}

// behindCall reads FILTER, RESPECT NULLS, WITHIN GROUP and OVER.
func (r *Reader) behindCall() bool {
	for {
		switch k := r.peek(1); r.word() {
		case kwFilter:
			if k.Kind != lex.Open {
				return true
			}
			r.next()
			r.next()
			if !r.expectWord(kwWhere) || !r.expr(0) || !r.expect(lex.Close) {
				return false
			}
		case kwIgnore, kwRespect:
			if k.kw != kwNulls {
				return true
			}
			r.next()
			r.next()
		case kwWithin:
			if k.kw != kwGroup {
				return true
			}
			r.next()
			r.next()
			if !r.expect(lex.Open) || !r.orderBy() || !r.expect(lex.Close) {
				return false
			}
		case kwOver:
			r.next()
			if r.is(lex.Open) {
				if !r.windowSpec() {
					return false
				}
			} else if !r.alias() {
				return false
			}
		default:
			return true
		}
	}
}

// windowSpec reads (name PARTITION BY … ORDER BY … ROWS …).
func (r *Reader) windowSpec() bool {
	if !r.expect(lex.Open) {
		return false
	}
	if (r.is(lex.Word) || r.is(lex.Quoted)) && r.word() != kwPartition && r.word() != kwOrder && !r.frameAhead() {
		r.next()
	}
	if r.acceptWord(kwPartition) {
		if !r.expectWord(kwBy) || !r.exprs(0) {
			return false
		}
	}
	if r.word() == kwOrder && !r.orderBy() {
		return false
	}
	if r.frameAhead() && !r.frame() {
		return false
	}
	return r.expect(lex.Close)
}

func (r *Reader) frameAhead() bool {
	switch r.word() {
	case kwRows, kwRange, kwGroups:
		return r.peek(1).Kind != lex.Close
	}
	return false
}

func (r *Reader) frame() bool {
	r.next()
	if !r.acceptWord(kwBetween) {
		return r.frameEnd()
	}
	return r.frameEnd() && r.expectWord(kwAnd) && r.frameEnd()
}

func (r *Reader) frameEnd() bool {
	if r.acceptWords(kwCurrent, kwRow) {
		return true
	}
	if !r.acceptWord(kwUnbounded) && !r.expr(noAlias) {
		return false
	}
	return r.acceptWord(kwPreceding) || r.acceptWord(kwFollowing) || r.unexpected()
}

// tableFunction reads NAME ( … ) where a table should stand.
func (r *Reader) tableFunction() bool {
	t := *r.now()
	if t.Kind != lex.Word && t.Kind != lex.Quoted || r.peek(1).Kind != lex.Open {
		return r.unexpected()
	}
	r.next()
	r.next() // (
	name := r.value(t.Token)
	f := tableFunctionNamed(name)
	if f == nil {
		return r.fail("the table function " + printable(name) + " is not known here")
	}
	r.listFunction(name)
	r.raise(f.class, name)
	if r.subject == "" {
		r.subject = name
	}
	switch {
	case f.input:
		r.input = true
	case f.unnamed:
		r.facts.ReadsUnknown = true
	case f.names:
		r.namedTable()
	}
	if !r.enter() {
		return false
	}
	defer r.leave()
	switch {
	case f.columns && !r.columnsText(0, f.ordinary), equalFold(name, "format") && !r.formatted():
		return false
	case f.nested && (r.is(lex.Word) || r.is(lex.Quoted)) && r.peek(1).Kind == lex.Open:
		return r.tableFunction() && r.expect(lex.Close)
	case f.apart:
		return r.apart(r.arguments)
	}
	return r.arguments()
}

// formatted looks at the arguments of the table function format: the format, perhaps columns, and data. In the format Values the
// server evaluates expressions, which are not read out of a text.
func (r *Reader) formatted() bool {
	t := r.now()
	if !r.plainText(t) && t.Kind != lex.Word && t.Kind != lex.Quoted || r.peek(1).Kind != lex.Comma || equalFold(r.value(t.Token), "values") {
		return r.fail("data in the format Values, or in one that is not named plainly, in a text")
	}
	return r.plainText(r.peek(2)) && r.peek(3).Kind == lex.Close || r.columnsText(2, false)
}

// plainText reports whether a token is a text that says itself what it is.
func (r *Reader) plainText(t *token) bool {
	return t.Kind == lex.HereDoc || t.Kind == lex.String && !lex.IsWord(r.src[t.Start]) // x'41' and b'0101' are written in digits
}

// columnsText looks at the argument at tokens ahead, which describes columns: a text without expressions (b String ALIAS file('x')), or none.
// rows: where it is no text of its own it is a row.
func (r *Reader) columnsText(at int, rows bool) bool {
	t, behind := r.peek(at), r.peek(at+1).Kind
	switch {
	case r.plainText(t) && (behind == lex.Comma || behind == lex.Close):
		if !plainColumns(r.value(t.Token)) {
			return r.fail("columns that are computed, in the argument of a table function")
		}
		return true
	case t.Kind == lex.Close || t.Kind == lex.Number || rows && t.Kind != lex.OpenCurly:
		return true
	}
	return r.fail("an argument of a table function that describes columns and is no plain text")
}

// plainColumns reports whether a description of columns has names and types alone. What cannot be read ends it for servers, too; it is read both
// ways that servers do.
func plainColumns(text string) bool {
	for _, reading := range [...]lex.Nesting{lex.Old, lex.New} {
		var l lex.Lexer
		src := unsafe.Slice(unsafe.StringData(text), len(text))
		l.Reset(src, reading, reading)
		for t := l.Next(); t.Kind != lex.End; t = l.Next() {
			if t.Kind != lex.Word {
				continue
			}
			switch word := src[t.Start:t.End]; keywordOf(word) {
			case kwDefault, kwAlias, kwMaterialized, kwTtl:
				return false
			case kwNone:
				if equalFold(word, "ephemeral") {
					return false
				}
			}
		}
	}
	return true
}
