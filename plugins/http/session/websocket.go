package session

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/plugins/http/websocket"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// socket is a WebSocket whose messages are read.
type socket struct {
	on    bool // it has begun
	about *facts.Socket

	// The agent's present message, which nothing was passed of. Places count from its first byte.
	begun   bool
	isText  bool
	at      int    // up to here its frames were walked
	message []byte // what they hold, in clear
	need    int    // so many bytes must be there before there is more to walk

	asked   uint32 // it was asked about
	allowed bool
	whole   bool   // to its end
	streams uint32 // it was allowed without having been read: its frames pass, under this action,
	first   bool   // and the first of them comes next

	denied   bool
	question uint32 // about what comes back behind the present message
}

// extensions is the field that offers to compress messages, among others. Where messages are read, or could hold an echo, nothing of that is agreed on.
const extensions = "sec-websocket-extensions"

// isSocket reports whether the request that p begins with asks for a WebSocket.
func (s *Session) isSocket(p []byte) bool {
	r := &s.request
	return r.Upgrades && head.Fold(r.Upgrade.Of(p), "websocket")
}

// aboutSocket keeps what messages are asked about with.
func (s *Session) aboutSocket(p []byte) {
	s.socket = socket{message: s.socket.message[:0]}
	if !s.plugin.inspectSockets || !s.isSocket(p) {
		return
	}
	r := &s.request
	var protocol []byte
	for i := range r.Count {
		if f := &r.All[i]; head.SameName(f.Name.Of(p), "sec-websocket-protocol") {
			protocol = f.Value.Of(p)
		}
	}
	s.socket.about = facts.NewSocket(r.Authority.Of(p), r.Path.Of(p), protocol)
}

// agreed reports whether the server's response that p begins with agrees on an extension, of which none was offered.
func (s *Session) agreed(p []byte) bool {
	r := &s.response
	for i := range r.Count {
		if head.SameName(r.All[i].Name.Of(p), extensions) {
			return true
		}
	}
	return false
}

// beginSocket goes on with messages.
func (s *Session) beginSocket(c *sdk.Conn) {
	s.socket.on = true
	s.agent, s.server = agentMessages, serverMessages
	if s.facts.Inspect {
		s.answers = s.request.id
	}
	s.resume(c)
}

// readMessages reads what the agent sends in a WebSocket.
func (s *Session) readMessages(c *sdk.Conn, p []byte, end bool) int {
	k := &s.socket
	switch {
	case k.asked != 0 && !k.allowed:
		s.stop(c)
		return 0
	case k.asked != 0:
		if n := s.passMessage(c); n > 0 {
			return n
		}
	case !end && len(p) < k.need:
		return 0
	}
	k.need = 0
	for {
		h, ok, problem := websocket.Read(p[k.at:], true)
		if problem == "" {
			problem = k.outOfPlace(&h, ok)
		}
		switch {
		case problem != "":
			s.breakOff(c, websocket.ProtocolError, string(problem), true)
			return 0
		case !ok:
			if end {
				c.Close("the agent ended in the middle of a message")
			}
			return 0
		case h.Opcode.Control() && !k.begun, k.streams != 0:
			return s.passFrame(c, &h, len(p))
		case !h.Opcode.Control() && uint64(len(k.message))+h.Length > uint64(s.plugin.bodyLimit) || k.at > 4*mostBody:
			k.begin(&h)
			s.askMessage(c, false)
			return 0
		}
		size := h.Size + int(h.Length)
		if len(p)-k.at < size {
			k.need = k.at + size
			if end {
				c.Close("the agent ended in the middle of a message")
			}
			return 0
		}
		payload := p[k.at+h.Size:][:h.Length]
		k.at += size
		if h.Opcode.Control() {
			continue
		}
		k.begin(&h)
		k.message = websocket.AppendUnmasked(k.message, payload, h.Mask)
		if h.Final {
			s.askMessage(c, true)
			return 0
		}
	}
}

// begin notes the first frame of a message.
func (k *socket) begin(h *websocket.Head) {
	if !k.begun {
		k.begun, k.isText = true, h.Opcode == websocket.Text
	}
}

// outOfPlace says why a frame cannot come next.
func (k *socket) outOfPlace(h *websocket.Head, ok bool) websocket.Problem {
	inside := k.begun || k.streams != 0 && !k.first
	switch {
	case !ok || h.Opcode.Control():
	case h.Opcode == websocket.Continuation && !inside:
		return "a frame goes on with a message that has not begun"
	case h.Opcode != websocket.Continuation && inside:
		return "a message begins inside of another one"
	}
	return ""
}

// askMessage asks about the present message. whole: it was read to its end.
func (s *Session) askMessage(c *sdk.Conn, whole bool) {
	k := &s.socket
	k.whole = whole
	k.asked = s.action.AskMessage(c, k.about, k.isText, whole, k.message).Do(0, abi.AskAside)
	s.stop(c) // messages keep their order
}

// socketVerdict hears what was decided about a message.
func (s *Session) socketVerdict(c *sdk.Conn, e *abi.Event) {
	k := &s.socket
	switch {
	case e.Kind != abi.KindVerdict || k.denied || e.ID != k.asked && (e.ID != k.question || k.question == 0):
	case e.Outcome == abi.Allow && e.ID == k.asked && c.Inspected(e.ID):
		s.socketLooked(c)
	case e.Outcome == abi.Allow:
		if e.ID == k.question {
			k.question = 0
			c.Answered(k.asked)
		}
		k.allowed = true
		s.resume(c)
	default:
		reason := e.Reason
		if reason == "" {
			reason = "the message was denied"
		}
		if e.Rule != "" {
			reason += " (rule " + e.Rule + ")"
		}
		s.breakOff(c, websocket.Violation, reason, false)
	}
}

// passMessage passes the message that comes next, or of one that was not read what was walked.
func (s *Session) passMessage(c *sdk.Conn) (passed int) {
	k := &s.socket
	id, n := k.asked, k.at
	c.Pass(abi.Agent, id, uint64(n))
	k.asked, k.allowed, k.begun, k.at, k.message = 0, false, false, 0, k.message[:0]
	if k.whole {
		c.Done(id)
	} else {
		k.streams, k.first = id, n == 0
	}
	return n
}

// passFrame passes the frame that comes next: one of a message that streams, or a control frame.
func (s *Session) passFrame(c *sdk.Conn, h *websocket.Head, have int) int {
	k := &s.socket
	size := uint64(h.Size) + h.Length
	id := s.request.id
	if k.streams != 0 {
		id = k.streams
	}
	c.Pass(abi.Agent, id, size)
	k.first = k.first && h.Opcode.Control()
	switch {
	case h.Opcode == websocket.Close: // nothing may follow
		s.agent = agentGone
	case k.streams != 0 && !h.Opcode.Control() && h.Final:
		c.Done(k.streams)
		k.streams = 0
	}
	return int(min(size, uint64(have)))
}

// breakOff ends a WebSocket, with the reason for both ends.
func (s *Session) breakOff(c *sdk.Conn, code uint16, reason string, failed bool) {
	s.socket.denied = true
	c.Send(abi.Agent, 0, websocket.AppendClose(nil, false, code, reason))
	c.Send(abi.Upstream, s.request.id, websocket.AppendClose(nil, true, code, reason))
	c.Done(s.request.id)
	s.agent = agentGone
	s.resume(c)
	s.trailing = true // a frame of the server may be on its way, which is not to be cut off
	s.shutSide(c, abi.Upstream)
	if failed {
		reason = "agent: " + reason
	}
	s.end(c, failed, reason)
}

// readFrames passes the frames of the server, one by one, so that the gateway's own can stand between them.
func (s *Session) readFrames(c *sdk.Conn, p []byte) int {
	k := &s.socket
	if k.denied {
		c.Drop(abi.Upstream, uint64(len(p)))
		return len(p)
	}
	at := 0
	for at < len(p) {
		h, ok, problem := websocket.Read(p[at:], false)
		if problem != "" {
			c.Fail("upstream: " + string(problem))
			return at
		}
		if !ok {
			break
		}
		size := uint64(h.Size) + h.Length
		c.Pass(abi.Upstream, s.answers, size)
		at = int(min(uint64(len(p)), uint64(at)+size)) // the host moves what has not come
	}
	return at
}
