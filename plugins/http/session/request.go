package session

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// request is the agent's present request.
type request struct {
	head.Request
	scan    head.Scanner
	size    int // of the head; 0: it has not come
	blank   bool
	checked bool // its first line was looked at
	whole   bool // its head was read,
	known   bool // and it is for this endpoint

	addressed uint32 // the Block of the request that was last

	id     uint32 // its action
	total  uint64 // bytes that are decided at once: the head, and the body unless that streams
	coming uint64 // of them, those that were not read when it was asked about
	stream bool   // the body, or what follows, is covered by a streaming action
	writes bool   // something is written into the head, which takes a streaming action that ends with what is decided at once
	dialed bool   // the upstream is dialed if it is allowed
	waits  bool   // for the verdict, which says whether its answer is looked at
	edits  edits
	chunks head.Chunks

	gather  gather
	dropped uint64
}

func (r *request) reset() {
	r.scan.Reset()
	r.gather.reset()
	r.size, r.blank, r.checked, r.whole, r.known = 0, false, false, false, false
	r.id, r.total, r.coming, r.stream, r.writes, r.dialed, r.waits, r.dropped = 0, 0, 0, false, false, false, false, 0
	r.edits.count = 0
	r.Request.Fields.Count = 0
}

// readRequest reads the head of a request and, when bodies are inspected, its body, and asks about it.
func (s *Session) readRequest(c *sdk.Conn, p []byte, end bool) int {
	r := &s.request
	if r.size == 0 {
		if n, more := s.readHead(c, p, end); !more {
			return n
		}
	} else if !r.gather.enough(len(p)) && !end {
		return 0
	}
	if !r.known { // what was found are places, so they hold when p is shown again
		if !r.whole {
			if problem := r.Read(p[:r.size]); problem != "" {
				return s.refuse(c, problem)
			}
		}
		s.response.asked = head.Asked{Head: string(r.Method.Of(p)) == "HEAD"}
		if r.addressed != r.Block { // the Host of the same field lines is the same
			if problem := s.addressed(&r.Request, p); problem != "" {
				return s.reject(c, &facts.Answer{Status: 421, Title: "Misdirected Request", Detail: string(problem)})
			}
			r.addressed = r.Block
		}
		r.known = true
	}
	if s.refusal != nil {
		s.sendAnswer(c, s.refusal, true)
		c.Close("the connection was denied")
		return 0
	}
	if s.connect == 0 {
		s.connect = facts.AskConnect(c, s.facts.Endpoint, s.secured).Do(0, abi.AskQuiet)
		return 0
	}
	if s.credential.signer.On && r.gather.hash == "" {
		if problem := s.hashed(p); problem != "" {
			return s.reject(c, &facts.Answer{Status: 400, Title: "Bad Request", Detail: "the gateway signs requests here: " + string(problem)})
		}
	}
	if (s.plugin.inspect || r.gather.reads) && (r.Chunked || r.Length > 0) && (r.gather.reads || s.action.Reads(r.Method.Of(p), r.Path.Of(p))) && !s.gather(c, p, end) {
		return 0
	}
	return s.ask(c, p)
}

// readHead finds the end of the head. more: it is there.
func (s *Session) readHead(c *sdk.Conn, p []byte, end bool) (read int, more bool) {
	r := &s.request
	if p[0] == '\r' && !r.blank { // one empty line before a request is nothing
		if len(p) > 1 && p[1] == '\n' {
			r.blank = true
			c.Drop(abi.Agent, 2)
			return 2, false
		}
		if len(p) == 1 && !end {
			return 0, false
		}
	}
	if !head.BeginsMethod(p[0]) {
		return s.refuse(c, head.BadMethod), false
	}
	most := s.plugin.maxHead
	// Nearly always all of it is there at once. When it is not, or something is wrong, what is said must not depend on how it was cut.
	if r.scan.Fresh() && r.Read(p[:min(len(p), most)]) == "" {
		r.size, r.whole = r.Size, true
		return 0, true
	}
	size, problem := r.scan.End(p[:min(len(p), most)])
	switch {
	case (problem != "" || size == 0 && r.scan.FirstLine()) && !r.checked:
		r.checked = true
		if wrong := r.CheckLine(p); wrong != "" {
			return s.refuse(c, wrong), false
		}
	}
	switch {
	case problem != "":
		return s.refuse(c, problem), false
	case size > 0:
		r.size = size
		return 0, true
	case len(p) >= most:
		answer := facts.Answer{Status: 431, Title: "Request Header Fields Too Large", Detail: "the head of a request is longer than the option max_head allows"}
		return s.reject(c, &answer), false
	case end:
		c.Close("the agent ended in the middle of a request")
	}
	return 0, false
}

// ask asks about the request that p begins with, and says what follows if it is allowed.
func (s *Session) ask(c *sdk.Conn, p []byte) int {
	r := &s.request
	a := s.action
	again := a.Again(r.Block)
	if again && s.link == linkReady && s.socket.about == nil && s.credential.none() && !s.facts.Inspect {
		return s.askAgain(c, p)
	}
	if !again {
		a.Begin()
		for i := range r.Count {
			f := &r.All[i]
			a.Header(f.Known, f.Name.Of(p), f.Value.Of(p))
		}
		a.Keep(r.Block)
		s.patient = s.takesInterim(p)
	}
	s.findPlaceholder(p)
	if r.Upgrades || s.socket.about != nil {
		s.aboutSocket(p)
	}
	connect := r.Form == head.Authority
	upgrade := r.Upgrades && !r.Plaintext2(p)
	what := &s.what
	*what = facts.Request{Method: r.Method.Of(p), Authority: r.Authority.Of(p), Path: r.Path.Of(p), Query: r.Query.Of(p),
		Version: "1.1", TLS: s.secured, ServerName: s.serverName, Credential: s.credential.any() || s.placed, Body: r.gather.body(r, s.plugin)}
	if r.Minor == 0 {
		what.Version = "1.0"
	}
	switch {
	case connect:
		what.Upgrade = tunnel
	case upgrade:
		what.Upgrade = r.Upgrade.Of(p)
		s.upgrade = bytes.ToLower(what.Upgrade)
	}
	what.Length = max(r.Length, 0)
	if r.Chunked {
		what.Length = -1
	}
	r.total, r.stream = uint64(r.size)+uint64(max(r.Length, 0)), connect || upgrade
	if r.Chunked && r.gather.whole {
		r.total += uint64(r.gather.raw)
	} else if r.Chunked {
		r.stream = true
	}
	s.response.asked.Connect, s.response.asked.Upgrade = connect, upgrade
	s.closing = r.Last()
	if problem := s.textToSign(p); problem != "" {
		return s.reject(c, &facts.Answer{Status: 400, Title: "Bad Request", Detail: "the gateway signs requests here: " + string(problem)})
	}
	if !s.plan(p) {
		return s.refuse(c, "the credential's parameter is there too often")
	}

	b := a.Ask(c, what, s.plugin.raise)
	r.writes = !r.stream && (s.credential.any() || s.placed)
	quiet := abi.AskQuiet
	if s.facts.Inspect { // what goes on depends on the verdict
		quiet, r.waits = 0, true
	}
	if r.stream || r.writes {
		r.id = b.Do(0, quiet|abi.AskStreaming)
	} else {
		r.id = b.Do(r.total, quiet)
	}
	s.response.noted = a.Class > abi.ClassRead
	// What follows stands behind the question: it is void when that is denied.
	if s.link == linkReady && !r.waits {
		s.forward(c)
	} else {
		s.agent = agentAsked
		r.coming = r.total - min(r.total, uint64(len(p)))
		if s.link == linkNone {
			r.dialed = true
			s.dial(c)
		}
	}
	return int(min(r.total, uint64(len(p))))
}

// askAgain is ask for nearly every request: its field lines are those of the one before, so it has no body and wants no other protocol, and nothing is
// written into it.
func (s *Session) askAgain(c *sdk.Conn, p []byte) int {
	r := &s.request
	what := &s.what
	what.Method, what.Authority, what.Path, what.Query = r.Method.Of(p), r.Authority.Of(p), r.Path.Of(p), r.Query.Of(p)
	r.total, r.stream, r.writes = uint64(r.size), false, false
	s.closing = r.Last()
	r.id = s.action.Ask(c, what, s.plugin.raise).Do(r.total, abi.AskQuiet)
	s.response.noted = s.action.Class > abi.ClassRead
	s.forward(c)
	return r.size
}

// tunnel is what CONNECT goes on with.
var tunnel = []byte("tunnel")

// forward passes the request, or what of it was decided, to the upstream.
func (s *Session) forward(c *sdk.Conn) {
	r := &s.request
	s.pass(c)
	if r.writes {
		c.Done(r.id)
	}
	s.server = serverHead
	s.agent = agentDone
	if r.Chunked && !r.gather.whole {
		s.agent = agentChunks
		r.chunks.Begin(true)
	}
	if s.half {
		s.shutSide(c, abi.Upstream)
	}
}

// readChunks passes the next piece of a body in chunks, or drops it.
func (s *Session) readChunks(c *sdk.Conn, p []byte, end bool) int {
	r := &s.request
	piece, problem := r.chunks.Next(p)
	switch {
	case problem != "" && s.agent == agentChunks && s.server != serverHead: // a response is on its way
		c.Fail("agent: " + string(problem))
		return 0
	case problem != "":
		return s.refuse(c, problem)
	case piece.Size == 0 && end:
		c.Close("the agent ended in the middle of a request")
		return 0
	case piece.Size == 0:
		return 0
	case s.agent == agentDrops:
		s.dropChunk(c, piece)
	default:
		c.Pass(abi.Agent, r.id, piece.Size)
		if piece.Last {
			c.Done(r.id)
			s.requestDone(c)
		}
	}
	return int(min(piece.Size, uint64(len(p))))
}

// requestDone is called when a request whose body streams has come to its end.
func (s *Session) requestDone(c *sdk.Conn) {
	s.agent = agentDone
	if s.server == serverIdle { // the response came first
		s.next(c)
	}
}

func (s *Session) dropChunk(c *sdk.Conn, piece head.Piece) {
	r := &s.request
	c.Drop(abi.Agent, piece.Size)
	r.dropped += piece.Size
	switch {
	case piece.Last:
		s.next(c)
	case r.dropped > maxDropped:
		s.end(c, false, "the body of a denied request is too long to wait for its end")
	}
}
