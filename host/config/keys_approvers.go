package config

import (
	"strconv"
	"time"

	"github.com/sallyport-dev/sallyport/host/secret"
)

// Console is the name that the machine's operator has as an approver. It is always there and no [[approver]] can have it.
const Console = "console"

// Approver is a table [[approver]]: a way to reach people who decide about holds. It has exactly one of Webhook, Slack and a
// Notifier.
type Approver struct {
	Name Text
	// Webhook is the URL of a receiver: https, or http on the machine itself. Not set for other approvers.
	Webhook Text
	// Secrets refer to what requests and answers of a webhook are signed with, the newest first. At least one for a webhook; what decisions
	// are signed with that a notifier led to, if there are any.
	Secrets    []secret.Reference
	SecretsPos Pos
	// CA is the file of the roots that a webhook's certificate must come from, an absolute path; empty: those of the system.
	CA    string
	CAPos Pos
	// Slack is the ID of a channel. Not set for other approvers.
	Slack Text
	// Notifier is the program that tells people. Its Plugin is empty for other approvers.
	Notifier Notifier
	// Token and SigningSecret refer to what Slack gives an app: its bot token, and what Slack signs its requests with. Token is a notifier's,
	// too.
	Token, SigningSecret       secret.Reference
	TokenPos, SigningSecretPos Pos
	// Timeout is how long the approver may take.
	Timeout time.Duration
	Pos     Pos

	// Where the keys are, whatever their values.
	webhookPos, slackPos, secretPos, secretsPos Pos
}

// Holds is the table [holds]: how long holds and grants live, how many there may be, and where approvers call back.
type Holds struct {
	// Listen is the TCP address where approvers call back, IP:port or :port; empty: nowhere.
	Listen    string
	ListenPos Pos
	// URL is how approvers reach Listen, without a slash at its end. It is set whenever Listen is.
	URL    string
	URLPos Pos
	// Certificate and Key are the PEM files of the listener's TLS, absolute paths; empty: plain HTTP, which only a loopback address has.
	Certificate, Key       string
	CertificatePos, KeyPos Pos
	// PerPeer and Total bound the number of open holds.
	PerPeer, Total int
	// GrantFor is how long a grant lives, unless its approver says otherwise.
	GrantFor time.Duration
	// Late is how long after its end for the agent a hold can still be approved, and then becomes a grant.
	Late time.Duration

	perPeerPos Pos
}

const (
	defaultApproverTimeout = 90 * time.Second
	defaultPerPeer         = 20
	defaultHolds           = 10000
	defaultGrantFor        = 10 * time.Minute
	defaultLate            = time.Hour
)

func holdsDefaults() Holds {
	return Holds{PerPeer: defaultPerPeer, Total: defaultHolds, GrantFor: defaultGrantFor, Late: defaultLate}
}

func approverFields() []field[Approver] {
	return append([]field[Approver]{
		{Key{
			Name: "name", Type: "string", Required: true, Example: `"dba"`,
			Meaning:     "What the approver is called: a name like a peer's. Unique among approvers. `console` is the machine's operator, who is always there.",
			Consequence: "Rules refer to it, and receipts say that a decision came this way.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			if a.Name = d.name(k, v); a.Name.Value == Console {
				d.problem(a.Name.start, `an approver cannot be called "console": that is the machine's operator, who decides with sallyport holds and needs no table`)
			}
		}},
		{Key{
			Name: "webhook", Type: "string", Default: "none", Example: `"https://hooks.example.com/dba"`,
			Meaning:     "The URL of a receiver that is sent each hold, signed by Standard Webhooks: `https://`, or `http://` on the machine itself (localhost or a loopback address).",
			Consequence: "The receiver answers at once or calls back at `url` of `[holds]`; [approvals.md](approvals.md) has receivers in Go and Python. Redirects are not followed. An approver has either this, `slack` or `plugin`.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.webhookPos = v.pos
			if text, ok := d.text(k, v); ok {
				if err := webhookURL(text.Value); err != nil {
					d.problem(text.start, "webhook %v; write webhook = %s", err, k.Example)
				}
				a.Webhook = text
			}
		}},
		{Key{
			Name: "secret", Type: "secret", Default: "none", Example: `"env:DBA_WEBHOOK_SECRET"`,
			Meaning:     "What a webhook is signed with: a reference ([secrets.md](secrets.md)) to at least 24 bytes, as they are or in base64 behind `whsec_`. For `webhook`, which needs this or `secrets`, and for `plugin`, where only decisions are signed.",
			Consequence: "The receiver knows by it that a request comes from this gateway, and the gateway that an answer comes from this approver: whoever has it can approve. No two approvers can have the same.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.secretPos = v.pos
			if ref, pos := d.secretReference(k, v); !ref.IsZero() {
				a.Secrets, a.SecretsPos = []secret.Reference{ref}, pos
			}
		}},
		{Key{
			Name: "secrets", Type: "list of secrets", Default: "none", Example: `["env:DBA_SECRET_NEW", "env:DBA_SECRET_OLD"]`,
			Meaning:     "The same with several secrets, at most four, while one is being replaced; in place of `secret`.",
			Consequence: "Requests carry a signature with each, and an answer that is signed with any of them counts.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.secretsPos = v.pos
			a.Secrets, a.SecretsPos = d.secretReferences(k, v), v.pos
		}},
		{Key{
			Name: "ca", Type: "string", Default: "the system's roots", Example: `"ca.pem"`,
			Meaning:     "A file of root certificates in PEM, for a webhook with `https`. A relative path starts at the configuration file's directory.",
			Consequence: "The receiver's certificate must come from one of these, and the system's roots do not count. The file is read at start.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			if path, ok := d.path(k, v); ok {
				a.CA, a.CAPos = path, v.pos
			}
		}},
		{Key{
			Name: "slack", Type: "string", Default: "none", Example: `"C0123456789"`,
			Meaning:     "The ID of the Slack channel that holds are shown in, as the channel's details show it; `[holds]` needs `listen`, where Slack reports which button was pressed.",
			Consequence: "Whoever can see the channel sees the held statements, and whoever can press a button there decides. The message is updated when the hold is over.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.slackPos = v.pos
			if text, ok := d.text(k, v); ok {
				if !channelID(text.Value) {
					d.problem(text.start, "slack %s is not the ID of a channel; it begins with C or G, such as slack = %s, and stands at the end of the channel's details in Slack", quote(text.Value), k.Example)
				}
				a.Slack = text
			}
		}},
		{Key{
			Name: "token", Type: "secret", Default: "none", Example: `"env:SLACK_TOKEN"`,
			Meaning:     "The bot token of the Slack app (`xoxb-…`), with the scope `chat:write`. For `slack`, which needs it; for `plugin` what the program logs in with, which it reads as the setting `token`.",
			Consequence: "The gateway, or the program, posts and updates its messages with it. It is never logged.",
		}, func(d *decoder, k Key, v *value, a *Approver) { a.Token, a.TokenPos = d.secretReference(k, v) }},
		{Key{
			Name: "signing_secret", Type: "secret", Default: "none", Example: `"env:SLACK_SIGNING_SECRET"`,
			Meaning:     "The signing secret of the Slack app, from its basic information. For `slack` only, which needs it.",
			Consequence: "The gateway believes that a button was pressed only when Slack signed it with this.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.SigningSecret, a.SigningSecretPos = d.secretReference(k, v)
		}},
		{Key{
			Name: "timeout", Type: "duration", Default: `"90s"`, Example: `"10m"`,
			Meaning:     "How long a hold waits for this approver, `5s` to `24h`.",
			Consequence: "The shortest of a hold's rules and approvers counts. When it is over the hold expires and the agent is told; agents have timeouts of their own, often shorter than ten minutes.",
		}, func(d *decoder, k Key, v *value, a *Approver) {
			a.Timeout = d.duration(k, v, a.Timeout, 5*time.Second, 24*time.Hour)
		}},
	}, notifierFields()...)
}

func holdsFields() []field[Holds] {
	return []field[Holds]{
		{Key{
			Name: "listen", Type: "string", Default: "nowhere", Example: `"127.0.0.1:8444"`,
			Meaning:     "The TCP address where approvers call back, `IP:port` or `:port`: webhook receivers that answer later, and Slack. It is the operator's address, never one inside of the tunnel.",
			Consequence: "Without it receivers must answer at once, and there can be no `slack`. An address that is not loopback needs `certificate` and `key`. No endpoint can have this address, because agents would reach it.",
		}, func(d *decoder, k Key, v *value, h *Holds) {
			if text, ok := d.text(k, v); ok {
				h.Listen, h.ListenPos = d.listen(k, text), text.start
			}
		}},
		{Key{
			Name: "url", Type: "string", Default: "made of `listen`", Example: `"https://sallyport.example.com"`,
			Meaning:     "How approvers reach `listen`, when that is not as it is written there: through a proxy, or by a name. `https://`, or `http://` on the machine itself. Needed where `listen` is every address.",
			Consequence: "Webhooks carry it as the place to call back.",
		}, func(d *decoder, k Key, v *value, h *Holds) {
			if text, ok := d.text(k, v); ok {
				if h.URLPos = text.start; !d.callbackURL(k, text) {
					return
				}
				h.URL = trimSlashes(text.Value)
			}
		}},
		{Key{
			Name: "certificate", Type: "string", Default: "none", Example: `"holds.pem"`,
			Meaning:     "The certificate of `listen`, with its chain, in PEM. A relative path starts at the configuration file's directory.",
			Consequence: "With it `listen` speaks TLS, and nothing else. The file is read at start.",
		}, func(d *decoder, k Key, v *value, h *Holds) {
			if path, ok := d.path(k, v); ok {
				h.Certificate, h.CertificatePos = path, v.pos
			}
		}},
		{Key{
			Name: "key", Type: "string", Default: "none", Example: `"holds.key"`,
			Meaning:     "The private key of `certificate`, in PEM; the two go together.",
			Consequence: "Its file must not be readable by everybody.",
		}, func(d *decoder, k Key, v *value, h *Holds) {
			if path, ok := d.path(k, v); ok {
				h.Key, h.KeyPos = path, v.pos
			}
		}},
		{Key{
			Name: "per_peer", Type: "integer", Default: strconv.Itoa(defaultPerPeer), Example: "5",
			Meaning:     "How many holds of one peer may be open at a time, 1 to 10000.",
			Consequence: "What would be one more is denied, with a reason that says so.",
		}, func(d *decoder, k Key, v *value, h *Holds) {
			h.PerPeer, h.perPeerPos = d.number(k, v, h.PerPeer, 1, 10000), v.pos
		}},
		{Key{
			Name: "total", Type: "integer", Default: strconv.Itoa(defaultHolds), Example: "500",
			Meaning:     "How many holds may be open at a time in all, 1 to 100000.",
			Consequence: "What would be one more is denied, with a reason that says so.",
		}, func(d *decoder, k Key, v *value, h *Holds) {
			h.Total = d.number(k, v, h.Total, 1, 100000)
		}},
		{Key{
			Name: "grant_for", Type: "duration", Default: `"10m"`, Example: `"30m"`,
			Meaning:     "How long a grant lives, `10s` to `24h`: what an approval becomes when its agent has gone.",
			Consequence: "Within it the same peer may do exactly the same once. An approver can say another time.",
		}, func(d *decoder, k Key, v *value, h *Holds) {
			h.GrantFor = d.duration(k, v, h.GrantFor, 10*time.Second, 24*time.Hour)
		}},
		{Key{
			Name: "late", Type: "duration", Default: `"1h"`, Example: `"15m"`,
			Meaning:     "For how long after its end a hold that expired or was withdrawn can still be approved, `0s` to `24h`.",
			Consequence: "Such an approval executes nothing; it becomes a grant.",
		}, func(d *decoder, k Key, v *value, h *Holds) {
			h.Late = d.duration(k, v, h.Late, 0, 24*time.Hour)
		}},
	}
}
