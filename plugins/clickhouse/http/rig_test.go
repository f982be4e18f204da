package http_test

import (
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/plugin"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// opened is a connection to the HTTP interface on which everything is allowed, after its opening.
func opened(t *testing.T, attributes ...abi.Attribute) *drygate.Gate {
	t.Helper()
	p := &plugin.Plugin{}
	m, err := sdk.ConfigureNative(p, map[string]any{"protocol": "http"})
	if err != nil {
		t.Fatal(err)
	}
	g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m, Facts: abi.Facts{Endpoint: "ch", Attributes: attributes},
		Decide: func(*drygate.Entry) (v drygate.Verdict) { return v }})
	g.Open()
	return g
}
