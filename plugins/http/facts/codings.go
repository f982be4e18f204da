package facts

import "github.com/sallyport-dev/sallyport/plugins/http/head"

// Compressed reports whether a field that names content codings, Content-Encoding or grpc-encoding, names one that hides the bytes: then nobody finds an
// echo of a secret in them.
func Compressed(value []byte) bool {
	for len(value) > 0 {
		end := 0
		for end < len(value) && value[end] != ',' {
			end++
		}
		word := value[:end]
		for len(word) > 0 && (word[0] == ' ' || word[0] == '\t') {
			word = word[1:]
		}
		for len(word) > 0 && (word[len(word)-1] == ' ' || word[len(word)-1] == '\t') {
			word = word[:len(word)-1]
		}
		if len(word) > 0 && !head.Fold(word, "identity") && !head.Fold(word, "aws-chunked") {
			return true
		}
		value = value[min(end+1, len(value)):]
	}
	return false
}

// Codings says what of the names that speak of codings a header field has.
type Codings uint8

// What it can be.
const (
	NoCodings  Codings = iota
	Accepts            // the codings that the agent takes
	Compresses         // those of what follows
)

// CodingsOf is what a field of this name says of codings.
func CodingsOf(n head.Name, name []byte) Codings {
	switch {
	case n == head.ContentEncoding:
		return Compresses
	case n == head.Plain && head.SameName(name, "accept-encoding"):
		return Accepts
	case n == head.Other && len(name) > 4 && head.Fold(name[:4], "grpc"):
		switch {
		case head.SameName(name, "grpc-accept-encoding"):
			return Accepts
		case head.SameName(name, "grpc-encoding"):
			return Compresses
		}
	}
	return NoCodings
}

// Identity is the coding that hides nothing.
const Identity = "identity"

// HiddenEcho says why a response is not passed on.
const HiddenEcho = "it is compressed although the gateway asked for it as it is, so an echo of the credential could not be found in it"
