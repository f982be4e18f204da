package sql

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// statement reads one statement, up to what does not belong to it.
func (r *Reader) statement() bool {
	if !r.enter() {
		return false
	}
	defer r.leave()
	switch k := r.word(); k {
	case kwSelect, kwFrom, kwWith:
		return r.queryStatement()
	case kwInsert:
		return r.insert()
	case kwShow:
		return r.show()
	case kwDescribe, kwDesc:
		return r.describe()
	case kwExists:
		return r.exists()
	case kwExplain:
		r.facts.Kind = KindShow
		return r.explain() && r.output()
	case kwCheck:
		return r.check()
	case kwUse:
		return r.use()
	case kwSet:
		return r.set()
	case kwBegin, kwStart, kwCommit, kwRollback:
		return r.transaction(k)
	case kwDelete:
		return r.deleteFrom()
	case kwUpdate:
		return r.update()
	case kwAlter:
		return r.alter()
	case kwTruncate:
		return r.truncate()
	case kwNone:
		if r.is(lex.Open) {
			return r.queryStatement()
		}
		return r.unexpected()
	default:
		return r.administer(k)
	}
}

// queryStatement reads a SELECT, and an INSERT behind WITH.
func (r *Reader) queryStatement() bool {
	r.facts.Kind = KindSelect
	if defined := len(r.ctes); r.word() == kwWith {
		if !r.with() {
			return false
		}
		if r.word() == kwInsert {
			return r.insert()
		}
		if r.is(lex.Open) {
			return r.unexpected()
		}
		if !r.selectBody() {
			return false
		}
		r.ctes = r.ctes[:defined]
		return r.unionTail() && r.output()
	}
	return r.union() && r.output()
}

// output reads INTO OUTFILE, FORMAT and SETTINGS, which stand behind all that has a result.
func (r *Reader) output() bool {
	if r.nested {
		return true
	}
	for {
		switch r.word() {
		case kwInto:
			r.next()
			if !r.expectWord(kwOutfile) {
				return false
			}
			r.raise(abi.ClassExecute, "into outfile")
			r.names.add(listVerbs, "into outfile")
			if !r.expect(lex.String) {
				return false
			}
			r.acceptWords(kwAnd, kwStdout)
			if !r.acceptWord(kwAppend) {
				r.acceptWord(kwTruncate)
			}
			if !r.compression() {
				return false
			}
		case kwFormat:
			r.next()
			if !r.is(lex.Word) && !r.is(lex.Quoted) {
				return r.unexpected()
			}
			r.facts.Format = r.value(r.next().Token)
		case kwSettings:
			r.next()
			if !r.settings(false) {
				return false
			}
		default:
			return true
		}
	}
}

// compression reads COMPRESSION 'gzip' LEVEL 1.
func (r *Reader) compression() bool {
	if !r.acceptWord(kwCompression) {
		return true
	}
	if !r.expect(lex.String) {
		return false
	}
	return !r.acceptWord(kwLevel) || r.expect(lex.Number)
}

// explain reads EXPLAIN and the statement in it, as which it counts: servers run parts of a query while they plan it.
func (r *Reader) explain() bool {
	r.next()
	r.does("explain", reads)
	if r.acceptWords(kwCurrent, kwTransaction) {
		return true
	}
	switch r.word() {
	case kwAst, kwSyntax, kwPlan, kwPipeline, kwEstimate:
		r.next()
	case kwQuery:
		r.next()
		if !r.expectWord(kwTree) {
			return false
		}
	case kwTable:
		return r.fail("EXPLAIN TABLE OVERRIDE")
	}
	for r.is(lex.Word) && r.peek(1).Kind == lex.Equal {
		r.next()
		r.next()
		r.accept(lex.Minus)
		if !r.accept(lex.Number) && !r.accept(lex.String) && !r.accept(lex.Word) {
			return r.unexpected()
		}
		if !r.accept(lex.Comma) {
			break
		}
	}
	was := r.nested
	kind := r.facts.Kind
	r.nested = true
	ok := r.statement()
	r.nested, r.facts.Kind = was, kind
	r.facts.Data, r.facts.Values, r.facts.Format = DataNone, false, "" // an INSERT that is only explained takes no rows
	return ok
}

// describe reads DESCRIBE TABLE of a table, a table function or a query.
func (r *Reader) describe() bool {
	r.next()
	r.facts.Kind = KindShow
	r.does("describe", reads)
	if r.acceptWords(kwFilesystem, kwCache) {
		return r.expect(lex.String) && r.output()
	}
	if r.word() == kwTable && (r.peek(1).Kind == lex.Word && r.peek(1).kw != kwFormat && r.peek(1).kw != kwSettings || r.peek(1).Kind == lex.Quoted || r.peek(1).Kind == lex.Open || r.peek(1).Kind == lex.OpenCurly) {
		r.next()
	}
	return r.tableElement() && r.output()
}

// exists reads EXISTS of a table, a view, a dictionary or a database.
func (r *Reader) exists() bool {
	r.next()
	r.facts.Kind = KindShow
	r.does("exists", reads)
	if r.peek(1).Kind == lex.Word || r.peek(1).Kind == lex.Quoted {
		r.acceptWord(kwTemporary)
		switch r.word() {
		case kwTable, kwView, kwDictionary:
			if k := r.peek(1); k.Kind == lex.Word && k.kw != kwFormat && k.kw != kwSettings || k.Kind == lex.Quoted || k.Kind == lex.OpenCurly {
				r.next()
			}
		case kwDatabase:
			r.next()
			_, _, ok := r.tableName()
			return ok && r.output()
		}
	}
	database, name, ok := r.tableName()
	if !ok {
		return false
	}
	r.table(listReads, database, name)
	return r.output()
}

// check reads CHECK TABLE, which may write what it finds missing, and CHECK GRANT.
func (r *Reader) check() bool {
	r.next()
	r.facts.Kind = KindShow
	switch {
	case r.acceptWord(kwGrant):
		r.does("check grant", reads)
		return r.tail()
	case r.acceptWords(kwAll, kwTables):
		r.does("check all tables", abi.ClassWrite)
		r.facts.ReadsUnknown = true
		return r.output()
	case r.acceptWord(kwTable):
		r.does("check table", abi.ClassWrite)
		database, name, ok := r.tableName()
		if !ok {
			return false
		}
		r.table(listReads, database, name)
		if r.acceptWord(kwPartition) {
			if !r.expr(noAlias) {
				return false
			}
		} else if r.acceptWord(kwPart) && !r.expect(lex.String) {
			return false
		}
		return r.output()
	}
	return r.unexpected()
}

// use reads USE.
func (r *Reader) use() bool {
	r.next()
	r.facts.Kind = KindUse
	r.does("use", abi.ClassSession)
	r.names.add(listChanges, "database")
	if r.word() == kwDatabase && (r.peek(1).Kind == lex.Word || r.peek(1).Kind == lex.Quoted) {
		r.next()
	}
	switch t := r.now(); t.Kind {
	case lex.Word, lex.Quoted:
		database, name, ok := r.tableName()
		if !ok {
			return false
		}
		if database != "" {
			name = r.arena.join(database, name)
		}
		r.facts.Object = name
	case lex.OpenCurly:
		if !r.curly() {
			return false
		}
	default:
		return r.unexpected()
	}
	r.subject = r.facts.Object
	return true
}

// transaction reads BEGIN, COMMIT and ROLLBACK.
func (r *Reader) transaction(k keyword) bool {
	r.next()
	verb := keywordNames[k]
	if k == kwStart {
		verb = "begin"
	}
	r.does(verb, abi.ClassSession)
	if !r.acceptWord(kwTransaction) && k == kwStart {
		return r.unexpected()
	}
	return true
}

// show reads SHOW in all its forms: words that are listed here, names, and filters.
func (r *Reader) show() bool {
	r.next()
	r.facts.Kind = KindShow
	r.does("show", reads)
	if r.word() == kwCreate {
		return r.showCreate()
	}
	known := false
	for {
		k := r.word()
		if k == kwSettings && known {
			break
		}
		switch k {
		case kwTables, kwDatabases, kwDictionaries, kwClusters, kwCluster, kwSettings, kwSetting, kwProcesslist, kwGrants, kwUsers, kwRoles, kwProfiles, kwProfile,
			kwPolicies, kwQuotas, kwQuota, kwAccess, kwEngines, kwFunctions, kwColumns, kwFields, kwIndex, kwIndexes, kwIndices, kwKeys, kwPrivileges, kwCaches, kwMerges,
			kwWorkloads, kwResources, kwTable, kwWarnings:
			known = true
			r.next()
			continue
		case kwFull, kwExtended, kwTemporary, kwChanged, kwCurrent, kwEnabled, kwFilesystem, kwRow, kwMasking:
			r.next()
			continue
		}
		if r.is(lex.Word) && (equalFold(r.value(r.now().Token), "named") || equalFold(r.value(r.now().Token), "collections")) {
			return r.unexpected()
		}
		break
	}
	if !known {
		return r.showObject()
	}
	return r.showFilter()
}

// showObject is SHOW [DATABASE|…] name, which is short for SHOW CREATE.
func (r *Reader) showObject() bool {
	switch r.word() {
	case kwDatabase, kwView, kwDictionary:
		r.next()
	default:
		return r.unexpected()
	}
	database, name, ok := r.tableName()
	if !ok {
		return false
	}
	r.table(listReads, database, name)
	return r.output()
}

func (r *Reader) showCreate() bool {
	r.next()
	r.names.add(listVerbs, "show create")
	r.acceptWord(kwTemporary)
	list := listReads
	switch k := r.word(); k {
	case kwTable, kwView, kwDictionary, kwDatabase:
		if n := r.peek(1); n.Kind == lex.Word && n.kw != kwFormat && n.kw != kwSettings && n.kw != kwInto || n.Kind == lex.Quoted || n.Kind == lex.OpenCurly {
			r.next()
		}
	case kwUser, kwUsers, kwRole, kwRoles, kwQuota, kwQuotas, kwPolicy, kwPolicies, kwProfile, kwProfiles, kwSettings, kwRow, kwAccess, kwFunction, kwWorkload, kwResource, kwMasking:
		return r.showFilter()
	}
	database, name, ok := r.tableName()
	if !ok {
		return false
	}
	r.table(list, database, name)
	return r.output()
}

// showFilter reads what narrows a list: FROM, LIKE, WHERE, LIMIT, and names.
func (r *Reader) showFilter() bool {
	for {
		t := r.now()
		switch t.kw {
		case kwFrom, kwIn:
			r.next()
			database, name, ok := r.tableName()
			if !ok {
				return false
			}
			r.table(listReads, database, name)
			continue
		case kwNot, kwLike, kwIlike, kwFor, kwOn, kwImplicit, kwFinal:
			r.next()
			continue
		case kwWhere, kwLimit:
			r.next()
			if !r.expr(noAlias) {
				return false
			}
			continue
		case kwInto, kwFormat:
			return r.output()
		case kwSettings:
			if r.peek(1).Kind == lex.Word && r.peek(2).Kind == lex.Equal {
				return r.output()
			}
		case kwSelect, kwInsert, kwWith:
			return r.unexpected()
		}
		switch t.Kind {
		case lex.Word, lex.Quoted, lex.String, lex.Comma, lex.Dot, lex.Star, lex.At, lex.Percent:
			r.next()
		default:
			return true
		}
	}
}
