package proto

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	chproto "github.com/ClickHouse/ch-go/proto"
)

// TestTextsOfAllLengths walks over texts whose lengths are said in one byte and in more, so many that eight are read at once: where it ends does not depend on how the bytes come.
func TestTextsOfAllLengths(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, most := range []int{1, 100, 127, 128, 129, 9_000} {
		var str chproto.ColStr
		for range 2000 {
			n := random.IntN(most + 1)
			if random.IntN(20) > 0 {
				n = min(n, 128)
			}
			str.Append(strings.Repeat("\xff", n)) // what is taken for a length is a large one
		}
		raw := encodeBlock(t, len(str.Pos), chproto.Input{{Name: "s", Data: str}}, 54460)
		for _, piece := range []int{1000, 2047, 4096, 1 << 16, len(raw) + 10} {
			b := Block{Revision: 54460}
			b.Begin()
			at, p := 0, append(raw[:len(raw):len(raw)], "\x01next"...)
			for at < len(p) && !b.Done() {
				n, err := b.Feed(p[at:min(at+piece, len(p))])
				if at += n; err != nil {
					t.Fatalf("at most %d, pieces of %d, at %d: %v", most, piece, at, err)
				}
			}
			if at != len(raw) || !b.Done() {
				t.Errorf("at most %d, pieces of %d: %d bytes, not %d", most, piece, at, len(raw))
			}
		}
	}
}

// TestEmptyData has the constant be what the reader of blocks says of it, at every revision.
func TestEmptyData(t *testing.T) {
	for revision := uint64(Oldest); revision <= Newest; revision++ {
		b := Block{Revision: revision}
		b.Begin()
		if n, err := b.Feed(EmptyData[2:]); err != nil || n != len(EmptyData)-2 || !b.Done() || !b.Empty() {
			t.Fatalf("revision %d: %d, %v", revision, n, err)
		}
	}
}

// TestZSTDNeedsItsCompanion refuses frames of ZSTD where nobody undoes them.
func TestZSTDNeedsItsCompanion(t *testing.T) {
	raw := texts(t, 10)
	for _, f := range []Frames{{}, frames()} {
		b := Block{Revision: 54460}
		b.Begin()
		f.Begin()
		if _, err := f.Feed(compressed(t, raw, compress.ZSTD), &b); (err == nil) != (f.Undo != nil) {
			t.Errorf("with a companion %v: %v", f.Undo != nil, err)
		}
	}
}
