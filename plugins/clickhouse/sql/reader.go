package sql

import (
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// window is how many tokens the grammar may look ahead.
const window = 8 // a power of two

// token is one that the grammar sees: spaces and comments are left out.
type token struct {
	lex.Token
	kw keyword // of a bare word
}

// Reader reads texts. It keeps memory between texts and is not for concurrent use.
type Reader struct {
	facts Facts
	src   []byte
	text  string // src
	lexer lex.Lexer

	ahead   [window]token
	first   int // of ahead
	fetched int // tokens in ahead
	depth   int

	names nameSet
	arena arena
	ctes  []string // names that WITH defines here
	// hidden of them mean nothing in the query that is read.
	hidden int
	where  condition

	subject    string // what the title names first
	because    string // the function or setting that made the class
	verb       string // the title's
	nested     bool   // the statement stands in an EXPLAIN
	input      bool   // the table function input was called
	tuple      bool   // the last brackets held a comma
	given      int    // arguments of the last call
	inserted   bool   // this is an INSERT
	dictionary bool   // the tail is of a dictionary whose source is a ClickHouse
}

// versions from which on, and up to which, it is known how servers read comments in comments and heredocs.
const (
	oldUntil    Version = 21000
	heredocFrom Version = 22001
	nestedFrom  Version = 24001
)

func (v Version) since(from Version) lex.Nesting {
	switch {
	case v >= from:
		return lex.New
	case v != 0 && v < oldUntil:
		return lex.Old
	}
	return lex.Unknown
}

// Read says what text does, at a server of a version. The text must not change while the facts are used.
func (r *Reader) Read(text []byte, v Version) *Facts {
	r.begin(text, v)
	if len(text) > maxText || !r.statement() || !r.ends() || r.facts.Problem != "" {
		if r.facts.Problem == "" {
			r.facts.Problem = "it is not a statement that is known here"
		}
		problem := r.facts.Problem
		r.facts = Facts{Class: abi.ClassOpaque, Unknown: true, Problem: problem, Title: "something that cannot be read: " + problem}
		return &r.facts
	}
	r.facts.Statements = 1
	r.names.fill(&r.facts)
	r.facts.Title = r.title()
	return &r.facts
}

// maxText bounds a text, in bytes; offsets of tokens have 32 bits.
const maxText = 1 << 30

func (r *Reader) begin(text []byte, v Version) {
	r.src, r.text = text, unsafe.String(unsafe.SliceData(text), len(text))
	r.facts = Facts{Class: abi.ClassSession, Bounded: true}
	r.first, r.fetched, r.depth = 0, 0, 0
	r.subject, r.because, r.verb = "", "", ""
	r.nested, r.input, r.tuple, r.inserted, r.dictionary = false, false, false, false, false
	r.ctes, r.hidden, r.where = r.ctes[:0], 0, condition{}
	r.names.reset()
	r.arena.reset()
	if len(text) <= maxText {
		r.lexer.Reset(text, v.since(nestedFrom), v.since(heredocFrom))
	}
}

// peek is the token n behind the present one.
func (r *Reader) peek(n int) *token {
	if r.fetched <= n {
		r.look(n)
	}
	return &r.ahead[(r.first+n)&(window-1)]
}

func (r *Reader) look(n int) {
	for r.fetched <= n {
		t := r.lexer.Next()
		if t.Kind == lex.Space || t.Kind == lex.Comment {
			continue
		}
		slot := &r.ahead[(r.first+r.fetched)&(window-1)]
		slot.Token, slot.kw = t, kwNone
		if t.Kind == lex.Word {
			slot.kw = keywordOf(r.src[t.Start:t.End])
		}
		r.fetched++
	}
}

// now is the present token.
func (r *Reader) now() *token { return r.peek(0) }

// next moves on to the token behind the present one, which is returned.
func (r *Reader) next() token {
	t := *r.peek(0)
	r.first = (r.first + 1) & (window - 1)
	r.fetched--
	return t
}

func (r *Reader) is(k lex.Kind) bool { return r.peek(0).Kind == k }
func (r *Reader) word() keyword      { return r.peek(0).kw }

// accept moves over a token of a kind, if it is the present one.
func (r *Reader) accept(k lex.Kind) bool {
	if r.peek(0).Kind != k {
		return false
	}
	r.next()
	return true
}

// acceptWord moves over a keyword, if it is the present one.
func (r *Reader) acceptWord(k keyword) bool {
	if r.peek(0).kw != k {
		return false
	}
	r.next()
	return true
}

// acceptWords moves over several keywords, if all of them stand here. There are at most as many as the window has.
func (r *Reader) acceptWords(all ...keyword) bool {
	for i, k := range all {
		if r.peek(i).kw != k {
			return false
		}
	}
	for range all {
		r.next()
	}
	return true
}

func (r *Reader) expect(k lex.Kind) bool {
	return r.accept(k) || r.unexpected()
}

func (r *Reader) expectWord(k keyword) bool {
	return r.acceptWord(k) || r.unexpected()
}

// fail notes why the text is not recognised.
func (r *Reader) fail(problem string) bool {
	if r.facts.Problem == "" {
		r.facts.Problem = problem
	}
	return false
}

// unexpected fails at the present token.
func (r *Reader) unexpected() bool {
	if r.facts.Problem != "" {
		return false
	}
	switch t := r.now(); t.Kind {
	case lex.End:
		return r.fail("it ends too early")
	case lex.Error:
		return r.fail("it has a character, a quote or a comment that cannot be read")
	default:
		return r.fail("unexpected " + printable(r.text[t.Start:min(t.End, t.Start+40)]))
	}
}

// printable is a piece of the text on one line, in ASCII.
func printable(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '.'
		}
	}
	return string(b)
}

// enter goes one level deeper, and leave comes back.
func (r *Reader) enter() bool {
	if r.depth++; r.depth > MaxDepth {
		return r.fail("it nests too deep")
	}
	return true
}

func (r *Reader) leave() { r.depth-- }

// ends reports whether nothing follows: semicolons at most.
func (r *Reader) ends() bool {
	if r.facts.Data == DataInline {
		return true
	}
	r.accept(lex.Vertical)
	for r.accept(lex.Semicolon) {
	}
	if r.is(lex.End) {
		return true
	}
	if r.facts.Problem == "" && !r.is(lex.Error) {
		r.fail("something follows the statement: " + printable(r.text[r.now().Start:min(int(r.now().End), int(r.now().Start)+40)]))
	}
	return r.unexpected()
}

// raise makes the text at least as grave as c; because names the reason.
func (r *Reader) raise(c Class, because string) {
	if c > r.facts.Class {
		r.facts.Class, r.because = c, because
	}
}

// does notes a verb of a class.
func (r *Reader) does(verb string, c Class) {
	r.names.add(listVerbs, verb)
	if r.verb == "" || c > r.facts.Class {
		r.verb = verb
	}
	r.raise(c, "")
}
