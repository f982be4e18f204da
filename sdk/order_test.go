package sdk_test

import (
	"strings"
	"testing"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// tokens lets each byte of the agent through for one byte of the upstream, under a question with these flags.
func tokens(flags uint8) *plain {
	left := 0
	return &plain{data: func(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
		switch {
		case len(p) == 0:
			return 0
		case side == abi.Upstream:
			c.Drop(side, 1)
			left++
			c.Unpause(abi.Agent)
			return 1
		case left == 0:
			c.Pause(abi.Agent)
			return 0
		}
		left--
		c.Pass(side, c.Ask(0, abi.ClassRead, string(p[:1])).Do(1, flags), 1)
		return 1
	}}
}

// What a message of the upstream sets going is over before the next one is read, however they are delivered.
func TestCutsOfTheUpstream(t *testing.T) {
	for name, flags := range map[string]uint8{"with an event": 0, "quiet": abi.AskQuiet} {
		run := func(pieces ...string) string {
			h := newHost(t, tokens(flags))
			h.decide = deny("b", "d")
			h.open().deliver(abi.Agent, "abcdef")
			for _, p := range pieces {
				h.deliver(abi.Upstream, p)
			}
			return strings.Join(h.log, "\n")
		}
		want := run("1", "2", "3", "4")
		if strings.Count(want, "ASK") != 4 {
			t.Fatalf("%s: %s", name, want)
		}
		for _, pieces := range [][]string{{"1234"}, {"12", "34"}, {"1", "234"}, {"123", "4"}} {
			if got := run(pieces...); got != want {
				t.Errorf("%s: %q:\n%s\nwant:\n%s", name, pieces, got, want)
			}
		}
	}
}
