package session

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

var modes = []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
	pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol}

// wantDenied checks that err is the gateway's denial.
func wantDenied(t *testing.T, err error) {
	t.Helper()
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		t.Fatalf("want a denial, got %v", err)
	}
	if e.Code != "42501" || !strings.HasPrefix(e.Message, "no ") || !strings.Contains(e.Detail, `rule "test rule", receipt r`) {
		t.Fatalf("want a denial, got %+v", e)
	}
}

func TestPsql(t *testing.T) {
	v := startLive(t, noDeletes)
	name := table(t, 3)
	out := v.psql(t, nil, "-c", "SELECT name FROM "+name+" ORDER BY id")
	if out != "row 1\nrow 2\nrow 3\n" {
		t.Errorf("SELECT: %q", out)
	}
	out = v.psql(t, nil, "-v", "VERBOSITY=verbose", "-c", "DELETE FROM "+name)
	for _, want := range []string{"42501", "no delete", `rule "test rule", receipt r`} {
		if !strings.Contains(out, want) {
			t.Errorf("DELETE: %q does not say %q", out, want)
		}
	}
	out = v.psql(t, strings.NewReader("SELECT 1; DELETE FROM "+name+";\nSELECT 2;\n"))
	if !strings.HasPrefix(out, "1\n") || !strings.HasSuffix(out, "2\n") || !strings.Contains(out, "ERROR:  no delete") {
		t.Errorf("a script: %q", out)
	}
	if n := count(t, name); n != 3 {
		t.Errorf("%d rows are left", n)
	}
	out = v.psql(t, strings.NewReader("COPY "+name+" FROM STDIN;\n4\tvier\n5\tfünf\n\\.\nSELECT name FROM "+name+" WHERE id > 3;\n\\copy "+name+" to stdout\n"))
	if !strings.Contains(out, "vier\nfünf\n") || !strings.Contains(out, "3\trow 3\n") {
		t.Errorf("COPY: %q", out)
	}
}

func TestPgxModes(t *testing.T) {
	v := startLive(t, noDeletes)
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			name := table(t, 10)
			ctx := t.Context()
			conn := v.connect(t, func(c *pgx.ConnConfig) { c.DefaultQueryExecMode = mode })
			work := func() {
				t.Helper()
				for range 2 {
					var text string
					if err := conn.QueryRow(ctx, "SELECT name FROM "+name+" WHERE id = $1", 7).Scan(&text); err != nil || text != "row 7" {
						t.Fatalf("%q, %v", text, err)
					}
				}
				if _, err := conn.Exec(ctx, "UPDATE "+name+" SET name = name WHERE id = $1", 1); err != nil {
					t.Fatal(err)
				}
			}
			work()
			for range 2 { // autocommit
				_, err := conn.Exec(ctx, "DELETE FROM "+name+" WHERE id = $1", 1)
				wantDenied(t, err)
				work()
			}

			tx, err := conn.Begin(ctx) // a transaction
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(ctx, "UPDATE "+name+" SET name = 'lost'"); err != nil {
				t.Fatal(err)
			}
			_, err = tx.Exec(ctx, "DELETE FROM "+name)
			wantDenied(t, err)
			if status := conn.PgConn().TxStatus(); status != 'E' {
				t.Errorf("status %c", status)
			}
			_, err = tx.Exec(ctx, "SELECT 1")
			var e *pgconn.PgError
			if !errors.As(err, &e) || e.Code != "25P02" {
				t.Errorf("in the failed transaction: %v", err)
			}
			_, err = tx.Exec(ctx, "TRUNCATE "+name)
			wantDenied(t, err)
			if err := tx.Commit(ctx); !errors.Is(err, pgx.ErrTxCommitRollback) {
				t.Errorf("COMMIT: %v", err)
			}
			work()

			tx, err = conn.Begin(ctx) // a savepoint
			if err != nil {
				t.Fatal(err)
			}
			inner, err := tx.Begin(ctx)
			if err != nil {
				t.Fatal(err)
			}
			_, err = inner.Exec(ctx, "DELETE FROM "+name)
			wantDenied(t, err)
			if err := inner.Rollback(ctx); err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(ctx, "UPDATE "+name+" SET name = 'kept' WHERE id = 9"); err != nil {
				t.Fatal(err)
			}
			if err := tx.Commit(ctx); err != nil {
				t.Fatal(err)
			}
			work()

			var kept, lost int
			if err := conn.QueryRow(ctx, "SELECT count(*) FILTER (WHERE name = 'kept'), count(*) FILTER (WHERE name = 'lost') FROM "+name).Scan(&kept, &lost); err != nil {
				t.Fatal(err)
			}
			if kept != 1 || lost != 0 || count(t, name) != 10 {
				t.Errorf("%d kept, %d lost, %d rows", kept, lost, count(t, name))
			}
		})
	}
}

func TestPgxBatch(t *testing.T) {
	v := startLive(t, noDeletes)
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			name := table(t, 10)
			ctx := t.Context()
			conn := v.connect(t, func(c *pgx.ConnConfig) { c.DefaultQueryExecMode = mode })
			batch := &pgx.Batch{}
			batch.Queue("UPDATE "+name+" SET name = 'lost' WHERE id = $1", 1)
			batch.Queue("SELECT name FROM "+name+" WHERE id = $1", 2)
			batch.Queue("DELETE FROM "+name+" WHERE id = $1", 3)
			batch.Queue("UPDATE "+name+" SET name = 'lost' WHERE id = $1", 4)
			wantDenied(t, conn.SendBatch(ctx, batch).Close())
			good := &pgx.Batch{}
			for i := range 20 {
				good.Queue("SELECT name FROM "+name+" WHERE id = $1", 1+i%10)
			}
			results := conn.SendBatch(ctx, good)
			for i := range 20 {
				var text string
				if err := results.QueryRow().Scan(&text); err != nil || text != fmt.Sprint("row ", 1+i%10) {
					t.Fatalf("%q, %v", text, err)
				}
			}
			if err := results.Close(); err != nil {
				t.Fatal(err)
			}
			if count(t, name) != 10 {
				t.Error("rows are gone")
			}
		})
	}
}

func TestPgxPipeline(t *testing.T) {
	v := startLive(t, noDeletes)
	name := table(t, 10)
	ctx := t.Context()
	conn := v.connect(t, nil).PgConn()
	p := conn.StartPipeline(ctx)
	p.SendQueryParams("SELECT 1", nil, nil, nil, nil)
	p.SendPipelineSync()
	p.SendQueryParams("UPDATE "+name+" SET name = 'lost'", nil, nil, nil, nil)
	p.SendQueryParams("DELETE FROM "+name, nil, nil, nil, nil)
	p.SendQueryParams("SELECT 2", nil, nil, nil, nil)
	p.SendPipelineSync()
	p.SendPrepare("s", "SELECT name FROM "+name+" WHERE id = $1", nil)
	p.SendQueryPrepared("s", [][]byte{[]byte("5")}, nil, nil)
	p.SendPipelineSync()
	if err := p.Flush(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		r, err := p.GetResults()
		if r == nil && err == nil {
			break
		}
		switch r := r.(type) {
		case *pgconn.ResultReader:
			result := r.Read()
			if result.Err != nil {
				got = append(got, "error")
				wantDenied(t, result.Err)
				break
			}
			for _, row := range result.Rows {
				got = append(got, string(row[0]))
			}
			got = append(got, result.CommandTag.String())
		case *pgconn.PipelineSync:
			got = append(got, "sync")
		case *pgconn.StatementDescription:
			got = append(got, "prepared")
		default:
			got = append(got, "error")
			wantDenied(t, err)
		}
		if len(got) > 50 {
			t.Fatal(got)
		}
	}
	want := "1,SELECT 1,sync,UPDATE 10,error,sync,prepared,row 5,SELECT 1,sync"
	if s := strings.Join(got, ","); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if r := conn.ExecParams(ctx, "SELECT count(*) FROM "+name+" WHERE name = 'lost'", nil, nil, nil, nil).Read(); r.Err != nil || string(r.Rows[0][0]) != "0" {
		t.Errorf("%+v: the implicit transaction was not rolled back", r)
	}
}

func TestPgxCopy(t *testing.T) {
	v := startLive(t, func(a *action) verdict {
		if a.Family.Name == "sql" && a.has("verbs", "copy") && strings.Contains(a.text(), "forbidden") {
			return deny("no copy")
		}
		return allow
	})
	name := table(t, 0)
	ctx := t.Context()
	conn := v.connect(t, nil)
	rows := make([][]any, 20000)
	for i := range rows {
		rows[i] = []any{i, strings.Repeat("x", 100)}
	}
	if n, err := conn.CopyFrom(ctx, pgx.Identifier{name}, []string{"id", "name"}, pgx.CopyFromRows(rows)); err != nil || n != 20000 {
		t.Fatalf("%d, %v", n, err)
	}
	var out strings.Builder
	if _, err := conn.PgConn().CopyTo(ctx, &out, "COPY "+name+" TO STDOUT"); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n != 20000 {
		t.Errorf("%d lines", n)
	}
	_, err := conn.PgConn().CopyFrom(ctx, strings.NewReader("1\ta\n"), "COPY "+name+" (id, name) FROM STDIN /* forbidden */")
	wantDenied(t, err)
	// Bad data: the server fails in the middle, what the client still sends is ignored.
	_, err = conn.PgConn().CopyFrom(ctx, strings.NewReader(strings.Repeat("bad\tdata\n", 100000)), "COPY "+name+" FROM STDIN")
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "22P02" {
		t.Errorf("%v", err)
	}
	if err := conn.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	if n := count(t, name); n != 20000 {
		t.Errorf("%d rows", n)
	}
}

func TestLogins(t *testing.T) {
	v := startLive(t, func(a *action) verdict {
		if a.Family.Name == abi.FamilyConnect && a.value("database").Str == "template1" {
			return deny("no template1")
		}
		if a.Class == abi.ClassAdmin && a.value("replication").Bool {
			return deny("no replication")
		}
		return allow
	})
	d := direct(t)
	if _, err := d.Exec(t.Context(), "DROP ROLE IF EXISTS scram; CREATE ROLE scram LOGIN PASSWORD 'right'"); err != nil {
		t.Fatal(err)
	}
	conn := v.connect(t, func(c *pgx.ConnConfig) { c.User, c.Password = "scram", "right" })
	var user string
	if err := conn.QueryRow(t.Context(), "SELECT current_user").Scan(&user); err != nil || user != "scram" {
		t.Fatalf("%q, %v", user, err)
	}
	for name, change := range map[string]func(*pgx.ConnConfig){
		"28P01":  func(c *pgx.ConnConfig) { c.User, c.Password = "scram", "wrong" },
		"3D000":  func(c *pgx.ConnConfig) { c.Database = "nowhere" },
		"42501":  func(c *pgx.ConnConfig) { c.Database = "template1" },
		"42501 ": func(c *pgx.ConnConfig) { c.RuntimeParams["replication"] = "database" },
	} {
		config, _ := pgx.ParseConfig(v.url("postgres"))
		change(config)
		_, err := pgx.ConnectConfig(t.Context(), config)
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != strings.TrimSpace(name) || e.Severity != "FATAL" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
