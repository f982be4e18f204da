package session

import (
	"github.com/sallyport-dev/sallyport/plugins/http/aws"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
)

// hashed finds out what stands for the body of the request that p begins with in its signature, or that the body has to be read for it.
func (s *Session) hashed(p []byte) (problem aws.Problem) {
	r := &s.request
	var given []byte
	for i := range r.Count {
		if f := &r.All[i]; head.SameName(f.Name.Of(p), aws.BodyHash) {
			given = f.Value.Of(p)
		}
	}
	g := &r.gather
	g.hash, g.reads, problem = s.credential.signer.Hash(given, r.Chunked || r.Length > 0)
	return problem
}

// textToSign writes down what is signed of the request that p begins with. What is for no path is not signed: there is nothing like it at AWS.
func (s *Session) textToSign(p []byte) (problem aws.Problem) {
	r := &s.request
	s.signs = s.credential.signer.On
	if !s.signs {
		return ""
	}
	if r.Form != head.Origin && r.Form != head.Absolute {
		return aws.NoPath
	}
	var query []byte
	if r.HasQuery {
		query = p[r.Query.Start:r.Query.End]
	}
	s.signing.Begin(r.Method.Of(p), r.Authority.Of(p), r.Path.Of(p), query, r.gather.hash)
	for i := range r.Count {
		f := &r.All[i]
		s.signing.Field(f.Name.Of(p), f.Value.Of(p))
	}
	_, problem = s.signing.Bytes()
	return problem
}

// planSignature takes a signature of the agent out of the query.
func (s *Session) planSignature(p []byte) (ok bool) {
	q := s.request.Query
	ok = true
	aws.EachRemoved(p[q.Start:q.End], func(from, to int) {
		ok = ok && s.request.edits.add(q.Start+uint32(from), uint32(to-from), nothing)
	})
	return ok
}

// writeSignature has the host write the signature of the present request, if it has one.
func (s *Session) writeSignature(c *sdk.Conn) {
	if s.signs {
		text, _ := s.signing.Bytes()
		c.SignFields(s.request.id, slotAWS, text)
	}
}
