package sql

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// deleteFrom reads DELETE FROM table WHERE condition.
func (r *Reader) deleteFrom() bool {
	r.next()
	r.does("delete", abi.ClassDelete)
	if !r.expectWord(kwFrom) {
		return false
	}
	database, name, ok := r.tableName()
	if !ok || !r.onCluster() || !r.inPartition() {
		return false
	}
	r.table(listWrites, database, name)
	if r.acceptWord(kwWhere) {
		if !r.conditionOf() {
			return false
		}
	} else {
		r.facts.Bounded = false
	}
	return r.output()
}

// update reads UPDATE table SET column = value WHERE condition.
func (r *Reader) update() bool {
	r.next()
	r.does("update", abi.ClassWrite)
	database, name, ok := r.tableName()
	if !ok || !r.onCluster() {
		return false
	}
	r.table(listWrites, database, name)
	return r.expectWord(kwSet) && r.exprs(noAlias) && r.mutationEnd() && r.output()
}

// mutationEnd reads IN PARTITION and WHERE.
func (r *Reader) mutationEnd() bool {
	if !r.inPartition() {
		return false
	}
	if !r.acceptWord(kwWhere) {
		r.facts.Bounded = false
		return true
	}
	return r.conditionOf()
}

func (r *Reader) onCluster() bool {
	if r.word() != kwOn {
		return true
	}
	r.next()
	if !r.expectWord(kwCluster) {
		return false
	}
	if r.is(lex.OpenCurly) {
		return r.curly()
	}
	return r.accept(lex.Word) || r.accept(lex.Quoted) || r.expect(lex.String)
}

func (r *Reader) inPartition() bool {
	if r.word() != kwIn || r.peek(1).kw != kwPartition {
		return true
	}
	r.next()
	r.next()
	if r.acceptWord(kwAll) {
		return true
	}
	if r.is(lex.Word) && equalFold(r.value(r.now().Token), "id") {
		r.next()
	}
	return r.operand()
}

// alter reads ALTER: mutations completely, all else as administration.
func (r *Reader) alter() bool {
	r.next()
	if r.word() != kwTable {
		return r.definition("alter")
	}
	r.next()
	database, name, ok := r.tableName()
	if !ok || !r.onCluster() {
		return false
	}
	r.table(listWrites, database, name)
	for {
		switch r.word() {
		case kwDelete:
			r.next()
			r.does("alter delete", abi.ClassDelete)
			r.names.add(listVerbs, "delete")
			if !r.mutationEnd() {
				return false
			}
		case kwUpdate:
			r.next()
			r.does("alter update", abi.ClassWrite)
			r.names.add(listVerbs, "update")
			// The last value may end in IN PARTITION, which no expression does.
			if !r.assignments() || !r.mutationEnd() {
				return false
			}
		default:
			r.does("alter table", abi.ClassAdmin)
			if r.word() == kwDrop || r.word() == kwClear || r.word() == kwDetach || r.word() == kwReplace {
				r.facts.Bounded = false
			}
			return r.tail()
		}
		if !r.accept(lex.Comma) {
			return r.output()
		}
	}
}

// assignments reads column = value, column = value.
func (r *Reader) assignments() bool {
	for {
		if !r.columnName() || !r.expect(lex.Equal) || !r.value1() {
			return false
		}
		if !r.is(lex.Comma) {
			return true
		}
		if k := r.peek(1).kw; k == kwDelete && r.peek(2).kw == kwWhere || k == kwUpdate && r.peek(2).Kind == lex.Word {
			return true // the next command
		}
		r.next()
	}
}

// value1 reads an expression that IN PARTITION may follow.
func (r *Reader) value1() bool {
	if !r.enter() {
		return false
	}
	defer r.leave()
	for {
		if !r.operand() || !r.behind(noAlias) {
			return false
		}
		if r.word() == kwIn && r.peek(1).kw == kwPartition {
			return true
		}
		more, ok := r.operator(r.now())
		if !more || !ok {
			return ok
		}
	}
}

// truncate reads TRUNCATE TABLE; TRUNCATE DATABASE and ALL TABLES are administration.
func (r *Reader) truncate() bool {
	r.next()
	r.facts.Bounded = false
	if k := r.word(); k == kwDatabase || k == kwAll || k == kwTables {
		r.does("truncate database", abi.ClassAdmin)
		return r.tail()
	}
	r.does("truncate", abi.ClassDelete)
	r.acceptWord(kwTemporary)
	if r.word() == kwTable && r.peek(1).Kind != lex.End {
		r.next()
	}
	r.acceptWords(kwIf, kwExists)
	database, name, ok := r.tableName()
	if !ok || !r.onCluster() {
		return false
	}
	r.table(listWrites, database, name)
	if !r.acceptWord(kwSync) {
		r.acceptWord(kwAsync)
	}
	return r.output()
}

// administer reads what changes the shape of the server, or who may do what: its verb and its objects, and the rest as far as it
// names what it concerns.
func (r *Reader) administer(k keyword) bool {
	switch k {
	case kwCreate, kwAttach, kwDrop, kwDetach, kwUndrop, kwOptimize:
		r.next()
		return r.definition(keywordNames[k])
	case kwRename, kwExchange:
		r.next()
		return r.rename(keywordNames[k])
	case kwBackup, kwRestore:
		r.next()
		r.does(keywordNames[k], abi.ClassExecute)
		r.facts.ReadsUnknown, r.facts.WritesUnknown = true, true // tables and databases, without a word before their names
		return r.tail()
	case kwSystem, kwKill:
		r.next()
		verb := keywordNames[k]
		if w := r.now(); w.Kind == lex.Word {
			b := append(append(append(r.arena.begin(len(verb)+1+int(w.End-w.Start)), verb...), ' '), r.src[w.Start:w.End]...)
			verb = r.arena.lower(r.arena.done(b))
		} else {
			return r.unexpected()
		}
		r.does(verb, abi.ClassAdmin)
		return r.tail()
	case kwWatch:
		r.next()
		r.does("watch", abi.ClassAdmin)
		database, name, ok := r.tableName()
		if !ok {
			return false
		}
		r.table(listReads, database, name)
		return r.tail()
	case kwGrant, kwRevoke, kwMove:
		r.next()
		r.does(keywordNames[k], abi.ClassAdmin)
		if r.is(lex.End) {
			return r.unexpected()
		}
		return r.tail()
	case kwExecute: // EXECUTE AS user, alone or before a statement
		r.next()
		r.does("execute as", abi.ClassAdmin)
		r.names.add(listChanges, "user")
		if !r.expectWord(kwAs) {
			return false
		}
		if !r.accept(lex.Word) && !r.accept(lex.Quoted) {
			return r.unexpected()
		}
		return r.is(lex.End) || r.is(lex.Semicolon) || r.statement()
	}
	return r.unexpected()
}

// object says what kind of thing a word names.
func object(k keyword) (name string, holds bool) {
	switch k {
	case kwTable, kwView, kwDictionary, kwDatabase:
		return keywordNames[k], true
	case kwFunction, kwUser, kwRole, kwQuota, kwIndex, kwWorkload, kwResource, kwPolicy, kwProfile:
		return keywordNames[k], false
	case kwRow, kwMasking:
		return "policy", false
	case kwSettings:
		return "settings profile", false
	case kwNamed:
		return "named collection", false
	}
	return "", false
}

// definition reads CREATE, ALTER, DROP and their like: words, the kind of object, and its names.
func (r *Reader) definition(verb string) bool {
	if verb == "drop" || verb == "detach" {
		r.facts.Bounded = false
	}
	var kind string
	var holds bool
	for range window {
		k := r.word()
		if kind, holds = object(k); kind != "" {
			break
		}
		if !r.is(lex.Word) {
			break
		}
		switch k {
		case kwOr, kwReplace, kwTemporary, kwMaterialized, kwLive, kwWindow, kwIf, kwNot, kwExists, kwNone:
			r.next()
			continue
		}
		break
	}
	if kind == "" {
		return r.unexpected()
	}
	k := r.next().kw
	r.does(r.verbFor(verb, kind), abi.ClassAdmin)
	if k == kwFunction && verb == "create" {
		r.raise(abi.ClassExecute, "create function")
	}
	for r.acceptWord(kwIf) || r.acceptWord(kwNot) || r.acceptWord(kwExists) {
	}
	if !holds {
		if r.is(lex.End) {
			return r.unexpected()
		}
		return r.tail()
	}
	for {
		database, name, ok := r.tableName()
		if !ok {
			return false
		}
		r.table(listWrites, database, name)
		if !r.accept(lex.Comma) {
			break
		}
	}
	if verb == "attach" && r.word() == kwFrom {
		r.raise(abi.ClassExecute, "attach from")
	}
	return r.tail()
}

// verbFor is the verb and its object: drop table.
func (r *Reader) verbFor(verb, kind string) string {
	b := r.arena.begin(len(verb) + 1 + len(kind))
	return r.arena.done(append(append(append(b, verb...), ' '), kind...))
}

// rename reads RENAME and EXCHANGE, whose names are all written.
func (r *Reader) rename(verb string) bool {
	switch k := r.word(); k {
	case kwTable, kwTables, kwDatabase, kwDictionary, kwDictionaries:
		r.does(r.verbFor(verb, keywordNames[k]), abi.ClassAdmin)
		r.next()
	default:
		r.does(verb, abi.ClassAdmin)
	}
	r.acceptWords(kwIf, kwExists)
	for {
		database, name, ok := r.tableName()
		if !ok {
			return false
		}
		r.table(listWrites, database, name)
		if r.acceptWord(kwTo) || r.acceptWord(kwAnd) || r.accept(lex.Comma) {
			continue
		}
		return r.onCluster() && r.output()
	}
}
