package mask

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// chunks frames pieces as HTTP/1.1 does, frames as HTTP/2. They return the stream, and what of it is content.
func chunks(pieces [][]byte) (stream []byte, content []bool) {
	add := func(p []byte, is bool) {
		stream = append(stream, p...)
		content = append(content, slices.Repeat([]bool{is}, len(p))...)
	}
	for _, p := range pieces {
		add(fmt.Appendf(nil, "%x\r\n", len(p)), false)
		add(p, true)
		add([]byte("\r\n"), false)
	}
	add([]byte("0\r\n\r\n"), false)
	return stream, content
}

func frames(pieces [][]byte) (stream []byte, content []bool) {
	for _, p := range pieces {
		head := []byte{0, byte(len(p) >> 8), byte(len(p)), 0, 0, 0, 0, 0, 5}
		stream = append(append(stream, head...), p...)
		content = append(append(content, make([]bool, len(head))...), slices.Repeat([]bool{true}, len(p))...)
	}
	return stream, content
}

// TestCutSecrets: a secret that a server cuts by its framing is masked wherever it is cut and wherever the stream is, the framing stays, and nothing else changes.
func TestCutSecrets(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	const value = "tok-5f2e9c1b7a684d30"
	set := NewSet([]byte(value))
	for round := range 6000 {
		filler := func(n int) []byte {
			b := make([]byte, n)
			for i := range b {
				b[i] = " etok\x00\r\n5f"[random.IntN(10)]
			}
			return b
		}
		twin := round%4 == 0
		middle := value
		if twin {
			middle = value[:10] + "?" + value[10:]
		}
		before := filler(random.IntN(60))
		text := slices.Concat(before, []byte(middle), filler(random.IntN(60)))
		// Cut the secret in one to five places, and the rest where it likes.
		var places []int
		for range 1 + random.IntN(5) {
			places = append(places, len(before)+1+random.IntN(len(middle)-1))
		}
		slices.Sort(places)
		places = slices.Compact(append(places, len(text)))
		var list [][]byte
		at := 0
		for _, to := range places {
			list = append(list, text[at:to])
			at = to
		}
		stream, content := chunks(list)
		if round%2 == 0 {
			stream, content = frames(list)
		}
		m := set.Stream()
		var got []byte
		for rest := stream; len(rest) > 0; {
			n := min(1+random.IntN(1+random.IntN(len(stream))), len(rest))
			first, second := m.Next(bytes.Clone(rest[:n]))
			got = append(append(got, first...), second...)
			rest = rest[n:]
		}
		got = append(got, m.Flush()...)
		if len(got) != len(stream) {
			t.Fatalf("%d bytes of %d", len(got), len(stream))
		}
		var shown []byte
		for i, is := range content {
			switch {
			case is:
				shown = append(shown, got[i])
			case got[i] != stream[i]:
				t.Fatalf("the framing of %q is changed: %q", stream, got)
			}
		}
		// What had left before anybody could know is not more than a few bytes.
		if from := len(before); twin != bytes.Equal(shown, text) || !twin && string(shown[from+loose:from+len(value)]) != string(bytes.Repeat([]byte{Mark}, len(value)-loose)) {
			t.Fatalf("%q becomes %q", stream, got)
		}
		if !bytes.Equal(shown[:len(before)], text[:len(before)]) || !bytes.Equal(shown[len(before)+len(middle):], text[len(before)+len(middle):]) {
			t.Fatalf("what stands around it is changed: %q becomes %q", stream, got)
		}
	}
}

// BenchmarkGaps is the cost where gaps are everywhere: chunks of one byte, and zeros.
func BenchmarkGaps(b *testing.B) {
	for name, in := range map[string][]byte{"chunks": bytes.Repeat([]byte("1\r\nt\r\n"), 10<<10), "zeros": make([]byte, 64<<10), "beginnings": bytes.Repeat([]byte("tok-5f2e\r\n8\r\n"), 4<<10)} {
		b.Run(name, func(b *testing.B) {
			m := NewSet([]byte("tok-5f2e9c1b7a684d30")).Stream()
			b.SetBytes(int64(len(in)))
			for range b.N {
				m.Next(in)
				m.Flush()
			}
		})
	}
}
