package session

import (
	"errors"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// A cancel request is a connection of its own, with a key that the server gave to another one. What the agents know are aliases of
// the keys, which hold for one peer and one endpoint: the host puts the key in the alias's place, or ends the connection when
// there is none. The server answers nothing to a cancel request, whatever becomes of it, and neither does this.

// errClearCancel is about clients that send cancel requests in clear though their sessions have TLS: libpq before version 17.
var errClearCancel = errors.New("a cancel request in clear, where the endpoint wants TLS")

// backendKey gives the agent an alias of the session's cancel key.
func (s *Session) backendKey(c *sdk.Conn, p []byte, size int64) int {
	n, err := proto.BackendKey(size, s.start.minor)
	if err != nil || s.start.keyed {
		s.mismatch(c, "BackendKeyData: "+proto.ErrFormat.Error())
		return 0
	}
	if int64(len(p)) < size {
		return 0
	}
	s.start.keyed = true
	c.Pass(abi.Upstream, 0, proto.KeyHead)
	c.Alias(n)
	return int(size)
}

// readCancel asks about a CancelRequest of size bytes.
func (s *Session) readCancel(c *sdk.Conn, size int) int {
	n, err := proto.CancelKey(size)
	if err == nil && s.facts.AgentTLSRequired && !s.start.secured {
		err = errClearCancel
	}
	if err != nil {
		s.phase = phaseEnded
		c.Fail("agent: " + err.Error())
		return 0
	}
	s.start.cancel, s.start.key = true, n
	b := c.Ask(familyConnect, abi.ClassSession, "cancel what another connection of this agent is doing")
	// It logs in as nobody: what a login would say is empty, not unknown.
	b.String(connectUser, "").String(connectDatabase, "").String(connectAskedUser, "").String(connectAskedDatabase, "")
	b.String(connectApplication, "").String(connectOptions, "").Strings(connectParameters, nil).String(connectProtocol, "")
	b.Bool(connectReplication, false).Bool(connectTLS, s.start.secured).Bool(connectGatewayLogin, false).Bool(connectCancel, true)
	s.phase = phaseConnect
	s.pending = pending{kind: connectPending, size: size}
	s.pending.id = b.Do(uint64(size), 0)
	return size
}

// sendCancel gives the server the request with the key of the session that the alias stands for.
func (s *Session) sendCancel(c *sdk.Conn) {
	c.Pass(abi.Agent, s.connect, proto.CancelHead)
	c.Unalias(s.connect, s.start.key)
	s.phase = phaseCancel
	if s.gone {
		c.Shut(abi.Upstream)
	}
}
