package session

import (
	"encoding/binary"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Where a rule looks at what comes back, the host keeps the answer to a query from its first packet to its last, and it is asked about
// then. Values are named where they stand, block by block and in it column by column, as they are sent; those of compressed blocks, and
// those that are not text, are given as text. What says how far the server is (Progress, ProfileEvents), and Pong, passes meanwhile: a
// client that hears nothing for long gives up.
//
// On an endpoint with such a rule every answer is followed to its end, also those that nobody looks at: else the tail of one could be
// taken for the next. And what the agent sends behind a query waits until its answer is over.

// result is the answer to one action while it is kept.
type result struct {
	parent   uint32
	question uint32 // about it; 0: not asked
	limit    int
	state    resultState
	columns  []string
	types    [][]byte // of them, as they were named last
	unnamed  bool     // there are columns which are not in the list
	rows     int64
	code     int32 // of the exception
	full     bool  // not all of its values fitted
	named    int   // where the last one ends in what is kept
	reader   proto.Reader

	segments []segment
	plain    []byte // the present block, without compression
	aside    answer // looks at packets that pass
}

type resultState uint8

const (
	keeping   resultState = iota
	streaming             // it was too long, and allowed
	withheld              // and denied: the rest is dropped
	unbounded             // it was allowed, and where it ends cannot be told
)

// segment says that the bytes of a packet from at on are kept from kept on.
type segment struct{ at, kept int }

// maxAside bounds a packet that passes while an answer is kept, in bytes.
const maxAside = 64 << 10

// plainFactor is how many times the limit a block may have without compression.
const plainFactor = 8

// resultPending reports whether an answer is kept, asked about, or followed to the end of what was too long.
func (s *Session) resultPending() bool { return s.result.parent != 0 && s.result.state != unbounded }

// inspects begins what the verdict on the present action demands.
func (s *Session) inspects(c *sdk.Conn, e *abi.Event) {
	switch {
	case s.kind != askedQuery || s.takesRows: // there is no result; and a server asks for rows before it says anything else
		c.Answered(e.ID)
	case s.answer.lost:
		s.refuse(c, accessDenied, "the statement ran, and its result is withheld: where it begins cannot be told, because the end of an answer before it could not; connect again", true)
	default:
		r := &s.result
		s.result = result{parent: e.ID, limit: int(e.Inspect), reader: r.reader, columns: r.columns[:0], types: r.types[:0], plain: r.plain[:0], aside: r.aside}
		s.result.aside.block.Revision = s.revision
		s.answer.block.Copy = nil
		if s.query.Compressed {
			s.answer.block.Copy = s.result.copyPlain
		}
	}
}

// copyPlain keeps what a block is without compression.
func (r *result) copyPlain(p []byte) {
	if len(r.plain)+len(p) > plainFactor*r.limit {
		r.full = true
		p = p[:plainFactor*r.limit-len(r.plain)]
	}
	r.plain = append(r.plain, p...)
}

// readResult reads what belongs to an answer that is looked at.
func (s *Session) readResult(c *sdk.Conn, p []byte, end bool) (n int) {
	r := &s.result
	s.heard = true
	switch r.state {
	case keeping:
		n = s.keep(c, p)
		if end && n < len(p) && r.question == 0 && r.state == keeping { // a packet that will never be whole
			s.cutResult(c)
		}
		return n
	case withheld:
		c.Drop(abi.Upstream, uint64(len(p)))
	default:
		c.Pass(abi.Upstream, r.parent, uint64(len(p)))
	}
	if r.state != unbounded {
		s.answer.read(p, s.answersChunked, s.query.Compressed)
		s.streamed(c)
	}
	return len(p)
}

// streamed goes on behind a piece of an answer that was too long.
func (s *Session) streamed(c *sdk.Conn) {
	r := &s.result
	switch {
	case s.answer.lost && r.state == withheld:
		s.phase = phaseEnded
		c.Fail("where an answer that is withheld ends cannot be told")
	case s.answer.lost:
		r.state = unbounded
		s.resume(c)
	case !s.answer.goesOn(s.answersChunked):
		s.resultOver(c)
	}
}

// resultOver ends an answer that was too long, or has an end that nobody knows.
func (s *Session) resultOver(c *sdk.Conn) {
	c.Answered(s.result.parent)
	s.result.parent = 0
	s.resume(c)
}

// cutResult goes on when the server has closed the connection, in the middle of an answer or not.
func (s *Session) cutResult(c *sdk.Conn) {
	r := &s.result
	kept := r.parent != 0 && r.state == keeping
	if r.parent != 0 {
		c.Answered(r.parent)
		r.parent = 0
	}
	if kept {
		s.refuse(c, networkError, "sallyport: the server closed the connection in the middle of its answer", false)
		return
	}
	if s.stopped { // what the agent has said waits for something that will not come
		s.phase = phaseEnded
		c.Close("the server closed the connection")
		return
	}
	c.Shut(abi.Agent)
}

// keep has the host keep what has come of the answer, up to the end of the answer or as much as fits.
func (s *Session) keep(c *sdk.Conn, p []byte) (n int) {
	r, a := &s.result, &s.answer
	for n < len(p) && r.question == 0 && s.phase == phaseReady {
		if len(a.buf) == 0 && !a.in && (!s.answersChunked || a.chunks.AtStart()) {
			size, wait := s.passes(p[n:])
			if wait {
				return n
			}
			if size > 0 {
				c.Pass(abi.Upstream, s.connect, uint64(size))
				n += size
				continue
			}
		}
		room := r.limit - c.Kept(r.parent)
		if room <= 0 || !c.Fits(r.parent, 1) {
			s.truncate(c)
			return n
		}
		piece := p[n:min(len(p), n+room)]
		if s.answersChunked && a.chunks.Left() == 0 {
			k, err := a.chunks.Head(piece)
			if err != nil {
				a.fail()
				s.truncate(c)
				return n
			}
			c.Keep(r.parent, k)
			n += k
			if !a.goesOn(true) {
				s.askResult(c, 0)
			}
			continue
		}
		if s.answersChunked {
			piece = piece[:min(len(piece), int(a.chunks.Left()))]
		}
		n += s.keepPiece(c, piece)
	}
	return n
}

// keepPiece keeps bytes of the present packet, and returns how many it took.
func (s *Session) keepPiece(c *sdk.Conn, piece []byte) int {
	r, a := &s.result, &s.answer
	whole, before := piece, len(a.buf)
	if before > 0 || len(r.segments) > 0 {
		piece = piece[:min(len(piece), max(4<<10, before))] // so that few bytes of the packets behind it are copied
		a.buf = append(a.buf, piece...)
		whole = a.buf
	}
	if k := len(r.segments); k == 0 || r.segments[k-1].kept+before-r.segments[k-1].at != c.Kept(r.parent) {
		r.segments = append(r.segments, segment{before, c.Kept(r.parent)})
	}
	at, done := a.at, false
	var err error
	for at < len(whole) && !done && err == nil {
		var k int
		k, err = a.packet(whole[at:], s.query.Compressed)
		at += k
		done = err == nil && !a.in
		if k == 0 && err == nil && !done {
			break
		}
	}
	if err == proto.ErrMore && len(whole)-at < maxAnswer {
		err = nil
	}
	size := len(whole)
	switch {
	case done:
		size = at
	case err != nil: // what is behind it could be anything
		size = max(at, before+1)
	}
	took := size - before
	c.Keep(r.parent, took)
	if s.answersChunked {
		a.chunks.Took(uint32(took))
	}
	if !done && err == nil {
		if before == 0 {
			a.buf = append(a.buf[:0], whole...)
		}
		a.at = at
		return took
	}
	s.nameValues(c, whole[:size], done)
	a.buf, a.at, r.segments, r.plain = a.buf[:0], 0, r.segments[:0], r.plain[:0]
	switch {
	case err != nil:
		a.fail()
		s.opaque(c)
		s.truncate(c)
	case r.full && a.goesOn(s.answersChunked):
		s.truncate(c)
	case !a.goesOn(s.answersChunked):
		s.askResult(c, 0)
	}
	return took
}

// opaque says that something of the answer cannot be read.
func (s *Session) opaque(c *sdk.Conn) {
	r := &s.result
	kept := c.Kept(r.parent)
	if r.named == kept {
		s.refuse(c, accessDenied, "the statement ran, and its result is withheld: it cannot be read", true)
		return
	}
	c.Value(r.parent, abi.NoColumn, abi.FormatOpaque, r.named, kept-r.named)
	r.named = kept
}

// truncate asks about what is kept of an answer that does not fit, or cannot be followed.
func (s *Session) truncate(c *sdk.Conn) {
	a, r := &s.answer, &s.result
	if s.phase != phaseReady {
		return
	}
	if len(a.buf) > 0 { // a packet of which a part is there
		s.nameValues(c, a.buf, false)
		a.buf = a.buf[:copy(a.buf, a.buf[a.at:])]
	}
	a.at, r.segments, r.plain = 0, r.segments[:0], r.plain[:0]
	a.block.Copy = nil
	s.askResult(c, abi.AskTruncated)
}

// passes reports how many bytes at the front of p are a packet, with its framing, that passes while an answer is kept. wait: that is to be seen.
func (s *Session) passes(p []byte) (size int, wait bool) {
	content, size, whole := p, 0, true
	if s.answersChunked {
		content, size, whole = message(p)
	}
	if len(content) == 0 {
		return 0, !whole && len(p) < 8
	}
	var n int
	var err error
	switch content[0] {
	case proto.ServerProgress, proto.ServerPong:
		n, err = proto.ReadAnswer(content, s.revision)
	case proto.ServerProfileEvents:
		n, err = s.result.events(content, s.query.Compressed)
	default:
		return 0, false
	}
	switch {
	case err == proto.ErrMore || err == nil && !whole:
		return 0, len(p) < maxAside
	case err != nil:
		return 0, false
	case !s.answersChunked:
		return n, false
	case n != len(content): // something else is in the message
		return 0, false
	}
	return size, false
}

// message is what the chunks of the message at the front of p hold, and how many bytes it has.
func message(p []byte) (content []byte, size int, whole bool) {
	for len(p)-size >= 4 {
		n := int(binary.LittleEndian.Uint32(p[size:]))
		if size += 4; n == 0 {
			return content, size, true
		}
		k := min(n, len(p)-size)
		if content = append(content, p[size:size+k]...); len(content) > maxAside {
			break
		}
		size += k
	}
	return content, size, false
}

// events is the size of a packet of events.
func (r *result) events(p []byte, compressed bool) (n int, err error) {
	a := &r.aside
	a.in = false
	for n < len(p) {
		k, err := a.packet(p[n:], compressed)
		if n += k; err != nil {
			return n, err
		}
		if !a.in {
			return n, nil
		}
	}
	return n, proto.ErrMore
}

// askResult asks about what is kept.
func (s *Session) askResult(c *sdk.Conn, flags uint8) {
	r := &s.result
	if r.full {
		flags |= abi.AskTruncated
	}
	s.answer.block.Copy = nil
	b := c.AskResponse(FamilyResponse, s.class, "the result of: "+s.title)
	if r.unnamed {
		b.Unknown(abi.ResponseColumns)
	} else {
		b.Strings(abi.ResponseColumns, r.columns)
	}
	b.Int(abi.ResponseRows, r.rows).Int(ResponseException, int64(r.code))
	r.question = b.DoResponse(r.parent, flags)
	if flags&abi.AskTruncated != 0 {
		r.state = streaming // unless it is denied
	}
}

// resultDecided goes on with an answer that was asked about.
func (s *Session) resultDecided(c *sdk.Conn, e *abi.Event) {
	r := &s.result
	r.question = 0
	long := r.state != keeping
	if e.Outcome == abi.Allow {
		c.Release(r.parent, 0)
	} else {
		if s.exception(c, accessDenied, Withheld(e)); long {
			r.state = withheld
			if s.answer.goesOn(s.answersChunked) && s.data.tables && s.data.state == dataNone {
				s.sendCancel(c) // nobody wants the rest
			}
		}
	}
	if !long {
		r.parent = 0
		s.resume(c)
		return
	}
	s.streamed(c)
}

// sendCancel tells the server that nothing more of the answer is wanted.
func (s *Session) sendCancel(c *sdk.Conn) {
	switch {
	case !s.chunked:
		c.Send(abi.Upstream, s.action, []byte{proto.ClientCancel})
	case s.chunks.AtStart():
		c.Send(abi.Upstream, s.action, proto.AppendChunked(nil, []byte{proto.ClientCancel}))
	}
}
