package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// holding is a configuration in which deletes need a person.
func (w *world) holding(p *person, callback int, rule, endpoint string) string {
	return fmt.Sprintf(`
[plugins]
postgres = "builtin"

[holds]
listen = "127.0.0.1:%[3]d"
url = "http://127.0.0.1:%[3]d"

[[approver]]
name = "ops"
webhook = "%[2]s"
secret = "env:OPS_SECRET"
timeout = "2m"

[[endpoint]]
name = "db"
address = "127.0.0.1:%[1]d"
plugin = "postgres"
profiles = ["agents"]
%[5]s

[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write", "delete"]'
then = "allow"

[[rule]]
name = "deletes need a person"
when = 'action.class == "delete"'
then = "hold"
reason = "a person looks at deletes"
%[4]s
`, w.pg.Port, p.server.URL, callback, rule, endpoint)
}

// held is a gateway where deletes are held, with a database and a person.
type held struct {
	*world
	gw       *rig.Gateway
	person   *person
	database string
	port     int
	other    string // configuration of another peer, with the same profile
}

func newHeld(t *testing.T, answer func(heldEvent) map[string]any, rule, endpoint string) (*held, context.Context) {
	t.Helper()
	h := &held{world: shared, person: newPerson(t, answer), port: freePort(t)}
	h.gw = shared.gateway(t.Context(), t, h.holding(h.person, h.port, rule, endpoint))
	h.gw.Env = append(h.gw.Env, "OPS_SECRET="+h.person.secret())
	ctx := shared.deadline(t, h.gw)
	h.database = shared.database(ctx, t, shop)
	var err error
	if h.other, err = h.gw.AddPeer(ctx, "other", "agents"); err != nil {
		t.Fatal(err)
	}
	serve(ctx, t, h.gw)
	return h, ctx
}

// psql is psql inside the tunnel.
func (h *held) psql(ctx context.Context) *exec.Cmd {
	return h.psqlCommand(ctx, h.gw, "db", "postgres", h.database)
}

// customers is how many there are, asked of the server itself.
func (h *held) customers(ctx context.Context, t *testing.T) string {
	t.Helper()
	return h.onServer(ctx, t, h.database, "select count(*) from customers")
}

// outcomes are those of what was held, in their order.
func (h *held) outcomes() (all []string) {
	for _, line := range lines(h.gw.Receipts()) {
		var r struct{ Kind, Outcome, Hold string }
		if json.Unmarshal([]byte(line), &r) == nil && r.Hold != "" {
			all = append(all, r.Outcome)
		}
	}
	return all
}

func (h *held) wantOutcomes(t *testing.T, want ...string) {
	t.Helper()
	if got := h.outcomes(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("on record are %v, want %v", got, want)
	}
	if out, err := h.gw.Command(t.Context(), "receipts", "verify", "--config", h.gw.Config).CombinedOutput(); err != nil {
		t.Errorf("receipts verify: %v\n%s", err, out)
	}
}

// started is a command that runs, with what it has printed.
type started struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
	ended    chan error
}

func start(t *testing.T, cmd *exec.Cmd, input string) *started {
	t.Helper()
	s := &started{cmd: cmd, ended: make(chan error, 1)}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &s.out, &s.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- cmd.Wait() }()
	return s
}

// finish waits for its end.
func (s *started) finish(ctx context.Context, t *testing.T) printed {
	t.Helper()
	select {
	case err := <-s.ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatalf("%v does not end", s.cmd.Args)
	}
	return printed{s.out.String(), s.err.String(), s.cmd.ProcessState.ExitCode()}
}

const deleteOne = "delete from customers where id = 1 returning name;\nselect count(*) from customers;\n"

// TestHoldApproved: a held statement reaches the server when a person has approved it and not before, as if nothing had happened.
func TestHoldApproved(t *testing.T) {
	h, ctx := newHeld(t, nil, "", "")
	run := start(t, h.psql(ctx), deleteOne)
	e := h.person.next(ctx)
	if n := h.customers(ctx, t); n != "3" || e.Data.Class != "delete" || e.Data.Title == "" {
		t.Errorf("%s customers while %+v waits", n, e)
	}
	if s := h.person.call(ctx, e, approves(e), nil); s != http.StatusOK {
		t.Errorf("the call back was answered %d", s)
	}
	got := run.finish(ctx, t)
	if got.out != "Ada\n2\n" || got.status != 0 || !strings.Contains(got.err, "NOTICE") || !strings.Contains(got.err, "held as "+e.Data.Hold) {
		t.Errorf("%+v", got)
	}
	if n := h.customers(ctx, t); n != "2" {
		t.Errorf("%s customers", n)
	}
	h.wantOutcomes(t, "held", "approved")
	if s := h.person.call(ctx, e, approves(e), nil); s != http.StatusConflict {
		t.Errorf("a second decision was answered %d", s)
	}
}

// TestHoldAnsweredInline: a receiver may decide in its answer. What it rejects fails in the server's words; a transaction with it rolls
// back, and the session lives.
func TestHoldAnsweredInline(t *testing.T) {
	h, ctx := newHeld(t, rejects, "", "")
	got := finish(ctx, t, h.psql(ctx), "begin;\nupdate customers set name = 'x' where id = 2;\ndelete from customers where id = 1;\ncommit;\nselect name from customers where id = 2;\n")
	if got.out != "Grace\n" || !strings.Contains(got.err, "ERROR:  42501: rejected by grace (ops): not on a Sunday") || !strings.Contains(got.err, "hold h") {
		t.Errorf("%+v", got)
	}
	if n := h.customers(ctx, t); n != "3" {
		t.Errorf("%s customers", n)
	}
	h.wantOutcomes(t, "held", "rejected")
}

// TestHoldForged: who cannot sign, signs something else or an old message, or means another action, decides nothing.
func TestHoldForged(t *testing.T) {
	h, ctx := newHeld(t, nil, "", "")
	run := start(t, h.psql(ctx), deleteOne)
	e := h.person.next(ctx)
	other := approves(e)
	other["digest"] = strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		body   map[string]any
		change func(*http.Request)
	}{
		"no signature":      {approves(e), func(r *http.Request) { r.Header.Del("webhook-signature") }},
		"a wrong signature": {approves(e), func(r *http.Request) { r.Header.Set("webhook-signature", "v1,AAAA") }},
		"another timestamp": {approves(e), func(r *http.Request) { r.Header.Set("webhook-timestamp", "1000000000") }},
		"another digest":    {other, nil},
		"another hold":      {approves(e), func(r *http.Request) { r.URL.Path = "/v1/holds/habcdefghjkmnpqrst/decision" }},
	} {
		if s := h.person.call(ctx, e, c.body, c.change); s < 400 {
			t.Errorf("%s: answered %d", name, s)
		}
	}
	if n := h.customers(ctx, t); n != "3" {
		t.Errorf("%s customers", n)
	}
	if s := h.person.call(ctx, e, approves(e), nil); s != http.StatusOK { // the twin
		t.Errorf("answered %d", s)
	}
	if got := run.finish(ctx, t); got.out != "Ada\n2\n" {
		t.Errorf("%+v", got)
	}
}

// TestHoldTimedOut: nobody decides in time, and later the operator does: the same statement of the same agent then passes once.
func TestHoldTimedOut(t *testing.T) {
	h, ctx := newHeld(t, nil, `timeout = "5s"`, "")
	got := finish(ctx, t, h.psql(ctx), deleteOne)
	e := h.person.next(ctx)
	if got.out != "3\n" || !strings.Contains(got.err, "nobody approved it within 5s") || !strings.Contains(got.err, e.Data.Hold) {
		t.Errorf("%+v", got)
	}
	operator := func(args ...string) (string, error) {
		out, err := h.gw.Command(ctx, append(args, "--config", h.gw.Config)...).CombinedOutput()
		return string(out), err
	}
	if out, err := operator("holds", "approve", e.Data.Hold, "--digest", strings.Repeat("0", 64)); err == nil {
		t.Errorf("approved with another digest:\n%s", out)
	}
	if out, err := operator("holds", "approve", e.Data.Hold, "--digest", e.Data.Digest); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := h.customers(ctx, t); n != "3" {
		t.Fatalf("%s customers: the approval executed something", n)
	}
	// Another statement is not what was granted.
	run := start(t, h.psql(ctx), "delete from customers where id = 2;\n")
	if out, err := operator("holds", "reject", h.person.next(ctx).Data.Hold); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if got := run.finish(ctx, t); !strings.Contains(got.err, "rejected by") {
		t.Errorf("%+v", got)
	}
	if got := finish(ctx, t, h.psql(ctx), deleteOne); got.out != "Ada\n2\n" || got.err != "" {
		t.Errorf("under the grant: %+v", got)
	}
	run = start(t, h.psql(ctx), deleteOne) // once
	if out, err := operator("holds", "reject", h.person.next(ctx).Data.Hold); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	run.finish(ctx, t)
	h.wantOutcomes(t, "held", "expired", "approved", "held", "rejected", "granted", "held", "rejected")
}

// TestHoldAgentGone: an agent that cancels takes its statement back, and one that vanished without a word is noticed at the approval,
// which executes nothing.
func TestHoldAgentGone(t *testing.T) {
	for name, c := range map[string]struct {
		leave os.Signal
		notes bool // the gateway hears of it
	}{
		"vanished":  {syscall.SIGKILL, false}, // with its tunnel
		"cancelled": {os.Interrupt, true},
	} {
		t.Run(name, func(t *testing.T) {
			h, ctx := newHeld(t, nil, "", "")
			run := start(t, h.psql(ctx), deleteOne)
			e := h.person.next(ctx)
			_ = run.cmd.Process.Signal(c.leave)
			run.finish(ctx, t)
			if c.notes {
				until(ctx, t, "the withdrawal", func() bool { return strings.Contains(strings.Join(h.outcomes(), " "), "withdrawn") })
			}
			_ = h.person.call(ctx, e, approves(e), nil)
			until(ctx, t, "the withdrawal", func() bool { return strings.Contains(strings.Join(h.outcomes(), " "), "withdrawn") })
			if n := h.customers(ctx, t); n != "3" {
				t.Errorf("%s customers", n)
			}
			if n := h.onServer(ctx, t, h.database, "select count(*) from pg_stat_activity where state like 'idle in%'"); n != "0" {
				t.Errorf("%s sessions are left idle in a transaction", n)
			}
		})
	}
}

// TestHoldRestart: a gateway that dies with something held executes nothing of it, and says so when it is back.
func TestHoldRestart(t *testing.T) {
	h, ctx := newHeld(t, nil, "", "")
	run := start(t, h.psql(ctx), deleteOne)
	e := h.person.next(ctx)
	if err := syscall.Kill(h.gw.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = h.gw.Stop()
	again, err := h.gw.Again()
	if err != nil {
		t.Fatal(err)
	}
	serve(ctx, t, again)
	_ = run.cmd.Process.Kill()
	run.finish(ctx, t)
	h.gw = again
	h.wantOutcomes(t, "held", "expired")
	if n := h.customers(ctx, t); n != "3" {
		t.Errorf("%s customers", n)
	}
	if s := h.person.call(ctx, e, approves(e), nil); s != http.StatusOK {
		t.Errorf("a late approval was answered %d", s)
	}
	if n := h.customers(ctx, t); n != "3" {
		t.Errorf("%s customers: the late approval executed something", n)
	}
	if got := finish(ctx, t, h.psql(ctx), deleteOne); got.out != "Ada\n2\n" {
		t.Errorf("under the grant: %+v", got)
	}
}

// pgxHeld does what is held in the ways of a driver: with parameters, prepared and run again, in a pipeline, in a transaction, as a COPY.
// Ledger entries of 500 are approved and those of 666 rejected.
func pgxHeld(ctx context.Context, c *pgx.Conn) error {
	const insert = "insert into ledger values ($1, $2)"
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		if tag, err := c.Exec(ctx, insert, mode, 100+int(mode), 500); err != nil || tag.RowsAffected() != 1 {
			return fmt.Errorf("mode %v: %v %w", mode, tag, err)
		}
		if _, err := c.Exec(ctx, insert, mode, 200+int(mode), 666); denied(err, "rejected by grace (ops): not on a Sunday") != nil {
			return fmt.Errorf("mode %v, rejected: %w", mode, err)
		}
	}
	b := &pgx.Batch{}
	b.Queue("select 1")
	b.Queue(insert, 300, 500)
	b.Queue("select 2")
	if err := c.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("a pipeline: %w", err)
	}
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insert, 400, 500); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insert, 401, 666); denied(err, "rejected by grace (ops): not on a Sunday") != nil {
		return fmt.Errorf("in a transaction: %w", err)
	}
	if err := tx.Commit(ctx); !errors.Is(err, pgx.ErrTxCommitRollback) {
		return fmt.Errorf("the transaction was committed: %w", err)
	}
	n, err := c.CopyFrom(ctx, pgx.Identifier{"ledger"}, []string{"id", "amount"}, pgx.CopyFromRows([][]any{{601, 1}, {602, 2}}))
	if err != nil || n != 2 {
		return fmt.Errorf("a COPY: %d rows, %w", n, err)
	}
	return nil
}

// TestHoldDrivers: a driver notices nothing of what is held but the time, whichever way it asks.
func TestHoldDrivers(t *testing.T) {
	decide := func(e heldEvent) map[string]any {
		for _, f := range e.Data.Fields {
			if strings.Contains(f.Text, "666") {
				return rejects(e)
			}
		}
		return approves(e)
	}
	h, ctx := newHeld(t, decide, "", "")
	text, err := os.ReadFile(h.gw.Config)
	if err != nil {
		t.Fatal(err)
	}
	write(t, h.gw.Config, strings.Replace(string(text), `when = 'action.class == "delete"'`, `when = '"ledger" in sql.writes && sql.executes'`, 1))
	if out, err := h.gw.Command(ctx, "reload", h.gw.Config).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	url := fmt.Sprintf("postgres://postgres@db:%d/%s", h.pg.Port, h.database)
	if got := finish(ctx, t, agentRole(ctx, h.gw, "pgx-held", url), ""); got.out != "done\n" || got.status != 0 {
		t.Errorf("%+v", got)
	}
	if ids := h.onServer(ctx, t, h.database, "select string_agg(id::text, ' ' order by id) from ledger"); ids != "1 101 104 105 300 601 602" {
		t.Errorf("the ledger has %s", ids)
	}
}

// TestHoldRollback: where a transaction must not wait, an approval is for the next time.
func TestHoldRollback(t *testing.T) {
	h, ctx := newHeld(t, nil, "", `on_hold = "rollback"`)
	got := finish(ctx, t, h.psql(ctx), deleteOne)
	if got.out != "3\n" || !strings.Contains(got.err, "waits for nobody") {
		t.Errorf("%+v", got)
	}
	e := h.person.next(ctx)
	if s := h.person.call(ctx, e, approves(e), nil); s != http.StatusOK {
		t.Errorf("answered %d", s)
	}
	if n := h.customers(ctx, t); n != "3" {
		t.Errorf("%s customers: the approval executed something", n)
	}
	if got := finish(ctx, t, h.psql(ctx), deleteOne); got.out != "Ada\n2\n" {
		t.Errorf("under the grant: %+v", got)
	}
	h.wantOutcomes(t, "held", "approved", "granted")
}

// TestNobodyApprovesHimself: neither the listener for approvers nor the operator's command can be used from inside the tunnel.
func TestNobodyApprovesHimself(t *testing.T) {
	h, ctx := newHeld(t, nil, "", "")
	run := start(t, h.psql(ctx), deleteOne)
	e := h.person.next(ctx)
	inside := func(args ...string) printed {
		return finish(ctx, t, h.gw.Command(ctx, append([]string{"run", "--peer", h.other, "--"}, args...)...), "")
	}
	if got := inside(h.gw.Binary, "holds", "approve", e.Data.Hold, "--digest", e.Data.Digest, "--config", h.gw.Config); got.status == 0 || !strings.Contains(got.err, "network namespace") {
		t.Errorf("holds approve inside of the tunnel: %+v", got)
	}
	if got := inside(h.gw.Binary, "holds", "list", "--config", h.gw.Config); got.status == 0 {
		t.Errorf("holds list inside of the tunnel: %+v", got)
	}
	for _, host := range []string{"127.0.0.1", "10.89.0.1", "db"} {
		if got := inside("curl", "-sS", "--max-time", "5", fmt.Sprintf("http://%s:%d/v1/holds/%s/decision", host, h.port, e.Data.Hold)); got.status == 0 {
			t.Errorf("the listener answers inside of the tunnel, at %s: %+v", host, got)
		}
	}
	// The same from outside.
	if out, err := h.gw.Command(ctx, "holds", "list", "--config", h.gw.Config).CombinedOutput(); err != nil || !strings.Contains(string(out), e.Data.Hold) {
		t.Errorf("holds list: %v\n%s", err, out)
	}
	if out, err := h.gw.Command(ctx, "holds", "show", e.Data.Hold, "--config", h.gw.Config).CombinedOutput(); err != nil || !strings.Contains(string(out), "delete from customers where id = 1") {
		t.Errorf("holds show: %v\n%s", err, out)
	}
	if out, err := h.gw.Command(ctx, "holds", "approve", e.Data.Hold, "--digest", e.Data.Digest, "--config", h.gw.Config).CombinedOutput(); err != nil {
		t.Errorf("holds approve: %v\n%s", err, out)
	}
	if got := run.finish(ctx, t); got.out != "Ada\n2\n" {
		t.Errorf("%+v", got)
	}
	if info, err := os.Stat(filepath.Join(h.gw.Dir, "state")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the state: %v %v", info.Mode(), err)
	}
}
