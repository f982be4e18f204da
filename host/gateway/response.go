package gateway

import (
	"context"
	"fmt"
	"strconv"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/host/redact"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// parent is an action whose answer rules look at.
type parent struct {
	in      decide.Input // its action is a copy
	rules   []int
	receipt string // of its decision

	masked int      // values
	by     []string // what masked them
}

// inspecting has the answer of an action be looked at by rules, once it is allowed.
func (s *session) inspecting(in *decide.Input, q *gate.Question, rules []int, limit uint32, verdict gate.Verdict) gate.Verdict {
	p := &parent{in: *in, rules: rules}
	p.in.Action = ownAction(q.Action)
	return p.carriedBy(verdict, limit)
}

// carriedBy gives the parent to a verdict that allows its action, also to one that is to come.
func (p *parent) carriedBy(v gate.Verdict, limit uint32) gate.Verdict {
	switch {
	case v.Pending != nil:
		v.Pending = &inspected{v.Pending, p, limit}
	case v.Outcome == abi.Allow:
		p.receipt = v.Receipt
		v.Inspect, v.Parent = limit, p
	}
	return v
}

// inspected is a verdict to come on an action whose answer is to be looked at.
type inspected struct {
	gate.Pending
	parent *parent
	limit  uint32
}

// Wait waits for the verdict.
func (i *inspected) Wait(ctx context.Context, probe func(context.Context) error) gate.Verdict {
	return i.parent.carriedBy(i.Pending.Wait(ctx, probe), i.limit)
}

// decideAnswer decides by the rules about an answer. What cannot be recorded does not pass.
func (s *session) decideAnswer(ctx context.Context, q *gate.Question) gate.Verdict {
	p, ok := q.Parent.(*parent)
	if !ok {
		return s.unrecorded(fmt.Errorf("an answer to action %d, of which nothing is known", q.Response.Parent))
	}
	rv := s.a.rules.Response(p.in, q.Action, p.rules)
	if rv.Outcome == decide.Redact || rv.Outcome == decide.Judge {
		s.mask(q, p, &rv)
	}
	v := ruling{Verdict: decide.Verdict{Outcome: rv.Outcome, Would: rv.Would, Rule: rv.Rule, Reason: rv.Reason, Judges: rv.Judges, Observed: rv.Observed, Unknown: rv.Unknown}}
	switch rv.Outcome {
	case decide.Judge:
		return s.judged(ctx, q, &v)
	case decide.Redact:
		v.Outcome, v.Reason = decide.Allow, ""
	}
	id, err := s.append(q, s.decision(q, &v))
	if err != nil {
		return s.unrecorded(err)
	}
	verdict := gate.Verdict{Outcome: abi.Deny, Rule: v.Rule, Reason: reason(&v.Verdict), Receipt: id}
	if v.Outcome == decide.Allow {
		verdict.Outcome = abi.Allow
	}
	return verdict
}

// mask makes the redactions, in what is kept and in the text that judges see. What cannot be masked makes it a denial.
func (s *session) mask(q *gate.Question, p *parent, v *decide.ResponseVerdict) {
	if len(v.Redact) == 0 {
		return
	}
	columns := &q.Action.Values[abi.ResponseColumns]
	for _, n := range v.Redact {
		r := s.a.effective[n.Index].redactor.Mask(q.Response, columns.List, columns.Known)
		p.masked += r.Values
		for _, by := range r.By {
			p.by = append(p.by, n.Rule+": "+by)
		}
		if r.Stuck > 0 {
			v.Outcome, v.Rule, v.Unknown = decide.Deny, n.Rule, nil
			v.Reason = "the rule " + n.Rule + " masks values of the result, of which " + strconv.Itoa(r.Stuck) + " cannot be masked"
			return
		}
	}
	q.Response.Fill(q.Action)
}

// aboutAnswer completes the record of a decision about an answer: what it says of the action, and nothing of what came back but its shape.
func aboutAnswer(r *receipt.Record, q *gate.Question) {
	r.Action = ownAction(q.Action)
	for i, f := range r.Action.Family.Fields { // the text, and whatever else a plugin says is made of what came back
		if f.Role == abi.RoleText || f.Role == abi.RoleValues {
			r.Action.Values[i] = abi.Value{}
		}
	}
	if p, ok := q.Parent.(*parent); ok {
		r.Parent, r.Masked, r.MaskedBy = p.receipt, p.masked, p.by
	}
	r.Detail = "the action ran; this is about what came back"
	if q.Response.Truncated && len(q.Response.Kept) == 0 {
		r.Detail = "this is about what comes back, of which nothing had come yet" // nor has an action begun, maybe, whose answer cannot be held
	}
}

// inspection is what a rule of the configuration says about answers.
func (r *EffectiveRule) inspection(c *config.Inspection) {
	if !c.On {
		return
	}
	r.Inspect = &decide.Inspection{Response: c.Response.Value, Limit: uint32(c.Limit), AllowLong: c.LongPasses}
	r.Redact, r.RedactColumns = textValues(c.Redact), textValues(c.RedactColumns)
	if r.Then == decide.Redact {
		r.redactor, _ = redact.New(r.Redact, r.RedactColumns) // the configuration was checked
	}
}

// policyInspection is what of a rule's inspection decides.
func (r *EffectiveRule) policyInspection() []string {
	i := r.Inspect
	return []string{"response", i.Response, strconv.Itoa(int(i.Limit)), strconv.FormatBool(i.AllowLong), fmt.Sprintf("%q", r.Redact), fmt.Sprintf("%q", r.RedactColumns)}
}

// inspectionPlace is where the configuration says what a problem is about.
func (r *EffectiveRule) inspectionPlace(p decide.Problem) (config.Pos, bool) {
	if r.own == nil || r.Inspect == nil {
		return config.Pos{}, false
	}
	if p.Field == "response" && p.Line > 0 {
		return r.own.Inspect.Response.AtLocation(p.Line, p.Column-1), true
	}
	at := r.own.Inspect.Place(p.Field)
	return at, !at.IsZero()
}
