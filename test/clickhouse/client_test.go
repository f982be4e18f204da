package clickhouse

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/test/chserver"
)

// TestClient has the distribution's client do what it does, with compressed blocks and without.
func TestClient(t *testing.T) {
	for _, compression := range []string{"true", "false"} {
		t.Run("compression "+compression, func(t *testing.T) {
			table := "client_" + compression
			direct(t, "DROP TABLE IF EXISTS "+table+"; CREATE TABLE "+table+` (id UInt64, s String, d Date, e Enum8('a' = 1, 'b' = 2), n Nullable(Int32), a Array(String), f FixedString(3), x Float64, dt DateTime) ENGINE = Memory`)
			g := newGateway(t, nil)
			ctx := t.Context()
			do := func(want, input string, args ...string) {
				t.Helper()
				out, err := g.client(ctx, input, append([]string{"--compression", compression}, args...)...)
				if err != nil || out != want {
					t.Fatalf("%q: %.300q, %v", args, out, err)
				}
			}
			do("1", "", "-q", "SELECT 1")
			rows := &strings.Builder{}
			for i := range 5000 {
				fmt.Fprintf(rows, "%d\t%s\t2020-01-01\tb\t\\N\t['x','%d']\tabc\t1.5\t2020-01-01 00:00:00\n", i, strings.Repeat("y", i%200), i)
			}
			do("", rows.String(), "-q", "INSERT INTO "+table+" FORMAT TSV")
			do("5000\t12497500", "", "-q", "SELECT count(), sum(id) FROM "+table)
			do("", "", "-n", "-q", "INSERT INTO "+table+" (id, s) VALUES (1, 'v'), (2, 'w')")
			do("", "", "-q", "INSERT INTO "+table+" SELECT * FROM "+table+" LIMIT 3")
			do("5005", "", "-q", "SELECT count() FROM "+table)
			do("10000000\t49999995000000", "", "-q", "SELECT count(), sum(number) FROM (SELECT number FROM system.numbers LIMIT 10000000)")
			do("3\n5", "3\n5\n", "--external", "--file=-", "--name=ext", "--structure=a UInt32", "-q", "SELECT a FROM ext ORDER BY a")
			do("1\n2\n\n0\n\n1\n2", "", "--extremes", "1", "-q", "SELECT arrayJoin([1, 2]) AS x GROUP BY x WITH TOTALS ORDER BY x")
			// Denied: the connection goes on.
			out, err := g.client(ctx, "", "--compression", compression, "-n", "--ignore-error", "-q", "SELECT 'forbidden-"+compression+"'; SELECT 7; INSERT INTO "+table+" (id) VALUES (1), /* forbidden-i */ (2); SELECT 8")
			if !strings.Contains(out, "Code: 497") || !strings.Contains(out, `that is forbidden (rule "no forbidden", receipt r-1)`) {
				t.Errorf("%q, %v", out, err)
			}
			if saw(t, "forbidden-"+compression) {
				t.Error("the server was given what was denied")
			}
			// An error of the server's own.
			out, err = g.client(ctx, "", "--compression", compression, "-q", "SELECT nothing_like_this")
			if err == nil || !strings.Contains(out, "Code: 47") {
				t.Errorf("%q, %v", out, err)
			}
			if out, err = g.client(ctx, "bad\tdata\n", "--compression", compression, "-q", "INSERT INTO "+table+" FORMAT TSV"); err == nil {
				t.Errorf("bad data: %q", out)
			}
		})
	}
}

// TestSessionOfClient runs many statements in one connection, every other of which is denied.
func TestSessionOfClient(t *testing.T) {
	g := newGateway(t, nil)
	var in, want strings.Builder
	for i := range 50 {
		fmt.Fprintf(&in, "SELECT %d;\n", i)
		fmt.Fprintf(&want, "%d\n", i)
	}
	out, err := g.client(t.Context(), in.String(), "-n", "--format", "TSV")
	if err != nil || out != strings.TrimRight(want.String(), "\n") {
		t.Errorf("%q, %v", out, err)
	}
}

// TestLogins has the gateway log in, and the agent by itself.
func TestLogins(t *testing.T) {
	own := newGateway(t, nil)
	if out, err := own.client(t.Context(), "", "--user", chserver.User, "--password", chserver.Password, "-q", "SELECT currentUser()"); err != nil || out != chserver.User {
		if !strings.Contains(out, "currentUser") { // older servers have no such function
			t.Errorf("%q, %v", out, err)
		}
	}
	if out, err := own.client(t.Context(), "", "--user", chserver.User, "--password", "wrong", "-q", "SELECT 1"); err == nil || !strings.Contains(out, "Code: 193") {
		t.Errorf("%q, %v", out, err)
	}
	for _, c := range []struct {
		password string
		works    bool
	}{{chserver.Password, true}, {"wrong", false}} {
		g := newGateway(t, func(g *gateway) {
			g.facts.Slots = []string{"password"}
			g.facts.Attributes = []abi.Attribute{{Name: "user", Value: chserver.User}, {Name: "database", Value: "system"}}
			g.secret = append([]byte{byte(len(c.password))}, c.password...)
		})
		out, err := g.client(t.Context(), "", "--user", "nobody", "--password", "nothing", "--database", "elsewhere", "-q", "SELECT count() > 0 FROM tables")
		if c.works != (err == nil && out == "1") {
			t.Errorf("%s: %q, %v", c.password, out, err)
		}
		a := g.actions[0]
		if value(a, "user").Str != chserver.User || value(a, "database").Str != "system" || value(a, "asked_user").Str != "nobody" || value(a, "asked_database").Str != "elsewhere" || !value(a, "gateway_login").Bool {
			t.Errorf("%+v", a.Values)
		}
	}
}
