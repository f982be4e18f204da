package session

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// phase is how far the session has come.
type phase uint8

const (
	phaseStart    phase = iota // the agent has still to say who it is
	phaseSecure                // TLS with the agent begins
	phaseAsked                 // the connection is decided, or the server is on its way
	phaseWelcome               // the server has the hello
	phaseAddendum              // the agent says the rest
	phaseReady                 // packets
	phaseEnded                 // nothing of the agent goes on any more
)

// Session follows one connection.
type Session struct {
	native *Native
	facts  abi.Facts

	phase        phase
	secured      bool // the agent's side has TLS
	gatewayLogin bool
	hello        hello
	connect      uint32 // the action of the connection
	revision     uint64 // that both ends speak
	zone         []byte
	// serverRevision is the server's own.
	serverRevision uint64
	version        sql.Version
	transaction    bool
	user           string
	database       string
	client         string

	// need is how many bytes of the agent there must be before there is anything to do.
	need int
	// chunked: the agent's packets come in chunks; answersChunked: the server's do.
	chunked, answersChunked bool
	chunks                  proto.Chunks
	gathered                []byte

	// action is the present query's, 0 when there is none that the server has; its bytes are dropped when it was denied.
	action uint32
	kind   asked
	held   bool // a person is asked about it
	took   bool // and the agent has taken it back
	heard  bool // the server has said something since
	query  proto.Query
	repeat repeat
	data   data
	answer answer
	// result is the answer that is kept, with facts.Inspect only. takesRows: the present query is an INSERT that the server asks for rows.
	result    result
	takesRows bool
	class     abi.Class // of the present query
	title     string
	// risky: the session has settings under which a server may fail in the middle of a block; riskyNow: the present query has.
	risky, riskyNow bool
	changed         []string

	stopped bool
	half    bool
	// draining: what was denied may be followed by its data. aside: the end of a message is for nobody.
	draining, aside bool
}

// asked says what the present action is about.
type asked uint8

const (
	askedNothing asked = iota
	askedQuery
	askedTables
)

// Data reads what a side has sent.
func (s *Session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if side == abi.Upstream {
		return s.upstream(c, p, end)
	}
	read := 0
	if len(p) > 0 {
		read = s.agent(c, p)
	}
	if end && read == 0 && !s.stopped {
		s.agentGone(c)
	}
	return read
}

func (s *Session) agent(c *sdk.Conn, p []byte) int {
	if len(p) < s.need {
		return 0
	}
	s.need = 0
	switch s.phase {
	case phaseStart:
		return s.readStart(c, p)
	case phaseAsked, phaseWelcome:
		s.stop(c)
	case phaseAddendum:
		return s.readAddendum(c, p)
	case phaseReady:
		return s.readPackets(c, p)
	case phaseEnded:
		c.Drop(abi.Agent, uint64(len(p)))
		return len(p)
	}
	return 0
}

// agentGone is called when nothing more comes of the agent, and what is unread will never be whole.
func (s *Session) agentGone(c *sdk.Conn) {
	if s.half {
		return
	}
	s.half = true
	if s.phase < phaseWelcome || s.phase == phaseEnded {
		c.Close("the agent closed the connection")
		return
	}
	if s.held {
		c.Withdraw(s.action)
	}
	c.Shut(abi.Upstream)
}

// Event hears of verdicts, of TLS and of the server.
func (s *Session) Event(c *sdk.Conn, e abi.Event) {
	switch e.Kind {
	case abi.KindVerdict:
		s.verdict(c, &e)
	case abi.KindHeld:
		if e.ID == s.action {
			s.held = true
		}
	case abi.KindRefused:
		s.refuse(c, networkError, "sallyport: "+e.Reason, false)
	case abi.KindSecured:
		if e.Side == abi.Agent {
			s.secured, s.phase = true, phaseStart
			return
		}
		s.sayHello(c)
	case abi.KindConnected:
		if s.facts.UpstreamTLS && s.phase == phaseAsked {
			c.StartTLS(abi.Upstream)
		}
	}
}

func (s *Session) verdict(c *sdk.Conn, e *abi.Event) {
	switch {
	case e.ID == s.connect && s.phase == phaseAsked:
		s.connectVerdict(c, e)
	case e.ID == s.result.question && e.ID != 0:
		s.resultDecided(c, e)
	case e.ID != s.action || s.action == 0:
	case e.Outcome == abi.Allow:
		s.held = false
		if e.Inspect > 0 {
			s.inspects(c, e)
		}
		s.resume(c)
	default:
		s.denied(c, e)
	}
}

// stop leaves the agent's bytes where they are until there is something to wait for no more.
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
