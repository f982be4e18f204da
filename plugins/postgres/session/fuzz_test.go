package session

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// dialogue is a fuzz input: pieces of up to 127 bytes, each behind a byte whose top bit says whose they are.
func dialogue(p []byte, say func(side abi.Side, p []byte)) {
	for len(p) > 0 {
		side, n := abi.Side(p[0]>>7), min(int(p[0]&127), len(p)-1)
		say(side, p[1:1+n])
		p = p[1+n:]
	}
}

// told writes one piece of a dialogue.
func told(side abi.Side, messages ...encoder) (p []byte) {
	for b := encoded(messages...); len(b) > 0; {
		n := min(len(b), 127)
		p = append(append(p, byte(side)<<7|byte(n)), b[:n]...)
		b = b[n:]
	}
	return p
}

// FuzzStreams has any agent talk to any server. No law may be broken, what deletes must never pass, and cutting the pieces
// into single bytes must change nothing.
func FuzzStreams(f *testing.F) {
	const a, u = abi.Agent, abi.Upstream
	begin := append(told(a, hello), told(u, &pgproto3.AuthenticationOk{}, ready)...)
	add := func(parts ...[]byte) { f.Add(byte(0), bytes.Join(append([][]byte{begin}, parts...), nil)) }
	raw := func(side abi.Side, p []byte) []byte { return append([]byte{byte(side)<<7 | byte(len(p))}, p...) }
	with := func(endpoint byte, parts ...[]byte) { f.Add(endpoint, bytes.Join(parts, nil)) }
	add(told(a, query("select")), told(u, row, complete("SELECT 1"), ready), told(a, query("delete")), told(u, failure("ERROR"), ready))
	add(told(a, parse("s", "delete"), bind("", "s"), execute(""), sync1), told(u, failure("ERROR"), ready))
	add(told(a, parse("s", "select"), bind("", "s"), execute(""), sync1), told(u, &pgproto3.ParseComplete{}, &pgproto3.BindComplete{}, row, complete("SELECT 1"), ready))
	add(told(a, query("copyin"), &pgproto3.CopyData{Data: []byte("x")}, &pgproto3.CopyDone{}), told(u, &pgproto3.CopyInResponse{}, complete("COPY 1"), ready))
	add(told(a, query("copyout")), told(u, &pgproto3.CopyOutResponse{}, &pgproto3.CopyData{Data: []byte("x")}, &pgproto3.CopyDone{}, complete("COPY 1"), ready))
	add(told(a, query("prepare x delete"), query("execute x"), closing1("x"), &pgproto3.FunctionCall{Function: 7}, &pgproto3.Flush{}, &pgproto3.Terminate{}))
	add(told(a, query("select")), bytes.Repeat(told(u, row), 20), told(u, complete("SELECT 20"), ready))
	prepared := bytes.Join([][]byte{told(a, parse("s", "select"), sync1), told(u, &pgproto3.ParseComplete{}, ready)}, nil)
	for _, x := range exchanges() {
		add(prepared, told(a, x.agent...), told(u, x.server...), told(a, x.agent...), told(u, x.server...), told(a, query("delete")))
	}
	with(0, told(a, &pgproto3.SSLRequest{}, hello))
	with(0, told(a, hello), told(u, &pgproto3.AuthenticationCleartextPassword{}))
	with(0, raw(a, cancelRequest(1, []byte("\x00\x00\x00\x00"))))
	with(0, raw(a, greeting(2, "user", "u", "replication", "true")))
	with(0, raw(a, greeting(2, "user", "u")), raw(u, authOK), raw(u, backendKeyData(1, make([]byte, 32))), told(u, ready))
	with(fuzzAgentTLS, raw(a, sslRequest), raw(a, hands), raw(a, greeting(0, "user", "u")))
	with(fuzzAgentTLS|fuzzRequired, raw(a, hands), raw(a, greeting(0, "user", "u")))
	with(fuzzAgentTLS, raw(a, append(bytes.Clone(sslRequest), greeting(0, "user", "u")...)))
	with(fuzzUpstreamTLS, raw(a, greeting(0, "user", "u")), raw(u, yes), raw(u, hands), raw(u, authentication(10, mechanisms)))
	with(fuzzUpstreamTLS|fuzzCredential, raw(a, greeting(0, "user", "u")), raw(u, yes), raw(u, hands), raw(u, authentication(10, mechanisms)), raw(u, welcome))
	with(fuzzUpstreamTLS, raw(a, greeting(0, "user", "u")), raw(u, no))
	f.Fuzz(func(t *testing.T, endpoint byte, p []byte) {
		play := func(cut int) *gate {
			g := newGateWith(t, nil, wordsPlugin(nil), map[string]any{"max_message": int64(MinMaxMessage)}, noDeletes, fuzzFacts(endpoint))
			g.login = func(words []byte) ([]byte, error) {
				if len(words) > 200 {
					return nil, errors.New("no")
				}
				return encoded(&pgproto3.PasswordMessage{Password: "secret"}), nil
			}
			g.cut = cut
			dialogue(p, g.feed1)
			if g.broken != nil {
				t.Fatal(g.broken)
			}
			return g
		}
		whole, bytewise := play(0), play(1)
		for side := range whole.sides {
			if got, want := bytewise.sides[side].all, whole.sides[side].all; !bytes.Equal(got, want) {
				t.Fatalf("to the %v, byte by byte:\n%s", abi.Side(side), differ(string(got), string(want)))
			}
		}
		if got, want := strings.Join(bytewise.log, "\n"), strings.Join(whole.log, "\n"); got != want {
			t.Fatalf("byte by byte:\n%s", differ(got, want))
		}
		noDelete(t, whole.sides[abi.Upstream].all)
	})
}

// The bits that make a fuzz input's endpoint.
const (
	fuzzAgentTLS = 1 << iota
	fuzzRequired
	fuzzUpstreamTLS
	fuzzCredential
)

func fuzzFacts(endpoint byte) (f abi.Facts) {
	f.AgentTLS, f.AgentTLSRequired, f.UpstreamTLS = endpoint&fuzzAgentTLS != 0, endpoint&fuzzRequired != 0, endpoint&fuzzUpstreamTLS != 0
	if endpoint&fuzzCredential != 0 {
		f.Slots = []string{"password"}
		f.Attributes = []abi.Attribute{{Name: "user", Value: "gateway"}}
	}
	return f
}

func (g *gate) feed1(side abi.Side, p []byte) { g.feed(side, p) }

// noDelete reads what went to the server as the server would.
func noDelete(t *testing.T, p []byte) {
	p = bytes.TrimPrefix(p, sslRequest)
	_, size, ok, err := proto.StartupHeader(p)
	if !ok || err != nil || len(p) < size {
		return
	}
	for p = p[size:]; ; {
		typ, n, ok := proto.Header(p)
		if !ok || n < proto.HeaderSize || n > int64(len(p)) {
			return
		}
		var text []byte
		switch typ {
		case proto.Query:
			text, _ = proto.ReadQuery(p[:n])
		case proto.Parse:
			_, text, _ = proto.ReadParse(p[:n])
		}
		for _, part := range strings.Split(string(text), ";") {
			if e, ok := word(strings.Fields(part)); ok && e.Class == abi.ClassDelete {
				t.Fatalf("%q passes", text)
			}
		}
		p = p[n:]
	}
}
