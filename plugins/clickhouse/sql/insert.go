package sql

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// insert reads INSERT up to its data, and inline data in the format Values too, because the server evaluates expressions in them.
func (r *Reader) insert() bool {
	r.next()
	r.facts.Kind, r.inserted = KindInsert, true
	r.does("insert", abi.ClassWrite)
	r.acceptWord(kwInto)
	if r.word() == kwTable && (r.peek(1).Kind == lex.Word || r.peek(1).Kind == lex.Quoted || r.peek(1).Kind == lex.OpenCurly) && r.peek(1).kw != kwValues && r.peek(1).kw != kwFormat {
		r.next()
	}
	if r.word() == kwFunction && (r.peek(1).Kind == lex.Word || r.peek(1).Kind == lex.Quoted) && r.peek(2).Kind == lex.Open {
		r.next()
		if !r.tableFunction() {
			return false
		}
		r.facts.WritesUnknown = true // remote('h', db, t) and its kin write a table that is no name here
	} else {
		database, name, ok := r.tableName()
		if !ok {
			return false
		}
		r.table(listWrites, database, name)
	}
	if r.is(lex.Open) && !r.insertColumns() {
		return false
	}
	for {
		switch r.word() {
		case kwSettings:
			r.next()
			if !r.settings(false) {
				return false
			}
			continue
		case kwPartition:
			r.next()
			if !r.expectWord(kwBy) || !r.expr(noAlias) {
				return false
			}
			continue
		case kwFrom:
			if r.peek(1).kw != kwInfile {
				return r.source() // FROM t SELECT …
			}
			r.next()
			r.next()
			r.raise(abi.ClassExecute, "from infile")
			r.names.add(listVerbs, "from infile")
			if !r.expect(lex.String) || !r.compression() {
				return false
			}
			continue
		}
		break
	}
	return r.source()
}

// insertColumns reads (a, b.c, * EXCEPT (d)).
func (r *Reader) insertColumns() bool {
	if k := r.peek(1).kw; k == kwSelect || k == kwWith || r.peek(1).Kind == lex.Open {
		return true // INSERT INTO t (SELECT …)
	}
	r.next()
	if r.accept(lex.Close) {
		return true
	}
	for {
		switch {
		case r.is(lex.Star):
			r.next()
			r.star()
			if !r.transformers() {
				return false
			}
		case r.word() == kwColumns && r.peek(1).Kind == lex.Open:
			if !r.call() {
				return false
			}
		default:
			if !r.columnName() {
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

// source reads where the rows come from.
func (r *Reader) source() bool {
	switch r.word() {
	case kwValues:
		t := r.next()
		r.facts.Values, r.facts.Format = true, "Values"
		return r.data(int(t.End))
	case kwFormat:
		return r.insertFormat()
	case kwSelect, kwWith, kwFrom:
		return r.insertSelect()
	case kwWatch:
		return r.unexpected()
	}
	if r.is(lex.Open) {
		return r.insertSelect()
	}
	r.facts.Data = DataStream
	return true
}

func (r *Reader) insertSelect() bool {
	if !r.union() {
		return false
	}
	if r.word() == kwSettings {
		r.next()
		if !r.settings(false) {
			return false
		}
	}
	switch {
	case r.input && r.word() == kwFormat:
		return r.insertFormat()
	case r.input:
		r.facts.Data = DataStream
		return true
	}
	return r.output()
}

// insertFormat reads FORMAT NAME, and what follows it: data.
func (r *Reader) insertFormat() bool {
	r.next()
	if !r.is(lex.Word) && !r.is(lex.Quoted) {
		return r.unexpected()
	}
	t := r.next()
	r.facts.Format = r.value(t.Token)
	r.facts.Values = equalFold(r.facts.Format, "values")
	end := int(t.End)
	if r.behindSpace(end, "settings") && r.word() == kwSettings && r.peek(1).Kind == lex.Word && r.peek(2).Kind == lex.Equal {
		r.next()
		// Old servers take these for settings, newer ones for data, and others for what a setting says. They are settings here,
		// and what follows them is data.
		if !r.settings(false) {
			return false
		}
		end = int(r.now().Start)
		if r.is(lex.End) {
			end = len(r.src)
		}
	}
	return r.data(end)
}

// behindSpace reports whether a word stands behind at and spaces, without looking at tokens: what stands there may be data.
func (r *Reader) behindSpace(at int, word string) bool {
	at += lex.Spaces(r.src[at:])
	return at+len(word) <= len(r.src) && equalFold(r.src[at:at+len(word)], word)
}

// data notes where the rows begin, and reads them if they hold expressions.
func (r *Reader) data(at int) bool {
	r.facts.DataAt = at
	rest := r.src[at:]
	for len(rest) > 0 && (rest[0] <= ' ' || rest[0] == ';') {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		r.facts.Data = DataStream
		return true
	}
	if !r.facts.Values {
		r.facts.Data = DataInline
		return true
	}
	return r.rows()
}

// rows reads (a, b), (c, d) of expressions.
func (r *Reader) rows() bool {
	if r.is(lex.End) { // a comment
		r.facts.Data = DataStream
		return true
	}
	for r.is(lex.Open) {
		r.next()
		if !r.list(lex.Close) {
			return false
		}
		r.accept(lex.Comma)
	}
	for r.accept(lex.Semicolon) {
	}
	if !r.is(lex.End) {
		return r.unexpected()
	}
	r.facts.Data = DataInline
	return true
}
