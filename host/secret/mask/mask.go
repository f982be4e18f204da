// Package mask finds literal echoes of secrets in a stream and puts asterisks in their place, as many as there were bytes, so that
// no framing changes; in Huffman code, something that nobody can decode.
//
// A [Set] is made once of the values that must not be seen: each is looked for as it is, in base64 (both alphabets, wherever in a
// longer text it begins), percent-encoded (as several ways of that do), as JSON writes it, and in the Huffman code of HTTP/2's header
// blocks. A [Stream] goes through one direction of one connection. Values that are cut by the ends of pieces, or by what stands between
// chunks and frames of HTTP, are found: what may be the beginning of one is held back until it is known, see [Stream.Next].
//
// Nothing that is long enough costs much when nothing is found: the search skips ahead by nearly the length of the shortest pattern
// (Wu and Manber, 1994).
package mask

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

const (
	// Least is the length from which a value is looked for. A shorter one would be found where it is a coincidence, and its bytes
	// are as good as known.
	Least = 8
	// most bounds a value: of longer ones the beginning is looked for.
	most = 4 << 10
	// mostSpelled bounds the values that are also looked for with every byte as %XX, which nobody does to long ones.
	mostSpelled = 256
	// loose is how many bytes at the end of a piece are passed on although a pattern begins with them. Every sixteenth piece or so
	// ends with the first byte of something; so few bytes give nothing away, and what follows is masked all the same.
	loose = 3
	// block is the number of bytes by which the search looks into its table.
	block = 2
)

// Mark is what takes the place of each byte of a secret.
const Mark = '*'

// Set is what is looked for. It does not change and may be used by several streams at once.
type Set struct {
	patterns [][]byte
	marks    []byte // what takes the place of each byte of a pattern
	longest  int
	// cutBehind are the places where patterns can be cut in two by framing, by the byte before.
	cutBehind [256][]cut
	window    int // the length of the shortest pattern
	shift     []uint8
	ends      map[uint16][]int // patterns by the last block of their first window bytes
}

// NewSet makes the set of values. It is nil, which finds nothing, when none of them is long enough.
func NewSet(values ...[]byte) *Set {
	s := &Set{ends: map[uint16][]int{}}
	for _, v := range values {
		if len(v) < Least {
			continue
		}
		for _, p := range forms(v[:min(len(v), most)]) {
			s.add(p)
		}
		s.addCoded(v[:min(len(v), most)])
	}
	if len(s.patterns) == 0 {
		return nil
	}
	s.window = len(s.patterns[0])
	for _, p := range s.patterns {
		s.window, s.longest = min(s.window, len(p)), max(s.longest, len(p))
	}
	s.cuts()
	widest := min(s.window-block+1, 255)
	s.shift = bytes.Repeat([]byte{uint8(widest)}, 1<<16)
	for i, p := range s.patterns {
		for at := block; at <= s.window; at++ {
			k := key(p[at-block:])
			s.shift[k] = min(s.shift[k], uint8(min(s.window-at, 255)))
			if at == s.window {
				s.ends[k] = append(s.ends[k], i)
			}
		}
	}
	return s
}

func key(p []byte) uint16 { return uint16(p[0]) | uint16(p[1])<<8 }

func (s *Set) add(p []byte) {
	if len(p) >= Least && !slices.ContainsFunc(s.patterns, func(q []byte) bool { return bytes.Equal(p, q) }) {
		s.patterns, s.marks = append(s.patterns, bytes.Clone(p)), append(s.marks, Mark)
	}
}

// forms are the ways in which a value may be written.
func forms(v []byte) [][]byte {
	all := [][]byte{v}
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			// A base64 text in which v begins behind so many bytes of a group of three: what depends on its neighbours is left out.
			text := e.EncodeToString(append(make([]byte, before), v...))
			from, to := (before*8+5)/6, (before+len(v))*8/6
			all = append(all, []byte(text[from:to]))
		}
	}
	for _, plain := range unescaped {
		all = append(all, percent(v, plain, upperHex), percent(v, plain, lowerHex))
	}
	if len(v) <= mostSpelled {
		all = append(all, percent(v, nobody, upperHex), percent(v, nobody, lowerHex))
	}
	return append(all, []byte(inJSON(v)))
}

const (
	upperHex = "0123456789ABCDEF"
	lowerHex = "0123456789abcdef"
)

// unescaped are the characters, beside letters and digits, that ways of percent-encoding leave as they are: RFC 3986's unreserved
// ones; those of JavaScript's encodeURIComponent; of a segment of a path; of a path; of a query as forms write it.
var unescaped = []string{"-._~", "-._~!'()*", "-._~$&+=:@", "-._~!$&'()*+,;=:@/", "-._*"}

// nobody stands for a way that leaves nothing as it is, letters neither.
const nobody = ""

// percent writes bytes as %XX but for letters, digits and plain ones.
func percent(v []byte, plain, hex string) []byte {
	var b []byte
	for _, c := range v {
		alphanumeric := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if plain != nobody && (alphanumeric || strings.IndexByte(plain, c) >= 0) {
			b = append(b, c)
			continue
		}
		b = append(b, '%', hex[c>>4], hex[c&15])
	}
	return b
}

func inJSON(v []byte) string {
	text, err := json.Marshal(string(v))
	if err != nil {
		return ""
	}
	return string(text[1 : len(text)-1])
}

// find reports every place in p where a pattern stands, in the order of their windows' ends.
func (s *Set) find(p []byte, found func(from, to int, mark byte)) {
	shift := s.shift
	for end := s.window; end <= len(p); {
		k := uint16(p[end-2]) | uint16(p[end-1])<<8
		if n := int(shift[k]); n > 0 {
			end += n
			continue
		}
		from := end - s.window
		for _, i := range s.ends[k] {
			if q := s.patterns[i]; bytes.HasPrefix(p[from:], q) {
				found(from, from+len(q), s.marks[i])
			}
		}
		end++
	}
}

// beginning is the length of the longest end of p that is the beginning of a pattern and not all of it; 0 when it has no more than
// loose bytes.
func (s *Set) beginning(p []byte) int {
	p = p[max(0, len(p)-s.longest+1):]
	longest := 0
	for _, q := range s.patterns {
		rest := p[max(0, len(p)-len(q)+1):]
		for len(rest) > max(loose, longest) {
			i := bytes.Index(rest, q[:loose+1])
			if i < 0 {
				break
			}
			if rest = rest[i:]; len(rest) > longest && bytes.HasPrefix(q, rest) {
				longest = len(rest)
			}
			rest = rest[1:]
		}
	}
	return longest
}
