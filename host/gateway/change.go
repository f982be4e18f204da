package gateway

import (
	"maps"
	"reflect"
	"slices"

	"github.com/sallyport-dev/sallyport/host/config"
)

// Difference names what was added, taken away, and left with other contents, sorted.
type Difference struct{ Added, Removed, Changed []string }

// differences says what next does not share with old.
func differences(old, next *Assembly) *Change {
	return &Change{
		Policy:    next.policy(),
		Peers:     difference(peerContents(old.cfg), peerContents(next.cfg)),
		Plugins:   difference(pluginContents(old), pluginContents(next)),
		Endpoints: difference(endpointContents(old), endpointContents(next)),
		Rules:     difference(ruleContents(old), ruleContents(next)),
	}
}

// difference compares by name.
func difference[V any](old, next map[string]V) (d Difference) {
	for _, name := range slices.Sorted(maps.Keys(next)) {
		was, ok := old[name]
		switch {
		case !ok:
			d.Added = append(d.Added, name)
		case !reflect.DeepEqual(was, next[name]):
			d.Changed = append(d.Changed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, ok := next[name]; !ok {
			d.Removed = append(d.Removed, name)
		}
	}
	return d
}

func peerContents(cfg *config.Config) map[string]any {
	all := map[string]any{}
	for i := range cfg.Peers {
		p := &cfg.Peers[i]
		all[p.Name.Value] = []any{p.PublicKey, p.Address, p.Profile.Value}
	}
	return all
}

func pluginContents(a *Assembly) map[string]string {
	all := map[string]string{}
	for name, p := range a.plugins {
		all[name] = p.digest
	}
	return all
}

// endpointContents leaves out the plugin's digest: another plugin file is a change of the plugin.
func endpointContents(a *Assembly) map[string]any {
	all := map[string]any{}
	for i := range a.cfg.Endpoints {
		c := &a.cfg.Endpoints[i]
		e := a.policyEndpoint(c)
		e.Digest = ""
		all[c.Name.Value] = e
	}
	return all
}

// ruleContents has all that is made of a rule, which overrides can make several of, under its name.
func ruleContents(a *Assembly) map[string][]string {
	all := map[string][]string{}
	for i := range a.effective {
		r := &a.effective[i]
		all[r.Name] = append(append(all[r.Name], r.policyRule()...), r.Reason)
	}
	return all
}
