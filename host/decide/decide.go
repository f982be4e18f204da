// Package decide answers what may happen: it holds the rules of the configuration, compiled, and evaluates them for one
// action at a time.
//
// # Which rule wins
//
// Among all rules that match an action the strictest outcome wins: deny, then hold, then judge, then allow. The order of the
// rules never matters; among equally strict ones the verdict names the first by name, those that certainly match before those
// that perhaps do. When no rule matches, the action is denied. So an added allow can never undo a deny; an exception is written where the rule is, with unless.
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
// action.gravity, peer.name, peer.profile, endpoint.name, usage.actions_per_minute, usage.connections,
// usage.bytes_out_per_minute and FAMILY.FIELD of the plugin. Classes are ordered by gravity:
// action.gravity >= gravity("write").
//
// # Holds
//
// When the outcome is hold, the verdict lists every hold rule that matched, certainly or perhaps: all of them must be approved.
//
// # Judges
//
// When the outcome is judge or hold, the verdict lists every judge rule that matched, certainly or perhaps: all of their judges must
// say yes, before anybody is asked to approve. A judge can only tighten: with a deny none is asked, and a hold stays a hold.
//
// # Answers
//
// A rule with an Inspection is about what comes back: its when and unless say of which actions, and it has no part in whether they are
// allowed. Engine.Response decides about the answer, by all such rules that matched the action: deny before judge before redact, and
// redactions add up. The condition about the answer may use what the action has and response.FIELD.
//
// # Observing
//
// A rule that observes yields no outcome and is listed in Verdict.Observed. An endpoint that observes lets everything pass that
// its plugin could read, and Verdict.Would says what the rules would have made of it.
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

// The outcomes.
const (
	Allow Outcome = iota
	Judge
	Hold
	Deny
	// Redact is for rules that inspect answers alone, where it stands between Allow and Judge: the answer passes, masked.
	Redact
)

func (o Outcome) String() string {
	switch o {
	case Redact:
		return "redact"
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
	for o := Allow; o <= Redact; o++ {
		if o.String() == s {
			return o, true
		}
	}
	return Deny, false
}

// Rule is one rule of the configuration.
type Rule struct {
	// Name is unique among the rules of an endpoint; receipts and errors show it.
	Name string
	// Endpoints are the names of those it applies to; empty means all.
	Endpoints []string
	// When is the condition, CEL; `true` matches every action. Unless is the exception; empty means none.
	When, Unless string
	// Except are further exceptions by family, each about actions of that family alone. One of a family that an endpoint's plugin
	// does not have is nothing there.
	Except map[string]string
	// Then is the outcome.
	Then Outcome
	// Reason is what the agent reads.
	Reason string
	// Observe makes the rule yield no outcome, only Verdict.Observed.
	Observe bool
	// Inspect makes it a rule about the answers to the actions that match. Then is Deny, Judge or Redact.
	Inspect *Inspection
}

// Endpoint is what the rules are checked against.
type Endpoint struct {
	Name string
	// Manifest is its plugin's. Nil means a relay that inspects nothing: it has the family connect, without fields.
	Manifest *abi.Manifest
	// Observe makes every decision an allow that says what it would have been. An action that does not fit the manifest is denied
	// all the same.
	Observe bool
}

// Usage is what a peer has done at an endpoint before the action, the action itself not counted.
type Usage struct {
	// ActionsPerMinute and BytesOutPerMinute count the last 60 seconds, bytes those that went to the agent. Connections are those
	// that are open, with the one that the action is on.
	ActionsPerMinute, Connections, BytesOutPerMinute int64
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
	// Usage is read by rules only where UsesUsage says so. NoUsage says that it is not known.
	Usage   Usage
	NoUsage bool
	// NoTitle says that the action's title is not known.
	NoTitle bool
}

// Verdict is the answer. Its slices are the caller's own.
type Verdict struct {
	// Outcome is Allow, Judge, Hold or Deny.
	Outcome Outcome
	// Would is Judge, Hold or Deny where the endpoint observes and that would have been the outcome; Outcome is Allow then, and Rule,
	// Reason, Unknown, Holds and Judges are what they would have been. Else it is Allow.
	Would Outcome
	// Rule is the one that decided, empty when none did, and Reason what to tell the agent; never empty for Deny, Hold and Judge.
	Rule, Reason string
	// Holds are the hold rules that matched, certainly or perhaps, by name: all of them must be approved. Only for Hold.
	Holds []Needed
	// Judges are the judge rules that matched, certainly or perhaps, by name: their judges must all allow it. Only for Judge and Hold.
	Judges []Needed
	// Observed are the rules in observe mode that match, strictest first and then by name, whatever the outcome.
	Observed []Observed
	// Inspect are the rules, by their place in what New was given, that look at the answer, and Limit how many bytes of it are wanted. Only
	// for actions that are not denied. Response is asked with them.
	Inspect []int
	Limit   uint32
	// Unknown names what was unknown and decided: of the rule, when it denies, holds or judges and did not certainly match, or, when no
	// rule allowed the action, of the allows that would perhaps have matched. Fields by name, failures in parentheses.
	Unknown []string
}

// Word is the verdict in one word: allow, judge, hold, deny, and would_judge, would_hold or would_deny where the endpoint observes.
func (v *Verdict) Word() string {
	if v.Would == Allow {
		return v.Outcome.String()
	}
	return v.Would.would()
}

// Needed is a rule that holds an action, or has it judged.
type Needed struct {
	Rule, Reason string
	// Index is the rule's place in what New was given.
	Index int
}

// Observed is what a rule in observe mode would have done: Judge, Hold or Deny.
type Observed struct {
	Outcome      Outcome
	Rule, Reason string
}

// Word is would_judge, would_hold or would_deny.
func (o *Observed) Word() string { return o.Outcome.would() }

func (o Outcome) would() string {
	switch o {
	case Judge:
		return "would_judge"
	case Hold:
		return "would_hold"
	case Redact:
		return "would_redact"
	}
	return "would_deny"
}

// reasonNoRule is the reason of the default.
const reasonNoRule = "no rule allows this"

// Engine decides. It never changes after New and is safe for concurrent use.
type Engine struct {
	endpoints map[string]*endpointRules
	rules     int // how many New was given
	frames    sync.Pool
}

type endpointRules struct {
	relay    bool // any action of the one family is fine: there is no manifest to keep to
	observe  bool
	usage    bool // a rule asks for the usage
	inspects bool // a rule looks at answers
	families []familyRules
}

// familyRules are the rules that can match an action of one family of one endpoint, by class, strictest first and then by
// name: the first that certainly matches decides, or else the first that perhaps does; of those that hold or judge, all are needed.
type familyRules struct {
	family  *abi.Family
	decide  [][]*program
	observe [][]*program
	inspect [][]*program // those about answers; nil where there are none
}

// program is one rule, compiled for one family of one plugin.
type program struct {
	rule   *Rule
	index  int
	reason string
	when   boolFn
	unless boolFn   // may be nil
	answer boolFn   // of a rule about answers: its condition about them; nil: always
	uses   []string // the names in both, for Explain
}

// UsesUsage reports whether a rule about an endpoint asks for the usage, so that it need not be counted where none does.
func (e *Engine) UsesUsage(endpoint string) bool {
	ep := e.endpoints[endpoint]
	return ep != nil && ep.usage
}

// Decide evaluates the rules. It waits for nothing and has no side effect.
func (e *Engine) Decide(in Input) Verdict {
	family, complaint := e.family(&in)
	if family == nil {
		return Verdict{Outcome: Deny, Reason: complaint}
	}
	f := e.frames.Get().(*frame)
	f.in, f.values = in, in.Action.Values
	v := f.decide(family.decide[in.Action.Class])
	for _, p := range family.observe[in.Action.Class] {
		if p.eval(f) != no {
			v.Observed = append(v.Observed, Observed{p.rule.Then, p.rule.Name, p.reason})
		}
	}
	if family.inspect != nil && v.Outcome != Deny {
		f.inspected(&v, family.inspect[in.Action.Class])
	}
	f.in, f.values, f.strs = Input{}, nil, [MaxNesting]string{}
	e.frames.Put(f)
	if e.endpoints[in.Endpoint].observe && v.Outcome != Allow {
		v.Outcome, v.Would = Allow, v.Outcome
	}
	return v
}

// decide finds the outcome among the programs of one class. Among equally strict ones a certain match is named before one that
// only perhaps matches, so that the reason fits.
func (f *frame) decide(programs []*program) Verdict {
	v := Verdict{Outcome: Deny, Reason: reasonNoRule}
	decided, certain := false, false
	for _, p := range programs {
		if decided && p.rule.Then != v.Outcome && !(v.Outcome == Hold && p.rule.Then == Judge) {
			break
		}
		m := p.eval(f)
		if m == maybe && p.rule.Then == Allow {
			v.Unknown = f.names(v.Unknown)
		}
		if m == no || m == maybe && p.rule.Then == Allow {
			continue
		}
		if !decided || m == yes && !certain && p.rule.Then == v.Outcome {
			decided, certain = true, m == yes
			v.Outcome, v.Rule, v.Reason, v.Unknown = p.rule.Then, p.rule.Name, p.reason, nil
			if !certain {
				v.Unknown = f.names(nil)
			}
		}
		switch {
		case p.rule.Then == Hold:
			v.Holds = append(v.Holds, Needed{p.rule.Name, p.reason, p.index})
		case p.rule.Then == Judge:
			v.Judges = append(v.Judges, Needed{p.rule.Name, p.reason, p.index})
		case certain:
			return v
		}
	}
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
