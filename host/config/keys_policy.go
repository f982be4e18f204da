package config

import (
	"slices"
	"time"
)

// Outcome is what a rule leads to.
type Outcome string

// The outcomes.
const (
	Allow   Outcome = "allow"
	ToJudge Outcome = "judge"
	Hold    Outcome = "hold"
	Deny    Outcome = "deny"
	// ToRedact is for rules that look at answers.
	ToRedact Outcome = "redact"
)

// Mode says whether rules count.
type Mode string

// The modes. A rule that observes yields no outcome, only a receipt of what it would have done. Where an endpoint observes,
// everything passes, and receipts say what would have been.
const (
	Enforce Mode = "enforce"
	Observe Mode = "observe"
)

// OnHold says what an endpoint does while an action waits for a person.
type OnHold string

// What happens to an action that is held: it waits, or it is turned away and an approval becomes a grant.
const (
	Wait     OnHold = "wait"
	Rollback OnHold = "rollback"
)

// Approval says who has to approve what a rule holds.
type Approval struct {
	// Approvers are the names of those who may; nil: anyone who is configured. The machine's operator always may.
	Approvers    []Text
	ApproversPos Pos
	// Approvals is how many different ones must; at least 1, but for an override that does not say it: 0.
	Approvals    int
	ApprovalsPos Pos
	// NotRequester says that whoever asked does not count.
	NotRequester bool
	NotByPos     Pos
	// Timeout is how long they may take; 0: what their own timeouts say, of which the shortest counts.
	Timeout    time.Duration
	TimeoutPos Pos

	approverPos Pos // of approver, as against approvers
}

// Rule is a table [[rule]].
type Rule struct {
	Name Text
	// Endpoints are the endpoints that the rule is about; nil means every endpoint. Patterns are those of the file that some of them stand for.
	Endpoints []Text
	Patterns  []Pattern
	// When is the condition, CEL, never blank. Unless is its exception; not set when absent.
	When, Unless Text
	Then         Outcome
	ThenPos      Pos
	// Judge is the name of a [[judge]], for ToJudge.
	Judge Text
	// Approval is for Hold, and for what a judge escalates.
	Approval Approval
	// Reason is what the agent is told. It may be empty, and is for allow.
	Reason string
	Mode   Mode
	// Inspect is for rules about answers.
	Inspect Inspection
	Pos     Pos

	reasonPos, modePos Pos
}

// Override is a table [[override]]: it changes a pack's rule, for some endpoints or for all.
type Override struct {
	// Rule is the rule's name, with the pack's before it: PACK/NAME.
	Rule Text
	// Endpoints are those for which the rule is changed; nil means every endpoint. Patterns are those of the file that some of them stand for.
	Endpoints []Text
	Patterns  []Pattern
	// Off takes the rule away. Nothing else is set then.
	Off    bool
	OffPos Pos
	// Unless is the rule's exception. Packs' rules have none of their own.
	Unless Text
	// Then, Reason and Mode replace the rule's; empty leaves them.
	Then    Outcome
	ThenPos Pos
	Reason  string
	Mode    Mode
	// Judge is the name of a [[judge]], for ToJudge.
	Judge Text
	// Approval replaces what of it is set.
	Approval Approval
	Pos      Pos

	reasonPos, modePos Pos
}

// policyGatewayFields are the keys of [gateway] that are about rules.
func policyGatewayFields() []field[Gateway] {
	return []field[Gateway]{
		{Key{
			Name: "packs", Type: "list of strings", Default: "none", Example: `["baseline"]`,
			Meaning:     "The rule packs that count here, by name: `baseline`, `readonly` and `observe` come with the gateway (docs/rules.md).",
			Consequence: "Their rules stand beside those of the file, for every endpoint that has the family that a rule is about. `[[override]]` changes one of them; `sallyport rules` prints all that count.",
		}, func(d *decoder, k Key, v *value, g *Gateway) { g.Packs = d.list(k, v) }},
		{Key{
			Name: "mode", Type: `"enforce" or "observe"`, Default: `"enforce"`, Example: `"observe"`,
			Meaning:     "Whether rules count, for every endpoint that does not say otherwise.",
			Consequence: "Where an endpoint observes, every action passes, and its receipt says `would_deny`, `would_hold` or `would_judge` and which rule it was. What the plugin cannot read, and a plugin that fails, still ends the connection.",
		}, func(d *decoder, k Key, v *value, g *Gateway) { g.Mode = d.mode(k, v) }},
		{Key{
			Name: "confirm_reload", Type: "boolean", Default: "false", Example: "true",
			Meaning:     "Whether a reload waits for `sallyport reload --confirm` when the new configuration allows something recent that the old one holds or denies.",
			Consequence: "Such a reload lists what it would allow and changes nothing until it is confirmed. It counts when the old or the new configuration says so.",
		}, func(d *decoder, k Key, v *value, g *Gateway) { g.ConfirmReload = d.boolean(k, v) }},
	}
}

// policyEndpointFields are the keys of [[endpoint]] that are about rules.
func policyEndpointFields() []field[Endpoint] {
	return []field[Endpoint]{
		{Key{
			Name: "mode", Type: `"enforce" or "observe"`, Default: "that of `[gateway]`", Example: `"observe"`,
			Meaning:     "Whether rules count at this endpoint.",
			Consequence: "`\"observe\"` lets everything pass and puts on record what would have been denied or held.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) { e.Mode = d.mode(k, v) }},
		{Key{
			Name: "on_hold", Type: `"wait" or "rollback"`, Default: `"wait"`, Example: `"rollback"`,
			Meaning:     "What happens to an action that is held: it waits in its connection, or it is turned away at once.",
			Consequence: "With `\"rollback\"` no transaction keeps its locks while people decide: the agent gets an error, an approval becomes a grant, and the same action passes when the agent tries again in time.",
		}, func(d *decoder, k Key, v *value, e *Endpoint) { e.OnHold = d.onHold(k, v) }},
	}
}

func ruleFields() []field[Rule] {
	return slices.Concat([]field[Rule]{
		{Key{
			Name: "name", Type: "string", Required: true, Example: `"no unbounded deletes"`,
			Meaning:     "What the rule is called: one line of at most 120 characters. Unique among rules.",
			Consequence: "Denials show it to the agent and receipts carry it.",
		}, func(d *decoder, k Key, v *value, r *Rule) { r.Name = d.line(k, v, 120) }},
		{Key{
			Name: "endpoints", Type: "list of strings", Default: "every endpoint", Example: `["prod-db"]`,
			Meaning:     "The endpoints that the rule is about, by name, or by a pattern as `\"k8s-*\"`, where an asterisk stands for any letters.",
			Consequence: "The rule's conditions are checked against what the plugins of these endpoints declare, and it is never asked about others. A pattern has to match an endpoint; `sallyport rules` shows which it does.",
		}, func(d *decoder, k Key, v *value, r *Rule) { r.Endpoints = d.list(k, v) }},
		{Key{
			Name: "when", Type: "CEL condition", Required: true, Example: `'action.class == "delete" && !sql.bounded'`,
			Meaning:     "When the rule matches, as a CEL expression over `action`, `peer`, `endpoint`, `usage` and the fields of the action's family. `\"true\"` matches always.",
			Consequence: "A condition that names a family is about actions of that family only. A value that is not known counts as a match for deny, hold and judge and as none for allow.",
		}, func(d *decoder, k Key, v *value, r *Rule) { r.When, _ = d.text(k, v) }},
		{Key{
			Name: "unless", Type: "CEL condition", Default: "never", Example: `'peer.name == "migrations"'`,
			Meaning:     "The rule's exception, in the same language: where it holds, the rule does not match.",
			Consequence: "It is the only way around a deny or a hold: no other rule can undo one. A value that is not known makes no exception.",
		}, func(d *decoder, k Key, v *value, r *Rule) { r.Unless, _ = d.text(k, v) }},
		{Key{
			Name: "then", Type: `"allow", "judge", "hold", "deny" or, of responses, "redact"`, Required: true, Example: `"deny"`,
			Meaning:     "What a match leads to. `\"hold\"` lets the action wait until people have approved it, `\"judge\"` until a model or a program has. With `inspect`: `\"deny\"`, `\"judge\"` or `\"redact\"`.",
			Consequence: "Of all rules that match, the strictest wins: deny over hold over judge over allow, whatever their order in the file. Judges and holds that match must all say yes, judges first. When none matches, the action is denied.",
		}, func(d *decoder, k Key, v *value, r *Rule) { r.Then, r.ThenPos = d.outcome(k, v), v.pos }},
		judgeKey(func(r *Rule) *Text { return &r.Judge }),
	}, approvalFields(func(r *Rule) *Approval { return &r.Approval }, "1"), []field[Rule]{
		{Key{
			Name: "reason", Type: "string", Default: "a sentence that names the rule", Example: `"DELETE and UPDATE need a WHERE clause"`,
			Meaning:     "What the agent and the approvers are told, one line of at most 500 characters. Not for allow.",
			Consequence: "It is the message of the error that the agent gets, in the words of its protocol, and stands in the receipt.",
		}, func(d *decoder, k Key, v *value, r *Rule) { r.Reason, r.reasonPos = d.line(k, v, 500).Value, v.pos }},
		{Key{
			Name: "mode", Type: `"enforce" or "observe"`, Default: `"enforce"`, Example: `"observe"`,
			Meaning:     "Whether the rule counts. Observe is for trying out a deny, a hold or a judge.",
			Consequence: "A rule that observes changes no outcome; where it would have denied, held or judged, the receipt says so.",
		}, func(d *decoder, k Key, v *value, r *Rule) { r.Mode, r.modePos = d.mode(k, v), v.pos }},
	}, inspectFields())
}

// approvalFields are the keys of a table T that are about people who approve.
func approvalFields[T any](of func(*T) *Approval, approvals string) []field[T] {
	one, whoever, timeout := approvals, "any that is configured", "the shortest of its approvers'"
	who, many, not := "Who may approve: the name of one `[[approver]]`, or `\"console\"` for the machine's operator alone.",
		"How many different approvers must agree, 1 to 20.", "anybody's approval counts"
	return []field[T]{
		{Key{
			Name: "approver", Type: "string", Default: whoever, Example: `"ops"`, Meaning: who,
			Consequence: "The hold is announced to this one. The machine's operator can always decide, with `sallyport holds`. Only for `then = \"hold\"` and `\"judge\"`.",
		}, func(d *decoder, k Key, v *value, t *T) {
			if name := d.name(k, v); name.IsSet() {
				a := of(t)
				a.Approvers, a.approverPos = append(a.Approvers, name), v.pos
			}
		}},
		{Key{
			Name: "approvers", Type: "list of strings", Default: whoever, Example: `["ops", "console"]`,
			Meaning:     "The same for several approvers: any of them, or as many as `approvals` says.",
			Consequence: "The hold is announced to all of them. Only for `then = \"hold\"` and `\"judge\"`, and instead of `approver`.",
		}, func(d *decoder, k Key, v *value, t *T) {
			a := of(t)
			a.Approvers, a.ApproversPos = append(a.Approvers, d.list(k, v)...), v.pos
		}},
		{Key{
			Name: "approvals", Type: "integer", Default: one, Example: "2", Meaning: many,
			Consequence: "One rejection is enough to reject. Nobody counts twice. Only for `then = \"hold\"` and `\"judge\"`.",
		}, func(d *decoder, k Key, v *value, t *T) {
			a := of(t)
			a.Approvals, a.ApprovalsPos = d.number(k, v, a.Approvals, 1, maxApprovals), v.pos
		}},
		{Key{
			Name: "not_by", Type: `"requester"`, Default: not, Example: `"requester"`,
			Meaning:     "Whose approval does not count: `\"requester\"` is whoever asked, where the approver says who decided and the peer belongs to somebody.",
			Consequence: "Nobody approves what he asked for himself. Only for `then = \"hold\"` and `\"judge\"`.",
		}, func(d *decoder, k Key, v *value, t *T) {
			a := of(t)
			a.NotRequester, a.NotByPos = d.notBy(k, v), v.pos
		}},
		{Key{
			Name: "timeout", Type: "duration", Default: timeout, Example: `"90s"`,
			Meaning:     "How long the action may wait, `1s` to `24h`.",
			Consequence: "The shortest of all that hold the action counts, approvers' included. When it is over, the agent is told, and a later approval becomes a grant. Only for `then = \"hold\"` and `\"judge\"`.",
		}, func(d *decoder, k Key, v *value, t *T) {
			a := of(t)
			a.Timeout, a.TimeoutPos = d.duration(k, v, 0, minHold, maxHold), v.pos
		}},
	}
}

// The bounds of what a rule may ask of its approvers.
const (
	maxApprovals = 20
	minHold      = time.Second
	maxHold      = 24 * time.Hour
)

func overrideFields() []field[Override] {
	return slices.Concat([]field[Override]{
		{Key{
			Name: "rule", Type: "string", Required: true, Example: `"baseline/unbounded changes"`,
			Meaning:     "Which rule of a pack is changed: the pack, a slash, and the rule's name.",
			Consequence: "The pack has to be in `packs` of `[gateway]`. Rules of the file are changed where they stand.",
		}, func(d *decoder, k Key, v *value, o *Override) { o.Rule = d.line(k, v, 120) }},
		{Key{
			Name: "endpoints", Type: "list of strings", Default: "every endpoint", Example: `["prod-db"]`,
			Meaning:     "The endpoints for which the rule is changed, by name, or by a pattern as `\"k8s-*\"`.",
			Consequence: "At the others it stays as it is. One rule is changed once for an endpoint.",
		}, func(d *decoder, k Key, v *value, o *Override) { o.Endpoints = d.list(k, v) }},
		{Key{
			Name: "off", Type: "boolean", Default: "false", Example: "true",
			Meaning:     "Whether the rule is taken away.",
			Consequence: "It counts no more; what it allowed is denied when no other rule allows it, and what it denied or held is up to the other rules.",
		}, func(d *decoder, k Key, v *value, o *Override) { o.Off, o.OffPos = d.boolean(k, v), v.pos }},
		{Key{
			Name: "unless", Type: "CEL condition", Default: "never", Example: `'peer.name == "migrations"'`,
			Meaning:     "An exception: where it holds, the rule does not match.",
			Consequence: "A value that is not known makes no exception.",
		}, func(d *decoder, k Key, v *value, o *Override) { o.Unless, _ = d.text(k, v) }},
		{Key{
			Name: "then", Type: `"allow", "judge", "hold" or "deny"`, Default: "the rule's own", Example: `"deny"`,
			Meaning:     "Another outcome.",
			Consequence: "The rule matches what it matched, and leads to this.",
		}, func(d *decoder, k Key, v *value, o *Override) { o.Then, o.ThenPos = d.outcome(k, v), v.pos }},
		judgeKey(func(o *Override) *Text { return &o.Judge }),
	}, approvalFields(func(o *Override) *Approval { return &o.Approval }, "the rule's own"), []field[Override]{
		{Key{
			Name: "reason", Type: "string", Default: "the rule's own", Example: `"ask the team in #shop first"`,
			Meaning:     "What the agent and the approvers are told, one line of at most 500 characters. Not for allow.",
			Consequence: "It stands in the error that the agent gets, and in the receipt.",
		}, func(d *decoder, k Key, v *value, o *Override) { o.Reason, o.reasonPos = d.line(k, v, 500).Value, v.pos }},
		{Key{
			Name: "mode", Type: `"enforce" or "observe"`, Default: "the rule's own", Example: `"observe"`,
			Meaning:     "Whether the rule counts.",
			Consequence: "A rule that observes changes no outcome; where it would have denied, held or judged, the receipt says so.",
		}, func(d *decoder, k Key, v *value, o *Override) { o.Mode, o.modePos = d.mode(k, v), v.pos }},
	})
}
