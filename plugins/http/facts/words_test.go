package facts

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// closely is Normal without the look at words.
func closely(path []byte) ([]byte, bool) {
	n := normalizer{}
	n.run(path)
	return n.out, n.ambiguous
}

// plainClosely is plain without it.
func plainClosely(query []byte) bool {
	return !bytes.Contains(query, []byte("%")) && !bytes.Contains(bytes.ToLower(query), []byte("meth"))
}

// Words find what single bytes find, wherever it stands.
func TestWordsFindWhatBytesFind(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const few = "aaaaaaaaaaaaaaaaabcMmEeTtHhx0/..//%2F\\;~ \x00\x1f\x20\x21\x7e\x7f\x80\xa5\xaf\xae\xff&=?"
	same := func(p []byte) {
		t.Helper()
		p = append([]byte("/"), p...)
		got, ambiguous := Normal(make([]byte, 0, len(p)), p)
		if want, odd := closely(p); !bytes.Equal(got, want) || ambiguous != odd {
			t.Fatalf("Normal(%q) = %q, %v, not %q, %v", p, got, ambiguous, want, odd)
		}
		if got, want := plain(p), plainClosely(p); got != want {
			t.Fatalf("plain(%q) = %v", p, got)
		}
	}
	for range 20000 {
		p := make([]byte, random.IntN(40))
		for i := range p {
			p[i] = few[random.IntN(17)]
		}
		for range random.IntN(4) {
			if len(p) > 0 {
				at := random.IntN(len(p))
				copy(p[at:], few[random.IntN(len(few)):])
			}
		}
		same(p)
	}
	for size := range 30 { // every byte at every place, and each of the pairs
		for at := range size {
			for c := range 256 {
				p := bytes.Repeat([]byte("a"), size)
				p[at] = byte(c)
				same(p)
			}
			for _, word := range []string{"//", "/.", "/../", "meth", "METH", "mEth", "/%2e"} {
				p := bytes.Repeat([]byte("a"), size)
				copy(p[at:], word)
				same(p)
			}
		}
	}
}
