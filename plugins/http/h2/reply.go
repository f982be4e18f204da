package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
)

const wrongLength = "the body is not as long as Content-Length says"

// replyBegins takes the header of a final response and says why the response cannot be passed on: its length is no number or cannot be (section 8.1.1), or
// what compresses it would hide an echo of the secret that the server was sent.
func (s *Session) replyBegins(st *stream, fields []hpack.Field, code int, end bool) (problem string) {
	text := s.responses.Text()
	length := int64(-1)
	for i := range fields {
		f := &fields[i]
		if head.Name(f.Known) == head.ContentLength {
			n, wrong := contentLength(f.Value.Of(text))
			switch {
			case wrong != "":
				return wrong
			case length >= 0:
				return "Content-Length is there more than once"
			}
			length = n
		}
		if s.link.Echoes && !end && facts.CodingsOf(head.Name(f.Known), f.Name.Of(text)) == facts.Compresses && facts.Compressed(f.Value.Of(text)) {
			return facts.HiddenEcho
		}
	}
	if st.headOnly || code == 304 { // it says how long the body would be
		length = 0
	}
	if end && length > 0 {
		return wrongLength
	}
	st.reply = length
	return ""
}
