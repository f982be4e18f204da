package session

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Answers to an SSLRequest or GSSENCRequest.
const (
	encryptionTaken   = 'S'
	encryptionRefused = 'N'
	encryptionFailed  = 'E' // an ErrorResponse, of servers before protocol 3 and of those that could not begin a session
)

// readEncryption answers a request for encryption. Whether bytes of the agent stand behind it already does not matter: they
// are the beginning of the handshake, which plain text that somebody has slipped in makes fail.
func (s *Session) readEncryption(c *sdk.Conn, code uint32) int {
	c.Drop(abi.Agent, 8)
	if code == proto.GSSENCRequest {
		s.start.gss = true
		c.Send(abi.Agent, 0, []byte{encryptionRefused})
		return 8
	}
	s.start.ssl = true
	if !s.facts.AgentTLS || s.start.secured {
		c.Send(abi.Agent, 0, []byte{encryptionRefused})
		return 8
	}
	c.Send(abi.Agent, 0, []byte{encryptionTaken})
	s.startTLS(c, abi.Agent)
	return 8
}

// readDirect begins TLS with an agent that does not ask for it first, as clients of PostgreSQL 17 can.
func (s *Session) readDirect(c *sdk.Conn) int {
	s.start.direct = true
	s.startTLS(c, abi.Agent)
	return 0
}

// startTLS has the host speak TLS with a side, of which nothing is read until the event.
func (s *Session) startTLS(c *sdk.Conn, side abi.Side) {
	s.away[side] = true
	c.StartTLS(side)
}

// secured goes on inside of TLS.
func (s *Session) secured(c *sdk.Conn, e *abi.Event) {
	s.away[e.Side] = false
	if e.Side == abi.Upstream {
		s.beginLogin(c)
		return
	}
	s.start.secured = true
	switch {
	case e.Protocol == proto.ALPN, e.Protocol == "" && !s.start.direct:
	case e.Protocol == "":
		s.refuse(c, "08P01", "received direct SSL connection request without ALPN protocol negotiation extension")
		return
	default: // what begins like this could be meant for another server
		s.refuse(c, "08P01", "received SSL connection request with unexpected ALPN protocol")
		return
	}
	// Inside of it neither encryption can be asked for; behind TLS without a request for it PostgreSQL says no to one.
	s.start.gss, s.start.ssl = true, !s.start.direct
}

// dial connects to the server and asks it for TLS first, when that is promised.
func (s *Session) dial(c *sdk.Conn, id uint32) {
	c.Dial(id)
	if !s.facts.UpstreamTLS {
		s.beginLogin(c)
		return
	}
	c.Stock(stockSSLRequest)
	s.phase = phaseSecure
}

// tlsAnswer reads what the server says to SSLRequest: one byte. What stands behind it is the beginning of the handshake.
func (s *Session) tlsAnswer(c *sdk.Conn, answer byte) int {
	message := "sallyport: the server of endpoint " + s.facts.Endpoint + " "
	switch answer {
	case encryptionTaken:
		c.Drop(abi.Upstream, 1)
		s.startTLS(c, abi.Upstream)
		return 1
	case encryptionRefused:
		message += "does not support TLS, but the endpoint wants it"
	case encryptionFailed:
		// Its text is not shown: who is on the way could have written it.
		message += "answers the request for TLS with an error"
	default:
		message += "does not answer the request for TLS as PostgreSQL does"
	}
	s.unreachable(c, message)
	return 0
}

// unreachable ends a connection whose server cannot be used as configured.
func (s *Session) unreachable(c *sdk.Conn, message string) {
	if !s.start.cancel {
		s.fatal(c, "08001", message, "", "")
	}
	s.phase = phaseEnded
	c.Fail(message)
}
