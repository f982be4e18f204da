package gateway

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/judge"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// ruling is what rules say about an action, and what judges said.
type ruling struct {
	decide.Verdict
	judgments []receipt.Judgment
}

// judged has judges asked. Where all of them have answered the same before, the verdict is there at once; else it is to come, of which
// the agent is told nothing.
func (s *session) judged(ctx context.Context, q *gate.Question, v *ruling) gate.Verdict {
	j := &judging{session: s, question: ownQuestion(q), ruling: v, opinions: map[string]judge.Opinion{}, questions: map[string]*judge.Question{}}
	subject := judge.SubjectOf(s.peer, s.profile, s.endpoint.cfg.Name.Value, j.question.Action, q.Streaming)
	if p, ok := q.Parent.(*parent); ok {
		subject.About = judge.SubjectOf(s.peer, s.profile, subject.Endpoint, p.in.Action, p.in.Streaming)
	}
	for _, n := range v.Judges {
		name := s.a.effective[n.Index].Judge
		p := s.a.judges[name]
		if p == nil { // no rule passes because something was not loaded
			j.opinions[name] = judge.Opinion{Judge: name, Err: "it is not loaded", Said: "the judge " + name + " gave no answer"}
			continue
		}
		if j.questions[name] != nil {
			continue
		}
		question := p.judge.Question(subject)
		if o, ok := s.bench.KeptAnswer(question); ok {
			j.opinions[name] = o
			continue
		}
		j.questions[name] = question
	}
	if len(j.questions) == 0 || j.denies() {
		return j.conclude(ctx)
	}
	return gate.Verdict{Pending: j}
}

// ownQuestion copies what the gate uses again.
func ownQuestion(q *gate.Question) *gate.Question {
	return &gate.Question{ID: q.ID, Action: ownAction(q.Action), Streaming: q.Streaming, Response: q.Response, Parent: q.Parent}
}

func ownAction(of *abi.Action) *abi.Action {
	a := *of
	a.Values = slices.Clone(a.Values)
	for i := range a.Values {
		a.Values[i].List = slices.Clone(a.Values[i].List)
	}
	return &a
}

// judging is an action that judges are asked about.
type judging struct {
	session   *session
	question  *gate.Question
	ruling    *ruling
	questions map[string]*judge.Question // that are not answered, by judge
	opinions  map[string]judge.Opinion
}

// Wait asks the judges, all at the same time. The first that denies has decided.
func (j *judging) Wait(ctx context.Context, probe func(context.Context) error) gate.Verdict {
	asking, decided := context.WithCancel(ctx)
	defer decided()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for name, q := range j.questions {
		wg.Go(func() {
			o := j.session.bench.Ask(asking, q)
			mu.Lock()
			defer mu.Unlock()
			if o.Outcome == judge.Failed && asking.Err() != nil && ctx.Err() == nil {
				return // another one has decided meanwhile
			}
			if j.opinions[name] = o; o.Outcome == judge.Deny {
				decided()
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return j.withdrawn()
	}
	// Judges can take minutes, and what nobody waits for any more does not go on.
	if j.allows() {
		ctx, cancel := context.WithTimeout(ctx, signOfLife)
		defer cancel()
		if probe(ctx) != nil {
			return j.withdrawn()
		}
	}
	return j.conclude(ctx)
}

// signOfLife is how long an agent may take to answer that it is still there.
const signOfLife = 5 * time.Second

// allows reports whether all have answered, and allow.
func (j *judging) allows() bool {
	for _, o := range j.opinions {
		if o.Outcome != judge.Allow {
			return false
		}
	}
	return true
}

// denies reports whether one of those that answered denies.
func (j *judging) denies() bool {
	for _, o := range j.opinions {
		if o.Outcome == judge.Deny {
			return true
		}
	}
	return false
}

// conclude makes the verdict of what judges said: one that denies decides; then one that gave no answer, unless people are to be asked in
// its place; then people decide, where a judge leaves it to them or a rule holds the action; else it is allowed.
func (j *judging) conclude(ctx context.Context) gate.Verdict {
	v := j.ruling
	var denied, failed *decide.Needed
	var escalated []decide.Needed
	for i := range v.Judges {
		n := &v.Judges[i]
		name := j.session.a.effective[n.Index].Judge
		o, ok := j.opinions[name]
		if !ok { // another one has denied it meanwhile; nothing else may come of a judge that said nothing
			failed = &decide.Needed{Rule: n.Rule, Index: n.Index, Reason: n.Reason + "; the judge " + name + " gave no answer"}
			continue
		}
		v.judgments = append(v.judgments, judgment(n.Rule, &o))
		switch o.Outcome {
		case judge.Allow:
		case judge.Deny:
			if denied == nil {
				denied = &decide.Needed{Rule: n.Rule, Index: n.Index, Reason: fmt.Sprintf("%s; the judge %s denies it: %s", n.Reason, name, o.Reason)}
			}
		case judge.Escalate:
			escalated = append(escalated, decide.Needed{Rule: n.Rule, Index: n.Index, Reason: fmt.Sprintf("the judge %s leaves it to a person: %s", name, o.Reason)})
		default:
			if p := j.session.a.judges[name]; p != nil && p.cfg.OnError == config.ErrorHold && j.question.Response == nil {
				escalated = append(escalated, decide.Needed{Rule: n.Rule, Index: n.Index, Reason: o.Said + ", so a person decides"})
			} else if failed == nil {
				failed = &decide.Needed{Rule: n.Rule, Index: n.Index, Reason: fmt.Sprintf("%s; %s", n.Reason, o.Said)}
			}
		}
	}
	switch {
	case denied != nil:
		return j.denied(denied, receipt.OutcomeJudgedDeny)
	case failed != nil:
		return j.denied(failed, receipt.OutcomeFailClosed)
	case len(escalated) > 0 && j.question.Response != nil:
		escalated[0].Reason += ", and nobody can be asked about what has come back"
		return j.denied(&escalated[0], receipt.OutcomeJudgedDeny)
	case len(escalated) > 0 && v.Outcome != decide.Hold:
		v.Outcome, v.Rule, v.Reason, v.Unknown = decide.Hold, escalated[0].Rule, escalated[0].Reason, nil
	}
	v.Holds = append(v.Holds, escalated...)
	if len(v.Holds) > 0 {
		return j.session.held(ctx, j.question, v)
	}
	return j.allowed()
}

// judgment is an opinion for the record.
func judgment(rule string, o *judge.Opinion) receipt.Judgment {
	return receipt.Judgment{Rule: rule, Judge: o.Judge, Model: o.Model, Outcome: o.Outcome.String(), Reason: o.Reason, Error: o.Err,
		Digest: hex.EncodeToString(o.Digest[:]), Cached: o.Cached, Input: o.Input, Output: o.Output, Cost: o.Cost, Took: o.Took}
}

// denied records a denial by judges, or for want of them.
func (j *judging) denied(by *decide.Needed, outcome receipt.Outcome) gate.Verdict {
	s, v := j.session, j.ruling
	v.Rule, v.Reason, v.Unknown = by.Rule, by.Reason, nil
	r := s.decision(j.question, v)
	r.Outcome = outcome
	id, err := s.append(j.question, r)
	if err != nil {
		return s.unrecorded(err)
	}
	s.layers.decided(j.question.Action.Family.Name, abi.Deny)
	return gate.Verdict{Outcome: abi.Deny, Rule: by.Rule, Reason: by.Reason, Receipt: id}
}

// allowed records what every judge allows.
func (j *judging) allowed() gate.Verdict {
	s := j.session
	r := s.decision(j.question, j.ruling)
	r.Outcome = receipt.OutcomeJudgedAllow
	if j.question.Response != nil {
		r.Reason = "" // it says why it would have been withheld
	}
	id, err := s.append(j.question, r)
	if err != nil {
		return s.unrecorded(err)
	}
	s.layers.decided(j.question.Action.Family.Name, abi.Allow)
	return gate.Verdict{Outcome: abi.Allow, Receipt: id}
}

// withdrawn records that nobody waits any more.
func (j *judging) withdrawn() gate.Verdict {
	s, v := j.session, j.ruling
	for i := range v.Judges {
		if o, ok := j.opinions[s.a.effective[v.Judges[i].Index].Judge]; ok {
			v.judgments = append(v.judgments, judgment(v.Judges[i].Rule, &o))
		}
	}
	r := s.decision(j.question, v)
	r.Outcome, r.Reason = receipt.OutcomeWithdrawn, "the agent left or took it back before it was judged"
	id, err := s.append(j.question, r)
	if err != nil {
		return s.unrecorded(err)
	}
	return gate.Verdict{Outcome: abi.Deny, Rule: v.Rule, Reason: "the agent took it back", Receipt: id}
}
