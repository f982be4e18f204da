package receipt

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Text says how much of what agents wrote is kept. Which fields that is, a plugin's manifest says (abi.Role).
type Text uint8

// The amounts. Fields without a role are always kept.
const (
	Full       Text = iota // everything
	Normalized             // texts without the values in them: fields of role text and values are left out
	None                   // neither texts nor what they were made into; the title is left out as well
)

// leaves reports whether a field of this role is left out.
func (t Text) leaves(r abi.Role) bool {
	switch r {
	case abi.RoleText, abi.RoleValues:
		return t != Full
	case abi.RoleNormalized:
		return t == None
	}
	return false
}

// plan is how the fields of a family are written, in the order of their names.
type plan []planned

type planned struct {
	index int
	name  string
	key   string // the name as a member of an object, with its colon
	kind  abi.Type
	left  bool // it is left out
}

func (e *encoder) plan(f *abi.Family) plan {
	if p, ok := e.plans[f]; ok {
		return p
	}
	if e.plans == nil || len(e.plans) >= 1024 {
		e.plans = map[*abi.Family]plan{}
	}
	p := make(plan, len(f.Fields))
	for i, d := range f.Fields {
		p[i] = planned{i, d.Name, string(append(appendString(nil, d.Name), ':')), d.Type, e.text.leaves(d.Role)}
	}
	slices.SortFunc(p, func(a, b planned) int { return cmp.Compare(a.name, b.name) })
	e.plans[f] = p
	return p
}

// choose notes which fields of the action are known and kept.
func (e *encoder) choose(a *abi.Action) {
	e.known = e.known[:0]
	for n, p := range e.plan(a.Family) {
		if p.index < len(a.Values) && a.Values[p.index].Known && !p.left {
			e.known = append(e.known, n)
		}
	}
}

// leftOut writes the names of the known fields that the settings leave out.
func (e *encoder) leftOut(b []byte, a *abi.Action) []byte {
	open := false
	for _, p := range e.plan(a.Family) {
		if !p.left || p.index >= len(a.Values) || !a.Values[p.index].Known {
			continue
		}
		if open {
			b = append(b, ',')
		} else {
			b = append(b, `,"left_out":[`...)
			open = true
		}
		b = append(b, p.key[:len(p.key)-1]...)
	}
	if open {
		b = append(b, ']')
	}
	return b
}

// cuts writes the sizes of the fields that do not fit: of a string in bytes, of a list in elements.
func (e *encoder) cuts(b []byte, a *abi.Action) []byte {
	open := false
	p := e.plan(a.Family)
	for _, n := range e.known {
		v := &a.Values[p[n].index]
		size := len(v.Str)
		if p[n].kind == abi.TypeStrings {
			size = len(v.List)
			if e.keep(v.List) == size {
				continue
			}
		} else if size <= e.maxField {
			continue
		}
		if open {
			b = append(b, ',')
		} else {
			b = append(b, `,"cut":{`...)
			open = true
		}
		b = strconv.AppendInt(append(b, p[n].key...), int64(size), 10)
	}
	if open {
		b = append(b, '}')
	}
	return b
}

// keep counts the elements of a list that fit.
func (e *encoder) keep(items []string) int {
	left := e.maxField
	for i, s := range items {
		if left -= len(s) + 4; left < 0 {
			return i
		}
	}
	return len(items)
}

func (e *encoder) fields(b []byte, a *abi.Action) []byte {
	if len(e.known) == 0 {
		return b
	}
	p := e.plan(a.Family)
	b = append(b, `,"fields":{`...)
	for i, n := range e.known {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.value(append(b, p[n].key...), p[n].kind, &a.Values[p[n].index])
	}
	return append(b, '}')
}

func (e *encoder) value(b []byte, t abi.Type, v *abi.Value) []byte {
	switch t {
	case abi.TypeBool:
		return strconv.AppendBool(b, v.Bool)
	case abi.TypeInt:
		if v.Int > maxExact || v.Int < -maxExact {
			b = strconv.AppendInt(append(b, '"'), v.Int, 10)
			return append(b, '"')
		}
		return strconv.AppendInt(b, v.Int, 10)
	case abi.TypeStrings:
		b = append(b, '[')
		for i, s := range v.List[:e.keep(v.List)] {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, s)
		}
		return append(b, ']')
	}
	return appendString(b, cut(v.Str, e.maxField))
}
