package session

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestReadersNeedNoMoreThanRead runs what people look at a database with under a policy that lets nothing pass but reading:
// pg_dump, and psql's commands. The twin is a statement that writes.
func TestReadersNeedNoMoreThanRead(t *testing.T) {
	admin := startLive(t, allowAll)
	if out := admin.psql(t, nil, "-c", "CREATE SCHEMA readers; CREATE TABLE readers.a (id int PRIMARY KEY, b text CHECK (b <> ''))", "-c", "INSERT INTO readers.a VALUES (1, 'one')",
		"-c", "CREATE VIEW readers.v AS SELECT b FROM readers.a", "-c", "CREATE FUNCTION readers.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"); strings.Contains(out, "ERROR") {
		t.Fatal(out)
	}
	v := startLive(t, func(a *action) verdict {
		if a.Class > abi.ClassRead {
			return deny("only reading is allowed: " + a.Title)
		}
		return allow
	})
	if _, err := exec.LookPath("pg_dump"); err != nil {
		t.Error("pg_dump is missing")
	} else {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		out, err := exec.CommandContext(ctx, "pg_dump", "-d", v.url("postgres"), "-n", "readers").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "1\tone") || !strings.Contains(string(out), "CREATE VIEW readers.v") {
			t.Errorf("pg_dump: %v\n%s", err, out)
		}
	}
	for _, command := range []string{`\d`, `\d+ readers.*`, `\dt readers.*`, `\df+ readers.*`, `\du`, `\l`, `\dn+`, `\dp readers.*`, `\sf readers.f`, `\sv readers.v`, `\dx`} {
		if out := v.psql(t, nil, "-c", command); strings.Contains(out, "ERROR") {
			t.Errorf("%s: %s", command, out)
		}
	}
	if out := v.psql(t, nil, "-c", "UPDATE readers.a SET b = 'two'"); !strings.Contains(out, "only reading is allowed: update readers.a") {
		t.Errorf("the twin that writes: %s", out)
	}
}
