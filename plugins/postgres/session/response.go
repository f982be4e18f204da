package session

import (
	"slices"

	"github.com/sallyport-dev/sallyport/plugins/postgres/proto"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Where a rule looks at what comes back, the answer to an action is kept by the host from its first message to its last, with everything that the
// server says meanwhile, and asked about. Values of rows are named where they stand, by column. When it is withheld the agent gets an error in its
// place; the server has run the statement, so the transaction is what it is, and ReadyForQuery says so. Behind a withheld answer in the
// extended protocol everything up to the next Sync is left out, because that is what follows an error there.

// The fields of family response are those that every plugin has.
var responseFamily = abi.ResponseFamily("What came back from a statement: columns and rows, the data of COPY … TO STDOUT, errors and notices with their texts.")

// result is the answer to one action while it is kept.
type result struct {
	parent   uint32
	question uint32 // about it; 0: not asked
	state    resultState
	columns  []string
	fields   []proto.Field // of the rows that come; nil: not known
	base     int           // of their columns among all
	unnamed  bool          // there are rows of which the columns are not known
	rows     int64
	binary   bool // data of COPY is
	simple   bool // it ends with ReadyForQuery
	ready    []byte
	title    string
	class    abi.Class
}

type resultState uint8

const (
	keeping   resultState = iota
	streaming             // it was too long, and allowed
	withheld              // and denied: the rest is dropped
)

// described are the columns of prepared statements, as far as their description came past.
type described struct {
	statements map[string][]proto.Field
}

// mostDescribed bounds the statements whose columns are kept, and mostColumns the columns of one.
const (
	mostDescribed = 256
	mostColumns   = 256
)

// expected is the parent that the next message of the server answers; 0: none.
func (s *Session) expected(c *sdk.Conn) uint32 {
	if s.queue.len() == 0 {
		return 0
	}
	if id := s.queue.head().action; id != 0 && c.Inspected(id) {
		return id
	}
	return 0
}

// inspects begins or ends what the verdict on p demands: what has no result is not kept.
func (s *Session) inspects(c *sdk.Conn, p pending, e *abi.Event) {
	switch {
	case p.kind == replicationPending && p.id == e.ID:
		s.fatal(c, "0A000", "sallyport: what a replication connection answers cannot be looked at, which a rule demands", "", "")
		s.phase = phaseEnded
		c.Close("a rule looks at what a replication connection answers")
	case !s.hasResult(e.ID):
		c.Answered(e.ID)
	}
}

// hasResult reports whether the server owes the result of a statement to action id. What only prepares one has none.
func (s *Session) hasResult(id uint32) bool {
	for _, i := range s.queue.all() {
		if i.action == id && (i.kind == itemExecute || i.kind == itemQuery || i.kind == itemFunction) && !i.copyOnly() {
			return true
		}
	}
	return false
}

// copyOnly reports whether the item is one COPY … FROM STDIN, whose answer has no rows, and which waits for data.
func (i *item) copyOnly() bool {
	return i.st != nil && i.st.copyIn && !i.st.facts.Unknown && len(i.st.facts.Each) == 1
}

// resultOf is the result of the parent that is answered now.
func (s *Session) resultOf(parent uint32) *result {
	if s.result.parent != parent {
		i := s.queue.head()
		s.result = result{parent: parent, simple: i.kind.simple(), class: abi.ClassRead, title: "the result of a function call"}
		if i.st != nil {
			s.result.class, s.result.title = i.st.facts.Class, "the result of: "+i.st.facts.Title
		}
	}
	return &s.result
}

// keeps reports whether the message is kept, and if so whether it may be read now: all of it is there, and fits.
func (s *Session) keeps(c *sdk.Conn, p []byte, typ byte, size int64) (ready bool) {
	r := s.resultOf(s.parent)
	switch {
	case r.state != keeping:
		return true
	case size > abi.MaxInspect || !c.Fits(r.parent, int(size)):
		s.askResult(c, abi.AskTruncated)
		return false
	}
	return int64(len(p)) >= size
}

// keep has the host keep a message, which is all there, and names the values in it.
func (s *Session) keep(c *sdk.Conn, p []byte, size int64) int {
	r, msg := &s.result, p[:size]
	at := c.Kept(r.parent)
	c.Keep(r.parent, int(size))
	switch msg[0] {
	case proto.RowDescription:
		fields, err := proto.Fields(msg)
		r.describe(fields, err == nil)
	case proto.DataRow:
		r.rows++
		r.unnamed = r.unnamed || r.fields == nil
		proto.RowValues(msg, func(column, start, end int) {
			if end >= 0 {
				r.value(c, column, at+start, msg[start:end])
			}
		})
	case proto.CopyOutResponse:
		r.binary = len(msg) > proto.HeaderSize && msg[proto.HeaderSize] == 1
	case proto.CopyData:
		r.rows++
		format := abi.FormatText
		if r.binary {
			format = abi.FormatFixed
		}
		c.Value(r.parent, abi.NoColumn, format, at+proto.HeaderSize, len(msg)-proto.HeaderSize)
	case proto.ErrorResponse, proto.NoticeResponse:
		proto.Words(msg, func(start, end int) { c.Value(r.parent, abi.NoColumn, abi.FormatText, at+start, end-start) })
	case proto.NotificationResponse, proto.FunctionCallResponse, proto.ParameterStatus:
		c.Value(r.parent, abi.NoColumn, abi.FormatFixed, at+proto.HeaderSize, len(msg)-proto.HeaderSize)
	case proto.ReadyForQuery:
		r.ready = append(r.ready[:0], msg...)
	}
	return int(size)
}

// describe takes the columns of the rows that come.
func (r *result) describe(fields []proto.Field, known bool) {
	r.base, r.fields = len(r.columns), nil
	if !known || len(r.columns)+len(fields) > maxResultColumns {
		r.unnamed = true
		return
	}
	for _, f := range fields {
		name := string(f.Name)
		r.columns = append(r.columns, name)
		r.fields = append(r.fields, proto.Field{Type: f.Type, Binary: f.Binary})
	}
	if r.fields == nil {
		r.fields = []proto.Field{} // rows without columns
	}
}

// maxResultColumns bounds the columns of an answer: as many as a server can have in one result (MaxTupleAttributeNumber), and so that their
// names fit into a question.
const maxResultColumns = 1664

// value names a value of a row, or gives its text when it is in binary form.
func (r *result) value(c *sdk.Conn, column, start int, v []byte) {
	number := abi.NoColumn
	f := proto.Field{}
	if column < len(r.fields) {
		f, number = r.fields[column], uint16(r.base+column)
	}
	format := abi.FormatFixed
	switch {
	case isText(f.Type) || f.Type >= firstOwnType && !f.Binary:
		format = abi.FormatText
	case f.Binary && isNumber(f.Type):
		if text := appendBinary(nil, f.Type, v); c.FitsText(r.parent, len(text)) {
			c.Text(r.parent, number, text)
			return
		}
	}
	c.Value(r.parent, number, format, start, len(v))
}

// firstOwnType is the first object ID that is not the server's own (FirstNormalObjectId): enumerations, citext and the like, which are texts
// in text format.
const firstOwnType = 16384

// isText reports whether values of a type are text in both formats, of any content.
func isText(oid uint32) bool {
	switch oid {
	case oidText, oidVarchar, oidBpchar, oidName, oidXML, oidUnknown, oidTexts, oidVarchars:
		return true
	}
	return false
}

const oidUnknown, oidTexts, oidVarchars = 705, 1009, 1015

func isNumber(oid uint32) bool {
	switch oid {
	case oidBool, oidInt2, oidInt4, oidInt8, oidOid, oidFloat4, oidFloat8, oidUUID:
		return true
	}
	return false
}

// askResult asks about what is kept.
func (s *Session) askResult(c *sdk.Conn, flags uint8) {
	r := &s.result
	b := c.AskResponse(familyResponse, r.class, r.title)
	if r.unnamed || !fitsColumns(r.columns) {
		b.Unknown(abi.ResponseColumns)
	} else {
		b.Strings(abi.ResponseColumns, r.columns)
	}
	r.question = b.Int(abi.ResponseRows, r.rows).DoResponse(r.parent, flags)
	if flags&abi.AskTruncated != 0 {
		r.state = streaming // unless it is denied
	}
}

func fitsColumns(names []string) bool {
	n := 0
	for _, name := range names {
		n += 4 + len(name)
	}
	return n < abi.MaxAction-4<<10
}

// asking reports whether a question about an answer waits for its verdict.
func (s *Session) asking() bool { return s.result.question != 0 }

// answeredWhole is called behind each message that a parent's answer has: at its end it is asked about, or over.
func (s *Session) answeredWhole(c *sdk.Conn) {
	r := &s.result
	switch {
	case s.phase != phaseReady && s.phase != phaseEnded || r.parent == 0 || r.question != 0:
	case s.queue.len() > 0 && s.queue.head().action == r.parent:
	case r.state == keeping:
		s.askResult(c, 0)
	default:
		c.Answered(r.parent)
		s.result = result{}
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
		s.withhold(c, r, e, long)
	}
	if !long {
		s.result = result{}
	}
}

// withhold tells the agent that it does not get a result.
func (s *Session) withhold(c *sdk.Conn, r *result, e *abi.Event, long bool) {
	reason := e.Reason
	if reason == "" {
		reason = "denied by sallyport"
	}
	x := proto.Error{Severity: "ERROR", Code: "42501", Message: "the statement ran, and its result is withheld: " + reason, Detail: explain(e),
		Hint: "What the statement changed stands, unless the transaction is rolled back."}
	c.Send(abi.Agent, 0, proto.AppendError(nil, &x))
	switch {
	case long:
		r.state = withheld
	case r.simple:
		c.Send(abi.Agent, 0, r.ready)
		return
	}
	s.muted = !r.simple
}

// withheldReady ends a withheld answer that was too long, of a Query: the agent hears that the server is ready.
func (s *Session) withheldReady(c *sdk.Conn) {
	c.Answered(s.result.parent)
	s.result, s.parent = result{}, 0
}

// describes keeps the columns of a prepared statement for those who execute it without asking for them again.
func (s *Session) describes(name string, msg []byte) {
	fields, err := proto.Fields(msg)
	if err != nil || len(fields) > mostColumns {
		delete(s.described.statements, name)
		return
	}
	for i := range fields {
		fields[i].Name = slices.Clone(fields[i].Name)
	}
	if s.described.statements == nil || len(s.described.statements) >= mostDescribed {
		s.described.statements = map[string][]proto.Field{}
	}
	s.described.statements[name] = fields
}

// boundTo takes the columns of the portal that a Bind made.
func (s *Session) boundTo(statement string, formats []byte) {
	known, ok := s.described.statements[statement]
	if !ok {
		return
	}
	fields := slices.Clone(known)
	for i := range fields {
		fields[i].Binary = proto.Binary(formats, i)
	}
	s.result.describe(fields, true)
}
