// Package asciicast writes what a terminal showed as asciicast version 2 (https://docs.asciinema.org/manual/asciicast/v2/): a line of JSON that says how large
// the terminal is, then one line for each thing that happened, with the seconds since the beginning. `asciinema play FILE` shows it.
//
// A line is written by one call as soon as it happened, so a file is whole up to its last line whenever it is looked at, after a crash too. Text is UTF-8: a character whose bytes
// come in pieces stands in the event of its last piece, and a byte that belongs to none is U+FFFD.
package asciicast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// Header says what is recorded.
type Header struct {
	Width, Height uint32
	Begin         time.Time
	Title         string // optional
	Command       string // optional
	Term          string // the terminal's type; optional
}

// cutShort is the text of the marker behind which nothing is recorded any more.
const cutShort = "sallyport: the recording has reached its limit of %d bytes and ends here; the session went on"

// reserve is kept for that marker.
const reserve = 256

// Writer writes one recording. Its methods may be called from several goroutines.
type Writer struct {
	mu     sync.Mutex
	to     io.WriteCloser
	begin  time.Time
	now    func() time.Time
	limit  int64
	size   int64
	ended  bool // nothing is written any more
	cut    bool
	err    error
	rests  [2][]byte // the beginning of a character, of output and input
	closed bool
}

// Kinds of events.
const (
	output = 'o'
	input  = 'i'
	marker = 'm'
	resize = 'r'
)

// New begins a recording of at most limit bytes. The file is the writer's from then on, also when New fails.
func New(to io.WriteCloser, h Header, limit int64) (*Writer, error) {
	return begin(to, h, limit, time.Now)
}

func begin(to io.WriteCloser, h Header, limit int64, now func() time.Time) (*Writer, error) {
	w := &Writer{to: to, begin: h.Begin, now: now, limit: limit}
	head := struct {
		Version   int               `json:"version"`
		Width     uint32            `json:"width"`
		Height    uint32            `json:"height"`
		Timestamp int64             `json:"timestamp"`
		Title     string            `json:"title,omitempty"`
		Command   string            `json:"command,omitempty"`
		Env       map[string]string `json:"env,omitempty"`
	}{2, h.Width, h.Height, h.Begin.Unix(), h.Title, h.Command, nil}
	if h.Term != "" {
		head.Env = map[string]string{"TERM": h.Term}
	}
	line, err := encode(head)
	if err == nil {
		err = w.write(line)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("a recording of a terminal: %w", err), to.Close())
	}
	return w, nil
}

// encode writes v as JSON on one line, without turning < > & into escapes.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}

// write writes a line. mu is held, or nobody else has the writer.
func (w *Writer) write(line []byte) error {
	n, err := w.to.Write(line)
	w.size += int64(n)
	return err
}

// Output records what the terminal showed. The error is the first one of writing the file; later calls return it again.
func (w *Writer) Output(p []byte) error { return w.text(output, 0, p) }

// Input records what was typed.
func (w *Writer) Input(p []byte) error { return w.text(input, 1, p) }

// Resize records that the terminal has another size.
func (w *Writer) Resize(width, height uint32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.event(resize, strconv.FormatUint(uint64(width), 10)+"x"+strconv.FormatUint(uint64(height), 10))
}

// Size is how many bytes are written, and whether the limit was reached.
func (w *Writer) Size() (n int64, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size, w.cut
}

// Close ends the recording. Later calls change nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return w.err
	}
	for i, kind := range [...]byte{output, input} { // a character that was never whole
		if len(w.rests[i]) > 0 {
			_ = w.event(kind, string(w.rests[i]))
		}
	}
	w.closed, w.ended = true, true
	if err := w.to.Close(); w.err == nil {
		w.err = err
	}
	return w.err
}

// text records text of a stream, up to its last whole character.
func (w *Writer) text(kind byte, stream int, p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return w.err
	}
	if len(w.rests[stream]) > 0 {
		p = append(w.rests[stream], p...)
	}
	n := whole(p)
	rest := append([]byte(nil), p[n:]...)
	w.rests[stream] = rest
	if n == 0 {
		return w.err
	}
	return w.event(kind, string(p[:n]))
}

// whole is how much of p is before the character at its end of which something is missing.
func whole(p []byte) int {
	for i := len(p) - 1; i >= 0 && i >= len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}

// event writes one. mu is held.
func (w *Writer) event(kind byte, text string) error {
	if w.ended {
		return w.err
	}
	line, err := w.line(kind, text)
	if err == nil && w.size+int64(len(line)) > w.limit-reserve {
		w.cut, w.ended = true, true
		line, err = w.line(marker, fmt.Sprintf(cutShort, w.limit))
	}
	if err == nil {
		err = w.write(line)
	}
	if err != nil {
		w.err, w.ended = fmt.Errorf("a recording of a terminal: %w", err), true
	}
	return w.err
}

func (w *Writer) line(kind byte, text string) ([]byte, error) {
	at := json.RawMessage(strconv.FormatFloat(w.now().Sub(w.begin).Seconds(), 'f', 6, 64))
	return encode([...]any{at, string(kind), text})
}
