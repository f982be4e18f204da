package session

import (
	"math"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// copies is how many COPY … FROM STDIN the text has, or may have.
func (st *statement) copies() (n int) {
	if st.facts.Unknown {
		return math.MaxInt
	}
	for i := range st.facts.Each {
		if st.facts.Each[i].Kind == sqlfacts.KindCopyIn {
			n++
		}
	}
	return n
}

// copying is a COPY … FROM STDIN that was allowed, from the message that asks for it to the end of its data.
type copying struct {
	action uint32 // streaming; 0 when there is none
	open   bool   // the server takes data now
	simple bool   // it is part of a Query, which may have several
	left   int    // how many may still begin
	over   bool   // the server takes no more, and data that is on its way passes by itself
}

// copyMessage passes the data of a COPY. What the agent sends before the server has said whether it wants data waits for that.
func (s *Session) copyMessage(c *sdk.Conn, m []byte, typ byte, size int64) (read int, next step) {
	if !s.copy.open {
		s.stop(c)
		return 0, stepWait
	}
	limit := proto.FrontendLimit(typ)
	switch typ {
	case proto.CopyData, proto.CopyDone, proto.CopyFail, proto.Sync, proto.Flush, proto.Terminate:
		if size < proto.HeaderSize || size > limit+1 {
			s.outOfStep(c, "08006", "unexpected EOF on client connection with an open transaction")
			return 0, stepWait
		}
	}
	switch typ {
	case proto.CopyData:
		return s.scanAgent(c)
	case proto.CopyDone, proto.CopyFail:
		c.Pass(abi.Agent, s.copy.action, uint64(size))
		s.copy.open = false
		if !s.copy.simple || s.copy.left == 0 {
			s.endCopy(c)
		}
		return int(min(size, int64(len(m)))), stepOn
	case proto.Sync, proto.Flush:
		// The server ignores them here.
		return s.drop(c, m, size)
	case proto.Terminate:
		s.endCopy(c)
		return s.bare(c, m, typ, size)
	}
	s.outOfStep(c, "08P01", "unexpected message type 0x"+hexByte(typ)+" during COPY from stdin")
	return 0, stepWait
}

// endCopy ends the streaming action: the server takes no more data for it. Data that passes by itself goes on to the server,
// which ignores it, until the agent says something else.
func (s *Session) endCopy(c *sdk.Conn) {
	switch {
	case s.copy.action == 0:
		return
	case s.away[abi.Agent]:
		s.copy.open, s.copy.over = false, true
		return
	}
	c.Done(s.copy.action)
	s.copy = copying{}
	s.moved = true
}

func hexByte(b byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{digits[b>>4], digits[b&15]})
}
