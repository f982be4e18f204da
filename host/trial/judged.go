package trial

import "github.com/sallyport-dev/sallyport/host/decide"

// answers are what judges can be assumed to answer.
var answers = []string{"allow", "deny", "escalate", "failed"}

// Assume makes of a verdict what it becomes when every judge answers as the case assumes. onError says whether people are asked when the
// judge of a rule, by its index, gives no answer. Without an assumption, and where no judge is asked, it is as it was.
func (a *Action) Assume(v *decide.Verdict, onError func(index int) bool) {
	if a.Judges == "" || len(v.Judges) == 0 || v.Outcome != decide.Judge && v.Outcome != decide.Hold {
		return
	}
	first := v.Judges[0]
	held := v.Outcome == decide.Hold
	for _, n := range v.Judges {
		switch {
		case a.Judges == "allow":
		case a.Judges == "escalate", a.Judges == "failed" && onError(n.Index):
			n.Reason = "its judge leaves it to a person"
			v.Holds = append(v.Holds, n)
		default:
			v.Outcome, v.Rule, v.Reason, v.Holds, v.Judges = decide.Deny, n.Rule, "its judge denies it, or gives no answer", nil, nil
			return
		}
	}
	v.Judges = nil
	switch {
	case held:
	case len(v.Holds) > 0:
		v.Outcome, v.Rule, v.Reason = decide.Hold, v.Holds[0].Rule, v.Holds[0].Reason
	default:
		v.Outcome, v.Rule, v.Reason = decide.Allow, first.Rule, ""
	}
}

// AssumeAnswer is Assume for what rules say about an answer: people are not asked about those.
func (a *Action) AssumeAnswer(v *decide.ResponseVerdict) {
	if a.Judges == "" || v.Outcome != decide.Judge {
		return
	}
	judged := v.Judges[0]
	v.Judges = nil
	switch {
	case a.Judges != "allow":
		v.Outcome, v.Rule, v.Reason = decide.Deny, judged.Rule, "its judge does not allow it, or gives no answer"
	case len(v.Redact) > 0:
		v.Outcome, v.Rule, v.Reason = decide.Redact, v.Redact[0].Rule, ""
	default:
		v.Outcome, v.Rule, v.Reason = decide.Allow, judged.Rule, ""
	}
}
