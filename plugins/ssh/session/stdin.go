package session

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// gathering is a command whose standard input is read before the question.
type gathering struct {
	request []byte // the record that starts it
	what    question
	action  action
	text    []byte
}

// gather begins. Clients wait for the answer to their request before they send anything, so it is given now.
func (s *Session) gather(c *sdk.Conn, ch *channel, r *record, q question, a *action) {
	ch.gather = &gathering{request: append([]byte(nil), r.bytes...), what: q, action: *a}
	if r.live {
		c.Drop(abi.Agent, uint64(len(r.bytes)))
	}
	if q.want {
		ch.gather.what.told = true
		s.owe(c, ch, replySuccess)
	}
}

// gatherMore reads a record behind the request.
func (s *Session) gatherMore(c *sdk.Conn, ch *channel, r *record) {
	g := ch.gather
	over, whole := false, false
	switch r.number() {
	case sshwire.Data:
		f := sshwire.Fields{P: r.body()}
		p := f.Bytes()
		if !f.Over() {
			s.fail(c, abi.Agent, "a record of data that cannot be read")
			return
		}
		g.text = append(g.text, p...)
		over = len(g.text) > s.plugin.stdin
	case sshwire.EOF:
		over, whole = true, true
	}
	s.keep(c, ch, r)
	if !over || s.phase != phaseReady {
		return
	}
	ch.gather = nil
	if whole {
		g.action.stdin, g.action.stdinUnknown = string(g.text), false
	}
	s.asks(c, ch, g.what, &g.action, &record{stream: ch.id, bytes: g.request})
}
