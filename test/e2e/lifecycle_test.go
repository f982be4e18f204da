package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// oneEndpoint is a configuration in which one rule can be edited.
func (w *world) oneEndpoint(thenDrop string) string {
	return fmt.Sprintf(`
[plugins]
postgres = "builtin"

[[endpoint]]
name = "db"
address = "127.0.0.1:%d"
plugin = "postgres"
profiles = ["agents"]

[[rule]]
name = "connect and read"
when = 'action.class in ["session", "read"]'
then = "allow"

[[rule]]
name = "drops"
when = 'sql.verbs.exists(v, v.startsWith("drop"))'
then = "%s"
`, w.pg.Port, thenDrop)
}

// TestRestart: SIGTERM ends a gateway that has open connections, in good order; a restart keeps addresses and key, and what was
// edited meanwhile counts.
func TestRestart(t *testing.T) {
	w := shared
	gw := w.gateway(t.Context(), t, w.oneEndpoint("deny"))
	ctx := w.deadline(t, gw)
	database := w.database(ctx, t, shop)
	serve(ctx, t, gw)
	drop := func() printed {
		return finish(ctx, t, w.psqlCommand(ctx, gw, "db", "postgres", database), "drop table customers;\nselect count(*) from ledger;")
	}
	if got := drop(); got.out != "1\n" || !strings.Contains(got.err, "42501") {
		t.Errorf("before: %+v", got)
	}
	if n := w.onServer(ctx, t, database, "select count(*) from customers"); n != "3" {
		t.Fatalf("%s customers", n)
	}
	address := finish(ctx, t, agentRole(ctx, gw, "probe", "dns:db"), "").out
	key := publicKey(t, gw)

	w.stopWhileConnected(ctx, t, gw, database)

	text, err := os.ReadFile(gw.Config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, gw.Config, strings.Replace(string(text), `then = "deny"`, `then = "allow"`, 1))
	again, err := gw.Again()
	if err != nil {
		t.Fatal(err)
	}
	serve(ctx, t, again)
	if got := drop(); got.out != "1\n" || got.err != "" {
		t.Errorf("after the rule was edited: %+v", got)
	}
	if n := w.onServer(ctx, t, database, "select count(*) from pg_class where relname = 'customers'"); n != "0" {
		t.Error("the table is still there")
	}
	if now := finish(ctx, t, agentRole(ctx, again, "probe", "dns:db"), "").out; now != address {
		t.Errorf("db was at %q and is at %q", address, now)
	}
	if now := publicKey(t, again); now != key {
		t.Errorf("the key was %s and is %s", key, now)
	}
	w.crash(ctx, t, again, database)
}

// stopWhileConnected stops the gateway while a session is open.
func (w *world) stopWhileConnected(ctx context.Context, t *testing.T, gw *rig.Gateway, database string) {
	t.Helper()
	agentCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := w.psqlCommand(agentCtx, gw, "db", "postgres", database)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(stdin, "select 'open';\n")
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "open\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := gw.Stop(); err != nil {
		t.Errorf("after SIGTERM with an open connection: %v", err)
	}
	until(ctx, t, "the end of the session on the server", func() bool {
		return w.onServer(ctx, t, "postgres", "select count(*) from pg_stat_activity where datname = '"+database+"'") == "0"
	})
	cancel() // whether the agent has heard of it depends on the network
	_ = cmd.Wait()
	if record := gw.Receipts(); strings.Count(record, `"kind":"stop"`) != 1 {
		t.Errorf("the stop is not on record:\n%s", record)
	}
}

// crash kills a gateway and starts it again: the record is whole.
func (w *world) crash(ctx context.Context, t *testing.T, gw *rig.Gateway, database string) {
	t.Helper()
	if err := syscall.Kill(gw.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = gw.Stop() // which only waits now
	again, err := gw.Again()
	if err != nil {
		t.Fatal(err)
	}
	serve(ctx, t, again)
	if got := finish(ctx, t, w.psqlCommand(ctx, again, "db", "postgres", database), "select count(*) from ledger;"); got.out != "1\n" {
		t.Errorf("after a crash: %+v", got)
	}
	if err := again.Stop(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if got := finish(ctx, t, again.Command(ctx, "receipts", "verify", "--config", again.Config), ""); got.status != 0 {
		t.Errorf("verify: %+v", got)
	}
	if n := strings.Count(again.Receipts(), `"kind":"start"`); n != 3 {
		t.Errorf("%d starts on record", n)
	}
}

var keyOnLog = regexp.MustCompile(`msg=ready .*public_key=(\S+)`)

func publicKey(t *testing.T, gw *rig.Gateway) string {
	t.Helper()
	m := keyOnLog.FindStringSubmatch(gw.Log())
	if m == nil {
		t.Fatalf("no key on the log:\n%s", gw.Log())
	}
	return m[1]
}
