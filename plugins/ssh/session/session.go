package session

import (
	"github.com/sallyport-dev/sallyport/plugins/ssh/sftp"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// phase says how far the connection is.
type phase uint8

const (
	phaseAgent    phase = iota // the handshake with the agent
	phaseConnect               // it is decided about the connection
	phaseDial                  // the upstream is dialed
	phaseUpstream              // the handshake with it, and the login
	phaseReady
	phaseOver
)

// Session follows one connection.
type Session struct {
	plugin  *Plugin
	facts   abi.Facts
	phase   phase
	user    string
	client  string
	connect uint32 // the action that everything harmless belongs to

	channels  map[uint32]*channel
	last      [2]uint32 // the highest number of a channel that a side has opened
	global    global
	keys      uint32 // the allowed action of agent forwarding; 0: none
	x11       uint32
	notices   []string          // for the standard error of the next session
	questions map[uint32]*about // about answers
	waits     uint32            // the one that has all of the server wait
	owes      int               // bytes whose window was not given back
	left      bool              // the server has; answers that came before are being decided
	first     uint32            // was asked about and has no answer of any kind yet: nothing of the agent is read before that
	out       []byte
}

// channel is one channel.
type channel struct {
	id      uint32
	session bool
	action  uint32 // what its frames belong to
	own     bool   // and it ends with the channel
	opening bool   // it is not confirmed yet
	title   string

	asked  uint32 // undecided; 0: nothing
	what   question
	queue  [][]byte // records of the agent that wait
	gather *gathering

	replies []reply // owed to the agent, in order
	owed    int     // owed to the upstream

	terminal bool
	started  bool // a command, shell or subsystem was asked about
	spliced  bool
	exec     uint32 // what its exit status is noted on
	files    *sftp.Conversation
	// transfers says that file data passes in the host.
	transfers bool
	class     abi.Class // of what was started
	output    *output   // nil: no rule looks at what comes back

	exited bool    // the server has said how it ended
	ending bool    // EOF of the server waits for that
	denied int     // requests of SFTP of which the agent was told
	dead   bool    // ended by the gateway
	closed [2]bool // CLOSE came from a side
}

// reply is what the agent's request is answered with.
type reply uint8

const (
	replyUpstream reply = iota // what the upstream says
	replySwallow               // nothing: it was answered before
	replyFailure               // CHANNEL_FAILURE
	replySuccess               // CHANNEL_SUCCESS, before the upstream has heard of it
)

// Data reads what a side has sent.
func (s *Session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if s.phase == phaseOver {
		return 0
	}
	at := 0
	for at < len(p) && s.phase != phaseOver {
		if side == abi.Agent && s.first != 0 {
			return at
		}
		if side == abi.Upstream && s.waits != 0 {
			return at
		}
		n := s.read(c, side, p[at:])
		if n == 0 {
			break
		}
		at += n
	}
	at = min(at, len(p))
	switch {
	case !end || s.phase == phaseOver || side == abi.Upstream && s.waits != 0:
	case at == len(p) && side == abi.Upstream && s.lastWords(c):
	case at < len(p):
		s.fail(c, side, "the connection ends within a record")
	default:
		s.phase = phaseOver
		c.Close(side.String() + " closed the connection")
	}
	return at
}

// read reads the record at the beginning of p and returns its size; 0: it has not come.
func (s *Session) read(c *sdk.Conn, side abi.Side, p []byte) int {
	stream, n, ok := sshwire.Head(p)
	if !ok {
		return 0
	}
	if n < 1 || n > sshwire.MaxMessage {
		s.fail(c, side, "a record whose length is out of bounds")
		return 0
	}
	if s.phase != phaseReady {
		s.fail(c, side, "a record before the login is done")
		return 0
	}
	size := sshwire.HeadSize + n
	if len(p) < size {
		if s.passes(c, side, stream, n, p) {
			return size
		}
		return 0
	}
	if side == abi.Agent {
		s.agent(c, record{stream: stream, bytes: p[:size], live: true})
	} else {
		if !s.upstream(c, stream, p[:size]) {
			return 0
		}
	}
	return size
}

// passes passes a record of data of which the beginning has come, where nothing in it needs a look.
func (s *Session) passes(c *sdk.Conn, side abi.Side, stream uint32, n int, p []byte) bool {
	if len(p) < sshwire.DataAt || p[sshwire.HeadSize] != sshwire.Data {
		return false
	}
	f := sshwire.Fields{P: p[sshwire.HeadSize+1:]}
	size := f.U32()
	ch := s.channels[stream]
	if ch == nil || ch.dead || uint64(size) != uint64(n-5) {
		return false
	}
	if side == abi.Agent {
		if !ch.flows() || ch.files != nil && !ch.files.Skip(uint64(size)) {
			return false
		}
		c.Pass(side, ch.action, uint64(sshwire.HeadSize+n))
		return true
	}
	if ch.keeps() || s.early(ch) || ch.files != nil && !ch.files.SkipUpstream(uint64(size)) {
		return false
	}
	c.Pass(side, s.under(ch, true), uint64(sshwire.HeadSize+n))
	return true
}

// flows reports whether the agent's data on a channel goes on.
func (ch *channel) flows() bool {
	return ch.asked == 0 && ch.gather == nil && !ch.opening && (ch.started || !ch.session) && !ch.dead
}

// Event hears what the host says.
func (s *Session) Event(c *sdk.Conn, e abi.Event) {
	if s.phase == phaseOver {
		return
	}
	if s.first != 0 && e.ID == s.first {
		s.first = 0
	}
	if e.Kind == abi.KindVerdict && e.ID == s.waits {
		s.waits = 0
	}
	s.event(c, e)
	if s.left && len(s.questions) == 0 && s.phase != phaseOver {
		s.phase = phaseOver
		c.Close("upstream closed the connection")
		return
	}
	if s.first == 0 {
		c.Unpause(abi.Agent)
	}
}

func (s *Session) event(c *sdk.Conn, e abi.Event) {
	switch {
	case e.Kind == abi.KindSecured && e.Side == abi.Agent && s.phase == phaseAgent:
		s.login(c, &e)
	case e.Kind == abi.KindHeld:
		s.held(c, &e)
	case e.Kind == abi.KindVerdict && e.ID == s.connect && s.phase == phaseConnect:
		s.connectVerdict(c, &e)
	case e.Kind == abi.KindVerdict:
		s.verdict(c, &e)
	case e.Kind == abi.KindConnected && s.phase == phaseDial:
		s.phase = phaseUpstream
		c.StartTLS(abi.Upstream)
	case e.Kind == abi.KindSecured && s.phase == phaseUpstream:
		s.phase = phaseReady
		c.Send(abi.Agent, 0, sshwire.AppendEmpty(nil, 0, sshwire.Ready))
	case e.Kind == abi.KindRefused:
		s.refuse(c, "sallyport: endpoint "+s.facts.Endpoint+" cannot be reached: "+e.Reason)
	}
}

// login asks about the connection.
func (s *Session) login(c *sdk.Conn, e *abi.Event) {
	s.user, s.client = e.Name, e.Protocol
	s.phase = phaseConnect
	b := c.Ask(familyConnect, abi.ClassSession, "connect as "+printable(s.user))
	text(b, connectUser, s.user, false)
	text(b, connectClient, s.client, false)
	s.connect = b.Do(0, abi.AskAside)
}

func (s *Session) connectVerdict(c *sdk.Conn, e *abi.Event) {
	if e.Outcome != abi.Allow {
		s.refuse(c, denial(e))
		return
	}
	s.phase = phaseDial
	c.Dial(s.connect)
}

// refuse lets the login fail, with a text.
func (s *Session) refuse(c *sdk.Conn, text string) {
	s.phase = phaseOver
	c.Send(abi.Agent, 0, sshwire.AppendText(nil, 0, sshwire.Refuse, text+"\n"))
	c.Close(text)
}

// fail ends the connection because a side does not keep to the protocol.
func (s *Session) fail(c *sdk.Conn, side abi.Side, text string) {
	if s.phase != phaseOver {
		s.phase = phaseOver
		c.Fail(side.String() + ": " + text)
	}
}

// denial says what was denied why, and where that is on record.
func denial(e *abi.Event) string {
	text := "sallyport: denied"
	if e.Reason != "" {
		text = e.Reason
		if len(text) < len(prefix) || text[:len(prefix)] != prefix {
			text = prefix + ": " + text
		}
	}
	more := ""
	for _, part := range [...][2]string{{"hold ", e.Hold}, {"rule ", e.Rule}, {"receipt ", e.Receipt}} {
		if part[1] != "" {
			if more != "" {
				more += ", "
			}
			more += part[0] + part[1]
		}
	}
	if more != "" {
		text += " (" + more + ")"
	}
	return text
}

const prefix = "sallyport"
