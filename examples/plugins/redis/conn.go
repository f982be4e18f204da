package main

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// conn is one connection.
type conn struct {
	maxCommand int
	connect    uint32
	broken     bool // nothing more of the agent is read

	// The command that was asked about last.
	asked   command
	selects int64 // of a SELECT: the database
	request request
	walk    walk

	// What the agent has set, as far as its answers depend on it.
	db      int64
	dbKnown bool
	multi   bool
	monitor bool
	silent  bool // CLIENT REPLY OFF
	skip    bool // CLIENT REPLY SKIP: the next command is not answered

	marks   []mark // what the server's answers to the refused command stand for
	replies replies
}

// mark is one refused command on its way.
type mark struct {
	kind  uint8
	text  string
	value int64
}

const (
	markDenied = iota // answered with text
	markDB            // the answer before it tells whether the database was selected
	markLast          // answered with text, and then the connection ends
)

// maxMarks is how many of them may be on their way; past it the agent waits.
const maxMarks = 256

// walk is a command whose arguments go on, or are dropped, one by one, because it is too long to be read whole.
type walk struct {
	id      uint32 // the streaming action; 0: they are dropped
	missing int
}

// Data reads one command of the agent, or one piece of the server's answers.
func (s *conn) Data(c *sdk.Conn, side abi.Side, p []byte, end bool) int {
	if side == abi.Upstream {
		return s.answers(c, p, end)
	}
	switch {
	case s.broken:
		c.Drop(abi.Agent, uint64(len(p)))
		return len(p)
	case len(p) == 0:
		c.Shut(abi.Upstream)
		return 0
	case s.walk.missing > 0:
		return s.walkOn(c, p, end)
	}
	r, err := readRequest(p, s.maxCommand)
	switch {
	case err == errMore && end: // half a command: the server would forget it too
		c.Drop(abi.Agent, uint64(len(p)))
		return len(p)
	case err == errMore:
		return 0
	case err != nil:
		s.refuse(c, err.Error())
		return 0
	case r.missing == 0 && !r.cut && len(r.args) == 0: // an empty one, which the server ignores
		c.Drop(abi.Agent, r.length)
		return int(r.length)
	case len(r.args) == 0:
		s.refuse(c, "Protocol error: a command whose name is too long")
		return 0
	}
	return s.command(c, r, len(p))
}

// command asks about a command, and says what follows if it is allowed.
func (s *conn) command(c *sdk.Conn, r request, have int) int {
	total := len(r.args) + r.missing
	if r.cut {
		total++
	}
	whole := total == len(r.args)
	k := classify(r.args, total)
	switch {
	case len(r.args[0]) > maxName, k.name == refusedName, !whole && len(r.args) < 2:
		s.refuse(c, "a command whose name cannot be read")
		return 0
	case k.name == "sync" || k.name == "psync":
		s.refuse(c, "replication is not understood here")
		return 0
	case k.name == "client|reply" && s.multi:
		s.refuse(c, "CLIENT REPLY inside a transaction is not understood here")
		return 0
	}
	s.asked, s.request = k, r
	flags, extent := uint8(0), r.length
	if r.missing > 0 {
		flags, extent = abi.AskStreaming, 0
	}
	id := s.ask(c, &k, r.args, whole, extent, flags)
	c.Pass(abi.Agent, id, r.length)
	if r.missing > 0 {
		s.walk = walk{id, r.missing}
	}
	s.selects = -1
	if whole {
		s.passed(c, &k, r.args)
	}
	return int(min(r.length, uint64(have)))
}

// maxShown bounds the arguments that rules see, in bytes.
const maxShown = 8 << 10

func (s *conn) ask(c *sdk.Conn, k *command, args [][]byte, whole bool, extent uint64, flags uint8) uint32 {
	b := c.Ask(familyRedis, k.class, k.title()).String(fieldCommand, k.name).Bool(fieldMulti, s.multi)
	if s.dbKnown {
		b.Int(fieldDB, s.db)
	}
	if !k.hidden {
		b.Int(fieldKeyCount, int64(len(k.keys)))
		if keys, ok := texts(k.keys, b.Room()-maxShown-64); ok {
			b.Strings(fieldKeys, keys)
		}
	}
	if whole && !k.secrets {
		if rest, ok := texts(args[min(k.words, len(args)):], maxShown); ok {
			b.Strings(fieldArgs, rest)
		}
	}
	return b.Do(extent, flags)
}

// texts are the strings of a list, if they fit.
func texts(list [][]byte, room int) (out []string, ok bool) {
	for _, b := range list {
		if room -= len(b) + 4; room < 0 {
			return nil, false
		}
		out = append(out, string(b))
	}
	return out, true
}

// passed keeps what an allowed command changes. It stands behind the question in the same step, so that Event undoes it when the
// command is denied.
func (s *conn) passed(c *sdk.Conn, k *command, args [][]byte) {
	if k.name != "select" && k.name != "reset" {
		return
	}
	s.selects = 0
	if k.name == "select" {
		if s.selects = -1; len(args) == 2 {
			if n, err := strconv.ParseInt(string(args[1]), 10, 32); err == nil && n >= 0 {
				s.selects = n
			}
		}
	}
	if s.selects < 0 || s.multi && k.name != "reset" || s.silent || s.skip || s.monitor {
		s.selects = -1
		return
	}
	// Whether it works, its answer says: it is the one before that of the refused command.
	c.Stock(stockRefused)
	c.Pause(abi.Agent)
}

// allowed keeps what an allowed command changes on this side of the answers.
func (s *conn) allowed() {
	k := &s.asked
	skip := s.skip
	s.skip = false
	switch k.name {
	case "multi":
		s.multi = true
	case "exec", "discard":
		s.multi = false
	case "monitor":
		s.monitor = true
	case "client|reply":
		if len(s.request.args) == 3 {
			switch lower(s.request.args[2]) {
			case "on":
				s.silent = false
			case "off":
				s.silent = true
			case "skip":
				s.skip = !s.silent
			}
		}
	case "select", "reset":
		if k.name == "reset" {
			s.multi, s.silent = false, false
		}
		s.dbKnown = false
		if s.selects >= 0 && !skip {
			s.marks = append(s.marks, mark{kind: markDB, value: s.selects})
		}
	}
}

// Event hears what was decided.
func (s *conn) Event(c *sdk.Conn, e abi.Event) {
	switch {
	case e.Kind == abi.KindRefused:
		c.Send(abi.Agent, 0, []byte("-ERR "+oneLine(e.Reason)+"\r\n"))
		c.Close("the upstream refused")
	case e.Kind != abi.KindVerdict:
	case e.ID == s.connect && e.Outcome != abi.Allow:
		c.Send(abi.Agent, 0, []byte("-NOPERM "+oneLine(e.Reason)+"\r\n"))
		c.Close("the connection was denied")
	case e.ID == s.connect:
	case e.Outcome == abi.Allow:
		s.allowed()
	default:
		c.Drop(abi.Agent, s.request.length)
		s.walk = walk{0, s.request.missing}
		s.mark(c, mark{kind: markDenied, text: "-NOPERM denied: " + oneLine(e.Reason) + "\r\n"})
	}
}

// mark has the server refuse something at this place, so that its answer can be replaced.
func (s *conn) mark(c *sdk.Conn, m mark) {
	c.Stock(stockRefused)
	if s.silent || s.skip {
		s.skip = false // the server says nothing about it
		if m.kind == markLast {
			c.Fail(m.text)
		}
		return
	}
	s.marks = append(s.marks, m)
	if len(s.marks) >= maxMarks {
		c.Pause(abi.Agent)
	}
}

// refuse ends the connection over something that is not understood, behind the answers to what was.
func (s *conn) refuse(c *sdk.Conn, why string) {
	s.broken = true
	s.mark(c, mark{kind: markLast, text: "-ERR " + why + "\r\n"})
}

// walkOn passes or drops the next argument of a long command.
func (s *conn) walkOn(c *sdk.Conn, p []byte, end bool) int {
	size, start, err := bulkHeader(p, 0)
	switch {
	case err == errMore && !end:
		return 0
	case err != nil: // the server has the front of the command: nothing may follow it
		c.Fail("a long command that is not understood")
		return 0
	}
	n := uint64(start) + uint64(size) + 2
	s.walk.missing--
	if s.walk.id == 0 {
		c.Drop(abi.Agent, n)
	} else {
		c.Pass(abi.Agent, s.walk.id, n)
		if s.walk.missing == 0 {
			c.Done(s.walk.id)
		}
	}
	return int(min(n, uint64(len(p))))
}

// oneLine makes a text fit for an error of the protocol.
func oneLine(s string) string {
	b := []byte(s[:min(len(s), 400)])
	for i := range b {
		if b[i] < ' ' {
			b[i] = ' '
		}
	}
	return string(b)
}
