package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/http/answer"
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Where a rule looks at the answer to a request, the host keeps it from its first byte to its last, and it is asked about then. Package answer says what it is made of.
// Meanwhile the server says nothing else, since requests are answered one by one.
//
// Such a request goes on without Accept-Encoding, so that its answer comes as it is and can be masked. Interim responses are dropped, but for the word that the client waits for with
// its body, which the gateway says itself. What is longer than the limit, or has no end (a WebSocket, a tunnel, events), is asked about with what is kept of it.

// result is the answer to one request while it is looked at; without an Answer none is.
type result struct {
	answer.Reply
	question uint32
}

// allowed hears that something may happen, on an endpoint where rules look at answers.
func (s *Session) allowed(c *sdk.Conn, e *abi.Event) {
	if e.ID != s.request.id {
		c.Answered(e.ID) // the connection has no answer of its own
		return
	}
	s.parent = 0
	if e.Inspect > 0 {
		s.parent = e.ID
		s.result = result{Reply: answer.Reply{Answer: answer.New(e.ID, int(e.Inspect))}}
		s.result.Endless = s.action.Endless()
	}
	s.request.waits = false
	if s.link == linkReady && s.agent == agentAsked {
		s.forward(c)
		s.resume(c)
	}
}

// planAsIs has a request whose answer is looked at go on without what asks for compression.
func (s *Session) planAsIs(p []byte, f *head.Field) (ok bool) {
	if !s.facts.Inspect || facts.CodingsOf(f.Known, f.Name.Of(p)) != facts.Accepts {
		return true
	}
	line := f.Line(p)
	return s.request.edits.add(line.Start, line.End-line.Start, asIs)
}

// interim takes an interim response to a request whose answer is looked at.
func (s *Session) interim(c *sdk.Conn, size int) int {
	c.Drop(abi.Upstream, uint64(size))
	if r := &s.request; s.response.Status == 100 && r.Continue && !r.gather.continued {
		r.gather.continued = true
		c.Send(abi.Agent, 0, goOn)
	}
	return size
}

// keepHead keeps the head of a response.
func (s *Session) keepHead(c *sdk.Conn, p []byte, body head.Body) int {
	r, k := &s.response, &s.result
	s.closing = s.closing || r.Last() || body == head.UntilClose
	if s.request.stream && body != head.Tunnel && (r.asked.Connect || r.asked.Upgrade) {
		c.Done(s.request.id)
		s.request.stream = false
	}
	if body == head.InChunks {
		r.chunks.Begin(false)
	}
	s.server = serverKeeping
	n, step := k.Head(c, &r.Response, p, body)
	s.kept(c, step)
	return n
}

// keepBody keeps what comes of the body.
func (s *Session) keepBody(c *sdk.Conn, p []byte, end bool) int {
	n, step, problem := s.result.Next(c, &s.response.chunks, p, end)
	if problem != "" {
		return s.spoiled(c, problem)
	}
	s.kept(c, step)
	return n
}

// kept goes on behind a piece that was kept.
func (s *Session) kept(c *sdk.Conn, step answer.Step) {
	switch step {
	case answer.Whole:
		s.askResult(c, 0)
	case answer.Long:
		s.askResult(c, abi.AskTruncated)
	case answer.CutOff:
		s.cutOff(c)
	}
}

// cutOff answers for a server that has ended in the middle of a response that is looked at.
func (s *Session) cutOff(c *sdk.Conn) {
	s.sendAnswer(c, &facts.Answer{Status: 502, Title: "Bad Gateway", Detail: "the server closed the connection in the middle of its response, which a rule looks at"}, true)
	c.Close("the server closed the connection")
}

// askResult asks about what is kept.
func (s *Session) askResult(c *sdk.Conn, flags uint8) {
	k := &s.result
	if k.Values(c, undo, flags != 0) {
		flags |= abi.AskTruncated
	}
	k.Long = flags != 0
	k.question = k.Ask(c, facts.FamilyResponse, s.action.Class, s.action.Title(), flags)
}

// resultDecided goes on with an answer that was asked about.
func (s *Session) resultDecided(c *sdk.Conn, e *abi.Event) {
	k := s.result
	s.result, s.parent = result{}, 0
	if e.Outcome != abi.Allow {
		s.withhold(c, &k, e)
		return
	}
	c.Release(k.Parent, 0)
	if !k.Long {
		s.resultOver(c, &k)
		return
	}
	s.answers = k.Parent
	switch {
	case k.Unread:
		s.server, s.response.noted = serverHead, false
	case k.Delimited == head.Tunnel:
		s.tunnelBegins(c)
	case k.Left > 0:
		s.server, s.tail = serverTail, tail{left: k.Left, more: k.Delimited == head.InChunks && !k.Over}
	case k.Over:
		s.resultOver(c, &k)
	case k.Delimited == head.UntilClose:
		c.Pass(abi.Upstream, k.Parent, passAll)
		s.server = serverRest
	default:
		s.server = serverChunks
	}
}

// tail is what comes next of an answer that was too long.
type tail struct {
	left  uint64 // bytes, which all pass or are all dropped
	more  bool   // chunks stand behind them
	drops bool
}

// passTail passes it, or drops it.
func (s *Session) passTail(c *sdk.Conn, p []byte) int {
	t := s.tail
	switch {
	case t.drops:
		c.Drop(abi.Upstream, t.left)
		s.responseDone(c)
	case t.more:
		c.Pass(abi.Upstream, s.answers, t.left)
		s.server = serverChunks
	default:
		return s.passCounted(c, t.left, len(p))
	}
	return int(min(t.left, uint64(len(p))))
}

// resultOver goes on behind an answer that the agent has.
func (s *Session) resultOver(c *sdk.Conn, k *result) {
	s.answered(c)
	if k.Delimited == head.UntilClose {
		c.Close("the server closed the connection")
		return
	}
	s.responseDone(c)
}

// answered ends an answer that was too long.
func (s *Session) answered(c *sdk.Conn) {
	if s.answers != 0 && !s.socket.on {
		c.Answered(s.answers)
		s.answers = 0
	}
}

// withhold tells the agent that it does not get an answer.
func (s *Session) withhold(c *sdk.Conn, k *result, e *abi.Event) {
	a := facts.Withheld(e)
	a.About = s.action.About
	ends := s.closing || k.Lasts(maxDropped)
	s.sendAnswer(c, a, ends)
	c.Answered(k.Parent)
	switch {
	case k.Long && !ends && k.Left > 0:
		s.server, s.tail = serverTail, tail{left: k.Left, drops: true}
	case k.Long && ends:
		c.Close("an answer was withheld whose end nobody waits for")
	case k.Delimited == head.UntilClose:
		c.Close("the server closed the connection")
	default:
		s.responseDone(c)
	}
}

// socketLooked asks whether what comes back behind a message of a WebSocket may pass: nobody can tell which of the server's messages answer it.
func (s *Session) socketLooked(c *sdk.Conn) {
	k := &s.socket
	k.question = answer.New(k.asked, 0).Ask(c, facts.FamilyResponse, abi.ClassOpaque, "message "+strconv.Itoa(int(k.asked))+" of a WebSocket to "+k.about.PathNormal, abi.AskTruncated|abi.AskAside)
}

// tunnelBegins goes on with what is no HTTP.
func (s *Session) tunnelBegins(c *sdk.Conn) {
	if s.socket.about != nil {
		s.beginSocket(c)
		return
	}
	c.Pass(abi.Upstream, s.answers, passAll)
	c.Pass(abi.Agent, s.request.id, passAll)
	s.server, s.agent = serverRest, agentTunnel
	s.resume(c)
}
