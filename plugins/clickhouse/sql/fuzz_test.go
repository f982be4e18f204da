package sql

import (
	"bytes"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql/lex"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func seed(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(v.text))
	}
}

// FuzzRead reads any bytes: it neither panics nor says that what it does not know is harmless.
func FuzzRead(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		var r Reader
		for _, v := range []Version{0, 18016, 25003} {
			facts := r.Read(text, v)
			switch {
			case facts.Unknown != (facts.Class == abi.ClassOpaque && facts.Problem != ""):
				t.Errorf("unknown %v, class %s, %q", facts.Unknown, facts.Class, facts.Problem)
			case !facts.Unknown && (facts.Statements != 1 || len(facts.Verbs) == 0):
				t.Errorf("%d statements, verbs %q", facts.Statements, facts.Verbs)
			case len(facts.Title) > MaxTitle || facts.Title == "":
				t.Errorf("title of %d bytes", len(facts.Title))
			case facts.DataAt < 0 || facts.DataAt > len(text):
				t.Errorf("data at %d", facts.DataAt)
			}
			// A statement behind another one is never harmless.
			if facts.Class <= abi.ClassRead && !facts.Unknown {
				more := append(append([]byte{}, text...), "\n; DROP TABLE t"...)
				if again := new(Reader).Read(more, v); again.Class <= abi.ClassRead {
					t.Errorf("class %s with a second statement", again.Class)
				}
			}
		}
	})
}

// FuzzLexer checks that tokens cover the text, and that they are the same however it goes on behind whitespace.
func FuzzLexer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, n := range []lex.Nesting{lex.Unknown, lex.Old, lex.New} {
			var l lex.Lexer
			l.Reset(text, n, n)
			at := int32(0)
			for range len(text) + 1 {
				k := l.Next()
				if k.Start != at || k.End < at || k.Kind >= lex.Kinds {
					t.Fatalf("token %+v at %d", k, at)
				}
				if at = k.End; k.Kind == lex.End {
					break
				}
				if k.End == k.Start {
					t.Fatalf("an empty token at %d", at)
				}
			}
			if int(at) != len(text) || l.Next().Kind != lex.End {
				t.Fatalf("tokens end at %d of %d", at, len(text))
			}
		}
	})
}

// FuzzRows checks that splitting rows changes nothing.
func FuzzRows(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		var whole, split Rows
		whole.Feed(text)
		for _, b := range text {
			split.Feed([]byte{b})
		}
		if whole.End() != split.End() {
			t.Error("split rows are read differently")
		}
	})
}

// TestDepthAndLength reads texts that are made to be costly.
func TestDepthAndLength(t *testing.T) {
	var r Reader
	for _, piece := range []string{"(", "[", "{", "f(", "SELECT (", "a.", "-", "NOT ", "CASE WHEN ", "x -> ", "1 + ", "a, ", "$a ", "$", "/*", "'", "WITH x AS (", "(SELECT * FROM ", "a::Array(", "INTERVAL ", "* EXCEPT ", "IN ", "EXPLAIN ", "UNION ALL SELECT 1 ", "x ? 1 : ", "\xe2\x80\x98", "`a`.", "SETTINGS a = 1, "} {
		for _, head := range []string{"SELECT ", "SELECT * FROM ", "EXPLAIN ", "INSERT INTO t VALUES ", "CREATE TABLE t ", "ALTER TABLE t UPDATE a = ", "SHOW TABLES WHERE "} {
			text := append([]byte(head), bytes.Repeat([]byte(piece), (32<<10)/len(piece))...)
			r.Read(text, 25003)
		}
	}
	nested := "SELECT " + string(bytes.Repeat([]byte("("), 60)) + "1" + string(bytes.Repeat([]byte(")"), 60))
	if f := r.Read([]byte(nested), 25003); f.Class != abi.ClassRead {
		t.Errorf("60 brackets: %s", f.Problem)
	}
	long := append([]byte("SELECT a IN (1"), bytes.Repeat([]byte(", 1234"), 40000)...)
	if f := r.Read(append(long, ')'), 25003); f.Class != abi.ClassRead {
		t.Errorf("a long list: %s", f.Problem)
	}
}

// TestListsAreBounded names more than a list holds.
func TestListsAreBounded(t *testing.T) {
	var r Reader
	text := []byte("SELECT 1")
	for i := range 3 * MaxList {
		text = append(text, ", c"...)
		for n := i; n > 0; n /= 10 {
			text = append(text, byte('0'+n%10))
		}
	}
	if f := r.Read(text, 25003); len(f.Columns) != MaxList || !f.ColumnsUnknown || f.Class != abi.ClassRead {
		t.Errorf("%d columns, unknown %v, class %s", len(f.Columns), f.ColumnsUnknown, f.Class)
	}
}

var small = []byte("SELECT id, name, count() AS n FROM shop.orders WHERE customer = 42 AND day >= '2024-01-01' GROUP BY id, name ORDER BY n DESC LIMIT 10")

func BenchmarkSmallSelect(b *testing.B) {
	var r Reader
	r.Read(small, 25003)
	b.ReportAllocs()
	for b.Loop() {
		if r.Read(small, 25003).Class != abi.ClassRead {
			b.Fatal("not read")
		}
	}
}

func BenchmarkValues(b *testing.B) {
	var r Reader
	text := append([]byte("INSERT INTO t VALUES "), bytes.Repeat([]byte("(1, 'abc', 2.5, NULL), "), 4000)...)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if r.Read(text, 25003).Class != abi.ClassWrite {
			b.Fatal("not write")
		}
	}
}

// TestAllocations keeps the hot path free of garbage.
func TestAllocations(t *testing.T) {
	var r Reader
	r.Read(small, 25003)
	if n := testing.AllocsPerRun(100, func() { r.Read(small, 25003) }); n > 0 {
		t.Errorf("%v allocations for a SELECT", n)
	}
}
