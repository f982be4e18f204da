package session

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

type encoder interface{ Encode([]byte) ([]byte, error) }

func encoded(messages ...encoder) (b []byte) {
	for _, m := range messages {
		var err error
		if b, err = m.Encode(b); err != nil {
			panic(err)
		}
	}
	return b
}

func complete(tag string) *pgproto3.CommandComplete {
	return &pgproto3.CommandComplete{CommandTag: []byte(tag)}
}

func failure(severity string) *pgproto3.ErrorResponse {
	return &pgproto3.ErrorResponse{Severity: severity, SeverityUnlocalized: severity, Code: "XX000", Message: "the server's own"}
}

var (
	ready     = &pgproto3.ReadyForQuery{TxStatus: 'I'}
	hello     = &pgproto3.StartupMessage{ProtocolVersion: 3 << 16, Parameters: map[string]string{"user": "u"}}
	row       = &pgproto3.DataRow{Values: [][]byte{[]byte("1")}}
	settings1 = encoded(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: "on"}, &pgproto3.ParameterStatus{Name: "client_encoding", Value: "UTF8"})
)

// opened is a gate whose session is ready for queries, with what was written so far taken away.
func opened(t testing.TB, plugin *Plugin, options map[string]any, policy func(*action) verdict) *gate {
	t.Helper()
	g := newGate(t, nil, plugin, options, policy)
	g.agent(encoded(hello))
	g.server(encoded(&pgproto3.AuthenticationOk{}), settings1, encoded(ready))
	g.taken(abi.Agent)
	g.taken(abi.Upstream)
	g.check(t)
	return g
}

func (g *gate) check(t testing.TB) {
	t.Helper()
	if g.broken != nil {
		t.Fatal(g.broken)
	}
}

// TestAnswers has answers of a server that fit to what it was given, which pass, and that do not, which end the session.
func TestAnswers(t *testing.T) {
	g, h := &pgproto3.CopyInResponse{}, &pgproto3.CopyOutResponse{}
	whole := one(parse("", "select"), bind("", ""), &pgproto3.Describe{ObjectType: 'P'}, execute(""), sync1)
	for _, c := range []struct {
		name    string
		sent    []pgproto3.FrontendMessage
		answers []encoder
		fits    bool
	}{
		{"a query", one(query("select")), []encoder{&pgproto3.RowDescription{}, row, complete("SELECT 1"), ready}, true},
		{"an empty query", one(query("")), []encoder{&pgproto3.EmptyQueryResponse{}, ready}, true},
		{"an error", one(query("select")), []encoder{row, failure("ERROR"), ready}, true},
		{"notices at any time", one(query("select")), []encoder{&pgproto3.NoticeResponse{Message: "x"}, row, &pgproto3.NotificationResponse{}, &pgproto3.ParameterStatus{Name: "a", Value: "b"}, complete("SELECT 1"), ready, &pgproto3.NoticeResponse{}}, true},
		{"the end of the server", one(), []encoder{failure("FATAL")}, true},
		{"the extended protocol", whole, []encoder{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}, row, complete("SELECT 1"), ready}, true},
		{"an error at Sync", whole, []encoder{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}, complete("SELECT 0"), failure("ERROR"), ready}, true},
		{"a portal that is suspended", whole, []encoder{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}, row, &pgproto3.PortalSuspended{}, ready}, true},
		{"copy out", one(query("copyout")), []encoder{h, &pgproto3.CopyData{Data: []byte("x")}, &pgproto3.CopyDone{}, complete("COPY 1"), ready}, true},
		{"copy out that fails", one(query("copyout")), []encoder{h, &pgproto3.CopyData{Data: []byte("x")}, failure("ERROR"), ready}, true},
		{"copy in", one(query("copyin"), &pgproto3.CopyDone{}), []encoder{g, complete("COPY 0"), ready}, true},

		{"ready for nothing", one(), []encoder{ready}, false},
		{"an error about nothing", one(), []encoder{failure("ERROR")}, false},
		{"a row for nothing", one(), []encoder{row}, false},
		{"two ends", one(query("select")), []encoder{complete("SELECT 1"), complete("SELECT 1")}, false},
		{"another end", one(query("select")), []encoder{complete("DELETE 1")}, false},
		{"another end, extended", whole, []encoder{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}, complete("DELETE 1")}, false},
		{"answers in another order", whole, []encoder{&pgproto3.BindComplete{}}, false},
		{"columns for Execute", whole, []encoder{&pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, &pgproto3.NoData{}, &pgproto3.RowDescription{}}, false},
		{"ready too early", whole, []encoder{&pgproto3.ParseComplete{}, ready}, false},
		{"copy in for a select", one(query("select")), []encoder{g}, false},
		{"copy in twice", one(query("copyin"), &pgproto3.CopyDone{}), []encoder{g, g}, false},
		{"copy out for a select", one(query("select")), []encoder{h}, false},
		{"copy both", one(query("copyout")), []encoder{&pgproto3.CopyBothResponse{}}, false},
		{"data without copy", one(query("copyout")), []encoder{&pgproto3.CopyData{}}, false},
		{"a login in the session", one(), []encoder{&pgproto3.AuthenticationCleartextPassword{}}, false},
		{"something behind an error", one(query("select")), []encoder{failure("ERROR"), row}, false},
		{"what was denied succeeds", one(query("delete")), []encoder{complete("DELETE 1")}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			gate := opened(t, wordsPlugin(nil), nil, noDeletes)
			for _, m := range c.sent {
				gate.agent(encoded(m))
			}
			answers := encoded(c.answers...)
			gate.server(answers)
			gate.check(t)
			switch got := gate.taken(abi.Agent); {
			case gate.closed == c.fits:
				t.Errorf("closed: %v, %s", gate.closed, gate.reason)
			case c.fits && !bytes.Equal(got, answers):
				t.Errorf("the agent gets %q, not %q", got, answers)
			case !c.fits && !gate.failed:
				t.Errorf("closed in good order: %s", gate.reason)
			}
		})
	}
	for _, bad := range []string{"\x00\x00\x00\x00\x04", "C\x00\x00\x00\x03", "C\xff\xff\xff\xff", "D\x7f\xff\xff\xff", "C\x00\x00\x10\x00"} {
		gate := opened(t, wordsPlugin(nil), nil, noDeletes)
		gate.agent(encoded(query("select")))
		gate.server([]byte(bad), make([]byte, 5000))
		if gate.check(t); !gate.failed {
			t.Errorf("%q passes", bad)
		}
	}
}

// TestLogin has what a server can ask for and an agent can say before the session.
func TestLogin(t *testing.T) {
	password := encoded(&pgproto3.PasswordMessage{Password: "secret"})
	sasl := func(code byte) []byte { return proto.Append(nil, 'R', 0, 0, 0, code) }
	version := func(minor uint32, options string) []byte {
		m := encoded(hello)
		binary.BigEndian.PutUint32(m[4:], 3<<16|minor)
		if options != "" {
			m = append(m[:len(m)-1], options+"\x00\x00\x00"...)
			binary.BigEndian.PutUint32(m, uint32(len(m)))
		}
		return m
	}
	welcome := encoded(&pgproto3.AuthenticationOk{}, ready)
	const agent, server = abi.Agent, abi.Upstream
	type say struct {
		side abi.Side
		p    []byte
	}
	for _, c := range []struct {
		name string
		says []say
		end  string // why it ends, or "ready"
		tell string // what the agent is told then
	}{
		{"trust", []say{{agent, version(0, "")}, {server, welcome}}, "ready", ""},
		{"a password", []say{{agent, version(0, "")}, {server, sasl(3)}, {agent, password}, {server, welcome}}, "ready", ""},
		{"a password too early waits", []say{{agent, version(0, "")}, {agent, password}, {server, sasl(5)}, {server, welcome}}, "ready", ""},
		{"SCRAM", []say{{agent, version(0, "")}, {server, sasl(10)}, {agent, password}, {server, sasl(11)}, {agent, password}, {server, sasl(12)}, {server, welcome}}, "ready", ""},
		{"a version talked down", []say{{agent, version(9, "")}, {server, proto.Append(nil, 'v', 0, 0, 0, 2, 0, 0, 0, 0)}, {server, welcome}}, "ready", ""},
		{"an option that is not known", []say{{agent, version(0, "_pq_.x")}, {server, proto.Append(nil, 'v', 0, 0, 0, 0, 0, 0, 0, 1, 'x', 0)}, {server, welcome}}, "ready", ""},
		{"3.2", []say{{agent, version(2, "")}, {server, welcome}}, "ready", ""},

		{"a version that was not talked down", []say{{agent, version(9, "")}, {server, welcome}}, "is not known here", ""},
		{"a version not talked down enough", []say{{agent, version(9, "")}, {server, proto.Append(nil, 'v', 0, 0, 0, 9, 0, 0, 0, 0)}}, "is not known here", ""},
		{"an option that was taken", []say{{agent, version(0, "_pq_.x")}, {server, welcome}}, "is not known here", ""},
		{"GSS", []say{{agent, version(0, "")}, {server, sasl(7)}}, "authentication method 7", "authentication method 7"},
		{"SSPI", []say{{agent, version(0, "")}, {server, sasl(9)}}, "authentication method 9", "authentication method 9"},
		{"a query for a password", []say{{agent, version(0, "")}, {server, sasl(3)}, {agent, encoded(query("select"))}}, "expected password response", "expected password response"},
		{"a long password", []say{{agent, version(0, "")}, {server, sasl(3)}, {agent, []byte("p\x00\x01\x00\x04")}}, "invalid message length", "invalid message length"},
		{"a row", []say{{agent, version(0, "")}, {server, encoded(row)}}, "during the login", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t, nil, wordsPlugin(nil), nil, allowAll)
			for _, s := range c.says {
				g.feed(s.side, s.p)
			}
			g.check(t)
			if c.end != "ready" {
				if !g.failed || !strings.Contains(g.reason, c.end) || !strings.Contains(string(g.sides[agent].all), c.tell) {
					t.Errorf("failed %v: %s; the agent is told %q", g.failed, g.reason, g.sides[agent].all)
				}
				return
			}
			g.agent(encoded(query("select")))
			if g.closed || !bytes.HasSuffix(g.sides[server].all, encoded(query("select"))) {
				t.Errorf("the session is not ready: %s; %q", g.reason, g.sides[server].all)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	g := newGate(t, nil, wordsPlugin(nil), nil, allowAll)
	g.refuse = true
	g.agent(encoded(hello))
	g.check(t)
	for _, want := range []string{"FATAL", "08001", "sallyport: upstream prod-db refused the connection"} {
		if !strings.Contains(string(g.sides[abi.Agent].all), want) {
			t.Errorf("%q does not say %q", g.sides[abi.Agent].all, want)
		}
	}
	if !g.closed || g.failed {
		t.Errorf("closed %v, failed %v", g.closed, g.failed)
	}
}

func TestFunctionCall(t *testing.T) {
	call := &pgproto3.FunctionCall{Function: 1234, Arguments: [][]byte{[]byte("x")}}
	g := opened(t, wordsPlugin(nil), nil, noDeletes)
	g.agent(encoded(call))
	a := g.asks[len(g.asks)-1]
	if a.Class != abi.ClassOpaque || a.Title != "call the function with object ID 1234" || !a.has("verbs", "function call") || a.value("functions").Known {
		t.Errorf("%+v", a)
	}
	if p := g.taken(abi.Upstream); bytes.Contains(p, encoded(call)) {
		t.Error("a denied call passes")
	}
	g.server(encoded(failure("ERROR"), ready))
	if p := g.taken(abi.Agent); !bytes.Contains(p, []byte("42501")) || !bytes.HasSuffix(p, encoded(ready)) {
		t.Errorf("%q", p)
	}
	g = opened(t, wordsPlugin(nil), nil, allowAll) // the twin
	g.agent(encoded(call))
	if p := g.taken(abi.Upstream); !bytes.Equal(p, encoded(call)) {
		t.Errorf("%q", p)
	}
	answer := encoded(&pgproto3.FunctionCallResponse{Result: []byte("y")}, ready)
	g.server(answer)
	if p := g.taken(abi.Agent); !bytes.Equal(p, answer) {
		t.Errorf("%q", p)
	}
}

// TestAgentEnds has the agent go in every state.
func TestAgentEnds(t *testing.T) {
	g := opened(t, wordsPlugin(nil), nil, allowAll)
	g.agent(encoded(parse("", "select"), &pgproto3.Terminate{}), []byte("more"))
	if p := g.taken(abi.Upstream); !bytes.Equal(p, encoded(&pgproto3.Terminate{})) || !g.sides[abi.Upstream].shut {
		t.Errorf("%q", p)
	}
	g.end(abi.Upstream)
	if g.check(t); !g.closed || g.failed {
		t.Errorf("closed %v, failed %v", g.closed, g.failed)
	}

	g = opened(t, wordsPlugin(nil), nil, allowAll)
	g.agent(encoded(query("select")), []byte("Q\x00\x00"))
	g.end(abi.Agent)
	if p := g.taken(abi.Upstream); !bytes.Equal(p, encoded(query("select"))) || !g.sides[abi.Upstream].shut || g.closed {
		t.Errorf("%q, closed %v", p, g.closed)
	}
	g.server(encoded(complete("SELECT 0"), ready)) // the answer still comes
	if g.check(t); len(g.taken(abi.Agent)) == 0 || g.closed {
		t.Error("the answer is lost")
	}

	g = newGate(t, nil, wordsPlugin(nil), nil, allowAll)
	g.agent([]byte{0, 0})
	g.end(abi.Agent)
	if g.check(t); !g.closed {
		t.Error("half a packet is waited for")
	}
}

// TestManifest checks what the host will.
func TestManifest(t *testing.T) {
	if _, err := sdk.ConfigureNative(&Plugin{}, nil); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []map[string]any{{"max_message": int64(0)}, {"max_message": int64(17 << 20)}, {"max_mesage": int64(4096)}} {
		if _, err := sdk.ConfigureNative(&Plugin{}, bad); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}
