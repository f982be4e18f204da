package head

import "bytes"

// Limits of a request line, in bytes.
const (
	MaxMethod = 32
	MaxTarget = 8 << 10
)

// Form is the form of a request's target, RFC 9112 section 3.2.
type Form uint8

// The forms.
const (
	Origin    Form = iota // /path?query
	Absolute              // http://authority/path?query
	Authority             // authority, of CONNECT
	Asterisk              // *, of OPTIONS
)

// Request is the head of a request. Its spans are places in the input that it was read from.
type Request struct {
	Fields
	Framing
	// Size is that of the head, in bytes.
	Size int
	// Minor is the version: HTTP/1.Minor.
	Minor          uint8
	Form           Form
	Method, Target Span
	// Authority is what the request is addressed to: the target's or the Host field's, which say the same.
	Authority Span
	// Path is the target's without authority and query; it is empty in absolute-form when it is not written. "*" in asterisk-form.
	Path     Span
	Query    Span // behind the "?"
	HasQuery bool
	Secure   bool // the scheme of an absolute-form target is https
	// Continue: the client waits for 100 before it sends the body.
	Continue bool

	// Block numbers the field lines: where it is that of a request before, they are the same bytes, and so is what was derived from them alone.
	Block uint32

	connect bool     // the method is CONNECT
	last    [64]byte // the Host of the request before, which was one
	lastLen int
	same    same
}

// known reports whether host is the Host of the request before, and keeps it: clients do not change it on a connection.
func (r *Request) known(host []byte) bool {
	if string(host) == string(r.last[:r.lastLen]) && r.lastLen > 0 {
		return true
	}
	r.lastLen = 0
	if len(host) <= len(r.last) && hostOK(host, false) {
		r.lastLen = copy(r.last[:], host)
	}
	return r.lastLen > 0
}

// Problems of a request.
const (
	BadLine      Problem = "the request line is not METHOD SP target SP HTTP/1.1"
	BadMethod    Problem = "the method is not a word of upper case letters"
	BadTarget    Problem = "the target of the request is not one"
	LongTarget   Problem = "the target of the request is longer than 8192 bytes"
	BadVersion   Problem = "the version is not HTTP/1.1 or HTTP/1.0"
	noHost       Problem = "there is no Host"
	twoHosts     Problem = "Host is there more than once"
	badHost      Problem = "Host is not a host name or address with or without a port"
	otherHost    Problem = "the target names another authority than Host"
	twoFields    Problem = "a field that may be there once is there more than once"
	badExpect    Problem = "Expect is not 100-continue"
	upgradeBody  Problem = "a request for another protocol has a body"
	oldUpgrade   Problem = "HTTP/1.0 has no Upgrade"
	oldExpect    Problem = "HTTP/1.0 has no Expect"
	traceBody    Problem = "a TRACE request has a body"
	userInTarget Problem = "the target has a user name"
)

// Read reads the head that p begins with, whose size is known from a Scanner, or size is len(p).
func (r *Request) Read(p []byte) Problem {
	i, problem := r.line(p)
	if problem != "" {
		return problem
	}
	if r.again(p, i) {
		return ""
	}
	r.forget()
	if r.Size, problem = r.Fields.read(p, i); problem != "" {
		return problem
	}
	if problem = r.Framing.read(p, &r.Fields, true); problem != "" {
		return problem
	}
	if problem = r.check(p); problem == "" {
		r.keep(p, i)
	}
	return problem
}

// CheckLine looks at a request line whose fields have not come: a client that speaks something else is not kept waiting.
func (r *Request) CheckLine(p []byte) Problem {
	_, problem := r.line(p)
	return problem
}

// line reads the request line and returns what stands behind it.
func (r *Request) line(p []byte) (int, Problem) {
	i := 0
	for i < len(p) && kinds[p[i]]&inMethod != 0 {
		i++
	}
	switch {
	case i == len(p):
		return i, BadLine
	case p[i] != ' ', i == 0, i > MaxMethod:
		return i, methodProblem(p, i)
	}
	r.Method = Span{0, uint32(i)}
	i++
	start := i
	i = skipTarget(p, i)
	switch {
	case i-start > MaxTarget:
		return i, LongTarget
	case i == start, i == len(p):
		return i, BadLine
	case p[i] == '\r', p[i] == '\n':
		return i, BadLine // HTTP/0.9
	case p[i] != ' ':
		return i, BadTarget
	}
	r.Target = Span{uint32(start), uint32(i)}
	i++
	const version = "HTTP/1.1\r\n"
	if len(p)-i < len(version) {
		return i, BadLine
	}
	v := p[i : i+len(version)]
	if string(v[:7]) != version[:7] || v[7] != '0' && v[7] != '1' {
		if len(v) > 5 && string(v[:5]) == version[:5] {
			return i, BadVersion
		}
		return i, BadLine
	}
	switch {
	case v[8] == '\n':
		return i, bareLF
	case v[8] == '\r' && v[9] != '\n':
		return i, bareCR
	case v[8] != '\r':
		return i, BadLine
	}
	r.Minor = v[7] - '0'
	return i + len(version), r.target(p)
}

func methodProblem(p []byte, i int) Problem {
	if i > 0 && i <= MaxMethod && (p[i] == '\r' || p[i] == '\n') {
		return BadLine
	}
	return BadMethod
}

// target takes the target apart.
func (r *Request) target(p []byte) Problem {
	t := r.Target.Of(p)
	r.connect = string(r.Method.Of(p)) == "CONNECT"
	start, end := r.Target.Start, r.Target.End
	r.Authority, r.Query, r.HasQuery, r.Secure = Span{}, Span{}, false, false
	switch {
	case r.connect:
		r.Form, r.Authority, r.Path = Authority, r.Target, Span{}
		if !hostOK(t, true) {
			return BadTarget
		}
		return ""
	case t[0] == '/':
		r.Form = Origin
	case len(t) == 1 && t[0] == '*':
		r.Form, r.Path = Asterisk, r.Target
		if string(r.Method.Of(p)) != "OPTIONS" {
			return BadTarget
		}
		return ""
	default:
		n := scheme(t)
		if n == 0 {
			return BadTarget
		}
		r.Form, r.Secure = Absolute, n == len("https://")
		start += uint32(n)
		r.Authority.Start = start
		for start < end && p[start] != '/' && p[start] != '?' {
			if p[start] == '@' {
				return userInTarget
			}
			start++
		}
		r.Authority.End = start
		if !hostOK(r.Authority.Of(p), false) {
			return BadTarget
		}
	}
	r.Path = Span{start, end}
	if n := bytes.IndexByte(p[start:end], '?'); n >= 0 {
		r.Path.End = start + uint32(n)
		r.Query, r.HasQuery = Span{r.Path.End + 1, end}, true
	}
	return ""
}

// scheme is the size of the scheme that an absolute target begins with, its slashes included; 0: it is not one of HTTP.
func scheme(t []byte) int {
	const plain, secure = "http://", "https://"
	switch {
	case len(t) > len(plain) && Fold(t[:len(plain)], plain):
		return len(plain)
	case len(t) > len(secure) && Fold(t[:len(secure)], secure):
		return len(secure)
	}
	return 0
}

// check looks at what the fields say together.
func (r *Request) check(p []byte) Problem {
	const once = 1<<Expect | 1<<ContentType | 1<<Authorization | 1<<ProxyAuthorization | 1<<UserAgent | 1<<HTTP2Settings | 1<<ProxyConnection
	switch {
	case !r.has(Host):
		return noHost
	case r.twice&Host.bit() != 0:
		return twoHosts
	case r.twice&once != 0:
		return twoFields
	}
	r.Continue = false
	if r.has(Expect) {
		if r.Continue = Fold(r.value(Expect).Of(p), "100-continue"); !r.Continue {
			return badExpect
		}
	}
	host := r.value(Host)
	body := r.Chunked || r.Length > 0
	switch {
	case !r.known(host.Of(p)) && !hostOK(host.Of(p), false):
		return badHost
	case r.Form == Origin || r.Form == Asterisk:
		r.Authority = host
	case !SameAuthority(r.Authority.Of(p), host.Of(p)):
		return otherHost
	}
	switch {
	case r.Minor == 0 && r.Chunked:
		return oldChunked
	case r.Minor == 0 && r.Upgrades:
		return oldUpgrade
	case r.Minor == 0 && r.Continue:
		return oldExpect
	case body && string(r.Method.Of(p)) == "TRACE":
		return traceBody
	case (body || r.Length == 0) && r.Form == Authority, body && r.Upgrades && !r.Plaintext2(p):
		return upgradeBody
	}
	return ""
}

// Plaintext2 reports whether the request offers to go on with HTTP/2 without TLS, which nobody has to take up.
func (r *Request) Plaintext2(p []byte) bool { return r.Upgrades && Fold(r.Upgrade.Of(p), "h2c") }

// Last reports whether the client wants no response after this one.
func (r *Request) Last() bool { return r.Close || r.Minor == 0 && !r.KeepAlive }

// SameAuthority compares two authorities, without regard to the case of letters.
func SameAuthority(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if letter := c | 0x20; c != b[i] && (letter != b[i]|0x20 || letter < 'a' || letter > 'z') {
			return false
		}
	}
	return true
}

// hostOK reports whether v is a host, with or without a port: a name, an IPv4 address or an IPv6 address in brackets.
func hostOK(v []byte, port bool) bool {
	for _, c := range v {
		if kinds[c]&inHost == 0 {
			return false
		}
	}
	host, number := SplitPort(v)
	switch {
	case len(host) == 0 || len(host) > 255:
		return false
	case host[0] == '[':
		if len(host) < 4 || host[len(host)-1] != ']' {
			return false
		}
		for _, c := range host[1 : len(host)-1] {
			if hex[c] == 0 && c != ':' && c != '.' {
				return false
			}
		}
	default:
		for _, c := range host {
			if c == ':' || c == '[' || c == ']' {
				return false
			}
		}
	}
	if len(number) == 0 {
		return !port && len(host) == len(v) // "name:" is not one
	}
	n := 0
	for _, c := range number {
		if c < '0' || c > '9' || len(number) > 5 {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n > 0 && n < 1<<16 && number[0] != '0'
}

// SplitPort cuts the port off an authority; it is empty when there is none.
func SplitPort(v []byte) (host, port []byte) {
	for i := len(v) - 1; i >= 0; i-- {
		switch c := v[i]; {
		case c == ':':
			return v[:i], v[i+1:]
		case c < '0' || c > '9':
			return v, nil
		}
	}
	return v, nil
}

// BeginsMethod reports whether a request line can begin with c.
func BeginsMethod(c byte) bool { return kinds[c]&inMethod != 0 }
