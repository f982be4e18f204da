package head

// Response is the head of a response.
type Response struct {
	Fields
	Framing
	Size   int
	Minor  uint8
	Status int
	Code   Span // the status in digits

	before []byte // the head that was read last; none: it was not one
}

// Problems of a response.
const (
	badStatusLine Problem = "the status line is not HTTP/1.1 SP status SP reason"
	badStatus     Problem = "the status is not between 100 and 599"
	badReason     Problem = "a control character stands in the reason of the status line"
	bodyless      Problem = "a response that has no body says that it has one"
	badSwitch     Problem = "the server changes to a protocol that was not asked for"
)

// Read reads the head that p begins with. One that is the same, byte for byte, as the one before is what that was.
func (r *Response) Read(p []byte) Problem {
	if n := len(r.before); n > 0 && len(p) >= n && sameBytes(p[:n], r.before) {
		return ""
	}
	r.before = r.before[:0]
	problem := r.read(p)
	if problem == "" && r.Size <= maxSame {
		r.before = append(r.before, p[:r.Size]...)
	}
	return problem
}

func (r *Response) read(p []byte) Problem {
	const version = "HTTP/1.1 200"
	if len(p) < len(version)+2 || string(p[:7]) != version[:7] || p[7] != '0' && p[7] != '1' || p[8] != ' ' {
		return badStatusLine
	}
	r.Minor = p[7] - '0'
	r.Status, r.Code = 0, Span{9, 12}
	for _, c := range p[9:12] {
		if c < '0' || c > '9' {
			return badStatus
		}
		r.Status = r.Status*10 + int(c-'0')
	}
	if r.Status < 100 || r.Status > 599 {
		return badStatus
	}
	i := len(version)
	switch {
	case p[i] == ' ':
		for i < len(p) && kinds[p[i]]&inValue != 0 {
			i++
		}
	case p[i] == '\n':
		return bareLF
	case p[i] != '\r':
		return badStatusLine
	}
	if i+1 >= len(p) || p[i] != '\r' || p[i+1] != '\n' {
		if i < len(p) && p[i] == '\n' {
			return bareLF
		}
		return badReason
	}
	var problem Problem
	if r.Size, problem = r.Fields.read(p, i+2); problem != "" {
		return problem
	}
	return r.Framing.read(p, &r.Fields, false)
}

// Body is how the body of a response is delimited.
type Body uint8

// The ways.
const (
	NoBody     Body = iota
	Counted         // Length bytes
	InChunks        //
	UntilClose      // everything up to the end
	Interim         // another response follows
	Tunnel          // what follows is no HTTP
)

// Asked is what a response answers, as far as its framing depends on it.
type Asked struct {
	Head, Connect, Upgrade bool
}

// Body tells how the response's body is delimited, RFC 9112 section 6.3.
func (r *Response) Body(a Asked) (Body, Problem) {
	declares := r.Chunked || r.Length > 0
	switch {
	case r.Chunked && r.Minor == 0:
		return 0, oldChunked
	case r.Status == 101:
		if !a.Upgrade {
			return 0, badSwitch
		}
		if declares {
			return 0, bodyless
		}
		return Tunnel, ""
	case r.Status < 200:
		if declares {
			return 0, bodyless
		}
		return Interim, ""
	case a.Connect && r.Status < 300:
		if declares {
			return 0, bodyless
		}
		return Tunnel, ""
	case r.Status == 204:
		if declares {
			return 0, bodyless
		}
		return NoBody, ""
	case a.Head, r.Status == 304:
		return NoBody, ""
	case r.Chunked:
		return InChunks, ""
	case r.Length >= 0:
		return Counted, ""
	}
	return UntilClose, ""
}

// Last reports whether the server says that it closes the connection behind this response.
func (r *Response) Last() bool { return r.Close || r.Minor == 0 && !r.KeepAlive }
