package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/ssh/sftp"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// agentFiles reads data of a conversation of SFTP. A record of which everything may go on passes as it is; of another one the parts that may are written anew.
func (s *Session) agentFiles(c *sdk.Conn, ch *channel, r *record) {
	if ch.transfers { // the host has ended it, or has not begun
		ch.transfers = false
		c.Send(abi.Upstream, ch.action, sshwire.AppendTransfers(nil, ch.id, nil))
	}
	data := r.bytes[sshwire.DataAt:]
	whole, asked, forgotten := true, false, 0
	var out []byte
	at := 0
	for at < len(data) && !asked {
		st := ch.files.Agent(data[at:])
		if st.Kind == sftp.Broken {
			s.drop(c, r)
			s.broken(c, ch, st.Problem)
			return
		}
		if whole && (st.Kind != sftp.Forward || st.Packet != nil) {
			whole = false
			out = append(out, data[:at]...)
		}
		switch part := data[at : at+st.N]; {
		case st.Kind == sftp.Forward && st.Packet != nil:
			out = append(out, st.Packet...)
		case st.Kind == sftp.Forward && !whole:
			out = append(out, part...)
		case st.Kind == sftp.Dropped:
			forgotten += st.N + st.Forget
		case st.Kind == sftp.Ask:
			asked = true
		}
		at += st.N
	}
	if whole {
		s.up(c, ch.action, r)
		return
	}
	if r.live {
		c.Drop(abi.Agent, uint64(len(r.bytes)))
	}
	if len(out) > 0 {
		c.Send(abi.Upstream, ch.action, sshwire.AppendData(nil, ch.id, out))
	}
	if forgotten > 0 {
		s.down(c, sshwire.AppendAdjust(s.out[:0], ch.id, forgotten))
	}
	if rest := data[at:]; len(rest) > 0 { // it waits before what follows
		ch.queue = append([][]byte{sshwire.AppendData(nil, ch.id, rest)}, ch.queue...)
	}
	if asked {
		s.askFile(c, ch)
	}
	s.answerFiles(c, ch)
}

// askFile asks about a request.
func (s *Session) askFile(c *sdk.Conn, ch *channel) {
	q := ch.files.Request()
	a := action{kind: kindSFTP, class: q.Class, operation: q.Operation, title: q.Operation}
	for _, p := range []string{q.Path, q.Target} {
		if p == "" && len(a.paths) > 0 {
			continue
		}
		a.paths = append(a.paths, p)
		a.title += " " + p
		normal, ok := ch.files.Normal(p)
		a.normal = append(a.normal, normal)
		a.normalUnknown = a.normalUnknown || !ok
	}
	switch {
	case q.Write:
		a.direction, a.title = upload, a.title+" for writing"
	case q.Operation == "open":
		a.direction = download
	}
	what := question{kind: askFile}
	if q.Mute() {
		what.comes = comesNothing
	}
	s.question(c, ch, what, &a)
}

// fileVerdict goes on with a request.
func (s *Session) fileVerdict(c *sdk.Conn, ch *channel, e *abi.Event) {
	allow := e.Outcome == abi.Allow
	id := e.ID
	packet, forgotten := ch.files.Decide(allow, denial(e), func(code uint32) { c.Note(id, "status", strconv.FormatUint(uint64(code), 10)) })
	if allow {
		c.Send(abi.Upstream, id, sshwire.AppendData(nil, ch.id, packet))
		c.Done(id)
	} else {
		if ch.denied++; ch.denied <= maxTold { // OpenSSH's client shows nothing of the answer's text
			s.stderr(c, ch, denial(e))
		}
		s.down(c, sshwire.AppendAdjust(s.out[:0], ch.id, forgotten))
	}
	s.answerFiles(c, ch)
}

// answerFiles gives the answers of the gateway whose turn has come.
func (s *Session) answerFiles(c *sdk.Conn, ch *channel) {
	if b := ch.files.Answers(nil); len(b) > 0 && !ch.dead {
		s.down(c, sshwire.AppendData(s.out[:0], ch.id, b))
	}
}

// upstreamFiles reads data of the server.
func (s *Session) upstreamFiles(c *sdk.Conn, ch *channel, p []byte) {
	f := sshwire.Fields{P: p[sshwire.HeadSize+1:]}
	data := f.Bytes()
	if !f.Over() {
		s.fail(c, abi.Upstream, "a record of data that cannot be read")
		return
	}
	var out []byte // what goes to the agent in place of the record, once something stands in the middle
	last := 0
	var answers []byte
	for at := 0; at < len(data); {
		n, problem := ch.files.Upstream(data[at:])
		if problem != "" {
			c.Drop(abi.Upstream, uint64(len(p)))
			c.Send(abi.Upstream, ch.action, sshwire.AppendAdjust(nil, ch.id, len(data)))
			s.broken(c, ch, problem)
			return
		}
		at += n
		answers = ch.files.Answers(answers[:0])
		if len(answers) > 0 && at < len(data) {
			out = append(append(out, data[last:at]...), answers...)
			answers, last = answers[:0], at
		}
	}
	if len(answers) == 0 {
		s.transfers(c, ch)
	}
	if out == nil {
		c.Pass(abi.Upstream, s.under(ch, true), uint64(len(p)))
	} else {
		c.Drop(abi.Upstream, uint64(len(p)))
		s.down(c, sshwire.AppendData(s.out[:0], ch.id, append(out, data[last:]...)))
	}
	if len(answers) > 0 {
		s.down(c, sshwire.AppendData(s.out[:0], ch.id, answers))
	}
}

// transfers has file data pass in the host from the next request on, where nothing is open but files.
func (s *Session) transfers(c *sdk.Conn, ch *channel) {
	if ch.transfers || ch.asked != 0 || len(ch.queue) > 0 || ch.closed != [2]bool{} {
		return
	}
	if handles := ch.files.Transfers(sshwire.MaxHandles); len(handles) > 0 {
		ch.transfers = true
		c.Send(abi.Upstream, ch.action, sshwire.AppendTransfers(nil, ch.id, handles))
	}
}

// broken ends a channel on which something else is spoken than SFTP.
func (s *Session) broken(c *sdk.Conn, ch *channel, problem string) {
	c.Note(ch.action, "mismatch", problem)
	s.stderr(c, ch, "sallyport: "+problem)
	s.kill(c, ch, 255)
}
