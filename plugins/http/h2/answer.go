package h2

import (
	"strconv"

	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Static table entries of the gateway's own answers.
const (
	staticCacheControl  = 24
	staticContentLength = 28
	staticContentType   = 31
)

// answerBad answers a request that is malformed or not for this endpoint.
func (s *Session) answerBad(c *sdk.Conn, st *stream, status int, title, problem string) {
	st.state = undecided
	s.note(c, problem)
	s.answer(c, st, &facts.Answer{Status: status, Title: title, Detail: problem})
	s.strain(c, abi.Agent, badCost)
}

// answer answers a request that the upstream has seen nothing of, and ends its stream.
func (s *Session) answer(c *sdk.Conn, st *stream, a *facts.Answer) {
	b := s.begun(s.reply[:0], abi.Agent)
	var body []byte
	if st.grpc {
		b = appendGRPC(b, a)
	} else {
		var kind string
		a.About = st.about
		body, kind = s.action.AppendAnswer(nil, a)
		b = hpack.AppendStatus(b, a.Status)
		b = hpack.AppendLiteral(b, staticContentType, "", kind, false)
		b = hpack.AppendLiteral(b, staticCacheControl, "", "no-store", false)
		if w := &s.windows; st.headOnly || int64(len(body)) > st.wants || int64(len(body)) > w.wants { // an agent that takes nothing gets no more than the header
			body = nil
		} else {
			b = hpack.AppendLiteral(b, staticContentLength, "", strconv.Itoa(len(body)), false)
			w.wants -= int64(len(body)) // borrowed: less is offered until it is back
		}
	}
	s.reply = b[:0]
	flags := h2frame.EndStream
	if len(body) > 0 {
		flags = 0
	}
	out := h2frame.AppendHeaders(s.out[:0], st.agent, flags, b, frameSize)
	if len(body) > 0 {
		out = append(h2frame.AppendHead(out, len(body), h2frame.Data, h2frame.EndStream, st.agent), body...)
	}
	if !st.agentDone { // what is still to come of the request is of no use (section 8.1)
		out = h2frame.AppendReset(out, st.agent, h2frame.NoError)
	}
	s.down(c, out)
	s.forgetStream(c, st)
}

// The statuses of gRPC that stand for the gateway's answers, and what stands for a client's mistake.
const (
	grpcInvalidArgument  = "3"
	grpcPermissionDenied = "7"
	grpcUnavailable      = "14"
)

// appendGRPC is an answer as gRPC has it: a response of trailers only.
func appendGRPC(b []byte, a *facts.Answer) []byte {
	code := grpcInvalidArgument
	switch {
	case a.Status == 403:
		code = grpcPermissionDenied
	case a.Status >= 500:
		code = grpcUnavailable
	}
	b = hpack.AppendStatus(b, 200)
	b = hpack.AppendLiteral(b, staticContentType, "", "application/grpc", false)
	b = hpack.AppendLiteral(b, 0, "grpc-status", code, false)
	text := a.Detail
	if text == "" {
		text = a.Title
	}
	if a.Rule != "" {
		text += " (rule " + a.Rule + ")"
	}
	if a.Receipt != "" {
		text += " (receipt " + a.Receipt + ")"
	}
	return hpack.AppendLiteral(b, 0, "grpc-message", percent(text), false)
}

// maxMessage bounds a grpc-message before it is encoded, in bytes.
const maxMessage = 1 << 10

// percent encodes a text as grpc-message is.
func percent(text string) string {
	const hex = "0123456789ABCDEF"
	if len(text) > maxMessage {
		text = text[:maxMessage]
	}
	b := make([]byte, 0, len(text))
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '%' {
			b = append(b, '%', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
