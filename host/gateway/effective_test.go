package gateway

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/trial"
	"github.com/sallyport-dev/sallyport/packs"
)

// writeGateway writes a configuration whose [gateway] has more keys.
func (w *world) writeGateway(keys, tables string) {
	w.t.Helper()
	w.write(tables)
	text := strings.Replace(readFile(w.t, w.path), "[gateway]\n", "[gateway]\n"+keys+"\n", 1)
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

const baseline = `packs = ["baseline"]`

const twoDatabases = withPostgres + "[[endpoint]]\nname = \"staging-db\"\naddress = \"db2.internal:5432\"\nplugin = \"postgres\"\nprofiles = [\"dev\"]\n\n"

// policies assemble what decides, with the plugins of one assembly: loading them is what takes time.
type policies struct {
	*world
	loaded *Assembly
}

func newPolicies(t *testing.T) *policies {
	t.Helper()
	w := newWorld(t, withPostgres)
	cfg, err := w.load()
	if err != nil {
		t.Fatal(err)
	}
	a, err := Assemble(t.Context(), cfg, Options{CacheDir: cacheDir, PolicyOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return &policies{w, a}
}

// try assembles what decides by a file.
func (p *policies) try(keys, tables string) (*Assembly, error) {
	p.t.Helper()
	p.writeGateway(keys, tables)
	cfg, err := p.load()
	if err != nil {
		return nil, err
	}
	a := &Assembly{cfg: cfg, log: p.loaded.log, sandbox: p.loaded.sandbox, plugins: p.loaded.plugins, endpoints: map[string]*endpoint{}}
	if problems := append(a.configure(p.t.Context()), a.compile()...); len(problems) > 0 {
		return nil, problems
	}
	return a, nil
}

// of is try for files that are right.
func (p *policies) of(keys, tables string) *Assembly {
	p.t.Helper()
	a, err := p.try(keys, tables)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, readFile(p.t, p.path))
	}
	return a
}

// statement is an action of family sql with everything that the baseline looks at.
func statement(endpoint, class string, bounded, executes bool, verbs ...string) *trial.Action {
	return &trial.Action{Endpoint: endpoint, Peer: "alice", Family: "sql", Class: class, Title: strings.Join(verbs, ", "),
		Fields: map[string]any{"verbs": verbs, "bounded": bounded, "executes": executes}}
}

func outcome(t *testing.T, a *Assembly, action *trial.Action) string {
	t.Helper()
	r, err := a.Try(action)
	if err != nil {
		t.Errorf("%v: %v", action, err)
		return ""
	}
	if r.Verdict.Rule == "" {
		return r.Word()
	}
	return r.Word() + " by " + r.Verdict.Rule
}

// TestPacks: what each pack makes of statements.
func TestPacks(t *testing.T) {
	p := newPolicies(t)
	connect := &trial.Action{Endpoint: "prod-db", Peer: "alice", Family: "connect", Class: "session"}
	replication := &trial.Action{Endpoint: "prod-db", Peer: "alice", Family: "connect", Class: "admin"}
	unreadable := &trial.Action{Endpoint: "prod-db", Peer: "alice", Family: "sql", Class: "opaque"}
	of := func(class string, bounded, executes bool, verbs ...string) *trial.Action {
		return statement("prod-db", class, bounded, executes, verbs...)
	}
	assemblies := map[string]*Assembly{}
	for _, name := range []string{"baseline", "readonly", "observe"} {
		assemblies[name] = p.of(fmt.Sprintf("packs = [%q]", name), withPostgres)
	}
	for _, c := range []struct {
		name                        string
		action                      *trial.Action
		baseline, readonly, observe string
	}{
		{"connect", connect, "allow by baseline/connect", "allow by readonly/connect", "allow by observe/everything"},
		{"replication", replication, "deny by baseline/no admin", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/no admin"},
		{"set", of("session", true, true, "set"), "allow by baseline/session and read", "allow by readonly/session and read", "allow by observe/everything"},
		{"select", of("read", true, true, "select"), "allow by baseline/session and read", "allow by readonly/session and read", "allow by observe/everything"},
		{"insert", of("write", true, true, "insert"), "hold by baseline/write", "deny by readonly/no changes", "allow by observe/everything +would_hold observe/write"},
		{"a prepared insert", of("write", true, false, "insert"), "allow by baseline/prepare changes", "deny by readonly/no changes", "allow by observe/everything"},
		{"delete", of("delete", true, true, "delete"), "hold by baseline/delete", "deny by readonly/no changes", "allow by observe/everything +would_hold observe/delete"},
		{"unbounded delete", of("delete", false, true, "delete"), "deny by baseline/unbounded changes", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/unbounded changes +would_hold observe/delete"},
		{"unbounded update", of("write", false, true, "update"), "deny by baseline/unbounded changes", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/unbounded changes +would_hold observe/write"},
		{"an unbounded delete that is prepared", of("delete", false, false, "delete"), "deny by baseline/unbounded changes", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/unbounded changes"},
		{"truncate", of("delete", false, true, "truncate"), "deny by baseline/truncate", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/truncate +would_hold observe/delete"},
		{"drop", of("admin", false, true, "drop table"), "deny by baseline/drop", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/drop +would_deny observe/no admin"},
		{"create", of("admin", true, true, "create table"), "deny by baseline/no admin", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/no admin"},
		{"copy to a program", of("execute", true, true, "copy"), "deny by baseline/copy program", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/copy program +would_deny observe/no execute"},
		{"call", of("execute", true, true, "call"), "deny by baseline/no execute", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/no execute"},
		{"unreadable", unreadable, "deny by baseline/no opaque", "deny by readonly/no changes", "allow by observe/everything +would_deny observe/drop +would_deny observe/no opaque +would_deny observe/truncate +would_deny observe/unbounded changes"},
	} {
		for pack, want := range map[string]string{"baseline": c.baseline, "readonly": c.readonly, "observe": c.observe} {
			got := outcome(t, assemblies[pack], c.action)
			r, _ := assemblies[pack].Try(c.action)
			for _, o := range r.Verdict.Observed {
				got += " +" + o.Word() + " " + o.Rule
			}
			if got != want {
				t.Errorf("%s, %s: %s, want %s", c.name, pack, got, want)
			}
		}
	}
}

// TestPacksEverywhere: rules about a family are there where the family is, and no pack is about what nobody reads.
func TestPacksEverywhere(t *testing.T) {
	p := newPolicies(t)
	none := endpointTable("raw", "127.0.0.1:1", "none", "dev")
	a := p.of(baseline, none)
	if len(a.Rules()) != 0 {
		t.Errorf("rules about nothing: %+v", a.Rules())
	}
	open := &trial.Action{Endpoint: "raw", Peer: "alice", Family: "connect", Class: "session"}
	if got := outcome(t, a, open); got != "deny" || !strings.Contains(a.Warnings().Error(), `every connection to "raw" is denied: packs say nothing about plugin "none"`) {
		t.Errorf("%s, %v", got, a.Warnings())
	}
	a = p.of(baseline, none+ruleTable("raw too", "true", "allow", `endpoints = ["raw"]`))
	if got := outcome(t, a, open); got != "allow by raw too" || len(a.Warnings()) != 0 {
		t.Errorf("the twin: %s, %v", got, a.Warnings())
	}
	a = p.of(baseline, withPostgres+none)
	for _, r := range a.Rules() {
		for _, at := range r.Reach {
			if at.Endpoint != "prod-db" {
				t.Errorf("%s reaches %v", r.Name, r.Reach)
			}
		}
	}
	// Every rule of every pack is one that counts with PostgreSQL, or is about a family that it has not.
	list, err := packs.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, pack := range list {
		a := p.of(fmt.Sprintf("packs = [%q]", pack.Name), withPostgres)
		for _, r := range pack.Rules {
			found := slices.ContainsFunc(a.Rules(), func(e EffectiveRule) bool { return e.Name == pack.Name+"/"+r.Name && len(e.Reach) > 0 })
			if other := r.Family != "" && r.Family != "sql" && r.Family != "connect"; found == other {
				t.Errorf("%s/%s: found %v", pack.Name, r.Name, found)
			}
		}
	}
}

// TestOverrides: each change, at the endpoints that it is for and at no other.
func TestOverrides(t *testing.T) {
	p := newPolicies(t)
	insert := func(endpoint string) *trial.Action { return statement(endpoint, "write", true, true, "insert") }
	drop := func(endpoint, peer string) *trial.Action {
		a := statement(endpoint, "admin", false, true, "drop table")
		a.Peer = peer
		return a
	}
	peers := strings.Replace(twoDatabases, `["dev"]`, `["dev", "ops"]`, 2)
	override := func(rule, rest string) string { return fmt.Sprintf("[[override]]\nrule = %q\n%s\n\n", rule, rest) }
	for _, c := range []struct {
		name, tables string
		action       *trial.Action
		want         string
	}{
		{"off there", override("baseline/write", `endpoints = ["staging-db"]`+"\noff = true"), insert("staging-db"), "deny"},
		{"off there, not here", override("baseline/write", `endpoints = ["staging-db"]`+"\noff = true"), insert("prod-db"), "hold by baseline/write"},
		{"off, and allowed", override("baseline/write", "off = true") + ruleTable("w", `action.class == "write"`, "allow", ""), insert("prod-db"), "allow by w"},
		{"not off, and allowed", ruleTable("w", `action.class == "write"`, "allow", ""), insert("prod-db"), "hold by baseline/write"},
		{"unless", override("baseline/drop", `unless = 'peer.name == "bob"'`), drop("prod-db", "bob"), "deny by baseline/no admin"},
		{"unless another", override("baseline/drop", `unless = 'peer.name == "bob"'`), drop("prod-db", "alice"), "deny by baseline/drop"},
		{"two exceptions", override("baseline/drop", `unless = 'peer.name == "bob"'`) + override("baseline/no admin", `unless = 'peer.name == "bob"'`) + ruleTable("bob", `peer.name == "bob"`, "allow", ""),
			drop("prod-db", "bob"), "allow by bob"},
		{"then", override("baseline/write", `then = "deny"`), insert("prod-db"), "deny by baseline/write"},
		{"mode", override("baseline/write", `mode = "observe"`) + ruleTable("w", `action.class == "write"`, "allow", ""), insert("prod-db"), "allow by w"},
	} {
		if got := outcome(t, p.of(baseline, peers+c.tables), c.action); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	a := p.of(baseline, peers+override("baseline/write", "endpoints = [\"prod-db\"]\napprover = \"console\"\ntimeout = \"30s\"\nreason = \"ask\"\nnot_by = \"requester\""))
	r, err := a.Try(insert("prod-db"))
	if err != nil || len(r.Verdict.Holds) != 1 || r.Verdict.Reason != "ask" {
		t.Fatalf("%+v, %v", r, err)
	}
	rule := a.Rules()[r.Verdict.Holds[0].Index]
	if rule.Name != "baseline/write" || !slices.Equal(rule.Approvers, []string{"console"}) || rule.Approvals != 1 || !rule.NotRequester || rule.Timeout != 30*time.Second ||
		rule.Origin != "pack baseline" || !strings.HasPrefix(rule.Override, "sallyport.toml:") || !reflect.DeepEqual(rule.Reach, []decide.Reach{{Endpoint: "prod-db", Families: []string{"connect", "sql"}}}) {
		t.Errorf("%+v", rule)
	}
	r, _ = a.Try(insert("staging-db"))
	if rule := a.Rules()[r.Verdict.Holds[0].Index]; rule.Override != "" || rule.Approvers != nil || rule.Timeout != 0 || rule.Approvals != 1 {
		t.Errorf("the other endpoint: %+v", rule)
	}
}

// TestOverrideProblems: what is wrong with an override is found where it stands.
func TestOverrideProblems(t *testing.T) {
	p := newPolicies(t)
	for text, want := range map[string]string{
		"rule = \"baseline/drop\"\nunless = 'sql.bouned'":              "did you mean \"bounded\"",
		"rule = \"baseline/drop\"\nunless = 'sql.bounded &&'":          "not a CEL expression",
		"rule = \"baseline/drop\"\nendpoints = [\"raw\"]\noff = true":  "the override changes nothing: rule \"baseline/drop\" is about no such endpoint here, which would have the family sql",
		"rule = \"baseline/write\"\nendpoints = [\"raw\"]\noff = true": "the override changes nothing: rule \"baseline/write\" is about no such endpoint here",
	} {
		_, err := p.try(baseline, withPostgres+endpointTable("raw", "127.0.0.1:1", "none", "dev")+"[[override]]\n"+text+"\n")
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) != 1 || !strings.Contains(problems[0].Message, want) {
			t.Errorf("%s\n%v, want %s", text, err, want)
			continue
		}
		if line, _ := lineOf(p.world, problems[0].Line); !strings.Contains(line, "unless") && !strings.Contains(line, "[[override]]") {
			t.Errorf("%v: points at %q", problems[0], line)
		}
	}
}

// TestModes: the gateway's mode, and an endpoint's own.
func TestModes(t *testing.T) {
	p := newPolicies(t)
	at := func(mode string) string {
		return strings.Replace(twoDatabases, "name = \"staging-db\"\n", "name = \"staging-db\"\nmode = \""+mode+"\"\n", 1)
	}
	for _, c := range []struct{ keys, tables, prod, staging string }{
		{baseline, twoDatabases, "hold by baseline/write", "hold by baseline/write"},
		{baseline, at("observe"), "hold by baseline/write", "would_hold by baseline/write"},
		{baseline + "\nmode = \"observe\"", twoDatabases, "would_hold by baseline/write", "would_hold by baseline/write"},
		{baseline + "\nmode = \"observe\"", at("enforce"), "would_hold by baseline/write", "hold by baseline/write"},
	} {
		a := p.of(c.keys, c.tables)
		for endpoint, want := range map[string]string{"prod-db": c.prod, "staging-db": c.staging} {
			if got := outcome(t, a, statement(endpoint, "write", true, true, "insert")); got != want {
				t.Errorf("%s, %s: %s, want %s", c.keys, endpoint, got, want)
			}
		}
	}
}

// TestPolicyRevision: everything that decides is in the hash that receipts name.
func TestPolicyRevision(t *testing.T) {
	p := newPolicies(t)
	seen := map[string]string{}
	const ops = "[[approver]]\nname = \"ops\"\nwebhook = \"https://hooks.example.com/x\"\nsecret = \"env:OPS\"\n\n"
	hold := func(rest string) string { return twoDatabases + ruleTable("h", "true", "hold", rest) }
	for name, c := range map[string]struct{ keys, tables string }{
		"nothing":     {"", twoDatabases},
		"a pack":      {baseline, twoDatabases},
		"another":     {`packs = ["readonly"]`, twoDatabases},
		"an override": {baseline, twoDatabases + "[[override]]\nrule = \"baseline/drop\"\noff = true\n"},
		"its place":   {baseline, twoDatabases + "[[override]]\nrule = \"baseline/drop\"\nendpoints = [\"prod-db\"]\noff = true\n"},
		"its unless":  {baseline, twoDatabases + "[[override]]\nrule = \"baseline/drop\"\nunless = 'true'\n"},
		"the mode":    {"mode = \"observe\"", twoDatabases},
		"a mode":      {"", strings.Replace(twoDatabases, "plugin = \"postgres\"\n", "plugin = \"postgres\"\nmode = \"observe\"\n", 1)},
		"on_hold":     {"", strings.Replace(twoDatabases, "plugin = \"postgres\"\n", "plugin = \"postgres\"\non_hold = \"rollback\"\n", 1)},
		"a hold":      {"", hold("")},
		"an approver": {"", hold(`approver = "console"`)},
		"who that is": {"", hold(`approver = "ops"`) + ops},
		"where he is": {"", hold(`approver = "ops"`) + strings.Replace(ops, "example.com", "example.org", 1)},
		"not by":      {"", hold(`not_by = "requester"`)},
		"a timeout":   {"", hold(`timeout = "10s"`)},
	} {
		a := p.of(c.keys, c.tables)
		if other, ok := seen[a.policy()]; ok {
			t.Errorf("%s is the same policy as %s", name, other)
		}
		seen[a.policy()] = name
	}
	// Where things stand in the file is no part of it.
	if a := p.of(baseline+"\n\n# a comment", twoDatabases); seen[a.policy()] != "a pack" {
		t.Errorf("a comment makes another policy")
	}
}

// TestTry: who cannot reach an endpoint is denied, and what cannot be is an error.
func TestTry(t *testing.T) {
	p := newPolicies(t)
	a := p.of("", withPostgres+ruleTable("all", "true", "allow", ""))
	for _, c := range []struct {
		change func(*trial.Action)
		want   string
	}{
		{func(*trial.Action) {}, "allow"},
		{func(a *trial.Action) { a.Peer = "" }, "allow"},
		{func(a *trial.Action) { a.Peer, a.Profile = "", "dev" }, "allow"},
		{func(a *trial.Action) { a.Peer, a.Profile = "", "ops" }, "deny"},
		{func(a *trial.Action) { a.Peer = "bob" }, "deny"},
		{func(a *trial.Action) { a.Peer = "nobody" }, "deny"},
		{func(a *trial.Action) { a.Endpoint = "prod-bd" }, ""},
		{func(a *trial.Action) { a.Family = "http" }, ""},
	} {
		action := statement("prod-db", "read", true, true, "select")
		c.change(action)
		r, err := a.Try(action)
		if (err != nil) != (c.want == "") || err == nil && r.Word() != c.want {
			t.Errorf("%+v: %s, %v, want %s", action, r.Word(), err, c.want)
		}
	}
	r, err := a.Explain(statement("prod-db", "read", true, true, "select"))
	if err != nil || len(r.Accounts) != 1 || r.Accounts[0].Match != decide.Matches {
		t.Errorf("%+v, %v", r, err)
	}
}
