package proto

import (
	"bytes"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
)

// FuzzBlock feeds a block whole and in pieces: both say the same, and what is kept stays small.
func FuzzBlock(f *testing.F) {
	for _, rows := range []int{0, 1, 5} {
		f.Add(encodeBlock(f, rows, columns(rows), 54460), uint8(3), uint16(460))
		f.Add(encodeBlock(f, rows, columns(rows), 54412), uint8(1), uint16(412))
	}
	f.Add([]byte("\x01\x00\x02\xff\xff\xff\xff\x00\x01\x80\x80\x80\x01\x01a\x0dArray(String)\x01"), uint8(1), uint16(400))
	f.Fuzz(func(t *testing.T, p []byte, piece uint8, revision uint16) {
		run := func(piece int) (at int, failed, done bool) {
			b := Block{Revision: 54000 + uint64(revision%500)}
			b.Begin()
			for at < len(p) && !b.Done() {
				n, err := b.Feed(p[at:min(at+piece, len(p))])
				at += n
				if err != nil {
					return 0, true, false
				}
				if n == 0 && !b.Done() {
					t.Fatal("nothing is read, and it goes on")
				}
			}
			return at, false, b.Done()
		}
		at1, failed1, done1 := run(len(p) + 1)
		at2, failed2, done2 := run(int(piece) + 1)
		if at1 != at2 || failed1 != failed2 || done1 != done2 {
			t.Errorf("whole: %d %v %v; in pieces: %d %v %v", at1, failed1, done1, at2, failed2, done2)
		}
	})
}

// FuzzFrames does the same with compressed blocks; their checksums are mended, so that what is behind them is reached.
func FuzzFrames(f *testing.F) {
	raw := encodeBlock(f, 5, columns(5), 54460)
	for _, m := range []compress.Method{compress.None, compress.LZ4, compress.ZSTD} {
		f.Add(compressed(f, raw, m)[16:], uint8(7))
	}
	f.Fuzz(func(t *testing.T, frame []byte, piece uint8) {
		if len(frame) < 9 || len(frame) > 1<<16 {
			return
		}
		var h cityHash
		h.begin(uint64(len(frame)))
		h.write(frame)
		sum := h.sum()
		p := append(sum[:], frame...)
		run := func(piece int) (at int, failed, done bool) {
			b := Block{Revision: 54460}
			b.Begin()
			fr := frames()
			fr.Begin()
			for at < len(p) && !fr.Done(&b) {
				n, err := fr.Feed(p[at:min(at+piece, len(p))], &b)
				at += n
				if err != nil {
					return 0, true, false
				}
			}
			return at, false, fr.Done(&b)
		}
		at1, failed1, done1 := run(len(p) + 1)
		at2, failed2, done2 := run(int(piece) + 1)
		if at1 != at2 || failed1 != failed2 || done1 != done2 {
			t.Errorf("whole: %d %v %v; in pieces: %d %v %v", at1, failed1, done1, at2, failed2, done2)
		}
	})
}

// FuzzPackets reads packets of both sides: a packet that is whole says the same when more stands behind it, and nothing shorter is one.
func FuzzPackets(f *testing.F) {
	f.Add([]byte("\x00\x01c\x01\x01\x8c\xa9\x03\x00\x07default\x00"), uint16(412))
	f.Add([]byte("\x01\x00\x01\x00\x00\x090.0.0.0:0\x01\x00\x02vm\x01c\x12\x10\x8c\xa9\x03\x00\x01\x0bmax_threads\x03\x00\x02\x01\x08select 1"), uint16(412))
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x02\x00\x01x\x00"), uint16(460))
	f.Add([]byte("\x05\x01\x01a\x01b"), uint16(412))
	f.Add([]byte("\x02\x01\x00\x00\x00\x01a\x01b\x00\x00"), uint16(412))
	f.Fuzz(func(t *testing.T, p []byte, revision uint16) {
		v := 54000 + uint64(revision%500)
		readers := []func(p []byte) (int, error){
			func(p []byte) (int, error) { h, _, err := ReadHello(p); return h.Size, err },
			func(p []byte) (int, error) { w, _, err := ReadWelcome(p, v); return w.Size, err },
			func(p []byte) (int, error) { a, _, err := ReadAddendum(p, v); return a.Size, err },
			func(p []byte) (int, error) {
				var q Query
				_, err := ReadQuery(p, v, 1000, &q)
				return q.Size, err
			},
			func(p []byte) (int, error) { _, n, _, err := ReadTablesStatus(p); return n, err },
			func(p []byte) (int, error) { return ReadAnswer(p, v) },
		}
		for i, read := range readers {
			n, err := read(p)
			if err != nil {
				continue
			}
			if again, err := read(append(bytes.Clone(p[:n]), "more"...)); err != nil || again != n {
				t.Errorf("reader %d: %d bytes, and with more %d, %v", i, n, again, err)
			}
			for cut := range n {
				if _, err := read(p[:cut]); err != ErrMore {
					t.Errorf("reader %d: %d of %d bytes: %v", i, cut, n, err)
				}
			}
		}
	})
}

// FuzzType reads the texts of types.
func FuzzType(f *testing.F) {
	for _, s := range []string{"UInt8", "Array(Nullable(String))", "Map(String, Array(LowCardinality(String)))", "Tuple(a UInt8, b Decimal(10, 2))", "Enum8('a' = 1)", "DateTime64(3, 'UTC')", "Nested(a UInt8)", "MultiPolygon", "Variant(Array(String), UInt8)", "JSON(a.b UInt8, SKIP `x)`)"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, trusted bool) {
		var l layout
		how := trustNone
		if trusted {
			how = trustAnswer
		}
		if readType([]byte(s), how, nil, &l) == nil && (len(l.nodes) == 0 || len(l.nodes) > maxNodes) {
			t.Errorf("%q: %d nodes", s, len(l.nodes))
		}
	})
}

// TestTypes has types that are followed, and their twins that are not.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		text            string
		trusted, always bool
	}{
		{"UInt64", true, true}, {"Uint64", false, false}, {"FixedString(16)", true, true}, {"FixedString(0)", false, false},
		{"Nullable(Nullable(UInt8))", false, false}, {"Nullable(Array(UInt8))", false, false}, {"Array(Nullable(UInt8))", true, true},
		{"LowCardinality(Nullable(String))", true, true}, {"LowCardinality(Array(String))", false, false}, {"LowCardinality(Decimal(38, 2))", true, false},
		{"DateTime('UTC')", true, true}, {"DateTime('Europe/Berlin')", true, false}, {"DateTime('Here/There')", true, true}, {"DateTime64(3, 'Europe/Berlin')", true, false},
		{"Enum8('a' = 1, 'b' = -2)", true, false}, {"Map(LowCardinality(String), UInt8)", true, false}, {"Decimal(77, 2)", false, false}, {"Decimal(9, 10)", false, false},
		{"AggregateFunction(sum, UInt8)", false, false}, {"JSON", false, false}, {"Dynamic", false, false}, {"Variant(String, UInt8)", true, false}, {"Variant(UInt8, String)", false, false}, {"Variant(UInt8, UInt8)", false, false},
		{"SimpleAggregateFunction(sum, UInt64)", true, false}, {"Tuple(UInt8, s String)", true, true}, {"Tuple()", false, false}, {"String ", false, false}, {"Array(String", false, false},
	} {
		var l layout
		if err := readType([]byte(c.text), trustNamed, nil, &l); (err == nil) != c.trusted {
			t.Errorf("%s, that the server has named: %v", c.text, err)
		}
		if err := readType([]byte(c.text), trustNone, []byte("Here/There"), &l); (err == nil) != c.always {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

// TestNothingGrows follows a large block: nothing is kept of it.
func TestNothingGrows(t *testing.T) {
	raw := encodeBlock(t, 200, columns(200), 54460)
	lz := compressed(t, raw, compress.LZ4)
	var b, z Block
	f := frames()
	b.Revision, z.Revision = 54460, 54460
	run := func() {
		b.Begin()
		if _, err := b.Feed(raw); err != nil || !b.Done() {
			t.Fatal(err)
		}
		z.Begin()
		f.Begin()
		if _, err := f.Feed(lz, &z); err != nil || !f.Done(&z) {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(20, run); n > 0 {
		t.Errorf("%v allocations for a block", n)
	}
}
