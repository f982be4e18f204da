// Command flawed is a plugin for tests of the admission test: one line is one message, and the option says what it does wrong.
package main

import (
	"bytes"
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

func init() { sdk.Register(&plugin{}) }

func main() {}

var flaws = []string{"none", "trap", "spin", "steal", "pieces", "short", "endless", "hang", "length", "connections"}

type plugin struct{ flaw string }

func (*plugin) Manifest() abi.Manifest {
	return abi.Manifest{Name: "flawed", Version: "1", Families: []abi.Family{
		{Name: abi.FamilyConnect, Fields: []abi.Field{}},
		{Name: "flawed", Fields: []abi.Field{{Name: "line", Type: abi.TypeString, Doc: "the line"}}}},
		Options: []abi.Option{{Name: "flaw", Type: abi.TypeString, Values: flaws, Default: "none", Doc: "what is wrong"}}}
}

func (p *plugin) Configure(options []byte) error {
	o, err := sdk.ReadOptions(options)
	p.flaw = o.String("flaw")
	return err
}

func (p *plugin) Open(c *sdk.Conn, _ abi.Facts) sdk.Session {
	s := &session{flaw: p.flaw}
	s.connect = c.Ask(0, abi.ClassSession, "connect").Do(0, 0)
	c.Dial(s.connect)
	return s
}

const maxLine = 1000

type session struct {
	flaw    string
	connect uint32
	length  uint64
	calls   int
}

func (s *session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	s.calls++
	if side == abi.Upstream {
		c.Pass(side, 0, uint64(len(p)))
		if end && len(p) == 0 {
			c.Shut(abi.Agent)
		}
		return len(p)
	}
	n := bytes.IndexByte(p, '\n') + 1
	switch {
	case n == 0 && end && len(p) > 0 && s.flaw == "short":
		n = len(p) // the end of the stream for the end of the line
	case n == 0 && end && len(p) > 0 && s.flaw == "hang":
		return 0
	case n == 0 && end && len(p) > 0:
		c.Fail("the last line has no end")
		return 0
	case n == 0 && end:
		c.Shut(abi.Upstream)
		return 0
	case (n > maxLine || n == 0 && len(p) > maxLine) && s.flaw != "endless":
		c.Fail("a line that is too long")
		return 0
	case n == 0:
		return 0
	}
	s.line(c, p[:n])
	return n
}

func (s *session) line(c *sdk.Conn, line []byte) {
	text := string(bytes.TrimSpace(line))
	s.length = uint64(len(line))
	switch s.flaw {
	case "trap":
		if text == "two" {
			panic("flawed")
		}
	case "spin":
		for text == "two" {
			s.calls++
		}
	case "steal":
		if text == "two" {
			c.Pass(abi.Agent, s.connect, s.length)
			return
		}
	case "pieces": // says how it was called
		text += strconv.Itoa(s.calls)
	case "length":
		if n, err := strconv.Atoi(text); err == nil {
			text = text[:n] // whatever it is
		}
	}
	id := c.Ask(1, abi.ClassRead, text).String(0, text).Do(s.length, 0)
	c.Pass(abi.Agent, id, s.length)
}

func (s *session) Event(c *sdk.Conn, e abi.Event) {
	switch {
	case e.Kind == abi.KindRefused:
		c.Close("refused")
	case e.Kind != abi.KindVerdict || e.Outcome == abi.Allow:
	case e.ID == s.connect:
		c.Close("denied")
	default:
		c.Drop(abi.Agent, s.length)
		c.Send(abi.Agent, 0, []byte("no\n"))
	}
}
