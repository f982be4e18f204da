package session

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// outputOf reads a record of a channel whose output is kept; false: it stays where it is, until it is decided.
func (s *Session) outputOf(c *sdk.Conn, ch *channel, p []byte) bool {
	o, number := ch.output, p[sshwire.HeadSize]
	switch number {
	case sshwire.ChannelSuccess, sshwire.ChannelFailure:
		s.replied(c, ch, p)
		return true
	case sshwire.Data, sshwire.ExtendedData:
		if !s.outputData(c, ch, p) {
			return false
		}
	case sshwire.ChannelRequest:
		if !s.outputRequest(c, ch, p) {
			return false
		}
	case sshwire.EOF:
		c.Drop(abi.Upstream, uint64(len(p)))
		o.eof = true
	case sshwire.Close:
		c.Drop(abi.Upstream, uint64(len(p)))
		o.closed = true
	default:
		s.fail(c, abi.Upstream, "a message that cannot stand here")
		return true
	}
	if !o.closed && !(o.eof && ch.exited) || ch.dead {
		return true
	}
	switch o.state {
	case outputKept:
		s.askOutput(c, ch, abi.AskAside)
	case outputWithheld:
		s.endWithheld(c, ch)
	case outputOver:
		s.endOutput(c, ch)
	}
	return true
}

// outputData reads data.
func (s *Session) outputData(c *sdk.Conn, ch *channel, p []byte) bool {
	o, column, at := ch.output, columnOut, sshwire.DataAt
	f := sshwire.Fields{P: p[sshwire.HeadSize+1:]}
	if p[sshwire.HeadSize] == sshwire.ExtendedData {
		f.U32()
		column, at = columnErr, sshwire.ExtendedAt
	}
	data := f.Bytes()
	switch {
	case !f.Over():
		s.fail(c, abi.Upstream, "a record of data that cannot be read")
		return true
	case o.state == outputWithheld:
		c.Drop(abi.Upstream, uint64(len(p)))
	case o.state != outputKept || o.eof:
		s.fail(c, abi.Upstream, "data behind its end")
		return true
	case !c.Fits(o.parent, len(p)):
		s.askOutput(c, ch, abi.AskTruncated)
		return false
	default:
		s.keepValue(c, o, p, column, abi.FormatText, at, len(data))
		if column == columnOut {
			o.lines += int64(bytes.Count(data, []byte{'\n'}))
		}
	}
	o.owes += len(data)
	if s.owes += len(data); o.owes >= mostOwed || s.owes >= mostOwedAll {
		s.giveBack(c)
	}
	return true
}

// keepValue keeps a record, in which a piece of a value stands at start.
func (s *Session) keepValue(c *sdk.Conn, o *output, p []byte, column uint16, format abi.Format, start, length int) {
	at := c.Kept(o.parent) + start
	c.Keep(o.parent, len(p))
	if !o.began[column] {
		o.began[column] = true
		c.Value(o.parent, column, format, at, length)
	} else {
		c.ValueOn(o.parent, column, at, length)
	}
}

// giveBack gives windows back.
func (s *Session) giveBack(c *sdk.Conn) {
	for _, ch := range s.channels {
		if o := ch.output; o != nil && o.owes > 0 {
			c.Send(abi.Upstream, ch.action, sshwire.AppendAdjust(nil, ch.id, o.owes))
			o.owes = 0
		}
	}
	s.owes = 0
}

// outputRequest reads a request of the server: how the command did belongs to its output, and others have no text that would have to.
func (s *Session) outputRequest(c *sdk.Conn, ch *channel, p []byte) bool {
	o := ch.output
	f := sshwire.Fields{P: p[sshwire.HeadSize+1:]}
	name, want := f.String(), f.Bool()
	start := len(p) - len(f.P)
	switch {
	case f.Bad:
		s.fail(c, abi.Upstream, "a request that cannot be read")
		return true
	case (name == "keepalive@openssh.com" || name == "eow@openssh.com") && f.Over():
		if want {
			ch.owed++
		}
		c.Pass(abi.Upstream, s.connect, uint64(len(p)))
		return true
	case name != "exit-status" && name != "exit-signal" || ch.exited || o.state == outputAsked || o.state == outputOver:
		c.Drop(abi.Upstream, uint64(len(p)))
		if want {
			c.Send(abi.Upstream, ch.action, sshwire.AppendEmpty(nil, ch.id, sshwire.ChannelFailure))
		}
		return true
	case o.state == outputKept && !c.Fits(o.parent, len(p)):
		s.askOutput(c, ch, abi.AskTruncated)
		return false
	}
	s.noteExit(c, ch, name, f)
	if o.said = name == "exit-status"; o.said {
		o.status = int64(f.U32())
	}
	ch.exited = true
	switch {
	case o.state != outputKept:
		c.Drop(abi.Upstream, uint64(len(p)))
	case o.said && f.Over() && !want:
		c.Keep(o.parent, len(p))
	case o.said: // nobody has to make sense of it
		c.Drop(abi.Upstream, uint64(len(p)))
		ch.exited, o.said = false, false
		if want {
			c.Send(abi.Upstream, ch.action, sshwire.AppendEmpty(nil, ch.id, sshwire.ChannelFailure))
		}
	default:
		s.keepValue(c, o, p, columnSignal, abi.FormatFixed, start, len(p)-start)
		if want {
			ch.owed++
		}
	}
	return true
}
