package sql

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// set reads SET: settings, roles, and the snapshot of a transaction.
func (r *Reader) set() bool {
	r.next()
	switch {
	case r.word() == kwRole && r.peek(1).Kind != lex.Equal, r.word() == kwDefault && r.peek(1).kw == kwRole:
		r.does("set role", abi.ClassAdmin)
		r.names.add(listChanges, "role")
		return r.tail()
	case r.acceptWords(kwTransaction, kwSnapshot):
		r.does("set transaction snapshot", abi.ClassSession)
		return r.expect(lex.Number)
	}
	r.facts.Kind = KindSet
	r.does("set", abi.ClassSession)
	return r.settings(true)
}

// settings reads name = value, name = value. Those of SET outlive the statement.
func (r *Reader) settings(session bool) bool {
	for {
		t := r.now()
		if t.Kind != lex.Word && t.Kind != lex.Quoted {
			return r.unexpected()
		}
		name := r.value(r.next().Token)
		for r.accept(lex.Dot) {
			t := r.next()
			if t.Kind != lex.Word && t.Kind != lex.Quoted {
				return r.unexpected()
			}
			name = r.arena.join(name, r.value(t.Token))
		}
		value := "1" // the name alone says so
		if r.accept(lex.Equal) {
			var ok bool
			if value, ok = r.settingValue(); !ok {
				return false
			}
		} else if session {
			return r.unexpected()
		}
		r.setting(name, value, session)
		if !r.accept(lex.Comma) {
			return true
		}
	}
}

// settingValue reads a literal: a number, a text, a word, a parameter, or brackets around such.
func (r *Reader) settingValue() (value string, ok bool) {
	t := *r.now()
	switch t.Kind {
	case lex.String, lex.HereDoc:
		r.next()
		return r.value(t.Token), true
	case lex.Minus, lex.Plus:
		r.next()
		end := r.now().End
		if !r.expect(lex.Number) && !r.expect(lex.Word) {
			return "", false
		}
		return r.text[t.Start:end], true
	case lex.Number:
		r.next()
		return r.text[t.Start:t.End], true
	case lex.Word:
		if t.kw.hard() {
			return "", r.unexpected()
		}
		r.next()
		if r.is(lex.Open) { // disk(type = s3, …) is files elsewhere
			r.next()
			r.raise(abi.ClassExecute, r.text[t.Start:t.End])
			return "*", r.arguments()
		}
		return r.text[t.Start:t.End], true
	case lex.OpenCurly:
		ok := r.curly()
		return "*", ok
	case lex.OpenSq, lex.Open:
		return "*", r.primary()
	}
	return "", r.unexpected()
}

// setting notes a setting of the text.
func (r *Reader) setting(name, value string, session bool) {
	low := r.arena.lower(name)
	r.names.add(listSettingNames, low)
	if b := r.arena.begin(len(low) + 1 + len(value)); true {
		b = append(append(append(b, low...), '='), value...)
		r.names.add(listSettings, r.arena.done(b))
	}
	if session {
		r.names.add(listChanges, low)
		if r.subject == "" {
			r.subject = low
		}
	}
	r.raise(SettingClass(low, value), low)
}
