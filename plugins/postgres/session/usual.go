package session

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Most of what a session does is one exchange, again and again: at a quiet point the agent asks for one statement, by a Query or by Bind, Describe,
// Execute and Sync of what it has prepared, and the server answers with a few rows. It is read here without the queue, and what it says to the
// host is what the rest of the session would say. This is a matter of speed alone: in a gateway that works, a guest waits most of its time for
// code that is in no cache, and this is a tenth of the code. What is not exactly of that form is left to the others,
// before anything has been done about it, and an exchange that has begun and goes on in another way is unfolded to the items that it stands for.
// FuzzStreams compares the two ways: cut into single bytes nothing is whole.

// maxExchange bounds the agent's half, in bytes.
const maxExchange = 16 << 10

// exchange is the one that is under way.
type exchange struct {
	st        *statement // nil: none
	bound     bool       // it came as Bind … Sync, else as a Query
	described bool       // with a Describe of the portal
	id        uint32
	size      int    // what the action covers, in bytes
	params    []byte // of the Bind
}

// isUsual reports whether f is one statement that reads or changes rows, and nothing of what the session has to follow.
func isUsual(f *sqlfacts.Facts) bool {
	if f.Unknown || f.Shadows || len(f.Settings) > 0 || len(f.Each) != 1 {
		return false
	}
	switch f.Each[0].Kind {
	case sqlfacts.KindSelect, sqlfacts.KindInsert, sqlfacts.KindUpdate, sqlfacts.KindDelete, sqlfacts.KindMerge:
		return true
	}
	return false
}

// begin asks about p if it is the agent's half of a usual exchange, all of it, and returns how many bytes it has read: all or none.
func (s *Session) begin(c *sdk.Conn, p []byte) int {
	if !s.settled || s.held.size > 0 || s.skip || s.stopped || s.facts.Inspect || s.settings.shadowed || !s.settings.conforming || !s.settings.utf8 ||
		len(p) <= proto.HeaderSize || len(p) > maxExchange || int64(len(p)) > s.maxMessage {
		return 0
	}
	switch size := 1 + int(binary.BigEndian.Uint32(p[1:])); {
	case size > len(p) || size <= proto.HeaderSize:
	case p[0] == proto.Query && size == len(p):
		return s.beginQuery(c, p)
	case p[0] == proto.Bind:
		return s.beginBound(c, p, size)
	}
	return 0
}

func (s *Session) beginQuery(c *sdk.Conn, m []byte) int {
	text, err := proto.ReadQuery(m)
	if err != nil {
		return 0
	}
	st, wait := s.queryOf(text)
	if wait {
		return 0
	}
	if !st.usual || st.problem != "" {
		s.looked = st // reading a text can take long
		return 0
	}
	s.exchange = exchange{st: st, size: len(m)}
	s.exchange.id = s.askSQL(c, question{st: st, facts: st.facts, text: text, params: noParams, executes: true}, uint64(len(m)), abi.AskQuiet)
	c.Pass(abi.Agent, s.exchange.id, uint64(len(m)))
	s.settled = false
	return len(m)
}

// What stands behind a Bind.
const (
	describeSize = proto.HeaderSize + 2 // of the unnamed portal
	executeSize  = proto.HeaderSize + 5 // likewise
)

// beginBound reads a Bind of size bytes and what stands behind it.
func (s *Session) beginBound(c *sdk.Conn, p []byte, size int) int {
	bind, rest := p[:size], p[size:]
	x := exchange{bound: true}
	if len(rest) == describeSize+executeSize+proto.HeaderSize {
		if string(rest[:describeSize]) != "D\x00\x00\x00\x06P\x00" {
			return 0
		}
		x.described = true
		rest = rest[describeSize:]
	}
	if len(rest) != executeSize+proto.HeaderSize || string(rest[:6]) != "E\x00\x00\x00\x09\x00" || string(rest[executeSize:]) != "S\x00\x00\x00\x04" {
		return 0
	}
	if x.st = s.bindParams(bind, &x.params); x.st == nil {
		return 0
	}
	x.size = len(p) - proto.HeaderSize
	x.id = s.askSQL(c, question{st: x.st, facts: x.st.facts, params: x.params, executes: true, prepared: true}, uint64(x.size), abi.AskQuiet)
	s.exchange = x
	c.Pass(abi.Agent, x.id, uint64(x.size))
	c.Drop(abi.Agent, proto.HeaderSize)
	c.Stock(stockSync)
	s.settled = false
	return len(p)
}

// bindParams reads a Bind of the unnamed portal: the statement, and the values as paramsOf encodes them. It returns nil for what is unusual.
func (s *Session) bindParams(m []byte, params *[]byte) *statement {
	be, at := binary.BigEndian, proto.HeaderSize+1
	if m[proto.HeaderSize] != 0 {
		return nil
	}
	name := at
	for at < len(m) && m[at] != 0 {
		at++
	}
	if at-name > proto.MaxName || at+3 > len(m) {
		return nil
	}
	st := s.names.statement(view(m[name:at]))
	if !st.usual || st.problem != "" {
		return nil
	}
	at++
	formats := at + 2
	at = formats + 2*int(be.Uint16(m[at:]))
	if at+2 > len(m) {
		return nil
	}
	codes := m[formats:at]
	n := int(be.Uint16(m[at:]))
	if at += 2; len(codes) > 2 && len(codes) != 2*n {
		return nil
	}
	out := noParams
	if n > 0 {
		var buffer []byte
		if k := len(s.spares); k > 0 {
			buffer = s.spares[k-1]
		}
		var end int
		if out, end = texts(buffer, m, at, n, codes); end < 0 {
			if out, end = values(buffer, m, at, n, codes, st); end < 0 {
				return nil
			}
		}
		at = end
		if k := len(s.spares); k > 0 {
			s.spares = s.spares[:k-1]
		}
	}
	if at+2 > len(m) || at+2+2*int(be.Uint16(m[at:])) != len(m) {
		return nil
	}
	*params = out
	return st
}

// texts is the field for n values at place at of m, in the buffer if they fit, when all of them are text and none is NULL, and where they end. The field is what stands
// there, with its lengths turned around. It returns -1 for others, and for such as are not UTF-8.
func texts(buffer, m []byte, at, n int, codes []byte) ([]byte, int) {
	for _, c := range codes {
		if c != 0 {
			return nil, -1
		}
	}
	if len(m)-at > maxParams-len(noParams) {
		return nil, -1
	}
	out := append(append(buffer[:0], noParams...), m[at:]...)
	binary.LittleEndian.PutUint32(out[3:], uint32(n))
	v := out[len(noParams):]
	for range n {
		if len(v) < 4 {
			return nil, -1
		}
		size := binary.BigEndian.Uint32(v)
		binary.LittleEndian.PutUint32(v, size)
		if v = v[4:]; uint64(size) > uint64(len(v)) || !utf8.Valid(v[:size]) {
			return nil, -1
		}
		v = v[size:]
	}
	return out[:len(out)-len(v)], len(m) - len(v)
}

// values is texts for values of any kind, up to maxParams in all.
func values(buffer, m []byte, at, n int, codes []byte, st *statement) ([]byte, int) {
	out := append(buffer[:0], noParams...)
	binary.LittleEndian.PutUint32(out[3:], uint32(n))
	for i := range n {
		if at+4 > len(m) {
			return nil, -1
		}
		size := int(int32(binary.BigEndian.Uint32(m[at:])))
		if at += 4; size < -1 || size > len(m)-at {
			return nil, -1
		}
		start := len(out)
		out = append(out, 0, 0, 0, 0)
		switch value := m[at : at+max(size, 0)]; {
		case size < 0:
			out = append(out, "NULL"...)
		case binaryFormat(codes, i):
			out = appendBinary(out, st.typeOf(i), value)
		default:
			out = appendText(out, value)
		}
		at += max(size, 0)
		if len(out) > maxParams {
			return nil, -1
		}
		binary.LittleEndian.PutUint32(out[start:], uint32(len(out)-start-4))
	}
	return out, at
}

// binaryFormat reports whether the format codes of a Bind, of which there are none, one for all or one for each, say that value i is binary.
func binaryFormat(codes []byte, i int) bool {
	if len(codes) > 2 {
		codes = codes[2*i:]
	}
	return len(codes) > 0 && codes[0]|codes[1] != 0
}

// finish reads p if it is the server's half of the exchange that is under way, all of it, and returns how many bytes it has read: all or none.
func (s *Session) finish(c *sdk.Conn, p []byte) int {
	x := &s.exchange
	if c.Undecided() || c.Inspecting() || len(s.names.portals) > 0 {
		return 0
	}
	at := 0
	if x.bound {
		if len(p) < proto.HeaderSize || string(p[:proto.HeaderSize]) != "2\x00\x00\x00\x04" {
			return 0
		}
		at = proto.HeaderSize
	}
	columns := x.described || !x.bound // RowDescription or NoData may come
	rows := 0
	size := 0
	for ; ; at += size {
		if at+proto.HeaderSize > len(p) {
			return 0
		}
		size = 1 + int(binary.BigEndian.Uint32(p[at+1:]))
		if size < proto.HeaderSize || size > len(p)-at {
			return 0
		}
		switch typ := p[at]; {
		case typ == proto.DataRow && rows < rowsBeforeScan && !(columns && x.described):
			rows++
			continue
		case columns && rows == 0 && (typ == proto.RowDescription || typ == proto.NoData && x.bound):
			columns = false
			continue
		case typ != proto.CommandComplete || columns && x.described:
			return 0
		}
		break
	}
	tag, ready := p[at:at+size], p[at+size:]
	if size > maxTag || len(ready) != proto.HeaderSize+1 || string(ready[:proto.HeaderSize]) != "Z\x00\x00\x00\x05" {
		return 0
	}
	if status := ready[proto.HeaderSize]; status != 'I' && status != 'T' && status != 'E' {
		return 0
	}
	return s.finished(c, p, tag, rows, ready[proto.HeaderSize])
}

// finished notes what became of the exchange, if that is what was allowed.
func (s *Session) finished(c *sdk.Conn, p, complete []byte, rows int, status byte) int {
	x := &s.exchange
	last := len(complete) - 1
	tag := complete[proto.HeaderSize:max(last, proto.HeaderSize)]
	if complete[last] != 0 || bytes.IndexByte(tag, 0) >= 0 {
		return 0
	}
	// The number at the end of the tag; a tag without one is unusual.
	count, at, unit := 0, len(tag), 1
	for ; at > 0 && '0' <= tag[at-1] && tag[at-1] <= '9' && len(tag)-at < 10; at-- {
		count += int(tag[at-1]-'0') * unit
		unit *= 10
	}
	if at == len(tag) || at == 0 || tag[at-1] != ' ' {
		return 0
	}
	if x.st.facts.Each[0].Kind == sqlfacts.KindSelect {
		if string(tag[:at]) != "SELECT " || count != rows {
			return 0
		}
	} else if !x.st.completes(0, tag) {
		return 0
	}
	c.Note(x.id, "tag", view(tag), "rows", view(tag[at:]))
	c.Pass(abi.Upstream, 0, uint64(len(p)))
	s.names.unnamedPortal = nil
	if !x.bound {
		s.names.unnamed = nil
	} else {
		if status != 'I' {
			s.names.unnamedPortal = x.st
		}
		s.recycle(s.names.bind("", x.params))
	}
	x.st, x.params = nil, nil
	s.transaction = status != 'I'
	s.settled, s.muted, s.midway = true, false, false
	return len(p)
}

// unfold puts the exchange that is under way into the queue, where everything else is.
func (s *Session) unfold() {
	x := s.exchange
	if x.st == nil {
		return
	}
	s.exchange = exchange{}
	s.pending = pending{kind: queryPending, size: x.size, id: x.id, quiet: true,
		undo: undo{pushed: 1, changed: len(s.changed), settled: true, shadowed: s.settings.shadowed}}
	if !x.bound {
		s.push(item{kind: itemQuery, st: x.st, action: x.id})
		return
	}
	s.pending.kind = heldPending
	s.push(item{kind: itemBind, st: x.st, params: x.params, action: x.id})
	if x.described {
		s.push(item{kind: itemDescribePortal, st: x.st, action: x.id})
	}
	s.push(item{kind: itemExecute, st: x.st, action: x.id})
	s.push(item{kind: itemSync})
	s.pending.undo.pushed = s.queue.len()
	s.pending.undo.sync = true
}
