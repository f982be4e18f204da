package session

import (
	"strconv"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// The slots of a credential, and its attributes.
const (
	slotPassword = iota
)

const (
	slotName          = "password"
	attributeUser     = "user"
	attributeDatabase = "database"
)

// maxStartupWords bounds the messages of a server during the login that are read as a whole, in bytes.
const maxStartupWords = 8 << 10

// beginLogin gives the server what the agent came with, now that it is there and TLS is up where that is promised.
func (s *Session) beginLogin(c *sdk.Conn) {
	s.phase = phaseLogin
	switch {
	case s.start.cancel:
		s.sendCancel(c)
	case s.start.packet != nil:
		if !s.start.again {
			c.Drop(abi.Agent, uint64(s.start.size))
		}
		c.Send(abi.Upstream, s.connect, s.start.packet)
		if !s.gatewayLogin {
			s.start.packet = nil
		}
	default:
		c.Pass(abi.Agent, s.connect, uint64(s.start.size))
	}
	s.moved = true
	s.resume(c)
}

// readLogin passes the agent's part of the login, a message each time that the server has asked for one. When the gateway logs
// in, the server never asks the agent, and what that says waits until it is ready.
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
	if s.start.bindable {
		chosen, ok := proto.Chooses(p, size, proto.ScramPlus)
		if !ok {
			return 0
		}
		if chosen {
			s.unbindable(c)
			return 0
		}
	}
	s.start.expect, s.start.bindable = false, false
	c.Pass(abi.Agent, s.connect, uint64(size))
	return int(min(size, int64(len(p))))
}

// unbindable ends a login whose proof would be for the gateway's certificate, which the server does not know.
func (s *Session) unbindable(c *sdk.Conn) {
	const message = "sallyport: a login with channel binding cannot pass a gateway with TLS on both sides"
	s.fatal(c, "28000", message, "The agent's proof holds for the gateway's certificate, and the server would refuse it.",
		"Connect with channel_binding=disable or without TLS, or let the gateway log in with a credential.")
	s.phase = phaseEnded
	c.Fail(message)
}

// loginAnswer reads a message of the server during the login.
func (s *Session) loginAnswer(c *sdk.Conn, p []byte, typ byte, size int64) int {
	switch typ {
	case proto.Authentication:
		return s.authentication(c, p, size)
	case proto.ParameterStatus:
		return s.parameterStatus(c, p, size)
	case proto.NegotiateProtocolVersion:
		return s.negotiate(c, p, size)
	case proto.BackendKeyData:
		return s.backendKey(c, p, size)
	case proto.ErrorResponse:
		if s.start.tried && !s.start.ok {
			return s.loginError(c, p, size)
		}
		return s.relay(c, p, size)
	case proto.NoticeResponse:
		return s.relay(c, p, size)
	case proto.ReadyForQuery:
		return s.loggedIn(c, p, size)
	}
	s.mismatch(c, "unexpected message "+strconv.QuoteRune(rune(typ))+" during the login")
	return 0
}

// invalidAuthorization is the class of SQLSTATE that a server refuses a login with.
const invalidAuthorization = "28"

// loginError reads the error that answers the gateway's proof. That it is refused is between the operator and the server; anything else the agent may know.
func (s *Session) loginError(c *sdk.Conn, p []byte, size int64) int {
	if !s.whole(c, p, size, maxStartupWords) {
		return 0
	}
	e, err := proto.ReadError(p[:size])
	if err != nil {
		s.mismatch(c, "ErrorResponse: "+err.Error())
		return 0
	}
	if !strings.HasPrefix(e.Code, invalidAuthorization) {
		return s.relay(c, p, size)
	}
	if s.gone {
		c.Close("the agent closed the connection")
		return 0
	}
	s.start.again, s.start.tried = true, false
	c.Relogin(s.connect, slotPassword, []byte(e.Message))
	return int(size)
}

// logInAgain begins at a server that has not heard anything yet, with a newer password.
func (s *Session) logInAgain(c *sdk.Conn) {
	if !s.facts.UpstreamTLS {
		s.beginLogin(c)
		return
	}
	c.Stock(stockSSLRequest)
	s.phase = phaseSecure
}

// loggedIn reads the first ReadyForQuery.
func (s *Session) loggedIn(c *sdk.Conn, p []byte, size int64) int {
	if !s.whole(c, p, size, 6) {
		return 0
	}
	if !s.start.ok {
		s.mismatch(c, "ready for queries without a login")
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
	next := phaseReady
	if s.start.replication {
		next = phaseReplication
	}
	s.phase, s.start.packet = max(s.phase, next), nil
	s.ready, s.settled, s.moved = true, true, true
	return n
}

// authentication follows what the server asks for, and has it answered by who logs in.
func (s *Session) authentication(c *sdk.Conn, p []byte, size int64) int {
	if !s.whole(c, p, size, maxStartupWords) {
		return 0
	}
	if size < proto.HeaderSize+4 || s.start.ok {
		s.mismatch(c, "Authentication: "+proto.ErrFormat.Error())
		return 0
	}
	code := proto.ReadAuthentication(p)
	switch code {
	case proto.AuthenticationOk, proto.AuthenticationCleartextPassword, proto.AuthenticationMD5Password, proto.AuthenticationSASL,
		proto.AuthenticationSASLContinue, proto.AuthenticationSASLFinal:
	default:
		message := "sallyport: the server wants authentication method " + strconv.Itoa(int(code)) + ", which is refused"
		s.fatal(c, "28000", message, "Only trust, password, MD5 and SCRAM logins are known.", "")
		s.mismatch(c, message)
		return 0
	}
	s.start.ok = code == proto.AuthenticationOk
	if s.gatewayLogin {
		// The words of AuthenticationOk are judged as well: it must not come before the server has proved what SCRAM wants.
		c.Auth(s.connect, slotPassword, p[proto.HeaderSize:size])
		s.start.tried = true
		if !s.start.ok {
			c.Drop(abi.Upstream, uint64(size))
			return int(size)
		}
		return s.relay(c, p, size)
	}
	s.start.expect = !s.start.ok && code != proto.AuthenticationSASLFinal
	s.moved = s.moved || s.start.expect
	if code == proto.AuthenticationSASL && s.facts.UpstreamTLS {
		return s.offered(c, p[:size])
	}
	return s.relay(c, p, size)
}

// offered reads which mechanisms the server offers to an agent that logs in by itself, over TLS that ends here. An agent without
// TLS must not see the one with channel binding: libpq takes that for an attack, and nothing it sends says that it could bind.
// An agent with TLS must see it: without, it would say that it could bind and the server could not, which the server takes for
// an attack. It fails only when the agent chooses it.
func (s *Session) offered(c *sdk.Conn, msg []byte) int {
	if s.start.secured {
		s.start.bindable = true
		return s.relay(c, msg, int64(len(msg)))
	}
	rest, err := proto.WithoutMechanism(msg, proto.ScramPlus)
	if err != nil {
		s.mismatch(c, "AuthenticationSASL: "+err.Error())
		return 0
	}
	if rest == nil {
		return s.relay(c, msg, int64(len(msg)))
	}
	c.Drop(abi.Upstream, uint64(len(msg)))
	c.Send(abi.Agent, 0, rest)
	return len(msg)
}

// authFailed ends a login that the gateway could not do.
func (s *Session) authFailed(c *sdk.Conn, reason string) {
	message := "sallyport: the gateway could not log in at endpoint " + s.facts.Endpoint + ": " + reason
	s.fatal(c, "28P01", message, "", "")
	s.phase = phaseEnded
	c.Fail(message)
}

func (s *Session) negotiate(c *sdk.Conn, p []byte, size int64) int {
	if !s.whole(c, p, size, proto.MaxStartup) {
		return 0
	}
	minor, options, err := proto.ReadNegotiate(p[:size])
	if err == nil && s.start.again && s.start.settled && minor == s.start.minor && options == s.start.options {
		c.Drop(abi.Upstream, uint64(size)) // the agent has it from the login before
		return int(size)
	}
	if err != nil || s.start.settled || minor > min(s.start.minor, proto.NewestMinor) || options != s.start.options {
		s.mismatch(c, "the server took a protocol version or option that is not known here")
		return 0
	}
	s.start.settled, s.start.minor = true, minor
	return s.relay(c, p, size)
}
