package session

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// tlsHandshake is the first byte of a connection that begins with TLS.
const tlsHandshake = 0x16

// Names of protocols in ALPN.
const (
	alpnFirst  = "http/1.1"
	alpnSecond = "h2"
)

// beginTLS asks about the connection first: once that is allowed the host can find out what the upstream speaks, and answer the agent's
// ALPN accordingly.
func (s *Session) beginTLS(c *sdk.Conn) {
	s.agent = agentConnect
	s.connect = facts.AskConnect(c, s.facts.Endpoint, true).Do(0, abi.AskAside)
}

// askSecond asks about a connection on which HTTP/2 is spoken without TLS.
func (s *Session) askSecond(c *sdk.Conn) {
	s.agent = agentPreface
	s.connect = facts.AskConnect(c, s.facts.Endpoint, false).Do(0, abi.AskAside)
}

// connectVerdict goes on when it was decided about the connection.
func (s *Session) connectVerdict(c *sdk.Conn, e *abi.Event) {
	if e.Outcome != abi.Allow {
		s.refusal = &facts.Answer{Status: 403, Title: "Forbidden", Detail: e.Reason, Rule: e.Rule, Receipt: e.Receipt, Hold: e.Hold}
	}
	c.Answered(e.ID) // it has no answer of its own
	switch {
	case s.agent == agentConnect: // a denial is told inside of TLS
		s.agent = agentSecure
		c.StartTLS(abi.Agent)
	case s.refusal != nil:
		c.Close("the connection was denied")
	default:
		s.dial(c)
	}
}

// agentSecured goes on inside of TLS, with the version of HTTP that was agreed on.
func (s *Session) agentSecured(c *sdk.Conn, e *abi.Event) {
	s.secured = true
	name := []byte(e.Name)
	for i, b := range name {
		if b >= 'A' && b <= 'Z' {
			name[i] = b + 'a' - 'A'
		}
	}
	s.serverName = string(name)
	switch {
	case e.Protocol == alpnSecond && s.refusal != nil:
		c.Close("the connection was denied")
	case e.Protocol == alpnSecond:
		s.agent = agentPreface
		s.dial(c)
	case speaksFirst(e.Protocol):
		s.agent = agentHead
	default:
		c.Fail("agent: TLS was agreed on for a protocol that is not understood here")
	}
}

// speaksFirst reports whether the protocol that ALPN settled on is HTTP/1.1.
func speaksFirst(protocol string) bool { return protocol == "" || protocol == alpnFirst }

func (s *Session) dial(c *sdk.Conn) {
	s.link = linkDialing
	c.Dial(s.connect)
}

func (s *Session) upstreamSecured(c *sdk.Conn, e *abi.Event) {
	second := s.agent == agentPreface
	if second == (e.Protocol == alpnSecond) && (second || speaksFirst(e.Protocol)) {
		s.ready(c)
		return
	}
	if !second {
		s.sendAnswer(c, &facts.Answer{Status: 502, Title: "Bad Gateway",
			Detail: "sallyport: the server of endpoint " + s.facts.Endpoint + " wants another protocol than the agent"}, true)
	}
	c.Fail("upstream: it wants another protocol than the agent")
}

// beginSecond has HTTP/2 begin; the upstream is there.
func (s *Session) beginSecond(c *sdk.Conn) {
	l := h2.Link{Endpoint: s.facts.Endpoint, Inspect: s.facts.Inspect, Connect: s.connect, Secured: s.secured, ServerName: s.serverName, UpstreamTLS: s.facts.UpstreamTLS}
	k := &s.credential
	l.Signer, l.SignSlot = k.signer, slotAWS
	l.Echoes = k.count > 0 || k.query || k.token || k.placeholder != ""
	names := slots()
	for i := range k.count {
		h := &k.headers[i]
		size := s.facts.Size(names[h.slot].Name)
		if size == 0 { // a literal's length stands before it
			c.Fail("it is not known how long the credential is, so it cannot be written into requests of HTTP/2")
			return
		}
		l.Credentials = append(l.Credentials, h2.Credential{Name: h.name, Slot: h.slot, Length: size})
	}
	if k.placeholder != "" {
		size := s.facts.Size(names[slotSecret].Name)
		if size == 0 {
			c.Fail("it is not known how long the credential is, so it cannot be written into requests of HTTP/2")
			return
		}
		l.Secret = h2.Credential{Name: k.placeholder, Slot: slotSecret, Length: size}
	}
	if k.query {
		size := s.facts.Size(names[slotQuery].Name)
		if size == 0 {
			c.Fail("it is not known how long the credential is, so it cannot be written into requests of HTTP/2")
			return
		}
		l.Parameter = h2.Credential{Name: k.parameter, Slot: slotQuery, Length: size}
	}
	if s.half {
		c.Close("the agent closed the connection")
		return
	}
	if s.two == nil {
		s.two = h2.New(&s.plugin.two, s.action)
	}
	s.speaking = true
	s.two.Start(c, l)
	s.resume(c)
}

// clientPreface is what HTTP/2 begins with, RFC 9113 section 3.4.
const clientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// preface reports whether p begins with it, or may when more has come.
func preface(p []byte) (whole, may bool) {
	n := min(len(p), len(clientPreface))
	may = string(p[:n]) == clientPreface[:n]
	return may && n == len(clientPreface), may
}
