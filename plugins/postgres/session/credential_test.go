package session

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// authentication is an Authentication message.
func authentication(code uint32, rest string) []byte {
	return proto.Append(nil, proto.Authentication, append(binary.BigEndian.AppendUint32(nil, code), rest...)...)
}

const mechanisms = "SCRAM-SHA-256-PLUS\x00SCRAM-SHA-256\x00\x00"

// TestGatewayLogin has the gateway log in, and servers that ask for every kind of proof.
func TestGatewayLogin(t *testing.T) {
	facts := abi.Facts{Slots: []string{"password"}, Attributes: []abi.Attribute{{Name: "user", Value: "agent_rw"}}}
	in, out := greeting(0, "user", "me", "database", "app", "application_name", "x"), greeting(0, "user", "agent_rw", "database", "app", "application_name", "x")
	scram := [][]byte{authentication(10, mechanisms), authentication(11, "r=…"), authentication(12, "v=…")}
	var words []string
	answer := func(w []byte) ([]byte, error) {
		words = append(words, string(w))
		switch code := binary.BigEndian.Uint32(w); code {
		case 0, 12:
			return nil, nil
		case 66:
			return nil, errors.New("the server asks for what may not be used")
		default:
			return []byte("<answer " + string(rune('0'+code)) + ">"), nil
		}
	}
	fails := func([]byte) ([]byte, error) { return nil, errors.New("the server does not know the password") }
	for _, c := range []struct {
		name       string
		login      func([]byte) ([]byte, error)
		says       []said
		words      int
		upstream   string // behind the startup
		ends, told string
	}{
		{"twin: trust", answer, []said{fromServer(welcome)}, 1, "", "", ""},
		{"twin: a password", answer, []said{fromServer(authentication(3, "")), fromServer(welcome)}, 2, "<answer 3>", "", ""},
		{"twin: MD5", answer, []said{fromServer(authentication(5, "salt")), fromServer(welcome)}, 2, "<answer 5>", "", ""},
		{"twin: SCRAM", answer, []said{fromServer(scram[0]), fromServer(scram[1]), fromServer(scram[2], welcome)}, 4, "<answer :><answer ;>", "", ""},
		{"the agent's password too", answer, []said{fromServer(authentication(3, "")), fromAgent(encoded(&pgproto3.PasswordMessage{Password: "mine"})), fromServer(welcome)}, 2, "<answer 3>",
			"invalid frontend message type 112", "invalid frontend message type 112"},
		{"no answer", fails, []said{fromServer(scram[0])}, 0, "", "could not log in", "28P01"},
		{"a false end", func(w []byte) ([]byte, error) {
			if binary.BigEndian.Uint32(w) == 0 {
				return fails(w)
			}
			return answer(w)
		}, []said{fromServer(scram[0]), fromServer(authOK)}, 1, "<answer :>", "could not log in", "does not know the password"},
		{"GSS", answer, []said{fromServer(authentication(7, ""))}, 0, "", "authentication method 7", "authentication method 7"},
		{"two ends", answer, []said{fromServer(authOK, authOK)}, 1, "", "Authentication", ""},
		{"words without end", answer, []said{fromServer(authentication(10, strings.Repeat("x", maxStartupWords)))}, 0, "", "message of type", ""},
		{"no login at all", answer, []said{fromServer(encoded(ready))}, 0, "", "without a login", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := scene{facts: facts, with: func(g *gate) { g.login, words = c.login, nil }, says: append([]said{fromAgent(in)}, c.says...)}.play(t)
			g.wantSide(t, abi.Upstream, out, []byte(c.upstream))
			if c.login != nil && len(words) != c.words {
				t.Errorf("%d words: %q", len(words), words)
			}
			for _, word := range []string{"SCRAM-SHA", "salt", "r=…"} {
				if strings.Contains(string(g.sides[abi.Agent].all), word) {
					t.Errorf("the agent is shown the gateway's login: %q", g.sides[abi.Agent].all)
				}
			}
			if c.ends != "" {
				g.wantEnd(t, true, c.ends, c.told)
				return
			}
			g.wantSide(t, abi.Agent, welcome)
			a := g.asks[0]
			if a.value("user").Str != "agent_rw" || a.value("asked_user").Str != "me" || a.value("database").Str != "app" || !a.value("gateway_login").Bool {
				t.Errorf("the connection is asked about as %+v", a.Values)
			}
			g.wantReady(t)
			if last := g.asks[len(g.asks)-1]; last.value("user").Str != "agent_rw" {
				t.Errorf("statements are of user %q", last.value("user").Str)
			}
		})
	}
	// A refusal of the server goes to the agent as it is.
	g := scene{facts: facts, with: func(g *gate) { g.login = answer }, says: []said{fromAgent(in), fromServer(scram[0], encoded(failure("FATAL"))), {side: abi.Upstream, end: true}}}.play(t)
	g.wantEnd(t, false, "the server closed", "the server's own")
}

// TestStartupRewritten has the names that the server gets, from those of the agent and of the credential.
func TestStartupRewritten(t *testing.T) {
	for _, c := range []struct {
		name, user, database string // of the credential
		in, out              []byte
		facts                [4]string // user, database, asked user, asked database
	}{
		{"as it is", "", "", greeting(0, "user", "me", "options", "-c a=b"), greeting(0, "user", "me", "options", "-c a=b"), [4]string{"me", "me", "me", "me"}},
		{"the same user", "me", "", greeting(2, "user", "me"), greeting(2, "user", "me"), [4]string{"me", "me", "me", "me"}},
		{"another user", "you", "", greeting(2, "user", "me", "_pq_.x", "y"), greeting(2, "user", "you", "_pq_.x", "y"), [4]string{"you", "you", "me", "me"}},
		{"another user, the agent's database", "you", "", greeting(0, "database", "d", "user", "me"), greeting(0, "database", "d", "user", "you"), [4]string{"you", "d", "me", "d"}},
		{"both", "you", "yours", greeting(0, "user", "me", "database", "mine"), greeting(0, "user", "you", "database", "yours"), [4]string{"you", "yours", "me", "mine"}},
		{"both, the agent names no database", "you", "yours", greeting(0, "user", "me", "a", "b"), greeting(0, "user", "you", "a", "b", "database", "yours"), [4]string{"you", "yours", "me", "me"}},
		{"a database", "", "yours", greeting(0, "user", "me"), greeting(0, "user", "me", "database", "yours"), [4]string{"me", "yours", "me", "me"}},
		{"an agent without a name", "you", "", greeting(0, "application_name", "x"), greeting(0, "application_name", "x", "user", "you"), [4]string{"you", "you", "", ""}},
	} {
		var facts abi.Facts
		if c.user != "" {
			facts.Attributes = append(facts.Attributes, abi.Attribute{Name: "user", Value: c.user})
		}
		if c.database != "" {
			facts.Attributes = append(facts.Attributes, abi.Attribute{Name: "database", Value: c.database})
		}
		g := scene{facts: facts, says: []said{fromAgent(c.in)}}.play(t)
		g.wantSide(t, abi.Upstream, c.out)
		a := g.asks[0]
		if got := [4]string{a.value("user").Str, a.value("database").Str, a.value("asked_user").Str, a.value("asked_database").Str}; got != c.facts {
			t.Errorf("%s: the facts are %q, not %q", c.name, got, c.facts)
		}
	}
	g := scene{facts: abi.Facts{Attributes: []abi.Attribute{{Name: "user", Value: strings.Repeat("u", 64)}}}, says: []said{fromAgent(greeting(0, "user", "me"))}}.play(t)
	g.wantEnd(t, true, "longer than 63", "longer than 63")
}

// TestChannelBinding has agents that log in by themselves at a server with SCRAM, with TLS on either side, on both and on none.
func TestChannelBinding(t *testing.T) {
	both := authentication(10, mechanisms)
	without := authentication(10, "SCRAM-SHA-256\x00\x00")
	initial := func(mechanism string) []byte {
		return encoded(&pgproto3.SASLInitialResponse{AuthMechanism: mechanism, Data: []byte("n,,n=,r=abc")})
	}
	rest := []said{fromServer(authentication(11, "r=abc")), fromAgent(encoded(&pgproto3.SASLResponse{Data: []byte("c=…")})), fromServer(authentication(12, "v="), welcome)}
	for _, c := range []struct {
		name     string
		facts    abi.Facts
		agentTLS bool
		offer    []byte // what the agent sees of the server's
		choice   string
		ends     string
	}{
		{"twin: no TLS", abi.Facts{}, false, without, "SCRAM-SHA-256", ""},
		{"twin: TLS with the agent", abi.Facts{AgentTLS: true}, true, without, "SCRAM-SHA-256", ""},
		{"TLS with the server hides what cannot work", abi.Facts{UpstreamTLS: true}, false, without, "SCRAM-SHA-256", ""},
		{"TLS with both, an agent that does not bind", abi.Facts{AgentTLS: true, UpstreamTLS: true}, true, both, "SCRAM-SHA-256", ""},
		{"TLS with both, an agent that binds", abi.Facts{AgentTLS: true, UpstreamTLS: true}, true, both, "SCRAM-SHA-256-PLUS", "channel binding"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var says []said
			var agent [][]byte
			in := greeting(0, "user", "me")
			if c.agentTLS {
				says, agent = append(says, fromAgent(sslRequest), fromAgent(hands)), append(agent, yes)
			}
			says = append(says, fromAgent(in))
			if c.facts.UpstreamTLS {
				says = append(says, fromServer(yes), fromServer(hands), fromServer(both))
			} else {
				says = append(says, fromServer(without))
			}
			says = append(says, fromAgent(initial(c.choice)))
			g := scene{facts: c.facts, says: append(says, rest...)}.play(t)
			agent = append(agent, c.offer)
			if c.ends != "" {
				g.wantEnd(t, true, c.ends, "channel_binding=disable")
				return
			}
			g.wantSide(t, abi.Agent, append(agent, authentication(11, "r=abc"), authentication(12, "v="), welcome)...)
			g.wantReady(t)
		})
	}
	g := scene{facts: abi.Facts{UpstreamTLS: true}, says: []said{fromAgent(greeting(0, "user", "me")), fromServer(yes), fromServer(hands), fromServer(authentication(10, "SCRAM-SHA-256-PLUS"))}}.play(t)
	g.wantEnd(t, true, "AuthenticationSASL", "")
}
