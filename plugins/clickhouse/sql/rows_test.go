package sql

import "testing"

func TestRows(t *testing.T) {
	for _, c := range []struct {
		rows    string
		literal bool
	}{
		{"", true}, {"(1, 'a'), (2, 'b')", true}, {"(NULL, true, -1.5e-3, 0x1f, inf)", true}, {"([1, 2], {'a': 1}, (1, 'b'))", true}, {"(1);\n", true},
		{"('now()')", true}, {"('a''b', 'c\\'d')", true}, {"('(SELECT 1)')", true}, {"(DEFAULT)", true}, {"(1e+5)", true},
		{"(now())", false}, {"((SELECT 1))", false}, {"(a)", false}, {"(1 -- x\n)", false}, {"(/* */ 1)", false}, {"('a", false}, {"(\"a\")", false},
		{"(file ('x'))", false}, {"(1 + 1)", true}, {"(x'41')", false}, {"(DATE '2020-01-01')", false}, {"(selectx)", false}, {"(nullx)", false}, {"('a' || 'b')", false}, {"($$a$$)", false}, {"(#\n1)", false},
		{"(nul", false}, {"(null", true}, {"(1a(2))", false}, {"(‘a’)", false},
	} {
		var whole, split Rows
		got := whole.Feed([]byte(c.rows)) && whole.End()
		if got != c.literal {
			t.Errorf("%q: literal %v", c.rows, got)
		}
		for _, b := range []byte(c.rows) {
			split.Feed([]byte{b})
		}
		if split.End() != got {
			t.Errorf("%q: read byte by byte, literal %v", c.rows, !got)
		}
	}
}

func TestNormalize(t *testing.T) {
	var r Reader
	for text, want := range map[string]string{
		"SELECT  1,\n 2 FROM t -- x":                  "SELECT ?.. FROM t",
		"SELECT a FROM t WHERE b = 'x' AND c IN (1)":  "SELECT a FROM t WHERE b = ? AND c IN (?)",
		"select a from t where c in (1, 2, 3, 'x')":   "select a from t where c in (?..)",
		"INSERT INTO t (a, b) VALUES (1, 2), (3, 4)":  "INSERT INTO t (a, b) VALUES",
		"SELECT f(1, a, 2), $$x$$":                    "SELECT f(?, a, ?), ?",
		"/* hidden */ SELECT /* more */ 'secret' , a": "SELECT ?, a",
	} {
		f := r.Read([]byte(text), 25003)
		got := string(r.Normalize(nil, []byte(text), 25003, f))
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if a, b := Fingerprint([]byte("a")), Fingerprint([]byte("b")); a == b || len(a) != 16 {
		t.Error(a, b)
	}
}
