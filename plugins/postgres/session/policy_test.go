package session

import (
	"fmt"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// verdict is what a test's policy says of an action.
type verdict struct {
	outcome abi.Outcome
	hold    bool // decided later, by gate.decideHeld
	reason  string
	rule    string
}

var allow = verdict{}

func deny(reason string) verdict {
	return verdict{outcome: abi.Deny, reason: reason, rule: "test rule"}
}

// action is an action as a test reads it.
type action struct {
	*abi.Action
	id        uint32
	streaming bool
}

func (a *action) value(name string) *abi.Value {
	for i := range a.Family.Fields {
		if a.Family.Fields[i].Name == name {
			return &a.Values[i]
		}
	}
	panic("no field " + name)
}

func (a *action) text() string { return a.value("text").Str }

func (a *action) has(field, value string) bool {
	for _, v := range a.value(field).List {
		if v == value {
			return true
		}
	}
	return false
}

// allowAll allows everything.
func allowAll(*action) verdict { return allow }

// noDeletes denies what could delete, the opaque included.
func noDeletes(a *action) verdict {
	if a.Class >= abi.ClassDelete {
		return deny("no " + a.Class.String())
	}
	return allow
}

// differ shows where two texts part, shortly.
func differ(got, want string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	part := func(s string) string { return fmt.Sprintf("…%q", s[max(0, i-100):min(len(s), i+200)]) }
	return "got  " + part(got) + "\nwant " + part(want)
}
