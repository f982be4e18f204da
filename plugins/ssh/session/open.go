package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// Types of channels.
const (
	channelSession     = "session"
	channelDirect      = "direct-tcpip"
	channelForwarded   = "forwarded-tcpip"
	channelStreamlocal = "direct-streamlocal@openssh.com"
	channelSocket      = "forwarded-streamlocal@openssh.com"
	channelTun         = "tun@openssh.com"
	channelX11         = "x11"
	channelKeys        = "auth-agent@openssh.com"
)

// opened enters a channel that a side opens; nil: it may not.
func (s *Session) opened(c *sdk.Conn, side abi.Side, stream uint32) *channel {
	if stream&1 == uint32(side) || stream <= s.last[side] {
		s.fail(c, side, "a channel of a number that cannot be")
		return nil
	}
	s.last[side] = stream
	ch := &channel{id: stream, action: s.connect, opening: true}
	s.channels[stream] = ch
	return ch
}

// agentOpen reads CHANNEL_OPEN, RFC 4254 section 5.1.
func (s *Session) agentOpen(c *sdk.Conn, r *record) {
	f := sshwire.Fields{P: r.body()}
	kind := f.String()
	ch := s.opened(c, abi.Agent, r.stream)
	if ch == nil {
		return
	}
	if len(s.channels) > s.plugin.channels {
		s.drop(c, r)
		delete(s.channels, ch.id)
		s.down(c, sshwire.AppendOpenFailure(s.out[:0], ch.id, "sallyport: this connection has "+strconv.Itoa(s.plugin.channels)+" channels open, and may not have more"))
		return
	}
	a := action{class: abi.ClassOpaque}
	switch kind {
	case channelSession:
		if !f.Over() {
			s.fail(c, abi.Agent, "a channel whose data cannot be read")
			return
		}
		ch.session = true
		s.up(c, s.connect, r)
		return
	case channelDirect: // section 7.2
		a.kind, a.host, a.port = kindForward, f.String(), f.U32()
		f.Bytes()
		f.U32()
		a.title = "to " + a.host + " port " + strconv.Itoa(int(a.port))
	case channelStreamlocal:
		path := f.String()
		f.Bytes()
		f.U32()
		a.kind, a.operation, a.paths, a.normalUnknown, a.title = kindStreamlocal, "connect", []string{path}, true, "to "+path
	case channelTun:
		f.U32()
		f.U32()
		a.kind = kindTun
	default:
		a.kind, a.name, a.title = kindOther, kind, "channel "+kind
		f = sshwire.Fields{}
	}
	if !f.Over() || a.port > 65535 {
		s.fail(c, abi.Agent, "a channel whose data cannot be read")
		return
	}
	ch.title = a.title
	s.asks(c, ch, question{kind: askOpen}, &a, r)
}

// upstreamOpen reads one of the server: it goes on where the request for such channels was allowed.
func (s *Session) upstreamOpen(c *sdk.Conn, stream uint32, p []byte) {
	f := sshwire.Fields{P: p[sshwire.HeadSize+1:]}
	kind := f.String()
	ch := s.opened(c, abi.Upstream, stream)
	if ch == nil {
		return
	}
	ch.action = 0
	switch kind {
	case channelForwarded:
		f.Bytes()
		ch.action = s.global.listener("", f.U32())
	case channelSocket:
		ch.action = s.global.listener(f.String(), 0)
	case channelX11:
		ch.action = s.x11
	case channelKeys:
		ch.action = s.keys
	}
	if f.Bad || ch.action == 0 || len(s.channels) > s.plugin.channels {
		c.Drop(abi.Upstream, uint64(len(p)))
		delete(s.channels, ch.id)
		c.Send(abi.Upstream, s.connect, sshwire.AppendOpenFailure(nil, stream, "nothing was asked for that opens such channels"))
		return
	}
	c.Pass(abi.Upstream, s.under(ch, false), uint64(len(p)))
}
