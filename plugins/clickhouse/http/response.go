package http

import (
	"bytes"
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Codes of exceptions, and how servers name them (src/Common/ErrorCodes.cpp).
const (
	badRequest   = 36
	networkError = 210
	accessDenied = 497
)

var names = map[int]string{badRequest: "BAD_ARGUMENTS", networkError: "NETWORK_ERROR", accessDenied: "ACCESS_DENIED"}

var titles = map[int]string{400: "Bad Request", 403: "Forbidden", 431: "Request Header Fields Too Large", 502: "Bad Gateway"}

// answer answers the present request as a server does that fails. last: the connection ends behind it.
func (s *Session) answer(c *sdk.Conn, status, code int, text string, last bool) {
	text = "Code: " + strconv.Itoa(code) + ". DB::Exception: " + text + ". (" + names[code] + ")\n"
	h := "HTTP/1.1 " + strconv.Itoa(status) + " " + titles[status] + "\r\nContent-Type: text/plain; charset=UTF-8\r\nCache-Control: no-store\r\nX-ClickHouse-Exception-Code: " +
		strconv.Itoa(code) + "\r\nContent-Length: " + strconv.Itoa(len(text)) + "\r\n"
	if last {
		h += "Connection: close\r\n"
	} else {
		h += "Connection: Keep-Alive\r\n"
	}
	if s.response.asked.Head {
		text = ""
	}
	c.Send(abi.Agent, 0, []byte(h+"\r\n"+text))
}

// upstream reads what the server has sent.
func (s *Session) upstream(c *sdk.Conn, p []byte, end bool) int {
	if len(p) == 0 {
		s.upstreamEnded(c)
		return 0
	}
	switch s.server {
	case serverIdle:
		c.Fail("upstream: the server speaks without being asked")
		return 0
	case serverHead:
		return s.readResponse(c, p, end)
	case serverChunks:
		return s.readResponseChunks(c, p, end)
	case serverKeeping:
		return s.keepBody(c, p, end)
	case serverTail:
		return s.passTail(c, p)
	}
	return len(p) // passed already
}

func (s *Session) upstreamEnded(c *sdk.Conn) {
	s.link = linkLost
	switch {
	case s.held:
		c.Withdraw(s.id)
	case s.server == serverKeeping && s.result.question == 0:
		s.kept(c, s.result.End())
	case s.ending:
		c.Close("the last request was answered")
	default:
		c.Close("the server closed the connection")
	}
}

// readResponse reads the head of a response and passes it with what of its body needs no look.
func (s *Session) readResponse(c *sdk.Conn, p []byte, end bool) int {
	r := &s.response
	size, problem := r.scan.End(p[:min(len(p), maxResponse)])
	switch {
	case size == 0 && problem == "" && len(p) < maxResponse:
		if end {
			c.Close("the server closed the connection")
		}
		return 0
	case size > 0 && problem == "":
		r.scan.Reset()
		problem = r.Read(p[:size])
	case problem == "":
		problem = "the head of the response is longer than 65536 bytes"
	}
	if problem != "" {
		return s.spoiled(c, problem)
	}
	s.trailing = false
	body, problem := r.Body(r.asked)
	if problem != "" || body == head.Tunnel {
		return s.spoiled(c, problem)
	}
	if body == head.Interim {
		if s.looked != 0 {
			return s.interim(c, size)
		}
		c.Pass(abi.Upstream, s.answers, uint64(size))
		return size
	}
	if s.gatewayLogin && s.refused(p) {
		end := bytes.IndexByte(p, '\r')
		c.Refused(s.id, s.options.Slot, p[:end])
	}
	if s.looked != 0 {
		return s.keepHead(c, p, body)
	}
	s.last = s.last || r.Last() || body == head.UntilClose
	total := uint64(size)
	switch body {
	case head.UntilClose:
		c.Pass(abi.Upstream, s.answers, passAll)
		s.server = serverRest
		return len(p)
	case head.InChunks:
		c.Pass(abi.Upstream, s.answers, total)
		s.server = serverChunks
		r.chunks.Begin(false)
		return size
	case head.Counted:
		total += uint64(r.Length)
		s.trailing = r.Length > 0
	}
	c.Pass(abi.Upstream, s.answers, total)
	s.responseDone(c)
	return int(min(total, uint64(len(p))))
}

func (s *Session) readResponseChunks(c *sdk.Conn, p []byte, end bool) int {
	piece, problem := s.response.chunks.Next(p)
	switch {
	case problem != "":
		c.Fail("upstream: " + string(problem))
		return 0
	case piece.Size == 0:
		if end {
			c.Close("the server closed the connection")
		}
		return 0
	}
	c.Pass(abi.Upstream, s.answers, piece.Size)
	if piece.Last {
		s.trailing = true
		s.responseDone(c)
	}
	return int(min(piece.Size, uint64(len(p))))
}

func (s *Session) responseDone(c *sdk.Conn) {
	s.answered(c)
	s.server = serverIdle
	if s.agent == agentDone {
		s.next(c)
	}
}

// spoiled ends a connection whose server cannot be understood.
func (s *Session) spoiled(c *sdk.Conn, problem head.Problem) int {
	s.answer(c, 502, networkError, "sallyport: the server's response is not passed on: "+string(problem), true)
	c.Fail("upstream: " + string(problem))
	return 0
}

// refused reports whether the response that p begins with says that the user or the key is not right: 401, or AUTHENTICATION_FAILED, REQUIRED_PASSWORD or WRONG_PASSWORD.
func (s *Session) refused(p []byte) bool {
	r := &s.response
	for i := range r.Count {
		if f := &r.All[i]; head.SameName(f.Name.Of(p), "x-clickhouse-exception-code") {
			switch string(f.Value.Of(p)) {
			case "516", "194", "193":
				return true
			}
		}
	}
	return r.Status == 401
}
