package session

import (
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// held are the messages of the extended protocol that are read and not yet decided. They stay unread in the SDK's hands and
// stand at the front of what it shows. Either all of them concern one statement, or all of them are Close messages.
type held struct {
	size   int // bytes
	items  []item
	st     *statement      // nil while only Close messages are held
	text   []byte          // of a Query, which its statement need not have
	params []byte          // the values of the portal that is executed; nil: those of the last Bind
	facts  *sqlfacts.Facts // what st does with what its names stand for, once that is known
	// What stands for them when they are denied: unnamed is set by a Parse of the unnamed statement.
	unnamed bool
}

// maxHeld bounds the held messages. Their bytes are bounded by max_message.
const maxHeld = 64

func (h *held) reset() {
	clear(h.items)
	*h = held{items: h.items[:0]}
}

// What a step of the agent's side came to, beside the bytes that it read.
type step uint8

const (
	stepOn   step = iota // go on with what follows
	stepWait             // read no more now
)

// readMessages reads messages of the agent when the session is ready for queries.
func (s *Session) readMessages(c *sdk.Conn, p []byte) int {
	read := 0
	for s.phase == phaseReady && s.pending.kind == nothingPending {
		n, next := s.message(c, p[read:])
		read += n
		if next == stepWait {
			read += s.syncBehind(c, p[read:])
			break
		}
	}
	return read
}

// message reads the message behind the held ones, which stand at the front of p.
func (s *Session) message(c *sdk.Conn, p []byte) (read int, next step) {
	m := p[s.held.size:]
	typ, size, ok := proto.Header(m)
	if !ok {
		return 0, stepWait
	}
	if s.copy.action != 0 {
		return s.copyMessage(c, m, typ, size)
	}
	limit := proto.FrontendLimit(typ)
	if limit == 0 || size < proto.HeaderSize || size > limit+1 {
		if s.owes() {
			return s.answerFirst(c)
		}
		s.unreadableHead(c, typ, limit)
		return 0, stepWait
	}
	switch {
	case s.skip:
		return s.skipMessage(c, p, typ, size)
	case len(s.held.items) >= maxHeld:
		return s.askHeld(c)
	case s.queue.len() >= maxQueue || len(s.denials) >= maxDenials:
		s.stop(c)
		return 0, stepWait
	}
	switch typ {
	case proto.CopyData, proto.CopyDone, proto.CopyFail:
		// Left over from a COPY that failed: the server ignores them too.
		if s.held.size > 0 {
			return s.askHeld(c)
		}
		return s.drop(c, m, size)
	case proto.Sync, proto.Flush, proto.Terminate:
		return s.bare(c, m, typ, size)
	}
	if size > s.maxMessage+1 && (typ == proto.Query || typ == proto.Parse || typ == proto.Bind || typ == proto.FunctionCall) {
		if s.held.size > 0 {
			return s.askHeld(c)
		}
		return s.askLarge(c, m, typ, size)
	}
	if s.held.size > 0 && int64(s.held.size)+size > s.maxMessage+proto.MaxSmall {
		return s.askHeld(c)
	}
	if int64(len(m)) < size {
		return 0, stepWait
	}
	return s.wholeMessage(c, m[:size], typ)
}

// wholeMessage reads a message that says something, all of it.
func (s *Session) wholeMessage(c *sdk.Conn, m []byte, typ byte) (read int, next step) {
	if s.held.size > 0 && (typ == proto.Query || typ == proto.FunctionCall) {
		return s.askHeld(c)
	}
	switch typ {
	case proto.Query:
		return s.query(c, m)
	case proto.FunctionCall:
		return s.functionCall(c, m)
	case proto.Parse:
		return s.parse(c, m)
	case proto.Bind:
		return s.bind(c, m)
	case proto.Execute:
		return s.execute(c, m)
	case proto.Describe:
		return s.describe(c, m)
	}
	return s.closeName(c, m)
}

// drop forgets a message of any size.
func (s *Session) drop(c *sdk.Conn, m []byte, size int64) (read int, next step) {
	c.Drop(abi.Agent, uint64(size))
	return int(min(size, int64(len(m)))), stepOn
}

// bare reads a message without content, for which a constant goes to the server.
func (s *Session) bare(c *sdk.Conn, m []byte, typ byte, size int64) (read int, next step) {
	if typ == proto.Terminate {
		// What is held has no effect without a Sync.
		n := s.held.size
		s.held.reset()
		c.Drop(abi.Agent, uint64(n)+uint64(size))
		c.Stock(stockTerminate)
		c.Shut(abi.Upstream)
		s.phase, s.gone = phaseEnded, true
		return n + int(min(size, int64(len(m)))), stepWait
	}
	if size != proto.HeaderSize {
		return s.malformed(c, proto.ErrFormat.Error())
	}
	if s.held.size > 0 {
		return s.askHeld(c)
	}
	c.Drop(abi.Agent, proto.HeaderSize)
	if typ == proto.Flush {
		c.Stock(stockFlush)
		return proto.HeaderSize, stepOn
	}
	c.Stock(stockSync)
	s.push(item{kind: itemSync})
	s.skip = false
	return proto.HeaderSize, stepOn
}

// skipMessage forgets what the server would ignore up to the next Sync, the held messages included.
func (s *Session) skipMessage(c *sdk.Conn, p []byte, typ byte, size int64) (read int, next step) {
	if n := s.held.size; n > 0 {
		s.held.reset()
		c.Drop(abi.Agent, uint64(n))
		return n, stepOn
	}
	if typ == proto.Sync || typ == proto.Terminate {
		return s.bare(c, p, typ, size)
	}
	return s.drop(c, p, size)
}

// push notes that the server was given something.
func (s *Session) push(i item) {
	s.settled = false
	s.queue.push(i)
}

// maxDenials bounds the denials that wait for the server's error.
const maxDenials = 16

// replace writes a constant in place of what is denied, and what the agent will be told.
func (s *Session) replace(c *sdk.Conn, k kind, d denial) {
	switch k {
	case itemDeniedQuery:
		c.Stock(stockQuery)
	case itemDeniedUnnamed:
		c.Stock(stockParseUnnamed)
	default:
		c.Stock(stockParseNamed)
	}
	s.skip = k != itemDeniedQuery
	s.denials = append(s.denials, d)
	s.push(item{kind: k})
}

// query asks about a Query message.
func (s *Session) query(c *sdk.Conn, m []byte) (read int, next step) {
	text, err := proto.ReadQuery(m)
	if err != nil {
		return s.malformed(c, err.Error())
	}
	var facts *sqlfacts.Facts
	st, wait := s.looked, false
	if s.looked = nil; st == nil {
		st, wait = s.queryOf(text)
	}
	if !wait {
		facts, wait = s.resolve(st, 0)
	}
	if wait {
		s.stop(c)
		return 0, stepWait
	}
	s.held.st, s.held.facts, s.held.text = st, facts, text
	s.held.items = append(s.held.items, item{kind: itemQuery, st: st})
	s.held.size = len(m)
	return s.ask(c, queryPending)
}

// functionCall asks about a FunctionCall message: of the function only the number is on the wire.
func (s *Session) functionCall(c *sdk.Conn, m []byte) (read int, next step) {
	oid, err := proto.ReadFunctionCall(m)
	if err != nil {
		return s.malformed(c, err.Error())
	}
	s.held.items = append(s.held.items, item{kind: itemFunction})
	s.held.size = len(m)
	s.pending = pending{kind: functionPending, size: len(m)}
	s.pending.id = s.askFunction(c, oid, len(m))
	return len(m), stepWait
}

// parse holds a Parse message.
func (s *Session) parse(c *sdk.Conn, m []byte) (read int, next step) {
	name, text, err := proto.ReadParse(m)
	if err != nil {
		return s.malformed(c, err.Error())
	}
	if s.held.size > 0 {
		return s.askHeld(c)
	}
	st, wait := s.statementOf(text)
	if wait {
		s.stop(c)
		return 0, stepWait
	}
	s.held.unnamed = s.held.unnamed || len(name) == 0
	return s.hold(c, m, item{kind: itemParse, name: string(name), st: s.typed(st, m)}, false)
}

// bind holds a Bind message.
func (s *Session) bind(c *sdk.Conn, m []byte) (read int, next step) {
	portal, name, err := proto.ReadBind(m)
	if err != nil {
		return s.malformed(c, err.Error())
	}
	st, wait := s.statementNamed(view(name))
	i := item{kind: itemBind, name: string(portal), st: st}
	if !wait {
		i.params = s.paramsOf(m, st)
	}
	if s.facts.Inspect {
		if codes, ok := proto.ResultFormats(m); ok {
			i.result = binding{string(name), append([]byte(nil), codes...)}
		}
	}
	return s.hold(c, m, i, wait)
}

// describe holds a Describe message.
func (s *Session) describe(c *sdk.Conn, m []byte) (read int, next step) {
	target, name, err := proto.ReadTarget(m)
	if err != nil {
		return s.malformed(c, targetError("DESCRIBE", target, err))
	}
	if target == proto.TargetStatement {
		st, wait := s.statementNamed(view(name))
		return s.hold(c, m, item{kind: itemDescribeStatement, name: string(name), st: st}, wait)
	}
	st, wait := s.portalNamed(view(name))
	return s.hold(c, m, item{kind: itemDescribePortal, st: st}, wait)
}

// execute asks about an Execute message and what is held before it.
func (s *Session) execute(c *sdk.Conn, m []byte) (read int, next step) {
	name, err := proto.ReadExecute(m)
	if err != nil {
		return s.malformed(c, err.Error())
	}
	var facts *sqlfacts.Facts
	st, wait := s.portalNamed(view(name))
	if !wait {
		facts, wait = s.resolve(st, 0)
	}
	read, next = s.hold(c, m, item{kind: itemExecute, st: st}, wait)
	if next == stepWait {
		return read, next
	}
	s.held.facts, s.held.params = facts, s.paramsAt(view(name))
	return s.ask(c, heldPending)
}

// closeName holds a Close message.
func (s *Session) closeName(c *sdk.Conn, m []byte) (read int, next step) {
	target, name, err := proto.ReadTarget(m)
	if err != nil {
		return s.malformed(c, targetError("CLOSE", target, err))
	}
	k := itemCloseStatement
	if target == proto.TargetPortal {
		k = itemClosePortal
	}
	return s.hold(c, m, item{kind: k, name: string(name)}, false)
}

// hold keeps a message about i.st with the held ones, unless they are about another statement and have to be decided first. wait
// says that it is not known yet what it is about.
func (s *Session) hold(c *sdk.Conn, m []byte, i item, wait bool) (read int, next step) {
	switch {
	case wait:
		s.stop(c)
		return 0, stepWait
	case s.held.size > 0 && i.st != s.held.st:
		return s.askHeld(c)
	}
	s.held.st = i.st
	s.held.items = append(s.held.items, i)
	s.held.size += len(m)
	return 0, stepOn
}

// askHeld decides about what is held before anything else is read.
func (s *Session) askHeld(c *sdk.Conn) (read int, next step) { return s.ask(c, heldPending) }

// view is b as a string without a copy, for as long as b does not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
