package websocket

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestRead(t *testing.T) {
	for _, c := range []struct {
		in      string
		client  bool
		want    Head
		ok      bool
		problem Problem
	}{
		{"\x81\x85\x01\x02\x03\x04hello", true, Head{true, Text, [4]byte{1, 2, 3, 4}, 6, 5}, true, ""},
		{"\x01\x03hel", false, Head{false, Text, [4]byte{}, 2, 3}, true, ""},
		{"\x80\x00", false, Head{true, Continuation, [4]byte{}, 2, 0}, true, ""},
		{"\x82\x7e\x00\x7e", false, Head{true, Binary, [4]byte{}, 4, 126}, true, ""},
		{"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", false, Head{true, Binary, [4]byte{}, 10, 65536}, true, ""},
		{"\x89\x00", false, Head{true, Ping, [4]byte{}, 2, 0}, true, ""},
		{"\x82\x7e\x00\x7d", false, Head{}, false, badLength},
		{"\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", false, Head{}, false, badLength},
		{"\x82\x7f\xff\x00\x00\x00\x00\x00\xff\xff", false, Head{}, false, badLength},
		{"\x81\x05hello", true, Head{}, false, unmasked},
		{"\x81\x85\x01\x02\x03\x04hello", false, Head{}, false, masked},
		{"\xc1\x00", false, Head{}, false, reserved},
		{"\x83\x00", false, Head{}, false, reserved},
		{"\x8b\x00", false, Head{}, false, reserved},
		{"\x09\x00", false, Head{}, false, badControl},
		{"\x89\x7e\x00\x7e", false, Head{}, false, badControl},
	} {
		h, ok, problem := Read([]byte(c.in), c.client)
		if ok != c.ok || problem != c.problem || ok && h != c.want {
			t.Errorf("%q: %+v %v %q", c.in, h, ok, problem)
		}
		for i := range min(len(c.in), c.want.Size) {
			if _, ok, problem := Read([]byte(c.in[:i]), c.client); ok || problem != "" {
				t.Errorf("%q cut at %d: %v %q", c.in, i, ok, problem)
			}
		}
	}
}

func TestClose(t *testing.T) {
	for _, reason := range []string{"", "no", strings.Repeat("x", 200), strings.Repeat("ä", 100), "x" + strings.Repeat("ä", 100), "日本語" + strings.Repeat("語", 60)} {
		for _, client := range []bool{true, false} {
			b := AppendClose(nil, client, Violation, reason)
			h, ok, problem := Read(b, client)
			if !ok || problem != "" || h.Opcode != Close || uint64(len(b)-h.Size) != h.Length {
				t.Fatalf("%q: %+v %v %q", b, h, ok, problem)
			}
			text := AppendUnmasked(nil, b[h.Size:], h.Mask)
			if text[0] != 1008>>8 || text[1] != 1008&0xff || !utf8.Valid(text[2:]) || !strings.HasPrefix(reason, string(text[2:])) {
				t.Errorf("%q: %q", reason, text)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x81\x85\x01\x02\x03\x04hello"), true)
	f.Add([]byte("\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"), false)
	f.Fuzz(func(t *testing.T, p []byte, client bool) {
		h, ok, problem := Read(p, client)
		if ok && (problem != "" || h.Size > len(p) || h.Size < 2 || h.Length > 1<<62) {
			t.Errorf("%+v %q", h, problem)
		}
		if ok && h.Length <= uint64(len(p)-h.Size) {
			payload := p[h.Size:][:h.Length]
			if !bytes.Equal(AppendUnmasked(nil, AppendUnmasked(nil, payload, h.Mask), h.Mask), payload) {
				t.Error("masked twice it is another")
			}
		}
	})
}
