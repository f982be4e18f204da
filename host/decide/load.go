package decide

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/parser"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// relayManifest is what an endpoint without a plugin can say.
var relayManifest = abi.Manifest{Name: "none", Families: []abi.Family{{Name: abi.FamilyConnect}}}

// Known closes the sets of names that conditions may compare peer.name and peer.profile with. A nil slice closes nothing.
type Known struct {
	Peers, Profiles []string
}

// New compiles the rules for the endpoints. The error is a Problems that lists everything that is wrong with any rule. The
// names of peers and profiles are checked when they are given.
func New(rules []Rule, endpoints []Endpoint, known ...Known) (*Engine, error) {
	l := &loader{rules: slices.Clone(rules), endpoints: slices.Clone(endpoints)}
	if len(known) > 0 {
		l.known = known[0]
	}
	e, err := l.engine()
	if err != nil {
		return nil, err
	}
	if len(rules) > MaxRules {
		return nil, Problems{{Field: "name", Index: MaxRules, Rule: rules[MaxRules].Name,
			Message: fmt.Sprintf("more than %d rules", MaxRules)}}
	}
	l.parser, err = parser.NewParser(parser.EnableVariadicOperatorASTs(true), parser.EnableIdentEscapeSyntax(false),
		parser.MaxRecursionDepth(64), parser.ErrorReportingLimit(1), parser.ExpressionSizeCodePointLimit(MaxText))
	if err != nil {
		return nil, fmt.Errorf("CEL parser: %w", err)
	}
	names := map[string][]*Rule{}
	for i := range l.rules {
		l.index, l.rule = i, &l.rules[i]
		l.rule.Endpoints = slices.Clone(l.rule.Endpoints)
		l.checkRule(names)
		l.compileRule(e)
	}
	if len(l.problems) > 0 {
		return nil, l.problems.sorted()
	}
	e.sort()
	return e, nil
}

// loader is the state of New.
type loader struct {
	rules     []Rule
	endpoints []Endpoint
	known     Known
	parser    *parser.Parser
	problems  Problems
	// The rule in hand.
	index int
	rule  *Rule
}

func (l *loader) problem(field, format string, args ...any) {
	l.problems = append(l.problems, Problem{Rule: l.rule.Name, Index: l.index, Field: field, Message: fmt.Sprintf(format, args...)})
}

// engine makes the endpoints, without rules. What is wrong with them is the caller's mistake, not the configuration's.
func (l *loader) engine() (*Engine, error) {
	e := &Engine{endpoints: make(map[string]*endpointRules, len(l.endpoints)), rules: len(l.rules)}
	e.frames.New = func() any { return new(frame) }
	for i := range l.endpoints {
		ep := &l.endpoints[i]
		r := &endpointRules{observe: ep.Observe}
		if ep.Manifest == nil {
			ep.Manifest, r.relay = &relayManifest, true
		}
		if e.endpoints[ep.Name] != nil {
			return nil, fmt.Errorf("rules: the endpoint %q is given twice", ep.Name)
		}
		classes := len(abi.ClassNames())
		for j := range ep.Manifest.Families {
			if ep.Manifest.Families[j].Name == abi.FamilyResponse {
				continue // no action is of it
			}
			r.families = append(r.families, familyRules{family: &ep.Manifest.Families[j],
				decide: make([][]*program, classes), observe: make([][]*program, classes)})
		}
		e.endpoints[ep.Name] = r
	}
	return e, nil
}

// checkRule looks at everything but the conditions.
func (l *loader) checkRule(names map[string][]*Rule) {
	r := l.rule
	switch {
	case r.Name == "":
		l.problem("name", "a rule needs a name: receipts and errors show it")
	case len(r.Name) > MaxName:
		l.problem("name", "%d bytes, the limit is %d", len(r.Name), MaxName)
	case slices.ContainsFunc(names[r.Name], r.meets):
		l.problem("name", "another rule has this name")
	}
	names[r.Name] = append(names[r.Name], r)
	for _, name := range r.Endpoints {
		if !slices.ContainsFunc(l.endpoints, func(e Endpoint) bool { return e.Name == name }) {
			l.problem("endpoints", "there is no endpoint %q%s", name, meant(name, l.endpointNames()))
		}
	}
	switch {
	case r.Inspect != nil:
		l.checkInspection(r)
	case r.Then <= Deny:
	case r.Then == Redact:
		l.problem("then", "only a rule that inspects answers can redact")
	default:
		l.problem("then", "outcome %d is not one of allow, judge, hold, deny", r.Then)
	}
	if len(r.Reason) > MaxReason {
		l.problem("reason", "%d bytes, the limit is %d", len(r.Reason), MaxReason)
	}
	if r.When == "" {
		l.problem("when", "a rule needs a condition; write when = 'true' to match every action")
	}
}

// meets reports whether both rules are about one endpoint.
func (r *Rule) meets(other *Rule) bool {
	return len(r.Endpoints) == 0 || len(other.Endpoints) == 0 ||
		slices.ContainsFunc(r.Endpoints, func(e string) bool { return slices.Contains(other.Endpoints, e) })
}

func (l *loader) endpointNames() []string {
	names := make([]string, len(l.endpoints))
	for i := range l.endpoints {
		names[i] = l.endpoints[i].Name
	}
	return names
}

// applies returns the endpoints of the rule.
func (l *loader) applies() []*Endpoint {
	var to []*Endpoint
	for i := range l.endpoints {
		if len(l.rule.Endpoints) == 0 || slices.Contains(l.rule.Endpoints, l.endpoints[i].Name) {
			to = append(to, &l.endpoints[i])
		}
	}
	return to
}

// condition is a parsed text.
type condition struct {
	field string
	tree  *ast.AST
	// families are the roots of names that are not the engine's own, with where each was first seen.
	families []root
}

type root struct {
	name string
	id   int64
}

// parse reads one text; nil means that it is empty or broken, and that it is reported.
func (l *loader) parse(field, text string) *condition {
	if text == "" {
		return nil
	}
	if len(text) > MaxText {
		l.problem(field, "%d bytes, the limit is %d", len(text), MaxText)
		return nil
	}
	tree, errs := l.parser.Parse(common.NewTextSource(text))
	if list := errs.GetErrors(); len(list) > 0 {
		for _, e := range list {
			l.problems = append(l.problems, Problem{l.rule.Name, l.index, field, max(1, e.Location.Line()),
				max(0, e.Location.Column()) + 1, readable(e.Message)})
		}
		return nil
	}
	c := &condition{field: field, tree: tree}
	c.collect(tree.Expr(), nil)
	return c
}

// readable shortens the parser's messages, which list every token of the grammar.
func readable(m string) string {
	m = strings.TrimPrefix(m, "Syntax error: ")
	m, _, _ = strings.Cut(m, " expecting {")
	m = strings.ReplaceAll(m, "'<EOF>'", "the end")
	return "not a CEL expression: " + m
}

// collect finds the roots of names: the X of X.Y where X is no variable of a loop.
func (c *condition) collect(e ast.Expr, vars []string) {
	switch e.Kind() {
	case ast.SelectKind:
		o := e.AsSelect().Operand()
		if o.Kind() != ast.IdentKind {
			c.collect(o, vars)
			return
		}
		name := o.AsIdent()
		known := slices.ContainsFunc(c.families, func(r root) bool { return r.name == name })
		if !known && !slices.Contains(vars, name) && !slices.Contains(ownRoots, name) {
			c.families = append(c.families, root{name, o.ID()})
		}
	case ast.ListKind:
		for _, x := range e.AsList().Elements() {
			c.collect(x, vars)
		}
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			c.collect(call.Target(), vars)
		}
		args := call.Args()
		if isLoop(call) && args[0].Kind() == ast.IdentKind {
			vars, args = append(slices.Clone(vars), args[0].AsIdent()), args[1:]
		}
		for _, x := range args {
			c.collect(x, vars)
		}
	}
}

// at makes a problem of a place in the condition.
func (l *loader) at(c *condition, id int64, format string, args ...any) {
	where := c.tree.SourceInfo().GetStartLocation(id)
	l.problems = append(l.problems, Problem{l.rule.Name, l.index, c.field, max(1, where.Line()), max(0, where.Column()) + 1,
		fmt.Sprintf(format, args...)})
}
