package h2

import (
	"bytes"

	"github.com/sallyport-dev/sallyport/plugins/http/facts"
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
)

// request is the header of a request, RFC 9113 section 8.3.1. Its parts are places in the text that it was decoded to.
type request struct {
	fields []hpack.Field
	text   []byte

	method, scheme, authority, path, query []byte
	methodField, pathField                 int // in fields; -1: none
	encoding                               []byte
	encodings                              int
	length                                 int64 // Content-Length; -1: there is none
	connect                                bool
	expects                                bool // it waits for 100 before it sends its body
	grpc                                   bool
	continued                              bool // the gateway has said 100, so the upstream need not
}

// kept is a request with memory of its own.
type kept struct {
	request
	own []byte
	all []hpack.Field
}

// keep copies q.
func (k *kept) keep(q *request) {
	k.own = append(k.own[:0], q.text...)
	k.all = append(k.all[:0], q.fields...)
	encodings, continued := q.encodings, q.continued
	k.request = request{}
	k.request.read(k.all, k.own)
	k.request.encodings, k.request.continued = encodings, continued
}

// The numbers of the pseudo-header fields in the static table.
const (
	staticAuthority = 1
	staticMethod    = 2
	staticPath      = 4
	staticHTTP      = 6
	staticHTTPS     = 7
)

// once are the fields of which a request has no more than one.
func once(n head.Name) bool {
	switch n {
	case head.Host, head.ContentLength, head.ContentType, head.Expect, head.TE, head.Authorization, head.ProxyAuthorization, head.UserAgent:
		return true
	}
	return false
}

// read takes the fields of a request and says what makes it malformed.
func (q *request) read(fields []hpack.Field, text []byte) (problem string) {
	*q = request{fields: fields, text: text, length: -1, methodField: -1, pathField: -1}
	var seen [head.LastSecret + 1]bool
	var host []byte
	regular := false
	for i := range fields {
		f := &fields[i]
		switch {
		case f.Flags&hpack.BadName != 0:
			return "the name of a field is not a token in lower case"
		case f.Flags&hpack.BadValue != 0:
			return "a control character stands in the value of a field, or whitespace around it"
		case f.Flags&hpack.Marked != 0:
			return "a field's name is written with _ in place of - so that some servers take it for another"
		case f.Flags&hpack.Pseudo != 0:
			if regular {
				return "a pseudo-header field stands behind others"
			}
			if problem = q.pseudo(f, i); problem != "" {
				return problem
			}
			continue
		}
		regular = true
		name := head.Name(f.Known)
		if once(name) && seen[name] {
			return "a field that may be there once is there more than once"
		}
		seen[name] = true
		if problem = q.regular(name, f); problem != "" {
			return problem
		}
		if name == head.Host {
			host = f.Value.Of(text)
		}
	}
	return q.check(host, seen[head.Host])
}

// pseudo takes a pseudo-header field.
func (q *request) pseudo(f *hpack.Field, i int) string {
	var to *[]byte
	switch pseudoIndex(f, q.text) {
	case staticMethod, staticMethod + 1:
		to, q.methodField = &q.method, i
	case staticHTTP, staticHTTPS:
		to = &q.scheme
	case staticAuthority:
		to = &q.authority
	case staticPath, staticPath + 1:
		to, q.pathField = &q.path, i
	default:
		return "a pseudo-header field that a request does not have"
	}
	if *to != nil {
		return "a pseudo-header field is there more than once"
	}
	*to = f.Value.Of(q.text)
	if len(*to) == 0 {
		return "a pseudo-header field is empty"
	}
	return ""
}

// pseudoIndex is an index of the static table with the field's name, which nearly every sender uses; 0: there is none.
func pseudoIndex(f *hpack.Field, text []byte) uint8 {
	if f.StaticName != 0 {
		return f.StaticName
	}
	switch string(f.Name.Of(text)) {
	case ":method":
		return staticMethod
	case ":scheme":
		return staticHTTP
	case ":authority":
		return staticAuthority
	case ":path":
		return staticPath
	}
	return 0
}

// regular takes one of the other fields.
func (q *request) regular(n head.Name, f *hpack.Field) (problem string) {
	value := f.Value.Of(q.text)
	switch n {
	case head.Connection, head.ProxyConnection, head.TransferEncoding, head.Upgrade, head.HTTP2Settings:
		return "a field about the connection, which HTTP/2 does not have"
	case head.Plain:
		if string(f.Name.Of(q.text)) == "keep-alive" {
			return "a field about the connection, which HTTP/2 does not have"
		}
	case head.TE:
		if !head.Fold(value, "trailers") {
			return "TE is not trailers"
		}
	case head.ContentLength:
		q.length, problem = contentLength(value)
	case head.Expect:
		if q.expects = head.Fold(value, "100-continue"); !q.expects {
			return "Expect is not 100-continue"
		}
	case head.ContentEncoding:
		q.encoding = value
		q.encodings++
	case head.ContentType:
		const grpc = "application/grpc"
		q.grpc = len(value) >= len(grpc) && head.Fold(value[:len(grpc)], grpc)
	}
	return problem
}

// contentLength reads a number as RFC 9110 section 8.6 has it, and no other spelling of one.
func contentLength(v []byte) (n int64, problem string) {
	if len(v) == 0 || len(v) > 1 && v[0] == '0' || len(v) > 16 {
		return -1, "Content-Length is not a plain number"
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			return -1, "Content-Length is not a plain number"
		}
		n = n*10 + int64(c-'0')
	}
	if n > head.MaxLength {
		return -1, "Content-Length is larger than any body"
	}
	return n, ""
}

// check looks at what the fields say together.
func (q *request) check(host []byte, hosted bool) string {
	q.connect = q.is("CONNECT")
	switch {
	case !methodOK(q.method):
		return "the method is not a word of upper case letters"
	case q.connect && (q.scheme != nil || q.path != nil):
		return "CONNECT has a scheme or a path"
	case q.connect && q.length >= 0:
		return "CONNECT has a Content-Length"
	case !q.connect && (q.scheme == nil || q.path == nil):
		return "the method, the scheme or the path is missing"
	case q.authority == nil && (q.connect || !hosted):
		return "there is no authority"
	case q.authority == nil:
		q.authority = host
	case hosted && !head.SameAuthority(q.authority, host):
		return "Host names another authority than :authority"
	}
	if !authorityOK(q.authority, q.connect) {
		return "the authority is not a host name or address with or without a port"
	}
	if q.connect {
		return ""
	}
	switch {
	case q.is("TRACE") && q.length > 0:
		return "a TRACE request has a body"
	case !head.Fold(q.scheme, "http") && !head.Fold(q.scheme, "https"):
		return "the scheme is neither http nor https"
	case len(q.path) > head.MaxTarget:
		return "the path is longer than 8192 bytes"
	case q.path[0] != '/' && (len(q.path) > 1 || q.path[0] != '*' || !q.is("OPTIONS")):
		return "the path does not begin with a slash"
	}
	if !head.TargetOK(q.path) {
		return "a byte stands in the path that cannot be there"
	}
	if i := bytes.IndexByte(q.path, '?'); i >= 0 {
		q.query = q.path[i+1:]
	}
	return ""
}

// bare is the path without the query.
func (q *request) bare() []byte {
	if q.query == nil {
		return q.path
	}
	return q.path[:len(q.path)-len(q.query)-1]
}

// is reports whether the method is this one.
func (q *request) is(method string) bool { return string(q.method) == method }

func methodOK(p []byte) bool {
	for _, c := range p {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return len(p) > 0 && len(p) <= head.MaxMethod
}

// authorityOK reports whether p is a host, with or without a port: a name, an IPv4 address, or an IPv6 address in brackets.
func authorityOK(p []byte, port bool) bool {
	host, number := head.SplitPort(p)
	if len(host) == 0 || len(host) > 255 || len(number) == 0 && (port || len(host) != len(p)) {
		return false
	}
	n := 0
	for _, c := range number {
		n = n*10 + int(c-'0')
	}
	if len(number) > 0 && (len(number) > 5 || number[0] == '0' || n > 65535) {
		return false
	}
	address := host[0] == '['
	if address {
		if len(host) < 4 || host[len(host)-1] != ']' {
			return false
		}
		host = host[1 : len(host)-1]
	}
	for _, c := range host {
		_, digit := head.Unhex(c, '0')
		switch {
		case address && (digit || c == ':' || c == '.'):
		case !address && (c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~'):
		default:
			return false
		}
	}
	return true
}

// addressed says why a request is not for this endpoint, and with which status; empty: it is.
func (s *Session) addressed(q *request) (problem string, status int) {
	if q.connect { // it says where to go on to, which is for rules to judge
		return "", 0
	}
	switch {
	case head.Fold(q.scheme, "https") != s.link.Secured:
		return "the scheme is not that of the connection", 400
	case !s.options.Authorities.Allow(q.authority, s.link.Endpoint):
		return "the authority does not name this endpoint; the option authorities can allow other names", 421
	case s.link.ServerName != "":
		if host, _ := head.SplitPort(q.authority); !head.Fold(host, s.link.ServerName) {
			return "the authority is not the name that was asked for by TLS", 421
		}
	}
	return "", 0
}

// encode writes the header block that the upstream gets, without the credentials. It begins with a table size update, which only the first block keeps.
func (s *Session) encode(b []byte, q *request) []byte {
	b = hpack.AppendSizeUpdate(b, 0)
	b = hpack.AppendField(b, &q.fields[q.methodField], q.text)
	if !q.connect {
		scheme := uint8(staticHTTP)
		if s.link.UpstreamTLS {
			scheme = staticHTTPS
		}
		b = hpack.AppendIndexed(b, scheme)
	}
	b = hpack.AppendLiteral(b, staticAuthority, "", q.authority, false)
	s.secretAt = places{}
	if !q.connect {
		b = s.encodePath(b, q)
	}
	for i := range q.fields {
		f := &q.fields[i]
		name := head.Name(f.Known)
		switch {
		case f.Flags&hpack.Pseudo != 0, name == head.Host, name == head.Expect && q.continued:
			continue
		case (len(s.link.Credentials) > 0 || s.link.Signer.On) && s.replaced(f.Name.Of(q.text)):
			continue
		case s.link.Echoes && facts.CodingsOf(name, f.Name.Of(q.text)) == facts.Accepts:
			b = hpack.AppendLiteral(b, f.StaticName, f.Name.Of(q.text), facts.Identity, false) // what compresses would hide an echo
			continue
		case s.asksForCodings(f, q.text):
			b = s.encodeOffer(b, f, q.text)
			continue
		case s.link.Secret.Name != "" && f.Static == 0:
			var done bool
			if b, done = s.encodePlaceholder(b, f, q.text); done {
				continue
			}
		}
		if name.Secret() && f.Static == 0 {
			b = hpack.AppendLiteral(b, f.StaticName, f.Name.Of(q.text), f.Value.Of(q.text), true)
			continue
		}
		b = hpack.AppendField(b, f, q.text)
	}
	return b
}

// aboutBody are the trailers that a request may have: what a server adds to the header after the verdict could be anything else.
var aboutBody = [...]string{"digest", "content-digest", "repr-digest", "content-md5", "x-amz-trailer-signature"}

// trailerProblem says why a field cannot stand behind a request's body.
func trailerProblem(f *hpack.Field, text []byte) string {
	if f.Flags&(hpack.BadName|hpack.BadValue|hpack.Marked|hpack.Pseudo) != 0 {
		return "a trailer is not a field"
	}
	name := f.Name.Of(text)
	for _, known := range aboutBody {
		if string(name) == known {
			return ""
		}
	}
	const checksum = "x-amz-checksum-"
	if len(name) > len(checksum) && string(name[:len(checksum)]) == checksum {
		return ""
	}
	return "a trailer names what belongs into the header of a request"
}
