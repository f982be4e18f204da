package webhook

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/sallyport-dev/sallyport/host/approve"
	"github.com/sallyport-dev/sallyport/host/approve/show"
)

// TypeHeld is the type of the one kind of message that is sent.
const TypeHeld = "hold.opened"

// Event is the body of a request. All texts of the agent in it are as package show makes them, so that they can be shown to a person as
// they are; the digest is over what they really are.
type Event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      Held      `json:"data"`
}

// Held is a held action.
type Held struct {
	Hold    string `json:"hold"`
	Receipt string `json:"receipt,omitempty"`
	// Approver is the name of the one who is asked.
	Approver string `json:"approver"`
	// Deadline is until when the agent waits.
	Deadline time.Time `json:"deadline"`
	Digest   string    `json:"digest"`
	Who      Who       `json:"who"`
	Where    Where     `json:"where"`
	Family   string    `json:"family"`
	Class    string    `json:"class"`
	Title    string    `json:"title"`
	Fields   []Shown   `json:"fields"`
	Needs    []Need    `json:"needs"`
	// Grantable: an approval that comes too late is worth something. Detached: it always becomes a grant, nobody waits.
	Grantable bool `json:"grantable"`
	Detached  bool `json:"detached"`
	// Policy is the hash of the configuration.
	Policy string `json:"policy,omitempty"`
	// DecisionURL is where to call back; empty: nowhere, the answer must be a decision.
	DecisionURL string `json:"decision_url,omitempty"`
}

// Who asks.
type Who struct {
	Peer    string `json:"peer"`
	Profile string `json:"profile"`
}

// Where it would happen.
type Where struct {
	Endpoint     string `json:"endpoint"`
	Credential   string `json:"credential,omitempty"`
	Plugin       string `json:"plugin,omitempty"`
	PluginDigest string `json:"plugin_digest,omitempty"`
}

// Shown is a field of the action.
type Shown struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Need is a rule that holds the action.
type Need struct {
	Rule         string   `json:"rule"`
	Reason       string   `json:"reason,omitempty"`
	Approvers    []string `json:"approvers,omitempty"`
	Approvals    int      `json:"approvals"`
	NotRequester bool     `json:"not_requester,omitempty"`
}

// DecisionURL returns where a hold is decided, below the URL under which the gateway is reached.
func DecisionURL(base, hold string) string {
	if base == "" {
		return ""
	}
	return base + "/v1/holds/" + url.PathEscape(hold) + "/decision"
}

// Describe makes a hold safe to show, for the approver that is asked; callback is as in Options.
func Describe(approver, callback string, h *approve.Status) Held {
	d := Held{
		Hold: h.ID, Receipt: h.Receipt, Approver: approver, Deadline: h.Deadline.UTC(), Digest: h.Digest,
		Who:    Who{show.Line(h.Peer), show.Line(h.Profile)},
		Where:  Where{show.Line(h.Endpoint), show.Line(h.Credential), show.Line(h.Plugin), h.PluginDigest},
		Family: show.Line(h.Family), Class: show.Line(h.Class), Title: show.Line(h.Title),
		Fields: []Shown{}, Needs: []Need{}, Grantable: h.Grantable, Detached: h.Detached, Policy: h.Policy,
		DecisionURL: DecisionURL(callback, h.ID),
	}
	for _, f := range h.Fields {
		d.Fields = append(d.Fields, Shown{show.Line(f.Name), show.Text(f.Text)})
	}
	for _, n := range h.Needs {
		d.Needs = append(d.Needs, Need{show.Line(n.Rule), show.Line(n.Reason), n.Approvers, max(1, n.Approvals), n.NotRequester})
	}
	return d
}

// body returns the request's body for a hold. It is the same each time.
func (a *Approver) body(h *approve.Status) ([]byte, error) {
	body, err := json.Marshal(Event{Type: TypeHeld, Timestamp: h.Opened.UTC(), Data: Describe(a.name, a.callback, h)})
	if err != nil {
		return nil, fmt.Errorf("write the hold as JSON: %w", err)
	}
	return body, nil
}
