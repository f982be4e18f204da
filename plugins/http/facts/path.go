package facts

import (
	"unicode/utf8"

	"github.com/sallyport-dev/sallyport/plugins/http/head"
)

// odd are bytes of a path that take more than a look: with none of them, and no slash or dot behind a slash, the path is normal.
var odd = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x80 || c < 0x21 || c == 0x7f
	}
	t['%'], t['\\'], t[';'] = true, true, true
	return t
}()

// Normal writes the normal form of a path into dst, which has room for it, and reports whether two servers could read the path
// differently. A path that is normal already is returned as it is.
func Normal(dst, path []byte) (normal []byte, ambiguous bool) {
	slash := false
	for _, c := range path[usualPath(path):] { // where the words end a slash is looked at once more
		if odd[c] || slash && (c == '/' || c == '.') {
			n := normalizer{out: dst[:0]}
			n.run(path)
			return n.out, n.ambiguous
		}
		slash = c == '/'
	}
	return path, false
}

type normalizer struct {
	out       []byte
	segment   int // where the present one begins in out
	ambiguous bool
	high      bool // there are bytes beyond ASCII
}

func (n *normalizer) run(path []byte) {
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '/':
			n.slash()
			continue
		case c == '\\':
			n.ambiguous = true
			n.slash()
			continue
		case c == ';': // parameters, up to the next slash
			n.ambiguous = true
			for i+1 < len(path) && path[i+1] != '/' && path[i+1] != '\\' && !encodedSlash(path[i+1:]) {
				i++
			}
			continue
		case c == '%':
			if i = n.encoded(path, i); i < len(path) {
				continue
			}
			return
		case c >= 0x80:
			n.ambiguous, n.high = true, true
		case c <= ' ', c == 0x7f:
			n.ambiguous = true
		}
		n.out = append(n.out, c)
	}
	n.dots()
	if n.high && !utf8.Valid(n.out) {
		n.ambiguous = true
	}
}

func encodedSlash(p []byte) bool {
	if len(p) < 3 || p[0] != '%' {
		return false
	}
	c, ok := head.Unhex(p[1], p[2])
	return ok && (c == '/' || c == '\\')
}

// encoded takes the byte that is written behind the % at i, and returns where it ends.
func (n *normalizer) encoded(path []byte, i int) int {
	var c byte
	ok := false
	if i+2 < len(path) {
		c, ok = head.Unhex(path[i+1], path[i+2])
	}
	if !ok {
		n.ambiguous = true
		n.out = append(n.out, '%')
		return i
	}
	switch {
	case c == '/' || c == '\\':
		n.ambiguous = true
		n.slash()
		return i + 2
	case c == ';', c < ' ', c == 0x7f:
		n.ambiguous = true
	case c == '%': // who decodes twice reads something else
		if i+4 < len(path) {
			if _, twice := head.Unhex(path[i+3], path[i+4]); twice || path[i+3] == '%' || path[i+4] == '%' {
				n.ambiguous = true
			}
		}
	case c >= 0x80:
		n.high = true
	}
	n.out = append(n.out, c)
	return i + 2
}

// slash ends a segment.
func (n *normalizer) slash() {
	n.dots()
	if len(n.out) > 0 && n.out[len(n.out)-1] == '/' {
		n.ambiguous = n.ambiguous || n.segment == len(n.out)
		n.segment = len(n.out)
		return
	}
	n.out = append(n.out, '/')
	n.segment = len(n.out)
}

// dots takes the present segment away if it is . or .., and with .. the one before.
func (n *normalizer) dots() {
	switch string(n.out[n.segment:]) {
	case ".":
		n.out = n.out[:n.segment]
	case "..":
		n.out = n.out[:n.segment]
		if n.segment > 1 {
			n.out = n.out[:n.segment-1]
			for len(n.out) > 0 && n.out[len(n.out)-1] != '/' {
				n.out = n.out[:len(n.out)-1]
			}
			n.segment = len(n.out)
		}
	default:
		return
	}
	n.ambiguous = true
}
