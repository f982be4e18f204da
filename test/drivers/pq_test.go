package drivers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

// pqPlayer is lib/pq by database/sql, on one connection.
type pqPlayer struct {
	db *sql.DB
	c  *sql.Conn
	tx *sql.Tx
}

// newPQ connects; binary is the setting binary_parameters.
func newPQ(ctx context.Context, binary string) (player, error) {
	dsn := ""
	if binary != "" {
		dsn = "binary_parameters=" + binary
	}
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return nil, err
	}
	c, err := db.Conn(ctx)
	return &pqPlayer{db: db, c: c}, err
}

func (p *pqPlayer) close(context.Context) error { return errors.Join(p.c.Close(), p.db.Close()) }

func pqError(err error) error {
	var e *pq.Error
	if errors.As(err, &e) {
		return &failed{string(e.Code), e.Message}
	}
	return err
}

// runner is a connection or the transaction on it.
type runner interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func (p *pqPlayer) on() runner {
	if p.tx != nil {
		return p.tx
	}
	return p.c
}

func (p *pqPlayer) play(ctx context.Context, s step) (any, error) {
	switch s.Do {
	case "query":
		return p.query(ctx, s.SQL, s.Args)
	case "exec":
		return p.exec(ctx, s.SQL, s.Args)
	case "run":
		return p.run(ctx, s.SQL)
	case "begin":
		return p.begin(ctx)
	case "commit":
		return p.commit()
	case "rollback":
		err := p.tx.Rollback()
		p.tx = nil
		return ok, pqError(err)
	case "prepared":
		return p.prepared(ctx, s)
	case "batch":
		return p.run(ctx, strings.Join(s.Statements, "; "))
	case "queue":
		return several(s.Statements, func(q string) (any, error) { return p.query(ctx, q, nil) })
	case "stream":
		return p.stream(ctx, s)
	case "copy":
		return p.copyIn(ctx, s)
	}
	return nil, fmt.Errorf("no step %q", s.Do)
}

func (p *pqPlayer) query(ctx context.Context, q string, args []any) (any, error) {
	found, err := p.on().QueryContext(ctx, q, args...)
	if err != nil {
		return nil, pqError(err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	var all [][]any
	for found.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			return nil, err
		}
		row := make([]any, len(columns))
		for i, v := range values {
			if v.Valid {
				row[i] = v.String
			}
		}
		all = append(all, row)
	}
	return rows(all), pqError(found.Err())
}

func (p *pqPlayer) exec(ctx context.Context, q string, args []any) (any, error) {
	result, err := p.on().ExecContext(ctx, q, args...)
	if err != nil {
		return nil, pqError(err)
	}
	n, err := result.RowsAffected()
	return object{"count": n}, err
}

func (p *pqPlayer) run(ctx context.Context, q string) (any, error) {
	_, err := p.on().ExecContext(ctx, q)
	return ok, pqError(err)
}

func (p *pqPlayer) begin(ctx context.Context) (_ any, err error) {
	p.tx, err = p.c.BeginTx(ctx, nil)
	return ok, pqError(err)
}

// commit: the driver knows that the transaction has failed, sends ROLLBACK and says so.
func (p *pqPlayer) commit() (any, error) {
	err := p.tx.Commit()
	p.tx = nil
	if err != nil && strings.Contains(err.Error(), "failed transaction") {
		return object{"commit": "rolled back"}, nil
	}
	return object{"commit": "done"}, pqError(err)
}

func (p *pqPlayer) prepared(ctx context.Context, s step) (any, error) {
	st, err := p.on().PrepareContext(ctx, s.SQL)
	if err == nil {
		defer st.Close()
	}
	return several(s.Times, func(args []any) (any, error) {
		if err != nil {
			return nil, pqError(err)
		}
		result, err := st.ExecContext(ctx, args...)
		if err != nil {
			return nil, pqError(err)
		}
		n, err := result.RowsAffected()
		return object{"count": n}, err
	})
}

func (p *pqPlayer) stream(ctx context.Context, s step) (any, error) {
	if _, err := p.run(ctx, "declare streaming cursor for "+s.SQL); err != nil {
		return nil, err
	}
	fetch := func(n string) (int64, error) {
		found, err := p.on().QueryContext(ctx, "fetch "+n+" from streaming")
		if err != nil {
			return 0, pqError(err)
		}
		defer found.Close()
		var count int64
		for found.Next() {
			count++
		}
		return count, pqError(found.Err())
	}
	return streaming(s, fetch, func(q string) (any, error) { return p.exec(ctx, q, nil) })
}

// copyIn: the driver copies in a transaction only.
func (p *pqPlayer) copyIn(ctx context.Context, s step) (result any, err error) {
	if p.tx == nil {
		if _, err := p.begin(ctx); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				_ = p.tx.Rollback()
			} else {
				err = p.tx.Commit()
			}
			p.tx = nil
		}()
	}
	st, err := p.tx.PrepareContext(ctx, "copy "+s.Table+" (id, amount) from stdin")
	if err != nil {
		return nil, pqError(err)
	}
	defer st.Close()
	for _, row := range s.Rows {
		if _, err := st.ExecContext(ctx, row...); err != nil {
			return nil, pqError(err)
		}
	}
	done, err := st.ExecContext(ctx)
	if err != nil {
		return nil, pqError(err)
	}
	n, err := done.RowsAffected()
	return object{"count": n}, err
}
