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
	b.Bool(sqlExecutes, executes).Bool(sqlPrepared, prepared)
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
