package session

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Limits of what is kept of the server's messages, in bytes. Longer ones are not what a server sends.
const (
	maxParameterStatus = 64 << 10
	maxTag             = 256
	// maxKept is the largest message that is passed only once all of it is there, if it is no data.
	maxKept = 8 << 10
)

// upstream reads what the server says.
func (s *Session) upstream(c *sdk.Conn, p []byte, end bool) int {
	read := 0
	for read < len(p) && !s.away[abi.Upstream] && !s.asking() {
		n := s.answer(c, p[read:])
		if n == 0 {
			break
		}
		read += n
	}
	s.resume(c)
	if end && !s.away[abi.Upstream] && !s.asking() && (read == 0 || read == len(p)) {
		s.upstreamGone(c)
	}
	return read
}

// upstreamGone is called when nothing more comes from the server.
func (s *Session) upstreamGone(c *sdk.Conn) {
	if s.phase == phaseSecure {
		s.unreachable(c, "sallyport: the server of endpoint "+s.facts.Endpoint+" closed the connection when it was asked for TLS")
		return
	}
	c.Close("the server closed the connection")
}

// answer reads one message, and returns 0 when there is not enough of it or the session has ended.
func (s *Session) answer(c *sdk.Conn, p []byte) int {
	switch {
	case s.phase == phaseSecure:
		return s.tlsAnswer(c, p[0])
	case s.phase == phaseCancel:
		c.Drop(abi.Upstream, uint64(len(p)))
		return len(p)
	case s.replicating:
		return len(p)
	}
	typ, size, ok := proto.Header(p)
	if !ok {
		return 0
	}
	if size < proto.HeaderSize || size > proto.MaxBackend {
		s.mismatch(c, "a message of type "+strconv.QuoteRune(rune(typ))+" with an impossible length")
		return 0
	}
	s.midway = typ == proto.DataRow || typ == proto.CopyData || size > maxKept
	if !s.midway && int64(len(p)) < size {
		return 0
	}
	if !s.ready {
		return s.loginAnswer(c, p, typ, size)
	}
	if s.parent = s.expected(c); s.parent != 0 && s.muted {
		c.Answered(s.parent)
		s.parent = 0
	}
	if s.parent != 0 {
		if !s.keeps(c, p, typ, size) {
			return 0
		}
		n := s.readyAnswer(c, p, typ, size)
		s.answeredWhole(c)
		return n
	}
	return s.readyAnswer(c, p, typ, size)
}

// readyAnswer reads one message of a session that is ready.
func (s *Session) readyAnswer(c *sdk.Conn, p []byte, typ byte, size int64) int {
	switch typ {
	case proto.NoticeResponse, proto.NotificationResponse:
		return s.relay(c, p, size)
	case proto.ParameterStatus:
		return s.parameterStatus(c, p, size)
	case proto.ErrorResponse:
		return s.errorResponse(c, p, size)
	}
	if s.queue.len() == 0 {
		return s.unexpected(c, typ)
	}
	i := s.queue.head()
	switch i.kind {
	case itemQuery, itemExecute:
		return s.resultAnswer(c, i, p, typ, size)
	case itemSync, itemFunction, itemDeniedQuery:
		if typ == proto.ReadyForQuery {
			return s.readyForQuery(c, p, size)
		}
		if i.kind == itemFunction && typ == proto.FunctionCallResponse && !i.half && !i.failed {
			i.half = true
			return s.relay(c, p, size)
		}
	default:
		return s.extendedAnswer(c, i, p, typ, size)
	}
	return s.unexpected(c, typ)
}

// relay passes a message, however much of it is there.
func (s *Session) relay(c *sdk.Conn, p []byte, size int64) int {
	switch {
	case s.parent != 0 && s.result.state == keeping:
		return s.keep(c, p, size)
	case s.parent != 0 && s.result.state == withheld, s.muted && p[0] != proto.ParameterStatus:
		c.Drop(abi.Upstream, uint64(size))
	default:
		c.Pass(abi.Upstream, s.answers(c), uint64(size))
	}
	return int(min(size, int64(len(p))))
}

// answers is what the message in hand answers, for the host: it wants to know while it keeps anything.
func (s *Session) answers(c *sdk.Conn) uint32 {
	switch {
	case s.parent != 0:
		return s.parent
	case c.Inspecting():
		return s.connect
	}
	return 0
}

// whole reports whether all of a message that has to be read is there; one longer than most ends the session.
func (s *Session) whole(c *sdk.Conn, p []byte, size, most int64) bool {
	if size > most {
		s.mismatch(c, "a message of type "+strconv.QuoteRune(rune(p[0]))+" of "+strconv.FormatInt(size, 10)+" bytes")
		return false
	}
	return int64(len(p)) >= size
}

// resultAnswer reads a message of the results of a Query or an Execute.
func (s *Session) resultAnswer(c *sdk.Conn, i *item, p []byte, typ byte, size int64) int {
	if typ == proto.ReadyForQuery && i.kind == itemQuery && !i.out && !i.half {
		return s.readyForQuery(c, p, size)
	}
	if i.failed {
		return s.unexpected(c, typ)
	}
	switch typ {
	case proto.DataRow:
		if i.out {
			break
		}
		if i.rows >= rowsBeforeScan && s.scans() {
			return s.scanUpstream(c, rowTypes)
		}
		i.rows++
		return s.relay(c, p, size)
	case proto.RowDescription:
		if i.kind == itemQuery && !i.out {
			return s.relay(c, p, size)
		}
	case proto.CommandComplete:
		if !i.out {
			return s.commandComplete(c, i, p, size)
		}
	case proto.EmptyQueryResponse, proto.PortalSuspended:
		if i.out || typ == proto.PortalSuspended && i.kind != itemExecute {
			break
		}
		if i.kind == itemExecute {
			s.pop(c)
		}
		return s.relay(c, p, size)
	case proto.CopyOutResponse:
		if !i.out && (i.st.copyOut || i.kind == itemQuery && i.st.facts.Unknown) {
			i.out = true
			return s.relay(c, p, size)
		}
	case proto.CopyData:
		if i.out && s.scans() {
			return s.scanUpstream(c, copyTypes)
		}
		if i.out {
			return s.relay(c, p, size)
		}
	case proto.CopyDone:
		if i.out {
			i.out = false
			return s.relay(c, p, size)
		}
	case proto.CopyInResponse:
		return s.copyIn(c, i, p, size)
	}
	return s.unexpected(c, typ)
}

// copyIn reads that the server is ready for the data of a COPY … FROM STDIN.
func (s *Session) copyIn(c *sdk.Conn, i *item, p []byte, size int64) int {
	if s.copy.action == 0 || s.copy.action != i.action || s.copy.open || s.copy.left == 0 || i.out {
		return s.unexpected(c, proto.CopyInResponse)
	}
	if s.parent != 0 || s.muted {
		s.fatal(c, "0A000", "sallyport: a rule looks at what comes back, and a COPY that waits for data stands among it", "", "Send the COPY by itself.")
		s.phase = phaseEnded
		c.Close("a COPY that waits for data is among what a rule looks at")
		return 0
	}
	s.copy.open = true
	s.copy.left--
	s.moved = true
	return s.relay(c, p, size)
}

// extendedAnswer reads the answer to a message of the extended protocol other than Execute.
func (s *Session) extendedAnswer(c *sdk.Conn, i *item, p []byte, typ byte, size int64) int {
	last := true
	switch {
	case i.kind == itemParse && typ == proto.ParseComplete:
		s.names.setStatement(i.name, i.st)
	case i.kind == itemBind && typ == proto.BindComplete:
		if s.parent != 0 && s.result.state == keeping {
			s.boundTo(i.result.statement, i.result.formats)
		}
		s.names.setPortal(i.name, i.st, false)
		s.recycle(s.names.bind(i.name, i.params))
	case i.kind == itemCloseStatement && typ == proto.CloseComplete:
		s.names.forgetStatement(i.name)
	case i.kind == itemClosePortal && typ == proto.CloseComplete:
		s.names.forgetPortal(i.name)
	case i.kind == itemDescribeStatement && typ == proto.ParameterDescription && !i.half:
		i.half, last = true, false
		if int64(len(p)) >= size {
			s.names.describe(i.name, i.st, p[:size])
		}
	case i.kind == itemDescribeStatement && i.half && (typ == proto.RowDescription || typ == proto.NoData):
		if s.facts.Inspect && typ == proto.RowDescription && int64(len(p)) >= size {
			s.describes(i.name, p[:size])
		}
	case i.kind == itemDescribePortal && (typ == proto.RowDescription || typ == proto.NoData):
	default:
		return s.unexpected(c, typ)
	}
	if last {
		s.pop(c)
	}
	return s.relay(c, p, size)
}

// pop ends the first item of the queue, and the COPY that it may have been.
func (s *Session) pop(c *sdk.Conn) {
	if i := s.queue.head(); i.action != 0 && i.action == s.copy.action && (i.kind == itemQuery || i.kind == itemExecute) {
		s.endCopy(c)
	}
	if id := s.queue.head().action; id != 0 && id != s.parent {
		c.Answered(id) // of one that is skipped nothing is kept
	}
	s.queue.pop()
	s.moved = true
}

// readyForQuery ends an item with which the server becomes ready.
func (s *Session) readyForQuery(c *sdk.Conn, p []byte, size int64) int {
	if !s.whole(c, p, size, 6) {
		return 0
	}
	status, err := proto.ReadReady(p[:size])
	if err != nil {
		s.mismatch(c, "ReadyForQuery: "+err.Error())
		return 0
	}
	switch i := s.queue.head(); i.kind {
	case itemDeniedQuery:
		if !i.failed {
			return s.unexpected(c, proto.ReadyForQuery)
		}
		s.names.forgetStatement("")
	case itemQuery:
		if !i.allDone() {
			return s.differs(c, "the server completed "+strconv.Itoa(int(i.done))+" of "+strconv.Itoa(len(i.st.facts.Each))+" statements")
		}
		s.names.forgetStatement("")
		s.names.forgetPortal("")
	}
	s.transaction = status != 'I'
	if status == 'I' {
		s.names.forgetPortals(false)
	}
	s.pop(c)
	s.settled = s.queue.len() == 0
	s.muted = false
	if s.parent != 0 && s.result.state == withheld {
		s.withheldReady(c)
	}
	return s.relay(c, p, size)
}

// errorResponse reads an error, and puts the reason of a denial in the place of the one that stands for it.
func (s *Session) errorResponse(c *sdk.Conn, p []byte, size int64) int {
	if int64(len(p)) < min(size, proto.ErrorPeek) {
		return 0
	}
	if proto.IsFatal(p[:min(size, int64(len(p)), proto.ErrorPeek)]) {
		// The server ends the session, whatever was under way.
		s.parent, s.muted = 0, false
		return s.relay(c, p, size)
	}
	if s.queue.len() == 0 || s.queue.head().failed {
		return s.unexpected(c, proto.ErrorResponse)
	}
	i := s.queue.head()
	switch i.kind {
	case itemQuery, itemExecute:
		s.names.did(i.st, int(i.done), false)
	case itemDeniedQuery, itemDeniedNamed, itemDeniedUnnamed:
		return s.deniedError(c, p, size)
	}
	n := s.relay(c, p, size)
	if i.kind.simple() {
		i.failed, i.out = true, false
		if s.copy.action == i.action {
			s.copy.open, s.copy.left = false, 0
		}
		return n
	}
	switch i.kind {
	case itemParse:
		if i.name == "" {
			s.names.forgetStatement("")
		}
	case itemBind:
		s.names.forgetPortal(i.name)
	}
	s.skipped(c)
	return n
}

// deniedError writes the reason of the oldest denial in place of the server's error.
func (s *Session) deniedError(c *sdk.Conn, p []byte, size int64) int {
	d := s.denials[0]
	s.denials = s.denials[:copy(s.denials, s.denials[1:])]
	e := proto.Error{Severity: "ERROR", Code: d.code, Message: d.message, Detail: d.detail, Hint: d.hint}
	c.Drop(abi.Upstream, uint64(size))
	if !s.muted {
		c.Send(abi.Agent, 0, proto.AppendError(nil, &e))
	}
	switch i := s.queue.head(); i.kind {
	case itemDeniedQuery:
		i.failed = true
	case itemDeniedUnnamed:
		s.names.forgetStatement("")
		s.skipped(c)
	default:
		s.skipped(c)
	}
	return int(min(size, int64(len(p))))
}

// skipped forgets what the server ignores after an error in the extended protocol: everything up to the next Sync.
func (s *Session) skipped(c *sdk.Conn) {
	first := true
	for s.queue.len() > 0 && s.queue.head().kind != itemSync {
		switch s.queue.head().kind {
		case itemDeniedQuery, itemDeniedNamed, itemDeniedUnnamed:
			// The first has had its denial written.
			if !first {
				s.denials = s.denials[:copy(s.denials, s.denials[1:])]
			}
		}
		first = false
		s.pop(c)
	}
	if s.queue.len() == 0 {
		s.skip = true
	}
}

// parameterStatus follows the settings that matter.
func (s *Session) parameterStatus(c *sdk.Conn, p []byte, size int64) int {
	if !s.whole(c, p, size, maxParameterStatus) {
		return 0
	}
	name, value, err := proto.ReadParameterStatus(p[:size])
	if err != nil {
		s.mismatch(c, "ParameterStatus: "+err.Error())
		return 0
	}
	switch string(name) {
	case "standard_conforming_strings":
		s.settings.conforming = string(value) == "on"
	case "client_encoding":
		s.settings.utf8 = string(value) == "UTF8"
	case "application_name":
		s.settings.application = string(value)
	}
	return s.relay(c, p, size)
}
