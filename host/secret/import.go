package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Named is a secret that is imported.
type Named struct {
	Name  string
	Value []byte
}

// ParseImport reads secrets from NAME=VALUE lines or from one JSON object of names and strings. Errors name the line or the name, never a
// value. Every name and value is checked; a name that is there twice is an error.
func ParseImport(text []byte) ([]Named, error) {
	var all []Named
	var err error
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		all, err = importJSON(trimmed)
	} else {
		all, err = importLines(text)
	}
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("there is no secret in it")
	}
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.Name] {
			return nil, fmt.Errorf("%s is there twice", s.Name)
		}
		seen[s.Name] = true
		if err := CheckValue(s.Value); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return all, nil
}

func importJSON(text []byte) ([]Named, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return nil, errors.New("it is not JSON")
	}
	var all []Named
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, errors.New("it is not JSON")
		}
		if err := CheckName(name); err != nil {
			return nil, fmt.Errorf("the name of value %d: %w", len(all)+1, err)
		}
		value, err := d.Token()
		text, ok := value.(string)
		if err != nil || !ok {
			return nil, fmt.Errorf("%s is not a string", name)
		}
		all = append(all, Named{name, []byte(text)})
	}
	if _, err := d.Token(); err != nil || d.More() {
		return nil, errors.New("it is not one JSON object")
	}
	return all, nil
}

func importLines(text []byte) ([]Named, error) {
	var all []Named
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok {
			return nil, fmt.Errorf("line %d is not NAME=VALUE", i+1)
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if err := CheckName(name); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if n := len(value); n >= 1 && slices.Contains([]byte(`"'`), value[0]) {
			if n < 2 || value[n-1] != value[0] || strings.ContainsRune(value[1:n-1], rune(value[0])) {
				return nil, fmt.Errorf("line %d: the value of %s begins with a quote that does not end at its end", i+1, name)
			}
			if strings.Contains(value, `\`) && value[0] == '"' {
				return nil, fmt.Errorf(`line %d: the value of %s has a backslash in double quotes, which programs read in different ways; write it in single quotes, or use 'sallyport secret set'`, i+1, name)
			}
			value = value[1 : n-1]
		}
		all = append(all, Named{name, []byte(value)})
	}
	return all, nil
}
