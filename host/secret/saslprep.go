package secret

import (
	"bytes"
	"unicode/utf8"

	"github.com/xdg-go/stringprep"
	"golang.org/x/text/unicode/norm"
)

// prepare returns a copy of a password as PostgreSQL prepares it for SCRAM: by SASLprep (RFC 4013) when that is possible, and as
// it is when it is not UTF-8 or has characters that SASLprep refuses. Server and clients of PostgreSQL agree on that, so that any
// password works; see pg_saslprep in its source for the order of things, which decides about U+200B.
func prepare(password []byte) []byte {
	raw := bytes.Clone(password)
	if ascii(raw) || !utf8.Valid(raw) {
		return raw
	}
	mapped := make([]byte, 0, len(raw))
	defer func() { clear(mapped) }()
	for rest := raw; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		rest = rest[n:]
		switch {
		case stringprep.TableC1_2.Contains(r):
			mapped = append(mapped, ' ')
		case removed(r):
		default:
			mapped = utf8.AppendRune(mapped, r) // never longer than what was there
		}
	}
	prepared := norm.NFKC.Append(nil, mapped...)
	if len(prepared) == 0 || refused(prepared) {
		clear(prepared)
		return raw
	}
	clear(raw)
	return prepared
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// removed says that r is "commonly mapped to nothing".
func removed(r rune) bool {
	_, ok := stringprep.TableB1.Map(r)
	return ok
}

// prohibited are the tables of RFC 4013, section 2.3, and of characters that were not assigned in Unicode 3.2.
var prohibited = []stringprep.Set{
	stringprep.TableC1_2, stringprep.TableC2_1, stringprep.TableC2_2, stringprep.TableC3, stringprep.TableC4, stringprep.TableC5,
	stringprep.TableC6, stringprep.TableC7, stringprep.TableC8, stringprep.TableC9, stringprep.TableA1,
}

// refused says that SASLprep refuses text, also for mixing directions of writing (RFC 3454, section 6).
func refused(text []byte) bool {
	rtl, ltr := false, false
	for rest := text; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		rest = rest[n:]
		for _, t := range prohibited {
			if t.Contains(r) {
				return true
			}
		}
		rtl = rtl || stringprep.TableD1.Contains(r)
		ltr = ltr || stringprep.TableD2.Contains(r)
	}
	if !rtl {
		return false
	}
	first, _ := utf8.DecodeRune(text)
	last, _ := utf8.DecodeLastRune(text)
	return ltr || !stringprep.TableD1.Contains(first) || !stringprep.TableD1.Contains(last)
}
