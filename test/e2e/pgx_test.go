package e2e

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgxRoles are what runs inside the tunnel. Their arguments are a connection string and the name of a query exec mode.
var pgxRoles = map[string]func(ctx context.Context, c *pgx.Conn) error{
	"pgx-session":  pgxSession,
	"pgx-pipeline": pgxPipeline,
	"pgx-copy":     pgxCopy,
	"pgx-held":     pgxHeld,
	"results":      results,
}

// pgxRole makes a role of what works on a connection.
func pgxRole(work func(context.Context, *pgx.Conn) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		c, err := pgx.Connect(ctx, args[0])
		if err != nil {
			return err
		}
		defer c.Close(context.WithoutCancel(ctx))
		if err := work(ctx, c); err != nil {
			return err
		}
		// Whatever happened, the connection is one that works.
		var n int
		if err := c.QueryRow(ctx, "select count(*) from customers where id = any ($1)", []int{1, 2, 3}).Scan(&n); err != nil || n != 3 {
			return fmt.Errorf("afterwards: %d customers, %w", n, err)
		}
		if tx := c.PgConn().TxStatus(); tx != 'I' {
			return fmt.Errorf("afterwards the transaction status is %q", tx)
		}
		fmt.Println("done")
		return nil
	}
}

// denied checks that err is a denial, as a driver sees it.
func denied(err error, reason string) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return fmt.Errorf("no error of the server but %w", err)
	}
	if e.Code != "42501" || e.Message != reason || !strings.Contains(e.Detail, "receipt ") || e.Severity != "ERROR" {
		return fmt.Errorf("not the denial: %+v", *e)
	}
	return nil
}

const unbounded = "UPDATE and DELETE need a WHERE clause"

// pgxSession: statements one by one, in whatever query exec mode the connection has.
func pgxSession(ctx context.Context, c *pgx.Conn) error {
	for range 3 { // the statement cache comes in from the second time on
		var name string
		if err := c.QueryRow(ctx, "select name from customers where id = $1", 2).Scan(&name); err != nil || name != "Grace" {
			return fmt.Errorf("select: %q, %w", name, err)
		}
		if _, err := c.Exec(ctx, "update customers set name = name || $1", "!"); true {
			if err := denied(err, unbounded); err != nil {
				return fmt.Errorf("update: %w", err)
			}
		}
		if tag, err := c.Exec(ctx, "update customers set name = $2 where id = $1", 2, "Grace"); err != nil || tag.RowsAffected() != 1 {
			return fmt.Errorf("bounded update: %v, %w", tag, err)
		}
		if rows, err := c.Query(ctx, "delete from customers returning id"); err == nil {
			rows.Close()
			if err := denied(rows.Err(), unbounded); err != nil {
				return fmt.Errorf("delete returning: %w", err)
			}
		} else if err := denied(err, unbounded); err != nil {
			return fmt.Errorf("delete returning: %w", err)
		}
	}
	return pgxTransaction(ctx, c)
}

// pgxTransaction: a denial fails the transaction, a savepoint recovers it.
func pgxTransaction(ctx context.Context, c *pgx.Conn) error {
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "insert into customers values ($1, $2)", 10, "gone"); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "delete from customers")
	if err := denied(err, unbounded); err != nil {
		return fmt.Errorf("in a transaction: %w", err)
	}
	var e *pgconn.PgError
	if _, err := tx.Exec(ctx, "select 1"); !errors.As(err, &e) || e.Code != "25P02" {
		return fmt.Errorf("in a failed transaction: %w", err)
	}
	if err := tx.Commit(ctx); !errors.Is(err, pgx.ErrTxCommitRollback) {
		return fmt.Errorf("commit of a failed transaction: %w", err)
	}
	if tx, err = c.Begin(ctx); err != nil {
		return err
	}
	inner, err := tx.Begin(ctx) // a savepoint
	if err != nil {
		return err
	}
	_, err = inner.Exec(ctx, "delete from customers")
	if err := denied(err, unbounded); err != nil {
		return fmt.Errorf("after a savepoint: %w", err)
	}
	if err := inner.Rollback(ctx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "update customers set visits = visits + 1 where id = $1", 1); err != nil {
		return fmt.Errorf("after the rollback to a savepoint: %w", err)
	}
	return tx.Commit(ctx)
}

// pgxPipeline: a denied statement in the middle of a pipeline fails what comes behind it up to the Sync, as PostgreSQL does.
func pgxPipeline(ctx context.Context, c *pgx.Conn) error {
	for range 3 {
		b := &pgx.Batch{}
		b.Queue("insert into customers values ($1, $2)", 20, "before")
		b.Queue("update customers set name = $1", "everybody")
		b.Queue("insert into customers values ($1, $2)", 21, "after")
		r := c.SendBatch(ctx, b)
		// pgx prepares what is new before it sends the batch; a denial of that is the first error.
		_, first := r.Exec()
		_, second := r.Exec()
		if first != nil {
			second = first
		}
		if err := denied(second, unbounded); err != nil {
			return fmt.Errorf("the denied statement of a batch: %w", err)
		}
		if _, err := r.Exec(); err == nil {
			return errors.New("a statement behind the denied one succeeded")
		}
		_ = r.Close()
		var n int
		if err := c.QueryRow(ctx, "select count(*) from customers where id >= 20").Scan(&n); err != nil || n != 0 {
			return fmt.Errorf("%d rows of a batch that failed, %w", n, err)
		}
	}
	return pgxOwnPipeline(ctx, c)
}

// pgxOwnPipeline has several Syncs under way at once: each segment stands for itself.
func pgxOwnPipeline(ctx context.Context, c *pgx.Conn) error {
	const segments = 20
	p := c.PgConn().StartPipeline(ctx)
	for i := range segments {
		sql := "update customers set visits = visits + 1 where id = $1"
		if i%4 == 1 {
			sql = "delete from customers where $1::text is not null or true"
		}
		p.SendQueryParams(sql, [][]byte{[]byte("2")}, nil, nil, nil)
		if err := p.Sync(); err != nil {
			return err
		}
	}
	good, bad, syncs := 0, 0, 0
	for syncs < segments {
		result, err := p.GetResults()
		if err != nil {
			if err := denied(err, unbounded); err != nil {
				return fmt.Errorf("segment %d: %w", syncs, err)
			}
			bad++
			continue
		}
		switch r := result.(type) {
		case *pgconn.ResultReader:
			if tag, err := r.Close(); err != nil {
				if err := denied(err, unbounded); err != nil {
					return fmt.Errorf("segment %d: %w", syncs, err)
				}
				bad++
			} else if tag.RowsAffected() == 1 {
				good++
			}
		case *pgconn.PipelineSync:
			syncs++
		}
	}
	if err := p.Close(); err != nil {
		return err
	}
	if want := segments / 4; bad != want || good != segments-want {
		return fmt.Errorf("%d segments succeeded and %d were denied", good, bad)
	}
	return nil
}

// pgxCopy copies in, in binary, and out again; a table that is closed stays closed.
func pgxCopy(ctx context.Context, c *pgx.Conn) error {
	const rows = 5000
	n, err := c.CopyFrom(ctx, pgx.Identifier{"bulk"}, []string{"i", "filler"}, pgx.CopyFromSlice(rows, func(i int) ([]any, error) {
		return []any{i, strings.Repeat(strconv.Itoa(i), 20)}, nil
	}))
	if err != nil || n != rows {
		return fmt.Errorf("copy in: %d rows, %w", n, err)
	}
	var out strings.Builder
	if _, err := c.PgConn().CopyTo(ctx, &out, "copy (select filler from bulk order by i) to stdout"); err != nil {
		return fmt.Errorf("copy out: %w", err)
	}
	for i, line := range lines(out.String()) {
		if line != strings.Repeat(strconv.Itoa(i), 20) {
			return fmt.Errorf("copy out: line %d is %q", i, line)
		}
	}
	_, err = c.CopyFrom(ctx, pgx.Identifier{"ledger"}, []string{"id", "amount"}, pgx.CopyFromRows([][]any{{7, 7}}))
	if err := denied(err, "nobody writes to the ledger"); err != nil {
		return fmt.Errorf("copy into the ledger: %w", err)
	}
	return nil
}

// crowd is a role: many connections at once, each with work of its own, so that what belongs to one would show at another.
func crowd(ctx context.Context, args []string) error {
	const agents = 40
	work := func(i int) error {
		c, err := pgx.Connect(ctx, args[0])
		if err != nil {
			return err
		}
		defer c.Close(context.WithoutCancel(ctx))
		for j := range 5 {
			var got string
			if err := c.QueryRow(ctx, "select $1::text || '/' || $2::text", strconv.Itoa(i), strconv.Itoa(j)).Scan(&got); err != nil || got != fmt.Sprintf("%d/%d", i, j) {
				return fmt.Errorf("%d/%d: %q, %w", i, j, got, err)
			}
			if (i+j)%3 == 0 {
				_, err := c.Exec(ctx, "delete from customers")
				if err := denied(err, unbounded); err != nil {
					return fmt.Errorf("%d/%d: %w", i, j, err)
				}
			}
		}
		return nil
	}
	results := make(chan error)
	for i := range agents {
		go func() { results <- work(i) }()
	}
	var all error
	for range agents {
		all = errors.Join(all, <-results)
	}
	if all == nil {
		fmt.Println("done")
	}
	return all
}

func TestPgx(t *testing.T) {
	w := shared
	database := w.database(t.Context(), t, shop+"alter table customers add visits int default 0; create table bulk (i int, filler text);")
	url := fmt.Sprintf("host=db port=%d user=postgres dbname=%s sslmode=disable", w.port("db"), database)
	visits := 0
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			ctx := w.deadline(t, w.gw)
			w.pgx(ctx, t, "pgx-session", url+" default_query_exec_mode="+mode)
			visits++
			if got := w.onServer(ctx, t, database, "select count(*), max(visits), count(*) filter (where name like '%!') from customers"); got != fmt.Sprintf("3|%d|0", visits) {
				t.Errorf("the server has %s", got)
			}
		})
	}
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec"} {
		t.Run("pipeline "+mode, func(t *testing.T) {
			ctx := w.deadline(t, w.gw)
			before := w.onServer(ctx, t, database, "select visits from customers where id = 2")
			w.pgx(ctx, t, "pgx-pipeline", url+" default_query_exec_mode="+mode)
			if got := w.onServer(ctx, t, database, "select visits - "+before+", (select count(*) from customers) from customers where id = 2"); got != "15|3" {
				t.Errorf("the server has %s, want 15 visits and 3 customers", got)
			}
		})
	}
	t.Run("copy", func(t *testing.T) {
		ctx := w.deadline(t, w.gw)
		w.pgx(ctx, t, "pgx-copy", url)
		if got := w.onServer(ctx, t, database, "select count(*), (select count(*) from ledger) from bulk"); got != "5000|1" {
			t.Errorf("the server has %s", got)
		}
	})
	t.Run("crowd", func(t *testing.T) {
		ctx := w.deadline(t, w.gw)
		w.pgx(ctx, t, "crowd", url)
		until(ctx, t, "the gateway to let go", func() bool { return upstreams(t, w.gw.PID(), w.pg.Port) == 0 })
	})
	if strings.Contains(w.pg.Log(), "set name = name ||") {
		t.Error("a denied statement reached the server")
	}
}

// pgx runs a role inside the tunnel, which must succeed.
func (w *world) pgx(ctx context.Context, t *testing.T, role, url string) {
	t.Helper()
	got := finish(ctx, t, agentRole(ctx, w.gw, role, url), "")
	if got.status != 0 || got.out != "done\n" {
		t.Errorf("status %d, %q: %s", got.status, got.out, got.err)
	}
}
