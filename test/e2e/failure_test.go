package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// TestUpstreamDown: the agent is told in its protocol, and the gateway goes on.
func TestUpstreamDown(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	got := w.psql(ctx, t, "down", "postgres", "select 1")
	if want := "sallyport: upstream down refused the connection"; got.status != 2 || !strings.Contains(got.err, want) {
		t.Errorf("psql: %+v, want %q", got, want)
	}
	if strings.Contains(got.err, "127.0.0.1") {
		t.Errorf("the agent learns where the upstream is: %s", got.err)
	}
	if got := w.psql(ctx, t, "db", "postgres", "select 1"); got.out != "1\n" {
		t.Errorf("afterwards: %+v", got)
	}
}

// hang is a role: it connects and then does, until it is killed, what its second argument says.
func hang(ctx context.Context, args []string) error {
	c, err := pgx.Connect(ctx, args[0])
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	switch args[1] {
	case "query":
		_, err = c.Exec(ctx, "select pg_sleep(600)")
	case "copy in":
		silent, _ := io.Pipe()
		some := strings.NewReader(strings.Repeat("some text\n", 10_000))
		_, err = c.PgConn().CopyFrom(ctx, io.MultiReader(some, silent), "copy bulk from stdin")
	case "copy out":
		_, err = c.PgConn().CopyTo(ctx, never{ctx}, "copy (select repeat('x', 1000) from generate_series(1, 100000000)) to stdout")
	case "transaction":
		if _, err = c.Exec(ctx, "begin; insert into bulk values ('not committed')"); err == nil {
			<-ctx.Done()
		}
	}
	return err
}

// never takes nothing, so that everything on the way to it fills up.
type never struct{ ctx context.Context }

func (n never) Write([]byte) (int, error) { <-n.ctx.Done(); return 0, n.ctx.Err() }

// within is a role inside the tunnel that can be killed while the tunnel stays up.
type within struct {
	cmd   *exec.Cmd
	stdin io.Closer
	pid   int
}

// startWithin starts a role. A shell is the tunnel's command, so that the end of the role is not the end of the tunnel.
func startWithin(ctx context.Context, t *testing.T, gw *rig.Gateway, role string, args ...string) *within {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := gw.Agent(ctx, append([]string{"/bin/sh", "-c", `"$@" & echo $!; wait $!; read end`, "sh", self}, args...)...)
	cmd.Env = append(cmd.Env, roleEnv+"="+role, quickExit)
	cmd.Stderr = t.Output()
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
	in := &within{cmd: cmd, stdin: stdin}
	t.Cleanup(in.end)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		in.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		t.Fatalf("the shell printed %q: %v", line, err)
	}
	return in
}

// kill ends the role as a crash would.
func (in *within) kill() { _ = syscall.Kill(in.pid, syscall.SIGKILL) }

// end ends the role, if it still runs, and the tunnel.
func (in *within) end() {
	if in.cmd == nil {
		return
	}
	in.kill()
	_ = in.stdin.Close()
	_ = in.cmd.Wait()
	in.cmd = nil
}

// upstreams counts the connections that a process has to a port, by the kernel's own account.
func upstreams(t *testing.T, pid, port int) int {
	t.Helper()
	own := map[string]bool{}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(fds) == 0 {
		t.Fatalf("the gateway's descriptors: %v", err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil { // it may be closed by now
			own[to] = true
		}
	}
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", pid))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 9 && strings.HasSuffix(f[2], fmt.Sprintf(":%04X", port)) && own["socket:["+f[9]+"]"] {
			n++
		}
	}
	return n
}

// ended reports whether the first connection to a database that is in the record has its end there.
func ended(record, database string) bool {
	conn := ""
	for line := range strings.Lines(record) {
		var r struct {
			Kind, Conn, Family string
			Fields             struct{ Database string }
		}
		switch err := json.Unmarshal([]byte(line), &r); {
		case err != nil: // a line that is being written
		case conn == "" && r.Family == "connect" && r.Fields.Database == database:
			conn = r.Conn
		case conn != "" && r.Kind == "end" && r.Conn == conn:
			return true
		}
	}
	return false
}

// TestAgentKilled: whatever an agent is in the middle of when it dies, its session on the server ends, nothing of it is committed,
// and the gateway keeps nothing of it.
func TestAgentKilled(t *testing.T) {
	w := shared
	database := w.database(t.Context(), t, "create table bulk (line text);")
	url := fmt.Sprintf("host=db port=%d user=postgres dbname=%s sslmode=disable", w.port("db"), database)
	sessions := func(ctx context.Context, t *testing.T, state string) string {
		return w.onServer(ctx, t, "postgres", "select count(*) from pg_stat_activity where datname = '"+database+"' and state like '"+state+"'")
	}
	for what, state := range map[string]string{"query": "active", "copy in": "active", "copy out": "active", "transaction": "idle in transaction"} {
		t.Run(what, func(t *testing.T) {
			ctx := w.deadline(t, w.gw)
			held := func() int { return upstreams(t, w.gw.PID(), w.pg.Port) }
			until(ctx, t, "what other tests left to end", func() bool { return held() == 0 })
			before := len(w.gw.Receipts())
			agent := startWithin(ctx, t, w.gw, "hang", url, what)
			until(ctx, t, "the agent's session", func() bool { return sessions(ctx, t, state) == "1" })
			if n := held(); n != 1 {
				t.Errorf("the gateway holds %d connections to the server for one agent", n)
			}
			agent.kill()
			until(ctx, t, "the end of the agent's session", func() bool { return sessions(ctx, t, "%") == "0" })
			until(ctx, t, "the end of the connection on record", func() bool { return ended(w.gw.Receipts()[before:], database) })
			until(ctx, t, "the gateway to let go", func() bool { return held() == 0 })
			agent.end()
			if n := w.onServer(ctx, t, database, "select count(*) from bulk"); n != "0" {
				t.Errorf("%s rows were committed", n)
			}
			if got := w.psql(ctx, t, "db", database, "select 1"); got.out != "1\n" {
				t.Errorf("afterwards: %+v", got)
			}
		})
	}
}

// TestTunnelKilled: an agent's machine that goes away without a word, and comes back, finds the gateway as it was.
func TestTunnelKilled(t *testing.T) {
	w := shared
	gw := w.gateway(t.Context(), t, w.oneEndpoint("deny"))
	ctx := w.deadline(t, gw)
	database := w.database(ctx, t, "")
	serve(ctx, t, gw)
	for i := range 3 {
		name := fmt.Sprintf("crash_%d", i) // the server has the sessions before this one until keepalives tell the gateway
		agent := startWithin(ctx, t, gw, "hang", fmt.Sprintf("host=db port=%d user=postgres dbname=%s sslmode=disable application_name=%s", w.pg.Port, database, name), "query")
		until(ctx, t, "the agent's session", func() bool {
			return w.onServer(ctx, t, "postgres", "select count(*) from pg_stat_activity where state = 'active' and application_name = '"+name+"'") == "1"
		})
		if err := agent.cmd.Process.Kill(); err != nil { // and with it the tunnel, before anything in it can say goodbye
			t.Fatal(err)
		}
		agent.end()
		if got := finish(ctx, t, w.psqlCommand(ctx, gw, "db", "postgres", database), "select 'back';"); got.out != "back\n" {
			t.Errorf("afterwards: %+v", got)
		}
	}
	if err := gw.Stop(); err != nil {
		t.Errorf("after SIGTERM with connections whose agents are gone: %v", err)
	}
	until(ctx, t, "the end of the sessions on the server", func() bool {
		return w.onServer(ctx, t, "postgres", "select count(*) from pg_stat_activity where datname = '"+database+"'") == "0"
	})
}

// TestServerDies: psql gets an error, whatever it is in the middle of, and the gateway goes on.
func TestServerDies(t *testing.T) {
	w := shared
	database := w.database(t.Context(), t, "")
	sessions := "select count(*) from pg_stat_activity where datname = '" + database + "'"
	running := sessions + " and state = 'active'"
	terminate := "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '" + database + "'"
	queries := map[string]string{
		"query": "select pg_sleep(600)",
		"rows":  "copy (select repeat('x', 1000) from generate_series(1, 10000000)) to stdout",
	}
	ways := map[string]func(ctx context.Context, t *testing.T){
		"reset":      func(context.Context, *testing.T) { w.faults.cut() },
		"terminated": func(ctx context.Context, t *testing.T) { w.onServer(ctx, t, "postgres", terminate) },
	}
	for what, query := range queries {
		for way, die := range ways {
			t.Run(what+" "+way, func(t *testing.T) {
				ctx := w.deadline(t, w.gw)
				cmd := w.psqlCommand(ctx, w.gw, "fragile", "postgres", database, "-o", "/dev/null", "-c", query)
				var stderr strings.Builder
				cmd.Stderr = &stderr
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				until(ctx, t, "the query", func() bool { return w.onServer(ctx, t, "postgres", running) == "1" })
				die(ctx, t)
				err := cmd.Wait()
				if exit := new(exec.ExitError); ctx.Err() != nil || !errors.As(err, &exit) || stderr.Len() == 0 {
					t.Errorf("psql ended with %v: %s", err, stderr.String())
				}
				if way == "terminated" && what == "query" && !strings.Contains(stderr.String(), "57P01") {
					t.Errorf("psql does not say what the server said: %s", stderr.String())
				}
				if got := w.psql(ctx, t, "fragile", database, "select 1"); got.out != "1\n" {
					t.Errorf("afterwards: %+v", got)
				}
				until(ctx, t, "the end of the sessions", func() bool { return w.onServer(ctx, t, "postgres", sessions) == "0" })
			})
		}
	}
}

// TestOnePeerOneTunnel: a second tunnel of the same peer is refused while the first goes on.
func TestOnePeerOneTunnel(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	marker := filepath.Join(t.TempDir(), "runs")
	first := w.gw.Agent(ctx, "/bin/sh", "-c", `echo runs; read go; exec "$@"`, "sh", filepath.Join(w.pgBin, "psql"), "-XAtq", "-h", "db", "-p", strconv.Itoa(w.pg.Port), "-U", "postgres", "-c", "select 'first'")
	stdin, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := first.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(stdout)
	if line, err := said.ReadString('\n'); line != "runs\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if got := finish(ctx, t, w.gw.Agent(ctx, "touch", marker), ""); got.status != 125 || !strings.Contains(got.err, "another `sallyport run`") {
		t.Errorf("the second: %+v", got)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the second command ran")
	}
	_, _ = io.WriteString(stdin, "go\n")
	if line, err := said.ReadString('\n'); line != "first\n" {
		t.Errorf("the first: %q, %v", line, err)
	}
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
}
