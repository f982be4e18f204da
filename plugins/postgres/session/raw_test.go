package session

import (
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// raw is a client that says exactly what a test wants.
type raw struct {
	t    *testing.T
	conn net.Conn
	f    *pgproto3.Frontend
	dead bool
}

func (v *live) raw(t *testing.T) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", v.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r := &raw{t: t, conn: conn, f: pgproto3.NewFrontend(conn, conn)}
	r.send(&pgproto3.StartupMessage{ProtocolVersion: 196608, Parameters: map[string]string{"user": "postgres", "client_encoding": "UTF8"}})
	r.want("Z:I")
	return r
}

// send sends messages in one write.
func (r *raw) send(messages ...pgproto3.FrontendMessage) {
	r.t.Helper()
	var b []byte
	for _, m := range messages {
		var err error
		if b, err = m.Encode(b); err != nil {
			r.t.Fatal(err)
		}
	}
	r.write(b)
}

func (r *raw) write(b []byte) {
	r.t.Helper()
	if _, err := r.conn.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

// answers reads up to the next ReadyForQuery, or the end, and writes what came in short. What says nothing here (rows'
// descriptions, parameters) is left out.
func (r *raw) answers() string {
	var got []string
	for {
		m, err := r.f.Receive()
		if err != nil {
			r.dead = true
			return strings.Join(append(got, "EOF"), " ")
		}
		switch m := m.(type) {
		case *pgproto3.ReadyForQuery:
			return strings.Join(append(got, "Z:"+string(m.TxStatus)), " ")
		case *pgproto3.ErrorResponse:
			word := "E:" + m.Code
			if m.Severity == "FATAL" {
				word = "FATAL:" + m.Code
			}
			got = append(got, word)
		case *pgproto3.CommandComplete:
			got = append(got, "C:"+strings.ReplaceAll(string(m.CommandTag), " ", "-"))
		case *pgproto3.DataRow:
			got = append(got, "D:"+string(m.Values[0]))
		case *pgproto3.ParseComplete:
			got = append(got, "1")
		case *pgproto3.BindComplete:
			got = append(got, "2")
		case *pgproto3.CloseComplete:
			got = append(got, "3")
		case *pgproto3.CopyInResponse:
			return strings.Join(append(got, "G"), " ")
		case *pgproto3.PortalSuspended:
			got = append(got, "s")
		}
	}
}

// want compares the next answers.
func (r *raw) want(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := r.answers(); got != w {
			r.t.Errorf("the server answers %q, not %q", got, w)
			return
		}
	}
}

func query(text string) *pgproto3.Query { return &pgproto3.Query{String: text} }
func parse(name, text string) *pgproto3.Parse {
	return &pgproto3.Parse{Name: name, Query: text}
}
func bind(portal, name string) *pgproto3.Bind {
	return &pgproto3.Bind{DestinationPortal: portal, PreparedStatement: name}
}
func execute(portal string) *pgproto3.Execute { return &pgproto3.Execute{Portal: portal} }
func closing1(name string) *pgproto3.Close    { return &pgproto3.Close{ObjectType: 'S', Name: name} }

var sync1 = &pgproto3.Sync{}

// run is a statement by the extended protocol, without Sync.
func run(text string) []pgproto3.FrontendMessage {
	return []pgproto3.FrontendMessage{parse("", text), bind("", ""), execute("")}
}

func together(lists ...[]pgproto3.FrontendMessage) (all []pgproto3.FrontendMessage) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func one(m ...pgproto3.FrontendMessage) []pgproto3.FrontendMessage { return m }
