package decide

import (
	"cmp"
	"maps"
	"slices"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// compileRule compiles the rule in hand for every endpoint that it applies to and puts it into their lists.
func (l *loader) compileRule(e *Engine) {
	before := len(l.problems)
	when, unless := l.parse("when", l.rule.When), l.parse("unless", l.rule.Unless)
	if len(l.problems) > before || when == nil {
		return
	}
	excepts := l.parseExcepts()
	answer := l.parseAnswer()
	if len(l.problems) > before {
		return
	}
	targets := l.applies()
	whenFamily := l.familyOf(when, targets)
	unlessFamily := ""
	if unless != nil {
		unlessFamily = l.familyOf(unless, targets)
	}
	if whenFamily != "" && unlessFamily != "" && whenFamily != unlessFamily {
		l.at(unless, unless.families[0].id, "a rule can use one family only: when uses %s, unless uses %s", whenFamily, unlessFamily)
	}
	if len(l.problems) > before {
		return
	}
	used := cmp.Or(whenFamily, unlessFamily)
	if answer != nil {
		family := l.familyOf(answer, targets)
		if family != "" && used != "" && family != used {
			l.at(answer, answer.families[0].id, "a rule can use one family only, beside response: the action's is %s, response uses %s", used, family)
		}
		used, whenFamily = cmp.Or(used, family), cmp.Or(whenFamily, family)
		if len(l.problems) > before {
			return
		}
	}
	if l.rule.Inspect != nil && used == abi.FamilyConnect {
		l.problem("inspect", "a connection itself has no response")
		return
	}
	narrow := used
	if whenFamily == "" && l.rule.Then != Allow {
		narrow = "" // the exception is for one family, the rule is for all
	}
	c := &compiler{loader: l, targets: targets}
	compiled := map[*abi.Manifest]*conditions{}
	for _, ep := range targets {
		f := findFamily(ep.Manifest, used)
		if f == nil && narrow != "" {
			continue
		}
		if compiled[ep.Manifest] == nil {
			compiled[ep.Manifest] = c.conditions(when, unless, f, f == nil && unlessFamily != "")
			c.excepts(compiled[ep.Manifest], excepts, ep.Manifest)
			if l.rule.Inspect != nil && !c.answers(compiled[ep.Manifest], answer, ep, f) {
				return
			}
		}
		if len(l.problems) == before {
			l.place(e.endpoints[ep.Name], compiled[ep.Manifest], narrow, unlessFamily)
		}
	}
}

// parseExcepts reads the exceptions by family.
func (l *loader) parseExcepts() map[string]*condition {
	parsed := map[string]*condition{}
	for _, family := range slices.Sorted(maps.Keys(l.rule.Except)) {
		cond := l.parse("except", l.rule.Except[family])
		if cond == nil {
			continue
		}
		for _, r := range cond.families {
			if r.name != family {
				l.at(cond, r.id, "an exception for %s can use no fields of %s", family, r.name)
			}
		}
		parsed[family] = cond
	}
	return parsed
}

// familyOf returns the one family that a condition uses, if any, and reports what is not a family of any target.
func (l *loader) familyOf(c *condition, targets []*Endpoint) string {
	var have []string
	for _, ep := range targets {
		for i := range ep.Manifest.Families {
			if f := ep.Manifest.Families[i].Name; f != abi.FamilyResponse {
				have = appendOnce(have, f)
			}
		}
	}
	for _, r := range c.families {
		switch {
		case r.name == abi.FamilyResponse:
			l.at(c, r.id, "%s is asked before there is a response; write the condition about it as response = 'CONDITION', with inspect = \"response\"", c.field)
		case slices.Contains(have, r.name):
		case slices.ContainsFunc(l.endpoints, func(e Endpoint) bool { return findFamily(e.Manifest, r.name) != nil }):
			l.at(c, r.id, "no endpoint that this rule applies to has the family %s; they have: %s", r.name, list(have))
		default:
			l.at(c, r.id, "unknown name %s%s; there are: %s", r.name, meant(r.name, append(have, ownRoots...)),
				list(append(slices.Clone(ownRoots), have...)))
		}
	}
	switch len(c.families) {
	case 0:
		return ""
	case 1:
		return c.families[0].name
	}
	l.at(c, c.families[1].id, "a rule can use one family only, this one uses %s and %s", c.families[0].name, c.families[1].name)
	return ""
}

func findFamily(m *abi.Manifest, name string) *abi.Family {
	for i := range m.Families {
		if m.Families[i].Name == name {
			return &m.Families[i]
		}
	}
	return nil
}

// place puts a compiled rule into the lists of an endpoint: those of the family that it is narrowed to, or all.
func (l *loader) place(to *endpointRules, c *conditions, narrow, unlessFamily string) {
	if l.rule.Observe && l.rule.Then == Allow {
		return // an allow that yields no outcome says nothing
	}
	to.usage = to.usage || c.usage
	reason := l.rule.Reason
	switch {
	case reason != "":
	case l.rule.Inspect != nil:
		reason = "the rule " + l.rule.Name + " withholds the result"
	case l.rule.Then == Deny:
		reason = "the rule " + l.rule.Name + " denies this"
	case l.rule.Then == Hold:
		reason = "the rule " + l.rule.Name + " wants a person's approval"
	case l.rule.Then == Judge:
		reason = "the rule " + l.rule.Name + " has a judge decide"
	}
	for i := range to.families {
		f := &to.families[i]
		if narrow != "" && narrow != f.family.Name || l.rule.Inspect != nil && f.family.Name == abi.FamilyConnect {
			continue
		}
		p := &program{rule: l.rule, index: l.index, reason: reason, when: c.when, unless: c.unless, uses: c.uses}
		if unlessFamily != "" && unlessFamily != f.family.Name {
			p.unless = nil
		}
		p.unless = either(p.unless, c.except[f.family.Name])
		p.answer = c.answer
		lists := f.decide
		switch {
		case l.rule.Inspect != nil:
			if f.inspect == nil {
				f.inspect = make([][]*program, len(f.decide))
			}
			lists, to.inspects = f.inspect, true
		case l.rule.Observe:
			lists = f.observe
		}
		for class := range lists {
			if !c.never.has(abi.Class(class)) {
				lists[class] = append(lists[class], p)
			}
		}
	}
}

// sort brings every list into the order in which the first match decides.
func (e *Engine) sort() {
	for _, ep := range e.endpoints {
		for i := range ep.families {
			for _, lists := range [][][]*program{ep.families[i].decide, ep.families[i].observe, ep.families[i].inspect} {
				for _, programs := range lists {
					slices.SortFunc(programs, func(a, b *program) int {
						return cmp.Or(cmp.Compare(b.rule.Then.strictness(), a.rule.Then.strictness()), cmp.Compare(a.rule.Name, b.rule.Name))
					})
				}
			}
		}
	}
}
