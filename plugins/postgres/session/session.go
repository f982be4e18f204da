package session

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// phase is how far the session has come.
type phase uint8

const (
	phaseStartup phase = iota // the agent has still to say who it is
	phaseConnect              // the connection is being decided
	phaseLogin                // the server decides whether it lets the agent in
	phaseReady                // statements
	phaseEnded                // nothing of the agent goes on any more
)

// Session follows one connection.
type Session struct {
	reader     Reader
	endpoint   string
	maxMessage int64

	phase    phase
	start    startup
	settings settings
	user     string
	database string

	// connect is the action of the login, streaming until the first ReadyForQuery.
	connect uint32

	queue   queue
	denials []denial
	names   book
	cache   cache

	held    held // of the extended protocol, read but not decided
	pending pending

	// skip says that the server ignores everything of the agent up to the next Sync.
	skip bool
	// settled says that the last thing the server said was ReadyForQuery and that it was given nothing since.
	settled bool
	copy    copying
	// stopped says that the agent's bytes wait for an answer of the server; moved, that one came which may be it.
	stopped, moved bool
	// midway says that the last message of the server was one whose end may not have come past yet (data, or a long one):
	// nothing can be sent to the agent in between. It goes by the kind of message alone, so that it does not depend on how the
	// bytes were cut.
	midway bool
	ready  bool // the login is over
	gone   bool // the agent has said its last, and the server was told
}

// settings are those of the server's settings that matter, as it reports them.
type settings struct {
	conforming  bool // standard_conforming_strings is on
	utf8        bool // client_encoding is UTF8
	application string
	// shadowed says that the agent may have put another schema before pg_catalog, so that a function written without a schema
	// could be anybody's.
	shadowed bool
}

// pending is what the undecided ASK is about.
type pending struct {
	kind pendingKind
	size int
	id   uint32
	copy bool
	hint string
	// shadows: it could put another schema before pg_catalog, see settings.
	shadows bool
}

type pendingKind uint8

const (
	nothingPending pendingKind = iota
	connectPending
	queryPending
	functionPending
	heldPending
)

// denial is what the agent is told in place of the server's error.
type denial struct {
	code, message, detail, hint string
}

// Data reads what a side has sent.
func (s *Session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if side == abi.Upstream {
		return s.upstream(c, p, end)
	}
	read := 0
	switch s.phase {
	case phaseStartup:
		read = s.readStartup(c, p)
	case phaseLogin:
		read = s.readLogin(c, p)
	case phaseReady:
		read = s.readMessages(c, p)
	case phaseEnded:
		c.Drop(abi.Agent, uint64(len(p)))
		read = len(p)
	}
	if end && read == 0 && !s.stopped && s.pending.kind == nothingPending {
		s.agentGone(c)
	}
	return read
}

// agentGone is called when nothing more comes from the agent, and what is left unread will never be whole.
func (s *Session) agentGone(c *sdk.Conn) {
	switch {
	case s.gone:
	case s.phase == phaseStartup || s.phase == phaseConnect:
		c.Close("the agent closed the connection")
	default:
		c.Shut(abi.Upstream)
	}
	s.gone = true
	s.phase = max(s.phase, phaseConnect)
}

// Event hears of verdicts and of the upstream.
func (s *Session) Event(c *sdk.Conn, e abi.Event) {
	switch e.Kind {
	case abi.KindVerdict:
		p := s.pending
		if p.kind == nothingPending || e.ID != p.id {
			return
		}
		s.pending = pending{}
		if e.Outcome == abi.Allow {
			s.allowed(c, p)
		} else {
			s.denied(c, p, &e)
		}
	case abi.KindRefused:
		s.fatal(c, "08001", "sallyport: "+e.Reason, "", "")
		s.phase = phaseEnded
		c.Close(e.Reason)
	case abi.KindConnected:
	}
}

// stop leaves the agent's bytes where they are until the server has answered something.
func (s *Session) stop(c *sdk.Conn) {
	s.stopped = true
	c.Pause(abi.Agent)
}

// resume undoes stop when an answer came.
func (s *Session) resume(c *sdk.Conn) {
	if s.stopped && s.moved {
		s.stopped = false
		c.Unpause(abi.Agent)
	}
	s.moved = false
}

// fatal tells the agent why the session ends, unless a message of the server is on its way to it.
func (s *Session) fatal(c *sdk.Conn, code, message, detail, hint string) {
	if s.midway {
		return
	}
	e := proto.Error{Severity: "FATAL", Code: code, Message: message, Detail: detail, Hint: hint}
	c.Send(abi.Agent, 0, proto.AppendError(nil, &e))
}

// violate ends the session because the agent broke the protocol.
func (s *Session) violate(c *sdk.Conn, message string) {
	s.fatal(c, "08P01", message, "", "")
	s.phase = phaseEnded
	c.Fail("agent: " + message)
}

// mismatch ends the session because the server said what does not follow from what it was given.
func (s *Session) mismatch(c *sdk.Conn, what string) {
	s.phase = phaseEnded
	c.Fail("upstream: " + what)
}
