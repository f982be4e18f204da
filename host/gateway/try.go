package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/trial"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Try says what this configuration makes of an action that is written down. An error says that there can be no such action: it
// has no such endpoint, or the endpoint's plugin speaks of nothing of the kind.
func (a *Assembly) Try(t *trial.Action) (trial.Result, error) { return a.try(t, false) }

// Explain is Try that also says what each rule made of the action.
func (a *Assembly) Explain(t *trial.Action) (trial.Result, error) { return a.try(t, true) }

func (a *Assembly) try(t *trial.Action, explain bool) (trial.Result, error) {
	e := a.endpoints[t.Endpoint]
	if e == nil {
		return trial.Result{}, fmt.Errorf("there is no endpoint %q", t.Endpoint)
	}
	profile, why := a.profileOf(t)
	in, err := t.Input(e.manifest, profile)
	if err != nil {
		return trial.Result{}, err
	}
	if why == "" && profile != "" && !slices.ContainsFunc(e.cfg.Profiles, func(p config.Text) bool { return p.Value == profile }) {
		why = fmt.Sprintf("the endpoint %q does not exist for the profile %q", t.Endpoint, profile)
	}
	if why != "" {
		return trial.Result{Verdict: decide.Verdict{Outcome: decide.Deny, Reason: why}}, nil
	}
	var result trial.Result
	if explain {
		result.Verdict, result.Accounts = a.rules.Explain(in)
	} else {
		result.Verdict = a.rules.Decide(in)
	}
	t.Assume(&result.Verdict, a.holdsOnError)
	result.Inspections = a.inspections(e.cfg, &result.Verdict)
	err = a.tryAnswer(t, in, e.manifest, &result.Verdict)
	return result, err
}

// inspections are the rules that look at the answer of an action and can do something about it.
func (a *Assembly) inspections(e *config.Endpoint, v *decide.Verdict) (list []trial.Inspection) {
	if v.Outcome == decide.Deny || a.cfg.ModeOf(e) == config.Observe {
		return nil
	}
	for _, index := range v.Inspect {
		r := &a.effective[index]
		if r.Observe {
			continue
		}
		contents := strings.Join(append(r.policyInspection(), r.Then.String(), r.Judge), "\x00")
		list = append(list, trial.Inspection{Rule: r.Name, Contents: contents})
	}
	return list
}

// tryAnswer makes of the verdict on an action that is allowed what becomes of the answer that is written beside it.
func (a *Assembly) tryAnswer(t *trial.Action, in decide.Input, m *abi.Manifest, v *decide.Verdict) error {
	if t.Response == nil {
		return nil
	}
	answer, err := t.Answer(m)
	if err != nil || v.Outcome != decide.Allow || v.Inspect == nil {
		return err
	}
	rv := a.rules.Response(in, answer, v.Inspect)
	t.AssumeAnswer(&rv)
	if rv.Outcome == decide.Allow && rv.Would == decide.Allow {
		return nil
	}
	v.Outcome, v.Would, v.Rule, v.Reason, v.Unknown, v.Judges = rv.Outcome, rv.Would, rv.Rule, rv.Reason, rv.Unknown, rv.Judges
	v.Observed = append(v.Observed, rv.Observed...)
	return nil
}

// profileOf is the profile of an action's peer here, and why there can be none. Without a peer it is the one that is written.
func (a *Assembly) profileOf(t *trial.Action) (profile, why string) {
	if t.Peer == "" {
		return t.Profile, ""
	}
	for i := range a.cfg.Peers {
		if p := &a.cfg.Peers[i]; p.Name.Value == t.Peer {
			return p.Profile.Value, ""
		}
	}
	return "", fmt.Sprintf("there is no peer %q", t.Peer)
}

// holdsOnError reports whether people are asked when the judge of a rule gives no answer.
func (a *Assembly) holdsOnError(rule int) bool {
	return slices.ContainsFunc(a.cfg.Judges, func(j config.Judge) bool {
		return j.Name.Value == a.effective[rule].Judge && j.OnError == config.ErrorHold
	})
}
