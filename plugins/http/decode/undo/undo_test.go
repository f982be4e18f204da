package undo_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"hash/adler32"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/sallyport-dev/sallyport/plugins/http/decode"
	"github.com/sallyport-dev/sallyport/plugins/http/decode/undo"
)

// codings is everything that can be undone, and how it is done.
var codings = []struct {
	name   string
	coding decode.Coding
	open   func(w io.Writer) io.WriteCloser
}{
	{"gzip", decode.Gzip, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }},
	{"deflate", decode.Deflate, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }},
	{"raw deflate", decode.Deflate, func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 5); return f }},
	{"br", decode.Brotli, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }},
	{"zstd", decode.Zstd, func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z }},
}

func encode(t testing.TB, open func(io.Writer) io.WriteCloser, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := open(&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecode(t *testing.T) {
	text := []byte(strings.Repeat(`{"name": "value", "n": 17} `, 100))
	out := make([]byte, decode.MaxOutput)
	for _, c := range codings {
		for _, n := range []int{0, 1, len(text)} {
			p := encode(t, c.open, text[:n])
			for _, limit := range []int{n, n + 1, decode.MaxOutput} {
				if got, err := undo.Decode(c.coding, p, out, limit); err != nil || !bytes.Equal(out[:got], text[:n]) {
					t.Errorf("%s of %d bytes, limit %d: %d bytes, %v", c.name, n, limit, got, err)
				}
			}
			if n > 0 {
				if _, err := undo.Decode(c.coding, p, out, n-1); !errors.Is(err, decode.ErrTooLarge) {
					t.Errorf("%s of %d bytes, one too many: %v", c.name, n, err)
				}
			}
			for cut := range p {
				if got, err := undo.Decode(c.coding, p[:cut], out, decode.MaxOutput); err == nil && !(cut == 0 && got == 0) {
					t.Errorf("%s of %d bytes, cut off at %d of %d: taken as %d bytes", c.name, n, cut, len(p), got)
				}
			}
			if _, err := undo.Decode(c.coding, append(bytes.Clone(p), "\x00rest"...), out, decode.MaxOutput); err == nil {
				t.Errorf("%s of %d bytes: what stands behind it is taken", c.name, n)
			}
		}
	}
}

// TestBombs: little becomes much, in every coding, and in zstd with a window that would take all memory.
func TestBombs(t *testing.T) {
	out := make([]byte, decode.MaxOutput)
	zeros := make([]byte, 4<<20)
	for _, c := range codings {
		p := encode(t, c.open, zeros)
		if _, err := undo.Decode(c.coding, p, out, decode.MaxOutput); !errors.Is(err, decode.ErrTooLarge) {
			t.Errorf("%s: 4 MiB in %d bytes: %v", c.name, len(p), err)
		}
	}
	huge := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00} // a window of 2^30 bytes
	if _, err := undo.Decode(decode.Zstd, huge, out, decode.MaxOutput); err == nil {
		t.Error("a window of 1 GiB is taken")
	}
}

// TestTwoReadings: a body that is zlib and raw deflate at once, with different contents, is neither.
func TestTwoReadings(t *testing.T) {
	out := make([]byte, 4096)
	// As zlib: behind the head comes a stored block. As raw deflate: 0x78 begins a stored block whose length is made of what follows.
	const flg = 0x01 // 0x7801 is a multiple of 31
	tail := func(inner []byte) []byte {
		b := append([]byte{0x78, flg}, inner...)
		sum := adler32.Checksum([]byte{})
		return append(b, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
	}
	// zlib's blocks: a stored block of 0 bytes (000, rest of the byte is free: 0x00), its LEN 0x0000; the raw reading takes flg and 0x00 for LEN = 1, and
	// the next two bytes for NLEN, which must be 0xfffe: but zlib has LEN 0 there. So a fixed block is used: 0x03 0x00 is an empty one.
	both := tail([]byte{0x03, 0x00})
	if _, err := undo.Decode(decode.Deflate, both, out, 4096); err != nil {
		t.Errorf("an empty zlib body: %v", err)
	}
	// The raw reading of 0x78: stored, LEN = 0x01 | b2<<8, NLEN = b3 | b4<<8.
	found := false
	for b2 := range 256 {
		p := []byte{0x78, flg, byte(b2), 0xfe, ^byte(b2)}
		p = append(p, make([]byte, 1+b2<<8)...)
		p = append(p, 1, 0, 0, 0xff, 0xff)
		n, err := undo.Decode(decode.Deflate, p, out, 4096)
		if err == nil {
			t.Errorf("b2 = %02x: taken as %d bytes", b2, n)
		}
		found = found || err != nil
	}
	if !found {
		t.Error("nothing was refused")
	}
}

func TestCodings(t *testing.T) {
	for value, want := range map[string]int{"": 0, "gzip": 1, " GZip ": 1, "gzip, br": 2, "identity": 0, "gzip,identity,,zstd": 2, "x-gzip": 1, "deflate\t": 1} {
		if _, n, err := decode.Codings([]byte(value)); err != nil || n != want {
			t.Errorf("%q: %d, %v", value, n, err)
		}
	}
	for _, value := range []string{"compress", "gzip br", "gzip;q=1", "gzip,gzip,gzip", "gzi", "gzip, dcb"} {
		if _, _, err := decode.Codings([]byte(value)); !errors.Is(err, decode.ErrCoding) {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// native runs the companion's function in place of the companion.
type native struct{}

func (native) Call(_ int, in, out []byte) ([]byte, error) {
	coding, limit, body, err := decode.ReadCall(in)
	if err != nil {
		return nil, err
	}
	n, err := undo.Decode(coding, body, out, limit)
	return out[:n], err
}

func TestBody(t *testing.T) {
	text := []byte("plain text, plain text")
	twice := encode(t, codings[3].open, encode(t, codings[0].open, text))
	for _, c := range []struct {
		encoding string
		body     []byte
		limit    int
		want     error
	}{
		{"", text, 100, nil}, {"identity", text, 22, nil}, {"", text, 21, decode.ErrTooLarge},
		{"gzip, br", twice, 100, nil}, {"br, gzip", twice, 100, decode.ErrBroken}, {"gzip, br", twice, 21, decode.ErrTooLarge},
		{"compress", text, 100, decode.ErrCoding}, {"gzip", text, 100, decode.ErrBroken},
		{"gzip", make([]byte, decode.MaxInput+1), 100, decode.ErrTooLarge},
	} {
		got, err := decode.Body(native{}, 0, []byte(c.encoding), c.body, c.limit)
		if !errors.Is(err, c.want) || err == nil && !bytes.Equal(got, text) {
			t.Errorf("%q, limit %d: %q, %v", c.encoding, c.limit, got, err)
		}
	}
}

// FuzzDecode: whatever is sent, the limit holds, and what is taken reads the same a second time.
func FuzzDecode(f *testing.F) {
	for _, c := range codings {
		f.Add(byte(c.coding), encode(f, c.open, []byte("hello, hello, hello")), 100)
	}
	f.Add(byte(9), []byte("x"), 1)
	f.Fuzz(func(t *testing.T, coding byte, p []byte, limit int) {
		limit &= 1<<12 - 1
		out := make([]byte, 1<<12)
		n, err := undo.Decode(decode.Coding(coding), p, out, limit)
		if n > limit || err != nil && n != 0 {
			t.Fatalf("%d bytes of at most %d, %v", n, limit, err)
		}
		if !bytes.Equal(out[limit:], make([]byte, len(out)-limit)) {
			t.Fatal("written behind the limit")
		}
		again := make([]byte, 1<<12)
		if m, err2 := undo.Decode(decode.Coding(coding), p, again, limit); m != n || (err == nil) != (err2 == nil) || !bytes.Equal(out[:n], again[:m]) {
			t.Fatal("not the same twice")
		}
	})
}
