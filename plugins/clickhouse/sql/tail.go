package sql

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// tail reads the rest of a statement of administration: any tokens with balanced brackets, and queries, which are read as anywhere else.
// What can be told from them is noted, and makes the statement graver, never less grave.
func (r *Reader) tail() bool {
	var open [MaxDepth]lex.Kind
	depth := 0
	for before := (token{}); ; {
		t := *r.now()
		if r.queryBehind(before) {
			if !r.union() {
				return false
			}
			before = token{}
			continue
		}
		before = t
		switch t.Kind {
		case lex.End, lex.Vertical:
			if depth > 0 {
				return r.unexpected()
			}
			return true
		case lex.Semicolon:
			if depth > 0 {
				return r.unexpected()
			}
			return true
		case lex.Error, lex.Dollar:
			return r.unexpected()
		case lex.Open, lex.OpenSq, lex.OpenCurly:
			if depth == len(open) {
				return r.fail("it nests too deep")
			}
			open[depth] = t.Kind + 1 // the closing one follows
			depth++
			if t.Kind == lex.OpenCurly { // a parameter, perhaps of a name
				r.facts.ReadsUnknown, r.facts.WritesUnknown, r.facts.ColumnsUnknown = true, true, true
			}
		case lex.Close, lex.CloseSq, lex.CloseCurly:
			if depth--; depth < 0 || open[depth] != t.Kind {
				return r.unexpected()
			}
		case lex.Word, lex.Quoted:
			if done, ok := r.tailWord(t); !ok {
				return false
			} else if done {
				before = token{}
				continue
			}
		}
		r.next()
	}
}

// queryBehind reports whether a query begins here, behind another token. SELECT is also a right, and what a policy is for.
func (r *Reader) queryBehind(before token) bool {
	switch r.word() {
	case kwSelect:
		return r.verb != "grant" && r.verb != "revoke" && r.verb != "check grant" && before.kw != kwFor && before.Kind != lex.Comma && before.Kind != lex.Dot
	case kwWith:
		return before.kw == kwAs || before.Kind == lex.Open && r.startsQuery()
	case kwFrom:
		return before.kw == kwAs || before.Kind == lex.Open
	}
	return false
}

// tailWord notes what a word of a tail says; done when it has moved on.
func (r *Reader) tailWord(t token) (done, ok bool) {
	switch next := r.peek(1); {
	case t.kw == kwParallel && next.kw == kwWith:
		return false, r.fail("PARALLEL WITH")
	case t.kw == kwInto && next.kw == kwOutfile:
		r.raise(abi.ClassExecute, "into outfile")
		r.names.add(listVerbs, "into outfile")
	case t.kw == kwSettings && (next.Kind == lex.Word || next.Kind == lex.Quoted) && r.peek(2).Kind == lex.Equal:
		r.next()
		return true, r.settings(false)
	case t.kw == kwAs && r.defines() && (next.Kind == lex.Word || next.Kind == lex.Quoted) && r.peek(2).Kind == lex.Open && !next.kw.hard():
		r.next()
		return true, r.tableFunction()
	case t.kw == kwEngine:
		r.next()
		r.accept(lex.Equal)
		if e := r.now(); e.Kind == lex.Word || e.Kind == lex.Quoted {
			name := r.value(e.Token)
			r.names.add(listFunctions, name)
			if !harmlessEngine(name) {
				r.raise(abi.ClassExecute, name)
			}
			r.next()
		}
		return true, true
	case t.kw == kwSource && next.Kind == lex.Open:
		if s := r.peek(2); s.kw == kwNone || s.kw != kwTable { // a dictionary's
			if name := r.value(s.Token); !equalFold(name, "clickhouse") && !equalFold(name, "null") {
				r.raise(abi.ClassExecute, name)
			} else {
				r.facts.ReadsUnknown, r.dictionary = true, true
			}
		}
	case r.dictionary && next.Kind != lex.Close && (equalFold(r.text[t.Start:t.End], "host") || equalFold(r.text[t.Start:t.End], "name")):
		// Another ClickHouse, or one that a named collection names.
		if host := r.value(next.Token); t.kw != kwNone || next.Kind != lex.String || host != "localhost" && host != "127.0.0.1" {
			r.raise(abi.ClassExecute, r.text[t.Start:t.End])
		}
	case t.kw == kwIn && (next.Kind == lex.Word && next.kw != kwPartition || next.Kind == lex.Quoted) && r.peek(2).Kind != lex.Open && !next.kw.hard():
		r.next()
		database, name, parts := r.nameAhead()
		r.table(listReads, database, name)
		for range 2*parts - 1 {
			r.next()
		}
		return true, true
	case (t.kw == kwFrom || t.kw == kwJoin || t.kw == kwTo || t.kw == kwOn || t.kw == kwAs) && (next.Kind == lex.Word && !next.kw.hard() || next.Kind == lex.Quoted):
		r.next()
		if t.kw == kwTo && r.now().kw == kwTable && (r.peek(1).Kind == lex.Word || r.peek(1).Kind == lex.Quoted) {
			r.next()
		}
		if t.kw == kwTo && r.verb == "create view" && r.peek(1).Kind == lex.Open { // TO t (a Int8) AS …
			r.table(listWrites, "", r.value(r.next().Token))
			return true, true
		}
		if r.peek(1).Kind == lex.Open || r.now().kw == kwCluster || r.now().kw == kwTable {
			return true, true
		}
		database, name, parts := r.nameAhead()
		if t.kw == kwTo || t.kw == kwOn {
			r.table(listWrites, database, name)
		} else {
			r.table(listReads, database, name)
		}
		for range 2*parts - 1 {
			r.next()
		}
		return true, true
	case next.Kind == lex.Open && !t.kw.hard():
		name := r.value(t.Token)
		if f := tableFunctionNamed(name); f != nil && !f.ordinary {
			r.raise(f.class, name)
			r.facts.ReadsUnknown = r.facts.ReadsUnknown || f.unnamed || f.names
		}
		r.function(name)
		if f := functionNamed(name); f != nil && f.higher && !r.higherOrder(2) {
			return false, false
		}
	case next.Kind == lex.Equal && t.Kind == lex.Word:
		if settingClass(r.arena.lower(r.value(t.Token)), "*") == abi.ClassOpaque {
			r.raise(abi.ClassOpaque, r.value(t.Token))
		}
	}
	return false, true
}

// defines reports whether the statement makes something that can be defined by a table function.
func (r *Reader) defines() bool {
	return r.verb == "create table" || r.verb == "attach table" || r.verb == "create database" || r.verb == "attach database"
}
