package decide

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// kind is the type of an expression.
type kind string

const (
	kBool    kind = "bool"
	kInt     kind = "int"
	kString  kind = "string"
	kStrings kind = "list of strings"
	kInts    kind = "list of ints"
	kGravity kind = "gravity" // ordered like the classes, comparable with nothing else
)

// expr is a compiled expression: its type, and the function or the literal of that type.
type expr struct {
	id   int64
	kind kind

	b boolFn
	i intFn // kInt and kGravity
	s strFn
	l listFn

	literal bool
	litI    int64
	litS    string
	strs    []string // of a literal list
	ints    []int64
	each    []int64 // the ids of a literal list's elements

	// set is the closed set of values that a string, or an element of a list, can have; nil: any. name is what has it.
	set  []string
	name string
	// never are the classes for which a bool is certainly false. isClass marks action.class itself.
	never   classes
	isClass bool
}

// classes is a set of classes.
type classes uint16

const allClasses classes = 1<<16 - 1

func (c classes) has(x abi.Class) bool { return c&(1<<x) != 0 }

// compiler compiles the conditions of one rule for one family.
type compiler struct {
	*loader
	targets []*Endpoint
	// Of the condition in hand.
	c      *condition
	family *abi.Family
	answer *abi.Family // response, in a condition about answers
	vars   []variable
	// Of the rule in hand.
	uses  []string // names, each once
	usage bool
}

// variable is the variable of an exists or all; its place among vars is its slot in the frame.
type variable struct {
	name string
	of   *expr
}

// conditions is one rule compiled for one plugin.
type conditions struct {
	when, unless boolFn
	answer       boolFn
	never        classes
	except       map[string]boolFn // by family
	uses         []string
	usage        bool
}

// conditions compiles both texts with the fields of family, which may be nil.
func (c *compiler) conditions(when, unless *condition, family *abi.Family, dropUnless bool) *conditions {
	c.family, c.uses, c.usage = family, nil, false
	out := &conditions{when: func(*frame) tri { return maybe }}
	if x := c.condition(when); x != nil {
		out.when, out.never = x.b, x.never
	}
	if unless != nil && !dropUnless {
		if x := c.condition(unless); x != nil {
			out.unless = x.b
		}
	}
	out.uses, out.usage = c.uses, c.usage
	return out
}

// excepts compiles the exceptions of the families that m has.
func (c *compiler) excepts(to *conditions, excepts map[string]*condition, m *abi.Manifest) {
	to.except = map[string]boolFn{}
	for i := range m.Families {
		f := &m.Families[i]
		if excepts[f.Name] == nil {
			continue
		}
		c.family, c.uses, c.usage = f, to.uses, to.usage
		if x := c.condition(excepts[f.Name]); x != nil {
			to.except[f.Name] = x.b
		}
		to.uses, to.usage = c.uses, c.usage
	}
}

// either is a || b; nil is false.
func either(a, b boolFn) boolFn {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(f *frame) tri {
		switch x := a(f); x {
		case yes:
			return yes
		case no:
			return b(f)
		}
		if b(f) == yes {
			return yes
		}
		return maybe
	}
}

func (c *compiler) condition(cond *condition) *expr {
	c.c, c.vars = cond, nil
	return c.boolean(cond.tree.Expr())
}

func (c *compiler) fail(id int64, format string, args ...any) *expr {
	c.at(c.c, id, format, args...)
	return nil
}

// boolean compiles what has to be a bool; nil means reported.
func (c *compiler) boolean(e ast.Expr) *expr {
	x := c.compile(e)
	if x != nil && x.kind != kBool {
		return c.fail(e.ID(), "this is of type %s, a condition has to be a bool", x.kind)
	}
	return x
}

// compile compiles any expression; nil means that something in it is reported.
func (c *compiler) compile(e ast.Expr) *expr {
	var x *expr
	switch e.Kind() {
	case ast.LiteralKind:
		x = c.literal(e)
	case ast.ListKind:
		x = c.listLiteral(e)
	case ast.IdentKind:
		x = c.variable(e)
	case ast.SelectKind:
		x = c.name(e)
	case ast.CallKind:
		x = c.call(e)
	default:
		return c.fail(e.ID(), "maps and messages are not part of the language of conditions")
	}
	if x != nil {
		x.id = e.ID()
	}
	return x
}

func (c *compiler) literal(e ast.Expr) *expr {
	switch v := e.AsLiteral().(type) {
	case types.Bool:
		t, never := truth(bool(v)), allClasses
		if v {
			never = 0
		}
		return &expr{kind: kBool, literal: true, never: never, b: func(*frame) tri { return t }}
	case types.Int:
		return intLiteral(int64(v))
	case types.String:
		s := string(v)
		return &expr{kind: kString, literal: true, litS: s, s: func(*frame) (string, bool) { return s, true }}
	case types.Null:
		return c.fail(e.ID(), "null is not part of the language of conditions; an unknown value is handled by itself")
	default:
		return c.fail(e.ID(), "literals are bools, ints, strings and lists of them, not %s", v.Type().TypeName())
	}
}

func intLiteral(n int64) *expr {
	return &expr{kind: kInt, literal: true, litI: n, i: func(*frame) (int64, bool) { return n, true }}
}

func (c *compiler) listLiteral(e ast.Expr) *expr {
	out := &expr{literal: true}
	for _, item := range e.AsList().Elements() {
		x := c.compile(item)
		if x == nil {
			return nil
		}
		switch {
		case !x.literal || x.kind != kString && x.kind != kInt:
			return c.fail(item.ID(), "a list is of literal strings or of literal ints")
		case x.kind == kString && out.ints == nil:
			out.strs = append(out.strs, x.litS)
		case x.kind == kInt && out.strs == nil:
			out.ints = append(out.ints, x.litI)
		default:
			return c.fail(item.ID(), "a list has elements of one type, this one mixes strings and ints")
		}
		out.each = append(out.each, item.ID())
	}
	switch {
	case out.strs != nil:
		out.kind = kStrings
		out.l = func(*frame) ([]string, bool) { return out.strs, true }
	case out.ints != nil:
		out.kind = kInts
	default:
		return c.fail(e.ID(), "an empty list matches nothing")
	}
	return out
}

// variable compiles a name without a dot.
func (c *compiler) variable(e ast.Expr) *expr {
	name := e.AsIdent()
	for slot, v := range slices.Backward(c.vars) {
		if v.name != name {
			continue
		}
		if v.of.kind == kInts {
			return &expr{kind: kInt, i: func(f *frame) (int64, bool) { return f.ints[slot], true }}
		}
		return &expr{kind: kString, set: v.of.set, name: v.of.name, s: func(f *frame) (string, bool) { return f.strs[slot], true }}
	}
	known := append(slices.Clone(ownRoots), c.familyNames()...)
	if slices.Contains(known, name) {
		return c.fail(e.ID(), "%s is not a value; write %s and a name behind a dot", name, name)
	}
	for _, v := range c.vars {
		known = append(known, v.name)
	}
	return c.fail(e.ID(), "unknown name %s%s", name, meant(name, known))
}

// name compiles ROOT.NAME.
func (c *compiler) name(e ast.Expr) *expr {
	sel := e.AsSelect()
	o := sel.Operand()
	if o.Kind() != ast.IdentKind || slices.ContainsFunc(c.vars, func(v variable) bool { return v.name == o.AsIdent() }) {
		return c.fail(o.ID(), "this has no fields; names have two parts, such as action.class")
	}
	root, name := o.AsIdent(), sel.FieldName()
	if c.family != nil && root == c.family.Name {
		return c.field(o.ID(), name)
	}
	if c.answer != nil && root == abi.FamilyResponse {
		return c.answerField(o.ID(), name)
	}
	x := c.own(root, name)
	if x == nil {
		return c.fail(o.ID(), "%s has no %s%s; there are: %s", root, name, meant(name, ownNames[root]), list(ownNames[root]))
	}
	x.name = root + "." + name
	c.uses = appendOnce(c.uses, x.name)
	return x
}

// fieldOf is the place of a field of a family; below 0: it is reported that there is none.
func (c *compiler) fieldOf(family *abi.Family, id int64, name string) int {
	i := slices.IndexFunc(family.Fields, func(f abi.Field) bool { return f.Name == name })
	if i < 0 {
		var names []string
		for _, f := range family.Fields {
			names = append(names, f.Name)
		}
		has := fmt.Sprintf("; there are: %s", list(names))
		if len(names) == 0 {
			has = ", it declares none"
		}
		c.fail(id, "%s has no field %s%s%s", family.Name, name, meant(name, names), has)
	}
	return i
}

// field compiles a field of the family.
func (c *compiler) field(id int64, name string) *expr {
	i := c.fieldOf(c.family, id, name)
	if i < 0 {
		return nil
	}
	field := &c.family.Fields[i]
	x := &expr{set: field.Values, name: c.family.Name + "." + name}
	c.uses = appendOnce(c.uses, x.name)
	switch field.Type {
	case abi.TypeBool:
		x.kind = kBool
		x.b = func(f *frame) tri {
			if v := &f.values[i]; v.Known {
				return truth(v.Bool)
			}
			f.miss(i)
			return maybe
		}
	case abi.TypeInt:
		x.kind = kInt
		x.i = func(f *frame) (int64, bool) {
			v := &f.values[i]
			if !v.Known {
				f.miss(i)
			}
			return v.Int, v.Known
		}
	case abi.TypeString:
		x.kind = kString
		x.s = func(f *frame) (string, bool) {
			v := &f.values[i]
			if !v.Known {
				f.miss(i)
			}
			return v.Str, v.Known
		}
	case abi.TypeStrings:
		x.kind = kStrings
		x.l = func(f *frame) ([]string, bool) {
			v := &f.values[i]
			if !v.Known {
				f.miss(i)
			}
			return v.List, v.Known
		}
	default:
		return c.fail(id, "the plugin declares %s as %q, which rules cannot use", x.name, field.Type)
	}
	return x
}
