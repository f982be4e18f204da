package session

import "github.com/sallyport-dev/sallyport/plugins/http/facts"

// findPlaceholder looks for the header field of the request that p begins with in which the secret takes the place of the placeholder: the first
// one that carries a credential and has it. Anywhere else a placeholder is a word like others.
func (s *Session) findPlaceholder(p []byte) {
	s.placed = false
	if s.credential.placeholder == "" {
		return
	}
	r := &s.request
	for i := range r.Count {
		f := &r.All[i]
		name := f.Name.Of(p)
		if facts.Carries(f.Known, name) && !s.credential.replaces(name) && facts.Before(f.Value.Of(p), s.credential.placeholder) >= 0 {
			s.placed, s.placedIn = true, i
			return
		}
	}
}
