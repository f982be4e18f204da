package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// direct runs a client of PostgreSQL without the gateway.
func (b *bench) direct(ctx context.Context, tool string, args ...string) error {
	args = append(args, "-h", "127.0.0.1", "-p", strconv.Itoa(b.pg.Port), "-U", "postgres", "postgres")
	out, err := exec.CommandContext(ctx, filepath.Join(b.bin, tool), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", tool, err, out)
	}
	return nil
}

// inside runs a client of PostgreSQL in the tunnel, towards one endpoint.
func (b *bench) inside(ctx context.Context, endpoint, tool string, args ...string) (string, error) {
	command := append([]string{filepath.Join(b.bin, tool)}, args...)
	command = append(command, "-h", endpoint, "-p", strconv.Itoa(b.pg.Port), "-U", "postgres", "postgres")
	cmd := b.gw.Agent(ctx, command...)
	cmd.Env = append(cmd.Environ(), "PGSSLMODE=disable") // else one endpoint may be measured with TLS and the other without
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s to %s: %w\n%s", tool, endpoint, err, out)
	}
	return string(out), nil
}

var (
	tpsPattern   = regexp.MustCompile(`tps = ([0-9.]+)`)
	countPattern = regexp.MustCompile(`transactions actually processed: ([0-9]+)`)
)

// pgbenches compares `pgbench -S`.
func (b *bench) pgbenches(ctx context.Context) error {
	for _, mode := range []string{"simple", "prepared"} {
		for _, clients := range []int{1, 8} {
			what := fmt.Sprintf("pgbench -S -M %s, %d clients", mode, clients)
			if clients == 1 {
				what = fmt.Sprintf("pgbench -S -M %s, 1 client", mode)
			}
			progress(what)
			rate, cpu, err := b.compare(func(endpoint string) (rate, statements float64, err error) {
				out, err := b.inside(ctx, endpoint, "pgbench", "-n", "-S", "-M", mode, "-c", strconv.Itoa(clients), "-j", "1", "-T", strconv.Itoa(b.seconds))
				if err != nil {
					return 0, 0, err
				}
				tps, count := tpsPattern.FindStringSubmatch(out), countPattern.FindStringSubmatch(out)
				if tps == nil || count == nil {
					return 0, 0, fmt.Errorf("pgbench printed no rate:\n%s", out)
				}
				rate, _ = strconv.ParseFloat(tps[1], 64)
				statements, _ = strconv.ParseFloat(count[1], 64)
				return rate, statements, nil
			})
			if err != nil {
				return err
			}
			b.rows = append(b.rows, row{what + ", tps", fmt.Sprintf("%.0f", rate[0]), fmt.Sprintf("%.0f", rate[1]), ratio(rate[1], rate[0])},
				row{"  CPU µs", fmt.Sprintf("%.0f", cpu[0]), fmt.Sprintf("%.0f", cpu[1]), ratio(cpu[1], cpu[0])})
		}
	}
	return nil
}

// copies compares bulk data both ways.
func (b *bench) copies(ctx context.Context) error {
	file := filepath.Join(b.work, "bulk.copy")
	if err := b.direct(ctx, "psql", "-Xqc", `\copy bulk to '`+file+`'`); err != nil {
		return err
	}
	bytes := float64(fileSize(file))
	for _, way := range []struct{ what, command string }{
		{"COPY out, MB/s", `\copy bulk to '/dev/null'`},
		{"COPY in, MB/s", `\copy sink from '` + file + `'`},
	} {
		progress(way.what)
		rate, _, err := b.compare(func(endpoint string) (rate, statements float64, err error) {
			if _, err := b.pg.Psql(ctx, "postgres", "truncate sink"); err != nil {
				return 0, 0, err
			}
			begin := time.Now()
			if _, err := b.inside(ctx, endpoint, "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-c", way.command); err != nil {
				return 0, 0, err
			}
			return bytes / 1e6 / time.Since(begin).Seconds(), 1, nil
		})
		if err != nil {
			return err
		}
		b.rows = append(b.rows, row{way.what, fmt.Sprintf("%.0f", rate[0]), fmt.Sprintf("%.0f", rate[1]), ratio(rate[1], rate[0])})
	}
	return nil
}

// compare measures both endpoints in turns, so that what else the machine does falls on both, and returns the medians of
// their rates and of the gateway's CPU time for a statement, in microseconds.
func (b *bench) compare(measure func(endpoint string) (rate, statements float64, err error)) (rate, cpu [2]float64, err error) {
	var rates, cpus [2][]float64
	for range b.rounds {
		for i, endpoint := range endpoints {
			before := cpuTime(b.gw.PID())
			r, n, err := measure(endpoint)
			if err != nil {
				return rate, cpu, err
			}
			rates[i] = append(rates[i], r)
			cpus[i] = append(cpus[i], float64((cpuTime(b.gw.PID())-before).Microseconds())/n)
		}
	}
	for i := range endpoints {
		rate[i], cpu[i] = median(rates[i]), median(cpus[i])
	}
	return rate, cpu, nil
}

func ratio(a, b float64) string { return fmt.Sprintf("%.2f", a/b) }
