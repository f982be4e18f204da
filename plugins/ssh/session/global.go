package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
)

// global follows the requests of the connection, RFC 4254 section 4: their answers have no number, so their order is all.
type global struct {
	asked   uint32 // undecided; 0: nothing
	what    listener
	want    bool
	title   string
	record  []byte // what the server gets when it is allowed; nil: it has it by then
	queue   [][]byte
	replies []globalReply // owed to the agent
	owed    int           // owed to the upstream
	list    []listener
}

// globalReply is what a request of the agent is answered with.
type globalReply struct {
	local bool     // failure, by the gateway
	start listener // what listens if it succeeds; action 0: nothing
	stop  listener // and what does not any more
}

// listener is a port, or a socket, that the server listens at for the agent.
type listener struct {
	action uint32
	path   string
	port   uint32
}

// listener is the action of one; 0: there is none.
func (g *global) listener(path string, port uint32) uint32 {
	for _, l := range g.list {
		if l.path == path && l.port == port {
			return l.action
		}
	}
	return 0
}

// Global requests.
const (
	globalForward      = "tcpip-forward"
	globalCancel       = "cancel-tcpip-forward"
	globalSocket       = "streamlocal-forward@openssh.com"
	globalCancelSocket = "cancel-streamlocal-forward@openssh.com"
)

// agentGlobal reads a record of stream 0.
func (s *Session) agentGlobal(c *sdk.Conn, r *record) {
	g := &s.global
	switch r.number() {
	case sshwire.RequestSuccess, sshwire.RequestFailure:
		if g.owed == 0 {
			s.drop(c, r)
			return
		}
		g.owed--
		s.up(c, s.connect, r)
	case sshwire.GlobalRequest:
		if g.asked != 0 {
			if len(g.queue) >= maxQueue {
				s.fail(c, abi.Agent, "too many requests wait")
				return
			}
			g.queue = append(g.queue, append([]byte(nil), r.bytes...))
			c.Drop(abi.Agent, uint64(len(r.bytes)))
			return
		}
		s.globalRequest(c, r)
	default:
		s.fail(c, abi.Agent, "a message that is not known")
	}
}

func (s *Session) globalRequest(c *sdk.Conn, r *record) {
	f := sshwire.Fields{P: r.body()}
	name, want := f.String(), f.Bool()
	a := action{class: abi.ClassOpaque, operation: "listen"}
	l := listener{}
	switch name {
	case globalForward, globalCancel:
		a.kind, a.host, a.port = kindRemoteForward, f.String(), f.U32()
		l.port = a.port
		a.title = "listen at " + a.host + " port " + strconv.Itoa(int(a.port))
	case globalSocket, globalCancelSocket:
		l.path = f.String()
		a.kind, a.paths, a.normalUnknown, a.title = kindStreamlocal, []string{l.path}, true, "listen at "+l.path
	case "keepalive@openssh.com", "no-more-sessions@openssh.com":
		s.up(c, s.connect, r)
		if want {
			s.oweGlobal(c, globalReply{})
		}
		return
	case "hostkeys-prove-00@openssh.com": // it is about the transport, which ends at the gateway
		s.drop(c, r)
		if want {
			s.oweGlobal(c, globalReply{local: true})
		}
		return
	default:
		a = action{kind: kindOther, class: abi.ClassOpaque, name: name, title: "global request " + name}
		f = sshwire.Fields{}
	}
	switch {
	case !f.Over() || a.port > 65535:
		s.fail(c, abi.Agent, "a request that cannot be read")
	case name == globalCancel || name == globalCancelSocket:
		s.cancel(c, r, l, want)
	case len(s.global.list) >= maxForwards:
		s.drop(c, r)
		if want {
			s.oweGlobal(c, globalReply{local: true})
		}
	default:
		s.global.asked = s.ask(c, &a)
		s.global.what, s.global.want, s.global.title = l, want, title(a.kind, a.title)
		if s.facts.Inspect {
			s.global.record = s.hold(c, r)
		} else {
			s.up(c, s.global.asked, r)
		}
	}
}

// cancel stops a listener, which is harmless.
func (s *Session) cancel(c *sdk.Conn, r *record, l listener, want bool) {
	id := s.global.listener(l.path, l.port)
	if id == 0 {
		id = s.connect
	}
	s.up(c, id, r)
	if want {
		s.oweGlobal(c, globalReply{stop: l})
	}
}

// oweGlobal notes what a request of the agent is answered with.
func (s *Session) oweGlobal(c *sdk.Conn, r globalReply) {
	g := &s.global
	if len(g.replies) >= maxReplies {
		s.fail(c, abi.Agent, "too many requests without an answer")
		return
	}
	g.replies = append(g.replies, r)
	s.flushGlobal(c)
}

func (s *Session) flushGlobal(c *sdk.Conn) {
	g := &s.global
	for len(g.replies) > 0 && g.replies[0].local {
		g.replies = g.replies[1:]
		s.down(c, sshwire.AppendEmpty(s.out[:0], 0, sshwire.RequestFailure))
	}
}

// globalVerdict goes on with a request of the connection.
func (s *Session) globalVerdict(c *sdk.Conn, e *abi.Event) {
	g := &s.global
	if e.Inspect > 0 && e.Outcome == abi.Allow {
		g.asked = s.askEarly(c, e.ID, nil, abi.ClassOpaque, g.title)
		return
	}
	l := g.what
	l.action, g.asked = e.ID, 0
	if g.record != nil && e.Outcome == abi.Allow {
		c.Send(abi.Upstream, e.ID, g.record)
	}
	g.record = nil
	switch {
	case e.Outcome != abi.Allow:
		s.tell(denial(e))
		if g.want {
			s.oweGlobal(c, globalReply{local: true})
		}
	case g.want:
		s.oweGlobal(c, globalReply{start: l})
	default: // it is not known whether it listens
		g.list = append(g.list, l)
	}
	for len(g.queue) > 0 && g.asked == 0 && s.phase == phaseReady {
		r := record{bytes: g.queue[0]}
		g.queue = g.queue[1:]
		s.globalRequest(c, &r)
	}
}

// upstreamGlobal reads a record of stream 0.
func (s *Session) upstreamGlobal(c *sdk.Conn, p []byte) {
	f := sshwire.Fields{P: p[sshwire.HeadSize+1:]}
	switch number := p[sshwire.HeadSize]; number {
	case sshwire.GlobalRequest:
		name, want := f.String(), f.Bool()
		if name != "keepalive@openssh.com" { // the server's keys, and what is not known
			c.Drop(abi.Upstream, uint64(len(p)))
			if want {
				c.Send(abi.Upstream, s.connect, sshwire.AppendEmpty(nil, 0, sshwire.RequestFailure))
			}
			return
		}
		if want {
			s.global.owed++
		}
		c.Pass(abi.Upstream, s.under(nil, false), uint64(len(p)))
	case sshwire.RequestSuccess, sshwire.RequestFailure:
		g := &s.global
		if len(g.replies) == 0 {
			s.fail(c, abi.Upstream, "an answer to a request that was not made")
			return
		}
		r := g.replies[0]
		g.replies = g.replies[1:]
		g.answered(c, &r, number == sshwire.RequestSuccess, &f)
		c.Pass(abi.Upstream, s.under(nil, false), uint64(len(p)))
		s.flushGlobal(c)
	default:
		s.fail(c, abi.Upstream, "a message that is not known")
	}
}

// answered notes what listens now.
func (g *global) answered(c *sdk.Conn, r *globalReply, ok bool, f *sshwire.Fields) {
	if l := r.start; l.action != 0 {
		if !ok {
			c.Done(l.action)
			return
		}
		if l.path == "" && l.port == 0 {
			l.port = f.U32()
		}
		g.list = append(g.list, l)
	}
	if l := r.stop; ok && (l.path != "" || l.port != 0) { // connections that are there go on under its action
		for i := range g.list {
			if g.list[i].path == l.path && g.list[i].port == l.port {
				g.list[i].path, g.list[i].port = "", 1<<16 // no port
			}
		}
	}
}
