//go:build !wasip1

package drygate

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Kind says what an entry of a transcript is about.
type Kind uint8

// The kinds of entries.
const (
	Ask      Kind = iota // ID, Action, Encoded, Extent, Start, Streaming, Verdict
	Done                 // ID
	Dial                 // ID
	Gets                 // Side gets Bytes, and Unseen ones that nobody knows
	Shut                 // of Side
	Note                 // ID, Pairs
	TLS                  // on Side
	Auth                 // ID, Slot, Bytes: the server's words
	Scan                 // of Side
	Close                // By, Failed, Text
	Withdraw             // ID
	Relogin              // ID, Slot, Bytes: the server's words
	kinds
)

var kindNames = [kinds]string{"ask", "done", "dial", "gets", "shut", "note", "tls", "auth", "scan", "close", "withdraw", "relogin"}

func (k Kind) String() string { return kindNames[k] }

// By says who ended a connection.
type By uint8

// Who can end a connection: the plugin with CLOSE, the gate because the plugin broke a rule, the guest because it trapped or ran out of
// fuel, both ends because they had nothing more to say.
const (
	ByPlugin By = iota
	ByGate
	ByGuest
	ByPeer
)

// Entry is one thing that happened.
type Entry struct {
	Kind      Kind
	Stimulus  int // in answer to which: 0 is the opening
	Side      abi.Side
	ID        uint32
	Action    *abi.Action
	Encoded   []byte
	Start     uint64 // where the action's range begins in what the agent sends
	Extent    uint64
	Streaming bool
	Aside     bool
	Response  *abi.Response // of a question about an answer: what is asked about
	Verdict   Verdict
	Slot      int
	Bytes     []byte
	Unseen    uint64
	Pairs     []string
	By        By
	Failed    bool
	Text      string
	Err       error // of a guest that failed
	Raced     bool  // behind a race, see BeforeRace
}

// Transcript is what happened, in order.
type Transcript []Entry

// Gets is all that a side got.
func (t Transcript) Gets(side abi.Side) []byte {
	var b []byte
	for i := range t {
		if t[i].Kind == Gets && t[i].Side == side {
			b = append(b, t[i].Bytes...)
		}
	}
	return b
}

// Asks are the actions, in order.
func (t Transcript) Asks() []*Entry {
	var all []*Entry
	for i := range t {
		if t[i].Kind == Ask {
			all = append(all, &t[i])
		}
	}
	return all
}

// End is how the connection ended; nil: it has not.
func (t Transcript) End() *Entry {
	if n := len(t); n > 0 && t[n-1].Kind == Close {
		return &t[n-1]
	}
	return nil
}

// Breached is what the plugin did that no plugin may; empty: nothing.
func (t Transcript) Breached() string {
	if e := t.End(); e != nil && e.By == ByGate {
		return e.Text
	}
	return ""
}

// Crashed is the error that a guest ended with; nil: none.
func (t Transcript) Crashed() error {
	if e := t.End(); e != nil && e.By == ByGuest {
		return e.Err
	}
	return nil
}

// Equal reports whether both say the same, and if not what is different first. Bytes are compared as what each side got in answer to
// each stimulus: bytes that were passed ahead come when they come.
func (t Transcript) Equal(o Transcript) (same bool, ours, theirs string) {
	a, b := t.canonical(), o.canonical()
	for i := range max(len(a), len(b)) {
		ours, theirs = "nothing more", "nothing more"
		if i < len(a) {
			ours = a[i].String()
		}
		if i < len(b) {
			theirs = b[i].String()
		}
		if i >= len(a) || i >= len(b) || !a[i].equal(&b[i]) {
			return false, ours, theirs
		}
	}
	return true, "", ""
}

// BeforeRace is what of both was before the stimulus in which one of them came to a race: a pause of one side ended, for which
// the host had bytes, while the guest had bytes of the other that it had not passed or dropped. Both are next then, and where the
// bytes were cut decides which is. It takes an upstream that answers what it has not been sent.
func BeforeRace(t, o Transcript) (Transcript, Transcript) {
	n := min(t.race(), o.race())
	return t.before(n), o.before(n)
}

// race is the stimulus in which one is; without one, it is more than any.
func (t Transcript) race() int {
	for i := range t {
		if t[i].Raced {
			return t[i].Stimulus
		}
	}
	return math.MaxInt
}

func (t Transcript) before(stimulus int) Transcript {
	for i := range t {
		if t[i].Stimulus >= stimulus {
			return t[:i]
		}
	}
	return t
}

// canonical is the transcript with what each side got in answer to a stimulus behind everything else of it.
func (t Transcript) canonical() Transcript {
	var c Transcript
	for i := 0; i < len(t); {
		n := i
		for n < len(t) && t[n].Stimulus == t[i].Stimulus {
			if t[n].Kind != Gets {
				c = append(c, t[n])
			}
			n++
		}
		for _, side := range []abi.Side{abi.Agent, abi.Upstream} {
			got := Entry{Kind: Gets, Stimulus: t[i].Stimulus, Side: side}
			for k := i; k < n; k++ {
				if t[k].Kind == Gets && t[k].Side == side {
					got.Bytes = append(got.Bytes, t[k].Bytes...)
					got.Unseen += t[k].Unseen
				}
			}
			if len(got.Bytes) > 0 || got.Unseen > 0 {
				c = append(c, got)
			}
		}
		i = n
	}
	return c
}

func (e *Entry) equal(o *Entry) bool {
	return e.Kind == o.Kind && e.Stimulus == o.Stimulus && e.Side == o.Side && e.ID == o.ID && e.Start == o.Start && e.Extent == o.Extent && e.Streaming == o.Streaming && e.Aside == o.Aside &&
		e.Verdict == o.Verdict && e.Slot == o.Slot && e.Unseen == o.Unseen && e.By == o.By && e.Failed == o.Failed && e.Text == o.Text &&
		bytes.Equal(e.Encoded, o.Encoded) && bytes.Equal(e.Bytes, o.Bytes) && strings.Join(e.Pairs, "\x00") == strings.Join(o.Pairs, "\x00")
}

// String is the transcript, one entry on each line, as in a conversation file.
func (t Transcript) String() string {
	var b strings.Builder
	for i := range t {
		b.WriteString(t[i].String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String is the entry as a line of a conversation file.
func (e *Entry) String() string {
	switch e.Kind {
	case Ask:
		return e.askString()
	case Gets:
		s := fmt.Sprintf("%v gets %s", e.Side, Quote(e.Bytes))
		if e.Unseen > 0 {
			s += fmt.Sprintf(" # and %d bytes that are not recorded", e.Unseen)
		}
		return s
	case Shut:
		return fmt.Sprintf("%v is shut", e.Side)
	case Note:
		s := "note"
		for i := 0; i+1 < len(e.Pairs); i += 2 {
			s += fmt.Sprintf(" %s=%q", e.Pairs[i], e.Pairs[i+1])
		}
		return s
	case TLS:
		return fmt.Sprintf("%v begins tls", e.Side)
	case Withdraw:
		return "withdraw"
	case Scan:
		return fmt.Sprintf("%v is scanned", e.Side)
	case Auth:
		return fmt.Sprintf("auth %d %s", e.Slot, Quote(e.Bytes))
	case Relogin:
		return fmt.Sprintf("relogin %d %s", e.Slot, Quote(e.Bytes))
	case Close:
		return e.closeString()
	default:
		return fmt.Sprintf("# %v %d", e.Kind, e.ID)
	}
}

func (e *Entry) askString() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ask %s %v %q", e.Action.Family.Name, e.Action.Class, e.Action.Title)
	for i := range e.Action.Values {
		if v := &e.Action.Values[i]; v.Known {
			fmt.Fprintf(&b, " %s=%s", e.Action.Family.Fields[i].Name, FieldText(v, e.Action.Family.Fields[i].Type))
		}
	}
	if e.Streaming {
		b.WriteString(" streaming")
	}
	if e.Aside {
		b.WriteString(" aside")
	}
	if e.Verdict.Held {
		fmt.Fprintf(&b, " -> hold %q", e.Verdict.Reason)
		return b.String()
	}
	fmt.Fprintf(&b, " -> %v", e.Verdict.Outcome)
	if e.Verdict.Outcome != abi.Allow {
		fmt.Fprintf(&b, " %q", e.Verdict.Reason)
	} else if e.Verdict.Inspect > 0 {
		fmt.Fprintf(&b, " inspect %d", e.Verdict.Inspect)
	}
	return b.String()
}

func (e *Entry) closeString() string {
	switch {
	case e.By == ByPeer:
		return "# " + e.Text
	case e.By == ByGate:
		return fmt.Sprintf("# cut off by the gate: %s", e.Text)
	case e.By == ByGuest:
		return fmt.Sprintf("# the guest is gone: %s", e.Text)
	case e.Failed:
		return fmt.Sprintf("fail %q", e.Text)
	}
	return fmt.Sprintf("close %q", e.Text)
}
