package request

import (
	"strings"
	"unicode/utf8"
)

// segments splits a path and undoes its percent-encoding segment by segment, so that an encoded slash stays inside of its own. One slash at the end is nothing.
func segments(path string) (words, raw []string, problem string) {
	if path == "" || path[0] != '/' {
		return nil, nil, "there is no path"
	}
	path = strings.TrimSuffix(path[1:], "/")
	if path == "" {
		return nil, nil, ""
	}
	raw = strings.Split(path, "/")
	words = make([]string, len(raw))
	for i, s := range raw {
		w, ok := unescape(s, false)
		if !ok {
			return nil, nil, "a percent sign in the path encodes nothing"
		}
		words[i] = w
	}
	return words, raw, ""
}

// plainWords reports what is wrong with segments that have to be words.
func plainWords(words, raw []string) string {
	for i, w := range words {
		if problem := plainWord(w); problem != "" {
			return problem
		}
		for k := 0; k < len(raw[i]); k++ { // a letter that is encoded without need is read by one and compared by another
			if c := raw[i][k]; c == '%' {
				if b, ok := unhex(raw[i], k); ok && unreserved(b) {
					return "a letter of the path is percent-encoded"
				}
			}
		}
	}
	return ""
}

// unreserved reports a byte that nobody has a reason to encode, RFC 3986 section 2.3.
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

// plainWord says why a decoded segment of a path is read differently by different programs.
func plainWord(w string) string {
	switch w {
	case "":
		return "a segment of the path is empty"
	case ".", "..":
		return "a segment of the path is a dot segment"
	}
	for i := range len(w) {
		switch c := w[i]; {
		case c == '/' || c == '\\':
			return "a slash in the path is encoded, or a backslash"
		case c == '%':
			return "a percent sign in the path is encoded"
		case c <= ' ' || c >= 0x7f || c == ';' || c == '?' || c == '#' || c == '*':
			return "the path has a character that names do not have"
		}
	}
	return ""
}

// proxied is the path behind a proxy subresource: anything that does not lead out of it.
func proxied(rest []string) (path, problem string) {
	path = "/" + strings.Join(rest, "/")
	if len(rest) == 0 {
		path = ""
	}
	for s := range strings.SplitSeq(path, "/") {
		if s == "." || s == ".." || strings.HasPrefix(s, "..;") || strings.HasPrefix(s, ".;") {
			return "", "a segment of the path is a dot segment"
		}
	}
	if !utf8.ValidString(path) {
		return "", "the path is no text"
	}
	for i := range len(path) {
		if c := path[i]; c < ' ' || c == 0x7f || c == '\\' {
			return "", "the path has a backslash or a control character"
		}
	}
	if twice, ok := unescape(path, false); ok && twice != path { // who decodes twice sees something else
		for s := range strings.SplitSeq(strings.ReplaceAll(twice, "\\", "/"), "/") {
			if s == "." || s == ".." {
				return "", "a segment of the path is a dot segment that is encoded twice"
			}
		}
	}
	return path, ""
}

// unescape undoes percent-encoding, and in a query what stands for a space.
func unescape(s string, query bool) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && (!query || strings.IndexByte(s, '+') < 0) {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%':
			v, ok := unhex(s, i)
			if !ok {
				return "", false
			}
			b = append(b, v)
			i += 2
			continue
		case c == '+' && query:
			c = ' '
		}
		b = append(b, c)
	}
	return string(b), true
}

// unhex is the byte that is encoded at i, where a percent sign stands.
func unhex(s string, i int) (byte, bool) {
	if i+2 >= len(s) {
		return 0, false
	}
	hi, ok := digit(s[i+1])
	lo, ok2 := digit(s[i+2])
	return hi<<4 | lo, ok && ok2
}

func digit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
