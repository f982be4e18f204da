package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// readAgent reads what the agent has sent, as far as there are whole frames, or heads of DATA.
func (s *Session) readAgent(r *reader) {
	c := r.c
	if !s.prefaced && !s.readPreface(r) {
		return
	}
	for !s.over && !s.paused[abi.Agent] && s.asked == nil {
		p := r.rest()
		if len(p) < h2frame.HeadSize {
			return
		}
		h := h2frame.ReadHead(p)
		if problem := h.Check(frameSize); problem != nil {
			s.fail(c, abi.Agent, problem.Code, problem.Text)
			return
		}
		if !s.agentSet && (h.Type != h2frame.Settings || h.Has(h2frame.Ack)) {
			s.fail(c, abi.Agent, h2frame.ProtocolError, "the preface goes on with something else than SETTINGS")
			return
		}
		whole := h2frame.HeadSize + int(h.Length)
		switch h.Type {
		case h2frame.Data:
			if !s.agentData(r, &h, p) {
				return
			}
			continue
		case h2frame.Headers:
			if !s.agentHeaders(r, &h, p) {
				return
			}
			continue
		case h2frame.Settings, h2frame.Ping, h2frame.ResetStream, h2frame.WindowUpdate, h2frame.GoAway:
			if len(p) < whole {
				return
			}
			s.agentControl(c, &h, p[h2frame.HeadSize:whole])
		case h2frame.Continuation:
			s.fail(c, abi.Agent, h2frame.ProtocolError, "CONTINUATION of nothing")
			return
		default: // PRIORITY, and what is not known (section 4.1)
			s.strain(c, abi.Agent, idleCost)
		}
		r.skip(uint64(whole))
	}
}

// readPreface reads what a client begins with and reports whether it is there.
func (s *Session) readPreface(r *reader) bool {
	p := r.rest()
	n := min(len(p), len(h2frame.Preface))
	if string(p[:n]) != h2frame.Preface[:n] {
		s.fail(r.c, abi.Agent, h2frame.ProtocolError, "it does not begin with the preface of HTTP/2")
		return false
	}
	if n < len(h2frame.Preface) {
		return false
	}
	s.prefaced = true
	r.skip(uint64(n))
	return true
}

// agentControl takes a frame without a body in.
func (s *Session) agentControl(c *sdk.Conn, h *h2frame.Head, p []byte) {
	switch h.Type {
	case h2frame.Settings:
		s.readSettings(c, abi.Agent, h, p)
	case h2frame.Ping:
		s.readPing(c, abi.Agent, h, p)
	case h2frame.GoAway: // it opens no stream any more, and closes when it likes
		s.strain(c, abi.Agent, idleCost)
	case h2frame.WindowUpdate:
		s.agentWindow(c, h.Stream, p)
	case h2frame.ResetStream:
		s.agentReset(c, h.Stream, h2frame.Code(h2frame.U32(p)))
	}
}

// idle reports whether the agent has not begun the stream of this number, and ends the connection for a frame that belongs to it (section 5.1).
func (s *Session) idle(c *sdk.Conn, id uint32) bool {
	if id > s.lastAgent || id%2 == 0 {
		s.fail(c, abi.Agent, h2frame.ProtocolError, "a frame of a stream that was not begun")
		return true
	}
	return false
}

// agentWindow takes WINDOW_UPDATE.
func (s *Session) agentWindow(c *sdk.Conn, id uint32, p []byte) {
	s.strain(c, abi.Agent, idleCost)
	n, problem := h2frame.Increment(p)
	switch {
	case s.over:
	case problem != nil:
		s.fail(c, abi.Agent, problem.Code, problem.Text)
	case id == 0:
		if !widen(&s.windows.wants, n) {
			s.fail(c, abi.Agent, h2frame.FlowControlError, "the connection's window becomes larger than it can be")
			return
		}
		s.offer(c)
		s.drainAll(c)
		s.resume(c, abi.Upstream)
	default:
		st := s.streams.byAgent(id)
		switch {
		case st == nil:
			s.idle(c, id)
		case !widen(&st.wants, n):
			s.fail(c, abi.Agent, h2frame.FlowControlError, "a stream's window becomes larger than it can be")
		default:
			s.offerStream(c, st)
			if st.result != nil {
				s.drain(c, st)
				s.resume(c, abi.Upstream)
			}
		}
	}
}

// agentReset takes RST_STREAM: a request that is taken back.
func (s *Session) agentReset(c *sdk.Conn, id uint32, code h2frame.Code) {
	s.strain(c, abi.Agent, resetCost)
	st := s.streams.byAgent(id)
	switch {
	case s.over:
	case st == nil:
		s.idle(c, id)
	default:
		if st.state == open {
			s.up(c, h2frame.AppendReset(s.out[:0], st.upstream, code))
		}
		s.forgetStream(c, st)
	}
}

// forgetStream ends what belongs to a stream.
func (s *Session) forgetStream(c *sdk.Conn, st *stream) {
	switch {
	case st.state == held:
		c.Withdraw(st.action)
	case st.state == open && !st.endSent:
		c.Done(st.action)
	}
	if st.result != nil {
		s.leave(c, st)
	}
	s.windows.kept -= len(st.body) - st.sent
	s.streams.remove(st)
	s.grant(c)
}

// finish forgets a stream both of whose sides have ended.
func (s *Session) finish(c *sdk.Conn, st *stream) {
	if st.upstreamDone && st.endSent && st.result == nil {
		s.relax(doneCalm)
		s.streams.remove(st)
	}
}

// agentData reads DATA and reports whether it could: of a body that passes the head is enough.
func (s *Session) agentData(r *reader, h *h2frame.Head, p []byte) bool {
	c := r.c
	payload := p[h2frame.HeadSize:]
	if h.Has(h2frame.Padded) && len(payload) == 0 {
		return false
	}
	size, problem := h.Body(payload)
	if problem != nil {
		s.fail(c, abi.Agent, problem.Code, problem.Text)
		return false
	}
	whole, n, end := uint64(h2frame.HeadSize)+uint64(h.Length), int64(size), h.Has(h2frame.EndStream)
	st := s.streams.byAgent(h.Stream)
	switch {
	case st == nil && s.idle(c, h.Stream):
		return false
	case int64(h.Length) > s.windows.granted || st != nil && int64(h.Length) > st.granted:
		s.fail(c, abi.Agent, h2frame.FlowControlError, "more data than was granted")
		return false
	case st == nil: // of a stream that has ended here
		s.windows.granted -= int64(h.Length)
		r.skip(whole)
		s.strain(c, abi.Agent, lateCost(h.Length))
		s.grant(c)
		return !s.over
	case st.agentDone:
		s.fail(c, abi.Agent, h2frame.StreamClosed, "DATA behind the end of its stream")
		return false
	case st.length >= 0 && (n > st.length || end && n < st.length):
		s.windows.granted -= int64(h.Length)
		r.skip(whole)
		s.spoil(c, st, "the body is not as long as Content-Length says")
		return !s.over
	}
	if st.state == gathering && len(st.body)+int(n) > st.limit {
		s.ask(c, st)
		return !s.over // the frame is read again, when that is decided
	}
	keep := st.state != open || st.waiting()
	if keep && uint64(len(p)) < whole {
		return false
	}
	s.windows.granted -= int64(h.Length)
	st.granted -= int64(h.Length)
	if st.length >= 0 {
		st.length -= n
	}
	st.agentDone = end
	switch {
	case n == 0 && !end:
		s.strain(c, abi.Agent, idleCost)
	case n > 0:
		s.relax(dataCalm)
	}
	if keep {
		s.keepData(r, h, st, payload[h.Fixed():][:n])
	} else {
		s.passData(r, h, p, st, n)
	}
	return !s.over
}

// passData passes DATA on to the upstream.
func (s *Session) passData(r *reader, h *h2frame.Head, p []byte, st *stream, n int64) {
	c := r.c
	if n > 0 || st.agentDone {
		st.takes -= n
		s.windows.takes -= n
		s.beyond[abi.Agent] = r.passData(h, p, st.upstream, st.action, n)
	} else {
		r.skip(h2frame.HeadSize + uint64(h.Length))
	}
	s.grant(c)
	if !st.agentDone {
		s.grantStream(c, st)
		return
	}
	st.endSent = true
	c.Done(st.action)
	s.finish(c, st)
}

// keepData keeps DATA until it can go on.
func (s *Session) keepData(r *reader, h *h2frame.Head, st *stream, p []byte) {
	c := r.c
	st.body = append(st.body, p...)
	s.windows.kept += len(p)
	r.skip(h2frame.HeadSize + uint64(h.Length))
	s.grant(c)
	switch {
	case st.state == open:
		s.flush(c, st)
	case st.state == gathering && st.agentDone:
		st.known = true
		s.ask(c, st)
	}
}

// flush sends of a body that waited what the upstream takes. What it takes of the connection is what the agent was not granted.
func (s *Session) flush(c *sdk.Conn, st *stream) {
	if st.state != open || st.endSent {
		return
	}
	w := &s.windows
	for st.waiting() {
		left := int64(len(st.body) - st.sent)
		n := min(left, frameSize, st.takes, w.takes-w.granted)
		if n <= 0 {
			return
		}
		flags := h2frame.Flags(0)
		if n == left && st.agentDone && len(st.trailers) == 0 {
			flags = h2frame.EndStream
			st.endSent = true
		}
		b := h2frame.AppendHead(s.out[:0], int(n), h2frame.Data, flags, st.upstream)
		c.Send(abi.Upstream, st.action, append(b, st.body[st.sent:st.sent+int(n)]...))
		st.sent += int(n)
		st.takes -= n
		w.takes -= n
		w.kept -= int(n)
	}
	st.body, st.sent = reuse(st.body), 0
	if st.agentDone {
		s.sendEnd(c, st)
		return
	}
	s.grantStream(c, st)
}

// sendEnd ends a request whose body is sent.
func (s *Session) sendEnd(c *sdk.Conn, st *stream) {
	switch {
	case len(st.trailers) > 0:
		s.written = append(s.begun(s.written[:0], abi.Upstream), st.trailers...)
		c.Send(abi.Upstream, st.action, h2frame.AppendHeaders(s.out[:0], st.upstream, h2frame.EndStream, s.written, frameSize))
	case !st.endSent:
		c.Send(abi.Upstream, st.action, h2frame.AppendHead(s.out[:0], 0, h2frame.Data, h2frame.EndStream, st.upstream))
	}
	st.endSent = true
	c.Done(st.action)
	s.finish(c, st)
}

// flushAll goes on with every body that waits for the connection's window.
func (s *Session) flushAll(c *sdk.Conn) {
	if s.windows.kept == 0 {
		return
	}
	for i := range s.streams.slots {
		if st := &s.streams.slots[i]; st.agent != 0 && st.waiting() {
			s.flush(c, st)
		}
	}
}
