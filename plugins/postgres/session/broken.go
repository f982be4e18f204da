package session

import (
	"errors"
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// What ends a session that is not understood. The agent hears what the server says to the same bytes, and the connection ends; none
// of them reaches the server.

// tell writes an error of the gateway's own to the agent, unless a message of the server is on its way to it.
func (s *Session) tell(c *sdk.Conn, e *proto.Error) {
	if !s.midway {
		c.Send(abi.Agent, 0, proto.AppendError(nil, e))
	}
}

// fatal tells the agent why the session ends.
func (s *Session) fatal(c *sdk.Conn, code, message, detail, hint string) {
	s.tell(c, &proto.Error{Severity: "FATAL", Code: code, Message: message, Detail: detail, Hint: hint})
}

// violate ends the session because the agent broke the protocol.
func (s *Session) violate(c *sdk.Conn, message string) {
	s.fatal(c, "08P01", message, "", "")
	s.phase = phaseEnded
	c.Fail("agent: " + message)
}

// malformed ends the session because of a message whose body is not what its type has. To the server that is an error like any
// other; here it is the last one.
func (s *Session) malformed(c *sdk.Conn, message string) (read int, next step) {
	if s.owes() {
		return s.answerFirst(c)
	}
	s.tell(c, &proto.Error{Severity: "ERROR", Code: "08P01", Message: message})
	s.phase = phaseEnded
	c.Fail("agent: " + message)
	return 0, stepWait
}

// owes reports whether something that the agent said before is not answered yet.
func (s *Session) owes() bool { return s.held.size > 0 || s.queue.len() > 0 }

// answerFirst puts off the end of the session until the server has answered what the agent said before, as it would have by itself. In
// a pipeline without Sync it is told to.
func (s *Session) answerFirst(c *sdk.Conn) (read int, next step) {
	if s.held.size > 0 {
		return s.askHeld(c)
	}
	if !s.queue.draining() && !s.flushed {
		s.flushed = true
		c.Stock(stockFlush)
	}
	s.stop(c)
	return 0, stepWait
}

// targetError says what the server does of a Describe or Close that is about neither a statement nor a portal.
func targetError(what string, target byte, err error) string {
	if errors.Is(err, proto.ErrSubtype) {
		return "invalid " + what + " message subtype " + strconv.Itoa(int(target))
	}
	return err.Error()
}

// unreadableHead ends the session because of a message whose type or length is none. Of a wrong length the server says nothing.
func (s *Session) unreadableHead(c *sdk.Conn, typ byte, limit int64) {
	if limit == 0 {
		s.violate(c, "invalid frontend message type "+strconv.Itoa(int(typ)))
		return
	}
	s.phase = phaseEnded
	c.Fail("agent: invalid message length")
}

// outOfStep ends the session because of something in the data of a COPY that does not belong there.
func (s *Session) outOfStep(c *sdk.Conn, code, message string) {
	s.tell(c, &proto.Error{Severity: "ERROR", Code: code, Message: message})
	s.fatal(c, "08P01", "terminating connection because protocol synchronization was lost", "", "")
	s.phase = phaseEnded
	c.Fail("agent: " + message)
}

// mismatch ends the session because the server said what does not follow from what it was given.
func (s *Session) mismatch(c *sdk.Conn, what string) {
	s.phase = phaseEnded
	c.Fail("upstream: " + what)
}
