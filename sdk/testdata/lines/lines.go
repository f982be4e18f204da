// Package lines is a small plugin for tests, of a protocol made up for them. The agent sends lines, the upstream answers each
// with one line:
//
//	get KEY            reads
//	del KEY            deletes
//	put KEY N          writes; N bytes follow the line
//	feed               writes; everything that follows belongs to it
//	quit               is answered by the plugin, which then closes the connection
//
// An answer "data N" is followed by N bytes. A line that begins with "!" is read together with the next one. One request is
// under way at a time: until it is answered the agent is paused.
package lines

import (
	"bytes"
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Families and fields, as indices into the manifest.
const (
	FamilyConnect = 0
	FamilyLines   = 1
	FieldVerb     = 0
	FieldKey      = 1
	FieldSize     = 2
)

// MaxLine bounds a line, in bytes.
const MaxLine = 4 << 10

// Plugin is the plugin.
type Plugin struct{ greeting string }

// Manifest declares everything.
func (*Plugin) Manifest() abi.Manifest {
	return abi.Manifest{
		Name: "lines", Version: "1",
		Families: []abi.Family{
			{Name: abi.FamilyConnect, Fields: []abi.Field{}},
			{Name: "lines", Fields: []abi.Field{
				{Name: "verb", Type: abi.TypeString, Values: []string{"get", "del", "put", "feed"}, Doc: "what is asked for"},
				{Name: "key", Type: abi.TypeString, Doc: "of what"},
				{Name: "size", Type: abi.TypeInt, Doc: "how many bytes follow"},
			}},
		},
		Options: []abi.Option{{Name: "greeting", Type: abi.TypeString, Default: "", Doc: "a line that the agent gets first"}},
	}
}

// Configure takes the options as they are.
func (p *Plugin) Configure(options []byte) error {
	_, rest, _ := bytes.Cut(options, []byte(`"greeting":"`))
	greeting, _, _ := bytes.Cut(rest, []byte(`"`))
	p.greeting = string(greeting)
	return nil
}

// Open asks for the connection.
func (p *Plugin) Open(c *sdk.Conn, _ abi.Facts) sdk.Session {
	if p.greeting != "" {
		c.Send(abi.Agent, 0, []byte(p.greeting+"\n"))
	}
	s := &session{}
	s.connect = c.Ask(FamilyConnect, abi.ClassSession, "open a connection").Do(0, 0)
	c.Dial(s.connect)
	return s
}

type session struct {
	connect uint32 // the connect action
	asked   uint32 // the one that was asked last
	size    uint64 // of its line
	feed    uint32 // the streaming action, once it is allowed
}

func (s *session) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if s.feed != 0 && side == abi.Agent {
		c.Pass(side, s.feed, uint64(len(p)))
		if end && len(p) == 0 {
			c.Done(s.feed)
			c.Shut(abi.Upstream)
		}
		return len(p)
	}
	n := lineLength(p)
	switch {
	case n > MaxLine || n == 0 && len(p) > MaxLine:
		c.Fail("a line that is too long")
		return 0
	case n == 0 && end && len(p) > 0:
		c.Fail("the last line has no end")
		return 0
	case n == 0 && end:
		c.Shut(side.Other())
		return 0
	case n == 0:
		return 0
	case side == abi.Agent:
		return int(min(s.request(c, p[:n]), uint64(len(p))))
	default:
		return int(min(s.answer(c, p[:n]), uint64(len(p))))
	}
}

// lineLength is the length of the first whole line with its end, and with the next line when it begins with "!".
func lineLength(p []byte) int {
	n := bytes.IndexByte(p, '\n') + 1
	if n > 0 && p[0] == '!' {
		if m := bytes.IndexByte(p[n:], '\n') + 1; m > 0 {
			return n + m
		}
		return 0
	}
	return n
}

// request asks about a line of the agent and returns how many bytes belong to it, which may be more than have come.
func (s *session) request(c *sdk.Conn, line []byte) uint64 {
	first, _, _ := bytes.Cut(line, []byte("\n"))
	words := bytes.Fields(bytes.TrimPrefix(first, []byte("!")))
	if len(words) == 1 && string(words[0]) == "quit" {
		c.Drop(abi.Agent, uint64(len(line)))
		c.Send(abi.Agent, 0, []byte("bye\n"))
		c.Close("the agent quit")
		return uint64(len(line))
	}
	s.size = uint64(len(line))
	extent, class := s.size, abi.ClassRead
	switch {
	case len(words) == 1 && string(words[0]) == "feed":
		s.ask(c, abi.ClassWrite, line, "feed", "", 0, 0, abi.AskStreaming)
		s.feed = s.asked
		c.Pass(abi.Agent, s.asked, s.size)
		return s.size
	case len(words) == 3 && string(words[0]) == "put":
		n, err := strconv.ParseUint(string(words[2]), 10, 32)
		if err != nil {
			c.Fail("a size that is no number")
			return 0
		}
		extent, class = s.size+n, abi.ClassWrite
	case len(words) == 2 && string(words[0]) == "get":
	case len(words) == 2 && string(words[0]) == "del":
		class = abi.ClassDelete
	default:
		c.Fail("a line that is not understood")
		return 0
	}
	s.ask(c, class, line, string(words[0]), string(words[1]), int64(extent-s.size), extent, 0)
	s.size = extent
	c.Pass(abi.Agent, s.asked, extent)
	c.Pause(abi.Agent)
	return extent
}

func (s *session) ask(c *sdk.Conn, class abi.Class, line []byte, verb, key string, size int64, extent uint64, flags uint8) {
	title := string(bytes.TrimSpace(line))
	s.asked = c.Ask(FamilyLines, class, title).String(FieldVerb, verb).String(FieldKey, key).Int(FieldSize, size).Do(extent, flags)
}

// answer passes a line of the upstream and returns how many bytes belong to it.
func (s *session) answer(c *sdk.Conn, line []byte) uint64 {
	n := uint64(len(line))
	if size, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data ")); ok {
		more, err := strconv.ParseUint(string(size), 10, 32)
		if err != nil {
			c.Fail("a size that is no number")
			return 0
		}
		n += more
	}
	c.Pass(abi.Upstream, 0, n)
	c.Note(s.asked, "answer", strconv.FormatUint(n, 10))
	c.Unpause(abi.Agent)
	return n
}

func (s *session) Event(c *sdk.Conn, e abi.Event) {
	switch {
	case e.Kind == abi.KindRefused:
		c.Send(abi.Agent, 0, []byte("refused: "+e.Reason+"\n"))
		c.Close("the upstream refused")
	case e.Kind != abi.KindVerdict || e.Outcome == abi.Allow:
	case e.ID == s.connect:
		c.Send(abi.Agent, 0, []byte("denied: "+e.Reason+"\n"))
		c.Close("the connection was denied")
	default:
		s.feed = 0
		c.Drop(abi.Agent, s.size)
		c.Send(abi.Agent, 0, []byte("denied: "+e.Reason+"\n"))
	}
}
