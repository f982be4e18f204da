package plugin

import (
	"bytes"
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// TestTypesInBinary has queries under which a server reads, or writes, the types of columns in another way: behind such a block it would take
// its rows for packets. They do not reach the server, though all is allowed.
func TestTypesInBinary(t *testing.T) {
	const input, output = "input_format_native_decode_types_in_binary_format", "output_format_native_encode_types_in_binary_format"
	for _, test := range []struct {
		text, setting string // the setting comes in the packet
		passes        bool
	}{
		{"SET " + input + " = 1", "", false},
		{"INSERT INTO t SETTINGS " + input + " = true FORMAT Native", "", false},
		{"SELECT 1 SETTINGS `" + output + "` = {x:Bool}", "", false},
		{"SELECT 1", input, false},
		{"SELECT 1", output, false},
		{"SET " + input + " = 0", "", true},
		{"SELECT 1", "input_format_native_allow_types_conversion", true},
	} {
		p := &Plugin{}
		m, err := sdk.ConfigureNative(p, nil)
		if err != nil {
			t.Fatal(err)
		}
		g := drygate.New(drygate.Config{Guest: sdk.NewNative(p, nil), Manifest: m, Facts: abi.Facts{Endpoint: "ch"}, Decide: func(*drygate.Entry) (v drygate.Verdict) { return v }})
		g.Open()
		g.Send(abi.Agent, proto.AppendString(proto.AppendHello(nil, &proto.Hello{Name: []byte("c")}, proto.Newest, "", "u"), "p"))
		g.Send(abi.Upstream, serverHello())
		g.Send(abi.Agent, append(proto.AppendString(proto.AppendString(proto.AppendString(nil, ""), "notchunked"), "notchunked"), 7))
		q := query(test.text)
		if test.setting != "" {
			setting := append(proto.AppendString(nil, test.setting), 0, 1, '1') // flags, and the value
			q = append(q[:3:3], append(setting, q[3:]...)...)
		}
		g.Send(abi.Agent, q)
		if got := bytes.Contains(g.Transcript().Gets(abi.Upstream), []byte(test.text)); got != test.passes || g.Over() == test.passes {
			t.Errorf("%q with %q: the server has it: %v, over: %v", test.text, test.setting, got, g.Over())
		}
	}
}
