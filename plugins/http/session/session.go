package session

import (
	"github.com/sallyport-dev/sallyport/plugins/http/aws"
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// agentState is what comes next of the agent.
type agentState uint8

const (
	agentStart    agentState = iota // its first byte
	agentConnect                    // TLS, when it is decided whether it may connect
	agentSecure                     // TLS has it
	agentPreface                    // HTTP/2, when the upstream is there
	agentHead                       // the head of a request
	agentAsked                      // nothing: its request waits for the upstream
	agentChunks                     // chunks of a body, which pass
	agentDrops                      // chunks of a body that was denied
	agentDone                       // nothing: its request awaits a response
	agentTunnel                     // anything, by itself
	agentMessages                   // messages of a WebSocket
	agentGone                       // nothing that anybody wants
)

// serverState is what comes next of the upstream.
type serverState uint8

const (
	serverIdle     serverState = iota // nothing: it was asked nothing
	serverHead                        // the head of a response
	serverChunks                      // chunks of a body
	serverRest                        // the rest, up to the end
	serverMessages                    // frames of a WebSocket
	serverKeeping                     // a response that is looked at, whose head was kept
	serverTail                        // of one that was too long, what was not kept
	serverLast                        // the last byte of a body with a length
)

// linkState is how far the connection to the upstream is.
type linkState uint8

const (
	linkNone linkState = iota
	linkDialing
	linkSecuring
	linkReady
	linkLost
)

// passAll is more than any stream has left to pass, in bytes.
const passAll = 1 << 62

// Session follows one connection.
type Session struct {
	plugin *Plugin
	facts  abi.Facts

	agent  agentState
	server serverState
	link   linkState

	secured    bool          // the agent's side has TLS
	serverName string        // that it asked for, in lower case
	connect    uint32        // the action of the connection; 0: not asked
	refusal    *facts.Answer // it was denied, which the first request is told

	stopped bool // the agent is paused
	half    bool // the agent has ended
	closing bool // no request follows the present one
	held    bool // a person is asked
	patient bool // and the client can be told so

	// trailing says that a frame of a WebSocket was passed of which the host may still wait for bytes: a CLOSE would cut it off.
	trailing bool
	ending   bool // the connection ends behind that, over
	failed   bool // something that was not understood,
	reason   string
	shut     [2]bool

	credential credential
	signing    aws.Text // what is signed of the present request,
	signs      bool     // if it is signed
	placed     bool     // the present request has the placeholder,
	placedIn   int      // in this one of its fields
	sent       bool     // a secret itself is in the present request
	upgrade    []byte   // the protocol that it asks for, in lower case
	bare       bool     // no extension of a WebSocket is offered by it
	socket     socket

	parent  uint32 // the action whose answer is looked at; 0: nobody looks
	answers uint32 // what the upstream's bytes answer, where that is to be said: an answer that was too long
	result  result
	tail    tail

	two      *h2.Session // HTTP/2, if that is spoken
	speaking bool        // and it has begun

	request  request
	what     facts.Request // what the last request was asked about with
	response response
	action   *facts.Action
	answer   []byte // what the gateway says itself is built here
}

func newSession(p *Plugin) *Session {
	s := &Session{plugin: p, action: new(facts.Action), answer: make([]byte, 0, 4<<10)}
	if p.NewDialect != nil {
		s.action.Dialect = p.NewDialect()
	}
	return s
}

func (s *Session) open(c *sdk.Conn, f abi.Facts) {
	s.facts = f
	if wrong := s.credential.load(&s.facts); wrong != "" {
		c.Fail(wrong)
		return
	}
	if f.AgentTLSRequired {
		s.beginTLS(c)
	}
}

// Data reads what a side has sent.
func (s *Session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if s.speaking {
		return s.two.Data(c, side, p, end)
	}
	if side == abi.Upstream {
		return s.upstreamData(c, p, end)
	}
	if len(p) == 0 {
		s.agentEnded(c)
		return 0
	}
	switch s.agent {
	case agentStart:
		if p[0] == tlsHandshake && s.facts.AgentTLS {
			s.beginTLS(c)
			return 0
		}
		if s.plugin.plaintext2 {
			switch whole, may := preface(p); {
			case whole:
				s.askSecond(c)
				return 0
			case may && !end:
				return 0
			}
		}
		s.agent = agentHead
		return s.readRequest(c, p, end)
	case agentHead:
		return s.readRequest(c, p, end)
	case agentChunks, agentDrops:
		return s.readChunks(c, p, end)
	case agentAsked:
		if n := min(s.request.coming, uint64(len(p))); n > 0 { // of its body: it is passed with the rest when the upstream is there
			s.request.coming -= n
			return int(n)
		}
		s.stop(c)
	case agentDone, agentPreface:
		s.stop(c)
	case agentConnect, agentSecure:
	case agentMessages:
		return s.readMessages(c, p, end)
	case agentTunnel: // passed already
		return len(p)
	case agentGone:
		c.Drop(abi.Agent, uint64(len(p)))
		return len(p)
	}
	return 0
}

// Event hears of verdicts, of the upstream and of TLS.
func (s *Session) Event(c *sdk.Conn, e abi.Event) {
	if s.speaking {
		s.two.Event(c, e)
		return
	}
	if s.socket.on {
		s.socketVerdict(c, &e)
		return
	}
	if s.result.question != 0 && e.Kind == abi.KindVerdict && e.ID == s.result.question {
		s.resultDecided(c, &e)
		return
	}
	switch e.Kind {
	case abi.KindVerdict:
		if e.ID == s.connect && (s.agent == agentConnect || s.agent == agentPreface) {
			s.connectVerdict(c, &e)
			return
		}
		s.verdict(c, &e)
	case abi.KindHeld:
		s.wait(c, e.Hold != "")
	case abi.KindConnected:
		if s.facts.UpstreamTLS {
			s.link = linkSecuring
			c.StartTLS(abi.Upstream)
			return
		}
		s.ready(c)
	case abi.KindSecured:
		if e.Side == abi.Agent {
			s.agentSecured(c, &e)
			return
		}
		s.upstreamSecured(c, &e)
	case abi.KindRefused:
		s.link = linkLost
		if s.agent != agentPreface {
			s.sendAnswer(c, &facts.Answer{Status: 502, Title: "Bad Gateway", Detail: "sallyport: " + e.Reason}, true)
		}
		c.Close(e.Reason)
	}
}

// ready goes on with the request that waits for the upstream.
func (s *Session) ready(c *sdk.Conn) {
	s.link = linkReady
	switch s.agent {
	case agentAsked:
		if s.request.waits {
			return
		}
		s.forward(c)
		s.resume(c)
	case agentPreface:
		s.beginSecond(c)
	}
}

// stop leaves the agent's bytes where they are; resume has them shown again.
func (s *Session) stop(c *sdk.Conn) {
	s.stopped = true
	c.Pause(abi.Agent)
}

func (s *Session) resume(c *sdk.Conn) {
	if s.stopped {
		s.stopped = false
		c.Unpause(abi.Agent)
	}
}

// agentEnded is called when nothing more comes of the agent and nothing is left unread.
func (s *Session) agentEnded(c *sdk.Conn) {
	s.half = true
	switch s.agent {
	case agentStart, agentHead, agentDrops, agentGone:
		if s.server == serverIdle {
			c.Close("the agent closed the connection")
			return
		}
		s.shutSide(c, abi.Upstream)
	case agentChunks, agentDone, agentTunnel, agentMessages:
		s.shutSide(c, abi.Upstream) // as the server would see it
	case agentConnect:
		c.Close("the agent closed the connection")
	case agentAsked, agentSecure, agentPreface: // the end follows what is on its way
	}
}

// upstreamEnded is called when nothing more comes of the upstream.
func (s *Session) upstreamEnded(c *sdk.Conn) {
	s.link = linkLost
	switch {
	case s.held: // the verdict that follows ends the connection
		c.Withdraw(s.request.id)
	case s.server == serverKeeping && s.result.question == 0:
		s.kept(c, s.result.End())
	case s.agent == agentMessages && s.socket.asked != 0:
		s.socket.denied = true
		c.Withdraw(s.socket.asked)
		c.Close("the server closed the connection")
	case s.agent == agentTunnel, s.agent == agentMessages:
		s.shutSide(c, abi.Agent)
	case s.ending && s.failed:
		c.Fail(s.reason)
	case s.ending:
		c.Close(s.reason)
	case s.half:
		c.Close("the agent closed the connection")
	default:
		c.Close("the server closed the connection")
	}
}

// next goes on with what follows a request and its response.
func (s *Session) next(c *sdk.Conn) {
	s.request.reset()
	s.response.asked = head.Asked{}
	s.agent = agentHead
	if s.closing {
		s.agent = agentGone
	}
	s.resume(c)
	if s.half {
		s.end(c, false, "the agent closed the connection")
	}
}

// end ends the connection behind what was written to the agent.
func (s *Session) end(c *sdk.Conn, failed bool, reason string) {
	switch {
	case s.trailing:
		s.agent, s.ending, s.failed, s.reason = agentGone, true, failed, reason
		s.shutSide(c, abi.Agent)
		if s.half {
			s.shutSide(c, abi.Upstream)
		}
	case failed:
		c.Fail(reason)
	default:
		c.Close(reason)
	}
}

// shutSide says once that nothing more is written to side.
func (s *Session) shutSide(c *sdk.Conn, side abi.Side) {
	if !s.shut[side] {
		s.shut[side] = true
		c.Shut(side)
	}
}

// addressed says why a request is not for this endpoint; empty: it is.
func (s *Session) addressed(r *head.Request, p []byte) head.Problem {
	if r.Form == head.Authority { // that of CONNECT says where to go on to, which is for rules to judge
		return ""
	}
	authority := r.Authority.Of(p)
	switch {
	case r.Form == head.Absolute && r.Secure != s.secured:
		return "the target's scheme is not that of the connection"
	case !s.plugin.authorities.Allow(authority, s.facts.Endpoint):
		return "Host does not name this endpoint; the option authorities can allow other names"
	case s.serverName != "":
		if host, _ := head.SplitPort(authority); !head.Fold(host, s.serverName) {
			return "Host is not the name that was asked for by TLS"
		}
	}
	return ""
}
