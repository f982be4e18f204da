package sql

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// tail reads the rest of a statement of administration: any tokens with balanced brackets. What can be told from them is noted, and
// makes the statement graver, never less grave.
func (r *Reader) tail() bool {
	var open [MaxDepth]lex.Kind
	depth := 0
	for {
		t := *r.now()
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
		case lex.Close, lex.CloseSq, lex.CloseCurly:
			if depth--; depth < 0 || open[depth] != t.Kind {
				return r.unexpected()
			}
		case lex.Word, lex.Quoted:
			if done, ok := r.tailWord(t); !ok {
				return false
			} else if done {
				continue
			}
		}
		r.next()
	}
}

// tailWord notes what a word of a tail says; done when it has moved on.
func (r *Reader) tailWord(t token) (done, ok bool) {
	switch next := r.peek(1); {
	case t.kw == kwParallel && next.kw == kwWith:
		return false, r.fail("PARALLEL WITH")
	case t.kw == kwSelect:
		if r.verb != "grant" && r.verb != "revoke" && r.verb != "check grant" { // there it is a right
			r.names.add(listVerbs, "select")
		}
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
				r.facts.ReadsUnknown = true
			}
		}
	case (t.kw == kwFrom || t.kw == kwJoin || t.kw == kwTo || t.kw == kwOn || t.kw == kwAs) && (next.Kind == lex.Word || next.Kind == lex.Quoted):
		r.next()
		if t.kw == kwTo && r.now().kw == kwTable && (r.peek(1).Kind == lex.Word || r.peek(1).Kind == lex.Quoted) {
			r.next()
		}
		if r.peek(1).Kind == lex.Open || r.now().kw.hard() || r.now().kw == kwCluster || r.now().kw == kwTable {
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
	case next.Kind == lex.Equal && t.Kind == lex.Word:
		if settingClass(r.arena.lower(r.value(t.Token)), "*") == abi.ClassOpaque {
			r.raise(abi.ClassOpaque, r.value(t.Token))
		}
	}
	return false, true
}
