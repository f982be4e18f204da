package session

import (
	"path"

	"github.com/sallyport-dev/sallyport/plugins/ssh/sftp"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// asking says what is undecided on a channel.
type asking uint8

const (
	askOpen    asking = iota // the channel itself
	askRequest               // something that is set for it, or a signal
	askStart                 // what it is there for
	askFile                  // a request of SFTP
)

// then says what an allowed request brings.
type then uint8

const (
	thenNothing then = iota
	thenTerminal
	thenX11
	thenKeys
	thenFiles
)

// question is what is undecided.
type question struct {
	kind asking
	then then
	want bool // the agent wants an answer
	told bool // and has it

	comes  comes
	class  abi.Class
	title  string
	record []byte // what the server gets when it is allowed; nil: it has it by then
}

func clean(p string) string { return path.Clean(p) }

// question asks about a, on a channel.
func (s *Session) question(c *sdk.Conn, ch *channel, q question, a *action) uint32 {
	q.class, q.title = a.class, title(a.kind, a.title)
	ch.asked, ch.what = s.ask(c, a), q
	return ch.asked
}

// asks asks about a, which the record r wants. Where rules look at answers the record waits here, because more may be asked before it goes on.
func (s *Session) asks(c *sdk.Conn, ch *channel, q question, a *action, r *record) {
	id := s.question(c, ch, q, a)
	if !s.facts.Inspect {
		s.up(c, id, r)
		return
	}
	ch.what.record = s.hold(c, r)
}

// hold keeps a copy of a record.
func (s *Session) hold(c *sdk.Conn, r *record) []byte {
	held := append([]byte(nil), r.bytes...)
	if r.live {
		c.Drop(abi.Agent, uint64(len(r.bytes)))
	}
	return held
}

// takeBack takes back what is undecided on a channel; of what would come back nobody has to.
func (s *Session) takeBack(c *sdk.Conn, ch *channel) {
	if ch.asked != 0 && s.questions[ch.asked] == nil {
		c.Withdraw(ch.asked)
	}
}

// find is the channel on which an action is undecided.
func (s *Session) find(id uint32) *channel {
	for _, ch := range s.channels {
		if ch.asked == id {
			return ch
		}
	}
	return nil
}

// held tells the agent that a person is asked.
func (s *Session) held(c *sdk.Conn, e *abi.Event) {
	if e.Hold == "" { // a judge, who answers soon
		return
	}
	text := "sallyport: held as " + e.Hold + " until somebody approves it, at most until " + e.Until
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if ch := s.find(e.ID); ch != nil && ch.session && !ch.opening {
		s.stderr(c, ch, text)
	}
}

// verdict goes on when something was decided.
func (s *Session) verdict(c *sdk.Conn, e *abi.Event) {
	if s.answerVerdict(c, e) {
		return
	}
	if e.ID == s.global.asked && e.ID != 0 {
		s.globalVerdict(c, e)
		return
	}
	ch := s.find(e.ID)
	if ch == nil { // it was taken back
		if e.Outcome == abi.Allow && e.ID != s.connect {
			c.Answered(e.ID)
			c.Done(e.ID)
		}
		return
	}
	q := ch.what
	ch.asked = 0
	if e.Outcome == abi.Allow && e.Inspect > 0 {
		if ch.closed[abi.Upstream] {
			c.Answered(e.ID)
		} else if s.inspects(c, ch, q, e) {
			return
		}
	}
	s.decided(c, ch, q, e)
}

// decided goes on with what was asked on a channel.
func (s *Session) decided(c *sdk.Conn, ch *channel, q question, e *abi.Event) {
	switch {
	case q.kind == askFile:
		s.fileVerdict(c, ch, e)
	case e.Outcome != abi.Allow:
		s.denied(c, ch, q, e)
	case ch.closed[abi.Upstream]:
		c.Done(e.ID)
	default:
		s.allowed(c, ch, q, e.ID)
	}
	s.drain(c, ch)
	if q.kind == askStart && e.Outcome == abi.Allow && !ch.dead {
		s.splice(c, ch)
	}
}

// allowed goes on with what has reached the upstream now.
func (s *Session) allowed(c *sdk.Conn, ch *channel, q question, id uint32) {
	if q.record != nil {
		c.Send(abi.Upstream, id, q.record)
	}
	if q.want {
		answer := replyUpstream
		if q.told {
			answer = replySwallow
		}
		s.owe(c, ch, answer)
	}
	switch q.kind {
	case askOpen:
		ch.action, ch.own = id, true
		return
	case askStart:
		ch.action, ch.own, ch.exec, ch.class = id, true, id, q.class
		if q.then == thenFiles {
			ch.files = sftp.New()
		}
		if ch.terminal {
			s.down(c, sshwire.AppendRecord(s.out[:0], ch.id, id))
		}
		for _, text := range s.notices {
			s.stderr(c, ch, text)
		}
		s.notices = nil
		return
	}
	switch {
	case q.then == thenTerminal:
		ch.terminal = true
	case q.then == thenX11 && s.x11 == 0:
		s.x11 = id
		return
	case q.then == thenKeys && s.keys == 0:
		s.keys = id
		return
	}
	c.Done(id)
}

// denied tells the agent.
func (s *Session) denied(c *sdk.Conn, ch *channel, q question, e *abi.Event) {
	text := denial(e)
	switch q.kind {
	case askOpen:
		s.forget(c, ch)
		delete(s.channels, ch.id)
		s.down(c, sshwire.AppendOpenFailure(s.out[:0], ch.id, printable(text)))
	case askStart:
		s.stderr(c, ch, text)
		if q.want && !q.told {
			answer := replyFailure
			if s.plugin.succeeded {
				answer = replySuccess
			}
			s.owe(c, ch, answer)
		}
		s.kill(c, ch, ExitDenied)
	default:
		if ch.session {
			s.stderr(c, ch, text)
		}
		if q.want {
			s.owe(c, ch, replyFailure)
		}
	}
}

// tell has the next session say something that concerns the whole connection.
func (s *Session) tell(text string) {
	if len(s.notices) < maxNotices {
		s.notices = append(s.notices, text)
	}
}
