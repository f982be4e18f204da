package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sallyport-dev/sallyport/test/pgserver"
)

// versionRole uses a connection that asks for a version of the protocol, and prints what the session came to: the length of its
// cancel key, and whether a request with that key is heard. Its argument is a connection string.
func versionRole(ctx context.Context, args []string) error {
	watch, err := pgx.Connect(ctx, args[0])
	if err != nil {
		return err
	}
	defer watch.Close(context.WithoutCancel(ctx))
	if err := cancelByDriver(ctx, args[0], watch); err != nil {
		return err
	}
	_, err = watch.Exec(ctx, "create table unseen_version ()")
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != "42501" {
		return fmt.Errorf("what is not allowed: %w", err)
	}
	rows, err := watch.Query(ctx, "select i, repeat('x', i % 100) from generate_series(1, 5000) i")
	if err != nil {
		return err
	}
	n := 0
	for rows.Next() {
		n++
	}
	if rows.Err() != nil || n != 5000 {
		return fmt.Errorf("%d rows, %w", n, rows.Err())
	}
	fmt.Printf("key of %d bytes\n", len(watch.PgConn().SecretKey()))
	return nil
}

// TestPostgresVersions: protocols 3.0 and 3.2 with PostgreSQL 15, which talks 3.2 down, and 18, whose keys are long then.
func TestPostgresVersions(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	dir, err := os.MkdirTemp("", "sallyport-pg18") // the server's user has to reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	bin, _, err := pgserver.Copy18(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	pg18 := pgserver.ForTest(t, pgserver.Options{Bin: bin})
	gw := w.gateway(ctx, t, fmt.Sprintf(`
[plugins]
postgres = "builtin"

[[endpoint]]
name = "old"
address = %q
plugin = "postgres"
profiles = ["agents"]

[[endpoint]]
name = "new"
address = %q
plugin = "postgres"
profiles = ["agents"]

[[rule]]
name = "read"
when = 'action.class in ["session", "read"]'
then = "allow"

[[rule]]
name = "replicas"
endpoints = ["new"]
when = 'connect.replication'
then = "allow"

[[rule]]
name = "replication"
endpoints = ["new"]
when = '"replication" in sql.verbs'
then = "allow"
`, w.pg.Address(), pg18.Address()))
	serve(ctx, t, gw)
	for _, c := range []struct {
		endpoint, version string
		port, key         int
	}{{"old", "3.0", w.pg.Port, 4}, {"old", "3.2", w.pg.Port, 4}, {"new", "3.0", pg18.Port, 4}, {"new", "3.2", pg18.Port, 32}} {
		url := fmt.Sprintf("postgres://postgres@%s:%d/postgres?sslmode=disable&max_protocol_version=%s", c.endpoint, c.port, c.version)
		got := finish(ctx, t, agentRole(ctx, gw, "version", url), "")
		if want := fmt.Sprintf("key of %d bytes\n", c.key); got.out != want || got.status != 0 {
			t.Errorf("%s, %s: %+v, want %q", c.endpoint, c.version, got, want)
		}
	}
	replica := func(endpoint string, port int) printed {
		return finish(ctx, t, gw.Agent(ctx, w.pgBin+"/psql", "-XAtq", "-h", endpoint, "-p", fmt.Sprint(port), "-U", "postgres",
			"-d", "dbname=postgres replication=database", "-c", "IDENTIFY_SYSTEM"), "")
	}
	if got := replica("new", pg18.Port); got.status != 0 || !strings.HasSuffix(got.out, "|postgres\n") {
		t.Errorf("replication that is meant: %+v", got)
	}
	if got := replica("old", w.pg.Port); got.status == 0 || !strings.Contains(got.err, "no rule allows") {
		t.Errorf("replication that is not: %+v", got)
	}
	for _, log := range []string{pg18.Log(), w.pg.Log()} {
		if strings.Contains(log, "unseen_version") {
			t.Error("a server has seen what was denied")
		}
	}
}
