package asciicast

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// file is where a recording goes; it may be full.
type file struct {
	bytes.Buffer
	room   int // 0: as much as is wanted
	closed int
}

var errFull = errors.New("no space left")

func (f *file) Write(p []byte) (int, error) {
	if f.room > 0 && f.Len()+len(p) > f.room {
		return 0, errFull
	}
	return f.Buffer.Write(p)
}

func (f *file) Close() error {
	f.closed++
	return nil
}

// clock is a second further each time.
func clock() func() time.Time {
	at := time.Unix(1000, 0)
	return func() time.Time {
		at = at.Add(1500 * time.Millisecond)
		return at
	}
}

func start(t *testing.T, f *file, limit int64) *Writer {
	t.Helper()
	w, err := begin(f, Header{Width: 80, Height: 24, Begin: time.Unix(1000, 0), Title: "box", Term: "xterm"}, limit, clock())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// replay is the text of a kind of events.
func replay(t *testing.T, recording, kind string) (text string) {
	t.Helper()
	for i, line := range strings.Split(strings.TrimSuffix(recording, "\n"), "\n") {
		if i == 0 {
			continue
		}
		var e [3]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("line %d: %v: %s", i+1, err, line)
		}
		if e[1] == kind {
			text += e[2].(string)
		}
	}
	return text
}

func TestWriter(t *testing.T) {
	f := &file{}
	w := start(t, f, 1<<20)
	_ = w.Output([]byte("a <b> \x1b[1m\r\n"))
	_ = w.Output([]byte("\xc3"))
	_ = w.Resize(100, 30)
	_ = w.Output([]byte("\xa4\xff"))
	_ = w.Input([]byte("x"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_ = w.Output([]byte("late"))
	want := `{"version":2,"width":80,"height":24,"timestamp":1000,"title":"box","env":{"TERM":"xterm"}}
[1.500000,"o","a <b> \u001b[1m\r\n"]
[3.000000,"r","100x30"]
[4.500000,"o","ä` + "\\ufffd" + `"]
[6.000000,"i","x"]
`
	if f.String() != want || f.closed != 1 {
		t.Errorf("closed %d times:\n%s\nwant\n%s", f.closed, f.String(), want)
	}
}

// TestLimit: a recording that reaches its limit says so, and is no longer than it.
func TestLimit(t *testing.T) {
	f := &file{}
	w := start(t, f, 1000)
	for range 100 {
		if err := w.Output(bytes.Repeat([]byte("y"), 20)); err != nil {
			t.Fatal(err)
		}
	}
	if n, cut := w.Size(); !cut || n != int64(f.Len()) || n > 1000 {
		t.Errorf("%d bytes of %d, cut %v", n, f.Len(), cut)
	}
	if _ = w.Close(); strings.Count(f.String(), "limit of 1000 bytes") != 1 || !strings.Contains(replay(t, f.String(), "m"), "ends here") || len(replay(t, f.String(), "o"))%20 != 0 {
		t.Error(f.String())
	}
}

// TestFull: what cannot be written is an error, once and for all, and what is there can be read.
func TestFull(t *testing.T) {
	f := &file{room: 150}
	w := start(t, f, 1000)
	var err error
	for range 10 {
		if err = w.Output([]byte("0123456789")); err != nil {
			break
		}
	}
	f.room = 0
	if again := w.Output([]byte("x")); !errors.Is(err, errFull) || !errors.Is(again, errFull) || !errors.Is(w.Close(), errFull) || f.closed != 1 {
		t.Errorf("%v, %v, closed %d", err, again, f.closed)
	}
	replay(t, f.String(), "o")
	if _, err := New(&file{room: 1}, Header{}, 1000); !errors.Is(err, errFull) {
		t.Error(err)
	}
}

// FuzzOutput: whatever a terminal shows, in whatever pieces, its text is there, and every line can be read.
func FuzzOutput(f *testing.F) {
	f.Add([]byte("a\xe2\x82\xac\xf0\x9f\x98\x80"), 1)
	f.Add([]byte("\xff\xc3\xe2\x82\x00\r\n\u2028"), 2)
	f.Fuzz(func(t *testing.T, p []byte, size int) {
		to := &file{}
		w := start(t, to, 1<<30)
		size = 1 + min(max(size, 0), 100)
		for q := p; len(q) > 0; {
			n := min(size, len(q))
			_ = w.Output(q[:n])
			q = q[n:]
		}
		_ = w.Close()
		got := replay(t, to.String(), "o")
		if utf8.Valid(p) && got != string(p) || len([]rune(got)) != len([]rune(string(p))) {
			t.Errorf("%q of %q", got, p)
		}
	})
}
