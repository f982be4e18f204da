package decide

import (
	"slices"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Inspection is what a rule about answers wants.
type Inspection struct {
	// Response is the condition about the answer, CEL; empty: every answer.
	Response string
	// Limit is how many bytes of an answer the rule looks at, 1 to abi.MaxInspect.
	Limit uint32
	// AllowLong lets longer answers pass when their beginning does. Else they are denied.
	AllowLong bool
}

// ResponseVerdict is what rules say about an answer. Its slices are the caller's own.
type ResponseVerdict struct {
	// Outcome is Allow, Redact, Judge or Deny. Redactions are in effect with Redact and with Judge.
	Outcome Outcome
	// Would is Redact, Judge or Deny where the endpoint observes and that would have been the outcome; Outcome is Allow then.
	Would Outcome
	// Rule is the one that decided, empty when none did, and Reason what to tell the agent.
	Rule, Reason string
	// Judges are the rules whose judges must all allow the answer; Redact those whose redactions are made.
	Judges, Redact []Needed
	// Observed are the rules in observe mode that match.
	Observed []Observed
	// Unknown names what was unknown and decided.
	Unknown []string
}

// Word is the verdict in one word.
func (v *ResponseVerdict) Word() string {
	if v.Would == Allow {
		return v.Outcome.String()
	}
	return v.Would.would()
}

// workPerByte is what a byte of an answer's text adds to a rule's budget, so that its length alone is not too much work.
const workPerByte = 64

// strictness orders outcomes.
func (o Outcome) strictness() int {
	switch o {
	case Allow:
		return 0
	case Redact:
		return 1
	}
	return int(o) + 1
}

// Inspects reports whether a rule looks at answers of an endpoint.
func (e *Engine) Inspects(endpoint string) bool {
	ep := e.endpoints[endpoint]
	return ep != nil && ep.inspects
}

// inspected lists the rules that look at the answer, of those of the action's class.
func (f *frame) inspected(v *Verdict, programs []*program) {
	for _, p := range programs {
		if p.eval(f) != no {
			v.Inspect = append(v.Inspect, p.index)
			v.Limit = max(v.Limit, p.rule.Inspect.Limit)
		}
	}
}

// Response decides about the answer to the action of in, for the rules that Decide named in Verdict.Inspect. answer is an action of the
// family response of the endpoint's plugin, with every field that the host fills.
func (e *Engine) Response(in Input, answer *abi.Action, rules []int) ResponseVerdict {
	v := ResponseVerdict{}
	family, complaint := e.family(&in)
	if family == nil || family.inspect == nil || !e.fitsResponse(answer) {
		v.Outcome, v.Reason = Deny, complaint
		if complaint == "" {
			v.Reason = "the answer is not in the vocabulary of the endpoint's plugin"
		}
		return v
	}
	f := e.frames.Get().(*frame)
	f.in, f.values, f.answer = in, in.Action.Values, answer
	certain := false
	for _, p := range family.inspect[in.Action.Class] {
		if !slices.Contains(rules, p.index) {
			continue
		}
		f.reset()
		f.work += workPerByte * len(answer.Values[abi.ResponseText].Str)
		f.missedAnswer = f.missedAnswer[:0]
		match, then, reason := yes, p.rule.Then, p.reason
		switch {
		case f.tooLong(p):
			then, reason = Deny, p.reason+": it is longer than what the rule looks at"
		case p.answer != nil:
			match = p.answer(f)
		}
		if match == no {
			continue
		}
		if p.rule.Observe {
			v.Observed = append(v.Observed, Observed{then, p.rule.Name, reason})
			continue
		}
		n := Needed{p.rule.Name, reason, p.index}
		switch then {
		case Judge:
			v.Judges = append(v.Judges, n)
		case Redact:
			v.Redact = append(v.Redact, n)
		}
		if then.strictness() > v.Outcome.strictness() || then == v.Outcome && match == yes && !certain {
			v.Outcome, v.Rule, v.Reason, v.Unknown, certain = then, p.rule.Name, reason, nil, match == yes
			if match == maybe {
				v.Unknown = f.names(nil)
			}
		}
	}
	f.in, f.values, f.answer, f.strs = Input{}, nil, nil, [MaxNesting]string{}
	e.frames.Put(f)
	if v.Outcome == Deny {
		v.Judges, v.Redact = nil, nil
	}
	if e.endpoints[in.Endpoint].observe && v.Outcome != Allow {
		v.Outcome, v.Would = Allow, v.Outcome
	}
	return v
}

// tooLong reports whether the answer is longer than what the rule looks at, and that makes it a denial.
func (f *frame) tooLong(p *program) bool {
	if p.rule.Inspect.AllowLong {
		return false
	}
	bytes, truncated := &f.answer.Values[abi.ResponseBytes], &f.answer.Values[abi.ResponseTruncated]
	return !truncated.Known || truncated.Bool || !bytes.Known || bytes.Int > int64(p.rule.Inspect.Limit)
}

func (e *Engine) fitsResponse(a *abi.Action) bool {
	return a != nil && a.Family != nil && a.Family.Name == abi.FamilyResponse && len(a.Family.Fields) >= int(abi.ResponseFields) && len(a.Values) == len(a.Family.Fields)
}

// checkInspection looks at what only rules about answers have.
func (l *loader) checkInspection(r *Rule) {
	switch r.Then {
	case Deny, Judge, Redact:
	default:
		l.problem("then", "a rule that inspects answers denies, judges or redacts: %s is for actions", r.Then)
	}
	if r.Inspect.Limit == 0 || r.Inspect.Limit > abi.MaxInspect {
		l.problem("limit", "%d bytes are not 1 to %d", r.Inspect.Limit, abi.MaxInspect)
	}
	if r.Then == Redact && r.Inspect.AllowLong {
		l.problem("then_long", "what is not looked at cannot be redacted")
	}
}

// parseAnswer reads the condition about answers.
func (l *loader) parseAnswer() *condition {
	if l.rule.Inspect == nil {
		return nil
	}
	c := l.parse("response", l.rule.Inspect.Response)
	if c != nil { // what is left are families of actions
		c.families = slices.DeleteFunc(c.families, func(r root) bool { return r.name == abi.FamilyResponse })
	}
	return c
}

// answers compiles the condition about answers for an endpoint, and reports whether its plugin can have one.
func (c *compiler) answers(to *conditions, cond *condition, ep *Endpoint, family *abi.Family) bool {
	response := findFamily(ep.Manifest, abi.FamilyResponse)
	if response == nil {
		c.problem("inspect", "the plugin of endpoint %q cannot look at answers; name the endpoints that the rule is about", ep.Name)
		return false
	}
	if cond == nil {
		return true
	}
	c.family, c.answer, c.uses, c.usage = family, response, to.uses, to.usage
	if x := c.condition(cond); x != nil {
		to.answer = x.b
	}
	to.uses, to.usage, c.answer = c.uses, c.usage, nil
	return true
}

// answerField compiles a field of the answer.
func (c *compiler) answerField(id int64, name string) *expr {
	i := c.fieldOf(c.answer, id, name)
	if i < 0 {
		return nil
	}
	field := &c.answer.Fields[i]
	full := abi.FamilyResponse + "." + name
	c.uses = appendOnce(c.uses, full)
	get := func(f *frame) *abi.Value {
		v := &f.answer.Values[i]
		if !v.Known {
			f.missedAnswer = appendOnce(f.missedAnswer, full)
		}
		return v
	}
	x := &expr{set: field.Values, name: full}
	switch field.Type {
	case abi.TypeBool:
		x.kind = kBool
		x.b = func(f *frame) tri {
			if v := get(f); v.Known {
				return truth(v.Bool)
			}
			return maybe
		}
	case abi.TypeInt:
		x.kind = kInt
		x.i = func(f *frame) (int64, bool) { v := get(f); return v.Int, v.Known }
	case abi.TypeString:
		x.kind = kString
		x.s = func(f *frame) (string, bool) { v := get(f); return v.Str, v.Known }
	default:
		x.kind = kStrings
		x.l = func(f *frame) ([]string, bool) { v := get(f); return v.List, v.Known }
	}
	return x
}
