package decide

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// functions lists what a condition can call, for messages.
var functions = []string{"size", "startsWith", "endsWith", "contains", "matches", "exists", "all", "gravity"}

// isLoop reports whether a call is LIST.exists(x, condition) or LIST.all(x, condition).
func isLoop(call ast.CallExpr) bool {
	name := call.FunctionName()
	return call.IsMemberFunction() && (name == "exists" || name == "all") && len(call.Args()) == 2
}

// call compiles operators and functions.
func (c *compiler) call(e ast.Expr) *expr {
	call := e.AsCall()
	name := call.FunctionName()
	if isLoop(call) {
		return c.loop(e, call)
	}
	if name == "exists" || name == "all" {
		return c.fail(e.ID(), "%s is called as list.%s(x, condition)", name, name)
	}
	operands := call.Args()
	if call.IsMemberFunction() {
		operands = append([]ast.Expr{call.Target()}, operands...)
	}
	xs := make([]*expr, len(operands))
	broken := false
	for i, o := range operands {
		xs[i] = c.compile(o)
		broken = broken || xs[i] == nil
	}
	symbol, operator := operators.FindReverse(name)
	if !operator && !slices.Contains(functions, name) {
		return c.fail(e.ID(), "there is no function %s%s; there are: %s", name, meant(name, functions), list(functions))
	}
	if broken {
		return nil
	}
	switch name {
	case operators.LogicalAnd, operators.LogicalOr:
		return c.logic(e, name == operators.LogicalAnd, xs)
	case operators.LogicalNot:
		return c.negation(e, xs[0])
	case operators.Conditional:
		return c.ternary(e, xs)
	case operators.Equals, operators.NotEquals:
		return c.equality(e, name == operators.Equals, xs[0], xs[1])
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		return c.order(e, symbol, xs[0], xs[1])
	case operators.In:
		return c.in(e, xs[0], xs[1])
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo:
		return c.arithmetic(e, symbol, xs[0], xs[1])
	case operators.Negate:
		return c.negative(e, xs[0])
	case operators.Index:
		return c.index(e, xs[0], xs[1])
	}
	if operator {
		return c.fail(e.ID(), "the operator %s is not part of the language of conditions", symbol)
	}
	return c.function(e, name, call.IsMemberFunction(), xs)
}

// function compiles a call by name.
func (c *compiler) function(e ast.Expr, name string, member bool, xs []*expr) *expr {
	switch {
	case name == "size" && len(xs) == 1:
		return c.size(e, xs[0])
	case name == "gravity" && len(xs) == 1 && !member:
		return c.gravity(e, xs[0])
	case name == "matches" && len(xs) == 2:
		return c.matches(e, xs[0], xs[1])
	case len(xs) == 2 && member && (name == "startsWith" || name == "endsWith" || name == "contains"):
		return c.search(e, name, xs[0], xs[1])
	}
	usage := map[string]string{"size": "size(x)", "gravity": `gravity("class")`, "matches": `x.matches("pattern")`}[name]
	if usage == "" {
		usage = fmt.Sprintf("x.%s(y)", name)
	}
	return c.fail(e.ID(), "%s is called as %s", name, usage)
}

// mismatch reports operands that do not go together.
func (c *compiler) mismatch(e ast.Expr, symbol string, xs ...*expr) *expr {
	kinds := make([]string, len(xs))
	for i, x := range xs {
		kinds[i] = string(x.kind)
		if x.name != "" {
			kinds[i] = fmt.Sprintf("%s (%s)", x.kind, x.name)
		}
	}
	return c.fail(e.ID(), "%s does not work on %s", symbol, strings.Join(kinds, " and "))
}

func (c *compiler) logic(e ast.Expr, and bool, xs []*expr) *expr {
	symbol, stop := "||", yes
	out := &expr{kind: kBool, never: allClasses}
	if and {
		symbol, stop, out.never = "&&", no, 0
	}
	parts := make([]boolFn, len(xs))
	for i, x := range xs {
		if x.kind != kBool {
			return c.mismatch(e, symbol, xs...)
		}
		parts[i] = x.b
		if and {
			out.never |= x.never
		} else {
			out.never &= x.never
		}
	}
	out.b = func(f *frame) tri {
		t := stop.not()
		for _, p := range parts {
			switch p(f) {
			case stop:
				return stop
			case maybe:
				t = maybe
			}
		}
		return t
	}
	return out
}

func (c *compiler) negation(e ast.Expr, x *expr) *expr {
	if x.kind != kBool {
		return c.mismatch(e, "!", x)
	}
	return &expr{kind: kBool, b: func(f *frame) tri { return x.b(f).not() }}
}

// ternary compiles a ? b : c. When a is unknown the result is known only if it is the same both ways.
func (c *compiler) ternary(e ast.Expr, xs []*expr) *expr {
	if xs[0].kind != kBool || xs[1].kind != xs[2].kind {
		return c.mismatch(e, "?:", xs...)
	}
	cond, a, b := xs[0].b, xs[1], xs[2]
	switch a.kind {
	case kBool:
		return &expr{kind: kBool, b: func(f *frame) tri {
			switch cond(f) {
			case yes:
				return a.b(f)
			case no:
				return b.b(f)
			}
			if t := a.b(f); t == b.b(f) {
				return t
			}
			return maybe
		}}
	case kInt, kGravity:
		return &expr{kind: a.kind, i: func(f *frame) (int64, bool) {
			switch cond(f) {
			case yes:
				return a.i(f)
			case no:
				return b.i(f)
			}
			return 0, false
		}}
	case kString:
		return &expr{kind: kString, s: func(f *frame) (string, bool) {
			switch cond(f) {
			case yes:
				return a.s(f)
			case no:
				return b.s(f)
			}
			return "", false
		}}
	}
	return c.mismatch(e, "?:", xs...)
}

// loop compiles exists and all.
func (c *compiler) loop(e ast.Expr, call ast.CallExpr) *expr {
	of := c.compile(call.Target())
	name := call.Args()[0]
	if name.Kind() != ast.IdentKind {
		return c.fail(name.ID(), "%s wants a name for the element, then a condition", call.FunctionName())
	}
	id := name.AsIdent()
	switch {
	case of == nil:
		return nil
	case of.kind != kStrings && of.kind != kInts:
		return c.fail(e.ID(), "%s works on lists, this is of type %s", call.FunctionName(), of.kind)
	case len(c.vars) == MaxNesting:
		return c.fail(e.ID(), "exists and all can be nested %d times", MaxNesting)
	case slices.Contains(ownRoots, id) || c.family != nil && c.family.Name == id ||
		slices.ContainsFunc(c.vars, func(v variable) bool { return v.name == id }):
		return c.fail(name.ID(), "%s is taken, use another name for the element", id)
	}
	slot := len(c.vars)
	c.vars = append(c.vars, variable{id, of})
	body := c.boolean(call.Args()[1])
	c.vars = c.vars[:slot]
	if body == nil {
		return nil
	}
	stop := yes
	if call.FunctionName() == "all" {
		stop = no
	}
	return &expr{kind: kBool, b: quantifier(of, body.b, slot, stop)}
}

// quantifier stops at the first element for which body is stop.
func quantifier(of *expr, body boolFn, slot int, stop tri) boolFn {
	step := func(f *frame, t tri) (tri, bool) {
		if !f.spend(1) {
			return maybe, true
		}
		switch body(f) {
		case stop:
			return stop, true
		case maybe:
			return maybe, false
		}
		return t, false
	}
	if of.kind == kInts {
		return func(f *frame) tri {
			t, done := stop.not(), false
			for _, n := range of.ints {
				f.ints[slot] = n
				if t, done = step(f, t); done {
					return t
				}
			}
			return t
		}
	}
	return func(f *frame) tri {
		items, ok := of.l(f)
		if !ok {
			return maybe
		}
		t, done := stop.not(), false
		for _, s := range items {
			f.strs[slot] = s
			if t, done = step(f, t); done {
				return t
			}
		}
		return t
	}
}
