package session

import (
	"bytes"
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// startup is what happens before the session.
type startup struct {
	ssl, gss bool // was asked for: once each, as the server has it
	direct   bool // the agent began TLS without asking
	secured  bool // the agent's side has TLS

	size    int    // what the agent wants of the server: the packet's bytes,
	packet  []byte // or what goes to the server in its place, maybe twice
	tried   bool   // the gateway has answered the server's words
	again   bool   // the server refused that once
	cancel  bool   // it is a cancel request
	key     int    // of which so many bytes are the key
	minor   uint32
	options int  // protocol options (_pq_.NAME) that the agent asked for
	settled bool // NegotiateProtocolVersion came

	replication bool
	expect      bool // the server waits for a message of the agent's login
	bindable    bool // it may choose channel binding, which cannot work
	ok          bool // AuthenticationOk came
	keyed       bool // BackendKeyData came
}

// readStartup reads packets before the session: encryption requests, a cancel request, or the StartupMessage.
func (s *Session) readStartup(c *sdk.Conn, p []byte) int {
	if len(p) > 0 && p[0] == proto.TLSHandshake && s.facts.AgentTLS && !s.start.secured && !s.start.ssl && !s.start.gss {
		return s.readDirect(c)
	}
	code, size, ok, err := proto.StartupHeader(p)
	if err != nil {
		s.phase = phaseEnded
		c.Fail("agent: " + err.Error())
		return 0
	}
	if !ok || len(p) < size {
		return 0
	}
	switch major := code >> 16; {
	case code == proto.SSLRequest && !s.start.ssl && size == 8, code == proto.GSSENCRequest && !s.start.gss && size == 8:
		return s.readEncryption(c, code)
	case code == proto.CancelRequest:
		return s.readCancel(c, size)
	case major != 3:
		version := strconv.Itoa(int(major)) + "." + strconv.Itoa(int(code&0xffff))
		s.refuse(c, "0A000", "unsupported frontend protocol "+version+": server supports 3.0 to 3."+strconv.Itoa(proto.NewestMinor))
		return 0
	}
	return s.readParameters(c, p[:size], code&0xffff)
}

// refuse ends a session that never began.
func (s *Session) refuse(c *sdk.Conn, code, message string) {
	s.fatal(c, code, message, "", "")
	s.phase = phaseEnded
	c.Fail("agent: " + message)
}

// parameters are what a StartupMessage says.
type parameters struct {
	user, database, application, options, replication []byte
	others                                            []string
	protocolOptions                                   int
	twice                                             bool
}

func (q *parameters) take(name, value []byte) {
	set := func(v *[]byte) {
		q.twice = q.twice || *v != nil
		*v = value
	}
	switch string(name) {
	case "user":
		set(&q.user)
	case "database":
		set(&q.database)
	case "application_name":
		set(&q.application)
	case "options":
		set(&q.options)
	case "replication":
		set(&q.replication)
	default:
		if bytes.HasPrefix(name, []byte("_pq_.")) {
			q.protocolOptions++
		}
		q.others = append(q.others, string(name)+"="+string(value))
	}
}

// readParameters asks about the StartupMessage that packet is.
func (s *Session) readParameters(c *sdk.Conn, packet []byte, minor uint32) int {
	var q parameters
	err := proto.ReadStartup(packet, q.take)
	user, database := string(q.user), string(q.database)
	if v, ok := s.facts.Attribute(attributeUser); ok {
		user = v
	}
	if v, ok := s.facts.Attribute(attributeDatabase); ok {
		database = v
	}
	switch {
	case err != nil:
		s.refuse(c, "08P01", err.Error())
	case q.twice:
		s.refuse(c, "08P01", "a startup parameter is given twice")
	case user == "":
		s.refuse(c, "28000", "no PostgreSQL user name specified in startup packet")
	case len(user) > proto.MaxName || len(database) > proto.MaxName:
		s.refuse(c, "42622", "a user or database name is longer than "+strconv.Itoa(proto.MaxName)+" bytes")
	case s.facts.AgentTLSRequired && !s.start.secured:
		s.refuse(c, "28000", "sallyport: endpoint "+s.facts.Endpoint+" wants TLS: connect with sslmode=require or stricter")
	default:
		s.start.minor, s.start.options = minor, q.protocolOptions
		s.start.replication = q.replication != nil && !proto.IsFalse(q.replication)
		if user != string(q.user) || database != string(q.database) {
			s.start.packet = proto.RewriteStartup(packet, user, database)
		} else if s.gatewayLogin {
			s.start.packet = bytes.Clone(packet)
		}
		s.user, s.database = user, database
		if s.database == "" {
			s.database = s.user
		}
		s.askConnect(c, &q, len(packet), minor)
		return len(packet)
	}
	return 0
}

func (s *Session) askConnect(c *sdk.Conn, q *parameters, size int, minor uint32) {
	s.settings.application = string(q.application)
	s.settings.shadowed = mentionsCatalog(string(q.options))
	for _, other := range q.others {
		s.settings.shadowed = s.settings.shadowed || mentionsCatalog(other)
	}
	class, what := abi.ClassSession, "connect to "
	if s.start.replication {
		class, what = abi.ClassAdmin, "connect for replication to "
	}
	asked := string(q.database)
	if asked == "" {
		asked = string(q.user)
	}
	b := c.Ask(familyConnect, class, what+s.database+" as "+s.user)
	b.String(connectUser, s.user).String(connectDatabase, s.database)
	b.String(connectAskedUser, string(q.user)).String(connectAskedDatabase, asked)
	b.String(connectApplication, s.settings.application)
	b.String(connectOptions, string(q.options)).Strings(connectParameters, q.others)
	b.String(connectProtocol, "3."+strconv.Itoa(int(minor))).Bool(connectReplication, s.start.replication)
	b.Bool(connectTLS, s.start.secured).Bool(connectGatewayLogin, s.gatewayLogin).Bool(connectCancel, false)
	s.phase = phaseConnect
	s.pending = pending{kind: connectPending, size: size}
	s.pending.id = b.Do(0, abi.AskStreaming)
}

// connectAllowed dials; what the agent said goes to the server once that is there.
func (s *Session) connectAllowed(c *sdk.Conn, p pending) {
	s.connect, s.start.size = p.id, p.size
	s.dial(c, p.id)
}

func (s *Session) connectDenied(c *sdk.Conn, p pending, d denial) {
	c.Drop(abi.Agent, uint64(p.size))
	if !s.start.cancel {
		s.fatal(c, d.code, d.message, d.detail, "")
	}
	s.phase = phaseEnded
	c.Close("the connection was denied")
}
