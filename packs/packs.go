// Package packs holds the rule packs that ship with the gateway: baseline, readonly and observe.
//
// A pack is a TOML file beside this one. Adding a rule is adding a table:
//
//	[[rule]]
//	name   = "drop"               # unique in the pack; users know it as PACK/NAME
//	doc    = "DROP is denied."    # for the documentation
//	family = "sql"                # only for endpoints with this family; without it for all
//	when   = 'sql.verbs.exists(v, v.startsWith("drop"))'
//	except = { sql = '…' }        # exceptions for actions of one family, where an endpoint has it
//	then   = "deny"               # or "hold", "allow"
//	reason = "…"                  # what the agent is told; not for allow
//	observe = true                # yields no outcome, only a receipt
//
// A rule whose condition uses fields of a family names that family. The key unless is not there: it is for overrides in the
// configuration. `observes = "PACK"` above the rules takes over the rules of another pack that deny or hold, as observing ones.
package packs

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
)

//go:embed *.toml
var files embed.FS

// Pack is a set of rules under one name.
type Pack struct {
	Name string `toml:"-"`
	// Doc says in a sentence what it is for.
	Doc   string `toml:"doc"`
	Rules []Rule `toml:"rule"`

	Observes string `toml:"observes"`
}

// Rule is one rule of a pack.
type Rule struct {
	// Name is without the pack's.
	Name string `toml:"name"`
	Doc  string `toml:"doc"`
	// Family restricts the rule to endpoints that have it; empty: all that have a plugin.
	Family string `toml:"family"`
	// When is a condition, and Except are its exceptions by family; see package decide.
	When    string            `toml:"when"`
	Except  map[string]string `toml:"except"`
	Then    string            `toml:"then"` // allow, hold or deny
	Reason  string            `toml:"reason"`
	Observe bool              `toml:"observe"`
}

// All returns the packs, by name.
func All() ([]Pack, error) { return all() }

var all = sync.OnceValues(func() ([]Pack, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	var list []Pack
	for _, e := range entries {
		data, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		p, err := Parse(strings.TrimSuffix(e.Name(), ".toml"), data)
		if err != nil {
			return nil, err
		}
		list = append(list, *p)
	}
	for i := range list {
		if err := list[i].observe(list); err != nil {
			return nil, err
		}
	}
	return list, nil
})

// Find returns the pack of a name.
func Find(name string) (*Pack, bool) {
	list, err := All()
	if err != nil {
		return nil, false
	}
	for i := range list {
		if list[i].Name == name {
			return &list[i], true
		}
	}
	return nil, false
}

// Parse reads a pack and checks its form; conditions are checked against plugins, by package decide.
func Parse(name string, data []byte) (*Pack, error) {
	p := &Pack{Name: name}
	meta, err := toml.NewDecoder(bytes.NewReader(data)).Decode(p)
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", name, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("pack %s: unknown key %s", name, unknown[0])
	}
	if p.Doc == "" || len(p.Rules) == 0 {
		return nil, fmt.Errorf("pack %s: it needs doc and at least one rule", name)
	}
	for i := range p.Rules {
		r := &p.Rules[i]
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("pack %s: rule %q: %w", name, r.Name, err)
		}
		if slices.ContainsFunc(p.Rules[:i], func(before Rule) bool { return before.Name == r.Name }) {
			return nil, fmt.Errorf("pack %s: rule %q is there twice", name, r.Name)
		}
	}
	return p, nil
}

func (r *Rule) check() error {
	switch {
	case r.Name == "" || strings.Contains(r.Name, "/") || strings.TrimSpace(r.Name) != r.Name:
		return errors.New("a name has no slash and no blank around it")
	case r.Doc == "" || r.When == "":
		return errors.New("it needs doc and when")
	case r.Then != "allow" && r.Then != "hold" && r.Then != "deny":
		return errors.New("then is allow, hold or deny")
	case (r.Then == "allow") != (r.Reason == ""):
		return errors.New("what denies or holds has a reason, what allows has none")
	case r.Then == "allow" && r.Observe:
		return errors.New("what allows and observes does nothing")
	}
	return nil
}

// observe takes over what the pack observes.
func (p *Pack) observe(list []Pack) error {
	if p.Observes == "" {
		return nil
	}
	i := slices.IndexFunc(list, func(o Pack) bool { return o.Name == p.Observes && o.Observes == "" })
	if i < 0 {
		return fmt.Errorf("pack %s: there is no pack %q to observe", p.Name, p.Observes)
	}
	for _, r := range list[i].Rules {
		if r.Then == "allow" {
			continue
		}
		if slices.ContainsFunc(p.Rules, func(o Rule) bool { return o.Name == r.Name }) {
			return fmt.Errorf("pack %s: rule %q is there twice", p.Name, r.Name)
		}
		r.Observe = true
		p.Rules = append(p.Rules, r)
	}
	return nil
}
