package hpack_test

import (
	"testing"

	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
)

// TestBlock: the same block behind itself has the same number, unless what it refers to has changed, or the table was to be changed
// in between.
func TestBlock(t *testing.T) {
	d := hpack.NewDecoder(4096, 64<<10, 1000, nil)
	number := func(p ...byte) uint32 {
		t.Helper()
		if _, err := d.Decode(p); err != nil {
			t.Fatal(err)
		}
		return d.Block()
	}
	adds := []byte{0x40, 1, 'a', 1, 'b'}
	first := number(0x82, 0x84)
	if first == 0 || number(0x82, 0x84) != first {
		t.Error("the same block is another")
	}
	if n := number(0x82); n == first || number(0x82, 0x84) == first {
		t.Error("another block in between has no number of its own")
	}
	if n := number(adds...); number(adds...) != n || number(0xbe, 0xbf) == n {
		t.Error("a block that adds an entry is another, or adds it only once")
	}
	refers := []byte{0xbe, 0x40, 1, 'a', 1, 'c'}
	if n := number(refers...); number(refers...) == n {
		t.Error("a block that refers to an entry, which is another one then, is the same again")
	}
	if n := number(0xbe); number(0xbe) != n {
		t.Error("an entry of the table is another the second time")
	}
	d.Allow(0)
	if _, err := d.Decode([]byte{0xbe}); err != hpack.ErrNoUpdate {
		t.Errorf("%v where the table had to become smaller", err)
	}
}
