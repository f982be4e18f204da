package facts

import (
	"unsafe"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Request is what an action is made of, besides the headers. The slices are used during Ask only.
type Request struct {
	Method, Authority, Path, Query []byte
	Upgrade                        []byte // the protocol to go on with; empty: none
	Version                        string // "1.1"
	TLS                            bool
	ServerName                     string
	Credential                     bool  // the gateway puts one in
	Length                         int64 // of the body as sent; negative: unknown
	Body                           Body
}

// Body is what is known of the body.
type Body struct {
	Known bool
	Bytes []byte // decoded
}

// maxScratch bounds what the headers of one request, its title and its JSON take in all, in bytes.
const maxScratch = 40 << 10

// Action collects one request. Its zero value is ready; it is large, so make it before the snapshot.
type Action struct {
	Class abi.Class // of the request that was asked about last

	scratch [maxScratch]byte
	used    int
	list    [head.MaxFields]string
	count   int
	cut     bool // there were more headers
	path    [head.MaxTarget]byte
	json    flattener

	rewrites    bool // a header names another path
	override    string
	graver      abi.Class // that of override
	contentType []byte
	charset     []byte
	typed       bool
}

// text is p as a string without a copy: it is good as long as p is not written to.
func text(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// Begin forgets the request before.
func (a *Action) Begin() {
	a.used, a.count, a.cut, a.rewrites = 0, 0, false, false
	a.override, a.graver, a.typed = "", abi.ClassSession, false
	a.contentType, a.charset = nil, nil
}

// Header takes one header; n is what head.NameOf says of its name.
func (a *Action) Header(n head.Name, name, value []byte) {
	switch n {
	case head.MethodOverride:
		a.Override(value)
	case head.Rewrite:
		a.rewrites = true
	case head.ContentType:
		a.setType(value)
	}
	size := len(name)
	secret := n.Secret() || n == head.Other && sounds(name)
	if !secret {
		size += len(": ") + len(value)
	}
	if a.count == len(a.list) || size > len(a.scratch)-a.used {
		a.cut = true
		return
	}
	b := a.scratch[a.used : a.used+size : a.used+size]
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b[i] = c
	}
	if !secret {
		b[len(name)], b[len(name)+1] = ':', ' '
		copy(b[len(name)+2:], value)
	}
	a.used += size
	a.list[a.count] = text(b)
	a.count++
}

// sounds reports whether a header of this name could carry a credential.
func sounds(name []byte) bool {
	for i, c := range name {
		switch c | 0x20 {
		case 'a':
			if begins(name[i:], "auth") || begins(name[i:], "api-key") || begins(name[i:], "apikey") || begins(name[i:], "access-key") {
				return true
			}
		case 'c':
			if begins(name[i:], "credential") || begins(name[i:], "cookie") {
				return true
			}
		case 'p':
			if begins(name[i:], "passw") {
				return true
			}
		case 's':
			if begins(name[i:], "secret") || begins(name[i:], "session") || begins(name[i:], "signature") {
				return true
			}
		case 't':
			if begins(name[i:], "token") || begins(name[i:], "ticket") {
				return true
			}
		}
	}
	return false
}

func begins(p []byte, word string) bool { return len(p) >= len(word) && head.Fold(p[:len(word)], word) }

// setType notes the media type and the charset of the body.
func (a *Action) setType(value []byte) {
	n := 0
	for n < len(value) && value[n] != ';' {
		n++
	}
	kind := value[:n]
	for len(kind) > 0 && (kind[len(kind)-1] == ' ' || kind[len(kind)-1] == '\t') {
		kind = kind[:len(kind)-1]
	}
	if len(kind) <= len(a.scratch)-a.used {
		b := a.scratch[a.used : a.used+len(kind) : a.used+len(kind)]
		for i, c := range kind {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			b[i] = c
		}
		a.used += len(kind)
		a.contentType, a.typed = b, true
	} else {
		a.cut = true
	}
	const name = "charset="
	for ; n+len(name) <= len(value); n++ {
		if head.Fold(value[n:n+len(name)], name) {
			a.charset = value[n+len(name):]
			return
		}
	}
}

// plainText reports whether the charset that the body claims is one in which all read the same.
func (a *Action) plainText() bool {
	c := a.charset
	if len(c) > 0 && c[0] == '"' {
		c = c[1:]
	}
	n := 0
	for n < len(c) && head.Lower(c[n]) != 0 {
		n++
	}
	return n == 0 && len(a.charset) == 0 || head.Fold(c[:n], "utf-8") || head.Fold(c[:n], "utf8") || head.Fold(c[:n], "us-ascii")
}

// form reports whether the body is a form, which can hold a method. parts: one in several parts.
func (a *Action) form() (is, parts bool) {
	parts = string(a.contentType) == "multipart/form-data"
	return parts || string(a.contentType) == "application/x-www-form-urlencoded", parts
}

// Override takes a method that stands in place of the request's own.
func (a *Action) Override(value []byte) {
	if len(value) == 0 {
		return
	}
	n := min(len(value), head.MaxMethod)
	if n > len(a.scratch)-a.used {
		a.override, a.graver = "UNREADABLE", abi.ClassOpaque
		return
	}
	b := a.scratch[a.used : a.used+n : a.used+n]
	for i := range b {
		c := value[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		b[i] = c
	}
	class := ClassOf(b)
	if a.override != "" && class <= a.graver {
		return
	}
	a.used += n
	a.override, a.graver = text(b), class
}

// class is that of a request as it stands: of its method, or of what overrides it.
func (a *Action) class(r *Request, raise *Raise) abi.Class {
	class := raise.Of(r.Method, ClassOf(r.Method))
	if a.override != "" {
		class = max(class, raise.Of([]byte(a.override), a.graver))
	}
	if len(r.Upgrade) > 0 {
		class = abi.ClassOpaque
	}
	return class
}

// Ask begins the question about a request whose headers have been taken.
func (a *Action) Ask(c *sdk.Conn, r *Request, raise *Raise) *sdk.AskBuilder {
	a.parameters(r.Query)
	form, parts := a.form()
	hidden := false // a form could hold another method
	if form {
		switch {
		case !r.Body.Known || parts && contains(r.Body.Bytes, "_method"):
			hidden = r.Length != 0
		case !parts:
			a.parameters(r.Body.Bytes)
		}
	}
	path := r.Path
	if len(path) == 0 && string(r.Method) != "CONNECT" {
		path = []byte("/")
	}
	normal, ambiguous := Normal(a.path[:0], path)
	authority := a.lowered(r.Authority)
	upgrade := a.lowered(r.Upgrade)

	a.Class = a.class(r, raise)
	b := c.Ask(FamilyHTTP, a.Class, a.title(r.Method, authority, r.Path))
	b.String(fieldMethod, text(r.Method)).String(fieldScheme, scheme(r.TLS)).String(fieldAuthority, authority)
	b.String(fieldPath, text(r.Path)).String(fieldPathNormal, text(normal)).Bool(fieldAmbiguous, ambiguous || a.rewrites)
	b.String(fieldQuery, text(r.Query)).String(fieldVersion, r.Version).Bool(fieldTLS, r.TLS).String(fieldServerName, r.ServerName)
	b.String(fieldUpgrade, upgrade).Bool(fieldGatewayCredential, r.Credential)
	if !a.cut || a.typed {
		b.String(fieldContentType, text(a.contentType))
	}
	if r.Length >= 0 {
		b.Int(fieldContentLength, r.Length)
	}
	if !hidden {
		b.String(fieldOverride, a.override)
	}
	if !a.cut && a.fits(b, a.list[:a.count]) {
		b.Strings(fieldHeaders, a.list[:a.count])
	}
	a.body(b, &r.Body)
	return b
}

// spare is what the headers leave of an action for the rest, in bytes.
const spare = 64

func (a *Action) fits(b *sdk.AskBuilder, list []string) bool {
	room := b.Room() - spare
	for _, s := range list {
		room -= len(s) + 4
	}
	return room >= 0
}

// body gives body and json.
func (a *Action) body(b *sdk.AskBuilder, body *Body) {
	if !body.Known {
		return
	}
	plain := len(body.Bytes) == 0 || a.plainText() && validText(body.Bytes)
	if plain && len(body.Bytes)+spare <= b.Room() {
		b.String(fieldBody, text(body.Bytes))
	}
	if form, _ := a.form(); len(body.Bytes) == 0 || form {
		b.Strings(fieldJSON, nil)
		return
	}
	if !plain {
		return
	}
	if list, ok := a.json.flatten(body.Bytes, a.scratch[a.used:]); ok && a.fits(b, list) {
		b.Strings(fieldJSON, list)
	}
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

// lowered is a copy of p in lower case.
func (a *Action) lowered(p []byte) string {
	if len(p) == 0 || len(p) > len(a.scratch)-a.used {
		return text(p)
	}
	b := a.scratch[a.used : a.used+len(p) : a.used+len(p)]
	for i, c := range p {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b[i] = c
	}
	a.used += len(p)
	return text(b)
}

// title is METHOD authority path.
func (a *Action) title(method []byte, authority string, path []byte) string {
	b := a.scratch[a.used:]
	b = b[:min(len(b), abi.MaxTitle)]
	n := copy(b, method)
	n += copy(b[n:], " ")
	n += copy(b[n:], authority)
	n += copy(b[n:], path)
	for i, c := range b[:n] {
		if c >= 0x80 {
			b[i] = '?'
		}
	}
	a.used += n
	return text(b[:n])
}

// AskConnect begins the question about the connection.
func AskConnect(c *sdk.Conn, endpoint string, tls bool, serverName, protocol string) *sdk.AskBuilder {
	b := c.Ask(FamilyConnect, abi.ClassSession, "open a connection to "+endpoint)
	return b.Bool(connectTLS, tls).String(connectServerName, serverName).String(connectProtocol, protocol)
}
