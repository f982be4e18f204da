package decide

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func TestStrictestWins(t *testing.T) {
	m := postgres()
	db := Endpoint{Name: "db", Manifest: m}
	in := Input{Endpoint: "db", Peer: "claude", Profile: "dev", Action: act(m, "sql", abi.ClassDelete, all())}
	allow := Rule{Name: "allow", When: "true", Then: Allow, Reason: "fine"}
	deny := Rule{Name: "deny", When: `action.class == "delete"`, Then: Deny, Reason: "no deletes"}
	deny2 := Rule{Name: "also deny", When: `sql.bounded`, Then: Deny, Reason: "not this"}
	excused := deny
	excused.Unless = `peer.name == "claude"`
	silent := Rule{Name: "silent", When: "true", Then: Deny}
	for _, c := range []struct {
		name          string
		rules         []Rule
		outcome       Outcome
		rule, message string
	}{
		{"no rule", nil, Deny, "", "no rule allows this"},
		{"no rule matches", []Rule{{Name: "x", When: "false", Then: Allow}}, Deny, "", "no rule allows this"},
		{"allowed", []Rule{allow}, Allow, "allow", "fine"},
		{"denied", []Rule{deny}, Deny, "deny", "no deletes"},
		{"deny beats allow", []Rule{allow, deny}, Deny, "deny", "no deletes"},
		{"ties go by name", []Rule{allow, deny, deny2}, Deny, "also deny", "not this"},
		{"unless excuses", []Rule{allow, excused}, Allow, "allow", "fine"},
		{"unless excuses its own rule only", []Rule{allow, excused, deny2}, Deny, "also deny", "not this"},
		{"unless allows nothing", []Rule{excused}, Deny, "", "no rule allows this"},
		{"a deny always says why", []Rule{silent}, Deny, "silent", "the rule silent denies this"},
	} {
		for _, reverse := range []bool{false, true} {
			rules := slices.Clone(c.rules)
			if reverse {
				slices.Reverse(rules)
			}
			v := mustNew(t, rules, db).Decide(in)
			if v.Outcome != c.outcome || v.Rule != c.rule || v.Reason != c.message || v.Unknown != nil || v.Observed != nil {
				t.Errorf("%s (reverse %v): %+v", c.name, reverse, v)
			}
		}
	}
}

// TestUnknownCountsAgainst has a known twin for every unknown value.
func TestUnknownCountsAgainst(t *testing.T) {
	m := postgres()
	allow := Rule{Name: "allow", When: "true", Then: Allow}
	for _, c := range []struct {
		name    string
		rules   []Rule
		values  set
		outcome Outcome
		rule    string
		unknown []string
	}{
		{"deny matches", []Rule{allow, {Name: "d", When: "sql.bounded", Then: Deny}}, nil, Deny, "d", []string{"sql.bounded"}},
		{"known: deny matches", []Rule{allow, {Name: "d", When: "sql.bounded", Then: Deny}}, set{"bounded": true}, Deny, "d", nil},
		{"known: deny does not", []Rule{allow, {Name: "d", When: "sql.bounded", Then: Deny}}, set{"bounded": false}, Allow, "allow", nil},
		{"negated deny matches too", []Rule{allow, {Name: "d", When: "!sql.bounded", Then: Deny}}, nil, Deny, "d", []string{"sql.bounded"}},
		{"allow does not match", []Rule{{Name: "a", When: "sql.bounded", Then: Allow}}, nil, Deny, "", []string{"sql.bounded"}},
		{"negated allow neither", []Rule{{Name: "a", When: "!sql.bounded", Then: Allow}}, nil, Deny, "", []string{"sql.bounded"}},
		{"known: allow matches", []Rule{{Name: "a", When: "sql.bounded", Then: Allow}}, set{"bounded": true}, Allow, "a", nil},
		{"unless of a deny excuses nothing", []Rule{allow, {Name: "d", When: "true", Unless: "sql.bounded", Then: Deny}}, nil, Deny, "d", []string{"sql.bounded"}},
		{"known: unless excuses", []Rule{allow, {Name: "d", When: "true", Unless: "sql.bounded", Then: Deny}}, set{"bounded": true}, Allow, "allow", nil},
		{"unless of an allow takes it away", []Rule{{Name: "a", When: "true", Unless: "sql.bounded", Then: Allow}}, nil, Deny, "", []string{"sql.bounded"}},
		{"known: unless does not apply", []Rule{{Name: "a", When: "true", Unless: "sql.bounded", Then: Allow}}, set{"bounded": false}, Allow, "a", nil},
		{"what does not matter is not named", []Rule{{Name: "a", When: `sql.bounded || action.class == "read"`, Then: Allow}}, nil, Allow, "a", nil},
		{"another allow matches", []Rule{allow, {Name: "a", When: "sql.bounded", Then: Allow}}, nil, Allow, "allow", nil},
		{"a failure counts against", []Rule{allow, {Name: "d", When: `sql.tables[5] == "x"`, Then: Deny}}, set{"tables": []string{"a"}}, Deny, "d", []string{"(an index is out of range)"}},
		{"several", []Rule{{Name: "a", When: `sql.bounded && sql.statements == 1`, Then: Allow}, {Name: "b", When: `sql.text == ""`, Then: Allow}}, nil, Deny, "",
			[]string{"sql.bounded", "sql.statements", "sql.text"}},
	} {
		v := mustNew(t, c.rules, Endpoint{Name: "db", Manifest: m}).Decide(Input{Endpoint: "db", Action: act(m, "sql", abi.ClassRead, c.values)})
		if v.Outcome != c.outcome || v.Rule != c.rule || !slices.Equal(v.Unknown, c.unknown) {
			t.Errorf("%s: %+v", c.name, v)
		}
	}
}

// TestFamilies shows which actions a rule that names a family applies to.
func TestFamilies(t *testing.T) {
	pg, web := postgres(), http()
	endpoints := []Endpoint{{Name: "db", Manifest: pg}, {Name: "web", Manifest: web}, {Name: "raw", Manifest: nil}}
	relayConnect := &abi.Action{Family: &abi.Family{Name: abi.FamilyConnect}, Class: abi.ClassSession}
	query := Input{Endpoint: "db", Action: act(pg, "sql", abi.ClassWrite, all())}
	get := Input{Endpoint: "web", Action: act(web, "http", abi.ClassWrite, set{"method": "GET"})}
	connect := Input{Endpoint: "db", Action: act(pg, "connect", abi.ClassSession, nil)}
	raw := Input{Endpoint: "raw", Action: relayConnect}
	for _, c := range []struct {
		name                        string
		rule                        Rule
		query, get, connect, relays Outcome
	}{
		{"every family", Rule{When: "true", Then: Allow}, Allow, Allow, Allow, Allow},
		{"one family", Rule{When: "sql.bounded", Then: Allow}, Allow, Deny, Deny, Deny},
		{"one family, certainly true", Rule{When: "sql.bounded || true", Then: Allow}, Allow, Deny, Deny, Deny},
		{"another", Rule{When: `http.method == "GET"`, Then: Allow}, Deny, Allow, Deny, Deny},
		{"one endpoint", Rule{When: "true", Then: Allow, Endpoints: []string{"web", "raw"}}, Deny, Allow, Deny, Allow},
		{"by its name", Rule{When: `action.family == "connect"`, Then: Allow}, Deny, Deny, Allow, Allow},
		{"the exception of an allow narrows", Rule{When: "true", Unless: "!sql.bounded", Then: Allow}, Allow, Deny, Deny, Deny},
	} {
		c.rule.Name = "r"
		e := mustNew(t, []Rule{c.rule}, endpoints...)
		for i, in := range []Input{query, get, connect, raw} {
			want := []Outcome{c.query, c.get, c.connect, c.relays}[i]
			if v := e.Decide(in); v.Outcome != want {
				t.Errorf("%s: input %d: %+v", c.name, i, v)
			}
		}
	}
	// The exception of a deny leaves it as wide as its when.
	e := mustNew(t, []Rule{{Name: "a", When: "true", Then: Allow}, {Name: "d", When: `action.class == "write"`, Unless: "sql.bounded", Then: Deny}}, endpoints...)
	for i, want := range []Outcome{Allow, Deny, Allow, Allow} {
		if v := e.Decide([]Input{query, get, connect, raw}[i]); v.Outcome != want {
			t.Errorf("unless with another family: input %d: %+v", i, v)
		}
	}
}

// TestOneWordTwoPlugins compiles one rule for two plugins that declare a family differently.
func TestOneWordTwoPlugins(t *testing.T) {
	one, two := postgres(), postgres()
	slices.Reverse(two.Families[1].Fields)
	e := mustNew(t, []Rule{{Name: "a", When: `sql.bounded && sql.statements == 2 && sql.command == "delete"`, Then: Allow}}, Endpoint{Name: "one", Manifest: one}, Endpoint{Name: "two", Manifest: two})
	for name, m := range map[string]*abi.Manifest{"one": one, "two": two} {
		if v := e.Decide(Input{Endpoint: name, Action: act(m, "sql", abi.ClassWrite, all())}); v.Outcome != Allow {
			t.Errorf("%s: %+v", name, v)
		}
	}
	// An action in the other plugin's words is refused, one that was read with an equal manifest is not.
	for m, want := range map[*abi.Manifest]Outcome{two: Deny, postgres(): Allow} {
		if v := e.Decide(Input{Endpoint: "one", Action: act(m, "sql", abi.ClassWrite, all())}); v.Outcome != want {
			t.Errorf("%+v, want %v", v, want)
		}
	}
}

func TestMalformedInputIsDenied(t *testing.T) {
	m := postgres()
	e := mustNew(t, []Rule{{Name: "a", When: "true", Then: Allow}}, Endpoint{Name: "db", Manifest: m})
	good := act(m, "sql", abi.ClassRead, nil)
	short := *good
	short.Values = short.Values[:1]
	wrong := *good
	wrong.Class = 99
	stranger := *good
	stranger.Family = &abi.Family{Name: "ssh"}
	for name, in := range map[string]Input{
		"endpoint": {Endpoint: "other", Action: good}, "nil": {Endpoint: "db"}, "no family": {Endpoint: "db", Action: &abi.Action{}},
		"values": {Endpoint: "db", Action: &short}, "class": {Endpoint: "db", Action: &wrong}, "family": {Endpoint: "db", Action: &stranger},
	} {
		if v := e.Decide(in); v.Outcome != Deny || v.Reason == "" {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if v := e.Decide(Input{Endpoint: "db", Action: good}); v.Outcome != Allow {
		t.Errorf("the twin: %+v", v)
	}
}

func TestObserve(t *testing.T) {
	m := postgres()
	rules := []Rule{
		{Name: "a", When: "true", Then: Allow},
		{Name: "y", When: `sql.bounded`, Then: Deny, Reason: "later", Observe: true},
		{Name: "x", When: `sql.statements == 2`, Then: Deny, Observe: true},
		{Name: "w", When: `sql.statements == 3`, Then: Deny, Observe: true},
		{Name: "v", When: `action.class == "admin"`, Then: Allow, Observe: true},
	}
	e := mustNew(t, rules, Endpoint{Name: "db", Manifest: m})
	want := []Observed{{Deny, "x", "the rule x denies this"}, {Deny, "y", "later"}}
	v := e.Decide(Input{Endpoint: "db", Action: act(m, "sql", abi.ClassRead, all())})
	if v.Outcome != Allow || v.Rule != "a" || !reflect.DeepEqual(v.Observed, want) {
		t.Errorf("%+v", v)
	}
	// An observed allow allows nothing.
	v = mustNew(t, rules[1:], Endpoint{Name: "db", Manifest: m}).Decide(Input{Endpoint: "db", Action: act(m, "sql", abi.ClassAdmin, all())})
	if v.Outcome != Deny || v.Rule != "" || !reflect.DeepEqual(v.Observed, want) {
		t.Errorf("%+v", v)
	}
}

// TestAgainstTheDefinition compares the engine with the definition of its outcome, rule by rule, for random sets of rules in
// random order and random actions.
func TestAgainstTheDefinition(t *testing.T) {
	m := postgres()
	conditions := []string{"true", "false", `sql.bounded`, `!sql.bounded`, `action.class == "read"`, `action.class != "read"`,
		`action.class in ["read", "write"] && sql.bounded`, `action.class == "read" || sql.statements == 2`, `!(action.class == "write")`,
		`action.gravity >= gravity("write")`, `action.gravity < gravity("read") || sql.bounded`, `sql.text == "x"`,
		`action.class == "read" && (action.class == "write" || sql.bounded)`, `"a" in sql.tables`, `action.class in ["read"] == false`}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func() string { return conditions[random.IntN(len(conditions))] }
	for range 1500 {
		var rules []Rule
		for i := range random.IntN(6) {
			r := Rule{Name: fmt.Sprint("r", i), When: pick(), Then: []Outcome{Allow, Hold, Deny}[random.IntN(3)]}
			if random.IntN(3) == 0 {
				r.Unless = pick()
			}
			rules = append(rules, r)
		}
		values := set{}
		for k, v := range (set{"bounded": random.IntN(2) == 0, "statements": 2, "text": "x", "tables": []string{"a"}}) {
			if random.IntN(2) == 0 {
				values[k] = v
			}
		}
		in := Input{Endpoint: "db", Action: act(m, "sql", abi.Class(random.IntN(7)), values)}
		want, by := Deny, ""
		var holds []string
		for _, then := range []Outcome{Allow, Hold, Deny} { // the stricter one last
			certain, all := []string{}, []string{}
			for _, r := range rules {
				m := matches(t, r, in, m)
				if r.Then != then || m == no || m == maybe && then == Allow {
					continue
				}
				all = append(all, r.Name)
				if m == yes {
					certain = append(certain, r.Name)
				}
			}
			switch {
			case len(certain) > 0:
				want, by = then, slices.Min(certain)
			case len(all) > 0:
				want, by = then, slices.Min(all)
			}
			if slices.Sort(all); then == Hold {
				holds = all
			}
		}
		if want != Hold {
			holds = nil
		}
		random.Shuffle(len(rules), func(i, j int) { rules[i], rules[j] = rules[j], rules[i] })
		if v := mustNew(t, rules, Endpoint{Name: "db", Manifest: m}).Decide(in); v.Outcome != want || v.Rule != by || !slices.Equal(needed(v), holds) {
			t.Fatalf("rules %+v\naction %v %+v\ngot %+v, want %v by %q", rules, in.Action.Class, in.Action.Values, v, want, by)
		}
	}
}

// matches is the definition: when and not unless, in three values.
func matches(t *testing.T, r Rule, in Input, m *abi.Manifest) tri {
	when, _ := evaluate(t, r.When, in.Action, m)
	unless := no
	if r.Unless != "" {
		unless, _ = evaluate(t, r.Unless, in.Action, m)
	}
	switch {
	case when == no || unless == yes:
		return no
	case when == yes && unless == no:
		return yes
	}
	return maybe
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	m := postgres()
	e := mustNew(t, []Rule{
		{Name: "a", When: `sql.tables.all(t, t.startsWith("public."))`, Then: Allow},
		{Name: "d", When: `sql.tables.exists(t, t == "public.secrets")`, Then: Deny},
	}, Endpoint{Name: "db", Manifest: m})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			table, want := "public.users", Allow
			if i%2 == 0 {
				table, want = "public.secrets", Deny
			}
			for range 500 {
				v := e.Decide(Input{Endpoint: "db", Action: act(m, "sql", abi.ClassRead, set{"tables": []string{table}})})
				if v.Outcome != want {
					t.Errorf("%s: %+v", table, v)
					return
				}
			}
		})
	}
	group.Wait()
}

// FuzzCondition loads any text and, where it is a condition, decides with it.
func FuzzCondition(f *testing.F) {
	for _, s := range []string{`sql.bounded`, `sql.tables.exists(t, t == "a" || sql.tables.all(u, u != t))`, `sql.tables[sql.statements - 3] + "x" in ["y"]`,
		`(true ? sql.text : "b").matches("^a{3,5}$")`, `-9223372036854775808 / -sql.statements > 1`, `action.gravity >= gravity("write")`,
		`a{b: 1}`, `{1: 2}[1]`, `[[1]]`, `has(a.b)`, "`", `"\xff"`, `sql..a`, `((((((((((true))))))))))`, `!!!!!!!true`, `1u == 1.0`, `b"x"`,
		strings.Repeat("(", 300), strings.Repeat("!", 300) + "true", strings.Repeat("1+", 300) + "1 > 0", "x.exists(x, x)", `sql.exists(a, a)`} {
		f.Add(s)
	}
	m := postgres()
	f.Fuzz(func(t *testing.T, text string) {
		e, err := New([]Rule{{Name: "r", When: text, Unless: text, Then: Deny}, {Name: "s", When: text, Then: Allow}}, []Endpoint{{Name: "db", Manifest: m}})
		if err != nil {
			if p, ok := err.(Problems); !ok || len(p) == 0 || len(text) > 0 && len(text) <= MaxText && p[0].Line == 0 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		for _, values := range []set{nil, all()} {
			for class := range abi.Class(7) {
				if v := e.Decide(Input{Endpoint: "db", Action: act(m, "sql", class, values)}); v.Outcome == Judge || len(v.Judges) > 0 {
					t.Fatalf("%q: %+v", text, v)
				}
			}
		}
	})
}

// needed are the names of a verdict's holds.
func needed(v Verdict) (names []string) {
	for _, h := range v.Holds {
		names = append(names, h.Rule)
	}
	return names
}
