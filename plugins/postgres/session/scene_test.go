package session

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// said is a piece of a scene.
type said struct {
	side abi.Side
	p    []byte
	end  bool
}

func fromAgent(p ...[]byte) said  { return said{side: abi.Agent, p: join(p)} }
func fromServer(p ...[]byte) said { return said{side: abi.Upstream, p: join(p)} }

func join(list [][]byte) (p []byte) {
	for _, b := range list {
		p = append(p, b...)
	}
	return p
}

// scene is a connection with the words plugin: what the endpoint is like, and what both sides say.
type scene struct {
	facts  abi.Facts
	policy func(*action) verdict // nil: everything is allowed
	with   func(*gate)
	says   []said
}

// play plays it whole and byte by byte, and wants the same of both.
func (s scene) play(t *testing.T) *gate {
	t.Helper()
	var gates [2]*gate
	for i := range gates {
		policy := s.policy
		if policy == nil {
			policy = allowAll
		}
		g := newGateWith(t, nil, wordsPlugin(nil), nil, policy, s.facts)
		g.cut = i
		if s.with != nil {
			s.with(g)
		}
		for _, said := range s.says {
			g.feed(said.side, said.p)
			if said.end {
				g.end(said.side)
			}
		}
		g.check(t)
		gates[i] = g
	}
	for side := range gates[0].sides {
		if got, want := string(gates[1].sides[side].all), string(gates[0].sides[side].all); got != want {
			t.Errorf("to the %v, byte by byte:\n%s", abi.Side(side), differ(got, want))
		}
	}
	if got, want := strings.Join(gates[1].log, "\n"), strings.Join(gates[0].log, "\n"); got != want {
		t.Errorf("byte by byte:\n%s", differ(got, want))
	}
	return gates[0]
}

// wantSide compares what was written to a side.
func (g *gate) wantSide(t *testing.T, side abi.Side, want ...[]byte) {
	t.Helper()
	if got, want := string(g.sides[side].all), string(join(want)); got != want {
		t.Errorf("to the %v:\n%s", side, differ(got, want))
	}
}

// wantEnd wants the connection to have ended, in good order or not, for a reason; and the agent to have been told something.
func (g *gate) wantEnd(t *testing.T, failed bool, reason, told string) {
	t.Helper()
	if !g.closed || g.failed != failed || !strings.Contains(g.reason, reason) {
		t.Errorf("closed %v, failed %v: %s", g.closed, g.failed, g.reason)
	}
	if all := string(g.sides[abi.Agent].all); !strings.Contains(all, told) || told == "" && strings.Contains(all, "SFATAL") {
		t.Errorf("the agent is told %q", all)
	}
}

// ready wants the connection to be alive and ready for a query.
func (g *gate) wantReady(t *testing.T) {
	t.Helper()
	g.agent(encoded(query("select")))
	g.server(encoded(row, complete("SELECT 1"), ready))
	if g.check(t); g.closed || !strings.HasSuffix(string(g.sides[abi.Agent].all), string(encoded(row, complete("SELECT 1"), ready))) {
		t.Errorf("not ready: %s", g.reason)
	}
}

var (
	sslRequest = proto.AppendRequest(nil, proto.SSLRequest)
	gssRequest = proto.AppendRequest(nil, proto.GSSENCRequest)
	hands      = []byte(handshake)
	yes, no    = []byte{'S'}, []byte{'N'}
	authOK     = encoded(&pgproto3.AuthenticationOk{})
	welcome    = append(append(encoded(&pgproto3.AuthenticationOk{}), settings1...), encoded(ready)...)
)

// greeting is a StartupMessage of minor version minor with parameters name, value, …
func greeting(minor uint32, parameters ...string) []byte {
	p := []byte{0, 0, 0, 0, 0, 3, 0, byte(minor)}
	for _, s := range parameters {
		p = append(append(p, s...), 0)
	}
	p = append(p, 0)
	p[2], p[3] = byte(len(p)>>8), byte(len(p))
	return p
}
