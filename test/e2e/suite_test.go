// Package e2e drives the real command with real clients, as an operator and an agent would: `sallyport serve` as a process,
// psql, pgbench and pgx under `sallyport run`, a real PostgreSQL behind it all.
//
// What reached the server is what the server's own log says (log_statement=all) and what its tables hold, never what the gateway
// claims. Every attack has a benign twin that must work, so that a gateway that denies everything fails as well.
//
// The tests share one server, with a database for each, and most of them one gateway (configuration). Tests that stop, restart or
// reconfigure a gateway have one of their own. A peer serves one `sallyport run` at a time, so the tests run one after the other.
// Go code that has to be inside the tunnel or inside a network namespace is this test binary, started again in a role
// (roles_test.go).
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/test/pgserver"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// world is what the tests share.
type world struct {
	dir    string // readable for the server's user too
	binary string
	pgBin  string
	pg     *pgserver.Server
	gw     *rig.Gateway
	cache  string // compiled plugins, complete
	faults *proxy // in front of the server, for endpoint "fragile"
	down   int    // the port of endpoint "down"
	other  string // configuration of a peer of another profile

	release func() // what holds the port of "down"
}

var shared *world

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(play(role))
	}
	os.Exit(suite(m))
}

func suite(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	w := &world{}
	defer w.stop()
	if err := w.start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	shared = w
	code := m.Run()
	if err := w.gw.Stop(); err != nil {
		fmt.Fprintf(os.Stderr, "e2e: the shared gateway ended with %v:\n%s", err, w.gw.Log())
		code = 1
	}
	w.stop()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	return code
}

func (w *world) start(ctx context.Context) (err error) {
	if w.dir, err = os.MkdirTemp("", "sallyport-e2e"); err != nil {
		return err
	}
	if w.binary, err = rig.Build(ctx, w.dir); err != nil {
		return err
	}
	if w.pgBin, err = pgserver.Bin(); err != nil {
		return err
	}
	w.pg, err = pgserver.Start(ctx, pgserver.Options{
		// A session whose client is gone ends also while it computes.
		Settings: map[string]string{"client_connection_check_interval": "200ms", "autovacuum": "off"},
		UserAuth: map[string]string{"scram_user": "scram-sha-256", "md5_user": "md5", "clear_user": "password"},
	})
	if err != nil {
		return err
	}
	if w.faults, err = newProxy("127.0.0.1:0", "tcp", w.pg.Address()); err != nil {
		return err
	}
	var closed int
	if closed, w.down, err = closedPort(); err != nil {
		return err
	}
	w.release = func() { _ = syscall.Close(closed) }
	dir := filepath.Join(w.dir, "gateway")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if w.gw, err = rig.New(ctx, w.binary, dir, configuration(w.pg.Port, w.faults.port(), w.down)); err != nil {
		return err
	}
	if w.other, err = w.gw.AddPeer(ctx, "other", "others"); err != nil {
		return err
	}
	if err := w.gw.Serve(ctx); err != nil {
		return err
	}
	w.cache = w.gw.Cache()
	// `sallyport check` keeps its own cache below the user's; tests leave that alone.
	// Their passwords are in no test's output: they are canaries.
	for _, u := range [][3]string{{"scram_user", "scram-sha-256", scramPassword}, {"md5_user", "md5", md5Password}, {"clear_user", "scram-sha-256", clearPassword}} {
		if _, err := w.pg.Psql(ctx, "postgres", fmt.Sprintf("set password_encryption = '%s'; create role %s login password '%s'", u[1], u[0], u[2])); err != nil {
			return err
		}
	}
	return rig.CopyCache(filepath.Join(w.dir, "xdg", "sallyport", "compiled"), w.cache)
}

func (w *world) stop() {
	if w.gw != nil {
		_ = w.gw.Stop()
	}
	if w.faults != nil {
		w.faults.close()
	}
	if w.release != nil {
		w.release()
	}
	if w.pg != nil {
		w.pg.Stop()
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
	*w = world{}
}

// closedPort is a port of 127.0.0.1 that is taken, by a socket that does not listen: connections to it are refused for as long as
// the socket lives.
func closedPort() (fd, port int, err error) {
	if fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0); err != nil {
		return 0, 0, err
	}
	if err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err == nil {
		var at syscall.Sockaddr
		if at, err = syscall.Getsockname(fd); err == nil {
			return fd, at.(*syscall.SockaddrInet4).Port, nil
		}
	}
	return 0, 0, errors.Join(err, syscall.Close(fd))
}

// configuration is that of the shared gateway: several endpoints on one server, apart by name.
func configuration(server, fragile, down int) string {
	return fmt.Sprintf(`
[plugins]
postgres = "builtin"

[[endpoint]]
name = "db"
address = "127.0.0.1:%[1]d"
plugin = "postgres"
profiles = ["agents"]

[[endpoint]]
name = "reader"
address = "127.0.0.1:%[1]d"
plugin = "postgres"
profiles = ["agents"]

[[endpoint]]
name = "plain"
address = "127.0.0.1:%[1]d"
plugin = "none"
profiles = ["agents"]

[[endpoint]]
name = "hidden"
address = "127.0.0.1:%[1]d"
plugin = "postgres"
profiles = ["others"]

[[endpoint]]
name = "fragile"
address = "127.0.0.1:%[2]d"
plugin = "postgres"
profiles = ["agents"]

[[endpoint]]
name = "down"
address = "127.0.0.1:%[3]d"
plugin = "postgres"
profiles = ["agents"]

[[rule]]
name = "connect"
when = 'action.family == "connect"'
then = "allow"

[[rule]]
name = "read"
when = 'action.class in ["session", "read"]'
then = "allow"

[[rule]]
name = "work"
endpoints = ["db", "fragile"]
when = 'action.class in ["write", "delete"]'
then = "allow"

[[rule]]
name = "no unbounded changes"
endpoints = ["db", "fragile"]
when = 'action.class in ["write", "delete"] && !sql.bounded'
then = "deny"
reason = "UPDATE and DELETE need a WHERE clause"

[[rule]]
name = "tables stay"
when = 'sql.verbs.exists(v, v.startsWith("drop"))'
then = "deny"
reason = "tables are dropped by migrations"

[[rule]]
name = "the ledger is closed"
when = '"ledger" in sql.writes'
then = "deny"
reason = "nobody writes to the ledger"
`, server, fragile, down)
}

// deadline bounds a test, and prints what the gateway knows when the test fails.
func (w *world) deadline(t *testing.T, gw *rig.Gateway) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	logged, recorded := len(gw.Log()), len(gw.Receipts())
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			log := gw.Log()
			t.Logf("the gateway logged:\n%s\nand recorded:\n%s", log[min(logged, len(log)):], readable(gw, recorded))
		}
	})
	return ctx
}

// readable is the record from an offset on, a line each.
func readable(gw *rig.Gateway, from int) string {
	record := gw.Receipts()
	n := strings.Count(record[min(from, len(record)):], "\n")
	out, err := gw.Command(context.Background(), "receipts", "tail", "-n", strconv.Itoa(max(n, 1)), "--config", gw.Config).CombinedOutput()
	if err != nil {
		return record[min(from, len(record)):]
	}
	return string(out)
}

// database makes an empty database, fills it, and returns its name.
func (w *world) database(ctx context.Context, t *testing.T, sql string) string {
	t.Helper()
	name := "e2e_" + strings.ToLower(strings.NewReplacer("/", "_", "-", "_", " ", "_").Replace(t.Name()))
	if _, err := w.pg.Psql(ctx, "postgres", "drop database if exists "+name+" with (force);\ncreate database "+name); err != nil {
		t.Fatal(err)
	}
	if _, err := w.pg.Psql(ctx, name, sql); err != nil {
		t.Fatal(err)
	}
	return name
}

// onServer asks the server itself, not through the gateway.
func (w *world) onServer(ctx context.Context, t *testing.T, database, sql string) string {
	t.Helper()
	out, err := w.pg.Psql(ctx, database, sql)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// until waits for a condition; what describes it for the failure.
func until(ctx context.Context, t *testing.T, what string, condition func() bool) {
	t.Helper()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// gateway is a gateway of the test's own, not started, with the plugins compiled already.
func (w *world) gateway(ctx context.Context, t *testing.T, tables string) *rig.Gateway {
	t.Helper()
	gw, err := rig.New(ctx, w.binary, t.TempDir(), tables)
	if err != nil {
		t.Fatal(err)
	}
	if err := rig.CopyCache(gw.Cache(), w.cache); err != nil {
		t.Fatal(err)
	}
	gw.Env = []string{"XDG_CACHE_HOME=" + filepath.Join(w.dir, "xdg")}
	return gw
}

func serve(ctx context.Context, t *testing.T, gw *rig.Gateway) {
	t.Helper()
	if err := gw.Serve(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = gw.Stop()
		if t.Failed() {
			t.Logf("a gateway logged:\n%s", gw.Log())
		}
	})
}
