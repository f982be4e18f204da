package config

// plugin reads an entry of [plugins].
func (d *decoder) plugin(cfg *Config, e *entry) {
	p := Plugin{Name: e.key, Pos: e.key.start}
	if e.key.Value == None {
		d.problem(e.key.start, `"none" is the uninspected relay and always there; remove the entry`)
		return
	}
	named := d.nameForm(Key{Name: "plugin"}, e.key)
	switch e.value.kind {
	case kindString:
		p.Builtin = true
		if e.value.text.Value != "builtin" {
			d.problem(e.value.pos, "plugin %s must be \"builtin\" or a table, not %s; for a file write %s = { path = %s, sha256 = \"…\" }",
				e.key.Value, quote(e.value.text.Value), e.key.raw, quote(e.value.text.Value))
		} else if named {
			d.builtin(e)
		}
	case kindTable:
		decode(d, e.value.table, written("plugins."+e.key.Value), pluginFields(), &p)
	default:
		d.problem(e.value.pos, "plugin %s must be \"builtin\" or a table, not %s", e.key.Value, e.value.kind)
	}
	cfg.Plugins = append(cfg.Plugins, p)
}

// builtin checks that the gateway brings the plugin.
func (d *decoder) builtin(e *entry) {
	if d.known.Builtins == nil {
		return
	}
	for _, b := range d.known.Builtins {
		if b == e.key.Value {
			return
		}
	}
	d.problem(e.key.start, "the gateway brings no plugin %s%s", quote(e.key.Value), d.hint(e.key.Value, d.known.Builtins))
}

// options reads an endpoint's options. What they mean only the plugin knows.
func (d *decoder) options(k Key, v *value) []Option {
	if v.kind != kindTable {
		d.wrong(k, v, "a table")
		return nil
	}
	var options []Option
	for _, e := range v.table.entries {
		o := Option{Name: e.key, Pos: e.value.pos}
		switch e.value.kind {
		case kindBool:
			o.Value = e.value.boolean
		case kindInt:
			o.Value = e.value.integer
		case kindString:
			o.Value = e.value.text.Value
		case kindArray:
			list, ok := d.optionList(e)
			if !ok {
				continue
			}
			o.Value = list
			for _, elem := range e.value.elems {
				o.Elems = append(o.Elems, elem.pos)
			}
		default:
			d.problem(e.value.pos, "option %s must be a boolean, an integer, a string or a list of strings, not %s", quote(e.key.Value), e.value.kind)
			continue
		}
		options = append(options, o)
	}
	return options
}

func (d *decoder) optionList(e *entry) ([]string, bool) {
	list := []string{}
	for _, elem := range e.value.elems {
		if elem.kind != kindString {
			d.problem(elem.pos, "option %s must be a list of strings, not of %s", quote(e.key.Value), plural(elem.kind))
			return nil, false
		}
		list = append(list, elem.text.Value)
	}
	return list, true
}
