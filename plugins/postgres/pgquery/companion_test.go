package pgquery_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
)

const (
	markCut     = 1
	markUnknown = 2
)

func TestModuleImportsNothing(t *testing.T) {
	if imports := pgquerytest.New(t).Imports(); len(imports) != 0 {
		t.Errorf("imports %q", imports)
	}
}

// TestRecordIsSmallAndRepeats runs texts twice in one instance, with an error of the parser between them.
func TestRecordIsSmallAndRepeats(t *testing.T) {
	companion := pgquerytest.New(t)
	for _, text := range []string{
		"SELECT abalance FROM pgbench_accounts WHERE aid = 42",
		"with d as (delete from a.b where id = $1 returning *) select * from d join c using (x)",
	} {
		var records [3][]byte
		for i := range records {
			record, err := companion.Call(0, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			records[i] = record
			if i == 1 {
				if _, err := companion.Call(0, []byte("select select")); err == nil {
					t.Fatal("the parser accepted nonsense")
				}
			}
		}
		if !bytes.Equal(records[0], records[1]) || !bytes.Equal(records[0], records[2]) {
			t.Errorf("%s: records differ:\n%q\n%q\n%q", text, records[0], records[1], records[2])
		}
		if len(records[0]) >= 200 {
			t.Errorf("%s: a record of %d bytes", text, len(records[0]))
		}
	}
}

func TestErrorsHaveAReason(t *testing.T) {
	companion := pgquerytest.New(t)
	for text, want := range map[string]string{
		"select from where":    `syntax error at or near "where" at character 13`,
		"select 'x":            "unterminated quoted string",
		"select 1\x00":         "zero byte",
		"select '\xff'":        "invalid byte sequence",
		"select '\xc3":         "invalid byte sequence",
		"\xef\xbb\xbfselect 1": "syntax error",
	} {
		_, err := companion.Call(0, []byte(text))
		var refused *pgquerytest.ParseError
		if !errors.As(err, &refused) || !strings.Contains(refused.Text, want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"select 'é', \"ü\"", "select E'\\'', $é$x$é$", ""} {
		if _, err := companion.Call(0, []byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestDepthIsBounded sends texts whose trees are deep. Each must end in a marked record or an error; a shallow twin is read.
func TestDepthIsBounded(t *testing.T) {
	companion := pgquerytest.New(t)
	repeat := strings.Repeat
	for name, make := range map[string]func(n int) string{
		"sum":     func(n int) string { return "select 1" + repeat("+1", n) },
		"parens":  func(n int) string { return "select " + repeat("(", n) + "1" + repeat(")", n) },
		"not":     func(n int) string { return "delete from t where " + repeat("not ", n) + "true" },
		"calls":   func(n int) string { return "select " + repeat("abs(", n) + "1" + repeat(")", n) },
		"selects": func(n int) string { return repeat("select (", n) + "select 1" + repeat(")", n) },
		"from":    func(n int) string { return repeat("select * from (", n) + "select 1" + repeat(") x", n) },
		"casts":   func(n int) string { return "select 1" + repeat("::int", n) },
		"arrays":  func(n int) string { return "select array" + repeat("[", n) + repeat("]", n) },
		"unions":  func(n int) string { return "select 1" + repeat(" union select 1", n) },
		"explain": func(n int) string { return repeat("explain ", min(n, 1)) + "select 1" + repeat("-1", n) },
		"with":    func(n int) string { return repeat("with a as (", n) + "delete from t" + repeat(") select 1", n) },
		"conditions": func(n int) string {
			return "delete from t where a=1" + repeat(" or (a=1 and (b=2", n) + repeat("))", n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			record, err := companion.Call(0, []byte(make(10)))
			if err != nil || record[1] != 0 {
				t.Errorf("10 levels: %v, marks %v", err, record)
			}
			for _, mode := range []byte{0, 1} {
				record, err = companion.Call(mode, []byte(make(10_000)))
				if err == nil && record[1]&markUnknown == 0 && name != "parens" {
					t.Errorf("10,000 levels passed unmarked: %.40q", record)
				}
			}
		})
	}
}

// TestWideTextsAreNotDeep reads long texts that real programs send.
func TestWideTextsAreNotDeep(t *testing.T) {
	companion := pgquerytest.New(t)
	for _, text := range []string{
		"insert into t values " + strings.Repeat("(1, 'some text', null),", 20_000) + "(1, '', null)",
		"select * from t where id in (" + strings.Repeat("123456,", 50_000) + "1)",
		"delete from t where a = 1" + strings.Repeat(" or a = 2", 10_000),
		strings.Repeat("select 1;", 1000),
	} {
		for _, mode := range []byte{0, 1} {
			record, err := companion.Call(mode, []byte(text))
			if err != nil || record[1] != 0 {
				t.Errorf("%.60s…: %v, %.20q", text, err, record)
			}
		}
	}
}

// TestRecordThatDoesNotFitIsMarked names more columns than a record holds, and fewer as a twin.
func TestRecordThatDoesNotFitIsMarked(t *testing.T) {
	companion := pgquerytest.New(t)
	for n, cut := range map[int]bool{1000: false, 40_000: true} {
		var text strings.Builder
		text.WriteString("select a")
		for i := range n {
			fmt.Fprintf(&text, ", column_%d", i)
		}
		text.WriteString("; drop table t")
		record, err := companion.Call(0, []byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		if got := record[1]&markCut != 0; got != cut {
			t.Errorf("%d columns: cut %v, %d bytes", n, got, len(record))
		}
	}
}

func BenchmarkCompanion(b *testing.B) {
	companion := pgquerytest.New(b)
	for name, text := range map[string]string{
		"pgbench-select": "SELECT abalance FROM pgbench_accounts WHERE aid = 42;",
		"application": "SELECT u.id, u.name, u.email, o.total FROM public.users u LEFT JOIN orders o ON o.user_id = u.id AND o.state = 'open' " +
			"WHERE u.tenant_id = $1 AND u.deleted_at IS NULL AND (u.name ILIKE $2 OR u.email ILIKE $2) ORDER BY u.created_at DESC LIMIT 50 OFFSET $3",
	} {
		for mode, label := range []string{"facts", "fingerprint"} {
			b.Run(name+"/"+label, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := companion.Call(byte(mode), []byte(text)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
