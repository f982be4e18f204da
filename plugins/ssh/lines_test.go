package main

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/sshwire"
	"github.com/sallyport-dev/sallyport/sdk/testkit"
	"github.com/sallyport-dev/sallyport/sdk/testkit/drygate"
)

// hardLines: lines that are as hard to read as they can be are asked about all the same, natively and in the sandbox, where stack and fuel are bounded.
func hardLines(t *testing.T, s testkit.Suite) {
	t.Helper()
	const most, ordinary = 16 << 10, "an ordinary script of 4 KiB"
	lines := map[string]string{
		ordinary:        strings.Repeat("for f in /var/log/*.log; do grep -c 'error' \"$f\" | sort -n | tail -3; done\n", 50),
		"many commands": strings.Repeat("a;", most/2-1), "many words": strings.Repeat("a ", most/2-1), "many pipes": strings.Repeat("cat|", most/4-1) + "cat",
		"deep brackets": strings.Repeat("(", 190) + "ls" + strings.Repeat(")", 190), "deep substitutions": strings.Repeat("$(", 90) + "ls" + strings.Repeat(")", 90),
		"deep loops": strings.Repeat("if a; then ", 60) + "b" + strings.Repeat("; fi", 60), "deep arithmetic": "echo $((" + strings.Repeat("(", 150) + "1" + strings.Repeat(")", 150) + "))",
		"quotes": strings.Repeat(`"a"'b'`, most/6-1), "long": strings.Repeat("x", most), "too long": strings.Repeat("x", 48<<10), "a document": "cat <<E\n" + strings.Repeat("x\n", most/2-10) + "E",
		"wrappers": strings.Repeat("env ", most/4-1), "unclosed": strings.Repeat("`", most), "minus": "echo $((" + strings.Repeat("-", 4000) + "1))", "not": strings.Repeat("! ", 3000), "braces": strings.Repeat("{ ", 150) + "a" + strings.Repeat(";}", 150),
	}
	testkit.Each(t, s, func(t *testing.T, p *testkit.Plugin) {
		guests, m := p.Configure(t, map[string]any{})
		for name, line := range lines {
			g := drygate.New(drygate.Config{Guest: guests(), Manifest: m, Facts: abi.Facts{Endpoint: "box", AgentTLS: true, AgentTLSRequired: true, UpstreamTLS: true}})
			g.Open()
			g.Send(abi.Agent, sshwire.End(sshwire.AppendString(sshwire.Begin(nil, 1, sshwire.Open), "session"), 0))
			g.Send(abi.Upstream, sshwire.AppendEmpty(nil, 1, sshwire.OpenConfirm))
			request := append(sshwire.AppendString(sshwire.Begin(nil, 1, sshwire.ChannelRequest), "exec"), 1)
			g.Send(abi.Agent, sshwire.End(sshwire.AppendString(request, line), 0))
			if n := len(g.Transcript().Asks()); n != 2 || g.Over() {
				t.Errorf("%s: %d actions, %v", name, n, g.Transcript().End())
			} else if got := g.Transcript().Asks()[1].String(); name == ordinary && !strings.Contains(got, `programs=["grep","sort","tail"]`) {
				t.Errorf("%s: %s", name, got)
			}
		}
	})
}
