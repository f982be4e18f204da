package gateway

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-dev/sallyport/host/config"
	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/redact"
	"github.com/sallyport-dev/sallyport/packs"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// EffectiveRule is a rule as it counts: one of the configuration, or one of a pack with what an [[override]] makes of it. An
// override for some of a rule's endpoints makes two of it, with one name.
type EffectiveRule struct {
	// Name is PACK/NAME for a pack's rule.
	Name string
	// Origin is where the rule stands, "FILE:LINE" or "pack NAME"; Override is where it is changed, empty when it is not.
	Origin, Override string
	// Reach is where the rule can match.
	Reach []decide.Reach

	When, Unless string
	Except       map[string]string // further exceptions, by family
	Then         decide.Outcome
	Reason       string
	Observe      bool

	// Judge is who judges, of a rule that has it judged.
	Judge string

	// Of a rule that holds, or whose judge leaves it to people: who may approve (none: anyone configured), how many must, whether whoever asked counts, and how long
	// it waits at most (0: what the approvers' timeouts say).
	Approvers    []string
	Approvals    int
	NotRequester bool
	Timeout      time.Duration

	// Inspect is what it wants of answers, of a rule about those, and Redact and RedactColumns what it masks in them.
	Inspect               *decide.Inspection
	Redact, RedactColumns []string
	redactor              *redact.Redactor

	// Patterns are those that the configuration names some of its endpoints by.
	Patterns []config.Pattern

	endpoints []string // as decide.Rule has them
	own       *config.Rule
	override  *config.Override
	pack      config.Pos // where the configuration names the pack
}

// Rules are all rules that count, those of the configuration first, in its order. A decide.Needed names one by its index.
func (a *Assembly) Rules() []EffectiveRule { return a.effective }

// KnownPacks are the shipped packs as a configuration is checked against them.
func KnownPacks() []config.Pack {
	all, err := packs.All()
	if err != nil {
		return []config.Pack{} // none is known; assembling says why
	}
	known := make([]config.Pack, len(all))
	for i, p := range all {
		known[i].Name = p.Name
		for _, r := range p.Rules {
			known[i].Rules = append(known[i].Rules, config.PackRule{Name: r.Name, Then: config.Outcome(r.Then), Observe: r.Observe})
		}
	}
	return known
}

// compile makes the effective rules and compiles them against the plugins of their endpoints.
func (a *Assembly) compile() config.Problems {
	endpoints := a.decideEndpoints()
	if endpoints == nil {
		return nil // a plugin is missing: every rule about it would be reported as wrong
	}
	problems := a.gatherRules(endpoints)
	rules := make([]decide.Rule, len(a.effective))
	for i := range a.effective {
		r := &a.effective[i]
		rules[i] = decide.Rule{Name: r.Name, Endpoints: r.endpoints, When: r.When, Unless: r.Unless, Except: r.Except,
			Then: r.Then, Reason: r.Reason, Observe: r.Observe, Inspect: r.Inspect}
	}
	engine, err := decide.New(rules, endpoints, a.knownNames())
	var bad decide.Problems
	switch {
	case errors.As(err, &bad):
		for _, p := range bad {
			r := &a.effective[p.Index]
			problems = append(problems, a.cfg.Problem(r.place(p), "rule %q: %s%s", p.Rule, p.Message, r.advice(p)))
		}
		return problems
	case err != nil:
		return append(problems, a.cfg.Problem(config.Pos{}, "rules: %v", err))
	}
	for i := range a.effective {
		a.effective[i].Reach = engine.Reach(i)
	}
	a.rules = engine
	a.warnOfRelays()
	return problems
}

// decideEndpoints are the endpoints as rules see them, nil when one could not be loaded.
func (a *Assembly) decideEndpoints() []decide.Endpoint {
	endpoints := []decide.Endpoint{}
	for i := range a.cfg.Endpoints {
		c := &a.cfg.Endpoints[i]
		e := a.endpoints[c.Name.Value]
		if e == nil {
			return nil
		}
		endpoints = append(endpoints, decide.Endpoint{Name: c.Name.Value, Manifest: e.manifest, Observe: a.cfg.ModeOf(c) == config.Observe})
	}
	return endpoints
}

// knownNames are the names that conditions may compare with.
func (a *Assembly) knownNames() (known decide.Known) {
	for i := range a.cfg.Peers {
		known.Peers = append(known.Peers, a.cfg.Peers[i].Name.Value)
		known.Profiles = append(known.Profiles, a.cfg.Peers[i].Profile.Value)
	}
	for i := range a.cfg.Endpoints {
		for _, p := range a.cfg.Endpoints[i].Profiles {
			known.Profiles = append(known.Profiles, p.Value)
		}
	}
	return known
}

// gatherRules fills a.effective.
func (a *Assembly) gatherRules(endpoints []decide.Endpoint) config.Problems {
	a.effective = nil
	for i := range a.cfg.Rules {
		a.effective = append(a.effective, a.ownRule(&a.cfg.Rules[i]))
	}
	var problems config.Problems
	for _, name := range a.cfg.Gateway.Packs {
		pack, ok := packs.Find(name.Value)
		if !ok {
			_, err := packs.All()
			problems = append(problems, a.cfg.Problem(name.Pos, "the pack %q cannot be used: %v", name, cmpErr(err)))
			continue
		}
		for i := range pack.Rules {
			problems = append(problems, a.packRule(pack, &pack.Rules[i], name.Pos, endpoints)...)
		}
	}
	return problems
}

func cmpErr(err error) error {
	if err == nil {
		return errors.New("the gateway brings none of this name")
	}
	return err
}

func (a *Assembly) place(p config.Pos) string {
	return fmt.Sprintf("%s:%d", filepath.Base(a.cfg.Path), p.Line)
}

func (a *Assembly) ownRule(r *config.Rule) EffectiveRule {
	then, _ := decide.ParseOutcome(string(r.Then))
	e := EffectiveRule{Name: r.Name.Value, Origin: a.place(r.Pos), When: r.When.Value, Unless: r.Unless.Value, Then: then, Reason: r.Reason,
		Observe: r.Mode == config.Observe, Judge: r.Judge.Value, endpoints: textValues(r.Endpoints), Patterns: r.Patterns, own: r}
	e.approval(&r.Approval)
	e.inspection(&r.Inspect)
	return e
}

func textValues(texts []config.Text) (list []string) {
	for _, t := range texts {
		list = append(list, t.Value)
	}
	return list
}

// approval takes over what is set.
func (r *EffectiveRule) approval(a *config.Approval) {
	if a.Approvers != nil {
		r.Approvers = textValues(a.Approvers)
	}
	if a.Approvals > 0 {
		r.Approvals = a.Approvals
	}
	r.NotRequester = r.NotRequester || a.NotRequester
	if a.Timeout > 0 {
		r.Timeout = a.Timeout
	}
}

// packRule adds a pack's rule, once for the endpoints that nothing overrides and once for each override.
func (a *Assembly) packRule(p *packs.Pack, r *packs.Rule, at config.Pos, endpoints []decide.Endpoint) config.Problems {
	then, _ := decide.ParseOutcome(r.Then)
	rule := EffectiveRule{Name: p.Name + "/" + r.Name, Origin: "pack " + p.Name, When: r.When, Except: r.Except, Then: then, Reason: r.Reason,
		Observe: r.Observe, Approvals: 1, pack: at}
	left := a.about(r, endpoints)
	var problems config.Problems
	for i := range a.cfg.Overrides {
		o := &a.cfg.Overrides[i]
		if o.Rule.Value != rule.Name {
			continue
		}
		changed := slices.Clone(left)
		if o.Endpoints != nil {
			changed = slices.DeleteFunc(changed, func(e string) bool {
				return !slices.ContainsFunc(o.Endpoints, func(t config.Text) bool { return t.Value == e })
			})
		}
		if len(changed) == 0 {
			problems = append(problems, a.cfg.Problem(o.Pos, "the override changes nothing: rule %q is about no %sendpoint%s; remove it", rule.Name,
				map[bool]string{true: "such "}[o.Endpoints != nil], ofFamily(r)))
			continue
		}
		left = slices.DeleteFunc(left, func(e string) bool { return slices.Contains(changed, e) })
		if !o.Off {
			a.effective = append(a.effective, a.overridden(rule, o, changed))
		}
	}
	if len(left) > 0 {
		rule.endpoints = left
		a.effective = append(a.effective, rule)
	}
	return problems
}

func ofFamily(r *packs.Rule) string {
	if r.Family == "" {
		return " here"
	}
	return " here, which would have the family " + r.Family
}

// about lists the endpoints that a pack's rule is about: with a plugin, and with the rule's family if it names one.
func (a *Assembly) about(r *packs.Rule, endpoints []decide.Endpoint) (names []string) {
	for _, e := range endpoints {
		has := r.Family == "" || slices.ContainsFunc(e.Manifest.Families, func(f abi.Family) bool { return f.Name == r.Family })
		if has && a.endpoints[e.Name].cfg.Plugin.Value != config.None {
			names = append(names, e.Name)
		}
	}
	return names
}

// overridden is a pack's rule as an override makes it.
func (a *Assembly) overridden(r EffectiveRule, o *config.Override, endpoints []string) EffectiveRule {
	r.Override, r.override, r.endpoints, r.Unless = a.place(o.Pos), o, endpoints, o.Unless.Value
	r.Patterns = o.Patterns
	if o.Then != "" {
		r.Then, _ = decide.ParseOutcome(string(o.Then))
	}
	r.Judge = o.Judge.Value
	if r.Then == decide.Allow {
		r.Reason = ""
	}
	if o.Reason != "" {
		r.Reason = o.Reason
	}
	if o.Mode != "" {
		r.Observe = o.Mode == config.Observe
	}
	r.approval(&o.Approval)
	return r
}

// place maps what is wrong with a rule to a place in the file.
func (r *EffectiveRule) place(p decide.Problem) config.Pos {
	if at, ok := r.inspectionPlace(p); ok {
		return at
	}
	switch {
	case r.override != nil && p.Field == "unless" && p.Line > 0:
		return r.override.Unless.AtLocation(p.Line, p.Column-1)
	case r.override != nil && p.Field == "unless":
		return r.override.Unless.Pos
	case r.own == nil:
		return r.pack
	case p.Field == "when" && p.Line > 0:
		return r.own.When.AtLocation(p.Line, p.Column-1)
	case p.Field == "unless" && p.Line > 0:
		return r.own.Unless.AtLocation(p.Line, p.Column-1)
	case p.Field == "then":
		return r.own.ThenPos
	case p.Field == "name":
		return r.own.Name.Pos
	}
	return r.own.Pos
}

// advice says what to do about a pack's rule that does not fit a plugin.
func (r *EffectiveRule) advice(p decide.Problem) string {
	if r.own != nil || p.Field == "unless" {
		return ""
	}
	return fmt.Sprintf("; a plugin of %s speaks of something else by this name: switch the rule off there with an [[override]]", strings.Join(r.endpoints, ", "))
}

// warnOfRelays tells of endpoints that packs are not about.
func (a *Assembly) warnOfRelays() {
	for i := range a.cfg.Endpoints {
		c := &a.cfg.Endpoints[i]
		if c.Plugin.Value != config.None || len(a.cfg.Gateway.Packs) == 0 {
			continue
		}
		if !slices.ContainsFunc(a.effective, func(r EffectiveRule) bool {
			return slices.ContainsFunc(r.Reach, func(at decide.Reach) bool { return at.Endpoint == c.Name.Value })
		}) {
			a.warnings = append(a.warnings, a.cfg.Problem(c.Pos,
				"every connection to %q is denied: packs say nothing about plugin \"none\", whose bytes nobody reads; a [[rule]] can allow it", c.Name))
		}
	}
}

// policyRule is what of a rule decides.
func (r *EffectiveRule) policyRule() []string {
	rule := []string{r.Name, r.When, r.Unless, r.Then.String(), fmt.Sprint(r.Observe), fmt.Sprint(r.Except)}
	if r.Then == decide.Judge {
		rule = append(rule, "judge", r.Judge)
	}
	if r.Inspect != nil {
		rule = append(rule, r.policyInspection()...)
	}
	if r.Then == decide.Hold || r.Then == decide.Judge {
		rule = append(rule, fmt.Sprint(r.Approvers), fmt.Sprint(r.Approvals), fmt.Sprint(r.NotRequester), r.Timeout.String())
	}
	return append(rule, r.endpoints...)
}

// policyApprovers is who decides about what is held, and what becomes of that: nothing when no rule holds.
func (a *Assembly) policyApprovers() [][]string {
	if !slices.ContainsFunc(a.effective, func(r EffectiveRule) bool { return (r.Then == decide.Hold || r.Then == decide.Judge) && !r.Observe }) {
		return nil
	}
	h := &a.cfg.Holds
	all := [][]string{{h.GrantFor.String(), h.Late.String()}}
	for i := range a.cfg.Approvers {
		p := &a.cfg.Approvers[i]
		all = append(all, []string{p.Name.Value, p.Webhook.Value, p.Slack.Value, p.Timeout.String()})
		if n := &p.Notifier; n.Plugin != "" {
			all = append(all, []string{fmt.Sprintf("%x", n.SHA256), fmt.Sprint(n.Hosts), fmt.Sprint(n.Settings)})
		}
	}
	return all
}
