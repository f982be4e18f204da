package decide

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestProblems has what is wrong, where, and a part of what is said. What is right is in the tests of evaluation.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
		want         string
	}{
		// Names.
		{`sql.bouned`, 1, 1, `sql has no field bouned (did you mean "bounded"?`},
		{"true &&\n  !sql.bouned", 2, 4, `did you mean "bounded"?`},
		{`sqll.bounded`, 1, 1, `unknown name sqll (did you mean "sql"?`},
		{`action.clas == "read"`, 1, 1, `action has no clas (did you mean "class"?`},
		{`bounded`, 1, 1, `unknown name bounded`},
		{`sql`, 1, 1, `sql is not a value`},
		{`action == "read"`, 1, 1, `action is not a value`},
		{`.sql.bounded`, 1, 2, `unknown name`},
		{`http.method == "GET"`, 1, 1, `no endpoint that this rule applies to has the family http; they have: connect, sql`},
		{`connect.x`, 1, 1, `connect has no field x, it declares none`},
		{`sql.bounded && connect.x`, 1, 16, `one family only`},
		{`sql.tables.exists(t, x == "a")`, 1, 22, `unknown name x`},
		{`sql.tables.exists(t, true) && t == "a"`, 1, 31, `unknown name t`},
		{`sql.tables.exists(sql, true)`, 1, 19, `taken`},
		{`sql.tables.exists(action, true)`, 1, 19, `taken`},
		{`sql.tables.exists(t, sql.tables.exists(t, true))`, 1, 40, `taken`},
		{`sql.tables.exists(t, t.name == "a")`, 1, 22, `this has no fields`},
		{`sql.tables.exists(1, true)`, 1, 19, `wants a name`},
		{`sql.text.length > 1`, 1, 4, `this has no fields`},
		// Types.
		{`sql.statements == "1"`, 1, 16, `== does not work on int (sql.statements) and string`},
		{`sql.text == 1`, 1, 10, `== does not work on string (sql.text) and int`},
		{`sql.text > 1`, 1, 10, `> does not work on string (sql.text) and int`},
		{`sql.bounded == "true"`, 1, 13, `== does not work on bool`},
		{`sql.bounded > false`, 1, 13, `> does not work on bool`},
		{`sql.tables == "a"`, 1, 12, `== does not work on list of strings (sql.tables) and string`},
		{`sql.tables in ["a"]`, 1, 12, `in does not work on`},
		{`1 in ["a"]`, 1, 3, `in does not work on int and list of strings`},
		{`"a" in sql.text`, 1, 5, `in does not work on`},
		{`sql.text`, 1, 4, `this is of type string, a condition has to be a bool`},
		{`sql.statements + 1`, 1, 16, `of type int`},
		{`sql.bounded && sql.text`, 1, 13, `&& does not work on bool (sql.bounded) and string (sql.text)`},
		{`!sql.text`, 1, 1, `! does not work on string`},
		{`-sql.text == "a"`, 1, 1, `- does not work on string`},
		{`sql.text - "a" == ""`, 1, 10, `- does not work on`},
		{`sql.bounded ? 1 : "a"`, 1, 13, `?: does not work on`},
		{`(sql.bounded ? sql.tables : sql.flags) == ["ddl"]`, 1, 14, `?: does not work on`},
		{`sql.text[0] == "a"`, 1, 9, `[] does not work on`},
		{`sql.tables["a"] == "a"`, 1, 11, `[] does not work on`},
		{`sql.text.exists(x, true)`, 1, 16, `exists works on lists`},
		{`sql.tables.exists(t, t)`, 1, 22, `has to be a bool`},
		{`sql.tables.exists(t, size(t))`, 1, 26, `has to be a bool`},
		{`size(1) == 1`, 1, 5, `size does not work on int`},
		{`sql.statements.startsWith("a")`, 1, 26, `startsWith does not work on int`},
		// Values outside their set, on either side and in lists.
		{`action.class == "reed"`, 1, 17, `action.class is never "reed" (did you mean "read"?`},
		{`"reed" != action.class`, 1, 1, `action.class is never "reed"`},
		{`action.class in ["read", "x"]`, 1, 26, `action.class is never "x"`},
		{`action.family == "sq"`, 1, 18, `did you mean "sql"?`},
		{`action.family == "http"`, 1, 18, `action.family is never "http"; it is one of: connect, sql`},
		{`endpoint.name == "dbb"`, 1, 18, `endpoint.name is never "dbb" (did you mean "db"?`},
		{`sql.command == "SELECT"`, 1, 16, `did you mean "select"?`},
		{`sql.command in ["select", "delete", "upsert"]`, 1, 37, `sql.command is never "upsert"`},
		{`"dml" in sql.flags`, 1, 1, `sql.flags is never "dml" (did you mean "ddl"?`},
		{`sql.flags == ["x"]`, 1, 15, `never "x"`},
		{`sql.flags.exists(f, f == "x")`, 1, 26, `sql.flags is never "x"`},
		{`sql.flags[0] == "x"`, 1, 17, `sql.flags is never "x"`},
		{`action.gravity >= gravity("reed")`, 1, 27, `"reed" is not a class (did you mean "read"?`},
		{`peer.profile == "dve"`, 1, 17, `peer.profile is never "dve" (did you mean "dev"?`},
		{`peer.name in ["claude", "clod"]`, 1, 25, `peer.name is never "clod"`},
		// What is not part of the language.
		{`sql.text.lowerAscii() == "a"`, 1, 20, `there is no function lowerAscii`},
		{`sql.text.startswith("a")`, 1, 20, `did you mean "startsWith"?`},
		{`sql.tables.map(t, t) == ["a"]`, 1, 15, `there is no function map`},
		{`sql.tables.filter(t, true) == ["a"]`, 1, 18, `there is no function filter`},
		{`sql.tables.exists_one(t, true)`, 1, 22, `there is no function exists_one`},
		{`has(sql.text)`, 1, 4, `there is no function has`},
		{`dyn(1) == 1`, 1, 4, `there is no function dyn`},
		{`timestamp("2020-01-01T00:00:00Z") == 1`, 1, 10, `there is no function timestamp`},
		{`string(1) == "1"`, 1, 7, `there is no function string`},
		{`sql.tables.exists(t)`, 1, 18, `exists is called as list.exists(x, condition)`},
		{`startsWith(sql.text, "a")`, 1, 11, `startsWith is called as x.startsWith(y)`},
		{`size() == 1`, 1, 5, `size is called as size(x)`},
		{`gravity(sql.text) == action.gravity`, 1, 8, `gravity wants a class`},
		{`action.gravity > 2`, 1, 16, `> does not work on gravity (action.gravity) and int`},
		{`1.5 > 1.0`, 1, 1, `not double`},
		{`1u == 1u`, 1, 1, `not uint`},
		{`b"a" == b"a"`, 1, 1, `not bytes`},
		{`sql.text == null`, 1, 13, `null is not part`},
		{`{"a": 1} == {"a": 1}`, 1, 1, `maps and messages`},
		{`A{b: 1} == 1`, 1, 2, `maps and messages`},
		{`sql.text in []`, 1, 13, `an empty list`},
		{`1 in [1, "a"]`, 1, 10, `of one type`},
		{`sql.text in ["a", sql.command]`, 1, 22, `literal strings`},
		{`sql.text in [["a"]]`, 1, 14, `literal strings`},
		{`sql.text.matches(sql.command)`, 1, 21, `has to be a literal`},
		{`sql.text.matches("(")`, 1, 18, `not an RE2 pattern: missing closing )`},
		{`sql.text.matches("` + strings.Repeat("a", MaxPattern+1) + `")`, 1, 18, `the limit is 512`},
		{`sql.text.matches("a{1000}b{1000}")`, 1, 18, `states, the limit is 1000`},
		{`sql.text.matches("((a{100}){100}){100}")`, 1, 18, `not an RE2 pattern`},
		{`sql.tables.all(a, sql.tables.all(b, sql.tables.all(c, true)))`, 1, 51, `can be nested 2 times`},
		// What is not CEL at all.
		{`sql.bounded &&`, 1, 15, `not a CEL expression: mismatched input the end`},
		{`sql.bounded and true`, 1, 13, `not a CEL expression`},
		{`sql.text = "a"`, 1, 10, `not a CEL expression`},
		{"sql.text == 'a", 1, 13, `not a CEL expression`},
		{`99999999999999999999 > 1`, 1, 1, `invalid int`},
		{" ", 1, 2, `not a CEL expression`},
		{strings.Repeat("(", 500) + "true" + strings.Repeat(")", 500), 1, 0, `recursion`},
		{strings.Repeat("a", MaxText+1), 0, 0, `4097 bytes, the limit is 4096`},
	} {
		for _, field := range []string{"when", "unless"} {
			r := Rule{Name: "r", When: c.text, Then: Deny}
			if field == "unless" {
				r.When, r.Unless = "true", c.text
			}
			_, err := New([]Rule{r}, []Endpoint{{Name: "db", Manifest: postgres()}}, Known{Peers: []string{"claude"}, Profiles: []string{"dev"}})
			// The other plugin exists, but the rule does not apply to it.
			r.Endpoints = []string{"db"}
			_, err2 := New([]Rule{r}, []Endpoint{{Name: "db", Manifest: postgres()}, {Name: "web", Manifest: http()}}, Known{Peers: []string{"claude"}, Profiles: []string{"dev"}})
			if strings.HasPrefix(c.text, "http.") {
				err = err2
			}
			p, ok := err.(Problems)
			if !ok || len(p) == 0 {
				t.Errorf("%.60s: no problem", c.text)
				continue
			}
			if p[0].Rule != "r" || p[0].Field != field || p[0].Line != c.line || c.column != 0 && p[0].Column != c.column ||
				!strings.Contains(p[0].Message, c.want) {
				t.Errorf("%.60s: got %v, want %d:%d %s", c.text, p[0], c.line, c.column, c.want)
			}
		}
	}
}

func TestProblemsOfRules(t *testing.T) {
	good := func(name string) Rule { return Rule{Name: name, When: "true", Then: Allow} }
	change := func(f func(*Rule)) Rule { r := good("r"); f(&r); return r }
	for _, c := range []struct {
		rule  Rule
		field string
		want  string
	}{
		{change(func(r *Rule) { r.Name = "" }), "name", "needs a name"},
		{change(func(r *Rule) { r.Name = "first" }), "name", "another rule has this name"},
		{change(func(r *Rule) { r.Name = strings.Repeat("a", MaxName+1) }), "name", "the limit is 128"},
		{change(func(r *Rule) { r.Endpoints = []string{"db", "bd"} }), "endpoints", `there is no endpoint "bd" (did you mean "db"?`},
		{change(func(r *Rule) { r.When = "" }), "when", "needs a condition"},
		{change(func(r *Rule) { r.Then = 9 }), "then", "not one of"},
		{change(func(r *Rule) { r.Reason = strings.Repeat("a", MaxReason+1) }), "reason", "the limit is 1024"},
	} {
		p := problems(t, []Rule{good("first"), c.rule}, Endpoint{Name: "db", Manifest: postgres()})
		if len(p) != 1 || p[0].Index != 1 || p[0].Field != c.field || !strings.Contains(p[0].Message, c.want) {
			t.Errorf("want %s: %s, got %v", c.field, c.want, p)
		}
	}
	if p := problems(t, []Rule{good("first"), good("r")}, Endpoint{Name: "db", Manifest: postgres()}); p != nil {
		t.Errorf("the twin: %v", p)
	}
}

// TestEveryProblemIsListed loads several mistakes at once, one of which two plugins have in common.
func TestEveryProblemIsListed(t *testing.T) {
	rules := []Rule{
		{Name: "one", When: `sql.bouned && action.class == "reed"`, Unless: `sql.text == 1`, Then: Deny},
		{Name: "two", When: `true`, Then: 9},
		{Name: "three", When: `sql.rows`, Unless: `http.method == "GET"`, Then: Deny},
	}
	p := problems(t, rules, Endpoint{Name: "a", Manifest: postgres()}, Endpoint{Name: "b", Manifest: postgres()}, Endpoint{Name: "c", Manifest: http()})
	var got []string
	for _, x := range p {
		got = append(got, fmt.Sprintf("%d %s %d:%d", x.Index, x.Field, x.Line, x.Column))
	}
	want := "0 when 1:1, 0 when 1:31, 0 unless 1:10, 1 then 0:0, 2 unless 1:1"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s\n%v", s, want, p)
	}
}

// TestPluginsDisagree is a rule that one of its plugins does not allow.
func TestPluginsDisagree(t *testing.T) {
	other := postgres()
	other.Families[1].Fields[3].Values = []string{"select", "optimize"}
	for text, wrong := range map[string]bool{`sql.command == "optimize"`: true, `sql.command == "select"`: false} {
		p := problems(t, []Rule{{Name: "r", When: text, Then: Deny}}, Endpoint{Name: "pg", Manifest: postgres()}, Endpoint{Name: "ch", Manifest: other})
		if (len(p) > 0) != wrong {
			t.Errorf("%s: %v", text, p)
		}
		p = problems(t, []Rule{{Name: "r", When: text, Then: Deny, Endpoints: []string{"ch"}}}, Endpoint{Name: "pg", Manifest: postgres()}, Endpoint{Name: "ch", Manifest: other})
		if len(p) > 0 {
			t.Errorf("%s, for one endpoint: %v", text, p)
		}
	}
}

func TestTooManyRules(t *testing.T) {
	rules := make([]Rule, MaxRules+1)
	for i := range rules {
		rules[i] = Rule{Name: fmt.Sprint(i), When: "true", Then: Allow}
	}
	if p := problems(t, rules, Endpoint{Name: "db", Manifest: postgres()}); len(p) != 1 {
		t.Errorf("%d rules: %v", len(rules), p)
	}
}

func TestOutcomes(t *testing.T) {
	if !(Deny > Hold && Hold > Judge && Judge > Allow) {
		t.Error("the order of strictness is broken")
	}
	for _, s := range []string{"allow", "judge", "hold", "deny"} {
		if o, ok := ParseOutcome(s); !ok || o.String() != s {
			t.Errorf("%s: %v %v", s, o, ok)
		}
	}
	if o, ok := ParseOutcome("permit"); ok || o != Deny {
		t.Errorf("permit: %v %v", o, ok)
	}
}

// TestDeclaredTypes covers a field whose type rules cannot use.
func TestDeclaredTypes(t *testing.T) {
	m := postgres()
	m.Families[1].Fields = append(m.Families[1].Fields, abi.Field{Name: "odd", Type: "float"})
	if p := problems(t, []Rule{{Name: "r", When: "sql.odd", Then: Deny}}, Endpoint{Name: "db", Manifest: m}); len(p) != 1 {
		t.Errorf("%v", p)
	}
}
