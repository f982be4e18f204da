package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sallyport-dev/sallyport/test/pgserver"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// regress is PostgreSQL's own regression suite, run by its pg_regress on a server that is there already.
type regress struct {
	tests []string // the whole schedule when empty

	bin string // programs of PostgreSQL
	src string // what the script "source" made
}

// regressSuite is the suite. Reduced it has the tests that say most about the protocol and about reading statements, and that need nothing but
// test_setup.
func regressSuite(reduced bool) suite {
	r := &regress{}
	if reduced {
		r.tests = strings.Fields(`test_setup boolean char varchar text int4 float8 numeric strings numerology regproc
			copy2 copydml copyselect insert_conflict transactions portals_p2 prepare prepared_xacts plancache limit plpgsql
			rangefuncs temp domain with xml json jsonb json_encoding jsonpath largeobject advisory_lock async guc namespace sequence
			truncate returning rowtypes union case psql_crosstab polymorphism combocid notify dependency generated unicode`)
	}
	return r
}

func (r *regress) title() string            { return "PostgreSQL's regression suite" }
func (r *regress) known() map[string]string { return regressKnown }

// prepare copies the tests to where the server's user can read them: the server loads files of theirs.
func (r *regress) prepare(ctx context.Context, dir string) (err error) {
	if r.bin, err = pgserver.Bin(); err != nil {
		return err
	}
	kept, err := source(ctx)
	if err != nil {
		return err
	}
	r.src = filepath.Join(dir, "src")
	return os.CopyFS(r.src, os.DirFS(kept))
}

// source is where the tests are kept, below the user's cache directory; they are fetched the first time.
func source(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${Version}", "postgresql-15").Output()
	if err != nil {
		return "", fmt.Errorf("the regression suite is taken from Debian's package postgresql-15: %w", err)
	}
	dir := filepath.Join(cache, "sallyport-test", "regress-"+string(version))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	root, err := rig.Root()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "regress-new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	if out, err := exec.CommandContext(ctx, filepath.Join(root, "test/suites/source"), work).CombinedOutput(); err != nil {
		return "", fmt.Errorf("test/suites/source: %w\n%s", err, out)
	}
	if err := os.Rename(work, dir); err != nil {
		if _, there := os.Stat(dir); there != nil { // somebody else has been faster
			return "", err
		}
	}
	return dir, nil
}

// run runs the suite; single tests stand on others, so it is always all of it.
func (r *regress) run(ctx context.Context, at *side, _ []string) (results, error) {
	// The server's user writes there, too. The folders' names are in the results, so they are the same at both sides.
	work := filepath.Join(filepath.Dir(at.dir), "work")
	if err := os.RemoveAll(work); err != nil {
		return nil, err
	}
	for _, dir := range []string{work, filepath.Join(work, "results")} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			return nil, err
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			return nil, err
		}
	}
	args := []string{filepath.Join(r.bin, "../lib/pgxs/src/test/regress/pg_regress"), "--bindir=" + r.bin, "--dlpath=" + r.src,
		"--inputdir=" + filepath.Join(r.src, "regress"), "--outputdir=" + work, "--host=" + at.host(), "--port=" + at.port(), "--user=postgres",
		"--max-concurrent-tests=20", "--encoding=UTF8", "--no-locale"}
	if len(r.tests) > 0 {
		args = append(args, r.tests...)
	} else {
		args = append(args, "--schedule="+filepath.Join(r.src, "regress/parallel_schedule"))
	}
	cmd := at.command(ctx, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	all, err := readRegress(string(out), work)
	if err != nil {
		return nil, err
	}
	return all, os.CopyFS(filepath.Join(at.dir, "work"), os.DirFS(work))
}

// ended is a line of pg_regress about a test.
var ended = regexp.MustCompile(`(?m)^(?:test|    ) +(\S+) +\.\.\. (ok|FAILED|failed)`)

// readRegress reads how the tests ended: what a failed one printed counts, too, so that a test that the environment makes fail at
// both sides still has to fail in the same way.
func readRegress(out, work string) (results, error) {
	all := results{}
	diffs, _ := os.ReadFile(filepath.Join(work, "regression.diffs"))
	for _, m := range ended.FindAllStringSubmatch(out, -1) {
		if m[2] == "ok" {
			all[m[1]] = outcome{status: "pass"}
			continue
		}
		printed, err := os.ReadFile(filepath.Join(work, "results", m[1]+".out"))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(printed)
		all[m[1]] = outcome{status: "fail", printed: hex.EncodeToString(sum[:4]), detail: diffOf(string(diffs), m[1])}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("pg_regress ran no test:\n%s", out)
	}
	return all, nil
}

// diffOf is the part of regression.diffs about a test.
func diffOf(diffs, test string) string {
	for part := range strings.SplitSeq(diffs, "\ndiff -") {
		first, rest, _ := strings.Cut(part, "\n")
		if strings.HasSuffix(first, "/results/"+test+".out") {
			return rest
		}
	}
	return ""
}
