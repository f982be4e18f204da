package session

import (
	"encoding/binary"
	"slices"
	"strings"
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// shape is what a text does, without the text: texts that differ in their constants alone share one. It never changes.
type shape struct {
	facts *sqlfacts.Facts
	// action is the part of an action that the facts make, encoded: the title, the count of all fields, and the fields that
	// depend on the facts alone. It is nil in the shapes that are made before there is a session.
	action []byte

	names   bool // it changes what names stand for: PREPARE, DEALLOCATE, DECLARE, CLOSE, DISCARD
	refers  bool // it runs what a name stands for: EXECUTE, FETCH
	copyIn  bool
	copyOut bool
	usual   bool // see usual.go
	weight  int  // about how much memory it takes, in bytes

	// plain and sensitive are the statements of this shape that keep no text, by whether their tokens depend on settings.
	plain, sensitive *statement
}

func newShape(facts *sqlfacts.Facts) *shape {
	sh := &shape{facts: facts, copyOut: facts.Unknown, usual: isUsual(facts), weight: 512}
	for i := range facts.Each {
		switch facts.Each[i].Kind {
		case sqlfacts.KindPrepare, sqlfacts.KindDeallocate, sqlfacts.KindDeclareCursor, sqlfacts.KindCloseCursor,
			sqlfacts.KindDiscard:
			sh.names = true
		case sqlfacts.KindExecute, sqlfacts.KindFetch:
			sh.refers = true
		case sqlfacts.KindCopyIn:
			sh.copyIn = true
		case sqlfacts.KindCopyOut:
			sh.copyOut = true
		}
	}
	for _, list := range [][]string{facts.Verbs, facts.Reads, facts.Writes, facts.Functions, facts.Columns} {
		for _, v := range list {
			sh.weight += 20 + 2*len(v)
		}
	}
	sh.weight += len(facts.Each)*int(unsafe.Sizeof(sqlfacts.Statement{})) + len(facts.Normalized)
	return sh
}

// statement is the one of this shape that keeps no text.
func (sh *shape) statement(sensitive bool) *statement {
	st := &sh.plain
	if sensitive {
		st = &sh.sensitive
	}
	if *st == nil {
		*st = &statement{shape: sh, sensitive: sensitive, size: sh.weight}
	}
	return *st
}

// Limits of an action's parts, in bytes.
const (
	// valueSize is what a field takes beside its value.
	valueSize = 7
	// headSize is an action's family and class.
	headSize = 3
	// fewFields is what the fields of fixed size take, all of them.
	fewFields = 256
)

// encode fills in the action, in at most room bytes.
func (sh *shape) encode(room int) {
	sh.action = encode(sh.facts, room)
	sh.weight += len(sh.action)
}

// encode is the part of an action that facts make, in at most room bytes. A list that does not fit is unknown.
func encode(f *sqlfacts.Facts, room int) []byte {
	var w abi.ActionWriter
	w.Begin(make([]byte, 0, 512), familySQL, f.Class, f.Title)
	if f.Unknown {
		for _, field := range []uint16{sqlStatements, sqlBounded, sqlLocks, sqlReturning, sqlVerbs, sqlWrites, sqlReads, sqlFunctions, sqlColumns} {
			w.Unknown(field)
		}
	} else {
		w.Int(sqlStatements, int64(f.Statements))
		w.Bool(sqlBounded, f.Bounded)
		w.Bool(sqlLocks, f.Locks)
		w.Bool(sqlReturning, f.Returning)
		list(&w, sqlVerbs, f.Verbs, room)
		list(&w, sqlWrites, f.Writes, room)
		list(&w, sqlReads, f.Reads, room)
		list(&w, sqlFunctions, f.Functions, room)
		list(&w, sqlColumns, f.Columns, room)
	}
	if f.Fingerprint == "" || f.NormalizedCut || w.Len()+2*valueSize+len(f.Normalized)+len(f.Fingerprint) > room {
		w.Unknown(sqlNormalized)
	} else {
		w.String(sqlNormalized, f.Normalized)
	}
	if f.Fingerprint == "" {
		w.Unknown(sqlFingerprint)
	} else {
		w.String(sqlFingerprint, f.Fingerprint)
	}
	b := w.End()
	// The count of fields stands behind the title. What is not written here stands behind it in the whole action.
	binary.LittleEndian.PutUint16(b[headSize+4+min(len(f.Title), abi.MaxTitle):], uint16(len(sqlFamily.Fields)))
	return slices.Clip(b[headSize:])
}

// list writes a list that fits.
func list(w *abi.ActionWriter, field uint16, values []string, room int) {
	size := valueSize + fewFields
	for _, v := range values {
		size += 4 + len(v)
	}
	if w.Len()+size <= room {
		w.Strings(field, values)
	} else {
		w.Unknown(field)
	}
}

// mentionsCatalog says whether a search_path could put another schema before pg_catalog, see [sqlfacts.Facts].
func mentionsCatalog(s string) bool { return strings.Contains(lower(s), "pg_catalog") }

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
