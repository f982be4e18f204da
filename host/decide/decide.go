// Package decide answers what may happen: it holds the rules of the configuration, compiled, and evaluates them for one
// action at a time.
//
// # Which rule wins
//
// Among all rules that match an action the strictest outcome wins: deny, then hold, then judge, then allow. The order of the
// rules never matters; among equally strict ones the verdict names the first by name. When no rule matches, the action is
// denied. So an added allow can never undo a deny; an exception is written where the rule is, with unless.
//
// # When a rule matches
//
// A rule matches when its condition (when) holds and its exception (unless) does not. A rule that uses a field of a family
// (sql.bounded) applies only to actions of that family, and may use one family only. A family that only unless uses narrows an
// allow to that family, and leaves a stricter rule as wide as its when: an exception for one family excuses no other.
//
// A value can be unknown: the plugin could not tell, or cut it at a limit. Conditions are evaluated in three values, so
// `sql.bounded || action.class == "read"` is true for a read whatever sql.bounded is. A condition whose result is unknown
// counts against the agent: the rule matches if it denies, holds or judges, and does not match if it allows; an unknown
// exception excuses nothing. What fails while it runs (an index out of range, an overflow, more work than the budget of one
// rule) is unknown too.
//
// # The language
//
// Conditions are CEL, a closed part of it: the literals bool, int, string and lists of them; && || ! ?: == != < <= > >= in,
// + - * / % on ints, + on strings, list[index]; size, startsWith, endsWith, contains, matches (RE2, a literal pattern);
// exists and all over lists, nested at most twice. Names are action.class, action.family, action.title, action.streaming,
// action.gravity, peer.name, peer.profile, endpoint.name and FAMILY.FIELD of the plugin. Classes are ordered by
// gravity: action.gravity >= gravity("write").
//
// Everything is checked when the rules are loaded, against the plugin of every endpoint that a rule applies to: names, types,
// and literals that are not among the declared values of what they are compared with.
package decide

import (
	"sync"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits of what a configuration may say. New reports what goes past them.
const (
	// MaxText bounds one condition, in bytes.
	MaxText = 4 << 10
	// MaxPattern bounds the pattern of one matches, in bytes.
	MaxPattern = 512
	// MaxStates bounds the states of the automaton that such a pattern becomes.
	MaxStates = 1000
	// MaxReason bounds the reason of one rule, in bytes.
	MaxReason = 1 << 10
	// MaxName bounds the name of one rule, in bytes.
	MaxName = 128
	// MaxRules bounds the rules of one configuration.
	MaxRules = 10_000
	// MaxNesting bounds exists and all inside each other.
	MaxNesting = 2
)

// maxWork bounds the work of one rule on one action: steps over lists and bytes of text that were searched. Past it the
// rule's result is unknown. A plain condition needs a handful; the limit is for nested loops over an agent's lists.
const maxWork = 1 << 18

// Outcome is what a rule yields. A greater outcome is stricter.
type Outcome uint8

// The outcomes. Hold and Judge have their place in the order, but New refuses rules that yield them.
const (
	Allow Outcome = iota
	Judge
	Hold
	Deny
)

func (o Outcome) String() string {
	switch o {
	case Allow:
		return "allow"
	case Judge:
		return "judge"
	case Hold:
		return "hold"
	}
	return "deny"
}

// ParseOutcome reads the word that a configuration uses.
func ParseOutcome(s string) (Outcome, bool) {
	for o := Allow; o <= Deny; o++ {
		if o.String() == s {
			return o, true
		}
	}
	return Deny, false
}

// Rule is one rule of the configuration.
type Rule struct {
	// Name is unique; receipts and errors show it.
	Name string
	// Endpoints are the names of those it applies to; empty means all.
	Endpoints []string
	// When is the condition, CEL; `true` matches every action. Unless is the exception; empty means none.
	When, Unless string
	// Then is the outcome.
	Then Outcome
	// Reason is what the agent reads.
	Reason string
	// Observe makes the rule yield no outcome, only Verdict.Observed.
	Observe bool
}

// Endpoint is what the rules are checked against.
type Endpoint struct {
	Name string
	// Manifest is its plugin's. Nil means a relay that inspects nothing: it has the family connect, without fields.
	Manifest *abi.Manifest
}

// Input is what a decision is about.
type Input struct {
	Endpoint string
	Peer     string
	Profile  string
	// Action was read with the manifest that the endpoint was given to New with.
	Action *abi.Action
	// Streaming says that the action covers a stream whose end is not known.
	Streaming bool
}

// Verdict is the answer. Its slices are the caller's own.
type Verdict struct {
	// Outcome is Allow or Deny.
	Outcome Outcome
	// Rule is the one that decided, empty when none did, and Reason what to tell the agent; never empty for Deny.
	Rule, Reason string
	// Observed are the rules in observe mode that match, strictest first and then by name, whatever the outcome.
	Observed []Observed
	// Unknown names what was unknown and decided: of a deny that did not certainly match, or, when no rule allowed the
	// action, of the allows that would perhaps have matched. Fields by name, failures in parentheses.
	Unknown []string
}

// Observed is what a rule in observe mode would have done.
type Observed struct {
	Outcome      Outcome
	Rule, Reason string
}

// reasonNoRule is the reason of the default.
const reasonNoRule = "no rule allows this"

// Engine decides. It never changes after New and is safe for concurrent use.
type Engine struct {
	endpoints map[string]*endpointRules
	frames    sync.Pool
}

type endpointRules struct {
	relay    bool // any action of the one family is fine: there is no manifest to keep to
	families []familyRules
}

// familyRules are the rules that can match an action of one family of one endpoint, by class, strictest first and then by
// name: the first that matches decides.
type familyRules struct {
	family  *abi.Family
	decide  [][]*program
	observe [][]*program
}

// program is one rule, compiled for one family of one plugin.
type program struct {
	rule   *Rule
	reason string
	when   boolFn
	unless boolFn // may be nil
}

// Decide evaluates the rules. It waits for nothing and has no side effect.
func (e *Engine) Decide(in Input) Verdict {
	family, complaint := e.family(&in)
	if family == nil {
		return Verdict{Outcome: Deny, Reason: complaint}
	}
	f := e.frames.Get().(*frame)
	f.in, f.values = in, in.Action.Values
	v := Verdict{Outcome: Deny, Reason: reasonNoRule}
	for _, p := range family.decide[in.Action.Class] {
		m := p.eval(f)
		if m == maybe {
			v.Unknown = f.names(v.Unknown)
		}
		if m == no || m == maybe && p.rule.Then == Allow {
			continue
		}
		if m == yes {
			v.Unknown = nil
		}
		v.Outcome, v.Rule, v.Reason = p.rule.Then, p.rule.Name, p.reason
		break
	}
	for _, p := range family.observe[in.Action.Class] {
		if p.eval(f) != no {
			v.Observed = append(v.Observed, Observed{p.rule.Then, p.rule.Name, p.reason})
		}
	}
	f.in, f.values, f.strs = Input{}, nil, [MaxNesting]string{}
	e.frames.Put(f)
	return v
}

// eval is when && !unless in three values.
func (p *program) eval(f *frame) tri {
	f.reset()
	m := p.when(f)
	if m == no || p.unless == nil {
		return m
	}
	switch p.unless(f) {
	case yes:
		return no
	case maybe:
		return maybe
	}
	return m
}

// family finds the rules for an action, or says why there are none. An action that does not fit the endpoint's manifest
// would be read by the wrong words, so it is denied.
func (e *Engine) family(in *Input) (*familyRules, string) {
	ep := e.endpoints[in.Endpoint]
	switch {
	case ep == nil:
		return nil, "no such endpoint"
	case in.Action == nil || in.Action.Family == nil || !in.Action.Class.Valid():
		return nil, "the action is malformed"
	}
	for i := range ep.families {
		f := &ep.families[i]
		if f.family == in.Action.Family && len(in.Action.Values) == len(f.family.Fields) {
			return f, ""
		}
		if f.family.Name == in.Action.Family.Name && (ep.relay || sameWords(f.family, in.Action)) {
			return f, ""
		}
	}
	return nil, "the action is not in the vocabulary of the endpoint's plugin"
}

func sameWords(f *abi.Family, a *abi.Action) bool {
	if len(f.Fields) != len(a.Family.Fields) || len(a.Values) != len(f.Fields) {
		return false
	}
	for i := range f.Fields {
		if f.Fields[i].Name != a.Family.Fields[i].Name || f.Fields[i].Type != a.Family.Fields[i].Type {
			return false
		}
	}
	return true
}
