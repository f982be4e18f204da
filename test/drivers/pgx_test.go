package drivers

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pgxPlayer is pgx: in one of its modes, with its own batches, pipelines and COPY.
type pgxPlayer struct{ c *pgx.Conn }

func newPgx(ctx context.Context, mode string) (player, error) {
	c, err := pgx.Connect(ctx, "default_query_exec_mode="+mode)
	return &pgxPlayer{c}, err
}

func (p *pgxPlayer) close(ctx context.Context) error { return p.c.Close(ctx) }

// pgxError makes an error of the server a *failed.
func pgxError(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return &failed{e.Code, e.Message}
	}
	return err
}

func (p *pgxPlayer) play(ctx context.Context, s step) (any, error) {
	switch s.Do {
	case "query":
		return p.query(ctx, s.SQL, s.Args)
	case "exec":
		return p.exec(ctx, s.SQL, s.Args)
	case "run":
		return p.run(ctx, s.SQL)
	case "begin", "rollback":
		return p.run(ctx, s.Do)
	case "commit":
		tag, err := p.c.Exec(ctx, "commit")
		return object{"commit": map[string]string{"COMMIT": "done", "ROLLBACK": "rolled back"}[tag.String()]}, pgxError(err)
	case "prepared":
		return p.prepared(ctx, s)
	case "batch":
		b := &pgx.Batch{}
		for _, sql := range s.Statements {
			b.Queue(sql)
		}
		return ok, pgxError(p.c.SendBatch(ctx, b).Close())
	case "queue":
		return p.queue(ctx, s.Statements)
	case "stream":
		return p.stream(ctx, s)
	case "copy":
		n, err := p.c.CopyFrom(ctx, pgx.Identifier{s.Table}, []string{"id", "amount"}, pgx.CopyFromRows(s.Rows))
		return object{"count": n}, pgxError(err)
	}
	return nil, fmt.Errorf("no step %q", s.Do)
}

func (p *pgxPlayer) query(ctx context.Context, sql string, args []any) (any, error) {
	found, err := p.c.Query(ctx, sql, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
	if err != nil {
		return nil, pgxError(err)
	}
	defer found.Close()
	var all [][]any
	for found.Next() {
		var row []any
		for _, v := range found.RawValues() {
			if v == nil {
				row = append(row, nil)
			} else {
				row = append(row, string(v))
			}
		}
		all = append(all, row)
	}
	return rows(all), pgxError(found.Err())
}

func (p *pgxPlayer) exec(ctx context.Context, sql string, args []any) (any, error) {
	tag, err := p.c.Exec(ctx, sql, args...)
	return object{"count": tag.RowsAffected()}, pgxError(err)
}

func (p *pgxPlayer) run(ctx context.Context, sql string) (any, error) {
	_, err := p.c.Exec(ctx, sql)
	return ok, pgxError(err)
}

func (p *pgxPlayer) prepared(ctx context.Context, s step) (any, error) {
	_, err := p.c.Prepare(ctx, "prepared", s.SQL)
	if err == nil {
		defer func() { _ = p.c.Deallocate(ctx, "prepared") }()
	}
	return several(s.Times, func(args []any) (any, error) {
		if err != nil {
			return nil, pgxError(err)
		}
		return p.exec(ctx, "prepared", args)
	})
}

// queue is a pipeline with a Sync behind each statement: everything is sent before the first answer is read.
func (p *pgxPlayer) queue(ctx context.Context, statements []string) (any, error) {
	pipe := p.c.PgConn().StartPipeline(ctx)
	for _, sql := range statements {
		pipe.SendQueryParams(sql, nil, nil, nil, nil)
		if err := pipe.Sync(); err != nil {
			return nil, err
		}
	}
	var results []any
	for len(results) < len(statements) {
		got, err := pipe.GetResults()
		if err != nil {
			r, err := attempt(nil, pgxError(err))
			if err != nil {
				return nil, err
			}
			results = append(results, r)
			continue
		}
		if reader, isRows := got.(*pgconn.ResultReader); isRows {
			r, err := attempt(readAll(reader))
			if err != nil {
				return nil, err
			}
			results = append(results, r)
		}
	}
	return object{"results": results}, pipe.Close()
}

func readAll(reader *pgconn.ResultReader) (any, error) {
	var all [][]any
	for reader.NextRow() {
		var row []any
		for _, v := range reader.Values() {
			row = append(row, string(v))
		}
		all = append(all, row)
	}
	_, err := reader.Close()
	return rows(all), pgxError(err)
}

// stream reads a cursor of SQL in parts: pgx reads a result to its end before it sends anything else.
func (p *pgxPlayer) stream(ctx context.Context, s step) (any, error) {
	if _, err := p.run(ctx, "declare streaming cursor for "+s.SQL); err != nil {
		return nil, err
	}
	fetch := func(n string) (int64, error) {
		tag, err := p.c.Exec(ctx, "fetch "+n+" from streaming")
		return tag.RowsAffected(), pgxError(err)
	}
	return streaming(s, fetch, func(sql string) (any, error) { return p.exec(ctx, sql, nil) })
}

// streaming fetches some rows, does something else, and fetches the rest.
func streaming(s step, fetch func(n string) (int64, error), exec func(sql string) (any, error)) (any, error) {
	first, err := fetch(fmt.Sprint(s.Fetch))
	if err != nil {
		return nil, err
	}
	during, err := attempt(exec(s.During))
	if err != nil {
		return nil, err
	}
	n, err := fetch("all")
	rest, err := attempt(object{"rows": n}, err)
	return object{"first": first, "during": during, "rest": rest}, err
}
