package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// Where a rule looks at what comes back, the output of a command is kept by the host, record by record, until it is over: both outputs have ended and the server has
// said how the command did, or the channel is closed. Then it is asked about, while other channels go on, and goes to the agent or is forgotten. What is kept gives its window
// back, so that the command does not wait for a verdict that waits for it.
//
// What is a conversation cannot be kept, because it would not go on: terminals, shells, subsystems, copies of files, forwarded connections. Whether it may go on unseen is asked
// before it begins, as about an answer that is too long; so on these connections nothing goes to the server before both verdicts.

// fieldStatus is the plugin's own field of family response.
const fieldStatus = abi.ResponseFields

var responseFamily = abi.ResponseFamily("What came back: the output of a command without a terminal, as the values stdout and stderr, and what the server says of a signal that ended it.",
	abi.Field{Name: "exit_status", Type: abi.TypeInt, Doc: "the command's exit status; unknown when the server gave none"})

// Columns of output.
const (
	columnOut uint16 = iota
	columnErr
	columnSignal
	columns
)

var columnNames = []string{"stdout", "stderr", "signal"}

// comes says what comes back from an action.
type comes uint8

const (
	comesUnkept comes = iota // it cannot be kept
	comesNothing
	comesOutput
)

// output is what comes back from what was started on a channel, or from the channel itself.
type output struct {
	parent   uint32
	question uint32
	state    outputState
	began    [columns]bool
	lines    int64
	status   int64
	said     bool // status is what the server gave
	eof      bool
	closed   bool
	owes     int // bytes that were kept or dropped, and whose window was not given back
}

type outputState uint8

const (
	outputKept outputState = iota
	outputAsked
	outputPasses   // unseen
	outputWithheld // it is too long, and what still comes is dropped
	outputOver
)

// about is a question about an answer.
type about struct {
	parent uint32
	ch     *channel // nil: a request of the connection
	early  bool     // before the action began
	long   bool
}

// Bytes whose window is given back together, of a channel and of all.
const (
	mostOwed    = 64 << 10
	mostOwedAll = 256 << 10
)

// keeps reports whether what the server says on the channel is kept back.
func (ch *channel) keeps() bool { return ch.output != nil && ch.output.state != outputPasses }

// inspects begins with an allowed action whose answer rules look at, and reports whether something is asked before it goes on.
func (s *Session) inspects(c *sdk.Conn, ch *channel, q question, e *abi.Event) (asked bool) {
	switch q.comes {
	case comesNothing:
		c.Answered(e.ID)
		return false
	case comesOutput:
		ch.output = &output{parent: e.ID}
		return false
	}
	ch.what = q
	ch.asked = s.askEarly(c, e.ID, ch, q.class, q.title)
	return true
}

// askEarly asks whether what action parent would bring back may pass unseen.
func (s *Session) askEarly(c *sdk.Conn, parent uint32, ch *channel, class abi.Class, what string) uint32 {
	b := c.AskResponse(familyResponse, class, title("what comes back", what))
	b.Unknown(abi.ResponseColumns).Unknown(abi.ResponseRows).Unknown(fieldStatus)
	id := b.DoResponse(parent, abi.AskTruncated|abi.AskAside)
	s.questions[id] = &about{parent: parent, ch: ch, early: true, long: true}
	return id
}

// answerVerdict takes a verdict about an answer; false: it is none.
func (s *Session) answerVerdict(c *sdk.Conn, e *abi.Event) bool {
	a := s.questions[e.ID]
	if a == nil {
		return false
	}
	delete(s.questions, e.ID)
	ch := a.ch
	switch {
	case a.early && (ch == nil || ch.asked == e.ID):
		s.earlyVerdict(c, a, e)
	case a.early:
		c.Answered(a.parent)
		c.Done(a.parent)
	case s.channels[ch.id] == ch && !ch.dead && ch.output.question == e.ID:
		s.outputVerdict(c, ch, e, a.long)
	case a.long:
		c.Answered(a.parent)
	case e.Outcome == abi.Allow:
		c.Discard(a.parent, 0)
	}
	return true
}

// earlyVerdict goes on with an action that was allowed, or lets it be.
func (s *Session) earlyVerdict(c *sdk.Conn, a *about, e *abi.Event) {
	v := *e
	v.ID, v.Inspect = a.parent, 0
	allow := e.Outcome == abi.Allow
	if !allow {
		c.Answered(a.parent)
		c.Note(a.parent, "not_begun", "what comes back of it cannot be held back to be looked at")
		v.Reason = "it was not begun, because what comes back of it cannot be looked at: " + reasonOf(e)
	}
	ch := a.ch
	switch {
	case ch == nil:
		s.globalVerdict(c, &v)
	case ch.closed[abi.Upstream]:
		ch.asked = 0
		if allow {
			c.Answered(a.parent)
			c.Done(a.parent)
		}
	default:
		ch.asked = 0
		q := ch.what
		switch {
		case !allow:
		case q.kind == askStart || q.kind == askOpen:
			ch.output = &output{parent: a.parent, state: outputPasses}
		case q.kind == askFile:
			c.Answered(a.parent)
		}
		s.decided(c, ch, q, &v)
	}
	if !allow {
		c.Done(a.parent)
	}
}

func reasonOf(e *abi.Event) string {
	if e.Reason == "" {
		return "denied by sallyport"
	}
	return e.Reason
}

// askOutput asks about what is kept. The rest of what is too long has to wait for the verdict, and everything else of the server with it.
func (s *Session) askOutput(c *sdk.Conn, ch *channel, flags uint8) {
	o := ch.output
	b := c.AskResponse(familyResponse, ch.class, title("output", ch.title))
	b.Strings(abi.ResponseColumns, columnNames).Int(abi.ResponseRows, o.lines)
	if o.said {
		b.Int(fieldStatus, o.status)
	} else {
		b.Unknown(fieldStatus)
	}
	long := flags&abi.AskTruncated != 0
	o.question, o.state = b.DoResponse(o.parent, flags), outputAsked
	s.questions[o.question] = &about{parent: o.parent, ch: ch, long: long}
	if long {
		s.waits = o.question
	}
}

// outputVerdict lets output go, or says that it does not.
func (s *Session) outputVerdict(c *sdk.Conn, ch *channel, e *abi.Event, long bool) {
	o := ch.output
	o.question = 0
	switch allow := e.Outcome == abi.Allow; {
	case allow && long:
		c.Release(o.parent, 0)
		o.state = outputPasses
		ch.ending = o.eof
		s.giveBack(c)
	case allow:
		c.Release(o.parent, 0)
		o.state = outputOver
		s.endOutput(c, ch)
	case long:
		s.stderr(c, ch, withheld(e, "the command runs, and its output is withheld"))
		s.down(c, sshwire.AppendEmpty(s.out[:0], ch.id, sshwire.Discard))
		o.state = outputWithheld
		s.giveBack(c)
	default:
		what := "the command ran, and its output is withheld"
		if o.said {
			what = "the command ran and ended with status " + strconv.FormatInt(o.status, 10) + ", and its output is withheld"
		}
		s.stderr(c, ch, withheld(e, what))
		o.state = outputWithheld
		s.endWithheld(c, ch)
	}
}

// withheld is the line for an agent that does not get output.
func withheld(e *abi.Event, what string) string {
	v := *e
	v.Reason = prefix + ": " + what + ": " + reasonOf(e)
	return denial(&v)
}

// endWithheld ends output of which the agent gets nothing.
func (s *Session) endWithheld(c *sdk.Conn, ch *channel) {
	o := ch.output
	o.eof = true
	o.state = outputOver
	c.Answered(o.parent)
	s.down(c, sshwire.AppendExit(s.out[:0], ch.id, ExitDenied))
	s.endOutput(c, ch)
}

// endOutput tells the agent of the end.
func (s *Session) endOutput(c *sdk.Conn, ch *channel) {
	o := ch.output
	if o.eof {
		o.eof = false
		s.down(c, sshwire.AppendEmpty(s.out[:0], ch.id, sshwire.EOF))
	}
	if o.closed {
		o.closed = false
		s.down(c, sshwire.AppendEmpty(s.out[:0], ch.id, sshwire.Close))
		s.upstreamClosed(c, ch)
	}
}

// abandon ends the answer of a channel of which nothing more is wanted.
func (s *Session) abandon(c *sdk.Conn, ch *channel) {
	o := ch.output
	if o == nil || o.state == outputOver {
		return
	}
	if o.state != outputAsked {
		c.Answered(o.parent)
	}
	o.state = outputOver
}

// leave ends a channel whose output is kept and that the agent has closed: it hears nothing of the rest.
func (s *Session) leave(c *sdk.Conn, ch *channel) {
	o := ch.output
	closed := o.closed
	s.abandon(c, ch)
	ch.dead = true
	s.down(c, sshwire.AppendEmpty(s.out[:0], ch.id, sshwire.Close))
	if closed {
		ch.closed[abi.Upstream] = true
	}
}

// lastWords has the answers be decided of a server that has left; false: there are none.
func (s *Session) lastWords(c *sdk.Conn) bool {
	for _, ch := range s.channels {
		if ch.keeps() && ch.output.state == outputKept && !ch.dead {
			ch.output.closed = true
			s.askOutput(c, ch, abi.AskAside)
		}
	}
	for _, a := range s.questions {
		if !a.early {
			s.left = true
		}
	}
	return s.left
}

// under is what the server's words on a channel answer, where rules look at answers.
func (s *Session) under(ch *channel, data bool) uint32 {
	switch {
	case !s.facts.Inspect:
		return 0
	case ch != nil && ch.output != nil && ch.output.state == outputPasses:
		return ch.output.parent
	case ch != nil && data:
		return ch.action
	}
	return s.connect
}

// early reports data of a session in which nothing was begun that it could be the answer of.
func (s *Session) early(ch *channel) bool { return s.facts.Inspect && ch.session && ch.exec == 0 }
