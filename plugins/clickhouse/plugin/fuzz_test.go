package plugin

import (
	"encoding/binary"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// serverHello is that of a server of the newest revision that is known.
func serverHello() []byte {
	b := proto.AppendString([]byte{proto.ServerHello}, "ClickHouse")
	b = binary.AppendUvarint(append(b, 25, 3), proto.Newest)
	b = append(b, 7)
	b = proto.AppendString(b, "UTC")
	b = proto.AppendString(b, "host")
	b = append(b, 1)
	b = proto.AppendString(b, "notchunked_optional")
	b = proto.AppendString(b, "notchunked_optional")
	b = append(b, 0)
	b = append(b, make([]byte, 8)...)
	return append(b, 0, 3, 4)
}

// loggedIn is a guest past the login; chunks is what the agent wants.
func loggedIn(t testing.TB, chunks string) *sdk.Native {
	t.Helper()
	p := &Plugin{}
	if _, err := sdk.ConfigureNative(p, nil); err != nil {
		t.Fatal(err)
	}
	g := sdk.NewNative(p, nil)
	say := func(_ []byte, _ bool, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	say(g.Open(abi.AppendFacts(nil, &abi.Facts{Endpoint: "ch"})))
	say(g.Data(abi.Agent, proto.AppendString(proto.AppendHello(nil, &proto.Hello{Name: []byte("c")}, proto.Newest+9, "", "u"), "p"), 0))
	say(g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: 1, Outcome: abi.Allow})))
	say(g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindConnected})))
	say(g.Data(abi.Upstream, serverHello(), 0))
	addendum := proto.AppendString(nil, "")
	addendum = proto.AppendString(addendum, chunks)
	addendum = proto.AppendString(addendum, chunks)
	say(g.Data(abi.Agent, append(addendum, 7), 0))
	return g
}

// FuzzNative has the agent and the server say anything behind the login, in pieces: the plugin does not fall over.
func FuzzNative(f *testing.F) {
	f.Add([]byte("\x04"), []byte("\x04"), uint8(1), false)
	f.Add([]byte("\x02\x00\x01\x00\x02\xff\xff\xff\xff\x00\x00\x00"), []byte("\x05"), uint8(3), false)
	f.Add([]byte("\x01\x00\x00\x00\x04\x00\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00\x00"), []byte("\x01\x00\x00\x00\x05\x00\x00\x00\x00"), uint8(2), true)
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x02\x00\x08select 1\x00\x02\x00\x01\x00\x02\xff\xff\xff\xff\x00\x00\x00\x03"), []byte("\x05"), uint8(5), false)
	f.Add([]byte("\x05\x01\x01a\x01b"), []byte("\x09\x00"), uint8(9), false)
	f.Fuzz(func(t *testing.T, agent, server []byte, piece uint8, chunked bool) {
		chunks := "notchunked"
		if chunked {
			chunks = "chunked"
		}
		g := loggedIn(t, chunks)
		for len(agent) > 0 || len(server) > 0 {
			for side, p := range []*[]byte{&agent, &server} {
				n := min(len(*p), int(piece)+1)
				if n == 0 {
					continue
				}
				if _, _, err := g.Data(abi.Side(side), (*p)[:n], 0); err != nil {
					t.Fatal(err)
				}
				*p = (*p)[n:]
			}
		}
		if _, _, err := g.Data(abi.Agent, nil, abi.DataEnd); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzHTTP does the same over HTTP.
func FuzzHTTP(f *testing.F) {
	f.Add([]byte("GET /?query=SELECT+1&max_threads=1&param_a=b HTTP/1.1\r\nHost: x\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"), uint8(7))
	f.Add([]byte("POST /?database=d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nSELECT 1\r\n0\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), uint8(3))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 66\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT\r\n--b--"), []byte{}, uint8(200))
	f.Fuzz(func(t *testing.T, agent, server []byte, piece uint8) {
		p := &Plugin{}
		if _, err := sdk.ConfigureNative(p, map[string]any{"protocol": "http"}); err != nil {
			t.Fatal(err)
		}
		g := sdk.NewNative(p, nil)
		facts := abi.Facts{Endpoint: "ch", Slots: []string{"http_password"}, Attributes: []abi.Attribute{{Name: "user", Value: "u"}, {Name: "database", Value: "d"}}}
		if _, _, err := g.Open(abi.AppendFacts(nil, &facts)); err != nil {
			t.Fatal(err)
		}
		id := uint32(0)
		for len(agent) > 0 {
			n := min(len(agent), int(piece)+1)
			if _, _, err := g.Data(abi.Agent, agent[:n], 0); err != nil {
				t.Fatal(err)
			}
			agent = agent[n:]
			id++
			if _, _, err := g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindVerdict, ID: id, Outcome: abi.Allow})); err != nil {
				t.Fatal(err)
			}
			if id == 2 {
				if _, _, err := g.Event(abi.AppendEvent(nil, &abi.Event{Kind: abi.KindConnected})); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, _, err := g.Data(abi.Upstream, server, 0); err != nil {
			t.Fatal(err)
		}
	})
}
