package head

import (
	"bytes"
	"testing"
)

func TestSameBytes(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef!"), 9)
	for n := range len(text) {
		a, b := text[:n], bytes.Clone(text[:n])
		if !sameBytes(a, b) {
			t.Fatalf("%d bytes are not the same as themselves", n)
		}
		if n > 0 && (sameBytes(a, b[:n-1]) || sameBytes(a[:n-1], b)) {
			t.Fatalf("%d bytes are the same as one less", n)
		}
		for i := range n {
			b[i] ^= 0x80
			if sameBytes(a, b) {
				t.Fatalf("%d bytes of which number %d differs are the same", n, i)
			}
			b[i] ^= 0x80
		}
	}
}
