package config

import "net/netip"

func endpointFields() []field[Endpoint] {
	return append(append([]field[Endpoint]{
		{Key{
			Name: "name", Type: "string", Required: true, Example: `"prod-db"`,
			Meaning:     "What the endpoint is called: a hostname in lower case, labels of letters, digits and hyphens joined by dots, at most 63 characters. Unique among endpoints.",
			Consequence: "Agents reach the endpoint by this name, which resolves inside the tunnel, on the port of `address`. Rules see it as `endpoint.name`.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) { e.Name = d.hostname(k, v) }},
		{Key{
			Name: "address", Type: "string", Required: true, Example: `"db.internal:5432"`,
			Meaning:     "The upstream, `host:port`: a name that the gateway's own resolver knows, or an IP address.",
			Consequence: "The gateway dials it, once a connection is allowed. An IP address works for agents as well, on exactly this port; a name does not, unless it is the endpoint's name too. When two endpoints of a profile have the same IP address and port, agents reach each by its name only.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) {
			if text, ok := d.text(k, v); ok {
				host, port, err := hostPort(text.Value)
				if err != nil {
					d.problem(text.start, "address %s %v; write address = %s", quote(text.Value), err, k.Example)
					return
				}
				e.Address, e.Host, e.Port = text, host, port
				if ip, err := netip.ParseAddr(host); err == nil {
					e.IP = ip.Unmap()
				}
			}
		}},
		{Key{
			Name: "plugin", Type: "string", Required: true, Example: `"postgres"`,
			Meaning:     "The plugin that understands what agents say here: a name from `[plugins]`, or `\"none\"`.",
			Consequence: "The plugin decides what actions rules can speak of. With `\"none\"` only the connection itself is decided; everything inside of it passes uninspected.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) { e.Plugin, _ = d.text(k, v) }},
		{Key{
			Name: "profiles", Type: "list of strings, or table", Required: true, Example: `["dev"]`,
			Meaning:     "The profiles whose peers may see the endpoint, at least one. As a table, `{ dev = \"prod-db-agent\" }`, each with the name of the `[[credential]]` that the gateway logs in with for it, or `\"none\"`.",
			Consequence: "For every other peer the endpoint does not exist: its name is not resolved and its address is reset. Agents of a profile with a credential need no password of their own; without one they log in by themselves.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) { d.profiles(k, v, e) }},
		{Key{
			Name: "options", Type: "table", Default: "the plugin's own defaults", Example: `{ max_message = 65536 }`,
			Meaning:     "Settings for the plugin: booleans, integers, strings and lists of strings. Which ones there are, the plugin's manifest says.",
			Consequence: "They are checked against the manifest when the configuration is loaded: an unknown name, a wrong type or a value out of range is an error. `\"none\"` has no options.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) { e.Options = d.options(k, v) }},
	}, transportFields()...), append(sshFields(), policyEndpointFields()...)...)
}
