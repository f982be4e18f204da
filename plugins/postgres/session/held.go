package session

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Two ways in which an agent takes back what waits for a person: it leaves, which the host sees, or it cancels, with a
// CancelRequest of another connection. The server would answer a cancelled statement with this.
const (
	queryCanceled  = "57014" // query_canceled
	canceledByUser = "canceling statement due to user request"
)

// waits tells the agent that a person is asked, in a NOTICE: psql prints it at once, drivers hand it to whoever listens. Before the
// server has said that the session is ready there is none: libpq takes it for a broken server. Of a judge, who answers soon, the agent is not
// told; it can cancel all the same.
func (s *Session) waits(c *sdk.Conn, e *abi.Event) {
	if e.ID != s.pending.id || s.pending.kind == nothingPending {
		return
	}
	s.pending.hold = true
	if e.Hold == "" || s.phase != phaseReady || s.midway || s.away[abi.Upstream] {
		return
	}
	n := proto.Error{Severity: "NOTICE", Code: "00000", Message: "sallyport: held as " + e.Hold + " until somebody approves it: " + e.Reason,
		Detail: explain(e), Hint: "It waits until " + e.Until + "; cancel it, or disconnect, to take it back."}
	c.Send(abi.Agent, 0, proto.AppendNotice(nil, &n))
}

// cancelled takes back what waits for a person, because another connection of the agent asked for that.
func (s *Session) cancelled(c *sdk.Conn) {
	if s.pending.hold {
		s.pending.code, s.pending.canceled = queryCanceled, true
		c.Withdraw(s.pending.id)
	}
}
