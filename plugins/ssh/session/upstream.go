package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// upstream reads a record of the server; false: it stays where it is, until something was decided.
func (s *Session) upstream(c *sdk.Conn, stream uint32, p []byte) bool {
	number := p[sshwire.HeadSize]
	switch {
	case stream == 0:
		s.upstreamGlobal(c, p)
		return true
	case number == sshwire.Open:
		s.upstreamOpen(c, stream, p)
		return true
	}
	ch := s.channels[stream]
	if ch == nil {
		c.Drop(abi.Upstream, uint64(len(p)))
		return true
	}
	if ch.dead {
		s.upstreamDead(c, ch, p)
		return true
	}
	if ch.keeps() {
		return s.outputOf(c, ch, p)
	}
	switch number {
	case sshwire.OpenConfirm, sshwire.OpenFailure:
		s.confirmed(c, ch, p)
	case sshwire.ChannelSuccess, sshwire.ChannelFailure:
		s.replied(c, ch, p)
	case sshwire.ChannelRequest:
		s.upstreamRequest(c, ch, p)
	case sshwire.Close:
		s.finish(c, ch)
		c.Pass(abi.Upstream, s.under(ch, false), uint64(len(p)))
		s.upstreamClosed(c, ch)
	case sshwire.Data, sshwire.ExtendedData:
		if s.early(ch) {
			s.fail(c, abi.Upstream, "data on a session in which nothing was begun")
			return true
		}
		if number == sshwire.Data && ch.files != nil {
			s.upstreamFiles(c, ch, p)
			return true
		}
		c.Pass(abi.Upstream, s.under(ch, true), uint64(len(p)))
	case sshwire.EOF:
		if ch.session && ch.started && !ch.exited { // a client that hears of the end closes the channel, and then hears nothing of how it ended
			ch.ending = true
			c.Drop(abi.Upstream, uint64(len(p)))
			return true
		}
		c.Pass(abi.Upstream, s.under(ch, false), uint64(len(p)))
	default:
		s.fail(c, abi.Upstream, "a message that is not known")
	}
	return true
}

// upstreamDead reads what still comes on a channel that was ended here.
func (s *Session) upstreamDead(c *sdk.Conn, ch *channel, p []byte) {
	c.Drop(abi.Upstream, uint64(len(p)))
	if n := dataSize(p); n > 0 {
		c.Send(abi.Upstream, ch.action, sshwire.AppendAdjust(nil, ch.id, n))
	}
	if p[sshwire.HeadSize] == sshwire.Close {
		ch.closed[abi.Upstream] = true
		s.ended(c, ch)
	}
}

// confirmed reads the answer to a channel that the agent opens.
func (s *Session) confirmed(c *sdk.Conn, ch *channel, p []byte) {
	if !ch.opening || ch.id&1 == 0 || ch.asked != 0 {
		s.fail(c, abi.Upstream, "an answer to a channel that was not opened")
		return
	}
	ch.opening = false
	c.Pass(abi.Upstream, s.under(ch, false), uint64(len(p)))
	if p[sshwire.HeadSize] == sshwire.OpenFailure {
		s.remove(c, ch)
		return
	}
	if !ch.session {
		s.splice(c, ch)
	}
}

// replied reads the answer to a request of the agent.
func (s *Session) replied(c *sdk.Conn, ch *channel, p []byte) {
	if len(ch.replies) == 0 {
		s.fail(c, abi.Upstream, "an answer to a request that was not made")
		return
	}
	swallowed := ch.replies[0] == replySwallow
	ch.replies = ch.replies[1:]
	if !swallowed {
		c.Pass(abi.Upstream, s.under(ch, false), uint64(len(p)))
	} else {
		c.Drop(abi.Upstream, uint64(len(p)))
		if p[sshwire.HeadSize] == sshwire.ChannelFailure {
			s.stderr(c, ch, "sallyport: the server refused the request")
			s.kill(c, ch, 255)
			return
		}
	}
	s.flushReplies(c, ch)
}

// flushReplies gives the answers of the gateway whose turn has come.
func (s *Session) flushReplies(c *sdk.Conn, ch *channel) {
	for len(ch.replies) > 0 && ch.replies[0] >= replyFailure {
		number := byte(sshwire.ChannelFailure)
		if ch.replies[0] == replySuccess {
			number = sshwire.ChannelSuccess
		}
		ch.replies = ch.replies[1:]
		s.down(c, sshwire.AppendEmpty(s.out[:0], ch.id, number))
	}
}

// owe notes what a request of the agent is answered with.
func (s *Session) owe(c *sdk.Conn, ch *channel, r reply) {
	if len(ch.replies) == maxReplies {
		s.fail(c, abi.Agent, "too many requests without an answer")
		return
	}
	ch.replies = append(ch.replies, r)
	s.flushReplies(c, ch)
}

// upstreamRequest reads a request of the server, which do no more than tell the agent something.
func (s *Session) upstreamRequest(c *sdk.Conn, ch *channel, p []byte) {
	f := sshwire.Fields{P: p[sshwire.HeadSize+1:]}
	name, want := f.String(), f.Bool()
	s.noteExit(c, ch, name, f)
	if want {
		ch.owed++
	}
	c.Pass(abi.Upstream, s.under(ch, false), uint64(len(p)))
	if name == "exit-status" || name == "exit-signal" {
		ch.exited = true
		s.finish(c, ch)
	}
}

// noteExit writes down how what was started has ended.
func (s *Session) noteExit(c *sdk.Conn, ch *channel, name string, f sshwire.Fields) {
	switch name {
	case "exit-status":
		if status := f.U32(); !f.Bad && ch.exec != 0 {
			c.Note(ch.exec, "exit_status", strconv.FormatUint(uint64(status), 10))
		}
	case "exit-signal":
		if signal := printable(f.String()); !f.Bad && ch.exec != 0 {
			c.Note(ch.exec, "exit_signal", signal[:min(len(signal), 64)])
		}
	}
}

// upstreamClosed is about a channel that the server has closed.
func (s *Session) upstreamClosed(c *sdk.Conn, ch *channel) {
	ch.closed[abi.Upstream] = true
	s.takeBack(c, ch)
	s.forget(c, ch)
	s.ended(c, ch)
}

// finish tells the agent of the end of data that waited.
func (s *Session) finish(c *sdk.Conn, ch *channel) {
	if ch.ending {
		ch.ending = false
		s.down(c, sshwire.AppendEmpty(s.out[:0], ch.id, sshwire.EOF))
	}
}
