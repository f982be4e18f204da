package config

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/sallyport-dev/sallyport/host/nearest"
)

// check finds what is wrong between the parts of a configuration.
func (d *decoder) check(cfg *Config) {
	d.checkPeers(cfg)
	d.checkCredentials(cfg)
	d.checkEndpoints(cfg)
	d.checkClients(cfg)
	d.checkIdentity(cfg.Gateway.CA, "ca_cert", "ca_key")
	d.checkRules(cfg)
	d.checkApprovers(cfg)
	d.checkJudges(cfg)
	d.checkSecrets(cfg)
	d.checkReceipts(cfg)
	if d.missing && len(d.problems) == 0 {
		d.checkUse(cfg)
	}
}

// first keeps the place where each value of a kind was seen first, and reports the second.
type first[K comparable] map[K]Pos

func (f first[K]) seen(d *decoder, key K, at Pos, format string, args ...any) {
	if before, ok := f[key]; ok {
		d.problem(at, "%s is there already, on line %d", fmt.Sprintf(format, args...), before.Line)
		return
	}
	f[key] = at
}

func (d *decoder) checkPeers(cfg *Config) {
	names, keys, addresses := first[string]{}, first[[32]byte]{}, first[netip.Addr]{}
	network := cfg.Gateway.Network
	for _, p := range cfg.Peers {
		if p.Name.IsSet() {
			names.seen(d, p.Name.Value, p.Name.start, "a peer %q", p.Name)
		}
		if p.PublicKey != [32]byte{} {
			keys.seen(d, p.PublicKey, p.PublicKeyPos, "a peer with this public_key")
		}
		if !p.Address.IsValid() {
			continue
		}
		addresses.seen(d, p.Address, p.AddressPos, "a peer with the address %s", p.Address)
		switch {
		case d.lost:
		case p.Address == GatewayAddress(network):
			d.problem(p.AddressPos, "address %s is the gateway's own; peers have %s", p.Address, peerSpace(network))
		case !forPeers(network, p.Address):
			d.problem(p.AddressPos, "address %s is not in the peers' half of network %s; peers have %s", p.Address, network, peerSpace(network))
		}
	}
}

func (d *decoder) checkEndpoints(cfg *Config) {
	names := first[string]{}
	plugins := []string{None}
	for _, p := range cfg.Plugins {
		plugins = append(plugins, p.Name.Value)
	}
	space := int(half(cfg.Gateway.Network)) - 2
	for i, e := range cfg.Endpoints {
		if e.Name.IsSet() {
			names.seen(d, e.Name.Value, e.Name.start, "an endpoint %q", e.Name)
		}
		if i == space && !d.lost {
			d.problem(e.Pos, "network %s has addresses for %d endpoints only; set a larger one in [gateway]", cfg.Gateway.Network, i)
		}
		if e.IP.IsValid() && !d.lost && cfg.Gateway.Network.Contains(e.IP) {
			d.problem(e.Address.start, "address %s is inside of the tunnel's own network %s", e.Address, cfg.Gateway.Network)
		}
		d.checkPluginOf(e, plugins)
		d.checkTransport(&cfg.Endpoints[i])
	}
}

func (d *decoder) checkPluginOf(e Endpoint, plugins []string) {
	switch {
	case !e.Plugin.IsSet():
	case !slices.Contains(plugins, e.Plugin.Value):
		if !d.missing {
			return
		}
		if d.known.Builtins != nil && slices.Contains(d.known.Builtins, e.Plugin.Value) {
			d.problem(e.Plugin.start, "plugin %q is not in [plugins]; add %s = \"builtin\" there", e.Plugin, e.Plugin)
			return
		}
		d.problem(e.Plugin.start, "there is no plugin %s in [plugins]%s", quote(e.Plugin.Value), d.hint(e.Plugin.Value, plugins))
	case e.Plugin.Value == None:
		for _, o := range e.Options {
			d.problem(o.Name.start, `option %s changes nothing: plugin "none" looks at nothing; remove it`, quote(o.Name.Value))
		}
	}
}

// checkUse warns of what is valid and has no effect.
func (d *decoder) checkUse(cfg *Config) {
	d.useOfProfiles(cfg)
	used := map[string]bool{}
	type door struct {
		profile string
		at      netip.AddrPort
	}
	literals := map[door]Text{}
	for _, e := range cfg.Endpoints {
		used[e.Plugin.Value] = true
		if !e.IP.IsValid() {
			continue
		}
		for _, p := range e.Profiles {
			k := door{p.Value, netip.AddrPortFrom(e.IP, e.Port)}
			if other, ok := literals[k]; ok {
				d.warn(e.Address.start, "endpoint %q has this address too, for the same profile %q: agents reach both by name only", other, p)
				break
			}
			literals[k] = e.Name
		}
	}
	d.useOfCredentials(cfg)
	d.useOfApprovers(cfg)
	d.useOfJudges(cfg)
	for _, p := range cfg.Plugins {
		if !used[p.Name.Value] {
			d.warn(p.Pos, "no endpoint uses the plugin %q", p.Name)
		}
	}
	if len(cfg.Endpoints) > 0 && len(cfg.Rules) == 0 && len(cfg.Gateway.Packs) == 0 {
		d.warn(cfg.Endpoints[0].Pos, "there is no [[rule]] and no pack, so every connection is denied")
	}
}

// useOfProfiles warns of profiles that only peers have or only endpoints list.
func (d *decoder) useOfProfiles(cfg *Config) {
	peers, endpoints := map[string]bool{}, map[string]bool{}
	for _, p := range cfg.Peers {
		peers[p.Profile.Value] = true
	}
	for _, e := range cfg.Endpoints {
		for _, p := range e.Profiles {
			endpoints[p.Value] = true
		}
	}
	for _, p := range cfg.Peers {
		if !endpoints[p.Profile.Value] {
			d.warn(p.Profile.start, "no endpoint lists the profile %q, so peer %q can reach nothing%s", p.Profile, p.Name, meant(p.Profile.Value, endpoints))
		}
	}
	if len(peers) == 0 {
		return
	}
	for _, e := range cfg.Endpoints {
		for _, p := range e.Profiles {
			if !peers[p.Value] {
				d.warn(p.start, "no peer has the profile %q%s", p, meant(p.Value, peers))
			}
		}
	}
}

// meant is a hint for a word out of a set.
func meant(word string, valid map[string]bool) string {
	words := make([]string, 0, len(valid))
	for w := range valid {
		words = append(words, w)
	}
	slices.SortFunc(words, cmp.Compare[string])
	if w, ok := nearest.Word(word, words); ok {
		return fmt.Sprintf("; did you mean %q?", w)
	}
	return ""
}
