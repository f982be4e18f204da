package session

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// response is the upstream's present response.
type response struct {
	head.Response
	scan   head.Scanner
	asked  head.Asked
	noted  bool // its status is put on record
	chunks head.Chunks
}

// upstreamData reads what the upstream has sent.
func (s *Session) upstreamData(c *sdk.Conn, p []byte, end bool) int {
	if len(p) == 0 {
		s.upstreamEnded(c)
		return 0
	}
	switch {
	case s.server == serverIdle || s.held:
		c.Fail("upstream: the server speaks without being asked")
		return 0
	case s.server == serverHead:
		return s.readResponse(c, p, end)
	case s.server == serverLast:
		c.Pass(abi.Upstream, s.answers, 1)
		s.responseDone(c)
		return 1
	case s.server == serverChunks:
		return s.readResponseChunks(c, p, end)
	case s.server == serverKeeping && s.result.question != 0: // nothing is shown before the verdict
		return 0
	case s.server == serverKeeping:
		return s.keepBody(c, p, end)
	case s.server == serverTail:
		return s.passTail(c, p)
	case s.server == serverMessages:
		return s.readFrames(c, p)
	}
	return len(p) // passed already
}

// readResponse reads the head of a response and passes it with what of its body needs no look.
func (s *Session) readResponse(c *sdk.Conn, p []byte, end bool) int {
	r := &s.response
	if r.scan.Fresh() && r.Read(p[:min(len(p), maxResponseHead)]) == "" {
		return s.finishResponse(c, p)
	}
	size, problem := r.scan.End(p[:min(len(p), maxResponseHead)])
	switch {
	case problem != "":
		return s.spoiled(c, problem)
	case size == 0 && len(p) >= maxResponseHead:
		return s.spoiled(c, "the head of the response is longer than 65536 bytes")
	case size == 0:
		if end {
			c.Close("the server closed the connection")
		}
		return 0
	}
	r.scan.Reset()
	if problem = r.Read(p[:size]); problem != "" {
		return s.spoiled(c, problem)
	}
	return s.finishResponse(c, p)
}

// finishResponse passes the response whose head was read.
func (s *Session) finishResponse(c *sdk.Conn, p []byte) int {
	r := &s.response
	size := r.Size
	body, problem := r.Body(r.asked)
	if problem != "" {
		return s.spoiled(c, problem)
	}
	if body == head.Interim {
		if s.parent != 0 {
			return s.interim(c, size)
		}
		c.Pass(abi.Upstream, s.answers, uint64(size))
		return size
	}
	switch {
	case r.Status == 101 && !s.switches(p):
		return s.spoiled(c, "it changes to another protocol than the one that was asked for")
	case body == head.Tunnel && s.bare && s.agreed(p):
		return s.spoiled(c, "it agrees on an extension of WebSocket that was not offered")
	case (body == head.Counted && r.Length > 0 || body == head.InChunks || body == head.UntilClose) && s.hidesEcho(p):
		return s.spoiled(c, facts.HiddenEcho)
	}
	if r.Status == 401 {
		s.unauthorized(c, p)
	}
	if r.noted {
		c.Note(s.request.id, "status", string(r.Code.Of(p)))
	}
	if s.parent != 0 {
		return s.keepHead(c, p, body)
	}
	return s.passResponse(c, body, size, len(p))
}

// switches reports whether the response that p begins with changes to the protocol that was asked for, and says so. Some servers do not look at which one
// that is, and what was decided, and how what follows is read, depends on it.
func (s *Session) switches(p []byte) bool {
	r, named := &s.response, false
	for i := range r.Count {
		f := &r.All[i]
		if f.Known != head.Upgrade {
			continue
		}
		if named = head.Fold(f.Value.Of(p), string(s.upgrade)); !named {
			return false
		}
	}
	return named
}

// passResponse passes a final response.
func (s *Session) passResponse(c *sdk.Conn, body head.Body, size, have int) int {
	r := &s.response
	s.closing = s.closing || r.Last() || body == head.UntilClose
	total := uint64(size)
	if body == head.Tunnel && s.socket.about != nil {
		c.Pass(abi.Upstream, s.answers, total)
		s.beginSocket(c)
		return size
	}
	if body == head.Tunnel {
		c.Pass(abi.Upstream, s.answers, passAll)
		c.Pass(abi.Agent, s.request.id, passAll)
		s.server, s.agent = serverRest, agentTunnel
		s.resume(c)
		return have
	}
	if s.request.stream && (r.asked.Connect || r.asked.Upgrade) { // the server does not want to
		c.Done(s.request.id)
		s.request.stream = false
	}
	switch body {
	case head.UntilClose:
		c.Pass(abi.Upstream, s.answers, passAll)
		s.server = serverRest
		return have
	case head.InChunks:
		c.Pass(abi.Upstream, s.answers, total)
		s.server = serverChunks
		r.chunks.Begin(false)
		return size
	case head.Counted:
		total += uint64(r.Length)
	}
	return s.passCounted(c, total, have)
}

// passCounted passes the rest of a response, n bytes of which have are there. The host moves what has not come by itself, but for the last byte: that is shown, so that no request
// is read before the response is whole. An answer of the gateway's own would otherwise stand in the middle of a body that the server never finishes.
func (s *Session) passCounted(c *sdk.Conn, n uint64, have int) int {
	if n > uint64(have) {
		c.Pass(abi.Upstream, s.answers, n-1)
		s.server = serverLast
		return have
	}
	c.Pass(abi.Upstream, s.answers, n)
	s.responseDone(c)
	return int(n)
}

func (s *Session) readResponseChunks(c *sdk.Conn, p []byte, end bool) int {
	piece, problem := s.response.chunks.Next(p)
	switch {
	case problem != "":
		c.Fail("upstream: " + string(problem))
		return 0
	case piece.Size == 0 && end:
		c.Close("the server closed the connection")
		return 0
	case piece.Size == 0:
		return 0
	}
	c.Pass(abi.Upstream, s.answers, piece.Size)
	if piece.Last {
		s.responseDone(c)
	}
	return int(min(piece.Size, uint64(len(p))))
}

// responseDone is called when everything is said about a response.
func (s *Session) responseDone(c *sdk.Conn) {
	if s.answers != 0 {
		s.answered(c)
	}
	s.server = serverIdle
	if s.agent == agentDone {
		s.next(c)
	}
}

// spoiled answers for a server whose response cannot be read in one way only.
func (s *Session) spoiled(c *sdk.Conn, problem head.Problem) int {
	s.sendAnswer(c, &facts.Answer{Status: 502, Title: "Bad Gateway", Detail: "the server's response is not passed on: " + string(problem)}, true)
	c.Fail("upstream: " + string(problem))
	return 0
}
