// Package convert is what the companion runs: a pure function from YAML to JSON, bounded.
package convert

import (
	"bytes"
	"unicode/utf8"

	sigs "sigs.k8s.io/yaml"

	"github.com/sallyport-dev/sallyport/plugins/kubernetes/yaml"
)

// JSON writes the JSON of a text to out. Aliases are refused, because a few of them make gigabytes of a short text and objects of Kubernetes do without; so are a second document, at
// which the server does not look, and names that are there twice.
func JSON(text, out []byte) (n int, err error) {
	if len(text) > yaml.MaxInput || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 || aliases(text) || documents(text) {
		return 0, yaml.ErrText
	}
	b, err := sigs.YAMLToJSONStrict(text)
	if err != nil || len(b) > len(out) {
		return 0, yaml.ErrText
	}
	return copy(out, b), nil
}

// aliases reports an anchor or an alias, or what looks like one: the sign in front of a name, where a value can begin.
func aliases(text []byte) bool {
	begins := true
	for i, c := range text {
		if (c == '&' || c == '*') && begins && i+1 < len(text) && isName(text[i+1]) {
			return true
		}
		switch c {
		case ' ', '\t', '\r', '\n', '[', '{', ',', ':', '-', '?', 0xbf: // the last ends a byte order mark
			begins = true
		default:
			begins = false
		}
	}
	return false
}

func isName(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c >= 0x80
}

// documents reports whether a document stands behind the first.
func documents(text []byte) bool {
	begun := false
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		mark := bytes.HasPrefix(line, []byte("---")) || bytes.HasPrefix(line, []byte("..."))
		if mark && begun {
			return true
		}
		begun = begun || !mark && len(bytes.TrimSpace(line)) > 0 || mark && len(bytes.TrimSpace(line)) > 3
	}
	return false
}
