package judge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Outcome is what a judge says. The zero value is that it said nothing.
type Outcome uint8

// What a judge can say.
const (
	Failed Outcome = iota // no answer: the opinion's Err says why
	Allow
	Deny
	Escalate // a person has to decide
)

func (o Outcome) String() string {
	return [...]string{"failed", "allow", "deny", "escalate"}[min(o, Escalate)]
}

// Limits of an answer.
const (
	// MaxAnswer bounds the JSON of one, in bytes.
	MaxAnswer = 8 << 10
	// MaxReason bounds what of its reason is kept, in bytes.
	MaxReason = 500
)

// Answer is what a judge answered, and what that took.
type Answer struct {
	Outcome Outcome
	Reason  string // one printable line
	// Input and Output are the tokens of the question and of the answer, as the server counts them; 0 for programs.
	Input, Output int64
}

// ParseAnswer reads the JSON object that every judge answers with: {"decision": "allow" | "deny" | "escalate", "reason": "…"}, both
// members once, and nothing else before, in or behind it. What is not of this form is no answer.
func ParseAnswer(text []byte) (o Outcome, reason string, err error) {
	if len(text) > MaxAnswer {
		return Failed, "", fmt.Errorf("the answer has %d bytes, more than %d", len(text), MaxAnswer)
	}
	members, err := object(text)
	if err != nil {
		return Failed, "", fmt.Errorf("the answer is not of the form: %w", err)
	}
	for o := Allow; o <= Escalate; o++ {
		if o.String() == members["decision"] {
			return o, Line(members["reason"]), nil
		}
	}
	return Failed, "", fmt.Errorf("the answer is not of the form: %q is no decision", Line(members["decision"]))
}

// object reads an object of exactly the two members, each a string and each once: readers differ on which of two counts.
func object(text []byte) (map[string]string, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is not a JSON object")
	}
	members := map[string]string{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errors.New("it is not a JSON object")
		}
		key, _ := name.(string)
		if key != "decision" && key != "reason" {
			return nil, fmt.Errorf("it has a member %q", Line(key))
		}
		if _, twice := members[key]; twice {
			return nil, fmt.Errorf("it has %s twice", key)
		}
		value, err := d.Token()
		text, ok := value.(string)
		if err != nil || !ok {
			return nil, fmt.Errorf("%s is not a string", key)
		}
		members[key] = text
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("it is not a JSON object")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows it")
	}
	for _, key := range []string{"decision", "reason"} {
		if _, ok := members[key]; !ok {
			return nil, fmt.Errorf("it has no %s", key)
		}
	}
	return members, nil
}

// Line makes a text of a judge fit for one line of an error or a record: printable and bounded. What a model writes can be what the
// agent wants written.
func Line(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			r = ' '
		case r == utf8.RuneError, !unicode.IsPrint(r), unicode.In(r, unicode.Variation_Selector, unicode.Me):
			r = '·'
		}
		if b.Len()+utf8.RuneLen(r) > MaxReason-len("…") {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
