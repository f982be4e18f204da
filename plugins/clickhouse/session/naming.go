package session

import (
	"slices"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// nameValues names the values of a packet, or of what has come of one. whole: all of it is there.
func (s *Session) nameValues(c *sdk.Conn, p []byte, whole bool) {
	r, a := &s.result, &s.answer
	v := &naming{s: s, c: c, column: abi.NoColumn}
	switch code := a.code; code {
	case proto.ServerData, proto.ServerTotals, proto.ServerExtremes, proto.ServerLog:
		n, err := proto.ReadTableName(p)
		if err != nil {
			return
		}
		v.data, v.base = code != proto.ServerLog, n
		block := p[n:]
		if v.given = a.packed; a.packed {
			block = r.plain
		}
		rows, all, err := r.reader.Read(block, v)
		if v.data {
			r.rows += int64(rows)
		}
		if whole && !r.full && (!all || err != nil) { // it was followed, and read in another way
			s.opaque(c)
		}
	case proto.ServerException:
		x, err := proto.ReadException(p)
		r.code = x.Code
		if err == nil || err == proto.ErrMore {
			for _, w := range x.Words {
				v.place(abi.FormatText, w[0], w[1])
			}
		}
	case proto.ServerTableColumns:
		v.place(abi.FormatFixed, 1, len(p))
	}
}

// naming names the values of one packet.
type naming struct {
	s      *Session
	c      *sdk.Conn
	data   bool // columns count
	given  bool // the values do not stand in what is kept
	base   int  // where the block begins in the packet
	seen   int  // columns
	column uint16
}

// maxResultColumns bounds the columns of an answer.
const maxResultColumns = 4096

// Column begins a column.
func (v *naming) Column(name, typ []byte, nameAt, typeAt int) {
	i := v.seen
	v.seen++
	if !v.data {
		return
	}
	r := &v.s.result
	if i >= len(r.columns) || r.columns[i] != string(name) {
		j := slices.Index(r.columns, string(name))
		switch {
		case j >= 0:
			i = j
		case len(r.columns) >= maxResultColumns || !v.fits(len(name)):
			r.unnamed, v.column = true, abi.NoColumn
			v.words(name, nameAt)
			v.words(typ, typeAt)
			return
		default:
			i = len(r.columns)
			r.columns, r.types = append(r.columns, string(name)), append(r.types, nil)
			v.column = abi.NoColumn
			v.words(name, nameAt)
		}
	}
	if string(r.types[i]) != string(typ) {
		v.column, r.types[i] = abi.NoColumn, slices.Clone(typ)
		v.words(typ, typeAt)
	}
	v.column = uint16(i)
}

// fits reports whether a further name fits into a question.
func (v *naming) fits(n int) bool {
	for _, name := range v.s.result.columns {
		n += 4 + len(name)
	}
	return n < abi.MaxAction-8<<10
}

// words gives the name of a column, or its type, as a text of the answer where it may hold what the query worked out, such as a constant.
func (v *naming) words(p []byte, at int) {
	free := false
	for i, b := range p {
		switch {
		case b == '\'' || b == '`' || b == '"':
			free = true
		case b == '(' && i+1 < len(p) && p[i+1] != ')':
			free = true
		}
	}
	switch {
	case !free:
	case v.given:
		v.Given(p)
	default:
		v.place(abi.FormatFixed, v.base+at, v.base+at+len(p))
	}
}

// InPlace names a text.
func (v *naming) InPlace(start, end int) bool {
	if v.given {
		return v.Given(v.s.result.plain[start:end])
	}
	v.place(abi.FormatText, v.base+start, v.base+end)
	return true
}

// Given gives a value that does not stand in what is kept.
func (v *naming) Given(text []byte) bool {
	r := &v.s.result
	switch {
	case len(text) == 0:
	case !v.c.FitsText(r.parent, len(text)):
		r.full = true
		return false
	default:
		v.c.Text(r.parent, v.column, text)
	}
	return true
}

// place names a value of a packet, which may stand in several pieces.
func (v *naming) place(format abi.Format, start, end int) {
	r, more := &v.s.result, false
	all := r.segments
	i, found := slices.BinarySearchFunc(all, start, func(g segment, at int) int { return g.at - at })
	if !found {
		i--
	}
	for ; i >= 0 && i < len(all) && start < end; i++ {
		stop := end
		if i+1 < len(all) {
			stop = min(end, all[i+1].at)
		}
		if stop <= start {
			continue
		}
		at := all[i].kept + start - all[i].at
		if r.named = at + stop - start; more {
			v.c.ValueMore(r.parent, at, stop-start)
		} else {
			v.c.Value(r.parent, v.column, format, at, stop-start)
		}
		start, more = stop, true
	}
}
