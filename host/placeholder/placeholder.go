// Package placeholder says what the gateway may put into the environment of an agent's command: harmless words where programs insist on a
// token, a key or a password, and how they travel to `sallyport run`.
//
// A command's environment can do much more than hold a token (LD_PRELOAD, NODE_OPTIONS, GIT_SSH_COMMAND), and the gateway has no business on the
// agent's host. So only names that end like those of credentials are taken, on both ends.
package placeholder

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Bounds.
const (
	MaxVariables = 64
	MaxName      = 128 // bytes
	MaxValue     = 512 // bytes
	// MaxText bounds what Encode writes, in bytes.
	MaxText = MaxVariables*(MaxName+6*MaxValue+8) + 2
)

// Variable is one of them.
type Variable struct{ Name, Value string }

// endings are the last words of names that may be set.
var endings = []string{"KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASS", "PAT", "ID", "USER", "USERNAME", "CREDENTIAL", "REGION"}

// CheckName says what is wrong with a name.
func CheckName(name string) error {
	if name == "" || len(name) > MaxName || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" || name[0] >= '0' && name[0] <= '9' {
		return fmt.Errorf("%q is no name of a variable in capitals", name)
	}
	if last := name[strings.LastIndexByte(name, '_')+1:]; !slices.Contains(endings, last) {
		return fmt.Errorf("%q does not end like the name of a credential: %s", name, strings.Join(endings, ", "))
	}
	return nil
}

// CheckValue says what is wrong with a value.
func CheckValue(value string) error {
	switch {
	case value == "":
		return errors.New("it is empty")
	case len(value) > MaxValue:
		return fmt.Errorf("it is longer than %d bytes", MaxValue)
	}
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7f {
			return errors.New("it holds something else than visible ASCII")
		}
	}
	return nil
}

// Encode writes variables as a JSON object.
func Encode(list []Variable) []byte {
	m := map[string]string{}
	for _, v := range list {
		m[v.Name] = v.Value
	}
	text, err := json.Marshal(m)
	if err != nil { // of strings it never fails
		return []byte("{}")
	}
	return text
}

// Decode reads what Encode wrote, in the order of the names. Nothing of a text is taken that has anything in it that may not be set.
func Decode(text []byte) ([]Variable, error) {
	var m map[string]string
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("read the placeholders: %w", err)
	}
	if len(m) > MaxVariables {
		return nil, fmt.Errorf("there are %d placeholders, more than %d", len(m), MaxVariables)
	}
	var list []Variable
	for name, value := range m {
		if err := CheckName(name); err != nil {
			return nil, err
		}
		if err := CheckValue(value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, Variable{name, value})
	}
	slices.SortFunc(list, func(a, b Variable) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}
