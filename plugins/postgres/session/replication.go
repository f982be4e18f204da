package session

import (
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// A replication connection speaks to the server's walsender: its commands have a grammar of their own, in which the same text
// means something else than in SQL, and in one to a database SQL is mixed with them. So the connection is of class admin, and what
// the agent says on it is one opaque action of family sql, which covers everything up to the end.

// endless is more bytes than a connection has.
const endless = 1 << 62

// readReplication asks about everything that the agent will say, once it says something.
func (s *Session) readReplication(c *sdk.Conn, p []byte) int {
	if s.replicating {
		return len(p) // it passes without being read
	}
	if len(p) == 0 {
		return 0
	}
	b := s.askOpaque(c, "whatever a replication connection does", true, false).Strings(sqlVerbs, []string{"replication"})
	s.pending = pending{kind: replicationPending}
	s.pending.id = b.Do(0, abi.AskStreaming)
	return 0
}

// replicationAllowed lets both sides go on by themselves.
func (s *Session) replicationAllowed(c *sdk.Conn, p pending) {
	s.replicating = true
	c.Pass(abi.Agent, p.id, endless)
	c.Pass(abi.Upstream, 0, endless)
}

// replicationDenied ends the connection: no error of the walsender could stand for what is not known.
func (s *Session) replicationDenied(c *sdk.Conn, d denial) {
	s.fatal(c, d.code, d.message, d.detail, "")
	s.phase = phaseEnded
	c.Close("replication was denied")
}
