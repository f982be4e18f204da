package hpack

// shortCode is what the next eight bits of a Huffman string begin with: a symbol and how many bits its code has. No bits: its code is longer.
type shortCode struct{ symbol, bits uint8 }

const (
	shortBits = 8
	mostBits  = 30 // of the longest code
)

// shortCodes has the codes of up to eight bits, which are those of nearly everything that is sent.
var shortCodes = func() (t [1 << shortBits]shortCode) {
	for s, n := range huffmanLengths {
		if n > shortBits {
			continue
		}
		first := huffmanCodes[s] << (shortBits - n)
		for i := range uint32(1) << (shortBits - n) {
			t[first+i] = shortCode{uint8(s), n}
		}
	}
	return t
}()

// longCodes finds the symbols of longer codes. The code is canonical: those of n bits follow each other from first[n] on, in the order of their
// symbols.
var longCodes = func() (t struct {
	first, count [mostBits + 1]uint32
	at           [mostBits + 1]uint8
	symbols      [256]uint8
}) {
	used := 0
	for n := shortBits + 1; n <= mostBits; n++ {
		t.at[n] = uint8(used)
		for s, bits := range huffmanLengths {
			if int(bits) != n {
				continue
			}
			if t.count[n] == 0 {
				t.first[n] = huffmanCodes[s]
			}
			t.count[n]++
			t.symbols[used] = uint8(s)
			used++
		}
	}
	return t
}()

// unhuffman decodes p, RFC 7541 section 5.2, into dst as far as that is long enough, and returns how long the text is.
func unhuffman(dst, p []byte) (n int, err error) {
	var acc uint64 // of which the low have bits are not decoded yet
	have := uint(0)
	for i := 0; ; {
		for have <= 56 && i < len(p) {
			acc = acc<<8 | uint64(p[i])
			have += 8
			i++
		}
		for have >= shortBits { // the short codes, as many as there are
			c := shortCodes[uint8(acc>>(have-shortBits))]
			if c.bits == 0 {
				break
			}
			have -= uint(c.bits)
			if n < len(dst) {
				dst[n] = c.symbol
			}
			n++
		}
		if i < len(p) && have <= 56-mostBits {
			continue
		}
		var symbol uint8
		var bits uint
		if have < shortBits {
			if isPadding(acc, have) {
				return n, nil
			}
			c := shortCodes[uint8(acc<<(shortBits-have))]
			if symbol, bits = c.symbol, uint(c.bits); bits == 0 || bits > have {
				return n, ErrHuffman
			}
		} else if symbol, bits = longCode(acc, have); bits == 0 {
			return n, ErrHuffman
		}
		have -= bits
		if n < len(dst) {
			dst[n] = symbol
		}
		n++
	}
}

// isPadding reports whether the low have bits of acc, fewer than eight, are how a string is filled up: ones.
func isPadding(acc uint64, have uint) bool { return acc&(1<<have-1) == 1<<have-1 }

// longCode finds the symbol whose code stands in the first of the low have bits of acc; bits is 0 when none does: EOS, or a string that ends
// inside of a code.
func longCode(acc uint64, have uint) (symbol uint8, bits uint) {
	t := &longCodes
	for n := uint(shortBits + 1); n <= mostBits && n <= have; n++ {
		if k := uint32(acc>>(have-n)&(1<<n-1)) - t.first[n]; k < t.count[n] {
			return t.symbols[uint32(t.at[n])+k], n
		}
	}
	return 0, 0
}
