package session

import (
	"bytes"
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// askOpaque begins an action of family sql of which nothing is known but where it comes from.
func (s *Session) askOpaque(c *sdk.Conn, title string, executes, prepared bool) *sdk.AskBuilder {
	b := c.Ask(familySQL, abi.ClassOpaque, title)
	b.Bool(sqlExecutes, executes).Bool(sqlPrepared, prepared).Bool(sqlTransaction, s.transaction)
	b.String(sqlDatabase, s.database).String(sqlUser, s.user)
	if len(s.settings.application) <= maxApplication {
		b.String(sqlApplication, s.settings.application)
	}
	return b
}

// large is what a message does that is too large to be read.
var large = &statement{long: true, problem: "it is larger than max_message",
	shape: newShape(&sqlfacts.Facts{Class: abi.ClassOpaque, Unknown: true, Title: "something in a message that is too large to be read"})}

// askLarge asks about a message that is larger than max_message. It is not kept: of a Parse and a Bind only the name at its
// beginning is read, and what was decided is done with it as it comes.
func (s *Session) askLarge(c *sdk.Conn, m []byte, typ byte, size int64) (read int, next step) {
	if typ == proto.Bind {
		if read, next, known := s.askLargeBind(c, m, size); known {
			return read, next
		}
	}
	i := item{kind: itemQuery, st: large}
	k := queryPending
	switch typ {
	case proto.FunctionCall:
		i.kind, k = itemFunction, functionPending
	case proto.Parse, proto.Bind:
		name := m[proto.HeaderSize:min(len(m), proto.HeaderSize+proto.MaxSmall)]
		end := bytes.IndexByte(name, 0)
		switch {
		case end < 0 && len(name) < proto.MaxSmall:
			return 0, stepWait
		case end < 0:
			s.violate(c, "a name in a message of "+strconv.FormatInt(size-1, 10)+" bytes is longer than "+strconv.Itoa(proto.MaxSmall)+" bytes")
			return 0, stepWait
		}
		i.kind, i.name, k = itemBind, string(proto.Name(name[:end])), heldPending
		if typ == proto.Parse {
			i.kind, s.held.unnamed = itemParse, i.name == ""
		}
	}
	bytes := strconv.FormatInt(size-1, 10)
	b := s.askOpaque(c, "a "+i.kind.String()+" message of "+bytes+" bytes", k != heldPending, k == heldPending)
	s.held.st = large
	s.held.items = append(s.held.items, i)
	s.pending = pending{kind: k, size: int(size), code: "54000", hint: "A message of " + bytes + " bytes is not read: max_message of endpoint " +
		s.facts.Endpoint + " is " + strconv.FormatInt(s.maxMessage, 10) + " bytes."}
	s.pending.id = b.Do(uint64(size), 0)
	return int(min(size, int64(len(m)))), stepWait
}

// askLargeBind asks about a Bind that is larger than max_message, of a statement that is known: what that does is what the portal does,
// whatever the values are, which stay unknown and pass as they come.
func (s *Session) askLargeBind(c *sdk.Conn, m []byte, size int64) (read int, next step, known bool) {
	names := m[proto.HeaderSize:min(len(m), proto.HeaderSize+2*proto.MaxSmall)]
	portal, rest, ok := bytes.Cut(names, []byte{0})
	name, _, both := bytes.Cut(rest, []byte{0})
	if !ok || !both {
		return 0, stepWait, len(names) < 2*proto.MaxSmall && len(portal) < proto.MaxSmall
	}
	var facts *sqlfacts.Facts
	st, wait := s.statementNamed(view(name))
	if !wait {
		facts, wait = s.resolve(st, 0)
	}
	switch {
	case wait:
		s.stop(c)
		return 0, stepWait, true
	case facts.Unknown:
		return 0, stepOn, false
	}
	s.held.st, s.held.facts, s.held.params = st, facts, unknownParams
	s.held.items = append(s.held.items, item{kind: itemBind, name: string(proto.Name(portal)), st: st})
	s.pending = pending{kind: heldPending, size: int(size), problem: st.problem, shadows: facts.Shadows}
	s.pending.id = s.askSQL(c, question{st: st, facts: facts, params: unknownParams, prepared: true}, uint64(size), 0)
	return int(min(size, int64(len(m)))), stepWait, true
}
