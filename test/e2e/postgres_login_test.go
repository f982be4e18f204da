package e2e

import (
	"strings"
	"testing"
)

// TestPostgresGatewayLogin: the gateway logs in with a password that nobody else sees, whatever the agent's name and password.
func TestPostgresGatewayLogin(t *testing.T) {
	ctx := shared.deadline(t, shared.gw)
	e := newEncrypted(ctx, t)
	for _, c := range []struct{ endpoint, user, env, out, err string }{
		{"full", "me", "", "gateway_user gateway_user\n", ""},
		{"full", "me", "PGPASSWORD=wrong", "gateway_user gateway_user\n", ""},
		{"full", "gateway_user", "", "gateway_user gateway_user\n", ""},
		{"clear", "me", "", "clear_user clear_user\n", ""},
		{"full", "intruder", "", "", "not under that name"},
	} {
		cmd := e.psql(ctx, c.endpoint, c.user)
		if c.env != "" {
			cmd.Env = append(cmd.Env, c.env)
		}
		got := finish(ctx, t, cmd, "select current_user || ' ' || session_user;")
		if got.out != c.out || !strings.Contains(got.err, c.err) || (got.err == "") != (c.err == "") {
			t.Errorf("%s as %s with %q: %+v, want %q and %q", c.endpoint, c.user, c.env, got, c.out, c.err)
		}
	}
	// The server has another password now.
	if _, err := e.pg.Psql(ctx, "postgres", "alter role gateway_user password 'another'"); err != nil {
		t.Fatal(err)
	}
	got := finish(ctx, t, e.psql(ctx, "full", "me"), "select 1;")
	if got.status != 2 || !strings.Contains(got.err, "the upstream refuses the gateway's login") || strings.Contains(got.err, "authentication failed") {
		t.Errorf("with a password that is no more: %+v", got)
	}
	if !strings.Contains(e.gw.Log(), "password authentication failed") {
		t.Error("the operator is not told what the server says")
	}
	for name, text := range map[string]string{"the log": e.gw.Log(), "the record": e.gw.Receipts(), "what the agent saw": got.out + got.err} {
		for _, secret := range []string{gatewayPassword, clearPassword} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds a password", name)
			}
		}
	}
}
