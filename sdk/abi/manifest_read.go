//go:build !wasip1

package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
)

var (
	namePattern  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	fieldPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

// ParseManifest reads and checks a plugin's manifest. Keys that version 0 does not know are errors.
func ParseManifest(b []byte) (*Manifest, error) {
	if len(b) > MaxManifest {
		return nil, fmt.Errorf("manifest: %d bytes, the limit is %d", len(b), MaxManifest)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var m Manifest
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // More says no before a stray bracket
		return nil, errors.New("manifest: something follows the JSON object")
	}
	if err := m.Check(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return &m, nil
}

// Check says what is wrong with a manifest.
func (m *Manifest) Check() error {
	if !namePattern.MatchString(m.Name) {
		return fmt.Errorf("name %q is not of the form [a-z][a-z0-9-]*", m.Name)
	}
	if len(m.Families) == 0 {
		return errors.New("no family is declared: a plugin that names no action can pass no byte")
	}
	seen := map[string]bool{}
	for i := range m.Families {
		f := &m.Families[i]
		if !fieldPattern.MatchString(f.Name) || f.Name == "action" || f.Name == "peer" || f.Name == "endpoint" || seen[f.Name] {
			return fmt.Errorf("family %q: not of the form [a-z][a-z0-9_]*, reserved, or declared twice", f.Name)
		}
		seen[f.Name] = true
		err := f.check()
		if err == nil && f.Name == FamilyResponse {
			err = f.checkResponse()
		}
		if err != nil {
			return fmt.Errorf("family %s: %w", f.Name, err)
		}
	}
	if err := checkOptions(m.Options); err != nil {
		return err
	}
	for i, c := range m.Stock {
		if c.Name == "" || len(c.Bytes) == 0 || len(c.Bytes) > 1<<10 {
			return fmt.Errorf("stock %d: wants a name and 1 to 1024 bytes", i)
		}
	}
	for i, c := range m.Companions {
		if !namePattern.MatchString(c.Name) {
			return fmt.Errorf("companion %d: name %q is not of the form [a-z][a-z0-9-]*", i, c.Name)
		}
	}
	if t := m.TLS; t != nil {
		if len(t.Protocols) > 8 {
			return fmt.Errorf("tls: %d protocols, the limit is 8", len(t.Protocols))
		}
		for i, p := range t.Protocols {
			if p == "" || len(p) > 32 || slices.Contains(t.Protocols[:i], p) {
				return fmt.Errorf("tls: protocol %q is empty, too long, or there twice", p)
			}
		}
	}
	switch {
	case m.Transport != "" && m.Transport != TransportSSH:
		return fmt.Errorf("transport %q is not known; %q is, and none", m.Transport, TransportSSH)
	case m.Transport != "" && m.TLS != nil:
		return fmt.Errorf("tls changes nothing with transport %q", m.Transport)
	}
	return m.checkCredential()
}

// checkCredential checks what a credential may have: slots and attributes are keys of one table of the configuration.
func (m *Manifest) checkCredential() error {
	if len(m.Slots) > MaxSlots || len(m.Attributes) > MaxSlots {
		return fmt.Errorf("%d slots and %d attributes, the limit is %d of each", len(m.Slots), len(m.Attributes), MaxSlots)
	}
	seen := map[string]bool{"name": true, "methods": true, "client_cert": true, "client_key": true}
	for _, s := range m.Slots {
		if !fieldPattern.MatchString(s.Name) || seen[s.Name] {
			return fmt.Errorf("slot %q: not of the form [a-z][a-z0-9_]*, reserved, or declared twice", s.Name)
		}
		if !namePattern.MatchString(s.Form) {
			return fmt.Errorf("slot %s: form %q is not of the form [a-z][a-z0-9-]*", s.Name, s.Form)
		}
		seen[s.Name] = true
	}
	for _, a := range m.Attributes {
		if !fieldPattern.MatchString(a.Name) || seen[a.Name] {
			return fmt.Errorf("attribute %q: not of the form [a-z][a-z0-9_]*, reserved, or declared twice", a.Name)
		}
		seen[a.Name] = true
	}
	return nil
}

func (f *Family) check() error {
	if len(f.Fields) > MaxFields {
		return fmt.Errorf("%d fields, the limit is %d", len(f.Fields), MaxFields)
	}
	seen := map[string]bool{}
	for _, d := range f.Fields {
		if !fieldPattern.MatchString(d.Name) || seen[d.Name] {
			return fmt.Errorf("field %q: not of the form [a-z][a-z0-9_]*, or declared twice", d.Name)
		}
		seen[d.Name] = true
		switch d.Type {
		case TypeString, TypeStrings:
		case TypeBool, TypeInt:
			if len(d.Values) > 0 {
				return fmt.Errorf("field %s: only strings have a set of values", d.Name)
			}
		default:
			return fmt.Errorf("field %s: type %q is not one of bool, int, string, strings", d.Name, d.Type)
		}
		switch d.Role {
		case "":
		case RoleText, RoleNormalized, RoleValues, RoleFingerprint:
			if d.Type != TypeString && d.Type != TypeStrings {
				return fmt.Errorf("field %s: only strings have a role", d.Name)
			}
		default:
			return fmt.Errorf("field %s: role %q is not one of text, normalized, values, fingerprint", d.Name, d.Role)
		}
	}
	return nil
}

func checkOptions(options []Option) error {
	seen := map[string]bool{}
	for _, o := range options {
		if !fieldPattern.MatchString(o.Name) || seen[o.Name] {
			return fmt.Errorf("option %q: not of the form [a-z][a-z0-9_]*, or declared twice", o.Name)
		}
		seen[o.Name] = true
		switch {
		case o.Type != TypeString && len(o.Values) > 0:
			return fmt.Errorf("option %s: only strings have a set of values", o.Name)
		case (o.Min != 0 || o.Max != 0) && (o.Type != TypeInt || o.Min >= o.Max):
			return fmt.Errorf("option %s: min and max are for ints, and min must be less than max", o.Name)
		}
		if _, err := o.value(o.Default); err != nil {
			return fmt.Errorf("option %s: its default: %w", o.Name, err)
		}
	}
	return nil
}

// OptionError says what is wrong with one option of an endpoint.
type OptionError struct {
	Option string
	Err    error
}

func (e *OptionError) Error() string { return fmt.Sprintf("option %s: %v", e.Option, e.Err) }
func (e *OptionError) Unwrap() error { return e.Err }

// ResolveOptions checks what an endpoint sets against the declared options and returns the JSON object that
// sallyport_configure gets, every option in it. An unknown name or a wrong value is an *OptionError.
func (m *Manifest) ResolveOptions(set map[string]any) ([]byte, error) {
	out := make(map[string]any, len(m.Options))
	for name := range set {
		if !slices.ContainsFunc(m.Options, func(o Option) bool { return o.Name == name }) {
			return nil, &OptionError{name, fmt.Errorf("the plugin %s has no such option", m.Name)}
		}
	}
	for _, o := range m.Options {
		v, ok := set[o.Name]
		if !ok {
			v = o.Default
		}
		checked, err := o.value(v)
		if err != nil {
			return nil, &OptionError{o.Name, err}
		}
		out[o.Name] = checked
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("options: %w", err)
	}
	return b, nil
}

// value checks one value; ints come as int64 from TOML and as float64 from JSON.
func (o *Option) value(v any) (any, error) {
	switch o.Type {
	case TypeBool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case TypeInt:
		n, ok := integer(v)
		if ok && o.Min < o.Max && (n < o.Min || n > o.Max) {
			return nil, fmt.Errorf("%d is not between %d and %d", n, o.Min, o.Max)
		}
		if ok {
			return n, nil
		}
	case TypeString:
		s, ok := v.(string)
		if ok && len(o.Values) > 0 && !slices.Contains(o.Values, s) {
			return nil, fmt.Errorf("%q is not one of %q", s, o.Values)
		}
		if ok {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%v (%T) is not of type %s", v, v, o.Type)
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case float64:
		const limit = 1 << 53 // from here on a float64 may stand for another int
		if n != math.Trunc(n) || n < -limit || n > limit {
			return 0, false
		}
		return int64(n), true
	}
	return 0, false
}
