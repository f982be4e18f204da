// Package answer says what came back from a request, in the words of the family response: the status, the headers, and the values of the body, named where
// they stand in the bytes that the host keeps, so that it can read and mask them.
//
// # What is read
//
// Every line of the header and of trailers is a value that cannot be masked: a client acts on it. Of a body as it is, the strings of JSON are values of their
// own, with the member that they are of as their column, and so are its numbers; any other body in UTF-8 is one value. A body with a content coding is decoded and given as text. What
// cannot be read makes the answer's text unknown: an unknown coding, one that the body does not have, another charset, binary data, and a part of something larger (206), because what a pattern
// matches could be cut in two.
package answer

import (
	"github.com/sallyport-dev/sallyport/plugins/http/head"
	"github.com/sallyport-dev/sallyport/sdk"
	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Undo undoes content codings: encoding is the field's value, limit how long the result may be.
type Undo func(c *sdk.Conn, encoding, body []byte, limit int) ([]byte, error)

// Limits.
const (
	maxColumns    = 1024     // columns that are named
	maxColumnText = 12 << 10 // bytes of their names
	maxHeaderText = 12 << 10 // bytes of header lines in the field headers
	maxTitle      = 200
)

// Answer is what is known of one answer while the host keeps it.
type Answer struct {
	Parent uint32
	// Status is that of the final response.
	Status int
	// Endless says that the answer goes on until somebody ends it, by its media type or because the caller knows, so that it cannot be waited for.
	Endless bool
	// Sized says that the body has as many bytes as Content-Length says, which is no value then.
	Sized bool
	// Read names the values of a body in a format that the caller knows; nil: nothing does.
	Read Reader

	limit   int
	headers []string
	size    int  // of them
	cut     bool // there are more
	kind    string
	charset string
	coding  []byte

	body    []byte
	pieces  []piece
	columns []string
	numbers map[string]uint16
	bytes   int  // of the names
	unnamed bool // there are values of which the column is not known
	rows    int64
	counted bool // rows are
	cursor  int  // the piece that values are named in
}

// piece says that the body from at on stands in what is kept from kept on.
type piece struct{ at, kept int }

// New begins the answer to action parent, of which limit bytes are kept.
func New(parent uint32, limit int) *Answer { return &Answer{Parent: parent, limit: limit} }

// Limit is how many bytes are kept of it at most.
func (a *Answer) Limit() int { return a.limit }

// Header takes a line of the header. It stands at start of what is kept and has length bytes, or, with start below 0, is given as text. It reports whether there was room for that.
func (a *Answer) Header(c *sdk.Conn, name, value []byte, start, length int) bool {
	a.note(name, value)
	return a.Line(c, name, value, start, length)
}

// Line takes a line as a value only, such as a trailer.
func (a *Answer) Line(c *sdk.Conn, name, value []byte, start, length int) bool {
	if a.framed(name, value) {
		return true
	}
	if start >= 0 {
		c.Value(a.Parent, abi.NoColumn, abi.FormatFixed, start, length)
		return true
	}
	line := make([]byte, 0, len(name)+2+len(value))
	line = append(append(append(line, name...), ": "...), value...)
	if !c.FitsText(a.Parent, len(line)) {
		return false
	}
	c.Text(a.Parent, abi.NoColumn, line)
	return true
}

// note keeps what rules are told of the header.
func (a *Answer) note(name, value []byte) {
	lower := make([]byte, len(name))
	for i, b := range name {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	switch string(lower) {
	case "content-type":
		a.setType(value)
	case "content-encoding":
		a.coding = append(append(a.coding, value...), ',')
	}
	if a.size += 6 + len(name) + len(value); a.size > maxHeaderText {
		a.cut = true
		return
	}
	a.headers = append(a.headers, string(lower)+": "+string(value))
}

// framed reports whether a line says nothing but how the answer is framed, and when.
func (a *Answer) framed(name, value []byte) bool {
	switch len(name) {
	case len("date"):
		return head.SameName(name, "date") && isDate(value)
	case len("content-length"): // which has been read as a number
		return a.Sized && head.SameName(name, "content-length")
	case len("transfer-encoding"):
		return head.SameName(name, "transfer-encoding") && head.Fold(value, "chunked")
	}
	return false
}

// isDate reports whether v is a date as servers write it (RFC 9110 section 5.6.7), of which no letter is free.
func isDate(v []byte) bool {
	const form = "Www, 00 Mmm 0000 00:00:00 GMT"
	if len(v) != len(form) {
		return false
	}
	for i := range form {
		switch c := form[i]; {
		case c == '0':
			if v[i] < '0' || v[i] > '9' {
				return false
			}
		case c == 'W' || c == 'w' || c == 'M' && i < 10 || c == 'm':
			if v[i]|0x20 < 'a' || v[i]|0x20 > 'z' {
				return false
			}
		case v[i] != c:
			return false
		}
	}
	return true
}

// setType takes Content-Type.
func (a *Answer) setType(value []byte) {
	n := 0
	for n < len(value) && value[n] != ';' && value[n] != ' ' && value[n] != '\t' {
		n++
	}
	kind := make([]byte, n)
	for i, b := range value[:n] {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		kind[i] = b
	}
	a.kind = string(kind)
	a.charset = ""
	const name = "charset="
	for ; n+len(name) <= len(value); n++ {
		if !head.Fold(value[n:n+len(name)], name) {
			continue
		}
		v := value[n+len(name):]
		if len(v) > 0 && v[0] == '"' {
			v = v[1:]
		}
		for i, b := range v {
			if b == ';' || b == ' ' || b == '"' {
				v = v[:i]
				break
			}
		}
		a.charset = string(v)
		break
	}
	a.Endless = a.Endless || a.kind == "text/event-stream" || a.kind == "multipart/x-mixed-replace" || begins(a.kind, "application/grpc")
}

func begins(s, with string) bool { return len(s) >= len(with) && s[:len(with)] == with }

func ends(s, with string) bool { return len(s) >= len(with) && s[len(s)-len(with):] == with }

// Body takes a piece of the body, which stands at kept of what is kept. It is copied.
func (a *Answer) Body(p []byte, kept int) {
	if len(p) == 0 {
		return
	}
	if n := len(a.pieces); n == 0 || a.pieces[n-1].kept+len(a.body)-a.pieces[n-1].at != kept {
		a.pieces = append(a.pieces, piece{len(a.body), kept})
	}
	a.body = append(a.body, p...)
}

// value names bytes of the body, in order.
func (a *Answer) value(c *sdk.Conn, column uint16, format abi.Format, start, end int) {
	for a.cursor+1 < len(a.pieces) && a.pieces[a.cursor+1].at <= start {
		a.cursor++
	}
	p := a.pieces[a.cursor]
	for first := true; ; first = false {
		stop := end
		more := a.cursor+1 < len(a.pieces) && a.pieces[a.cursor+1].at < end
		if more {
			stop = a.pieces[a.cursor+1].at
		}
		if first {
			c.Value(a.Parent, column, format, p.kept+start-p.at, stop-start)
		} else {
			c.ValueMore(a.Parent, p.kept+start-p.at, stop-start)
		}
		if !more {
			return
		}
		a.cursor++
		p, start = a.pieces[a.cursor], stop
	}
}

// The fields of the family response that are HTTP's own.
const (
	fieldStatus = abi.ResponseFields + iota
	fieldHeaders
	fieldContentType
)

// Family declares the family response.
func Family() abi.Family {
	f := abi.ResponseFamily("What came back from a request: its header lines, and the body without its content coding. In JSON, columns are the names of members.",
		abi.Field{Name: "status", Type: abi.TypeInt, Doc: "the status of the answer"},
		abi.Field{Name: "headers", Type: abi.TypeStrings, Role: abi.RoleValues, Doc: "every line of its header as name: value, the name in lower case; unknown when there are too many"},
		abi.Field{Name: "content_type", Type: abi.TypeString, Doc: "the media type of its body in lower case, without parameters; empty without"})
	f.Fields[abi.ResponseColumns].Role = abi.RoleValues // whoever answers chooses the names of members, which can be data
	return f
}

// Ask asks about the answer; family is the place of the family response in the manifest.
func (a *Answer) Ask(c *sdk.Conn, family uint16, class abi.Class, title string, flags uint8) (id uint32) {
	b := a.Begin(c, family, class, title).Int(fieldStatus, int64(a.Status)).String(fieldContentType, a.kind[:min(len(a.kind), maxTitle)])
	if a.cut {
		b.Unknown(fieldHeaders)
	} else {
		b.Strings(fieldHeaders, a.headers)
	}
	return b.DoResponse(a.Parent, flags)
}

// Begin begins the question with the fields that every plugin has.
func (a *Answer) Begin(c *sdk.Conn, family uint16, class abi.Class, title string) *sdk.AskBuilder {
	title = "the response to " + title
	b := c.AskResponse(family, class, title[:min(len(title), maxTitle)])
	if a.unnamed {
		b.Unknown(abi.ResponseColumns)
	} else {
		b.Strings(abi.ResponseColumns, a.columns)
	}
	if a.counted {
		b.Int(abi.ResponseRows, a.rows)
	} else {
		b.Unknown(abi.ResponseRows)
	}
	return b
}
