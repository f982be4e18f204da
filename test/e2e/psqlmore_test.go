package e2e

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCatalog: what psql asks the catalog for \d and for the tab key is reading.
func TestCatalog(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	database := w.database(ctx, t, shop+"create view recent as select * from customers; create index on customers (name); create function f() returns int language sql return 1;")
	for script, want := range map[string]string{
		`\d`:                             "recent",
		`\d customers`:                   "customers_pkey",
		`\d+ recent`:                     "SELECT customers.id",
		`\di`:                            "customers_name_idx",
		`\df`:                            "f|integer",
		`\dn`:                            "public",
		`\l`:                             database,
		`\du`:                            "scram_user",
		`\dp customers`:                  "customers",
		`\sf f`:                          "FUNCTION public.f()",
		`\dx`:                            "plpgsql",
		"select current_user, version()": "PostgreSQL 15",
		// Of psql's tab-complete.c, after "select * from cu".
		`SELECT pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c WHERE (pg_catalog.quote_ident(c.relname)) LIKE 'cu%'
		 AND c.relkind IN ('r','S','v','m','f','p') AND pg_catalog.pg_table_is_visible(c.oid)
		 UNION ALL SELECT pg_catalog.quote_ident(n.nspname) || '.' FROM pg_catalog.pg_namespace n WHERE pg_catalog.quote_ident(n.nspname) || '.' LIKE 'cu%' LIMIT 1000;`: "customers",
	} {
		got := w.psql(ctx, t, "reader", database, script, "-P", "tuples_only=off")
		if got.status != 0 || got.err != "" || !strings.Contains(got.out, want) {
			t.Errorf("%s: status %d, %q\n%s\nwant %q", script, got.status, got.err, got.out, want)
		}
	}
}

// TestCopyBulk moves 5 MB in and out again.
func TestCopyBulk(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	database := w.database(ctx, t, "create table bulk (i int, filler text);")
	var b strings.Builder
	for i := 0; b.Len() < 5<<20; i++ {
		fmt.Fprintf(&b, "%d\t%x\n", i, sha256.Sum256(fmt.Append(nil, i)))
	}
	file := filepath.Join(t.TempDir(), "bulk")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	in := w.psql(ctx, t, "db", database, fmt.Sprintf("\\copy bulk from '%s'\nselect 'goes on';", file))
	if in.status != 0 || in.out != "goes on\n" {
		t.Fatalf("copy in: %+v", in)
	}
	rows := strings.Count(b.String(), "\n")
	if got, want := w.onServer(ctx, t, database, "select count(*), sum(length(i::text) + length(filler) + 2) from bulk"), fmt.Sprintf("%d|%d", rows, b.Len()); got != want {
		t.Errorf("the server holds %s, want %s", got, want)
	}
	out := w.psql(ctx, t, "db", database, "", "-c", "copy bulk to stdout")
	if out.status != 0 || sha256.Sum256([]byte(out.out)) != sha256.Sum256([]byte(b.String())) {
		t.Errorf("copy out: status %d, %d bytes of %d, %s", out.status, len(out.out), b.Len(), out.err)
	}
	// The agent gives a COPY up in its middle: the server has none of it, and the session goes on.
	half := w.psql(ctx, t, "db", database, "copy bulk from stdin;\n1\tone\nno number\ttwo\n\\.\nselect 'goes on';")
	if half.out != "goes on\n" || !strings.Contains(half.err, "22P02") {
		t.Errorf("a COPY that fails: %+v", half)
	}
	if got := w.onServer(ctx, t, database, "select count(*) from bulk"); got != fmt.Sprint(rows) {
		t.Errorf("after a COPY that failed there are %s rows, want %d", got, rows)
	}
}

// TestRelay: with plugin "none" everything passes unseen, and only the connection is on record.
func TestRelay(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	database := w.database(ctx, t, shop)
	before := len(w.gw.Receipts())
	got := w.psql(ctx, t, "plain", database, "drop table customers;\nselect count(*) from ledger;")
	if got.status != 0 || got.out != "1\n" || got.err != "" {
		t.Errorf("psql: %+v", got)
	}
	if left := w.onServer(ctx, t, database, "select count(*) from pg_class where relname = 'customers'"); left != "0" {
		t.Error("the table is still there")
	}
	until(ctx, t, "the end of the connection on record", func() bool { return strings.Contains(w.gw.Receipts()[before:], `"kind":"end"`) })
	record := w.gw.Receipts()[before:]
	if n := strings.Count(record, `"kind":"decision"`); n != 1 || !strings.Contains(record, `"family":"connect"`) || strings.Contains(record, "customers") {
		t.Errorf("the record:\n%s", record)
	}
}
