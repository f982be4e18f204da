package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// readUpstream reads what the upstream has sent.
func (s *Session) readUpstream(r *reader) {
	c := r.c
	for !s.over && !s.paused[abi.Upstream] {
		if s.rest.on && !s.readRest(r) {
			return
		}
		p := r.rest()
		if len(p) < h2frame.HeadSize {
			return
		}
		h := h2frame.ReadHead(p)
		if problem := h.Check(frameSize); problem != nil {
			s.fail(c, abi.Upstream, problem.Code, problem.Text)
			return
		}
		if !s.upSet && (h.Type != h2frame.Settings || h.Has(h2frame.Ack)) {
			s.fail(c, abi.Upstream, h2frame.ProtocolError, "it begins with something else than SETTINGS")
			return
		}
		whole := h2frame.HeadSize + int(h.Length)
		if s.link.Inspect && (h.Type == h2frame.Data || h.Type == h2frame.Headers || h.Type == h2frame.ResetStream) && s.notNow(c, h.Stream) {
			return
		}
		switch h.Type {
		case h2frame.Data:
			if !s.upstreamData(r, &h, p) {
				return
			}
			continue
		case h2frame.Headers:
			if !s.upstreamHeaders(r, &h, p) {
				return
			}
			continue
		case h2frame.Settings, h2frame.Ping, h2frame.ResetStream, h2frame.WindowUpdate, h2frame.GoAway:
			if len(p) < whole {
				return
			}
			s.upstreamControl(c, &h, p[h2frame.HeadSize:whole])
		case h2frame.Continuation:
			s.fail(c, abi.Upstream, h2frame.ProtocolError, "CONTINUATION of nothing")
			return
		default:
			s.strain(c, abi.Upstream, idleCost)
		}
		r.skip(uint64(whole))
	}
}

// upstreamControl takes a frame without a body in.
func (s *Session) upstreamControl(c *sdk.Conn, h *h2frame.Head, p []byte) {
	switch h.Type {
	case h2frame.Settings:
		s.readSettings(c, abi.Upstream, h, p)
	case h2frame.Ping:
		s.readPing(c, abi.Upstream, h, p)
	case h2frame.GoAway:
		s.goAway(c, p)
	case h2frame.WindowUpdate:
		s.upstreamWindow(c, h.Stream, p)
	case h2frame.ResetStream:
		st := s.streams.byUpstream(h.Stream)
		if st == nil {
			s.strange(c, h.Stream, idleCost)
			return
		}
		if k := st.result; k != nil && k.over {
			k.reset, k.code = true, h2frame.Code(h2frame.U32(p))
			return
		}
		s.down(c, h2frame.AppendReset(s.out[:0], st.agent, h2frame.Code(h2frame.U32(p))))
		s.forgetStream(c, st)
	}
}

// strange ends the connection for a frame of a stream that was never begun; of one that has ended it can be.
func (s *Session) strange(c *sdk.Conn, id uint32, cost int) (fatal bool) {
	if id >= s.nextUp || id%2 == 0 {
		s.fail(c, abi.Upstream, h2frame.ProtocolError, "a frame of a stream that was not begun")
		return true
	}
	s.strain(c, abi.Upstream, cost)
	return s.over
}

func (s *Session) upstreamWindow(c *sdk.Conn, id uint32, p []byte) {
	n, problem := h2frame.Increment(p)
	switch {
	case problem != nil:
		s.fail(c, abi.Upstream, problem.Code, problem.Text)
	case id == 0:
		if !widen(&s.windows.takes, n) {
			s.fail(c, abi.Upstream, h2frame.FlowControlError, "the connection's window becomes larger than it can be")
			return
		}
		s.flushAll(c)
		s.grant(c)
	default:
		st := s.streams.byUpstream(id)
		switch {
		case st == nil:
			s.strange(c, id, idleCost)
		case !widen(&st.takes, n):
			s.fail(c, abi.Upstream, h2frame.FlowControlError, "a stream's window becomes larger than it can be")
		default:
			s.flush(c, st)
			s.grantStream(c, st)
		}
	}
}

// goAway takes GOAWAY, section 6.8: streams behind the last one that the upstream has looked at can be sent again, and so can those that have not begun there.
func (s *Session) goAway(c *sdk.Conn, p []byte) {
	last, code := h2frame.ReadGoAway(p)
	if last == h2frame.MaxStream { // it is about to
		s.down(c, h2frame.AppendGoAway(s.out[:0], h2frame.MaxStream, code, ""))
		return
	}
	s.refusing = true
	for i := range s.streams.slots {
		st := &s.streams.slots[i]
		if st.agent == 0 || st == s.asked || st.upstream != 0 && st.upstream <= last {
			continue
		}
		s.down(c, h2frame.AppendReset(s.out[:0], st.agent, h2frame.RefusedStream))
		s.forgetStream(c, st)
	}
	s.down(c, h2frame.AppendGoAway(s.out[:0], s.lastAgent, code, ""))
}

// upstreamHeaders reads the header block of a response, or its trailers, and reports whether it could.
func (s *Session) upstreamHeaders(r *reader, h *h2frame.Head, p []byte) bool {
	c := r.c
	fields, large, ok := s.readBlock(r, s.responses, h, p)
	if !ok {
		return false
	}
	st := s.streams.byUpstream(h.Stream)
	switch {
	case st == nil:
		return !s.strange(c, h.Stream, idleCost)
	case st.upstreamDone:
		s.fail(c, abi.Upstream, h2frame.StreamClosed, "HEADERS behind the end of their stream")
		return false
	}
	end := h.Has(h2frame.EndStream)
	if k := &s.passed; k.block == s.responses.Block() && k.end == end && k.headOnly == st.headOnly && !st.answered {
		st.reply = k.reply
		s.responseBegins(c, st, fields, k.code, end)
		return !s.over
	}
	code, problem := responseProblem(fields, s.responses.Text(), st.answered)
	switch {
	case large:
		problem = "the header is longer than 64 KiB"
	case problem != "":
	case st.answered && !end:
		problem = "a header block stands in the middle of a response"
	case code >= 100 && code < 200 && end:
		problem = "an interim response ends its stream"
	case st.answered && st.reply > 0:
		problem = wrongLength
	case code >= 200:
		problem = s.replyBegins(st, fields, code, end)
	}
	if problem != "" {
		s.spoiled(c, st, problem)
		return !s.over
	}
	s.passed.block = 0
	if code >= 200 {
		s.passed = passed{s.responses.Block(), code, st.reply, end, st.headOnly, reuse(s.passed.header)}
	}
	s.responseBegins(c, st, fields, code, end)
	return !s.over
}

// passed is what was found out about the upstream's last block, where that was a response.
type passed struct {
	block         uint32 // its number
	code          int
	reply         int64  // as a stream's
	end, headOnly bool   // of the stream that it was for
	header        []byte // as the agent gets it; empty: it was not written yet
}

// responseBegins takes the header of a response, or its trailers; code is 0 for these.
func (s *Session) responseBegins(c *sdk.Conn, st *stream, fields []hpack.Field, code int, end bool) {
	if code >= 200 {
		st.answered = true
		if code == 401 {
			s.unauthorized(c, st)
		}
		if st.noted {
			c.Note(st.action, "status", string([]byte{byte('0' + code/100), byte('0' + code/10%10), byte('0' + code%10)}))
		}
	}
	if st.result.keeps() {
		s.keepHeader(c, st, fields, code, end)
		return
	}
	flags := h2frame.Flags(0)
	if end {
		flags = h2frame.EndStream
	}
	s.down(c, h2frame.AppendHeaders(s.out[:0], st.agent, flags, s.response(fields), frameSize))
	s.upstreamEnd(c, st, end)
}

// upstreamEnd takes the end of a response.
func (s *Session) upstreamEnd(c *sdk.Conn, st *stream, end bool) {
	if end {
		st.upstreamDone = true
		if st.result != nil {
			s.resultOver(c, st)
		}
		s.finish(c, st)
	}
}

// response writes the header block that the agent gets.
func (s *Session) response(fields []hpack.Field) []byte {
	k := &s.passed
	if k.block == 0 || !s.updated[abi.Agent] {
		b := s.appendResponse(s.begun(s.reply[:0], abi.Agent), fields)
		s.reply = b[:0]
		return b
	}
	if len(k.header) == 0 {
		k.header = s.appendResponse(k.header, fields)
	}
	return k.header
}

func (s *Session) appendResponse(b []byte, fields []hpack.Field) []byte {
	for i := range fields {
		f := &fields[i]
		if !aboutConnection(f, s.responses.Text()) {
			b = hpack.AppendField(b, f, s.responses.Text())
		}
	}
	return b
}

// aboutConnection reports whether a field has no meaning in HTTP/2 (section 8.2.2). Some servers send one all the same.
func aboutConnection(f *hpack.Field, text []byte) bool {
	switch head.Name(f.Known) {
	case head.Connection, head.ProxyConnection, head.TransferEncoding, head.Upgrade:
		return true
	case head.Plain:
		return string(f.Name.Of(text)) == "keep-alive"
	}
	return false
}

// responseProblem reads the status of a response and says what makes it malformed, section 8.3.2. Trailers have none.
func responseProblem(fields []hpack.Field, text []byte, trailers bool) (code int, problem string) {
	for i := range fields {
		f := &fields[i]
		switch {
		case f.Flags&(hpack.BadName|hpack.BadValue) != 0:
			return 0, "the name or the value of a field has bytes that cannot be there"
		case f.Flags&hpack.Pseudo == 0:
			continue
		case trailers || i > 0 || string(f.Name.Of(text)) != ":status":
			return 0, "a pseudo-header field stands where it cannot be"
		}
		v := f.Value.Of(text)
		if len(v) != 3 {
			return 0, "the status is not a number of three digits"
		}
		for _, d := range v {
			if d < '0' || d > '9' {
				return 0, "the status is not a number of three digits"
			}
			code = code*10 + int(d-'0')
		}
	}
	if !trailers && (code < 100 || code == 101) {
		return 0, "there is no status, or one that HTTP/2 does not have"
	}
	return code, ""
}

// spoiled ends a stream whose response cannot be passed on.
func (s *Session) spoiled(c *sdk.Conn, st *stream, problem string) {
	s.up(c, h2frame.AppendReset(s.out[:0], st.upstream, h2frame.ProtocolError))
	c.Note(st.action, "malformed", problem)
	if !st.answered {
		s.answer(c, st, &facts.Answer{Status: 502, Title: "Bad Gateway", Detail: "the server's response is not passed on: " + problem})
		return
	}
	s.down(c, h2frame.AppendReset(s.out[:0], st.agent, h2frame.InternalError))
	s.forgetStream(c, st)
}

// upstreamData passes DATA on to the agent and reports whether it could: its head is enough.
func (s *Session) upstreamData(r *reader, h *h2frame.Head, p []byte) bool {
	c := r.c
	payload := p[h2frame.HeadSize:]
	if h.Has(h2frame.Padded) && len(payload) == 0 {
		return false
	}
	size, problem := h.Body(payload)
	if problem != nil {
		s.fail(c, abi.Upstream, problem.Code, problem.Text)
		return false
	}
	w, n, end := &s.windows, int64(size), h.Has(h2frame.EndStream)
	st := s.streams.byUpstream(h.Stream)
	switch {
	case st == nil && s.strange(c, h.Stream, lateCost(h.Length)):
		return false
	case int64(h.Length) > w.offered || st != nil && int64(h.Length) > st.offered:
		s.fail(c, abi.Upstream, h2frame.FlowControlError, "more data than was granted")
		return false
	case st == nil: // of a stream that has ended here
		w.offered -= int64(h.Length)
		r.skip(h2frame.HeadSize + uint64(h.Length))
		s.offer(c)
		return true
	case st.upstreamDone || !st.answered:
		s.fail(c, abi.Upstream, h2frame.ProtocolError, "DATA where there is no response")
		return false
	case st.reply >= 0 && (n > st.reply || end && n < st.reply):
		w.offered -= int64(h.Length)
		r.skip(h2frame.HeadSize + uint64(h.Length))
		s.spoiled(c, st, wrongLength)
		s.offer(c)
		return !s.over
	case st.result.keeps():
		return s.keepReply(r, h, st, p, n, end)
	case n > w.wants || st.result != nil && n > st.wants: // the gateway's own answers have borrowed of it
		s.pause(c, abi.Upstream)
		return false
	}
	w.offered -= int64(h.Length)
	st.offered -= int64(h.Length)
	w.wants -= n
	st.wants -= n
	if st.reply >= 0 {
		st.reply -= n
	}
	id := uint32(0)
	if s.link.Inspect {
		id = st.action
	}
	if n == 0 && !end {
		s.strain(c, abi.Upstream, idleCost)
		r.skip(h2frame.HeadSize + uint64(h.Length))
	} else {
		s.relax(dataCalm)
		s.beyond[abi.Upstream] = r.passData(h, p, st.agent, id, n)
	}
	s.offer(c)
	if !end {
		s.offerStream(c, st)
	}
	s.upstreamEnd(c, st, end)
	return !s.over
}
