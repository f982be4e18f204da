package h2_test

import (
	"testing"
)

// TestReplyLength: a response that is not as long as it says ends its stream as a failure, and the connection goes on; what has no body may say a length.
func TestReplyLength(t *testing.T) {
	ok := []string{":status: 200", "content-length: 3"}
	for name, c := range map[string]struct {
		method string
		send   func(u *wire)
		want   string
	}{
		"as long":            {"GET", func(u *wire) { u.headers(1, false, ok...).data(1, true, "xyz") }, "agent:\nHEADERS 1 [:status: 200, content-length: 3]\nDATA 1 end \"xyz\""},
		"longer":             {"GET", func(u *wire) { u.headers(1, false, ok...).data(1, true, "wxyz") }, "note malformed the body is not as long as Content-Length says\nagent:\nHEADERS 1 [:status: 200, content-length: 3]\nRST_STREAM 1 INTERNAL_ERROR\nupstream:\nRST_STREAM 1 PROTOCOL_ERROR"},
		"shorter":            {"GET", func(u *wire) { u.headers(1, false, ok...).data(1, true, "xy") }, "note malformed the body is not as long as Content-Length says\nagent:\nHEADERS 1 [:status: 200, content-length: 3]\nRST_STREAM 1 INTERNAL_ERROR\nupstream:\nRST_STREAM 1 PROTOCOL_ERROR"},
		"nothing":            {"GET", func(u *wire) { u.headers(1, true, ok...) }, "?"},
		"trailers too early": {"GET", func(u *wire) { u.headers(1, false, ok...).data(1, false, "xy").headers(1, true, "a: b") }, "note malformed the body is not as long as Content-Length says\nagent:\nHEADERS 1 [:status: 200, content-length: 3]\nDATA 1 \"xy\"\nRST_STREAM 1 INTERNAL_ERROR\nupstream:\nRST_STREAM 1 PROTOCOL_ERROR"},
		"no number":          {"GET", func(u *wire) { u.headers(1, false, ":status: 200", "content-length: 3,3").data(1, true, "xyz") }, "?"},
		"two":                {"GET", func(u *wire) { u.headers(1, false, append(ok[:2:2], "content-length: 3")...).data(1, true, "xyz") }, "?"},
		"of HEAD":            {"HEAD", func(u *wire) { u.headers(1, true, ok...) }, "agent:\nHEADERS 1 end [:status: 200, content-length: 3]"},
		"a body of HEAD":     {"HEAD", func(u *wire) { u.headers(1, false, ok...).data(1, true, "xyz") }, "note malformed the body is not as long as Content-Length says\nagent:\nHEADERS 1 [:status: 200, content-length: 3]\nRST_STREAM 1 INTERNAL_ERROR\nupstream:\nRST_STREAM 1 PROTOCOL_ERROR"},
		"of 304":             {"GET", func(u *wire) { u.headers(1, true, ":status: 304", "content-length: 3") }, "agent:\nHEADERS 1 end [:status: 304, content-length: 3]"},
	} {
		t.Run(name, func(t *testing.T) {
			a, u := newWire(), newWire()
			c.send(u)
			(&scene{steps: append(begin(),
				agent(a.headers(1, true, request(c.method, "/a")...).headers(3, true, request("GET", "/b")...), "?"),
				upstream(u, c.want),
				upstream(newWire().raw(again(u, func() { u.headers(3, true, ":status: 200") })), `agent:
					HEADERS 3 end [:status: 200]`))}).run(t)
		})
	}
}
