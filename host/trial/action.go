// Package trial tries policies on actions that are written down: by hand, as cases with an expected outcome, or by a gateway, as
// receipts.
//
// An action in a file has the members of a receipt: endpoint, peer, profile, family, class, title, streaming and fields. What fields
// does not have is unknown, as where a plugin could not tell, and so is what a receipt holds only a part of, or was told not to
// keep. A case adds name, usage, and the outcome and rule that are expected.
package trial

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport-dev/sallyport/host/decide"
	"github.com/sallyport-dev/sallyport/host/nearest"
	"github.com/sallyport-dev/sallyport/host/receipt"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Action is an action that is written down.
type Action struct {
	// Name is what a case is called, or the id of a receipt; Where is its place, such as "cases.toml: case 3".
	Name, Where string

	Endpoint, Peer, Profile string
	Family, Class, Title    string
	Streaming               bool
	// Fields are the values that are known and whole: bool, int64, string or []string.
	Fields map[string]any
	// Lost are the fields whose values the record does not have as they were.
	Lost []string
	// Usage is nil when it is not known.
	Usage *decide.Usage

	// Response is what comes back from it: fields of the family response; nil: the case is about the action alone.
	Response map[string]any

	// Judges is what every judge is assumed to answer: allow, deny, escalate or failed; empty: none is asked, and the outcome is judge.
	Judges string
	// Outcome is what is expected: allow, judge, hold, deny, would_judge, would_hold or would_deny, and with a Response also redact or
	// would_redact: what becomes of that, where the action is allowed; empty for an action that is only looked at. Rule is the rule that is expected to decide; empty: any.
	Outcome, Rule string

	// recorded says that it comes from a receipt: what does not fit the plugin of today is unknown, not a mistake.
	recorded bool
}

// Input makes what an engine decides about. Profile is the peer's. What does not fit the manifest is an error, but for receipts.
func (a *Action) Input(m *abi.Manifest, profile string) (decide.Input, error) {
	i := slices.IndexFunc(m.Families, func(f abi.Family) bool { return f.Name == a.Family })
	if i < 0 {
		var names []string
		for _, f := range m.Families {
			names = append(names, f.Name)
		}
		return decide.Input{}, fmt.Errorf("endpoint %q has no family %q%s", a.Endpoint, a.Family, hint(a.Family, names))
	}
	class := slices.Index(abi.ClassNames(), a.Class)
	if class < 0 {
		return decide.Input{}, fmt.Errorf("unknown class %q%s", a.Class, hint(a.Class, abi.ClassNames()))
	}
	family := &m.Families[i]
	action := &abi.Action{Family: family, Class: abi.Class(class), Title: a.Title, Values: make([]abi.Value, len(family.Fields))}
	for _, name := range slices.Sorted(maps.Keys(a.Fields)) {
		if err := a.set(action, name, a.Fields[name]); err != nil {
			return decide.Input{}, err
		}
	}
	in := decide.Input{Endpoint: a.Endpoint, Peer: a.Peer, Profile: profile, Action: action, Streaming: a.Streaming, NoUsage: a.Usage == nil,
		NoTitle: a.recorded && a.Title == ""}
	if a.Usage != nil {
		in.Usage = *a.Usage
	}
	return in, nil
}

// Answer makes the answer of a case, in the words of m. Where it does not say so it has as many bytes as its text, and is whole.
func (a *Action) Answer(m *abi.Manifest) (*abi.Action, error) {
	family := m.Family(abi.FamilyResponse)
	if family == nil {
		return nil, fmt.Errorf("the plugin of endpoint %q cannot look at answers", a.Endpoint)
	}
	answer := &abi.Action{Family: family, Values: make([]abi.Value, len(family.Fields))}
	answer.Values[abi.ResponseTruncated] = abi.Value{Known: true}
	if text, ok := a.Response["text"].(string); ok {
		answer.Values[abi.ResponseBytes] = abi.Value{Known: true, Int: int64(len(text))}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Response)) {
		if err := a.set(answer, name, a.Response[name]); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// set gives a field of the action its value.
func (a *Action) set(to *abi.Action, name string, value any) error {
	fields := to.Family.Fields
	i := slices.IndexFunc(fields, func(f abi.Field) bool { return f.Name == name })
	if i < 0 {
		if a.recorded {
			return nil
		}
		var names []string
		for _, f := range fields {
			names = append(names, f.Name)
		}
		return fmt.Errorf("%s has no field %q%s", to.Family.Name, name, hint(name, names))
	}
	v, ok := typed(fields[i].Type, value)
	if ok {
		to.Values[i] = v
	} else if !a.recorded {
		return fmt.Errorf("%s.%s is of type %s, and %v is not", to.Family.Name, name, fields[i].Type, value)
	}
	for _, s := range append([]string{v.Str}, v.List...) {
		if set := fields[i].Values; s != "" && set != nil && !slices.Contains(set, s) && !a.recorded {
			return fmt.Errorf("%s.%s is never %q%s", to.Family.Name, name, s, hint(s, set))
		}
	}
	return nil
}

// typed makes a value of a type.
func typed(t abi.Type, value any) (v abi.Value, ok bool) {
	switch x := value.(type) {
	case bool:
		return abi.Value{Known: true, Bool: x}, t == abi.TypeBool
	case int64:
		return abi.Value{Known: true, Int: x}, t == abi.TypeInt
	case []string:
		return abi.Value{Known: true, List: x}, t == abi.TypeStrings
	case string:
		if t == abi.TypeInt { // how receipts write those that JSON readers would not keep
			n, err := strconv.ParseInt(x, 10, 64)
			return abi.Value{Known: true, Int: n}, err == nil
		}
		return abi.Value{Known: true, Str: x}, t == abi.TypeString
	}
	return v, false
}

func hint(word string, valid []string) string {
	if h := nearest.Hint(word, valid); h != "" {
		return "; " + h
	}
	return ""
}

// FromReceipt makes an action of a receipt; false for a receipt that is not a decision about an action. The outcome is empty where
// it was not up to the rules.
func FromReceipt(e *receipt.Entry) (*Action, bool) {
	if e.Kind != receipt.Decision || e.Family == "" || e.Family == abi.FamilyResponse || e.Class == "" {
		return nil, false
	}
	outcome := outcomes[string(e.Outcome)]
	if outcome == "hold" && len(e.Judges) > 0 {
		outcome = "" // a rule held it, or a judge
	}
	a := &Action{Name: e.ID, Where: "receipt " + e.ID, Endpoint: e.Endpoint, Peer: e.Peer, Profile: e.Profile, Family: e.Family, Class: e.Class,
		Title: e.Title, Streaming: e.Streaming, Fields: map[string]any{}, Outcome: outcome, Rule: e.Rule, recorded: true}
	lost := map[string]bool{}
	for name := range e.Cut {
		lost[name] = true
	}
	for _, name := range e.LeftOut {
		lost[name] = true
	}
	for _, name := range leftOut(e.Raw) {
		lost[name] = true
	}
	for name, value := range e.Fields {
		if v, ok := plain(value); ok && !lost[name] {
			a.Fields[name] = v
		}
	}
	a.Lost = slices.Sorted(maps.Keys(lost))
	return a, true
}

// leftOut are the fields that the gateway was told not to keep (receipts.text).
func leftOut(line []byte) []string {
	if !bytes.Contains(line, []byte(`"left_out"`)) {
		return nil
	}
	var e struct {
		LeftOut []string `json:"left_out"`
	}
	if json.Unmarshal(line, &e) != nil {
		return nil
	}
	return e.LeftOut
}

// outcomes says for each outcome of a receipt what rules made of the action.
var outcomes = map[string]string{"allow": "allow", "deny": "deny", "held": "hold", "hold": "hold", "granted": "hold",
	"judged_allow": "judge", "judged_deny": "judge",
	"would_deny": "would_deny", "would_hold": "would_hold", "would_judge": "would_judge"}

// plain brings a value of JSON or TOML to one of the types of Fields.
func plain(value any) (any, bool) {
	switch x := value.(type) {
	case bool, int64, string:
		return x, true
	case json.Number:
		n, err := x.Int64()
		return n, err == nil
	case float64:
		return int64(x), x == math.Trunc(x) && math.Abs(x) < 1<<53
	case []any:
		list := make([]string, len(x))
		for i := range x {
			s, ok := x[i].(string)
			if !ok {
				return nil, false
			}
			list[i] = s
		}
		return list, true
	}
	return nil, false
}

// String names the action for people.
func (a *Action) String() string {
	who := a.Peer
	if who == "" {
		who = "anybody"
	}
	return strings.TrimSpace(fmt.Sprintf("%s at %s: %s %s %s", who, a.Endpoint, a.Family, a.Class, a.Title))
}
