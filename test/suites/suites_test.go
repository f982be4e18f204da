package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestSuites runs the reduced suites. Where packages of Debian are not to be had, PostgreSQL's own is left out.
func TestSuites(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	dir := t.TempDir()
	for d := dir; strings.HasPrefix(d, os.TempDir()+"/"); d = d[:strings.LastIndex(d, "/")] {
		if err := os.Chmod(d, 0o755); err != nil { // for the server's user
			t.Fatal(err)
		}
	}
	b, err := newBench(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pq", "pgx", "regress"} {
		t.Run(name, func(t *testing.T) {
			s, err := suiteNamed(name, true)
			if err != nil {
				t.Fatal(err)
			}
			work := dir + "/" + name
			if err := os.Mkdir(work, 0o755); err != nil {
				t.Fatal(err)
			}
			c, err := b.compare(ctx, s, work)
			if err != nil {
				t.Fatal(err)
			}
			var report strings.Builder
			if err := c.write(&report); err != nil {
				t.Fatal(err)
			}
			t.Log(report.String())
			for _, d := range c.unexplained() {
				t.Errorf("%s: %q directly, %q through the gateway", d.test, d.direct.status, d.gateway.status)
			}
			if c.counts["pass"] < 30 {
				t.Errorf("only %d tests passed at the server itself", c.counts["pass"])
			}
		})
	}
}

func TestCompare(t *testing.T) {
	pass, fail, skip := outcome{status: "pass"}, outcome{status: "fail"}, outcome{status: "skip"}
	a := results{"same": pass, "worse": pass, "better": fail, "skipped": pass, "gone": pass, "other words": {status: "fail", printed: "1"}}
	b := results{"same": pass, "worse": fail, "better": pass, "skipped": skip, "new": pass, "other words": {status: "fail", printed: "2"}}
	if got, want := strings.Join(differing(a, b), ","), "better,gone,new,other words,skipped,worse"; got != want {
		t.Errorf("differing: %s, want %s", got, want)
	}
	if got := pattern("pgconn", []string{"pgconn TestA/x", "pgconn TestA/y", ". TestB", "pgconn TestC"}); got != "^(TestA|TestC)$" {
		t.Errorf("pattern: %s", got)
	}
	if got := pattern("pgtype", []string{"pgconn TestA"}); got != "" {
		t.Errorf("pattern of another package: %s", got)
	}
}
