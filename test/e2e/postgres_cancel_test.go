package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// sleeping waits until a statement with the given words runs.
func sleeping(ctx context.Context, c *pgx.Conn, words string) error {
	for {
		var n int
		err := c.QueryRow(ctx, "select count(*) from pg_stat_activity where state = 'active' and wait_event = 'PgSleep' and query like $1", "%"+words+"%").Scan(&n)
		if err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%q does not run: %w", words, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// cancelRole cancels statements by the driver's request and by Ctrl-C in psql. Its arguments are a connection string and psql.
func cancelRole(ctx context.Context, args []string) error {
	watch, err := pgx.Connect(ctx, args[0])
	if err != nil {
		return err
	}
	defer watch.Close(context.WithoutCancel(ctx))
	if err := cancelByDriver(ctx, args[0], watch); err != nil {
		return fmt.Errorf("by the driver: %w", err)
	}
	if err := cancelByKey(ctx, args[1:], watch); err != nil {
		return fmt.Errorf("by Ctrl-C: %w", err)
	}
	fmt.Println("done")
	return nil
}

func cancelByDriver(ctx context.Context, url string, watch *pgx.Conn) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	slept := make(chan error, 1)
	go func() {
		_, err := c.Exec(ctx, "select pg_sleep(600), 'driver naps'", pgx.QueryExecModeSimpleProtocol)
		slept <- err
	}()
	if err := sleeping(ctx, watch, "driver naps"); err != nil {
		return err
	}
	if err := c.PgConn().CancelRequest(ctx); err != nil {
		return err
	}
	var e *pgconn.PgError
	if err := <-slept; !errors.As(err, &e) || e.Code != "57014" {
		return fmt.Errorf("the statement ended with %w", err)
	}
	var n int
	return c.QueryRow(ctx, "select 1").Scan(&n) // the session lives
}

func cancelByKey(ctx context.Context, psql []string, watch *pgx.Conn) error {
	cmd := exec.CommandContext(ctx, psql[0], psql[1:]...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("select pg_sleep(600), 'psql naps';\nselect 'awake';\n"), &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	err := sleeping(ctx, watch, "psql naps")
	if err == nil {
		err = cmd.Process.Signal(os.Interrupt)
	} else {
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait()
	if text := out.String(); err != nil || !strings.Contains(text, "canceling statement due to user request") {
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// TestPostgresCancel: what runs at the server ends when its agent says so, with TLS on both sides and towards the server alone.
func TestPostgresCancel(t *testing.T) {
	ctx := shared.deadline(t, shared.gw)
	e := newEncrypted(ctx, t)
	for _, c := range []struct{ endpoint, mode string }{{"full", "disable"}, {"full", "verify-full"}} {
		url := fmt.Sprintf("postgres://me@%s:%d/postgres?sslmode=%s&sslrootcert=%s", c.endpoint, e.pg.Port, c.mode, e.ca)
		psql := e.w.pgBin + "/psql"
		got := finish(ctx, t, agentRole(ctx, e.gw, "cancel", url, psql, "-XAtq", "-w", url), "")
		if got.out != "done\n" || got.status != 0 {
			t.Errorf("%s, sslmode=%s: %+v", c.endpoint, c.mode, got)
		}
	}
	if !strings.Contains(e.gw.Receipts(), "cancel what another connection") {
		t.Error("the requests are not on record")
	}
}
