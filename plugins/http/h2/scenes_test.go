package h2_test

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

func TestRequest(t *testing.T) {
	a, u := newWire(), newWire()
	(&scene{steps: append(begin(),
		agent(a.headers(1, true, request("GET", "/a?x=1", "accept: text/html", "cookie: a=b", "host: API")...), `
			ask GET api/a
			upstream:
			HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /a?x=1, accept: text/html, !cookie: a=b]`),
		upstream(u.headers(1, false, ":status: 200", "content-type: text/html", "connection: close").data(1, false, "hello ").data(1, true, "world"), `
			agent:
			HEADERS 1 [:status: 200, content-type: text/html]
			DATA 1 "hello "
			DATA 1 end "world"`),
		agent(newWire().raw(again(a, func() { a.headers(3, true, request("GET", "/b", "accept: text/html")...) })), `
			ask GET api/b
			upstream:
			HEADERS 3 end [:method: GET, :scheme: http, :authority: api, :path: /b, accept: text/html]`),
		upstream(newWire().raw(again(u, func() { u.headers(3, true, ":status: 204") })), `
			agent:
			HEADERS 3 end [:status: 204]`),
		step{end: true, side: abi.Agent, want: `
			close "the agent closed the connection"
			upstream:
			GOAWAY 0 NO_ERROR`},
	)}).run(t)
}

// again is what f writes to a wire that was sent already: its compression state goes on.
func again(w *wire, f func()) []byte {
	n := w.Len()
	f()
	b := append([]byte(nil), w.Bytes()[n:]...)
	w.Truncate(n)
	return b
}

// TestBodies: DATA passes under the upstream's number; padding stays here and is given back.
func TestBodies(t *testing.T) {
	(&scene{steps: append(begin(),
		agent(newWire().headers(5, false, request("POST", "/a", "content-length: 8")...).data(5, false, "abc").padded(5, false, "de", 200).data(5, false, "").padded(5, true, "fgh", 0), `
			ask POST api/a
			upstream:
			HEADERS 1 [:method: POST, :scheme: http, :authority: api, :path: /a, content-length: 8]
			DATA 1 "abc"
			DATA 1 "de"
			DATA 1 end "fgh"`),
		upstream(newWire().headers(1, false, ":status: 100").headers(1, false, ":status: 200").padded(1, false, "xyz", 10).headers(1, true, "grpc-status: 0"), `
			note status 200
			agent:
			HEADERS 5 [:status: 100]
			HEADERS 5 [:status: 200]
			DATA 5 "xyz"
			HEADERS 5 end [grpc-status: 0]`),
	)}).run(t)
}

// TestDenials: a denied stream is answered and ended, whatever of its body is on its way; the next one lives.
func TestDenials(t *testing.T) {
	a := newWire()
	(&scene{decide: deny("secret"), steps: append(begin(),
		agent(a.headers(1, false, request("POST", "/secret")...).data(1, false, "abc").headers(3, true, request("GET", "/b")...).data(1, true, "def").headers(5, true, request("HEAD", "/secret")...), `
			ask POST api/secret
			ask GET api/b
			ask HEAD api/secret
			agent:
			HEADERS 1 [:status: 403, content-type: application/problem+json, cache-control: no-store, content-length: 76]
			DATA 1 end "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,\"detail\":\"not that\"}\n"
			RST_STREAM 1 NO_ERROR
			HEADERS 5 end [:status: 403, content-type: application/problem+json, cache-control: no-store]
			upstream:
			HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /b]`),
		agent(newWire().raw(again(a, func() {
			a.headers(7, false, request("POST", "/pkg.Service/secret", "content-type: application/grpc+proto", "te: trailers")...)
		})), `
			ask POST api/pkg.Service/secret
			agent:
			HEADERS 7 end [:status: 200, content-type: application/grpc, grpc-status: 7, grpc-message: not that]
			RST_STREAM 7 NO_ERROR`),
		upstream(newWire().headers(1, true, ":status: 200"), `
			agent:
			HEADERS 3 end [:status: 200]`),
	)}).run(t)
}

// TestHeld: a stream that waits for a person does not stop later ones, and begins at the upstream when it is allowed, body and all.
func TestHeld(t *testing.T) {
	a := newWire()
	(&scene{decide: holding("wait"), steps: append(begin(),
		agent(a.headers(1, false, request("POST", "/wait/1")...).data(1, false, "abc").headers(3, false, request("POST", "/wait/2")...).
			headers(5, true, request("GET", "/now")...).headers(7, true, request("GET", "/wait/3")...), `
			ask POST api/wait/1
			ask POST api/wait/2
			ask GET api/now
			ask GET api/wait/3
			upstream:
			HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /now]`),
		upstream(newWire().headers(1, true, ":status: 200"), `
			agent:
			HEADERS 5 end [:status: 200]`),
		agent(newWire().raw(again(a, func() { a.data(1, false, "def").data(3, true, "0123") })), ``),
		person(drygate.Verdict{}, `
			upstream:
			HEADERS 3 [:method: POST, :scheme: http, :authority: api, :path: /wait/1]
			DATA 3 "abcdef"`),
		agent(newWire().raw(again(a, func() { a.headers(1, true, "content-digest: x") })), `
			upstream:
			HEADERS 3 end [content-digest: x]`),
		person(drygate.Verdict{}, `
			upstream:
			HEADERS 5 [:method: POST, :scheme: http, :authority: api, :path: /wait/2]
			DATA 5 end "0123"`),
		person(drygate.Verdict{Outcome: abi.Deny, Reason: "no"}, `
			agent:
			HEADERS 7 [:status: 403, content-type: application/problem+json, cache-control: no-store, content-length: 70]
			DATA 7 end "{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,\"detail\":\"no\"}\n"`),
		upstream(newWire().headers(5, true, ":status: 201").headers(3, true, ":status: 202"), `
			note status 201
			note status 202
			agent:
			HEADERS 3 end [:status: 201]
			HEADERS 1 end [:status: 202]`),
	)}).run(t)
}

// TestTakenBack: the agent resets what waits, and what is on its way.
func TestTakenBack(t *testing.T) {
	a := newWire()
	(&scene{decide: holding("wait"), steps: append(begin(),
		agent(a.headers(1, false, request("POST", "/wait")...).data(1, false, "abc").reset(1, http2.ErrCodeCancel), `
			ask POST api/wait
			withdraw`),
		agent(newWire().raw(again(a, func() { a.headers(3, true, request("GET", "/b")...) })), `
			ask GET api/b
			upstream:
			HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /b]`),
		agent(newWire().reset(3, http2.ErrCodeCancel), `
			upstream:
			RST_STREAM 1 CANCEL`),
		upstream(newWire().headers(1, false, ":status: 200").data(1, true, "too late"), ``),
		agent(newWire().raw(again(a, func() { a.headers(5, false, request("PUT", "/c")...).data(5, false, "abc") })), `
			ask PUT api/c
			upstream:
			HEADERS 3 [:method: PUT, :scheme: http, :authority: api, :path: /c]
			DATA 3 "abc"`),
		upstream(newWire().reset(3, http2.ErrCodeRefusedStream), `
			agent:
			RST_STREAM 5 REFUSED_STREAM`),
		agent(newWire().data(5, true, "def"), ``),
	)}).run(t)
}

func TestPings(t *testing.T) {
	(&scene{steps: append(begin(),
		agent(newWire().ping(false, "abcdefgh").ping(false, "ijklmnop"), `upstream:
			PING abcdefgh
			PING ijklmnop`),
		upstream(newWire().ping(false, "12345678").ping(true, "abcdefgh").ping(true, "nonsense"), `agent:
			PING 12345678
			PING ack abcdefgh`),
		agent(newWire().ping(true, "12345678"), `upstream:
			PING ack 12345678`),
	)}).run(t)
}

// TestGoAway: what the upstream has not looked at can be sent again.
func TestGoAway(t *testing.T) {
	a := newWire()
	goAway := newWire()
	_ = goAway.f.WriteGoAway(1, http2.ErrCodeNo, nil)
	first := newWire()
	_ = first.f.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil)
	(&scene{decide: holding("wait"), steps: append(begin(),
		agent(a.headers(1, true, request("GET", "/a")...).headers(3, true, request("GET", "/b")...).headers(5, true, request("GET", "/wait")...), "?"),
		upstream(first, `agent:
			GOAWAY 2147483647 NO_ERROR`),
		upstream(goAway, `
			withdraw
			agent:
			RST_STREAM 3 REFUSED_STREAM
			RST_STREAM 5 REFUSED_STREAM
			GOAWAY 5 NO_ERROR`),
		agent(newWire().raw(again(a, func() { a.headers(7, true, request("GET", "/c")...) })), `agent:
			RST_STREAM 7 REFUSED_STREAM`),
		upstream(newWire().headers(1, true, ":status: 200"), `agent:
			HEADERS 1 end [:status: 200]`),
		step{end: true, side: abi.Upstream, want: `
			close "the server closed the connection"
			agent:
			GOAWAY 7 NO_ERROR`},
	)}).run(t)
}

// TestInspected: the body is read before the verdict, decoded; nothing of it reaches the upstream before, and one that is too long is not known.
func TestInspected(t *testing.T) {
	options := map[string]any{"inspect_body": true, "body_limit": int64(1000)}
	long := strings.Repeat("x", 600)
	a := newWire()
	s := &scene{options: options, decide: deny("secret"), steps: append(begin(),
		agent(a.headers(1, false, request("POST", "/a", "content-type: application/json", "expect: 100-continue")...).data(1, false, `{"a":`).data(1, true, `1}`), `
			ask POST api/a
			agent:
			HEADERS 1 [:status: 100]
			upstream:
			HEADERS 1 [:method: POST, :scheme: http, :authority: api, :path: /a, content-type: application/json]
			DATA 1 end "{\"a\":1}"`),
		agent(newWire().raw(again(a, func() {
			a.headers(3, false, request("POST", "/long")...).data(3, false, long).data(3, false, long).data(3, true, "end")
		})), `
			ask POST api/long
			upstream:
			HEADERS 3 [:method: POST, :scheme: http, :authority: api, :path: /long]
			DATA 3 "600 bytes"
			DATA 3 "600 bytes"
			DATA 3 end "end"`),
		agent(newWire().raw(again(a, func() { a.headers(5, false, request("POST", "/secret")...).data(5, true, "abc") })), "?"),
		agent(newWire().raw(again(a, func() {
			a.headers(7, false, request("POST", "/declared", "content-length: 5000", "expect: 100-continue")...)
		})), `
			ask POST api/declared
			upstream:
			HEADERS 5 [:method: POST, :scheme: http, :authority: api, :path: /declared, content-length: 5000, expect: 100-continue]`),
		agent(newWire().raw(again(a, func() {
			a.headers(9, false, request("POST", "/gone")...).data(9, false, "abc").reset(9, http2.ErrCodeCancel)
		})), ``),
		agent(newWire().raw(again(a, func() {
			a.headers(11, false, request("POST", "/t")...).data(11, false, "abc").headers(11, true, "digest: x")
		})), `
			ask POST api/t
			upstream:
			HEADERS 7 [:method: POST, :scheme: http, :authority: api, :path: /t]
			DATA 7 "abc"
			HEADERS 7 end [digest: x]`),
	)}
	s.run(t)
	bodies := map[string]string{}
	nativeEach(t, func(tr drygate.Transcript) {
		for _, e := range tr.Asks() {
			bodies[e.Action.Title] = e.String()
		}
	}, s)
	for title, want := range map[string]string{"POST api/a": `body="{\"a\":1}"`, "POST api/secret": `body="abc"`, "POST api/t": `body="abc"`} {
		if !strings.Contains(bodies[title], want) {
			t.Errorf("%s: %s", title, bodies[title])
		}
	}
	for _, title := range []string{"POST api/long", "POST api/declared"} {
		if strings.Contains(bodies[title], " body=") {
			t.Errorf("%s: %s", title, bodies[title])
		}
	}
}

// TestCredential: the host writes it, never indexed, in place of the agent's own; also where it needs a frame of its own. The dry gate writes "<token>".
func TestCredential(t *testing.T) {
	a := newWire()
	(&scene{options: map[string]any{"credential": int64(len("<token>"))}, steps: append(begin(),
		agent(a.headers(1, true, request("GET", "/a", "x-token: mine", "x_token: mine", "x_tokens: other", "accept: b")...).headers(3, true, request("GET", "/b", "x-long: "+strings.Repeat("y", 16320))...).
			headers(5, true, request("GET", "/c", "x-long: "+strings.Repeat("y", 17000))...), `
			ask GET api/a
			ask GET api/b
			ask GET api/c
			upstream:
			HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /a, x_tokens: other, accept: b, !x-token: <token>]
			HEADERS 3 end [:method: GET, :scheme: http, :authority: api, :path: /b, x-long: 16320 bytes, !x-token: <token>]
			HEADERS 5 end [:method: GET, :scheme: http, :authority: api, :path: /c, x-long: 17000 bytes, !x-token: <token>]`),
	)}).run(t)
}

// TestParameter: the host writes it into the query, before the rest and in place of the agent's own.
func TestParameter(t *testing.T) {
	a := newWire()
	long := strings.Repeat("y", 8000)
	(&scene{options: map[string]any{"credential": int64(7), "parameter": int64(7)}, decide: holding("wait"), steps: append(begin(),
		agent(a.headers(1, true, request("GET", "/a")...).headers(3, true, request("GET", "/wait?b=c&key=mine&%6bey=too;d")...).headers(5, true, request("OPTIONS", "*")...).
			headers(7, true, request("GET", "/?"+long, "x-long: "+long, "x-more: "+long, "x-end: z")...), `
			ask GET api/a
			ask GET api/wait
			ask OPTIONS api*
			ask GET api/
			upstream:
			HEADERS 1 end [:method: GET, :scheme: http, :authority: api, !:path: /a?key=<token>, !x-token: <token>]
			HEADERS 3 end [:method: OPTIONS, :scheme: http, :authority: api, :path: *, !x-token: <token>]
			HEADERS 5 end [:method: GET, :scheme: http, :authority: api, !:path: 8014 bytes, x-long: 8000 bytes, x-more: 8000 bytes, x-end: z, !x-token: <token>]`),
		person(drygate.Verdict{}, `
			upstream:
			HEADERS 7 end [:method: GET, :scheme: http, :authority: api, !:path: /wait?key=<token>&b=c&d, !x-token: <token>]`),
	)}).run(t)
}

// TestConnect: a tunnel is a streaming action.
func TestConnect(t *testing.T) {
	s := &scene{steps: append(begin(),
		agent(newWire().headers(1, false, ":method: CONNECT", ":authority: db:5432").data(1, false, "abc"), `
			ask CONNECT db:5432
			upstream:
			HEADERS 1 [:method: CONNECT, :authority: db:5432]
			DATA 1 "abc"`),
		upstream(newWire().headers(1, false, ":status: 200").data(1, false, "def"), `
			note status 200
			agent:
			HEADERS 1 [:status: 200]
			DATA 1 "def"`),
		agent(newWire().data(1, true, "end"), `upstream:
			DATA 1 end "end"`),
	)}
	s.run(t)
	nativeEach(t, func(tr drygate.Transcript) {
		if e := tr.Asks()[1]; !e.Streaming || e.Action.Class != abi.ClassOpaque {
			t.Errorf("%s", e)
		}
	}, s)
}

// TestSpoiledResponse: what the upstream may not say is not passed on.
func TestSpoiledResponse(t *testing.T) {
	for name, fields := range map[string][]string{
		"upper case": {":status: 200", "X-Upper: a"}, "no status": {"a: b"}, "two": {":status: 200", ":status: 200"}, "101": {":status: 101"},
		"number": {":status: 20"}, "late": {"a: b", ":status: 200"}, "injected": {":status: 200", "a: b\r\nc: d"}, "path": {":path: /"},
	} {
		t.Run(name, func(t *testing.T) {
			a, u := newWire(), newWire()
			(&scene{steps: append(begin(),
				agent(a.headers(1, true, request("GET", "/a")...).headers(3, true, request("GET", "/b")...), "?"),
				upstream(u.headers(1, false, fields...).data(1, true, "xyz"), "?"),
				upstream(newWire().raw(again(u, func() { u.headers(3, true, ":status: 200") })), `agent:
					HEADERS 3 end [:status: 200]`))}).run(t)
		})
	}
}
