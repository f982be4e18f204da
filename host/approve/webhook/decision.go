package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/host/approve"
)

const (
	// MaxDecision bounds a decision's body, in bytes.
	MaxDecision = 16 << 10

	maxBy        = 200
	maxReason    = 500
	maxGrantUses = approve.MaxGrantUses
	maxGrantFor  = approve.MaxGrantFor
)

// Decision is what an approver says about a hold, as the answer to a webhook or in a call of its own:
//
//	{"decision": "approve", "digest": "9f86…", "by": "alice", "reason": "agreed in the change meeting"}
type Decision struct {
	Approve bool
	// Hold is the hold's ID and Digest the action's, in hex; empty when the approver left them out.
	Hold, Digest string
	// By is who decided, in the receiver's words; empty when it does not say.
	By     string
	Reason string
	// GrantUses and GrantFor change what the approval is worth when the agent has gone: how often and for how long the same may be done. Zero:
	// what is configured.
	GrantUses int
	GrantFor  time.Duration
}

// keys are those of a decision.
var keys = []string{"decision", "hold", "digest", "by", "reason", "grant"}

// ParseDecision reads a decision. What could be read in two ways is refused: keys that are there twice or that nobody knows, words other
// than approve and reject.
func ParseDecision(body []byte) (Decision, error) {
	var d Decision
	if len(body) > MaxDecision {
		return d, fmt.Errorf("a decision has at most %d KiB", MaxDecision>>10)
	}
	if !utf8.Valid(body) {
		return d, errors.New("a decision is JSON in UTF-8")
	}
	values, err := object(body, keys)
	if err != nil {
		return d, err
	}
	var word string
	for key, to := range map[string]*string{"decision": &word, "hold": &d.Hold, "digest": &d.Digest, "by": &d.By, "reason": &d.Reason} {
		if raw, ok := values[key]; ok {
			if raw[0] != '"' || json.Unmarshal(raw, to) != nil {
				return d, fmt.Errorf("%q must be a string", key)
			}
		}
	}
	switch word {
	case "approve":
		d.Approve = true
	case "reject":
	case "":
		return d, errors.New(`there is no "decision"; it must be "approve" or "reject"`)
	default:
		return d, errors.New(`"decision" must be "approve" or "reject"`)
	}
	// An identity is not cut: two could become one.
	if len(d.By) > maxBy || strings.ContainsFunc(d.By, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return d, fmt.Errorf(`"by" must be one line of at most %d bytes`, maxBy)
	}
	d.Reason = cut(d.Reason, maxReason)
	if raw, ok := values["grant"]; ok {
		if err := d.grant(raw); err != nil {
			return d, err
		}
	}
	return d, nil
}

// grant reads {"uses": 3, "for": "30m"}.
func (d *Decision) grant(raw json.RawMessage) error {
	values, err := object(raw, []string{"uses", "for"})
	if err != nil {
		return fmt.Errorf(`"grant": %w`, err)
	}
	if !d.Approve {
		return errors.New(`"grant" goes with "approve" only`)
	}
	if raw, ok := values["uses"]; ok {
		if json.Unmarshal(raw, &d.GrantUses) != nil || d.GrantUses < 1 || d.GrantUses > maxGrantUses {
			return fmt.Errorf(`"uses" of "grant" must be a number from 1 to %d`, maxGrantUses)
		}
	}
	if raw, ok := values["for"]; ok {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			d.GrantFor, err = time.ParseDuration(text)
		}
		if text == "" || err != nil || d.GrantFor < time.Second || d.GrantFor > maxGrantFor || d.GrantFor%time.Second != 0 {
			return errors.New(`"for" of "grant" must be a duration of whole seconds from 1s to 24h, such as "30m"`)
		}
	}
	return nil
}

// object returns the values of a JSON object that has only some keys, each once.
func object(body []byte, known []string) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("must be a JSON object")
	}
	values := map[string]json.RawMessage{}
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			return nil, errors.New("must be a JSON object")
		}
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("has an unknown key; the keys are %s", strings.Join(known, ", "))
		}
		if _, twice := values[key]; twice {
			return nil, fmt.Errorf("has %q twice", key)
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, errors.New("must be a JSON object")
		}
		values[key] = bytes.TrimSpace(raw)
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("must be a JSON object")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("must be one JSON object and nothing behind it")
	}
	return values, nil
}

// cut shortens a text to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
