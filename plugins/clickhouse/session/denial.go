package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Codes of exceptions (src/Common/ErrorCodes.cpp).
const (
	syntaxError          = 62
	unexpectedPacket     = 101
	networkError         = 210
	queryWasCancelled    = 394
	accessDenied         = 497
	authenticationFailed = 516
	cannotParse          = 117 // INCORRECT_DATA
)

// Denial is what the agent is told of a verdict.
func Denial(e *abi.Event) string {
	text := e.Reason
	if text == "" {
		text = "denied by sallyport"
	}
	sep := " ("
	for _, part := range [...]struct{ name, value string }{{"rule ", quote(e.Rule)}, {"hold ", e.Hold}, {"receipt ", e.Receipt}} {
		if part.value != "" {
			text += sep + part.name + part.value
			sep = ", "
		}
	}
	if sep == ", " {
		text += ")"
	}
	return text
}

// Withheld is what the agent is told when it does not get an answer.
func Withheld(e *abi.Event) string {
	return "the statement ran, and its result is withheld: " + Denial(e)
}

func quote(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}

// exception tells the agent that something failed.
func (s *Session) exception(c *sdk.Conn, code int32, message string) {
	b := proto.AppendException(nil, code, message)
	if s.answersChunked {
		b = proto.AppendChunked(nil, b)
	}
	c.Send(abi.Agent, 0, b)
}

// refuse tells the agent why the connection ends. failed: something was not understood.
func (s *Session) refuse(c *sdk.Conn, code int32, message string, failed bool) {
	s.exception(c, code, message)
	s.phase = phaseEnded
	if failed {
		c.Fail("agent: " + message)
		return
	}
	c.Close(message)
}

// denied drops the present query, with all that follows of it, and answers it.
func (s *Session) denied(c *sdk.Conn, e *abi.Event) {
	code, message := int32(accessDenied), Denial(e)
	if s.took {
		code, message = queryWasCancelled, "Query was cancelled"
	}
	s.action, s.kind, s.held, s.took, s.heard = 0, askedNothing, false, false, true
	s.answer.stop()
	s.answer.open = false
	s.draining = true
	s.exception(c, code, message)
	s.resume(c)
}
