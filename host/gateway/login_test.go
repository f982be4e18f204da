package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/tunnel/tunneltest"
	"github.com/sallyport-dev/sallyport/test/pgserver"
)

// canary is part of every password of these tests, and must never be seen where passwords do not belong.
const canary = "canary-5d1e"

// database is a real server with TLS whose certificate is for db.internal, and users for each way to log in.
type database struct {
	*pgserver.Server
	ca *pgserver.Authority
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	ca, err := pgserver.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, err := ca.Issue(time.Hour, "db.internal")
	if err != nil {
		t.Fatal(err)
	}
	s := pgserver.ForTest(t, pgserver.Options{Certificate: certificate, Key: key, Auth: "reject",
		HBA: "host all scram,odd 127.0.0.1/32 scram-sha-256\nhostssl all hashed 127.0.0.1/32 md5\nhostssl all clear 127.0.0.1/32 password\nhost all open 127.0.0.1/32 trust\n"})
	sql := "create role scram login password '" + canary + "-scram'; create role clear login password '" + canary + "-clear'; create role open login;" +
		"set password_encryption = 'md5'; create role hashed login password '" + canary + "-hashed'; set password_encryption = 'scram-sha-256';" +
		"create role odd login password U&'" + canary + `\200b\00aa\2168';`
	if _, err := s.Psql(wait(t), "postgres", sql); err != nil {
		t.Fatal(err)
	}
	return &database{s, ca}
}

// credentialTable is a credential of a user whose password is in the environment.
func credentialTable(t *testing.T, name, user, password, more string) string {
	t.Helper()
	variable := "SALLYPORT_TEST_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	t.Setenv(variable, password)
	return fmt.Sprintf("[[credential]]\nname = %q\nuser = %q\npassword = \"env:%s\"\n%s\n\n", name, user, variable, more)
}

// loginTable is an endpoint at which profile dev logs in with a credential of the endpoint's name.
func loginTable(name, address, more string) string {
	return fmt.Sprintf("[[endpoint]]\nname = %q\naddress = %q\nplugin = \"postgres\"\nprofiles = { dev = %q }\n%s\n\n", name, address, name, more)
}

const loginRules = "[[rule]]\nname = \"all\"\nwhen = \"true\"\nthen = \"allow\"\n\n"

// dialer dials through the tunnel. pgx asks a connection for its address also when it has been reset.
func dialer(a *tunneltest.Agent) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		k, err := a.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return addressed{k, k.RemoteAddr()}, nil
	}
}

type addressed struct {
	net.Conn
	remote net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.remote }

// try connects with pgx and asks who is there.
func try(t *testing.T, a *tunneltest.Agent, host, address, options string, change func(*pgx.ConnConfig)) (user string, err error) {
	t.Helper()
	cfg, err := pgx.ParseConfig("postgres://whoever@" + net.JoinHostPort(host, port(address)) + "/postgres?" + options)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ConnectTimeout = patience
	cfg.DialFunc, cfg.LookupFunc = dialer(a), a.LookupHost
	if net.ParseIP(host) != nil {
		cfg.LookupFunc = func(context.Context, string) ([]string, error) { return []string{host}, nil }
	}
	if change != nil {
		change(cfg)
	}
	db, err := pgx.ConnectConfig(wait(t), cfg)
	if err != nil {
		return "", err
	}
	defer db.Close(context.Background())
	var encrypted bool
	err = db.QueryRow(wait(t), "select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()").Scan(&user, &encrypted)
	return fmt.Sprintf("%s %v", user, encrypted), err
}

// TestLogin: a real server, every way to log in, every transport; and what must not work.
func TestLogin(t *testing.T) {
	db := newDatabase(t)
	other, err := pgserver.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	full := "tls = \"verify-full\"\nca = \"ca.pem\"\nserver_name = \"db.internal\""
	require := "tls = \"require\""
	cases := []struct{ name, endpoint, user, password, methods, want, err string }{
		{"bound", full, "scram", "-scram", `methods = ["scram-sha-256-plus"]`, "scram true", ""},
		{"plain", full, "scram", "-scram", "", "scram true", ""},
		{"odd", full, "odd", "\u200b\u00aa\u2168", "", "odd true", ""},
		{"unverified", require, "scram", "-scram", `methods = ["scram-sha-256-plus"]`, "scram true", ""},
		{"in-clear", `tls = "disable"`, "scram", "-scram", "", "scram false", ""},
		{"own-ca", "tls = \"verify-ca\"\nca = \"ca.pem\"\nserver_name = \"elsewhere\"", "hashed", "-hashed", "", "hashed true", ""},
		{"cleartext", full, "clear", "-clear", "", "clear true", ""},
		{"named-cleartext", require, "clear", "-clear", `methods = ["password"]`, "clear true", ""},
		{"no-login", full, "open", "-none", "", "open true", ""},
		// Refused by the gateway, before or after the server was asked.
		{"wrong-ca", "tls = \"verify-full\"\nca = \"other.pem\"\nserver_name = \"db.internal\"", "scram", "-scram", "", "", "SQLSTATE 08001"},
		{"wrong-name", "tls = \"verify-full\"\nca = \"ca.pem\"\nserver_name = \"db.elsewhere\"", "scram", "-scram", "", "", "SQLSTATE 08001"},
		{"system-roots", "tls = \"verify-full\"\nserver_name = \"db.internal\"", "scram", "-scram", "", "", "SQLSTATE 08001"},
		{"unsafe-cleartext", require, "clear", "-clear", "", "", "safe only where its certificate is verified"},
		{"unsafe-hash", require, "hashed", "-hashed", "", "", "safe only where its certificate is verified"},
		{"unwanted-method", full, "hashed", "-hashed", `methods = ["scram-sha-256"]`, "", "allow scram-sha-256 only"},
		{"login-wanted", full, "open", "-none", `methods = ["scram-sha-256"]`, "", "methods want one"},
		{"wrong-password", full, "scram", "-wrong", "", "", "could not log in at endpoint wrong-password: the upstream refuses the gateway's login"},
	}
	var tables string
	for _, c := range cases {
		tables += loginTable(c.name, db.Address(), c.endpoint) + credentialTable(t, c.name, c.user, canary+c.password, c.methods)
	}
	w := newWorld(t, "")
	write(t, filepath.Join(w.dir, "ca.pem"), db.ca.PEM)
	write(t, filepath.Join(w.dir, "other.pem"), other.PEM)
	w.write("[plugins]\npostgres = \"builtin\"\n\n" + tables + loginRules)
	w.serve()
	alice := w.alice()
	var told strings.Builder
	for _, c := range cases {
		// The agent's own password is not looked at.
		who, err := try(t, alice, c.name, db.Address(), "sslmode=disable&password=nonsense", nil)
		fmt.Fprintln(&told, err)
		switch {
		case c.err == "" && (err != nil || who != c.want):
			t.Errorf("%s: %q, %v", c.name, who, err)
		case c.err == "SQLSTATE 08001" && (err == nil || who != "" || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: it was let in as %q, or is told %v", c.name, who, err)
		case c.err == "SQLSTATE 08001":
			w.find("why "+c.name+" ended", func(e *receipt.Entry) bool { // pgx may try to cancel on a connection of its own afterwards
				return e.Kind == receipt.End && e.Endpoint == c.name && e.FailClosed && strings.Contains(e.Detail, "x509") &&
					strings.Contains(e.Reason, "the certificate of the upstream cannot be trusted")
			})
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %q, %v", c.name, who, err)
		}
	}
	if strings.Contains(told.String(), "x509") || strings.Contains(told.String(), "db.internal") {
		t.Errorf("agents learn about the upstream's certificate:\n%s", told.String())
	}
	if t.Failed() {
		t.Logf("the gateway's log:\n%s", w.log)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile(filepath.Join(w.dir, "state", "receipts.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"the log": w.log.String(), "the record": string(record), "what agents were told": told.String()} {
		if i := strings.Index(text, canary); i >= 0 {
			t.Errorf("a password is in %s: …%s…", where, text[max(0, i-200):i])
		}
	}
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAgentTLS: agents with TLS, which they verify by the gateway's CA, and what each setting means for those with and without.
func TestAgentTLS(t *testing.T) {
	db := newDatabase(t)
	full := "tls = \"require\"\nagent_tls = %q"
	var tables string
	for _, setting := range []string{"auto", "offer", "require", "refuse"} {
		tables += loginTable(setting, db.Address(), fmt.Sprintf(full, setting)) + credentialTable(t, setting, "scram", canary+"-scram", "")
	}
	tables += "[[endpoint]]\nname = \"own\"\naddress = \"" + db.Address() + "\"\nplugin = \"postgres\"\nprofiles = [\"dev\"]\ntls = \"require\"\n\n"
	tables += "[[endpoint]]\nname = \"own-clear\"\naddress = \"" + db.Address() + "\"\nplugin = \"postgres\"\nprofiles = [\"dev\"]\n\n"
	w := served(t, "[plugins]\npostgres = \"builtin\"\n\n"+tables+loginRules)
	cfg, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	ca, err := CertificateAuthority(cfg)
	if err != nil {
		t.Fatal(err)
	}
	trusted := filepath.Join(w.dir, "sallyport-ca.pem")
	write(t, trusted, ca.PEM())
	alice := w.alice()
	verify := "sslmode=verify-full&sslrootcert=" + trusted
	own := func(c *pgx.ConnConfig) { c.User, c.Password = "scram", canary+"-scram" }
	for _, c := range []struct {
		host, options string
		change        func(*pgx.ConnConfig)
		ok            bool
	}{
		{"auto", verify, nil, true},
		{"auto", "sslmode=disable", nil, true},
		{"offer", verify, nil, true},
		{"offer", "sslmode=disable", nil, true},
		{"require", verify, nil, true},
		{"require", "sslmode=disable", nil, false},
		{"refuse", verify, nil, false},
		{"refuse", "sslmode=disable", nil, true},
		{"refuse", "sslmode=prefer", nil, true},
		// An agent that logs in by itself at an upstream with TLS: no TLS to the gateway, so that no channel binding breaks.
		{"own", "sslmode=prefer", own, true},
		{"own", verify, own, false},
		{"own-clear", verify, own, false},
		{"own-clear", "sslmode=disable", own, true},
		{"own-clear", "sslmode=disable", nil, false}, // nobody logs in for it
	} {
		who, err := try(t, alice, c.host, db.Address(), c.options, c.change)
		if c.ok != (err == nil) || c.ok && !strings.HasPrefix(who, "scram ") {
			t.Errorf("%s with %s: %q, %v", c.host, c.options, who, err)
		}
	}
	// By address too; another CA or another name is refused by the agent.
	address := w.running.Addresses["auto"].String()
	if _, err := try(t, alice, address, db.Address(), verify, nil); err != nil {
		t.Errorf("by its address: %v", err)
	}
	_, err = try(t, alice, "auto", db.Address(), verify, func(c *pgx.ConnConfig) { c.TLSConfig.RootCAs = x509.NewCertPool() })
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Errorf("without the gateway's CA: %v", err)
	}
	_, err = try(t, alice, "auto", db.Address(), verify, func(c *pgx.ConnConfig) { c.TLSConfig.ServerName = "offer" })
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("under another endpoint's name: %v", err)
	}
	if end := w.find("the end of it", func(e *receipt.Entry) bool {
		return e.Kind == receipt.End && strings.Contains(e.Reason, "another server")
	}); !strings.Contains(end.Detail, `"offer"`) {
		t.Errorf("the end of it: %s", end.Raw)
	}
	// TLS at once, as PostgreSQL 17's clients can; the protocol's name is confirmed.
	k, err := alice.DialContext(wait(t), "tcp", net.JoinHostPort("auto", port(db.Address())))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM())
	direct := tls.Client(k, &tls.Config{ServerName: "auto", RootCAs: pool, NextProtos: []string{"postgresql"}})
	if err := direct.HandshakeContext(wait(t)); err != nil || direct.ConnectionState().NegotiatedProtocol != "postgresql" {
		t.Errorf("TLS at once: %v", err)
	}
}

// TestCancelKeys: the agent's cancel key is not the server's, and works.
func TestCancelKeys(t *testing.T) {
	db := newDatabase(t)
	w := served(t, "[plugins]\npostgres = \"builtin\"\n\n"+loginTable("db", db.Address(), `tls = "require"`)+
		credentialTable(t, "db", "scram", canary+"-scram", "")+loginRules)
	alice := w.alice()
	cfg, err := pgx.ParseConfig("postgres://x@" + net.JoinHostPort("db", port(db.Address())) + "/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	cfg.DialFunc, cfg.LookupFunc = dialer(alice), alice.LookupHost
	k, err := pgx.ConnectConfig(wait(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close(context.Background())
	result := make(chan error, 1)
	go func() {
		_, err := k.Exec(wait(t), "select pg_sleep(600)")
		result <- err
	}()
	until(t, "the statement runs", func() bool {
		n, err := db.Psql(wait(t), "postgres", "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active'")
		return err == nil && n == "1"
	})
	if err := k.PgConn().CancelRequest(wait(t)); err != nil {
		t.Errorf("cancel: %v", err)
	}
	if err := <-result; err == nil || !strings.Contains(err.Error(), "canceling statement due to user request") {
		t.Errorf("the statement: %v", err)
	}
	if bytes.Contains([]byte(w.log.String()), []byte(canary)) {
		t.Error("a password is in the log")
	}
}
