package config

import (
	"slices"
	"strings"
)

// Pattern is a name with asterisks in a list of endpoints: each stands for any letters, or none.
type Pattern struct {
	Text
	// Matched are the names of the endpoints that it stands for, in the order of the file: at least one.
	Matched []string
}

// expand puts the names of endpoints in place of the patterns in a list, and reports what stands for no endpoint. A list that is not empty does not become so, since that
// would mean every endpoint: a pattern that stands for nothing stays.
func (d *decoder) expand(cfg *Config, list []Text) (names []Text, patterns []Pattern) {
	if !slices.ContainsFunc(list, func(t Text) bool { return strings.Contains(t.Value, "*") }) {
		d.knowsEndpoints(cfg, list)
		return list, nil
	}
	add := func(t Text) {
		if !slices.ContainsFunc(names, func(n Text) bool { return n.Value == t.Value }) {
			names = append(names, t)
		}
	}
	var plain []Text
	for _, t := range list {
		if !strings.Contains(t.Value, "*") {
			plain = append(plain, t)
			add(t)
			continue
		}
		p := Pattern{Text: t}
		for _, e := range cfg.Endpoints {
			if e.Name.IsSet() && glob(t.Value, e.Name.Value) {
				p.Matched = append(p.Matched, e.Name.Value)
				at := t
				at.Value = e.Name.Value
				add(at)
			}
		}
		switch {
		case strings.Trim(t.Value, "*") == "":
			d.problem(t.start, "%s stands for every endpoint, as a list does that is left out; leave endpoints out", quote(t.Value))
		case len(p.Matched) > 0:
			patterns = append(patterns, p)
			continue
		case d.missing:
			d.problem(t.start, "%s matches no endpoint%s", quote(t.Value), d.hint(t.Value, endpointNames(cfg)))
		}
		add(t)
	}
	d.knowsEndpoints(cfg, plain)
	return names, patterns
}

func endpointNames(cfg *Config) (names []string) {
	for _, e := range cfg.Endpoints {
		if e.Name.IsSet() {
			names = append(names, e.Name.Value)
		}
	}
	return names
}

// glob reports whether a name is what a pattern stands for.
func glob(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1:last] { // the first place leaves the most for those behind
		i := strings.Index(rest, p)
		if i < 0 {
			return false
		}
		rest = rest[i+len(p):]
	}
	return strings.HasSuffix(rest, parts[last])
}
