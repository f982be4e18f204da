package main

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/session"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// TestLargeResponse: as many values as fit into the largest limit are named.
func TestLargeResponse(t *testing.T) {
	p := &session.Plugin{}
	m, err := sdk.ConfigureNative(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	values := 0
	g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, companion), Manifest: m, Facts: abi.Facts{Endpoint: "api", Inspect: true}, Decide: func(e *drygate.Entry) (v drygate.Verdict) {
		if e.Response == nil {
			v.Inspect = abi.MaxInspect
		} else {
			values = len(e.Response.Values)
		}
		return v
	}})
	g.Open()
	g.Send(abi.Agent, []byte("GET /look HTTP/1.1\r\nHost: api\r\n\r\n"))
	const many = 400_000
	answer := counted("", "["+strings.Repeat("1,", many)+"1]")
	for at := 0; at < len(answer); at += 64 << 10 {
		g.Send(abi.Upstream, []byte(answer[at:min(at+64<<10, len(answer))]))
	}
	if log := g.Transcript(); log.Breached() != "" || log.Crashed() != nil || values != many+1 || string(log.Gets(abi.Agent)) != answer {
		t.Errorf("%d values; %q %v", values, log.Breached(), log.Crashed())
	}
}
