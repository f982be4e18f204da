package sqlfacts

import "github.com/sallyport-dev/sallyport/sdk/abi"

// Codes of PostgreSQL's enumerations that arrive in the record's sub byte.
const (
	varDefault  = 1 // VariableSetKind
	varCurrent  = 2
	varReset    = 4
	varResetAll = 5

	copyFrom    = 1 // of the companion's own
	copyProgram = 2
	copyFile    = 4

	mergeDeletes = 1

	lockAccessShare = 1 // LOCKMODE
)

// transactions are the TransactionStmtKinds in PostgreSQL's order.
var transactions = [...]struct {
	verb  string
	kind  Kind
	class Class
}{
	{"begin", KindBegin, abi.ClassSession},
	{"begin", KindBegin, abi.ClassSession},
	{"commit", KindCommit, abi.ClassSession},
	{"rollback", KindRollback, abi.ClassSession},
	{"savepoint", KindSavepoint, abi.ClassSession},
	{"release", KindRelease, abi.ClassSession},
	{"rollback to", KindRollbackTo, abi.ClassSession},
	{"prepare transaction", KindPrepareTransaction, abi.ClassWrite},
	{"commit prepared", KindCommitPrepared, abi.ClassWrite},
	{"rollback prepared", KindRollbackPrepared, abi.ClassWrite},
}

var discards = [...]string{"all", "plans", "sequences", "temp"}

// classOf is the gravity of a statement by itself, without its parts. Names that decide (SET, functions) come later.
func classOf(n node, flags, sub byte) Class {
	switch n {
	case nSelect:
		if flags&flagInto != 0 {
			return abi.ClassAdmin
		}
	case nMerge:
		if sub&mergeDeletes != 0 {
			return abi.ClassDelete
		}
	case nLock:
		if sub == lockAccessShare { // what SELECT takes as well
			return abi.ClassRead
		}
	case nCopy:
		switch {
		case sub&(copyProgram|copyFile) != 0:
			return abi.ClassExecute
		case sub&copyFrom != 0:
			return abi.ClassWrite
		}
	case nTransaction:
		if int(sub) >= len(transactions) {
			return abi.ClassOpaque
		}
		return transactions[sub].class
	}
	return nodeTable[n].class
}

// unbounded says whether a statement works on all rows, or drops something whole.
func unbounded(n node, flags byte) bool {
	switch n {
	case nTruncate, nDrop, nDropdb, nDropOwned, nDropRole, nDropTableSpace, nDropUserMapping, nDropSubscription:
		return true
	}
	return flags&flagUnbounded != 0
}

func verbOf(n node, flags, sub byte) string {
	verb := nodeTable[n].verb
	positive := flags&flagPositive != 0
	switch n {
	case nTransaction:
		if int(sub) < len(transactions) {
			return transactions[sub].verb
		}
	case nVariableSet:
		if sub == varReset || sub == varResetAll {
			return "reset"
		}
	case nFetch:
		if sub != 0 {
			return "move"
		}
	case nDrop:
		return dropVerb(sub)
	case nRename, nAlterObjectSchema, nAlterObjectDepends, nAlterOwner, nAlterTable:
		return "alter " + noun(sub)
	case nDefine:
		return "create " + noun(sub)
	case nCreateTableAs:
		if noun(sub) == "materialized view" {
			return "create materialized view"
		}
	case nGrant:
		if !positive {
			return "revoke"
		}
	case nGrantRole:
		if !positive {
			return "revoke role"
		}
	case nVacuum:
		if !positive {
			return "analyze"
		}
	case nCreateFunction:
		if positive {
			return "create procedure"
		}
	}
	return verb
}

func dropVerb(object uint8) string {
	switch noun(object) {
	case "table":
		return "drop table"
	case "view":
		return "drop view"
	case "index":
		return "drop index"
	}
	return "drop " + noun(object)
}

// describe fills in what the session needs to know of a top-level statement.
func describe(s *Statement, v part) {
	s.Verb = v.verb
	s.All = v.flags&flagAll != 0
	switch v.node {
	case nSelect:
		s.Kind = KindSelect
		if v.flags&flagInto != 0 {
			s.Kind = KindOther
		}
	case nInsert:
		s.Kind = KindInsert
	case nUpdate:
		s.Kind = KindUpdate
	case nDelete:
		s.Kind = KindDelete
	case nMerge:
		s.Kind = KindMerge
	case nTransaction:
		if int(v.sub) < len(transactions) {
			s.Kind = transactions[v.sub].kind
		}
		s.Chain = v.flags&flagLocal != 0
	case nPrepare:
		s.Kind = KindPrepare
	case nExecute:
		s.Kind = KindExecute
	case nDeallocate:
		s.Kind = KindDeallocate
	case nDeclareCursor:
		s.Kind, s.Hold = KindDeclareCursor, v.flags&flagLocal != 0
	case nFetch:
		s.Kind = KindFetch
	case nClosePortal:
		s.Kind = KindCloseCursor
	case nCopy:
		describeCopy(s, v.sub)
	case nVariableSet:
		s.Kind, s.Local = KindSet, v.flags&flagLocal != 0
		s.Default = v.sub == varDefault || v.sub == varCurrent
		if v.sub == varReset || v.sub == varResetAll {
			s.Kind = KindReset
		}
	case nVariableShow:
		s.Kind = KindShow
	case nDiscard:
		s.Kind = KindDiscard
		if int(v.sub) < len(discards) {
			s.Value = discards[v.sub]
		}
		s.All = v.sub == 0
	case nListen:
		s.Kind = KindListen
	case nUnlisten:
		s.Kind = KindUnlisten
	case nNotify:
		s.Kind = KindNotify
	case nExplain:
		s.Kind = KindExplain
	case nCall, nDo:
		s.Kind = KindCall
	}
}

func describeCopy(s *Statement, sub byte) {
	switch {
	case sub&copyProgram != 0:
		s.Kind, s.Value = KindCopyFile, "program"
	case sub&copyFile != 0:
		s.Kind, s.Value = KindCopyFile, "file"
	case sub&copyFrom != 0:
		s.Kind = KindCopyIn
	default:
		s.Kind = KindCopyOut
	}
}
