// Package drivers plays one file of scenarios (scenarios.json) with every driver of PostgreSQL that agents are likely to use, through a real
// gateway, and directly against a server that refuses the same statements itself. No driver may notice a difference but the words
// of the error.
//
// Each driver is a small program that plays the steps as its users would and prints a line of JSON for each:
//
//	{"scenario": "denied in a batch", "step": 0, "result": {"state": "42501"}, "message": "nobody writes to the ledger"}
//
// What a step comes to is in the scenario's "want". Directly the server's own rights refuse (the role "agent" may not write to the
// table ledger), through the gateway a rule does, and the role is a superuser there: what a rule lets pass by mistake happens. The
// witness is the server's log, which has every statement that it was given, also those that are only parsed: denied ones have a
// comment "unseen".
//
// Steps: query (rows), exec (the count), run, begin, commit, rollback, prepared (one statement, several times), batch (several
// statements in one implicit transaction, as the driver has it: a pipeline with one Sync, or one query), queue (sent before the
// first is answered, where the driver can, each for itself), stream (a result read in parts, with another statement in between),
// copy.
package drivers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sallyport-dev/sallyport/test/pgserver"
	"github.com/sallyport-dev/sallyport/test/rig"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(play(role, os.Args[1]))
	}
	os.Exit(suite(m))
}

// world is what the tests share: a gateway in front of one server of each version.
type world struct {
	dir     string
	gw      *rig.Gateway
	servers map[string]*pgserver.Server // by version
	lib18   string                      // libraries of PostgreSQL 18
}

var shared *world

func suite(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	w := &world{servers: map[string]*pgserver.Server{}}
	defer w.stop()
	if err := w.start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "drivers:", err)
		return 1
	}
	shared = w
	code := m.Run()
	if err := w.gw.Stop(); err != nil {
		fmt.Fprintf(os.Stderr, "drivers: the gateway ended with %v:\n%s", err, w.gw.Log())
		code = 1
	}
	w.stop()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "drivers:", err)
		code = 1
	}
	return code
}

// Versions of the server.
const (
	debian = "15"
	newest = "18"
)

func (w *world) start(ctx context.Context) (err error) {
	if w.dir, err = os.MkdirTemp("", "sallyport-drivers"); err != nil {
		return err
	}
	binary, err := rig.Build(ctx, w.dir)
	if err != nil {
		return err
	}
	if err := os.Chmod(w.dir, 0o755); err != nil { // for the server's user
		return err
	}
	bin18, lib18, err := pgserver.Copy18(ctx, w.dir)
	if err != nil {
		return err
	}
	w.lib18 = lib18
	for version, bin := range map[string]string{debian: "", newest: bin18} {
		// The durations are there for the texts: they are logged for what is only parsed and bound, too.
		w.servers[version], err = pgserver.Start(ctx, pgserver.Options{Bin: bin, Settings: map[string]string{"log_min_duration_statement": "0", "autovacuum": "off"}})
		if err != nil {
			return err
		}
		if _, err := w.servers[version].Psql(ctx, "postgres", roles); err != nil {
			return err
		}
	}
	dir := filepath.Join(w.dir, "gateway")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if w.gw, err = rig.New(ctx, binary, dir, fmt.Sprintf(configuration, w.servers[debian].Port, w.servers[newest].Port)); err != nil {
		return err
	}
	return w.gw.Serve(ctx)
}

func (w *world) stop() {
	if w.gw != nil {
		_ = w.gw.Stop()
	}
	for _, s := range w.servers {
		if s != nil {
			s.Stop()
		}
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
	*w = world{}
}

// roles: "agent" may do what the rules allow, and no more; the template holds what the scenarios work with.
const roles = `
create role agent login;
create database shop;
\c shop
create table customers (id int primary key, name text, visits int not null default 0);
insert into customers values (1, 'Ada', 0), (2, 'Grace', 0), (3, 'Edsger', 0);
create table copied (id int, amount int);
create table ledger (id int primary key, amount int);
insert into ledger values (1, 100);
create table bulk (i int, filler text);
insert into bulk select i, repeat(i::text, 300) from generate_series(1, 500) i;
grant all on customers, copied, bulk to agent;
grant select on ledger to agent;
`

// configuration: at the endpoints "late…" a denied statement may be prepared, as at the server itself, and not executed.
const configuration = `
[plugins]
postgres = "builtin"

[[endpoint]]
name = "db15"
address = "127.0.0.1:%[1]d"
plugin = "postgres"
agent_tls = "offer"
profiles = ["agents"]

[[endpoint]]
name = "late15"
address = "127.0.0.1:%[1]d"
plugin = "postgres"
agent_tls = "offer"
profiles = ["agents"]

[[endpoint]]
name = "db18"
address = "127.0.0.1:%[2]d"
plugin = "postgres"
agent_tls = "offer"
profiles = ["agents"]

[[rule]]
name = "everything"
when = "true"
then = "allow"

[[rule]]
name = "the ledger is closed"
endpoints = ["db15", "db18"]
when = '"ledger" in sql.writes'
then = "deny"
reason = "nobody writes to the ledger"

[[rule]]
name = "the ledger is closed, but not to look at"
endpoints = ["late15"]
when = '"ledger" in sql.writes && sql.executes'
then = "deny"
reason = "nobody writes to the ledger"
`
