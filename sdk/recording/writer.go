//go:build !wasip1

package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Writer writes a recording. It is for one goroutine.
type Writer struct {
	to    *bufio.Writer
	limit int64
	size  int64
	full  bool
	err   error

	queue  []pending // calls that may contain the beginning of a secret
	queued int       // bytes in it
	masks  [2]*masker
	all    [][]byte
}

// pending is a call that is not written yet. at is where its bytes begin in the stream of its side.
type pending struct {
	call Call
	at   uint64
}

const (
	// mostQueued bounds what waits for the rest of a secret, in bytes. Past it the beginning is masked and everything is written.
	mostQueued = 1 << 20
	// reserved is room for the line of the end.
	reserved = 4 << 10
	// minSecret is the least length of a secret that is masked: shorter ones are everywhere.
	minSecret = 4
)

// NewWriter begins a recording of at most limit bytes (0: MaxSize). Occurrences of secrets are masked, wherever deliveries are cut.
func NewWriter(w io.Writer, h Header, limit int64, secrets [][]byte) (*Writer, error) {
	if limit <= 0 || limit > MaxSize {
		limit = MaxSize
	}
	h.Version = Version
	head, err := json.Marshal(&h)
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	rw := &Writer{to: bufio.NewWriterSize(w, 32<<10), limit: limit}
	for _, s := range secrets {
		if len(s) >= minSecret {
			rw.all = append(rw.all, bytes.Clone(s))
		}
	}
	if len(rw.all) > 0 {
		rw.masks = [2]*masker{newMasker(rw.all), newMasker(rw.all)}
	}
	rw.put(append(head, '\n'))
	return rw, rw.err
}

// Call writes one call. Nothing of c is kept. After the limit calls are left out; after an error every call returns it.
func (w *Writer) Call(c *Call) error {
	if w.err != nil || w.full {
		return w.err
	}
	if len(w.all) == 0 {
		w.write(c)
		return w.err
	}
	p := pending{call: *c}
	p.call.In, p.call.Out = bytes.Clone(c.In), bytes.Clone(c.Out)
	p.call.Masked = maskAll(p.call.Out, w.all)
	if c.Kind == Data {
		m := w.masks[c.Side]
		p.at = m.end
		w.queue = append(w.queue, p)
		w.queued += len(c.In)
		for _, b := range c.In {
			if n := m.next(b); n > 0 {
				w.mask(c, m.end-uint64(n), m.end)
			}
		}
	} else {
		p.call.Masked = maskAll(p.call.In, w.all) || p.call.Masked
		w.queue = append(w.queue, p)
		w.queued += len(c.In)
	}
	w.release(false)
	return w.err
}

// mask overwrites bytes from to end of c's side in what is queued.
func (w *Writer) mask(c *Call, from, end uint64) {
	for i := range w.queue {
		q := &w.queue[i]
		if q.call.Kind != Data || q.call.Side != c.Side {
			continue
		}
		for k := range q.call.In {
			if at := q.at + uint64(k); at >= from && at < end {
				q.call.In[k] = '*'
				q.call.Masked = true
			}
		}
	}
}

// release writes queued calls up to the first that may hold the beginning of a secret; all of them when the recording ends.
func (w *Writer) release(end bool) {
	if w.queued > mostQueued || end {
		for _, m := range w.masks {
			if m != nil && !end {
				m.reset()
			}
		}
	}
	n := 0
	for ; n < len(w.queue); n++ {
		q := &w.queue[n]
		if q.call.Kind == Data && !end {
			m := w.masks[q.call.Side]
			if q.at+uint64(len(q.call.In)) > m.end-uint64(m.partial()) {
				break
			}
		}
		w.queued -= len(q.call.In)
		w.write(&q.call)
	}
	w.queue = w.queue[:copy(w.queue, w.queue[n:])]
}

func (w *Writer) write(c *Call) {
	b, err := c.encode()
	if err != nil {
		w.err = fmt.Errorf("recording: %w", err)
		return
	}
	if w.full = w.full || w.size+int64(len(b))+reserved > w.limit; !w.full {
		w.put(b)
	}
}

func (w *Writer) put(b []byte) {
	if w.err != nil {
		return
	}
	w.size += int64(len(b))
	if _, err := w.to.Write(b); err != nil {
		w.err = fmt.Errorf("recording: %w", err)
	}
}

// Close writes the end of the recording and what is buffered; it does not close what is written to.
func (w *Writer) Close(reason string) error {
	w.release(true)
	reason = string(reason[:min(len(reason), 1<<10)])
	b, err := json.Marshal(&line{Ended: &reason, Cut: w.full})
	if err == nil {
		w.put(append(b, '\n'))
	}
	if ferr := w.to.Flush(); ferr != nil && w.err == nil {
		w.err = fmt.Errorf("recording: %w", ferr)
	}
	return w.err
}
