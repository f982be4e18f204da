package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/aws"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
	"github.com/sallyport-dev/sallyport/sdk"
)

const signsHere = "the gateway signs requests here: "

// hashed finds out what stands for a request's body in its signature, or that the body has to be read for it.
func (s *Session) hashed(st *stream, q *request) (problem string) {
	if !s.link.Signer.On {
		return ""
	}
	var given []byte
	for i := range q.fields {
		if f := &q.fields[i]; string(f.Name.Of(q.text)) == aws.BodyHash {
			given = f.Value.Of(q.text)
		}
	}
	hash, reads, wrong := s.link.Signer.Hash(given, !st.agentDone)
	if q.connect || len(q.path) == 0 || q.path[0] != '/' {
		wrong = aws.NoPath
	}
	if wrong != "" {
		return signsHere + string(wrong)
	}
	st.hash, st.hashes = hash, reads
	return ""
}

// signs writes down what is signed of a request that is about to be asked about. It reports false when that cannot be, which is answered.
func (s *Session) signs(c *sdk.Conn, st *stream, q *request) bool {
	if !s.link.Signer.On {
		return true
	}
	if st.hashes {
		if !st.known {
			s.answerBad(c, st, 413, "Content Too Large", signsHere+string(aws.LongBody))
			return false
		}
		st.hash = aws.HashOf(st.body)
	}
	s.signing.Begin(q.method, q.authority, q.bare(), q.query, st.hash)
	for i := range q.fields {
		if f := &q.fields[i]; f.Flags&hpack.Pseudo == 0 {
			s.signing.Field(f.Name.Of(q.text), f.Value.Of(q.text))
		}
	}
	text, wrong := s.signing.Bytes()
	if wrong != "" {
		s.answerBad(c, st, 400, "Bad Request", signsHere+string(wrong))
		return false
	}
	st.signing = append(st.signing[:0], text...)
	return true
}

// encodeUnsigned writes ":path" without a signature of the agent in its query.
func (s *Session) encodeUnsigned(b []byte, q *request) []byte {
	if q.query == nil {
		return hpack.AppendField(b, &q.fields[q.pathField], q.text)
	}
	path := aws.AppendQuery(append(append([]byte(nil), q.bare()...), '?'), q.query)
	return hpack.AppendLiteral(b, staticPath, "", path, false)
}
