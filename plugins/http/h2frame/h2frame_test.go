package h2frame_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/sallyport-dev/sallyport/plugins/http/h2frame"
)

func lines(t testing.TB, file string) []string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
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

// read reads a whole frame as a session does.
func read(p []byte) (h h2frame.Head, err *h2frame.Problem) {
	h = h2frame.ReadHead(p)
	if err = h.Check(h2frame.DefaultMaxSize); err != nil {
		return h, err
	}
	p = p[h2frame.HeadSize:]
	switch h.Type {
	case h2frame.Data, h2frame.Headers:
		if h.Fixed() > 0 {
			_, err = h.Body(p)
		}
	case h2frame.Settings:
		for i := range h2frame.SettingsCount(p) {
			if _, err = h2frame.SettingAt(p, i); err != nil {
				return h, err
			}
		}
	case h2frame.WindowUpdate:
		_, err = h2frame.Increment(p)
	case h2frame.GoAway:
		h2frame.ReadGoAway(p)
	}
	return h, err
}

func TestMalformed(t *testing.T) {
	for _, line := range lines(t, "testdata/malformed.txt") {
		what, frame, _ := strings.Cut(line, ": ")
		_, err := read(unhex(t, frame))
		if err == nil {
			t.Errorf("%s: taken", line)
		} else if got := fmt.Sprintf("%d %v", err.Code, err); got != what {
			t.Errorf("%s: %s", line, got)
		}
	}
	for _, line := range lines(t, "testdata/valid.txt") {
		if _, err := read(unhex(t, line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// TestWritten: the reference reads what is written.
func TestWritten(t *testing.T) {
	block := bytes.Repeat([]byte("x"), 40000)
	var b []byte
	b = h2frame.AppendSettings(b, h2frame.Setting{ID: h2frame.MaxConcurrentStreams, Value: 100}, h2frame.Setting{ID: h2frame.EnablePush, Value: 0})
	b = h2frame.AppendSettingsAck(b)
	b = h2frame.AppendWindowUpdate(b, 5, 70000)
	b = h2frame.AppendReset(b, 7, h2frame.Cancel)
	b = h2frame.AppendGoAway(b, 9, h2frame.EnhanceYourCalm, "slower")
	b = h2frame.AppendHeaders(b, 11, h2frame.EndStream, block, h2frame.DefaultMaxSize)
	b = h2frame.AppendHeaders(b, 13, 0, nil, h2frame.DefaultMaxSize)
	b = append(h2frame.AppendHead(b, 3, h2frame.Data, h2frame.EndStream, 13), "abc"...)
	f := http2.NewFramer(nil, bytes.NewReader(b))
	var got []string
	for {
		frame, err := f.ReadFrame()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		s := fmt.Sprint(frame.Header())
		if i := strings.Index(s, "["); i >= 0 {
			s = s[i:]
		}
		got = append(got, s)
	}
	want := `[FrameHeader SETTINGS len=12]
[FrameHeader SETTINGS flags=ACK len=0]
[FrameHeader WINDOW_UPDATE stream=5 len=4]
[FrameHeader RST_STREAM stream=7 len=4]
[FrameHeader GOAWAY len=14]
[FrameHeader HEADERS flags=END_STREAM stream=11 len=16384]
[FrameHeader CONTINUATION stream=11 len=16384]
[FrameHeader CONTINUATION flags=END_HEADERS stream=11 len=7232]
[FrameHeader HEADERS flags=END_HEADERS stream=13 len=0]
[FrameHeader DATA flags=END_STREAM stream=13 len=3]`
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("got\n%s\nwant\n%s", g, want)
	}
}

// FuzzFrame: whatever is taken here, the reference takes too, and reads the same.
func FuzzFrame(f *testing.F) {
	for _, file := range []string{"testdata/malformed.txt", "testdata/valid.txt"} {
		for _, line := range lines(f, file) {
			_, frame, ok := strings.Cut(line, ": ")
			if !ok {
				frame = line
			}
			f.Add(unhex(f, frame))
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) < h2frame.HeadSize {
			return
		}
		h := h2frame.ReadHead(p)
		if int(h.Length) > 1<<14 || len(p) < h2frame.HeadSize+int(h.Length) {
			if int(h.Length) > 1<<14 && h.Check(h2frame.DefaultMaxSize) == nil {
				t.Fatal("too large, and taken")
			}
			return
		}
		p = p[:h2frame.HeadSize+int(h.Length)]
		h, problem := read(p)
		r := http2.NewFramer(nil, bytes.NewReader(p))
		r.SetMaxReadFrameSize(h2frame.DefaultMaxSize)
		r.AllowIllegalReads = true // the order of frames
		frame, err := r.ReadFrame()
		if problem != nil {
			return
		}
		if err != nil && h.Type <= h2frame.Continuation {
			t.Fatalf("taken, and the reference says %v of %+v", err, h)
		}
		if err != nil {
			return
		}
		g := frame.Header()
		if g.Length != h.Length || uint8(g.Type) != uint8(h.Type) || g.StreamID != h.Stream || uint8(g.Flags) != uint8(h.Flags) {
			t.Fatalf("%+v, the reference %v", h, g)
		}
		body := p[h2frame.HeadSize:]
		switch frame := frame.(type) {
		case *http2.DataFrame:
			n, _ := h.Body(body)
			if !bytes.Equal(frame.Data(), body[h.Fixed():][:n]) {
				t.Fatalf("%q, the reference %q", body[h.Fixed():][:n], frame.Data())
			}
		case *http2.HeadersFrame:
			n, _ := h.Body(body)
			if !bytes.Equal(frame.HeaderBlockFragment(), body[h.Fixed():][:n]) {
				t.Fatalf("%q, the reference %q", body[h.Fixed():][:n], frame.HeaderBlockFragment())
			}
		case *http2.WindowUpdateFrame:
			if n, _ := h2frame.Increment(body); n != frame.Increment {
				t.Fatal(n)
			}
		}
	})
}
