package session

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
)

// writesSecret reports whether a secret itself goes into the present request, which the server could send back.
func (s *Session) writesSecret() bool {
	k := &s.credential
	return k.count > 0 || k.query || k.token || s.placed
}

// planCodings has the server answer without compression where it is sent a secret: what compresses would hide an echo of it.
func (s *Session) planCodings(p []byte, f *head.Field) (taken, ok bool) {
	if facts.CodingsOf(f.Known, f.Name.Of(p)) != facts.Accepts {
		return false, true
	}
	return true, s.request.edits.add(f.Value.Start, f.Value.End-f.Value.Start, identity)
}

// hidesEcho reports whether the response that p begins with is compressed although the server was sent a secret.
func (s *Session) hidesEcho(p []byte) bool {
	if !s.sent {
		return false
	}
	r := &s.response
	for i := range r.Count {
		f := &r.All[i]
		if facts.CodingsOf(f.Known, f.Name.Of(p)) == facts.Compresses && facts.Compressed(f.Value.Of(p)) {
			return true
		}
	}
	return false
}
