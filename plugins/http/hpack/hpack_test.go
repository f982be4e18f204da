package hpack_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	reference "golang.org/x/net/http2/hpack"

	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
)

// text writes fields one on each line, as in testdata.
func text(d *hpack.Decoder, fields []hpack.Field) string {
	var b strings.Builder
	for _, f := range fields {
		if f.Flags&hpack.Never != 0 {
			b.WriteByte('!')
		}
		fmt.Fprintf(&b, "%s: %s\n", f.Name.Of(d.Text()), f.Value.Of(d.Text()))
	}
	return b.String()
}

func lines(t testing.TB, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); line != "" && line[0] != '#' {
			all = append(all, line)
		}
	}
	return all
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(s, err)
	}
	return b
}

// TestRFC: the examples of RFC 7541.
func TestRFC(t *testing.T) {
	var d *hpack.Decoder
	var got, want string
	blocks := 0
	for _, line := range append(lines(t, "testdata/rfc7541.txt"), "table 0") {
		word, rest, _ := strings.Cut(line, " ")
		if word == "table" || word == "block" {
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			got, want = "", ""
		}
		switch word {
		case "table":
			size := 0
			fmt.Sscan(rest, &size)
			d = hpack.NewDecoder(4096, 4096, 100, nil)
			if size == 256 { // as the RFC's example has it, without an update on the wire
				if _, err := d.Decode(hpack.AppendSizeUpdate(nil, size)); err != nil {
					t.Fatal(err)
				}
			}
		case "block":
			blocks++
			fields, err := d.Decode(unhex(t, rest))
			if err != nil {
				t.Fatalf("%s: %v", rest, err)
			}
			got = text(d, fields)
		case "size":
			size := 0
			fmt.Sscan(rest, &size)
			if n := hpack.TableSize(d); n != size {
				t.Errorf("the table has %d bytes, want %d", n, size)
			}
		default:
			want += line + "\n"
		}
	}
	if blocks != 16 {
		t.Errorf("%d blocks", blocks)
	}
}

func TestMalformed(t *testing.T) {
	n := 0
	for _, line := range lines(t, "testdata/malformed.txt") {
		want, block, _ := strings.Cut(line, ": ")
		d := hpack.NewDecoder(4096, 4096, 100, nil)
		if _, err := d.Decode(unhex(t, block)); err != hpack.Error(want) {
			t.Errorf("%s: %v, want %s", block, err, want)
		}
		n++
	}
	if n < 20 {
		t.Errorf("%d blocks", n)
	}
	// The benign twins: the same forms, in order.
	for _, block := range []string{"", "20", "203fe11f", "3fe11f82", "ff00"[:0] + "82", "40016101 62", "00 81 1f 01 61", "00017f 81 1f"} {
		d := hpack.NewDecoder(4096, 4096, 100, nil)
		if _, err := d.Decode(unhex(t, block)); err != nil {
			t.Errorf("%s: %v", block, err)
		}
	}
}

// TestFlags: what is malformed by RFC 9113 is read, and marked; an entry of the table keeps its marks.
func TestFlags(t *testing.T) {
	names := func(name []byte) (uint8, bool) {
		if string(name) == "x-known" {
			return 9, false
		}
		return 0, bytes.Contains(name, []byte("_"))
	}
	for _, c := range []struct {
		name, value string
		want        hpack.Flags
		known       uint8
	}{
		{"accept", "text/html", 0, 0},
		{"x-known", "a\tb c\x80", 0, 9},
		{"Accept", "a", hpack.BadName, 0},
		{"", "a", hpack.BadName, 0},
		{":", "a", hpack.BadName | hpack.Pseudo, 0},
		{":path", "/", hpack.Pseudo, 0},
		{"a:b", "/", hpack.BadName, 0},
		{"a b", "/", hpack.BadName, 0},
		{"a_b", "/", hpack.Marked, 0},
		{"a", "b\r\nc: d", hpack.BadValue, 0},
		{"a", "b\x00", hpack.BadValue, 0},
		{"a", " b", hpack.BadValue, 0},
		{"a", "b\t", hpack.BadValue, 0},
		{"a", "", 0, 0},
		{"content-length", "\x7f", hpack.BadValue, 0},
	} {
		d := hpack.NewDecoder(4096, 4096, 100, names)
		var block bytes.Buffer
		e := reference.NewEncoder(&block)
		for range 2 {
			_ = e.WriteField(reference.HeaderField{Name: c.name, Value: c.value})
		}
		_ = e.WriteField(reference.HeaderField{Name: c.name, Value: "other"})
		fields, err := d.Decode(block.Bytes())
		if err != nil || len(fields) != 3 {
			t.Fatal(c, fields, err)
		}
		for i, f := range fields {
			want := c.want
			if i == 2 {
				want &^= hpack.BadValue
			}
			if f.Flags != want || f.Known != c.known {
				t.Errorf("%q: %q: field %d has flags %b and number %d, want %b, %d", c.name, c.value, i, f.Flags, f.Known, want, c.known)
			}
		}
	}
}

// TestBombs: a list is bounded whatever it expands to, the table stays right behind it, and a block within the limits is read next.
func TestBombs(t *testing.T) {
	d := hpack.NewDecoder(4096, 16<<10, 100, nil)
	big := strings.Repeat("x", 4000)
	block := hpack.AppendInteger(nil, 0x40, 6, 0)
	block = hpack.AppendString(hpack.AppendString(block, "bomb"), big)
	block = append(block, bytes.Repeat([]byte{0xbe}, 60<<10)...)
	fields, err := d.Decode(block)
	if !errors.Is(err, hpack.ErrTooLarge) || len(fields) > 4 {
		t.Fatal(len(fields), err)
	}
	if fields, err = d.Decode([]byte{0xbe}); err != nil || text(d, fields) != "bomb: "+big+"\n" {
		t.Fatal(len(fields), err)
	}
	many := bytes.Repeat([]byte{0x82}, 101)
	if _, err = d.Decode(many); !errors.Is(err, hpack.ErrTooLarge) {
		t.Fatal(err)
	}
	if fields, err = d.Decode(many[:100]); err != nil || len(fields) != 100 {
		t.Fatal(len(fields), err)
	}
	// A field that is added when the list is full already is in the table all the same; one that is larger than the table empties it.
	block = append(bytes.Repeat([]byte{0xbe}, 10), hpack.AppendString(hpack.AppendString([]byte{0x40}, "late"), strings.Repeat("y", 3000))...)
	if _, err = d.Decode(block); !errors.Is(err, hpack.ErrTooLarge) {
		t.Fatal(err)
	}
	if fields, err = d.Decode([]byte{0xbe}); err != nil || !strings.HasPrefix(text(d, fields), "late: yyy") {
		t.Fatal(err)
	}
	block = hpack.AppendString(hpack.AppendString([]byte{0x40}, "huge"), strings.Repeat("z", 40<<10))
	if _, err = d.Decode(block); !errors.Is(err, hpack.ErrTooLarge) {
		t.Fatal(err)
	}
	if _, err = d.Decode([]byte{0xbe}); err != hpack.ErrIndex || hpack.TableSize(d) != 0 {
		t.Fatal(err, hpack.TableSize(d))
	}
	// Huffman strings expand by 8/5.
	coded := bytes.Repeat([]byte{0}, 40<<10) // "0" is five zeros
	block = append(append([]byte{0x40, 0x01, 'n'}, hpack.AppendInteger(nil, 0x80, 7, len(coded))...), coded...)
	if _, err = d.Decode(block); !errors.Is(err, hpack.ErrTooLarge) {
		t.Fatal(err)
	}
}

// TestAllow: section 4.2: a smaller table must be acknowledged in the next block, the smallest of several too.
func TestAllow(t *testing.T) {
	entry := hpack.AppendString(hpack.AppendString([]byte{0x40}, "a"), "b")
	begin := func() *hpack.Decoder {
		d := hpack.NewDecoder(8192, 4096, 100, nil)
		if _, err := d.Decode(entry); err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := begin()
	d.Allow(100)
	if _, err := d.Decode([]byte{0xbe}); err != hpack.ErrNoUpdate {
		t.Error(err)
	}
	d = begin()
	d.Allow(100)
	if _, err := d.Decode(append(hpack.AppendSizeUpdate(nil, 100), 0xbe)); err != nil {
		t.Error(err)
	}
	d = begin()
	d.Allow(0)
	d.Allow(8192)
	if _, err := d.Decode(append(hpack.AppendSizeUpdate(nil, 8192), 0x82)); err != hpack.ErrNoUpdate {
		t.Error(err)
	}
	d = begin()
	d.Allow(0)
	d.Allow(8192)
	if _, err := d.Decode(append(hpack.AppendSizeUpdate(hpack.AppendSizeUpdate(nil, 0), 8192), 0xbe)); err != hpack.ErrIndex {
		t.Error(err)
	}
	d = begin()
	d.Allow(8192)
	if _, err := d.Decode([]byte{0xbe}); err != nil {
		t.Error(err)
	}
}

// TestEncode: what is written is what the reference reads, and leaves its table alone.
func TestEncode(t *testing.T) {
	var b []byte
	b = hpack.AppendSizeUpdate(b, 0)
	b = hpack.AppendStatus(b, 200)
	b = hpack.AppendStatus(b, 403)
	b = hpack.AppendLiteral(b, 31, "content-type", "application/problem+json", false)
	b = hpack.AppendLiteral(b, 23, "authorization", "Bearer x", true)
	b = hpack.AppendLiteral(b, 0, "x-custom", strings.Repeat("v", 300), false)
	d := reference.NewDecoder(4096, nil)
	fields, err := d.DecodeFull(b)
	want := `[header field ":status" = "200" header field ":status" = "403" header field "content-type" = "application/problem+json" header field "authorization" = "Bearer x" (sensitive) header field "x-custom" = "` + strings.Repeat("v", 300) + `"]`
	if got := fmt.Sprint(fields); err != nil || got != want {
		t.Errorf("%v %s", err, got)
	}
	if _, err := d.DecodeFull([]byte{0xbe}); err == nil {
		t.Error("the table has an entry")
	}
}

// TestNothingAllocated: the steady state allocates nothing.
func TestNothingAllocated(t *testing.T) {
	d := hpack.NewDecoder(4096, 16<<10, 100, nil)
	var buf bytes.Buffer
	e := reference.NewEncoder(&buf)
	var blocks [][]byte
	for i := range 400 { // so many that the table turns over
		buf.Reset()
		for _, f := range request(i) {
			_ = e.WriteField(f)
		}
		blocks = append(blocks, bytes.Clone(buf.Bytes()))
	}
	i, out := 0, make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(len(blocks)-1, func() {
		fields, err := d.Decode(blocks[i])
		if err != nil {
			t.Fatal(err)
		}
		out = out[:0]
		for k := range fields {
			out = hpack.AppendField(out, &fields[k], d.Text())
		}
		i++
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func request(i int) []reference.HeaderField {
	return []reference.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "api.example.com"},
		{Name: ":path", Value: fmt.Sprintf("/v1/items/%d?full=1", i)}, {Name: "user-agent", Value: "agent/1.0"}, {Name: "accept", Value: "application/json"},
		{Name: "accept-encoding", Value: "gzip"}, {Name: "authorization", Value: "Bearer 0123456789abcdef0123456789abcdef", Sensitive: true},
		{Name: "x-request-id", Value: fmt.Sprintf("%032x", i)}}
}
