package sql

import "github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"

// transformers reads what may stand behind * and COLUMNS(…): EXCEPT, REPLACE, APPLY, LIKE and ILIKE.
func (r *Reader) transformers() bool {
	for {
		switch r.word() {
		case kwExcept:
			next := r.peek(1)
			if k := next.kw; k == kwSelect || k == kwAll || k == kwDistinct || k == kwWith || k == kwFrom {
				return true
			}
			if k := r.peek(2); next.Kind == lex.Open && (k.kw == kwSelect || k.kw == kwWith || k.kw == kwFrom || k.Kind == lex.Open) {
				return true
			}
			r.next()
			r.acceptWord(kwStrict)
			if !r.oneOrMore() {
				return false
			}
		case kwReplace:
			r.next()
			r.acceptWord(kwStrict)
			if r.accept(lex.Open) {
				if !r.exprs(0) || !r.expect(lex.Close) {
					return false
				}
			} else if !r.expr(0) {
				return false
			}
		case kwApply:
			r.next()
			if !r.apply() {
				return false
			}
		case kwIlike, kwLike:
			if r.peek(1).Kind != lex.String {
				return true
			}
			r.next()
			r.next()
		default:
			return true
		}
	}
}

// oneOrMore reads a name or a text, or several in brackets.
func (r *Reader) oneOrMore() bool {
	if r.accept(lex.Open) {
		for {
			if !r.columnName() {
				return false
			}
			if !r.accept(lex.Comma) {
				return r.expect(lex.Close)
			}
		}
	}
	return r.columnName()
}

// columnName reads a name with its parts, or a text.
func (r *Reader) columnName() bool {
	if r.accept(lex.String) {
		return true
	}
	for {
		t := r.now()
		if t.Kind != lex.Quoted && (t.Kind != lex.Word || t.kw.hard()) {
			return r.unexpected()
		}
		r.column()
		if !r.accept(lex.Dot) {
			return true
		}
	}
}

// apply reads what APPLY applies: a function by its name, with parameters perhaps, or a lambda.
func (r *Reader) apply() bool {
	open := r.accept(lex.Open)
	t := r.now()
	if (t.Kind == lex.Word || t.Kind == lex.Quoted) && r.peek(1).Kind != lex.Arrow {
		r.next()
		name := r.value(t.Token)
		r.function(name)
		if a := functionNamed(name); a != nil && a.names {
			return r.fail("a function that names a table, applied to columns")
		}
		if r.accept(lex.Open) && !r.list(lex.Close) {
			return false
		}
	} else if !r.expr(0) {
		return false
	}
	if !open {
		return true
	}
	if r.accept(lex.Comma) && !r.expect(lex.String) {
		return false
	}
	return r.expect(lex.Close)
}

// typeName reads a type: words, with arguments perhaps. Types run nothing, so whatever is balanced will do.
func (r *Reader) typeName() bool {
	if !r.enter() {
		return false
	}
	defer r.leave()
	t := r.now()
	if t.Kind != lex.Word && t.Kind != lex.Quoted || t.kw.hard() {
		return r.unexpected()
	}
	r.next()
	switch t.kw {
	case kwDouble:
		r.acceptWord(kwPrecision)
	case kwCharacter, kwChar, kwNational, kwNchar, kwBinary:
		for k := r.word(); k == kwLarge || k == kwObject || k == kwVarying || k == kwCharacter || k == kwChar; k = r.word() {
			r.next()
		}
	}
	if r.accept(lex.Open) && !r.typeArguments() {
		return false
	}
	if k := r.word(); k == kwUnsigned || k == kwSigned {
		r.next()
	}
	return true
}

// typeArguments reads up to the closing bracket.
func (r *Reader) typeArguments() bool {
	if !r.enter() {
		return false
	}
	defer r.leave()
	for {
		switch t := r.now(); t.Kind {
		case lex.Close:
			r.next()
			return true
		case lex.Open:
			r.next()
			if !r.typeArguments() {
				return false
			}
		case lex.Word:
			if t.kw == kwSelect {
				return r.unexpected()
			}
			r.next()
		case lex.Quoted, lex.Number, lex.String, lex.Comma, lex.Equal, lex.Minus, lex.Dot, lex.HereDoc, lex.OpenSq, lex.CloseSq:
			r.next()
		default:
			return r.unexpected()
		}
	}
}
