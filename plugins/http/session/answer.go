package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// verdict hears what was decided about what was asked last.
func (s *Session) verdict(c *sdk.Conn, e *abi.Event) {
	s.held = false
	denied := e.Outcome != abi.Allow
	answer := facts.Answer{Status: 403, Title: "Forbidden", Detail: e.Reason, Rule: e.Rule, Receipt: e.Receipt, Hold: e.Hold}
	if e.ID == s.request.id {
		answer.About = s.action.About
	}
	switch {
	case s.link == linkLost: // the server has left while a person was asked
		answer.Status, answer.Title = 503, "Service Unavailable"
		answer.Detail = "the server closed the connection while the request waited for a person; it can be sent again"
		s.sendAnswer(c, &answer, true)
		c.Close("the server closed the connection")
	case !denied && s.facts.Inspect:
		s.allowed(c, e)
	case !denied:
	case e.ID == s.connect:
		s.sendAnswer(c, &answer, true)
		c.Close("the connection was denied")
	case e.ID == s.request.id:
		s.denied(c, &answer)
	}
}

// denied drops the request and answers it.
func (s *Session) denied(c *sdk.Conn, answer *facts.Answer) {
	r := &s.request
	s.server = serverIdle
	if r.dialed {
		s.link = linkNone
	}
	switch {
	case r.Chunked && !r.gather.whole:
		c.Drop(abi.Agent, uint64(r.size))
		s.agent = agentDrops
		r.chunks.Begin(true)
	case r.stream:
		c.Drop(abi.Agent, uint64(r.size))
		s.agent = agentHead
	default:
		c.Drop(abi.Agent, r.total)
		s.agent = agentHead
	}
	// A client that waits for 100 may or may not send its body behind another answer.
	last := s.closing || r.Continue && !r.gather.continued || !r.Chunked && r.Length > maxDropped
	s.sendAnswer(c, answer, last)
	if last {
		s.end(c, false, "a request was denied that its client, or its body, makes the last one")
		return
	}
	if s.agent == agentHead {
		s.next(c)
	}
}

// wait tells the agent that a person is asked.
func (s *Session) wait(c *sdk.Conn, person bool) {
	s.held = true
	if person && s.request.id != 0 && s.patient {
		c.Send(abi.Agent, 0, processing)
	}
}

var processing = []byte("HTTP/1.1 102 Processing\r\n\r\n")

// patientClients are the beginnings of the User-Agent of clients that take 102 for what it is. Others take it for the response, or for an error.
var patientClients = [...]string{"curl/", "git/", "go-http-client/", "wget/", "node", "undici"}

// takesInterim reports whether the client of the request that p begins with is to be sent 102.
func (s *Session) takesInterim(p []byte) bool {
	r := &s.request
	if r.Minor == 0 || r.Upgrades || s.plugin.interim == interimNone { // those who want another protocol read one response and no more
		return false
	}
	if s.plugin.interim == interimAll {
		return true
	}
	for i := range r.Count {
		f := &r.All[i]
		if f.Known != head.UserAgent {
			continue
		}
		value := f.Value.Of(p)
		for _, name := range patientClients {
			if len(value) >= len(name) && head.Fold(value[:len(name)], name) {
				return true
			}
		}
	}
	return false
}

// refuse answers a request that is not understood, and ends the connection.
func (s *Session) refuse(c *sdk.Conn, problem head.Problem) int {
	answer := facts.Answer{Status: 400, Title: "Bad Request", Detail: string(problem)}
	if problem == head.LongTarget {
		answer.Status, answer.Title = 414, "URI Too Long"
	}
	return s.reject(c, &answer)
}

// reject answers a request that must not be asked about, and ends the connection.
func (s *Session) reject(c *sdk.Conn, answer *facts.Answer) int {
	s.sendAnswer(c, answer, true)
	s.end(c, true, "agent: "+answer.Detail)
	return 0
}

// sendAnswer answers the present request. last: the connection ends behind it.
func (s *Session) sendAnswer(c *sdk.Conn, a *facts.Answer, last bool) {
	const room = 512 // for the head; the document goes behind it first, because the head has its size
	b := append(s.answer[:0], make([]byte, room)...)
	b, kind := s.action.AppendAnswer(b, a)
	size := len(b) - room
	if s.response.asked.Head {
		b = b[:room]
	}
	h := b[:0:room]
	h = append(h, "HTTP/1.1 "...)
	h = strconv.AppendInt(h, int64(a.Status), 10)
	h = append(h, ' ')
	h = append(h, a.Title...)
	h = append(append(h, "\r\nContent-Type: "...), kind...)
	h = append(h, "\r\nCache-Control: no-store\r\nContent-Length: "...)
	h = strconv.AppendInt(h, int64(size), 10)
	if last {
		h = append(h, "\r\nConnection: close"...)
	}
	h = append(h, "\r\n\r\n"...)
	n := len(h)
	copy(b[n:], b[room:])
	s.answer = b[:0]
	c.Send(abi.Agent, 0, b[:n+len(b)-room])
}
