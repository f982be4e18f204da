package session

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// record is one of the agent's: as it stands in its stream, or one that waited here.
type record struct {
	stream uint32
	bytes  []byte
	live   bool
}

func (r *record) number() byte { return r.bytes[sshwire.HeadSize] }

// body is what stands behind the number.
func (r *record) body() []byte { return r.bytes[sshwire.HeadSize+1:] }

// up lets a record go on under an action.
func (s *Session) up(c *sdk.Conn, id uint32, r *record) {
	if r.live {
		c.Pass(abi.Agent, id, uint64(len(r.bytes)))
	} else {
		c.Send(abi.Upstream, id, r.bytes)
	}
}

// drop forgets a record, and gives back what its data took.
func (s *Session) drop(c *sdk.Conn, r *record) {
	if r.live {
		c.Drop(abi.Agent, uint64(len(r.bytes)))
	}
	if n := dataSize(r.bytes); n > 0 {
		s.down(c, sshwire.AppendAdjust(s.out[:0], r.stream, n))
	}
}

// dataSize is how many bytes of data a record holds.
func dataSize(r []byte) int {
	switch r[sshwire.HeadSize] {
	case sshwire.Data:
		return max(0, len(r)-sshwire.DataAt)
	case sshwire.ExtendedData:
		return max(0, len(r)-sshwire.ExtendedAt)
	}
	return 0
}

// down writes to the agent.
func (s *Session) down(c *sdk.Conn, b []byte) {
	s.out = b[:0]
	c.Send(abi.Agent, 0, b)
}

// keep has a record wait for what is undecided on its channel.
func (s *Session) keep(c *sdk.Conn, ch *channel, r *record) {
	if len(ch.queue) >= maxQueue {
		s.fail(c, abi.Agent, "too much waits on a channel")
		return
	}
	ch.queue = append(ch.queue, append([]byte(nil), r.bytes...))
	if r.live {
		c.Drop(abi.Agent, uint64(len(r.bytes)))
	}
}

// agent reads a record of the agent.
func (s *Session) agent(c *sdk.Conn, r record) {
	if r.stream == 0 {
		s.agentGlobal(c, &r)
		return
	}
	if r.number() == sshwire.Open {
		s.agentOpen(c, &r)
		return
	}
	ch := s.channels[r.stream]
	if ch == nil { // it is closed
		s.drop(c, &r)
		return
	}
	switch {
	case r.number() == sshwire.Close:
		s.agentClose(c, ch, &r)
	case ch.dead:
		s.drop(c, &r)
	case ch.gather != nil:
		s.gatherMore(c, ch, &r)
	case ch.asked != 0:
		s.keep(c, ch, &r)
	default:
		s.agentChannel(c, ch, &r)
	}
}

// agentChannel reads a record of a channel on which nothing is undecided.
func (s *Session) agentChannel(c *sdk.Conn, ch *channel, r *record) {
	switch r.number() {
	case sshwire.Data, sshwire.ExtendedData:
		f := sshwire.Fields{P: r.body()}
		if r.number() == sshwire.ExtendedData {
			f.U32()
		}
		switch f.Bytes(); {
		case !f.Over():
			s.fail(c, abi.Agent, "a record of data that cannot be read")
		case !ch.flows(): // there is nothing yet that could read it
			s.drop(c, r)
		case ch.files != nil && r.number() == sshwire.Data:
			s.agentFiles(c, ch, r)
		default:
			s.up(c, ch.action, r)
		}
	case sshwire.EOF:
		s.up(c, ch.action, r)
	case sshwire.ChannelRequest:
		s.agentRequest(c, ch, r)
	case sshwire.ChannelSuccess, sshwire.ChannelFailure:
		if ch.owed == 0 {
			s.drop(c, r)
			return
		}
		ch.owed--
		s.up(c, ch.action, r)
	case sshwire.OpenConfirm, sshwire.OpenFailure:
		if !ch.opening || ch.id&1 == 1 {
			s.fail(c, abi.Agent, "an answer to a channel that was not opened")
			return
		}
		ch.opening = false
		s.up(c, ch.action, r)
		if r.number() == sshwire.OpenFailure {
			s.remove(c, ch)
			return
		}
		s.splice(c, ch)
	default:
		s.fail(c, abi.Agent, "a message that is not known")
	}
}

// agentClose ends a channel from the agent's side.
func (s *Session) agentClose(c *sdk.Conn, ch *channel, r *record) {
	if ch.closed[abi.Agent] {
		s.fail(c, abi.Agent, "a channel is closed twice")
		return
	}
	ch.closed[abi.Agent] = true
	if ch.dead {
		s.drop(c, r)
		s.ended(c, ch)
		return
	}
	s.takeBack(c, ch)
	s.forget(c, ch)
	if ch.opening && ch.id&1 == 1 && ch.asked != 0 { // the upstream knows nothing of it
		s.drop(c, r)
		s.remove(c, ch)
		return
	}
	ch.asked = 0
	s.up(c, ch.action, r)
	if ch.keeps() {
		s.leave(c, ch)
	}
	s.ended(c, ch)
}

// forget drops what waits on a channel.
func (s *Session) forget(c *sdk.Conn, ch *channel) {
	n := 0
	for _, r := range ch.queue {
		n += dataSize(r)
	}
	ch.queue, ch.gather = nil, nil
	if n > 0 {
		s.down(c, sshwire.AppendAdjust(s.out[:0], ch.id, n))
	}
}

// ended removes a channel that both sides have closed.
func (s *Session) ended(c *sdk.Conn, ch *channel) {
	if ch.closed[abi.Agent] && ch.closed[abi.Upstream] {
		s.remove(c, ch)
	}
}

func (s *Session) remove(c *sdk.Conn, ch *channel) {
	delete(s.channels, ch.id)
	s.abandon(c, ch)
	if ch.own {
		c.Done(ch.action)
	}
}

// kill ends a channel from here: with an exit status for the agent, and with CLOSE for both. The channel is open at the upstream.
func (s *Session) kill(c *sdk.Conn, ch *channel, status uint32) {
	s.forget(c, ch)
	s.abandon(c, ch)
	ch.dead = true
	b := s.out[:0]
	if ch.session {
		b = sshwire.AppendExit(b, ch.id, status)
	}
	b = sshwire.AppendEmpty(b, ch.id, sshwire.EOF)
	s.down(c, sshwire.AppendEmpty(b, ch.id, sshwire.Close))
	c.Send(abi.Upstream, ch.action, sshwire.AppendEmpty(nil, ch.id, sshwire.Close))
}

// splice has data of a channel go on without coming here.
func (s *Session) splice(c *sdk.Conn, ch *channel) {
	if ch.files != nil || ch.spliced {
		return
	}
	ch.spliced = true
	c.Send(abi.Upstream, ch.action, sshwire.AppendEmpty(nil, ch.id, sshwire.Splice))
	if ch.keeps() { // what comes back is not for the agent yet
		return
	}
	s.down(c, sshwire.AppendEmpty(s.out[:0], ch.id, sshwire.Splice))
}

// stderr writes a line to a session's standard error.
func (s *Session) stderr(c *sdk.Conn, ch *channel, text string) {
	end := "\n"
	if ch.terminal {
		end = "\r\n"
	}
	s.down(c, sshwire.AppendStderr(s.out[:0], ch.id, printable(text)+end))
}

// drain goes on with what waited on a channel.
func (s *Session) drain(c *sdk.Conn, ch *channel) {
	for len(ch.queue) > 0 && ch.asked == 0 && ch.gather == nil && !ch.dead && s.phase == phaseReady {
		r := record{stream: ch.id, bytes: ch.queue[0]}
		ch.queue = ch.queue[1:]
		s.agentChannel(c, ch, &r)
	}
}
