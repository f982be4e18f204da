package sqlfacts_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// FuzzText sends any text through the companion and the decoder: there are facts, or there is an error, and facts do not depend on
// whether a fingerprint was asked for.
func FuzzText(f *testing.F) {
	for _, sql := range []string{
		"select 1", "delete from users where id = 1 or true", "with a as (delete from b returning *) select * from a, c.d",
		"copy (select f(x)) to program 'x'", "create function f() returns int language sql as 'select 1'", "set \"A\" = 1.5, b, null",
		"select U&\"\\0061\", E'\\x41', $a$b$a$, b'01', x'ff', 1e5, $1", "grant all on t to public; revoke x from y",
		"merge into t using s on true when not matched by source then delete", "create table t (a int) partition by list (f(a))",
		"drop trigger a on b.c; comment on column a.b.c is null; alter table x rename column y to z", "prepare p as execute q(1)",
		"select * from json_table('[]', '$' columns (a int path '$')) as x(b)", "insert into t values (1) on conflict do nothing",
	} {
		f.Add([]byte(sql))
	}
	companion := pgquerytest.New(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 64<<10 {
			return
		}
		record, err := companion.Call(sqlfacts.ModeFacts, text)
		var refused *pgquerytest.ParseError
		if errors.As(err, &refused) && refused.Text == "" {
			t.Error("refused without a reason")
		}
		if err != nil {
			return
		}
		facts, err := sqlfacts.Decode(string(record))
		if err != nil {
			t.Fatalf("%q: %v", record, err)
		}
		if facts.Unknown && facts.Class != abi.ClassOpaque {
			t.Errorf("unknown, but %v", facts.Class)
		}
		more, err := companion.Call(sqlfacts.ModeFingerprint, text)
		if err == nil && !bytes.HasPrefix(more, record) {
			t.Errorf("facts differ with a fingerprint:\n%q\n%q", record, more)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	companion := pgquerytest.New(b)
	for name, sql := range map[string]string{
		"pgbench-select": "SELECT abalance FROM pgbench_accounts WHERE aid = 42;",
		"application": "SELECT u.id, u.name, u.email, o.total FROM public.users u LEFT JOIN orders o ON o.user_id = u.id AND o.state = 'open' " +
			"WHERE u.tenant_id = $1 AND u.deleted_at IS NULL AND (lower(u.name) LIKE $2 OR u.email ILIKE $2) ORDER BY u.created_at DESC LIMIT 50",
	} {
		record, err := companion.Call(sqlfacts.ModeFacts, []byte(sql))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sqlfacts.Decode(string(record)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
