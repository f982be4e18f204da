package http

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// forward passes the request that was allowed.
func (s *Session) forward(c *sdk.Conn) {
	r := &s.request
	at := 0
	for i := range s.plan.edits {
		e := &s.plan.edits[i]
		c.Pass(abi.Agent, s.id, uint64(e.at-at))
		c.Drop(abi.Agent, uint64(e.out))
		at = e.at + e.out
		c.Send(abi.Upstream, s.id, e.text)
		if e.secret {
			c.Secret(s.id, s.options.Slot)
			c.Send(abi.Upstream, s.id, lineEnd)
		}
	}
	total := uint64(s.size)
	streams := false
	switch {
	case s.body.whole:
		total += uint64(s.body.raw)
	case r.Chunked:
		streams = true
	default:
		total += uint64(max(r.Length, 0))
	}
	c.Pass(abi.Agent, s.id, total-uint64(at))
	s.server, s.agent = serverHead, agentDone
	if streams {
		s.agent = agentChunks
		s.chunks.Begin(true)
	} else {
		c.Done(s.id)
	}
	s.resume(c)
	if s.half && !streams {
		c.Shut(abi.Upstream)
	}
}

var lineEnd = []byte("\r\n")

// readChunks passes or drops the next piece of a body in chunks.
func (s *Session) readChunks(c *sdk.Conn, p []byte, end bool) int {
	piece, problem := s.chunks.Next(p)
	switch {
	case problem != "":
		c.Fail("agent: " + string(problem))
		return 0
	case piece.Size == 0:
		if end {
			c.Close("the agent ended in the middle of a request")
		}
		return 0
	case s.agent == agentDrops:
		c.Drop(abi.Agent, piece.Size)
		s.dropped += piece.Size
		switch {
		case piece.Last:
			s.next(c)
		case s.dropped > maxDropped:
			s.end(c, "the body of a denied request is too long to wait for its end", false)
		}
	default:
		c.Pass(abi.Agent, s.id, piece.Size)
		if piece.Last {
			c.Done(s.id)
			s.agent = agentDone
			if s.server == serverIdle { // the response came first
				s.next(c)
			}
		}
	}
	return int(min(piece.Size, uint64(len(p))))
}
