package gateway

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
	"github.com/sallyport-dev/sallyport/test/pgserver"
)

// connectPgx connects through the tunnel.
func connectPgx(t testing.TB, a *tunneltest.Agent, host, port string) (*pgx.Conn, error) {
	t.Helper()
	cfg, err := pgx.ParseConfig("postgres://postgres@" + net.JoinHostPort(host, port) + "/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	cfg.ConnectTimeout = patience
	cfg.DialFunc, cfg.LookupFunc = a.DialContext, a.LookupHost
	return pgx.ConnectConfig(wait(t), cfg)
}

// TestPostgres is the main job: a real driver and a real server, whose log is the witness.
func TestPostgres(t *testing.T) {
	server := pgserver.ForTest(t, pgserver.Options{})
	if _, err := server.Psql(wait(t), "postgres", "create table users (id int, name text); insert into users values (1, 'ann'), (2, 'bob')"); err != nil {
		t.Fatal(err)
	}
	tables := "[plugins]\npostgres = \"builtin\"\n\n" + endpointTable("prod-db", server.Address(), "postgres", "dev") +
		endpointTable("watched", server.Address(), "postgres", "ops") +
		ruleTable("connect", `action.family == "connect"`, "allow", "") +
		ruleTable("all", `action.class != "opaque"`, "allow", "") +
		ruleTable("tables stay", `sql.verbs.exists(v, v.startsWith("drop"))`, "deny", `reason = "tables stay where they are"`+"\nendpoints = [\"prod-db\"]") +
		ruleTable("bounded", `action.class == "delete" && !sql.bounded`, "deny", `reason = "a WHERE is needed"`+"\nendpoints = [\"prod-db\"]") +
		ruleTable("no functions", `"pg_backend_pid" in sql.functions`, "deny", "mode = \"observe\"\nendpoints = [\"watched\"]")
	w := served(t, tables)
	alice := w.alice()

	db, err := connectPgx(t, alice, "prod-db", port(server.Address()))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	var n int
	for range 2 { // the second time the statement is prepared
		if err := db.QueryRow(wait(t), "select count(*) from users where id > $1", 0).Scan(&n); err != nil || n != 2 {
			t.Fatalf("an allowed query: %d, %v", n, err)
		}
	}
	for statement, rule := range map[string]string{
		"drop table users":             "tables stay",
		"delete from users":            "bounded",
		"select 1; delete from users":  "bounded",
		"select 'x'; drop table users": "tables stay",
	} {
		_, err := db.Exec(wait(t), statement, pgx.QueryExecModeSimpleProtocol)
		wantDenied(t, w, err, statement, rule)
	}
	_, err = db.Exec(wait(t), "delete from users /* prepared */")
	wantDenied(t, w, err, "delete from users /* prepared */", "bounded")
	if tag, err := db.Exec(wait(t), "delete from users where id = 2"); err != nil || tag.RowsAffected() != 1 {
		t.Errorf("an allowed delete: %v, %v", tag, err)
	}
	if err := db.Close(wait(t)); err != nil {
		t.Error(err)
	}
	if end := w.end("alice", "prod-db"); end.FailClosed || end.Up == 0 || end.Down == 0 {
		t.Errorf("the end: %s", end.Raw)
	}

	// Observed only.
	watched, err := connectPgx(t, w.bob(), "watched", port(server.Address()))
	if err != nil {
		t.Fatal(err)
	}
	defer watched.Close(context.Background())
	if err := watched.QueryRow(wait(t), "select count(pg_backend_pid())").Scan(&n); err != nil {
		t.Errorf("an observed query: %v", err)
	}
	w.find("would_deny", func(e *receipt.Entry) bool {
		return e.Endpoint == "watched" && e.Outcome == "allow" && len(e.WouldDeny) == 1 && e.WouldDeny[0] == "no functions"
	})

	witness := server.Log()
	if !strings.Contains(witness, "select count(*) from users") || !strings.Contains(witness, "delete from users where id = 2") {
		t.Errorf("the server's log misses what was allowed:\n%s", witness)
	}
	for _, word := range []string{"drop table", "statement: delete from users\n", "; delete", "prepared */"} {
		if strings.Contains(witness, word) {
			t.Errorf("the server's log has %q:\n%s", word, witness)
		}
	}
}

// wantDenied expects an error that a server could have given, with the rule and the receipt.
func wantDenied(t *testing.T, w *world, err error, statement, rule string) {
	t.Helper()
	var denied *pgconn.PgError
	if !errors.As(err, &denied) || denied.Code != "42501" {
		t.Errorf("%s: %v", statement, err)
		return
	}
	d := w.find(denied.Detail, func(e *receipt.Entry) bool {
		return strings.Contains(denied.Detail, e.ID) && e.ID != "" && e.Outcome == "deny"
	})
	if d.Rule != rule || !strings.Contains(denied.Detail, rule) || denied.Message != d.Reason || d.Family != "sql" {
		t.Errorf("%s: the agent got %q (%s), the record says %s", statement, denied.Message, denied.Detail, d.Raw)
	}
}

// TestPostgresDown: the agent is told in words of the protocol, and not where the upstream is.
func TestPostgresDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	shut := newUpstream(t, nil)
	w := served(t, "[plugins]\npostgres = \"builtin\"\n\n"+endpointTable("prod-db", address, "postgres", "dev")+
		endpointTable("shut", shut.address(), "postgres", "dev")+
		ruleTable("connect", `action.family == "connect" && endpoint.name == "prod-db"`, "allow", ""))
	alice := w.alice()
	_, err = connectPgx(t, alice, "prod-db", port(address))
	var down *pgconn.PgError
	if !errors.As(err, &down) || !strings.Contains(down.Message, "upstream prod-db refused the connection") {
		t.Errorf("the driver says %v", err)
	} else if strings.Contains(down.Message+down.Detail+down.Hint, "127.0.0.1") {
		t.Errorf("the agent learns where the upstream is: %v", down)
	}
	_, err = connectPgx(t, alice, "shut", port(shut.address()))
	var denied *pgconn.PgError
	if !errors.As(err, &denied) || !strings.Contains(denied.Message, "no rule allows this") || shut.accepts.Load() != 0 {
		t.Errorf("a denied connection: %v, dialled %d times", err, shut.accepts.Load())
	}
}

// TestManyConnections: connections that are opened and closed leave nothing behind.
func TestManyConnections(t *testing.T) {
	up := newUpstream(t, nil)
	w := newWorld(t, "")
	w.write(w.pluginTable() + endpointTable("lines", up.address(), "hostile", "dev") + allowConnect + ruleTable("read", readLines, "allow", ""))
	w.serve()
	alice := w.alice()
	round := func(n int) {
		slots := make(chan struct{}, 20)
		done := make(chan error, n)
		for range n {
			slots <- struct{}{}
			go func() {
				defer func() { <-slots }()
				done <- oneConnection(alice, "lines:"+port(up.address()))
			}()
		}
		for range n {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		until(t, "all connections are gone", func() bool {
			s := w.assembly.sandbox.engine.Stats()
			return s.Guests == 0
		})
	}
	round(40)
	before, files := w.assembly.sandbox.engine.Stats(), settledFiles(t, 0)
	round(200)
	after := w.assembly.sandbox.engine.Stats()
	if after.Instances > before.Instances+before.Idle+16 {
		t.Errorf("instances: %+v before, %+v after", before, after)
	}
	settledFiles(t, files+8) // some of the runtime and the pool, and far from one for each connection
	if ends := count(w.receipts(), func(e *receipt.Entry) bool { return e.Kind == receipt.End }); ends != 240 {
		until(t, "every end is on record", func() bool {
			return count(w.receipts(), func(e *receipt.Entry) bool { return e.Kind == receipt.End }) == 240
		})
	}
	t.Logf("descriptors: %d, guests made: %d, discarded: %d", files, after.Clones+after.Plain, after.Discarded)
}

func oneConnection(a *tunneltest.Agent, to string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := a.DialContext(ctx, "tcp", to)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.Write([]byte("get a\n")); err != nil {
		return err
	}
	buf := make([]byte, 64)
	n, err := c.Read(buf)
	if err == nil && string(buf[:n]) != "ok get a\n" {
		err = errors.New("it was answered with " + string(buf[:n]))
	}
	return err
}
