package decide

import (
	"slices"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestJudges shows when an action is judged, and that a judge can only tighten.
func TestJudges(t *testing.T) {
	m := postgres()
	allow := Rule{Name: "allow", When: "true", Then: Allow}
	judge := Rule{Name: "judged", When: `action.class == "write"`, Then: Judge}
	wide := Rule{Name: "a wide one", When: `!sql.bounded`, Then: Judge}
	hold := Rule{Name: "held", When: `sql.command == "delete"`, Then: Hold}
	deny := Rule{Name: "deny", When: `"public.users" in sql.tables`, Then: Deny}
	for _, c := range []struct {
		name    string
		rules   []Rule
		values  set
		outcome Outcome
		rule    string
		holds   []string
		judges  []string
		unknown []string
	}{
		{"judge beats allow", []Rule{allow, judge}, all(), Judge, "judged", nil, []string{"judged"}, nil},
		{"judge needs no allow", []Rule{judge}, all(), Judge, "judged", nil, []string{"judged"}, nil},
		{"deny beats judge", []Rule{allow, judge, deny}, all(), Deny, "deny", nil, nil, nil},
		{"hold and judge need both", []Rule{allow, judge, hold}, all(), Hold, "held", []string{"held"}, []string{"judged"}, nil},
		{"deny beats both", []Rule{allow, judge, hold, deny}, all(), Deny, "deny", nil, nil, nil},
		{"all that match", []Rule{allow, judge, wide}, set{"bounded": false}, Judge, "a wide one", nil, []string{"a wide one", "judged"}, nil},
		{"none of those that do not", []Rule{allow, judge, wide}, set{"bounded": true}, Judge, "judged", nil, []string{"judged"}, nil},
		{"one that perhaps matches", []Rule{allow, wide}, nil, Judge, "a wide one", nil, []string{"a wide one"}, []string{"sql.bounded"}},
		{"perhaps held, certainly judged", []Rule{allow, judge, hold}, nil, Hold, "held", []string{"held"}, []string{"judged"}, []string{"sql.command"}},
		{"perhaps denied", []Rule{allow, judge, hold, deny}, nil, Deny, "deny", nil, nil, []string{"sql.tables"}},
		{"unless excuses", []Rule{allow, {Name: "j", When: "true", Unless: `peer.name == "claude"`, Then: Judge}}, nil, Allow, "allow", nil, nil, nil},
	} {
		for range 2 {
			slices.Reverse(c.rules)
			v := mustNew(t, c.rules, Endpoint{Name: "db", Manifest: m}).Decide(Input{Endpoint: "db", Peer: "claude", Action: act(m, "sql", abi.ClassWrite, c.values)})
			var judges []string
			for _, j := range v.Judges {
				judges = append(judges, j.Rule)
				if c.rules[j.Index].Name != j.Rule || j.Reason == "" {
					t.Errorf("%s: %+v", c.name, j)
				}
			}
			if v.Outcome != c.outcome || v.Rule != c.rule || !slices.Equal(needed(v), c.holds) || !slices.Equal(judges, c.judges) || !slices.Equal(v.Unknown, c.unknown) {
				t.Errorf("%s: %+v", c.name, v)
			}
		}
	}
}

// TestObservedJudges: a judge rule that observes asks nobody and says would_judge, and so does an endpoint that observes.
func TestObservedJudges(t *testing.T) {
	m := postgres()
	rules := []Rule{{Name: "allow", When: "true", Then: Allow}, {Name: "j", When: "true", Then: Judge, Observe: true}}
	in := Input{Endpoint: "db", Action: act(m, "sql", abi.ClassRead, nil)}
	v := mustNew(t, rules, Endpoint{Name: "db", Manifest: m}).Decide(in)
	if v.Outcome != Allow || len(v.Judges) != 0 || len(v.Observed) != 1 || v.Observed[0].Word() != "would_judge" {
		t.Errorf("%+v", v)
	}
	rules[1].Observe = false
	if v := mustNew(t, rules, Endpoint{Name: "db", Manifest: m, Observe: true}).Decide(in); v.Outcome != Allow || v.Word() != "would_judge" || v.Rule != "j" {
		t.Errorf("%+v", v)
	}
}
