package decide

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// answeringManifest is one of a plugin that can hold answers back.
func answeringManifest() *abi.Manifest {
	return &abi.Manifest{Name: "db", Families: []abi.Family{
		{Name: abi.FamilyConnect},
		{Name: "sql", Fields: []abi.Field{{Name: "tables", Type: abi.TypeStrings}}},
		{Name: "copy", Fields: []abi.Field{{Name: "table", Type: abi.TypeString}}},
		abi.ResponseFamily("what came back", abi.Field{Name: "status", Type: abi.TypeInt}),
	}}
}

// answerOf makes an answer; rows below 0 are not known.
func answerOf(m *abi.Manifest, text string, rows int64, bytes int64, truncated bool) *abi.Action {
	f := m.Family(abi.FamilyResponse)
	a := &abi.Action{Family: f, Values: make([]abi.Value, len(f.Fields))}
	a.Values[abi.ResponseText] = abi.Value{Known: true, Str: text}
	a.Values[abi.ResponseRows] = abi.Value{Known: rows >= 0, Int: rows}
	a.Values[abi.ResponseBytes] = abi.Value{Known: true, Int: bytes}
	a.Values[abi.ResponseTruncated] = abi.Value{Known: true, Bool: truncated}
	return a
}

func TestResponse(t *testing.T) {
	m := answeringManifest()
	const all = `action.class == "read"`
	inspect := func(name, response string, then Outcome, limit uint32, long bool) Rule {
		return Rule{Name: name, When: all, Then: then, Inspect: &Inspection{Response: response, Limit: limit, AllowLong: long}}
	}
	allow := Rule{Name: "allow", When: "true", Then: Allow}
	short := func() *abi.Action { return answerOf(m, "a token", 2, 100, false) }
	for _, c := range []struct {
		name    string
		rules   []Rule
		observe bool
		answer  *abi.Action
		limit   uint32 // 0: nobody looks
		word    string
		rule    string
		judges  int
		redacts int
		unknown string
	}{
		{name: "no rule about answers", rules: []Rule{allow}},
		{name: "a rule about other actions", rules: []Rule{allow, {Name: "r", When: `action.class == "delete"`, Then: Deny, Inspect: &Inspection{Limit: 9}}}},
		{name: "a rule about another family", rules: []Rule{allow, {Name: "r", When: `copy.table == "x"`, Then: Deny, Inspect: &Inspection{Limit: 9}}}},
		{name: "an exception", rules: []Rule{allow, {Name: "r", When: all, Unless: `peer.name == "p"`, Then: Deny, Inspect: &Inspection{Limit: 9}}}},
		{name: "every answer is denied", rules: []Rule{allow, inspect("r", "", Deny, 1000, false)}, limit: 1000, word: "deny", rule: "r"},
		{name: "a condition that holds", rules: []Rule{allow, inspect("r", `response.text.contains("token")`, Deny, 1000, false)}, limit: 1000, word: "deny", rule: "r"},
		{name: "one that does not", rules: []Rule{allow, inspect("r", `response.text.contains("key")`, Deny, 1000, false)}, limit: 1000, word: "allow"},
		{name: "one with the action", rules: []Rule{allow, inspect("r", `response.rows == 2 && "users" in sql.tables`, Deny, 1000, false)}, limit: 1000, word: "deny", rule: "r"},
		{name: "one with the action that does not hold", rules: []Rule{allow, inspect("r", `response.rows == 2 && "other" in sql.tables`, Deny, 1000, false)}, limit: 1000, word: "allow"},
		{name: "what is not known counts", rules: []Rule{allow, inspect("r", `response.status == 500`, Deny, 1000, false)}, limit: 1000, word: "deny", rule: "r", unknown: "response.status"},
		{name: "what is not known counts for rows", rules: []Rule{allow, inspect("r", `response.rows > 5`, Redact, 1000, false)}, answer: answerOf(m, "", -1, 1, false),
			limit: 1000, word: "redact", rule: "r", redacts: 1, unknown: "response.rows"},
		{name: "longer than the limit", rules: []Rule{allow, inspect("r", `false`, Deny, 1000, false)}, answer: answerOf(m, "", 2, 1000, true), limit: 1000, word: "deny", rule: "r"},
		{name: "longer, and it may be", rules: []Rule{allow, inspect("r", `false`, Deny, 1000, true)}, answer: answerOf(m, "", 2, 1000, true), limit: 1000, word: "allow"},
		{name: "longer, and its beginning matches", rules: []Rule{allow, inspect("r", `response.text == "x"`, Deny, 1000, true)}, answer: answerOf(m, "x", 2, 1000, true), limit: 1000, word: "deny", rule: "r"},
		{name: "the largest limit counts, each rule has its own", rules: []Rule{allow, inspect("a", `false`, Redact, 50, false), inspect("b", `false`, Deny, 1000, false)},
			limit: 1000, word: "deny", rule: "a"},
		{name: "judges and redactions add up", rules: []Rule{allow, inspect("a", "", Redact, 100, false), inspect("b", "", Judge, 100, false), inspect("c", "", Redact, 100, false), inspect("d", "", Judge, 100, false)},
			limit: 100, word: "judge", rule: "b", judges: 2, redacts: 2},
		{name: "a denial is all there is", rules: []Rule{allow, inspect("a", "", Redact, 100, false), inspect("b", "", Judge, 100, false), inspect("z", "", Deny, 100, false)}, limit: 100, word: "deny", rule: "z"},
		{name: "what observes", rules: []Rule{allow, {Name: "o", When: "true", Then: Deny, Observe: true, Inspect: &Inspection{Limit: 100}}}, limit: 100, word: "allow"},
		{name: "an endpoint that observes", observe: true, rules: []Rule{inspect("a", "", Deny, 100, false)}, limit: 0},
		{name: "an endpoint that observes, and allows", observe: true, rules: []Rule{allow, inspect("a", "", Deny, 100, false)}, limit: 100, word: "would_deny", rule: "a"},
		{name: "a long text is not too much work", rules: []Rule{allow, inspect("a", `response.text.matches("[a-z]{20}[0-9]{10}x?y?z?(token|secret|key)")`, Deny, abi.MaxInspect, false)},
			answer: answerOf(m, strings.Repeat("a", abi.MaxInspect), 2, abi.MaxInspect, false), limit: abi.MaxInspect, word: "allow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := New(c.rules, []Endpoint{{Name: "db", Manifest: m, Observe: c.observe}})
			if err != nil {
				t.Fatal(err)
			}
			in := Input{Endpoint: "db", Peer: "p", Action: &abi.Action{Family: &m.Families[1], Class: abi.ClassRead, Values: []abi.Value{{Known: true, List: []string{"users"}}}}}
			v := e.Decide(in)
			if v.Limit != c.limit || (v.Inspect != nil) != (c.limit > 0) {
				t.Fatalf("%+v", v)
			}
			if c.limit == 0 {
				return
			}
			if c.answer == nil {
				c.answer = short()
			}
			r := e.Response(in, c.answer, v.Inspect)
			if r.Word() != c.word || r.Rule != c.rule || len(r.Judges) != c.judges || len(r.Redact) != c.redacts || strings.Join(r.Unknown, ",") != c.unknown {
				t.Errorf("%+v", r)
			}
			if c.name == "what observes" && (len(r.Observed) != 1 || r.Observed[0].Rule != "o") {
				t.Errorf("%+v", r.Observed)
			}
			if !e.Inspects("db") {
				t.Error("it inspects nothing")
			}
		})
	}
}

// TestResponseOfAnother: an answer in other words is denied, and rules that did not match the action have no say.
func TestResponseOfAnother(t *testing.T) {
	m := answeringManifest()
	e, err := New([]Rule{{Name: "allow", When: "true", Then: Allow}, {Name: "r", When: "true", Then: Deny, Inspect: &Inspection{Limit: 9}}}, []Endpoint{{Name: "db", Manifest: m}})
	if err != nil {
		t.Fatal(err)
	}
	in := Input{Endpoint: "db", Action: &abi.Action{Family: &m.Families[1], Class: abi.ClassRead, Values: make([]abi.Value, 1)}}
	for _, bad := range []*abi.Action{nil, {}, {Family: &m.Families[1], Values: make([]abi.Value, 1)}, {Family: m.Family(abi.FamilyResponse)}} {
		if r := e.Response(in, bad, []int{1}); r.Outcome != Deny || r.Reason == "" {
			t.Errorf("%+v", r)
		}
	}
	if r := e.Response(in, answerOf(m, "", 1, 1, false), nil); r.Outcome != Allow {
		t.Errorf("%+v", r)
	}
	connect := Input{Endpoint: "db", Action: &abi.Action{Family: &m.Families[0]}}
	if v := e.Decide(connect); v.Inspect != nil {
		t.Errorf("a connection has an answer: %+v", v)
	}
}

func TestResponseRulesAreChecked(t *testing.T) {
	m := answeringManifest()
	deaf := &abi.Manifest{Name: "deaf", Families: []abi.Family{{Name: abi.FamilyConnect}, {Name: "mail"}}}
	for _, c := range []struct {
		rule         Rule
		field, wants string
	}{
		{Rule{When: "response.rows > 1", Then: Deny}, "when", "asked before there is a response"},
		{Rule{When: "true", Unless: "response.rows > 1", Then: Deny}, "unless", "asked before there is a response"},
		{Rule{When: `action.family == "response"`, Then: Deny}, "when", "never"},
		{Rule{When: "true", Then: Redact}, "then", "only a rule that inspects"},
		{Rule{When: "true", Then: Hold, Inspect: &Inspection{Limit: 1}}, "then", "denies, judges or redacts"},
		{Rule{When: "true", Then: Deny, Inspect: &Inspection{}}, "limit", "0 bytes"},
		{Rule{When: "true", Then: Redact, Inspect: &Inspection{Limit: 1, AllowLong: true}}, "then_long", "cannot be redacted"},
		{Rule{When: "true", Then: Deny, Inspect: &Inspection{Limit: 1, Response: "response.row > 1"}}, "response", "did you mean"},
		{Rule{When: "true", Then: Deny, Inspect: &Inspection{Limit: 1, Response: "response.rows"}}, "response", "has to be a bool"},
		{Rule{When: "true", Then: Deny, Inspect: &Inspection{Limit: 1, Response: "response.rows >"}}, "response", "not a CEL expression"},
		{Rule{When: `"x" in sql.tables`, Then: Deny, Inspect: &Inspection{Limit: 1, Response: `copy.table == "x"`}}, "response", "one family only"},
		{Rule{When: `connect.x`, Then: Deny, Inspect: &Inspection{Limit: 1}}, "inspect", "no response"},
		{Rule{When: "true", Then: Deny, Endpoints: []string{"deaf"}, Inspect: &Inspection{Limit: 1}}, "inspect", "cannot look at answers"},
	} {
		c.rule.Name = "r"
		if c.rule.Endpoints == nil {
			c.rule.Endpoints = []string{"db"}
		}
		_, err := New([]Rule{c.rule}, []Endpoint{{Name: "db", Manifest: m}, {Name: "deaf", Manifest: deaf}})
		problems, _ := err.(Problems)
		if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Field == c.field && strings.Contains(p.Message, c.wants) }) {
			t.Errorf("%+v %+v: %v, want %s: %s", c.rule, c.rule.Inspect, err, c.field, c.wants)
		}
	}
	// A rule about a family that only one of the endpoints has is about that one.
	if _, err := New([]Rule{{Name: "r", When: `"x" in sql.tables`, Then: Deny, Inspect: &Inspection{Limit: 1}}}, []Endpoint{{Name: "db", Manifest: m}, {Name: "deaf", Manifest: deaf}}); err != nil {
		t.Error(err)
	}
}

// BenchmarkInspect: an action that no rule about answers matches costs what it cost without such rules.
func BenchmarkInspect(b *testing.B) {
	m := answeringManifest()
	in := Input{Endpoint: "db", Action: &abi.Action{Family: &m.Families[1], Class: abi.ClassRead, Values: []abi.Value{{Known: true, List: []string{"users"}}}}}
	allow := Rule{Name: "allow", When: `action.class == "read"`, Then: Allow}
	for _, c := range []struct {
		name  string
		rules []Rule
	}{
		{"none", []Rule{allow}},
		{"other class", []Rule{allow, {Name: "r", When: `action.class == "delete"`, Then: Deny, Inspect: &Inspection{Limit: 1}}}},
		{"does not match", []Rule{allow, {Name: "r", When: `"secrets" in sql.tables`, Then: Deny, Inspect: &Inspection{Limit: 1}}}},
		{"matches", []Rule{allow, {Name: "r", When: `"users" in sql.tables`, Then: Deny, Inspect: &Inspection{Limit: 1}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			e, err := New(c.rules, []Endpoint{{Name: "db", Manifest: m}})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				e.Decide(in)
			}
		})
	}
}
