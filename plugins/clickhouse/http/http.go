// Package http is the HTTP half of the ClickHouse plugin: it follows one connection of HTTP/1.1 to ClickHouse's HTTP interface and asks
// about every request before the server sees anything of it. Heads are read by the HTTP plugin's package head, strictly, and one request
// at a time.
//
// # What a request's text is
//
// A server runs the parameter query of the URL, a line end, and the body behind it. So the body is read before the verdict, up to
// max_query bytes, content codings undone, with one exception: when what the URL says is an INSERT whose data are in a format that it
// names, the body is data and streams, unless it begins with the word SETTINGS, which servers take for a part of the statement.
// When the statement is in the body, its data stream as well once the statement is read. A body that is longer, or that cannot be
// read (a coding that is not known, ClickHouse's own compression), makes the request opaque.
//
// Everything else in the URL that is no word of the interface is a setting; param_NAME is the value of a parameter. So are the fields
// of a form (multipart/form-data), whose files are tables.
//
// # Credentials
//
// With a password of the gateway, user and key of the agent are taken out, wherever they are, and headers with the gateway's are
// written. The database of the credential takes the place of the agent's.
//
// # Denials
//
// A denied request is dropped, with its body, and answered as a server would answer: status 403, X-ClickHouse-Exception-Code 497, and
// the text of the exception.
package http

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits, in bytes.
const (
	maxHead     = 32 << 10
	maxResponse = 64 << 10
	// maxDropped is how much of a denied request's body is dropped to keep the connection.
	maxDropped = 1 << 20
)

// Options are what a connection needs of the endpoint's options.
type Options struct {
	MaxQuery int
	Classify func(text []byte, v sql.Version) *sql.Facts
	// Slot is the place of the slot that writes the key into a header.
	Slot uint16
	// SlotName is its name.
	SlotName string
}

// New is the session of a connection.
func (o *Options) New(f abi.Facts) sdk.Session {
	s := &Session{options: o, facts: f, gatewayLogin: f.Filled(o.SlotName)}
	s.ownUser, s.hasUser = f.Attribute("user")
	s.ownDatabase, s.hasDatabase = f.Attribute("database")
	return s
}

// agentState is what comes next of the agent.
type agentState uint8

const (
	agentStart  agentState = iota
	agentSecure            // TLS has it
	agentHead              // the head of a request
	agentBody              // the body of one that is not decided
	agentAsked             // nothing: it is decided, or the upstream is on its way
	agentChunks            // chunks of a body, which pass
	agentDrops             // chunks of a body that was denied
	agentDone              // nothing: a response is awaited
	agentGone              // nothing that anybody wants
)

// serverState is what comes next of the upstream.
type serverState uint8

const (
	serverIdle serverState = iota
	serverHead
	serverChunks
	serverRest
	serverKeeping // a response that is looked at, whose head was kept
	serverTail    // of one that was too long, what was not kept
)

type linkState uint8

const (
	linkNone linkState = iota
	linkDialing
	linkReady
	linkLost
)

// passAll is more than any stream has left, in bytes.
const passAll = 1 << 62

// Session follows one connection.
type Session struct {
	options *Options
	facts   abi.Facts

	gatewayLogin         bool
	ownUser, ownDatabase string
	hasUser, hasDatabase bool

	agent   agentState
	server  serverState
	link    linkState
	secured bool
	connect uint32
	stopped bool
	half    bool
	last    bool // no request follows the present one
	held    bool

	scan     head.Scanner
	request  head.Request
	size     int // of the head
	plan     plan
	text     []byte // of the statement, as the server puts it together; nil: not known
	body     body
	chunks   head.Chunks
	id       uint32
	action   []byte // what was asked last
	dropped  uint64
	response struct {
		head.Response
		scan   head.Scanner
		chunks head.Chunks
		asked  head.Asked
	}
	// Of a response that is looked at, or was and is too long:
	looked  uint32 // the action that it answers; 0: nobody looks
	answers uint32 // what the upstream's bytes answer, where that is to be said
	result  result
	tail    tail
	title   string // what the request was asked about with
	class   abi.Class

	trailing bool // the rest of a response may still be on its way
	ending   bool
}

const tlsHandshake = 0x16

// Data reads what a side has sent.
func (s *Session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if side == abi.Upstream {
		return s.upstream(c, p, end)
	}
	if len(p) == 0 {
		s.agentEnded(c)
		return 0
	}
	switch s.agent {
	case agentStart:
		if p[0] == tlsHandshake && s.facts.AgentTLS {
			s.agent = agentSecure
			c.StartTLS(abi.Agent)
			return 0
		}
		s.agent = agentHead
		return s.readHead(c, p, end)
	case agentHead:
		return s.readHead(c, p, end)
	case agentBody:
		return s.readBody(c, p, end)
	case agentChunks, agentDrops:
		return s.readChunks(c, p, end)
	case agentAsked:
		if n := int(min(s.body.ahead, uint64(len(p)))); n > 0 { // of a body that goes on, or not, as a whole
			s.body.ahead -= uint64(n)
			return n
		}
		s.stop(c)
	case agentDone:
		s.stop(c)
	case agentGone:
		c.Drop(abi.Agent, uint64(len(p)))
		return len(p)
	}
	return 0
}

// Event hears of verdicts, of the upstream and of TLS.
func (s *Session) Event(c *sdk.Conn, e abi.Event) {
	switch e.Kind {
	case abi.KindVerdict:
		s.held = false
		if s.result.question != 0 && e.ID == s.result.question {
			s.resultDecided(c, &e)
			return
		}
		if e.Outcome == abi.Allow && s.facts.Inspect {
			s.inspects(c, &e)
		}
		switch {
		case e.Outcome != abi.Allow && e.ID == s.connect:
			s.answer(c, 403, accessDenied, session.Denial(&e), true)
			c.Close("the connection was denied")
		case e.Outcome != abi.Allow:
			s.denied(c, &e)
		case e.ID == s.connect: // the request is asked about next
			s.agent = agentHead
			if s.size > 0 {
				s.agent = agentBody
			}
			s.resume(c)
		case s.link == linkReady:
			s.forward(c)
		case s.link == linkNone:
			s.link = linkDialing
			c.Dial(s.connect)
		}
	case abi.KindHeld:
		s.held = true
	case abi.KindConnected:
		if s.facts.UpstreamTLS {
			c.StartTLS(abi.Upstream)
			return
		}
		s.ready(c)
	case abi.KindSecured:
		if e.Side == abi.Agent {
			s.secured, s.agent = true, agentHead
			return
		}
		s.ready(c)
	case abi.KindRefused:
		s.link = linkLost
		s.answer(c, 502, networkError, "sallyport: "+e.Reason, true)
		c.Close(e.Reason)
	}
}

func (s *Session) ready(c *sdk.Conn) {
	s.link = linkReady
	if s.agent == agentAsked {
		s.forward(c)
	}
}

func (s *Session) stop(c *sdk.Conn) {
	if !s.stopped {
		s.stopped = true
		c.Pause(abi.Agent)
	}
}

func (s *Session) resume(c *sdk.Conn) {
	if s.stopped {
		s.stopped = false
		c.Unpause(abi.Agent)
	}
}

// agentEnded is called when nothing more comes of the agent, and nothing is left unread.
func (s *Session) agentEnded(c *sdk.Conn) {
	s.half = true
	switch {
	case s.server == serverIdle && !s.trailing && s.agent != agentAsked:
		c.Close("the agent closed the connection")
	case s.link == linkReady:
		c.Shut(abi.Upstream)
	}
}

// readHead reads the head of a request.
func (s *Session) readHead(c *sdk.Conn, p []byte, end bool) int {
	if s.facts.AgentTLSRequired && !s.secured {
		return s.refuse(c, 403, "endpoint "+s.facts.Endpoint+" wants TLS")
	}
	if !head.BeginsMethod(p[0]) {
		return s.refuse(c, 400, string(head.BadMethod))
	}
	size, problem := s.scan.End(p[:min(len(p), maxHead)])
	switch {
	case problem != "":
		return s.refuse(c, 400, string(problem))
	case size == 0 && len(p) >= maxHead:
		return s.refuse(c, 431, "the head of a request is longer than 32768 bytes")
	case size == 0:
		if end {
			c.Close("the agent ended in the middle of a request")
		}
		return 0
	}
	s.scan.Reset()
	if problem = s.request.Read(p[:size]); problem != "" {
		return s.refuse(c, 400, string(problem))
	}
	r := &s.request
	s.size = size
	s.response.asked = head.Asked{Head: string(r.Method.Of(p)) == "HEAD"}
	if r.Form != head.Origin || r.Upgrades {
		return s.refuse(c, 400, "a request for a proxy, or for another protocol")
	}
	if wrong := s.read(p); wrong != "" {
		return s.refuse(c, 400, wrong)
	}
	s.body.begin(r, s.plan.encoding)
	s.agent = agentBody
	return s.readBody(c, p, end)
}

// refuse answers a request that is not understood, and ends the connection.
func (s *Session) refuse(c *sdk.Conn, status int, text string) int {
	s.answer(c, status, badRequest, "sallyport: "+text, true)
	s.end(c, "agent: "+text, true)
	return 0
}

// end ends the connection behind what was written to the agent.
func (s *Session) end(c *sdk.Conn, reason string, failed bool) {
	switch {
	case s.trailing:
		s.agent, s.ending = agentGone, true
		c.Shut(abi.Agent)
	case failed:
		c.Fail(reason)
	default:
		c.Close(reason)
	}
}

// denied drops the request and answers it.
func (s *Session) denied(c *sdk.Conn, e *abi.Event) {
	r := &s.request
	last := s.last || r.Minor == 0
	s.server = serverIdle
	s.agent = agentHead
	switch {
	case s.body.whole:
		c.Drop(abi.Agent, uint64(s.size+s.body.raw))
	case r.Chunked:
		c.Drop(abi.Agent, uint64(s.size))
		s.agent, s.dropped = agentDrops, 0
		s.chunks.Begin(true)
	default:
		c.Drop(abi.Agent, uint64(s.size)+uint64(max(r.Length, 0)))
		last = last || r.Length > maxDropped
	}
	if r.Continue && !s.body.continued {
		last = true
	}
	s.answer(c, 403, accessDenied, session.Denial(e), last)
	if last {
		s.end(c, "a request was denied that its client, or its body, makes the last one", false)
		return
	}
	if s.agent == agentHead {
		s.next(c)
	}
}

// next goes on behind a request and its response.
func (s *Session) next(c *sdk.Conn) {
	s.agent, s.size, s.id = agentHead, 0, 0
	s.request.Fields.Count = 0
	if s.last {
		s.agent = agentGone
	}
	s.resume(c)
	if s.half {
		s.end(c, "the agent closed the connection", false)
	}
}
