// Command hostile is the plugin "lines" with words that make it misbehave: a test builds it for GOOS=wasip1.
package main

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
	"github.com/sallyport-dev/sallyport/sdk/testdata/lines"
)

func init() { sdk.Register(&plugin{}) }

func main() {}

type plugin struct{ lines.Plugin }

// Open begins a connection.
func (p *plugin) Open(c *sdk.Conn, facts abi.Facts) sdk.Session {
	return &session{p.Plugin.Open(c, facts)}
}

type session struct{ sdk.Session }

// Data misbehaves on its words, and reads everything else as lines does.
func (s *session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	word, _, _ := bytes.Cut(p, []byte("\n"))
	switch string(word) {
	case "trap":
		panic("on purpose")
	case "spin":
		for n := 0; ; n++ {
			spun = n
		}
	case "steal": // passes what was not asked about
		c.Pass(abi.Agent, 1000, uint64(len(p)))
		return len(p)
	case "dial": // under an action that was not allowed
		c.Dial(1000)
		return len(p)
	}
	return s.Session.Data(c, side, p, end)
}

var spun int
