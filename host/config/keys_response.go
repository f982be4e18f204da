package config

import (
	"strings"

	"github.com/sallyport-dev/sallyport/host/redact"
)

// Inspection is what a rule wants that looks at what comes back.
type Inspection struct {
	// On says that the rule is about answers. Without it nothing else is set but places.
	On bool
	// Response is the condition about the answer; not set: every answer.
	Response Text
	// Limit is how many bytes of an answer are looked at, and LongPasses says that longer ones pass when their beginning does.
	Limit      int
	LongPasses bool
	// Redact are patterns and RedactColumns names of columns; of a rule that redacts.
	Redact, RedactColumns []Text

	pos, limitPos, longPos, redactPos, columnsPos Pos
}

// Place is where the file says a key; zero: it does not.
func (i *Inspection) Place(key string) Pos {
	return map[string]Pos{"inspect": i.pos, "response": i.Response.start, "limit": i.limitPos, "then_long": i.longPos}[key]
}

const (
	defaultInspectLimit = 64 << 10
	maxInspectLimit     = 1 << 20
)

// inspectFields are the keys of [[rule]] that are about answers.
func inspectFields() []field[Rule] {
	return []field[Rule]{
		{Key{
			Name: "inspect", Type: `"response"`, Default: "the action alone", Example: `"response"`,
			Meaning:     "Makes the rule look at what comes back from the actions that `when` matches, before the agent has a byte of it. `then` is `\"deny\"`, `\"judge\"` or `\"redact\"`.",
			Consequence: "The rule has no part in whether the action is allowed. What it denies is withheld: the action has run, and the agent gets an error in the words of its protocol. The endpoint's plugin must be able to hold answers back.",
		}, func(d *decoder, k Key, v *value, r *Rule) {
			if text, ok := d.text(k, v); ok {
				if r.Inspect.On = text.Value == "response"; !r.Inspect.On {
					d.problem(text.start, `inspect %s is not known; the only one is inspect = "response"`, quote(text.Value))
				}
				r.Inspect.pos = text.start
			}
		}},
		{Key{
			Name: "response", Type: "CEL condition", Default: "always", Example: `'response.columns.exists(c, c == "token")'`,
			Meaning:     "When an answer matches, as a CEL expression over `response.columns`, `response.rows`, `response.text`, `response.bytes`, `response.truncated`, what the plugin adds, and all that `when` can name.",
			Consequence: "A value that is not known counts as a match. Needs `inspect`.",
		}, func(d *decoder, k Key, v *value, r *Rule) { r.Inspect.Response, _ = d.text(k, v) }},
		{Key{
			Name: "limit", Type: "size", Default: `"64KiB"`, Example: `"256KiB"`,
			Meaning:     "How many bytes of an answer are held back and looked at, `1KiB` to `1MiB` and at most `window` of `[limits]`, as they come from the upstream.",
			Consequence: "The agent waits until the answer is whole or this long. The largest limit of the rules that match the action counts. Needs `inspect`.",
		}, func(d *decoder, k Key, v *value, r *Rule) {
			r.Inspect.Limit, r.Inspect.limitPos = int(d.size(k, v, int64(r.Inspect.Limit), 1<<10, maxInspectLimit)), v.pos
		}},
		{Key{
			Name: "then_long", Type: `"deny" or "allow"`, Default: `"deny"`, Example: `"allow"`,
			Meaning:     "What becomes of an answer that is longer than `limit`.",
			Consequence: "`\"deny\"` withholds it. `\"allow\"` looks at its beginning, as at a whole answer, and lets the rest stream by unseen when that passes. Needs `inspect`; not with `then = \"redact\"`.",
		}, func(d *decoder, k Key, v *value, r *Rule) {
			if text, ok := d.text(k, v); ok {
				switch Outcome(text.Value) {
				case Allow:
					r.Inspect.LongPasses = true
				case Deny:
				default:
					d.problem(text.start, "unknown then_long %s%s", quote(text.Value), d.hint(text.Value, []string{string(Allow), string(Deny)}))
				}
				r.Inspect.longPos = text.start
			}
		}},
		{Key{
			Name: "redact", Type: "list of strings", Default: "none", Example: `["ghp_[A-Za-z0-9]{36}"]`,
			Meaning:     "Patterns, RE2, each of at most 512 bytes. What matches in a value of the answer reaches the agent as asterisks, as many as it had bytes.",
			Consequence: "Everything else is as it came. Where a match cannot be masked, the answer is withheld. Only with `then = \"redact\"`.",
		}, func(d *decoder, k Key, v *value, r *Rule) {
			r.Inspect.Redact, r.Inspect.redactPos = d.list(k, v), v.pos
			if len(r.Inspect.Redact) > redact.MaxPatterns {
				d.problem(v.pos, "redact has %d patterns; it may have %d", len(r.Inspect.Redact), redact.MaxPatterns)
			}
			for _, t := range r.Inspect.Redact {
				if _, err := redact.Pattern(t.Value); err != nil {
					d.problem(t.start, "redact: %s: %s", quote(t.Value), strings.TrimPrefix(err.Error(), "error parsing regexp: "))
				}
			}
		}},
		{Key{
			Name: "redact_columns", Type: "list of strings", Default: "none", Example: `["token", "password"]`,
			Meaning:     "Names of columns, or of members of JSON, whatever their case. Their values reach the agent as asterisks.",
			Consequence: "The names are those of the answer, which whoever writes a statement can choose: patterns find what has another name. Only with `then = \"redact\"`.",
		}, func(d *decoder, k Key, v *value, r *Rule) {
			r.Inspect.RedactColumns, r.Inspect.columnsPos = d.list(k, v), v.pos
			if len(r.Inspect.RedactColumns) > redact.MaxColumns {
				d.problem(v.pos, "redact_columns has %d names; it may have %d", len(r.Inspect.RedactColumns), redact.MaxColumns)
			}
		}},
	}
}

// checkInspection checks what a rule says about answers.
func (d *decoder) checkInspection(cfg *Config, r *Rule) {
	i, what := &r.Inspect, "rule "+quote(r.Name.Value)
	if !i.On {
		for _, k := range []setKey{{"response", i.Response.start}, {"limit", i.limitPos}, {"then_long", i.longPos}, {"redact", i.redactPos}, {"redact_columns", i.columnsPos}} {
			if !k.pos.IsZero() && i.pos.IsZero() {
				d.problem(k.pos, `%s changes nothing: %s looks at actions alone; write inspect = "response", or remove it`, k.name, what)
			}
		}
		if r.Then == ToRedact && i.pos.IsZero() {
			d.problem(r.ThenPos, `%s redacts, which only answers can be; write inspect = "response"`, what)
		}
		return
	}
	for _, k := range []setKey{{"approver", r.Approval.approverPos}, {"approvers", r.Approval.ApproversPos}, {"approvals", r.Approval.ApprovalsPos},
		{"not_by", r.Approval.NotByPos}, {"timeout", r.Approval.TimeoutPos}} {
		if !k.pos.IsZero() {
			d.problem(k.pos, "%s changes nothing: %s is about answers, and nobody is asked to approve those; remove it", k.name, what)
		}
	}
	if at := i.limitPos; i.Limit > cfg.Limits.Window {
		if at.IsZero() {
			at = i.pos
		}
		d.problem(at, "limit of %s is %s, and window of [limits] is %s, into which a message of the answer has to fit before it is kept; lower limit or raise window", what, bytesText(int64(i.Limit)), bytesText(int64(cfg.Limits.Window)))
	}
	switch {
	case r.Then == Allow:
		d.problem(r.ThenPos, `%s allows an answer, which is what happens to it without a rule; write then = "deny", "judge" or "redact"`, what)
	case r.Then == Hold:
		d.problem(r.ThenPos, `%s holds an answer, for which nobody can be asked: its action has run; write then = "deny" or "judge"`, what)
	case r.Then == ToRedact && i.redactPos.IsZero() && i.columnsPos.IsZero():
		d.problem(r.ThenPos, `%s redacts nothing; write redact = ["PATTERN"] or redact_columns = ["NAME"]`, what)
	case r.Then == ToRedact && i.LongPasses:
		d.problem(i.longPos, `%s redacts, and what is longer than limit is not looked at, so it cannot pass; remove then_long`, what)
	case r.Then == ToRedact && r.Mode == Observe:
		d.problem(r.modePos, `%s observes, and would redact nothing; write then = "deny" to see what it would find`, what)
	case r.Then == ToRedact && r.Reason != "":
		d.problem(r.reasonPos, "reason changes nothing: %s redacts, so nobody is told; make it a comment", what)
	}
	if r.Then != ToRedact && r.Then != "" {
		for _, k := range []setKey{{"redact", i.redactPos}, {"redact_columns", i.columnsPos}} {
			if !k.pos.IsZero() {
				d.problem(k.pos, `%s changes nothing: %s leads to %s; write a rule of its own with then = "redact"`, k.name, what, r.Then)
			}
		}
	}
}
