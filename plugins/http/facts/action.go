package facts

import (
	"encoding/binary"
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
	Raw   []byte // as sent, where a content coding was undone: many servers do not do that
}

// Sizes of an action's parts, in bytes.
const (
	maxFront  = 2 + 1 + 4 + abi.MaxTitle + 2 // family, class, title, count of fields
	maxFields = abi.MaxAction - maxFront
	// maxHeaders is what the headers may take of it, so that the request line always has room.
	maxHeaders = 24 << 10
	maxJSON    = 16 << 10 // of the values of a JSON body, written out
)

// Action collects one request, in the form in which it is asked about. It is large, so make it before the snapshot.
type Action struct {
	Class abi.Class // of the request that was asked about last
	// Dialect reads requests in place of family http, where there is one; About is what it has to say of the last for a denial.
	Dialect Dialect
	About   string
	encoded []byte // by it

	front  [maxFront]byte
	size   int // of front that is used
	fields [maxFields]byte
	used   int
	count  int  // of fields
	heads  int  // of headers
	cut    bool // there were more headers

	path   [head.MaxTarget]byte
	json   flattener
	values [maxJSON]byte
	fixed  fixed
	kept   kept

	rewrites    bool // a header names another path
	override    string
	overriding  [head.MaxMethod]byte // the memory of override
	graver      abi.Class            // that of override
	contentType [128]byte
	typeSize    int
	typed       bool // there is a type, which may be longer than that: then it is
	untold      bool
	strange     bool // its charset is not one in which all read the same
}

// fixed are fields that do not change from one request of a connection to the next.
type fixed struct {
	bytes           [512]byte
	size, count     int
	version, server string
	tls, credential bool
}

// text is p as a string without a copy: it is good as long as p is not written to.
func text(p []byte) string { return unsafe.String(unsafe.SliceData(p), len(p)) }

// headersAt is where the headers begin in fields: behind the field's number, known, and their count.
const headersAt = 2 + 1 + 4

// Begin forgets the request before.
func (a *Action) Begin() {
	a.used, a.count, a.heads, a.cut, a.rewrites = headersAt, 0, 0, false, false
	a.override, a.graver, a.typed, a.untold, a.typeSize = "", abi.ClassSession, false, false, 0
	a.strange = false
	a.kept.block = 0
}

// lowerCase maps letters to lower case.
var lowerCase = func() (t [256]byte) {
	for i := range t {
		c := byte(i)
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		t[i] = c
	}
	return t
}()

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
	if a.used+4+size > maxHeaders || a.heads == maxValues {
		a.cut = true
		return
	}
	b := a.fields[a.used : a.used+4+size]
	binary.LittleEndian.PutUint32(b, uint32(size))
	b = b[4:]
	for i, c := range name {
		b[i] = lowerCase[c]
	}
	if !secret {
		b = b[len(name):]
		b[0], b[1] = ':', ' '
		copy(b[2:], value)
	}
	a.used += 4 + size
	a.heads++
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
	a.typed, a.untold = true, len(kind) > len(a.contentType)
	if !a.untold {
		for i, c := range kind {
			a.contentType[i] = lowerCase[c]
		}
		a.typeSize = len(kind)
	}
	const name = "charset"
	for ; n+len(name) <= len(value); n++ {
		if value[n]|0x20 == name[0] && head.Fold(value[n:n+len(name)], name) { // each one counts for somebody
			rest := value[n+len(name):]
			a.strange = a.strange || len(rest) == 0 || rest[0] != '=' || !plainCharset(rest[1:])
		}
	}
}

// Override takes a method that stands in place of the request's own.
func (a *Action) Override(value []byte) {
	n := min(len(value), head.MaxMethod)
	if n == 0 {
		return
	}
	var b [head.MaxMethod]byte
	for i, c := range value[:n] {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		b[i] = c
	}
	class := ClassOf(b[:n])
	if a.override != "" && class <= a.graver {
		return
	}
	a.overriding = b
	a.override, a.graver = text(a.overriding[:n]), class
}

// class is that of a request as it stands: of its method, or of what overrides it.
func (a *Action) class(r *Request, raise *Raise) abi.Class {
	class := abi.ClassRead
	if string(r.Method) != "GET" {
		class = ClassOf(r.Method)
	}
	if len(raise.methods) > 0 {
		class = raise.Of(r.Method, class)
	}
	if a.override != "" {
		class = max(class, raise.Of(a.overriding[:len(a.override)], a.graver))
	}
	if len(r.Upgrade) > 0 {
		class = abi.ClassOpaque
	}
	return class
}

// Question is an action that is ready to be asked about.
type Question struct {
	c *sdk.Conn
	a *Action
}

// Do asks, as sdk.AskBuilder's Do.
func (q Question) Do(extent uint64, flags uint8) (id uint32) {
	if q.a.Dialect != nil {
		return q.c.AskEncoded(extent, flags, q.a.encoded)
	}
	return q.c.AskEncoded(extent, flags, q.a.front[:q.a.size], q.a.fields[q.a.start():q.a.used])
}

// Ask makes the question about a request whose headers have been taken.
func (a *Action) Ask(c *sdk.Conn, r *Request, raise *Raise) Question {
	if a.Dialect != nil {
		return a.askDialect(c, r, raise)
	}
	if len(r.Query) > 0 {
		a.parameters(r.Query)
	}
	hidden := false // the body could hold another method
	if r.Length != 0 {
		hidden = a.bodyMethod(r)
	}
	path := r.Path
	if len(path) == 0 && string(r.Method) != "CONNECT" {
		path = root
	}
	normal, ambiguous := Normal(a.path[:0], path)
	a.Class = a.class(r, raise)

	simple := !a.typed && r.Length == 0 && len(a.override) == 0 && len(r.Upgrade) == 0
	if !simple || !a.recall(r) {
		a.putFront(r, simple)
	}
	a.putLine(r, normal, ambiguous || a.rewrites)
	if !simple {
		a.putRest(r, hidden)
	}
	a.title(r, len(normal) == len(path) && unsafe.SliceData(normal) == unsafe.SliceData(path))
	return Question{c, a}
}

var root = []byte("/")

// endHeaders writes down how many headers there are.
func (a *Action) endHeaders() {
	b := &a.fields
	b[0], b[1], b[2] = byte(fieldHeaders), 0, 1
	binary.LittleEndian.PutUint32(b[3:], uint32(a.heads))
	a.count = 1
	if a.cut { // the field is left out, and with it what was written
		a.count = 0
		a.used = headersAt
	}
}

// start is where the fields begin.
func (a *Action) start() int {
	if a.cut {
		return headersAt
	}
	return 0
}

// putRest gives what requests without a body do not need.
func (a *Action) putRest(r *Request, hidden bool) {
	if !a.untold {
		a.put(fieldContentType, a.contentType[:a.typeSize])
	}
	if r.Length >= 0 {
		a.putInt(fieldContentLength, r.Length)
	}
	if !hidden {
		a.put(fieldOverride, a.overriding[:len(a.override)])
	}
	a.putLower(fieldUpgrade, r.Upgrade)
	a.putBody(&r.Body)
}

// putBody gives body and json.
func (a *Action) putBody(body *Body) {
	if !body.Known || a.rawJSON(body) {
		return
	}
	plain := len(body.Bytes) == 0 || a.sameText(body)
	if plain {
		a.put(fieldBody, body.Bytes)
	}
	form := a.form()
	if len(body.Bytes) == 0 || (form == pairs || form == parts) && !beginsJSON(body.Bytes) {
		a.putList(fieldJSON, nil)
		return
	}
	if !plain {
		return
	}
	if list, ok := a.json.flatten(body.Bytes, a.values[:]); ok {
		a.putList(fieldJSON, list)
	}
}

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

// title is METHOD authority path. ascii: the path is.
func (a *Action) title(r *Request, ascii bool) {
	const at = 2 + 1 + 4
	b := a.front[at : at+abi.MaxTitle]
	n := copy(b, r.Method)
	b[n] = ' '
	n++
	n += copy(b[n:], a.kept.authority)
	if ascii {
		n += copy(b[n:], r.Path)
	} else {
		for _, c := range r.Path[:min(len(r.Path), len(b)-n)] {
			if c >= 0x80 {
				c = '?'
			}
			b[n] = c
			n++
		}
	}
	f := &a.front
	f[0], f[1], f[2] = FamilyHTTP, 0, byte(a.Class)
	binary.LittleEndian.PutUint32(f[3:], uint32(n))
	binary.LittleEndian.PutUint16(f[at+n:], uint16(a.count))
	a.size = at + n + 2
}

// AskConnect begins the question about the connection.
func AskConnect(c *sdk.Conn, endpoint string, tls bool) *sdk.AskBuilder {
	return c.Ask(FamilyConnect, abi.ClassSession, "open a connection to "+endpoint).Bool(connectTLS, tls)
}

// Title is that of the question that was made last.
func (a *Action) Title() string {
	b := a.front[:a.size]
	if a.Dialect != nil {
		b = a.encoded
	}
	const at = 2 + 1 + 4
	if len(b) < at {
		return ""
	}
	n := int(binary.LittleEndian.Uint32(b[3:]))
	return string(b[at : at+min(n, len(b)-at)])
}
