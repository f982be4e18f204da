package decide

import (
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// equality compiles == and !=.
func (c *compiler) equality(e ast.Expr, equal bool, a, b *expr) *expr {
	symbol := "!="
	if equal {
		symbol = "=="
	}
	if a.kind != b.kind || a.kind == kInts {
		return c.mismatch(e, symbol, a, b)
	}
	if setsOK := c.inSet(a, b) && c.inSet(b, a); !setsOK {
		return nil
	}
	var same boolFn
	switch a.kind {
	case kBool:
		same = func(f *frame) tri {
			x, y := a.b(f), b.b(f)
			if x == maybe || y == maybe {
				return maybe
			}
			return truth(x == y)
		}
	case kInt, kGravity:
		return c.order(e, symbol, a, b)
	case kString:
		same = func(f *frame) tri {
			x, ok := a.s(f)
			y, ok2 := b.s(f)
			if !ok || !ok2 {
				return maybe
			}
			return truth(x == y)
		}
	default:
		same = func(f *frame) tri {
			x, ok := a.l(f)
			y, ok2 := b.l(f)
			if !ok || !ok2 || !f.spend(min(len(x), len(y))) {
				return maybe
			}
			return truth(slices.Equal(x, y))
		}
	}
	never := unnamed(a, b)
	if !equal && never != 0 {
		never ^= allClasses
	}
	switch {
	case never != 0:
		return ofClass(never)
	case !equal:
		return &expr{kind: kBool, b: func(f *frame) tri { return same(f).not() }}
	}
	return &expr{kind: kBool, b: same}
}

// unnamed is the set of classes that a literal, or a list of them, does not name when it is compared with action.class.
func unnamed(a, b *expr) classes {
	if b.isClass {
		a, b = b, a
	}
	if !a.isClass || !b.literal {
		return 0
	}
	return classSet(func(x abi.Class) bool { return x.String() != b.litS && !slices.Contains(b.strs, x.String()) })
}

// ofClass makes the condition that is false for the classes in never and true for the others.
func ofClass(never classes) *expr {
	return &expr{kind: kBool, never: never, b: func(f *frame) tri { return truth(!never.has(f.in.Action.Class)) }}
}

// order compiles < <= > >=, and == != for ints and gravities.
func (c *compiler) order(e ast.Expr, symbol string, a, b *expr) *expr {
	if a.kind != b.kind || a.kind != kInt && a.kind != kString && a.kind != kGravity {
		return c.mismatch(e, symbol, a, b)
	}
	if a.kind == kString {
		return &expr{kind: kBool, b: func(f *frame) tri {
			x, ok := a.s(f)
			y, ok2 := b.s(f)
			if !ok || !ok2 {
				return maybe
			}
			return truth(holds(symbol, strings.Compare(x, y)))
		}}
	}
	if a.kind == kGravity && a.name != "" && b.literal {
		return ofClass(classSet(func(x abi.Class) bool { return !holds(symbol, compare(int64(x), b.litI)) }))
	}
	return &expr{kind: kBool, b: func(f *frame) tri {
		x, ok := a.i(f)
		y, ok2 := b.i(f)
		if !ok || !ok2 {
			return maybe
		}
		return truth(holds(symbol, compare(x, y)))
	}}
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func holds(symbol string, c int) bool {
	switch symbol {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "==":
		return c == 0
	}
	return c != 0
}

// in compiles x in list.
func (c *compiler) in(e ast.Expr, x, in *expr) *expr {
	switch {
	case x.kind == kInt && in.kind == kInts:
		return &expr{kind: kBool, b: func(f *frame) tri {
			n, ok := x.i(f)
			if !ok {
				return maybe
			}
			return truth(slices.Contains(in.ints, n))
		}}
	case x.kind == kString && in.kind == kStrings:
	default:
		return c.mismatch(e, "in", x, in)
	}
	if setsOK := c.inSet(x, in) && c.inSet(in, x); !setsOK {
		return nil
	}
	if never := unnamed(x, in); never != 0 {
		return ofClass(never)
	}
	return &expr{kind: kBool, b: func(f *frame) tri {
		s, ok := x.s(f)
		items, ok2 := in.l(f)
		if !ok || !ok2 || !f.spend(len(items)/8) {
			return maybe
		}
		return truth(slices.Contains(items, s))
	}}
}

// arithmetic compiles + - * / % on ints and + on strings. An overflow or a division by zero is unknown.
func (c *compiler) arithmetic(e ast.Expr, symbol string, a, b *expr) *expr {
	if a.kind == kString && b.kind == kString && symbol == "+" {
		return &expr{kind: kString, s: func(f *frame) (string, bool) {
			x, ok := a.s(f)
			y, ok2 := b.s(f)
			if !ok || !ok2 || !f.spend((len(x)+len(y))/16) {
				return "", false
			}
			return x + y, true
		}}
	}
	if a.kind != kInt || b.kind != kInt {
		return c.mismatch(e, symbol, a, b)
	}
	failure := fmt.Sprintf("(%s overflows or divides by zero)", symbol)
	return &expr{kind: kInt, i: func(f *frame) (int64, bool) {
		x, ok := a.i(f)
		y, ok2 := b.i(f)
		if !ok || !ok2 {
			return 0, false
		}
		n, ok := calculate(symbol[0], x, y)
		if !ok {
			f.failed = failure
		}
		return n, ok
	}}
}

func calculate(op byte, x, y int64) (int64, bool) {
	switch op {
	case '+':
		n := x + y
		return n, (n > x) == (y > 0)
	case '-':
		n := x - y
		return n, (n < x) == (y > 0)
	case '*':
		if x == 0 || y == 0 {
			return 0, true
		}
		n := x * y
		return n, n/y == x && !(x == -1 && y == math.MinInt64) && !(y == -1 && x == math.MinInt64)
	}
	if y == 0 || y == -1 && x == math.MinInt64 {
		return 0, false
	}
	if op == '/' {
		return x / y, true
	}
	return x % y, true
}

func (c *compiler) negative(e ast.Expr, x *expr) *expr {
	if x.kind != kInt {
		return c.mismatch(e, "-", x)
	}
	return c.arithmetic(e, "-", intLiteral(0), x)
}

// index compiles list[int]. Out of range is unknown.
func (c *compiler) index(e ast.Expr, of, at *expr) *expr {
	if of.kind != kStrings || at.kind != kInt {
		return c.mismatch(e, "[]", of, at)
	}
	return &expr{kind: kString, set: of.set, name: of.name, s: func(f *frame) (string, bool) {
		items, ok := of.l(f)
		i, ok2 := at.i(f)
		if !ok || !ok2 {
			return "", false
		}
		if i < 0 || i >= int64(len(items)) {
			f.failed = "(an index is out of range)"
			return "", false
		}
		return items[i], true
	}}
}

// size compiles size(x): characters of a string, elements of a list.
func (c *compiler) size(e ast.Expr, x *expr) *expr {
	switch x.kind {
	case kString:
		return &expr{kind: kInt, i: func(f *frame) (int64, bool) {
			s, ok := x.s(f)
			if !ok || !f.spend(len(s)/16) {
				return 0, false
			}
			return int64(utf8.RuneCountInString(s)), true
		}}
	case kStrings:
		return &expr{kind: kInt, i: func(f *frame) (int64, bool) {
			items, ok := x.l(f)
			return int64(len(items)), ok
		}}
	}
	return c.mismatch(e, "size", x)
}

// search compiles startsWith, endsWith and contains.
func (c *compiler) search(e ast.Expr, name string, x, y *expr) *expr {
	if x.kind != kString || y.kind != kString {
		return c.mismatch(e, name, x, y)
	}
	find := map[string]func(string, string) bool{"startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix,
		"contains": strings.Contains}[name]
	return &expr{kind: kBool, b: func(f *frame) tri {
		s, ok := x.s(f)
		t, ok2 := y.s(f)
		if !ok || !ok2 || !f.spend(len(s)/16) {
			return maybe
		}
		return truth(find(s, t))
	}}
}

// matches compiles x.matches("pattern"): RE2, found anywhere in x.
func (c *compiler) matches(e ast.Expr, x, pattern *expr) *expr {
	switch {
	case x.kind != kString || pattern.kind != kString:
		return c.mismatch(e, "matches", x, pattern)
	case !pattern.literal:
		return c.fail(pattern.id, "the pattern of matches has to be a literal")
	case len(pattern.litS) > MaxPattern:
		return c.fail(pattern.id, "a pattern of %d bytes, the limit is %d", len(pattern.litS), MaxPattern)
	}
	re, err := regexp.Compile(pattern.litS)
	if err != nil {
		return c.fail(pattern.id, "not an RE2 pattern: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	states, err := patternStates(pattern.litS)
	if err != nil || states > MaxStates {
		return c.fail(pattern.id, "the pattern needs %d states, the limit is %d: repeat less", states, MaxStates)
	}
	// A character can cost as much as there are states.
	cost := 1 + states/64
	return &expr{kind: kBool, b: func(f *frame) tri {
		s, ok := x.s(f)
		if !ok || !f.spend(len(s)*cost+1) {
			return maybe
		}
		return truth(re.MatchString(s))
	}}
}

// patternStates is the size of the automaton of a pattern: x{1000} is short to write and long to run.
func patternStates(pattern string) (int, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, err
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0, err
	}
	return len(prog.Inst), nil
}
