package decide

import (
	"math"
	"slices"
	"strings"
	"testing"

	"cel.dev/cel-go/parser"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func newParser(t *testing.T) *parser.Parser {
	t.Helper()
	p, err := parser.NewParser(parser.EnableVariadicOperatorASTs(true), parser.EnableIdentEscapeSyntax(false))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestConditions evaluates conditions where everything is known.
func TestConditions(t *testing.T) {
	m := postgres()
	a := act(m, "sql", abi.ClassDelete, all())
	for text, want := range map[string]bool{
		`true`: true, `false`: false, `!false`: true,
		`action.class == "delete"`: true, `action.class == "read"`: false, `"delete" == action.class`: true,
		`action.class != "delete"`: false, `action.class != "read"`: true,
		`action.class in ["read", "delete"]`: true, `action.class in ["read", "write"]`: false,
		`!(action.class in ["read"])`: true,
		`action.family == "sql"`:      true, `action.title == "a title"`: true, `action.streaming`: false,
		`action.gravity >= gravity("write")`: true, `action.gravity > gravity("delete")`: false,
		`action.gravity < gravity("admin")`: true, `gravity("read") <= action.gravity`: true,
		`action.gravity == gravity("delete")`: true, `action.gravity != gravity("delete")`: false,
		`peer.name == "claude" && peer.profile == "dev" && endpoint.name == "db"`: true,
		`sql.bounded`: true, `!sql.bounded`: false, `sql.bounded == true`: true, `sql.bounded != true`: false,
		`sql.statements == 2`: true, `sql.statements != 2`: false, `sql.statements > 1 && sql.statements <= 2`: true,
		`sql.statements in [1, 3]`: false, `sql.statements in [1, 2]`: true,
		`sql.statements + 1 == 3 && sql.statements * 3 == 6 && sql.statements - 3 == -1`: true,
		`sql.statements / 2 == 1 && 7 % sql.statements == 1 && -sql.statements == -2`:    true,
		`sql.text.startsWith("DELETE")`: true, `sql.text.endsWith("users")`: true, `sql.text.contains("FROM")`: true,
		`sql.text.contains("WHERE")`: false, `sql.text.matches("(?i)from +public")`: true, `matches(sql.text, "^FROM")`: false,
		`size(sql.text) == 24`: true, `sql.text.size() == 24`: true, `size("é") == 1`: true,
		`sql.text < "E" && sql.text >= "D"`: true, `"a" + "b" == "ab"`: true,
		`size(sql.tables) == 2`: true, `"public.users" in sql.tables`: true, `"x" in sql.tables`: false,
		`sql.tables == ["public.users", "public.logins"]`: true, `sql.tables != ["public.users"]`: true,
		`sql.tables[0] == "public.users"`: true, `sql.tables[1].endsWith("users")`: false,
		`sql.tables.exists(t, t.endsWith(".users"))`: true, `sql.tables.all(t, t.endsWith(".users"))`: false,
		`sql.tables.all(t, t.startsWith("public."))`: true, `sql.tables.exists(t, t == "x")`: false,
		`["a", "DEL"].exists(p, sql.text.startsWith(p))`: true, `[1, 2].all(n, n <= sql.statements)`: true,
		`sql.tables.all(t, sql.flags.exists(f, f == "copy" && t != f))`: true,
		`"copy" in sql.flags`: true, `"ddl" in sql.flags`: false, `sql.flags.all(f, f in ["copy", "ddl"])`: true,
		`sql.bounded ? sql.statements == 2 : false`: true, `(sql.bounded ? 1 : 2) == 1`: true,
		`(sql.bounded ? "x" : "y") == "y"`:                     false,
		"sql.bounded\n  && // a comment\n sql.statements == 2": true,
	} {
		if got, _ := evaluate(t, text, a, m); got != truth(want) {
			t.Errorf("%s is %d, want %v", text, got, want)
		}
	}
}

// TestUnknown is the table of three values. b and n are known fields, the others are unknown.
func TestUnknown(t *testing.T) {
	m := postgres()
	a := act(m, "sql", abi.ClassRead, set{"statements": 2})
	for text, want := range map[string]tri{
		`sql.bounded`: maybe, `!sql.bounded`: maybe, `sql.bounded == true`: maybe,
		// What is known decides where it can, in any order.
		`sql.bounded || action.class == "read"`: yes, `action.class == "read" || sql.bounded`: yes,
		`sql.bounded && action.class == "delete"`: no, `sql.bounded && sql.statements == 3`: no,
		`sql.statements == 3 && sql.bounded`: no, `sql.bounded && sql.statements == 2`: maybe,
		`sql.bounded || sql.statements == 3`: maybe, `!(sql.bounded && sql.statements == 3)`: yes,
		`sql.bounded || !sql.bounded`: maybe,
		// Through every operation.
		`sql.text == "x"`: maybe, `sql.text != "x"`: maybe, `sql.text < "x"`: maybe, `size(sql.text) > 0`: maybe,
		`sql.text in ["x"]`: maybe, `"x" in sql.tables`: maybe, `sql.command == "select"`: maybe,
		`sql.text.contains("x")`: maybe, `sql.text.matches("x")`: maybe, `"x".contains(sql.text)`: maybe,
		`sql.text + "a" == "b"`: maybe, `sql.tables == ["x"]`: maybe, `size(sql.tables) == 0`: maybe, `sql.tables[0] == "x"`: maybe,
		`sql.tables.exists(t, true)`: maybe, `sql.tables.all(t, true)`: maybe,
		`["a"].exists(x, sql.bounded)`: maybe, `["a", "b"].exists(x, x == "b" || sql.bounded)`: yes,
		`["a", "b"].all(x, x == "b" && sql.bounded)`: no,
		// A choice with an unknown condition is known when both ways are the same.
		`sql.bounded ? true : sql.statements == 2`: yes, `sql.bounded ? true : false`: maybe,
		`(sql.bounded ? 1 : 1) == 1`: maybe, `sql.statements == 2 ? true : sql.bounded`: yes,
		`(sql.bounded ? "a" : "a") == "a"`: maybe,
	} {
		if got, names := evaluate(t, text, a, m); got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		} else if got == maybe && len(names) == 0 {
			t.Errorf("%s is unknown, and nothing says why", text)
		}
	}
}

// TestFailures are errors at run time: they are unknown, and have known twins.
func TestFailures(t *testing.T) {
	m := postgres()
	values := all()
	values["statements"] = math.MaxInt64
	a := act(m, "sql", abi.ClassDelete, values)
	for text, want := range map[string]tri{
		`sql.tables[2] == "x"`: maybe, `sql.tables[-1] == "x"`: maybe, `sql.tables[1] == "x"`: no,
		`sql.tables[sql.statements] == "x"`: maybe,
		`sql.statements + 1 > 0`:            maybe, `sql.statements + 0 > 0`: yes,
		`sql.statements * 2 > 0`: maybe, `sql.statements * 1 > 0`: yes, `-sql.statements - 2 < 0`: maybe, `-sql.statements - 1 < 0`: yes,
		`sql.statements / 0 == 1`: maybe, `sql.statements % 0 == 1`: maybe, `0 / sql.statements == 0`: yes,
		`(-sql.statements - 1) / -1 == 0`: maybe, `-(-sql.statements - 1) == 0`: maybe, `(-sql.statements - 1) * -1 == 0`: maybe,
		`(-sql.statements - 1) % -1 == 0`: maybe,
		`sql.tables[2] == "x" || true`:    yes, `sql.tables[2] == "x" && false`: no,
	} {
		got, names := evaluate(t, text, a, m)
		if got != want {
			t.Errorf("%s is %d, want %d", text, got, want)
		}
		if got == maybe && (len(names) != 1 || !strings.HasPrefix(names[0], "(")) {
			t.Errorf("%s failed with %q", text, names)
		}
	}
}

// TestArithmetic compares with wider arithmetic at the edges.
func TestArithmetic(t *testing.T) {
	edges := []int64{0, 1, -1, 2, -2, 3, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, 1 << 32, -(1 << 32), 3037000500}
	for _, x := range edges {
		for _, y := range edges {
			for _, op := range []byte("+-*/%") {
				n, ok := calculate(op, x, y)
				want, fits := wide(op, x, y)
				if ok != fits || ok && n != want {
					t.Errorf("%d %c %d is %d (%v), want %d (%v)", x, op, y, n, ok, want, fits)
				}
			}
		}
	}
}

// TestWorkIsBounded gives nested loops as much as one action can carry, and a twin that fits.
func TestWorkIsBounded(t *testing.T) {
	m := postgres()
	many := slices.Repeat([]string{"abc"}, 5000)
	const nested = `sql.tables.all(a, sql.tables.all(b, a == b))`
	got, names := evaluate(t, nested, act(m, "sql", abi.ClassRead, set{"tables": many}), m)
	if got != maybe || !slices.Contains(names, "(too much work)") {
		t.Errorf("25 million steps: %d %q", got, names)
	}
	if got, _ := evaluate(t, nested, act(m, "sql", abi.ClassRead, set{"tables": many[:300]}), m); got != yes {
		t.Errorf("90,000 steps: %d", got)
	}
	// A long text searched in each step.
	long := set{"tables": many, "text": strings.Repeat("a", 20_000)}
	for _, text := range []string{`sql.tables.exists(t, sql.text.contains(t))`, `sql.tables.exists(t, sql.text.matches("b"))`,
		`sql.tables.exists(t, size(sql.text) == 1)`, `sql.tables.exists(t, sql.text + t == "")`, `sql.tables.exists(t, sql.text in sql.tables)`} {
		if got, _ := evaluate(t, text, act(m, "sql", abi.ClassRead, long), m); got != maybe {
			t.Errorf("%s: %d", text, got)
		}
	}
	// The budget is of one rule: twenty rules that each look at a whole long text are fine.
	var rules []Rule
	for i := range 20 {
		rules = append(rules, Rule{Name: string(rune('a' + i)), When: `sql.text.matches("b$") && sql.tables.exists(t, t == "x")`, Then: Deny})
	}
	rules = append(rules, Rule{Name: "reads", When: "true", Then: Allow})
	e := mustNew(t, rules, Endpoint{Name: "db", Manifest: m})
	if v := e.Decide(Input{Endpoint: "db", Action: act(m, "sql", abi.ClassRead, long)}); v.Outcome != Allow {
		t.Errorf("a long text: %+v", v)
	}
}
