package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// pgbench is pgbench through the tunnel.
func (w *world) pgbench(ctx context.Context, database string, args ...string) *exec.Cmd {
	program := []string{filepath.Join(w.pgBin, "pgbench"), "-n", "-h", "db", "-p", strconv.Itoa(w.port("db")), "-U", "postgres"}
	return w.gw.Agent(ctx, append(append(program, args...), database)...)
}

func TestPgbench(t *testing.T) {
	w := shared
	database := w.database(t.Context(), t, "")
	init := exec.CommandContext(t.Context(), filepath.Join(w.pgBin, "pgbench"), "-i", "-q", "-h", w.pg.Dir, "-p", strconv.Itoa(w.pg.Port), "-U", "postgres", database)
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("pgbench -i: %v\n%s", err, out)
	}
	const clients, transactions = 2, 20
	history := 0
	for _, mode := range []string{"simple", "extended", "prepared"} {
		for _, script := range []string{"select-only", "tpcb-like"} {
			t.Run(mode+" "+script, func(t *testing.T) {
				ctx := w.deadline(t, w.gw)
				got := finish(ctx, t, w.pgbench(ctx, database, "-M", mode, "-b", script, "-c", fmt.Sprint(clients), "-t", fmt.Sprint(transactions)), "")
				all := fmt.Sprintf("number of transactions actually processed: %d/%d\n", clients*transactions, clients*transactions)
				if got.status != 0 || !strings.Contains(got.out, all) {
					t.Errorf("pgbench ended with status %d:\n%s%s", got.status, got.out, got.err)
				}
				if script == "tpcb-like" {
					history += clients * transactions
				}
				if n := w.onServer(ctx, t, database, "select count(*) from pgbench_history"); n != fmt.Sprint(history) {
					t.Errorf("the server has %s rows of history, want %d", n, history)
				}
			})
		}
	}
	t.Run("denied", func(t *testing.T) {
		ctx := w.deadline(t, w.gw)
		script := filepath.Join(t.TempDir(), "script")
		write(t, script, "update pgbench_accounts set abalance = 123456789;\n")
		got := finish(ctx, t, w.pgbench(ctx, database, "-M", "prepared", "-f", script, "-t", "1"), "")
		if got.status == 0 || !strings.Contains(got.err, "UPDATE and DELETE need a WHERE clause") {
			t.Errorf("pgbench ended with status %d:\n%s%s", got.status, got.out, got.err)
		}
		if n := w.onServer(ctx, t, database, "select count(*) from pgbench_accounts where abalance = 123456789"); n != "0" {
			t.Errorf("%s rows were changed", n)
		}
	})
}
