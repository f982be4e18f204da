package hpack_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	reference "golang.org/x/net/http2/hpack"

	"github.com/sallyport-dev/sallyport/plugins/http/hpack"
)

// FuzzDecode: two blocks mean the same here and to the reference. This decoder is stricter about integers and table size updates.
func FuzzDecode(f *testing.F) {
	for _, line := range lines(f, "testdata/rfc7541.txt") {
		if block, ok := strings.CutPrefix(line, "block "); ok {
			f.Add(unhex(f, block), []byte{0xbe, 0xbf})
		}
	}
	for _, line := range lines(f, "testdata/malformed.txt") {
		_, block, _ := strings.Cut(line, ": ")
		f.Add(unhex(f, block), []byte{0x82})
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		d := hpack.NewDecoder(4096, 64<<10, 1000, nil)
		r := reference.NewDecoder(4096, nil)
		for _, block := range [][]byte{a, a, a, b, b, a, b} { // the same again, too
			got, err := d.Decode(block)
			want, refErr := r.DecodeFull(block)
			switch {
			case err == hpack.ErrTooLarge:
				if refErr != nil {
					t.Fatalf("read as too large, and the reference says %v", refErr)
				}
				continue
			case err == hpack.ErrUpdate || err == hpack.ErrInteger || err == hpack.ErrNoUpdate:
				return
			case (err == nil) != (refErr == nil):
				t.Fatalf("%v, the reference %v", err, refErr)
			case err != nil:
				return
			}
			var w strings.Builder
			for _, f := range want {
				if f.Sensitive {
					w.WriteByte('!')
				}
				fmt.Fprintf(&w, "%s: %s\n", f.Name, f.Value)
			}
			if g := text(d, got); g != w.String() {
				t.Fatalf("got\n%s, want\n%s", g, w.String())
			}
			var again []byte
			for i := range got {
				again = hpack.AppendField(again, &got[i], d.Text())
			}
			if back, err := reference.NewDecoder(0, nil).DecodeFull(again); err != nil || fmt.Sprint(back) != fmt.Sprint(want) {
				t.Fatalf("written again: %v %v, want %v", back, err, want)
			}
		}
	})
}

// FuzzEncoded: what the reference writes is read.
func FuzzEncoded(f *testing.F) {
	f.Add("accept", "text/html", "x", "", 4096)
	f.Add(":path", "/a\x00b", "cookie", "a=\xff\x01", 40)
	f.Fuzz(func(t *testing.T, n1, v1, n2, v2 string, size int) {
		var buf bytes.Buffer
		e := reference.NewEncoder(&buf)
		d := hpack.NewDecoder(4096, 1<<20, 1000, nil)
		if size > 0 && size < 4096 {
			d.Allow(size)
			e.SetMaxDynamicTableSizeLimit(uint32(size))
		}
		for i := range 4 {
			buf.Reset()
			want := ""
			for _, h := range []reference.HeaderField{{Name: n1, Value: v1}, {Name: n2, Value: v2, Sensitive: i%2 == 0}, {Name: n1, Value: v2}} {
				_ = e.WriteField(h)
				if h.Sensitive {
					want += "!"
				}
				want += h.Name + ": " + h.Value + "\n"
			}
			fields, err := d.Decode(buf.Bytes())
			if err != nil || text(d, fields) != want {
				t.Fatalf("%v\n%swant\n%s", err, text(d, fields), want)
			}
		}
	})
}

func BenchmarkDecodeEncode(b *testing.B) {
	d := hpack.NewDecoder(4096, 16<<10, 100, nil)
	var buf bytes.Buffer
	e := reference.NewEncoder(&buf)
	for _, f := range request(1) {
		_ = e.WriteField(f)
	}
	if _, err := d.Decode(buf.Bytes()); err != nil {
		b.Fatal(err)
	}
	buf.Reset()
	for _, f := range request(1) {
		_ = e.WriteField(f)
	}
	out := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		fields, err := d.Decode(buf.Bytes())
		if err != nil {
			b.Fatal(err)
		}
		out = out[:0]
		for k := range fields {
			out = hpack.AppendField(out, &fields[k], d.Text())
		}
	}
}
