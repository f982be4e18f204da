package decide

import (
	"errors"
	"slices"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// postgres is a manifest with a field of each type, with and without a set of values.
func postgres() *abi.Manifest {
	return &abi.Manifest{Name: "postgres", Version: "1", Families: []abi.Family{
		{Name: abi.FamilyConnect},
		{Name: "sql", Fields: []abi.Field{
			{Name: "bounded", Type: abi.TypeBool},
			{Name: "statements", Type: abi.TypeInt},
			{Name: "text", Type: abi.TypeString},
			{Name: "command", Type: abi.TypeString, Values: []string{"select", "insert", "delete"}},
			{Name: "tables", Type: abi.TypeStrings},
			{Name: "flags", Type: abi.TypeStrings, Values: []string{"ddl", "copy"}},
		}},
	}}
}

// http is a manifest of another family.
func http() *abi.Manifest {
	return &abi.Manifest{Name: "http", Version: "1", Families: []abi.Family{
		{Name: abi.FamilyConnect},
		{Name: "http", Fields: []abi.Field{{Name: "method", Type: abi.TypeString, Values: []string{"GET", "POST"}}}},
	}}
}

// set gives a field of sql a known value.
type set map[string]any

// act makes an action of a family of m; fields that values lacks are unknown.
func act(m *abi.Manifest, family string, class abi.Class, values set) *abi.Action {
	f := findFamily(m, family)
	a := &abi.Action{Family: f, Class: class, Title: "a title", Values: make([]abi.Value, len(f.Fields))}
	for i := range f.Fields {
		v, ok := values[f.Fields[i].Name]
		if !ok {
			continue
		}
		to := &a.Values[i]
		to.Known = true
		switch v := v.(type) {
		case bool:
			to.Bool = v
		case int:
			to.Int = int64(v)
		case string:
			to.Str = v
		case []string:
			to.List = v
		}
	}
	return a
}

// all has every field of sql.
func all() set {
	return set{"bounded": true, "statements": 2, "text": "DELETE FROM public.users", "command": "delete",
		"tables": []string{"public.users", "public.logins"}, "flags": []string{"copy"}}
}

func mustNew(t testing.TB, rules []Rule, endpoints ...Endpoint) *Engine {
	t.Helper()
	e, err := New(rules, endpoints)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// problems returns what New says is wrong.
func problems(t *testing.T, rules []Rule, endpoints ...Endpoint) Problems {
	t.Helper()
	_, err := New(rules, endpoints)
	if err == nil {
		return nil
	}
	var p Problems
	if !errors.As(err, &p) {
		t.Fatalf("the error is a %T: %v", err, err)
	}
	return p
}

// evaluate compiles one condition for sql and evaluates it; it uses the rule's machinery, not the outcome.
func evaluate(t *testing.T, text string, a *abi.Action, m *abi.Manifest) (tri, []string) {
	t.Helper()
	l := &loader{rules: []Rule{{Name: "r", When: text}}, endpoints: []Endpoint{{Name: "db", Manifest: m}}}
	e, err := l.engine()
	if err != nil {
		t.Fatal(err)
	}
	if l.parser == nil {
		l.parser = newParser(t)
	}
	l.rule = &l.rules[0]
	l.compileRule(e)
	if len(l.problems) > 0 {
		t.Fatalf("%s: %v", text, l.problems)
	}
	f := new(frame)
	f.in, f.values = Input{Endpoint: "db", Peer: "claude", Profile: "dev", Action: a}, a.Values
	i := slices.IndexFunc(e.endpoints["db"].families, func(f familyRules) bool { return f.family == a.Family })
	for _, p := range e.endpoints["db"].families[i].decide[a.Class] {
		result := p.eval(f)
		return result, f.names(nil)
	}
	return no, nil // the class cannot match
}
