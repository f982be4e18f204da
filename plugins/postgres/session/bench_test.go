package session

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/plugins/postgres/pgquery/pgquerytest"
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// steady is a statement as an application sends it again and again, and what the server answers.
type steady struct {
	name   string
	query  func(i int) []byte
	answer []byte
}

func steadyStatements() []steady {
	results := proto.Append(nil, proto.DataRow, make([]byte, 8)...)
	results = append(results, proto.Append(nil, proto.CommandComplete, []byte("SELECT 1\x00")...)...)
	results = append(results, encoded(ready)...)
	rows := append(proto.Append(nil, proto.RowDescription, make([]byte, 27)...), results...)
	bound := append(proto.Append(nil, proto.BindComplete), results...)
	var texts [1000][]byte
	for i := range texts {
		texts[i] = encoded(query(fmt.Sprintf("SELECT abalance FROM pgbench_accounts WHERE aid = %d;", i)))
	}
	execution := encoded(&pgproto3.Bind{PreparedStatement: "s", Parameters: [][]byte{[]byte("17")}}, execute(""), sync1)
	return []steady{
		{"repeated", func(int) []byte { return texts[0] }, rows},
		{"new", func(i int) []byte { return texts[i%len(texts)] }, rows},
		{"prepared", func(int) []byte { return execution }, bound},
	}
}

// BenchmarkNative runs what test/bench measures in the sandbox as ordinary Go, for profiles.
func BenchmarkNative(b *testing.B) {
	for _, c := range steadyStatements() {
		b.Run(c.name, func(b *testing.B) {
			g := loggedIn(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, more, _ := g.Data(abi.Agent, c.query(i), 0); more {
					g.Event(nil)
				}
				g.Data(abi.Upstream, c.answer, 0)
			}
		})
	}
}

// loggedIn is a session that is ready, with the statement s prepared. Its companion always answers with the same record.
func loggedIn(b testing.TB) *sdk.Native {
	b.Helper()
	record, err := pgquerytest.New(b).Call(0, []byte("SELECT abalance FROM pgbench_accounts WHERE aid = 1"))
	if err != nil {
		b.Fatal(err)
	}
	return loggedInTo(b, &Plugin{}, "SELECT abalance FROM pgbench_accounts WHERE aid = $1", func(_ int, _, out []byte) (int, error) { return copy(out, record), nil })
}

// loggedInTo is a session that is ready, with s prepared as text.
func loggedInTo(b testing.TB, plugin *Plugin, text string, call func(k int, in, out []byte) (int, error)) *sdk.Native {
	b.Helper()
	if _, err := sdk.ConfigureNative(plugin, nil); err != nil {
		b.Fatal(err)
	}
	g := sdk.NewNative(plugin, call)
	g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "prod-db", Peer: "agent", Profile: "dev"}))
	g.Data(abi.Agent, encoded(hello), 0)
	g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1}))
	g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindConnected}))
	g.Data(abi.Upstream, append(append(encoded(&pgproto3.AuthenticationOk{}), settings1...), encoded(ready)...), 0)
	g.Data(abi.Agent, encoded(parse("s", text), sync1), 0)
	g.Event(nil)
	g.Data(abi.Upstream, encoded(&pgproto3.ParseComplete{}, ready), 0)
	return g
}
