package config

import (
	"github.com/sallyport-dev/sallyport/host/placeholder"
	"github.com/sallyport-dev/sallyport/host/secret"
)

// Variable is a placeholder in the environment of an agent's command.
type Variable struct{ Name, Value Text }

// envField is the key env of a peer.
func envField() field[Peer] {
	return field[Peer]{Key{
		Name: "env", Type: "table", Default: "none", Example: `{ GH_TOKEN = "placeholder-github" }`,
		Meaning:     "Placeholders that `sallyport run` puts into the environment of the peer's commands, for programs that do not start without a token: names that end like those of credentials (`_KEY`, `_TOKEN`, `_SECRET`, `_PASSWORD`, `_ID`, `_USER`, `_REGION`, …), at most 64. They are no secrets.",
		Consequence: "A variable that is set already stays as it is, with a note. Where a credential says `placeholder` and `secret` the HTTP plugin puts the secret in the placeholder's place, in headers that carry credentials and nowhere else; everywhere else it is just a word.",
	}, func(d *decoder, k Key, v *value, p *Peer) { p.Env = d.env(k, v) }}
}

// env reads the placeholders of a peer.
func (d *decoder) env(k Key, v *value) (list []Variable) {
	if v.kind != kindTable {
		d.wrong(k, v, "a table")
		return nil
	}
	if n := len(v.table.entries); n > placeholder.MaxVariables {
		d.problem(v.pos, "env has %d variables, more than %d", n, placeholder.MaxVariables)
		return nil
	}
	for _, e := range v.table.entries {
		if err := placeholder.CheckName(e.key.Value); err != nil {
			d.problem(e.key.start, "env: %v", err)
			continue
		}
		if e.value.kind != kindString {
			d.problem(e.value.pos, "env: %s must be a string, not %s", quote(e.key.Value), e.value.kind)
			continue
		}
		text := e.value.text
		if _, err := secret.ParseReference(text.Value, "/"); err == nil {
			d.problem(e.value.pos, "env: %s refers to a secret, and what the agent gets is none: write a placeholder", quote(e.key.Value))
			continue
		}
		if err := placeholder.CheckValue(text.Value); err != nil {
			d.problem(e.value.pos, "env: the value of %s: %v", quote(e.key.Value), err)
			continue
		}
		list = append(list, Variable{e.key, text})
	}
	return list
}
