package decide

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestHolds shows when an action is held, and what must be approved.
func TestHolds(t *testing.T) {
	m := postgres()
	allow := Rule{Name: "allow", When: "true", Then: Allow}
	write := Rule{Name: "writes", When: `action.class == "write"`, Then: Hold, Reason: "ask first"}
	wide := Rule{Name: "a wide one", When: `!sql.bounded`, Then: Hold}
	deny := Rule{Name: "deny", When: `sql.command == "delete"`, Then: Deny}
	for _, c := range []struct {
		name    string
		rules   []Rule
		values  set
		outcome Outcome
		rule    string
		holds   []string
		unknown []string
	}{
		{"hold beats allow", []Rule{allow, write}, all(), Hold, "writes", []string{"writes"}, nil},
		{"hold needs no allow", []Rule{write}, all(), Hold, "writes", []string{"writes"}, nil},
		{"deny beats hold", []Rule{allow, write, deny}, all(), Deny, "deny", nil, nil},
		{"all that match", []Rule{allow, write, wide}, set{"bounded": false}, Hold, "a wide one", []string{"a wide one", "writes"}, nil},
		{"none of those that do not", []Rule{allow, write, wide}, set{"bounded": true}, Hold, "writes", []string{"writes"}, nil},
		{"those that perhaps match too", []Rule{allow, write, wide}, nil, Hold, "writes", []string{"a wide one", "writes"}, nil},
		{"one that perhaps matches", []Rule{allow, wide}, nil, Hold, "a wide one", []string{"a wide one"}, []string{"sql.bounded"}},
		{"and its known twin", []Rule{allow, wide}, set{"bounded": true}, Allow, "allow", nil, nil},
		{"unless excuses", []Rule{allow, {Name: "h", When: "true", Unless: `peer.name == "claude"`, Then: Hold}}, nil, Allow, "allow", nil, nil},
		{"observed", []Rule{allow, {Name: "h", When: "true", Then: Hold, Observe: true}}, nil, Allow, "allow", nil, nil},
	} {
		for range 2 {
			slices.Reverse(c.rules)
			v := mustNew(t, c.rules, Endpoint{Name: "db", Manifest: m}).Decide(Input{Endpoint: "db", Peer: "claude", Action: act(m, "sql", abi.ClassWrite, c.values)})
			if v.Outcome != c.outcome || v.Rule != c.rule || !slices.Equal(needed(v), c.holds) || !slices.Equal(v.Unknown, c.unknown) || v.Would != Allow {
				t.Errorf("%s: %+v", c.name, v)
			}
			for _, h := range v.Holds {
				if r := c.rules[h.Index]; r.Name != h.Rule || h.Reason == "" {
					t.Errorf("%s: %+v is %+v", c.name, h, r)
				}
			}
		}
	}
}

// TestACertainDenyIsNamed: a rule that denies for what is known explains more than one that might.
func TestACertainDenyIsNamed(t *testing.T) {
	m := postgres()
	rules := []Rule{{Name: "a", When: `sql.text == "x"`, Then: Deny}, {Name: "b", When: `action.class == "opaque"`, Then: Deny}}
	in := Input{Endpoint: "db", Action: act(m, "sql", abi.ClassOpaque, nil)}
	if v := mustNew(t, rules, Endpoint{Name: "db", Manifest: m}).Decide(in); v.Rule != "b" || v.Unknown != nil {
		t.Errorf("%+v", v)
	}
	in.Action = act(m, "sql", abi.ClassRead, nil)
	if v := mustNew(t, rules, Endpoint{Name: "db", Manifest: m}).Decide(in); v.Rule != "a" || !slices.Equal(v.Unknown, []string{"sql.text"}) {
		t.Errorf("the twin: %+v", v)
	}
}

// TestObservingEndpoint: everything that can be read passes and says what it would have been; what cannot be read does not.
func TestObservingEndpoint(t *testing.T) {
	m := postgres()
	rules := []Rule{
		{Name: "reads", When: `action.class == "read"`, Then: Allow},
		{Name: "writes", When: `action.class == "write"`, Then: Hold},
		{Name: "deletes", When: `action.class == "delete"`, Then: Deny, Reason: "no"},
		{Name: "seen", When: `true`, Then: Hold, Observe: true},
	}
	e := mustNew(t, rules, Endpoint{Name: "db", Manifest: m, Observe: true}, Endpoint{Name: "strict", Manifest: m})
	for _, c := range []struct {
		class        abi.Class
		word, strict string
		rule, reason string
	}{
		{abi.ClassRead, "allow", "allow", "reads", ""},
		{abi.ClassWrite, "would_hold", "hold", "writes", "the rule writes wants a person's approval"},
		{abi.ClassDelete, "would_deny", "deny", "deletes", "no"},
		{abi.ClassAdmin, "would_deny", "deny", "", reasonNoRule},
	} {
		v := e.Decide(Input{Endpoint: "db", Action: act(m, "sql", c.class, all())})
		if v.Outcome != Allow || v.Word() != c.word || v.Rule != c.rule || v.Reason != c.reason || len(v.Observed) != 1 || v.Observed[0].Word() != "would_hold" {
			t.Errorf("%v: %s %+v", c.class, v.Word(), v)
		}
		if v := e.Decide(Input{Endpoint: "strict", Action: act(m, "sql", c.class, all())}); v.Word() != c.strict {
			t.Errorf("strict, %v: %s %+v", c.class, v.Word(), v)
		}
	}
	broken := act(m, "sql", abi.ClassRead, nil)
	broken.Values = broken.Values[:2]
	if v := e.Decide(Input{Endpoint: "db", Action: broken}); v.Outcome != Deny || v.Word() != "deny" {
		t.Errorf("a malformed action: %+v", v)
	}
}

func TestUsage(t *testing.T) {
	m := postgres()
	rules := []Rule{
		{Name: "reads", When: `true`, Then: Allow},
		{Name: "rate", When: `usage.actions_per_minute >= 100`, Then: Deny, Reason: "slow down"},
		{Name: "bytes", When: `usage.bytes_out_per_minute > 1000 * 1000`, Then: Hold},
		{Name: "many", When: `usage.connections > 3`, Then: Deny, Endpoints: []string{"other"}},
	}
	e := mustNew(t, rules, Endpoint{Name: "db", Manifest: m}, Endpoint{Name: "other", Manifest: m})
	quiet := mustNew(t, rules[:1], Endpoint{Name: "db", Manifest: m})
	if !e.UsesUsage("db") || !e.UsesUsage("other") || quiet.UsesUsage("db") || e.UsesUsage("no such") {
		t.Error("UsesUsage")
	}
	if e := mustNew(t, []Rule{rules[0], rules[3]}, Endpoint{Name: "db", Manifest: m}, Endpoint{Name: "other", Manifest: m}); e.UsesUsage("db") || !e.UsesUsage("other") {
		t.Error("UsesUsage of a rule for one endpoint")
	}
	for _, c := range []struct {
		endpoint string
		usage    Usage
		unknown  bool
		want     string
		rule     string
	}{
		{"db", Usage{}, false, "allow", "reads"},
		{"db", Usage{99, 50, 1000_000}, false, "allow", "reads"},
		{"db", Usage{100, 0, 0}, false, "deny", "rate"},
		{"db", Usage{0, 0, 1000_001}, false, "hold", "bytes"},
		{"other", Usage{0, 3, 0}, false, "allow", "reads"},
		{"other", Usage{0, 4, 0}, false, "deny", "many"},
		{"db", Usage{}, true, "deny", "rate"},
	} {
		v := e.Decide(Input{Endpoint: c.endpoint, Usage: c.usage, NoUsage: c.unknown, Action: act(m, "sql", abi.ClassRead, all())})
		if v.Word() != c.want || v.Rule != c.rule || c.unknown != slices.Equal(v.Unknown, []string{"usage.actions_per_minute"}) {
			t.Errorf("%+v: %+v", c, v)
		}
	}
	if p := problems(t, []Rule{{Name: "r", When: `usage.conections > 1`, Then: Deny}}, Endpoint{Name: "db", Manifest: m}); len(p) != 1 || !strings.Contains(p[0].Message, `did you mean "connections"`) {
		t.Errorf("%v", p)
	}
}

// TestExcept: exceptions by family, where the family is there.
func TestExcept(t *testing.T) {
	pg, web := postgres(), http()
	hold := Rule{Name: "w", When: `action.class == "write"`, Then: Hold, Except: map[string]string{"sql": `sql.bounded`, "ssh": `ssh.x`}}
	rules := []Rule{{Name: "a", When: "true", Then: Allow}, hold}
	e := mustNew(t, rules, Endpoint{Name: "db", Manifest: pg}, Endpoint{Name: "web", Manifest: web})
	for _, c := range []struct {
		endpoint string
		action   *abi.Action
		want     Outcome
	}{
		{"db", act(pg, "sql", abi.ClassWrite, set{"bounded": true}), Allow},
		{"db", act(pg, "sql", abi.ClassWrite, set{"bounded": false}), Hold},
		{"db", act(pg, "sql", abi.ClassWrite, nil), Hold},
		{"db", act(pg, "connect", abi.ClassWrite, nil), Hold},
		{"web", act(web, "http", abi.ClassWrite, set{"method": "POST"}), Hold},
	} {
		if v := e.Decide(Input{Endpoint: c.endpoint, Action: c.action}); v.Outcome != c.want {
			t.Errorf("%+v: %+v", c, v)
		}
	}
	// Beside an unless, either excuses.
	rules[1].Unless = `peer.name == "claude"`
	e = mustNew(t, rules, Endpoint{Name: "db", Manifest: pg})
	for peer, values := range map[string]set{"claude": {"bounded": false}, "other": {"bounded": true}} {
		if v := e.Decide(Input{Endpoint: "db", Peer: peer, Action: act(pg, "sql", abi.ClassWrite, values)}); v.Outcome != Allow {
			t.Errorf("%s: %+v", peer, v)
		}
	}
	if v := e.Decide(Input{Endpoint: "db", Peer: "other", Action: act(pg, "sql", abi.ClassWrite, set{"bounded": false})}); v.Outcome != Hold {
		t.Errorf("no exception: %+v", v)
	}
	for text, want := range map[string]string{`sql.bouned`: `did you mean "bounded"`, `http.method == "GET"`: "can use no fields of http", `sql.`: "not a CEL expression"} {
		p := problems(t, []Rule{{Name: "r", When: "true", Then: Deny, Except: map[string]string{"sql": text}}}, Endpoint{Name: "db", Manifest: pg}, Endpoint{Name: "web", Manifest: web})
		if len(p) != 1 || p[0].Field != "except" || !strings.Contains(p[0].Message, want) {
			t.Errorf("%s: %v", text, p)
		}
	}
}

// TestOneNameForTwoEndpoints: a rule that an override splits keeps its name.
func TestOneNameForTwoEndpoints(t *testing.T) {
	m := postgres()
	at := func(name string) Rule { return Rule{Name: "r", When: "true", Then: Deny, Endpoints: []string{name}} }
	ends := []Endpoint{{Name: "a", Manifest: m}, {Name: "b", Manifest: m}}
	if p := problems(t, []Rule{at("a"), at("b")}, ends...); p != nil {
		t.Errorf("%v", p)
	}
	if p := problems(t, []Rule{at("a"), {Name: "r", When: "true", Then: Deny, Endpoints: []string{"b", "a"}}}, ends...); len(p) != 1 || p[0].Field != "name" {
		t.Errorf("%v", p)
	}
}

func TestExplain(t *testing.T) {
	pg, web := postgres(), http()
	rules := []Rule{
		{Name: "reads", When: `action.class == "read"`, Then: Allow},
		{Name: "big", When: `sql.statements > 1 && peer.name == "claude"`, Then: Deny, Reason: "one by one"},
		{Name: "text", When: `sql.text.contains("x")`, Then: Hold},
		{Name: "tables", When: `"a" in sql.tables`, Unless: `sql.bounded`, Then: Deny, Observe: true},
		{Name: "web", When: `http.method == "GET"`, Then: Deny},
		{Name: "elsewhere", When: `true`, Then: Deny, Endpoints: []string{"web"}},
		{Name: "maybe", When: `sql.text == "x"`, Then: Allow},
	}
	e := mustNew(t, rules, Endpoint{Name: "db", Manifest: pg}, Endpoint{Name: "web", Manifest: web})
	in := Input{Endpoint: "db", Peer: "claude", Action: act(pg, "sql", abi.ClassDelete, set{"statements": 2, "tables": []string{"a", "b"}, "bounded": true})}
	v, accounts := e.Explain(in)
	if v.Outcome != Deny || v.Rule != "big" {
		t.Errorf("%+v", v)
	}
	want := []Account{
		{Index: 0, Match: OtherClass},
		{Index: 1, Match: Matches, Counts: true, Values: []NamedValue{{"sql.statements", "2"}, {"peer.name", `"claude"`}}},
		{Index: 2, Match: Perhaps, Counts: true, Values: []NamedValue{{"sql.text", "unknown"}}, Unknown: []string{"sql.text"}},
		{Index: 3, Match: MatchesNot, Excused: true, Values: []NamedValue{{"sql.tables", `["a", "b"]`}, {"sql.bounded", "true"}}},
		{Index: 4, Match: Elsewhere},
		{Index: 5, Match: Elsewhere},
		{Index: 6, Match: Perhaps, Values: []NamedValue{{"sql.text", "unknown"}}, Unknown: []string{"sql.text"}},
	}
	if !reflect.DeepEqual(accounts, want) {
		t.Errorf("got  %+v\nwant %+v", accounts, want)
	}
	in.Action = act(pg, "connect", abi.ClassSession, nil)
	if _, accounts = e.Explain(in); accounts[1].Match != OtherFamily || accounts[0].Match != OtherClass {
		t.Errorf("%+v", accounts)
	}
	if got := e.Reach(1); !reflect.DeepEqual(got, []Reach{{"db", []string{"sql"}}}) {
		t.Errorf("%+v", got)
	}
	if v, accounts := e.Explain(Input{Endpoint: "no"}); v.Outcome != Deny || accounts != nil {
		t.Errorf("%+v %+v", v, accounts)
	}
}

// TestNothingIsAllocated: a decision costs no memory, but for the list of holds.
func TestNothingIsAllocated(t *testing.T) {
	m := postgres()
	rules := append(realistic(100), Rule{Name: "usage", When: `usage.connections > 5`, Then: Deny}, Rule{Name: "writes", When: `action.class == "write"`, Then: Hold})
	e := mustNew(t, rules, Endpoint{Name: "db", Manifest: m})
	values := set{"bounded": true, "statements": 1, "command": "select", "tables": []string{"public.users"}, "flags": []string{}, "text": "SELECT 1"}
	for class, most := range map[abi.Class]float64{abi.ClassRead: 0, abi.ClassAdmin: 0, abi.ClassWrite: 1} {
		in := Input{Endpoint: "db", Peer: "claude", Profile: "dev", Action: act(m, "sql", class, values)}
		e.Decide(in) // fills the pool
		least := most + 1
		for range 20 { // a collection may empty the pool in between
			least = min(least, testing.AllocsPerRun(50, func() { e.Decide(in) }))
		}
		if raceEnabled {
			continue // under the race detector pools drop what they are given
		}
		if least > most {
			t.Errorf("%v: %v allocations", class, least)
		}
	}
}
