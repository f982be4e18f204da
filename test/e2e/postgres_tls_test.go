package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/test/pgserver"
	"github.com/sallyport-dev/sallyport/test/rig"
)

// gatewayPassword is what the gateway logs in with: no agent is told it.
const gatewayPassword = "canary-gateway-Hn3b9"

// encrypted is a server with TLS and a gateway with endpoints in front of it, apart by how they use TLS and who logs in.
type encrypted struct {
	w  *world
	pg *pgserver.Server
	gw *rig.Gateway
	ca string // file with the gateway's CA
}

func newEncrypted(ctx context.Context, t *testing.T) *encrypted {
	t.Helper()
	authority, err := pgserver.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, err := authority.Issue(24*time.Hour, "db.internal")
	if err != nil {
		t.Fatal(err)
	}
	e := &encrypted{w: shared, pg: pgserver.ForTest(t, pgserver.Options{Certificate: certificate, Key: key,
		Settings: map[string]string{"client_connection_check_interval": "200ms"},
		HBA:      "hostssl all gateway_user,own_user 127.0.0.1/32 scram-sha-256\nhost all gateway_user,own_user 127.0.0.1/32 reject\n"})}
	for _, sql := range []string{"create role gateway_user login password '" + gatewayPassword + "'", "create role own_user login password '" + scramPassword + "'"} {
		if _, err := e.pg.Psql(ctx, "postgres", sql); err != nil {
			t.Fatal(err)
		}
	}
	e.gw = e.w.gateway(ctx, t, strings.NewReplacer("TLS", "127.0.0.1:"+strconv.Itoa(e.pg.Port), "PLAIN", "127.0.0.1:"+strconv.Itoa(e.w.pg.Port)).Replace(encryptedTables))
	write(t, filepath.Join(e.gw.Dir, "ca.pem"), string(authority.PEM))
	e.gw.Env = append(e.gw.Env, "GATEWAY_PASSWORD="+gatewayPassword, "CLEAR_PASSWORD="+clearPassword)
	serve(ctx, t, e.gw)
	pem, err := e.gw.Command(ctx, "ca", "--config", e.gw.Config).Output()
	if err != nil {
		t.Fatal(err)
	}
	e.ca = filepath.Join(e.gw.Dir, "gateway-ca.pem")
	write(t, e.ca, string(pem))
	return e
}

const encryptedTables = `
[plugins]
postgres = "builtin"

[[credential]]
name = "login"
user = "gateway_user"
password = "env:GATEWAY_PASSWORD"

[[credential]]
name = "clear"
user = "clear_user"
database = "postgres"
password = "env:CLEAR_PASSWORD"
methods = ["password"]

[[endpoint]]
name = "full"
address = "TLS"
plugin = "postgres"
tls = "verify-full"
ca = "ca.pem"
server_name = "db.internal"
profiles = { agents = "login" }

[[endpoint]]
name = "strict"
address = "TLS"
plugin = "postgres"
tls = "verify-full"
ca = "ca.pem"
server_name = "db.internal"
agent_tls = "require"
profiles = { agents = "login" }

[[endpoint]]
name = "elsewhere"
address = "TLS"
plugin = "postgres"
tls = "verify-full"
ca = "ca.pem"
server_name = "other.internal"
profiles = { agents = "login" }

[[endpoint]]
name = "own"
address = "TLS"
plugin = "postgres"
tls = "require"
profiles = ["agents"]

[[endpoint]]
name = "both"
address = "TLS"
plugin = "postgres"
tls = "require"
agent_tls = "offer"
profiles = ["agents"]

[[endpoint]]
name = "without"
address = "PLAIN"
plugin = "postgres"
tls = "require"
profiles = ["agents"]

[[endpoint]]
name = "clear"
address = "PLAIN"
plugin = "postgres"
tls = "disable"
profiles = { agents = "clear" }

[[rule]]
name = "connect"
when = 'action.family == "connect" && action.class == "session"'
then = "allow"

[[rule]]
name = "no intruders"
when = 'connect.asked_user == "intruder"'
then = "deny"
reason = "not under that name"

[[rule]]
name = "read"
when = 'action.class in ["session", "read"]'
then = "allow"
`

// psql is psql inside the tunnel, at an endpoint, with settings of libpq's environment.
func (e *encrypted) psql(ctx context.Context, endpoint, user string, env ...string) *exec.Cmd {
	port := e.pg.Port
	if endpoint == "without" || endpoint == "clear" {
		port = e.w.pg.Port
	}
	cmd := e.gw.Agent(ctx, filepath.Join(e.w.pgBin, "psql"), "-XAtq", "-w", "-v", "VERBOSITY=verbose", "-h", endpoint, "-p", strconv.Itoa(port), "-U", user, "-d", "postgres")
	cmd.Env = append(append(cmd.Env, "PGSSLROOTCERT="+e.ca), env...)
	return cmd
}

// TestPostgresTLS: TLS on either side, on both, and where it is missing.
func TestPostgresTLS(t *testing.T) {
	ctx := shared.deadline(t, shared.gw)
	e := newEncrypted(ctx, t)
	const whole = "select 'encrypted ' || ssl from pg_stat_ssl where pid = pg_backend_pid();"
	const yes = "encrypted true\n"
	for _, c := range []struct{ endpoint, user, env, out, err string }{
		{"full", "me", "PGSSLMODE=disable", yes, ""},
		{"full", "me", "PGSSLMODE=prefer", yes, ""},
		{"full", "me", "PGSSLMODE=require", yes, ""},
		{"full", "me", "PGSSLMODE=verify-full", yes, ""},
		{"strict", "me", "PGSSLMODE=verify-full", yes, ""},
		{"strict", "me", "PGSSLMODE=disable", "", `sallyport: endpoint strict wants TLS`},
		{"own", "own_user", "PGSSLMODE=prefer", yes, ""},
		{"own", "own_user", "PGSSLMODE=require", "", "server does not support SSL"},
		{"both", "own_user", "PGSSLMODE=disable", yes, ""},
		{"both", "own_user", "PGCHANNELBINDING=disable", yes, ""},
		{"both", "own_user", "PGSSLMODE=require", "", "channel_binding=disable"},
		{"without", "postgres", "PGSSLMODE=disable", "", "does not support TLS, but the endpoint wants it"},
	} {
		got := finish(ctx, t, e.psql(ctx, c.endpoint, c.user, c.env, "PGPASSWORD="+scramPassword), whole)
		if got.out != c.out || !strings.Contains(got.err, c.err) || (got.err == "") != (c.err == "") {
			t.Errorf("%s with %s: %+v, want %q and %q", c.endpoint, c.env, got, c.out, c.err)
		}
	}
	// The server has a certificate, for another name: nothing of the agent reaches it.
	if got := finish(ctx, t, e.psql(ctx, "elsewhere", "me", "PGSSLMODE=require"), whole); got.out != "" || got.status != 2 || !strings.Contains(e.gw.Log(), "not other.internal") {
		t.Errorf("a server with the wrong name: %+v", got)
	}
	// What the agent says inside of TLS is decided like everything else.
	if got := finish(ctx, t, e.psql(ctx, "strict", "me", "PGSSLMODE=verify-full"), "create table unseen_tls ();\nselect 'alive';"); got.out != "alive\n" || !strings.Contains(got.err, "42501") {
		t.Errorf("%+v", got)
	}
	if strings.Contains(e.pg.Log(), "unseen_tls") {
		t.Error("the server has seen what was denied")
	}
}
