package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// tunnel is what CONNECT goes on with.
var tunnel = []byte("tunnel")

// ask asks about a request. Nothing more of the agent is read before the first answer, so that what follows happens in the same order however it comes.
func (s *Session) ask(c *sdk.Conn, st *stream) {
	q := &s.request
	if st.state == gathering {
		q = &st.request.request
		s.block, s.secretAt = append(s.block[:0], st.block...), st.secretAt
		s.known = 0
	}
	a := s.action
	if s.known == 0 || !a.Again(s.known) {
		a.Begin()
		for i := range q.fields {
			if f := &q.fields[i]; f.Flags&hpack.Pseudo == 0 {
				a.Header(head.Name(f.Known), f.Name.Of(q.text), f.Value.Of(q.text))
			}
		}
		if s.known != 0 {
			a.Keep(s.known)
		}
	}
	what := facts.Request{Method: q.method, Authority: q.authority, Path: q.bare(), Query: q.query, Version: "2", TLS: s.link.Secured,
		ServerName: s.link.ServerName, Credential: s.writesFor(s.secretAt), Length: q.length, Body: s.body(c, st, q)}
	switch {
	case q.connect:
		what.Path, what.Upgrade = nil, tunnel
	case st.agentDone && len(st.body) == 0:
		what.Length = 0
	}
	if !s.signs(c, st, q) {
		return
	}
	flags := abi.AskAside
	if q.connect {
		flags |= abi.AskStreaming
	}
	st.action = a.Ask(c, &what, s.options.Raise).Do(0, flags)
	st.noted, st.about = a.Class > abi.ClassRead, a.About
	if s.link.Inspect {
		st.title, st.class, st.endless = a.Title(), a.Class, a.Endless()
	}
	st.state = undecided
	s.asked = st
}

// body is what is known of a request's body.
func (s *Session) body(c *sdk.Conn, st *stream, q *request) facts.Body {
	switch {
	case st.agentDone && len(st.body) == 0:
		return facts.Body{Known: true}
	case !st.known || q.encodings > 1 || !s.options.Inspect || len(st.body) > s.options.BodyLimit:
		return facts.Body{}
	case q.encodings == 0:
		return facts.Body{Known: true, Bytes: st.body}
	case s.options.Undo == nil:
		return facts.Body{}
	}
	b, err := s.options.Undo(c, q.encoding, st.body, s.options.BodyLimit)
	body := facts.Body{Known: err == nil, Bytes: b}
	if facts.Compressed(q.encoding) {
		body.Raw = st.body
	}
	return body
}

// Event hears of verdicts.
func (s *Session) Event(c *sdk.Conn, e abi.Event) {
	if s.over {
		return
	}
	switch e.Kind {
	case abi.KindHeld:
		if st := s.asked; st != nil && st.action == e.ID {
			st.state = held
			st.block, st.secretAt = append(st.block[:0], s.block...), s.secretAt
			s.decided(c)
		}
	case abi.KindVerdict:
		if s.link.Inspect && s.resultVerdict(c, &e) {
			return
		}
		st := s.asked
		if st != nil && st.action == e.ID {
			s.verdict(c, st, &e, s.block, s.secretAt)
			s.decided(c)
			return
		}
		if st = s.streams.byAction(e.ID); st != nil {
			s.verdict(c, st, &e, st.block, st.secretAt)
		} else if e.Outcome == abi.Allow && e.ID != s.link.Connect { // it was taken back too late
			c.Done(e.ID)
			c.Answered(e.ID)
		}
	}
}

// decided goes on with what stands behind a question.
func (s *Session) decided(c *sdk.Conn) {
	s.asked = nil
	s.resume(c, abi.Agent)
}

// verdict carries out what was decided about a request.
func (s *Session) verdict(c *sdk.Conn, st *stream, e *abi.Event, block []byte, secretAt places) {
	switch {
	case e.Outcome != abi.Allow:
		st.state = undecided // nothing is left to take back
		s.answer(c, st, &facts.Answer{Status: 403, Title: "Forbidden", Detail: e.Reason, Rule: e.Rule, Receipt: e.Receipt, Hold: e.Hold})
	case s.refusing:
		c.Done(st.action)
		c.Answered(st.action)
		st.state = undecided
		s.refuse(c, st.agent)
		s.forgetStream(c, st)
	default:
		if e.Inspect > 0 {
			s.looks(st, e)
		}
		s.release(c, st, block, secretAt)
	}
}

// release begins a request at the upstream.
func (s *Session) release(c *sdk.Conn, st *stream, block []byte, secretAt places) {
	if s.updated[abi.Upstream] {
		block, secretAt = block[1:], secretAt.back(1) // the table size update
	}
	s.updated[abi.Upstream] = true
	if st.result != nil {
		block, secretAt = s.withoutOffer(block, secretAt)
	}
	s.streams.number(st, s.nextUp)
	s.nextUp += 2
	st.state = open
	w := &s.windows
	st.takes, st.offered = w.firstTakes, w.firstOffered
	flags := h2frame.Flags(0)
	if st.agentDone && !st.waiting() && len(st.trailers) == 0 {
		flags = h2frame.EndStream
		st.endSent = true
	}
	st.placed = secretAt.header > 0
	s.sendHeader(c, st, flags, block, secretAt)
	s.offerStream(c, st)
	switch {
	case st.endSent:
		c.Done(st.action)
	case st.waiting():
		s.flush(c, st)
	case st.agentDone:
		s.sendEnd(c, st)
	default:
		s.grantStream(c, st)
	}
}
