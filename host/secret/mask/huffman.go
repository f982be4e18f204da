package mask

import (
	"bytes"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// broken takes the place of a secret in Huffman code. So many ones in a row are the code's end, which may not stand in a string (RFC 7541 section 5.2): whoever reads
// the header block refuses it, and the response with it. Asterisks would leave a bit of the secret at each end readable.
const broken = 0xff

// leastCoded is the length from which a pattern in Huffman code is looked for, in bytes: it stands for bits of which none is a coincidence.
const leastCoded = 6

// coded are the bytes that v becomes in the Huffman code of HPACK, wherever in a byte it begins: those of which every bit is of v.
func coded(v []byte) (all [][]byte) {
	text := string(v)
	bits := int(hpack.HuffmanEncodeLength(strings.Repeat(text, 8))) // eight times the bits, as bytes
	code := hpack.AppendHuffmanString(nil, text)
	for before := range 8 {
		shifted := make([]byte, len(code)+1)
		for i, c := range code {
			shifted[i] |= c >> before
			shifted[i+1] |= byte(uint(c) << (8 - before))
		}
		if p := shifted[(before+7)/8 : (before+bits)/8]; len(p) >= leastCoded {
			all = append(all, p)
		}
	}
	return all
}

// addCoded adds what v becomes in Huffman code.
func (s *Set) addCoded(v []byte) {
	for _, p := range coded(v) {
		if !has(s.patterns, p) {
			s.patterns, s.marks = append(s.patterns, p), append(s.marks, broken)
		}
	}
}

func has(list [][]byte, p []byte) bool {
	for _, q := range list {
		if bytes.Equal(p, q) {
			return true
		}
	}
	return false
}
