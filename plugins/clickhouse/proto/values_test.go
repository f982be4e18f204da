package proto

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/chcol"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// shown notes what a visitor is shown.
type shown struct {
	p    []byte
	all  []string
	most int // values, 0: any number
	end  int
	bad  bool
}

func (s *shown) Column(name, typ []byte, nameAt, typeAt int) {
	s.bad = s.bad || string(s.p[nameAt:nameAt+len(name)]) != string(name) || string(s.p[typeAt:typeAt+len(typ)]) != string(typ) || nameAt < s.end
	s.all = append(s.all, "# "+string(name)+" "+string(typ))
}

func (s *shown) InPlace(start, end int) bool {
	s.bad = s.bad || start < s.end || end <= start
	s.end = end
	return s.Given(s.p[start:end])
}

func (s *shown) Given(text []byte) bool {
	s.all = append(s.all, string(text))
	return len(s.all) != s.most
}

func read(t *testing.T, p []byte, revision uint64) (s *shown, rows uint64, all bool) {
	t.Helper()
	s = &shown{p: p}
	r := Reader{Revision: revision}
	rows, all, err := r.Read(p, s)
	if err != nil || s.bad {
		t.Fatalf("%v, %v", err, s.bad)
	}
	return s, rows, all
}

// TestValues reads the values of blocks that ch-go wrote.
func TestValues(t *testing.T) {
	const rows = 30
	for _, revision := range []int{54412, 54460} {
		p := encodeBlock(t, rows, columns(rows), revision)
		s, n, all := read(t, p, uint64(revision))
		if n != rows || !all {
			t.Errorf("%d rows, %v", n, all)
		}
		text := strings.Join(s.all, "|")
		for _, part := range []string{"# u64 UInt64|0|72623859790382856|", "|29|# fix", "# fix FixedString(7)|seven77|", "# uuid UUID|00000000-0000-0000-0000-000000000000|01000000-0000-", "# arr Array(String)|", "|ab|ab|",
			"# low LowCardinality(String)|a|bb", "# map Map(String, Array(String))|k|", "|v|w|"} {
			if !strings.Contains(text, part) {
				t.Errorf("no %q in %.3000q", part, text)
			}
		}
		for cut := 0; cut < len(p); cut += 7 { // what is there of a block
			s, _, all := read(t, p[:cut], uint64(revision))
			if all {
				t.Errorf("the whole block, in %d bytes of %d", cut, len(p))
			}
			if want := text; !strings.HasPrefix(want, strings.Join(s.all[:max(0, len(s.all)-1)], "|")) {
				t.Fatalf("%d bytes: %q", cut, s.all)
			}
		}
	}
}

// TestValueTexts has values in the words of the server (clickhouse-client prints them so).
func TestValueTexts(t *testing.T) {
	le := func(size int, v int64) string {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(v >> min(8*i, 63))
		}
		return string(b)
	}
	for _, c := range []struct{ typ, value, want string }{
		{"UInt8", "\xff", "255"}, {"Int8", "\xff", "-1"}, {"UInt64", le(8, -1), "18446744073709551615"}, {"Int64", le(8, -1<<63), "-9223372036854775808"},
		{"Int128", le(16, -12), "-12"}, {"UInt128", le(16, -1), "340282366920938463463374607431768211455"}, {"Int256", le(32, 0), "0"},
		{"Int256", strings.Repeat("\x00", 31) + "\x80", "-57896044618658097711785492504343953926634992332820282019728792003956564819968"},
		{"UInt256", le(32, -1), "115792089237316195423570985008687907853269984665640564039457584007913129639935"},
		{"Decimal(9, 2)", le(4, -50), "-0.50"}, {"Decimal(9, 0)", le(4, 50), "50"}, {"Decimal(18, 4)", le(8, 123456), "12.3456"}, {"Decimal(38, 38)", le(16, 5), "0." + strings.Repeat("0", 37) + "5"},
		{"Decimal(76, 76)", le(32, -1), "-0." + strings.Repeat("0", 75) + "1"}, {"Decimal64(3)", le(8, 1), "0.001"},
		{"Float32", "\x00\x00\xc0\x3f", "1.5"}, {"Float64", "\x00\x00\x00\x00\x00\x00\xf8\xbf", "-1.5"}, {"BFloat16", "\xc0\x3f", "1.5"}, {"Bool", "\x01", "true"},
		{"Date", le(2, 18000), "2019-04-14"}, {"Date32", le(4, -1), "1969-12-31"}, {"DateTime", le(4, 1577934245), "2020-01-02 03:04:05"}, {"DateTime('Asia/Tokyo')", le(4, 0), "1970-01-01 00:00:00"},
		{"DateTime64(3)", le(8, 1577934245006), "2020-01-02 03:04:05.006"}, {"DateTime64(3, 'UTC')", le(8, -1), "1969-12-31 23:59:59.999"}, {"Time", le(4, -3661), "-01:01:01"}, {"Time64(6)", le(8, 1000001), "00:00:01.000001"},
		{"Enum8('a' = -1, 'b' = 2)", "\xff", "a"}, {"Enum16('x' = 1000)", le(2, 1000), "x"}, {"Enum8('a' = 1)", "\x05", "5"},
		{"IPv4", "\x04\x03\x02\x01", "1.2.3.4"}, {"IPv6", strings.Repeat("\x00", 15) + "\x01", "::1"}, {"FixedString(4)", "ab\x00\x00", "ab"}, {"IntervalDay", le(8, 3), "3"},
		{"Nullable(Nothing)", "\x010", ""}, {"Nullable(String)", "\x00\x02hi", "hi"}, {"Tuple(a String, b UInt8)", "\x01x\x07", "x|7"}, {"Point", le(8, 0) + le(8, 0), "0|0"},
	} {
		p := append(append([]byte{}, "\x00\x01\x01\x01v"...), AppendString(nil, c.typ)...)
		p = append(p, c.value...)
		s, _, all := read(t, p, 54412)
		if got := strings.Join(s.all[1:], "|"); got != c.want || !all {
			t.Errorf("%s: %q, want %q (%v)", c.typ, got, c.want, all)
		}
	}
}

// FuzzValues reads blocks: what is followed to its end is read to its end, in order, and nothing is shown of what is not there.
func FuzzValues(f *testing.F) {
	for _, rows := range []int{0, 1, 5} {
		f.Add(encodeBlock(f, rows, columns(rows), 54460), uint16(460), uint8(0))
		f.Add(encodeBlock(f, rows, columns(rows), 54412), uint16(412), uint8(3))
	}
	f.Add([]byte("\x00\x01\x02\x01v\x06String\x80\x80\x80\x80\x01"), uint16(412), uint8(0))
	f.Fuzz(func(t *testing.T, p []byte, revision uint16, most uint8) {
		b := Block{Revision: 54000 + uint64(revision%500), Keep: new(Header)}
		b.Begin()
		n, err := b.Feed(p)
		whole := err == nil && b.Done()
		if whole {
			p = p[:n]
		}
		s := &shown{p: p}
		r := Reader{Revision: b.Revision}
		_, all, failed := r.Read(p, s)
		if s.bad || whole && (!all || failed != nil) || !whole && err == nil && all {
			t.Errorf("followed: %v, %v; read: %v, %v; %q", whole, err, all, failed, s.all)
		}
		s = &shown{p: p, most: int(most)}
		_, _, _ = r.Read(p, s)
		if most > 0 && s.most > 0 && len(s.all) > 1<<8+len(p) {
			t.Errorf("%d values", len(s.all))
		}
	})
}

// TestExceptions reads exceptions with others in them.
func TestExceptions(t *testing.T) {
	p := []byte("\x02\x3c\x00\x00\x00\x0dDB::Exception\x09a message\x00\x01\x3d\x00\x00\x00\x01n\x05inner\x02at\x00")
	x, err := ReadException(p)
	words := ""
	for _, w := range x.Words {
		words += fmt.Sprintf("%s|", p[w[0]:w[1]])
	}
	if err != nil || x.Code != 60 || words != "DB::Exception|a message|n|inner|at|" {
		t.Errorf("%d %q %v", x.Code, words, err)
	}
}

// TestVariants follows and reads columns that clickhouse-go and ch-go wrote of types that have no layout of their own.
func TestVariants(t *testing.T) {
	variant := func(typ string, values ...any) []byte {
		c, err := column.Type(typ).Column("v", &column.ServerContext{Revision: 54460, Timezone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if err := c.AppendRow(v); err != nil {
				t.Fatal(err)
			}
		}
		var b chproto.Buffer
		if p, ok := c.(column.CustomSerialization); ok {
			if err := p.WriteStatePrefix(&b); err != nil {
				t.Fatal(err)
			}
		}
		c.Encode(&b)
		return b.Buf
	}
	var object chproto.ColJSONStr
	object.Append(`{"a":1}`)
	object.Append(`{"b":"x"}`)
	var json chproto.Buffer
	object.EncodeState(&json)
	object.EncodeColumn(&json)
	for _, c := range []struct {
		typ  string
		rows byte
		data []byte
		want string
		// taken: so is an INSERT of it.
		taken bool
	}{
		{"Variant(Array(String), String, UInt64)", 5, variant("Variant(Array(String), String, UInt64)", chcol.NewVariantWithType("text", "String"), uint64(7), nil, chcol.NewVariantWithType([]string{"p", "q"}, "Array(String)"), chcol.NewVariantWithType("more", "String")), "p|q|text|more|7", true},
		{"Variant(LowCardinality(String), UInt8)", 3, variant("Variant(LowCardinality(String), UInt8)", chcol.NewVariantWithType(uint8(3), "UInt8"), nil, chcol.NewVariantWithType("w", "LowCardinality(String)")), "w|3", true},
		{"Array(Variant(String, UInt64))", 2, variant("Array(Variant(String, UInt64))", []any{"x", uint64(1)}, []any{"y"}), "x|y|1", true},
		{"Tuple(a Variant(String, UInt64), b String)", 1, append(variant("Variant(String, UInt64)", uint64(9)), "\x01z"...), "9|z", true},
		{"JSON", 2, json.Buf, `{"a":1}|{"b":"x"}`, false},
		{"JSON(max_dynamic_paths=8, a.b UInt32, SKIP `x)`, SKIP REGEXP 'y(')", 2, json.Buf, `{"a":1}|{"b":"x"}`, false},
	} {
		p := append(append([]byte{}, "\x00\x01"...), c.rows, 1, 'v')
		p = append(AppendString(p, c.typ), c.data...)
		s, _, all := read(t, p, 54412)
		if got := strings.Join(s.all[1:], "|"); got != c.want || !all {
			t.Errorf("%s: %q, want %q (%v)", c.typ, got, c.want, all)
		}
		for piece := 1; piece <= len(p)+1; piece++ {
			b := Block{Revision: 54412, Want: &Header{}}
			b.Want.add([]byte("v"), []byte(c.typ))
			b.Begin()
			at, err := 0, error(nil)
			for at < len(p) && err == nil && !b.Done() {
				var n int
				n, err = b.Feed(append(bytes.Clone(p), "next"...)[at:min(at+piece, len(p)+4)])
				at += n
			}
			if c.taken != (err == nil) || c.taken && at != len(p) {
				t.Fatalf("%s, of an INSERT, in pieces of %d: %d of %d, %v", c.typ, piece, at, len(p), err)
			}
		}
	}
	// What a server would stumble over, and what is written in another way.
	for _, data := range []string{"\x00\x00\x00\x00\x00\x00\x00\x00\x02x", "\x01\x00\x00\x00\x00\x00\x00\x00\x00x"} {
		p := append(AppendString([]byte("\x00\x01\x01\x01v"), "Variant(String, UInt8)"), data...)
		b := Block{Revision: 54412, Want: &Header{}}
		b.Want.add([]byte("v"), []byte("Variant(String, UInt8)"))
		b.Begin()
		if _, err := b.Feed(p); err == nil {
			t.Errorf("%q is taken", data)
		}
	}
}

// TestSparse follows and reads columns as servers write those that are nearly all zero: SerializationSparse::serializeOffsets, written out here.
func TestSparse(t *testing.T) {
	flagged := func(n uint64) string { return string(binary.AppendUvarint(nil, 1<<62|n)) }
	for _, c := range []struct {
		typ, data, want string
		bad             bool
	}{
		{"UInt8", "\x01\x02\x00" + flagged(5) + "\x07\x08", "7|8|11", false}, // 0 0 7 8 0 0 0 0 0
		{"UInt8", "\x01" + flagged(9), "11", false},
		{"String", "\x01\x08" + flagged(0) + "\x02hi", "hi|11", false},
		{"FixedString(2)", "\x01\x00" + flagged(8) + "hi", "hi|11", false},
		{"UInt8", "\x00123456789", "49|50|51|52|53|54|55|56|57|11", false},
		{"UInt8", "\x01\x09" + flagged(0), "", true},
		{"UInt8", "\x01\x02" + flagged(7) + "\x07", "", true},
		{"UInt8", "\x02" + flagged(9), "", true},
		{"Tuple(UInt8)", "\x01\x00" + flagged(9), "", true},
		{"Nullable(UInt8)", "\x01" + flagged(9), "", true},
	} {
		p := append(AppendString([]byte("\x00\x02\x09\x01v"), c.typ), "\x01"+c.data...)
		p = append(AppendString(append(p, 1, 'w'), "UInt8"), "\x00\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"...)
		for piece := 1; piece <= len(p); piece++ {
			b := Block{Revision: 54465, Keep: new(Header)}
			b.Begin()
			at, err := 0, error(nil)
			for at < len(p) && err == nil && !b.Done() {
				var n int
				n, err = b.Feed(p[at:min(at+piece, len(p))])
				at += n
			}
			if c.bad != (err != nil) || !c.bad && (at != len(p) || !b.Done()) {
				t.Fatalf("%s %q in pieces of %d: %d of %d, %v", c.typ, c.data, piece, at, len(p), err)
			}
		}
		s := &shown{p: p}
		_, all, err := (&Reader{Revision: 54465}).Read(p, s)
		if c.bad == (all && err == nil) || s.bad {
			t.Errorf("%s %q: %v, %v", c.typ, c.data, all, err)
		}
		if !c.bad {
			var values []string
			for _, v := range s.all {
				if v[0] != '#' {
					values = append(values, v)
				}
			}
			if got := strings.Join(values[:len(values)-8], "|"); got != c.want {
				t.Errorf("%s %q: %q", c.typ, c.data, got)
			}
		}
		b := Block{Revision: 54465} // an agent's
		b.Begin()
		if _, err := b.Feed(p); err == nil {
			t.Errorf("%s %q is taken of an agent", c.typ, c.data)
		}
	}
}
