package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// collect puts the header block together that begins with the frame at p, section 4.3. Without a problem size 0 says that it has not come whole.
func (s *Session) collect(h *h2frame.Head, p []byte) (block []byte, size int, code h2frame.Code, text string) {
	size = h2frame.HeadSize + int(h.Length)
	if len(p) < size {
		return nil, 0, 0, ""
	}
	payload := p[h2frame.HeadSize:size]
	n, problem := h.Body(payload)
	if problem != nil {
		return nil, 0, problem.Code, problem.Text
	}
	block = payload[h.Fixed():][:n]
	if h.Has(h2frame.EndHeaders) {
		return block, size, 0, ""
	}
	s.assembly = append(s.assembly[:0], block...)
	for pieces := 1; ; pieces++ {
		rest := p[size:]
		if len(rest) < h2frame.HeadSize {
			return nil, 0, 0, ""
		}
		next := h2frame.ReadHead(rest)
		if problem := next.Check(frameSize); problem != nil {
			return nil, 0, problem.Code, problem.Text
		}
		switch {
		case next.Type != h2frame.Continuation || next.Stream != h.Stream:
			return nil, 0, h2frame.ProtocolError, "another frame stands inside of a header block"
		case pieces == maxPieces || len(s.assembly)+int(next.Length) > maxBlock:
			return nil, 0, h2frame.EnhanceYourCalm, "a header block is too long"
		case len(rest) < h2frame.HeadSize+int(next.Length):
			return nil, 0, 0, ""
		}
		whole := h2frame.HeadSize + int(next.Length)
		s.assembly = append(s.assembly, rest[h2frame.HeadSize:whole]...)
		size += whole
		if next.Has(h2frame.EndHeaders) {
			return s.assembly, size, 0, ""
		}
	}
}

// readBlock collects and decodes a header block. ok is false when it has not come whole, or cannot be read, which ends the connection.
func (s *Session) readBlock(r *reader, d *hpack.Decoder, h *h2frame.Head, p []byte) (fields []hpack.Field, large, ok bool) {
	block, size, code, text := s.collect(h, p)
	switch {
	case code != 0:
		s.fail(r.c, r.side, code, text)
		return nil, false, false
	case size == 0:
		return nil, false, false
	}
	fields, err := d.Decode(block)
	if large = err == hpack.ErrTooLarge; err != nil && !large {
		s.fail(r.c, r.side, h2frame.CompressionError, err.Error())
		return nil, false, false
	}
	if cap(s.assembly) > largeBuffer {
		s.assembly = nil
	}
	r.skip(uint64(size))
	return fields, large, true
}

// agentHeaders reads the header block of a request, or its trailers, and reports whether it could.
func (s *Session) agentHeaders(r *reader, h *h2frame.Head, p []byte) bool {
	c := r.c
	fields, large, ok := s.readBlock(r, s.requests, h, p)
	if !ok {
		return false
	}
	st := s.streams.byAgent(h.Stream)
	end := h.Has(h2frame.EndStream)
	switch {
	case st != nil:
		s.agentTrailers(c, st, fields, large, end)
		return !s.over
	case h.Stream%2 == 0:
		s.fail(c, abi.Agent, h2frame.ProtocolError, "a client's streams have odd numbers")
		return false
	case h.Stream <= s.lastAgent: // of a stream that has ended here
		s.strain(c, abi.Agent, idleCost)
		return !s.over
	}
	s.lastAgent = h.Stream
	if s.refusing || s.nextUp > h2frame.MaxStream {
		s.refuse(c, h.Stream)
		return !s.over
	}
	if st = s.streams.add(h.Stream); st == nil {
		s.refuse(c, h.Stream)
		return !s.over
	}
	st.agentDone = end
	st.granted, st.wants = s.windows.firstGranted, s.windows.firstWants
	s.begin(c, st, fields, large)
	return !s.over
}

// refuse turns a stream away of which nobody has seen anything (section 8.7).
func (s *Session) refuse(c *sdk.Conn, id uint32) {
	s.down(c, h2frame.AppendReset(s.out[:0], id, h2frame.RefusedStream))
	s.strain(c, abi.Agent, resetCost)
}

// agentTrailers reads what stands behind a request's body.
func (s *Session) agentTrailers(c *sdk.Conn, st *stream, fields []hpack.Field, large, end bool) {
	switch {
	case st.agentDone:
		s.fail(c, abi.Agent, h2frame.StreamClosed, "HEADERS behind the end of their stream")
		return
	case !end:
		s.spoil(c, st, "a header block stands in the middle of a request")
		return
	case large:
		s.spoil(c, st, "the trailers are too long")
		return
	case st.length > 0:
		s.spoil(c, st, "the body is not as long as Content-Length says")
		return
	}
	text := s.requests.Text()
	for i := range fields {
		if problem := trailerProblem(&fields[i], text); problem != "" {
			s.spoil(c, st, problem)
			return
		}
	}
	st.agentDone = true
	st.trailers = st.trailers[:0]
	for i := range fields {
		st.trailers = hpack.AppendField(st.trailers, &fields[i], text)
	}
	switch {
	case st.state == gathering:
		st.known = true
		s.ask(c, st)
	case st.state == open && !st.waiting():
		s.sendEnd(c, st)
	}
}

// spoil ends a stream whose request turns out to be malformed (section 8.1.1). Nothing is answered that the upstream may have answered.
func (s *Session) spoil(c *sdk.Conn, st *stream, problem string) {
	if st.state == open {
		s.up(c, h2frame.AppendReset(s.out[:0], st.upstream, h2frame.Cancel))
	}
	s.note(c, problem)
	s.down(c, h2frame.AppendReset(s.out[:0], st.agent, h2frame.ProtocolError))
	s.forgetStream(c, st)
	s.strain(c, abi.Agent, badCost)
}

// note puts a malformed request on record.
func (s *Session) note(c *sdk.Conn, problem string) { c.Note(s.link.Connect, "malformed", problem) }

// begin takes a new request in: it is answered, asked about, or its body is read first.
func (s *Session) begin(c *sdk.Conn, st *stream, fields []hpack.Field, large bool) {
	q := &s.request
	again, problem := s.known == s.requests.Block(), ""
	if !again {
		problem = q.read(fields, s.requests.Text())
	}
	if problem == "" && st.agentDone && q.length > 0 {
		problem = "the body is not as long as Content-Length says"
	}
	switch {
	case large:
		s.answerBad(c, st, 431, "Request Header Fields Too Large", "the header is longer than it may be")
		return
	case problem != "":
		s.answerBad(c, st, 400, "Bad Request", problem)
		return
	}
	if !again {
		if problem, status := s.addressed(q); problem != "" {
			s.answerBad(c, st, status, "Misdirected Request", problem)
			return
		}
		s.block = s.encode(s.block[:0], q)
	}
	st.length, st.headOnly, st.grpc = q.length, q.is("HEAD"), q.grpc
	if len(s.block)+s.credentials() > maxSend {
		s.answerBad(c, st, 431, "Request Header Fields Too Large", "the header is longer than it may be")
		return
	}
	if problem := s.hashed(st, q); problem != "" {
		s.answerBad(c, st, 400, "Bad Request", problem)
		return
	}
	if !st.hashes && (!s.options.Inspect || !s.action.Reads(q.method, q.bare())) || q.connect {
		s.askNow(c, st)
		return
	}
	st.limit = max(maxSend-len(s.block)-s.credentials(), 0)
	if !st.hashes {
		st.limit = min(st.limit, s.options.BodyLimit)
	}
	if st.agentDone || q.length > int64(st.limit) {
		st.known = st.agentDone
		s.askNow(c, st)
		return
	}
	s.gather(c, st, q)
}

// askNow asks about the request that was read last. What was read of it stands for the next one, too, if that has the same header block.
func (s *Session) askNow(c *sdk.Conn, st *stream) {
	s.known = s.requests.Block()
	s.ask(c, st)
}

// gather reads the body of a request before it is asked about.
func (s *Session) gather(c *sdk.Conn, st *stream, q *request) {
	st.state = gathering
	s.known = 0
	if q.expects { // the client waits for a word, and the upstream's would be a second one
		q.continued = true
		s.block = s.encode(s.block[:0], q)
	}
	st.block, st.secretAt = append(st.block[:0], s.block...), s.secretAt
	if st.request == nil {
		st.request = new(kept)
	}
	st.request.keep(q)
	if q.expects {
		s.reply = hpack.AppendStatus(s.begun(s.reply[:0], abi.Agent), 100)
		s.down(c, h2frame.AppendHeaders(s.out[:0], st.agent, 0, s.reply, frameSize))
	}
}

// begun begins a header block to a side. The first one, and the first one behind an acknowledgement of its SETTINGS, which may have made its table smaller (RFC 9113
// section 4.3.1), say that there is no dynamic table.
func (s *Session) begun(b []byte, side abi.Side) []byte {
	if s.updated[side] {
		return b
	}
	s.updated[side] = true
	return hpack.AppendSizeUpdate(b, 0)
}
