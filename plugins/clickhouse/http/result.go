package http

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/session"
	"github.com/sallyport-dev/sallyport/plugins/http/answer"
	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Where a rule looks at what comes back over HTTP, the host keeps a response from its first byte to its last, and it is asked about then; package answer of the HTTP plugin says what it is made of. The server says
// which format the body is in (X-ClickHouse-Format), so columns and rows are known for TabSeparated and JSON in their forms. Such a request goes on without
// Accept-Encoding, because what is compressed cannot be masked.

// result is the response to one request while it is looked at; without an Answer none is.
type result struct {
	answer.Reply
	question  uint32
	exception int64
}

// tail is what comes next of a response that was too long.
type tail struct {
	left  uint64 // bytes, which all pass or are all dropped
	more  bool   // chunks stand behind them
	drops bool
}

// inspects begins what the verdict on a request demands.
func (s *Session) inspects(c *sdk.Conn, e *abi.Event) {
	s.result, s.looked, s.answers = result{}, 0, 0
	if e.Inspect == 0 || e.ID != s.id {
		c.Answered(e.ID)
		return
	}
	s.looked = e.ID
	s.result.Answer = answer.New(e.ID, int(e.Inspect))
	if e := &s.plan.offer; e.out > 0 {
		s.plan.edits = append(s.plan.edits, *e)
		sortEdits(s.plan.edits)
	}
}

// interim drops an interim response: the word that a client waits for is the gateway's own here.
func (s *Session) interim(c *sdk.Conn, size int) int {
	c.Drop(abi.Upstream, uint64(size))
	return size
}

// keepHead keeps the head of a response.
func (s *Session) keepHead(c *sdk.Conn, p []byte, body head.Body) int {
	r, k := &s.response, &s.result
	s.last = s.last || r.Last() || body == head.UntilClose
	if body == head.InChunks {
		r.chunks.Begin(false)
	}
	k.Read = document // which says itself what it is; old servers do not
	for i := range r.Count {
		f := &r.All[i]
		switch value := f.Value.Of(p); {
		case head.SameName(f.Name.Of(p), "x-clickhouse-format"):
			k.Read = reader(string(value))
		case head.SameName(f.Name.Of(p), "x-clickhouse-exception-code"):
			k.exception, _ = strconv.ParseInt(string(value), 10, 32)
		}
	}
	if k.exception != 0 { // then it is a text, whatever was to come
		k.Read = nil
	}
	s.server = serverKeeping
	n, step := k.Head(c, &r.Response, p, body)
	s.kept(c, step)
	return n
}

// keepBody keeps what comes of the body.
func (s *Session) keepBody(c *sdk.Conn, p []byte, end bool) int {
	n, step, problem := s.result.Next(c, &s.response.chunks, p, end)
	if problem != "" {
		return s.spoiled(c, problem)
	}
	s.kept(c, step)
	return n
}

// kept goes on behind a piece that was kept.
func (s *Session) kept(c *sdk.Conn, step answer.Step) {
	switch step {
	case answer.Whole:
		s.askResult(c, 0)
	case answer.Long:
		s.askResult(c, abi.AskTruncated)
	case answer.CutOff:
		s.answer(c, 502, networkError, "sallyport: the server closed the connection in the middle of its answer, which a rule looks at", true)
		c.Close("the server closed the connection")
	}
}

func undo(c *sdk.Conn, encoding, body []byte, limit int) ([]byte, error) {
	return decode.Body(c, session.CompanionDecode, encoding, body, limit)
}

// askResult asks about what is kept.
func (s *Session) askResult(c *sdk.Conn, flags uint8) {
	k := &s.result
	if k.Values(c, undo, flags != 0) {
		flags |= abi.AskTruncated
	}
	k.Long = flags != 0
	k.question = k.Begin(c, session.FamilyResponse, s.class, s.title).Int(session.ResponseStatus, int64(k.Status)).Int(session.ResponseException, k.exception).DoResponse(k.Parent, flags)
}

// resultDecided goes on with a response that was asked about.
func (s *Session) resultDecided(c *sdk.Conn, e *abi.Event) {
	k := s.result
	s.result, s.looked = result{}, 0
	if e.Outcome != abi.Allow {
		s.withhold(c, &k, e)
		return
	}
	c.Release(k.Parent, 0)
	if k.Long {
		s.answers = k.Parent
	}
	switch {
	case k.Unread:
		s.server = serverHead
	case k.Long && k.Left > 0:
		s.server, s.tail = serverTail, tail{left: k.Left, more: k.Delimited == head.InChunks && !k.Over}
	case k.Over && k.Delimited == head.UntilClose:
		s.answered(c)
		c.Close("the server closed the connection")
	case k.Over:
		s.responseDone(c)
	case k.Delimited == head.UntilClose:
		c.Pass(abi.Upstream, k.Parent, passAll)
		s.server = serverRest
	default:
		s.server = serverChunks
	}
}

// answered ends a response that was too long.
func (s *Session) answered(c *sdk.Conn) {
	if s.answers != 0 {
		c.Answered(s.answers)
		s.answers = 0
	}
}

// passTail passes what was not kept of a response that was too long, or drops it.
func (s *Session) passTail(c *sdk.Conn, p []byte) int {
	t := s.tail
	if t.drops {
		c.Drop(abi.Upstream, t.left)
	} else {
		c.Pass(abi.Upstream, s.answers, t.left)
		s.trailing = true
	}
	if t.more {
		s.server = serverChunks
	} else {
		s.responseDone(c)
	}
	return int(min(t.left, uint64(len(p))))
}

// withhold tells the agent that it does not get a response.
func (s *Session) withhold(c *sdk.Conn, k *result, e *abi.Event) {
	ends := s.last || k.Lasts(maxDropped)
	s.answer(c, 403, accessDenied, session.Withheld(e), ends)
	c.Answered(k.Parent)
	switch {
	case k.Long && !ends && k.Left > 0:
		s.server, s.tail = serverTail, tail{left: k.Left, drops: true}
	case k.Long && ends:
		c.Close("an answer was withheld whose end nobody waits for")
	case k.Delimited == head.UntilClose:
		c.Close("the server closed the connection")
	default:
		s.responseDone(c)
	}
}
