package session

import (
	"encoding/binary"
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/sql"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// hello is what the agent said, and what the server is told.
type hello struct {
	size  int
	begin []byte // up to the password
	own   []byte // the agent's password
	told  uint64 // the revision that the server is told
}

// tlsHandshake is the first byte of a connection that begins with TLS.
const tlsHandshake = 0x16

func (s *Session) readStart(c *sdk.Conn, p []byte) int {
	if p[0] == tlsHandshake && s.facts.AgentTLS && !s.secured {
		s.phase = phaseSecure
		c.StartTLS(abi.Agent)
		return 0
	}
	h, need, err := proto.ReadHello(p)
	switch {
	case err == proto.ErrMore:
		s.need = need
		return 0
	case err != nil:
		s.refuse(c, unexpectedPacket, "sallyport: "+err.Error(), true)
		return 0
	case s.facts.AgentTLSRequired && !s.secured:
		s.refuse(c, accessDenied, "sallyport: endpoint "+s.facts.Endpoint+" wants TLS: connect with --secure", true)
		return 0
	case h.Revision < proto.Oldest:
		s.refuse(c, unexpectedPacket, "sallyport: the client speaks revision "+strconv.FormatUint(h.Revision, 10)+" of the protocol, older than "+strconv.Itoa(proto.Oldest), true)
		return 0
	case len(h.User) > 0 && h.User[0] == ' ': // how servers, SSH keys and tokens log in
		s.refuse(c, accessDenied, "sallyport: log in with a user and a password, or let the gateway do it", true)
		return 0
	}
	s.askConnect(c, &h)
	return h.Size
}

func (s *Session) askConnect(c *sdk.Conn, h *proto.Hello) {
	user, database := string(h.User), string(h.Database)
	if v, ok := s.facts.Attribute(attributeUser); ok {
		user = v
	}
	if v, ok := s.facts.Attribute(attributeDatabase); ok {
		database = v
	}
	s.hello = hello{size: h.Size, told: min(h.Revision, proto.Newest)}
	s.hello.begin = proto.AppendHello(nil, h, s.hello.told, database, user)
	if !s.gatewayLogin {
		s.hello.own = proto.AppendString(nil, string(h.Password))
	}
	s.user, s.database, s.client = orDefault(user), orDefault(database), string(h.Name)
	b := c.Ask(familyConnect, abi.ClassSession, "connect to "+s.database+" as "+s.user)
	b.String(connectUser, s.user).String(connectDatabase, s.database)
	b.String(connectAskedUser, orDefault(string(h.User))).String(connectAskedDatabase, orDefault(string(h.Database)))
	b.String(connectApplication, s.client).String(connectProtocol, "native "+strconv.FormatUint(s.hello.told, 10))
	b.Bool(connectTLS, s.secured).Bool(connectGatewayLogin, s.gatewayLogin)
	s.phase = phaseAsked
	s.connect = b.Do(0, abi.AskStreaming)
}

// orDefault is the name that a server takes an empty one for.
func orDefault(name string) string {
	if name == "" {
		return "default"
	}
	return name
}

func (s *Session) connectVerdict(c *sdk.Conn, e *abi.Event) {
	if e.Outcome != abi.Allow {
		s.refuse(c, accessDenied, Denial(e), false)
		return
	}
	c.Dial(s.connect)
	if !s.facts.UpstreamTLS {
		s.sayHello(c)
	}
}

// sayHello gives the server the hello, with the gateway's password when it has one.
func (s *Session) sayHello(c *sdk.Conn) {
	s.phase = phaseWelcome
	c.Drop(abi.Agent, uint64(s.hello.size))
	c.Send(abi.Upstream, s.connect, s.hello.begin)
	if s.gatewayLogin {
		c.Secret(s.connect, SlotPassword)
	} else {
		c.Send(abi.Upstream, s.connect, s.hello.own)
	}
	s.hello.begin, s.hello.own = nil, nil
}

// readWelcome reads the server's hello.
func (s *Session) readWelcome(c *sdk.Conn, p []byte) int {
	if p[0] == proto.ServerException { // the login failed: it says why, and leaves
		x, err := proto.ReadException(p)
		switch {
		case err == proto.ErrMore && len(p) < maxWelcome:
			return 0
		case err == nil && s.gatewayLogin && refusedLogin(x.Code): // that is between the operator and the server
			c.Refused(s.connect, SlotPassword, words(p, &x))
			s.refuse(c, authenticationFailed, "sallyport: the gateway could not log in at endpoint "+s.facts.Endpoint+": the upstream refuses the gateway's login", false)
			return 0
		}
		s.phase = phaseEnded
		c.Pass(abi.Upstream, 0, uint64(len(p)))
		s.resume(c)
		return len(p)
	}
	w, _, err := proto.ReadWelcome(p, s.hello.told)
	switch {
	case err == proto.ErrMore && len(p) < maxWelcome:
		return 0
	case err == nil && w.Revision < proto.Oldest:
		s.refuse(c, networkError, "sallyport: the server speaks revision "+strconv.FormatUint(w.Revision, 10)+" of the protocol, older than "+strconv.Itoa(proto.Oldest), true)
		return 0
	case err != nil:
		s.refuse(c, networkError, "sallyport: the server's hello is not understood", true)
		return 0
	}
	s.revision, s.zone = min(w.Revision, s.hello.told), w.Zone
	s.answer.words, s.serverRevision = w, w.Revision
	if w.Major < 1<<16 && w.Minor < 1000 {
		s.version = sql.Version(w.Major*1000 + w.Minor)
	}
	if w.Revision > proto.Newest {
		c.Drop(abi.Upstream, uint64(w.Size))
		b := append([]byte(nil), p[:w.RevisionAt]...)
		b = binary.AppendUvarint(b, proto.Newest)
		c.Send(abi.Agent, 0, append(b, p[w.RevisionEnd:w.Size]...))
	} else {
		c.Pass(abi.Upstream, 0, uint64(w.Size))
	}
	s.phase = phaseAddendum
	if !proto.HasAddendum(s.revision) {
		s.begin(c)
	}
	s.resume(c)
	return w.Size
}

// maxWelcome bounds the server's hello, in bytes.
const maxWelcome = 256 << 10

func (s *Session) readAddendum(c *sdk.Conn, p []byte) int {
	a, need, err := proto.ReadAddendum(p, s.revision)
	if err == proto.ErrMore {
		s.need = need
		return 0
	}
	if err != nil {
		s.refuse(c, unexpectedPacket, "sallyport: the addendum to the hello: "+err.Error(), true)
		return 0
	}
	if proto.HasChunks(s.revision) {
		var ok, ok2 bool
		s.chunked, ok = proto.Agree(s.answer.words.Receives, a.Sends)
		s.answersChunked, ok2 = proto.Agree(s.answer.words.Sends, a.Receives)
		if !ok || !ok2 {
			s.refuse(c, networkError, "Incompatible protocol: client and server do not agree on chunks", true)
			return 0
		}
	}
	c.Pass(abi.Agent, s.connect, uint64(a.Size))
	s.begin(c)
	return a.Size
}

// begin ends the login.
func (s *Session) begin(c *sdk.Conn) {
	c.Done(s.connect)
	s.phase = phaseReady
	s.data.block.Revision, s.data.block.Zone = s.revision, s.zone
	s.answer.block.Revision = s.revision
	s.answer.every, s.result.reader.Revision = s.facts.Inspect, s.revision
}

// refusedLogin reports whether an exception is about the user and the password.
func refusedLogin(code int32) bool {
	switch code {
	case 192, 193, 194, authenticationFailed: // UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD
		return true
	}
	return false
}

// words is what an exception says, cut to what an operator is told.
func words(p []byte, x *proto.Exception) []byte {
	if len(x.Words) < 2 {
		return nil
	}
	w := x.Words[1] // behind its name
	return p[w[0]:min(w[1], w[0]+maxWords)]
}

const maxWords = 1 << 10
