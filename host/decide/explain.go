package decide

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Reach is where a rule can match: at an endpoint, actions of these families.
type Reach struct {
	Endpoint string
	Families []string
}

// Reach says where the rule at an index can match, by endpoint. A rule that no class of action can make true is nowhere.
func (e *Engine) Reach(index int) []Reach {
	var all []Reach
	for name, ep := range e.endpoints {
		var families []string
		for i := range ep.families {
			f := &ep.families[i]
			has := func(lists [][]*program) bool {
				return slices.ContainsFunc(lists, func(l []*program) bool {
					return slices.ContainsFunc(l, func(p *program) bool { return p.index == index })
				})
			}
			if has(f.decide) || has(f.observe) || has(f.inspect) {
				families = append(families, f.family.Name)
			}
		}
		if families != nil {
			all = append(all, Reach{name, families})
		}
	}
	slices.SortFunc(all, func(a, b Reach) int { return strings.Compare(a.Endpoint, b.Endpoint) })
	return all
}

// Match says what a condition made of an action.
type Match string

// What a rule makes of an action. Perhaps: it depends on what is not known, and counts against the agent.
const (
	Matches     Match = "matches"
	Perhaps     Match = "perhaps"
	MatchesNot  Match = "no"
	OtherClass  Match = "other class"  // no action of this class can match
	OtherFamily Match = "other family" // the rule is about another family
	Elsewhere   Match = "elsewhere"    // the rule is about other endpoints
)

// Account is what one rule made of an action.
type Account struct {
	// Index is the rule's place in what New was given.
	Index int
	Match Match
	// Excused says that the condition held and an exception took it back.
	Excused bool
	// Counts says that the rule is a match for its outcome, as Perhaps is for all but allow.
	Counts bool
	// Values are the names that the rule reads and what they were; the value of one that is not known is "unknown".
	Values []NamedValue
	// Unknown names what was not known and mattered.
	Unknown []string
}

// NamedValue is a name of a condition with its value, as the language writes it.
type NamedValue struct{ Name, Value string }

// Explain decides as Decide does, and says of every rule, in the order of New, what it made of the action.
func (e *Engine) Explain(in Input) (Verdict, []Account) {
	v := e.Decide(in)
	family, _ := e.family(&in)
	if family == nil {
		return v, nil
	}
	f := new(frame)
	f.in, f.values = in, in.Action.Values
	accounts := make([]Account, e.rules)
	for i := range accounts {
		accounts[i] = Account{Index: i, Match: e.absence(&in, i)}
	}
	for _, lists := range [][][]*program{family.decide, family.observe, family.inspect} {
		if lists == nil {
			continue
		}
		for _, p := range lists[in.Action.Class] {
			accounts[p.index] = p.account(f)
		}
	}
	return v, accounts
}

// absence says why a rule is not among those that an action is held against.
func (e *Engine) absence(in *Input, index int) Match {
	m := Elsewhere
	for _, r := range e.Reach(index) {
		switch {
		case r.Endpoint != in.Endpoint:
		case slices.Contains(r.Families, in.Action.Family.Name):
			return OtherClass
		default:
			m = OtherFamily
		}
	}
	return m
}

func (p *program) account(f *frame) Account {
	a := Account{Index: p.index}
	switch p.eval(f) {
	case yes:
		a.Match, a.Counts = Matches, true
	case maybe:
		a.Match, a.Counts = Perhaps, p.rule.Then != Allow
		a.Unknown = f.names(nil)
	default:
		a.Match = MatchesNot
		f.reset()
		a.Excused = p.unless != nil && p.when(f) != no
	}
	for _, name := range p.uses {
		if value, ok := f.show(name); ok {
			a.Values = append(a.Values, NamedValue{name, value})
		}
	}
	return a
}

// show writes the value of a name as a condition would; false when the action's family does not have it.
func (f *frame) show(name string) (string, bool) {
	root, field, _ := strings.Cut(name, ".")
	a := f.in.Action
	if root == "usage" && f.in.NoUsage || name == "action.title" && f.in.NoTitle {
		return "unknown", true
	}
	switch name {
	case "action.class":
		return strconv.Quote(a.Class.String()), true
	case "action.gravity":
		return fmt.Sprintf("gravity(%q)", a.Class), true
	case "action.family":
		return strconv.Quote(a.Family.Name), true
	case "action.title":
		return strconv.Quote(a.Title), true
	case "action.streaming":
		return strconv.FormatBool(f.in.Streaming), true
	case "peer.name":
		return strconv.Quote(f.in.Peer), true
	case "peer.profile":
		return strconv.Quote(f.in.Profile), true
	case "endpoint.name":
		return strconv.Quote(f.in.Endpoint), true
	case "usage.actions_per_minute":
		return strconv.FormatInt(f.in.Usage.ActionsPerMinute, 10), true
	case "usage.connections":
		return strconv.FormatInt(f.in.Usage.Connections, 10), true
	case "usage.bytes_out_per_minute":
		return strconv.FormatInt(f.in.Usage.BytesOutPerMinute, 10), true
	}
	if root != a.Family.Name {
		return "", false
	}
	for i := range a.Family.Fields {
		if a.Family.Fields[i].Name == field && i < len(a.Values) {
			return showValue(a.Family.Fields[i].Type, &a.Values[i]), true
		}
	}
	return "", false
}

func showValue(t abi.Type, v *abi.Value) string {
	switch {
	case !v.Known:
		return "unknown"
	case t == abi.TypeBool:
		return strconv.FormatBool(v.Bool)
	case t == abi.TypeInt:
		return strconv.FormatInt(v.Int, 10)
	case t == abi.TypeStrings:
		quoted := make([]string, len(v.List))
		for i, s := range v.List {
			quoted[i] = strconv.Quote(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return strconv.Quote(v.Str)
}
