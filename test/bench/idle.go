package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// idleAgent is the first argument of this command when it runs inside the tunnel: it opens connections, says so, and keeps them
// until its standard input ends.
const idleAgent = "idle-agent"

func runIdleAgent(args []string) int {
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: idle-agent DSN COUNT")
		return 2
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for range n {
		c, err := pgx.Connect(ctx, args[0])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer c.Close(ctx)
		if _, err := c.PgConn().Exec(ctx, "select 1").ReadAll(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// atRest is how long connections have to be quiet until their guests are at rest.
const atRest = 12 * time.Second

// startIdleUpstream starts the stand-in whose sessions the idle connections are, and returns its port.
func (b *bench) startIdleUpstream(ctx context.Context) (stop func() error, err error) {
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, b.self, idleUpstream)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() error {
		_ = in.Close()
		return cmd.Wait()
	}
	if _, err := fmt.Fscan(out, &b.idlePort); err != nil {
		return nil, errors.Join(fmt.Errorf("the upstream of idle connections: %w", err), stop())
	}
	return stop, nil
}

// idles measures what a connection that has run one statement and does nothing costs the gateway.
func (b *bench) idles(ctx context.Context) error {
	var each [2]float64
	for i, endpoint := range endpoints {
		progress(fmt.Sprintf("%d idle connections, %s", b.settings.idle, endpoint))
		cost, err := b.idleCost(ctx, endpoint)
		if err != nil {
			return err
		}
		each[i] = cost
	}
	b.rows = append(b.rows, row{fmt.Sprintf("%d idle connections, KiB each", b.settings.idle), fmt.Sprintf("%.0f", each[0]), fmt.Sprintf("%.0f", each[1]), ratio(each[1], each[0])})
	return nil
}

func (b *bench) idleCost(ctx context.Context, endpoint string) (float64, error) {
	before, err := proportionalMemory(b.gw.PID())
	if err != nil {
		return 0, err
	}
	dsn := fmt.Sprintf("postgres://postgres@%s-idle:%d/postgres?sslmode=disable", endpoint, b.idlePort)
	cmd := b.gw.Agent(ctx, b.self, idleAgent, dsn, strconv.Itoa(b.settings.idle))
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "open\n" {
		_ = in.Close()
		return 0, fmt.Errorf("the idle agent said %q: %w", line, cmd.Wait())
	}
	time.Sleep(atRest)
	after, err := proportionalMemory(b.gw.PID())
	_ = in.Close()
	if werr := cmd.Wait(); err == nil {
		err = werr
	}
	return (after - before) / float64(b.settings.idle), err
}
