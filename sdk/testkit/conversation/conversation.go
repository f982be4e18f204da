//go:build !wasip1

// Package conversation reads and plays conversations: text files that say what the two ends of a connection send, what the plugin is
// to ask about, what is decided, and what each end is to get. Plugin authors write them as tests; `sallyport plugin check` plays them
// against the finished module.
//
//	# A line that begins with # is a comment. Setup comes first.
//	option max_line = 100
//
//	ask connect session "open a connection" -> allow
//	agent sends "get a\r\n"
//	ask lines read "get a" verb="get" -> allow
//	upstream gets "get a\r\n"
//	upstream sends "ok\r\n"
//	agent gets "ok\r\n"
//	agent sends "del a\r\n"
//	ask lines delete -> deny "not that"
//	agent gets "denied: not that\r\n"
//	agent ends
//	upstream is shut
//
// What happens (sends, ends) is a step; the lines up to the next step say what must come of it, no more and no less, but their order is
// free: bytes to one side are compared as a whole. What stands before the first step is about the opening of the connection.
//
//	option NAME = JSON                an option of the endpoint
//	endpoint | peer | profile NAME    what the plugin is told when the connection opens
//	fact upstream-tls | agent-tls | agent-tls-required | inspect
//	slot NAME                         a login slot that the credential fills
//	attribute NAME = "VALUE"          what the credential says besides
//	upstream refuses "REASON"         the connection to the upstream fails
//
//	agent | upstream sends DATA       a step
//	agent | upstream ends             a step
//	person approves                   a step: about the action that has waited longest
//	person rejects "REASON"           likewise
//
//	ask FAMILY CLASS ["TITLE"] [FIELD=JSON …] [streaming] [aside] -> allow [inspect BYTES] | deny "REASON" | hold "REASON"
//	withdraw                          the plugin takes back what waits for a person
//	agent | upstream gets DATA
//	agent | upstream is shut
//	agent | upstream is scanned
//	agent | upstream begins tls [version=…] [name=…] [protocol=…] [-> fails "REASON"]
//	auth SLOT [DATA] [-> DATA | -> fails "REASON"]
//	relogin SLOT [DATA] [-> fails "REASON"]
//	note NAME="VALUE" …               notes are compared when the file has any
//	close ["REASON"]                  the plugin ends the connection in good order
//	fail ["REASON"]                   the plugin ends it because it does not understand
//
// The questions about answers are ask lines of family response, with text, bytes and truncated as the host fills them.
//
// DATA is any number of "quoted\n" strings as in Go, of 0x00ff hex, and of either with *N behind it for repetition. A field that is not
// mentioned is not compared; FIELD=unknown says that the plugin must not know it. A line that begins with a space goes on with the
// line before.
package conversation

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// Limits of what is read: these are files of tests, but they may come from anywhere.
const (
	// MaxSize bounds a file, in bytes.
	MaxSize = 8 << 20
	// MaxData bounds the data of one line once it is written out, in bytes.
	MaxData = 64 << 20
)

// Script is a conversation.
type Script struct {
	Name    string
	Options map[string]any
	Facts   abi.Facts
	Refuse  string // why the upstream refuses the connection; empty: it does not
	Steps   []Step // the first is the opening, and sends nothing
	// AllowRest allows actions beyond those of the script; they are denied else.
	AllowRest bool

	notes bool
	looks *looks
}

// looks say how answers are looked at that the script itself lets pass unseen.
type looks struct {
	limit   uint32
	verdict drygate.Verdict
}

// Inspected is the script with the answer of every action that it allows looked at, up to limit bytes, and all questions about them answered by verdict. False: it has
// answers looked at itself, or the plugin cannot do that.
func (s *Script) Inspected(m *abi.Manifest, limit uint32, verdict drygate.Verdict) (*Script, bool) {
	if s.Facts.Inspect || m.Family(abi.FamilyResponse) == nil {
		return nil, false
	}
	c := *s
	c.Facts.Inspect = true
	c.looks = &looks{limit, verdict}
	c.Steps = slices.Clone(s.Steps)
	for i := range c.Steps {
		if v := &c.Steps[i].Verdict; c.Steps[i].Does == Decides && v.Outcome == abi.Allow {
			v.Inspect = limit
		}
	}
	return &c, true
}

// look has the answer of an action be looked at that v allows.
func (l *looks) look(e *drygate.Entry, v drygate.Verdict) drygate.Verdict {
	if l != nil && v.Outcome == abi.Allow && !v.Held && e.Action.Family.Name != abi.FamilyConnect {
		v.Inspect = l.limit
	}
	return v
}

// Does says what a step does.
type Does uint8

// What a step can do. Unseen is for conversations made of recordings.
const (
	Opens Does = iota
	Sends
	Ends
	Unseen
	Decides
)

// Step is something that happens, and what must come of it.
type Step struct {
	Line int // in the file
	Does Does
	Side abi.Side
	Data []byte
	N    uint64 // Unseen: bytes

	Verdict drygate.Verdict // Decides

	Expect []Expectation
}

// Expectation is one line about what must come of a step.
type Expectation struct {
	Line int
	Kind drygate.Kind
	Side abi.Side
	Data []byte

	Family  string // ask
	Class   abi.Class
	Title   *string
	Fields  []Field
	Stream  bool
	Aside   bool
	Verdict drygate.Verdict

	Secured drygate.Secured // tls
	Fails   string          // tls, auth, relogin: why; empty: it works
	Slot    string          // auth, relogin
	Answer  []byte          // auth

	Pairs  []string // note
	Failed bool     // close: it says that it did not understand
	Reason *string  // close
}

// Field is a field of an action that an ask line mentions.
type Field struct{ Name, Value string }

// unknown is the value of a field that the plugin must not know.
const unknown = "unknown"

// Problem is what is wrong in one line, of the file or of what the plugin did there.
type Problem struct {
	File string
	Line int
	Text string
}

func (p *Problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text) }

// Load reads a file.
func Load(path string) (*Script, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxSize {
		return nil, fmt.Errorf("%s: %d bytes, a conversation has at most %d", path, info.Size(), MaxSize)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, string(b))
}

// Parse reads a conversation. name is for messages.
func Parse(name, text string) (*Script, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("%s: %d bytes, a conversation has at most %d", name, len(text), MaxSize)
	}
	s := &Script{Name: name, Options: map[string]any{}, Steps: []Step{{Line: 1}},
		Facts: abi.Facts{Endpoint: "endpoint", Peer: "peer", Profile: "profile"}}
	var errs []error
	for n, line := range logicalLines(text) {
		p := &parser{script: s, line: n, rest: line}
		if err := p.parse(); err != nil {
			errs = append(errs, &Problem{name, n, err.Error()})
			if len(errs) == 20 {
				break
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return s, nil
}

// logicalLines yields lines with their numbers, continuations joined, comments and empty lines left out.
func logicalLines(text string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		at, joined := 0, ""
		n := 0
		for line := range strings.Lines(text) {
			n++
			line = strings.TrimRight(line, "\r\n\t ")
			trimmed := strings.TrimLeft(line, " \t")
			switch {
			case trimmed == "" || trimmed[0] == '#':
			case trimmed != line && joined != "":
				joined += " " + trimmed
			default:
				if joined != "" && !yield(at, joined) {
					return
				}
				at, joined = n, trimmed
			}
		}
		if joined != "" {
			yield(at, joined)
		}
	}
}
