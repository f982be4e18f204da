package session

import (
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// answer follows the server's answer to a query that may be an INSERT: which columns it wants, and whether it waits for rows.
type answer struct {
	state  answerState
	words  proto.Welcome
	header proto.Header
	block  proto.Block
	frame  proto.Frames
	in     bool // a block is being read,
	packed bool // compressed
	kept   bool // and it is the header
	chunks proto.Chunks
	fresh  bool // nothing of the answer has come
	buf    []byte
	logs   proto.Header // what is not looked at

	// every: some rule looks at answers, so each is followed to its end, whatever it answers. code is the present packet's.
	every bool
	open  bool // one is being followed, and is not over
	lost  bool // where it ends cannot be told, so neither where the next one begins
	rows  bool // an answer that should ask for rows has some
	code  byte
	at    int // of buf is followed, while an answer is kept
}

type answerState uint8

const (
	answerNone   answerState = iota // it is not followed, or not understood
	answerFollow                    // it is
	answerOver                      // it has come to its end
)

// maxAnswer bounds the packets that are kept until they are whole, in bytes.
const maxAnswer = 3 << 20

func (a *answer) begin() {
	a.state = answerFollow
	if !a.every {
		a.in, a.fresh, a.buf, a.chunks = false, true, a.buf[:0], proto.Chunks{}
	}
	a.header.Reset()
}

func (a *answer) stop() {
	a.state = answerNone
	a.header.Reset()
}

// waits reports whether the server waits for rows.
func (a *answer) waits() bool { return a.state == answerFollow && a.header.Known() }

// goesOn reports whether what the server says next belongs to an answer that is not over, as far as that is followed.
func (a *answer) goesOn(chunked bool) bool {
	return a.every && !a.lost && (a.open || chunked && !a.chunks.AtStart())
}

// fail gives up what cannot be followed.
func (a *answer) fail() {
	a.stop()
	a.lost, a.open = a.every, false
}

// read reads on.
func (a *answer) read(p []byte, chunked, compressed bool) {
	if !chunked {
		a.buf = append(a.buf, p...)
	}
	for chunked && len(p) > 0 {
		if a.chunks.Left() == 0 {
			if a.fresh && len(p) >= 4 && p[0]|p[1]|p[2]|p[3] == 0 { // the end of the message before
				p = p[4:]
				a.fresh = false
				continue
			}
			a.fresh = false
			n, err := a.chunks.Head(p)
			if err != nil {
				a.fail()
				return
			}
			p = p[n:]
			continue
		}
		k := min(len(p), int(a.chunks.Left()))
		a.buf = append(a.buf, p[:k]...)
		a.chunks.Took(uint32(k))
		p = p[k:]
	}
	at := 0
	for at < len(a.buf) && (a.state == answerFollow || a.every && !a.lost) {
		n, err := a.packet(a.buf[at:], compressed)
		at += n
		if err == proto.ErrMore && len(a.buf)-at < maxAnswer {
			break
		}
		if err != nil {
			a.fail()
		}
	}
	a.buf = a.buf[:copy(a.buf, a.buf[at:])]
}

// packet reads a packet, or a part of a block.
func (a *answer) packet(p []byte, compressed bool) (n int, err error) {
	if a.in {
		return a.blockOf(p)
	}
	a.code = p[0]
	switch code := p[0]; code {
	case proto.ServerData, proto.ServerTotals, proto.ServerExtremes, proto.ServerLog, proto.ServerProfileEvents:
		if n, err = proto.ReadTableName(p); err != nil {
			return 0, err
		}
		a.in = true
		data := code == proto.ServerData || code == proto.ServerTotals || code == proto.ServerExtremes
		a.packed = compressed && (data || proto.CompressedLogs(a.block.Revision))
		a.kept = code == proto.ServerData && a.state == answerFollow && !a.header.Known()
		a.logs.Reset()
		a.block.Keep = &a.logs
		if a.kept {
			a.block.Keep = &a.header
		}
		a.block.Begin()
		a.frame.Begin()
		return n, nil
	}
	if n, err = proto.ReadAnswer(p, a.block.Revision); err != nil {
		return 0, err
	}
	switch a.code {
	case proto.ServerException, proto.ServerEndOfStream, proto.ServerTablesStatus:
		a.open = false
		if a.state == answerFollow {
			a.state = answerOver
		}
	}
	return n, nil
}

func (a *answer) blockOf(p []byte) (n int, err error) {
	if a.packed {
		n, err = a.frame.Feed(p, &a.block)
	} else {
		n, err = a.block.Feed(p)
	}
	if err == nil && a.block.Done() && (!a.packed || a.frame.Done(&a.block)) {
		a.in = false
		if _, rows := a.block.Size(); a.kept && rows > 0 {
			a.state = answerNone // rows: this is no INSERT
			a.rows = true
			a.header.Reset()
		}
	}
	return n, err
}

// upstream reads what the server has sent.
func (s *Session) upstream(c *sdk.Conn, p []byte, end bool) int {
	if len(p) == 0 {
		if end {
			if s.held {
				c.Withdraw(s.action)
			}
			s.cutResult(c)
		}
		return 0
	}
	if s.phase == phaseWelcome {
		n := s.readWelcome(c, p)
		if n == 0 && end {
			c.Close("the server closed the connection")
		}
		return n
	}
	if s.result.parent != 0 {
		return s.readResult(c, p, end)
	}
	if s.answer.state == answerFollow || s.answer.every && !s.answer.lost {
		s.answer.read(p, s.answersChunked, s.query.Compressed)
	}
	if s.answer.every && s.answer.rows && s.takesRows {
		s.refuse(c, networkError, "sallyport: an answer with rows to a statement that takes some, and was not looked at", true)
		return 0
	}
	id := uint32(0)
	if s.answer.every {
		id = s.connect // the host may have begun what the verdict demands, before it is known here
	}
	c.Pass(abi.Upstream, id, uint64(len(p)))
	s.heard = true
	s.resume(c)
	return len(p)
}

// finish ends the present query.
func (s *Session) finish(c *sdk.Conn) {
	if s.result.parent != 0 {
		c.Answered(s.result.parent)
		s.result.parent = 0
	}
	if s.action != 0 {
		c.Done(s.action)
		s.action, s.kind = 0, askedNothing
	}
	s.draining = false
}

// revSkips is the revision from which on servers read on to the end of the data behind an error. Older ones take nothing more of it.
const revSkips = 54443
