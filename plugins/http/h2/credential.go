package h2

import (
	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
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
	return len(s.link.Credentials) > 0 || s.link.Parameter.Name != ""
}

// replaced reports whether the gateway writes the header of this name.
func (s *Session) replaced(name []byte) bool {
	for i := range s.link.Credentials {
		if string(name) == s.link.Credentials[i].Name {
			return true
		}
	}
	return false
}

// credentials is how much the gateway's own parts of a header take, at most, in bytes.
func (s *Session) credentials() (n int) {
	for i := range s.link.Credentials {
		n += len(s.link.Credentials[i].Name) + s.link.Credentials[i].Length + 2*h2frame.HeadSize
	}
	return n + s.link.Parameter.Length
}

// encodePath writes ":path", with the credential's parameter before everything else in its query, and without the agent's own of that name. It notes where the
// secret belongs.
func (s *Session) encodePath(b []byte, q *request) []byte {
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
	s.secretAt = len(b)
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

// sendHeader writes the header block of a request, with what the host writes into it: the parameter's value at secretAt, and headers behind the rest.
func (s *Session) sendHeader(c *sdk.Conn, st *stream, flags h2frame.Flags, block []byte, secretAt int) {
	if !s.hasCredential() {
		c.Send(abi.Upstream, st.action, h2frame.AppendHeaders(s.out[:0], st.upstream, flags, block, frameSize))
		return
	}
	var room [maxCredentials + 1]insert
	list := room[:0]
	if secretAt > 0 {
		list = append(list, insert{secretAt, s.link.Parameter.Slot, s.link.Parameter.Length})
	}
	s.written = append(s.written[:0], block...)
	for i := range s.link.Credentials {
		k := &s.link.Credentials[i]
		s.written = hpack.AppendInteger(hpack.AppendName(s.written, 0, k.Name, true), 0, 7, k.Length)
		list = append(list, insert{len(s.written), k.Slot, k.Length})
	}
	s.sendPieces(c, st, flags, s.written, list)
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
		if end == len(block) && fits == len(list) {
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
