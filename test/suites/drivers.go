package main

import "context"

// timed are tests that hold a clock against what they see, which a slow machine can fail: they run in full only.
const timed = "Timeout|Deadline|Cancel|Context|Race|Notify|Listener|Keepalive|Ping"

// pgxSuite is the suite of pgx, as its CONTRIBUTING.md says how to run it on a server that is there already.
func pgxSuite(reduced bool) suite {
	g := &goSuite{module: "github.com/jackc/pgx/v5", packages: []string{".", "pgconn", "pgtype", "pgxpool", "stdlib"}, explain: pgxKnown}
	if reduced {
		g.packages = []string{".", "pgconn"}
		g.skip = timed + "|TestConnExecBatchWriteError|TestListenNotifyWhileBusyIsSafe" // the last two wait for seconds
	}
	g.setup = func(ctx context.Context, at *side) error {
		if err := at.psql(ctx, "postgres", "create database pgx_test"); err != nil {
			return err
		}
		return at.psql(ctx, "pgx_test", "create extension hstore; create extension ltree; create domain uint64 as numeric(20,0);\n"+
			`create user " tricky, ' } "" \\ test user " superuser password 'secret';`)
	}
	g.env = func(at *side) []string {
		conn := "host=" + at.host() + " port=" + at.port() + " user=postgres database=pgx_test sslmode=disable"
		return []string{"PGX_TEST_DATABASE=" + conn, "PGX_TEST_TCP_CONN_STRING=" + conn, "PGHOST=" + at.host(), "PGPORT=" + at.port(),
			"PGUSER=postgres", "PGDATABASE=pgx_test", "PGSSLMODE=disable"}
	}
	return g
}

// pqSuite is the suite of lib/pq. Its tests of TLS want a server with the certificates in its testdata: the gateway ends TLS with its own.
func pqSuite(reduced bool) suite {
	g := &goSuite{module: "github.com/lib/pq", packages: []string{".", "hstore"}, skip: "^TestSSL", explain: pqKnown}
	if reduced {
		g.packages = []string{"."}
		g.skip += "|" + timed
	}
	g.setup = func(ctx context.Context, at *side) error {
		if err := at.psql(ctx, "postgres", "create role pqgo superuser login;\ncreate database pqgo owner pqgo;\n"+
			"create role pqgopassword login password 'wordpass'; create role pqgoscram login password 'wordpass';\n"+
			"create role pqgossl login; create role pqgosslcert login; set password_encryption = 'md5'; create role pqgomd5 login password 'wordpass'"); err != nil {
			return err
		}
		return at.psql(ctx, "pqgo", "create extension hstore")
	}
	g.env = func(at *side) []string {
		return []string{"PGHOST=" + at.host(), "PGPORT=" + at.port(), "PGDATABASE=pqgo", "PGUSER=pqgo", "PGSSLMODE=disable", "PGCONNECT_TIMEOUT=20"}
	}
	return g
}
