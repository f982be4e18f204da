package session

import (
	"github.com/sallyport-dev/sallyport/plugins/http/aws"
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// gather collects a body before its request is decided.
type gather struct {
	need      int // bytes that there must be before there is anything to do
	over      bool
	whole     bool
	continued bool   // the client was told to send the body
	raw       int    // of a body in chunks: bytes of it that were walked
	bytes     []byte // the body; of a body with a length, in the delivery
	coded     []byte // the body as sent, where a content coding was undone
	own       []byte // the memory for chunks
	unknown   bool   // a content coding could not be undone
	begun     bool
	hash      string // what stands for the body in a signature; empty: not known yet
	reads     bool   // the body is read for that
}

func (g *gather) reset() {
	*g = gather{own: g.own[:0]}
}

// enough reports whether n bytes are worth a look.
func (g *gather) enough(n int) bool { return n >= g.need }

// body is what is known of the body.
func (g *gather) body(r *request, p *Plugin) facts.Body {
	if !r.Chunked && r.Length <= 0 {
		return facts.Body{Known: true}
	}
	return facts.Body{Known: g.whole && !g.unknown && p.inspect && len(g.bytes) <= p.bodyLimit, Bytes: g.bytes, Raw: g.coded}
}

// limit is how much of a body is read.
func (s *Session) limit() int {
	if s.request.gather.reads {
		return max(maxHashed, s.plugin.bodyLimit)
	}
	return s.plugin.bodyLimit
}

// gather reports whether the body is there, or will not be known.
func (s *Session) gather(c *sdk.Conn, p []byte, end bool) bool {
	r := &s.request
	g := &r.gather
	if !g.over && !g.whole {
		if r.Chunked {
			if !s.gatherChunks(c, p) {
				return false
			}
		} else if r.Length > int64(s.limit()) {
			g.over = true
		} else if g.need = r.size + int(r.Length); len(p) >= g.need {
			g.bytes, g.whole = p[r.size:g.need], true
		}
	}
	switch {
	case g.whole:
		if g.reads {
			g.hash = aws.HashOf(g.bytes)
		}
		if s.plugin.inspect && len(g.bytes) <= s.plugin.bodyLimit {
			s.decode(c, p)
		}
		return true
	case g.over && g.reads:
		s.reject(c, &facts.Answer{Status: 413, Title: "Content Too Large", Detail: "the gateway signs requests here: " + string(aws.LongBody)})
		return false
	case g.over:
		return true
	case end:
		c.Close("the agent ended in the middle of a request")
	case r.Continue && !g.continued:
		g.continued = true
		c.Send(abi.Agent, 0, goOn)
	}
	return false
}

var goOn = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// gatherChunks walks the chunks that have come. It reports false when they are refused.
func (s *Session) gatherChunks(c *sdk.Conn, p []byte) bool {
	r := &s.request
	g := &r.gather
	if !g.begun {
		g.begun = true
		r.chunks.Begin(true)
	}
	limit := s.limit()
	for {
		at := r.size + g.raw
		piece, problem := r.chunks.Next(p[min(at, len(p)):])
		switch {
		case problem != "":
			s.refuse(c, problem)
			return false
		case uint64(len(g.own))+piece.Data > uint64(limit) || g.raw > min(4*limit, limit+maxHashed)+head.MaxTrailers:
			g.over = true
			return true
		case piece.Size == 0:
			return true
		case at+int(piece.Size) > len(p): // the walk has to see this piece again
			g.need = at + int(piece.Size)
			r.chunks.Again()
			return true
		}
		end := at + int(piece.Size)
		g.own = append(g.own, p[end-int(piece.Data):end]...)
		g.raw += int(piece.Size)
		if piece.Last {
			g.bytes, g.whole = g.own, true
			return true
		}
	}
}

// decode undoes the content codings of the body.
func (s *Session) decode(c *sdk.Conn, p []byte) {
	r := &s.request
	var codings []byte // of all fields, which are one list
	for i := range r.Count {
		if f := &r.All[i]; f.Known == head.ContentEncoding {
			codings = append(append(codings, f.Value.Of(p)...), ',')
		}
	}
	if codings == nil {
		return
	}
	if facts.Compressed(codings) {
		r.gather.coded = r.gather.bytes
	}
	body, err := undo(c, codings, r.gather.bytes, s.plugin.bodyLimit)
	r.gather.bytes, r.gather.unknown = body, err != nil
}
