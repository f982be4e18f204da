package h2_test

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// TestWindows: what each side may send is what the other takes.
func TestWindows(t *testing.T) {
	big := strings.Repeat("x", 10000)
	(&scene{steps: []step{
		agent(client(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100}).window(0, 1<<20), `upstream:
			PREFACE
			SETTINGS [ENABLE_PUSH = 0] [INITIAL_WINDOW_SIZE = 100] [MAX_HEADER_LIST_SIZE = 65536]
			WINDOW_UPDATE 0 1048576`),
		upstream(newWire().settings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 20000}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 10}).window(0, 5000), `
			agent:
			SETTINGS [MAX_CONCURRENT_STREAMS = 10] [INITIAL_WINDOW_SIZE = 20000]
			WINDOW_UPDATE 0 5000`),
		agent(newWire().ack(), ``),
		agent(newWire().ack(), `upstream:
			SETTINGS ack`),
		upstream(newWire().ack(), `agent:
			SETTINGS ack`),
		agent(newWire().headers(1, false, request("POST", "/a")...).data(1, false, big).data(1, false, big), `
			ask POST api/a
			upstream:
			HEADERS 1 [:method: POST, :scheme: http, :authority: api, :path: /a]
			DATA 1 "10000 bytes"
			DATA 1 "10000 bytes"`),
		upstream(newWire().window(1, 50).window(1, 6000), `agent:
			WINDOW_UPDATE 1 50
			WINDOW_UPDATE 1 6000`),
		upstream(newWire().headers(1, false, ":status: 200").data(1, false, strings.Repeat("y", 100)), `
			note status 200
			agent:
			HEADERS 1 [:status: 200]
			DATA 1 "`+strings.Repeat("y", 100)+`"`),
		agent(newWire().window(1, 7), `upstream:
			WINDOW_UPDATE 1 7`),
		// A smaller window is in effect for the upstream when it has said so, and only then the agent is told.
		agent(newWire().settings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 40}), `upstream:
			SETTINGS [INITIAL_WINDOW_SIZE = 40]`),
		upstream(newWire().data(1, false, "1234567").ack(), `
			agent:
			DATA 1 "1234567"
			SETTINGS ack`),
		agent(newWire().window(1, 60), `upstream:
			WINDOW_UPDATE 1 60`),
		agent(newWire().window(1, 3), `upstream:
			WINDOW_UPDATE 1 3`),
	}}).run(t)
}

// TestFlowErrors: who sends more than was granted is cut off.
func TestFlowErrors(t *testing.T) {
	full := strings.Repeat("x", 16384)
	w := newWire().headers(1, false, request("POST", "/a")...)
	for range 3 {
		w.data(1, false, full)
	}
	(&scene{steps: append(begin(),
		agent(w, "?"),
		agent(newWire().data(1, false, full), `
			fail "agent: more data than was granted"
			agent:
			GOAWAY 1 FLOW_CONTROL_ERROR more data than was granted
			upstream:
			GOAWAY 0 NO_ERROR`))}).run(t)
	u := newWire().headers(1, false, ":status: 200")
	for range 3 {
		u.data(1, false, full)
	}
	(&scene{steps: append(begin(),
		agent(newWire().headers(1, true, request("GET", "/a")...), "?"),
		upstream(u, "?"),
		upstream(newWire().data(1, false, full), `
			fail "upstream: more data than was granted"
			agent:
			GOAWAY 1 INTERNAL_ERROR more data than was granted
			upstream:
			GOAWAY 0 FLOW_CONTROL_ERROR`))}).run(t)
}

// TestDebt: the gateway's own answers borrow from the agent's window, and what the upstream sends waits until that is paid back.
func TestDebt(t *testing.T) {
	a := newWire()
	for id := uint32(1); id < 7; id += 2 {
		a.headers(id, true, request("GET", "/secret")...)
	}
	u := newWire().headers(1, false, ":status: 200")
	for range 3 {
		u.data(1, false, strings.Repeat("x", 16384))
	}
	u.data(1, true, strings.Repeat("x", 16383))
	(&scene{decide: deny("secret"), steps: append(begin(),
		agent(a, "?"),
		agent(newWire().raw(again(a, func() { a.headers(7, true, request("GET", "/a")...) })), `
			ask GET api/a
			upstream:
			HEADERS 1 end [:method: GET, :scheme: http, :authority: api, :path: /a]`),
		upstream(u, `
			agent:
			HEADERS 7 [:status: 200]
			DATA 7 "16384 bytes"
			DATA 7 "16384 bytes"
			DATA 7 "16384 bytes"`),
		agent(newWire().window(0, 200), ``),
		agent(newWire().window(0, 100), `agent:
			DATA 7 end "16383 bytes"
			upstream:
			WINDOW_UPDATE 0 72`),
	)}).run(t)
}

// TestLateBody: the body of a request that waited goes on as far as the upstream's windows are, in a connection whose window others hold.
func TestLateBody(t *testing.T) {
	part := strings.Repeat("x", 10000)
	w := newWire().headers(1, false, request("POST", "/wait")...)
	for range 6 {
		w.data(1, false, part)
	}
	(&scene{decide: holding("wait"), steps: append(begin(),
		agent(w.data(1, true, "end"), `
			ask POST api/wait
			agent:
			WINDOW_UPDATE 0 13616
			WINDOW_UPDATE 0 10000
			WINDOW_UPDATE 0 10000
			WINDOW_UPDATE 0 10000`),
		person(drygate.Verdict{}, "?"),
		upstream(newWire().window(0, 16384), "?"),
		upstream(newWire().window(0, 16384), "?"),
		upstream(newWire().window(0, 16384).window(0, 16384), "?"),
		upstream(newWire().headers(1, true, ":status: 200"), `
			note status 200
			agent:
			HEADERS 1 end [:status: 200]`),
	)}).run(t)
	// All of it has come.
	s := &scene{decide: holding("wait"), steps: append(begin(), agent(w, ""), person(drygate.Verdict{}, ""))}
	for range 4 {
		s.steps = append(s.steps, upstream(newWire().window(0, 16384), ""))
	}
	var got strings.Builder
	nativeEach(t, func(tr drygate.Transcript) {
		for _, l := range happened(tr, len(s.steps)) {
			got.WriteString(l)
		}
	}, s)
	n := strings.Count(got.String(), "DATA 1")
	if n < 4 || !strings.Contains(got.String(), "DATA 1 end") {
		t.Errorf("%s", got.String())
	}
}

// TestLate: a download of which a window full is on its way when the agent cancels it does not end the connection.
func TestLate(t *testing.T) {
	u := newWire().headers(1, false, ":status: 200")
	more := newWire()
	for range 60 {
		more.data(1, false, strings.Repeat("x", 1000))
	}
	s := &scene{steps: append(begin(),
		agent(newWire().headers(1, true, request("GET", "/a")...), ""),
		upstream(u, ""),
		agent(newWire().reset(1, http2.ErrCodeCancel), ""))}
	for range 50 { // of 60 frames
		s.steps = append(s.steps, upstream(more, ""))
	}
	s.steps = append(s.steps, upstream(newWire().ping(false, "abcdefgh"), ""))
	nativeEach(t, func(tr drygate.Transcript) {
		got := happened(tr, len(s.steps))
		if last := got[len(s.steps)]; last != "agent:\nPING abcdefgh\n" {
			t.Errorf("%s", last)
		}
		if n := strings.Count(strings.Join(got, ""), "WINDOW_UPDATE 0"); n < 10 {
			t.Errorf("%d window updates", n)
		}
	}, s)
}
