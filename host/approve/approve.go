// Package approve keeps what waits for a person.
//
// A [Book] holds the actions that wait. Each hold is written to the store before anyone hears of it, and its end before it takes
// effect; people hear of it through the [Approver] channels and decide it with [Book.Vote].
//
// # The life of a hold
//
// A hold is open until one of these ends it, whichever comes first:
//
//	approved   every need is met, and the agent is still there: it goes on
//	rejected   somebody who may decide it said no, or its approval could not be recorded
//	expired    its deadline passed, or the gateway was started anew; nothing executes by itself afterwards
//	withdrawn  the agent has left, or took it back
//
// An action that expired or was withdrawn can still be approved for a while (Settings.Late). Nothing waits any more, so the
// approval becomes a grant: the same peer may do the action with the same digest once more, for a while. The same happens to a hold
// for which nobody waits from the beginning (Request.Detached), and to an approval whose agent turns out to have left.
//
// # Who decides
//
// Each rule that held the action is a [Need]: so many identities among these approvers must approve. All needs must be met; one
// rejection by somebody who may decide any of them is enough. The identity of a vote is the person that the channel names (Vote.By),
// without regard to case and whichever channel it comes through, or the channel where it names nobody. Each identity has one vote.
// The machine's operator ([Console]) may decide every hold and is one identity, whoever uses the console. With Need.NotRequester a
// vote does not count for the need if its identity, or its channel, is named like the peer that asks.
//
// # Grants
//
// A grant is for one peer and one digest, never for a pattern. Each use is counted on disk before [Book.Take] returns, so no
// crash and no race lets one be used twice. Where several people approved, the smallest of what they granted counts.
//
// # Cost
//
// Opening a hold and ending it are one write to the store each, synced to the disk; a grant is one more, as is each use of it.
package approve

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Console is the approver name of the machine's operator.
const Console = "console"

// State is where a hold is in its life.
type State string

// The states of a hold. Pending is the one in which it is open.
const (
	Pending   State = "open"
	Approved  State = "approved"
	Rejected  State = "rejected"
	Expired   State = "expired"
	Withdrawn State = "withdrawn"
)

// Outcome is the state in which a hold has ended.
type Outcome = State

// Valid reports whether s is one of the states.
func (s State) Valid() bool {
	switch s {
	case Pending, Approved, Rejected, Expired, Withdrawn:
		return true
	}
	return false
}

// Field is one known fact of an action: its name and all of its text, as the plugin gave it. What shows it to a person makes it
// safe to read first; see package show.
type Field struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Need is one rule that held the action, and what it asks for.
type Need struct {
	Rule   string `json:"rule"`
	Reason string `json:"reason,omitempty"`
	// Approvers are the names of the channels that can meet it, the operator besides; none: all of them.
	Approvers []string `json:"approvers,omitempty"`
	// Approvals is how many identities must approve; 0 counts as 1.
	Approvals int `json:"approvals"`
	// NotRequester: an identity named like the peer does not count.
	NotRequester bool `json:"not_requester,omitempty"`
	// Given is how many have approved so far. It is set by the book.
	Given int `json:"given"`
}

// Cast is a vote that was counted.
type Cast struct {
	Approver string    `json:"approver"`
	By       string    `json:"by,omitempty"`
	Approve  bool      `json:"approve"`
	Reason   string    `json:"reason,omitempty"`
	At       time.Time `json:"at"`
	// GrantUses and GrantSeconds are what it grants besides, as Vote says.
	GrantUses    int   `json:"grant_uses,omitempty"`
	GrantSeconds int64 `json:"grant_seconds,omitempty"`
}

// Status is a hold as others see it. It is the receiver's own; its slices are shared and not to be changed.
type Status struct {
	ID    string `json:"id"`
	State State  `json:"state"`

	Peer         string `json:"peer"`
	Profile      string `json:"profile"`
	Endpoint     string `json:"endpoint"`
	Credential   string `json:"credential,omitempty"`
	Plugin       string `json:"plugin,omitempty"`
	PluginDigest string `json:"plugin_digest,omitempty"`
	Conn         string `json:"conn,omitempty"`
	ActionID     uint32 `json:"action_id"`

	Family string `json:"family"`
	Class  string `json:"class"`
	Title  string `json:"title"`
	// Fields are all known ones, in the manifest's order, never cut. List leaves them out.
	Fields []Field `json:"fields,omitempty"`
	// Digest is the action's, in hexadecimal; a vote names it.
	Digest string `json:"digest"`
	// Grantable: an approval can become a grant. Else something about the action is unknown or cut.
	Grantable bool `json:"grantable"`
	// Detached: nobody waits, an approval becomes a grant and executes nothing.
	Detached bool `json:"detached,omitempty"`

	Needs []Need `json:"needs"`
	Votes []Cast `json:"votes,omitempty"`

	Opened   time.Time `json:"opened"`
	Deadline time.Time `json:"deadline"`
	// Late is until when a hold that expired or was withdrawn can still be approved; zero: it cannot.
	Late time.Time `json:"late,omitzero"`
	// Ending is how it ended; with State Pending its Outcome is empty.
	Ending Ending `json:"ending,omitzero"`

	// Policy is the hash of the configuration that held it, Receipt the record of that.
	Policy  string `json:"policy,omitempty"`
	Receipt string `json:"receipt,omitempty"`
}

// Ending is how a hold ended.
type Ending struct {
	// Outcome is Approved, Rejected, Expired or Withdrawn; empty: it has not ended.
	Outcome Outcome   `json:"outcome,omitempty"`
	At      time.Time `json:"at,omitzero"`
	// By are who decided, each as "person (channel)" or "channel".
	By []string `json:"by,omitempty"`
	// Reason is for people: what the voters wrote, or why nobody decided.
	Reason string `json:"reason,omitempty"`
	// Receipt is the id of the ending's record.
	Receipt string `json:"receipt,omitempty"`
	// Executed: the agent was there, and its action went on. Only with Approved.
	Executed bool `json:"executed,omitempty"`
	// Granted: there is a grant now.
	Granted bool `json:"granted,omitempty"`
	// GrantUses and GrantUntil say which; GrantUses is 0 where only the time bounds them.
	GrantUses  int       `json:"grant_uses,omitempty"`
	GrantUntil time.Time `json:"grant_until,omitzero"`
	// FailClosed: nobody said no; something failed, and Reason says what.
	FailClosed bool `json:"fail_closed,omitempty"`
}

// Vote is one decision of one person.
type Vote struct {
	// Approver is the channel it came through: the name of an Approver, or Console. By is the person or key as that channel knows
	// them; it is shown, and it is the identity of the vote. Empty: the channel is.
	Approver string
	By       string
	Approve  bool
	// Digest is what the voter saw, in hexadecimal. It must be the hold's.
	Digest string
	// Reason is free text, at most MaxReason bytes; what is longer is cut.
	Reason string
	// GrantUses and GrantFor, with Approve, allow the same again: so many times, for so long. Both 0: only this once. Only
	// GrantUses: for Settings.GrantFor. Only GrantFor: as often as wanted in that time.
	GrantUses int
	GrantFor  time.Duration
}

// Approver is a channel to people.
type Approver interface {
	// Name is the one in the configuration.
	Name() string
	// Announce tells people of a hold. The book runs it in a goroutine of its own for each hold that this channel can decide. ctx
	// ends when the hold is over; over then says how, with an empty Outcome if the gateway stops and the hold has not
	// ended. Announce may go on after that for as long as it takes to tell people so, bounded by the channel itself; the book's Close
	// waits for it. decide casts a vote in the name of this channel, whatever Vote.Approver says; it works also when ctx has ended, and an
	// approval then becomes a grant, or is refused with one of this package's errors.
	Announce(ctx context.Context, h Status, decide func(context.Context, Vote) (Status, error), over func() Ending)
}

// Journal records endings.
type Journal interface {
	// Ended is called before an ending takes effect and returns the id of its record. h is the hold with the ending in it. An error
	// makes an approval a denial; other endings take effect all the same. It is called again for a hold that expired or was
	// withdrawn when it is approved later, and after an approval that was recorded but could not be kept, which is a rejection then.
	Ended(ctx context.Context, h *Status, e Ending) (receipt string, err error)
}

// Limits of what is kept.
const (
	// MaxText bounds the names and texts of a hold's fields together, in bytes. What is longer cannot be held: nobody reads it.
	MaxText = 256 << 10
	// MaxTexts bounds the texts of all holds together, in bytes.
	MaxTexts = 256 << 20
	// MaxReason bounds the reason of a vote, MaxPerson the name of who votes, MaxName every other string of a hold, in bytes. What
	// all needs of a hold say is bounded by 32 KiB.
	MaxReason = 1 << 10
	MaxPerson = 256
	MaxName   = 2 << 10
	// MaxVotes bounds the votes on one hold.
	MaxVotes = 64
	// MaxNeeds bounds the needs of a hold and the approvers of each, MaxVotes the approvals of each.
	MaxNeeds = 64
	// MaxGrantUses and MaxGrantFor bound what one vote can grant.
	MaxGrantUses = 1000
	MaxGrantFor  = 24 * time.Hour
	// MaxTimeout bounds how long a hold is open.
	MaxTimeout = 24 * time.Hour
)

// Errors of votes and holds. They come wrapped, with the hold's id; the text is for the one who voted.
var (
	// ErrUnknown: there is no such hold, or it ended so long ago that it was forgotten.
	ErrUnknown = errors.New("there is no such hold; it may have ended a while ago")
	// ErrDigest: the vote is about something else than what is held.
	ErrDigest = errors.New("the digest is not that of the held action; read it again and decide about what it is")
	// ErrDecided: it was decided before.
	ErrDecided = errors.New("it is decided already")
	// ErrTooLate: it ended undecided and cannot be approved any more.
	ErrTooLate = errors.New("it is over, and too late for a grant")
	// ErrVoted: this identity has voted before.
	ErrVoted = errors.New("this identity has voted on it already")
	// ErrNotEntitled: none of the rules that hold the action asks this approver.
	ErrNotEntitled = errors.New("this approver may not decide it")
	// ErrRequester: only somebody else than who asks may approve it.
	ErrRequester = errors.New("who asks for it cannot approve it")
	// ErrNotGrantable: the approval would become a grant, and the action cannot have one.
	ErrNotGrantable = errors.New("it cannot be granted: something about the action is unknown or cut, so it may not be the same the next time")
	// ErrInvalid: a request or vote that breaks a limit.
	ErrInvalid = errors.New("not allowed")
	// ErrTooMany: a limit on open holds is reached; it comes as a *TooManyError.
	ErrTooMany = errors.New("too many actions wait for a person")
	// ErrTooLarge: the action's text is too long to be held.
	ErrTooLarge = errors.New("its text is too long for a person to read")
	// ErrClosed: the book is closed.
	ErrClosed = errors.New("the gateway is stopping")
)

// TooManyError says which limit on open holds is reached. It is an ErrTooMany.
type TooManyError struct {
	// Limit is "per_peer", "total", "withdrawn" or "texts"; Max is its value, for texts in bytes. Withdrawn bounds how many a peer takes
	// back within a minute, so that it cannot wear people out; its value is that of per_peer.
	Limit string
	Max   int
	Peer  string
}

func (e *TooManyError) Error() string {
	switch e.Limit {
	case "per_peer":
		return fmt.Sprintf("%v: peer %s has %d, the limit of holds.per_peer", ErrTooMany, e.Peer, e.Max)
	case "withdrawn":
		return fmt.Sprintf("%v: peer %s took %d back within a minute and left people asked in vain; wait a minute", ErrTooMany, e.Peer, e.Max)
	case "texts":
		return fmt.Sprintf("%v: their texts are %d MiB, which is the limit", ErrTooMany, e.Max>>20)
	}
	return fmt.Sprintf("%v: there are %d, the limit of holds.total", ErrTooMany, e.Max)
}

// Is makes it an ErrTooMany.
func (e *TooManyError) Is(target error) bool { return target == ErrTooMany }
