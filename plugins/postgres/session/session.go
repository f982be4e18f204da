package session

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// phase is how far the session has come.
type phase uint8

const (
	phaseStartup     phase = iota // the agent has still to say who it is
	phaseConnect                  // the connection is being decided
	phaseSecure                   // the server is asked for TLS
	phaseLogin                    // the server decides whether it lets the agent in
	phaseReady                    // statements
	phaseReplication              // what a replication connection says
	phaseCancel                   // a cancel request is with the server
	phaseEnded                    // nothing of the agent goes on any more
)

// Session follows one connection.
type Session struct {
	reader     Reader
	companion  *companion
	facts      abi.Facts
	maxMessage int64

	phase    phase
	start    startup
	settings settings
	user     string
	database string

	// gatewayLogin says that the host logs in, with a secret that never comes here.
	gatewayLogin bool
	// away says that TLS or a scan has the bytes of a side, until an event.
	away        [2]bool
	transaction bool // by the last ReadyForQuery
	replicating bool // replication was allowed: both sides pass by themselves

	// connect is the action of the login, streaming until the first ReadyForQuery.
	connect uint32

	queue   queue
	denials []denial
	names   book
	cache   *cache
	speech  speech
	changed []string // see sqlChanged
	spares  [][]byte // buffers for params

	held     held // of the extended protocol, read but not decided
	pending  pending
	exchange exchange // see usual.go
	// looked is what the Query that begins the delivery in hand does, when begin has found it out and left it to the others.
	looked *statement

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
	// Of answers that are looked at: the one that is kept, the parent that the message in hand answers, and what is known of columns. muted says
	// that the agent is told nothing before the next ReadyForQuery.
	result    result
	parent    uint32
	described described
	muted     bool
	// flushed says that the server was told to answer everything, because what the agent says next ends the session.
	flushed bool
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

// denial is what the agent is told in place of the server's error.
type denial struct {
	code, message, detail, hint string
}

// Data reads what a side has sent.
func (s *Session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if s.exchange.st != nil {
		if side == abi.Upstream && !end {
			if n := s.finish(c, p); n > 0 {
				return n
			}
		}
		s.unfold()
	}
	s.granted(c)
	if side == abi.Upstream {
		return s.upstream(c, p, end)
	}
	read := 0
	switch s.phase {
	case phaseStartup:
		read = s.readStartup(c, p)
	case phaseLogin:
		read = s.readLogin(c, p)
	case phaseSecure:
		if len(p) > 0 {
			s.stop(c)
		}
	case phaseReady:
		if s.pending.kind == nothingPending {
			read = s.begin(c, p)
		}
		if read == 0 {
			read = s.readMessages(c, p)
			s.looked = nil
		}
	case phaseReplication:
		read = s.readReplication(c, p)
	case phaseCancel, phaseEnded:
		c.Drop(abi.Agent, uint64(len(p)))
		read = len(p)
	}
	if end && read == 0 && !s.stopped && !s.away[abi.Agent] && s.pending.kind == nothingPending {
		s.agentGone(c)
	}
	return read
}

// agentGone is called when nothing more comes from the agent, and what is left unread will never be whole.
func (s *Session) agentGone(c *sdk.Conn) {
	switch {
	case s.gone:
	case s.start.cancel: // the server hears of it all the same
		if s.phase == phaseCancel {
			c.Shut(abi.Upstream)
		}
	case s.phase < phaseLogin:
		c.Close("the agent closed the connection")
	default:
		c.Shut(abi.Upstream)
	}
	s.gone = true
	s.phase = max(s.phase, phaseConnect)
}

// Event hears of verdicts and of the upstream.
func (s *Session) Event(c *sdk.Conn, e abi.Event) {
	s.unfold()
	if e.Kind != abi.KindVerdict {
		s.granted(c)
	}
	switch e.Kind {
	case abi.KindVerdict:
		s.verdict(c, &e)
	case abi.KindRefused:
		if s.away[abi.Upstream] { // TLS with it failed
			s.unreachable(c, "sallyport: "+e.Reason)
			return
		}
		if !s.start.cancel {
			s.fatal(c, "08001", "sallyport: "+e.Reason, "", "")
		}
		s.phase = phaseEnded
		c.Close(e.Reason)
	case abi.KindSecured:
		s.secured(c, &e)
	case abi.KindAuthFailed:
		s.authFailed(c, e.Reason)
	case abi.KindScanned:
		s.scanned(c, &e)
	case abi.KindHeld:
		s.waits(c, &e)
	case abi.KindAliasUsed:
		s.cancelled(c)
	case abi.KindConnected:
		if s.start.again {
			s.logInAgain(c)
		}
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
