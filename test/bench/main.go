// Command bench measures an inspected endpoint against an uninspected relay in one run, over the same path: tools in a network
// namespace, WireGuard in userspace on both ends, the gateway, a PostgreSQL on the same machine. It prints one table of medians
// and ratios. docs/performance.md says how to read it.
//
//	go run ./test/bench             # what `make bench` calls
//	go run ./test/bench -seconds 1 -rounds 1   # a quick look
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/test/pgserver"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// settings bound the load: every loop of it ends by count or by time.
type settings struct {
	seconds int // of each pgbench run
	rounds  int // of each comparison
	rows    int // of each COPY
	idle    int // connections that do nothing

	bulk        int    // MiB of each transfer through the tunnel
	settle      int    // seconds until the memory of idle connections is taken
	connections int    // of an uninspected relay that do nothing
	sshMiB      int    // MiB of each transfer over SSH
	only        string // "tunnel", "fairness" (of the tunnel), "web", "clickhouse", "ssh", "inspection"; "" is all
}

// parts are what this command is in other processes: the first argument, and what runs then.
var parts = map[string]func(args []string) int{
	idleAgent:    runIdleAgent,
	idleUpstream: runIdleUpstream,
	tunnelAgent:  runTunnelAgent,
	stockGateway: runStockGateway,
	webIdleAgent: runWebIdleAgent,
	chAgent:      runChAgent,
	sshExecAgent: runSSHExecAgent,
}

func main() {
	if len(os.Args) > 1 {
		if part := parts[os.Args[1]]; part != nil {
			os.Exit(part(os.Args[2:]))
		}
	}
	var s settings
	flag.IntVar(&s.seconds, "seconds", 4, "length of each pgbench run")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds of each comparison; the table shows medians")
	flag.IntVar(&s.rows, "rows", 400_000, "rows of each COPY, about 100 bytes each")
	flag.IntVar(&s.idle, "idle", 10_000, "idle sessions of PostgreSQL")
	flag.IntVar(&s.bulk, "bulk", 200, "MiB of each transfer in the tunnel's comparison")
	flag.IntVar(&s.sshMiB, "ssh-mib", 256, "MiB of each transfer over SSH")
	flag.IntVar(&s.settle, "settle", 3, "seconds until the memory of the tunnel's idle connections is taken")
	flag.IntVar(&s.connections, "connections", 10_000, "idle connections of the tunnel's comparison")
	flag.StringVar(&s.only, "only", "", "measure the `part`: tunnel, fairness (of the tunnel), web, clickhouse, ssh, or inspection; empty: all but fairness alone")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// The endpoints that are compared.
var endpoints = []string{"relay", "inspected"}

func configuration(port, idlePort, connections int) string {
	return fmt.Sprintf(`
[limits]
connections = %[3]d

[plugins]
postgres = "builtin"

[[endpoint]]
name = "relay"
address = "127.0.0.1:%[1]d"
plugin = "none"
profiles = ["agents"]

[[endpoint]]
name = "inspected"
address = "127.0.0.1:%[1]d"
plugin = "postgres"
profiles = ["agents"]

[[endpoint]]
name = "relay-idle"
address = "127.0.0.1:%[2]d"
plugin = "none"
profiles = ["agents"]

[[endpoint]]
name = "inspected-idle"
address = "127.0.0.1:%[2]d"
plugin = "postgres"
profiles = ["agents"]

[[rule]]
name = "connect"
when = 'action.family == "connect"'
then = "allow"

[[rule]]
name = "work"
when = 'action.class in ["session", "read", "write"]'
then = "allow"

[[rule]]
name = "bounded deletes"
when = 'action.class == "delete" && sql.bounded'
then = "allow"

[[rule]]
name = "tables stay"
when = 'sql.verbs.exists(v, v.startsWith("drop"))'
then = "deny"
`, port, idlePort, connections)
}

// bench is a running set-up.
type bench struct {
	settings
	pg       *pgserver.Server
	gw       *rig.Gateway
	bin      string
	self     string // this command
	idlePort int
	work     string
	rows     []row
}

// row is one line of a table: what was measured, the two that are compared, their ratio.
type row [4]string

func run(ctx context.Context, s settings) (err error) {
	work, err := os.MkdirTemp("", "sallyport-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	progress("building")
	binary, err := rig.Build(ctx, work)
	if err != nil {
		return err
	}
	if s.only == "" || s.only == "web" {
		if err := measureWeb(ctx, s, work, binary); err != nil || s.only != "" {
			return err
		}
	}
	if s.only == "" || s.only == "clickhouse" {
		if err := measureClickHouse(ctx, s, work, binary); err != nil || s.only != "" {
			return err
		}
	}
	if s.only == "" || s.only == "ssh" {
		if err := measureSSH(ctx, s, work, binary); err != nil || s.only != "" {
			return err
		}
	}
	if s.only != "inspection" {
		if err := measureTunnel(ctx, s, work, binary); err != nil || s.only != "" {
			return err
		}
	}
	pgBin, err := pgserver.Bin()
	if err != nil {
		return err
	}
	progress("starting PostgreSQL")
	pg, err := pgserver.Start(ctx, pgserver.Options{Settings: map[string]string{
		"max_connections": "100", "log_statement": "none", "autovacuum": "off"}})
	if err != nil {
		return err
	}
	defer pg.Stop()
	b := &bench{settings: s, pg: pg, bin: pgBin, work: work}
	stop, err := b.startIdleUpstream(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := b.starts(ctx, binary); err != nil {
		return err
	}
	defer b.gw.Stop()
	for _, step := range []func(context.Context) error{b.prepare, b.pgbenches, b.copies, b.idles} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("%w\nthe gateway said:\n%s", err, tailOf(b.gw.Log(), 20))
		}
	}
	b.print()
	return nil
}

// starts measures the gateway's start with an empty and with a full cache, and leaves it running.
func (b *bench) starts(ctx context.Context, binary string) error {
	dir := b.work + "/gateway"
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	gw, err := rig.New(ctx, binary, dir, configuration(b.pg.Port, b.idlePort, b.settings.idle+100))
	if err != nil {
		return err
	}
	b.gw = gw
	var took [2]time.Duration
	for i, what := range []string{"cold", "warm"} {
		progress("starting the gateway, " + what)
		begin := time.Now()
		if err := gw.Serve(ctx); err != nil {
			return err
		}
		took[i] = time.Since(begin)
		if i == 0 {
			if err := gw.Stop(); err != nil {
				return err
			}
			if gw, err = gw.Again(); err != nil {
				return err
			}
			b.gw = gw
		}
	}
	b.rows = append(b.rows, row{"start, cold / warm", "", fmt.Sprintf("%.1f s / %.2f s", took[0].Seconds(), took[1].Seconds()), ""})
	return nil
}

func (b *bench) prepare(ctx context.Context) error {
	progress("filling the database")
	_, err := b.pg.Psql(ctx, "postgres", fmt.Sprintf(`create table bulk as select i, repeat('x', 90) as filler from generate_series(1, %d) i; create table sink (like bulk);`, b.settings.rows))
	if err != nil {
		return err
	}
	return b.direct(ctx, "pgbench", "-i", "-s", "5", "-q")
}

func (b *bench) print() {
	printTable([4]string{"", "relay", "inspected", "ratio"}, b.rows)
	fmt.Printf("\nrates are medians of %d rounds; CPU is the gateway's own, for each statement\n", b.rounds)
}

// printTable prints rows below when and where they were measured.
func printTable(head row, rows []row) {
	fmt.Printf("\n%s, %d processors, %s, load %s, %s\n\n", time.Now().Format("2006-01-02"), runtime.NumCPU(), cpuModel(), loadAverage(), runtime.Version())
	rows = slices.Insert(slices.Clone(rows), 0, head)
	var width [4]int
	for _, r := range rows {
		for i, c := range r {
			width[i] = max(width[i], len([]rune(c)))
		}
	}
	for i, r := range rows {
		fmt.Printf("| %-*s | %*s | %*s | %*s |\n", width[0], r[0], width[1], r[1], width[2], r[2], width[3], r[3])
		if i == 0 {
			fmt.Printf("| %s | %s: | %s: | %s: |\n", strings.Repeat("-", width[0]), strings.Repeat("-", width[1]-1), strings.Repeat("-", width[2]-1), strings.Repeat("-", width[3]-1))
		}
	}
}

func progress(what string) { fmt.Fprintln(os.Stderr, "bench:", what) }

func tailOf(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
