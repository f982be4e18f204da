package hpack

import (
	"bytes"
	"testing"
)

// Words find the bytes that a value cannot have, wherever they stand.
func TestValuesByWords(t *testing.T) {
	for size := range 20 {
		for at := range size {
			for c := range 256 {
				p := bytes.Repeat([]byte("a"), size)
				p[at] = byte(c)
				edge := at == 0 || at == size-1
				bad := c < 0x20 && c != '\t' || c == 0x7f || edge && (c == ' ' || c == '\t')
				if got := valueFlags(p); (got == BadValue) != bad {
					t.Fatalf("%q: %v", p, got)
				}
			}
		}
	}
}
