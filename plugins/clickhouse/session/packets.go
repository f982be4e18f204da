package session

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// readPackets reads a packet of the agent, or a part of one.
func (s *Session) readPackets(c *sdk.Conn, p []byte) int {
	if s.data.state != dataNone {
		n := s.readData(c, p)
		if n > 0 || s.data.state != dataNone || s.phase != phaseReady {
			return n
		}
		// It was over with bytes that were passed ahead.
	}
	if !s.chunked {
		return s.readPacket(c, p, 0)
	}
	if s.chunks.Left() > 0 { // a further packet of a message
		return s.readPacket(c, p, 0)
	}
	if len(p) < 4 {
		s.need = 4
		return 0
	}
	if p[0]|p[1]|p[2]|p[3] == 0 {
		if _, err := s.chunks.Head(p[:4]); err != nil {
			return s.broken(c, err)
		}
		s.mark(c)
		return 4
	}
	if len(p) < 5 {
		s.need = 5
		return 0
	}
	return s.readPacket(c, p, 4)
}

// mark passes the end of a message to whoever has the message.
func (s *Session) mark(c *sdk.Conn) {
	if s.aside {
		s.aside = false
		c.Drop(abi.Agent, 4)
		return
	}
	s.move(c, 4)
}

// readPacket reads a packet that stands behind head bytes of a chunk's head.
func (s *Session) readPacket(c *sdk.Conn, p []byte, head int) int {
	switch code := p[head]; code {
	case proto.ClientData:
		return s.dataPacket(c, p, head)
	case proto.ClientCancel:
		return s.cancel(c, p, head)
	case proto.ClientQuery, proto.ClientPing, proto.ClientTablesStatus:
		if s.waitFor(c) {
			return 0
		}
		if s.chunked && (head == 0 || s.chunks.Left() > 0 || !s.chunks.AtStart()) {
			// What is denied could not be taken out of a message that has begun.
			return s.broken(c, proto.ErrChunk)
		}
		switch code {
		case proto.ClientQuery:
			return s.queryPacket(c, p)
		case proto.ClientPing:
			return s.ping(c, p, head)
		}
		return s.tablesPacket(c, p)
	default:
		s.refuse(c, unexpectedPacket, "sallyport: unexpected packet "+strconv.Itoa(int(code))+" from client", true)
		return 0
	}
}

// waitFor has what begins something new wait until what was before is over. It reports whether nothing is to be read now.
func (s *Session) waitFor(c *sdk.Conn) bool {
	d, a := &s.data, &s.answer
	switch {
	case s.action == 0 && !a.goesOn(s.answersChunked):
		return false
	case s.action == 0:
		s.stop(c)
		return true
	case a.state == answerOver && !a.goesOn(s.answersChunked):
		return false
	case s.kind == askedQuery && !d.tables || a.waits() && !d.over:
		// A server that waits for data would take this for it.
		s.refuse(c, unexpectedPacket, "sallyport: unexpected packet from client: the data of the query before it is not complete", true)
		return true
	case s.held || !s.heard || a.state == answerFollow || a.goesOn(s.answersChunked) || s.resultPending():
		s.stop(c)
		return true
	}
	return false
}

// enter counts the head of a chunk, and what of it belongs to a packet of size bytes.
func (s *Session) enter(p []byte, head, size int) {
	if s.chunked {
		if head > 0 {
			_, _ = s.chunks.Head(p[:head]) // it was looked at before
		}
		s.chunks.Took(uint32(size))
	}
}

// dataPacket begins a Data packet.
func (s *Session) dataPacket(c *sdk.Conn, p []byte, head int) int {
	d := &s.data
	if s.answer.state == answerOver && s.serverRevision < revSkips && s.action != 0 {
		s.finish(c)
		s.draining = true
	}
	if s.action == 0 && !s.draining || s.action != 0 && (d.over || s.kind != askedQuery) {
		s.refuse(c, unexpectedPacket, "sallyport: data that belongs to no query", true)
		return 0
	}
	if s.action != 0 && d.tables && s.answer.state == answerFollow && !s.answer.header.Known() {
		s.stop(c) // for the columns that the server wants, or its error
		return 0
	}
	if !d.tables && !s.chunked && !s.query.Compressed && bytes.HasPrefix(p, proto.EmptyData) {
		d.tables = true // as nearly always there are none
		s.move(c, uint64(len(proto.EmptyData)))
		return len(proto.EmptyData)
	}
	d.begin()
	d.block.Trust, d.block.Want = s.action == 0, nil
	if d.tables {
		d.block.Want = &s.answer.header
	}
	if s.riskyNow && s.action != 0 {
		d.strict = true
	}
	if s.chunked && head > 0 && binary.LittleEndian.Uint32(p) > maxMessage {
		return s.broken(c, proto.ErrChunk)
	}
	s.enter(p, head, 1)
	s.move(c, uint64(head)+1)
	return head + 1
}

// maxMessage bounds a chunk of a message, in bytes.
const maxMessage = 1 << 30

// cancel takes a query back: from the server, or from the person who is asked.
func (s *Session) cancel(c *sdk.Conn, p []byte, head int) int {
	s.enter(p, head, 1)
	n := head + 1
	if s.held {
		s.took = true
		c.Drop(abi.Agent, uint64(n))
		s.aside = s.chunked
		c.Withdraw(s.action)
		return n
	}
	s.data.tables, s.data.over = true, true // servers take no data behind it
	s.move(c, uint64(n))
	return n
}

// ping has the server answer.
func (s *Session) ping(c *sdk.Conn, p []byte, head int) int {
	s.finish(c)
	s.enter(p, head, 1)
	c.Drop(abi.Agent, uint64(head)+1)
	if s.chunked {
		s.aside = true
		c.Stock(stockPingChunked)
	} else {
		c.Stock(stockPing)
	}
	return head + 1
}

// whole is the packet that p begins with as far as it has come, without the framing of chunks.
func (s *Session) whole(p []byte) ([]byte, error) {
	if !s.chunked {
		return p, nil
	}
	b, err := s.chunks.Gather(s.gathered[:0], p)
	s.gathered = b
	return b, err
}

// cover is how many bytes of p the packet of size bytes takes, with its framing, which is counted.
func (s *Session) cover(p []byte, size int) int {
	if !s.chunked {
		return size
	}
	n, _ := s.chunks.Cover(p, size)
	return n
}
