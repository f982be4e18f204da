package main

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// replies walks the server's answers, of which nothing is kept: only where one ends and the next begins, and which are errors.
type replies struct {
	nested  uint64 // values that are still to come before the present answer ends, the one that is being read included
	midLine bool   // the end of a long line is still to come
	last    byte   // type of the last answer that was no push
}

// The server's answer to the refused command begins so, before the name in quotes of one kind or another.
const unknownCommand = "-ERR unknown command "

// maxReplyLine is how much of a line is waited for when it could be the answer to the refused command, and the most that a line with
// a length may have.
const maxReplyLine = 256

// answers reads one piece of the server's answers.
func (s *conn) answers(c *sdk.Conn, p []byte, end bool) int {
	if len(p) == 0 { // the server closes connections whole
		c.Close("the server closed the connection")
		return 0
	}
	line := bytes.IndexByte(p, '\n') + 1
	if s.replies.midLine {
		return s.restOfLine(c, p, line)
	}
	if line == 0 && end {
		c.Pass(abi.Upstream, 0, uint64(len(p)))
		return len(p)
	}
	switch p[0] {
	case '+', '-', ':', '_', ',', '#', '(':
		return s.simple(c, p, line, end)
	case '$', '=', '!', '*', '~', '%', '>', '|':
		if line == 0 && len(p) < maxReplyLine {
			return 0
		}
		return s.sized(c, p)
	}
	c.Fail("an answer of the server that is not understood")
	return 0
}

func (s *conn) restOfLine(c *sdk.Conn, p []byte, line int) int {
	n := line
	if n == 0 {
		n = len(p)
	}
	c.Pass(abi.Upstream, 0, uint64(n))
	if line > 0 {
		s.replies.midLine = false
		s.whole()
	}
	return n
}

// simple reads a line. Long ones pass as they come, once it is clear that they are not what is looked for.
func (s *conn) simple(c *sdk.Conn, p []byte, line int, end bool) int {
	candidate := p[0] == '-' && s.replies.nested == 0
	if line == 0 {
		if candidate && len(p) < maxReplyLine {
			return 0
		}
		s.replies.midLine = true
		s.replies.begin(p[0])
		c.Pass(abi.Upstream, 0, uint64(len(p)))
		return len(p)
	}
	if candidate && len(s.marks) > 0 && isRefusal(p[:line]) {
		s.marked(c, line)
		return line
	}
	s.replies.begin(p[0])
	c.Pass(abi.Upstream, 0, uint64(line))
	s.whole()
	return line
}

// isRefusal reports whether a line is the server's answer to the refused command.
func isRefusal(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte(unknownCommand))
	return ok && len(rest) > len(refusedName)+2 && string(rest[1:1+len(refusedName)]) == refusedName && (rest[0] == '\'' || rest[0] == '`')
}

// marked replaces the answer to a refused command by what its place stands for.
func (s *conn) marked(c *sdk.Conn, line int) {
	m := s.marks[0]
	s.marks = s.marks[:copy(s.marks, s.marks[1:])]
	c.Drop(abi.Upstream, uint64(line))
	switch m.kind {
	case markDB:
		if s.replies.last == '+' {
			s.db, s.dbKnown = m.value, true
		}
		c.Unpause(abi.Agent)
		return
	case markLast:
		c.Send(abi.Agent, 0, []byte(m.text))
		c.Fail(oneLine(m.text[len("-ERR "):]))
	default:
		c.Send(abi.Agent, 0, []byte(m.text))
	}
	s.replies.last = '-'
	if len(s.marks) == maxMarks-1 {
		c.Unpause(abi.Agent)
	}
}

// sized reads the head of a bulk, which passes with its bytes, or of a collection, whose values follow.
func (s *conn) sized(c *sdk.Conn, p []byte) int {
	n, start, err := header(p, 0, 1<<40, errBulk)
	if err != nil || n < -1 {
		c.Fail("a length in an answer of the server that cannot be read")
		return 0
	}
	s.replies.begin(p[0])
	size := uint64(start)
	switch p[0] {
	case '$', '=', '!':
		if n >= 0 {
			size += uint64(n) + 2
		}
		c.Pass(abi.Upstream, 0, size)
		s.whole()
	default:
		c.Pass(abi.Upstream, 0, size)
		values := uint64(max(n, 0))
		if p[0] == '%' || p[0] == '|' {
			values *= 2
		}
		if s.replies.nested += values; s.replies.nested > 1<<50 {
			c.Fail("an answer of the server without end")
			return 0
		}
		if p[0] != '|' { // what has an attribute stands behind it
			s.whole()
		}
	}
	return int(min(size, uint64(len(p))))
}

// begin notes the type of an answer, which is that of its first line.
func (r *replies) begin(kind byte) {
	if r.nested > 0 {
		return
	}
	r.nested = 1
	if kind != '>' {
		r.last = kind
	}
}

// whole ends one value.
func (s *conn) whole() { s.replies.nested-- }
