package facts

import (
	"encoding/binary"

	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Dialect reads requests in the words of a protocol that is spoken in HTTP: its family takes the place of family "http". One belongs to one
// connection.
type Dialect interface {
	// Ask encodes the action that a request is, in the form of abi.ActionWriter, and says its class. The encoded action is good until the next call.
	// about is what Answer is given for a denial of this request.
	Ask(c *sdk.Conn, r *Request, h *Headers) (encoded []byte, class abi.Class, about string)
	// Reads reports whether a body of a request with this method and path says anything, where bodies are read.
	Reads(method, path []byte) bool
	// Answer appends the body of what the gateway answers itself; kind is its media type.
	Answer(b []byte, a *Answer) (body []byte, kind string)
}

// Headers is what a Dialect sees of a request's headers.
type Headers struct {
	// ContentType is the media type of the body in lower case; Untold says that it is longer than anything known.
	ContentType []byte
	Untold      bool
	// Rewrites says that a header names another path, and Override is the method that stands in place of the request's own, if one does.
	Rewrites bool
	Override string
	// Cut says that there are more headers than Each shows.
	Cut bool

	lines []byte
	count int
}

// Each shows the headers as name: value, the name in lower case; those that carry credentials by their name alone. It ends when f returns false.
func (h *Headers) Each(f func(line []byte) bool) {
	p := h.lines
	for range h.count {
		n := binary.LittleEndian.Uint32(p)
		if !f(p[4 : 4+n]) {
			return
		}
		p = p[4+n:]
	}
}

// askDialect is Ask where the endpoint speaks a dialect.
//
//go:noinline
func (a *Action) askDialect(c *sdk.Conn, r *Request, raise *Raise) Question {
	if len(r.Query) > 0 {
		a.parameters(r.Query)
	}
	h := Headers{ContentType: a.contentType[:a.typeSize], Untold: a.untold, Rewrites: a.rewrites, Override: a.override, Cut: a.cut,
		lines: a.fields[headersAt:a.used], count: a.heads}
	q := *r                // so that a request without a dialect can stay on the stack
	if q.Body.Raw != nil { // these servers do not undo codings: what they read is not what was decoded
		q.Body = Body{}
	}
	a.encoded, a.Class, a.About = a.Dialect.Ask(c, &q, &h)
	if class := raise.Of(r.Method, a.Class); class != a.Class {
		a.Class = class
		a.encoded[2] = byte(class)
	}
	return Question{c, a}
}

// Reads reports whether a body of a request with this method and path says anything, where bodies are read.
func (a *Action) Reads(method, path []byte) bool {
	return a.Dialect == nil || a.Dialect.Reads(method, path)
}

// AppendAnswer appends the body of what the gateway answers itself; kind is its media type.
func (a *Action) AppendAnswer(b []byte, answer *Answer) (body []byte, kind string) {
	if a.Dialect != nil {
		return a.Dialect.Answer(b, answer)
	}
	return AppendProblem(b, answer), "application/problem+json"
}

// Endless reports whether the request that was asked about last has an answer that goes on until somebody ends it, as far as its dialect knows.
func (a *Action) Endless() bool {
	d, ok := a.Dialect.(interface{ Endless() bool })
	return ok && d.Endless()
}

// Values reads JSON texts as http.json has them, with limits of its own.
type Values struct {
	f    flattener
	room []byte
}

// NewValues makes one for texts of so many values, and as many names, at most 32767, which take so many bytes when they are written out.
func NewValues(values, room int) *Values {
	v := &Values{room: make([]byte, room)}
	v.f.list, v.f.names, v.f.owners = make([]string, values), make([]span, values), make([]int32, values)
	size := 1
	for size < 2*values {
		size *= 2
	}
	v.f.table = make([]uint16, size)
	return v
}

// Read lists every value as pointer=value; ok is false when the text is no JSON that all read alike, or past the limits. The list is good until the next call.
func (v *Values) Read(text []byte) (list []string, ok bool) { return v.f.flatten(text, v.room) }
