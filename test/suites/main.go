// Suites runs what others have written to test PostgreSQL and its drivers, twice: directly against a server, and through a gateway
// that allows everything. Test for test, both must say the same.
//
//	go run ./test/suites [-suites pgx,pq,regress] [-report FILE] [-keep DIR]
//
// The suites are PostgreSQL's own pg_regress (from Debian's source package), and those of pgx and lib/pq (from Go's module cache, in
// the versions of go.mod). A test that ends differently is run again on both sides, alone; one that then agrees is counted as unsteady, not as a
// difference. The program fails if there is a difference that known.go does not explain.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	names := flag.String("suites", "pgx,pq,regress", "which suites to run")
	file := flag.String("report", "", "also write the report to this file")
	keep := flag.String("keep", "", "work in this new folder and leave it, with all output")
	reduced := flag.Bool("reduced", false, "only the part that the tests run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*names, ","), *file, *keep, *reduced); err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string, file, keep string, reduced bool) (err error) {
	dir := keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "sallyport-suites"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	} else if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the server's user must reach what is below
		return err
	}
	// The report is written as it grows: a suite that cannot run does not take the others' results along.
	out := io.Writer(os.Stdout)
	if file != "" {
		f, err := os.Create(file)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		out = io.MultiWriter(out, f)
	}
	bench, err := newBench(ctx, dir)
	if err != nil {
		return err
	}
	unexplained := 0
	for _, name := range names {
		s, err := suiteNamed(name, reduced)
		if err != nil {
			return err
		}
		work := filepath.Join(dir, name)
		if err := os.Mkdir(work, 0o755); err != nil {
			return err
		}
		c, err := bench.compare(ctx, s, work)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := c.write(out); err != nil {
			return err
		}
		unexplained += len(c.unexplained())
	}
	if unexplained > 0 {
		return fmt.Errorf("%d tests end differently through the gateway", unexplained)
	}
	return nil
}

func suiteNamed(name string, reduced bool) (suite, error) {
	switch name {
	case "pgx":
		return pgxSuite(reduced), nil
	case "pq":
		return pqSuite(reduced), nil
	case "regress":
		return regressSuite(reduced), nil
	}
	return nil, fmt.Errorf("no suite %q: there are pgx, pq and regress", name)
}
