// Package receipt keeps the durable record of what the gateway decided: files of JSON lines, each chained to the one before
// it by its hash, and signed again and again. docs/receipts.md is the user's side of it.
//
// # The file
//
// One record is one line, canonical JSON (RFC 8785: members sorted by name, no spaces, shortest escapes). Two members bind it:
// "_prev" is the hash of the line before, and "_hash" the SHA-256 of this line's object without the member "_hash", both in
// hexadecimal. Because "_hash" sorts first, a line is
//
//	{"_hash":"64 digits",REST
//
// and its hash is that of the bytes "{" and REST without the newline. The first record of a file is of kind genesis; that
// of the first file has a "_prev" of zeros. "seq" counts the records of a log from 0, "id" is what other records, errors and people
// use for a record: the log's random tag and the number.
//
// # Files
//
// A log is the file that is written to and older ones beside it, whose names sort (Files). When the file is large or old, everything
// in it is brought to the disk, the first record of a new one is written under another name, and then the two are renamed: at any
// moment a crash leaves a whole chain. Appends wait for that and for nothing else that the log does in the background (keeper.go).
// Retention removes old files, each after a record that says so.
//
// # What can be found
//
// A changed, removed, inserted or moved line breaks the chain, and Verify names the first line that does not fit. Somebody who can
// write the files can make the whole chain anew; against that, a record of kind checkpoint signs everything before it: each minute,
// after MaxUnsigned records, at the end of a file and at Close. What neither shows is that the newest lines are gone. Anchors keep
// checkpoints elsewhere; VerifyWith finds by them how much is missing.
//
// # Durability
//
// Append returns when the record has been written to the file (write(2)), so it survives the end of the process, however
// it ends. With Written, the default, the file is synced to the disk at most a second later (Options.SyncEvery): a crash of
// the machine can lose the last second. With Synced, Append returns after the sync. Either way appends that come together
// share one write, and one sync.
//
// What became of an action is appended with Later, for which nothing waits: it reaches the file with the next Append, or 50
// milliseconds later.
//
// An append that fails has left nothing behind, and the caller fails closed: no receipt, no bytes. After a full disk the log
// recovers as soon as there is room. After a failed sync it does not, because what is on the disk is not known then.
package receipt

import (
	"time"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Kind says what a record is about.
type Kind string

// The kinds. Genesis, Torn, Checkpoint and Removed are written by the log itself.
const (
	Genesis    Kind = "genesis"    // a file begins
	Torn       Kind = "torn"       // an incomplete last line was found and set aside
	Checkpoint Kind = "checkpoint" // the gateway's signature on everything before it
	Removed    Kind = "removed"    // retention takes an old file away
	Anchored   Kind = "anchor"     // keeping checkpoints elsewhere begins to fail, or works again; Target, Reason
	Start      Kind = "start"      // the gateway starts; Detail, Policy
	Reload     Kind = "reload"     // another configuration is in effect; Policy, Detail
	Stop       Kind = "stop"       // the gateway ends; Reason
	Refused    Kind = "refused"    // a connection or a DNS name that leads nowhere; Peer, Target, Reason
	Decision   Kind = "decision"   // what was decided about an action; of a held one: that it is held
	HoldEnd    Kind = "hold_end"   // how a held action ended; Parent is the decision, Hold its id, Outcome and By say how
	Note       Kind = "note"       // what became of an action; Parent, Pairs
	End        Kind = "end"        // a connection ended; Up, Down, Reason, Outcome where something failed
)

// own are the kinds that only the log writes.
func (k Kind) own() bool {
	return k == Genesis || k == Torn || k == Checkpoint || k == Removed
}

// Outcome is what was decided.
type Outcome string

// The outcomes. Bytes flow after OutcomeAllow, OutcomeApproved, OutcomeGranted, OutcomeJudgedAllow, OutcomeWouldDeny, OutcomeWouldHold, OutcomeWouldJudge and OutcomeWouldRedact, and after no other.
const (
	OutcomeAllow       Outcome = "allow"
	OutcomeDeny        Outcome = "deny"
	OutcomeHeld        Outcome = "held"         // it waits for people; a record of kind HoldEnd follows
	OutcomeApproved    Outcome = "approved"     // people said yes
	OutcomeRejected    Outcome = "rejected"     // somebody said no
	OutcomeExpired     Outcome = "expired"      // nobody decided in time, or the gateway was started anew
	OutcomeWithdrawn   Outcome = "withdrawn"    // the agent left or took it back
	OutcomeGranted     Outcome = "granted"      // an earlier approval was used; Hold names what was approved
	OutcomeJudgedAllow Outcome = "judged_allow" // a judge said yes
	OutcomeJudgedDeny  Outcome = "judged_deny"  // a judge said no
	OutcomeFailClosed  Outcome = "fail_closed"  // something failed and the gateway closed; no rule decided
	OutcomeWouldDeny   Outcome = "would_deny"   // it passed because its endpoint observes; Rule would have denied it
	OutcomeWouldHold   Outcome = "would_hold"   // it passed because its endpoint observes; Rule would have held it
	OutcomeWouldJudge  Outcome = "would_judge"  // it passed because its endpoint observes; Rule would have had it judged
	OutcomeWouldRedact Outcome = "would_redact" // an answer that passed because its endpoint observes; Rule would have masked some of it
	OutcomeMismatch    Outcome = "mismatch"     // of a note: the server did something else than what was allowed
)

// Outcomes are all of them, for those who check a word.
func Outcomes() []Outcome {
	return []Outcome{OutcomeAllow, OutcomeDeny, OutcomeHeld, OutcomeApproved, OutcomeRejected, OutcomeExpired, OutcomeWithdrawn, OutcomeGranted, OutcomeJudgedAllow, OutcomeJudgedDeny, OutcomeFailClosed, OutcomeWouldDeny, OutcomeWouldHold, OutcomeWouldJudge, OutcomeWouldRedact, OutcomeMismatch}
}

// passes reports whether bytes flow after o.
func (o Outcome) passes() bool {
	switch o {
	case OutcomeAllow, OutcomeApproved, OutcomeGranted, OutcomeJudgedAllow, OutcomeWouldDeny, OutcomeWouldHold, OutcomeWouldJudge, OutcomeWouldRedact:
		return true
	}
	return false
}

// Limits of a record. What is longer is cut; where an action's field is cut, "cut" in the line says so.
const (
	// MaxLine bounds one line, in bytes, the newline included. Readers refuse longer ones.
	MaxLine = 512 << 10
	// MaxField is the default of Options.MaxField: the bytes of one field of an action.
	MaxField = 4 << 10
	// MaxString bounds every other string, in bytes.
	MaxString = 2 << 10
	// MaxPairs bounds the pairs of a note.
	MaxPairs = 64
	// MaxNames bounds Unknown, WouldDeny, WouldHold, By, Needs and the approvers of a need.
	MaxNames = 64
)

// Record is what is appended. Members that are empty are left out of the line.
type Record struct {
	Kind Kind
	// Time is when it happened; zero means now.
	Time time.Time
	// Conn names the connection, and ActionID the action within it, as the plugin numbered it; it is written for decisions, ends of
	// holds and notes.
	Conn     string
	ActionID uint32
	// Parent is the id of the record that this one belongs to: a note's decision, the held decision of a hold's end.
	Parent string

	// Who, where, as whom and by which plugin. Credential is the name of what the gateway logs in with, never a secret.
	Peer, Profile, Endpoint, Credential string
	Plugin, PluginDigest                string
	// Target is what a refused connection or lookup asked for: "10.0.0.1:5432", "db.example.".
	Target string

	// Action is written as family, class, title and its known fields. It is read during Append only.
	Action    *abi.Action
	Streaming bool

	// Outcome is what was decided; Rule and Reason are why. FailClosed makes it OutcomeFailClosed: no rule decided, something failed
	// and the gateway closed. A note with a pair called "mismatch" has the outcome OutcomeMismatch.
	Outcome      Outcome
	Rule, Reason string
	FailClosed   bool
	// Unknown are the fields that were unknown and decided. WouldDeny and WouldHold are the rules in observe mode that would have
	// denied or held, and WouldJudge those that would have had it judged.
	Unknown                          []string
	WouldDeny, WouldHold, WouldJudge []string
	// Judges are what judges said, of decisions that were judged.
	Judges []Judgment
	// Masked is how many values of an answer were masked, and MaskedBy by what, "RULE: pattern 1" or "RULE: column NAME"; of decisions about
	// answers, whose Parent is the decision about the action.
	Masked   int
	MaskedBy []string

	// Hold is the id of a hold: of the held decision, of its end, and of a decision that uses the grant which came of it. Digest is
	// what the approval is about (hexadecimal), Deadline until when the action waits, Needs what it waits for.
	Hold, Digest string
	Deadline     time.Time
	Needs        []Need
	// By are those who decided, as their channels name them. Granted says that a hold's end made a grant, for GrantUses uses (0:
	// any number) until GrantUntil.
	By         []string
	Granted    bool
	GrantUses  int
	GrantUntil time.Time

	// Pairs are the names and values of a note, in turns.
	Pairs []string
	// Up and Down are the bytes that went to the upstream and to the agent; written for ends.
	Up, Down uint64

	// Policy is the hash of the effective configuration; Detail is free text, such as the version that starts.
	Policy, Detail string

	// previous is the name of the file before this one, of a genesis; key and sig are a checkpoint's.
	previous, key, sig string
}

// Need is one rule that holds an action, and whom it asks.
type Need struct {
	Rule         string
	Approvers    []string // empty: any
	Approvals    int      // how many different ones; 0 counts as 1
	NotRequester bool     // whoever asked does not count
}
