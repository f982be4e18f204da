package mask

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// TestHuffman: a header field that shows a secret in Huffman code can be read by nobody any more, whatever stands before it; one that does not is as it was.
func TestHuffman(t *testing.T) {
	for _, value := range []string{"tok-5f2e9c1b7a684d30", "0123456789abcdef", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "correct horse battery"} {
		set := NewSet([]byte(value))
		for before := range 40 {
			for _, behind := range []string{"", "x", "; and more"} {
				text := strings.Repeat("e|Z", 20)[:before] + value + behind
				block := header(text)
				for cut := range len(block) {
					got := through(set, block, cut)
					shown := ""
					d := hpack.NewDecoder(4096, func(f hpack.HeaderField) { shown = f.Value })
					if _, err := d.Write(got); err == nil && shown == text || strings.Contains(shown, value[1:len(value)-1]) {
						t.Fatalf("%q, cut at %d: %q", text, cut, shown)
					}
				}
				twin := header(strings.Replace(text, value, strings.ToUpper(value[1:]), 1))
				if got := through(set, twin, len(twin)/2); !bytes.Equal(got, twin) {
					t.Fatalf("%q is changed", text)
				}
			}
		}
	}
}

// header is a field with this value, in Huffman code.
func header(value string) []byte {
	code := hpack.AppendHuffmanString(nil, value)
	if len(code) > 126 {
		panic("too long for this test")
	}
	return append([]byte{0x00, 1, 'a', 0x80 | byte(len(code))}, code...)
}

// through is what comes out of a stream that p goes through in two pieces.
func through(s *Set, p []byte, cut int) (out []byte) {
	m := s.Stream()
	for _, piece := range [][]byte{p[:cut], p[cut:]} {
		first, second := m.Next(bytes.Clone(piece))
		out = append(append(out, first...), second...)
	}
	return append(out, m.Flush()...)
}

// TestCoded: the patterns are those bits of the code that every position has whole.
func TestCoded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		v := make([]byte, 12+random.IntN(30))
		for i := range v {
			v[i] = byte(' ' + random.IntN(95))
		}
		front := strings.Repeat("0", random.IntN(9)) // of five bits each
		code := hpack.AppendHuffmanString(nil, front+string(v)+"0")
		found := false
		for _, p := range coded(v) {
			found = found || bytes.Contains(code, p)
		}
		if !found {
			t.Fatalf("%q behind %q is not found", v, front)
		}
	}
	if p := coded([]byte("aaaaaaaa")); len(p) != 0 { // 40 bits: a coincidence
		t.Errorf("%x", p)
	}
}

// BenchmarkHuffman is the cost of looking for one more way of writing: bytes of a download that hold nothing.
func BenchmarkHuffman(b *testing.B) {
	p := make([]byte, 64<<10)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(random.Uint32())
	}
	text := bytes.Repeat([]byte(`{"name": "a value of an API", "list": [1, 2, 3]}, `), len(p)/50)
	for name, in := range map[string][]byte{"random": p, "text": text} {
		for _, value := range []string{"tok-5f2e9c1b7a684d30", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"} {
			with := NewSet([]byte(value))
			b.Run(fmt.Sprint(name, len(value)), func(b *testing.B) {
				m := with.Stream()
				b.SetBytes(int64(len(in)))
				for range b.N {
					m.Next(in)
					m.Flush()
				}
			})
		}
	}
}
