//go:build !wasip1

// Package recording is the file of what one connection's guest was told and what it answered: the facts, every delivery and every event
// in their order, with the commands that came back. A guest's answers follow from these alone, so a recording can be played to the same
// plugin again, or to a changed one (`sallyport plugin replay`), and it is a fixture for `sallyport plugin check`.
//
// A file is JSON lines. The first is a [Header], each further one a [Call], and the last says how the connection ended; a file without
// it belongs to a connection, or a gateway, that was cut off.
//
//	{"sallyport_recording":1,"connection":"t2x9-17","endpoint":"cache","plugin":"redis","plugin_sha256":"…","options":{…}}
//	{"call":"open","in":"BASE64","out":"BASE64"}
//	{"call":"data","side":"agent","in":"BASE64","end_of_side":true,"out":"BASE64","more":true}
//	{"call":"event","in":"BASE64"}
//	{"call":"event","in":"BASE64","error":"the guest trapped"}
//	{"ended":"both sides ended"}
//
// A call "event" without "in" is "go on" after an output that said more. Bytes that the gateway moved by itself, because the guest had
// passed or dropped them ahead, are not in the file.
//
// What the gateway injects (passwords, tokens, keys) is never shown to a guest and so is in no recording. Should an upstream or an agent
// send such a secret back in so many words, the [Writer] puts asterisks in its place ("masked": true; replaying such a call may differ).
// Everything else that an agent says is there as it was said: statements, data, and passwords with which agents log in by themselves.
// A recording is as confidential as the traffic.
package recording

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sallyport-dev/sallyport/sdk/abi"
)

// Version is the version of the format.
const Version = 1

// Limits of what is read and written.
const (
	// MaxSize bounds a recording, in bytes: the writer stops before, the reader refuses more.
	MaxSize = 64 << 20
	// maxLine bounds one line. A delivery has at most 64 KiB in ordinary guests, its answer as much.
	maxLine = 16 << 20
	// maxCalls bounds how many calls are read.
	maxCalls = 1 << 20
)

// Header says what was recorded.
type Header struct {
	Version      int    `json:"sallyport_recording"`
	Gateway      string `json:"gateway,omitempty"` // its version
	Connection   string `json:"connection,omitempty"`
	Endpoint     string `json:"endpoint,omitempty"`
	Plugin       string `json:"plugin,omitempty"`        // name in the configuration
	PluginSHA256 string `json:"plugin_sha256,omitempty"` // of its file, in hex
	// Options are what the plugin was configured with: a JSON object, every option in it. Options are no secrets.
	Options json.RawMessage `json:"options,omitempty"`
}

// Kind is what a guest was called for.
type Kind string

// The calls.
const (
	Open  Kind = "open"
	Data  Kind = "data"
	Event Kind = "event"
)

// Call is one call into the guest and its answer.
type Call struct {
	Kind   Kind
	Side   abi.Side // data
	In     []byte
	End    bool // data: the last of its side
	Out    []byte
	More   bool
	Err    string // the call failed: nothing follows
	Masked bool   // a secret was masked in it
}

// Recording is a file that was read.
type Recording struct {
	Header Header
	Calls  []Call
	// Ended is false for a file without an end. Cut: the connection went on, but the file had reached its limit.
	Ended, Cut bool
	Reason     string
}

// line is any line but the first.
type line struct {
	Call   Kind   `json:"call,omitempty"`
	Side   string `json:"side,omitempty"`
	In     []byte `json:"in,omitempty"`
	End    bool   `json:"end_of_side,omitempty"`
	Out    []byte `json:"out,omitempty"`
	More   bool   `json:"more,omitempty"`
	Err    string `json:"error,omitempty"`
	Masked bool   `json:"masked,omitempty"`

	Ended *string `json:"ended,omitempty"`
	Cut   bool    `json:"cut,omitempty"`
}

// Read reads a recording. What is not one, or is beyond the limits, is an error that names the line.
func Read(r io.Reader) (*Recording, error) {
	s := bufio.NewScanner(io.LimitReader(r, MaxSize+1))
	s.Buffer(make([]byte, 64<<10), maxLine)
	rec := &Recording{}
	n, size := 0, 0
	for s.Scan() {
		n++
		if size += len(s.Bytes()) + 1; size > MaxSize+1 {
			return nil, fmt.Errorf("recording: more than %d MiB", MaxSize>>20)
		}
		if n > maxCalls {
			return nil, fmt.Errorf("recording: more than %d calls", maxCalls)
		}
		var err error
		switch {
		case n == 1:
			err = rec.Header.read(s.Bytes())
		case rec.Ended:
			err = errors.New("something follows the end")
		default:
			err = rec.read(s.Bytes())
		}
		if err != nil {
			return nil, fmt.Errorf("recording: line %d: %w", n, err)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("recording: line %d: %w", n+1, err)
	}
	if n == 0 {
		return nil, errors.New("recording: the file is empty")
	}
	return rec, nil
}

func (h *Header) read(b []byte) error {
	if err := json.Unmarshal(b, h); err != nil {
		return fmt.Errorf("not a recording: %w", err)
	}
	if h.Version != Version {
		return fmt.Errorf("not a recording of version %d: \"sallyport_recording\" is %d", Version, h.Version)
	}
	return nil
}

func (rec *Recording) read(b []byte) error {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return err
	}
	if l.Ended != nil {
		rec.Ended, rec.Cut, rec.Reason = true, l.Cut, *l.Ended
		return nil
	}
	c := Call{Kind: l.Call, In: l.In, End: l.End, Out: l.Out, More: l.More, Err: l.Err, Masked: l.Masked}
	switch {
	case c.Kind != Open && c.Kind != Data && c.Kind != Event:
		return fmt.Errorf("call %q is not open, data or event", c.Kind)
	case (c.Kind == Open) != (len(rec.Calls) == 0):
		return errors.New("the first call, and no other, is open")
	case (c.Kind == Data) != (l.Side != "") || c.Kind != Data && c.End:
		return errors.New("data, and nothing else, has a side")
	}
	switch l.Side {
	case "", abi.Agent.String():
	case abi.Upstream.String():
		c.Side = abi.Upstream
	default:
		return fmt.Errorf("side %q", l.Side)
	}
	rec.Calls = append(rec.Calls, c)
	return nil
}

// encode is a call as a line.
func (c *Call) encode() ([]byte, error) {
	l := line{Call: c.Kind, In: c.In, End: c.End, Out: c.Out, More: c.More, Err: c.Err, Masked: c.Masked}
	if c.Kind == Data {
		l.Side = c.Side.String()
	}
	b, err := json.Marshal(&l)
	return append(b, '\n'), err
}
