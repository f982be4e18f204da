package session

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func backendKeyData(pid uint32, key []byte) []byte {
	return proto.Append(nil, proto.BackendKeyData, append(binary.BigEndian.AppendUint32(nil, pid), key...)...)
}

func cancelRequest(pid uint32, key []byte) []byte {
	p := binary.BigEndian.AppendUint32(nil, uint32(proto.CancelHead+len(key)))
	p = binary.BigEndian.AppendUint32(p, proto.CancelRequest)
	return append(binary.BigEndian.AppendUint32(p, pid), key...)
}

// TestBackendKey has the agent get another key than the server's, in every length that there is.
func TestBackendKey(t *testing.T) {
	long := bytes.Repeat([]byte("key!"), 64)
	talked := proto.Append(nil, 'v', 0, 0, 0, 0, 0, 0, 0, 0)
	for _, c := range []struct {
		name   string
		minor  uint32
		before []byte
		key    []byte
		fits   bool
	}{
		{"3.0", 0, nil, long[:4], true},
		{"3.2", 2, nil, long[:32], true},
		{"3.2, short", 2, nil, long[:4], true},
		{"3.2, longest", 2, nil, long, true},
		{"3.2 talked down", 2, talked, long[:4], true},

		{"3.0, longer", 0, nil, long[:5], false},
		{"3.2 talked down, longer", 2, talked, long[:32], false},
		{"3.2, too long", 2, nil, append(long[:256:256], 'x'), false},
		{"3.2, too short", 2, nil, long[:3], false},
		{"none", 0, nil, nil, false},
	} {
		data := backendKeyData(4711, c.key)
		g := scene{says: []said{fromAgent(greeting(c.minor, "user", "u")), fromServer(c.before, authOK, settings1, data, encoded(ready))}}.play(t)
		if !c.fits {
			g.wantEnd(t, true, "BackendKeyData", "")
			continue
		}
		g.wantSide(t, abi.Agent, c.before, authOK, settings1, backendKeyData(4711, invert(c.key)), encoded(ready))
		g.wantReady(t)
	}
	twice := backendKeyData(1, long[:4])
	g := scene{says: []said{fromAgent(greeting(0, "user", "u")), fromServer(authOK, twice, twice)}}.play(t)
	g.wantEnd(t, true, "BackendKeyData", "")
}

// TestCancel has requests to cancel, with keys that the agent may have and that it may not have.
func TestCancel(t *testing.T) {
	key, long := []byte("\x01\x02\x03\x04"), bytes.Repeat([]byte("key!"), 64)
	knows := func(keys ...[]byte) func(*gate) {
		return func(g *gate) {
			for _, k := range keys {
				g.keys[string(invert(k))] = string(k)
			}
		}
	}
	request := cancelRequest(9, invert(key))
	over := said{side: abi.Upstream, end: true}
	for _, c := range []struct {
		name  string
		facts abi.Facts
		says  []said
		want  [][]byte
	}{
		{"3.0", abi.Facts{}, []said{fromAgent(request), over}, [][]byte{cancelRequest(9, key)}},
		{"3.2", abi.Facts{}, []said{fromAgent(cancelRequest(9, invert(long))), over}, [][]byte{cancelRequest(9, long)}},
		{"TLS with the server", abi.Facts{UpstreamTLS: true}, []said{fromAgent(request), fromServer(yes), fromServer(hands), over}, [][]byte{sslRequest, cancelRequest(9, key)}},
		{"TLS with the agent", abi.Facts{AgentTLS: true, AgentTLSRequired: true}, []said{fromAgent(sslRequest), fromAgent(hands), fromAgent(request), over}, [][]byte{cancelRequest(9, key)}},
		{"plain, as psql does though its session has TLS", abi.Facts{AgentTLS: true}, []said{fromAgent(request), over}, [][]byte{cancelRequest(9, key)}},
		{"with more behind it", abi.Facts{}, []said{fromAgent(request, encoded(query("delete"))), fromServer([]byte("?")), over}, [][]byte{cancelRequest(9, key)}},
		{"a login would be rewritten, this is not", abi.Facts{Attributes: []abi.Attribute{{Name: "user", Value: "x"}}, Slots: []string{"password"}}, []said{fromAgent(request), over}, [][]byte{cancelRequest(9, key)}},
		{"an agent that goes at once", abi.Facts{}, []said{{p: request, end: true}, over}, [][]byte{cancelRequest(9, key)}},
		{"an agent that goes before there is TLS", abi.Facts{UpstreamTLS: true}, []said{{p: request, end: true}, fromServer(yes), fromServer(hands), over}, [][]byte{sslRequest, cancelRequest(9, key)}},

		{"the server's own key", abi.Facts{}, []said{fromAgent(cancelRequest(9, key))}, [][]byte{cancelRequest(9, nil)[:0]}},
		{"no TLS with the server", abi.Facts{UpstreamTLS: true}, []said{fromAgent(request), fromServer(no)}, [][]byte{sslRequest}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := scene{facts: c.facts, with: knows(key, long), says: c.says}.play(t)
			got := g.sides[abi.Upstream].all
			if c.name == "the server's own key" { // its head may be out already: without a key it is nothing
				if bytes.Contains(got, key) || len(got) > proto.CancelHead {
					t.Errorf("to the server: %q", got)
				}
			} else {
				g.wantSide(t, abi.Upstream, c.want...)
			}
			if told := bytes.TrimPrefix(g.sides[abi.Agent].all, yes); !g.closed || len(told) != 0 {
				t.Errorf("closed %v; the agent is told %q", g.closed, told)
			}
			a := g.asks[0]
			if len(g.asks) != 1 || a.Class != abi.ClassSession || !a.value("cancel").Bool || a.value("user").Str != "" || !a.value("user").Known {
				t.Errorf("%d questions, the first %+v", len(g.asks), a)
			}
		})
	}
	clear := scene{facts: abi.Facts{AgentTLS: true, AgentTLSRequired: true}, with: knows(key), says: []said{fromAgent(request)}}.play(t)
	clear.wantEnd(t, true, "a cancel request in clear", "")
	clear.wantSide(t, abi.Upstream)
	for _, n := range []int{0, 3, 257} {
		g := scene{says: []said{fromAgent(cancelRequest(9, make([]byte, n)))}}.play(t)
		g.wantEnd(t, true, "invalid length", "")
		g.wantSide(t, abi.Upstream)
	}
	g := scene{policy: func(*action) verdict { return deny("no") }, with: knows(key), says: []said{fromAgent(request)}}.play(t)
	g.wantEnd(t, false, "denied", "")
	g.wantSide(t, abi.Upstream)
	g = scene{with: func(g *gate) { knows(key)(g); g.refuse = true }, says: []said{fromAgent(request)}}.play(t)
	g.wantEnd(t, false, "refused", "")
}
