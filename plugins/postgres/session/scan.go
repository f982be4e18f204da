package session

import (
	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Rows and the data of COPY can do nothing and need no look: the host walks them by itself. A scan costs as much as reading a few
// rows here, so it begins behind the first ones of a result, and with the first piece of a COPY. Where it begins follows from the
// messages alone, not from how they were cut.

// rowsBeforeScan is how many rows of a result are read before a scan.
const rowsBeforeScan = 16

// framing is how the messages of either side are found.
func framing(most uint64) abi.Framing {
	return abi.Framing{Head: proto.HeaderSize, TypeAt: 0, LengthAt: 1, LengthWidth: 4, BigEndian: true, Adjust: 1, Max: most}
}

var (
	agentFraming    = framing(1 + proto.MaxLarge)
	upstreamFraming = framing(proto.MaxBackend)
	rowTypes        = abi.Types(proto.DataRow)
	copyTypes       = abi.Types(proto.CopyData)
)

// scanUpstream has the messages of the given types pass by themselves. Nothing can be written to the agent meanwhile.
func (s *Session) scanUpstream(c *sdk.Conn, types *abi.TypeSet) int {
	s.away[abi.Upstream], s.midway = true, true
	c.Scan(abi.Upstream, s.answers(c), upstreamFraming, types)
	return 0
}

// scans reports whether rows may pass by themselves: they are neither kept nor dropped.
func (s *Session) scans() bool {
	return !s.muted && (s.parent == 0 || s.result.state == streaming)
}

// scanAgent has the data of the COPY that is open pass by itself.
func (s *Session) scanAgent(c *sdk.Conn) (read int, next step) {
	s.away[abi.Agent] = true
	c.Scan(abi.Agent, s.copy.action, agentFraming, copyTypes)
	return 0, stepWait
}

// scanned goes on behind a scan.
func (s *Session) scanned(c *sdk.Conn, e *abi.Event) {
	s.away[e.Side] = false
	if e.Side == abi.Agent {
		if s.copy.over { // the server has ended the COPY while its data came
			s.copy.over = false
			s.endCopy(c)
		}
		return
	}
	s.midway = false
	if s.queue.len() > 0 {
		s.queue.head().rows += e.Frames
	}
}
