package facts

import (
	"bytes"
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
)

// overriding are names of parameters that frameworks take a method from.
var overriding = [...]string{"_method", "_httpmethod", "$httpmethod", "x-http-method-override", "x-http-method", "x-method-override"}

// parameters looks for methods among those of a query or a form.
func (a *Action) parameters(query []byte) {
	if !plain(query) {
		a.everyParameter(query)
	}
}

// everyParameter is apart from what every request runs through.
//
//go:noinline
func (a *Action) everyParameter(query []byte) {
	for len(query) > 0 {
		n := 0
		for n < len(query) && query[n] != '&' && query[n] != ';' {
			n++
		}
		a.parameter(query[:n])
		if n == len(query) {
			return
		}
		query = query[n+1:]
	}
}

// parameter takes one, NAME=VALUE.
func (a *Action) parameter(p []byte) {
	var name, value [32]byte
	n, at := readName(p, name[:])
	if at == len(p) || n < len("_method") || !overrides(name[:n]) {
		return
	}
	v := 0
	for at++; at < len(p) && v < len(value); v++ {
		value[v], at = decoded(p, at)
	}
	a.Override(value[:v])
}

// readName decodes the name of a parameter as the most lenient servers do, and returns where its "=" stands, or the end. Spaces before a name are nothing to
// PHP and Rack, brackets around one nothing to Rack and qs; PHP writes "_" for a dot and a space, and a zero ends a name there. A name that is longer than there is room for has no length.
func readName(p, name []byte) (n, at int) {
	ended := false
	for at < len(p) && p[at] != '=' {
		var c byte
		c, at = decoded(p, at)
		switch {
		case ended, n == 0 && (c == ' ' || c == '[' || c == ']'):
			continue
		case c == 0, c == '[', c == ']':
			ended = true
			continue
		case n == len(name):
			return 0, len(p)
		case c == '.', c == ' ':
			c = '_'
		}
		name[n] = c
		n++
	}
	return n, at
}

func overrides(name []byte) bool {
	for _, o := range overriding {
		if head.Fold(name, o) {
			return true
		}
	}
	return false
}

// decoded is the byte that stands at i, and where the next one begins.
func decoded(p []byte, i int) (c byte, next int) {
	if p[i] == '%' && i+2 < len(p) {
		if c, ok := head.Unhex(p[i+1], p[i+2]); ok {
			return c, i + 3
		}
	}
	if p[i] == '+' {
		return ' ', i + 1
	}
	return p[i], i + 1
}

func contains(p []byte, word string) bool {
	for i := range p {
		if p[i]|0x20 == word[0]|0x20 && begins(p[i:], word) {
			return true
		}
	}
	return false
}

// validText reports whether p is text that all read the same: UTF-8, and no byte order mark.
func validText(p []byte) bool {
	return utf8.Valid(p) && !bytes.HasPrefix(p, []byte("\xef\xbb\xbf"))
}

// MaxParameter is how long a name can be that Names looks for, in bytes.
const MaxParameter = 128

// Names reports whether a parameter, NAME or NAME=VALUE, has this name for the most lenient of servers: decoded, in any case of its letters, as readName has it.
func Names(p []byte, name string) bool {
	var room [MaxParameter]byte
	n, _ := readName(p, room[:])
	if n != len(name) {
		return false
	}
	for i, c := range room[:n] {
		if want := name[i]; lowerCase[c] != lowerCase[want] && (c != '_' || want != '.') {
			return false
		}
	}
	return true
}

// plain reports whether nothing of a query could be one of the names that override the method: "method" stands in each, or something written as %XX.
func plain(query []byte) bool {
	for i := without(query); i < len(query); i++ {
		switch query[i] {
		case '%':
			return false
		case 'm', 'M':
			if begins(query[i:], "meth") {
				return false
			}
		}
	}
	return true
}
