package proto

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/go-faster/city"

	"github.com/sallyport-dev/sallyport/plugins/clickhouse/zstd"
	"github.com/sallyport-dev/sallyport/plugins/clickhouse/zstd/zstdtest"
)

func TestCityHash(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for size := 1; size < 700; size++ {
		p := make([]byte, size)
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		want := city.CH128(p)
		for _, piece := range []int{1, 7, 129, 300, size} {
			var h cityHash
			h.begin(uint64(size))
			for rest := p; len(rest) > 0; {
				k := min(piece, len(rest))
				h.write(rest[:k])
				rest = rest[k:]
			}
			sum := h.sum()
			got := chproto.Reader{}
			_ = got
			var b chproto.Buffer
			b.PutUInt64(want.Low)
			b.PutUInt64(want.High)
			if !bytes.Equal(b.Buf, sum[:]) {
				t.Fatalf("%d bytes in pieces of %d: %x, not %x", size, piece, sum, b.Buf)
			}
		}
	}
}

// columns are some of every layout.
func columns(rows int) chproto.Input {
	var (
		u64  chproto.ColUInt64
		str  chproto.ColStr
		u8   chproto.ColUInt8
		fix  chproto.ColFixedStr
		uuid chproto.ColUUID
	)
	fix.SetSize(7)
	arr := new(chproto.ColStr).Array()
	null := new(chproto.ColStr).Nullable()
	low := new(chproto.ColStr).LowCardinality()
	lowArr := chproto.NewArray[string](new(chproto.ColStr).LowCardinality())
	m := chproto.NewMap[string, []string](new(chproto.ColStr), new(chproto.ColStr).Array())
	deep := chproto.NewArray[[]string](new(chproto.ColStr).Array())
	for i := range rows {
		u64.Append(uint64(i) * 0x0102030405060708)
		u8.Append(byte(i))
		str.Append(strings.Repeat("x", i*7%300))
		fix.Append([]byte("seven77"))
		uuid.Append([16]byte{byte(i)})
		arr.Append(strings.Split(strings.Repeat("ab,", i%5), ","))
		if i%3 == 0 {
			null.Append(chproto.Null[string]())
		} else {
			null.Append(chproto.NewNullable("n"))
		}
		low.Append([]string{"a", "bb", ""}[i%3])
		lowArr.Append([]string{"p", "q"}[:i%3%2])
		m.Append(map[string][]string{"k": {"v", "w"}})
		deep.Append([][]string{{"a"}, {}, {"b", "c"}}[:i%4%3])
	}
	return chproto.Input{{Name: "u64", Data: u64}, {Name: "str", Data: str}, {Name: "u8", Data: u8}, {Name: "fix", Data: fix}, {Name: "uuid", Data: uuid},
		{Name: "arr", Data: arr}, {Name: "null", Data: null}, {Name: "low", Data: low}, {Name: "lowarr", Data: lowArr}, {Name: "map", Data: m}, {Name: "deep", Data: deep}}
}

func encodeBlock(t testing.TB, rows int, in chproto.Input, revision int) []byte {
	t.Helper()
	var b chproto.Buffer
	block := chproto.Block{Columns: len(in), Rows: rows, Info: chproto.BlockInfo{BucketNum: -1}}
	if err := block.EncodeBlock(&b, revision, in); err != nil {
		t.Fatal(err)
	}
	return b.Buf
}

// frames reads frames whose ZSTD is undone natively.
func frames() Frames {
	return Frames{Undo: func(out, in []byte) error { return zstd.Undo(zstdtest.Twin{}, 0, out, in) }}
}

func compressed(t testing.TB, raw []byte, m compress.Method) []byte {
	t.Helper()
	w := compress.NewWriter(0, m)
	if err := w.Compress(raw); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(w.Data)
}

// TestBlocks follows blocks that ch-go wrote, in pieces of any size, with something behind them.
func TestBlocks(t *testing.T) {
	for _, revision := range []int{Oldest, 54412, 54453, 54460, Newest} {
		for _, rows := range []int{0, 1, 2, 100} {
			raw := encodeBlock(t, rows, columns(rows), revision)
			for piece := 1; piece < len(raw)+5; piece = piece*3/2 + 1 {
				b := Block{Revision: uint64(revision)}
				b.Begin()
				p := append(bytes.Clone(raw), "\x01next"...)
				at := 0
				for at < len(p) && !b.Done() {
					n, err := b.Feed(p[at:min(at+piece, len(p))])
					if err != nil {
						t.Fatalf("revision %d, %d rows, pieces of %d, at %d: %v", revision, rows, piece, at+n, err)
					}
					at += n
				}
				if at != len(raw) || b.Empty() {
					t.Fatalf("revision %d, %d rows, pieces of %d: %d bytes, not %d", revision, rows, piece, at, len(raw))
				}
			}
		}
	}
}

func TestCompressedBlocks(t *testing.T) {
	const revision = 54460
	for _, rows := range []int{0, 1, 3000} {
		raw := encodeBlock(t, rows, columns(rows), revision)
		for _, m := range []compress.Method{compress.None, compress.LZ4, compress.LZ4HC, compress.ZSTD} {
			for _, cuts := range []int{1, 3} {
				var wire []byte
				for i := range cuts {
					if part := raw[len(raw)*i/cuts : len(raw)*(i+1)/cuts]; len(part) > 0 {
						wire = append(wire, compressed(t, part, m)...)
					}
				}
				for _, piece := range []int{1, 11, 100, 1000, len(wire) + 5} {
					b := Block{Revision: revision}
					b.Begin()
					f := frames()
					f.Begin()
					p := append(bytes.Clone(wire), "\x01next"...)
					at := 0
					for at < len(p) && !f.Done(&b) {
						n, err := f.Feed(p[at:min(at+piece, len(p))], &b)
						if err != nil {
							t.Fatalf("%v, %d rows, pieces of %d: %v", m, rows, piece, err)
						}
						at += n
					}
					if at != len(wire) {
						t.Fatalf("%v, %d rows, %d frames, pieces of %d: %d bytes, not %d", m, rows, cuts, piece, at, len(wire))
					}
				}
			}
		}
	}
}

// TestFramesThatLie changes compressed data everywhere: what is read without an error is what it was.
func TestFramesThatLie(t *testing.T) {
	raw := encodeBlock(t, 30, columns(30), 54460)
	for _, m := range []compress.Method{compress.None, compress.LZ4, compress.ZSTD} {
		wire := compressed(t, raw, m)
		for i := range wire {
			bad := bytes.Clone(wire)
			bad[i] ^= 1
			b := Block{Revision: 54460}
			b.Begin()
			f := frames()
			f.Begin()
			if _, err := f.Feed(bad, &b); err == nil && f.Done(&b) {
				t.Errorf("%v: byte %d changed, and nobody knows", m, i)
			}
		}
		// A frame with a checksum of its own, whose sizes are wrong.
		for _, change := range []int{-1, 1, 5} {
			bad := bytes.Clone(wire)
			bad[21] += byte(change)
			u := city.CH128(bad[16:])
			var c chproto.Buffer
			c.PutUInt64(u.Low)
			c.PutUInt64(u.High)
			copy(bad, c.Buf)
			b := Block{Revision: 54460}
			b.Begin()
			f := frames()
			f.Begin()
			if _, err := f.Feed(bad, &b); err == nil && f.Done(&b) {
				t.Errorf("%v: a size changed by %d, and nobody knows", m, change)
			}
		}
	}
}

// texts is a block as benchmarks send them.
func texts(t testing.TB, rows int) []byte {
	var ids chproto.ColUInt64
	var str chproto.ColStr
	for i := range rows {
		ids.Append(uint64(i) * 0x9E3779B97F4A7C15 >> 20)
		str.Append("text number " + strconv.Itoa(i*7919))
	}
	return encodeBlock(t, rows, chproto.Input{{Name: "id", Data: ids}, {Name: "s", Data: str}}, 54460)
}

// TestLargeFrames undoes frames that are larger than what is kept.
func TestLargeFrames(t *testing.T) {
	raw := texts(t, 20000)
	for _, m := range []compress.Method{compress.LZ4, compress.LZ4HC, compress.ZSTD} {
		wire := compressed(t, raw, m)
		for _, piece := range []int{97, 4096, 65536, len(wire)} {
			b := Block{Revision: 54460}
			b.Begin()
			f := frames()
			f.Begin()
			at := 0
			for at < len(wire) && !f.Done(&b) {
				n, err := f.Feed(wire[at:min(at+piece, len(wire))], &b)
				if err != nil {
					t.Fatalf("%v in pieces of %d: %v", m, piece, err)
				}
				at += n
			}
			if at != len(wire) || !f.Done(&b) {
				t.Errorf("%v in pieces of %d: %d of %d", m, piece, at, len(wire))
			}
		}
	}
}

func BenchmarkTexts(b *testing.B) {
	raw := texts(b, 60000)
	k := Block{Revision: 54460}
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		k.Begin()
		for p := raw; len(p) > 0; {
			n, err := k.Feed(p[:min(len(p), 64<<10)])
			if err != nil {
				b.Fatal(err)
			}
			p = p[n:]
		}
	}
}

func BenchmarkFrames(b *testing.B) {
	raw := texts(b, 60000)
	for _, m := range []compress.Method{compress.None, compress.LZ4, compress.ZSTD} {
		wire := compressed(b, raw, m)
		b.Run(m.String(), func(b *testing.B) {
			var k Block
			f := frames()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				k.Revision = 54460
				k.Begin()
				f.Begin()
				for p := wire; len(p) > 0; {
					n, err := f.Feed(p[:min(len(p), 64<<10)], &k)
					if err != nil {
						b.Fatal(err)
					}
					p = p[n:]
				}
			}
		})
	}
}

// TestFramesFastAndSlow undoes frames, most of them damaged, whole and in pieces that are too small for the fast way: both say the same.
func TestFramesFastAndSlow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	raw := encodeBlock(t, 50, columns(50), 54460)
	big := texts(t, 1000)
	var count chproto.ColUInt64
	for i := range 5000 {
		count.Append(uint64(i))
	}
	counts := encodeBlock(t, len(count), chproto.Input{{Name: "n", Data: count}}, 54460)
	all := [][]byte{compressed(t, raw, compress.LZ4)[16:], compressed(t, counts, compress.LZ4)[16:], compressed(t, big, compress.LZ4)[16:], compressed(t, big, compress.LZ4HC)[16:]}
	whole := 0
	for range 60 {
		frame := bytes.Clone(all[random.IntN(len(all))])
		for range random.IntN(4) {
			frame[random.IntN(len(frame))] = byte(random.IntN(256))
		}
		var h cityHash
		h.begin(uint64(len(frame)))
		h.write(frame)
		sum := h.sum()
		p := append(sum[:], frame...)
		run := func(piece int, copies bool) (at int, failed, done bool, out []byte) {
			b := Block{Revision: 54460}
			if copies {
				b.Copy = func(p []byte) { out = append(out, p...) }
			}
			b.Begin()
			fr := frames()
			fr.Begin()
			for at < len(p) && !fr.Done(&b) {
				n, err := fr.Feed(p[at:min(at+piece, len(p))], &b)
				at += n
				if err != nil {
					return 0, true, false, nil
				}
			}
			return at, false, fr.Done(&b), out
		}
		at1, failed1, done1, out1 := run(len(p)+1, true)
		at2, failed2, done2, out2 := run(random.IntN(60)+1, true) // never fast
		at3, failed3, done3, _ := run(len(p)+1, false)            // what needs no look is walked
		if at1 != at2 || failed1 != failed2 || done1 != done2 || !bytes.Equal(out1, out2) {
			t.Fatalf("whole: %d %v %v; in pieces: %d %v %v", at1, failed1, done1, at2, failed2, done2)
		}
		if at1 != at3 || failed1 != failed3 || done1 != done3 {
			t.Fatalf("undone: %d %v %v; walked: %d %v %v", at1, failed1, done1, at3, failed3, done3)
		}
		if done1 {
			whole++
		}
	}
	if whole < 10 || whole == 60 {
		t.Errorf("%d of 60 are whole", whole)
	}
}

// TestWalkedFrames has blocks that end with frames of which no byte needs a look.
func TestWalkedFrames(t *testing.T) {
	var ids chproto.ColUInt64
	for i := range 50000 {
		ids.Append(uint64(i))
	}
	raw := encodeBlock(t, len(ids), chproto.Input{{Name: "id", Data: ids}}, 54460)
	for _, size := range []int{len(raw), 100, len(raw) - 1000, 1 << 16} {
		var wire []byte
		for rest := raw; len(rest) > 0; {
			n := min(size, len(rest))
			wire = append(wire, compressed(t, rest[:n], compress.LZ4)...)
			if rest = rest[n:]; size == 100 {
				size = len(rest)
			}
		}
		for _, piece := range []int{1000, 1 << 16, len(wire) + 10} {
			b := Block{Revision: 54460}
			b.Begin()
			f := frames()
			f.Begin()
			at, p := 0, append(bytes.Clone(wire), "\x02next"...)
			for at < len(p) && !f.Done(&b) {
				n, err := f.Feed(p[at:min(at+piece, len(p))], &b)
				if at += n; err != nil {
					t.Fatal(err)
				}
			}
			if at != len(wire) || !f.Done(&b) {
				t.Errorf("frames of %d, pieces of %d: %d bytes of %d", size, piece, at, len(wire))
			}
		}
	}
}
