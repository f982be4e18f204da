package e2e

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The passwords of users that log in with one. Nothing that the gateway writes may hold them.
const (
	scramPassword = "canary-scram-Yw7o4"
	md5Password   = "canary-md5-Tr2u8"
	clearPassword = "canary-clear-Qp9k1"
	wrongPassword = "canary-wrong-Zx5c3"
)

// TestLogin: the agent's own password passes through, right or wrong, in whatever way the server asks for it.
func TestLogin(t *testing.T) {
	w := shared
	for user, password := range map[string]string{"scram_user": scramPassword, "md5_user": md5Password, "clear_user": clearPassword} {
		t.Run(user, func(t *testing.T) {
			ctx := w.deadline(t, w.gw)
			login := func(password string) printed {
				cmd := w.psqlCommand(ctx, w.gw, "db", user, "postgres", "-w")
				cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
				return finish(ctx, t, cmd, "select current_user;")
			}
			if got := login(password); got.status != 0 || got.out != user+"\n" {
				t.Errorf("with the right password: %+v", got)
			}
			if got, want := login(wrongPassword), `FATAL:  password authentication failed for user "`+user+`"`; got.status != 2 || !strings.Contains(got.err, want) {
				t.Errorf("with a wrong password: %+v, want %q", got, want)
			}
			noSecrets(t)
		})
	}
}

// TestStartup: what the startup packet can ask for.
func TestStartup(t *testing.T) {
	w := shared
	ctx := w.deadline(t, w.gw)
	for _, c := range []struct{ env, script, out, err string }{
		{"PGOPTIONS=-c statement_timeout=60s", "show statement_timeout;", "1min\n", ""},
		{"PGAPPNAME=nightly", "select application_name from pg_stat_activity where pid = pg_backend_pid();", "nightly\n", ""},
		// The server would read strings in another way than the gateway.
		{"PGOPTIONS=-c standard_conforming_strings=off", "select 'unseen_startup_1';", "", "42501"},
		{"PGOPTIONS=-c standard_conforming_strings=off", "set standard_conforming_strings = on;", "", ""},
		{"PGCLIENTENCODING=SJIS", "select 'unseen_startup_2 \u8868';", "", "42501"},
		{"PGSSLMODE=prefer", "select 'plain';", "plain\n", ""},
		{"PGSSLMODE=require", "select 'unseen_startup_4';", "", "does not support SSL"},
		{"PGSSLMODE=verify-full", "select 'unseen_startup_3';", "", "does not support SSL"},
	} {
		cmd := w.psqlCommand(ctx, w.gw, "db", "postgres", "postgres")
		cmd.Env = append(cmd.Env, c.env)
		if got := finish(ctx, t, cmd, c.script); got.out != c.out || !strings.Contains(got.err, c.err) || (got.err == "") != (c.err == "") {
			t.Errorf("%s: %s: %+v, want %q and %q", c.env, c.script, got, c.out, c.err)
		}
	}
	got := finish(ctx, t, w.psqlCommand(ctx, w.gw, "db", "postgres", "postgres", "-d", "dbname=postgres replication=database", "-c", "IDENTIFY_SYSTEM"), "")
	if got.status == 0 || !strings.Contains(got.err, "FATAL:  42501") || strings.Contains(w.pg.Log(), "IDENTIFY_SYSTEM") {
		t.Errorf("replication: %+v", got)
	}
	if strings.Contains(w.pg.Log(), "unseen_startup") {
		t.Error("a denied statement reached the server")
	}
}

// noSecrets looks for passwords and private keys in all that the shared gateway wrote.
func noSecrets(t *testing.T) {
	t.Helper()
	w := shared
	secrets := map[string]string{"a password": scramPassword, "an MD5 password": md5Password, "a cleartext password": clearPassword, "a wrong password": wrongPassword}
	key, err := os.ReadFile(filepath.Join(w.gw.Dir, "state", "wireguard.key"))
	if err != nil {
		t.Fatal(err)
	}
	secrets["the gateway's key"] = strings.TrimSpace(string(key))
	conf, err := os.ReadFile(w.gw.Peer)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(conf)) {
		if name, value, _ := strings.Cut(line, "="); strings.TrimSpace(name) == "PrivateKey" {
			secrets["the peer's key"] = strings.TrimSpace(value)
		}
	}
	if len(secrets["the peer's key"]) != 44 || len(secrets["the gateway's key"]) != 44 {
		t.Fatalf("no keys to look for: %d and %d characters", len(secrets["the peer's key"]), len(secrets["the gateway's key"]))
	}
	for _, file := range []string{w.gw.Config, filepath.Join(w.gw.Dir, "state", "state.db"), filepath.Join(w.gw.Dir, "state", "receipts.jsonl"), ""} {
		text := w.gw.Log()
		if file != "" {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		for what, secret := range secrets {
			raw, _ := base64.StdEncoding.DecodeString(secret)
			if strings.Contains(text, secret) || len(raw) == 32 && strings.Contains(text, string(raw)) {
				t.Errorf("%s is in %q (empty: the log)", what, file)
			}
		}
	}
}
