package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go"
	chproto "github.com/ClickHouse/ch-go/proto"
	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func dialCH(t testing.TB, address string, c ch.Compression) *ch.Client {
	t.Helper()
	client, err := ch.Dial(t.Context(), ch.Options{Address: address, Compression: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

var compressions = map[string]ch.Compression{"disabled": ch.CompressionDisabled, "none": ch.CompressionNone, "LZ4": ch.CompressionLZ4, "ZSTD": ch.CompressionZSTD}

// currentWork has ch-go fill and read a table, and what is forbidden denied in between.
func currentWork(t *testing.T, s *current, client *ch.Client) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err, s.errors())
		}
	}
	denied := func(err error) {
		t.Helper()
		var e *ch.Exception
		if !errors.As(err, &e) || e.Code != 497 || !strings.Contains(e.Message, "that is forbidden") {
			t.Fatalf("%v", err)
		}
	}
	must(client.Ping(ctx))
	denied(client.Do(ctx, ch.Query{Body: "SELECT 'forbidden'"}))
	var (
		ids chproto.ColUInt64
		str chproto.ColStr
		arr = new(chproto.ColStr).Array()
	)
	const rows = 20000
	for i := range rows {
		ids.Append(uint64(i))
		str.Append(strings.Repeat("z", i%50))
		arr.Append([]string{"x", fmt.Sprint(i)})
	}
	input := chproto.Input{{Name: "id", Data: ids}, {Name: "s", Data: str}, {Name: "a", Data: arr}}
	denied(client.Do(ctx, ch.Query{Body: "INSERT INTO forbidden (id, s, a) VALUES", Input: input}))
	must(client.Ping(ctx))
	blocks := 4 // what it has, and three times more
	must(client.Do(ctx, ch.Query{Body: "INSERT INTO t (id, s, a) VALUES", Input: input, OnInput: func(context.Context) error {
		if blocks--; blocks == 1 { // this one is sent, too
			return io.EOF
		}
		return nil
	}}))
	var id chproto.ColUInt64
	must(client.Do(ctx, ch.Query{Body: "SELECT * FROM t", Parameters: ch.Parameters(map[string]any{"p": "v"}), Result: chproto.Results{{Name: "id", Data: &id}, {Name: "s", Data: new(chproto.ColStr)}, {Name: "a", Data: new(chproto.ColStr).Array()}}}))
	must(client.Ping(ctx))
	if s.saw("forbidden") || s.rows != 4*rows || len(s.errors()) > 0 {
		t.Errorf("%q, %d rows, %v", s.queries, s.rows, s.errors())
	}
}

var methods = []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD}

func clickHouseGo(t *testing.T, address string, method clickhouse.CompressionMethod, table string) {
	ctx := t.Context()
	db, err := clickhouse.Open(&clickhouse.Options{Addr: []string{address}, Compression: &clickhouse.Compression{Method: method}, MaxOpenConns: 1,
		DialContext: func(ctx context.Context, addr string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	denied := func(err error) {
		t.Helper()
		var e *clickhouse.Exception
		if !errors.As(err, &e) || e.Code != 497 || !strings.Contains(e.Message, "that is forbidden") {
			t.Fatalf("%v", err)
		}
	}
	must(db.Ping(ctx))
	must(db.Exec(ctx, "CREATE TABLE "+table))
	denied(db.Exec(ctx, "SELECT 'forbidden_"+table+"'"))
	_, err = db.PrepareBatch(ctx, "INSERT INTO forbidden_"+table)
	denied(err)
	var b driver.Batch
	b, err = db.PrepareBatch(ctx, "INSERT INTO "+table)
	must(err)
	const rows = 5000
	for i := range rows {
		must(b.Append(uint64(i), strings.Repeat("q", i%300), []string{"a", "b"}))
		if i == rows/2 {
			must(b.Flush())
		}
	}
	must(b.Send())
	all, err := db.Query(ctx, "SELECT * FROM "+table)
	must(err)
	n := 0
	for all.Next() {
		n++
	}
	must(all.Close())
	if n != 10 {
		t.Fatalf("%d rows", n)
	}
	must(db.Ping(ctx))
}

// TestPython has the distribution's clickhouse-driver, which speaks the native protocol, at the distribution's server.
func TestPython(t *testing.T) {
	direct(t, "DROP TABLE IF EXISTS py; CREATE TABLE py (id UInt64, s String, n Nullable(Int32)) ENGINE = Memory")
	g := newGateway(t, nil)
	const program = `
import sys
from clickhouse_driver import Client, errors
c = Client('127.0.0.1', port=int(sys.argv[1]))
assert c.execute('SELECT 1') == [(1,)]
for i in range(3):
    try:
        c.execute("SELECT 'forbidden'")
        raise SystemExit('it was not denied')
    except errors.ServerException as e:
        assert e.code == 497 and 'that is forbidden' in e.message, e
    try:
        c.execute('INSERT INTO forbidden VALUES', [{'id': 1}])
        raise SystemExit('it was not denied')
    except errors.ServerException as e:
        assert e.code == 497, e
    assert c.execute('INSERT INTO py VALUES', [{'id': n, 's': 'x' * n, 'n': None} for n in range(1000)]) == 1000
assert c.execute('SELECT count(), sum(id) FROM py') == [(3000, 3 * 499500)]
assert sum(1 for _ in c.execute_iter('SELECT number FROM system.numbers LIMIT 100000')) == 100000
assert c.execute('SELECT sum(a) FROM ext', external_tables=[{'name': 'ext', 'structure': [('a', 'Int32')], 'data': [{'a': 4}, {'a': 5}]}]) == [(9,)]
try:
    c.execute('SELECT nothing_like_this')
except errors.ServerException as e:
    assert e.code == 47, e
print('done')
`
	out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", program, g.port()).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "done" {
		t.Errorf("%s%v", out, err)
	}
	if saw(t, "INSERT INTO forbidden VALUES") {
		t.Error("the server was given what was denied")
	}
}
