package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// raw speaks the protocol itself, as no client library would.
type raw struct {
	*pgproto3.Frontend
	conn *net.TCPConn
}

func dialRaw(ctx context.Context, address, database string) (*raw, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if at, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(at)
	}
	r := &raw{pgproto3.NewFrontend(c, c), c.(*net.TCPConn)}
	r.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersionNumber, Parameters: map[string]string{"user": "postgres", "database": database}})
	if err := r.Flush(); err != nil {
		return nil, err
	}
	_, err = r.answer()
	return r, err
}

// answer reads up to ReadyForQuery and returns a word for what came: the code of an error, and the values of rows.
func (r *raw) answer() (string, error) {
	var words []string
	for {
		m, err := r.Receive()
		if err != nil {
			return strings.Join(words, " "), err
		}
		switch m := m.(type) {
		case *pgproto3.ErrorResponse:
			words = append(words, m.Code)
		case *pgproto3.DataRow:
			words = append(words, string(m.Values[0]))
		case *pgproto3.ReadyForQuery:
			return strings.Join(words, " "), nil
		}
	}
}

// rawRole makes a role of a conversation. Its arguments are an address and a database.
func rawRole(talk func(r *raw) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		r, err := dialRaw(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		defer r.conn.Close()
		if err := talk(r); err != nil {
			return err
		}
		fmt.Println("done")
		return nil
	}
}

var rawRoles = map[string]func(r *raw) error{
	"raw-pipeline": rawPipeline,
	"raw-extended": rawExtended,
	"raw-function": rawFunction,
	"raw-lies":     rawLies,
}

// rawPipeline sends many queries, denied ones among them, and shuts its side before it reads anything.
func rawPipeline(r *raw) error {
	const queries = 60
	for i := range queries {
		sql := fmt.Sprintf("select 'answer %d'", i)
		if i%3 == 1 {
			sql = "delete from customers /* unseen_raw_1 */"
		}
		r.SendQuery(&pgproto3.Query{String: sql})
	}
	if err := r.Flush(); err != nil {
		return err
	}
	if err := r.conn.CloseWrite(); err != nil {
		return err
	}
	for i := range queries {
		want := fmt.Sprintf("answer %d", i)
		if i%3 == 1 {
			want = "42501"
		}
		if got, err := r.answer(); err != nil || got != want {
			return fmt.Errorf("answer %d: %q, %w", i, got, err)
		}
	}
	if got, err := r.answer(); got != "" || !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the last answer: %q, %w", got, err)
	}
	return nil
}

// rawExtended prepares under a name what is allowed, then denied statements under the same and under other names, and executes all of
// them in one go.
func rawExtended(r *raw) error {
	for _, c := range []struct {
		messages []pgproto3.FrontendMessage
		want     string
	}{
		{[]pgproto3.FrontendMessage{&pgproto3.Parse{Name: "s", Query: "select 'one'"}, &pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Execute{}, &pgproto3.Sync{}}, "one"},
		// The name is taken: the server refuses it, and the old statement stays.
		{[]pgproto3.FrontendMessage{&pgproto3.Parse{Name: "s", Query: "delete from customers /* unseen_raw_2 */"}, &pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Execute{}, &pgproto3.Sync{}}, "42501"},
		{[]pgproto3.FrontendMessage{&pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Execute{}, &pgproto3.Sync{}}, "one"},
		// Closed and prepared again in one pipeline.
		{[]pgproto3.FrontendMessage{&pgproto3.Close{ObjectType: 'S', Name: "s"}, &pgproto3.Parse{Name: "s", Query: "truncate customers /* unseen_raw_3 */"},
			&pgproto3.Bind{PreparedStatement: "s"}, &pgproto3.Execute{}, &pgproto3.Sync{}}, "42501"},
		// What comes behind a denial is skipped up to Sync, also what would be allowed.
		{[]pgproto3.FrontendMessage{&pgproto3.Parse{Query: "delete from customers /* unseen_raw_4 */"}, &pgproto3.Bind{}, &pgproto3.Execute{},
			&pgproto3.Parse{Query: "select 'skipped'"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{},
			&pgproto3.Parse{Query: "select 'two'"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}}, "42501"},
		{nil, "two"}, // the second Sync of the last
		{[]pgproto3.FrontendMessage{&pgproto3.Bind{PreparedStatement: "nothing"}, &pgproto3.Execute{}, &pgproto3.Sync{}}, "42501"},
		{[]pgproto3.FrontendMessage{&pgproto3.Query{String: "select 'three'"}}, "three"},
	} {
		for _, m := range c.messages {
			r.Send(m)
		}
		if err := r.Flush(); err != nil {
			return err
		}
		if got, err := r.answer(); err != nil || got != c.want {
			return fmt.Errorf("%+v: %q, want %q, %w", c.messages, got, c.want, err)
		}
	}
	return nil
}

// rawFunction calls a function by its number: 1598 is random(), 2971 is text(boolean).
func rawFunction(r *raw) error {
	r.Send(&pgproto3.FunctionCall{Function: 1598, ResultFormatCode: 0})
	r.SendQuery(&pgproto3.Query{String: "select 'after'"})
	if err := r.Flush(); err != nil {
		return err
	}
	for _, want := range []string{"42501", "after"} {
		if got, err := r.answer(); err != nil || got != want {
			return fmt.Errorf("%q, want %q, %w", got, want, err)
		}
	}
	return nil
}

// rawLies sends what is no message: the session ends with an error, and nothing of it reaches the server.
func rawLies(r *raw) error {
	if _, err := r.conn.Write([]byte("Q\xff\xff\xff\xf0select 'unseen_raw_5'\x00")); err != nil {
		return err
	}
	if got, err := r.answer(); err == nil || !strings.HasPrefix(got, "08P01") && got != "" {
		return fmt.Errorf("a message with an impossible length: %q, %w", got, err)
	}
	return nil
}

func TestRaw(t *testing.T) {
	w := shared
	database := w.database(t.Context(), t, shop)
	for role := range rawRoles {
		t.Run(role, func(t *testing.T) {
			ctx := w.deadline(t, w.gw)
			got := finish(ctx, t, agentRole(ctx, w.gw, role, fmt.Sprintf("db:%d", w.port("db")), database), "")
			if got.status != 0 || got.out != "done\n" {
				t.Errorf("%+v", got)
			}
			if n := w.onServer(ctx, t, database, "select count(*) from customers"); n != "3" {
				t.Errorf("%s customers", n)
			}
		})
	}
	if strings.Contains(w.pg.Log(), "unseen_raw") {
		t.Error("something that was denied reached the server")
	}
}
