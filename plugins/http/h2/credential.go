package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/aws"
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Credential is what the host writes: the value of a header, or of a parameter in the query.
type Credential struct {
	Name string // of a header in lower case
	Slot uint16
	// Length of what the host writes, in bytes: a literal's length stands before it (RFC 7541 section 5.2).
	Length int
}

// maxCredentials bounds how many headers of a request the gateway writes.
const maxCredentials = 4

// hasCredential reports whether the gateway puts anything into requests.
func (s *Session) hasCredential() bool {
	return len(s.link.Credentials) > 0 || s.link.Parameter.Name != "" || s.link.Signer.On
}

// replaced reports whether the gateway writes the header of this name.
func (s *Session) replaced(name []byte) bool {
	for i := range s.link.Credentials {
		if head.SameName(name, s.link.Credentials[i].Name) {
			return true
		}
	}
	return s.link.Signer.On && aws.Replaces(name)
}

// credentials is how much the gateway's own parts of a header take, at most, in bytes.
func (s *Session) credentials() (n int) {
	for i := range s.link.Credentials {
		n += len(s.link.Credentials[i].Name) + s.link.Credentials[i].Length + 2*h2frame.HeadSize
	}
	if s.link.Signer.On {
		n += abi.MaxSigned + h2frame.HeadSize
	}
	return n + s.link.Parameter.Length + s.link.Secret.Length
}

// encodePath writes ":path", with the credential's parameter before everything else in its query, and without the agent's own of that name. It notes where the
// secret belongs.
func (s *Session) encodePath(b []byte, q *request) []byte {
	if s.link.Signer.On {
		return s.encodeUnsigned(b, q)
	}
	k := &s.link.Parameter
	if k.Name == "" || q.path[0] != '/' {
		return hpack.AppendField(b, &q.fields[q.pathField], q.text)
	}
	size := len(q.bare()) + len("?=") + len(k.Name) + k.Length
	if q.query != nil {
		size += len("&")
		eachOther(q.query, k.Name, func(p []byte) { size += len(p) })
	}
	b = hpack.AppendInteger(hpack.AppendName(b, staticPath, "", true), 0, 7, size)
	b = append(append(b, q.bare()...), '?')
	b = append(append(b, k.Name...), '=')
	s.secretAt.query = len(b)
	if q.query != nil {
		b = append(b, '&')
		eachOther(q.query, k.Name, func(p []byte) { b = append(b, p...) })
	}
	return b
}

// eachOther hands on the parameters of a query that are not called name, with what separates them from the next one.
func eachOther(query []byte, name string, each func([]byte)) {
	for at := 0; at < len(query); {
		end := at
		for end < len(query) && query[end] != '&' && query[end] != ';' {
			end++
		}
		next := min(end+1, len(query))
		if !facts.Names(query[at:end], name) {
			each(query[at:next])
		}
		at = next
	}
}

// insert is a place in a block where the host writes a secret.
type insert struct {
	at     int
	slot   uint16
	length int
}

// places are where the host writes a secret into a block; 0: nowhere.
type places struct {
	query  int // the value of the gateway's parameter
	header int // what takes the place of a placeholder
	// offer and offerEnd are where the field stands that asks for compression, which does not go on with a request whose answer is looked at.
	offer, offerEnd int
}

// back are the places in a block that begins n bytes later.
func (p places) back(n int) places {
	if p.query > 0 {
		p.query -= n
	}
	if p.header > 0 {
		p.header -= n
	}
	if p.offerEnd > 0 {
		p.offer -= n
		p.offerEnd -= n
	}
	return p
}

// writesFor reports whether the gateway puts anything into a request with these places.
func (s *Session) writesFor(p places) bool { return s.hasCredential() || p.header > 0 }

// encodePlaceholder writes a field that has the placeholder, up to where the secret belongs, and reports whether there is one. It is done once
// in a request.
func (s *Session) encodePlaceholder(b []byte, f *hpack.Field, text []byte) ([]byte, bool) {
	k := &s.link.Secret
	if s.secretAt.header > 0 || !facts.Carries(head.Name(f.Known), f.Name.Of(text)) {
		return b, false
	}
	value := f.Value.Of(text)
	before := facts.Before(value, k.Name)
	if before < 0 {
		return b, false
	}
	b = hpack.AppendInteger(hpack.AppendName(b, f.StaticName, f.Name.Of(text), true), 0, 7, before+k.Length)
	b = append(b, value[:before]...)
	s.secretAt.header = len(b)
	return b, true
}

// sendHeader writes the header block of a request, with what the host writes into it: secrets at secretAt, and headers behind the rest.
func (s *Session) sendHeader(c *sdk.Conn, st *stream, flags h2frame.Flags, block []byte, secretAt places) {
	if !s.writesFor(secretAt) {
		c.Send(abi.Upstream, st.action, h2frame.AppendHeaders(s.out[:0], st.upstream, flags, block, frameSize))
		return
	}
	var room [maxCredentials + 2]insert
	list := room[:0]
	if secretAt.query > 0 {
		list = append(list, insert{secretAt.query, s.link.Parameter.Slot, s.link.Parameter.Length})
	}
	if secretAt.header > 0 {
		list = append(list, insert{secretAt.header, s.link.Secret.Slot, s.link.Secret.Length})
	}
	s.written = append(s.written[:0], block...)
	for i := range s.link.Credentials {
		k := &s.link.Credentials[i]
		s.written = hpack.AppendInteger(hpack.AppendName(s.written, 0, k.Name, true), 0, 7, k.Length)
		list = append(list, insert{len(s.written), k.Slot, k.Length})
	}
	s.sendPieces(c, st, flags, s.written, list)
	if s.link.Signer.On {
		c.SignFrame(st.action, s.link.SignSlot, st.upstream, st.signing)
	}
}

// sendPieces writes a block into which the host writes, in as many frames as it takes. A secret is never cut.
func (s *Session) sendPieces(c *sdk.Conn, st *stream, flags h2frame.Flags, block []byte, list []insert) {
	kind := h2frame.Headers
	b := s.out[:0]
	for at := 0; at < len(block) || len(list) > 0; kind, flags = h2frame.Continuation, 0 {
		end, fits, size := at, 0, 0
		for {
			next := len(block)
			if fits < len(list) {
				next = list[fits].at
			}
			n := min(next-end, frameSize-size)
			end, size = end+n, size+n
			if end < next || fits == len(list) || size+list[fits].length > frameSize {
				break
			}
			size += list[fits].length
			fits++
		}
		if end == len(block) && fits == len(list) && !s.link.Signer.On { // else the signature's frame ends it
			flags |= h2frame.EndHeaders
		}
		b = h2frame.AppendHead(b, size, kind, flags, st.upstream)
		for _, k := range list[:fits] {
			b = append(b, block[at:k.at]...)
			c.Send(abi.Upstream, st.action, b)
			c.Secret(st.action, k.slot)
			b, at = b[:0], k.at
		}
		b = append(b, block[at:end]...)
		at, list = end, list[fits:]
	}
	c.Send(abi.Upstream, st.action, b)
}

// unauthorized tells the operator when the server refuses the gateway's credential: it answers 401 to a request that got it.
func (s *Session) unauthorized(c *sdk.Conn, st *stream) {
	l := &s.link
	slot := l.Parameter.Slot
	switch {
	case len(l.Credentials) > 0:
		slot = l.Credentials[0].Slot
	case l.Signer.On:
		slot = l.SignSlot
	case st.placed:
		slot = l.Secret.Slot
	case l.Parameter.Name == "":
		return
	}
	c.Refused(st.action, slot, []byte("HTTP/2 401"))
}
