package session

import (
	"encoding/binary"
	"slices"
	"strconv"
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/postgres/sqlfacts"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// An action of family sql is put together from parts that are encoded already: the head (family and class), what the shape does
// (from the title to the columns), the text, and what the session is. So a statement costs a few copies.

const maxApplication = 1 << 10

// speech is what actions say of the session.
type speech struct {
	head [headSize]byte
	text [valueSize]byte
	// tail are the last fields, encoded: sqlExecutes, sqlPrepared and sqlTransaction first, whose values stand at executesAt and so on.
	tail        []byte
	application string // the one in tail
	changed     int    // and how many changes
}

const (
	boolSize   = 4
	executesAt = boolSize - 1
	preparedAt = 2*boolSize - 1

	transactionAt = 3*boolSize - 1
)

// room is what the part of an action may take that a shape makes, in bytes.
func (s *Session) room() int {
	return abi.MaxAction - headSize - len(s.user) - len(s.database) - maxApplication - maxChanged*maxChange - fewFields
}

// Limits of the list of changes: how many, and the length of each in bytes. What goes past them makes it unknown.
const (
	maxChanged = 16
	maxChange  = 128
)

// change notes what f can set of the variables that decide who the session is and what its names mean.
func (s *Session) change(f *sqlfacts.Facts) {
	for _, name := range f.Settings {
		switch name {
		case "role", "session_authorization", "search_path", sqlfacts.AnySetting:
			s.changedTo(name)
		}
	}
	for i := range f.Each {
		e := &f.Each[i]
		if e.Kind != sqlfacts.KindSet || e.Value == "" {
			continue
		}
		switch e.Name {
		case "role", "session_authorization", "search_path":
			s.changedTo(e.Name + "=" + e.Value)
		}
	}
}

// changedTo adds to the list of changes; one entry more than it may have says that there were more.
func (s *Session) changedTo(what string) {
	if len(s.changed) > maxChanged || slices.Contains(s.changed, what) {
		return
	}
	if len(what) > maxChange-4 {
		for len(s.changed) <= maxChanged {
			s.changed = append(s.changed, "")
		}
		return
	}
	s.changed = append(s.changed, what)
}

// tail are the fields of an action that depend on the session and the message.
func (s *Session) tail(executes, prepared bool) []byte {
	t := &s.speech
	if t.tail == nil || t.application != s.settings.application || t.changed != len(s.changed) {
		t.application, t.changed = s.settings.application, len(s.changed)
		var w abi.ActionWriter
		start := len(begin(&w))
		w.Bool(sqlExecutes, false)
		w.Bool(sqlPrepared, false)
		w.Bool(sqlTransaction, false)
		w.String(sqlDatabase, s.database)
		w.String(sqlUser, s.user)
		if len(t.application) <= maxApplication {
			w.String(sqlApplication, t.application)
		} else {
			w.Unknown(sqlApplication)
		}
		if t.changed <= maxChanged {
			w.Strings(sqlChanged, s.changed)
		} else {
			w.Unknown(sqlChanged)
		}
		t.tail = w.End()[start:]
	}
	t.tail[executesAt], t.tail[preparedAt], t.tail[transactionAt] = bit(executes), bit(prepared), bit(s.transaction)
	return t.tail
}

// begin makes w ready for fields, and returns what stands before them.
func begin(w *abi.ActionWriter) []byte {
	w.Begin(nil, familySQL, abi.ClassSession, "")
	return w.End()
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// question is what an action of family sql is about.
type question struct {
	st                 *statement
	facts              *sqlfacts.Facts // what it does, which can be more than what the statement does by itself
	text               []byte          // nil: the statement has it
	params             []byte          // encoded
	executes, prepared bool
}

// askSQL asks about the next extent bytes of the agent.
func (s *Session) askSQL(c *sdk.Conn, q question, extent uint64, flags uint8) uint32 {
	st, f, text, params := q.st, q.facts, q.text, q.params
	rest := st.action
	if rest == nil || f != st.facts {
		rest = encode(f, s.room())
	}
	class := f.Class
	if s.settings.shadowed && len(f.Functions) > 0 {
		class = max(class, abi.ClassExecute)
	}
	t := &s.speech
	t.head = [headSize]byte{familySQL, 0, byte(class)}
	tail := s.tail(q.executes, q.prepared)
	if text == nil {
		text = unsafe.Slice(unsafe.StringData(st.text), len(st.text))
	}
	known := byte(1)
	if st.long || len(text) > maxText || headSize+len(rest)+valueSize+len(text)+len(params)+len(tail) > abi.MaxAction {
		known, text = 0, nil
	}
	binary.LittleEndian.PutUint16(t.text[:], sqlText)
	t.text[2] = known
	head := t.text[:3]
	if known == 1 {
		binary.LittleEndian.PutUint32(t.text[3:], uint32(len(text)))
		head = t.text[:]
	}
	if len(params) > len(unknownParams) && headSize+len(rest)+len(head)+len(text)+len(params)+len(tail) > abi.MaxAction {
		params = unknownParams
	}
	return c.AskEncoded(extent, flags, t.head[:], rest, head, text, params, tail)
}

// closing stands for Close messages with nothing else: they only forget a name.
var closing = &statement{shape: newShape(&sqlfacts.Facts{Class: abi.ClassSession, Title: "close a prepared statement or portal", Verbs: []string{"close"}, Bounded: true})}

// askFunction asks about a FunctionCall. What the function does cannot be read from its number.
func (s *Session) askFunction(c *sdk.Conn, oid uint32, size int) uint32 {
	b := c.Ask(familySQL, abi.ClassOpaque, "call the function with object ID "+strconv.FormatUint(uint64(oid), 10))
	b.Bool(sqlExecutes, true).Bool(sqlPrepared, false).Bool(sqlTransaction, s.transaction).Strings(sqlVerbs, []string{"function call"})
	b.String(sqlDatabase, s.database).String(sqlUser, s.user)
	if len(s.settings.application) <= maxApplication {
		b.String(sqlApplication, s.settings.application)
	}
	return b.Do(uint64(size), 0)
}
