package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sallyport-dev/sallyport/test/standin"
)

// inspecting is a configuration in which a model reads what comes out of env_vars, tokens in masked_vars are masked, and what is long passes or not.
func (w *world) inspecting(model *standin.Server) string {
	return fmt.Sprintf(`
[plugins]
postgres = "builtin"

[[endpoint]]
name = "db"
address = "127.0.0.1:%d"
plugin = "postgres"
profiles = ["agents"]

[[judge]]
name = "reader"
provider = "openai"
base_url = "%s"
secret = "env:JUDGE_KEY"
model = "a-model"
policy = "Nobody gets tokens."
timeout = "30s"

[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write", "delete"]'
then = "allow"

[[rule]]
name = "a model reads env_vars"
when = '"env_vars" in sql.reads'
inspect = "response"
then = "judge"
judge = "reader"

[[rule]]
name = "tokens are masked"
when = '"masked_vars" in sql.reads'
inspect = "response"
then = "redact"
redact = ["ghp_[A-Za-z0-9]+"]
redact_columns = ["password"]

[[rule]]
name = "numbers may be many"
when = '"numbers" in sql.reads'
inspect = "response"
response = 'response.text.contains("ghp_")'
limit = "16KiB"
then = "deny"
then_long = "allow"

[[rule]]
name = "lists are short"
when = '"list" in sql.reads'
inspect = "response"
response = 'false'
limit = "16KiB"
then = "deny"
`, w.pg.Port, model.BaseURL("openai"))
}

const variables = `create table env_vars (name text, value text);
insert into env_vars values ('HOME', '/root'), ('TOKEN', 'ghp_abc123');
create table masked_vars (id int, name text, value text, password text);
insert into masked_vars values (1, 'HOME', '/root', 'x'), (2, 'TOKEN', 'first ghp_abc123, then ghp_x', 'hunter2'), (3, 'é', E'a\tb\\', '');
create table numbers as select i from generate_series(1, 50000) i;
create table list as select i from generate_series(1, 50000) i;
create table customers (id int);
insert into customers values (1), (2), (3);
`

// TestResponses is the story of results: rows without a secret arrive as they are, those with a token are withheld, with redact the token arrives
// masked and the rest byte for byte, 50,000 rows stream or not as the rule says, and psql works on.
func TestResponses(t *testing.T) {
	model := standin.New(t, func(a standin.Asked) standin.Reply {
		if strings.Contains(a.User, "ghp_") {
			return standin.Verdict("deny", "a token")
		}
		return standin.Verdict("allow", "nothing in it")
	})
	gw := shared.gateway(t.Context(), t, shared.inspecting(model))
	gw.Env = append(gw.Env, "JUDGE_KEY=sk-canary")
	ctx := shared.deadline(t, gw)
	database := shared.database(ctx, t, variables)
	serve(ctx, t, gw)
	psql := func(script string) printed {
		return finish(ctx, t, shared.psqlCommand(ctx, gw, "db", "postgres", database), script)
	}

	got := psql(`select * from env_vars where name = 'HOME';
select * from env_vars;
select 'still here';
begin;
select * from env_vars;
select count(*) from env_vars;
commit;
select * from masked_vars order by id;
select 'and here';
`)
	want := "HOME|/root\nstill here\n2\n1|HOME|/root|*\n2|TOKEN|first **********, then *****|*******\n3|é|a\tb\\|\nand here\n"
	if got.out != want {
		t.Errorf("psql printed %q, want %q", got.out, want)
	}
	if n := strings.Count(got.err, "the statement ran, and its result is withheld: the rule a model reads env_vars withholds the result; the judge reader denies it: a token"); n != 2 ||
		strings.Contains(got.err, "ghp_") {
		t.Errorf("psql was told %q", got.err)
	}

	direct := shared.onServer(ctx, t, database, "select * from numbers")
	if got := psql("select * from numbers;\nselect 'done';\n"); strings.TrimSpace(got.out) != strings.TrimSpace(direct)+"\ndone" || got.err != "" {
		t.Errorf("%d bytes of numbers, want %d: %s", len(got.out), len(direct), got.err)
	}
	if got := psql("select * from list;\nselect 'done';\n"); got.out != "done\n" || !strings.Contains(got.err, "longer than what the rule looks at") {
		t.Errorf("psql printed %d bytes, and was told %q", len(got.out), got.err)
	}

	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		url := fmt.Sprintf("postgres://postgres@db:%d/%s?sslmode=disable&default_query_exec_mode=%s", shared.pg.Port, database, mode)
		if got := finish(ctx, t, agentRole(ctx, gw, "results", url), ""); got.status != 0 || got.out != "done\n" {
			t.Errorf("pgx, %s: status %d, %q: %s", mode, got.status, got.out, got.err)
		}
	}

	outcomes := map[string]int{}
	for _, line := range lines(gw.Receipts()) {
		var r struct {
			Kind, Family, Outcome, Rule, Parent string
			Masked                              int
			Fields                              map[string]any
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Kind != "decision" || r.Family != "response" {
			continue
		}
		if r.Parent == "" || r.Fields["rows"] == nil || r.Fields["bytes"] == nil || r.Fields["text"] != nil {
			t.Errorf("on record: %s", line)
		}
		outcomes[fmt.Sprintf("%s %q masked %d", r.Outcome, r.Rule, r.Masked)]++
	}
	// What psql did, and pgx five times.
	wantOutcomes := map[string]int{`judged_allow "a model reads env_vars" masked 0`: 2 + 5, `judged_deny "a model reads env_vars" masked 0`: 2 + 5, `allow "tokens are masked" masked 3`: 1,
		`allow "tokens are masked" masked 2`: 2 * 5, `allow "" masked 0`: 1 + 5, `deny "lists are short" masked 0`: 1 + 5}
	if fmt.Sprint(outcomes) != fmt.Sprint(wantOutcomes) {
		t.Errorf("on record are %v, want %v", outcomes, wantOutcomes)
	}
	if record := gw.Receipts(); strings.Contains(record, "ghp_abc") || strings.Contains(record, "hunter2") || strings.Contains(gw.Log(), "ghp_abc") || strings.Contains(record, "sk-canary") {
		t.Error("a secret is on record, or in the log")
	}
}

// results is an agent with pgx: the same statements, again and again in one connection, which works on behind each that is withheld.
func results(ctx context.Context, conn *pgx.Conn) error {
	withheld := func(sql string) error {
		rows, err := conn.Query(ctx, sql)
		if err == nil {
			_, err = pgx.CollectRows(rows, pgx.RowToMap)
		}
		var failed *pgconn.PgError
		if !errors.As(err, &failed) || failed.Code != "42501" || !strings.Contains(failed.Message, "its result is withheld") {
			return fmt.Errorf("%s: %v", sql, err)
		}
		return nil
	}
	var name, value, password string
	var id int
	for range 2 { // the second time it is prepared
		if err := conn.QueryRow(ctx, "select * from masked_vars where id = 2").Scan(&id, &name, &value, &password); err != nil || id != 2 || name != "TOKEN" ||
			value != "first **********, then *****" || password != "*******" {
			return fmt.Errorf("%d %q %q %q %w", id, name, value, password, err)
		}
	}
	if err := withheld("select * from env_vars"); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, "select value from env_vars where name = 'HOME'").Scan(&value); err != nil || value != "/root" {
		return fmt.Errorf("%q %w", value, err)
	}
	if err := withheld("select * from list"); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, "select i from numbers")
	if err != nil {
		return err
	}
	if all, err := pgx.CollectRows(rows, pgx.RowTo[int]); err != nil || len(all) != 50000 {
		return fmt.Errorf("%d rows: %w", len(all), err)
	}
	return nil
}
