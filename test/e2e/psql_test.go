package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/test/rig"
)

// printed is what a program left.
type printed struct {
	out, err string
	status   int
}

// finish runs a command to its end, whatever its status.
func finish(ctx context.Context, t *testing.T, cmd *exec.Cmd, input string) printed {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v (%v)\n%s%s", cmd.Args, err, ctx.Err(), stdout.String(), stderr.String())
	}
	return printed{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// psqlCommand is psql inside the tunnel. It is told nothing but where to go: no file of the user's, no prompt.
func (w *world) psqlCommand(ctx context.Context, gw *rig.Gateway, host, user, database string, args ...string) *exec.Cmd {
	psql := []string{filepath.Join(w.pgBin, "psql"), "-XAtq", "-v", "VERBOSITY=verbose", "-P", "pager=off",
		"-h", host, "-p", strconv.Itoa(w.port(host)), "-U", user, "-d", database}
	return gw.Agent(ctx, append(psql, args...)...)
}

// port is the port of an endpoint.
func (w *world) port(host string) int {
	switch host {
	case "fragile":
		return w.faults.port()
	case "down":
		return w.down
	}
	return w.pg.Port
}

// psql runs a script as the agent, through the shared gateway.
func (w *world) psql(ctx context.Context, t *testing.T, host, database, script string, args ...string) printed {
	t.Helper()
	return finish(ctx, t, w.psqlCommand(ctx, w.gw, host, "postgres", database, args...), script)
}

// denials are the receipts that errors name, after the rule if there is one.
var denials = regexp.MustCompile(`DETAIL:  (?:rule "([^"]*)", )?receipt (\S+)`)

// wantDenied checks that text has an error of the given rule and reason, with SQLSTATE 42501 and a receipt that is on record as a
// denial by this rule.
func wantDenied(t *testing.T, gw *rig.Gateway, text, rule, reason string) {
	t.Helper()
	if want := "ERROR:  42501: " + reason; !strings.Contains(text, want) {
		t.Errorf("no %q in:\n%s", want, text)
		return
	}
	for _, m := range denials.FindAllStringSubmatch(text, -1) {
		if m[1] == rule {
			wantReceipt(t, gw, m[2], rule)
			return
		}
	}
	t.Errorf("no error names rule %q and a receipt:\n%s", rule, text)
}

func wantReceipt(t *testing.T, gw *rig.Gateway, id, rule string) {
	t.Helper()
	for line := range strings.Lines(gw.Receipts()) {
		if !strings.Contains(line, id) {
			continue
		}
		var r struct{ ID, Kind, Outcome, Rule string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Errorf("a receipt is not JSON: %v: %q", err, line)
			return
		}
		if r.ID != id {
			continue
		}
		if r.Kind != "decision" || r.Outcome != "deny" || r.Rule != rule {
			t.Errorf("receipt %s is no denial by rule %q: %s", id, rule, line)
		}
		return
	}
	t.Errorf("no receipt %s on record", id)
}

// scenario is a session of psql.
type scenario struct {
	name    string
	host    string   // "db" when empty
	script  string   // to standard input
	args    []string // of psql
	out     string   // exactly what psql prints to standard output
	rule    string   // of the denial; with reason
	reason  string   // what a denial says; no denial when empty
	err     string   // a part of what psql prints to standard error
	status  int
	unseen  string // must not be in the server's log
	seen    string // must be
	query   string // asked of the server afterwards
	answers string
}

const shop = `
create table customers (id int primary key, name text);
insert into customers values (1, 'Ada'), (2, 'Grace'), (3, 'Edsger');
create table ledger (id int primary key, amount int);
insert into ledger values (1, 100);
create function wipe() returns void language sql as 'delete from customers';
create schema evil;
create function evil.lower(text) returns text language sql as 'delete from customers returning name';
`

var scenarios = []scenario{
	{name: "read", script: "select count(*) as seen_1 from customers;", out: "3\n", seen: "seen_1"},
	{name: "drop", script: "drop table customers /* unseen_2 */;\nselect count(*) from customers;", out: "3\n",
		rule: "tables stay", reason: "tables are dropped by migrations", unseen: "unseen_2", query: "select count(*) from customers", answers: "3"},
	{name: "two statements", args: []string{"-c", "select 'seen_3'; select count(*) from customers"}, out: "seen_3\n3\n", seen: "seen_3"},
	{name: "two statements, one denied", args: []string{"-c", "select 'unseen_3'; delete from customers"}, status: 1,
		rule: "no unbounded changes", reason: "UPDATE and DELETE need a WHERE clause", unseen: "unseen_3", query: "select count(*) from customers", answers: "3"},
	{name: "two statements, the first denied", args: []string{"-c", "update customers set name = 'x'; select 'unseen_4'"}, status: 1,
		rule: "no unbounded changes", reason: "UPDATE and DELETE need a WHERE clause", unseen: "unseen_4"},
	{name: "comment", script: "select 'seen_5' /* ; drop table customers */ -- ; drop table customers\n;", out: "seen_5\n", seen: "seen_5"},
	{name: "string", script: "select length('; drop table customers; --');", out: "26\n"},
	{name: "writing CTE", script: "with unseen_6 as (delete from customers returning *) select count(*) from unseen_6;",
		rule: "no unbounded changes", reason: "UPDATE and DELETE need a WHERE clause", unseen: "unseen_6", query: "select count(*) from customers", answers: "3"},
	{name: "reading CTE", script: "with seen_6 as (select * from customers) select count(*) from seen_6;", out: "3\n", seen: "seen_6"},
	{name: "explain analyze delete", script: "explain analyze delete from customers /* unseen_7 */;",
		rule: "no unbounded changes", reason: "UPDATE and DELETE need a WHERE clause", unseen: "unseen_7", query: "select count(*) from customers", answers: "3"},
	{name: "explain", script: "explain (costs off) select * from customers;", out: "Seq Scan on customers\n"},
	{name: "do", script: "do $$ begin delete from customers; end $$ /* unseen_8 */;", rule: "", reason: "no rule allows", unseen: "unseen_8",
		query: "select count(*) from customers", answers: "3"},
	{name: "prepare", script: "prepare p as select name from customers where id = $1;\nexecute p(2);\ndeallocate p;", out: "Grace\n", seen: "prepare p as select name"},
	{name: "prepare a denied statement", script: "prepare unseen_9 as delete from customers;\nexecute unseen_9;\nselect 'goes on';",
		out: "goes on\n", rule: "no unbounded changes", reason: "UPDATE and DELETE need a WHERE clause", unseen: "unseen_9", query: "select count(*) from customers", answers: "3"},
	{name: "default deny", script: "create table unseen_10 (id int);\nselect 1;", out: "1\n", rule: "", reason: "no rule allows", unseen: "unseen_10"},
	{name: "write", script: "insert into customers values (4, 'Barbara');\nupdate customers set name = 'Barbara L.' where id = 4;", seen: "Barbara L.",
		query: "select name from customers where id = 4", answers: "Barbara L."},
	{name: "bounded delete", script: "delete from customers where id = 4;", query: "select count(*) from customers", answers: "3"},
	{name: "failed transaction", script: "begin;\nupdate customers set name = 'changed' where id = 1;\ndelete from customers;\n\\echo :SQLSTATE\nselect 1;\n\\echo :SQLSTATE\ncommit;\n\\echo :LAST_ERROR_SQLSTATE",
		out: "42501\n25P02\n25P02\n", rule: "no unbounded changes", reason: "UPDATE and DELETE need a WHERE clause",
		query: "select name from customers where id = 1", answers: "Ada"},
	{name: "committed transaction", script: "begin;\nupdate customers set name = 'Ada L.' where id = 1;\ncommit;", query: "select name from customers where id = 1", answers: "Ada L."},
	{name: "savepoint", script: "begin;\nsavepoint a;\nupdate ledger set amount = 0 where id = 1;\nrollback to a;\nupdate customers set name = 'G.' where id = 2;\ncommit;",
		rule: "the ledger is closed", reason: "nobody writes to the ledger", query: "select name, amount from customers, ledger where customers.id = 2", answers: "G.|100"},
	{name: "error rollback of psql", args: []string{"-v", "ON_ERROR_ROLLBACK=on"}, script: "begin;\nupdate ledger set amount = 0 where id = 1;\nupdate customers set name = 'E.' where id = 3;\ncommit;",
		rule: "the ledger is closed", reason: "nobody writes to the ledger", query: "select name, amount from customers, ledger where customers.id = 3", answers: "E.|100"},
	{name: "an error of the server", script: "select 1/0;\nselect 'after';", out: "after\n", err: "ERROR:  22012: division by zero"},
	{name: "copy from a file of the server", script: "copy customers from '/etc/unseen_11';", rule: "", reason: "no rule allows", unseen: "unseen_11"},
	{name: "copy to a program", script: "copy customers to program 'cat >/tmp/unseen_12';", rule: "", reason: "no rule allows", unseen: "unseen_12"},
	// No rows: what psql makes of rows behind a COPY that was refused differs between its minor releases (15.18 takes them for statements).
	{name: "denied copy", script: "copy ledger from stdin;\n\\.\nselect count(*) from ledger;", out: "1\n", rule: "the ledger is closed", reason: "nobody writes to the ledger"},
	{name: "copy", script: "copy customers from stdin;\n5\tFrances\n\\.\ncopy (select name from customers where id = 5) to stdout;", out: "Frances\n", seen: "copy customers from stdin"},
	{name: "another endpoint's rules", host: "reader", script: "insert into customers values (6, 'unseen_13');\nselect count(*) from customers;", out: "4\n", rule: "", reason: "no rule allows", unseen: "unseen_13"},
	{name: "a function that writes", script: "select wipe() /* unseen_16 */;\nselect upper('goes on');", out: "GOES ON\n", rule: "", reason: "no rule allows", unseen: "unseen_16"},
	{name: "a function in another's place", script: "set search_path = evil, pg_catalog, public;\nselect lower('UNSEEN_17');\nselect pg_catalog.lower('OWN');",
		rule: "", reason: "no rule allows", unseen: "UNSEEN_17"},
	{name: "a search path", script: "set search_path = evil, public;\nselect lower(name) from customers where id = 3;", out: "e.\n"},
	{name: "a statement that is too long", script: "select length('" + strings.Repeat("x", 2<<20) + "') /* unseen_18 */;\nselect 'after';", out: "after\n", err: "ERROR:  54000", unseen: "unseen_18"},
	{name: "a long statement", script: "select length('" + strings.Repeat("x", 900<<10) + "');", out: "921600\n"},
	{name: "another way to read strings", script: "set standard_conforming_strings = off;\nselect 'unseen_15' /* \\'; delete from customers; -- */;\nset standard_conforming_strings = on;\nselect 'seen_15';",
		out: "seen_15\n", rule: "tables stay", reason: "tables are dropped by migrations", unseen: "unseen_15", seen: "'seen_15'"},
	// What cannot be read counts as a match for every rule that denies.
	{name: "not SQL", script: "selct 'unseen_14';\nselect 'after';", out: "after\n", rule: "tables stay", reason: "tables are dropped by migrations", unseen: "unseen_14"},
}

func TestPsql(t *testing.T) {
	w := shared
	database := w.database(t.Context(), t, shop)
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			ctx := w.deadline(t, w.gw)
			host := s.host
			if host == "" {
				host = "db"
			}
			got := w.psql(ctx, t, host, database, s.script, s.args...)
			if got.out != s.out || got.status != s.status {
				t.Errorf("psql ended with status %d and printed %q, want %d and %q\n%s", got.status, got.out, s.status, s.out, got.err)
			}
			if !strings.Contains(got.err, s.err) || s.err == "" && s.reason == "" && got.err != "" {
				t.Errorf("psql says %q, want %q", got.err, s.err)
			}
			if s.reason != "" {
				wantDenied(t, w.gw, got.err, s.rule, s.reason)
			}
			log := w.pg.Log()
			if s.unseen != "" && strings.Contains(log, s.unseen) {
				t.Errorf("%s reached the server:\n%s", s.unseen, log)
			}
			if s.seen != "" && !strings.Contains(log, s.seen) {
				t.Errorf("%s did not reach the server:\n%s", s.seen, log)
			}
			if s.query != "" {
				if got := w.onServer(ctx, t, database, s.query); got != s.answers {
					t.Errorf("%s: %q, want %q", s.query, got, s.answers)
				}
			}
		})
	}
}
