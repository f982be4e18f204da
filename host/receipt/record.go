// Package receipt keeps the durable record of what the gateway decided: a file of JSON lines, each chained to the one before
// it by its hash.
//
// # The file
//
// One record is one line, canonical JSON (RFC 8785: members sorted by name, no spaces, shortest escapes). Two members bind it:
// "_prev" is the hash of the line before, and "_hash" the SHA-256 of this line's object without the member "_hash", both in
// hexadecimal. Because "_hash" sorts first, a line is
//
//	{"_hash":"64 digits",REST
//
// and its hash is that of the bytes "{" and REST without the newline. The first record is of kind genesis; its "_prev" is
// zeros. "seq" counts the records of a file from 0, "id" is what other records, errors and people use for a record: the log's
// random tag and the number.
//
// A changed, removed, inserted or moved line breaks the chain, and Verify names the first line that does not fit. What a
// chain cannot show is that its newest lines are gone, or that somebody who can write the file made the whole chain anew;
// against that the newest hash has to be kept elsewhere.
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

// The kinds. Genesis and Torn are written by the log itself.
const (
	Genesis  Kind = "genesis"  // the file begins
	Torn     Kind = "torn"     // an incomplete last line was found and set aside
	Start    Kind = "start"    // the gateway starts; Detail, Policy
	Reload   Kind = "reload"   // another configuration is in effect; Policy, Detail
	Stop     Kind = "stop"     // the gateway ends; Reason
	Refused  Kind = "refused"  // a connection or a DNS name that leads nowhere; Peer, Target, Reason
	Decision Kind = "decision" // what was decided about an action
	Note     Kind = "note"     // what became of an action; Parent, Pairs
	End      Kind = "end"      // a connection ended; Up, Down, Reason, FailClosed
)

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
	// MaxNames bounds Unknown, WouldDeny.
	MaxNames = 64
)

// Record is what is appended. Members that are empty are left out of the line.
type Record struct {
	Kind Kind
	// Time is when it happened; zero means now.
	Time time.Time
	// Conn names the connection, and ActionID the action within it, as the plugin numbered it; it is written for decisions and
	// notes.
	Conn     string
	ActionID uint32
	// Parent is the id of the record that this one belongs to: a note's decision.
	Parent string

	// Who, where and by which plugin.
	Peer, Profile, Endpoint string
	Plugin, PluginDigest    string
	// Target is what a refused connection or lookup asked for: "10.0.0.1:5432", "db.example.".
	Target string

	// Action is written as family, class, title and its known fields. It is read during Append only.
	Action    *abi.Action
	Streaming bool

	// Outcome is "allow" or "deny"; Rule and Reason are why. FailClosed marks a denial, or the end of a connection, that no
	// rule decided: something failed and the gateway closed.
	Outcome, Rule, Reason string
	FailClosed            bool
	// Unknown are the fields that were unknown and decided. WouldDeny are the rules in observe mode that would have denied.
	Unknown   []string
	WouldDeny []string

	// Pairs are the names and values of a note, in turns.
	Pairs []string
	// Up and Down are the bytes that went to the upstream and to the agent; written for ends.
	Up, Down uint64

	// Policy is the hash of the effective configuration; Detail is free text, such as the version that starts.
	Policy, Detail string
}
