package facts

import "github.com/sallyport-dev/sallyport/plugins/http/head"

// Carries reports whether a header of this name carries a credential, so that nobody sees its value.
func Carries(n head.Name, name []byte) bool { return n.Secret() || n == head.Other && sounds(name) }

// LeastPlaceholder is how long a placeholder has to be, in bytes: a shorter one would be found where it is a coincidence.
const LeastPlaceholder = 8

// IsPlaceholder reports whether a word can stand for a secret.
func IsPlaceholder(word string) bool {
	for _, c := range []byte(word) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return len(word) >= LeastPlaceholder
}

// Before is how many bytes of a header's value stand before the placeholder it ends with: none, or the name of a scheme and a space. Negative: the
// value is another one.
func Before(value []byte, placeholder string) int {
	at := len(value) - len(placeholder)
	if placeholder == "" || at < 0 || string(value[at:]) != placeholder {
		return -1
	}
	if at > 0 && (value[at-1] != ' ' || !head.IsToken(value[:at-1])) {
		return -1
	}
	return at
}
