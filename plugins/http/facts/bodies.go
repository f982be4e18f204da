package facts

import (
	"bytes"
	"strings"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
)

// formKind is what frameworks take a body for that could hold a method.
type formKind uint8

const (
	noForm     formKind = iota
	pairs               // NAME=VALUE&…
	parts               // multipart/form-data
	otherParts          // multipart of another kind, which Rack reads in the same way
)

// form reports what form the body is. PHP and Rack go by what stands before a comma or a space, too.
func (a *Action) form() formKind {
	kind := a.contentType[:a.typeSize]
	if n := bytes.IndexAny(kind, ", \t"); n >= 0 {
		kind = kind[:n]
	}
	switch {
	case string(kind) == "application/x-www-form-urlencoded":
		return pairs
	case string(kind) == "multipart/form-data":
		return parts
	case bytes.HasPrefix(kind, []byte("multipart/")):
		return otherParts
	}
	return noForm
}

// bodyMethod looks into a body for a method in place of the request's own. hidden: it could hold one that is not seen.
//
//go:noinline
func (a *Action) bodyMethod(r *Request) (hidden bool) {
	form := a.form()
	if form == noForm && a.typeSize == 0 && !a.untold && string(r.Method) == "POST" {
		form = pairs // what Rack makes of a POST that does not say what it is
	}
	b := &r.Body
	switch {
	case !b.Known:
		return form != noForm || a.untold
	case a.untold:
		hidden = true // its name is too long to be told
	case form == pairs:
		a.parameters(b.Bytes)
		a.parameters(b.Raw) // of a server that does not undo codings
		hidden = a.strange
	case form != noForm:
		hidden = namesMethod(b.Bytes) || namesMethod(b.Raw)
	}
	hidden = a.memberMethod(b.Bytes) || hidden
	return hidden || a.rawJSON(b) && a.memberMethod(b.Raw)
}

// memberMethod looks for a method among the members of a JSON body, where Laravel takes it from as from a form.
func (a *Action) memberMethod(body []byte) (hidden bool) {
	if !beginsJSON(body) || !bytes.Contains(body, []byte("_method")) && bytes.IndexByte(body, '\\') < 0 {
		return false
	}
	list, ok := a.json.flatten(body, a.values[:])
	if !ok {
		return true
	}
	for _, v := range list {
		if name, value, _ := strings.Cut(v, "="); len(name) > 1 && overrides([]byte(name[1:])) {
			a.Override([]byte(value))
		}
	}
	return false
}

// namesMethod reports whether a body in parts could have one with the name of a method: it is written there, perhaps with backslashes, or in the
// notation of RFC 2231.
func namesMethod(p []byte) bool {
	if contains(p, "name*") {
		return true
	}
	const word = "method"
	for i, c := range p {
		if c|0x20 != word[0] {
			continue
		}
		n := 1
		for k := i + 1; k < len(p) && n < len(word); k++ {
			switch {
			case p[k]|0x20 == word[n]:
				n++
				continue
			case p[k] == '\\':
				continue
			}
			break
		}
		if n == len(word) {
			return true
		}
	}
	return false
}

// beginsJSON reports whether a body could be taken for an object, a list or a string of JSON, or for one behind a comment or a byte order mark.
func beginsJSON(p []byte) bool {
	for len(p) > 0 && (p[0] == ' ' || p[0] >= '\t' && p[0] <= '\r') {
		p = p[1:]
	}
	if len(p) == 0 {
		return false
	}
	switch p[0] {
	case '{', '[', '"', '\'', '/', '#', 0xef:
		return true
	}
	return false
}

// sameText reports whether every server makes the same text of the body: it is UTF-8, says so, and does not look like UTF-16 or UTF-32, which parsers of
// JSON tell by a zero among the first two bytes.
func (a *Action) sameText(b *Body) bool {
	p := b.Bytes
	switch {
	case a.strange || !validText(p):
		return false
	case len(p) > 1 && (p[0] == 0 || p[1] == 0) && !bytes.HasPrefix(a.contentType[:a.typeSize], []byte("application/grpc")):
		return false
	}
	return true
}

// rawJSON reports whether the body is JSON also for a server that does not undo its content coding: another one than the rules would see.
func (a *Action) rawJSON(b *Body) bool { return len(b.Raw) > 0 && a.json.starts(b.Raw, a.values[:]) }

// plainCharset reports whether v, what stands behind charset=, names one in which all read the same.
func plainCharset(v []byte) bool {
	if len(v) == 0 {
		return true
	}
	if v[0] == '"' {
		v = v[1:]
	}
	n := 0
	for n < len(v) && head.Lower(v[n]) != 0 {
		n++
	}
	return head.Fold(v[:n], "utf-8") || head.Fold(v[:n], "utf8") || head.Fold(v[:n], "us-ascii")
}
