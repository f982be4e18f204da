package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/answer"
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Where a rule looks at the answer to a request, the host keeps what its DATA hold, and it is asked about, aside, when the stream has ended: other streams go on meanwhile. The header and the
// trailers, which are written anew anyway, are given as text and kept here; the frames around the data are made anew.
//
// While an answer is kept the upstream may send what the agent takes, again and again, up to the limit: the agent's windows are drawn on when the answer goes on, and it goes on as they allow.
// What is longer than the limit is asked about with what is kept of it, and while that is decided nothing more of the upstream is read: it has nowhere to go.

// result is the answer to one request while it is looked at.
type result struct {
	*answer.Answer
	question uint32
	state    resultState
	long     bool
	over     bool   // all of it has come
	header   []byte // the block that the agent gets
	trailers []byte // and the one behind the data, if there is one
	kept     int    // bytes
	left     int    // of them, those that the agent was not sent
	reset    bool   // the upstream has reset the stream behind its end,
	code     h2frame.Code
}

type resultState uint8

const (
	keeping  resultState = iota
	asking               // it was asked about
	draining             // it goes on, as the agent's windows allow
	passing              // what was kept has gone on, the rest of what was too long follows
)

// rest is what is left of a frame of DATA of which the front was kept.
type rest struct {
	on     bool
	st     *stream // nil: nobody wants it
	data   int64
	behind uint64 // padding
	end    bool
}

// forgotten is an answer whose stream has ended before it was decided.
type forgotten struct{ parent, question uint32 }

// looks begins an answer that is looked at.
func (s *Session) looks(st *stream, e *abi.Event) {
	st.result = &result{Answer: answer.New(e.ID, int(e.Inspect))}
	st.result.Endless = st.endless
}

// waits reports whether nothing more of the answer can be taken now.
func (k *result) waits() bool { return k != nil && (k.state == asking || k.state == draining) }

// keeps reports whether what comes is kept.
func (k *result) keeps() bool { return k != nil && k.state == keeping }

// keepHeader takes the header of an answer that is looked at.
func (s *Session) keepHeader(c *sdk.Conn, st *stream, fields []hpack.Field, code int, end bool) {
	k := st.result
	switch {
	case code == 100: // the word that a client waits for with its body
		s.reply = hpack.AppendStatus(s.begun(s.reply[:0], abi.Agent), 100)
		s.down(c, h2frame.AppendHeaders(s.out[:0], st.agent, 0, s.reply, frameSize))
		return
	case code > 0 && code < 200:
		return
	case code > 0:
		k.Status, k.Sized = code, !end
	}
	text, block, fits := s.responses.Text(), []byte(nil), true
	for i := range fields {
		f := &fields[i]
		if aboutConnection(f, text) {
			continue
		}
		block = hpack.AppendField(block, f, text)
		if f.Flags&hpack.Pseudo != 0 {
			continue
		}
		take := k.Header
		if code == 0 {
			take = k.Line
		}
		fits = fits && take(c, f.Name.Of(text), f.Value.Of(text), -1, 0)
	}
	if code > 0 {
		k.header = block
	} else {
		k.trailers = block
	}
	k.over, st.upstreamDone = end, end
	switch {
	case !fits || k.Endless && !end:
		s.askResult(c, st, abi.AskTruncated)
	case end:
		s.askResult(c, st, 0)
	}
}

// keepReply keeps a frame of DATA, and reports whether it could; n is how many bytes it has besides padding.
func (s *Session) keepReply(r *reader, h *h2frame.Head, st *stream, p []byte, n int64, end bool) bool {
	c, k, fixed := r.c, st.result, int(h.Fixed())
	if len(p) < h2frame.HeadSize+int(h.Length) { // the host keeps what it has
		return false
	}
	s.windows.offered -= int64(h.Length)
	st.offered -= int64(h.Length)
	if st.reply >= 0 {
		st.reply -= n
	}
	if n == 0 && !end {
		s.strain(c, abi.Upstream, idleCost)
	} else {
		s.relax(dataCalm)
	}
	r.skip(uint64(h2frame.HeadSize + fixed))
	r.forget()
	fits := min(int(n), k.Limit()-k.kept)
	if !c.Fits(k.Parent, fits) {
		fits = 0
	}
	c.Keep(k.Parent, fits)
	k.Body(p[h2frame.HeadSize+fixed:][:fits], k.kept)
	k.kept += fits
	r.at += fits
	behind := uint64(int(h.Length) - fixed - int(n))
	if fits < int(n) {
		s.rest = rest{on: true, st: st, data: n - int64(fits), behind: behind, end: end}
		s.askResult(c, st, abi.AskTruncated)
		return !s.over
	}
	r.skip(behind)
	s.offer(c)
	if end {
		k.over, st.upstreamDone = true, true
		s.askResult(c, st, 0)
	} else {
		s.offerStream(c, st)
	}
	return !s.over
}

// askResult asks about an answer.
func (s *Session) askResult(c *sdk.Conn, st *stream, flags uint8) {
	k := st.result
	if k.Values(c, answer.Undo(s.options.Undo), flags != 0) {
		flags |= abi.AskTruncated
	}
	k.state, k.long = asking, flags != 0
	k.question = k.Ask(c, facts.FamilyResponse, st.class, st.title, flags|abi.AskAside)
}

// resultVerdict takes the verdict on a question about an answer, and reports whether it is one.
func (s *Session) resultVerdict(c *sdk.Conn, e *abi.Event) bool {
	for i, f := range s.forgotten {
		if f.question == e.ID {
			c.Discard(f.parent, 0)
			c.Answered(f.parent)
			s.forgotten = append(s.forgotten[:i], s.forgotten[i+1:]...)
			return true
		}
	}
	for i := range s.streams.slots {
		if st := &s.streams.slots[i]; st.agent != 0 && st.result != nil && st.result.question == e.ID {
			s.resultDecided(c, st, e)
			return true
		}
	}
	return false
}

func (s *Session) resultDecided(c *sdk.Conn, st *stream, e *abi.Event) {
	k := st.result
	if e.Outcome != abi.Allow {
		if !k.over {
			s.up(c, h2frame.AppendReset(s.out[:0], st.upstream, h2frame.Cancel))
		}
		c.Answered(k.Parent)
		s.unwanted(st)
		st.result = nil
		s.answer(c, st, facts.Withheld(e))
		s.resume(c, abi.Upstream)
		s.lateEnd(c)
		return
	}
	flags := h2frame.Flags(0)
	if k.over && k.kept == 0 && k.trailers == nil {
		flags = h2frame.EndStream
	}
	s.reply = append(s.begun(s.reply[:0], abi.Agent), k.header...)
	s.down(c, h2frame.AppendHeaders(s.out[:0], st.agent, flags, s.reply, frameSize))
	k.state, k.left = draining, k.kept
	s.drain(c, st)
}

// drain has what is kept of an allowed answer go on, as the agent's windows allow.
func (s *Session) drain(c *sdk.Conn, st *stream) {
	k, w := st.result, &s.windows
	if k == nil || k.state != draining {
		return
	}
	for k.left > 0 {
		n := int(min(int64(k.left), frameSize, st.wants, w.wants))
		if n <= 0 {
			return
		}
		flags := h2frame.Flags(0)
		if n == k.left && k.over && k.trailers == nil {
			flags = h2frame.EndStream
		}
		s.down(c, h2frame.AppendHead(s.out[:0], n, h2frame.Data, flags, st.agent))
		c.Release(k.Parent, n)
		k.left -= n
		st.wants -= int64(n)
		w.wants -= int64(n)
	}
	if !k.over {
		k.state = passing
		s.resume(c, abi.Upstream)
		return
	}
	if k.trailers != nil {
		s.reply = append(s.begun(s.reply[:0], abi.Agent), k.trailers...)
		s.down(c, h2frame.AppendHeaders(s.out[:0], st.agent, h2frame.EndStream, s.reply, frameSize))
	}
	s.resultOver(c, st)
	if k.reset && !st.endSent {
		s.down(c, h2frame.AppendReset(s.out[:0], st.agent, k.code))
		s.forgetStream(c, st)
	} else {
		s.finish(c, st)
	}
	s.resume(c, abi.Upstream)
	s.lateEnd(c)
}

// lateEnd ends the connection when the last answer of an upstream that has ended is out.
func (s *Session) lateEnd(c *sdk.Conn) {
	if s.late && !s.owes() {
		s.ended(c, abi.Upstream)
	}
}

// owes reports whether an answer that has come is not out yet.
func (s *Session) owes() bool {
	for i := range s.streams.slots {
		if st := &s.streams.slots[i]; st.agent != 0 && st.result != nil && st.result.over {
			return true
		}
	}
	return false
}

// resultOver ends an answer that the agent has.
func (s *Session) resultOver(c *sdk.Conn, st *stream) {
	c.Answered(st.result.Parent) // of one that was whole it is over already
	st.result = nil
}

// drainAll goes on with every answer that waits for the agent's windows.
func (s *Session) drainAll(c *sdk.Conn) {
	if !s.link.Inspect {
		return
	}
	for i := range s.streams.slots {
		if st := &s.streams.slots[i]; st.agent != 0 && st.result != nil {
			s.drain(c, st)
		}
	}
	s.resume(c, abi.Upstream)
}

// unwanted has what is left of a frame dropped.
func (s *Session) unwanted(st *stream) {
	if s.rest.st == st {
		s.rest.st = nil
	}
}

// leave ends the answer to a stream that has ended before it.
func (s *Session) leave(c *sdk.Conn, st *stream) {
	k := st.result
	s.unwanted(st)
	st.result = nil
	switch k.state {
	case asking:
		s.forgotten = append(s.forgotten, forgotten{k.Parent, k.question})
	case draining:
		c.Discard(k.Parent, 0)
	}
	if k.state != asking {
		c.Answered(k.Parent)
	}
	s.resume(c, abi.Upstream)
	s.lateEnd(c)
}

// readRest goes on with a frame of which the front was kept, and reports whether it could.
func (s *Session) readRest(r *reader) bool {
	c, m, w := r.c, &s.rest, &s.windows
	st := m.st
	switch {
	case st == nil:
		r.skip(uint64(m.data) + m.behind)
	case st.result.waits() || m.data > st.wants || m.data > w.wants:
		s.pause(c, abi.Upstream)
		return false
	default:
		st.wants -= m.data
		w.wants -= m.data
		flags := h2frame.Flags(0)
		if m.end {
			flags = h2frame.EndStream
		}
		s.down(c, h2frame.AppendHead(s.out[:0], int(m.data), h2frame.Data, flags, st.agent))
		r.pass(st.action, uint64(m.data))
		r.skip(m.behind)
		s.offer(c)
		if !m.end {
			s.offerStream(c, st)
		}
		s.upstreamEnd(c, st, m.end)
	}
	s.rest = rest{}
	return !s.over
}

// notNow reports whether a frame of the upstream has to wait, because its stream's answer is being decided, or does not go on; then nothing more of the upstream is read.
func (s *Session) notNow(c *sdk.Conn, id uint32) bool {
	st := s.streams.byUpstream(id)
	if st == nil || st.upstreamDone || !st.result.waits() {
		return false
	}
	s.pause(c, abi.Upstream)
	return true
}

// encodeOffer writes a field that asks for compression so that it can be taken out again, for a request whose answer is looked at.
func (s *Session) encodeOffer(b []byte, f *hpack.Field, text []byte) []byte {
	if s.secretAt.offerEnd > 0 {
		return b
	}
	s.secretAt.offer = len(b)
	b = hpack.AppendField(b, f, text)
	s.secretAt.offerEnd = len(b)
	return b
}

// withoutOffer takes it out.
func (s *Session) withoutOffer(block []byte, at places) ([]byte, places) {
	if at.offerEnd == 0 {
		return block, at
	}
	n := at.offerEnd - at.offer
	s.written = append(append(s.written[:0], block[:at.offer]...), block[at.offerEnd:]...)
	if at.query > at.offer {
		at.query -= n
	}
	if at.header > at.offer {
		at.header -= n
	}
	at.offer, at.offerEnd = 0, 0
	return append([]byte(nil), s.written...), at
}

// asksForCodings reports whether a field asks for compression where answers are looked at.
func (s *Session) asksForCodings(f *hpack.Field, text []byte) bool {
	return s.link.Inspect && facts.CodingsOf(head.Name(f.Known), f.Name.Of(text)) == facts.Accepts
}
