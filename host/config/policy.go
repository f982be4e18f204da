package config

import (
	"slices"
	"strings"
)

// Pack is a rule pack that the gateway has.
type Pack struct {
	Name  string
	Rules []PackRule
}

// PackRule is what of a pack's rule an [[override]] is checked against.
type PackRule struct {
	Name    string // without the pack's
	Then    Outcome
	Observe bool
}

// ModeOf is the mode that counts at an endpoint.
func (c *Config) ModeOf(e *Endpoint) Mode {
	if e.Mode != "" {
		return e.Mode
	}
	return c.Gateway.Mode
}

// outcome reads what a rule leads to.
func (d *decoder) outcome(k Key, v *value) Outcome {
	text, ok := d.text(k, v)
	if !ok {
		return ""
	}
	switch o := Outcome(text.Value); o {
	case Allow, ToJudge, Hold, Deny, ToRedact:
		return o
	default:
		d.problem(text.start, "unknown outcome %s%s", quote(text.Value), d.hint(text.Value, []string{string(Allow), string(ToJudge), string(Hold), string(Deny)}))
	}
	return ""
}

// mode reads whether rules count.
func (d *decoder) mode(k Key, v *value) Mode {
	text, ok := d.text(k, v)
	if !ok {
		return Enforce
	}
	switch m := Mode(text.Value); m {
	case Enforce, Observe:
		return m
	}
	d.problem(text.start, "unknown mode %s%s", quote(text.Value), d.hint(text.Value, []string{string(Enforce), string(Observe)}))
	return Enforce
}

func (d *decoder) onHold(k Key, v *value) OnHold {
	text, ok := d.text(k, v)
	if !ok {
		return Wait
	}
	switch o := OnHold(text.Value); o {
	case Wait, Rollback:
		return o
	}
	d.problem(text.start, "unknown on_hold %s%s", quote(text.Value), d.hint(text.Value, []string{string(Wait), string(Rollback)}))
	return Wait
}

func (d *decoder) notBy(k Key, v *value) bool {
	text, ok := d.text(k, v)
	if ok && text.Value != "requester" {
		d.problem(text.start, `not_by %s is not known; the only one is not_by = "requester"`, quote(text.Value))
	}
	return ok
}

func (d *decoder) boolean(k Key, v *value) bool {
	if v.kind != kindBool {
		d.wrong(k, v, "true or false")
		return false
	}
	return v.boolean
}

func (d *decoder) checkRules(cfg *Config) {
	names := first[string]{}
	for i := range cfg.Rules {
		r := &cfg.Rules[i]
		if r.Name.IsSet() {
			names.seen(d, r.Name.Value, r.Name.start, "a rule %q", r.Name)
			for _, p := range cfg.Gateway.Packs {
				if strings.HasPrefix(r.Name.Value, p.Value+"/") {
					d.problem(r.Name.start, "rule %q has a name as the rules of pack %s have; give it another one, and change the pack's with an [[override]]", r.Name, p.Value)
				}
			}
		}
		r.Endpoints, r.Patterns = d.expand(cfg, r.Endpoints)
		switch {
		case r.Then == Allow && r.Reason != "":
			d.problem(r.reasonPos, "rule %q allows, so nobody is told its reason; make it a comment", r.Name)
		case r.Then == Allow && r.Mode == Observe:
			d.problem(r.modePos, `rule %q allows, so mode = "observe" would leave it without any effect; remove the mode or the rule`, r.Name)
		}
		d.checkInspection(cfg, r)
		if !r.Inspect.On {
			d.checkApproval(cfg, &r.Approval, r.Then, r.Mode == Observe, "rule "+quote(r.Name.Value))
		}
	}
	d.checkPacks(cfg)
	d.checkOverrides(cfg)
}

// knowsEndpoints reports names that no endpoint has.
func (d *decoder) knowsEndpoints(cfg *Config, names []Text) {
	if !d.missing {
		return
	}
	endpoints := endpointNames(cfg)
	for _, n := range names {
		if !slices.Contains(endpoints, n.Value) {
			d.problem(n.start, "there is no endpoint %s%s", quote(n.Value), d.hint(n.Value, endpoints))
		}
	}
}

// checkApproval checks who approves against what a rule leads to and against who there is.
func (d *decoder) checkApproval(cfg *Config, a *Approval, then Outcome, observes bool, what string) {
	keys := []setKey{{"approver", a.approverPos}, {"approvers", a.ApproversPos}, {"approvals", a.ApprovalsPos},
		{"not_by", a.NotByPos}, {"timeout", a.TimeoutPos}}
	for _, k := range keys {
		switch {
		case k.pos.IsZero():
		case then != "" && then != Hold && then != ToJudge:
			d.problem(k.pos, `%s changes nothing: %s leads to %s, and only then = "hold" and "judge" ask anybody; remove it`, k.name, what, then)
		case observes:
			d.problem(k.pos, `%s changes nothing: %s observes, so nobody is asked; remove it or the mode`, k.name, what)
		}
	}
	if !a.approverPos.IsZero() && !a.ApproversPos.IsZero() {
		d.problem(a.approverPos, "%s has both approver and approvers; write all into approvers", what)
		return
	}
	if !d.missing || then != Hold && then != ToJudge {
		return
	}
	known := []string{Console}
	for _, p := range cfg.Approvers {
		known = append(known, p.Name.Value)
	}
	for _, n := range a.Approvers {
		if !slices.Contains(known, n.Value) {
			d.problem(n.start, "there is no approver %s%s", quote(n.Value), d.hint(n.Value, known))
			return
		}
	}
	// Several people can answer behind a webhook and in a Slack channel. The machine's operator is one.
	several := slices.ContainsFunc(a.Approvers, func(n Text) bool { return n.Value != Console }) || len(a.Approvers) == 0 && len(cfg.Approvers) > 0
	if a.Approvals > 1 && !several {
		d.problem(a.ApprovalsPos, "approvals is %d, and only the machine's operator may approve, who counts once; name an [[approver]], or lower it", a.Approvals)
	}
}

// checkPacks checks the names of packs.
func (d *decoder) checkPacks(cfg *Config) {
	if d.known.Packs == nil {
		return
	}
	var names []string
	for _, p := range d.known.Packs {
		names = append(names, p.Name)
	}
	for _, t := range cfg.Gateway.Packs {
		if !slices.Contains(names, t.Value) {
			d.problem(t.start, "there is no rule pack %s%s", quote(t.Value), d.hint(t.Value, names))
		}
	}
}

// checkOverrides checks that each override finds its rule and changes something.
func (d *decoder) checkOverrides(cfg *Config) {
	for i := range cfg.Overrides {
		o := &cfg.Overrides[i]
		o.Endpoints, o.Patterns = d.expand(cfg, o.Endpoints)
		what := "override of " + quote(o.Rule.Value)
		rule := d.overridden(cfg, o)
		d.checkChange(cfg, o, rule, what)
		for _, before := range cfg.Overrides[:i] {
			if o.Rule.IsSet() && before.Rule.Value == o.Rule.Value && before.meets(o) {
				d.problem(o.Rule.start, "%s is changed already, on line %d, for the same endpoint; write one [[override]]", quote(o.Rule.Value), before.Rule.start.Line)
				break
			}
		}
	}
}

// meets reports whether two overrides are for one endpoint.
func (o *Override) meets(other *Override) bool {
	return len(o.Endpoints) == 0 || len(other.Endpoints) == 0 ||
		slices.ContainsFunc(o.Endpoints, func(e Text) bool {
			return slices.ContainsFunc(other.Endpoints, func(f Text) bool { return e.Value == f.Value })
		})
}

// overridden finds the rule of an override, nil when it is reported or cannot be known.
func (d *decoder) overridden(cfg *Config, o *Override) *PackRule {
	if !o.Rule.IsSet() || !d.missing {
		return nil
	}
	for _, r := range cfg.Rules {
		if r.Name.Value == o.Rule.Value {
			d.problem(o.Rule.start, "rule %s stands in this file, on line %d; change it there", quote(o.Rule.Value), r.Name.start.Line)
			return nil
		}
	}
	pack, _, ok := strings.Cut(o.Rule.Value, "/")
	var listed, rules []string
	for _, p := range cfg.Gateway.Packs {
		listed = append(listed, p.Value)
	}
	var found *PackRule
	for i := range d.known.Packs {
		p := &d.known.Packs[i]
		for j := range p.Rules {
			name := p.Name + "/" + p.Rules[j].Name
			if name == o.Rule.Value {
				found = &p.Rules[j]
			}
			if slices.Contains(listed, p.Name) {
				rules = append(rules, name)
			}
		}
	}
	switch {
	case !ok:
		d.problem(o.Rule.start, "rule %s must be PACK/NAME%s", quote(o.Rule.Value), d.hint(o.Rule.Value, rules))
	case len(listed) == 0:
		d.problem(o.Rule.start, "there are no packs in [gateway], so there is nothing to change; write packs = [%q] there, or remove the override", pack)
	case d.known.Packs == nil:
	case found == nil:
		d.problem(o.Rule.start, "no pack in use has a rule %s%s", quote(o.Rule.Value), d.hint(o.Rule.Value, rules))
	case !slices.Contains(listed, pack):
		d.problem(o.Rule.start, "the pack %q is not in packs of [gateway], so there is nothing to change", pack)
	default:
		return found
	}
	return nil
}

// checkChange checks that an override changes something. Rule may be nil: not known.
func (d *decoder) checkChange(cfg *Config, o *Override, rule *PackRule, what string) {
	if !d.missing {
		return
	}
	var set []setKey
	for _, k := range []setKey{{"unless", o.Unless.start}, {"then", o.ThenPos}, {"judge", o.Judge.start}, {"reason", o.reasonPos}, {"mode", o.modePos},
		{"approver", o.Approval.approverPos}, {"approvers", o.Approval.ApproversPos}, {"approvals", o.Approval.ApprovalsPos},
		{"not_by", o.Approval.NotByPos}, {"timeout", o.Approval.TimeoutPos}} {
		if !k.pos.IsZero() {
			set = append(set, k)
		}
	}
	switch {
	case o.Off && len(set) > 0:
		d.problem(set[0].pos, "%s changes nothing: the rule is off; remove one of both", set[0].name)
		return
	case !o.Off && !o.OffPos.IsZero():
		d.problem(o.OffPos, "off = false changes nothing; remove it")
		return
	case !o.Off && len(set) == 0:
		d.problem(o.Pos, `the override changes nothing; write off = true, unless = 'CONDITION', or another key of [[override]]`)
		return
	case o.Off || rule == nil:
		return
	}
	then, observe := rule.Then, rule.Observe
	if o.Then != "" {
		then = o.Then
	}
	if !o.modePos.IsZero() {
		observe = o.Mode == Observe
	}
	switch {
	case o.Then == ToRedact:
		d.problem(o.ThenPos, "rules of packs are about actions, which cannot be redacted; write a [[rule]] with inspect = \"response\"")
	case o.Then == rule.Then:
		d.problem(o.ThenPos, "then changes nothing: the rule leads to %s already; remove it", then)
	case !o.modePos.IsZero() && observe == rule.Observe:
		d.problem(o.modePos, "mode changes nothing: the rule is in this mode already; remove it")
	case then == Allow && observe:
		d.problem(o.Pos, "a rule that allows and observes has no effect; write off = true instead")
	case then == Allow && !o.reasonPos.IsZero():
		d.problem(o.reasonPos, "reason changes nothing: the rule allows, so nobody is told; remove it")
	}
	d.checkApproval(cfg, &o.Approval, then, observe, what)
}
