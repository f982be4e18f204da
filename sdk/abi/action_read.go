//go:build !wasip1

package abi

import (
	"fmt"
	"slices"
)

// Value is one field of an action. Known false: the plugin could not tell, and nothing else is set.
type Value struct {
	Known bool
	Bool  bool
	Int   int64
	Str   string
	List  []string
}

// Action is what the agent is about to do, in the vocabulary of one family of the manifest.
type Action struct {
	Family *Family
	Class  Class
	Title  string
	// Values holds one value for each field of the family, in the manifest's order.
	Values []Value
}

// ReadAction reads an encoded action against the manifest that declared its words. Values of a field with a closed set
// that are not in it, unknown classes and fields given twice are errors: such a plugin does not keep its own word.
func ReadAction(b []byte, m *Manifest) (*Action, error) {
	a := new(Action)
	if err := a.Read(b, m); err != nil {
		return nil, err
	}
	return a, nil
}

// Read is ReadAction into the memory of an action that was read before, whose slices it uses again. Its strings are new.
func (a *Action) Read(b []byte, m *Manifest) error {
	r := textReader{reader: reader{b: b}, text: string(b)}
	family, class, title := r.u16(), Class(r.u8()), r.str()
	n := r.u16()
	if r.err != nil {
		return fmt.Errorf("action: %w", r.err)
	}
	if int(family) >= len(m.Families) {
		return fmt.Errorf("action: family %d of %d", family, len(m.Families))
	}
	if !class.Valid() {
		return fmt.Errorf("action: %v is not defined", class)
	}
	if len(title) > MaxTitle {
		return fmt.Errorf("action: a title of %d bytes, the limit is %d", len(title), MaxTitle)
	}
	f := &m.Families[family]
	a.Family, a.Class, a.Title = f, class, title
	a.Values = slices.Grow(a.Values[:0], len(f.Fields))[:len(f.Fields)]
	for i := range a.Values {
		a.Values[i] = Value{List: a.Values[i].List[:0]}
	}
	if err := a.readFields(&r, n); err != nil {
		return fmt.Errorf("action of family %s: %w", f.Name, err)
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("action of family %s: %w", f.Name, err)
	}
	return nil
}

// textReader reads strings as parts of one, so that all of them cost one allocation.
type textReader struct {
	reader
	text string // of which the reader's bytes are the end
}

func (r *textReader) str() string {
	n := len(r.bytes())
	end := len(r.text) - len(r.b)
	return r.text[end-n : end]
}

func (a *Action) readFields(r *textReader, n uint16) error {
	var seen [MaxFields]bool
	for ; n > 0; n-- {
		i, known := int(r.u16()), r.u8()
		if r.err != nil {
			return r.err
		}
		if i >= len(a.Values) {
			return fmt.Errorf("field %d of %d", i, len(a.Values))
		}
		field := &a.Family.Fields[i]
		if seen[i] {
			return fmt.Errorf("field %s is given twice", field.Name)
		}
		seen[i] = true
		switch known {
		case 0:
		case 1:
			if err := a.Values[i].read(r, field); err != nil {
				return fmt.Errorf("field %s: %w", field.Name, err)
			}
		default:
			return fmt.Errorf("field %s: known is %d, not 0 or 1", field.Name, known)
		}
	}
	return nil
}

func (v *Value) read(r *textReader, f *Field) error {
	switch f.Type {
	case TypeBool:
		b := r.u8()
		if b > 1 {
			return fmt.Errorf("a bool is %d, not 0 or 1", b)
		}
		v.Bool = b == 1
	case TypeInt:
		v.Int = int64(r.u64())
	case TypeString:
		v.Str = r.str()
		if r.err == nil && !f.allows(v.Str) {
			return fmt.Errorf("%q is not one of its declared values", v.Str)
		}
	case TypeStrings:
		n := r.u32()
		if uint64(n)*4 > uint64(len(r.b)) {
			return ErrShort
		}
		v.List = slices.Grow(v.List[:0], int(n))
		for ; n > 0 && r.err == nil; n-- {
			s := r.str()
			if r.err == nil && !f.allows(s) {
				return fmt.Errorf("%q is not one of its declared values", s)
			}
			v.List = append(v.List, s)
		}
	default:
		return fmt.Errorf("type %q", f.Type)
	}
	v.Known = r.err == nil
	return r.err
}
