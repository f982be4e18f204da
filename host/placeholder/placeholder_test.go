package placeholder

import (
	"slices"
	"strings"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	list := []Variable{{"AWS_ACCESS_KEY_ID", "AKIA"}, {"GH_TOKEN", `a"<b`}, {"TOKEN", "x"}}
	if got, err := Decode(Encode(list)); err != nil || !slices.Equal(got, list) {
		t.Errorf("%v %v", got, err)
	}
	if got, err := Decode(Encode(nil)); err != nil || got != nil {
		t.Errorf("%v %v", got, err)
	}
	var many []Variable
	for i := range MaxVariables {
		many = append(many, Variable{strings.Repeat("A", i+1) + "_KEY", strings.Repeat(`"`, MaxValue)})
	}
	if text := Encode(many); len(text) > MaxText {
		t.Errorf("%d bytes", len(text))
	} else if got, err := Decode(text); err != nil || len(got) != len(many) {
		t.Errorf("%d %v", len(got), err)
	}
}

// TestRefused: what could do something on the agent's host is taken by neither end.
func TestRefused(t *testing.T) {
	for _, name := range []string{"", "PATH", "LD_PRELOAD", "BASH_ENV", "NODE_OPTIONS", "GIT_SSH_COMMAND", "GIT_ASKPASS", "PYTHONSTARTUP", "a_key", "A-KEY", "1_KEY", "A KEY", "KEYS", "A_KEY\x00", strings.Repeat("A", MaxName) + "_KEY"} {
		if CheckName(name) == nil {
			t.Errorf("%q is taken", name)
		}
		if _, err := Decode(Encode([]Variable{{"GOOD_KEY", "x"}, {name, "x"}})); err == nil {
			t.Errorf("%q is read", name)
		}
	}
	for _, value := range []string{"", "two words", "line\n", "nul\x00", "ä", strings.Repeat("x", MaxValue+1)} {
		if CheckValue(value) == nil {
			t.Errorf("%q is taken", value)
		}
		if _, err := Decode(Encode([]Variable{{"GOOD_KEY", value}})); err == nil {
			t.Errorf("%q is read", value)
		}
	}
	for _, text := range []string{"", "[]", `{"A_KEY":1}`, "{", `{"A_KEY":"x"} {}`} {
		if _, err := Decode([]byte(text)); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}
