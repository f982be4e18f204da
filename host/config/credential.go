package config

import (
	"fmt"
	"strings"
	"unicode"
)

// Credential is a table [[credential]]: what the gateway logs in with at an endpoint, in the agent's place.
type Credential struct {
	Name Text
	// Methods are the login methods that may be used; nil: those that are safe on the endpoint's transport.
	Methods []Text
	// Settings are the other keys, in the order of the file: the slots and attributes of the plugin of the endpoint that uses the
	// credential. Not yet checked against its manifest, and a value may be a secret that somebody wrote here by mistake: it is not
	// to be printed before it is known to be an attribute.
	Settings []Setting
	// Client is what the gateway shows to an upstream that asks for a certificate.
	Client Identity
	Pos    Pos
}

// Setting is one key of a credential.
type Setting struct{ Name, Value Text }

// NoCredential is what a profile has in place of a credential where agents log in by themselves.
const NoCredential = "none"

func credentialFields() []field[Credential] {
	return append([]field[Credential]{
		{Key{
			Name: "name", Type: "string", Required: true, Example: `"prod-db-agent"`,
			Meaning:     "What the credential is called: a name like a peer's. Unique among credentials.",
			Consequence: "`profiles` of an endpoint refer to it. A credential that no endpoint refers to is worth a warning.",
		}, func(d *decoder, k Key, v *value, c *Credential) {
			if c.Name = d.name(k, v); c.Name.Value == NoCredential {
				d.problem(c.Name.start, `a credential cannot be called "none": that is what a profile without one has`)
			}
		}},
		{Key{
			Name: "methods", Type: "list of strings", Default: "what is safe", Example: `["scram-sha-256"]`,
			Meaning:     "The login methods that may be used. For slots of form `postgres`: `scram-sha-256-plus` (with channel binding), `scram-sha-256` (with channel binding where it is possible), `md5`, `password`.",
			Consequence: "A server that asks for anything else gets nothing, and the connection is refused. Without this key every method may be used at an endpoint whose certificate is verified (`verify-ca`, `verify-full`), and SCRAM only elsewhere. A server that asks for no login at all is refused when this key is there.",
		}, func(d *decoder, k Key, v *value, c *Credential) { c.Methods = d.list(k, v) }},
	}, identityFields()...)
}

// settingKey describes the keys of a credential that the plugin chooses.
func settingKey() Key {
	return Key{
		Table: "credential", Name: "NAME", Type: "string", Default: "what the agent says", Example: `"env:PROD_DB_PASSWORD"`,
		Meaning:     "A slot or an attribute that the endpoint's plugin declares. A slot holds a secret and takes a reference to it ([secrets.md](secrets.md)), such as `\"env:NAME\"` or `\"sealed:NAME\"`, never the secret itself; an attribute is written as it is. The plugin `postgres` has the slot `password` and the attributes `user` and `database`.",
		Consequence: "The gateway reads the secret when it starts and uses it in the agent's place; neither the agent nor the plugin ever sees it. A key that the plugin does not declare is an error.",
	}
}

// credentials reads the tables [[credential]].
func (d *decoder) credentials(cfg *Config, e *entry) {
	fields := credentialFields()
	var rest [][]*entry
	if e.value.kind == kindArray {
		for _, v := range e.value.elems {
			if v.kind == kindTable {
				rest = append(rest, detach(v.table, fields))
			}
		}
	}
	many(d, e, fields, &cfg.Credentials, func(p Pos) Credential { return Credential{Pos: p} })
	for i := range cfg.Credentials {
		c := &cfg.Credentials[i]
		for _, s := range rest[i] {
			d.setting(c, s)
		}
		if len(rest[i]) == 0 && c.Client.IsZero() && d.missing {
			d.problem(c.Pos, "credential %s holds nothing; give it what the plugin of its endpoints declares, such as password = %s", quote(c.Name.Value), settingKey().Example)
		}
	}
}

// detach takes the entries out of a table that fields do not describe.
func detach[T any](t *table, fields []field[T]) (others []*entry) {
	kept := t.entries[:0:0]
	for _, e := range t.entries {
		known := false
		for _, f := range fields {
			known = known || f.Name == e.key.Value
		}
		if known {
			kept = append(kept, e)
		} else {
			others = append(others, e)
		}
	}
	t.entries = kept
	return others
}

// setting reads one of the keys that the plugin chooses. Its value is never repeated: it may be a secret.
func (d *decoder) setting(c *Credential, e *entry) {
	k := settingKey()
	k.Name, k.Example = shorten(e.key.Value), `"…"`
	text, ok := d.text(k, e.value)
	if !ok {
		return
	}
	if strings.ContainsFunc(text.Value, func(r rune) bool { return !unicode.IsPrint(r) }) {
		d.problem(text.start, "%s must be one line of printable characters", k.Name)
		return
	}
	c.Settings = append(c.Settings, Setting{e.key, text})
}

// profiles reads the profiles of an endpoint: names, or names with credentials.
func (d *decoder) profiles(k Key, v *value, e *Endpoint) {
	if v.kind != kindTable {
		for _, text := range d.list(k, v) {
			d.nameForm(k, text)
			e.Profiles = append(e.Profiles, text)
		}
		return
	}
	if len(v.table.entries) == 0 {
		d.problem(v.pos, "profiles lists nothing; write profiles = %s", k.Example)
	}
	e.Credentials = map[string]Text{}
	for _, p := range v.table.entries {
		d.nameForm(k, p.key)
		e.Profiles = append(e.Profiles, p.key)
		switch text := p.value.text; {
		case p.value.kind != kindString, text.Value == "":
			d.problem(p.value.pos, `profile %s needs the name of a credential; write %s = "NAME", or %s = "none" where agents log in by themselves`,
				shorten(p.key.Value), p.key.raw, p.key.raw)
		case text.Value != NoCredential:
			e.Credentials[p.key.Value] = text
		}
	}
}

// checkCredentials checks that names are unique and that endpoints refer to credentials that are there.
func (d *decoder) checkCredentials(cfg *Config) {
	names := first[string]{}
	var all []string
	for _, c := range cfg.Credentials {
		if c.Name.IsSet() {
			names.seen(d, c.Name.Value, c.Name.start, "a credential %q", c.Name)
			all = append(all, c.Name.Value)
		}
	}
	if !d.missing {
		return
	}
	for _, e := range cfg.Endpoints {
		for _, p := range e.Profiles {
			c, ok := e.Credentials[p.Value]
			if !ok {
				continue
			}
			if _, ok := names[c.Value]; !ok {
				how := d.hint(c.Value, all)
				if len(all) == 0 {
					how = fmt.Sprintf("; there is none at all: add a [[credential]] with name = %s", quote(c.Value))
				}
				d.problem(c.start, "there is no credential %s%s", quote(c.Value), how)
			}
		}
	}
}

// useOfCredentials warns of credentials that nobody uses.
func (d *decoder) useOfCredentials(cfg *Config) {
	used := map[string]bool{}
	for _, e := range cfg.Endpoints {
		for _, c := range e.Credentials {
			used[c.Value] = true
		}
	}
	for _, c := range cfg.Credentials {
		if !used[c.Name.Value] {
			d.warn(c.Name.start, "no endpoint uses the credential %q", c.Name)
		}
	}
}
