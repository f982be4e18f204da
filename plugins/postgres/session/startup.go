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
	ssl, gss bool // was asked for and refused: once each, as the server has it
	minor    uint32
	options  int  // protocol options (_pq_.NAME) that the agent asked for
	settled  bool // NegotiateProtocolVersion came
	expect   bool // the server waits for a message of the login
}

// readStartup reads packets before the session: encryption requests, a cancel request, or the StartupMessage.
func (s *Session) readStartup(c *sdk.Conn, p []byte) int {
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
	case code == proto.SSLRequest && !s.start.ssl && size == 8:
		s.start.ssl = true
		return s.refuseEncryption(c)
	case code == proto.GSSENCRequest && !s.start.gss && size == 8:
		s.start.gss = true
		return s.refuseEncryption(c)
	case code == proto.CancelRequest:
		// The server answers nothing to a cancel request either.
		s.phase = phaseEnded
		c.Drop(abi.Agent, uint64(size))
		c.Close("cancel requests are refused: the key of another session is not this connection's to use")
		return size
	case major != 3:
		version := strconv.Itoa(int(major)) + "." + strconv.Itoa(int(code&0xffff))
		s.refuse(c, "0A000", "unsupported frontend protocol "+version+": server supports 3.0 to 3."+strconv.Itoa(proto.NewestMinor))
		return 0
	}
	return s.readParameters(c, p[:size], code&0xffff)
}

func (s *Session) refuseEncryption(c *sdk.Conn) int {
	c.Drop(abi.Agent, 8)
	c.Send(abi.Agent, 0, []byte{'N'})
	return 8
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
	switch {
	case err != nil:
		s.refuse(c, "08P01", err.Error())
	case q.twice:
		s.refuse(c, "08P01", "a startup parameter is given twice")
	case len(q.user) == 0:
		s.refuse(c, "28000", "no PostgreSQL user name specified in startup packet")
	case len(q.user) > proto.MaxName || len(q.database) > proto.MaxName:
		s.refuse(c, "42622", "a user or database name is longer than "+strconv.Itoa(proto.MaxName)+" bytes")
	case q.replication != nil && !proto.IsFalse(q.replication):
		s.refuse(c, "0A000", "sallyport: replication connections are refused")
	default:
		s.start.minor, s.start.options = minor, q.protocolOptions
		s.askConnect(c, &q, len(packet), minor)
		return len(packet)
	}
	return 0
}

func (s *Session) askConnect(c *sdk.Conn, q *parameters, size int, minor uint32) {
	s.user, s.database = string(q.user), string(q.database)
	if s.database == "" {
		s.database = s.user
	}
	s.settings.application = string(q.application)
	s.settings.shadowed = mentionsCatalog(string(q.options))
	for _, other := range q.others {
		s.settings.shadowed = s.settings.shadowed || mentionsCatalog(other)
	}
	b := c.Ask(familyConnect, abi.ClassSession, "connect to "+s.database+" as "+s.user)
	b.String(connectUser, s.user).String(connectDatabase, s.database).String(connectApplication, s.settings.application)
	b.String(connectOptions, string(q.options)).Strings(connectParameters, q.others)
	b.String(connectProtocol, "3."+strconv.Itoa(int(minor))).Bool(connectReplication, false)
	s.phase = phaseConnect
	s.pending = pending{kind: connectPending, size: size}
	s.pending.id = b.Do(0, abi.AskStreaming)
}

// connectAllowed dials; what the agent said goes to the server once that is there.
func (s *Session) connectAllowed(c *sdk.Conn, p pending) {
	s.connect = p.id
	s.phase = phaseLogin
	c.Dial(p.id)
	c.Pass(abi.Agent, p.id, uint64(p.size))
}

func (s *Session) connectDenied(c *sdk.Conn, p pending, d denial) {
	c.Drop(abi.Agent, uint64(p.size))
	s.fatal(c, d.code, d.message, d.detail, "")
	s.phase = phaseEnded
	c.Close("the connection was denied")
}

// readLogin passes the agent's part of the login, a message each time that the server has asked for one.
func (s *Session) readLogin(c *sdk.Conn, p []byte) int {
	typ, size, ok := proto.Header(p)
	if !ok {
		return 0
	}
	if !s.start.expect {
		s.stop(c)
		return 0
	}
	if typ != proto.Password {
		s.violate(c, "expected password response, got message type "+strconv.Itoa(int(typ)))
		return 0
	}
	if size < proto.HeaderSize || size > 1+4+proto.MaxPassword {
		s.violate(c, "invalid message length")
		return 0
	}
	s.start.expect = false
	c.Pass(abi.Agent, s.connect, uint64(size))
	return int(min(size, int64(len(p))))
}

// loginAnswer reads a message of the server during the login.
func (s *Session) loginAnswer(c *sdk.Conn, p []byte, typ byte, size int64) int {
	switch typ {
	case proto.Authentication:
		if len(p) < 9 {
			return 0
		}
		if size < 9 || !s.authentication(c, proto.ReadAuthentication(p)) {
			return 0
		}
	case proto.ParameterStatus:
		return s.parameterStatus(c, p, size)
	case proto.NegotiateProtocolVersion:
		return s.negotiate(c, p, size)
	case proto.BackendKeyData, proto.NoticeResponse, proto.ErrorResponse:
	case proto.ReadyForQuery:
		if !s.whole(c, p, size, 6) {
			return 0
		}
		if !s.start.settled && (s.start.minor > proto.NewestMinor || s.start.options > 0) {
			s.mismatch(c, "the server took a protocol version or option that is not known here")
			return 0
		}
		if _, err := proto.ReadReady(p[:size]); err != nil {
			s.mismatch(c, "ReadyForQuery: "+err.Error())
			return 0
		}
		n := s.relay(c, p, size)
		c.Done(s.connect)
		s.phase = max(s.phase, phaseReady)
		s.ready, s.settled, s.moved = true, true, true
		return n
	default:
		s.mismatch(c, "unexpected message "+strconv.QuoteRune(rune(typ))+" during the login")
		return 0
	}
	return s.relay(c, p, size)
}

// authentication follows what the server asks for, and reports whether the plugin knows it.
func (s *Session) authentication(c *sdk.Conn, code uint32) bool {
	switch code {
	case proto.AuthenticationCleartextPassword, proto.AuthenticationMD5Password,
		proto.AuthenticationSASL, proto.AuthenticationSASLContinue:
		s.start.expect, s.moved = true, true
	case proto.AuthenticationSASLFinal, proto.AuthenticationOk:
		s.start.expect = false
	default:
		message := "sallyport: the server wants authentication method " + strconv.Itoa(int(code)) + ", which is refused"
		s.fatal(c, "28000", message, "Only trust, password, MD5 and SCRAM logins are known.", "")
		s.mismatch(c, message)
		return false
	}
	return true
}

func (s *Session) negotiate(c *sdk.Conn, p []byte, size int64) int {
	if !s.whole(c, p, size, proto.MaxStartup) {
		return 0
	}
	minor, options, err := proto.ReadNegotiate(p[:size])
	if err != nil || minor > proto.NewestMinor || options != s.start.options {
		s.mismatch(c, "the server took a protocol version or option that is not known here")
		return 0
	}
	s.start.settled = true
	return s.relay(c, p, size)
}
