package session

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// TestAgentTLS has every way in which an agent can begin, at endpoints that offer TLS, want it, and have none.
func TestAgentTLS(t *testing.T) {
	plain, offered, required := abi.Facts{}, abi.Facts{AgentTLS: true}, abi.Facts{AgentTLS: true, AgentTLSRequired: true}
	in := greeting(0, "user", "u")
	direct := []byte("\x16\x03\x01\x02\x00")
	for _, c := range []struct {
		name  string
		facts abi.Facts
		alpn  string
		says  []said
		agent string // what it is told before the login
		ends  string // why the connection ends; empty: it is ready
		told  string
	}{
		{"twin: plain text", plain, "", []said{fromAgent(in)}, "", "", ""},
		{"twin: no, then plain text", plain, "", []said{fromAgent(sslRequest), fromAgent(in)}, "N", "", ""},
		{"twin: both refused, at once", plain, "", []said{fromAgent(gssRequest, sslRequest, in)}, "NN", "", ""},
		{"twin: TLS", offered, "", []said{fromAgent(sslRequest), fromAgent(hands), fromAgent(in)}, "S", "", ""},
		{"twin: TLS with ALPN", offered, "postgresql", []said{fromAgent(sslRequest), fromAgent(hands), fromAgent(in)}, "S", "", ""},
		{"twin: GSS refused, then TLS", offered, "", []said{fromAgent(gssRequest), fromAgent(sslRequest), fromAgent(hands, in)}, "NS", "", ""},
		{"twin: plain text though TLS is offered", offered, "", []said{fromAgent(in)}, "", "", ""},
		{"twin: TLS where it is wanted", required, "", []said{fromAgent(sslRequest), fromAgent(hands, in)}, "S", "", ""},
		{"twin: direct TLS", offered, "postgresql", []said{fromAgent(hands), fromAgent(in)}, "", "", ""},
		{"twin: direct TLS, which is then asked for", offered, "postgresql", []said{fromAgent(hands), fromAgent(sslRequest), fromAgent(in)}, "N", "", ""},

		{"plain text behind the request", offered, "", []said{fromAgent(sslRequest, in)}, "S", "the handshake with the agent failed", ""},
		{"plain text behind the request, slowly", offered, "", []said{fromAgent(sslRequest), fromAgent(in), fromAgent(hands)}, "S", "the handshake with the agent failed", ""},
		{"the end behind the request", offered, "", []said{{p: sslRequest, end: true}}, "S", "the handshake with the agent failed", ""},
		{"plain text where TLS is wanted", required, "", []said{fromAgent(in)}, "", "wants TLS", "sslmode=require"},
		{"TLS asked for twice", offered, "", []said{fromAgent(sslRequest), fromAgent(hands, sslRequest)}, "S", "unsupported frontend protocol 1234.5679", "unsupported frontend protocol"},
		{"GSS inside of TLS", offered, "", []said{fromAgent(sslRequest), fromAgent(hands, gssRequest)}, "S", "unsupported frontend protocol 1234.5680", "unsupported frontend protocol"},
		{"direct TLS without ALPN", offered, "", []said{fromAgent(hands), fromAgent(in)}, "", "without ALPN", "without ALPN"},
		{"direct TLS with ALPN for something else", offered, "http/1.1", []said{fromAgent(hands), fromAgent(in)}, "", "unexpected ALPN", "unexpected ALPN"},
		{"TLS with ALPN for something else", offered, "h2", []said{fromAgent(sslRequest), fromAgent(hands), fromAgent(in)}, "S", "unexpected ALPN", "unexpected ALPN"},
		{"direct TLS where there is none", plain, "", []said{fromAgent(direct)}, "", "invalid length of startup packet", ""},
		{"direct TLS behind a request", offered, "", []said{fromAgent(gssRequest, direct)}, "N", "invalid length of startup packet", ""},
		{"direct TLS in TLS", offered, "", []said{fromAgent(sslRequest), fromAgent(hands, direct)}, "S", "invalid length of startup packet", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := scene{facts: c.facts, with: func(g *gate) { g.name = c.alpn }, says: append(c.says, fromServer(welcome))}.play(t)
			if !strings.HasPrefix(string(g.sides[abi.Agent].all), c.agent) {
				t.Errorf("the agent is told %q", g.sides[abi.Agent].all)
			}
			if c.ends != "" {
				g.wantEnd(t, true, c.ends, c.told)
				g.wantSide(t, abi.Upstream)
				return
			}
			g.wantSide(t, abi.Agent, []byte(c.agent), welcome)
			g.wantSide(t, abi.Upstream, in)
			if tls := g.asks[0].value("tls").Bool; tls != (g.tls[abi.Agent] == tlsUp) {
				t.Errorf("connect.tls is %v", tls)
			}
			g.wantReady(t)
		})
	}
}

// TestUpstreamTLS has every answer of a server to SSLRequest.
func TestUpstreamTLS(t *testing.T) {
	facts := abi.Facts{UpstreamTLS: true}
	in := greeting(0, "user", "u")
	for _, c := range []struct {
		name       string
		says       []said
		ends, told string
	}{
		{"twin: TLS", []said{fromServer(yes), fromServer(hands), fromServer(welcome)}, "", ""},
		{"twin: TLS, all at once", []said{fromServer(yes, hands, welcome)}, "", ""},
		{"no", []said{fromServer(no)}, "does not support TLS", "does not support TLS"},
		{"no, and more", []said{fromServer(no, welcome)}, "does not support TLS", "does not support TLS"},
		{"an error", []said{fromServer(encoded(failure("FATAL")))}, "with an error", "answers the request for TLS with an error"},
		{"an error of protocol 2", []said{fromServer([]byte("Eyour password, please\n\x00"))}, "with an error", "answers the request for TLS with an error"},
		{"a login in clear", []said{fromServer(welcome)}, "as PostgreSQL does", "as PostgreSQL does"},
		{"plain text behind the yes", []said{fromServer(yes, welcome)}, "TLS with the upstream failed", "sallyport: TLS with the upstream failed"},
		{"the end behind the yes", []said{fromServer(yes), {side: abi.Upstream, end: true}}, "TLS with the upstream failed", "08001"},
		{"the end", []said{{side: abi.Upstream, end: true}}, "closed the connection when it was asked for TLS", "closed the connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := scene{facts: facts, says: append([]said{fromAgent(in, encoded(query("select")))}, c.says...)}.play(t)
			if c.ends != "" {
				g.wantEnd(t, true, c.ends, c.told)
				g.wantSide(t, abi.Upstream, sslRequest)
				if strings.Contains(string(g.sides[abi.Agent].all), "password, please") || strings.Contains(string(g.sides[abi.Agent].all), "the server's own") {
					t.Error("the agent is shown what anybody could have written")
				}
				return
			}
			g.wantSide(t, abi.Upstream, sslRequest, in, encoded(query("select")))
			g.wantSide(t, abi.Agent, welcome)
		})
	}
	g := scene{facts: facts, policy: func(*action) verdict { return deny("not today") }, says: []said{fromAgent(in)}}.play(t)
	g.wantEnd(t, false, "denied", "not today")
	g.wantSide(t, abi.Upstream)
	g = scene{facts: facts, with: func(g *gate) { g.refuse = true }, says: []said{fromAgent(in)}}.play(t)
	g.wantEnd(t, false, "refused", "refused the connection")
	// An agent that goes away while the server is asked.
	g = scene{facts: facts, says: []said{{p: in, end: true}, fromServer(yes)}}.play(t)
	g.wantEnd(t, false, "the agent closed", "")
}
