package session

import (
	"errors"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// data is a Data packet that is being followed, and where in the data of a query it stands.
type data struct {
	state dataState
	left  uint64 // of the table's name
	num   int
	size  [3]byte
	named bool
	block proto.Block
	frame proto.Frames
	// tables says that the external tables are over: what follows are the rows of an INSERT.
	tables bool
	over   bool // and so are they
	// strict says that no rows are taken, because the server could fail in the middle of them.
	strict bool
}

type dataState uint8

const (
	dataNone dataState = iota
	dataNameLength
	dataName
	dataBlock
)

// errRisky is about settings that make servers fail in the middle of a block, behind which they would take the rest for packets.
var errRisky = errors.New("no data is taken with settings that limit memory or waiting (max_memory_usage, receive_timeout and their kin)")

// begin is called behind the code of the packet.
func (d *data) begin() {
	d.state, d.num, d.named = dataNameLength, 0, false
	d.block.Begin()
	d.frame.Begin()
}

// feed reads on in the packet, and returns how many bytes of p are of it. more: it is not over.
func (d *data) feed(p []byte, compressed bool) (n int, err error) {
	for n < len(p) {
		switch d.state {
		case dataNone:
			return n, nil
		case dataNameLength:
			d.size[d.num] = p[n]
			d.num++
			n++
			v, _, err := proto.Uvarint(d.size[:d.num])
			switch {
			case err == proto.ErrMore && d.num < len(d.size):
				continue
			case err != nil:
				return n, err
			case v > proto.MaxWord:
				return n, proto.ErrLength
			}
			d.left, d.state, d.named = v, dataName, v > 0
			if v == 0 {
				d.state = dataBlock
			}
		case dataName:
			k := min(d.left, uint64(len(p)-n))
			n += int(k)
			if d.left -= k; d.left == 0 {
				d.state = dataBlock
			}
		case dataBlock:
			var k int
			if compressed {
				k, err = d.frame.Feed(p[n:], &d.block)
			} else {
				k, err = d.block.Feed(p[n:])
			}
			n += k
			if err != nil {
				return n, err
			}
			if d.strict && d.block.Columns() > 0 {
				return n, errRisky
			}
			if over := d.block.Done(); over && (!compressed || d.frame.Done(&d.block)) {
				d.state = dataNone
				return n, nil
			}
		}
	}
	return n, nil
}

// ended notes what follows from a block that is over.
func (d *data) ended() {
	if d.block.Empty() {
		d.over = d.tables
		d.tables = true
	}
}

// move passes n bytes of the agent under the present action, or drops them when that was denied.
func (s *Session) move(c *sdk.Conn, n uint64) {
	if s.action != 0 {
		c.Pass(abi.Agent, s.action, n)
	} else {
		c.Drop(abi.Agent, n)
	}
}

// readData goes on with a Data packet, and returns how many bytes were read.
func (s *Session) readData(c *sdk.Conn, p []byte) int {
	d := &s.data
	n := 0
	for n < len(p) && d.state != dataNone {
		piece := p[n:]
		if s.chunked {
			if s.chunks.Left() == 0 {
				k, err := s.chunks.Head(piece)
				if err != nil {
					return s.broken(c, err)
				}
				n += k
				s.move(c, uint64(k))
				continue
			}
			piece = piece[:min(len(piece), int(s.chunks.Left()))]
		}
		// Behind an error of the server the data go on to one that reads them to their end.
		if d.wantsHeader() && s.action != 0 && !s.answer.header.Known() && s.answer.state != answerOver {
			if s.answer.state == answerNone || s.half {
				s.refuse(c, unexpectedPacket, "sallyport: data that nobody asked for", true)
				return 0
			}
			s.stop(c) // for the columns that the server wants
			break
		}
		k, err := d.feed(piece, s.query.Compressed)
		if err != nil {
			return s.broken(c, err)
		}
		s.move(c, uint64(k))
		n += k
		if s.chunked {
			s.chunks.Took(uint32(k))
		}
	}
	if d.state == dataNone {
		d.ended()
		return n
	}
	if n == len(p) {
		s.ahead(c)
	}
	return n
}

// ahead passes bytes that have not come and need no look.
func (s *Session) ahead(c *sdk.Conn) {
	d := &s.data
	const worth = 4 << 10
	if d.state != dataBlock || s.query.Compressed {
		return
	}
	k := d.block.Skip()
	if s.chunked {
		k = min(k, uint64(s.chunks.Left()))
	}
	if k < worth {
		return
	}
	s.move(c, k)
	d.block.Skipped(k)
	if s.chunked {
		s.chunks.Took(uint32(k))
	}
}

// wantsHeader reports whether the rows of an INSERT begin.
func (d *data) wantsHeader() bool { return d.tables && d.state == dataBlock && !d.block.Begun() }

// broken ends a connection whose data cannot be followed: where the next packet begins is not known.
func (s *Session) broken(c *sdk.Conn, err error) int {
	s.refuse(c, cannotParse, "sallyport: "+err.Error(), true)
	return 0
}
