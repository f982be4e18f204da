package main

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// What is too long is refused, with or without an end, however it is cut; what is as long as it may be is not.
func TestLimits(t *testing.T) {
	const end = "\r\n\r\n"
	line := func(n int) string {
		return "GET / HTTP/1.1\r\nHost: api\r\nX: " + strings.Repeat("y", n-len("GET / HTTP/1.1\r\nHost: api\r\nX: "))
	}
	target := func(n int) string { return "GET /" + strings.Repeat("a", n-1) + " HTTP/1.1\r\nHost: api" + end }
	for _, c := range []struct{ name, text, want string }{
		{"a head that just fits", line(4096-len(end)) + end, ""},
		{"a head that does not", line(4096-len(end)+1) + end, "HTTP/1.1 431 "},
		{"a head without end", line(4096), "HTTP/1.1 431 "},
		{"a target that just fits", target(8192), ""},
		{"a target that does not", target(8193), "HTTP/1.1 414 "},
	} {
		limit := int64(4096)
		if strings.Contains(c.name, "target") {
			limit = 16 << 10
		}
		p := &session.Plugin{}
		m, err := sdk.ConfigureNative(p, map[string]any{"max_head": limit})
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range []int{1 << 20, 1000, 61, 4095} {
			g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m, Facts: abi.Facts{Endpoint: "api"},
				Piece: func(abi.Side, uint64, int) int { return piece }})
			g.Open()
			g.Send(abi.Agent, []byte(c.text))
			var got [2]string
			for _, e := range g.Transcript() {
				if e.Kind == drygate.Gets {
					got[e.Side] += string(e.Bytes)
				}
			}
			if c.want == "" && got[abi.Upstream] != c.text || c.want != "" && (!strings.HasPrefix(got[abi.Agent], c.want) || got[abi.Upstream] != "" || !g.Over()) {
				t.Errorf("%s, in pieces of %d: the agent got %.100q, the upstream %d bytes", c.name, piece, got[abi.Agent], len(got[abi.Upstream]))
			}
		}
	}
}
