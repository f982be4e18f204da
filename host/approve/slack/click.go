package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"github.com/sallyport-dev/sallyport/host/approve"
)

// MaxBody bounds what Slack sends when a button is pressed, in bytes: the message is in it.
const MaxBody = 256 << 10

// Why a request of Slack's is not a vote. Read's errors wrap one of these.
var (
	// ErrSignature: no approver's app signed it, or long ago. It is not from Slack.
	ErrSignature = errors.New("the signature of Slack is missing, wrong or old")
	// ErrPayload: it is from Slack, and not understood.
	ErrPayload = errors.New("this is not a button of a held action")
	// ErrIgnored: it is from Slack and says nothing that anybody waits for.
	ErrIgnored = errors.New("nothing to decide")
)

// Click is a button that somebody pressed.
type Click struct {
	Approver *Approver
	// Hold is the hold's ID.
	Hold string
	Vote approve.Vote

	user, channel, ts string
	// late says that the button was that of a hold that is over.
	late bool
}

// Read reads a request that Slack sent to the app's interactivity URL. Its signature says which of the approvers' apps it is from; several
// channels can belong to one app.
func Read(approvers []*Approver, header http.Header, body []byte) (*Click, error) {
	if len(body) > MaxBody {
		return nil, ErrPayload
	}
	var from []*Approver
	for _, a := range approvers {
		if a.signed(header, body) {
			from = append(from, a)
		}
	}
	if len(from) == 0 {
		return nil, ErrSignature
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form["payload"]) != 1 {
		return nil, fmt.Errorf("%w: there is no payload", ErrPayload)
	}
	return read(from, []byte(form["payload"][0]))
}

// signed reports whether Slack signed the request for this approver's app, less than five minutes ago.
func (a *Approver) signed(header http.Header, body []byte) bool {
	for _, name := range []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"} {
		if len(header.Values(name)) != 1 {
			return false
		}
	}
	v, err := slackapi.NewSecretsVerifier(header, string(a.signing.Reveal()))
	if err != nil {
		return false
	}
	if _, err := v.Write(body); err != nil {
		return false
	}
	return v.Ensure() == nil
}

// payload is what matters of an interaction payload, https://docs.slack.dev/reference/interaction-payloads/block_actions-payload.
type payload struct {
	Type string `json:"type"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Container struct {
		MessageTs string `json:"message_ts"`
		ChannelID string `json:"channel_id"`
	} `json:"container"`
	Actions []struct {
		ActionID string `json:"action_id"`
		BlockID  string `json:"block_id"`
		Value    string `json:"value"`
	} `json:"actions"`
}

// read reads a payload that one of the approvers' apps signed.
func read(from []*Approver, data []byte) (*Click, error) {
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("%w: it is not JSON as Slack writes it", ErrPayload)
	}
	if p.Type != string(slackapi.InteractionTypeBlockActions) || len(p.Actions) != 1 || p.Actions[0].BlockID != blockID {
		return nil, ErrIgnored
	}
	act := p.Actions[0]
	c := &Click{user: p.User.ID, channel: p.Container.ChannelID, ts: p.Container.MessageTs}
	parts := strings.Split(act.Value, " ")
	if len(parts) != 3 || !slices.Contains([]string{actionApprove, actionReject, actionLate}, act.ActionID) || !userID.MatchString(c.user) || c.ts == "" {
		return nil, ErrPayload
	}
	for _, a := range from {
		// A message that somebody copied into another channel decides nothing.
		if a.name == parts[0] && a.channel == c.channel {
			c.Approver, c.Hold = a, parts[1]
			c.Vote = approve.Vote{Approver: a.name, By: c.user, Approve: act.ActionID != actionReject, Digest: parts[2]}
			c.late = act.ActionID == actionLate
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: it is from another channel", ErrPayload)
}

// Answer tells people what came of a click: the message is updated, or who pressed the button is told why it does not count.
func (c *Click) Answer(ctx context.Context, s approve.Status, err error) {
	a := c.Approver
	log := a.log.With("hold", c.Hold)
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if err != nil {
		text := fmt.Sprintf("This does not count: %v.", err)
		err := a.call(ctx, log, func(ctx context.Context) error {
			_, err := a.api.PostEphemeralContext(ctx, c.channel, c.user, slackapi.MsgOptionText(text, true))
			return err
		})
		if err != nil {
			log.Warn("somebody could not be told that a button does not count", "error", err)
		}
		return
	}
	a.mu.Lock()
	votes := a.open[c.Hold]
	a.mu.Unlock()
	if votes != nil {
		// Announce updates the message; only the newest state matters.
		select {
		case <-votes:
		default:
		}
		select {
		case votes <- s:
		default:
		}
		return
	}
	m := newMessage(a.name, &s, time.Now().Before(s.Late))
	m.over = c.late
	if err := a.call(ctx, log, func(ctx context.Context) error { return a.update(ctx, c.channel, c.ts, m, s.Ending) }); err != nil {
		log.Warn("the message in Slack could not be updated", "error", err)
	}
}
