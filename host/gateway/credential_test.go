package gateway

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/layer"
	"github.com/sallyport-dev/sallyport/host/secret"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestCredentialProblems: what is wrong with credentials and transports is found where it stands, and no secret is in the message.
func TestCredentialProblems(t *testing.T) {
	t.Setenv("SALLYPORT_TEST_PASSWORD", canary)
	w := newWorld(t, withPostgres)
	loaded, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	check := func() config.Problems { // what assembling finds, with the plugins that are loaded already
		cfg, err := w.load()
		var problems config.Problems
		if err != nil {
			errors.As(err, &problems)
			return problems
		}
		a := &Assembly{cfg: cfg, log: loaded.log, sandbox: loaded.sandbox, plugins: loaded.plugins, endpoints: map[string]*endpoint{}, store: newSecrets(&cfg.Secrets, nil)}
		return append(a.configure(t.Context()), a.transports(t.Context(), time.Now())...)
	}
	const full = `tls = "verify-full"`
	credential := func(rest string) string { return "[[credential]]\nname = \"db\"\n" + rest + "\n" }
	with := func(transport, rest string) string {
		return "[plugins]\npostgres = \"builtin\"\n\n" + loginTable("db", "db.internal:5432", transport) + credential(rest)
	}
	for name, c := range map[string]struct{ tables, at, message string }{
		"no reference":           {with(full, `password = "`+canary+`"`), canary, "never as its value"},
		"a bad reference":        {with(full, `password = "env:`+canary+`"`), "env:", "name of an environment variable"},
		"a missing variable":     {with(full, `password = "env:SALLYPORT_TEST_MISSING"`), "env:SALLYPORT", "the environment variable is not set"},
		"a missing file":         {with(full, `password = "file:missing"`), "file:missing", "the file does not exist"},
		"a misspelt slot":        {with(full, `pasword = "`+canary+`"`), "pasword", `has no slot or attribute "pasword"; did you mean "password"?`},
		"a misspelt attribute":   {with(full, "password = \"env:SALLYPORT_TEST_PASSWORD\"\nusr = \"a\""), "usr =", `did you mean "user"?`},
		"an attribute looked up": {with(full, "password = \"env:SALLYPORT_TEST_PASSWORD\"\nuser = \"env:PGUSER\""), "env:PGUSER", "user is no secret"},
		"an unknown method":      {with(full, "password = \"env:SALLYPORT_TEST_PASSWORD\"\nmethods = [\"scram\"]"), "scram\"", "unknown login method"},
		"methods of nothing":     {with(full, "user = \"a\"\nmethods = [\"md5\"]"), "md5", "methods changes nothing"},
		"never possible":         {with(`tls = "disable"`, "password = \"env:SALLYPORT_TEST_PASSWORD\"\nmethods = [\"scram-sha-256-plus\"]"), "scram-sha-256-plus", "nobody can ever log in"},
		"tls is not said":        {with("", `password = "env:SALLYPORT_TEST_PASSWORD"`), "db\" }", "has a secret, so the endpoint has to say"},
		"no roots":               {with(full+"\nca = \"missing.pem\"", `password = "env:SALLYPORT_TEST_PASSWORD"`), "\"missing.pem", "no such file"},
		"not for this plugin":    {"[[endpoint]]\nname = \"x\"\naddress = \"db.internal:5432\"\nplugin = \"none\"\nprofiles = { dev = \"db\" }\n\n" + credential(`password = "env:SALLYPORT_TEST_PASSWORD"`), "password", `plugin "none" of endpoint "x" has no slot or attribute "password"; it takes no credential`},
	} {
		t.Run(name, func(t *testing.T) {
			w.write(c.tables)
			problems := check()
			if strings.Contains(problems.Error(), canary) && c.at != canary {
				t.Errorf("the secret is shown: %v", problems)
			}
			wantProblem(t, w, problems, c.at, c.message)
			if strings.Contains(problems.Error(), canary) {
				t.Errorf("the secret is shown: %v", problems)
			}
		})
	}
	// The twins.
	for name, tables := range map[string]string{
		"all that there is":  with(full, "password = \"env:SALLYPORT_TEST_PASSWORD\"\nuser = \"a\"\ndatabase = \"b\"\nmethods = [\"md5\", \"scram-sha-256\"]"),
		"without a secret":   with("", `user = "a"`),
		"in clear, as said":  with(`tls = "disable"`, `password = "env:SALLYPORT_TEST_PASSWORD"`),
		"a credential twice": with(full, `password = "env:SALLYPORT_TEST_PASSWORD"`) + strings.Replace(loginTable("db2", "db.internal:5432", full), `"db2" }`, `"db" }`, 1),
		"nobody uses it":     withPostgres + credential(`password = "env:SALLYPORT_TEST_MISSING"`),
	} {
		w.write(tables)
		if problems := check(); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
	// One mistake in a credential that two endpoints share is one problem.
	w.write(with(full, `password = "env:SALLYPORT_TEST_MISSING"`) + strings.Replace(loginTable("db2", "db.internal:5432", full), `"db2" }`, `"db" }`, 1))
	if problems := check(); len(problems) != 1 {
		t.Errorf("want one problem: %v", problems)
	}
}

// TestTransportWarnings: what is probably not meant.
func TestTransportWarnings(t *testing.T) {
	w := newWorld(t, "[plugins]\npostgres = \"builtin\"\n\n"+loginTable("db", "db.internal:5432", `tls = "require"`)+
		credentialTable(t, "db", "a", canary, `methods = ["password"]`)+loginRules)
	a, err := w.assemble()
	if err != nil {
		t.Fatal(err)
	}
	if text := a.Warnings().Error(); !strings.Contains(text, `the password itself goes to whoever answers at endpoint "db": tls is "require" there`) || len(a.warnings) != 1 {
		t.Errorf("warnings: %s", text)
	}
	a.warnings = nil
	ca, err := CertificateAuthority(a.cfg)
	if err != nil {
		t.Fatal(err)
	}
	end := ca.Certificate().NotAfter
	for when, want := range map[time.Time]string{time.Now(): "", end.Add(-layer.NearExpiry / 2): "agents stop trusting it then"} {
		a.warnings = nil
		if problems := a.transports(t.Context(), when); len(problems) > 0 || strings.Contains(a.Warnings().Error(), "agents stop") != (want != "") {
			t.Errorf("at %v: %v, %v", when, problems, a.Warnings())
		}
	}
	if problems := a.transports(t.Context(), end.Add(time.Hour)); len(problems) != 1 || !strings.Contains(problems[0].Message, "has expired on") {
		t.Errorf("an expired CA: %v", problems)
	}
}

// TestFacts: what a guest is told of transports and credentials, for each profile.
func TestFacts(t *testing.T) {
	t.Setenv("SALLYPORT_TEST_PASSWORD", canary)
	manifest := &abi.Manifest{Name: "p", Slots: []abi.Slot{{Name: "password", Form: "postgres"}, {Name: "other", Form: "postgres"}}, Attributes: []abi.CredentialAttribute{{Name: "user"}}}
	form, _ := secret.FormOf("postgres")
	filled := &login{credential: "c", slots: []slot{{name: "password", form: form, filled: true}, {name: "other", form: form}}, attributes: []abi.Attribute{{Name: "user", Value: "a"}}}
	for _, c := range []struct {
		tls           config.TLS
		agent         config.AgentTLS
		profile       string
		up, may, must bool
	}{
		{config.TLSDisable, config.AgentTLSAuto, "dev", false, false, false},
		{config.TLSVerifyFull, config.AgentTLSAuto, "dev", true, true, false},
		{config.TLSVerifyFull, config.AgentTLSAuto, "ops", true, false, false}, // logs in by itself
		{config.TLSDisable, config.AgentTLSAuto, "ops", false, false, false},
		{config.TLSVerifyFull, config.AgentTLSOffer, "ops", true, true, false},
		{config.TLSRequire, config.AgentTLSRequire, "ops", true, true, true},
		{config.TLSVerifyCA, config.AgentTLSRefuse, "dev", true, false, false},
	} {
		e := &endpoint{cfg: &config.Endpoint{Name: config.Text{Value: "db"}, Plugin: config.Text{Value: "postgres"}, TLS: c.tls, AgentTLS: c.agent}, manifest: manifest, logins: map[string]*login{"dev": filled}}
		f := e.facts("alice", c.profile, e.logins[c.profile])
		if f.UpstreamTLS != c.up || f.AgentTLS != c.may || f.AgentTLSRequired != c.must || f.Endpoint != "db" || f.Peer != "alice" || f.Profile != c.profile {
			t.Errorf("%v %v %s: %+v", c.tls, c.agent, c.profile, f)
		}
		if dev := c.profile == "dev"; f.Filled("password") != dev || f.Filled("other") || len(f.Attributes) != map[bool]int{true: 1}[dev] {
			t.Errorf("%s: %+v", c.profile, f)
		}
	}
}

// TestCredentialsAreOfThePolicy: what decides who logs in where is in the hash that the record begins with, the secret is not.
func TestCredentialsAreOfThePolicy(t *testing.T) {
	tables := func(transport, more string) string {
		return "[plugins]\npostgres = \"builtin\"\n\n" + loginTable("db", "db.internal:5432", transport) + credentialTable(t, "db", "a", canary, more) + loginRules
	}
	w := newWorld(t, "")
	policy := func(text string) string {
		w.write(text)
		a, err := w.assemble()
		if err != nil {
			t.Fatal(err)
		}
		return a.policy()
	}
	seen := map[string]string{}
	for name, text := range map[string]string{
		"as it is":      tables(`tls = "require"`, ""),
		"verified":      tables(`tls = "verify-full"`, ""),
		"another name":  tables("tls = \"verify-full\"\nserver_name = \"x\"", ""),
		"for agents":    tables("tls = \"require\"\nagent_tls = \"require\"", ""),
		"methods":       tables(`tls = "require"`, `methods = ["scram-sha-256"]`),
		"a database":    tables(`tls = "require"`, `database = "d"`),
		"by themselves": strings.Replace(tables(`tls = "require"`, ""), `{ dev = "db" }`, `["dev"]`, 1),
	} {
		p := policy(text)
		if other, ok := seen[p]; ok {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[p] = name
	}
	text := tables(`tls = "require"`, "")
	before := policy(text)
	t.Setenv("SALLYPORT_TEST_DB", "another")
	if policy(text) != before {
		t.Error("the secret is in the policy's hash")
	}
	write(t, filepath.Join(w.dir, "password"), []byte(canary))
	if policy(strings.Replace(text, "env:SALLYPORT_TEST_DB", "file:password", 1)) == before {
		t.Error("where the secret comes from is not in the policy's hash")
	}
	if _, err := os.Stat(filepath.Join(w.dir, "state", "ca.key")); err == nil {
		t.Error("checking makes a CA")
	}
}
