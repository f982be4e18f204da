package drivers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/pgserver"
)

// command says which program plays at a place, with its arguments and with what its environment has beside PGHOST and its like.
type command func(ctx context.Context, t *testing.T, at place, scenarios string) (program, env []string)

// driver is a program that plays the scenarios.
type driver struct {
	name    string
	command command
	at      []place
}

// place is where a driver plays: without an endpoint at the server itself, whose rights refuse.
type place struct{ name, version, endpoint, message string }

var (
	directly  = place{"directly", debian, "", "permission denied for table ledger"}
	gateway   = place{"gateway", debian, "db15", "nobody writes to the ledger"}
	late      = place{"denied late", debian, "late15", "nobody writes to the ledger"}
	direct18  = place{"PostgreSQL 18 directly", newest, "", "permission denied for table ledger"}
	gateway18 = place{"PostgreSQL 18", newest, "db18", "nobody writes to the ledger"}

	some = []place{directly, gateway}
	most = []place{directly, gateway, late, gateway18}
)

var all = []driver{
	{"psql", psqlDriver, most},
	{"pgx", role("pgx", "cache_statement"), most},
	{"pgx exec", role("pgx", "exec"), some},
	{"pgx simple", role("pgx", "simple_protocol"), some},
	{"lib_pq", role("pq", ""), most},
	{"lib_pq binary", role("pq", "yes"), some},
	{"psycopg 3", python("run_psycopg3.py", "psycopg"), most},
	{"psycopg 3 with libpq 18", libpq18, []place{gateway, direct18, gateway18}},
	{"psycopg2", python("run_psycopg2.py", "psycopg2"), some},
	{"asyncpg", python("run_asyncpg.py", "asyncpg"), most},
	{"node pg", node("pg.js", true), most},
	{"postgres.js", node("postgresjs.js", false), most},
	{"JDBC", jdbc, most},
}

// scenario is what is asked of a driver, and what must come of it.
type scenario struct {
	Name  string
	Steps []struct{ Want any }
}

// line is what a driver prints.
type line struct {
	Scenario string
	Step     int
	Result   any
	Message  string
}

func TestDrivers(t *testing.T) {
	for _, d := range all {
		t.Run(d.name, func(t *testing.T) {
			for _, p := range d.at {
				t.Run(p.name, func(t *testing.T) { shared.play(t, d, p) })
			}
		})
	}
}

// play has a driver play all scenarios, on a database of its own, and compares what it prints.
func (w *world) play(t *testing.T, d driver, at place) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	pg := w.servers[at.version]
	database := "drv_" + strings.ToLower(strings.NewReplacer("/", "_", " ", "_", ".", "_").Replace(t.Name()))
	if _, err := pg.Psql(ctx, "postgres", "create database "+database+" template shop"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(source(t), "scenarios.json")
	program, env := d.command(ctx, t, at, file)
	var cmd *exec.Cmd
	if at.endpoint == "" {
		cmd = exec.CommandContext(ctx, program[0], program[1:]...)
		cmd.WaitDelay = 10 * time.Second
		cmd.Env = append(os.Environ(), "PGHOST=127.0.0.1", "PGUSER=agent")
	} else {
		cmd = w.gw.Agent(ctx, program...)
		cmd.Env = append(cmd.Env, "PGHOST="+at.endpoint, "PGUSER=postgres")
	}
	cmd.Env = append(append(cmd.Env, "LC_ALL=C.UTF-8", "PGPORT="+strconv.Itoa(pg.Port), "PGDATABASE="+database, "PGSSLMODE=prefer"), env...)
	logged, recorded := len(pg.Log()), len(w.gw.Log())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %v\n%s", program, err, stderr.String())
	}
	compare(t, file, stdout.Bytes(), at.message)
	w.witness(t, pg, logged, at.endpoint)
	if t.Failed() {
		t.Logf("the gateway logged:\n%s\nthe driver said:\n%s", w.gw.Log()[recorded:], stderr.String())
	}
	if got, err := pg.Psql(ctx, database, "select count(*), sum(amount) from ledger"); err != nil || got != "1|100" {
		t.Errorf("the ledger has %s, %v", got, err)
	}
}

// compare holds what a driver printed against what was wanted.
func compare(t *testing.T, file string, printed []byte, message string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var scenarios []scenario
	if err := json.Unmarshal(b, &scenarios); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	lines := json.NewDecoder(bytes.NewReader(printed))
	for _, s := range scenarios {
		for i, step := range s.Steps {
			var got line
			if err := lines.Decode(&got); err != nil {
				t.Fatalf("%s, step %d: the driver printed no more: %v", s.Name, i, err)
			}
			if got.Scenario != s.Name || got.Step != i {
				t.Fatalf("%s, step %d: the driver printed %s, step %d", s.Name, i, got.Scenario, got.Step)
			}
			if !reflect.DeepEqual(got.Result, step.Want) {
				t.Errorf("%s, step %d: got %s (%s), want %s", s.Name, i, asJSON(got.Result), got.Message, asJSON(step.Want))
				continue
			}
			if r, _ := got.Result.(map[string]any); r["state"] == "42501" && !strings.Contains(got.Message, message) {
				t.Errorf("%s, step %d: the error says %q, want %q", s.Name, i, got.Message, message)
			}
		}
	}
	if lines.More() {
		t.Error("the driver printed more lines than there are steps")
	}
}

func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// witness reads in the server's log that what was denied did not reach it. Where only the execution is denied, the text does.
func (w *world) witness(t *testing.T, pg *pgserver.Server, from int, endpoint string) {
	t.Helper()
	log := pg.Log()[from:]
	if !strings.Contains(log, "select name from customers") {
		t.Errorf("the server's log does not show what was allowed:\n%s", log)
	}
	if endpoint == "" {
		if !strings.Contains(log, "unseen") {
			t.Errorf("the server's log does not show what the server itself refused:\n%s", log)
		}
		return
	}
	for l := range strings.Lines(log) {
		if !strings.Contains(l, "unseen") {
			continue
		}
		if strings.HasPrefix(endpoint, "late") && !strings.Contains(l, "execute") && !strings.Contains(l, "statement: ") {
			continue
		}
		t.Errorf("what was denied reached the server: %s", l)
	}
}

// source is the folder of this package.
func source(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// lacking ends a test whose driver is not installed: scripts/deps installs all of them where there is an apt-get.
func lacking(t *testing.T, what string, err error) {
	t.Helper()
	if _, none := exec.LookPath("apt-get"); none != nil {
		t.Skipf("%s cannot be installed here: %v", what, err)
	}
	t.Fatalf("%s is missing, run scripts/deps test: %v", what, fmt.Sprint(err))
}
