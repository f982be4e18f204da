package h2_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/sallyport-dev/sallyport/plugins/http/h2/testdata/plain"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// judged withholds answers with "secret" in them, those that cannot be read and those that are too long, but for those to paths with "long", and masks "mask".
func judged(e *drygate.Entry) (v drygate.Verdict) {
	text := e.Action.Values[abi.ResponseText]
	long := strings.Contains(e.Action.Title, "long")
	if e.Response.Truncated && !long || !text.Known && !long || strings.Contains(text.Str, "secret") {
		return drygate.Verdict{Outcome: abi.Deny, Reason: "not that"}
	}
	if i := bytes.Index(e.Response.Kept, []byte("mask")); i >= 0 {
		copy(e.Response.Kept[i:], "****")
	}
	return v
}

const withheld = `"{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,\"detail\":\"the request was carried out, and its response is withheld: not that\"}\n"`

// denial is what the agent gets in place of a withheld answer.
func denial(id string) string {
	return `
		HEADERS ` + id + ` [:status: 403, content-type: application/problem+json, cache-control: no-store, content-length: 135]
		DATA ` + id + ` end ` + withheld
}

// TestAnswers: what came back is looked at before the agent has a byte of it, and goes on as it came, masked, or not at all, while other streams go on.
func TestAnswers(t *testing.T) {
	var zip bytes.Buffer
	z := gzip.NewWriter(&zip)
	_, _ = z.Write([]byte("a secret"))
	_ = z.Close()
	asked := `
		ask GET api/look
		upstream:
		HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /look, x-a: b]`
	many := strings.Repeat("0123456789", 15)
	long := `
		ask GET api/look/long
		upstream:
		HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /look/long]`
	for _, c := range []struct {
		name   string
		path   string
		answer *wire
		want   string
	}{
		{"plain", "/look", newWire().headers(1, false, ":status: 200", "content-length: 5").data(1, false, "he").data(1, true, "llo"), `
			ask the response to GET api/look
			agent:
			HEADERS 1 [:status: 200, content-length: 5]
			DATA 1 end "hello"`},
		{"masked", "/look", newWire().headers(1, false, ":status: 200").data(1, false, "a ma").padded(1, false, "sk", 9).data(1, true, ""), `
			ask the response to GET api/look
			agent:
			HEADERS 1 [:status: 200]
			DATA 1 end "a ****"`},
		{"a secret in two frames", "/look", newWire().headers(1, false, ":status: 200").data(1, false, "se").data(1, true, "cret"), `
			ask the response to GET api/look
			agent:` + denial("1")},
		{"a secret in a header", "/look", newWire().headers(1, true, ":status: 204", "x-a: secret"), `
			ask the response to GET api/look
			agent:` + denial("1")},
		{"a secret in trailers", "/look", newWire().headers(1, false, ":status: 200").data(1, false, "a").headers(1, true, "x-a: secret"), `
			ask the response to GET api/look
			agent:` + denial("1")},
		{"trailers", "/look", newWire().headers(1, false, ":status: 200").data(1, false, "a").headers(1, true, "x-a: open"), `
			ask the response to GET api/look
			agent:
			HEADERS 1 [:status: 200]
			DATA 1 "a"
			HEADERS 1 end [x-a: open]`},
		{"interim responses", "/look", newWire().headers(1, false, ":status: 103", "link: secret").headers(1, false, ":status: 100", "x: secret").headers(1, true, ":status: 204"), `
			ask the response to GET api/look
			agent:
			HEADERS 1 [:status: 100]
			HEADERS 1 end [:status: 204]`},
		{"compressed", "/look", newWire().headers(1, false, ":status: 200", "content-encoding: gzip").data(1, true, zip.String()), `
			ask the response to GET api/look
			agent:` + denial("1")},
		{"too long", "/look", newWire().headers(1, false, ":status: 200").data(1, false, many).data(1, false, many), `
			ask the response to GET api/look
			agent:` + denial("1") + `
			upstream:
			RST_STREAM 1 CANCEL`},
		{"too long, and it may be", "/look/long", newWire().headers(1, false, ":status: 200").data(1, false, "a").padded(1, false, many, 3).data(1, false, "b").headers(1, true, "x-a: secret"), `
			ask the response to GET api/look/long
			agent:
			HEADERS 1 [:status: 200]
			DATA 1 "a` + many[:99] + `"
			DATA 1 "` + many[99:] + `"
			DATA 1 "b"
			HEADERS 1 end [x-a: secret]`},
		{"too long in one frame, and it may be", "/look/long", newWire().headers(1, false, ":status: 200").data(1, true, many), `
			ask the response to GET api/look/long
			agent:
			HEADERS 1 [:status: 200]
			DATA 1 "` + many[:100] + `"
			DATA 1 end "` + many[100:] + `"`},
		{"too long, and it may be but for its beginning", "/look/long", newWire().headers(1, false, ":status: 200").data(1, true, "secret"+many), `
			ask the response to GET api/look/long
			agent:` + denial("1") + `
			upstream:
			RST_STREAM 1 CANCEL`},
		{"a header that is too long", "/look", newWire().headers(1, true, ":status: 200", "x-a: "+many), `
			ask the response to GET api/look
			agent:` + denial("1")},
		{"a header that is too long, and may be", "/look/long", newWire().headers(1, false, ":status: 200", "x-a: "+many).data(1, true, "b"), `
			ask the response to GET api/look/long
			agent:
			HEADERS 1 [:status: 200, x-a: 150 bytes]
			DATA 1 end "b"`},
		{"events, and they may be", "/look/long", newWire().headers(1, false, ":status: 200", "content-type: text/event-stream").data(1, false, "data: 1"), `
			ask the response to GET api/look/long
			agent:
			HEADERS 1 [:status: 200, content-type: text/event-stream]
			DATA 1 "data: 1"`},
		{"another stream meanwhile", "/look", newWire().headers(1, false, ":status: 200").data(1, false, "hel").headers(3, false, ":status: 200").data(3, true, "secret").data(1, true, "lo"), `
			ask the response to GET api/look
			agent:
			HEADERS 3 [:status: 200]
			DATA 3 end "secret"
			HEADERS 1 [:status: 200]
			DATA 1 end "hello"`},
		{"reset in the middle", "/look", newWire().headers(1, false, ":status: 200").data(1, false, "secret").reset(1, http2.ErrCodeCancel), `
			agent:
			RST_STREAM 1 CANCEL`},
		{"reset behind its end", "/look", newWire().headers(1, false, ":status: 200").data(1, true, "hello").reset(1, http2.ErrCodeNo), `
			ask the response to GET api/look
			agent:
			HEADERS 1 [:status: 200]
			DATA 1 end "hello"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, first := newWire(), asked
			a.headers(1, true, request("GET", c.path, "x-a: b", "accept-encoding: gzip")...)
			if c.path != "/look" {
				a, first = newWire().headers(1, true, request("GET", c.path)...), long
			}
			other := `
				ask GET api/open
				upstream:
				HEADERS 3 end [:method: GET, :scheme: http, :authority: api, :path: /open, accept-encoding: gzip]`
			(&scene{answers: judged, steps: append(begin(),
				agent(a, first),
				agent(newWire().raw(again(a, func() { a.headers(3, true, request("GET", "/open", "accept-encoding: gzip")...) })), other),
				upstream(c.answer, c.want))}).run(t)
		})
	}
}

// TestAnswersAndWindows: what is kept does not draw on the agent's windows before it goes on, and goes on as they allow.
func TestAnswersAndWindows(t *testing.T) {
	body := strings.Repeat("0123456789", 9)
	(&scene{answers: judged, steps: []step{
		agent(client(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 40}), `?`),
		upstream(newWire().settings().ack(), hello),
		agent(newWire().ack(), ``),
		agent(newWire().headers(1, true, request("GET", "/look")...), `
			ask GET api/look
			upstream:
			HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /look]`),
		upstream(newWire().headers(1, false, ":status: 200").data(1, false, body[:40]), `
			upstream:
			WINDOW_UPDATE 1 40`),
		upstream(newWire().data(1, false, body[40:80]), `
			upstream:
			WINDOW_UPDATE 1 40`),
		upstream(newWire().data(1, true, body[80:]), `
			ask the response to GET api/look
			agent:
			HEADERS 1 [:status: 200]
			DATA 1 "`+body[:40]+`"`),
		agent(newWire().window(1, 45), `
			agent:
			DATA 1 "`+body[40:85]+`"`),
		upstream(newWire().ping(false, "abcdefgh"), `
			agent:
			PING abcdefgh`),
		step{end: true, side: abi.Upstream, want: ``},
		agent(newWire().window(1, 45), `
			close "the server closed the connection"
			agent:
			DATA 1 end "`+body[85:]+`"
			GOAWAY 1 NO_ERROR`),
	}}).run(t)
}

// TestAnswersTakenBack: an agent that gives a stream up while its answer is kept, or goes on, leaves nothing behind.
func TestAnswersTakenBack(t *testing.T) {
	a := newWire()
	(&scene{answers: judged, steps: append(begin(),
		agent(a.headers(1, true, request("GET", "/look")...), `?`),
		upstream(newWire().headers(1, false, ":status: 200").data(1, false, "secret"), ``),
		agent(newWire().reset(1, http2.ErrCodeCancel), `
			upstream:
			RST_STREAM 1 CANCEL`),
		upstream(newWire().data(1, true, "secret"), ``),
		agent(newWire().raw(again(a, func() { a.headers(3, true, request("GET", "/open")...) })), `?`),
		upstream(newWire().headers(3, true, ":status: 204"), `
			agent:
			HEADERS 3 end [:status: 204]`),
	)}).run(t)
}

// FuzzAnswers: whatever an upstream answers where answers are looked at, the guest breaks no rule of the gate.
func FuzzAnswers(f *testing.F) {
	add := func(w *wire) { f.Add(w.Bytes(), uint8(0)) }
	add(newWire().headers(1, false, ":status: 200", "content-type: application/json").data(1, false, `{"a":"`).padded(1, true, `b"}`, 3))
	add(newWire().headers(1, false, ":status: 200").data(1, false, strings.Repeat("a", 90)).data(1, false, strings.Repeat("b", 90)).headers(3, true, ":status: 204").headers(1, true, "a: b"))
	add(newWire().headers(5, false, ":status: 200").headers(3, false, ":status: 200", "content-type: text/event-stream").data(3, true, "a").data(5, true, "b"))
	f.Fuzz(func(t *testing.T, p []byte, window uint8) {
		if len(p) > 4096 {
			return
		}
		for _, piece := range []int{0, 1} {
			plugin := &plain.Plugin{}
			m, err := sdk.ConfigureNative(plugin, nil)
			if err != nil {
				t.Fatal(err)
			}
			a := client(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 50 + uint32(window)}).ack()
			a.headers(1, true, request("GET", "/look")...).headers(3, true, request("GET", "/look/long")...).headers(5, true, request("GET", "/open")...)
			s := &scene{answers: judged, steps: []step{
				agent(a, ""), upstream(newWire().settings().ack(), ""), upstream(newWire().raw(p), ""),
				agent(newWire().window(1, 20).window(0, 50).window(3, 100).reset(3, http2.ErrCodeCancel), ""), upstream(newWire().raw(p), ""), {end: true, side: abi.Upstream}}}
			cut := func(_ abi.Side, _ uint64, n int) int { return n }
			if piece > 0 {
				cut = func(abi.Side, uint64, int) int { return piece }
			}
			log := s.playWith(sdk.NewNative(plugin, companion), m, cut)
			if b := log.Breached(); b != "" {
				t.Fatalf("cut off by the gate: %s\n%s", b, log)
			}
			if err := log.Crashed(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestUnauthorized: the operator is told when a server does not take the gateway's credential, and only then.
func TestUnauthorized(t *testing.T) {
	for status, want := range map[string]int{"401": 1, "403": 0} {
		told := 0
		nativeEach(t, func(log drygate.Transcript) {
			for i := range log {
				if e := &log[i]; e.Kind == drygate.Relogin && string(e.Bytes) == "HTTP/2 401" {
					told++
				}
			}
			if log.Breached() != "" {
				t.Error(log.Breached())
			}
		}, &scene{options: map[string]any{"credential": int64(len("<token>"))}, steps: append(begin(),
			agent(newWire().headers(1, true, request("GET", "/a")...), `?`),
			upstream(newWire().headers(1, true, ":status: "+status), `?`))})
		if told != want {
			t.Errorf("%s: the operator is told %d times", status, told)
		}
	}
}

// TestAnswersEarly: an answer that comes before its request is whole, and a server that wants nothing more of that.
func TestAnswersEarly(t *testing.T) {
	for body, want := range map[string]string{
		"hello":  "agent:\nHEADERS 1 [:status: 200]\nDATA 1 end \"hello\"\nRST_STREAM 1 NO_ERROR\n",
		"secret": "agent:" + denial("1") + "\nRST_STREAM 1 NO_ERROR\n",
	} {
		(&scene{answers: judged, steps: append(begin(),
			agent(newWire().headers(1, false, request("POST", "/look")...), `
				ask POST api/look
				upstream:
				HEADERS 1 [:method: POST, :scheme: http, :authority: api, :path: /look]`),
			upstream(newWire().headers(1, false, ":status: 200").data(1, true, body), `?`),
			agent(newWire().data(1, false, "abc"), `?`),
		)}).run(t)
		(&scene{answers: judged, steps: append(begin(),
			agent(newWire().headers(1, false, request("POST", "/look")...), `?`),
			upstream(newWire().headers(1, false, ":status: 200").data(1, true, body).reset(1, http2.ErrCodeNo), `
				note status 200
				ask the response to POST api/look
				`+want),
			agent(newWire().data(1, true, "abc"), ``),
		)}).run(t)
	}
}
