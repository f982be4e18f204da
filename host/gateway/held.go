package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/gate"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// held has people asked about an action, unless a grant lets it pass.
func (s *session) held(ctx context.Context, q *gate.Question, v *ruling) gate.Verdict {
	r := s.request(q, v)
	if r.Grantable {
		if verdict, ok := s.granted(ctx, q, v, r.Digest); ok {
			return verdict
		}
	}
	h, err := s.book.Hold(ctx, r, func(id string, deadline time.Time) (string, error) {
		rec := s.decision(q, v)
		rec.Outcome, rec.Hold, rec.Deadline, rec.Digest = receipt.OutcomeHeld, id, deadline, r.Digest.String()
		for i := range r.Needs {
			n := &r.Needs[i]
			rec.Needs = append(rec.Needs, receipt.Need{Rule: n.Rule, Approvers: n.Approvers, Approvals: n.Approvals, NotRequester: n.NotRequester})
		}
		return s.append(q, rec)
	})
	if err != nil {
		return s.notHeld(q, v, err)
	}
	verdict := gate.Verdict{Outcome: abi.Deny, Rule: v.Rule, Reason: reason(&v.Verdict), Receipt: h.Receipt(), Hold: h.ID(), Until: h.Deadline().UTC().Format(time.RFC3339)}
	if r.Detached {
		verdict.Reason += fmt.Sprintf("; it is held as %s and waits for nobody: when it is approved, do exactly the same again and it passes once", h.ID())
		return verdict
	}
	late := s.a.cfg.Holds.Late
	if !r.Grantable {
		late = 0
	}
	verdict.Pending = &waiting{hold: h, layers: &s.layers, family: r.Family, rule: v.Rule, timeout: r.Timeout, late: late}
	return verdict
}

// request is what people are asked.
func (s *session) request(q *gate.Question, v *ruling) approve.Request {
	a, e := q.Action, s.endpoint
	r := approve.Request{
		Peer: s.peer, Profile: s.profile, Endpoint: e.cfg.Name.Value, Credential: s.credential(),
		Plugin: e.cfg.Plugin.Value, PluginDigest: e.digest, Conn: s.conn, ActionID: q.ID,
		Family: a.Family.Name, Class: a.Class.String(), Title: a.Title,
		Grantable: true, Detached: e.cfg.OnHold == config.Rollback, Policy: s.a.revision,
	}
	for i := range a.Values {
		f := &a.Family.Fields[i]
		switch value := &a.Values[i]; {
		case value.Known:
			r.Fields = append(r.Fields, approve.Field{Name: f.Name, Text: valueText(value, f.Type)})
		case !f.Role.Derived():
			r.Grantable = false
		}
	}
	r.Detached = r.Detached && r.Grantable
	r.Digest = approve.DigestOf(approve.Subject{Profile: s.profile, Endpoint: r.Endpoint, Credential: r.Credential, PluginDigest: e.digest, Action: a, Streaming: q.Streaming})
	for _, n := range v.Holds {
		rule := &s.a.effective[n.Index]
		r.Needs = append(r.Needs, approve.Need{Rule: n.Rule, Reason: n.Reason, Approvers: rule.Approvers, Approvals: rule.Approvals, NotRequester: rule.NotRequester})
		if t := s.a.timeout(rule); r.Timeout == 0 || t < r.Timeout {
			r.Timeout = t
		}
	}
	return r
}

// valueText is a value as a person reads it.
func valueText(v *abi.Value, t abi.Type) string {
	switch t {
	case abi.TypeBool:
		return strconv.FormatBool(v.Bool)
	case abi.TypeInt:
		return strconv.FormatInt(v.Int, 10)
	case abi.TypeString:
		return v.Str
	}
	quoted := make([]string, len(v.List)) // so that it is seen where one ends
	for i, s := range v.List {
		quoted[i] = strconv.Quote(s)
	}
	return strings.Join(quoted, ", ")
}

// timeout is how long an action waits that rule holds: what it says, and no longer than any of its approvers' timeouts.
func (a *Assembly) timeout(rule *EffectiveRule) time.Duration {
	t := rule.Timeout
	for i := range a.cfg.Approvers {
		p := &a.cfg.Approvers[i]
		if asked := len(rule.Approvers) == 0 || slices.Contains(rule.Approvers, p.Name.Value); asked && (t == 0 || p.Timeout < t) {
			t = p.Timeout
		}
	}
	if t == 0 {
		return approve.DefaultTimeout
	}
	return t
}

// granted uses a grant, if there is one.
func (s *session) granted(ctx context.Context, q *gate.Question, v *ruling, d approve.Digest) (gate.Verdict, bool) {
	_, id, ok, err := s.book.Take(ctx, s.peer, d, func(g *approve.Grant) (string, error) {
		r := s.decision(q, v)
		r.Outcome, r.Hold, r.Digest, r.By, r.Parent = receipt.OutcomeGranted, g.Hold, d.String(), g.By, g.Receipt
		r.Reason = fmt.Sprintf("approved before: use %d of the grant of hold %s", g.Used, g.Hold)
		return s.append(q, r)
	})
	switch {
	case err != nil:
		return s.notHeld(q, v, err), true
	case !ok:
		return gate.Verdict{}, false
	}
	s.layers.decided(q.Action.Family.Name, abi.Allow)
	return gate.Verdict{Outcome: abi.Allow, Receipt: id}, true
}

// notHeld denies what nobody can be asked about.
func (s *session) notHeld(q *gate.Question, v *ruling, err error) gate.Verdict {
	s.log.Error("an action cannot be held, so it is denied", "peer", s.peer, "endpoint", s.endpoint.cfg.Name.Value, "error", err)
	r := s.decision(q, v)
	r.Outcome, r.Detail = receipt.OutcomeFailClosed, err.Error()
	why := "nobody can be asked about it now"
	if errors.Is(err, approve.ErrTooMany) || errors.Is(err, approve.ErrTooLarge) {
		why = err.Error()
	}
	r.Reason = fmt.Sprintf("%s; %s", reason(&v.Verdict), why)
	id, err := s.append(q, r)
	if err != nil {
		return s.unrecorded(err)
	}
	return gate.Verdict{Outcome: abi.Deny, Rule: v.Rule, Reason: r.Reason, Receipt: id}
}

// waiting is a hold that an agent waits for.
type waiting struct {
	hold          *approve.Hold
	layers        *layers
	family, rule  string
	timeout, late time.Duration
}

// Wait waits for people.
func (w *waiting) Wait(ctx context.Context, probe func(context.Context) error) gate.Verdict {
	e := w.hold.Wait(ctx, probe)
	v := gate.Verdict{Outcome: abi.Deny, Rule: w.rule, Receipt: e.Receipt, Hold: w.hold.ID()}
	switch e.Outcome {
	case approve.Approved:
		v.Outcome = abi.Allow
		w.layers.decided(w.family, v.Outcome)
	case approve.Rejected:
		v.Reason = "rejected"
		if len(e.By) > 0 {
			v.Reason += " by " + strings.Join(e.By, ", ")
		}
		if e.Reason != "" {
			v.Reason += ": " + e.Reason
		}
	case approve.Expired:
		v.Reason = fmt.Sprintf("nobody approved it within %v", w.timeout)
		if w.late > 0 {
			v.Reason += fmt.Sprintf("; if hold %s is approved in the next %v, do exactly the same again and it passes once", w.hold.ID(), w.late)
		}
	default:
		v.Reason = "taken back: " + e.Reason
	}
	return v
}

// journal records how holds end.
type journal struct{ record *receipt.Log }

// Ended records one ending.
func (j journal) Ended(_ context.Context, h *approve.Status, e approve.Ending) (string, error) {
	r := &receipt.Record{Kind: receipt.HoldEnd, Parent: h.Receipt, Conn: h.Conn, ActionID: h.ActionID, Peer: h.Peer, Profile: h.Profile, Endpoint: h.Endpoint,
		Credential: h.Credential, Plugin: h.Plugin, PluginDigest: h.PluginDigest, Hold: h.ID, Digest: h.Digest,
		Outcome: receipt.Outcome(e.Outcome), By: e.By, Reason: e.Reason}
	switch {
	case e.FailClosed:
		r.Outcome = receipt.OutcomeFailClosed
	case e.Granted:
		r.Granted, r.GrantUses, r.GrantUntil = true, e.GrantUses, e.GrantUntil
	}
	return j.record.Append(r)
}
