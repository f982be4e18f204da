// Package answers is a small plugin for tests that holds answers back, of a protocol made up for them. The agent sends lines, as many
// as it likes; the upstream answers each, in order, with rows and a line with a dot. A row is values with tabs between; one that begins
// with "#" names the columns.
package answers

import (
	"bytes"
	"strings"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Families, as indices into the manifest.
const (
	FamilyConnect  = 0
	FamilyRows     = 1
	FamilyResponse = 2
)

const maxLine = 4 << 10 // bytes

// Plugin is the plugin.
type Plugin struct {
	// Loses makes it lose the first byte of an answer that was looked at, which no plugin may.
	Loses bool
}

// Manifest declares everything.
func (Plugin) Manifest() abi.Manifest {
	return abi.Manifest{Name: "answers", Version: "1", Families: []abi.Family{
		{Name: abi.FamilyConnect, Fields: []abi.Field{}},
		{Name: "rows", Fields: []abi.Field{{Name: "line", Type: abi.TypeString, Role: abi.RoleText, Doc: "the line"}}},
		abi.ResponseFamily("the rows that came back"),
	}}
}

// Configure takes no options.
func (Plugin) Configure([]byte) error { return nil }

// Open asks for the connection.
func (p Plugin) Open(c *sdk.Conn, f abi.Facts) sdk.Session {
	s := &session{inspects: f.Inspect, loses: p.Loses}
	c.Dial(c.Ask(FamilyConnect, abi.ClassSession, "open a connection").Do(0, 0))
	return s
}

type session struct {
	inspects bool
	loses    bool
	asked    uint32
	line     int
	flights  []*flight
}

// flight is a line whose answer is outstanding.
type flight struct {
	id       uint32
	inspect  bool
	question uint32
	long     bool // its answer was too long
	withheld bool
	columns  []string
	rows     int64
}

func (s *session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	n := bytes.IndexByte(p, '\n') + 1
	switch {
	case n == 0 && end && len(p) > 0:
		c.Fail("the last line has no end")
	case n == 0 && len(p) > maxLine:
		c.Fail("a line is too long")
	case n == 0 && end:
		c.Shut(side.Other())
	case n == 0:
	case side == abi.Agent:
		flags := uint8(0)
		if !s.inspects {
			flags = abi.AskQuiet
		}
		line := strings.TrimSpace(string(p[:n]))
		s.line = n
		s.asked = c.Ask(FamilyRows, abi.ClassRead, line).String(0, line).Do(uint64(n), flags)
		c.Pass(side, s.asked, uint64(n))
		s.flights = append(s.flights, &flight{id: s.asked})
		return n
	case len(s.flights) == 0:
		c.Fail("an answer to nothing")
	default:
		return s.answer(c, s.flights[0], p[:n])
	}
	return 0
}

func (s *session) answer(c *sdk.Conn, f *flight, line []byte) int {
	n, last := len(line), string(line) == ".\n"
	switch {
	case f.withheld:
		c.Drop(abi.Upstream, uint64(n))
	case f.inspect && !f.long:
		return s.keep(c, f, line)
	case c.Inspecting():
		c.Pass(abi.Upstream, f.id, uint64(n))
	default:
		c.Pass(abi.Upstream, 0, uint64(n))
	}
	if last {
		c.Answered(f.id)
		s.flights = s.flights[1:]
	}
	return n
}

// keep keeps a line of an answer that is looked at, and asks when that is whole or too long.
func (s *session) keep(c *sdk.Conn, f *flight, line []byte) int {
	flags, last := uint8(0), string(line) == ".\n"
	if !c.Fits(f.id, len(line)) {
		flags, f.long, line = abi.AskTruncated, true, nil
	} else {
		at := c.Kept(f.id)
		c.Keep(f.id, len(line))
		switch text := strings.TrimSuffix(string(line), "\n"); {
		case last:
		case text[:min(1, len(text))] == "#":
			f.columns = strings.Split(text[1:], "\t")
		default:
			f.rows++
			for i, v := range strings.Split(text, "\t") {
				c.Value(f.id, uint16(i), abi.FormatText, at, len(v))
				at += len(v) + 1
			}
		}
	}
	if last || f.long {
		f.question = c.AskResponse(FamilyResponse, abi.ClassRead, "an answer").Strings(abi.ResponseColumns, f.columns).Int(abi.ResponseRows, f.rows).DoResponse(f.id, flags)
	}
	return len(line)
}

func (s *session) Event(c *sdk.Conn, e abi.Event) {
	switch {
	case e.Kind == abi.KindRefused:
		c.Close("the upstream refused")
	case e.Kind != abi.KindVerdict:
	case len(s.flights) > 0 && s.flights[0].question == e.ID:
		s.decided(c, s.flights[0], e)
	case e.ID == s.asked && e.Outcome == abi.Allow:
		s.flights[len(s.flights)-1].inspect = e.Inspect > 0
	case e.ID == s.asked:
		s.flights = s.flights[:len(s.flights)-1]
		c.Drop(abi.Agent, uint64(s.line))
		c.Send(abi.Agent, 0, []byte("denied: "+e.Reason+"\n"))
	}
}

func (s *session) decided(c *sdk.Conn, f *flight, e abi.Event) {
	if e.Outcome == abi.Allow {
		if s.loses && c.Kept(f.id) > 0 {
			c.Discard(f.id, 1)
		}
		c.Release(f.id, 0)
	} else {
		c.Send(abi.Agent, 0, []byte("withheld: "+e.Reason+"\n"))
		f.withheld = true
	}
	if !f.long {
		s.flights = s.flights[1:]
	}
}
